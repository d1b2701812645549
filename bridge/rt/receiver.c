/* One incoming stream: packets into the jitter buffer. playout.c takes them out. */
#include "core.h"

#include <string.h>

int64_t stream_ns(int64_t media, uint32_t rate_hz) {
    return nominal_ns((uint64_t)(media + (1ll << 40)), rate_hz);
}

/* A repeat that was sent later is no arrival to follow a clock by. Mostly
 * it is behind packets that came before it. When those were lost, too, the next
 * packet shows it: the gap up to that is longer than the distance. So each packet
 * waits for the next one. */
static void observe(receiver *rx, observation_ring *ring, const observation *record,
                    enum arrival arrival) {
    const int64_t distance = rx->plan.repeat_distance_frames;
    if (distance == 0) {
        observation_push(ring, record);
        return;
    }
    if (arrival != NEWEST) return;
    if (rx->held.kind && record->media - rx->held.media <= distance)
        observation_push(ring, &rx->held);
    rx->held = *record;
}

/* Decodes frames of one channel into their places. The first ones are there already,
 * as said by again, where the sender's graph took back time that it had counted as
 * lost: one sound goes over into the other. */
static uint32_t store(receiver *rx, uint32_t channel, const uint8_t *payload, int64_t media,
                      uint32_t frames, uint32_t again) {
    const jitter_buffer *buffer = &rx->buffer;
    const uint32_t stride = wire_sample_bytes(rx->plan.encoding) * rx->plan.channels;
    float *plane = jitter_plane(buffer, channel);
    float before[CROSSFADE_FRAMES];
    for (uint32_t i = 0; i < again; i++) before[i] = plane[(uint32_t)(media + i) & buffer->mask];
    uint32_t at = (uint32_t)media & buffer->mask, first = buffer->frames - at;
    if (first > frames) first = frames;
    uint32_t bad = wire_decode(rx->plan.encoding, payload, stride, channel, plane + at, first);
    bad += wire_decode(rx->plan.encoding, payload + (size_t)first * stride, stride, channel, plane,
                       frames - first);
    for (uint32_t i = 0; i < again; i++) {
        float *x = &plane[(uint32_t)(media + i) & buffer->mask];
        float in = rx->fade_in[i * CROSSFADE_FRAMES / again];
        *x = *x * in + before[i] * (1 - in);
    }
    return bad;
}

/* Counts a packet and extends its timestamp. */
static enum arrival note_packet(receiver *rx, receive_counters *count, uint16_t sequence,
                           uint32_t timestamp, uint32_t bytes, int64_t arrival_ns,
                           int64_t *extended) {
    if (!rx->have_sequence) rx->reference_media = timestamp;
    int64_t media = rx->reference_media + (int32_t)(timestamp - (uint32_t)rx->reference_media);
    enum arrival arrival = sequence_note(rx, count, sequence, media, arrival_ns);
    if (arrival == AGAIN || arrival == DOUBTED) return arrival;
    if (media > rx->reference_media || rx->reference_media - media > HISTORY_FRAMES)
        rx->reference_media = media;
    COUNT(count->packets, 1);
    COUNT(count->bytes, bytes);
    atomic_store_explicit(&count->highest_sequence, rx->highest_sequence, memory_order_relaxed);
    atomic_store_explicit(&count->last_packet_ns, arrival_ns, memory_order_relaxed);
    *extended = media;
    return arrival;
}

/* The part of frames [media, media + frames) that the buffer still takes. */
static jitter_span storable(receiver *rx, receive_counters *count, int64_t media, uint32_t frames) {
    if (!atomic_load_explicit(&rx->playing, memory_order_relaxed)) return (jitter_span){0, 0, 0};
    jitter_span span = jitter_accepts(&rx->buffer, media, frames);
    if (span.outside) COUNT(count->outside, 1);
    return span;
}

void receiver_packet(receiver *rx, receive_counters *count, observation_ring *ring,
                     uint16_t sequence, uint32_t timestamp, const uint8_t *payload,
                     uint32_t frames, int64_t arrival_ns, int64_t late_ns) {
    const uint32_t stride = wire_sample_bytes(rx->plan.encoding) * rx->plan.channels;
    int64_t media;
    enum arrival arrival = note_packet(rx, count, sequence, timestamp, frames * stride, arrival_ns, &media);
    if (arrival == AGAIN || arrival == DOUBTED) return;
    observation record = {.kind = OBSERVED_PACKET, .frames = frames, .time_ns = arrival_ns,
                          .media = media, .late_ns = late_ns,
                          .sequence = rx->highest_sequence + (int16_t)(sequence - rx->highest_sequence)};
    observe(rx, ring, &record, arrival);

    const int goes_back = arrival == NEWEST && media < rx->newest_end;
    if (arrival == NEWEST) rx->newest_end = media + frames;
    jitter_span span = storable(rx, count, media, frames);
    if (span.skip) COUNT(count->late, 1);
    if (!span.count) return;
    media += span.skip;
    if (payload) {
        payload += (size_t)span.skip * stride;
        uint32_t bad = 0, again = span.count < CROSSFADE_FRAMES ? span.count : CROSSFADE_FRAMES;
        again = goes_back ? jitter_arrived(&rx->buffer, media, again) : 0;
        for (uint32_t c = 0; c < rx->plan.channels; c++)
            bad += store(rx, c, payload, media, span.count, again);
        if (bad) COUNT(count->nonfinite, bad);
    }
    jitter_mark(&rx->buffer, media, span.count);
}

/* A packet that control has to decode. Without room for it control is far behind. */
static void receiver_encoded(receiver *rx, receive_counters *count, const rtp_packet *packet,
                             int64_t arrival_ns, int64_t late_ns) {
    int64_t media;
    enum arrival arrival = note_packet(rx, count, packet->sequence, packet->timestamp,
                                  packet->payload_bytes, arrival_ns, &media);
    if (arrival == AGAIN || arrival == DOUBTED) return;
    packet_slot *slot = packet_begin(rx->encoded);
    if (!slot) {
        COUNT(count->late, 1);
        return;
    }
    slot->media = media;
    slot->arrival_ns = arrival_ns;
    slot->late_ns = late_ns;
    slot->bytes = packet->payload_bytes;
    slot->sequence = packet->sequence;
    slot->again = arrival == BEHIND && rx->plan.repeat_distance_frames > 0;
    memcpy(slot->data, packet->payload, packet->payload_bytes);
    packet_end(rx->encoded);
}

static void store_decoded(receiver *rx, receive_counters *count, const sound_block *block) {
    const uint32_t channels = rx->plan.channels;
    const int concealed = (block->kind & BLOCK_CONCEALED) != 0;
    jitter_span span = storable(rx, count, block->media, block->frames);
    const float *samples = sound_samples(rx->decoded, block) + (size_t)span.skip * channels;
    const int64_t media = block->media + span.skip;
    uint32_t bad = 0;
    for (uint32_t c = 0; c < channels; c++) {
        float *plane = jitter_plane(&rx->buffer, c);
        for (uint32_t i = 0; i < span.count; i++) {
            float x = samples[(size_t)i * channels + c];
            bad += wire_interleave(&x, &plane[(uint32_t)(media + i) & rx->buffer.mask], 1, 1);
        }
    }
    if (bad) COUNT(count->nonfinite, bad);
    if (span.skip && !concealed) COUNT(count->late, 1);
    if (span.count) jitter_mark(&rx->buffer, media, span.count);
    if (concealed && span.count) {
        if (!rx->concealing) rx->buffer.dropouts++;
        rx->buffer.concealed_frames += span.count;
    }
    rx->concealing = concealed;
}

void receiver_decoded(receiver *rx, receive_counters *count, observation_ring *ring) {
    if (!rx->decoded) return;
    const sound_block *block;
    for (uint32_t i = 0; i < SOUND_BLOCKS && (block = sound_first(rx->decoded)); i++) {
        if (block->kind & BLOCK_OBSERVED) {
            observation record = {.kind = OBSERVED_PACKET, .frames = block->frames,
                                  .time_ns = block->time_ns, .media = block->media,
                                  .late_ns = block->late_ns, .wait_ns = block->wait_ns};
            observe(rx, ring, &record, NEWEST);
        }
        if (block->kind & BLOCK_LATE)
            COUNT(count->late, 1);
        else if (block->kind & BLOCK_MALFORMED)
            COUNT(count->malformed, 1);
        else
            store_decoded(rx, count, block);
        sound_drop(rx->decoded);
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
static int take_source(receiver *rx, const struct sockaddr_storage *from, int64_t arrival_ns) {
    const uint32_t port = port_of(from);
    if (!atomic_load_explicit(&rx->have_from, memory_order_relaxed)) {
        atomic_store_explicit(&rx->from_port, port, memory_order_relaxed);
        rx->from = *from;
        atomic_store_explicit(&rx->have_from, 1, memory_order_release);
    } else if (port != atomic_load_explicit(&rx->from_port, memory_order_relaxed)) {
        if (arrival_ns - rx->from_ns < PORT_QUIET_NS) return 0;
        atomic_store_explicit(&rx->from_port, port, memory_order_relaxed);
    }
    rx->from_ns = arrival_ns;
    return 1;
}

void receiver_datagram(receiver *rx, receive_counters *count, observation_ring *ring,
                       const uint8_t *data, uint32_t bytes, int64_t arrival_ns,
                       const struct sockaddr_storage *from) {
    const struct sockaddr_storage *expected =
        atomic_load_explicit(&rx->have_from, memory_order_relaxed) ? &rx->from : &rx->plan.from;
    if (expected->ss_family && !same_host(from, expected)) {
        refuse_source(count, from);
        return;
    }
    rtp_packet packet;
    if (rtp_parse(&packet, data, bytes) != 0) {
        COUNT(count->malformed, 1);
        return;
    }
    if (packet.payload_type != rx->plan.payload_type) {
        COUNT(count->wrong_payload, 1);
        atomic_store_explicit(&count->seen_payload_type, packet.payload_type, memory_order_relaxed);
        return;
    }
    if (rx->have_ssrc && packet.ssrc != rx->ssrc) {
        COUNT(count->wrong_ssrc, 1);
        return;
    }
    const uint32_t frame_bytes = wire_sample_bytes(rx->plan.encoding) * rx->plan.channels;
    if (packet.payload_bytes == 0 || (frame_bytes && packet.payload_bytes % frame_bytes != 0) ||
        (!frame_bytes && packet.payload_bytes > DATAGRAM_BYTES)) {
        COUNT(count->malformed, 1);
        return;
    }
    if (!take_source(rx, from, arrival_ns)) {
        refuse_source(count, from);
        return;
    }
    rx->ssrc = packet.ssrc;
    rx->have_ssrc = 1;
    const int64_t late_ns = rx->plan.lateness && packet.late_us >= 0 ? packet.late_us * 1000ll : -1;
    if (rx->encoded)
        receiver_encoded(rx, count, &packet, arrival_ns, late_ns);
    else
        receiver_packet(rx, count, ring, packet.sequence, packet.timestamp, packet.payload,
                        packet.payload_bytes / frame_bytes, arrival_ns, late_ns);
}
