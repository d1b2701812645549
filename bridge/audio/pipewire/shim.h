/* Two PipeWire nodes for one engine. Go decides what they are; this file's
 * functions make, change and remove them. None may be called on an audio thread;
 * any other thread will do, with open first and close last. */
#ifndef ARCHIBALD_PIPEWIRE_SHIM_H
#define ARCHIBALD_PIPEWIRE_SHIM_H

#include <stdbool.h>
#include <stdint.h>

#include "archibald_rt.h"

typedef struct archibald_pipewire archibald_pipewire;

enum { archibald_max_channels = 64 };

enum archibald_direction { archibald_to_guest, archibald_from_guest };

/* What the server would run at if nobody asked for anything; 0: it did not say. */
struct archibald_pipewire_defaults {
    uint32_t rate_hz;
    uint32_t quantum_frames;
};

/* Finds libpipewire-0.3. Returns NULL, or the dynamic loader's complaint. Must
 * have succeeded, once, before anything below is called. */
const char *archibald_pipewire_load(void);

/* Connects to the PipeWire server and waits for its greeting until the
 * deadline. event_fd is a non-blocking eventfd, written whenever
 * archibald_pipewire_take_events has something to tell; it stays the caller's
 * and must outlive the shim. Returns NULL and sets *error to an errno:
 * ETIMEDOUT when the server did not answer. */
archibald_pipewire *archibald_pipewire_open(archibald_engine *engine, archibald_playout_fn playout,
                                            archibald_capture_fn capture, int event_fd,
                                            int64_t timeout_ns, int *error);

/* Removes both nodes. Legal when the server is gone. */
void archibald_pipewire_close(archibald_pipewire *shim);

struct archibald_pipewire_defaults archibald_pipewire_defaults(const archibald_pipewire *shim);

/* What Graph shows until the data thread has seen the graph run. */
void archibald_pipewire_expect(archibald_pipewire *shim, uint32_t rate_hz, uint32_t quantum_frames);

/* Makes one node, not scheduled, with the properties of a JSON object of strings.
 * channels is 1 to archibald_max_channels. Returns 0 or -errno. */
int archibald_pipewire_add(archibald_pipewire *shim, enum archibald_direction direction,
                           const char *properties, uint32_t channels, bool autoconnect);

/* Waits until the server has taken all nodes added. Returns 0 or -errno. */
int archibald_pipewire_wait(archibald_pipewire *shim, int64_t timeout_ns);

/* Says whether the core is to be called. Without it the nodes that are
 * scheduled take sound and drop it, or play silence. */
void archibald_pipewire_set_session(archibald_pipewire *shim, bool up);

/* Changes properties of a node and whether it is scheduled; no effect on a
 * node that was not added. PipeWire 0.3 looks at a changed node.always-process
 * only together with a changed node.latency. */
void archibald_pipewire_schedule(archibald_pipewire *shim, enum archibald_direction direction,
                                 const char *properties, bool scheduled);

/* Has the formats negotiated anew of nodes whose graph has got another rate:
 * PipeWire does so itself when a driver changes its rate, and not when the
 * nodes move to another driver. */
void archibald_pipewire_follow_rate(archibald_pipewire *shim);

/* Says how long sound takes behind a node: from the sink's ports to where it
 * is heard, or from where it was made to the source's ports. */
void archibald_pipewire_set_latency(archibald_pipewire *shim, enum archibald_direction direction,
                                    uint32_t frames);

struct archibald_pipewire_events {
    bool lost;
    bool changed;
};

/* Returns what happened since the previous call. */
struct archibald_pipewire_events archibald_pipewire_take_events(archibald_pipewire *shim);

/* Momentary values. */
uint32_t archibald_pipewire_rate(const archibald_pipewire *shim);
uint32_t archibald_pipewire_quantum(const archibald_pipewire *shim);
uint64_t archibald_pipewire_xruns(const archibald_pipewire *shim);

/* Linux thread id of the data thread; 0 before its first cycle. */
int archibald_pipewire_data_thread(const archibald_pipewire *shim);

#endif
