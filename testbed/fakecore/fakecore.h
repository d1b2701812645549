/* An engine that a test can look into: it plays what the test asks for and
 * keeps what it is handed. Ring sizes are powers of two. */
#ifndef ARCHIBALD_FAKECORE_H
#define ARCHIBALD_FAKECORE_H

#include <stdatomic.h>

#include "archibald_rt.h"

enum { fake_channels = 16, fake_cycles = 8192, fake_samples = 1 << 17 };

enum fake_voice { fake_silence, fake_tones, fake_counter };

struct fake_cycle {
    uint64_t graph_frame;
    int64_t cycle_ns;
    int64_t now_ns;
    uint32_t frames;
    uint32_t channels;
    float first;      /* sample of channel 0; 0 without channels */
    int signals_open; /* 1: a signal handler could run on this thread */
};

/* Written by the callback, which publishes by count (release); read by the
 * test (acquire). */
struct fake_log {
    _Atomic uint64_t count;
    struct fake_cycle cycles[fake_cycles];
};

struct archibald_engine {
    _Atomic int voice;                    /* test to callback, relaxed */
    _Atomic float tone_hz[fake_channels]; /* likewise; 0: silent */
    _Atomic int stall_ms;                 /* set by the test, taken by playout */
    /* test to follow function, relaxed: whose datagrams start cycles, -1: none; the frames and
     * the rate of these cycles */
    _Atomic int socket;
    _Atomic uint32_t period_frames, rate_hz;
    /* follow function only */
    int running;
    int64_t began_ns;
    /* written by the follow function, read by the test (relaxed) */
    _Atomic uint64_t follow_calls, led, timed;
    struct fake_log played;
    struct fake_log captured;
    float samples[fake_channels][fake_samples]; /* ring, by sample_count */
    _Atomic uint64_t sample_count;              /* release, acquire */
};

/* What fake_tones plays: amplitude at the given frequency per channel, at
 * 48 kHz. fake_counter plays (graph frame mod 2^20) / 2^20, exact in a float. */
#define FAKE_AMPLITUDE 0.25f
#define FAKE_COUNTER_PERIOD (1 << 20)

void fake_playout(archibald_engine *engine, float *const *out, uint32_t channels, uint32_t frames,
                  uint64_t graph_frame, int64_t cycle_ns, int64_t now_ns);
void fake_capture(archibald_engine *engine, const float *const *in, uint32_t channels,
                  uint32_t frames, uint64_t graph_frame, int64_t now_ns);
/* One cycle for each datagram that comes, whatever is in it, and one each period when none has
 * come for three. */
int fake_follow(archibald_engine *engine, enum archibald_follow_why why, int64_t now_ns,
                int64_t *wake_ns);

#endif
