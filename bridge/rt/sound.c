/* The rings of sound.h. */
#include "core.h"

float *archibald_sound_begin(sound_ring *ring, uint32_t frames) {
    const uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    const uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    const uint32_t place = (uint32_t)(ring->next % SOUND_FRAMES);
    if (head - tail == SOUND_BLOCKS || frames > MAX_PERIOD_FRAMES) return NULL;
    uint64_t at = ring->next;
    if (place + frames > SOUND_FRAMES) at += SOUND_FRAMES - place;
    const uint64_t oldest = head == tail ? at : ring->slot[tail % SOUND_BLOCKS].at;
    if (at + frames - oldest > SOUND_FRAMES) return NULL;
    ring->next = at;
    return ring->samples + (size_t)(at % SOUND_FRAMES) * ring->channels;
}

void archibald_sound_end(sound_ring *ring, const sound_block *block) {
    const uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    sound_block *slot = &ring->slot[head % SOUND_BLOCKS];
    *slot = *block;
    slot->at = ring->next;
    ring->next += block->frames;
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
}

const sound_block *archibald_sound_first(const sound_ring *ring) {
    const uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    if (atomic_load_explicit(&ring->head, memory_order_acquire) == tail) return NULL;
    return &ring->slot[tail % SOUND_BLOCKS];
}

const float *archibald_sound_samples(const sound_ring *ring, const sound_block *block) {
    return ring->samples + (size_t)(block->at % SOUND_FRAMES) * ring->channels;
}

void archibald_sound_drop(sound_ring *ring) {
    const uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
}

packet_slot *archibald_packet_begin(packet_ring *ring) {
    const uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    if (head - atomic_load_explicit(&ring->tail, memory_order_acquire) == PACKET_SLOTS) return NULL;
    return &ring->slot[head % PACKET_SLOTS];
}

void archibald_packet_end(packet_ring *ring) {
    const uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
}

const packet_slot *archibald_packet_first(const packet_ring *ring) {
    const uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    if (atomic_load_explicit(&ring->head, memory_order_acquire) == tail) return NULL;
    return &ring->slot[tail % PACKET_SLOTS];
}

void archibald_packet_drop(packet_ring *ring) {
    const uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
}
