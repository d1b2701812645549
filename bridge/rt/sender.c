/* One outgoing stream: captured cycles into a ring, packets out of it. RTP
 * timestamps are the media clock, so time that the graph lost is a gap in them;
 * sequence numbers just count packets.
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

void sender_capture(sender *tx, send_counters *count, const float *const *in, uint32_t channels,
                    uint32_t frames, int64_t media) {
    capture_ring *ring = &tx->ring;
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    if (!tx->started || media != tx->next_media) {
        if (tx->started) {
            COUNT(count->skips, 1);
            COUNT(count->skipped_frames, (uint64_t)llabs(media - tx->next_media));
        }
        tx->started = 1;
        tx->next_media = media;
        tx->sent_head = head; /* a packet cannot span the skip */
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
    tx->next_media += frames;
    atomic_store_explicit(&ring->head, head + frames, memory_order_release);
}

static void put_header(sender *tx, uint8_t *at, uint32_t timestamp) {
    const uint32_t ssrc = tx->plan.ssrc;
    at[0] = 2 << 6;
    at[1] = tx->plan.payload_type;
    at[2] = (uint8_t)(tx->sequence >> 8);
    at[3] = (uint8_t)tx->sequence;
    for (int i = 0; i < 4; i++) {
        at[4 + i] = (uint8_t)(timestamp >> (24 - 8 * i));
        at[8 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
    }
}

uint32_t sender_pack(sender *tx, send_counters *count, int64_t now_ns) {
    const capture_ring *ring = &tx->ring;
    const uint32_t frames = tx->plan.packet_frames, channels = ring->channels;
    const uint32_t frame_bytes = wire_sample_bytes(tx->plan.encoding) * channels;
    const uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    uint32_t packed = 0;
    while (packed < BATCH && head - tx->sent_head >= frames) {
        int64_t media = tx->next_media - (int64_t)(head - tx->sent_head);
        uint32_t timestamp = tx->plan.first_timestamp + (uint32_t)media;
        uint8_t *datagram = tx->datagram[packed];
        put_header(tx, datagram, timestamp);
        const float *planes[MAX_CHANNELS];
        for (uint32_t c = 0; c < channels; c++)
            planes[c] = ring->samples + (size_t)c * ring->frames;
        uint32_t at = (uint32_t)tx->sent_head & ring->mask, first = ring->frames - at;
        if (first > frames) first = frames;
        uint32_t bad = wire_encode(tx->plan.encoding, datagram + 12, planes, channels, at, first);
        bad += wire_encode(tx->plan.encoding, datagram + 12 + (size_t)first * frame_bytes, planes,
                           channels, 0, frames - first);
        if (bad) COUNT(count->nonfinite, bad);
        tx->datagram_bytes[packed] = 12 + frames * frame_bytes;
        tx->sequence++;
        tx->sent_head += frames;
        packed++;
        atomic_store_explicit(&count->last_timestamp, timestamp, memory_order_relaxed);
        atomic_store_explicit(&count->last_send_ns, now_ns, memory_order_relaxed);
    }
    return packed;
}
