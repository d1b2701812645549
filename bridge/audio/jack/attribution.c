#include "attribution.h"

enum {
    BLOCK_FRAMES = 65536
}; /* an age is forgotten after one or two blocks: 1.4 to 2.7 s at 48 kHz */

/* Keeps the least age of the cycles that came in their turn. */
static void learn(struct archibald_jack_attribution *attribution, uint32_t age_frames,
                  uint32_t frames) {
    if (attribution->block_frames == 0 || age_frames < attribution->block_least_frames)
        attribution->block_least_frames = age_frames;
    if (age_frames < attribution->least_frames) attribution->least_frames = age_frames;
    attribution->block_frames += frames;
    if (attribution->block_frames >= BLOCK_FRAMES) {
        attribution->least_frames = attribution->block_least_frames;
        attribution->block_frames = 0;
    }
}

uint64_t archibald_jack_attribute_cycle(struct archibald_jack_attribution *attribution,
                                        uint64_t server, uint64_t played, uint32_t age_frames,
                                        uint32_t frames) {
    const uint64_t ahead = server - attribution->frame, before = server - frames;
    const int was_corrected = attribution->corrected;

    /* Never twice in a row: if playout always comes after us, one cycle that was
     * really missed must not leave the number behind for good. */
    attribution->corrected = !was_corrected && ahead == 2 * (uint64_t)frames &&
                             (played == before || age_frames < attribution->least_frames);
    if (ahead == frames && !was_corrected) learn(attribution, age_frames, frames);
    attribution->frame = attribution->corrected ? before : server;
    return attribution->frame;
}
