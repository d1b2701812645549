/* The code that runs on JACK's real-time threads. */
#define _GNU_SOURCE /* gettid */
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "state.h"

static int64_t monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* When the server began the cycle, at most a frame later: JACK rounds what has gone by
 * since down. This thread's own wake-up comes later still, by what other clients and
 * the way between two processors take, which differs for seconds at a time. The clock
 * is read last: an interruption between the two readings makes the start late, and
 * late ones do not move the servo's lines. */
static int64_t cycle_start_ns(const archibald_jack *end, int64_t *now_ns) {
    const int64_t frames = jack_frames_since_cycle_start(end->playout.client);
    const int64_t rate_hz = atomic_load_explicit(&end->rate_hz, memory_order_relaxed);
    *now_ns = monotonic_ns();
    /* Nobody has gone on with a cycle a second old: the server tells nothing yet. */
    return frames < rate_hz ? *now_ns - frames * 1000000000 / rate_hz : *now_ns;
}

static void sign(struct node *node) {
    if (!atomic_load_explicit(&node->thread_id, memory_order_relaxed))
        atomic_store_explicit(&node->thread_id, gettid(), memory_order_relaxed);
}

static void gather(const struct node *node, jack_nframes_t frames, float **buffers) {
    for (uint32_t c = 0; c < node->channels; c++)
        buffers[c] = jack_port_get_buffer(node->ports[c], frames);
}

uint64_t archibald_jack_extend(uint64_t anchor, uint32_t frame) {
    return anchor + (uint64_t)(int64_t)(int32_t)(frame - (uint32_t)anchor);
}

static int freewheels(const archibald_jack *end) {
    return atomic_load_explicit(&end->freewheels, memory_order_relaxed);
}

/* The cycle of a graph that is not in real time: silence, and no time for the core. */
static void sit_out(archibald_jack *end, float *const *out, jack_nframes_t frames, int64_t now_ns) {
    for (uint32_t c = 0; c < end->playout.channels; c++) memset(out[c], 0, frames * sizeof *out[c]);
    if (!end->told_freewheel) end->core_playout(end->engine, NULL, 0, 0, 0, 0, now_ns);
    end->told_freewheel = 1;
}

/* libjack ends these threads with an asynchronous pthread_cancel. While the
 * server lives that happens between cycles, but after its death it can happen
 * anywhere, so it is held off while the core is at work. */

int archibald_jack_process_playout(jack_nframes_t frames, void *arg) {
    archibald_jack *end = arg;
    float *out[archibald_jack_max_channels];
    int64_t now_ns;
    int cancel;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    /* Before the start: if the server begins the next cycle meanwhile, this one seems
     * to begin late. The other way round it would seem to begin a period early. */
    const jack_nframes_t cycle = jack_last_frame_time(end->playout.client);
    const int64_t cycle_ns = cycle_start_ns(end, &now_ns);
    uint64_t anchor = atomic_load_explicit(&end->graph_frame, memory_order_relaxed);
    uint64_t frame = archibald_jack_extend(anchor, cycle);
    atomic_store_explicit(&end->graph_frame, frame, memory_order_relaxed);
    sign(&end->playout);
    gather(&end->playout, frames, out);
    if (freewheels(end)) {
        sit_out(end, out, frames, now_ns);
    } else {
        end->told_freewheel = 0;
        end->core_playout(end->engine, out, end->playout.channels, frames, frame, cycle_ns, now_ns);
    }
    pthread_setcancelstate(cancel, NULL);
    return 0;
}

int archibald_jack_process_capture(jack_nframes_t frames, void *arg) {
    int64_t now_ns = monotonic_ns();
    archibald_jack *end = arg;
    float *in[archibald_jack_max_channels];
    int cancel;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    uint64_t anchor = atomic_load_explicit(&end->graph_frame, memory_order_relaxed);
    /* Before the newest cycle: if the server begins one meanwhile it seems to be old,
     * not new. */
    const jack_nframes_t age_frames = jack_frames_since_cycle_start(end->capture.client);
    uint64_t server = archibald_jack_extend(anchor, jack_last_frame_time(end->capture.client));
    uint64_t frame =
        archibald_jack_attribute_cycle(&end->attribution, server, anchor, age_frames, frames);
    sign(&end->capture);
    gather(&end->capture, frames, in);
    if (!freewheels(end)) {
        end->core_capture(end->engine, (const float *const *)in, end->capture.channels, frames,
                          frame, now_ns);
        if (end->captured) end->captured(end->captured_arg);
    }
    pthread_setcancelstate(cancel, NULL);
    return 0;
}
