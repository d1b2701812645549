/* The thread that drives a JACK server whose driver is netone (packet.h): it waits for the
 * leader's packets, has the core say when a cycle is due, and asks netone for it. */
#ifndef ARCHIBALD_NETONE_DRIVE_H
#define ARCHIBALD_NETONE_DRIVE_H

#include <pthread.h>
#include <stdatomic.h>

#include "../../../rt/archibald_rt.h"
#include "packet.h"

struct archibald_netone_drive {
    /* Written before the thread starts, and only read after. */
    archibald_engine *engine;
    archibald_follow_fn follow; /* NULL: the core cannot, and cycles come at their own pace */
    int media;                  /* the socket that follow reads; -1: none */
    int socket;                 /* connected to netone, O_NONBLOCK */
    int wake;                   /* eventfd, O_NONBLOCK */
    int priority;               /* SCHED_FIFO; 0: the thread is an ordinary one */
    int64_t period_ns;
    /* Whether the graph has left real time: netone does not run then. Its owner says who
     * writes it; relaxed. */
    const _Atomic uint32_t *freewheels;

    /* The thread's alone. */
    struct archibald_netone netone;
    int64_t wake_ns;   /* when follow is called again */
    int64_t own_ns;    /* when a cycle comes that the core did not ask for */
    int running;       /* the core started a cycle, and was not told that it has ended */
    uint32_t mark;     /* captured, when that cycle was started */
    int by_timer;      /* no packet that just came started it: what comes next waits for its end */
    int held;          /* media is not looked at: what is in it waits for the cycle or the timer */
    uint32_t readings; /* times that follow read media since the last cycle or timer */

    /* capture's process thread counts, this thread reads: cycles that have ended. In one order
     * with waits (sequentially consistent): of two that write one and then read the other, at
     * least one sees what the other wrote. */
    _Atomic uint32_t captured;
    /* This thread sets it before it sleeps until the end of a cycle; capture clears it, and
     * writes to wake if it was set. */
    _Atomic uint32_t waits;

    /* This thread writes, Go reads; relaxed. */
    _Atomic uint64_t answers; /* of netone */
    _Atomic int32_t thread_id;
    _Atomic uint32_t quit; /* Go writes, before it writes to wake; this thread reads; relaxed */

    /* Go's calls only. */
    pthread_t thread;
    int started;
};

/* The thread's function; arg is the drive. */
void *archibald_netone_thread(void *arg);

/* Says that a cycle has ended, as the last thing that capture's process thread does in it. */
void archibald_netone_captured(void *drive);

/* A drive with memory that its thread does not page-fault on, all zero. NULL: there is none. */
struct archibald_netone_drive *archibald_netone_new(void);

/* Starts the thread, with every signal blocked. 0, or the error number. */
int archibald_netone_start(struct archibald_netone_drive *drive);

/* Ends the thread, if it was started, and returns when it has ended. */
void archibald_netone_stop(struct archibald_netone_drive *drive);

uint64_t archibald_netone_answers(struct archibald_netone_drive *drive);
int archibald_netone_thread_id(struct archibald_netone_drive *drive); /* 0: it has not run yet */

/* Frees the drive. Its thread must have ended, and nobody may call captured any more. */
void archibald_netone_free(struct archibald_netone_drive *drive);

#endif
