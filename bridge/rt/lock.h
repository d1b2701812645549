/* The locked mode: one end's cycles (the leader's) drive the other end's graph (the
 * follower's). A part of core.h, which alone includes it. follow.c says when the
 * follower's graph runs, locked.c what is played at either end.
 */
#ifndef ARCHIBALD_LOCK_H
#define ARCHIBALD_LOCK_H

enum lock { LOCK_NONE = 0, LOCK_LEADS = 1, LOCK_FOLLOWS = 2 };

enum {
    /* Of a leader, remembered: 85 ms at a period of 16 frames. A later answer is nobody's. */
    SENT_CYCLES = 256
};

/* No cycle was asked for. */
#define CYCLE_NONE INT64_MIN

/* The newest cycles that a leader sent. Capture writes: the slot (relaxed), then count
 * (release). Playout and whoever holds engine.reading read: count (acquire), then a slot
 * (relaxed). A slot is written again SENT_CYCLES cycles later: no reader takes so long. */
typedef struct {
    _Atomic uint64_t count; /* cycles so far: the nth is in slot n % SENT_CYCLES */
    struct {
        _Atomic uint64_t graph_frame; /* the graph's number of the cycle */
        _Atomic uint32_t timestamp;   /* of its first frame */
    } slot[SENT_CYCLES];
} sent_cycles;

/* What a follower's receiver knows of the leader's cycles; whoever holds engine.reading. */
typedef struct {
    int joined;   /* the follower knows this receiver */
    int marked;   /* a packet with the marker came, and the follower has not seen it yet: */
    int64_t mark; /* where its cycle begins */
    int mark_gap; /* packets are missing before it ... */
    int gap;      /* ... and behind it */
} leader_cycles;

/* When a follower's graph runs. */
enum follow_state {
    FOLLOW_ALONE, /* no packets, or none yet: the timer starts made-up cycles */
    FOLLOW_LED    /* the leader's packets start the cycles */
};

typedef struct {
    /* control writes (release), all threads of the graph read (acquire): the rate in Hz in
     * the upper 32 bits, the frames of a period in the lower; 0: this end does not follow */
    _Atomic uint64_t graph;

    /* The cycle that was started, by the media time of the leader's cycle that drives it, or
     * CYCLE_NONE. The thread of archibald_follow writes (release) before it says start;
     * playout and capture each take theirs by exchange (acquire), so that each plays or
     * sends a cycle once, in either order or both at once, and a cycle that nobody was told
     * to start is nothing. */
    _Atomic int64_t to_play, to_send;
    /* when it began; written by the same thread (relaxed, before to_send), read by capture
     * (relaxed, after it took to_send) */
    _Atomic int64_t cycle_ns;

    /* the thread of archibald_follow only */
    uint64_t made_for; /* value of graph that the rest belongs to */
    enum follow_state state;
    int running;           /* a cycle was started and has not ended */
    int known;             /* next is a time of the leader's */
    int more;              /* the socket may hold more than was read */
    int64_t next;          /* media time of the leader's cycle that is to run next */
    int64_t began_ns;      /* when the newest cycle was started */
    int64_t alone_ns;      /* FOLLOW_ALONE: when the first cycle was due ... */
    uint64_t alone_cycles; /* ... and how many there have been */
} follow_machine;

#endif
