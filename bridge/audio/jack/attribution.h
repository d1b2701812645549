/* Which cycle the capture callback is in.
 *
 * The server tells only which cycle is its newest. Where it begins a cycle late, by
 * most of a period, the next one begins while the graph is still at work on this one:
 * the capture callback, the last of the chain, then runs with the sound of the one and
 * the number of the other, and a moment later again, for the other. Sent so, the first
 * sound stands a period too late and the second is taken for a repeat of it: both are
 * lost, at any latency.
 *
 * It shows in that two callbacks are two cycles apart, and that the newer one cannot
 * have come as far as to us: playout, which the server wakes itself, has not begun
 * with it, or it is younger than any was lately that came to us in its turn. */
#ifndef ARCHIBALD_JACK_ATTRIBUTION_H
#define ARCHIBALD_JACK_ATTRIBUTION_H

#include <stdint.h>

/* Written and read by capture's process thread alone. All zero: no cycle yet. */
struct archibald_jack_attribution {
    uint64_t frame; /* of the newest cycle taken */
    /* how old a cycle was when it came here: the least of this block and of the one before;
     * 0: not known yet */
    uint32_t least_frames;
    uint32_t block_least_frames; /* the least of this block */
    uint32_t block_frames;       /* how long this block is */
    int corrected;               /* the newest was the one before the server's */
};

/* The frame time of the cycle whose sound is there. server: that of the server's
 * newest cycle; played: that of the newest one which playout has begun; age_frames:
 * how old the newest was just before server was read; frames: the period. */
uint64_t archibald_jack_attribute_cycle(struct archibald_jack_attribution *attribution,
                                        uint64_t server, uint64_t played, uint32_t age_frames,
                                        uint32_t frames);

#endif
