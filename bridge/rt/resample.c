/* Windowed-sinc polyphase interpolator: 24 taps, 1024 phases, linear between
 * phases. The cut-off is the Nyquist frequency, so that phase 0 is a single 1:
 * a position on a whole frame is passed bit for bit. Delay: LOOKAHEAD frames.
 */
#include "core.h"

#include <math.h>

/* Modified Bessel function of order 0, by its series (Abramowitz & Stegun 9.6.12). */
static double bessel_i0(double x) {
    double sum = 1, term = 1;
    for (int k = 1; k < 40; k++) {
        term *= (x / (2 * k)) * (x / (2 * k));
        sum += term;
    }
    return sum;
}

void resampler_init(resampler *table) {
    const double beta = 9.0, half = TAPS / 2.0;
    for (int p = 0; p <= PHASES; p++) {
        double row[TAPS], sum = 0, fraction = (double)p / PHASES;
        for (int j = 0; j < TAPS; j++) {
            double x = (double)(j - (LOOKAHEAD - 1)) - fraction; /* frames from the position */
            double u = x / half;
            double window = u * u < 1 ? bessel_i0(beta * sqrt(1 - u * u)) / bessel_i0(beta) : 0;
            double sinc = x == 0 ? 1 : sin(M_PI * x) / (M_PI * x);
            if (p == 0 || p == PHASES) sinc = x == 0 ? 1 : 0;
            row[j] = sinc * window;
            sum += row[j];
        }
        for (int j = 0; j < TAPS; j++) table->row[p][j] = (float)(row[j] / sum);
    }
}

void resampler_run(const resampler *table, const float *const *in, uint32_t channels,
                   double fraction, double ratio, float *const *out, uint32_t frames) {
    if (channels == 0) return; /* positions only: the simulator's day */
    for (uint32_t i = 0; i < frames; i++) {
        double at = fraction + (double)i * ratio;
        uint32_t whole = (uint32_t)at;
        double phase = (at - (double)whole) * PHASES;
        uint32_t p = (uint32_t)phase;
        float between = (float)(phase - (double)p);
        const float *low = table->row[p], *high = table->row[p + 1];
        float tap[TAPS];
        for (int j = 0; j < TAPS; j++) tap[j] = low[j] + between * (high[j] - low[j]);
        for (uint32_t c = 0; c < channels; c++) {
            const float *x = in[c] + whole;
            float part[4] = {0, 0, 0, 0}; /* four sums: the additions need not wait for each other */
            for (int j = 0; j < TAPS; j += 4)
                for (int k = 0; k < 4; k++) part[k] += tap[j + k] * x[j + k];
            out[c][i] = (part[0] + part[1]) + (part[2] + part[3]);
        }
    }
}
