/* Finds the time a JACK server has lost. jackd2's dummy driver starts again
 * after an xrun, at any moment, while its frame counter counts one period: a
 * tone made from the frame counter alone would hide that sound stood still. */
#ifndef ARCHIBALD_JACKPROBE_GRID_H
#define ARCHIBALD_JACKPROBE_GRID_H

#include <math.h>
#include <stdint.h>

struct grid {
    double anchor_ns;      /* when the cycle at anchor_frame ought to have begun */
    uint32_t anchor_frame; /* frame time of the last cycle */
    double late_before_ns; /* last cycle's lateness if above half a period, else 0 */
    int started;
};

/* Returns the frames lost before this cycle. A cycle that is late alone is a
 * late wake-up, and cycles that catch up are late by less each time; two
 * successive ones late by the same amount, above half a period, mean that the
 * server's grid itself has moved, by the smaller of the two. */
static inline uint32_t grid_lost(struct grid *grid, uint32_t frame_time, uint32_t frames,
                                 int64_t now_ns, double rate) {
    double half_period_ns = 0.5e9 * frames / rate;
    double late_ns, lost_ns;
    if (!grid->started) {
        grid->started = 1;
        grid->anchor_ns = (double)now_ns;
        grid->anchor_frame = frame_time;
        return 0;
    }
    grid->anchor_ns += 1e9 / rate * (uint32_t)(frame_time - grid->anchor_frame);
    grid->anchor_frame = frame_time;
    late_ns = (double)now_ns - grid->anchor_ns;
    if (late_ns <= half_period_ns) {
        /* Follow the earliest wake-ups at once and a slow clock gently. */
        grid->anchor_ns += late_ns < 0 ? late_ns : late_ns / 64;
        grid->late_before_ns = 0;
        return 0;
    }
    if (grid->late_before_ns == 0 || fabs(late_ns - grid->late_before_ns) > half_period_ns) {
        grid->late_before_ns = late_ns;
        return 0;
    }
    lost_ns = fmin(late_ns, grid->late_before_ns);
    grid->anchor_ns += lost_ns;
    grid->late_before_ns = 0;
    return (uint32_t)llround(lost_ns * rate / 1e9);
}

#endif
