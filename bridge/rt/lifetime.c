/* What control makes and frees. Nothing here is called on an audio thread. */
#include "core.h"

#include <math.h>
#include <string.h>
#include <sys/mman.h>

enum { HEADER_BYTES = 64 }; /* in front of every block: its size; keeps cache lines aligned */

static _Atomic int unlocked;

int archibald_memory_unlocked(void) { return atomic_load(&unlocked); }

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

resampler *archibald_resampler_new(uint32_t stream_hz, uint32_t graph_hz) {
    resampler shape;
    archibald_resampler_shape(&shape, stream_hz, graph_hz);
    const size_t samples = (size_t)(shape.phases + 1) * shape.taps;
    resampler *table = block_new(sizeof *table + samples * sizeof(float));
    if (!table) return NULL;
    memcpy(table, &shape, sizeof shape);
    if (stream_hz == graph_hz)
        archibald_resampler_init(table);
    else
        archibald_ratefilter_init(table, stream_hz, graph_hz);
    return table;
}

void archibald_resampler_free(resampler *table) { block_free(table); }

archibald_engine *archibald_engine_new(int fd) {
    archibald_engine *engine = block_new(sizeof *engine);
    if (!engine) return NULL;
    engine->fd = fd;
    atomic_store(&engine->graph, 48000);
    atomic_store(&engine->clock.offset, CLOCK_STOPPED);
    atomic_store(&engine->clock.origin_ns, CLOCK_STOPPED);
    atomic_store(&engine->follow.to_play, CYCLE_NONE);
    atomic_store(&engine->follow.to_send, CYCLE_NONE);
    engine->table = archibald_resampler_new(48000, 48000);
    if (engine->table) return engine;
    block_free(engine);
    return NULL;
}

void archibald_engine_free(archibald_engine *engine) {
    if (!engine) return;
    archibald_receiver_free(atomic_load(&engine->receiver));
    archibald_sender_free(atomic_load(&engine->sender));
    archibald_resampler_free(engine->table);
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

archibald_sender *archibald_sender_new(const send_plan *plan) {
    archibald_sender *sender = block_new(sizeof *sender);
    if (!sender) return NULL;
    sender->plan = *plan;
    sender->unheard = plan->lock == LOCK_FOLLOWS;
    sender->ring.frames = 2 * MAX_PERIOD_FRAMES; /* a power of two */
    sender->ring.mask = sender->ring.frames - 1;
    sender->ring.channels = plan->channels;
    sender->ring.samples = block_new((size_t)plan->channels * sender->ring.frames * sizeof(float));
    sender->history_slots =
        BATCH + plan->repeats * plan->repeat_distance_frames / plan->packet_frames;
    sender->history = block_new(sender->history_slots * sizeof *sender->history);
    if (plan->encoding == WIRE_CODED) sender->captured = sound_new(plan->channels);
    if (!sender->ring.samples || !sender->history ||
        (plan->encoding == WIRE_CODED && !sender->captured)) {
        archibald_sender_free(sender);
        return NULL;
    }
    return sender;
}

void archibald_sender_free(archibald_sender *sender) {
    if (!sender) return;
    block_free(sender->ring.samples);
    block_free(sender->history);
    sound_free(sender->captured);
    block_free(sender);
}

/* How many frames of a stream a graph plays in a period at the most. */
static uint32_t most_frames(const receive_plan *plan) {
    const uint64_t frames = (uint64_t)MAX_PERIOD_FRAMES * plan->rate_hz;
    return (uint32_t)((frames + plan->graph_hz - 1) / plan->graph_hz);
}

archibald_receiver *archibald_receiver_new(const receive_plan *plan, const resampler *equal) {
    archibald_receiver *receiver = block_new(sizeof *receiver);
    if (!receiver) return NULL;
    receiver->plan = *plan;
    receiver->table = equal;
    if (plan->rate_hz != plan->graph_hz) {
        receiver->own = archibald_resampler_new(plan->rate_hz, plan->graph_hz);
        receiver->table = receiver->own;
        if (!receiver->own) {
            archibald_receiver_free(receiver);
            return NULL;
        }
    }
    receiver->ssrc = plan->ssrc;
    receiver->have_ssrc = plan->ssrc != 0;
    const double ratio = (double)plan->rate_hz / plan->graph_hz;
    uint64_t ratio_bits;
    memcpy(&ratio_bits, &ratio, sizeof ratio_bits);
    atomic_store(&receiver->ratio_bits, ratio_bits);
    atomic_store(&receiver->command, COMMAND_NONE);
    /* The sender's period is not known, but is within the distance. */
    const uint32_t span = plan->repeats ? (plan->repeats + 1) * plan->repeat_distance_frames : 0;
    receiver->settled = SETTLED_SEQUENCES + span * archibald_wire_sample_bytes(plan->encoding) *
                                                plan->channels / FULL_PAYLOAD_BYTES;
    atomic_store(&receiver->due_ns, CLOCK_STOPPED);
    jitter_buffer *buffer = &receiver->buffer;
    buffer->frames = 4 * MAX_PERIOD_FRAMES; /* a period each way, the delay, the history */
    const uint32_t most = most_frames(plan);
    while (buffer->frames < plan->rate_hz / 3 || buffer->frames < 4 * most) buffer->frames *= 2;
    buffer->mask = buffer->frames - 1;
    buffer->channels = plan->channels;
    buffer->fade_frames = plan->rate_hz / 100; /* 10 ms */
    if (buffer->fade_frames > MAX_CONCEALED) buffer->fade_frames = MAX_CONCEALED;
    receiver->window_frames = most + most / 16 + receiver->table->taps + 2;
    buffer->samples = block_new((size_t)plan->channels * buffer->frames * sizeof(float));
    buffer->gain = block_new(buffer->frames * sizeof(float));
    buffer->valid = block_new(buffer->frames / 8);
    buffer->fade = block_new(buffer->fade_frames * sizeof(float));
    buffer->gap = block_new(sizeof *buffer->gap);
    buffer->speculative = block_new(sizeof *buffer->speculative);
    buffer->work = block_new(sizeof *buffer->work);
    receiver->scratch = block_new((size_t)plan->channels * receiver->window_frames * sizeof(float));
    receiver->overlap = block_new((size_t)plan->channels * CROSSFADE_FRAMES * sizeof(float));
    int whole = 1;
    if (plan->encoding == WIRE_CODED) {
        receiver->coded = block_new(sizeof *receiver->coded);
        receiver->decoded = sound_new(plan->channels);
        whole = receiver->coded && receiver->decoded;
    }
    if (!whole || !buffer->samples || !buffer->gain || !buffer->valid || !buffer->fade ||
        !buffer->gap || !buffer->speculative || !buffer->work || !receiver->scratch ||
        !receiver->overlap) {
        archibald_receiver_free(receiver);
        return NULL;
    }
    const uint32_t held = buffer->fade_frames / 2, falling = buffer->fade_frames - held;
    for (uint32_t i = 0; i < held; i++) buffer->fade[i] = 1;
    for (uint32_t i = 0; i < falling; i++)
        buffer->fade[held + i] = (float)(0.5 + 0.5 * cos(M_PI * (i + 0.5) / falling));
    archibald_predictor_init(buffer->work);
    for (uint32_t i = 0; i < CROSSFADE_FRAMES; i++)
        receiver->fade_in[i] = (float)(0.5 - 0.5 * cos(M_PI * (i + 0.5) / CROSSFADE_FRAMES));
    archibald_jitter_reset(buffer, 0);
    return receiver;
}

void archibald_receiver_free(archibald_receiver *receiver) {
    if (!receiver) return;
    archibald_resampler_free(receiver->own);
    block_free(receiver->buffer.samples);
    block_free(receiver->buffer.gain);
    block_free(receiver->buffer.valid);
    block_free(receiver->buffer.fade);
    block_free(receiver->buffer.gap);
    block_free(receiver->buffer.speculative);
    block_free(receiver->buffer.work);
    block_free(receiver->scratch);
    block_free(receiver->overlap);
    block_free(receiver->coded);
    sound_free(receiver->decoded);
    block_free(receiver);
}
