/* One incoming stream: packets into the jitter buffer. playout.c takes them out. */
#include "core.h"

#include <string.h>

int64_t archibald_stream_ns(int64_t media, uint32_t rate_hz) {
    return archibald_nominal_ns((uint64_t)(media + (1ll << 40)), rate_hz);
}

/* A repeat that was sent later is no arrival to follow a clock by. Mostly
 * it is behind packets that came before it. When those were lost, too, the next
 * packet shows it: the gap up to that is longer than the distance. So each packet
 * waits for the next one. */
static void observe(archibald_receiver *receiver, observation_ring *ring, const observation *record,
                    enum arrival arrival) {
    const int64_t distance = receiver->plan.repeat_distance_frames;
    if (distance == 0) {
        archibald_observation_push(ring, record);
        return;
    }
    if (arrival != NEWEST) return;
    if (receiver->held.kind && record->media - receiver->held.media <= distance)
        archibald_observation_push(ring, &receiver->held);
    receiver->held = *record;
}

/* Decodes frames of one channel into their places. The first ones are there already,
 * as said by again, where the sender's graph took back time that it had counted as
 * lost: one sound goes over into the other. */
static uint32_t store(archibald_receiver *receiver, uint32_t channel, const uint8_t *payload,
                      int64_t media, uint32_t frames, uint32_t again) {
    const jitter_buffer *buffer = &receiver->buffer;
    const uint32_t stride =
        archibald_wire_sample_bytes(receiver->plan.encoding) * receiver->plan.channels;
    float *plane = archibald_jitter_plane(buffer, channel);
    float before[CROSSFADE_FRAMES];
    for (uint32_t i = 0; i < again; i++) before[i] = plane[(uint32_t)(media + i) & buffer->mask];
    uint32_t at = (uint32_t)media & buffer->mask, first = buffer->frames - at;
    if (first > frames) first = frames;
    uint32_t bad =
        archibald_wire_decode(receiver->plan.encoding, payload, stride, channel, plane + at, first);
    bad += archibald_wire_decode(receiver->plan.encoding, payload + (size_t)first * stride, stride,
                                 channel, plane, frames - first);
    for (uint32_t i = 0; i < again; i++) {
        float *x = &plane[(uint32_t)(media + i) & buffer->mask];
        float in = receiver->fade_in[i * CROSSFADE_FRAMES / again];
        *x = *x * in + before[i] * (1 - in);
    }
    return bad;
}

/* Counts a packet and extends its timestamp. */
static enum arrival note_packet(archibald_receiver *receiver, receive_counters *count,
                                uint16_t sequence, uint32_t timestamp, uint32_t bytes,
                                int64_t arrival_ns, int64_t *extended) {
    if (!receiver->have_sequence) receiver->reference_media = timestamp;
    int64_t media =
        receiver->reference_media + (int32_t)(timestamp - (uint32_t)receiver->reference_media);
    enum arrival arrival = archibald_sequence_note(receiver, count, sequence, media, arrival_ns);
    if (arrival == AGAIN || arrival == DOUBTED) return arrival;
    if (media > receiver->reference_media || receiver->reference_media - media > HISTORY_FRAMES)
        receiver->reference_media = media;
    COUNT(count->packets, 1);
    COUNT(count->bytes, bytes);
    atomic_store_explicit(&count->highest_sequence, receiver->highest_sequence,
                          memory_order_relaxed);
    atomic_store_explicit(&count->last_packet_ns, arrival_ns, memory_order_relaxed);
    *extended = media;
    return arrival;
}

/* The part of frames [media, media + frames) that the buffer still takes. */
static jitter_span storable(archibald_receiver *receiver, receive_counters *count, int64_t media,
                            uint32_t frames) {
    if (!atomic_load_explicit(&receiver->playing, memory_order_relaxed))
        return (jitter_span){0, 0, 0};
    jitter_span span = archibald_jitter_accepts(&receiver->buffer, media, frames);
    if (span.outside) COUNT(count->outside, 1);
    return span;
}

void archibald_receiver_packet(archibald_receiver *receiver, receive_counters *count,
                               observation_ring *ring, uint16_t sequence, uint32_t timestamp,
                               int marker, const uint8_t *payload, uint32_t frames,
                               int64_t arrival_ns, int64_t send_delay_ns) {
    const uint32_t stride =
        archibald_wire_sample_bytes(receiver->plan.encoding) * receiver->plan.channels;
    const int next = sequence == (uint16_t)(receiver->highest_sequence + 1);
    int64_t media;
    enum arrival arrival =
        note_packet(receiver, count, sequence, timestamp, frames * stride, arrival_ns, &media);
    if (arrival == AGAIN || arrival == DOUBTED) return;
    observation record = {.kind = OBSERVED_PACKET,
                          .frames = frames,
                          .time_ns = arrival_ns,
                          .media = media,
                          .send_delay_ns = send_delay_ns,
                          .sequence = receiver->highest_sequence +
                                      (int16_t)(sequence - receiver->highest_sequence)};
    observe(receiver, ring, &record, arrival);

    if (receiver->plan.lock == LOCK_LEADS &&
        !archibald_locked_answer(receiver, count, timestamp, next, marker, &media)) {
        COUNT(count->outside, 1);
        return;
    }
    if (receiver->plan.lock == LOCK_FOLLOWS)
        archibald_locked_arrived(receiver, arrival, next, marker, media, frames);
    const int goes_back = arrival == NEWEST && media < receiver->newest_end;
    if (arrival == NEWEST) receiver->newest_end = media + frames;
    jitter_span span = storable(receiver, count, media, frames);
    if (span.skip) COUNT(count->discarded_late, 1);
    if (!span.count) return;
    media += span.skip;
    if (payload) {
        payload += (size_t)span.skip * stride;
        uint32_t bad = 0, again = span.count < CROSSFADE_FRAMES ? span.count : CROSSFADE_FRAMES;
        again = goes_back ? archibald_jitter_arrived(&receiver->buffer, media, again) : 0;
        for (uint32_t c = 0; c < receiver->plan.channels; c++)
            bad += store(receiver, c, payload, media, span.count, again);
        if (bad) COUNT(count->nonfinite, bad);
    }
    archibald_jitter_mark(&receiver->buffer, media, span.count);
}

/* A packet that control has to decode. Without room for it control is far behind. */
static void receive_coded(archibald_receiver *receiver, receive_counters *count,
                          const rtp_packet *packet, int64_t arrival_ns, int64_t send_delay_ns) {
    int64_t media;
    enum arrival arrival = note_packet(receiver, count, packet->sequence, packet->timestamp,
                                       packet->payload_bytes, arrival_ns, &media);
    if (arrival == AGAIN || arrival == DOUBTED) return;
    packet_slot *slot = archibald_packet_begin(receiver->coded);
    if (!slot) {
        COUNT(count->discarded_late, 1);
        return;
    }
    slot->media = media;
    slot->arrival_ns = arrival_ns;
    slot->send_delay_ns = send_delay_ns;
    slot->bytes = packet->payload_bytes;
    slot->sequence = packet->sequence;
    slot->again = arrival == BEHIND && receiver->plan.repeat_distance_frames > 0;
    memcpy(slot->data, packet->payload, packet->payload_bytes);
    archibald_packet_end(receiver->coded);
}

static void store_decoded(archibald_receiver *receiver, receive_counters *count,
                          const sound_block *block) {
    const uint32_t channels = receiver->plan.channels;
    const int concealed = (block->kind & BLOCK_CONCEALED) != 0;
    jitter_span span = storable(receiver, count, block->media, block->frames);
    const float *samples =
        archibald_sound_samples(receiver->decoded, block) + (size_t)span.skip * channels;
    const int64_t media = block->media + span.skip;
    uint32_t bad = 0;
    for (uint32_t c = 0; c < channels; c++) {
        float *plane = archibald_jitter_plane(&receiver->buffer, c);
        for (uint32_t i = 0; i < span.count; i++) {
            float x = samples[(size_t)i * channels + c];
            bad += archibald_wire_interleave(
                &x, &plane[(uint32_t)(media + i) & receiver->buffer.mask], 1, 1);
        }
    }
    if (bad) COUNT(count->nonfinite, bad);
    if (span.skip && !concealed) COUNT(count->discarded_late, 1);
    if (span.count) archibald_jitter_mark(&receiver->buffer, media, span.count);
    if (concealed && span.count) {
        if (!receiver->concealing) receiver->buffer.dropouts++;
        receiver->buffer.concealed_frames += span.count;
    }
    receiver->concealing = concealed;
}

void archibald_receiver_decoded(archibald_receiver *receiver, receive_counters *count,
                                observation_ring *ring) {
    if (!receiver->decoded) return;
    const sound_block *block;
    for (uint32_t i = 0; i < SOUND_BLOCKS && (block = archibald_sound_first(receiver->decoded));
         i++) {
        if (block->kind & BLOCK_OBSERVED) {
            observation record = {.kind = OBSERVED_PACKET,
                                  .frames = block->frames,
                                  .time_ns = block->time_ns,
                                  .media = block->media,
                                  .send_delay_ns = block->send_delay_ns,
                                  .wait_ns = block->wait_ns};
            observe(receiver, ring, &record, NEWEST);
        }
        if (block->kind & BLOCK_LATE)
            COUNT(count->discarded_late, 1);
        else if (block->kind & BLOCK_MALFORMED)
            COUNT(count->malformed, 1);
        else
            store_decoded(receiver, count, block);
        archibald_sound_drop(receiver->decoded);
    }
}

/* The port aside. The kernel tells the scope of link-local addresses only; 0 in
 * expected: none was given. */
static int same_host(const struct sockaddr_storage *from, const struct sockaddr_storage *expected) {
    if (from->ss_family != expected->ss_family) return 0;
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *x = (const void *)from, *y = (const void *)expected;
        return x->sin_addr.s_addr == y->sin_addr.s_addr;
    }
    const struct sockaddr_in6 *x = (const void *)from, *y = (const void *)expected;
    return memcmp(&x->sin6_addr, &y->sin6_addr, sizeof x->sin6_addr) == 0 &&
           (y->sin6_scope_id == 0 || x->sin6_scope_id == y->sin6_scope_id);
}

static uint32_t port_of(const struct sockaddr_storage *a) {
    return a->ss_family == AF_INET ? ((const struct sockaddr_in *)(const void *)a)->sin_port
                                   : ((const struct sockaddr_in6 *)(const void *)a)->sin6_port;
}

static void refuse_source(receive_counters *count, const struct sockaddr_storage *from) {
    COUNT(count->wrong_source, 1);
    if (atomic_load_explicit(&count->have_stranger, memory_order_acquire)) return;
    count->stranger = *from;
    atomic_store_explicit(&count->have_stranger, 1, memory_order_release);
}

/* Makes the source of a packet, right in everything else, ours: the first one's, and
 * then another port of the same address once the one before is quiet. A translator of
 * addresses on the way may give a new one at any time, and the old one is then dead;
 * while both speak the first one stays. */
static int take_source(archibald_receiver *receiver, const struct sockaddr_storage *from,
                       int64_t arrival_ns) {
    const uint32_t port = port_of(from);
    if (!atomic_load_explicit(&receiver->have_from, memory_order_relaxed)) {
        atomic_store_explicit(&receiver->from_port, port, memory_order_relaxed);
        receiver->from = *from;
        atomic_store_explicit(&receiver->have_from, 1, memory_order_release);
    } else if (port != atomic_load_explicit(&receiver->from_port, memory_order_relaxed)) {
        if (arrival_ns - receiver->from_ns < PORT_QUIET_NS) return 0;
        atomic_store_explicit(&receiver->from_port, port, memory_order_relaxed);
    }
    receiver->from_ns = arrival_ns;
    return 1;
}

void archibald_receiver_datagram(archibald_receiver *receiver, receive_counters *count,
                                 observation_ring *ring, const uint8_t *data, uint32_t bytes,
                                 int64_t arrival_ns, const struct sockaddr_storage *from) {
    const struct sockaddr_storage *expected =
        atomic_load_explicit(&receiver->have_from, memory_order_relaxed) ? &receiver->from
                                                                         : &receiver->plan.from;
    if (expected->ss_family && !same_host(from, expected)) {
        refuse_source(count, from);
        return;
    }
    rtp_packet packet;
    if (archibald_rtp_parse(&packet, data, bytes) != 0) {
        COUNT(count->malformed, 1);
        return;
    }
    if (packet.payload_type != receiver->plan.payload_type) {
        COUNT(count->wrong_payload, 1);
        atomic_store_explicit(&count->seen_payload_type, packet.payload_type, memory_order_relaxed);
        return;
    }
    if (receiver->have_ssrc && packet.ssrc != receiver->ssrc) {
        COUNT(count->wrong_ssrc, 1);
        return;
    }
    const uint32_t frame_bytes =
        archibald_wire_sample_bytes(receiver->plan.encoding) * receiver->plan.channels;
    if (packet.payload_bytes == 0 || (frame_bytes && packet.payload_bytes % frame_bytes != 0) ||
        (!frame_bytes && packet.payload_bytes > DATAGRAM_BYTES)) {
        COUNT(count->malformed, 1);
        return;
    }
    if (!take_source(receiver, from, arrival_ns)) {
        refuse_source(count, from);
        return;
    }
    receiver->ssrc = packet.ssrc;
    receiver->have_ssrc = 1;
    const int64_t send_delay_ns =
        receiver->plan.send_delay && packet.send_delay_us >= 0 ? packet.send_delay_us * 1000ll : -1;
    if (receiver->coded)
        receive_coded(receiver, count, &packet, arrival_ns, send_delay_ns);
    else
        archibald_receiver_packet(receiver, count, ring, packet.sequence, packet.timestamp,
                                  packet.marker, packet.payload, packet.payload_bytes / frame_bytes,
                                  arrival_ns, send_delay_ns);
}
