#ifndef ARCHIBALD_JACKTEST_FAKE_H
#define ARCHIBALD_JACKTEST_FAKE_H

#include <stdint.h>

#include "../../bridge/rt/archibald_rt.h"

enum { jacktest_channels = 64, jacktest_cycles = 8192, jacktest_period = 8192 };

/* One callback. first and last are the outer samples of each channel. */
struct jacktest_cycle {
    uint64_t graph_frame;
    int64_t cycle_ns;
    int64_t now_ns;
    uint32_t frames;
    uint32_t channels;
    float first[jacktest_channels];
    float last[jacktest_channels];
};

/* The newest jacktest_cycles callbacks of one kind. The process thread writes
 * a cycle and then count (release); Go reads count (acquire) and leaves the
 * oldest ones alone, which may be written meanwhile. */
struct jacktest_log {
    uint64_t count;
    struct jacktest_cycle cycles[jacktest_cycles];
};

/* A follower: each packet that comes starts a cycle, and where none comes, a timer does at
 * the nominal pace, three periods after the last one. Only the thread that calls the follow
 * function uses it, but for the counts. */
struct jacktest_follower {
    int socket;
    int64_t period_ns;
    int64_t due_ns;
    int64_t began_ns;
    int running;
    int waiting;
    /* That thread writes, Go reads; relaxed. */
    uint64_t packets, by_packet, by_timer, given_up, done;
};

struct archibald_engine {
    archibald_engine *older; /* keeps every core reachable for LeakSanitizer */
    uint64_t played;         /* process thread of the playout only */
    int64_t stall_ns;        /* Go writes, playout reads and clears; relaxed */
    struct jacktest_log playout;
    struct jacktest_log capture;
    struct jacktest_follower follower;
};

archibald_engine *jacktest_new(void);
void *jacktest_playout(void);
void *jacktest_capture(void);
void *jacktest_follow(void);
uint64_t jacktest_count(struct jacktest_log *log);
void jacktest_stall(archibald_engine *engine, int64_t ns);

/* Joins the server as an inactive client that copies in to out, delay_frames
 * later. NULL when refused. */
void *jacktest_through(const char *server, const char *name, uint32_t delay_frames);
/* From now on each callback sleeps between reading and writing; period at most jacktest_period. */
void jacktest_through_work(void *client, int64_t ns);
int jacktest_through_activate(void *client);
void jacktest_through_close(void *client);

#endif
