/* A core of the test's own for the thread that drives netone. */
#ifndef ARCHIBALD_TESTBED_NETONE_H
#define ARCHIBALD_TESTBED_NETONE_H

#include <stdatomic.h>
#include <stdint.h>

#include "../../bridge/rt/archibald_rt.h"

struct archibald_engine {
    int media;
    int deaf;    /* it never asks for a cycle */
    int running; /* the driving thread's alone */
    _Atomic uint64_t ended;
    _Atomic uint32_t freewheels;
};

/* Reads one packet per cycle, and leaves the others in the socket. It has no timer. */
int testbed_follow(archibald_engine *engine, enum archibald_follow_why why, int64_t now_ns,
                   int64_t *wake_ns);

#endif
