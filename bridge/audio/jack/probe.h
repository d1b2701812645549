/* A JACK client that plays a sound in a circle and records what comes back. */
#ifndef ARCHIBALD_JACK_PROBE_H
#define ARCHIBALD_JACK_PROBE_H

#include <jack/jack.h>
#include <stdatomic.h>

#include "shim.h"

/* Every plain field is written before jack_activate and only read after it,
 * but for position. */
struct archibald_jack_probe {
    jack_client_t *client;
    jack_port_t *out, *in;

    /* One mapping, there and locked before the first cycle. */
    size_t memory_bytes;
    const float *sound;
    uint64_t sound_frames;
    /* process thread writes frame by frame, once; Go reads those below heard_frames */
    float *heard;
    uint64_t capacity_frames;

    /* CLOCK_MONOTONIC of the first cycle; the process thread's, Go reads it once heard_frames
     * is not 0 */
    int64_t first_ns;
    uint64_t position; /* frames since the first cycle; the process thread's own */

    /* process thread writes, Go reads; release, acquire: they publish heard */
    _Atomic uint64_t heard_frames;
    /* of the cycle that published heard_frames; process thread writes before that, Go reads;
     * relaxed: it looks at heard_frames before and after */
    _Atomic int64_t newest_ns;
    _Atomic uint64_t xruns; /* notification thread writes, Go reads; relaxed: a count only */
    /* notification thread writes, Go reads; relaxed: they order nothing */
    _Atomic uint32_t freewheeled, lost;
};

/* Opens the client with its ports out and in, inactive. NULL on failure, with
 * nothing left behind and *error filled. */
struct archibald_jack_probe *archibald_jack_probe_open(const char *server, const char *name,
                                                       struct archibald_jack_error *error);

/* Copies the sound and starts the process callback. 0, or -1 with *error filled. */
int archibald_jack_probe_start(struct archibald_jack_probe *probe, const float *sound,
                               uint64_t sound_frames, uint64_t capacity_frames,
                               struct archibald_jack_error *error);

uint64_t archibald_jack_probe_heard_frames(struct archibald_jack_probe *probe);
uint64_t archibald_jack_probe_xruns(struct archibald_jack_probe *probe);
/* The time that went by since the first cycle, less what was recorded: it grows by
 * what the server loses. */
int64_t archibald_jack_probe_behind_ns(struct archibald_jack_probe *probe);
int archibald_jack_probe_freewheeled(struct archibald_jack_probe *probe);
int archibald_jack_probe_lost(struct archibald_jack_probe *probe);

void archibald_jack_probe_close(struct archibald_jack_probe *probe);

/* The process callback; arg is the probe. */
int archibald_jack_probe_cycle(jack_nframes_t frames, void *arg);

#endif
