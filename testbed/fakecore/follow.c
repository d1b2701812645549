#define _GNU_SOURCE
#include "fakecore.h"

#include <string.h>
#include <sys/socket.h>

/* Reads no more than one cycle needs. True: all of it is there. */
static bool complete(struct fake_follower *f) {
    uint64_t frame;
    while (recv(f->socket, &frame, sizeof frame, MSG_DONTWAIT) == sizeof frame) {
        if (frame != f->next) f->came = 0;
        f->next = frame;
        if (++f->came < f->packets) continue;
        f->came = 0;
        return true;
    }
    return false;
}

int fake_follow(archibald_engine *engine, enum archibald_follow_why why, int64_t now_ns,
                int64_t *wake_ns) {
    struct fake_follower *f = &engine->follower;
    *wake_ns = now_ns + 3 * f->period_ns;
    if (why == archibald_follow_done) {
        f->runs = false;
        send(f->socket, &f->answer, sizeof f->answer, MSG_DONTWAIT);
    }
    if (f->runs) {
        *wake_ns = f->began_ns + 3 * f->period_ns;
        if (now_ns < *wake_ns) return 0;
        f->runs = false;
        atomic_fetch_add(&f->unfinished, 1);
        *wake_ns = now_ns + 3 * f->period_ns;
    }
    if (!complete(f)) return 0;
    f->runs = true;
    f->began_ns = now_ns;
    f->answer = (struct fake_answer){.frame = f->next};
    atomic_fetch_add(&f->started, 1);
    return 1;
}
