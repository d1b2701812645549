/* Which packet of the stream one is, and which are lost: RFC 3550, appendix A.1. */
#include "core.h"

#include <string.h>

/* No more copies of this packet are expected. One that came, but not as often
 * as agreed, is one that repetition kept. */
static void settle(receiver *rx, receive_counters *count, uint32_t sequence) {
    uint8_t came = rx->copies[sequence % SEEN_SEQUENCES];
    if (came > 0 && came <= rx->plan.repeats && (int32_t)(sequence - rx->first_sequence) >= 0)
        COUNT(count->recovered, 1);
}

/* Whether a timestamp that is so much later is that of so many packets further, up to
 * more frames lost by the sender's graph. Packets need not be of one length. */
static int fits(const receiver *rx, int ahead, int64_t advance, int64_t more) {
    const int64_t frames = ahead * (int64_t)rx->spacing;
    return advance > frames / 2 && advance <= 2 * frames + more;
}

/* Whether a timestamp is of the time from which packets may still come. */
static int behind(const receiver *rx, int64_t advance) {
    return advance <= 0 && advance >= -2 * (int64_t)rx->plan.rate_hz;
}

/* Whether a packet that is not the next one can be where it says it is: its timestamp
 * fits the sequence number and, as far as a network may keep packets, the time that has
 * passed. One that is wrong or forged would be a great loss, or make one good. */
static int plausible(const receiver *rx, int ahead, int64_t advance, int64_t arrival_ns) {
    if (ahead == 1) return 1; /* where the sender's graph lost time only the timestamp jumps */
    const int64_t second = rx->plan.rate_hz;
    const int64_t passed = (arrival_ns - rx->newest_ns) / 1000 * second / 1000000;
    if (ahead > 1) return fits(rx, ahead, advance, INT32_MAX) && advance <= passed + second;
    return advance < 0 && behind(rx, advance);
}

/* The one after a packet in doubt shows that it was right: bad_seq of appendix A.1. */
static int confirms(const receiver *rx, uint16_t sequence, int64_t media) {
    const int32_t advance = (int32_t)((uint32_t)media - rx->doubted_timestamp);
    return rx->doubted && sequence == (uint16_t)(rx->doubted_sequence + 1) && advance > 0 &&
           advance <= (int32_t)rx->plan.rate_hz;
}

static void begin(receiver *rx, uint16_t sequence) {
    memset(rx->copies, 0, sizeof rx->copies);
    rx->have_sequence = 1;
    rx->highest_sequence = (rx->highest_sequence & 0xffff0000u) | sequence;
    rx->first_sequence = rx->highest_sequence;
    rx->spacing = 0;
}

static enum arrival newest(receiver *rx, uint16_t sequence, int64_t media, int64_t arrival_ns) {
    rx->copies[sequence % SEEN_SEQUENCES] = 1;
    rx->newest_media = media;
    rx->newest_ns = arrival_ns;
    return NEWEST;
}

enum arrival sequence_note(receiver *rx, receive_counters *count, uint16_t sequence, int64_t media,
                           int64_t arrival_ns) {
    const int ahead = (int16_t)(sequence - (uint16_t)rx->highest_sequence);
    const int64_t advance = media - rx->newest_media;
    uint8_t *copies = &rx->copies[sequence % SEEN_SEQUENCES];
    if (!rx->have_sequence) {
        begin(rx, sequence);
        return newest(rx, sequence, media, arrival_ns);
    }
    /* The number of a sender that began anew may have been seen, too; its time was not. */
    if (ahead <= 0 && ahead > -SEEN_SEQUENCES && *copies > 0 && behind(rx, advance)) {
        if (*copies <= rx->plan.repeats)
            ++*copies;
        else
            COUNT(count->duplicate, 1);
        return AGAIN;
    }
    int anew = ahead > MAX_DROPOUT || ahead <= -SEEN_SEQUENCES;
    if (!plausible(rx, ahead, advance, arrival_ns)) {
        if (!confirms(rx, sequence, media)) {
            COUNT(count->implausible, 1);
            rx->doubted = 1;
            rx->doubted_sequence = sequence;
            rx->doubted_timestamp = (uint32_t)media;
            return DOUBTED;
        }
        /* After an outage that time alone does not explain the two still fit. */
        anew |= ahead < 0 || !fits(rx, ahead, advance, rx->plan.rate_hz);
    }
    rx->doubted = 0;
    if (anew) {
        begin(rx, sequence);
        return newest(rx, sequence, media, arrival_ns);
    }
    if (ahead > 0) {
        for (int i = 1; i <= ahead; i++) {
            uint32_t s = ++rx->highest_sequence;
            rx->copies[s % SEEN_SEQUENCES] = 0;
            settle(rx, count, s - rx->settled);
        }
        if (ahead > 1)
            COUNT(count->lost, (uint64_t)ahead - 1);
        else if (advance > 0 && advance <= MAX_PERIOD_FRAMES)
            rx->spacing = (uint32_t)advance;
        return newest(rx, sequence, media, arrival_ns);
    }
    COUNT(count->reordered, 1);
    /* What came before the first packet was never counted as lost. */
    if ((int32_t)(rx->highest_sequence + (uint32_t)ahead - rx->first_sequence) > 0)
        COUNT(count->lost, -1ull);
    *copies = 1;
    return BEHIND;
}
