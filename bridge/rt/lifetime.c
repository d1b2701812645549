/* What control makes and frees. Nothing here is called on an audio thread. */
#include "core.h"

#include <math.h>
#include <string.h>
#include <sys/mman.h>

enum { HEADER_BYTES = 64 }; /* in front of every block: its size; keeps cache lines aligned */

static _Atomic int unlocked;

int memory_unlocked(void) { return atomic_load(&unlocked); }

/* Zeroed memory that no audio thread will page-fault on. */
static void *block_new(size_t bytes) {
    bytes += HEADER_BYTES;
    uint8_t *block = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (block == MAP_FAILED) return NULL;
    if (mlock(block, bytes) != 0) atomic_store(&unlocked, 1);
    memcpy(block, &bytes, sizeof bytes);
    return block + HEADER_BYTES;
}

static void block_free(void *memory) {
    if (!memory) return;
    uint8_t *block = (uint8_t *)memory - HEADER_BYTES;
    size_t bytes;
    memcpy(&bytes, block, sizeof bytes);
    munmap(block, bytes);
}

archibald_engine *engine_new(int fd) {
    archibald_engine *engine = block_new(sizeof *engine);
    if (!engine) return NULL;
    engine->fd = fd;
    atomic_store(&engine->graph, 48000);
    atomic_store(&engine->clock.offset, CLOCK_STOPPED);
    atomic_store(&engine->clock.origin_ns, CLOCK_STOPPED);
    resampler_init(&engine->table);
    return engine;
}

void engine_free(archibald_engine *engine) {
    if (!engine) return;
    receiver_free(atomic_load(&engine->rx));
    sender_free(atomic_load(&engine->tx));
    block_free(engine);
}

static void sound_free(sound_ring *ring) {
    if (ring) block_free(ring->samples);
    block_free(ring);
}

static sound_ring *sound_new(uint32_t channels) {
    sound_ring *ring = block_new(sizeof *ring);
    if (!ring) return NULL;
    ring->channels = channels;
    ring->samples = block_new((size_t)SOUND_FRAMES * channels * sizeof(float));
    if (ring->samples) return ring;
    block_free(ring);
    return NULL;
}

sender *sender_new(const sender_plan *plan) {
    sender *tx = block_new(sizeof *tx);
    if (!tx) return NULL;
    tx->plan = *plan;
    tx->ring.frames = 2 * MAX_PERIOD_FRAMES; /* a power of two */
    tx->ring.mask = tx->ring.frames - 1;
    tx->ring.channels = plan->channels;
    tx->ring.samples = block_new((size_t)plan->channels * tx->ring.frames * sizeof(float));
    tx->history_slots = BATCH + plan->repeats * plan->repeat_distance_frames / plan->packet_frames;
    tx->history = block_new(tx->history_slots * sizeof *tx->history);
    if (plan->encoding == WIRE_OPUS) tx->captured = sound_new(plan->channels);
    if (!tx->ring.samples || !tx->history || (plan->encoding == WIRE_OPUS && !tx->captured)) {
        sender_free(tx);
        return NULL;
    }
    return tx;
}

void sender_free(sender *tx) {
    if (!tx) return;
    block_free(tx->ring.samples);
    block_free(tx->history);
    sound_free(tx->captured);
    block_free(tx);
}

receiver *receiver_new(const receiver_plan *plan, const resampler *table) {
    receiver *rx = block_new(sizeof *rx);
    if (!rx) return NULL;
    rx->plan = *plan;
    rx->table = table;
    rx->ssrc = plan->ssrc;
    rx->have_ssrc = plan->ssrc != 0;
    double one = 1.0;
    uint64_t one_bits;
    memcpy(&one_bits, &one, sizeof one_bits);
    atomic_store(&rx->ratio_bits, one_bits);
    atomic_store(&rx->command, COMMAND_NONE);
    /* The sender's period is not known, but is within the distance. */
    const uint32_t span = plan->repeats ? (plan->repeats + 1) * plan->repeat_distance_frames : 0;
    rx->settled = SETTLED_SEQUENCES +
                  span * wire_sample_bytes(plan->encoding) * plan->channels / FULL_PAYLOAD_BYTES;
    atomic_store(&rx->due_ns, CLOCK_STOPPED);
    jitter_buffer *buffer = &rx->buffer;
    buffer->frames = 4 * MAX_PERIOD_FRAMES; /* a period each way, the delay, the history */
    while (buffer->frames < plan->rate_hz / 3) buffer->frames *= 2;
    buffer->mask = buffer->frames - 1;
    buffer->channels = plan->channels;
    buffer->fade_frames = plan->rate_hz / 100; /* 10 ms */
    if (buffer->fade_frames > MAX_CONCEALED) buffer->fade_frames = MAX_CONCEALED;
    rx->window_frames = MAX_PERIOD_FRAMES + MAX_PERIOD_FRAMES / 16 + TAPS + 2;
    buffer->samples = block_new((size_t)plan->channels * buffer->frames * sizeof(float));
    buffer->gain = block_new(buffer->frames * sizeof(float));
    buffer->valid = block_new(buffer->frames / 8);
    buffer->fade = block_new(buffer->fade_frames * sizeof(float));
    buffer->gap = block_new(sizeof *buffer->gap);
    buffer->ahead = block_new(sizeof *buffer->ahead);
    buffer->work = block_new(sizeof *buffer->work);
    rx->scratch = block_new((size_t)plan->channels * rx->window_frames * sizeof(float));
    rx->overlap = block_new((size_t)plan->channels * CROSSFADE_FRAMES * sizeof(float));
    int whole = 1;
    if (plan->encoding == WIRE_OPUS) {
        rx->encoded = block_new(sizeof *rx->encoded);
        rx->decoded = sound_new(plan->channels);
        whole = rx->encoded && rx->decoded;
    }
    if (!whole || !buffer->samples || !buffer->gain || !buffer->valid || !buffer->fade || !buffer->gap ||
        !buffer->ahead || !buffer->work || !rx->scratch || !rx->overlap) {
        receiver_free(rx);
        return NULL;
    }
    const uint32_t held = buffer->fade_frames / 2, falling = buffer->fade_frames - held;
    for (uint32_t i = 0; i < held; i++) buffer->fade[i] = 1;
    for (uint32_t i = 0; i < falling; i++)
        buffer->fade[held + i] = (float)(0.5 + 0.5 * cos(M_PI * (i + 0.5) / falling));
    predictor_init(buffer->work);
    for (uint32_t i = 0; i < CROSSFADE_FRAMES; i++)
        rx->fade_in[i] = (float)(0.5 - 0.5 * cos(M_PI * (i + 0.5) / CROSSFADE_FRAMES));
    jitter_reset(buffer, 0);
    return rx;
}

void receiver_free(receiver *rx) {
    if (!rx) return;
    block_free(rx->buffer.samples);
    block_free(rx->buffer.gain);
    block_free(rx->buffer.valid);
    block_free(rx->buffer.fade);
    block_free(rx->buffer.gap);
    block_free(rx->buffer.ahead);
    block_free(rx->buffer.work);
    block_free(rx->scratch);
    block_free(rx->overlap);
    block_free(rx->encoded);
    sound_free(rx->decoded);
    block_free(rx);
}
