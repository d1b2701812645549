//go:build portaudio

/* One PortAudio stream for one engine. Go decides what is opened; the functions
 * of this file are called on one thread at a time and on no audio thread. */
#ifndef ARCHIBALD_PORTAUDIO_SHIM_H
#define ARCHIBALD_PORTAUDIO_SHIM_H

#include <portaudio.h>
#include <stdint.h>

#include "archibald_rt.h"

typedef struct archibald_portaudio archibald_portaudio;

enum { archibald_portaudio_max_channels = 64 };

struct archibald_portaudio_plan {
    int capture_device, playout_device; /* PortAudio's numbers; -1: none, which is silence */
    double capture_latency_s, playout_latency_s;
    uint32_t send_channels, receive_channels;
    uint32_t rate_hz, period_frames;
};

/* Says whether the devices take this: paFormatIsSupported, or why not. */
PaError archibald_portaudio_supports(const struct archibald_portaudio_plan *plan);

/* Opens and starts the stream. NULL with *error set. */
archibald_portaudio *archibald_portaudio_open(archibald_engine *engine,
                                              archibald_playout_fn playout,
                                              archibald_capture_fn capture,
                                              const struct archibald_portaudio_plan *plan,
                                              PaError *error);

/* Stops and closes the stream. Legal when its device is gone. */
void archibald_portaudio_close(archibald_portaudio *shim);

/* What a PaError means, in the words of the host API where it has some. */
const char *archibald_portaudio_reason(PaError error);

/* Momentary values. */
int archibald_portaudio_runs(
    const archibald_portaudio *shim); /* 0: the stream has ended by itself */
uint64_t archibald_portaudio_cycles(const archibald_portaudio *shim);
uint64_t archibald_portaudio_xruns(const archibald_portaudio *shim);

/* The audio thread: its Linux id, 0 before the first cycle and elsewhere, and how
 * it is scheduled: 0, or -1 for a thread that is not there. */
int archibald_portaudio_thread(const archibald_portaudio *shim);
int archibald_portaudio_scheduling(int thread, int *policy, int *priority);

/* Keeps what libasound and libjack say off the terminal: trying every device
 * there might be, they complain about each that there is not. */
void archibald_portaudio_silence(void);

/* Blocks every signal on the calling thread. Threads that it starts inherit
 * that: Go's handlers can never run on them. */
void archibald_portaudio_block_signals(void);

#endif
