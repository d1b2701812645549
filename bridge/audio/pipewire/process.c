/* The data thread: from PipeWire's buffers to the core and back. No
 * allocation, lock, log or blocking system call; loops bounded by channels and
 * frames. */
#define _GNU_SOURCE
#include "state.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

/* The largest period an engine is asked to handle. */
enum { max_slice_frames = 8192 };

/* How long PipeWire may take to negotiate the formats of a driver's rate. */
static const uint64_t negotiation_ns = 300 * SPA_NSEC_PER_MSEC;

int64_t archibald_pipewire_now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return SPA_TIMESPEC_TO_NSEC(&t);
}

/* The first write to an eventfd whose counter is far from full returns at
 * once; it is made only when something changed. */
void archibald_pipewire_notify(archibald_pipewire *shim, atomic_bool *what) {
    const uint64_t one = 1;
    atomic_store(what, true);
    /* EAGAIN means that the reader has not yet taken an earlier one. */
    (void)!write(shim->event_fd, &one, sizeof one);
}

static void note_graph(archibald_pipewire *shim, const struct spa_io_clock *clock) {
    const uint32_t quantum = (uint32_t)clock->duration;
    const uint32_t rate = clock->rate.denom;
    atomic_store_explicit(&shim->seen_ns, (int64_t)clock->nsec, memory_order_relaxed);
    if (atomic_load_explicit(&shim->quantum_frames, memory_order_relaxed) == quantum &&
        atomic_load_explicit(&shim->rate_hz, memory_order_relaxed) == rate)
        return;
    atomic_store_explicit(&shim->quantum_frames, quantum, memory_order_relaxed);
    atomic_store_explicit(&shim->rate_hz, rate, memory_order_relaxed);
    archibald_pipewire_notify(shim, &shim->changed);
}

/* Says whether this node advances the engine's media clock in this cycle, which
 * exactly one does: that of playout, or that of capture while the other does not
 * run (a session manager gives a stream no ports before there is a sink to play
 * on), or had no buffer in a cycle of which it is the driver. */
static bool lead(struct node *node, const struct spa_io_clock *clock) {
    archibald_pipewire *shim = node->shim;
    struct timeline *line = &shim->timeline;
    const struct node *playout = &shim->nodes[archibald_pipewire_playout];
    if (shim->follow.runs) {
        if (shim->follow.played) return false;
        shim->follow.played = true;
    } else if (node != playout && atomic_load_explicit(&playout->streaming, memory_order_relaxed))
        return false;
    if (line->leader != NULL && line->leader != node && line->position == clock->position &&
        line->nsec == clock->nsec)
        return false;

    /* PipeWire 0.3 does not report xruns to clients; a driver's position that
     * jumps is a cycle this node did not take part in. */
    const bool restarted = atomic_exchange_explicit(&shim->restarted, false, memory_order_relaxed);
    if (line->leader == node && !restarted && line->clock_id == clock->id &&
        line->next_position != clock->position)
        atomic_fetch_add_explicit(&shim->xruns, 1, memory_order_relaxed);
    *line = (struct timeline){node, clock->id, clock->position, clock->nsec,
                              clock->position + clock->duration};
    return true;
}

/* Returns the driver's clock when the core may be called with it, else NULL:
 * no session, no driver, or the graph has changed its rate and the format has
 * not followed yet. */
static const struct spa_io_clock *begin(struct node *node) {
    archibald_pipewire *shim = node->shim;
    const struct spa_io_position *position =
        atomic_load_explicit(&node->position, memory_order_acquire);
    if (position == NULL || !atomic_load_explicit(&shim->session_up, memory_order_relaxed))
        return NULL;
    if (atomic_load_explicit(&shim->data_thread, memory_order_relaxed) == 0)
        atomic_store_explicit(&shim->data_thread, gettid(), memory_order_relaxed);

    const struct spa_io_clock *clock = &position->clock;
    note_graph(shim, clock);
    if (clock->rate.denom == 0 ||
        clock->rate.denom != atomic_load_explicit(&node->format_rate_hz, memory_order_relaxed)) {
        if (node->stale_nsec == 0) node->stale_nsec = clock->nsec;
        /* PipeWire sees to it when a node that becomes the driver changes the rate. */
        const bool wait = shim->follow.graph.quantum_frames != 0 &&
                          clock->nsec - node->stale_nsec < negotiation_ns;
        if (!wait && !atomic_exchange_explicit(&node->format_stale, true, memory_order_relaxed))
            archibald_pipewire_notify(shim, &shim->changed);
        return NULL;
    }
    node->stale_nsec = 0;
    archibald_pipewire_on_cycle(node);
    /* A second buffer in one cycle continues it. */
    if (node->cycle_position != clock->position || node->cycle_nsec != clock->nsec) {
        node->cycle_position = clock->position;
        node->cycle_nsec = clock->nsec;
        node->cycle_served = 0;
        node->leads = lead(node, clock);
    }
    return clock;
}

/* Hands frames to the core, in slices that it can take. buffers are the
 * channels' samples, NULL where there are none. */
static void exchange(struct node *node, const struct spa_io_clock *clock, float *const *buffers,
                     uint32_t frames, int64_t now_ns) {
    archibald_pipewire *shim = node->shim;
    const bool is_playout = node == &shim->nodes[archibald_pipewire_playout];
    float *slice[archibald_pipewire_max_channels];

    for (uint32_t done = 0; done < frames;) {
        const uint32_t n = SPA_MIN(frames - done, (uint32_t)max_slice_frames);
        const uint64_t graph_frame = clock->position + node->cycle_served;
        const int64_t cycle_ns =
            (int64_t)(clock->nsec + node->cycle_served * SPA_NSEC_PER_SEC / clock->rate.denom);
        for (uint32_t c = 0; c < node->channels; c++)
            slice[c] = buffers[c] == NULL ? NULL : buffers[c] + done;

        if (node->leads)
            shim->core_playout(shim->engine, is_playout ? slice : NULL,
                               is_playout ? node->channels : 0, n, graph_frame, cycle_ns, now_ns);
        if (!is_playout)
            shim->core_capture(shim->engine, (const float *const *)slice, node->channels, n,
                               graph_frame, now_ns);
        done += n;
        node->cycle_served += n;
    }
}

static void take(struct node *node, struct pw_buffer *buffer, int64_t now_ns) {
    const struct spa_io_clock *clock = begin(node);
    if (clock != NULL) {
        const struct spa_buffer *b = buffer->buffer;
        float *in[archibald_pipewire_max_channels];
        uint32_t frames = UINT32_MAX;
        for (uint32_t c = 0; c < node->channels; c++) {
            in[c] = NULL;
            if (c >= b->n_datas || b->datas[c].data == NULL) continue;
            const struct spa_data *d = &b->datas[c];
            const uint32_t offset = SPA_MIN(d->chunk->offset, d->maxsize);
            const uint32_t size = SPA_MIN(d->chunk->size, d->maxsize - offset);
            in[c] = SPA_PTROFF(d->data, offset, float);
            frames = SPA_MIN(frames, size / (uint32_t)sizeof(float));
        }
        if (frames != UINT32_MAX) exchange(node, clock, in, frames, now_ns);
    }
    archibald_pw.pw_stream_queue_buffer(node->stream, buffer);
}

void archibald_pipewire_process_capture(void *data) {
    struct node *node = data;
    const int64_t now_ns = archibald_pipewire_now_ns();
    struct pw_buffer *buffer = archibald_pw.pw_stream_dequeue_buffer(node->stream);
    if (buffer != NULL) take(node, buffer, now_ns);
    archibald_pipewire_on_done(node->shim);
}

void archibald_pipewire_process_playout(void *data) {
    struct node *node = data;
    const int64_t now_ns = archibald_pipewire_now_ns();
    struct pw_buffer *buffer = archibald_pw.pw_stream_dequeue_buffer(node->stream);
    if (buffer == NULL) return;

    struct spa_buffer *b = buffer->buffer;
    const struct spa_io_clock *clock = begin(node);
    if (clock != NULL && !node->leads) clock = NULL; /* the other node has just led this cycle */
    /* requested is 0 when PipeWire has no opinion, and of the cycle before for a driver. */
    uint64_t wanted = buffer->requested;
    if (clock != NULL && (wanted == 0 || node->shim->follow.runs)) wanted = clock->duration;
    float *out[archibald_pipewire_max_channels];
    for (uint32_t c = 0; c < node->channels; c++) {
        out[c] = c < b->n_datas ? b->datas[c].data : NULL;
        if (out[c] != NULL) wanted = SPA_MIN(wanted, b->datas[c].maxsize / sizeof(float));
    }
    const uint32_t frames = (uint32_t)wanted;

    if (clock != NULL) exchange(node, clock, out, frames, now_ns);
    for (uint32_t c = 0; c < b->n_datas; c++) {
        struct spa_data *d = &b->datas[c];
        if (clock == NULL && d->data != NULL)
            memset(d->data, 0, SPA_MIN(frames * sizeof(float), d->maxsize));
        d->chunk->offset = 0;
        d->chunk->stride = sizeof(float);
        d->chunk->size = frames * sizeof(float);
    }
    buffer->size = frames;
    archibald_pw.pw_stream_queue_buffer(node->stream, buffer);
}
