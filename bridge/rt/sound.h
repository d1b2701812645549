/* What goes between the audio threads and Go when control encodes and decodes: a part of
 * core.h, which alone includes it. Each ring has one producer and one consumer; neither
 * waits.
 */
#ifndef ARCHIBALD_SOUND_H
#define ARCHIBALD_SOUND_H

enum {
    SOUND_BLOCKS = 1024,    /* a power of two; 0.68 s at period 32 */
    SOUND_FRAMES = 1 << 15, /* 4 times the largest period */
    PACKET_SLOTS = 128      /* 0.3 s of the shortest packets, 2.5 ms */
};

/* What control says of a decoded block. */
enum block_kind {
    BLOCK_OBSERVED = 1,  /* its time says something about the sender's clock */
    BLOCK_CONCEALED = 2, /* the decoder made it up: its packet has not come */
    BLOCK_LATE = 4,      /* no sound: the packet came after it was concealed */
    BLOCK_MALFORMED = 8  /* no sound: the decoder refused the packet */
};

/* Consecutive frames. */
typedef struct {
    int64_t media;   /* of the first frame: captured, the media clock; decoded, stream time */
    int64_t time_ns; /* captured: of the callback; decoded: when its packet came */
    int64_t wait_ns; /* decoded: from then until it was ready */
    /* captured: of the callback; decoded: as the sender says; -1: not known */
    int64_t send_delay_ns;
    uint32_t frames; /* of its sound or, with none, of its packet */
    uint32_t kind;   /* decoded: of block_kind */
    uint64_t at;     /* of its first frame, in frames that went through the ring */
} sound_block;

typedef struct {
    uint32_t channels;
    float *samples; /* SOUND_FRAMES, interleaved; a block is never parted by the end */
    uint64_t next;  /* producer only: where the next block begins */
    /* head: written by the producer (release), read by the consumer (acquire); tail: the
     * other way round */
    _Alignas(64) _Atomic uint32_t head;
    _Alignas(64) _Atomic uint32_t tail;
    sound_block slot[SOUND_BLOCKS];
} sound_ring;

/* Where the samples of the next block belong, of at most MAX_PERIOD_FRAMES frames; NULL
 * when the ring is full. */
float *archibald_sound_begin(sound_ring *ring, uint32_t frames);
/* Hands that block over; block->at is set here. */
void archibald_sound_end(sound_ring *ring, const sound_block *block);
/* The oldest block, NULL: none; it stays until sound_drop. */
const sound_block *archibald_sound_first(const sound_ring *ring);
const float *archibald_sound_samples(const sound_ring *ring, const sound_block *block);
void archibald_sound_drop(sound_ring *ring);

/* A coded packet that was accepted: no copy of it follows. */
typedef struct {
    int64_t media, arrival_ns, send_delay_ns;
    uint32_t bytes;
    uint16_t sequence;
    uint16_t again; /* a repeat that came behind later packets: its arrival says nothing */
    uint8_t data[DATAGRAM_BYTES];
} packet_slot;

typedef struct {
    _Alignas(64) _Atomic uint32_t head; /* as sound_ring */
    _Alignas(64) _Atomic uint32_t tail;
    packet_slot slot[PACKET_SLOTS];
} packet_ring;

packet_slot *archibald_packet_begin(packet_ring *ring); /* NULL: full */
void archibald_packet_end(packet_ring *ring);
const packet_slot *archibald_packet_first(const packet_ring *ring);
void archibald_packet_drop(packet_ring *ring);

#endif
