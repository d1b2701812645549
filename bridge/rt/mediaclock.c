/* The media clock: frames of graph time, counted so that time the graph lost is
 * not lost from the count. RTP timestamps and the playout position both follow
 * it, so an xrun on either side leaves the latency where it was.
 *
 * Two kinds of lost time. A client that missed cycles sees the graph's frame
 * counter jump: exact, taken as it is. A server that re-anchored after an xrun
 * (jackd2's dummy driver) counts one period for whatever time went by: only the
 * time of the cycle shows it, and so does a late wake-up, which loses nothing.
 * They differ in the cycle after: a late wake-up is followed by an early one, a
 * caught-up burst by cycles each a period less late, lost time by the same
 * lateness again.
 *
 * How much is lost shows only as well as those wake-ups are punctual: never less
 * than it is. The earliest wake-up of the 20 ms after tells better, against
 * the earliest ones before. It also tells what is too little to be seen at once: a
 * server that comes a period and a bit too late loses just the bit.
 */
#include "core.h"

#include <math.h>

enum {
    DLL_BANDWIDTH_MILLIHERTZ = 200,
    /* How long cycles must be equally late to be believed: two wake-ups in a row
     * that are late by chance are common at a period of 32 frames. */
    CONFIRM_MICROSECONDS = 2000,
    BLOCKS_PER_SECOND = 2,
    /* A server that lost time wakes up late for a while after it. */
    REFINE_PER_SECOND = 50,   /* 20 ms ... */
    REFINE_CYCLES = 8,        /* ... and at least this many cycles */
    LEAST_SURPLUS_FRAMES = 1, /* less is not worth a second cross-fade */
    LEAST_LOST_FRAMES = 4     /* less may be wake-ups that are all late for a while */
};

int64_t archibald_nominal_ns(uint64_t frames, uint32_t rate_hz) {
    return (int64_t)(frames / rate_hz * 1000000000u + frames % rate_hz * 1000000000u / rate_hz);
}

static void publish(media_clock *clock) {
    uint64_t cycle_ns = (uint64_t)clock->cycle_ns; /* unsigned: a frame counter may wrap */
    uint64_t origin_ns =
        cycle_ns - (uint64_t)archibald_nominal_ns(clock->graph_frame, clock->rate_hz);
    atomic_store_explicit(&clock->origin_ns, (int64_t)origin_ns, memory_order_release);
    atomic_store_explicit(&clock->offset, clock->media - (int64_t)clock->graph_frame,
                          memory_order_release);
}

void archibald_media_clock_reset(media_clock *clock, uint32_t rate_hz) {
    clock->rate_hz = rate_hz;
    clock->nominal_ns_per_frame = 1e9 / rate_hz;
    clock->ns_per_frame = clock->nominal_ns_per_frame;
    clock->started = 0;
    /* media stays: the next cycle continues it by the time that went by */
    atomic_store_explicit(&clock->origin_ns, CLOCK_STOPPED, memory_order_release);
    atomic_store_explicit(&clock->offset, CLOCK_STOPPED, memory_order_release);
}

static void begin_block(media_clock *clock) {
    clock->earliest_ns = INFINITY;
    clock->block_frames = clock->block_cycles = 0;
}

/* Estimates the loss again, from the cycles that follow. */
static void begin_refining(media_clock *clock) {
    clock->refining = clock->have_floor;
    begin_block(clock);
}

/* Keeps the earliest wake-ups. Returns how many frames more were lost than was
 * taken for it: negative when there were fewer, mostly 0. */
static int64_t refine(media_clock *clock, double late_ns, int64_t advance) {
    if (late_ns < clock->earliest_ns) clock->earliest_ns = late_ns;
    clock->block_frames += (uint32_t)advance;
    clock->block_cycles++;
    const uint32_t per_second = clock->refining ? REFINE_PER_SECOND : BLOCKS_PER_SECOND;
    if (clock->block_frames < clock->rate_hz / per_second || clock->block_cycles < REFINE_CYCLES)
        return 0;
    double lost = 0;
    if (clock->refining) {
        lost = (clock->earliest_ns - clock->floor_ns) / clock->ns_per_frame;
        clock->refining = 0;
    } else {
        clock->floor_ns = clock->earliest_ns;
        clock->have_floor = 1;
    }
    begin_block(clock);
    return lost <= -LEAST_SURPLUS_FRAMES || lost >= LEAST_LOST_FRAMES ? llrint(lost) : 0;
}

static void start(media_clock *clock, uint64_t graph_frame, uint32_t frames, int64_t cycle_ns) {
    if (clock->cycle_ns != 0 && cycle_ns > clock->cycle_ns)
        clock->media += llrint((double)(cycle_ns - clock->cycle_ns) / clock->nominal_ns_per_frame);
    clock->dll_ns = (double)cycle_ns;
    clock->late_ns = 0;
    clock->late_frames = 0;
    clock->ns_per_frame = clock->nominal_ns_per_frame;
    clock->graph_frame = graph_frame;
    clock->frames = frames;
    clock->cycle_ns = cycle_ns;
    clock->started = 1;
    clock->have_floor = clock->refining = 0;
    begin_block(clock);
    publish(clock);
}

int64_t archibald_media_clock_update(media_clock *clock, uint64_t graph_frame, uint32_t frames,
                                     int64_t cycle_ns) {
    int64_t advance = (int64_t)(graph_frame - clock->graph_frame);
    double limit = 1e10 / clock->nominal_ns_per_frame; /* 10 s: another graph */
    if (clock->started && advance == 0 &&
        cycle_ns - clock->cycle_ns < archibald_nominal_ns(clock->frames, clock->rate_hz) / 2) {
        /* The cycle before came so late that the server's counter was one further. */
        begin_refining(clock);
        return -(int64_t)clock->frames;
    }
    if (!clock->started || advance <= 0 || (double)advance > limit) {
        int64_t media = clock->media, was = clock->frames;
        int first = !clock->started;
        start(clock, graph_frame, frames, cycle_ns);
        return first ? 0 : clock->media - media - was;
    }
    double span_ns = (double)advance * clock->ns_per_frame;
    double dll_ns = clock->dll_ns + span_ns;
    double late_ns = (double)cycle_ns - dll_ns;
    double period_ns = (double)frames * clock->ns_per_frame;
    int64_t lost = 0;
    /* The first cycle after one that was late is not on the new grid yet. */
    int dropped = clock->late_frames && clock->late_ns - late_ns >= 0.5 * period_ns;
    if (dropped) begin_refining(clock);
    if (late_ns <= 0.75 * period_ns) {
        clock->late_frames = 0;
    } else if (clock->late_frames == 0 || fabs(late_ns - clock->late_ns) >= 0.5 * period_ns) {
        clock->late_frames = 1;
        clock->least_late_ns = INFINITY; /* for the same reason */
    } else {
        clock->late_frames += (uint32_t)advance;
        if (late_ns < clock->least_late_ns) clock->least_late_ns = late_ns;
        if (clock->late_frames * clock->ns_per_frame >= CONFIRM_MICROSECONDS * 1e3) {
            lost = llrint(clock->least_late_ns / clock->ns_per_frame);
            clock->late_frames = 0;
            begin_refining(clock);
        }
    }
    if (!lost && !dropped) lost = refine(clock, late_ns, advance);
    dll_ns += (double)lost * clock->ns_per_frame;
    late_ns -= (double)lost * clock->ns_per_frame;
    /* DLL of second order (Adriaensen, "Using a DLL to filter time"), its error
     * bounded so that one late wake-up hardly moves it; a cycle that may turn
     * out to be lost time, or after lost time, does not move it at all. */
    double error_ns = clock->late_frames || clock->refining ? 0 : late_ns,
           bound_ns = 0.25 * period_ns;
    if (error_ns > bound_ns) error_ns = bound_ns;
    if (error_ns < -bound_ns) error_ns = -bound_ns;
    double w = 2 * M_PI * DLL_BANDWIDTH_MILLIHERTZ * 1e-3 * span_ns * 1e-9;
    if (w > 0.5) w = 0.5;
    clock->ns_per_frame += w * w * error_ns / (double)advance;
    double low_rate = 0.999 * clock->nominal_ns_per_frame;
    double high_rate = 1.001 * clock->nominal_ns_per_frame;
    if (clock->ns_per_frame < low_rate) clock->ns_per_frame = low_rate;
    if (clock->ns_per_frame > high_rate) clock->ns_per_frame = high_rate;
    clock->dll_ns = dll_ns + M_SQRT2 * w * error_ns;
    clock->late_ns = late_ns;

    int64_t skipped = advance - clock->frames + lost;
    clock->media += advance + lost;
    clock->graph_frame = graph_frame;
    clock->frames = frames;
    clock->cycle_ns = cycle_ns;
    publish(clock);
    return skipped;
}
