/* One incoming stream: from the jitter buffer through the resampler to the graph. Go
 * decides where to play (a seek) and how fast (the ratio); every step of the position
 * is cross-faded.
 */
#include "core.h"

#include <math.h>
#include <string.h>

static double double_of_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Renders frames outputs from a position. Advances it. */
static void render(receiver *rx, int64_t *position, double *fraction, double ratio,
                   float *const *out, uint32_t channels, uint32_t frames) {
    const uint32_t one_second = rx->plan.rate_hz;
    double last = *fraction + (double)(frames - 1) * ratio;
    uint32_t span = (uint32_t)last + 1;
    if (ratio == 1.0 && *fraction == 0.0) {
        jitter_commit(&rx->buffer, *position + span, *position + span, one_second);
        for (uint32_t c = 0; c < channels; c++)
            jitter_copy(&rx->buffer, c, *position, out[c], frames);
        *position += frames;
        return;
    }
    jitter_commit(&rx->buffer, *position + span, *position + span + LOOKAHEAD, one_second);
    const float *in[MAX_CHANNELS];
    for (uint32_t c = 0; c < channels; c++) {
        float *window = rx->scratch + (size_t)c * rx->window_frames;
        jitter_copy(&rx->buffer, c, *position - LOOKBEHIND, window, span + TAPS - 1);
        in[c] = window;
    }
    resampler_run(rx->table, in, channels, *fraction, ratio, out, frames);
    double end = *fraction + (double)frames * ratio, whole = floor(end);
    *position += (int64_t)whole;
    *fraction = end - whole;
}

/* The ratio for this cycle. Exactly 1 asks for a copy, which needs a position on
 * a whole frame: until it is there the ratio leads to it, inaudibly slowly. */
static double glide(const receiver *rx, double ratio, uint32_t frames) {
    if (ratio != 1.0 || rx->fraction == 0.0) return ratio;
    double way = rx->fraction < 0.5 ? -rx->fraction : 1 - rx->fraction;
    double step = GLIDE_PER_FRAME * frames;
    if (way > step) way = step;
    if (way < -step) way = -step;
    return 1.0 + way / frames;
}

/* Ends a glide: what rounding left beside the whole frame is nothing. */
static void arrive(receiver *rx) {
    if (rx->fraction < 1e-9) {
        rx->fraction = 0;
    } else if (rx->fraction > 1 - 1e-9) {
        rx->fraction = 0;
        rx->position++;
    }
}

/* Makes the buffer ready to play from position, wherever it was. */
static void prepare(receiver *rx, int64_t position) {
    jitter_buffer *buffer = &rx->buffer;
    int64_t first = position - LOOKBEHIND;
    if (first < buffer->done - (HISTORY_FRAMES - 2 * CROSSFADE_FRAMES - 2 * TAPS))
        jitter_reset(buffer, first); /* further back than the buffer remembers */
    else if (first > buffer->done)
        jitter_skip(buffer, first);
}

static void silence(float *const *out, uint32_t from, uint32_t channels, uint32_t frames) {
    for (uint32_t c = from; c < channels; c++) memset(out[c], 0, frames * sizeof(float));
}

void receiver_play(receiver *rx, receive_counters *count, observation_ring *ring,
                   float *const *out, uint32_t channels, uint32_t frames, int64_t media,
                   int64_t cycle_ns) {
    double ratio = double_of_bits(atomic_load_explicit(&rx->ratio_bits, memory_order_relaxed));
    int64_t command = atomic_exchange_explicit(&rx->command, COMMAND_NONE, memory_order_acquire);
    uint32_t used = channels < rx->plan.channels ? channels : rx->plan.channels;
    int64_t from_position = rx->position;
    double from_fraction = rx->fraction;
    int64_t skipped = media - rx->next_media;
    const int was_playing = atomic_load_explicit(&rx->playing, memory_order_relaxed);
    int playing = was_playing, moved = 0;
    rx->next_media = media + frames;

    if (command == COMMAND_MUTE) {
        playing = 0;
        moved = 1;
    } else if (command != COMMAND_NONE) {
        playing = 1;
        rx->position = media + command;
        rx->fraction = 0;
        moved = 1;
    } else if (was_playing && skipped != 0) {
        rx->position += skipped;
        moved = 1;
    }
    atomic_store_explicit(&rx->playing, playing, memory_order_relaxed);
    observation record = {.kind = OBSERVED_CYCLE, .frames = frames, .time_ns = cycle_ns,
                          .media = media, .position = rx->position, .fraction = rx->fraction,
                          .ratio = ratio, .playing = (uint32_t)playing};
    observation_push(ring, &record);

    float *over[MAX_CHANNELS];
    uint32_t fade = frames < CROSSFADE_FRAMES ? frames : CROSSFADE_FRAMES;
    for (uint32_t c = 0; c < used; c++) over[c] = rx->overlap + (size_t)c * CROSSFADE_FRAMES;
    int fading = moved && was_playing;
    if (fading) render(rx, &from_position, &from_fraction, ratio, over, used, fade);
    if (playing) {
        if (!was_playing)
            jitter_reset(&rx->buffer, rx->position - LOOKBEHIND);
        else if (moved)
            prepare(rx, rx->position);
        double used_ratio = glide(rx, ratio, frames);
        render(rx, &rx->position, &rx->fraction, used_ratio, out, used, frames);
        if (ratio == 1.0) arrive(rx);
    } else {
        silence(out, 0, used, frames);
    }
    if (fading)
        for (uint32_t c = 0; c < used; c++)
            for (uint32_t i = 0; i < fade; i++) {
                float in = rx->fade_in[i * CROSSFADE_FRAMES / fade];
                out[c][i] = out[c][i] * in + over[c][i] * (1 - in);
            }
    silence(out, used, channels, frames);
    for (uint32_t c = 0; c < used; c++) peak_update(&count->peak_bits[c], out[c], frames);
    /* The next cycle needs what lies from here on. */
    int64_t needed_ns = stream_ns(rx->position + LOOKAHEAD + 1, rx->plan.rate_hz);
    atomic_store_explicit(&rx->due_ns, playing ? cycle_ns - needed_ns : CLOCK_STOPPED, memory_order_relaxed);
    /* The buffer counts from the start of this receiver, the counters go on. */
    COUNT(count->concealed_frames, rx->buffer.concealed_frames - rx->told_concealed);
    COUNT(count->dropouts, rx->buffer.dropouts - rx->told_dropouts);
    COUNT(count->predicted, rx->buffer.predicted - rx->told_predicted);
    rx->told_concealed = rx->buffer.concealed_frames;
    rx->told_dropouts = rx->buffer.dropouts;
    rx->told_predicted = rx->buffer.predicted;
}
