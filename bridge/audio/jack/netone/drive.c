/* What runs on the driving thread.
 *
 * It wakes once per cycle where all goes well: when the leader's packet is there. It then finds
 * that the cycle before has ended, tells the core so, lets it read the packet, and asks netone for
 * the next one. It need not be woken at the end of a cycle, unless something waits for that: a
 * packet that came before, or the timer where no packets come. Then capture wakes it. netone's
 * answers are read on the way. */
#define _GNU_SOURCE /* ppoll, recvmmsg, gettid */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "drive.h"

enum {
    ANSWERS = 8, /* that are read at once */
    /* Readings of the socket between two cycles. A period has at most as many packets; what a
     * flood brings beyond waits for the timer, or this thread would never sleep. */
    MOST_READINGS = 64,
    /* After so many periods in which the core started nothing, the graph gets cycles all the same,
     * one per period. The core makes up its own earlier; it starts none while it is not told to
     * follow. */
    PATIENCE_PERIODS = 6,
};

static int64_t monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void archibald_netone_captured(void *arg) {
    struct archibald_netone_drive *drive = arg;
    const uint64_t once = 1;
    atomic_fetch_add(&drive->captured, 1);
    /* A count that is full already has woken the thread. */
    if (atomic_exchange(&drive->waits, 0) && write(drive->wake, &once, sizeof once) < 0) return;
}

/* Whether the end of the cycle that runs must wake this thread. */
static int waits_for_end(const struct archibald_netone_drive *drive) {
    return drive->running && (drive->held || drive->by_timer);
}

static int has_ended(const struct archibald_netone_drive *drive) {
    return drive->running && atomic_load(&drive->captured) != drive->mark;
}

/* Reads what netone answered since the last time. */
static void hear(struct archibald_netone_drive *drive) {
    uint32_t words[ANSWERS][archibald_netone_words];
    struct iovec parts[ANSWERS];
    struct mmsghdr messages[ANSWERS];

    memset(messages, 0, sizeof messages);
    for (int i = 0; i < ANSWERS; i++) {
        parts[i] = (struct iovec){words[i], sizeof words[i]};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int n = recvmmsg(drive->socket, messages, ANSWERS, MSG_DONTWAIT, NULL);
    uint64_t answers = atomic_load_explicit(&drive->answers, memory_order_relaxed);
    for (int i = 0; i < n; i++)
        if (archibald_netone_hear(&drive->netone, words[i], messages[i].msg_len)) answers++;
    atomic_store_explicit(&drive->answers, answers, memory_order_relaxed);
}

/* Asks netone for a cycle. A server that freewheels has stopped netone, and what is sent to it
 * would wait; one that is gone refuses the packet, or refused the one before. */
static void ask(struct archibald_netone_drive *drive) {
    uint32_t words[archibald_netone_words];

    hear(drive);
    if (atomic_load_explicit(drive->freewheels, memory_order_relaxed)) return;
    if (archibald_netone_ask(&drive->netone, words))
        (void)send(drive->socket, words, sizeof words, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Starts the cycle that the core wants. */
static void start(struct archibald_netone_drive *drive, int by_timer, int64_t now_ns) {
    drive->running = 1;
    drive->by_timer = by_timer;
    drive->held = 0;
    drive->readings = 0;
    drive->mark = atomic_load(&drive->captured);
    drive->own_ns = now_ns + PATIENCE_PERIODS * drive->period_ns;
    ask(drive);
}

static int follow(struct archibald_netone_drive *drive, enum archibald_follow_why why,
                  int64_t now_ns) {
    return drive->follow(drive->engine, why, now_ns, &drive->wake_ns);
}

/* Whether the core wants a cycle now. What happened is told in the order in which it did. */
static int wanted(struct archibald_netone_drive *drive, int readable, int64_t now_ns) {
    if (has_ended(drive)) {
        drive->running = drive->held = 0;
        if (follow(drive, archibald_follow_done, now_ns)) return 1;
    }
    if (readable) {
        if (follow(drive, archibald_follow_readable, now_ns)) return 1;
        drive->held = drive->running || ++drive->readings >= MOST_READINGS;
    }
    if (now_ns >= drive->wake_ns) {
        drive->held = 0;
        drive->readings = 0;
        return follow(drive, archibald_follow_timer, now_ns);
    }
    return 0;
}

/* Waits for a packet, the end of the cycle if something waits for that, or the time that is due.
 * Returns whether the socket has something. */
static int await(struct archibald_netone_drive *drive) {
    struct pollfd fds[] = {{.fd = drive->wake, .events = POLLIN},
                           {.fd = drive->held ? -1 : drive->media, .events = POLLIN}};
    int64_t due_ns = drive->own_ns;
    if (drive->follow && drive->wake_ns < due_ns) due_ns = drive->wake_ns;
    int64_t left_ns = due_ns - monotonic_ns();

    atomic_store(&drive->waits, (uint32_t)waits_for_end(drive));
    if (left_ns < 0 || (waits_for_end(drive) && has_ended(drive))) left_ns = 0;
    const struct timespec left = {left_ns / 1000000000, left_ns % 1000000000};
    if (ppoll(fds, 2, &left, NULL) <= 0) return 0;
    if (fds[0].revents) {
        uint64_t times;
        if (read(drive->wake, &times, sizeof times) < 0) return fds[1].revents != 0;
    }
    return fds[1].revents != 0;
}

void *archibald_netone_thread(void *arg) {
    struct archibald_netone_drive *drive = arg;

    atomic_store_explicit(&drive->thread_id, gettid(), memory_order_relaxed);
    drive->wake_ns = drive->own_ns = monotonic_ns();
    while (!atomic_load_explicit(&drive->quit, memory_order_relaxed)) {
        const int readable = await(drive);
        const int64_t now_ns = monotonic_ns();
        if (drive->follow && wanted(drive, readable, now_ns)) {
            start(drive, !readable, now_ns);
        } else if (now_ns >= drive->own_ns) {
            /* Of one absolute time, or each late wake-up would make the pace slower. */
            const int stood_still = now_ns - drive->own_ns > PATIENCE_PERIODS * drive->period_ns;
            drive->own_ns = (stood_still ? now_ns : drive->own_ns) + drive->period_ns;
            ask(drive);
        }
    }
    return NULL;
}
