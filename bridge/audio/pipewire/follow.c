/* A graph that the peer's packets drive: the node of playout is its driver, and the core
 * says when a cycle starts. The media socket and a timer are sources of the data thread's
 * own loop, so the thread that reads the packet also starts the cycle, and sends the
 * answer at its end. On the data thread: no allocation, lock, log or blocking system
 * call. */
#define _GNU_SOURCE
#include "state.h"

/* How often in a row the socket may wake this thread without a cycle: somebody may send what
 * starts none. */
enum { MOST_READINGS = 64 };

/* Says whether a cycle can be started. A trigger leaves the node stuck before both nodes
 * run and the server has made this one the driver. The library believes early that it
 * drives; the id in the clock is the server's word. */
static bool drives(const archibald_pipewire *shim) {
    const struct node *capture = &shim->nodes[archibald_pipewire_capture];
    const struct node *playout = &shim->nodes[archibald_pipewire_playout];
    const struct spa_io_position *position =
        atomic_load_explicit(&playout->position, memory_order_acquire);
    return shim->follow.graph.quantum_frames != 0 && position != NULL &&
           atomic_load_explicit(&playout->streaming, memory_order_relaxed) &&
           atomic_load_explicit(&capture->streaming, memory_order_relaxed) &&
           archibald_pw.pw_stream_is_driving(playout->stream) &&
           position->clock.id == archibald_pw.pw_stream_get_node_id(playout->stream);
}

static void listen_to(struct follow *follow, bool socket) {
    if (follow->listens == socket) return;
    follow->listens = socket;
    pw_loop_update_io(follow->loop, follow->readable, socket ? SPA_IO_IN : 0);
}

/* at_ns: CLOCK_MONOTONIC; 0: never. */
static void arm(struct follow *follow, int64_t at_ns) {
    if (follow->wake_ns == at_ns) return;
    follow->wake_ns = at_ns;
    struct timespec at = {at_ns / SPA_NSEC_PER_SEC, at_ns % SPA_NSEC_PER_SEC};
    pw_loop_update_timer(follow->loop, follow->timer, &at, NULL, true);
}

static int64_t period_ns(const struct archibald_pipewire_graph *graph) {
    return (int64_t)graph->quantum_frames * SPA_NSEC_PER_SEC / graph->rate_hz;
}

void archibald_pipewire_reconsider(archibald_pipewire *shim) {
    struct follow *follow = &shim->follow;
    if (follow->loop == NULL || follow->drives == drives(shim)) return;
    follow->drives = !follow->drives;
    follow->runs = follow->starts = false;
    follow->readings = 0;
    listen_to(follow, follow->drives);
    /* The server may not have told everybody else yet. */
    arm(follow, follow->drives ? archibald_pipewire_now_ns() + period_ns(&follow->graph) : 0);
}

/* Asks the core; true: start a cycle. */
static bool ask(archibald_pipewire *shim, enum archibald_follow_why why) {
    struct follow *follow = &shim->follow;
    int64_t wake_ns = 0;
    archibald_pipewire_reconsider(shim);
    if (!follow->drives) return false;
    const bool start =
        shim->core_follow(shim->engine, why, archibald_pipewire_now_ns(), &wake_ns) == 1;
    arm(follow, wake_ns);
    follow->runs |= start;
    if (why != archibald_follow_readable) listen_to(follow, true);
    return start;
}

/* The driver's work in each cycle is to say what time it is and how long the cycle is. */
static void start_cycle(archibald_pipewire *shim) {
    struct follow *follow = &shim->follow;
    struct node *playout = &shim->nodes[archibald_pipewire_playout];
    struct spa_io_position *position =
        atomic_load_explicit(&playout->position, memory_order_acquire);
    follow->readings = 0;
    /* The main loop took the clock away meanwhile. The core gives this cycle up. */
    if (position == NULL) return;
    struct spa_io_clock *clock = &position->clock;
    clock->nsec = (uint64_t)archibald_pipewire_now_ns();
    clock->next_nsec = clock->nsec + (uint64_t)period_ns(&follow->graph);
    clock->rate = SPA_FRACTION(1, follow->graph.rate_hz);
    clock->position = follow->next_position;
    clock->duration = follow->graph.quantum_frames;
    clock->delay = 0;
    clock->rate_diff = 1.0;
    follow->next_position += follow->graph.quantum_frames;
    follow->starts = follow->played = false;
    archibald_pw.pw_stream_trigger_process(playout->stream);
}

void archibald_pipewire_on_readable(void *data, int socket, uint32_t mask) {
    archibald_pipewire *shim = data;
    struct follow *follow = &shim->follow;
    (void)socket, (void)mask;
    if (ask(shim, archibald_follow_readable))
        start_cycle(shim);
    else if (follow->runs || ++follow->readings >= MOST_READINGS)
        /* The core lets it wait, for the end of the cycle that runs or for the timer: both
         * listen again. Not where packets are missing: the next one may be there already. */
        listen_to(follow, false);
}

void archibald_pipewire_on_timer(void *data, uint64_t expirations) {
    archibald_pipewire *shim = data;
    (void)expirations;
    shim->follow.wake_ns = 0; /* it is armed no more */
    shim->follow.readings = 0;
    if (ask(shim, archibald_follow_timer)) start_cycle(shim);
}

void archibald_pipewire_on_cycle(struct node *node) {
    archibald_pipewire *shim = node->shim;
    struct follow *follow = &shim->follow;
    if (!follow->awaits) return;
    follow->ran[node - shim->nodes] = true;
    if (!follow->ran[archibald_pipewire_capture] || !follow->ran[archibald_pipewire_playout])
        return;
    follow->awaits = false;
    archibald_pipewire_notify(shim, &shim->runs);
}

void archibald_pipewire_on_done(archibald_pipewire *shim) {
    if (!shim->follow.runs) return;
    shim->follow.runs = false;
    if (!ask(shim, archibald_follow_done)) return;
    /* Not from here: the node has yet to tell the driver that it is done. */
    shim->follow.starts = true;
    pw_loop_signal_event(shim->follow.loop, shim->follow.next);
}

void archibald_pipewire_on_next(void *data, uint64_t count) {
    archibald_pipewire *shim = data;
    (void)count;
    archibald_pipewire_reconsider(shim);
    if (shim->follow.starts) start_cycle(shim);
}
