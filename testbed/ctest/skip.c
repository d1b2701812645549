/* jitter_skip and jitter_jump, which work on whole runs of frames and leave alone what is not
 * read again, against what they mean frame by frame. */
#include "../../bridge/rt/core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void skip_by_frames(jitter_buffer *buffer, int64_t upto) {
    int before = -1;
    if (upto - buffer->done >= buffer->frames - HISTORY_FRAMES) {
        archibald_jitter_reset(buffer, upto);
        return;
    }
    for (; buffer->done < upto; buffer->done++) {
        const uint32_t at = (uint32_t)buffer->done & buffer->mask;
        const int valid = (int)(buffer->valid[at / 64] >> at % 64 & 1);
        buffer->gain[at] = (float)valid;
        if (valid) {
            buffer->valid[at / 64] &= ~(1ull << at % 64);
            buffer->in_gap = 0;
            buffer->primed = 1;
            if (before != 1) buffer->gap_end = buffer->done - CROSSFADE_FRAMES;
        } else {
            for (uint32_t c = 0; c < buffer->channels; c++)
                archibald_jitter_plane(buffer, c)[at] = 0;
            buffer->in_gap = 1;
            buffer->gap->start = buffer->done + 1 - buffer->fade_frames;
        }
        before = valid;
    }
}

/* The gain is the last one. */
static float *plane_of(const jitter_buffer *buffer, uint32_t plane) {
    return plane < buffer->channels ? archibald_jitter_plane(buffer, plane) : buffer->gain;
}

static void require(int condition, const char *what, int round) {
    if (condition) return;
    fprintf(stderr, "skip: round %d: %s differs\n", round, what);
    exit(1);
}

static void compare(const jitter_buffer *a, const jitter_buffer *b, int round) {
    for (int64_t frame = a->done - HISTORY_FRAMES; frame < a->done; frame++) {
        const uint32_t at = (uint32_t)frame & a->mask;
        require(a->gain[at] == b->gain[at], "gain", round);
        for (uint32_t c = 0; c < a->channels; c++)
            require(archibald_jitter_plane(a, c)[at] == archibald_jitter_plane(b, c)[at], "sound",
                    round);
    }
    require(memcmp(a->valid, b->valid, a->frames / 8) == 0, "what has arrived", round);
    require(a->done == b->done && a->in_gap == b->in_gap && a->primed == b->primed, "state", round);
    require(a->gap_end == b->gap_end && a->gap->start == b->gap->start, "gap", round);
}

/* Frames arrive in runs of 1 to 400, with gaps as long between them. */
static void arrive(jitter_buffer *both[2]) {
    const int64_t first = both[0]->done, last = first + both[0]->frames - HISTORY_FRAMES;
    for (int64_t at = first + rand() % 400; at < last; at += rand() % 400) {
        uint32_t n = 1 + (uint32_t)rand() % 400;
        if (n > last - at) n = (uint32_t)(last - at);
        for (uint32_t i = 0; i < n; i++)
            for (int k = 0; k < 2; k++)
                for (uint32_t c = 0; c < both[k]->channels; c++)
                    archibald_jitter_plane(both[k], c)[(uint32_t)(at + i) & both[k]->mask] =
                        (float)((at + i) % 1000 + 1);
        for (int k = 0; k < 2; k++) archibald_jitter_mark(both[k], at, n);
        at += n;
    }
}

/* The sound before done, and its gain, are the same before the place that it jumps to. */
static void jump(jitter_buffer *buffer, int64_t to, int round) {
    enum { MOVED = 2 * 480 }; /* frames: twice what concealment lasts at 48 kHz */
    const int64_t from = buffer->done;
    static float before[4][MOVED];
    for (uint32_t plane = 0; plane <= buffer->channels; plane++)
        for (int64_t i = 0; i < MOVED; i++)
            before[plane][i] = plane_of(buffer, plane)[(uint32_t)(from - 1 - i) & buffer->mask];
    archibald_jitter_jump(buffer, to);
    require(buffer->done == to, "the place of a jump", round);
    for (uint32_t plane = 0; plane <= buffer->channels; plane++)
        for (int64_t i = 0; i < MOVED; i++)
            require(plane_of(buffer, plane)[(uint32_t)(to - 1 - i) & buffer->mask] ==
                        before[plane][i],
                    "the sound before a jump", round);
}

/* Distances of which the moved frames overlap, up or down, and any others. */
static int64_t distance(const jitter_buffer *buffer) {
    const int most = rand() % 2 ? 1000 : 2 * (int)buffer->frames;
    return rand() % (2 * most) - most;
}

int main(void) {
    enum { ROUNDS = 300 };
    archibald_engine *engine = archibald_engine_new(-1);
    if (!engine) return 1;
    const receive_plan plan = {
        .encoding = WIRE_F32, .payload_type = 96, .channels = 3, .rate_hz = 48000,
        .graph_hz = 48000};
    archibald_receiver *a = archibald_receiver_new(&plan, engine->table);
    archibald_receiver *b = archibald_receiver_new(&plan, engine->table);
    if (!a || !b) return 1;
    jitter_buffer *both[2] = {&a->buffer, &b->buffer};
    for (int round = 0; round < ROUNDS; round++) {
        arrive(both);
        const int64_t upto = both[0]->done + 1 + rand() % (int)(both[0]->frames);
        archibald_jitter_skip(both[0], upto);
        skip_by_frames(both[1], upto);
        compare(both[0], both[1], round);
    }
    for (uint32_t plane = 0; plane <= plan.channels; plane++)
        for (uint32_t i = 0; i < both[0]->frames; i++) plane_of(both[0], plane)[i] = (float)rand();
    for (int round = 0; round < ROUNDS; round++)
        jump(both[0], both[0]->done + distance(both[0]), round);
    archibald_receiver_free(a);
    archibald_receiver_free(b);
    archibald_engine_free(engine);
    printf("%d skips and jumps, the same by runs and by frames\n", ROUNDS);
    return 0;
}
