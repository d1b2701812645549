/* What the shim's parts share: connection.c and nodes.c on PipeWire's main loop
 * and the caller's thread, process.c on the data thread. */
#ifndef ARCHIBALD_PIPEWIRE_STATE_H
#define ARCHIBALD_PIPEWIRE_STATE_H

#include <stdatomic.h>
#include <string.h>

#include "library.h"
#include "shim.h"

/* More links of one node are not counted. */
enum { max_links = 256 };

/* Fields without a word on threads are written before the stream is connected
 * and constant until it is destroyed. */
struct node {
    archibald_pipewire *shim;
    struct pw_stream *stream; /* NULL: there is no such node */
    struct spa_hook listener;
    uint32_t channels;
    uint32_t positions[archibald_pipewire_max_channels]; /* enum spa_audio_channel */

    /* The driver's clock. Written by the main loop (release), which then
     * waits for the data thread to finish its cycle; read by the data thread
     * (acquire). NULL: no driver. */
    _Atomic(struct spa_io_position *) position;
    /* Rate of the negotiated format. Written by the main loop, read by the
     * data thread, relaxed: each value is complete in itself. */
    _Atomic uint32_t format_rate_hz;
    /* The graph runs at another rate than the format. Set by the data thread,
     * cleared by the main loop, relaxed. */
    atomic_bool format_stale;

    /* The stream takes part in the graph. Written by the main loop, read by
     * the data thread, relaxed. */
    atomic_bool streaming;

    /* Under the loop's lock. */
    bool scheduled;
    struct {
        uint32_t id, peer; /* global ids, of the link and the node at its other end */
    } links[max_links];
    uint32_t n_links;

    /* Data thread only: the cycle being served. */
    uint64_t cycle_position;
    uint64_t cycle_nsec;
    uint64_t cycle_served; /* frames already exchanged in this cycle */
    bool leads;            /* calls playout in this cycle */
    uint64_t stale_nsec;   /* since when the format has another rate; 0: it has not */
};

/* A look at the drivers that run; see look.c. Under the loop's lock. */
struct look {
    uint32_t profiler_id;      /* global; SPA_ID_INVALID: there is none */
    struct pw_proxy *profiler; /* NULL: no look is under way */
    struct spa_hook listener;
    uint32_t rate_hz; /* of our driver in the cycle that was reported last */
    int64_t cycle_ns; /* when that was, CLOCK_MONOTONIC */
};

/* Data thread only: the latest cycle that a node led. */
struct timeline {
    const struct node *leader; /* NULL: there was none yet */
    uint32_t clock_id;
    uint64_t position;
    uint64_t nsec;
    uint64_t next_position;
};

/* The peer's packets as what drives the graph; see follow.c. Data thread only. */
struct follow {
    struct pw_loop *loop;        /* the thread's own; NULL: it never followed */
    struct spa_source *readable; /* the media socket */
    struct spa_source *timer;
    struct spa_source *next;               /* an event: the next cycle is to start */
    struct archibald_pipewire_graph graph; /* quantum 0: packets drive nothing */
    bool awaits;                           /* a cycle of both nodes, before they are driven */
    bool ran[2];                           /* there was one, by enum archibald_pipewire_direction */
    bool drives;                           /* cycles can be started */
    bool runs;                             /* the core was not yet told that its cycle is done */
    bool starts;                           /* a cycle waits for the event above */
    bool played;                           /* playout was called in this cycle */
    bool listens;                          /* the loop looks at the socket */
    uint32_t readings;                     /* of the socket, since a cycle or the timer */
    int64_t wake_ns;                       /* the timer is armed for; 0: it is not */
    uint64_t next_position;                /* of the graph's clock */
};

struct archibald_pipewire {
    archibald_engine *engine;
    archibald_playout_fn core_playout;
    archibald_capture_fn core_capture;
    archibald_follow_fn core_follow; /* NULL: this core cannot follow */
    int socket;                      /* that it reads */
    int event_fd;

    struct pw_thread_loop *loop;
    struct pw_context *context;
    struct pw_core *core;
    struct spa_hook core_listener;
    bool greeted;                                /* under the loop's lock */
    struct archibald_pipewire_settings settings; /* under the loop's lock */
    struct archibald_pipewire_graph asked;       /* under the loop's lock */
    struct archibald_pipewire_graph led;         /* by the peer; under the loop's lock */
    /* What makes playout's node the driver; NULL: it has them, or there are none. Under
     * the loop's lock. */
    struct pw_properties *driver_properties;

    struct look look;

    /* Main loop only, its lock held. */
    struct pw_registry *registry;
    struct spa_hook registry_listener;
    struct pw_proxy *metadata; /* of the settings; NULL: none */
    int settings_sync;         /* what tells that they have come; 0: they have */
    struct spa_hook metadata_listener;
    uint32_t manager_metadata; /* global id; SPA_ID_INVALID: no session manager */
    bool manager_left;         /* there was one, and it has not come back */

    struct node nodes[2]; /* by enum archibald_pipewire_direction */
    struct timeline timeline;
    struct follow follow;

    /* All below: relaxed, each value is complete in itself. */

    /* The core may be called. Written by the caller, read by the data thread. */
    atomic_bool session_up;
    /* The nodes were stopped in between: the position may have jumped without
     * an xrun. Set by the main loop, taken by the data thread. */
    atomic_bool restarted;
    /* The graph in the latest cycle with a session, and when that was
     * (CLOCK_MONOTONIC; 0: there was none). Written by the data thread, read by
     * anybody. While it has no cycles, archibald_pipewire_graph writes rate and
     * quantum as it expects them, so that the next one tells when it is wrong. */
    _Atomic uint32_t rate_hz;
    _Atomic uint32_t quantum_frames;
    _Atomic int64_t seen_ns;
    _Atomic uint64_t xruns;
    _Atomic int data_thread;
    /* Set by the main loop (lost) and the data thread (changed; runs: playout's node can
     * become the driver), taken by the reader of the eventfd. */
    atomic_bool lost;
    atomic_bool runs;
    atomic_bool changed;
};

/* Wakes the reader of the eventfd. Never blocks. */
void archibald_pipewire_notify(archibald_pipewire *shim, atomic_bool *what);

/* Follows the server's settings, our links and session managers: one that dies and
 * comes back is a loss of the nodes. watch returns 0 or -errno. */
int archibald_pipewire_watch_registry(archibald_pipewire *shim);
void archibald_pipewire_unwatch_registry(archibald_pipewire *shim);

/* The settings are in the metadata of that global id. */
void archibald_pipewire_read_settings(archibald_pipewire *shim, uint32_t id);
void archibald_pipewire_forget_settings(archibald_pipewire *shim);

/* CLOCK_MONOTONIC. */
int64_t archibald_pipewire_now_ns(void);

/* The loop of the thread on which the node's cycles run. NULL: it is not known yet. */
struct pw_loop *archibald_pipewire_data_loop(const struct node *node);

/* Whether our packets drive the graph may have changed. On the data thread. */
void archibald_pipewire_reconsider(archibald_pipewire *shim);

/* Called in each cycle of a node that the core takes part in. On the data thread. */
void archibald_pipewire_on_cycle(struct node *node);

/* Called at the end of each of capture's cycles. On the data thread. */
void archibald_pipewire_on_done(archibald_pipewire *shim);

/* The sources' callbacks; data is a shim. */
void archibald_pipewire_on_readable(void *data, int socket, uint32_t mask);
void archibald_pipewire_on_timer(void *data, uint64_t expirations);
void archibald_pipewire_on_next(void *data, uint64_t count);

/* Removes the sources. */
void archibald_pipewire_end_follow(archibald_pipewire *shim);

/* Returns the rate of the driver that our idle nodes would be with, 0 when that does
 * not run, and looks again when it is time. */
uint32_t archibald_pipewire_look(archibald_pipewire *shim);
void archibald_pipewire_begin_look(archibald_pipewire *shim);
void archibald_pipewire_end_look(archibald_pipewire *shim);

/* The settings that the server started with. */
void archibald_pipewire_read_configuration(struct archibald_pipewire_settings *settings,
                                           const struct spa_dict *properties);

/* The connection or a node is gone, or of no use. The loop's lock is held. */
void archibald_pipewire_lost(archibald_pipewire *shim);

/* Waits, the loop's lock held, until the condition is true or the server lost.
 * Returns 0 or -errno. */
int archibald_pipewire_wait_for(archibald_pipewire *shim,
                                bool (*condition)(const archibald_pipewire *), int64_t timeout_ns);

/* The process events of the two streams, on the data thread. data is the
 * struct node. */
void archibald_pipewire_process_capture(void *data);
void archibald_pipewire_process_playout(void *data);

#endif
