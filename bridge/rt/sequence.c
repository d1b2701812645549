/* Which packet of the stream one is, and which are lost: RFC 3550, appendix A.1. */
#include "core.h"

#include <string.h>

/* No more copies of this packet are expected. One that came, but not as often
 * as agreed, is one that repetition kept. */
static void settle(archibald_receiver *receiver, receive_counters *count, uint32_t sequence) {
    uint8_t came = receiver->copies[sequence % SEEN_SEQUENCES];
    if (came > 0 && came <= receiver->plan.repeats &&
        (int32_t)(sequence - receiver->first_sequence) >= 0)
        COUNT(count->recovered, 1);
}

/* Moves the highest sequence number ahead and settles what is now far enough behind it. The
 * numbers that are skipped never came: there is nothing to settle among them. */
static void advance_to(archibald_receiver *receiver, receive_counters *count, uint32_t ahead) {
    const uint32_t first = receiver->highest_sequence + 1, settled = receiver->settled;
    const uint32_t steps = ahead < settled ? ahead : settled;
    if (receiver->plan.repeats > 0)
        for (uint32_t i = 0; i < steps; i++) settle(receiver, count, first + i - settled);
    const uint32_t at = first % SEEN_SEQUENCES, left = SEEN_SEQUENCES - at;
    const uint32_t part = left < ahead ? left : ahead;
    memset(receiver->copies + at, 0, part);
    memset(receiver->copies, 0, ahead - part);
    receiver->highest_sequence += ahead;
}

/* Whether a timestamp that is advance later fits a packet that is ahead packets further.
 * The sender's graph may have lost up to more frames. Packets may differ in length. */
static int fits(const archibald_receiver *receiver, int ahead, int64_t advance, int64_t more) {
    const int64_t frames = ahead * (int64_t)receiver->spacing;
    return advance > frames / 2 && advance <= 2 * frames + more;
}

/* Whether a timestamp is of the time from which packets may still come. */
static int behind(const archibald_receiver *receiver, int64_t advance) {
    return advance <= 0 && advance >= -2 * (int64_t)receiver->plan.rate_hz;
}

/* Whether a packet that is not the next one can be where it says it is: its timestamp
 * fits the sequence number and, as far as a network may keep packets, the time that has
 * passed. One that is wrong or forged would be a great loss, or make one good. */
static int plausible(const archibald_receiver *receiver, int ahead, int64_t advance,
                     int64_t arrival_ns) {
    if (ahead == 1) return 1; /* where the sender's graph lost time only the timestamp jumps */
    const int64_t second = receiver->plan.rate_hz;
    const int64_t passed = (arrival_ns - receiver->newest_ns) / 1000 * second / 1000000;
    if (ahead > 1) return fits(receiver, ahead, advance, INT32_MAX) && advance <= passed + second;
    return advance < 0 && behind(receiver, advance);
}

/* The one after a packet in doubt shows that it was right: bad_seq of appendix A.1. */
static int confirms(const archibald_receiver *receiver, uint16_t sequence, int64_t media) {
    const int32_t advance = (int32_t)((uint32_t)media - receiver->doubted_timestamp);
    return receiver->doubted && sequence == (uint16_t)(receiver->doubted_sequence + 1) &&
           advance > 0 && advance <= (int32_t)receiver->plan.rate_hz;
}

static void begin(archibald_receiver *receiver, uint16_t sequence) {
    memset(receiver->copies, 0, sizeof receiver->copies);
    receiver->have_sequence = 1;
    receiver->highest_sequence = (receiver->highest_sequence & 0xffff0000u) | sequence;
    receiver->first_sequence = receiver->highest_sequence;
    receiver->spacing = 0;
}

static enum arrival newest(archibald_receiver *receiver, uint16_t sequence, int64_t media,
                           int64_t arrival_ns) {
    receiver->copies[sequence % SEEN_SEQUENCES] = 1;
    receiver->newest_media = media;
    receiver->newest_ns = arrival_ns;
    return NEWEST;
}

enum arrival archibald_sequence_note(archibald_receiver *receiver, receive_counters *count,
                                     uint16_t sequence, int64_t media, int64_t arrival_ns) {
    const int ahead = (int16_t)(sequence - (uint16_t)receiver->highest_sequence);
    const int64_t advance = media - receiver->newest_media;
    uint8_t *copies = &receiver->copies[sequence % SEEN_SEQUENCES];
    if (!receiver->have_sequence) {
        begin(receiver, sequence);
        return newest(receiver, sequence, media, arrival_ns);
    }
    /* A sender that restarted may use a number that was seen, but not at that time. */
    if (ahead <= 0 && ahead > -SEEN_SEQUENCES && *copies > 0 && behind(receiver, advance)) {
        if (*copies <= receiver->plan.repeats)
            ++*copies;
        else
            COUNT(count->duplicate, 1);
        return AGAIN;
    }
    int restarted = ahead > MAX_DROPOUT || ahead <= -SEEN_SEQUENCES;
    if (!plausible(receiver, ahead, advance, arrival_ns)) {
        if (!confirms(receiver, sequence, media)) {
            COUNT(count->implausible, 1);
            receiver->doubted = 1;
            receiver->doubted_sequence = sequence;
            receiver->doubted_timestamp = (uint32_t)media;
            return DOUBTED;
        }
        /* After an outage that time alone does not explain the two still fit. */
        restarted |= ahead < 0 || !fits(receiver, ahead, advance, receiver->plan.rate_hz);
    }
    receiver->doubted = 0;
    if (restarted) {
        begin(receiver, sequence);
        return newest(receiver, sequence, media, arrival_ns);
    }
    if (ahead > 0) {
        advance_to(receiver, count, (uint32_t)ahead);
        if (ahead > 1)
            COUNT(count->lost, (uint64_t)ahead - 1);
        else if (advance > 0 && advance <= MAX_PERIOD_FRAMES)
            receiver->spacing = (uint32_t)advance;
        return newest(receiver, sequence, media, arrival_ns);
    }
    COUNT(count->reordered, 1);
    /* What came before the first packet was never counted as lost. */
    if ((int32_t)(receiver->highest_sequence + (uint32_t)ahead - receiver->first_sequence) > 0)
        COUNT(count->lost, -1ull);
    *copies = 1;
    return BEHIND;
}
