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

void archibald_peak_update(_Atomic uint32_t *peak_bits, const float *samples, uint32_t frames) {
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
static void hand_over(archibald_sender *sender, send_counters *count, const float *const *in,
                      uint32_t channels, const sound_block *cycle) {
    const uint32_t stride = sender->captured->channels, frames = cycle->frames;
    float *samples = archibald_sound_begin(sender->captured, frames);
    if (!samples) {
        COUNT_SHARED(count->errors, 1);
        return;
    }
    uint32_t bad = 0;
    for (uint32_t c = 0; c < stride; c++) {
        if (c < channels && in[c]) {
            bad += archibald_wire_interleave(in[c], samples + c, stride, frames);
            archibald_peak_update(&count->peak_bits[c], in[c], frames);
        } else {
            for (uint32_t i = 0; i < frames; i++) samples[(size_t)i * stride + c] = 0;
        }
    }
    if (bad) COUNT(count->nonfinite, bad);
    archibald_sound_end(sender->captured, cycle);
}

void archibald_sender_capture(archibald_sender *sender, send_counters *count,
                              const float *const *in, uint32_t channels, uint32_t frames,
                              int64_t media, int64_t now_ns, int64_t send_delay_ns) {
    capture_ring *ring = &sender->ring;
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    if (!sender->started || media != sender->next_media) {
        /* A follower's clock is the leader's, which tells what it lost itself. */
        if (sender->started && media > sender->next_media && sender->plan.lock != LOCK_FOLLOWS) {
            COUNT(count->skips, 1);
            COUNT(count->skipped_frames, (uint64_t)(media - sender->next_media));
        }
        sender->started = 1;
        sender->next_media = media;
        sender->sent_head = head; /* a packet cannot span the skip */
    }
    sender->next_media += frames;
    if (sender->captured) {
        const sound_block cycle = {
            .media = media, .time_ns = now_ns, .send_delay_ns = send_delay_ns, .frames = frames};
        hand_over(sender, count, in, channels, &cycle);
        return;
    }
    for (uint32_t c = 0; c < ring->channels; c++) {
        float *plane = ring->samples + (size_t)c * ring->frames;
        uint32_t at = (uint32_t)head & ring->mask, first = ring->frames - at;
        if (first > frames) first = frames;
        if (c < channels && in[c]) {
            memcpy(plane + at, in[c], first * sizeof(float));
            memcpy(plane, in[c] + first, (frames - first) * sizeof(float));
            archibald_peak_update(&count->peak_bits[c], in[c], frames);
        } else {
            memset(plane + at, 0, first * sizeof(float));
            memset(plane, 0, (frames - first) * sizeof(float));
        }
    }
    sender->marker = sender->plan.lock == LOCK_LEADS || sender->unheard;
    sender->unheard = 0;
    atomic_store_explicit(&ring->head, head + frames, memory_order_release);
}

uint32_t archibald_sender_header_bytes(const archibald_sender *sender) {
    return RTP_HEADER_BYTES + (sender->plan.send_delay ? SEND_DELAY_BYTES : 0);
}

/* One element of the one-byte form (RFC 8285, section 4.2), and a byte of padding. */
static void put_send_delay(uint8_t *at, int64_t send_delay_ns) {
    uint32_t send_delay_us = 65535; /* not known */
    if (send_delay_ns >= 0)
        send_delay_us = send_delay_ns < 65534000 ? (uint32_t)(send_delay_ns / 1000) : 65534;
    const uint8_t extension[SEND_DELAY_BYTES] = {0xbe,
                                                 0xde,
                                                 0,
                                                 1,
                                                 SEND_DELAY_ID << 4 | 1,
                                                 (uint8_t)(send_delay_us >> 8),
                                                 (uint8_t)send_delay_us,
                                                 0};
    memcpy(at, extension, sizeof extension);
}

static void put_header(const archibald_sender *sender, uint8_t *at, int marker, uint32_t timestamp,
                       int64_t send_delay_ns) {
    const uint32_t ssrc = sender->plan.ssrc;
    at[0] = (uint8_t)(2 << 6 | (sender->plan.send_delay ? 0x10 : 0));
    at[1] = (uint8_t)(marker << 7 | sender->plan.payload_type);
    at[2] = (uint8_t)(sender->sequence >> 8);
    at[3] = (uint8_t)sender->sequence;
    for (int i = 0; i < 4; i++) {
        at[4 + i] = (uint8_t)(timestamp >> (24 - 8 * i));
        at[8 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
    }
    if (sender->plan.send_delay) put_send_delay(at + RTP_HEADER_BYTES, send_delay_ns);
}

/* How many frames of the ring, whose newest is at head, go into the next packet; 0: they wait
 * for the next cycle. A locked end sends each cycle whole. */
static uint32_t packable(const archibald_sender *sender, uint64_t head) {
    const uint64_t left = head - sender->sent_head;
    if (left >= sender->plan.packet_frames) return sender->plan.packet_frames;
    return sender->plan.lock ? (uint32_t)left : 0;
}

/* The next frames of the ring, whose newest frame is at head, as a datagram. */
static const sent_datagram *pack(archibald_sender *sender, send_counters *count, uint64_t head,
                                 uint32_t frames, int64_t send_delay_ns) {
    const capture_ring *ring = &sender->ring;
    const uint32_t channels = ring->channels;
    const uint32_t frame_bytes = archibald_wire_sample_bytes(sender->plan.encoding) * channels;
    sent_datagram *datagram = &sender->history[sender->packed % sender->history_slots];
    int64_t media = sender->next_media - (int64_t)(head - sender->sent_head);
    uint32_t timestamp = sender->plan.first_timestamp + (uint32_t)media;
    put_header(sender, datagram->data, sender->marker, timestamp, send_delay_ns);
    sender->marker = 0;
    uint8_t *payload = datagram->data + archibald_sender_header_bytes(sender);
    const float *planes[MAX_CHANNELS];
    for (uint32_t c = 0; c < channels; c++) planes[c] = ring->samples + (size_t)c * ring->frames;
    uint32_t at = (uint32_t)sender->sent_head & ring->mask, first = ring->frames - at;
    if (first > frames) first = frames;
    uint32_t bad =
        archibald_wire_encode(sender->plan.encoding, payload, planes, channels, at, first);
    bad += archibald_wire_encode(sender->plan.encoding, payload + (size_t)first * frame_bytes,
                                 planes, channels, 0, frames - first);
    if (bad) COUNT(count->nonfinite, bad);
    datagram->bytes = archibald_sender_header_bytes(sender) + frames * frame_bytes;
    datagram->sent_media = sender->sent_media;
    sender->sequence++;
    sender->packed++;
    sender->sent_head += frames;
    atomic_store_explicit(&count->last_timestamp, timestamp, memory_order_relaxed);
    return datagram;
}

/* Appends what is due to go out for the copyth time again; at most BATCH. */
static uint32_t repeat(archibald_sender *sender, uint32_t copy, uint32_t outgoing) {
    const int64_t distance = (int64_t)copy * sender->plan.repeat_distance_frames;
    uint64_t next = sender->repeated[copy - 1];
    if (sender->packed - next > sender->history_slots)
        next = sender->packed - sender->history_slots;
    for (uint32_t i = 0; i < BATCH && next < sender->packed; i++, next++) {
        const sent_datagram *datagram = &sender->history[next % sender->history_slots];
        if (sender->sent_media - datagram->sent_media < distance) break;
        sender->outgoing[outgoing++] = datagram;
    }
    sender->repeated[copy - 1] = next;
    return outgoing;
}

uint32_t archibald_sender_pack(archibald_sender *sender, send_counters *count, int64_t now_ns,
                               int64_t send_delay_ns) {
    const uint64_t head = atomic_load_explicit(&sender->ring.head, memory_order_relaxed);
    uint32_t outgoing = 0, frames;
    sender->sent_media = sender->next_media;
    while (outgoing < BATCH && (frames = packable(sender, head)) > 0)
        sender->outgoing[outgoing++] = pack(sender, count, head, frames, send_delay_ns);
    sender->originals = outgoing;
    if (outgoing) {
        atomic_store_explicit(&count->last_send_ns, now_ns, memory_order_relaxed);
        atomic_store_explicit(&count->last_capture_delay_ns, send_delay_ns > 0 ? send_delay_ns : 0,
                              memory_order_relaxed);
    }
    for (uint32_t copy = 1; copy <= sender->plan.repeats; copy++)
        outgoing = repeat(sender, copy, outgoing);
    return outgoing;
}

uint32_t archibald_sender_pack_coded(archibald_sender *sender, send_counters *count,
                                     const uint8_t *payload, uint32_t bytes, uint32_t timestamp,
                                     const sound_block *cycle, int64_t send_delay_ns) {
    sent_datagram *datagram = &sender->history[sender->packed % sender->history_slots];
    if (bytes > DATAGRAM_BYTES - archibald_sender_header_bytes(sender)) return 0;
    const uint32_t cycle_timestamp = sender->plan.first_timestamp + (uint32_t)cycle->media;
    /* By the packets: in cycles the distance would not be always as many packets. */
    sender->sent_media =
        cycle->media + (int32_t)(timestamp - cycle_timestamp) + sender->plan.packet_frames;
    put_header(sender, datagram->data, 0, timestamp, send_delay_ns);
    memcpy(datagram->data + archibald_sender_header_bytes(sender), payload, bytes);
    datagram->bytes = archibald_sender_header_bytes(sender) + bytes;
    datagram->sent_media = sender->sent_media;
    sender->sequence++;
    sender->packed++;
    sender->outgoing[0] = datagram;
    sender->originals = 1;
    uint32_t outgoing = 1;
    /* Where the stream is: at the beginning of the cycle. */
    atomic_store_explicit(&count->last_timestamp, cycle_timestamp, memory_order_relaxed);
    atomic_store_explicit(&count->last_send_ns, cycle->time_ns, memory_order_relaxed);
    atomic_store_explicit(&count->last_capture_delay_ns,
                          cycle->send_delay_ns > 0 ? cycle->send_delay_ns : 0,
                          memory_order_relaxed);
    for (uint32_t copy = 1; copy <= sender->plan.repeats; copy++)
        outgoing = repeat(sender, copy, outgoing);
    return outgoing;
}
