/* Single-producer single-consumer rings of records from the audio threads to
 * Go. A producer never waits: what does not fit is dropped and counted. */
#include "core.h"

#include <string.h>

void archibald_observation_push(observation_ring *ring, const observation *record) {
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    if (head - tail == OBSERVATIONS) {
        COUNT(ring->dropped, 1);
        return;
    }
    ring->slot[head % OBSERVATIONS] = *record;
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
}

uint32_t archibald_observation_read(observation_ring *ring, observation *into, uint32_t max) {
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    uint32_t waiting = atomic_load_explicit(&ring->head, memory_order_acquire) - tail;
    uint32_t n = waiting < max ? waiting : max;
    for (uint32_t i = 0; i < n; i++) into[i] = ring->slot[(tail + i) % OBSERVATIONS];
    atomic_store_explicit(&ring->tail, tail + n, memory_order_release);
    return n;
}

int archibald_rtcp_push(rtcp_ring *ring, const uint8_t *data, uint32_t bytes, int64_t arrival_ns,
                        const struct sockaddr_storage *from) {
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    if (head - atomic_load_explicit(&ring->tail, memory_order_acquire) == RTCP_SLOTS) return 0;
    rtcp_slot *slot = &ring->slot[head % RTCP_SLOTS];
    slot->bytes = bytes < DATAGRAM_BYTES ? bytes : DATAGRAM_BYTES;
    slot->arrival_ns = arrival_ns;
    slot->from = *from;
    memcpy(slot->data, data, slot->bytes);
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
    return 1;
}

int archibald_rtcp_read(rtcp_ring *ring, rtcp_slot *into) {
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    if (atomic_load_explicit(&ring->head, memory_order_acquire) == tail) return 0;
    *into = ring->slot[tail % RTCP_SLOTS];
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
    return 1;
}
