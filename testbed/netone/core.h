/* A core of the test's own for the thread that drives netone. */
#ifndef ARCHIBALD_TESTBED_NETONE_H
#define ARCHIBALD_TESTBED_NETONE_H

#include <stdatomic.h>
#include <stdint.h>

#include "../../bridge/rt/archibald_rt.h"

struct archibald_engine {
    int media;
    int deaf;    /* it never asks for a cycle */
    int64_t pace_ns; /* it asks for one at this pace, and reads nothing; 0: it has no timer */
    int64_t due_ns;
    int running; /* the driving thread's alone */
    _Atomic uint64_t ended;
    _Atomic uint32_t freewheels;
};

/* Reads one packet per cycle, and leaves the others in the socket. A cycle that does not end
 * holds it up for a minute. */
int testbed_follow(archibald_engine *engine, enum archibald_follow_why why, int64_t now_ns,
                   int64_t *wake_ns);

#endif
