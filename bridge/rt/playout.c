/* One incoming stream: from the jitter buffer through the resampler to the graph. Go
 * decides where to play (a seek) and how fast (the ratio); every step of the position
 * is cross-faded.
 */
#include "core.h"
#include "subnormals.h"

#include <math.h>
#include <string.h>

static double double_of_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static int equal_rates(const archibald_receiver *receiver) {
    return receiver->plan.rate_hz == receiver->plan.graph_hz;
}

/* Moves the position by as much of the stream as lasts as long as frames of the graph, by
 * both nominal rates. */
static void pass(archibald_receiver *receiver, int64_t frames) {
    const int64_t stream_hz = receiver->plan.rate_hz, graph_hz = receiver->plan.graph_hz;
    int64_t seconds = frames / graph_hz, rest = frames % graph_hz;
    if (rest < 0) {
        seconds--;
        rest += graph_hz;
    }
    rest *= stream_hz;
    receiver->position += seconds * stream_hz + rest / graph_hz;
    receiver->fraction += (double)(rest % graph_hz) / (double)graph_hz;
    if (receiver->fraction >= 1) {
        receiver->fraction -= 1;
        receiver->position++;
    }
}

/* Renders frames outputs from a position. Advances it. */
static void render(archibald_receiver *receiver, int64_t *position, double *fraction, double ratio,
                   float *const *out, uint32_t channels, uint32_t frames) {
    const uint32_t one_second = receiver->plan.rate_hz;
    const resampler *table = receiver->table;
    double last = *fraction + (double)(frames - 1) * ratio;
    uint32_t span = (uint32_t)last + 1;
    if (ratio == 1.0 && *fraction == 0.0 && equal_rates(receiver)) {
        archibald_jitter_commit(&receiver->buffer, *position + span, *position + span, one_second);
        for (uint32_t c = 0; c < channels; c++)
            archibald_jitter_copy(&receiver->buffer, c, *position, out[c], frames);
        *position += frames;
        return;
    }
    archibald_jitter_commit(&receiver->buffer, *position + span,
                            *position + span + table->lookahead, one_second);
    const float *in[MAX_CHANNELS];
    const uint64_t before = subnormals_flush(); /* not above: a copy is exact */
    for (uint32_t c = 0; c < channels; c++) {
        float *window = receiver->scratch + (size_t)c * receiver->window_frames;
        archibald_jitter_copy(&receiver->buffer, c, *position - table->lookbehind, window,
                              span + table->taps - 1);
        in[c] = window;
    }
    archibald_resampler_run(table, in, channels, *fraction, ratio, out, frames);
    subnormals_restore(before);
    double end = *fraction + (double)frames * ratio, whole = floor(end);
    *position += (int64_t)whole;
    *fraction = end - whole;
}

/* The ratio for this cycle. Exactly 1 asks for a copy, which needs a position on
 * a whole frame: until it is there the ratio leads to it, inaudibly slowly. */
static double glide(const archibald_receiver *receiver, double ratio, uint32_t frames) {
    if (ratio != 1.0 || receiver->fraction == 0.0 || !equal_rates(receiver)) return ratio;
    double way = receiver->fraction < 0.5 ? -receiver->fraction : 1 - receiver->fraction;
    double step = GLIDE_PER_FRAME * frames;
    if (way > step) way = step;
    if (way < -step) way = -step;
    return 1.0 + way / frames;
}

/* Ends a glide: a rest that comes from rounding becomes 0. */
static void arrive(archibald_receiver *receiver) {
    if (receiver->fraction < 1e-9) {
        receiver->fraction = 0;
    } else if (receiver->fraction > 1 - 1e-9) {
        receiver->fraction = 0;
        receiver->position++;
    }
}

/* Makes the buffer ready to play from position, wherever it was. Nothing before first is read
 * from now on: a cross-fade has played its frames at the old position. */
static void prepare(archibald_receiver *receiver, int64_t position) {
    jitter_buffer *buffer = &receiver->buffer;
    const int64_t first = position - receiver->table->lookbehind;
    if (first < buffer->done - HISTORY_FRAMES)
        archibald_jitter_reset(buffer, first); /* further back than the buffer remembers */
    else if (first > buffer->done)
        archibald_jitter_skip(buffer, first);
}

static void silence(float *const *out, uint32_t from, uint32_t channels, uint32_t frames) {
    for (uint32_t c = from; c < channels; c++) memset(out[c], 0, frames * sizeof(float));
}

void archibald_receiver_tell(archibald_receiver *receiver, receive_counters *count) {
    COUNT(count->concealed_frames, receiver->buffer.concealed_frames - receiver->told_concealed);
    COUNT(count->dropouts, receiver->buffer.dropouts - receiver->told_dropouts);
    COUNT(count->predicted, receiver->buffer.predicted - receiver->told_predicted);
    receiver->told_concealed = receiver->buffer.concealed_frames;
    receiver->told_dropouts = receiver->buffer.dropouts;
    receiver->told_predicted = receiver->buffer.predicted;
}

void archibald_receiver_play(archibald_receiver *receiver, receive_counters *count,
                             observation_ring *ring, float *const *out, uint32_t channels,
                             uint32_t frames, int64_t media, int64_t cycle_ns) {
    int64_t command =
        atomic_exchange_explicit(&receiver->command, COMMAND_NONE, memory_order_acquire);
    double ratio =
        double_of_bits(atomic_load_explicit(&receiver->ratio_bits, memory_order_relaxed));
    uint32_t used = channels < receiver->plan.channels ? channels : receiver->plan.channels;
    int64_t from_position = receiver->position;
    double from_fraction = receiver->fraction;
    int64_t skipped = media - receiver->next_media;
    const int was_playing = atomic_load_explicit(&receiver->playing, memory_order_relaxed);
    int playing = was_playing, moved = 0;
    receiver->next_media = media + frames;

    if (command == COMMAND_MUTE) {
        playing = 0;
        moved = 1;
    } else if (command != COMMAND_NONE) {
        playing = 1;
        receiver->position = command;
        receiver->fraction = 0;
        pass(receiver, media);
        moved = 1;
    } else if (was_playing && skipped != 0) {
        pass(receiver, skipped);
        moved = 1;
    }
    atomic_store_explicit(&receiver->playing, playing, memory_order_relaxed);
    observation record = {.kind = OBSERVED_CYCLE,
                          .frames = frames,
                          .time_ns = cycle_ns,
                          .media = media,
                          .position = receiver->position,
                          .fraction = receiver->fraction,
                          .ratio = ratio,
                          .playing = (uint32_t)playing};
    archibald_observation_push(ring, &record);

    float *over[MAX_CHANNELS];
    uint32_t fade = frames < CROSSFADE_FRAMES ? frames : CROSSFADE_FRAMES;
    for (uint32_t c = 0; c < used; c++) over[c] = receiver->overlap + (size_t)c * CROSSFADE_FRAMES;
    int fading = moved && was_playing;
    if (fading) render(receiver, &from_position, &from_fraction, ratio, over, used, fade);
    if (playing) {
        if (!was_playing)
            archibald_jitter_reset(&receiver->buffer,
                                   receiver->position - receiver->table->lookbehind);
        else if (moved)
            prepare(receiver, receiver->position);
        double used_ratio = glide(receiver, ratio, frames);
        render(receiver, &receiver->position, &receiver->fraction, used_ratio, out, used, frames);
        if (ratio == 1.0 && equal_rates(receiver)) arrive(receiver);
    } else {
        silence(out, 0, used, frames);
    }
    if (fading)
        for (uint32_t c = 0; c < used; c++)
            for (uint32_t i = 0; i < fade; i++) {
                float in = receiver->fade_in[i * CROSSFADE_FRAMES / fade];
                out[c][i] = out[c][i] * in + over[c][i] * (1 - in);
            }
    silence(out, used, channels, frames);
    for (uint32_t c = 0; c < used; c++) archibald_peak_update(&count->peak_bits[c], out[c], frames);
    /* The next cycle needs what lies from here on. */
    int64_t needed_ns = archibald_stream_ns(receiver->position + receiver->table->lookahead + 1,
                                            receiver->plan.rate_hz);
    atomic_store_explicit(&receiver->due_ns, playing ? cycle_ns - needed_ns : CLOCK_STOPPED,
                          memory_order_relaxed);
    archibald_receiver_tell(receiver, count);
}
