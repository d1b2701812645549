/* What the two JACK clients of one bridge end share. Private to this package's
 * C files: Go sees shim.h only. */
#ifndef ARCHIBALD_JACK_STATE_H
#define ARCHIBALD_JACK_STATE_H

#include <jack/jack.h>
#include <stdatomic.h>

#include "shim.h"
#include "attribution.h"

/* One JACK client. Every plain field is written before jack_activate and only
 * read after it. */
struct node {
    jack_client_t *client;
    jack_port_t *ports[archibald_jack_max_channels];
    uint32_t channels;
    /* process thread writes in its first cycle, Go reads; relaxed; 0: no cycle yet */
    _Atomic int32_t thread_id;
    /* Go writes, the client's notification thread reads; relaxed */
    _Atomic uint32_t latency_frames;
};

struct archibald_jack {
    archibald_engine *engine;
    archibald_playout_fn core_playout;
    archibald_capture_fn core_capture;
    struct node playout; /* outputs: plays what the peer sends */
    struct node capture; /* inputs: takes what the peer is to hear */
    void (*captured)(void *arg); /* NULL: nobody waits for the end of a cycle */
    void *captured_arg;
    int client_priority; /* written before jack_activate: of real-time clients, -1 for none */
    struct archibald_jack_attribution attribution; /* capture's process thread only */
    /* playout's process thread only: the core knows that the graph left real time */
    int told_freewheel;
    /* Go's calls only: the value of the counter in errors.h that these clients know */
    uint32_t cleanups;

    /* The start of the newest cycle, 64 bits. playout's process thread
     * writes, capture's reads; relaxed: an anchor, right within 2^31 frames, and
     * how far playout has come; it orders nothing else. */
    _Atomic uint64_t graph_frame;

    /* Notification threads of libjack write (lost: Go's calls, too, when those threads are
     * gone), Go reads; relaxed, except that each is stored before the record in the pipe
     * that makes Go look. */
    _Atomic uint32_t period_frames;
    _Atomic uint32_t rate_hz;
    _Atomic uint64_t xruns;
    _Atomic uint32_t lost;
    /* The server runs its graph as fast as it can, for an export. Read by the
     * process threads, too: the server waits for the notification before the first
     * cycle of that kind, and before the first one after them. */
    _Atomic uint32_t freewheels;
    _Atomic uint32_t ports_missed; /* a port's name did not fit in the pipe; Go clears it */
    int events; /* write end of the pipe, O_NONBLOCK; never used by a process thread */
};

/* JACK's 32-bit frame time as the 64-bit one nearest to anchor. */
uint64_t archibald_jack_extend(uint64_t anchor, uint32_t frame);

/* The process callbacks; arg is the archibald_jack. */
int archibald_jack_process_playout(jack_nframes_t frames, void *arg);
int archibald_jack_process_capture(jack_nframes_t frames, void *arg);

/* Opens one client, inactive. NULL on failure, with *error filled. */
jack_client_t *archibald_jack_join(const char *server, const char *name,
                                   struct archibald_jack_error *error);

/* Fills *error, with what libjack said first. */
void archibald_jack_fail(struct archibald_jack_error *error, enum archibald_jack_failure failure,
                         const char *client);

/* Installs every callback but the process callback on both clients. */
void archibald_jack_watch(archibald_jack *end);

#endif
