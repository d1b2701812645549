/* Two PipeWire nodes for one engine. Go decides what they are; this file's
 * functions make, change and remove them. None may be called on an audio thread;
 * any other thread will do, with open first and close last. */
#ifndef ARCHIBALD_PIPEWIRE_SHIM_H
#define ARCHIBALD_PIPEWIRE_SHIM_H

#include <stdbool.h>
#include <stdint.h>

#include "archibald_rt.h"

typedef struct archibald_pipewire archibald_pipewire;

enum { archibald_pipewire_max_channels = 64 };

enum archibald_pipewire_direction { archibald_pipewire_capture, archibald_pipewire_playout };

/* What the server is set to, in its configuration or later; 0: it did not say. */
struct archibald_pipewire_settings {
    uint32_t rate_hz;
    uint32_t rates[16]; /* that it may change to */
    uint32_t n_rates;
    uint32_t quantum_frames;
    uint32_t least_frames, most_frames;     /* of a quantum, at rate_hz */
    uint32_t forced_rate_hz, forced_frames; /* 0: the programs' wishes count */
    bool powers_of_two;                     /* a quantum is rounded down to one */
    bool in_vm;                             /* it knows of a virtual machine around it */
    bool corrects_drivers; /* a driver's cycle gets the server's quantum (PipeWire to 0.3.69) */
};

struct archibald_pipewire_graph {
    uint32_t rate_hz;
    uint32_t quantum_frames;
};

/* Finds libpipewire-0.3. Returns NULL, or the dynamic loader's complaint. Must
 * have succeeded, once, before anything below is called. */
const char *archibald_pipewire_load(void);

/* Connects to the PipeWire server and waits for its greeting until the
 * deadline. event_fd is a non-blocking eventfd, written whenever
 * archibald_pipewire_take_events has something to tell; it stays the caller's
 * and must outlive the shim. follow may be NULL, and must outlive it as socket, which it
 * reads. Returns NULL and sets *error to an errno:
 * ETIMEDOUT when the server did not answer. */
archibald_pipewire *archibald_pipewire_open(archibald_engine *engine, archibald_playout_fn playout,
                                            archibald_capture_fn capture,
                                            archibald_follow_fn follow, int socket, int event_fd,
                                            int64_t timeout_ns, int *error);

/* Removes both nodes. Legal when the server is gone. */
void archibald_pipewire_close(archibald_pipewire *shim);

struct archibald_pipewire_settings archibald_pipewire_settings(const archibald_pipewire *shim);

/* Rate and period in force while our nodes run; else what they would run at. */
struct archibald_pipewire_graph archibald_pipewire_graph(archibald_pipewire *shim);

struct archibald_pipewire_surroundings {
    bool manager; /* a session manager is there */
    bool capture_linked, playout_linked;
    uint32_t driver; /* global id of the node that drives ours; 0: none */
    bool drives;     /* it is our own */
};

struct archibald_pipewire_surroundings
archibald_pipewire_surroundings(const archibald_pipewire *shim);

/* What our nodes ask for. */
void archibald_pipewire_ask(archibald_pipewire *shim, struct archibald_pipewire_graph asked);

/* Returns the enum spa_audio_channel of a name such as FL; 0: there is none. */
uint32_t archibald_pipewire_position(const char *name);

/* Makes one node, not scheduled, with the properties of a JSON object of strings.
 * channels is 1 to archibald_pipewire_max_channels, with a position for each. Returns 0 or
 * -errno. */
int archibald_pipewire_add(archibald_pipewire *shim, enum archibald_pipewire_direction direction,
                           const char *properties, uint32_t channels, const uint32_t *positions,
                           bool autoconnect);

/* Waits until the server has taken all nodes added. Returns 0 or -errno. */
int archibald_pipewire_wait(archibald_pipewire *shim, int64_t timeout_ns);

/* Says whether the core is to be called. Without it the nodes that are
 * scheduled take sound and drop it, or play silence. */
void archibald_pipewire_set_session(archibald_pipewire *shim, bool up);

/* Changes properties of a node and whether it is scheduled; no effect on a
 * node that was not added. PipeWire 0.3 looks at a changed node.always-process
 * only together with a changed node.latency. */
void archibald_pipewire_schedule(archibald_pipewire *shim,
                                 enum archibald_pipewire_direction direction,
                                 const char *properties, bool scheduled);

/* Makes what comes through the socket start the graph's cycles, of that rate and quantum, for
 * as long as playout's node is the graph's driver; quantum 0: nothing does any more.
 * properties, a JSON object of strings, make it that; NULL: none. Both nodes and the core's
 * follow function must be there. Returns 0 or -errno. */
int archibald_pipewire_follow(archibald_pipewire *shim, struct archibald_pipewire_graph graph,
                              const char *properties);

/* Has the formats negotiated again of nodes whose graph has got another rate:
 * PipeWire does so itself when a driver changes its rate, and not when the
 * nodes move to another driver. */
void archibald_pipewire_follow_rate(archibald_pipewire *shim);

/* Says how long sound takes behind a node: from the sink's ports to where it
 * is heard, or from where it was made to the source's ports. */
void archibald_pipewire_set_latency(archibald_pipewire *shim,
                                    enum archibald_pipewire_direction direction, uint32_t frames);

/* Gives it those properties, when archibald_pipewire_take_events says that both nodes run:
 * PipeWire 0.3 starts no driver that nothing is linked to, but lets a node that runs become
 * one. */
void archibald_pipewire_begin_to_drive(archibald_pipewire *shim);

struct archibald_pipewire_events {
    bool lost;
    bool changed;
    bool runs;
};

/* Returns what happened since the previous call. */
struct archibald_pipewire_events archibald_pipewire_take_events(archibald_pipewire *shim);

uint64_t archibald_pipewire_xruns(const archibald_pipewire *shim);

/* Linux thread id of the data thread; 0 before its first cycle. */
int archibald_pipewire_data_thread(const archibald_pipewire *shim);

#endif
