/* The jitter buffer and its prediction: a part of core.h, which alone includes
 * it. All of it belongs to whoever holds engine.reading.
 */
#ifndef ARCHIBALD_JITTER_H
#define ARCHIBALD_JITTER_H

enum {
    PREDICTED_CHANNELS = 8, /* of a stream; in a gap the others are mirrored */
    PREDICT_ORDER = 48,     /* coefficients; a multiple of 8 */
    PREDICT_HISTORY = 512,  /* frames they are fitted to */
    PREDICT_SPACING = 32,   /* least distance in frames of two fits: bounds their share of a CPU */
    MAX_CONCEALED = 1920    /* frames until concealment is silent: 10 ms at 192 kHz */
};

/* predict.c: how the newest frames of a channel would go on. ----------------- */

typedef struct {
    float noise[PREDICT_HISTORY], weight[PREDICT_HISTORY];     /* constant */
    float history[PREDICT_HISTORY];                            /* the frames to fit to */
    float forward[PREDICT_HISTORY], backward[PREDICT_HISTORY]; /* prediction errors: scratch */
} predictor;

void archibald_predictor_init(predictor *work);
/* Fits coefficients to work->history, after scaling it to a peak of 1. Returns
 * the peak it had: 0 when it was silent, and will be. */
float archibald_predict_fit(predictor *work, float *coefficient);
/* sound begins with PREDICT_ORDER known frames; appends frames to them. All are
 * in units of the history's peak: within -1 and 1. */
void archibald_predict_run(const float *coefficient, float *sound, uint32_t frames);

/* jitter.c: frames of one stream, indexed by stream time. -------------------- */

/* How the sound before a gap goes on. */
typedef struct {
    int64_t start;     /* the first missing frame */
    uint32_t channels; /* that are predicted; the others are mirrored */
    uint32_t frames;   /* predicted so far */
    float peak[PREDICTED_CHANNELS];
    float coefficient[PREDICTED_CHANNELS][PREDICT_ORDER];           /* the oldest frame's first */
    float sound[PREDICTED_CHANNELS][PREDICT_ORDER + MAX_CONCEALED]; /* as of predict_run */
} concealment;

typedef struct {
    uint32_t frames, channels, fade_frames;
    uint32_t mask;
    float *samples;  /* channels planes of frames, at their full level */
    float *gain;     /* that they are played at */
    uint64_t *valid; /* one bit per frame: arrived, not committed yet */
    float *fade;     /* fade_frames: the gain in a gap: held, then falling to 0 */
    predictor *work;
    int64_t done;             /* every frame before this one is committed: final */
    concealment *gap;         /* of the gap that done lies in, or just left */
    concealment *speculative; /* of the gap that would begin at done, when it starts there */
    int64_t next_fit;         /* no prediction is fitted to a gap that starts earlier */
    int64_t gap_end;          /* gap->start <= gap_end; a cross-fade follows it */
    int in_gap, primed;       /* primed: a real frame was committed since the reset */
    uint64_t concealed_frames, dropouts;
    uint64_t predicted; /* commits that concealed speculatively, with no gap before */
} jitter_buffer;

void archibald_jitter_reset(jitter_buffer *buffer, int64_t start);
/* Which part of frames [media, media + frames) may still be stored. */
typedef struct {
    uint32_t skip, count; /* skip leading frames, which come too late, then count frames */
    uint32_t outside;     /* trailing frames too far ahead */
} jitter_span;
jitter_span archibald_jitter_accepts(const jitter_buffer *buffer, int64_t media, uint32_t frames);
/* How many frames from media on have arrived, at most limit. */
uint32_t archibald_jitter_arrived(const jitter_buffer *buffer, int64_t media, uint32_t limit);
float *archibald_jitter_plane(const jitter_buffer *buffer, uint32_t channel);
void archibald_jitter_mark(jitter_buffer *buffer, int64_t media, uint32_t frames);
/* Makes every frame before upto final; missing ones are concealed. Frames from
 * there up to ahead can be read too: arrived ones are final, in place of a
 * missing one stands a prediction until it comes. */
void archibald_jitter_commit(jitter_buffer *buffer, int64_t upto, int64_t ahead,
                             uint32_t count_limit);
/* Makes frames before upto final without concealing: they will not be played. */
void archibald_jitter_skip(jitter_buffer *buffer, int64_t upto);
/* What comes next does not go on from what was played last: it is cross-faded with how that
 * goes on, as behind a gap. */
void archibald_jitter_seam(jitter_buffer *buffer);
/* Goes on at another frame, before or behind, after what was played last: the sound up to
 * here, and a gap that it ends in, move along. There is a seam. Frames that this passes
 * over are not played any more. */
void archibald_jitter_jump(jitter_buffer *buffer, int64_t to);
void archibald_jitter_copy(const jitter_buffer *buffer, uint32_t channel, int64_t from, float *out,
                           uint32_t frames);

#endif
