#define _GNU_SOURCE
#include "fakecore.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>

static int signals_open(void) {
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    /* 32 and 33 belong to the C library, which never blocks them. */
    for (int s = 1; s < 32; s++)
        if (s != SIGKILL && s != SIGSTOP && !sigismember(&blocked, s)) return 1;
    return 0;
}

static void keep(struct fake_log *log, struct fake_cycle cycle) {
    const uint64_t n = atomic_load_explicit(&log->count, memory_order_relaxed);
    cycle.signals_open = signals_open();
    log->cycles[n % fake_cycles] = cycle;
    atomic_store_explicit(&log->count, n + 1, memory_order_release);
}

static float voice(archibald_engine *engine, uint32_t channel, uint64_t frame) {
    switch (atomic_load_explicit(&engine->voice, memory_order_relaxed)) {
    case fake_tones: {
        const double hz = channel < fake_channels ? engine->tone_hz[channel] : 0;
        return FAKE_AMPLITUDE * (float)sin(2 * M_PI * fmod(hz * (double)frame / 48000.0, 1.0));
    }
    case fake_counter: return (float)(frame % FAKE_COUNTER_PERIOD) / FAKE_COUNTER_PERIOD;
    default: return 0;
    }
}

void fake_playout(archibald_engine *engine, float *const *out, uint32_t channels, uint32_t frames,
                  uint64_t graph_frame, int64_t cycle_ns, int64_t now_ns) {
    float first = 0;
    const int stall_ms = atomic_exchange(&engine->stall_ms, 0);
    if (stall_ms != 0) nanosleep(&(struct timespec){.tv_nsec = stall_ms * 1000000L}, NULL);
    for (uint32_t c = 0; c < channels; c++) {
        if (out[c] == NULL) continue;
        for (uint32_t i = 0; i < frames; i++) out[c][i] = voice(engine, c, graph_frame + i);
        if (c == 0) first = out[0][0];
    }
    keep(&engine->played,
         (struct fake_cycle){graph_frame, cycle_ns, now_ns, frames, channels, first, 0});
}

void fake_capture(archibald_engine *engine, const float *const *in, uint32_t channels,
                  uint32_t frames, uint64_t graph_frame, int64_t now_ns) {
    const uint64_t n = atomic_load_explicit(&engine->sample_count, memory_order_relaxed);
    for (uint32_t c = 0; c < channels && c < fake_channels; c++)
        for (uint32_t i = 0; i < frames; i++)
            engine->samples[c][(n + i) % fake_samples] = in[c] == NULL ? 0 : in[c][i];
    atomic_store_explicit(&engine->sample_count, n + frames, memory_order_release);
    keep(&engine->captured, (struct fake_cycle){graph_frame, 0, now_ns, frames, channels,
                                                channels && in[0] ? in[0][0] : 0, 0});
}

int fake_follow(archibald_engine *engine, enum archibald_follow_why why, int64_t now_ns,
                int64_t *wake_ns) {
    const int64_t period_ns = 1000000000ll *
                              atomic_load_explicit(&engine->period_frames, memory_order_relaxed) /
                              atomic_load_explicit(&engine->rate_hz, memory_order_relaxed);
    const int alone = now_ns - engine->began_ns >= 3 * period_ns;
    char datagram[1];
    atomic_fetch_add_explicit(&engine->follow_calls, 1, memory_order_relaxed);
    if (engine->running && why != archibald_follow_done && !alone) {
        *wake_ns = engine->began_ns + 3 * period_ns;
        return 0;
    }
    engine->running = 0;
    if (recv(atomic_load_explicit(&engine->socket, memory_order_relaxed), datagram, sizeof datagram,
             MSG_DONTWAIT) > 0) {
        atomic_fetch_add_explicit(&engine->led, 1, memory_order_relaxed);
        engine->began_ns = now_ns;
        engine->running = 1;
    } else if (alone) { /* due a period later: the next one then comes after three again */
        atomic_fetch_add_explicit(&engine->timed, 1, memory_order_relaxed);
        engine->began_ns = now_ns - 2 * period_ns;
        engine->running = 1;
    }
    *wake_ns = engine->began_ns + 3 * period_ns;
    return engine->running;
}
