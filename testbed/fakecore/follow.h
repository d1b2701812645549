/* The engine as a follower: datagrams of its socket, 8 bytes each, are the leader's cycles by
 * their frame number. The last of packets with one number starts a cycle, in which fake_counter
 * plays that number in place of the graph's; the answer is sent at the end of the cycle. */
#ifndef ARCHIBALD_FAKECORE_FOLLOW_H
#define ARCHIBALD_FAKECORE_FOLLOW_H

#include <stdatomic.h>
#include <stdbool.h>

#include "archibald_rt.h"

struct fake_answer {
    uint64_t frame;  /* of the leader's cycle */
    uint64_t played; /* how often playout was called in the cycle, */
    uint64_t captured;
    float first; /* and what capture had first in channel 0 */
    uint32_t frames;
};

/* The test writes socket, packets and period_ns before the shim follows; the rest is the audio
 * thread's but for the counters, which the test reads, relaxed. */
struct fake_follower {
    int socket; /* 0: it does not follow */
    int packets; /* of each cycle */
    int64_t period_ns;
    uint64_t next; /* the cycle of which packets came last, ... */
    int came;      /* ... and how many */
    bool runs;
    int64_t began_ns;
    struct fake_answer answer;
    _Atomic uint64_t started, unfinished, unasked; /* unasked: callbacks while no cycle ran */
};

int fake_follow(archibald_engine *engine, enum archibald_follow_why why, int64_t now_ns,
                int64_t *wake_ns);

#endif
