/* Which cycle the capture callback is in.
 *
 * The server tells only which cycle is its newest. When it begins a cycle late, by
 * most of a period, the next cycle begins while the graph still works on this one.
 * The capture callback is the last of the chain: it then runs with the sound of this
 * cycle and the number of the next one. A moment later it runs again, for the next one.
 * If both were sent like that, the first sound would have a timestamp that is a period
 * too late, and the second would be taken for its repeat: both would be lost, at any
 * latency.
 *
 * We detect this by two signs. Two callbacks are two cycles apart; and the newer cycle
 * cannot have reached us yet. Either playout, which the server wakes itself, has not
 * begun with it, or it is younger than every recent cycle that reached us in order. */
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
