#include "core.h"

#include <sys/socket.h>

enum { A_MINUTE = 60 };

int testbed_follow(archibald_engine *engine, enum archibald_follow_why why, int64_t now_ns,
                   int64_t *wake_ns) {
    char packet[64];
    *wake_ns = now_ns + A_MINUTE * 1000000000ll;
    if (why == archibald_follow_done) {
        engine->running = 0;
        atomic_fetch_add(&engine->ended, 1);
    }
    if (engine->deaf || engine->running) return 0;
    if (engine->pace_ns) {
        if (!engine->due_ns) engine->due_ns = now_ns;
        if (now_ns < engine->due_ns) {
            *wake_ns = engine->due_ns;
            return 0;
        }
        engine->due_ns += engine->pace_ns;
        engine->running = 1;
        return 1;
    }
    if (recv(engine->media, packet, sizeof packet, MSG_DONTWAIT) < 0) return 0;
    engine->running = 1;
    return 1;
}
