/* The C side of this package: two JACK clients whose process callbacks call
 * the real-time core. None of these functions is for an audio thread. */
#ifndef ARCHIBALD_JACK_SHIM_H
#define ARCHIBALD_JACK_SHIM_H

#include <signal.h>
#include <stdint.h>

#include "../../rt/archibald_rt.h"

enum {
    archibald_jack_max_channels = 64,
    archibald_jack_record_bytes =
        320, /* REAL_JACK_PORT_NAME_SIZE of jackd2; one record of the pipe */
};

typedef struct archibald_jack archibald_jack;

/* Why an open failed. */
enum archibald_jack_failure {
    archibald_jack_absent = 1, /* no server of that name */
    archibald_jack_taken,      /* another client has the name */
    archibald_jack_refused,    /* anything else */
};

struct archibald_jack_request {
    const char *server;
    const char *playout_client; /* names: on a guest archibald-from-host, ... */
    const char *capture_client; /* ... archibald-to-host */
    uint32_t playout_channels;  /* 0 to 64 */
    uint32_t capture_channels;  /* 0 to 64 */
    uint32_t receive_latency_frames;
    uint32_t send_latency_frames;
    int events; /* write end of a non-blocking pipe, stays the caller's */
    archibald_engine *engine;
    void *playout; /* archibald_playout_fn */
    void *capture; /* archibald_capture_fn */
    /* What capture calls last in each cycle; NULL: nothing. */
    void (*captured)(void *arg);
    void *captured_arg;
};

struct archibald_jack_error {
    enum archibald_jack_failure failure;
    char client[64];   /* whose opening failed */
    char message[256]; /* what libjack said first */
};

/* Opens both clients with their ports, inactive. NULL on failure, with nothing
 * left behind and *error filled. */
archibald_jack *archibald_jack_open(const struct archibald_jack_request *request,
                                    struct archibald_jack_error *error);

/* Starts the process callbacks. 0, or -1 with *error filled. */
int archibald_jack_activate(archibald_jack *end, struct archibald_jack_error *error);

/* Whether both clients still exist in libjack (see errors.h). */
int archibald_jack_intact(archibald_jack *end);

/* Tells Go that the clients are lost if libjack has deleted them by itself. No callback
 * says so. */
void archibald_jack_notice_deletion(archibald_jack *end);

/* Closes both clients and frees end. */
void archibald_jack_close(archibald_jack *end);

/* Stores what the latency callback answers; recompute asks the server to call it. */
void archibald_jack_set_latency(archibald_jack *end, uint32_t send_frames, uint32_t receive_frames);
void archibald_jack_recompute_latencies(archibald_jack *end);

uint32_t archibald_jack_period_frames(archibald_jack *end);
uint32_t archibald_jack_rate_hz(archibald_jack *end);
uint64_t archibald_jack_xruns(archibald_jack *end);
int archibald_jack_lost(archibald_jack *end);
int archibald_jack_freewheels(archibald_jack *end);
/* The same to be read on an audio thread: const _Atomic uint32_t *, see state.h. */
const void *archibald_jack_freewheels_flag(archibald_jack *end);
int archibald_jack_take_ports_missed(archibald_jack *end); /* reads and clears */

/* Scheduling of the process thread with the lower priority. 0, or -1 while one
 * of the two has not run a cycle or has ended. */
int archibald_jack_scheduling(archibald_jack *end, int *policy, int *priority);

/* The two process threads, 0 for one that has not run a cycle; the priority is
 * what the server gives its clients, -1 when it does not run in real time. */
void archibald_jack_threads(archibald_jack *end, int threads[2], int *priority);

uint64_t archibald_jack_extend(uint64_t anchor, uint32_t frame);

/* Blocks every signal in the calling thread, and gives back what was before. */
void archibald_jack_block_signals(sigset_t *before);
void archibald_jack_restore_signals(const sigset_t *before);

#endif
