//go:build portaudio

/* What one stream shares between its audio thread and Go's calls. Private to
 * this package's C files: Go sees shim.h only. */
#ifndef ARCHIBALD_PORTAUDIO_STATE_H
#define ARCHIBALD_PORTAUDIO_STATE_H

#include <stdatomic.h>

#include "shim.h"

/* When a device that keeps no time may have its next cycle. */
struct pace {
    int64_t anchor_ns; /* 0: no cycle yet */
    uint64_t anchor_frame;
    int keeps_no_time;
};

struct archibald_portaudio {
    /* Written before the stream starts. */
    archibald_engine *engine;
    archibald_playout_fn core_playout;
    archibald_capture_fn core_capture;
    uint32_t send_channels, receive_channels, rate_hz;
    int has_playout;
    PaStream *stream;

    /* The audio thread only. */
    uint64_t graph_frame;
    struct pace pace;

    /* The audio thread writes, Go's calls read; relaxed. */
    _Atomic uint64_t cycles, xruns;
    _Atomic int thread;
};

/* The PaStreamCallback; data is the archibald_portaudio. */
int archibald_portaudio_process(const void *captured, void *played, unsigned long frames,
                                const PaStreamCallbackTimeInfo *times, PaStreamCallbackFlags flags,
                                void *data);

#endif
