/* One end: what the audio servers' callbacks call. Go replaces the receiver and
 * the sender under a running graph: it swaps the pointer, waits until no
 * callback can still hold the old one (in_playout, in_capture), then frees it.
 */
#include "core.h"

#include <string.h>

/* Packets of four frames, and of many channels twice what a period and its repeats fill. */
uint32_t archibald_drain_budget(const archibald_receiver *receiver, uint32_t period_frames) {
    if (!receiver) return BATCH;
    const uint64_t of_stream = (uint64_t)period_frames * receiver->plan.rate_hz;
    const uint32_t frames = (uint32_t)(of_stream / receiver->plan.graph_hz);
    const uint32_t frame_bytes =
        archibald_wire_sample_bytes(receiver->plan.encoding) * receiver->plan.channels;
    const uint32_t full = frames * frame_bytes * (1 + receiver->plan.repeats) / FULL_PAYLOAD_BYTES;
    return (frames / 4 > BATCH ? frames / 4 : BATCH) + 2 * full;
}

/* The media time of a playout cycle: that of the leader's cycle which drives it, or what the
 * graph's own clock says. */
static int64_t playout_media(archibald_engine *engine, int follows, uint32_t frames,
                             uint64_t graph_frame, int64_t cycle_ns) {
    receive_counters *count = &engine->received;
    media_clock *clock = &engine->clock;
    uint64_t graph = atomic_load_explicit(&engine->graph, memory_order_acquire);
    if (graph != atomic_load_explicit(&clock->graph, memory_order_relaxed)) {
        archibald_media_clock_reset(clock, (uint32_t)graph);
        atomic_store_explicit(&clock->graph, graph, memory_order_release);
    }
    if (follows) {
        if (clock->started) archibald_media_clock_reset(clock, (uint32_t)graph);
        /* Not the clock's: that goes on by the time that went by when this graph has its own again. */
        return atomic_exchange_explicit(&engine->follow.to_play, CYCLE_NONE, memory_order_acquire);
    }
    int64_t skipped = archibald_media_clock_update(clock, graph_frame, frames, cycle_ns);
    if (skipped > 0) { /* taking some of it back is no second loss */
        COUNT_SHARED(count->skips, 1);
        COUNT_SHARED(count->skipped_frames, (uint64_t)skipped);
    }
    return clock->media;
}

static void silence(float *const *out, uint32_t channels, uint32_t frames) {
    for (uint32_t c = 0; c < channels; c++) memset(out[c], 0, frames * sizeof(float));
}

/* A follower's cycle: its packets were read before it began. */
static void play_followed(archibald_engine *engine, archibald_receiver *receiver, float *const *out,
                          uint32_t channels, uint32_t frames, int64_t media, int64_t cycle_ns) {
    if (media == CYCLE_NONE || receiver->plan.lock != LOCK_FOLLOWS ||
        receiver->plan.period_frames != frames)
        silence(out, channels, frames);
    else
        archibald_locked_play(receiver, &engine->received, &engine->observations, out, channels,
                              frames, media, media, cycle_ns);
}

/* A leader's cycle: the answer to one before. Of another period than was agreed it is silence:
 * no answer fits, and control is about to agree on the new one. */
static void play_answer(archibald_engine *engine, archibald_receiver *receiver, float *const *out,
                        uint32_t channels, uint32_t frames, uint64_t graph_frame, int64_t cycle_ns,
                        int64_t now_ns) {
    receive_counters *count = &engine->received;
    uint32_t budget = archibald_drain_budget(receiver, frames);
    if (receiver->plan.period_frames != frames) {
        archibald_socket_drain(engine, receiver, now_ns, budget);
        atomic_store_explicit(&receiver->playing, 0, memory_order_relaxed);
        silence(out, channels, frames);
        return;
    }
    /* First: the packets of a leader's clock that went back are behind what was played. */
    const int expected = archibald_locked_seek(receiver, graph_frame);
    const int64_t position = receiver->buffer.done;
    budget -= archibald_socket_drain(engine, receiver, now_ns, budget);
    const int64_t until_ns = expected ? archibald_locked_wait_until(receiver, cycle_ns, now_ns) : 0;
    if (archibald_socket_wait(engine, receiver, position, frames, now_ns, until_ns, budget) > 0)
        COUNT(count->waited, 1);
    if (!archibald_locked_play(receiver, count, &engine->observations, out, channels, frames,
                               position, engine->clock.media, cycle_ns))
        COUNT(count->unanswered, 1);
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
    const int follows = atomic_load_explicit(&engine->follow.graph, memory_order_acquire) != 0;
    const int64_t media = playout_media(engine, follows, frames, graph_frame, cycle_ns);
    COUNT(count->cycles, 1);
    float *sink[MAX_CHANNELS];
    for (uint32_t c = 0; c < channels; c++) sink[c] = out[c] ? out[c] : engine->spare;
    int mine = !atomic_exchange_explicit(&engine->reading, 1, memory_order_acquire);
    if (!receiver || !mine) {
        silence(sink, channels, frames);
    } else if (follows) {
        play_followed(engine, receiver, sink, channels, frames, media, cycle_ns);
    } else if (receiver->plan.lock == LOCK_LEADS) {
        play_answer(engine, receiver, sink, channels, frames, graph_frame, cycle_ns, now_ns);
    } else {
        archibald_socket_drain(engine, receiver, now_ns, archibald_drain_budget(receiver, frames));
        archibald_receiver_decoded(receiver, count, &engine->observations);
        archibald_receiver_play(receiver, count, &engine->observations, sink, channels, frames,
                                media, cycle_ns);
    }
    if (mine) atomic_store_explicit(&engine->reading, 0, memory_order_release);
    atomic_store(&engine->in_playout, 0);
}

int archibald_follow(archibald_engine *engine, enum archibald_follow_why why, int64_t now_ns,
                     int64_t *wake_ns) {
    follow_machine *f = &engine->follow;
    receive_counters *count = &engine->received;
    if (!archibald_follow_woken(f, count, why, now_ns, wake_ns)) return 0;
    int started = 0;
    atomic_store(&engine->in_follow, 1);
    archibald_receiver *receiver = atomic_load(&engine->receiver);
    if (atomic_exchange_explicit(&engine->reading, 1, memory_order_acquire)) {
        f->more = 1;
    } else {
        uint32_t left = archibald_drain_budget(receiver, (uint32_t)f->made_for);
        /* Not more than the next cycle needs: what is of later ones waits in the socket. */
        while (!(started = archibald_follow_decide(f, receiver, count, now_ns)) && left > 0) {
            uint32_t wanted = archibald_follow_wanted(f, receiver);
            if (wanted > left) wanted = left;
            const uint32_t came = archibald_socket_drain(engine, receiver, now_ns, wanted);
            if (came == 0) break;
            left -= came;
        }
        f->more = left == 0;
        atomic_store_explicit(&engine->reading, 0, memory_order_release);
    }
    atomic_store(&engine->in_follow, 0);
    return archibald_follow_end(f, count, started, now_ns, wake_ns);
}

/* Until playout has run once in a graph, its frame counter means nothing yet. */
static int64_t capture_offset(archibald_engine *engine) {
    uint64_t graph = atomic_load_explicit(&engine->graph, memory_order_acquire);
    if (atomic_load_explicit(&engine->clock.graph, memory_order_acquire) != graph)
        return CLOCK_STOPPED;
    return atomic_load_explicit(&engine->clock.offset, memory_order_acquire);
}

static void remember_sent(sent_cycles *sent, uint64_t graph_frame, uint32_t timestamp) {
    const uint64_t count = atomic_load_explicit(&sent->count, memory_order_relaxed);
    atomic_store_explicit(&sent->slot[count % SENT_CYCLES].graph_frame, graph_frame,
                          memory_order_relaxed);
    atomic_store_explicit(&sent->slot[count % SENT_CYCLES].timestamp, timestamp,
                          memory_order_relaxed);
    atomic_store_explicit(&sent->count, count + 1, memory_order_release);
}

int archibald_capture_media(archibald_engine *engine, archibald_sender *sender, uint32_t frames,
                            uint64_t graph_frame, int64_t *media) {
    const uint64_t follow = atomic_load_explicit(&engine->follow.graph, memory_order_acquire);
    if (follow != 0 || sender->plan.lock == LOCK_FOLLOWS) {
        *media =
            atomic_exchange_explicit(&engine->follow.to_send, CYCLE_NONE, memory_order_acquire);
        const int sent =
            *media != CYCLE_NONE && sender->plan.lock == LOCK_FOLLOWS && frames == (uint32_t)follow;
        if (!sent) sender->unheard = 1;
        return sent;
    }
    const int64_t offset = capture_offset(engine);
    if (offset == CLOCK_STOPPED) return 0;
    *media = (int64_t)graph_frame + offset;
    if (sender->plan.lock == LOCK_LEADS)
        remember_sent(&engine->sent_cycles, graph_frame,
                      sender->plan.first_timestamp + (uint32_t)*media);
    return 1;
}

int64_t archibald_send_delay_ns(archibald_engine *engine, uint64_t graph_frame, int64_t now_ns) {
    if (atomic_load_explicit(&engine->follow.graph, memory_order_acquire) != 0) {
        const int64_t late_ns =
            now_ns - atomic_load_explicit(&engine->follow.cycle_ns, memory_order_relaxed);
        return late_ns > 0 ? late_ns : 0;
    }
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
    int64_t media;
    COUNT(count->cycles, 1);
    if (sender && archibald_capture_media(engine, sender, frames, graph_frame, &media)) {
        int64_t send_delay_ns = archibald_send_delay_ns(engine, graph_frame, now_ns);
        archibald_sender_capture(sender, count, in, channels, frames, media, now_ns, send_delay_ns);
        uint32_t outgoing;
        while (!sender->captured &&
               (outgoing = archibald_sender_pack(sender, count, now_ns, send_delay_ns)) > 0)
            archibald_socket_send(engine, sender, outgoing);
    }
    atomic_store(&engine->in_capture, 0);
}
