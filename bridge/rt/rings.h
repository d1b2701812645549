/* rings.c: records for Go, a part of core.h, which alone includes it. One producer
 * (whoever holds engine.reading), one consumer (control). Full: the new record is
 * dropped and counted.
 */
#ifndef ARCHIBALD_RINGS_H
#define ARCHIBALD_RINGS_H

typedef struct {
    uint32_t kind, frames;
    int64_t time_ns, media, position;
    int64_t send_delay_ns; /* of a packet, as its sender says; -1: not said */
    int64_t wait_ns;       /* of a packet, from its arrival until it was decoded */
    double fraction, ratio;
    uint32_t playing;
    uint32_t sequence; /* of a packet, extended; 0 of decoded ones */
} observation;

typedef struct {
    /* head: written by the producer (release), read by control (acquire); tail: the other
     * way round */
    _Alignas(64) _Atomic uint32_t head;
    _Alignas(64) _Atomic uint32_t tail;
    _Alignas(64) _Atomic uint64_t dropped; /* written by the producer, read by control (relaxed) */
    observation slot[OBSERVATIONS];
} observation_ring;

typedef struct {
    uint32_t bytes;
    int64_t arrival_ns;
    struct sockaddr_storage from;
    uint8_t data[DATAGRAM_BYTES];
} rtcp_slot;

typedef struct {
    _Alignas(64) _Atomic uint32_t head; /* as observation_ring */
    _Alignas(64) _Atomic uint32_t tail;
    rtcp_slot slot[RTCP_SLOTS];
} rtcp_ring;

void archibald_observation_push(observation_ring *ring, const observation *record);
uint32_t archibald_observation_read(observation_ring *ring, observation *into, uint32_t max);
int archibald_rtcp_push(rtcp_ring *ring, const uint8_t *data, uint32_t bytes, int64_t arrival_ns,
                        const struct sockaddr_storage *from); /* 0 when it is full */
int archibald_rtcp_read(rtcp_ring *ring, rtcp_slot *into);

#endif
