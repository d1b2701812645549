/* Short-term prediction: how a sound goes on, judged by how it went. Burg's
 * method (J. Burg, 1975) fits an all-pole filter to the newest frames by the
 * errors of predicting them forwards and backwards; the filter then runs on
 * without input. It is stable but for rounding, and bounded besides.
 *
 * Two things make it fit for music (figures in docs/decisions/0008): noise at
 * -50 dB is mixed in first, since a filter that explains a clean tone down to
 * the rounding is a wild one and not even accurate; and the errors are weighted
 * by a Hann window, since the pitch found would otherwise depend on the phase.
 */
#include "core.h"
#include "four.h"

#include <math.h>
#include <string.h>

static inline float sum(four x) { return (x[0] + x[1]) + (x[2] + x[3]); }

#define NOISE 3e-3     /* RMS, of the peak: -50 dB */
#define SILENT 1e-9f   /* a peak of -180 dBFS */
#define NOTHING 1e-15f /* what decays further becomes 0: no arithmetic on denormals */

void archibald_predictor_init(predictor *work) {
    uint32_t random = 1;
    for (int i = 0; i < PREDICT_HISTORY; i++) {
        random = random * 1664525u + 1013904223u; /* Knuth, TAOCP 3.3.4 */
        work->noise[i] = (float)(NOISE * sqrt(3) * ((random >> 8) / (double)(1 << 23) - 1));
        work->weight[i] = (float)(0.5 - 0.5 * cos(2 * M_PI * (i + 0.5) / PREDICT_HISTORY));
    }
}

/* The reflection coefficient that leaves the least error; 0 when there is none.
 * What the last frames that do not fill the lanes add weighs next to nothing. */
static float reflection(const float *forward, const float *backward, const float *weight,
                        uint32_t frames) {
    four product[2] = {0}, energy[2] = {0};
    for (uint32_t i = 0; i + 8 <= frames; i += 8)
        for (int j = 0; j < 2; j++) {
            four f = load(forward + i + 4 * j), b = load(backward + i + 4 * j);
            four w = load(weight + i + 4 * j);
            product[j] += w * f * b;
            energy[j] += w * (f * f + b * b);
        }
    float energies = sum(energy[0] + energy[1]);
    return energies > 0 ? 2 * sum(product[0] + product[1]) / energies : 0;
}

/* The errors of a filter of one order more. */
static void lattice(float *restrict forward, float *restrict backward, float k, uint32_t frames) {
    uint32_t i = 0;
    for (; i + 4 <= frames; i += 4) {
        four f = load(forward + i), b = load(backward + i);
        store(forward + i, f - k * b);
        store(backward + i, b - k * f);
    }
    for (; i < frames; i++) {
        float f = forward[i], b = backward[i];
        forward[i] = f - k * b;
        backward[i] = b - k * f;
    }
}

float archibald_predict_fit(predictor *work, float *coefficient) {
    float peak = 0;
    for (int i = 0; i < PREDICT_HISTORY; i++) {
        float size = fabsf(work->history[i]);
        peak = size > peak ? size : peak;
    }
    memset(coefficient, 0, PREDICT_ORDER * sizeof *coefficient);
    if (peak < SILENT) {
        memset(work->history, 0, sizeof work->history);
        return 0;
    }
    for (int i = 0; i < PREDICT_HISTORY; i++) {
        work->history[i] /= peak;
        work->forward[i] = work->backward[i] = work->history[i] + work->noise[i];
    }
    float ahead[PREDICT_ORDER]; /* the newest frame's first */
    for (uint32_t m = 0; m < PREDICT_ORDER; m++) {
        float *forward = work->forward + m + 1, *backward = work->backward;
        const uint32_t frames = PREDICT_HISTORY - 1 - m;
        const float k = reflection(forward, backward, work->weight + (m + 1) / 2, frames);
        lattice(forward, backward, k, frames);
        for (uint32_t i = 0; i < (m + 1) / 2; i++) { /* Levinson's recursion, from both ends */
            float low = ahead[i], high = ahead[m - 1 - i];
            ahead[i] = low - k * high;
            ahead[m - 1 - i] = high - k * low;
        }
        ahead[m] = k;
    }
    for (int i = 0; i < PREDICT_ORDER; i++) coefficient[i] = ahead[PREDICT_ORDER - 1 - i];
    return peak;
}

void archibald_predict_run(const float *coefficient, float *sound, uint32_t frames) {
    for (uint32_t n = 0; n < frames; n++) {
        const float *past = sound + n;
        four part[2] = {0}; /* two sums: the additions need not wait for each other */
        for (int i = 0; i < PREDICT_ORDER; i += 8)
            for (int j = 0; j < 2; j++)
                part[j] += load(coefficient + i + 4 * j) * load(past + i + 4 * j);
        float next = sum(part[0] + part[1]);
        next = next > 1 ? 1 : next;
        next = next < -1 ? -1 : next;
        sound[PREDICT_ORDER + n] = fabsf(next) < NOTHING ? 0 : next;
    }
}
