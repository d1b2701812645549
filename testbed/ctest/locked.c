/* A leader and its follower under their real threads, for the sanitizers: over loopback,
 * each with a playout and a capture thread, which run a cycle both at once, as JACK's do. A
 * thread of the follower starts its cycles; control replaces plans, stops following for a
 * moment, drains sockets and reads what the core counted. Some cycles of the follower hang
 * until they are given up, and end while a later one runs. What control does here is what
 * engine.go does.
 *
 * usage: locked [seconds]
 */
#include "../../bridge/rt/core.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PERIOD = 64,
    CHANNELS = 3,
    LEADER_PAUSE_US = 500,
    HANGS_EACH = 300 /* cycles of the follower */
};

/* A graph of two callbacks. Who starts its cycles writes the cycle's number into play and
 * capture (release), and waits until both callbacks have written it into played and captured
 * (acquire), or gives it up: then they may still write an older one. */
typedef struct {
    archibald_engine *engine;
    struct sockaddr_storage address;
    _Atomic uint64_t frame;
    _Atomic uint64_t play, capture;    /* a cycle to run; 0: none */
    _Atomic uint64_t played, captured; /* the newest cycle that ended */
    uint64_t sounding;                 /* the playout thread, read after its end */
    uint64_t hung;                     /* the playout thread's own */
    uint64_t cycles;                   /* so far; who starts them, read after its end */
} graph;

static graph leader, follower;
static _Atomic int stop;

static int64_t monotonic_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

/* The cycle that a callback is to run; 0: none yet. */
static uint64_t started(_Atomic uint64_t *callback) {
    const uint64_t cycle = atomic_exchange_explicit(callback, 0, memory_order_acquire);
    if (cycle == 0) sched_yield();
    return cycle;
}

static void start(graph *g) {
    g->cycles++;
    atomic_fetch_add(&g->frame, PERIOD);
    atomic_store_explicit(&g->play, g->cycles, memory_order_release);
    atomic_store_explicit(&g->capture, g->cycles, memory_order_release);
}

static int ended(graph *g) {
    return atomic_load_explicit(&g->played, memory_order_acquire) == g->cycles &&
           atomic_load_explicit(&g->captured, memory_order_acquire) == g->cycles;
}

#define TOLD(graph, counter) ((unsigned long long)atomic_load(&(graph).engine->received.counter))

/* Hangs until a cycle was given up. Where control stops following meanwhile there is none to
 * give up. */
static void hang(void) {
    const unsigned long long before = TOLD(follower, given_up);
    const int64_t until = monotonic_ns() + 100000000;
    while (TOLD(follower, given_up) == before && monotonic_ns() < until && !atomic_load(&stop))
        usleep(100);
}

static void *playout_thread(void *argument) {
    graph *g = argument;
    static _Thread_local float plane[CHANNELS][PERIOD];
    float *out[CHANNELS];
    for (int c = 0; c < CHANNELS; c++) out[c] = plane[c];
    while (!atomic_load(&stop)) {
        const uint64_t cycle = started(&g->play);
        if (cycle == 0) continue;
        if (g == &follower && cycle / HANGS_EACH > g->hung) {
            g->hung = cycle / HANGS_EACH;
            hang();
        }
        const int64_t now_ns = monotonic_ns();
        archibald_playout(g->engine, out, CHANNELS, PERIOD, atomic_load(&g->frame), now_ns, now_ns);
        g->sounding += plane[0][0] != 0;
        atomic_store_explicit(&g->played, cycle, memory_order_release);
    }
    return NULL;
}

static void *capture_thread(void *argument) {
    graph *g = argument;
    static _Thread_local float plane[CHANNELS][PERIOD];
    const float *in[CHANNELS];
    for (int c = 0; c < CHANNELS; c++) {
        for (int i = 0; i < PERIOD; i++) plane[c][i] = (float)(i + 1) / PERIOD;
        in[c] = plane[c];
    }
    while (!atomic_load(&stop)) {
        const uint64_t cycle = started(&g->capture);
        if (cycle == 0) continue;
        archibald_capture(g->engine, in, CHANNELS, PERIOD, atomic_load(&g->frame), monotonic_ns());
        atomic_store_explicit(&g->captured, cycle, memory_order_release);
    }
    return NULL;
}

static void *lead_thread(void *argument) {
    (void)argument;
    while (!atomic_load(&stop)) {
        if (leader.cycles % 1000 == 999) atomic_fetch_add(&leader.frame, 17); /* lost time */
        start(&leader);
        while (!ended(&leader) && !atomic_load(&stop)) sched_yield();
        usleep(LEADER_PAUSE_US);
    }
    return NULL;
}

static void *follow_thread(void *argument) {
    (void)argument;
    int64_t wake_ns = 0;
    int running = 0;
    while (!atomic_load(&stop)) {
        struct pollfd socket = {.fd = follower.engine->fd, .events = POLLIN};
        enum archibald_follow_why why = archibald_follow_timer;
        if (running) {
            if (ended(&follower))
                why = archibald_follow_done;
            else if (monotonic_ns() < wake_ns) {
                sched_yield();
                continue;
            }
        } else if (poll(&socket, 1, 1) > 0) {
            why = archibald_follow_readable;
        }
        const int64_t now_ns = monotonic_ns();
        const int begins = archibald_follow(follower.engine, why, now_ns, &wake_ns);
        if (wake_ns <= now_ns) fail("wake");
        running = begins;
        if (begins) start(&follower);
    }
    return NULL;
}

static void await(_Atomic uint32_t *busy) {
    while (atomic_load(busy)) sched_yield();
}

static void replace(graph *g, graph *peer, enum lock lock) {
    static uint16_t sequence;
    const receive_plan receive = {.encoding = WIRE_F32,
                                  .payload_type = 98,
                                  .channels = CHANNELS,
                                  .rate_hz = 48000,
                                  .graph_hz = 48000,
                                  .lock = lock,
                                  .period_frames = PERIOD,
                                  .answer_periods = 1 + (uint32_t)rand() % 2,
                                  .most_wait_ns = 300000};
    const send_plan send = {.encoding = WIRE_F32,
                            .payload_type = 98,
                            .channels = CHANNELS,
                            .packet_frames = 16 + (uint32_t)rand() % 49,
                            .ssrc = 7,
                            .first_timestamp = lock == LOCK_LEADS ? 0xfffff000u : 0,
                            .lock = lock,
                            .to = peer->address,
                            .to_bytes = sizeof(struct sockaddr_in)};
    archibald_receiver *receiver = archibald_receiver_new(&receive, g->engine->table);
    archibald_sender *sender = archibald_sender_new(&send);
    if (!receiver || !sender) fail("plans");
    receiver->sent = &g->engine->sent_cycles;
    archibald_receiver *old_receiver = atomic_exchange(&g->engine->receiver, receiver);
    await(&g->engine->in_playout);
    await(&g->engine->in_follow);
    archibald_receiver_free(old_receiver);
    archibald_sender *old_sender = atomic_exchange(&g->engine->sender, NULL);
    await(&g->engine->in_capture);
    archibald_sender_free(old_sender);
    sender->sequence = sequence += 1000;
    atomic_exchange(&g->engine->sender, sender);
}

static void follow(int on) {
    atomic_store_explicit(&follower.engine->follow.graph, on ? 48000ull << 32 | PERIOD : 0,
                          memory_order_release);
}

static void control(void) {
    static observation seen[OBSERVATIONS];
    graph *g = rand() % 2 ? &leader : &follower;
    switch (rand() % 400) {
    case 0: replace(&leader, &follower, LOCK_LEADS); break;
    case 1: replace(&follower, &leader, LOCK_FOLLOWS); break;
    case 2:
        follow(0);
        usleep(3000);
        follow(1);
        break;
    case 3: /* as Idle */
        if (!atomic_exchange_explicit(&g->engine->reading, 1, memory_order_acquire)) {
            archibald_socket_drain(g->engine, NULL, monotonic_ns(), 4);
            atomic_store_explicit(&g->engine->reading, 0, memory_order_release);
        }
        break;
    default: break;
    }
    archibald_observation_read(&g->engine->observations, seen, OBSERVATIONS);
    usleep(500);
}

static void open_graph(graph *g) {
    struct sockaddr_in *address = (struct sockaddr_in *)&g->address;
    socklen_t bytes = sizeof *address;
    int on = 1, fd = socket(AF_INET, SOCK_DGRAM, 0);
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)address, bytes) != 0 ||
        getsockname(fd, (struct sockaddr *)address, &bytes) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0)
        fail("socket");
    g->engine = archibald_engine_new(fd);
    if (!g->engine) fail("archibald_engine_new");
}

int main(int argc, char **argv) {
    const int64_t until = monotonic_ns() + (argc > 1 ? atoi(argv[1]) : 3) * 1000000000ll;
    const struct {
        void *(*run)(void *);
        graph *of;
    } of[] = {{playout_thread, &leader},   {capture_thread, &leader}, {playout_thread, &follower},
              {capture_thread, &follower}, {lead_thread, NULL},       {follow_thread, NULL}};
    enum { THREADS = sizeof of / sizeof *of };
    pthread_t threads[THREADS];
    open_graph(&leader);
    open_graph(&follower);
    replace(&leader, &follower, LOCK_LEADS);
    replace(&follower, &leader, LOCK_FOLLOWS);
    follow(1);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, of[i].run, of[i].of) != 0) fail("pthread_create");
    while (monotonic_ns() < until) control();
    atomic_store(&stop, 1);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    printf("leader: %llu cycles, %llu with sound, waited in %llu, %llu not answered\n"
           "follower: %llu cycles, %llu with sound, %llu made up, %llu takeovers, %llu given up\n",
           (unsigned long long)leader.cycles, (unsigned long long)leader.sounding,
           TOLD(leader, waited), TOLD(leader, unanswered), (unsigned long long)follower.cycles,
           (unsigned long long)follower.sounding, TOLD(follower, made_up),
           TOLD(follower, takeovers), TOLD(follower, given_up));
    const int idle = leader.sounding == 0 || follower.sounding == 0 || TOLD(leader, waited) == 0 ||
                     TOLD(follower, given_up) == 0;
    graph *graphs[] = {&leader, &follower};
    for (int i = 0; i < 2; i++) {
        close(graphs[i]->engine->fd);
        archibald_engine_free(graphs[i]->engine);
    }
    if (idle) fprintf(stderr, "locked: an end was silent, nobody waited, or nothing was given up\n");
    return idle;
}
