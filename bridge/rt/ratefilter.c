/* The resampler's filter between different rates.
 *
 * Between equal rates all that matters is what a listener can hear of it. Between
 * different ones two more things happen: sampling a stream more often makes images of its
 * sound above half of its rate, and sampling it less often folds what it has above half of
 * the graph's rate back as aliases. Both are to stay below -100 dB, and both are one
 * filter: it passes what lies below 0.4 of the lower rate and stops what lies above half of
 * it. docs/decisions/0019-two-rates.md has the figures.
 *
 * It is symmetric, so nothing that passes is moved in time. Its half length is latency, and
 * is given. The kernel is a sum of cosines under a Hann window, which ends without a step.
 * Their weights have the least error over frequency, where passing matters little: 0.1 dB
 * is allowed there. All of this is in frames of the lower rate: one kernel serves
 * every pair of rates that has the same half length.
 */
#include "core.h"

#include <math.h>
#include <string.h>

enum {
    HALF = 21,                 /* frames of the lower rate before and after, at the most */
    TERMS = HALF + 2,          /* cosines */
    STEPS = 10,                /* frequencies looked at from one cosine's to the next ... */
    POINTS = 4 * HALF * STEPS, /* ... and so many of them: up to twice the lower rate */
    ROUNDS = 3,                /* of making the largest errors smaller */
    LEAST_PHASES = 64          /* of a stream's frame, however short that is */
};

#define PASSED_UPTO 0.4 /* of the lower rate */
#define PASSING 1e-3    /* how much an error matters there, beside one where sound is stopped */
#define TRANSITION 0.1  /* of the lower rate, of a kernel of HALF; of a shorter one it is wider */

/* Its frames of the lower rate before and after: what may be added to the look-ahead between
 * equal rates is 0.5 ms. */
static uint32_t half_length(uint32_t low_hz) {
    const uint32_t half = LOOKAHEAD + low_hz / 2000;
    return half < HALF ? half : HALF;
}

static double sinc(double x) { return fabs(x) < 1e-9 ? 1 : sin(M_PI * x) / (M_PI * x); }

/* What the cosines under their window have at a frequency, for the weight 1 each. */
static void spectrum(uint32_t half, double frequency, double at[TERMS]) {
    const double x = 2 * frequency * half;
    double line[TERMS + 2]; /* of a cosine without a window; the first is of the one at -1 */
    for (int k = 0; k < TERMS + 2; k++) line[k] = sinc(x - (k - 1)) + sinc(x + (k - 1));
    for (int k = 0; k < TERMS; k++)
        at[k] = half * (line[k + 1] / 2 + (line[k] + line[k + 2]) / 4);
}

/* Solves a symmetric system (Cholesky); x is its right side, and then the solution. */
static void solve(double a[TERMS][TERMS], double x[TERMS]) {
    for (int i = 0; i < TERMS; i++) {
        for (int j = 0; j <= i; j++) {
            for (int k = 0; k < j; k++) a[i][j] -= a[i][k] * a[j][k];
            a[i][j] = i == j ? sqrt(a[i][j]) : a[i][j] / a[j][j];
        }
        for (int k = 0; k < i; k++) x[i] -= a[i][k] * x[k];
        x[i] /= a[i][i];
    }
    for (int i = TERMS - 1; i >= 0; i--) {
        for (int k = i + 1; k < TERMS; k++) x[i] -= a[k][i] * x[k];
        x[i] /= a[i][i];
    }
}

/* The cosines' weights: at first those of the least squared error. Then what is off by more
 * counts more, and all again (C. L. Lawson, 1961): the largest error falls by 6 dB. */
static void design(uint32_t half, double weight[TERMS]) {
    const double stopped_from = PASSED_UPTO + TRANSITION * HALF / half;
    double counts[POINTS];
    for (int i = 0; i < POINTS; i++) counts[i] = 1;
    for (int round = 0; round <= ROUNDS; round++) {
        double normal[TERMS][TERMS] = {{0}}, at[TERMS], fitted[TERMS];
        memcpy(fitted, weight, sizeof fitted);
        memset(weight, 0, TERMS * sizeof *weight);
        for (int i = 0; i < POINTS; i++) {
            const double frequency = i / (2.0 * half * STEPS);
            const int passed = frequency <= PASSED_UPTO;
            if (!passed && frequency < stopped_from) continue;
            spectrum(half, frequency, at);
            if (round > 0) {
                double error = passed ? -1 : 0;
                for (int k = 0; k < TERMS; k++) error += fitted[k] * at[k];
                counts[i] *= 1e-9 + fabs(error) * (passed ? PASSING : 1);
            }
            const double square = counts[i] * (passed ? PASSING * PASSING : 1);
            for (int r = 0; r < TERMS; r++) {
                for (int c = 0; c <= r; c++) normal[r][c] += square * at[r] * at[c];
                if (passed) weight[r] += square * at[r];
            }
        }
        solve(normal, weight);
    }
}

/* The kernel at a time in frames of the lower rate. Clenshaw's sum of cosines. */
static double kernel(uint32_t half, const double weight[TERMS], double time) {
    if (fabs(time) >= half) return 0;
    const double turn = cos(M_PI * time / half);
    double next = 0, after = 0;
    for (int k = TERMS - 1; k > 0; k--) {
        const double sum = weight[k] + 2 * turn * next - after;
        after = next;
        next = sum;
    }
    return (1 + turn) / 2 * (weight[0] + turn * next - after);
}

void archibald_resampler_shape(resampler *shape, uint32_t stream_hz, uint32_t graph_hz) {
    shape->taps = TAPS;
    shape->lookahead = LOOKAHEAD;
    shape->phases = PHASES;
    if (stream_hz != graph_hz) {
        const uint32_t low_hz = stream_hz < graph_hz ? stream_hz : graph_hz;
        shape->lookahead = (half_length(low_hz) * stream_hz + low_hz - 1) / low_hz;
        shape->taps = (2 * shape->lookahead + 3) / 4 * 4;
        while (shape->phases > LEAST_PHASES && shape->phases / 2 * stream_hz >= PHASES * low_hz)
            shape->phases /= 2;
    }
    shape->lookbehind = shape->taps - 1 - shape->lookahead;
}

void archibald_ratefilter_init(resampler *table, uint32_t stream_hz, uint32_t graph_hz) {
    const uint32_t low_hz = stream_hz < graph_hz ? stream_hz : graph_hz;
    const uint32_t half = half_length(low_hz);
    const double frame = (double)low_hz / stream_hz; /* of the stream, in those of low_hz */
    double weight[TERMS];
    design(half, weight);
    for (uint32_t p = 0; p <= table->phases; p++) {
        const double position = table->lookbehind + (double)p / table->phases;
        float *row = table->row + (size_t)p * table->taps;
        for (uint32_t i = 0; i < table->taps; i++)
            row[i] = (float)(frame * kernel(half, weight, (i - position) * frame));
    }
}
