/* The jitter buffer: frames stored by stream time, not in order of arrival.
 * Reordered and repeated packets cost nothing. A frame becomes final when the
 * playout position needs it ("committed"); one that has not arrived by then is
 * concealed: the sound before the gap goes on as predicted, or backwards where
 * nothing was predicted, and what comes after is cross-faded with it. Apart from
 * that a gain falls to silence in the gap and rises behind it. No click, no loop.
 *
 * Sound and gain are kept apart so that the next gap is predicted from a sound
 * that faded nowhere.
 *
 * The resampler reads ahead of the position. A frame that only it needs is
 * predicted too, and stays open: it may come before it is played.
 */
#include "core.h"

#include <string.h>

static inline uint32_t slot(const jitter_buffer *buffer, int64_t frame) {
    return (uint32_t)frame & buffer->mask;
}

float *archibald_jitter_plane(const jitter_buffer *buffer, uint32_t channel) {
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

/* Sets frames [from, from + frames) of a plane to 0. */
static void clear(const jitter_buffer *buffer, float *plane, int64_t from, uint32_t frames) {
    const uint32_t at = slot(buffer, from), left = buffer->frames - at;
    const uint32_t first = left < frames ? left : frames;
    memset(plane + at, 0, first * sizeof *plane);
    memset(plane, 0, (frames - first) * sizeof *plane);
}

/* Treats everything before frame as a fully faded gap. */
static void silent_before(jitter_buffer *buffer, int64_t frame) {
    buffer->in_gap = 1;
    buffer->gap->start = frame - buffer->fade_frames;
}

void archibald_jitter_reset(jitter_buffer *buffer, int64_t start) {
    memset(buffer->valid, 0, buffer->frames / 8);
    /* Only what lies before the start can be read before it is written: by a
     * step back, as far as history goes. */
    for (uint32_t c = 0; c < buffer->channels; c++)
        clear(buffer, archibald_jitter_plane(buffer, c), start - HISTORY_FRAMES, HISTORY_FRAMES);
    clear(buffer, buffer->gain, start - HISTORY_FRAMES, HISTORY_FRAMES);
    buffer->done = start;
    silent_before(buffer, start);
    buffer->speculative->start = buffer->gap->start;
    buffer->next_fit = INT64_MIN;
    buffer->gap_end = start;
    buffer->primed = 0;
}

jitter_span archibald_jitter_accepts(const jitter_buffer *buffer, int64_t media, uint32_t frames) {
    jitter_span span = {0, frames, 0};
    int64_t late = buffer->done - media;
    int64_t over = media + frames - (buffer->done + buffer->frames - HISTORY_FRAMES);
    if (late > 0) span.skip = late < frames ? (uint32_t)late : frames;
    if (over > 0) span.outside = over < frames ? (uint32_t)over : frames;
    span.count = frames - span.skip - span.outside;
    return span;
}

uint32_t archibald_jitter_arrived(const jitter_buffer *buffer, int64_t media, uint32_t limit) {
    int valid;
    uint32_t n = run_length(buffer, media, limit, &valid);
    return valid ? n : 0;
}

void archibald_jitter_mark(jitter_buffer *buffer, int64_t media, uint32_t frames) {
    set_valid(buffer, media, frames, 1);
}

/* Fits buffer->speculative to a gap that would begin at done. */
static void speculate(jitter_buffer *buffer) {
    concealment *speculative = buffer->speculative;
    predictor *work = buffer->work;
    if (speculative->start == buffer->done) return;
    speculative->start = buffer->done;
    speculative->frames = 0;
    speculative->channels = 0;
    if (buffer->done < buffer->next_fit) return;
    speculative->channels =
        buffer->channels < PREDICTED_CHANNELS ? buffer->channels : PREDICTED_CHANNELS;
    buffer->next_fit = buffer->done + PREDICT_SPACING;
    for (uint32_t c = 0; c < speculative->channels; c++) {
        const float *plane = archibald_jitter_plane(buffer, c);
        for (int i = 0; i < PREDICT_HISTORY; i++)
            work->history[i] = plane[slot(buffer, buffer->done - PREDICT_HISTORY + i)];
        speculative->peak[c] = archibald_predict_fit(work, speculative->coefficient[c]);
        memcpy(speculative->sound[c], work->history + PREDICT_HISTORY - PREDICT_ORDER,
               PREDICT_ORDER * sizeof(float));
    }
}

/* Whether anything of the sound before the gap is left at frame. */
static inline int lasts(const jitter_buffer *buffer, const concealment *with, int64_t frame) {
    return frame - with->start < buffer->fade_frames;
}

/* Predicts what is not predicted yet before upto, as far as it lasts. */
static void predict_upto(const jitter_buffer *buffer, concealment *with, int64_t upto) {
    uint32_t wanted =
        lasts(buffer, with, upto) ? (uint32_t)(upto - with->start) : buffer->fade_frames;
    if (wanted <= with->frames) return;
    for (uint32_t c = 0; c < with->channels; c++)
        archibald_predict_run(with->coefficient[c], with->sound[c] + with->frames,
                              wanted - with->frames);
    with->frames = wanted;
}

/* Rises from 0 to 1 over frames. */
static inline float rise(int64_t frame, uint32_t frames) {
    float x = ((float)frame + 0.5f) / (float)frames;
    return x * x * (3 - 2 * x);
}

/* The sound that goes on at frame; predict_upto has been there. */
static inline float concealed(const jitter_buffer *buffer, const concealment *with,
                              uint32_t channel, int64_t frame) {
    enum { ENDING = CROSSFADE_FRAMES / 2 };
    if (!lasts(buffer, with, frame)) return 0;
    int64_t k = frame - with->start, left = buffer->fade_frames - 1 - k;
    float x = channel < with->channels
                  ? with->sound[channel][PREDICT_ORDER + k] * with->peak[channel]
                  : archibald_jitter_plane(buffer, channel)[slot(buffer, with->start - 1 - k)];
    /* The gain is near 0 by now; but the next prediction must not find a step. */
    return left < ENDING ? x * rise(left, ENDING) : x;
}

static void conceal(jitter_buffer *buffer, concealment *with, int64_t from, uint32_t frames) {
    if (lasts(buffer, with, from)) predict_upto(buffer, with, from + frames);
    for (uint32_t c = 0; c < buffer->channels; c++) {
        float *plane = archibald_jitter_plane(buffer, c);
        for (uint32_t i = 0; i < frames; i++)
            plane[slot(buffer, from + i)] = concealed(buffer, with, c, from + i);
    }
}

/* The gain of a gap's frames. */
static void fade_out(jitter_buffer *buffer, int64_t start, int64_t from, int64_t upto) {
    const float level = buffer->gain[slot(buffer, start - 1)];
    for (int64_t at = from; at < upto; at++) {
        int64_t k = at - start;
        buffer->gain[slot(buffer, at)] = k < buffer->fade_frames ? level * buffer->fade[k] : 0;
    }
}

/* The sound before done goes on as predicted from here. */
static void begin_gap(jitter_buffer *buffer) {
    speculate(buffer);
    concealment *before = buffer->gap;
    buffer->gap = buffer->speculative;
    buffer->speculative = before;
    buffer->in_gap = 1;
}

static void commit_missing(jitter_buffer *buffer, uint32_t run, uint32_t count_limit) {
    if (!buffer->in_gap) begin_gap(buffer);
    if (buffer->gap->start == buffer->done) buffer->dropouts++;
    conceal(buffer, buffer->gap, buffer->done, run);
    fade_out(buffer, buffer->gap->start, buffer->done, buffer->done + run);
    /* A stream that has ended is not an ever longer dropout. */
    int64_t counted = buffer->gap->start + count_limit - buffer->done;
    if (buffer->primed && counted > 0)
        buffer->concealed_frames += counted < run ? (uint64_t)counted : run;
}

static void commit_arrived(jitter_buffer *buffer, uint32_t run) {
    if (buffer->in_gap) {
        buffer->in_gap = 0;
        buffer->gap_end = buffer->done;
        buffer->primed = 1;
    }
    int64_t fading = buffer->gap_end + CROSSFADE_FRAMES - buffer->done;
    if (fading < 0) fading = 0;
    if (fading > run) fading = run;
    concealment *gap = buffer->gap;
    float level = 1; /* where the sound itself begins at 0 */
    if (lasts(buffer, gap, buffer->gap_end)) {
        level = buffer->gain[slot(buffer, buffer->gap_end - 1)];
        if (fading > 0) predict_upto(buffer, gap, buffer->done + fading);
    }
    for (int64_t at = buffer->done; at < buffer->done + fading; at++) {
        float in = rise(at - buffer->gap_end, CROSSFADE_FRAMES);
        buffer->gain[slot(buffer, at)] = level + (1 - level) * in;
        for (uint32_t c = 0; c < buffer->channels; c++) {
            float *x = &archibald_jitter_plane(buffer, c)[slot(buffer, at)];
            *x = *x * in + concealed(buffer, gap, c, at) * (1 - in);
        }
    }
    for (int64_t at = buffer->done + fading; at < buffer->done + run; at++)
        buffer->gain[slot(buffer, at)] = 1;
    set_valid(buffer, buffer->done, run, 0);
}

/* Conceals what is missing of frames [done, ahead) and leaves it open: the next
 * commit takes what has come by then, or the same prediction. */
static void conceal_speculatively(jitter_buffer *buffer, int64_t ahead) {
    if (!buffer->in_gap) {
        speculate(buffer);
        buffer->predicted++;
    }
    concealment *with = buffer->in_gap ? buffer->gap : buffer->speculative;
    for (int64_t at = buffer->done; at < ahead;) {
        int valid;
        uint32_t run = run_length(buffer, at, (uint32_t)(ahead - at), &valid);
        if (!valid) conceal(buffer, with, at, run);
        at += run;
    }
    fade_out(buffer, with->start, buffer->done, ahead);
}

void archibald_jitter_commit(jitter_buffer *buffer, int64_t upto, int64_t ahead,
                             uint32_t count_limit) {
    while (buffer->done < ahead) {
        int64_t left = ahead - buffer->done;
        uint32_t limit = left < buffer->frames ? (uint32_t)left : buffer->frames;
        int valid;
        uint32_t run = run_length(buffer, buffer->done, limit, &valid);
        if (valid) {
            commit_arrived(buffer, run);
        } else if (buffer->done < upto) {
            if (run > upto - buffer->done) run = (uint32_t)(upto - buffer->done);
            commit_missing(buffer, run, count_limit);
        } else {
            conceal_speculatively(buffer, ahead);
            return;
        }
        buffer->done += run;
    }
}

void archibald_jitter_skip(jitter_buffer *buffer, int64_t upto) {
    if (upto - buffer->done >= buffer->frames - HISTORY_FRAMES) {
        archibald_jitter_reset(buffer, upto);
        return;
    }
    /* What lies further back is never read again. */
    const int64_t readable = upto - HISTORY_FRAMES;
    while (buffer->done < upto) {
        int valid;
        uint32_t run = run_length(buffer, buffer->done, (uint32_t)(upto - buffer->done), &valid);
        const int64_t end = buffer->done + run;
        const int64_t from = buffer->done > readable ? buffer->done : readable;
        const uint32_t frames = end > from ? (uint32_t)(end - from) : 0;
        if (valid) {
            set_valid(buffer, buffer->done, run, 0);
            for (uint32_t i = 0; i < frames; i++) buffer->gain[slot(buffer, from + i)] = 1;
            buffer->in_gap = 0;
            buffer->primed = 1;
            buffer->gap_end = buffer->done - CROSSFADE_FRAMES;
        } else {
            for (uint32_t c = 0; c < buffer->channels; c++)
                clear(buffer, archibald_jitter_plane(buffer, c), from, frames);
            clear(buffer, buffer->gain, from, frames);
            silent_before(buffer, end);
        }
        buffer->done += run;
    }
}

void archibald_jitter_seam(jitter_buffer *buffer) {
    if (!buffer->in_gap) begin_gap(buffer); /* of no frames */
}

/* Copies the frames before one place to before another; the two may overlap. */
static void move(const jitter_buffer *buffer, float *plane, int64_t from, int64_t to,
                 uint32_t frames) {
    const int up = slot(buffer, to - from) < buffer->frames / 2;
    while (frames > 0) { /* a run that wraps at neither place: the last one left, or the first */
        const int64_t back = up ? 1 : frames;
        const uint32_t source = slot(buffer, from - back), target = slot(buffer, to - back);
        const uint32_t low = source < target ? source : target;
        const uint32_t high = source < target ? target : source;
        uint32_t run = up ? low + 1 : buffer->frames - high;
        if (run > frames) run = frames;
        const uint32_t first = up ? run - 1 : 0; /* of the run, behind these two */
        memmove(plane + target - first, plane + source - first, run * sizeof *plane);
        if (up) {
            from -= run;
            to -= run;
        }
        frames -= run;
    }
}

void archibald_jitter_jump(jitter_buffer *buffer, int64_t to) {
    const int64_t from = buffer->done, by = to - from;
    const uint32_t window = buffer->frames - HISTORY_FRAMES; /* as archibald_jitter_accepts */
    if (by == 0) return;
    archibald_jitter_seam(buffer);
    if (by >= window || by <= -(int64_t)window)
        memset(buffer->valid, 0, buffer->frames / 8);
    else if (by > 0)
        set_valid(buffer, from, (uint32_t)by, 0);
    else
        set_valid(buffer, to + window, (uint32_t)-by, 0);
    /* A gap that began fade_frames ago reads as much before its start. */
    const uint32_t twice = 2 * buffer->fade_frames;
    const uint32_t frames = twice > PREDICT_HISTORY ? twice : PREDICT_HISTORY;
    for (uint32_t c = 0; c < buffer->channels; c++)
        move(buffer, archibald_jitter_plane(buffer, c), from, to, frames);
    move(buffer, buffer->gain, from, to, frames);
    buffer->done = to;
    buffer->gap->start += by;
    buffer->gap_end += by;
    buffer->speculative->start += by;
    if (buffer->next_fit != INT64_MIN) buffer->next_fit += by;
}

void archibald_jitter_copy(const jitter_buffer *buffer, uint32_t channel, int64_t from, float *out,
                           uint32_t frames) {
    const float *plane = archibald_jitter_plane(buffer, channel), *gain = buffer->gain;
    while (frames > 0) {
        uint32_t at = slot(buffer, from), n = buffer->frames - at;
        if (n > frames) n = frames;
        for (uint32_t i = 0; i < n; i++) out[i] = plane[at + i] * gain[at + i];
        out += n;
        from += n;
        frames -= n;
    }
}
