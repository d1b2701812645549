/* A thread on each processor, above all others, that notes when it woke up late. */
#ifndef STALLS_WATCH_H
#define STALLS_WATCH_H

#include <stdint.h>

enum { stalls_most = 65536, stalls_period_ns = 250000, stalls_least_ns = 150000 };

/* A processor did nothing from end_ns - late_ns to end_ns, CLOCK_MONOTONIC, or ran
 * something that not even this thread may interrupt. */
struct stall {
    int64_t end_ns;
    int64_t late_ns;
};

struct stalls_watch {
    int processor;
    int priority;     /* SCHED_FIFO */
    int32_t stop;     /* written by the caller, read by the thread; relaxed */
    int32_t failed;   /* errno of what was refused; written before ready */
    int32_t ready;    /* written by the thread (release), read by the caller (acquire) */
    uint32_t count;   /* of what follows; the thread's until it was joined */
    uint32_t dropped; /* there was no room for */
    unsigned long thread;
    struct stall found[stalls_most];
};

struct stalls_watch *stalls_start(int processor, int priority); /* NULL: no memory, or no thread */
int stalls_ready(struct stalls_watch *watch);
void stalls_stop(struct stalls_watch *watch); /* returns when the thread has ended */

/* Keeps a processor busy for so long, at a real-time priority. 0, or errno. */
int stalls_occupy(int processor, int priority, int64_t ns);

#endif
