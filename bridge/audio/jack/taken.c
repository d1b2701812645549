#include "taken.h"

enum { BLOCK_FRAMES = 65536 }; /* an age is forgotten after one or two blocks: 1.4 to 2.7 s at 48 kHz */

/* Keeps the least age of the cycles that came in their turn. */
static void learn(struct archibald_jack_taken *taken, uint32_t age_frames, uint32_t frames)
{
    if (taken->block_frames == 0 || age_frames < taken->block_least_frames)
        taken->block_least_frames = age_frames;
    if (age_frames < taken->least_frames)
        taken->least_frames = age_frames;
    taken->block_frames += frames;
    if (taken->block_frames >= BLOCK_FRAMES) {
        taken->least_frames = taken->block_least_frames;
        taken->block_frames = 0;
    }
}

uint64_t archibald_jack_take_cycle(struct archibald_jack_taken *taken, uint64_t server, uint64_t played,
                                   uint32_t age_frames, uint32_t frames)
{
    const uint64_t ahead = server - taken->frame, before = server - frames;
    const int was_corrected = taken->corrected;

    /* Never twice in a row: if from-host always comes after us, one cycle that was
     * really missed must not leave the number behind for good. */
    taken->corrected = !was_corrected && ahead == 2 * (uint64_t)frames &&
                       (played == before || age_frames < taken->least_frames);
    if (ahead == frames && !was_corrected)
        learn(taken, age_frames, frames);
    taken->frame = taken->corrected ? before : server;
    return taken->frame;
}
