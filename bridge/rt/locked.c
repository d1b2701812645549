/* What is played in the locked mode. A follower plays what the leader captured in the cycle
 * that drives its own, a leader the answer to one of its newest cycles: the follower's sound
 * with that cycle's timestamp. Nothing is queued, so no latency can grow: what has not come
 * in time is concealed, and played by nobody when it comes. It could not mend the cross-fade
 * behind the gap either: that begins with the sound that was heard.
 */
#include "core.h"

#include <string.h>

enum {
    /* A leader does not wait for a follower that sent nothing for so many periods: it is
     * gone, or its graph stands. */
    ANSWER_HOPE_PERIODS = 50,
    SEAM_CYCLES = 64 /* of which it is known whether one begins with a seam: bits of seams */
};

/* What a newer timestamp means is follow.c's to say. Here the buffer is put where it can
 * store the packet: at the first cycle, and where the leader's count goes elsewhere. */
void archibald_locked_arrived(archibald_receiver *receiver, enum arrival arrival, int next,
                              int marker, int64_t media, uint32_t frames) {
    leader_cycles *cycles = &receiver->cycles;
    jitter_buffer *buffer = &receiver->buffer;
    const int playing = atomic_load_explicit(&receiver->playing, memory_order_relaxed);
    if (arrival == BEHIND) {
        /* It was overtaken. Of a cycle that is still to come it tells what a packet in
         * order does. */
        if (marker && playing && !cycles->marked && media >= buffer->done) {
            cycles->marked = cycles->mark_gap = 1;
            cycles->mark = media;
        }
        return;
    }
    cycles->gap |= !next;
    if (!marker) return;
    cycles->mark_gap = (cycles->marked && cycles->mark_gap) || cycles->gap;
    cycles->gap = 0;
    cycles->marked = 1;
    cycles->mark = media;
    if (!playing) {
        if (receiver->muted) return;
        archibald_jitter_reset(buffer, media);
        atomic_store_explicit(&receiver->playing, 1, memory_order_relaxed);
    } else if (media < buffer->done || archibald_jitter_accepts(buffer, media, frames).outside) {
        archibald_jitter_jump(buffer, media);
    }
}

/* The follower marks an answer whose sound does not go on from the answer before: its timer
 * ran cycles between them. */
static uint64_t seam_bit(const archibald_receiver *receiver, int64_t media) {
    return 1ull << (uint64_t)media / receiver->plan.period_frames % SEAM_CYCLES;
}

static void note_seam(archibald_receiver *receiver, int64_t media, int marked) {
    receiver->seams &= ~seam_bit(receiver, media);
    if (marked) receiver->seams |= seam_bit(receiver, media);
}

/* The stream of the answers counts the leader's cycles, not its media clock: where the leader
 * lost time or takes some back, no answer is lost and none is missing. */
int archibald_locked_answer(archibald_receiver *receiver, receive_counters *count,
                            uint32_t timestamp, int next, int marker, int64_t *media) {
    const sent_cycles *sent = receiver->sent;
    const uint64_t cycles = atomic_load_explicit(&sent->count, memory_order_acquire);
    for (uint64_t i = 1; i < SENT_CYCLES && i <= cycles; i++) {
        const uint64_t cycle = cycles - i;
        const uint32_t within =
            timestamp -
            atomic_load_explicit(&sent->slot[cycle % SENT_CYCLES].timestamp, memory_order_relaxed);
        if (within >= receiver->plan.period_frames) continue;
        if (next && receiver->have_answer && cycle > receiver->newest_answer + 1)
            COUNT(count->left_out, cycle - receiver->newest_answer - 1);
        if (cycle > receiver->newest_answer || !receiver->have_answer)
            receiver->newest_answer = cycle;
        receiver->have_answer = 1;
        *media = (int64_t)(cycle * receiver->plan.period_frames + within);
        if (within == 0) note_seam(receiver, *media, marker);
        return 1;
    }
    return 0;
}

int archibald_locked_whole(const archibald_receiver *receiver, int64_t media, uint32_t frames) {
    return media >= receiver->buffer.done &&
           archibald_jitter_arrived(&receiver->buffer, media, frames) == frames;
}

/* The newest cycle that was sent before this one, or the one before that. Where there is no
 * new one, because the leader's own graph left one out, the position stays where it is, and
 * what would be played is missing. */
int archibald_locked_seek(archibald_receiver *receiver, uint64_t graph_frame) {
    const sent_cycles *sent = receiver->sent;
    uint64_t count = atomic_load_explicit(&sent->count, memory_order_acquire);
    /* JACK may run both callbacks of a cycle at once: this cycle's own is no answer. */
    if (count > 0 && atomic_load_explicit(&sent->slot[(count - 1) % SENT_CYCLES].graph_frame,
                                          memory_order_relaxed) == graph_frame)
        count--;
    const uint32_t periods = receiver->plan.answer_periods;
    if (!receiver->have_sequence || receiver->muted || count < periods ||
        count - periods < receiver->answered)
        return 0;
    receiver->answered = count - periods + 1;
    const uint64_t cycle = count - periods;
    const int64_t media = (int64_t)(cycle * receiver->plan.period_frames);
    if (atomic_exchange_explicit(&receiver->playing, 1, memory_order_relaxed))
        archibald_jitter_jump(&receiver->buffer, media);
    else
        archibald_jitter_reset(&receiver->buffer, media);
    return 1;
}

static int is_there(const archibald_receiver *receiver, int64_t now_ns) {
    const receive_plan *plan = &receiver->plan;
    const uint64_t hope = (uint64_t)ANSWER_HOPE_PERIODS * plan->period_frames;
    return now_ns - receiver->newest_ns <= archibald_nominal_ns(hope, plan->rate_hz);
}

int64_t archibald_locked_wait_until(const archibald_receiver *receiver, int64_t cycle_ns,
                                    int64_t now_ns) {
    const receive_plan *plan = &receiver->plan;
    if (!is_there(receiver, now_ns)) return 0;
    return (cycle_ns < now_ns ? cycle_ns : now_ns) + plan->most_wait_ns;
}

/* Lets the sound of a cycle fall to silence. */
static void fade_out(const archibald_receiver *receiver, float *out, uint32_t frames) {
    const uint32_t fade = frames < CROSSFADE_FRAMES ? frames : CROSSFADE_FRAMES;
    for (uint32_t i = 0; i < fade; i++)
        out[i] *= 1 - receiver->fade_in[i * CROSSFADE_FRAMES / fade];
    memset(out + fade, 0, (frames - fade) * sizeof(float));
}

int archibald_locked_play(archibald_receiver *receiver, receive_counters *count,
                          observation_ring *ring, float *const *out, uint32_t channels,
                          uint32_t frames, int64_t position, int64_t media, int64_t cycle_ns) {
    jitter_buffer *buffer = &receiver->buffer;
    const uint32_t used = channels < receiver->plan.channels ? channels : receiver->plan.channels;
    const uint64_t concealed = buffer->concealed_frames;
    const int whole = archibald_locked_whole(receiver, position, frames);
    const int64_t command =
        atomic_exchange_explicit(&receiver->command, COMMAND_NONE, memory_order_acquire);
    const int playing = atomic_load_explicit(&receiver->playing, memory_order_relaxed);
    observation record = {.kind = OBSERVED_CYCLE,
                          .frames = frames,
                          .time_ns = cycle_ns,
                          .media = media,
                          .position = position,
                          .ratio = 1,
                          .playing = (uint32_t)playing};
    archibald_observation_push(ring, &record);
    for (uint32_t c = playing ? used : 0; c < channels; c++)
        memset(out[c], 0, frames * sizeof(float));
    if (command == COMMAND_MUTE) receiver->muted = 1;
    if (playing) {
        archibald_jitter_jump(buffer, position);
        if (receiver->seams & seam_bit(receiver, position)) archibald_jitter_seam(buffer);
        note_seam(receiver, position, 0);
        archibald_jitter_commit(buffer, position + frames, position + frames,
                                receiver->plan.rate_hz);
        for (uint32_t c = 0; c < used; c++) {
            archibald_jitter_copy(buffer, c, position, out[c], frames);
            if (receiver->muted) fade_out(receiver, out[c], frames);
        }
        if (receiver->muted) atomic_store_explicit(&receiver->playing, 0, memory_order_relaxed);
    }
    for (uint32_t c = 0; c < used; c++) archibald_peak_update(&count->peak_bits[c], out[c], frames);
    archibald_receiver_tell(receiver, count);
    /* Concealed frames are counted for one second only, as for a stream that ended. A peer that
     * sends, but always too late, is missed all the same. */
    const int missed = playing && !whole && buffer->primed && is_there(receiver, cycle_ns);
    return buffer->concealed_frames == concealed && !missed;
}
