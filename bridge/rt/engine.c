/* One end: what the audio servers' callbacks call. Go replaces the receiver and
 * the sender under a running graph: it swaps the pointer, waits until no
 * callback can still hold the old one (in_playout, in_capture), then frees it.
 */
#include "core.h"

#include <string.h>

/* How many datagrams one cycle may read: packets of four frames, and of many channels
 * twice what a period and its repeats fill. A flood must not starve the graph. */
static uint32_t drain_budget(const archibald_receiver *receiver, uint32_t period_frames) {
    const uint64_t of_stream = (uint64_t)period_frames * receiver->plan.rate_hz;
    const uint32_t frames = (uint32_t)(of_stream / receiver->plan.graph_hz);
    const uint32_t frame_bytes =
        archibald_wire_sample_bytes(receiver->plan.encoding) * receiver->plan.channels;
    const uint32_t full = frames * frame_bytes * (1 + receiver->plan.repeats) / FULL_PAYLOAD_BYTES;
    return (frames / 4 > BATCH ? frames / 4 : BATCH) + 2 * full;
}

void archibald_playout(archibald_engine *engine, float *const *out, uint32_t channels,
                       uint32_t frames, uint64_t graph_frame, int64_t cycle_ns, int64_t now_ns) {
    if (frames == 0) {
        archibald_media_clock_reset(&engine->clock, engine->clock.rate_hz);
        return;
    }
    if (channels > MAX_CHANNELS || frames > MAX_PERIOD_FRAMES) {
        for (uint32_t c = 0; c < channels; c++)
            if (out[c]) memset(out[c], 0, frames * sizeof(float));
        return;
    }
    receive_counters *count = &engine->received;
    atomic_store(&engine->in_playout, 1);
    archibald_receiver *receiver = atomic_load(&engine->receiver);
    uint64_t graph = atomic_load_explicit(&engine->graph, memory_order_acquire);
    if (graph != atomic_load_explicit(&engine->clock.graph, memory_order_relaxed)) {
        archibald_media_clock_reset(&engine->clock, (uint32_t)graph);
        atomic_store_explicit(&engine->clock.graph, graph, memory_order_release);
    }
    int64_t skipped = archibald_media_clock_update(&engine->clock, graph_frame, frames, cycle_ns);
    COUNT(count->cycles, 1);
    if (skipped > 0) { /* taking some of it back is no second loss */
        COUNT(count->skips, 1);
        COUNT(count->skipped_frames, (uint64_t)skipped);
    }
    float *sink[MAX_CHANNELS];
    for (uint32_t c = 0; c < channels; c++) sink[c] = out[c] ? out[c] : engine->spare;
    int mine = !atomic_exchange_explicit(&engine->reading, 1, memory_order_acquire);
    if (receiver && mine) {
        archibald_socket_drain(engine, receiver, now_ns, drain_budget(receiver, frames));
        archibald_receiver_decoded(receiver, count, &engine->observations);
        archibald_receiver_play(receiver, count, &engine->observations, sink, channels, frames,
                                engine->clock.media, cycle_ns);
    } else {
        for (uint32_t c = 0; c < channels; c++) memset(sink[c], 0, frames * sizeof(float));
    }
    if (mine) atomic_store_explicit(&engine->reading, 0, memory_order_release);
    atomic_store(&engine->in_playout, 0);
}

/* Until playout has run once in a graph, its frame counter means nothing yet. */
int64_t archibald_capture_offset(archibald_engine *engine) {
    uint64_t graph = atomic_load_explicit(&engine->graph, memory_order_acquire);
    if (atomic_load_explicit(&engine->clock.graph, memory_order_acquire) != graph)
        return CLOCK_STOPPED;
    return atomic_load_explicit(&engine->clock.offset, memory_order_acquire);
}

int64_t archibald_send_delay_ns(archibald_engine *engine, uint64_t graph_frame, int64_t now_ns) {
    const uint64_t graph = atomic_load_explicit(&engine->graph, memory_order_relaxed);
    int64_t origin_ns = atomic_load_explicit(&engine->clock.origin_ns, memory_order_acquire);
    if (origin_ns == CLOCK_STOPPED) return -1;
    uint64_t start_ns =
        (uint64_t)origin_ns + (uint64_t)archibald_nominal_ns(graph_frame, (uint32_t)graph);
    int64_t send_delay_ns = (int64_t)((uint64_t)now_ns - start_ns);
    return send_delay_ns > 0 ? send_delay_ns : 0;
}

void archibald_capture(archibald_engine *engine, const float *const *in, uint32_t channels,
                       uint32_t frames, uint64_t graph_frame, int64_t now_ns) {
    if (channels > MAX_CHANNELS || frames == 0 || frames > MAX_PERIOD_FRAMES) return;
    send_counters *count = &engine->sent;
    atomic_store(&engine->in_capture, 1);
    archibald_sender *sender = atomic_load(&engine->sender);
    int64_t offset = archibald_capture_offset(engine);
    COUNT(count->cycles, 1);
    if (sender && offset != CLOCK_STOPPED) {
        int64_t send_delay_ns = archibald_send_delay_ns(engine, graph_frame, now_ns);
        archibald_sender_capture(sender, count, in, channels, frames, (int64_t)graph_frame + offset,
                                 now_ns, send_delay_ns);
        uint32_t outgoing;
        while (!sender->captured &&
               (outgoing = archibald_sender_pack(sender, count, now_ns, send_delay_ns)) > 0)
            archibald_socket_send(engine, sender, outgoing);
    }
    atomic_store(&engine->in_capture, 0);
}
