//go:build portaudio

/* PortAudio's audio thread: from the device's buffers to the core and back. No
 * allocation, lock or log; the one thing that waits is pace, in place of a
 * device that does not. */
#define _GNU_SOURCE
#include "state.h"

#include <time.h>
#ifdef __linux__
#include <unistd.h>
#endif

static const int64_t second_ns = 1000000000;

/* So much sound at once no device takes for its buffer. */
static const int64_t most_ahead_ns = 500000000;

/* A pause after which nothing is made up for. */
static const int64_t most_behind_ns = 100000000;

static int64_t monotonic_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * second_ns + t.tv_nsec;
}

static int64_t frames_ns(const archibald_portaudio *shim, uint64_t frames) {
    return (int64_t)(frames / shim->rate_hz * second_ns +
                     frames % shim->rate_hz * second_ns / shim->rate_hz);
}

static int64_t anchor(archibald_portaudio *shim, int64_t now_ns) {
    shim->pace.anchor_ns = now_ns;
    shim->pace.anchor_frame = shim->graph_frame;
    return now_ns;
}

/* Returns the start of this cycle. A device without a clock (ALSA's null, and
 * file above it) asks for the next buffer at once, forever: it gets the
 * system's clock. What it took before that was seen is no time: the frame counter
 * goes back, which the core takes for another graph. */
static int64_t pace(archibald_portaudio *shim, int64_t now_ns) {
    struct pace *p = &shim->pace;
    const int64_t due_ns = p->anchor_ns + frames_ns(shim, shim->graph_frame - p->anchor_frame);
    const int64_t ahead_ns = due_ns - now_ns;

    if (!p->keeps_no_time) {
        if (p->anchor_ns == 0 || ahead_ns < 0 || now_ns - p->anchor_ns >= second_ns)
            return anchor(shim, now_ns);
        if (ahead_ns <= most_ahead_ns) return now_ns;
        p->keeps_no_time = 1;
        shim->graph_frame = p->anchor_frame;
        return anchor(shim, now_ns);
    }
    if (ahead_ns < -most_behind_ns) return anchor(shim, now_ns);
    if (ahead_ns > 0) {
        const struct timespec rest = {.tv_sec = ahead_ns / second_ns,
                                      .tv_nsec = ahead_ns % second_ns};
        nanosleep(&rest, NULL); /* at most about a period */
    }
    return due_ns;
}

int archibald_portaudio_process(const void *captured, void *played, unsigned long frames,
                                const PaStreamCallbackTimeInfo *times, PaStreamCallbackFlags flags,
                                void *data) {
    archibald_portaudio *shim = data;
    (void)times; /* what some host APIs leave out, and others estimate */
#ifdef __linux__
    if (atomic_load_explicit(&shim->thread, memory_order_relaxed) == 0)
        atomic_store_explicit(&shim->thread, gettid(), memory_order_relaxed);
#endif
    const PaStreamCallbackFlags lost =
        paInputUnderflow | paInputOverflow | paOutputUnderflow | paOutputOverflow;
    if (flags & lost) atomic_fetch_add_explicit(&shim->xruns, 1, memory_order_relaxed);

    const int64_t cycle_ns = pace(shim, monotonic_ns());
    const int64_t now_ns = monotonic_ns();
    const float *in[archibald_portaudio_max_channels];
    for (uint32_t c = 0; c < shim->send_channels; c++)
        in[c] = captured == NULL ? NULL : ((const float *const *)captured)[c];

    shim->core_playout(shim->engine, played, shim->has_playout ? shim->receive_channels : 0,
                       (uint32_t)frames, shim->graph_frame, cycle_ns, now_ns);
    shim->core_capture(shim->engine, in, shim->send_channels, (uint32_t)frames, shim->graph_frame,
                       now_ns);
    shim->graph_frame += frames;
    atomic_fetch_add_explicit(&shim->cycles, 1, memory_order_relaxed);
    return paContinue;
}
