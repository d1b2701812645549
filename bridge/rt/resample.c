/* Polyphase interpolator: phases of some taps, linear between phases. Where stream and
 * graph have one rate it is this file's design of TAPS taps and PHASES phases, else that of
 * ratefilter.c.
 *
 * Each frame read past the position is latency, so the position lies late in
 * the taps, and each phase is designed for its place: the fractional delay with
 * the least weighted squared error (Laakso, Valimaki, Karjalainen, Laine:
 * "Splitting the unit delay", IEEE Signal Processing Magazine 13(1), 1996). A
 * position on a whole frame is passed bit for bit. docs/decisions/0007-resampler.md
 */
#include "core.h"
#include "four.h"

#include <math.h>

/* How much an error counts, from the edge before to this one (a share of the
 * rate; at 48 kHz 11.8, 16.2 and 24 kHz). The last weight is there so that
 * nothing near the Nyquist frequency is amplified. */
static const struct { double edge, weight; } bands[] = {{0.245, 1}, {0.337, 0.29}, {0.5, 1.4e-8}};
enum { BANDS = sizeof bands / sizeof *bands };

/* The correlation of two delays that lie x frames apart: the cosine of x,
 * integrated over the weighted bands. */
static double correlation(double x) {
    double sum = 0;
    for (int b = 0; b < BANDS; b++) {
        double beyond = b + 1 < BANDS ? bands[b + 1].weight : 0;
        double turn = 2 * M_PI * bands[b].edge * x;
        double sinc = turn == 0 ? 1 : sin(turn) / turn;
        sum += (bands[b].weight - beyond) * 2 * bands[b].edge * sinc;
    }
    return sum;
}

/* The lower triangle of the taps' correlation matrix, Cholesky's: the same for
 * all phases. */
static void factorise(double lower[TAPS][TAPS]) {
    for (int i = 0; i < TAPS; i++)
        for (int j = 0; j <= i; j++) {
            double rest = correlation(i - j);
            for (int k = 0; k < j; k++) rest -= lower[i][k] * lower[j][k];
            lower[i][j] = i == j ? sqrt(rest) : rest / lower[j][j];
        }
}

enum { LOOKBEHIND = TAPS - 1 - LOOKAHEAD };

void archibald_resampler_init(resampler *table) {
    double lower[TAPS][TAPS];
    factorise(lower);
    for (int p = 0; p <= PHASES; p++) {
        double tap[TAPS], position = LOOKBEHIND + (double)p / PHASES;
        for (int i = 0; i < TAPS; i++) {
            tap[i] = correlation(i - position);
            for (int k = 0; k < i; k++) tap[i] -= lower[i][k] * tap[k];
            tap[i] /= lower[i][i];
        }
        for (int i = TAPS - 1; i >= 0; i--) {
            for (int k = i + 1; k < TAPS; k++) tap[i] -= lower[k][i] * tap[k];
            tap[i] /= lower[i][i];
        }
        const int whole = p % PHASES == 0; /* exactly 1 and 0, whatever rounding left */
        for (int i = 0; i < TAPS; i++)
            table->row[p * TAPS + i] = whole ? i == position : (float)tap[i];
    }
}

/* The sums of four vectors' elements. */
static inline four sums(four a, four b, four c, four d) {
    four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5) + __builtin_shufflevector(a, b, 2, 6, 3, 7);
    four cd = __builtin_shufflevector(c, d, 0, 4, 1, 5) + __builtin_shufflevector(c, d, 2, 6, 3, 7);
    return __builtin_shufflevector(ab, cd, 0, 1, 4, 5) +
           __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
}

static inline four products(const four *tap, const float *in, uint32_t fours) {
    four sum = tap[0] * load(in);
    for (uint32_t j = 1; j < fours; j++) sum += tap[j] * load(in + 4 * j);
    return sum;
}

/* Sets the taps for a position; returns its integer part. */
static inline uint32_t taps_at(const resampler *table, double position, four *tap, uint32_t fours,
                               uint32_t phases) {
    uint32_t whole = (uint32_t)position;
    double phase = (position - (double)whole) * phases;
    uint32_t p = (uint32_t)phase;
    float between = (float)(phase - (double)p);
    const float *row = table->row + (size_t)p * 4 * fours;
    for (uint32_t j = 0; j < fours; j++) {
        const four low = load(row + 4 * j), high = load(row + 4 * (fours + j));
        tap[j] = low + between * (high - low);
    }
    return whole;
}

/* tap has room for the taps of four outputs. fours and phases are the table's: constants
 * where a caller knows them, so that the compiler makes a loop for these. */
static inline __attribute__((always_inline)) void
run(const resampler *table, four *tap, uint32_t fours, uint32_t phases, const float *const *in,
    uint32_t channels, double fraction, double ratio, float *const *out, uint32_t frames) {
    for (uint32_t first = 0; first < frames; first += 4) {
        const uint32_t count = frames - first < 4 ? frames - first : 4;
        uint32_t whole[4];
        for (uint32_t i = 0; i < 4; i++) { /* past the end: the last frame again */
            uint32_t frame = first + (i < count ? i : count - 1);
            double position = fraction + (double)frame * ratio;
            whole[i] = taps_at(table, position, tap + i * fours, fours, phases);
        }
        for (uint32_t c = 0; c < channels; c++) {
            const float *x = in[c];
            four y = sums(products(tap, x + whole[0], fours),
                          products(tap + fours, x + whole[1], fours),
                          products(tap + 2 * fours, x + whole[2], fours),
                          products(tap + 3 * fours, x + whole[3], fours));
            if (count == 4)
                store(out[c] + first, y);
            else
                for (uint32_t i = 0; i < count; i++) out[c][first + i] = y[i];
        }
    }
}

void archibald_resampler_run(const resampler *table, const float *const *in, uint32_t channels,
                             double fraction, double ratio, float *const *out, uint32_t frames) {
    if (channels == 0) return; /* positions only: the simulator's day */
    if (table->taps == TAPS && table->phases == PHASES) {
        four tap[TAPS];
        run(table, tap, TAPS / 4, PHASES, in, channels, fraction, ratio, out, frames);
    } else {
        four tap[MAX_TAPS];
        run(table, tap, table->taps / 4, table->phases, in, channels, fraction, ratio, out, frames);
    }
}
