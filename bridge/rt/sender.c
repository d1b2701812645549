/* One outgoing stream: captured cycles into a ring, packets out of it. RTP
 * timestamps are the media clock, so time that the graph lost is a gap in them;
 * sequence numbers just count packets.
 *
 * A packet that is repeated is the same datagram again, from a history of those
 * sent. Repeats go out behind the new packets and with the same system call.
 */
#include "core.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void peak_update(_Atomic uint32_t *peak_bits, const float *samples, uint32_t frames) {
    float peak = 0;
    for (uint32_t i = 0; i < frames; i++) {
        float x = fabsf(samples[i]);
        peak = x > peak ? x : peak;
    }
    /* Bits of floats that are not negative order as the floats do. A reading
     * that clears the peak between these two lines may be undone: one display
     * interval shows an old peak, nothing else. */
    uint32_t bits;
    memcpy(&bits, &peak, sizeof bits);
    if (bits > atomic_load_explicit(peak_bits, memory_order_relaxed))
        atomic_store_explicit(peak_bits, bits, memory_order_relaxed);
}

/* A cycle for control, which encodes it. When that is far behind the cycle is lost:
 * a gap in the timestamps. */
static void hand_over(sender *tx, send_counters *count, const float *const *in, uint32_t channels,
                      const sound_block *cycle) {
    const uint32_t stride = tx->captured->channels, frames = cycle->frames;
    float *samples = sound_begin(tx->captured, frames);
    if (!samples) {
        COUNT(count->errors, 1);
        return;
    }
    uint32_t bad = 0;
    for (uint32_t c = 0; c < stride; c++) {
        if (c < channels && in[c]) {
            bad += wire_interleave(in[c], samples + c, stride, frames);
            peak_update(&count->peak_bits[c], in[c], frames);
        } else {
            for (uint32_t i = 0; i < frames; i++) samples[(size_t)i * stride + c] = 0;
        }
    }
    if (bad) COUNT(count->nonfinite, bad);
    sound_end(tx->captured, cycle);
}

void sender_capture(sender *tx, send_counters *count, const float *const *in, uint32_t channels,
                    uint32_t frames, int64_t media, int64_t now_ns, int64_t late_ns) {
    capture_ring *ring = &tx->ring;
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    if (!tx->started || media != tx->next_media) {
        if (tx->started && media > tx->next_media) {
            COUNT(count->skips, 1);
            COUNT(count->skipped_frames, (uint64_t)(media - tx->next_media));
        }
        tx->started = 1;
        tx->next_media = media;
        tx->sent_head = head; /* a packet cannot span the skip */
    }
    tx->next_media += frames;
    if (tx->captured) {
        const sound_block cycle = {.media = media, .time_ns = now_ns, .late_ns = late_ns, .frames = frames};
        hand_over(tx, count, in, channels, &cycle);
        return;
    }
    for (uint32_t c = 0; c < ring->channels; c++) {
        float *plane = ring->samples + (size_t)c * ring->frames;
        uint32_t at = (uint32_t)head & ring->mask, first = ring->frames - at;
        if (first > frames) first = frames;
        if (c < channels && in[c]) {
            memcpy(plane + at, in[c], first * sizeof(float));
            memcpy(plane, in[c] + first, (frames - first) * sizeof(float));
            peak_update(&count->peak_bits[c], in[c], frames);
        } else {
            memset(plane + at, 0, first * sizeof(float));
            memset(plane, 0, (frames - first) * sizeof(float));
        }
    }
    atomic_store_explicit(&ring->head, head + frames, memory_order_release);
}

uint32_t sender_header_bytes(const sender *tx) {
    return RTP_HEADER_BYTES + (tx->plan.lateness ? LATENESS_BYTES : 0);
}

/* One element of the one-byte form (RFC 8285, section 4.2), and a byte of padding. */
static void put_lateness(uint8_t *at, int64_t late_ns) {
    uint32_t late_us = 65535; /* not known */
    if (late_ns >= 0) late_us = late_ns < 65534000 ? (uint32_t)(late_ns / 1000) : 65534;
    const uint8_t extension[LATENESS_BYTES] = {0xbe, 0xde, 0, 1, LATENESS_ID << 4 | 1,
                                               (uint8_t)(late_us >> 8), (uint8_t)late_us, 0};
    memcpy(at, extension, sizeof extension);
}

static void put_header(sender *tx, uint8_t *at, uint32_t timestamp, int64_t late_ns) {
    const uint32_t ssrc = tx->plan.ssrc;
    at[0] = (uint8_t)(2 << 6 | (tx->plan.lateness ? 0x10 : 0));
    at[1] = tx->plan.payload_type;
    at[2] = (uint8_t)(tx->sequence >> 8);
    at[3] = (uint8_t)tx->sequence;
    for (int i = 0; i < 4; i++) {
        at[4 + i] = (uint8_t)(timestamp >> (24 - 8 * i));
        at[8 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
    }
    if (tx->plan.lateness) put_lateness(at + RTP_HEADER_BYTES, late_ns);
}

/* The next packet_frames of the ring, whose newest frame is at head, as a datagram. */
static const sent_datagram *pack(sender *tx, send_counters *count, uint64_t head,
                                 int64_t late_ns) {
    const capture_ring *ring = &tx->ring;
    const uint32_t frames = tx->plan.packet_frames, channels = ring->channels;
    const uint32_t frame_bytes = wire_sample_bytes(tx->plan.encoding) * channels;
    sent_datagram *datagram = &tx->history[tx->packed % tx->history_slots];
    int64_t media = tx->next_media - (int64_t)(head - tx->sent_head);
    uint32_t timestamp = tx->plan.first_timestamp + (uint32_t)media;
    put_header(tx, datagram->data, timestamp, late_ns);
    uint8_t *payload = datagram->data + sender_header_bytes(tx);
    const float *planes[MAX_CHANNELS];
    for (uint32_t c = 0; c < channels; c++) planes[c] = ring->samples + (size_t)c * ring->frames;
    uint32_t at = (uint32_t)tx->sent_head & ring->mask, first = ring->frames - at;
    if (first > frames) first = frames;
    uint32_t bad = wire_encode(tx->plan.encoding, payload, planes, channels, at, first);
    bad += wire_encode(tx->plan.encoding, payload + (size_t)first * frame_bytes, planes, channels,
                       0, frames - first);
    if (bad) COUNT(count->nonfinite, bad);
    datagram->bytes = sender_header_bytes(tx) + frames * frame_bytes;
    datagram->sent_media = tx->sent_media;
    tx->sequence++;
    tx->packed++;
    tx->sent_head += frames;
    atomic_store_explicit(&count->last_timestamp, timestamp, memory_order_relaxed);
    return datagram;
}

/* Appends what is due to go out for the copyth time again; at most BATCH. */
static uint32_t repeat(sender *tx, uint32_t copy, uint32_t outgoing) {
    const int64_t distance = (int64_t)copy * tx->plan.repeat_distance_frames;
    uint64_t next = tx->repeated[copy - 1];
    if (tx->packed - next > tx->history_slots) next = tx->packed - tx->history_slots;
    for (uint32_t i = 0; i < BATCH && next < tx->packed; i++, next++) {
        const sent_datagram *datagram = &tx->history[next % tx->history_slots];
        if (tx->sent_media - datagram->sent_media < distance) break;
        tx->outgoing[outgoing++] = datagram;
    }
    tx->repeated[copy - 1] = next;
    return outgoing;
}

uint32_t sender_pack(sender *tx, send_counters *count, int64_t now_ns, int64_t late_ns) {
    const uint64_t head = atomic_load_explicit(&tx->ring.head, memory_order_relaxed);
    uint32_t outgoing = 0;
    tx->sent_media = tx->next_media;
    while (outgoing < BATCH && head - tx->sent_head >= tx->plan.packet_frames)
        tx->outgoing[outgoing++] = pack(tx, count, head, late_ns);
    tx->originals = outgoing;
    if (outgoing) {
        atomic_store_explicit(&count->last_send_ns, now_ns, memory_order_relaxed);
        atomic_store_explicit(&count->last_late_ns, late_ns > 0 ? late_ns : 0,
                              memory_order_relaxed);
    }
    for (uint32_t copy = 1; copy <= tx->plan.repeats; copy++)
        outgoing = repeat(tx, copy, outgoing);
    return outgoing;
}

uint32_t sender_pack_encoded(sender *tx, send_counters *count, const uint8_t *payload,
                             uint32_t bytes, uint32_t timestamp, const sound_block *cycle,
                             int64_t late_ns) {
    sent_datagram *datagram = &tx->history[tx->packed % tx->history_slots];
    if (bytes > DATAGRAM_BYTES - sender_header_bytes(tx)) return 0;
    const uint32_t cycle_timestamp = tx->plan.first_timestamp + (uint32_t)cycle->media;
    /* By the packets: in cycles the distance would not be always as many packets. */
    tx->sent_media = cycle->media + (int32_t)(timestamp - cycle_timestamp) + tx->plan.packet_frames;
    put_header(tx, datagram->data, timestamp, late_ns);
    memcpy(datagram->data + sender_header_bytes(tx), payload, bytes);
    datagram->bytes = sender_header_bytes(tx) + bytes;
    datagram->sent_media = tx->sent_media;
    tx->sequence++;
    tx->packed++;
    tx->outgoing[0] = datagram;
    tx->originals = 1;
    uint32_t outgoing = 1;
    /* Where the stream is: at the beginning of the cycle. */
    atomic_store_explicit(&count->last_timestamp, cycle_timestamp, memory_order_relaxed);
    atomic_store_explicit(&count->last_send_ns, cycle->time_ns, memory_order_relaxed);
    atomic_store_explicit(&count->last_late_ns, cycle->late_ns > 0 ? cycle->late_ns : 0,
                          memory_order_relaxed);
    for (uint32_t copy = 1; copy <= tx->plan.repeats; copy++)
        outgoing = repeat(tx, copy, outgoing);
    return outgoing;
}
