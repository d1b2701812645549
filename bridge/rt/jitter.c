/* The jitter buffer: frames stored by stream time, not in order of arrival.
 * Reordered and repeated packets cost nothing. A frame becomes final when the
 * playout position needs it ("committed"); one that has not arrived by then is
 * concealed: the sound before the gap is played backwards while it fades to
 * silence, and what comes after the gap is faded in over it. No click, no loop.
 */
#include "core.h"

#include <string.h>

static inline uint32_t slot(const jitter_buffer *buffer, int64_t frame) {
    return (uint32_t)frame & buffer->mask;
}

float *jitter_plane(const jitter_buffer *buffer, uint32_t channel) {
    return buffer->samples + (size_t)channel * buffer->frames;
}

/* Sets or clears the valid bits of frames [from, from + frames). */
static void set_valid(jitter_buffer *buffer, int64_t from, uint32_t frames, int valid) {
    while (frames > 0) {
        uint32_t at = slot(buffer, from), bit = at % 64, n = 64 - bit;
        if (n > frames) n = frames;
        uint64_t ones = (n == 64 ? ~0ull : (1ull << n) - 1) << bit;
        if (valid)
            buffer->valid[at / 64] |= ones;
        else
            buffer->valid[at / 64] &= ~ones;
        from += n;
        frames -= n;
    }
}

/* How many frames from `from` on are alike, at most limit; *valid says which. */
static uint32_t run_length(const jitter_buffer *buffer, int64_t from, uint32_t limit, int *valid) {
    uint32_t at = slot(buffer, from), n = 0;
    *valid = (int)(buffer->valid[at / 64] >> at % 64 & 1);
    while (n < limit) {
        at = slot(buffer, from + n);
        uint64_t word = buffer->valid[at / 64] >> at % 64;
        uint64_t differing = *valid ? ~word : word;
        uint32_t left = 64 - at % 64;
        uint32_t same = differing ? (uint32_t)__builtin_ctzll(differing) : left;
        if (same > left) same = left;
        n += same;
        if (same < left) break;
    }
    return n < limit ? n : limit;
}

void jitter_reset(jitter_buffer *buffer, int64_t start) {
    memset(buffer->valid, 0, buffer->frames / 8);
    /* Only what lies before the start can be read before it is written: by a
     * step back, as far as history goes. */
    const uint32_t at = slot(buffer, start - HISTORY_FRAMES);
    const uint32_t left = buffer->frames - at, first = left < HISTORY_FRAMES ? left : HISTORY_FRAMES;
    for (uint32_t c = 0; c < buffer->channels; c++) {
        float *plane = jitter_plane(buffer, c);
        memset(plane + at, 0, first * sizeof *plane);
        memset(plane, 0, (HISTORY_FRAMES - first) * sizeof *plane);
    }
    buffer->done = start;
    buffer->gap_start = start - buffer->fade_frames; /* already faded to silence */
    buffer->gap_end = start;
    buffer->in_gap = 1;
    buffer->primed = 0;
}

jitter_span jitter_accepts(const jitter_buffer *buffer, int64_t media, uint32_t frames) {
    jitter_span span = {0, frames, 0};
    int64_t late = buffer->done - media;
    int64_t over = media + frames - (buffer->done + buffer->frames - HISTORY_FRAMES);
    if (late > 0) span.skip = late < frames ? (uint32_t)late : frames;
    if (over > 0) span.outside = over < frames ? (uint32_t)over : frames;
    span.count = frames - span.skip - span.outside;
    return span;
}

void jitter_mark(jitter_buffer *buffer, int64_t media, uint32_t frames) {
    set_valid(buffer, media, frames, 1);
}

/* What concealment puts at `frame`: the last real sound, reversed and fading. */
static inline float concealed(const jitter_buffer *buffer, const float *plane, int64_t frame) {
    int64_t k = frame - buffer->gap_start;
    if (k >= buffer->fade_frames) return 0;
    return plane[slot(buffer, buffer->gap_start - 1 - k)] * buffer->fade[k];
}

static void commit_missing(jitter_buffer *buffer, uint32_t run, uint32_t count_limit) {
    if (!buffer->in_gap) {
        buffer->in_gap = 1;
        buffer->gap_start = buffer->done;
        buffer->dropouts++;
    }
    for (uint32_t c = 0; c < buffer->channels; c++) {
        float *plane = jitter_plane(buffer, c);
        for (uint32_t i = 0; i < run; i++)
            plane[slot(buffer, buffer->done + i)] = concealed(buffer, plane, buffer->done + i);
    }
    /* A stream that has ended is not an ever longer dropout. */
    int64_t counted = buffer->gap_start + count_limit - buffer->done;
    if (buffer->primed && counted > 0)
        buffer->concealed_frames += counted < run ? (uint64_t)counted : run;
}

static void commit_arrived(jitter_buffer *buffer, uint32_t run) {
    if (buffer->in_gap) {
        buffer->in_gap = 0;
        buffer->gap_end = buffer->done;
        buffer->primed = 1;
    }
    for (uint32_t i = 0; i < run; i++) {
        int64_t k = buffer->done + i - buffer->gap_end;
        if (k >= CROSSFADE_FRAMES) break;
        float in = ((float)k + 0.5f) / CROSSFADE_FRAMES;
        in = in * in * (3 - 2 * in);
        for (uint32_t c = 0; c < buffer->channels; c++) {
            float *plane = jitter_plane(buffer, c);
            float *at = &plane[slot(buffer, buffer->done + i)];
            *at = *at * in + concealed(buffer, plane, buffer->done + i) * (1 - in);
        }
    }
    set_valid(buffer, buffer->done, run, 0);
}

void jitter_commit(jitter_buffer *buffer, int64_t upto, uint32_t count_limit) {
    while (buffer->done < upto) {
        int64_t left = upto - buffer->done;
        uint32_t limit = left < buffer->frames ? (uint32_t)left : buffer->frames;
        int valid;
        uint32_t run = run_length(buffer, buffer->done, limit, &valid);
        if (valid)
            commit_arrived(buffer, run);
        else
            commit_missing(buffer, run, count_limit);
        buffer->done += run;
    }
}

void jitter_skip(jitter_buffer *buffer, int64_t upto) {
    if (upto - buffer->done >= buffer->frames - HISTORY_FRAMES) {
        jitter_reset(buffer, upto);
        return;
    }
    while (buffer->done < upto) {
        int valid;
        uint32_t run = run_length(buffer, buffer->done, (uint32_t)(upto - buffer->done), &valid);
        if (valid) {
            set_valid(buffer, buffer->done, run, 0);
            buffer->in_gap = 0;
            buffer->primed = 1;
            buffer->gap_end = buffer->done - CROSSFADE_FRAMES;
        } else {
            for (uint32_t c = 0; c < buffer->channels; c++)
                for (uint32_t i = 0; i < run; i++)
                    jitter_plane(buffer, c)[slot(buffer, buffer->done + i)] = 0;
            buffer->in_gap = 1;
            buffer->gap_start = buffer->done + run - buffer->fade_frames;
        }
        buffer->done += run;
    }
}

void jitter_copy(const jitter_buffer *buffer, uint32_t channel, int64_t from, float *out,
                 uint32_t frames) {
    const float *plane = jitter_plane(buffer, channel);
    while (frames > 0) {
        uint32_t at = slot(buffer, from), n = buffer->frames - at;
        if (n > frames) n = frames;
        memcpy(out, plane + at, n * sizeof *out);
        out += n;
        from += n;
        frames -= n;
    }
}
