/* When the graph of a follower runs: one cycle for each of the leader's, in their order and
 * never two at once, so that both graphs count the same.
 *
 *   state          a cycle starts when                          and leaves it when
 *   FOLLOW_LED     its packets are all there; or a later        no cycle could be started for
 *                  packet shows that some of them are lost,     PATIENCE_PERIODS: alone
 *                  and it is made up
 *   FOLLOW_ALONE   the timer is due; its sound is made up       a whole cycle of the leader's
 *                  and nobody hears the answer: none is sent    is there: led
 *
 * Time and the packets read so far are all that decides: the same code runs on virtual time.
 */
#include "core.h"

enum {
    /* Periods since the newest cycle that packets started, after which the timer takes over.
     * A packet that is lost shows with the next one, after 2; 3 leaves that one a period to
     * be late in. More is silence in the follower's graph. */
    PATIENCE_PERIODS = 3,
    /* Periods after which a cycle is given up that was started and did not end: a client of
     * the graph hangs. Fewer would give up cycles that only one stall made late. */
    HUNG_PERIODS = 3,
    /* Cycles that are made up in a row where packets are lost. Made up at once, one behind
     * the other, they cost time of the graph; behind a longer gap the follower goes on where
     * the leader is. */
    MOST_MADE_UP = 8,
    /* Periods that a packet may have waited in the socket and still be run, for the same
     * reason: after a longer stall of this machine the follower goes on with what comes. */
    MOST_BEHIND_PERIODS = 8,
    /* Parts of a period after which it is looked again for packets that are already there. */
    SOON_PARTS = 8
};

/* Nanoseconds for which made-up cycles are counted: a leader that has gone makes no ever
 * longer list. */
#define COUNTED_ALONE_NS 1000000000ll

static uint32_t frames_of(const follow_machine *f) { return (uint32_t)f->made_for; }

static int64_t periods_ns(const follow_machine *f, uint64_t periods) {
    return archibald_nominal_ns(periods * frames_of(f), (uint32_t)(f->made_for >> 32));
}

static void begin(follow_machine *f, int64_t to_play, int64_t to_send, int64_t now_ns) {
    f->running = 1;
    f->began_ns = now_ns;
    if (f->known) f->next += frames_of(f);
    atomic_store_explicit(&f->to_play, to_play, memory_order_release);
    atomic_store_explicit(&f->cycle_ns, now_ns, memory_order_relaxed);
    atomic_store_explicit(&f->to_send, to_send, memory_order_release);
}

int archibald_follow_woken(follow_machine *f, receive_counters *count,
                           enum archibald_follow_why why, int64_t now_ns, int64_t *wake_ns) {
    const uint64_t graph = atomic_load_explicit(&f->graph, memory_order_acquire);
    if (graph != f->made_for) {
        f->made_for = graph;
        f->state = FOLLOW_ALONE;
        f->running = f->known = 0;
        f->alone_ns = now_ns;
        f->alone_cycles = 0;
        atomic_store_explicit(&f->to_play, CYCLE_NONE, memory_order_release);
        atomic_store_explicit(&f->to_send, CYCLE_NONE, memory_order_release);
    }
    f->more = 0;
    if (graph == 0) {
        *wake_ns = now_ns + 1000000000ll;
        return 0;
    }
    if (f->running && why != archibald_follow_done) {
        const int64_t hung_ns = f->began_ns + periods_ns(f, HUNG_PERIODS);
        if (now_ns < hung_ns) {
            *wake_ns = hung_ns;
            return 0;
        }
        COUNT(count->given_up, 1);
    }
    f->running = 0;
    return 1;
}

/* Takes a marker that came: where the leader's next cycle begins. Where numbers are missing
 * before it, it stays until the cycles between are made up. */
static void take_mark(follow_machine *f, leader_cycles *cycles, int whole) {
    const int64_t ahead = cycles->mark - f->next, frames = frames_of(f);
    if (f->known && f->state == FOLLOW_LED && ahead > 0 &&
        (whole || (cycles->mark_gap && ahead >= frames && ahead <= MOST_MADE_UP * frames)))
        return;
    f->known = 1;
    f->next = cycles->mark;
    cycles->marked = 0;
}

int archibald_follow_decide(follow_machine *f, archibald_receiver *receiver,
                            receive_counters *count, int64_t now_ns) {
    const uint32_t frames = frames_of(f);
    if (!receiver || receiver->plan.lock != LOCK_FOLLOWS ||
        receiver->plan.period_frames != frames || receiver->muted) {
        f->known = 0;
        return 0;
    }
    leader_cycles *cycles = &receiver->cycles;
    if (!cycles->joined) f->known = 0;
    cycles->joined = 1;
    if (cycles->marked)
        take_mark(f, cycles, f->known && archibald_locked_whole(receiver, f->next, frames));
    if (!f->known) return 0;
    const int whole = archibald_locked_whole(receiver, f->next, frames);
    if (whole && now_ns - receiver->newest_ns > periods_ns(f, MOST_BEHIND_PERIODS)) {
        COUNT_SHARED(count->skips, 1);
        COUNT_SHARED(count->skipped_frames, frames);
        f->next += frames;
        return 0;
    }
    const int later = cycles->marked || receiver->newest_media >= f->next + frames;
    if (!whole && (f->state == FOLLOW_ALONE || !later)) return 0;
    if (!whole) COUNT(count->made_up, 1);
    f->state = FOLLOW_LED;
    begin(f, f->next, f->next, now_ns);
    return 1;
}

uint32_t archibald_follow_wanted(const follow_machine *f, const archibald_receiver *receiver) {
    const uint32_t frames = frames_of(f);
    if (!receiver) return BATCH;
    if (!f->known || receiver->spacing == 0) return 1;
    const uint32_t there = archibald_jitter_arrived(&receiver->buffer, f->next, frames);
    const uint32_t wanted = (frames - there) / receiver->spacing;
    return wanted > 0 ? wanted : 1;
}

int archibald_follow_end(follow_machine *f, receive_counters *count, int started, int64_t now_ns,
                         int64_t *wake_ns) {
    if (!started && f->state == FOLLOW_LED) {
        const int64_t until_ns = f->began_ns + periods_ns(f, PATIENCE_PERIODS);
        if (now_ns >= until_ns) {
            f->state = FOLLOW_ALONE;
            f->alone_ns = until_ns;
            f->alone_cycles = 0;
            COUNT(count->takeovers, 1);
        }
        *wake_ns = until_ns;
    }
    if (!started && f->state == FOLLOW_ALONE) {
        /* Each due time counts from the first: rounded ones would add up. */
        if (now_ns - f->alone_ns - periods_ns(f, f->alone_cycles) >
            periods_ns(f, MOST_BEHIND_PERIODS)) {
            f->alone_ns = now_ns;
            f->alone_cycles = 0;
        }
        *wake_ns = f->alone_ns + periods_ns(f, f->alone_cycles);
        if (now_ns >= *wake_ns) {
            f->alone_cycles++;
            if (f->known && periods_ns(f, f->alone_cycles) <= COUNTED_ALONE_NS)
                COUNT(count->made_up, 1);
            begin(f, f->known ? f->next : CYCLE_NONE, CYCLE_NONE, now_ns);
            started = 1;
        }
    }
    if (started)
        *wake_ns = f->began_ns + periods_ns(f, HUNG_PERIODS);
    else if (f->more && *wake_ns > now_ns + periods_ns(f, 1) / SOON_PARTS)
        *wake_ns = now_ns + periods_ns(f, 1) / SOON_PARTS;
    if (*wake_ns <= now_ns) *wake_ns = now_ns + 1;
    return started;
}
