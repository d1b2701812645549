#include "packet.h"

#include <arpa/inet.h>
#include <string.h>

/* The places of the words. What a packet to netone says of channels counts more than its
 * command line: none of sound or MIDI, so that it makes no ports. Of an answer only
 * SYNC, NUMBER and LEFT mean anything. */
enum {
    CAPTURE_CHANNELS,
    PLAYBACK_CHANNELS,
    CAPTURE_MIDI,
    PLAYBACK_MIDI,
    PERIOD,
    RATE,
    SYNC,
    TRANSPORT_FRAME,
    TRANSPORT_STATE,
    NUMBER,
    LEFT, /* in a packet to netone its latency in periods: 0 */
    REPLY_PORT,
    LONGEST_DATAGRAM,
    FRAGMENT
};

enum {
    /* JackTransportLooping: the one state at which netone leaves JACK's transport alone */
    TRANSPORT_IS_YOURS = 2,
    /* netone ends the whole server at less than two headers */
    DATAGRAM_BYTES = 1400,
    /* After a standstill of the server, netone runs cycles as fast as the graph can: for each
     * packet that waits, and for each of its deadlines that have passed. So not more than this
     * many packets may wait. Beyond that, one now and then asks whether netone is there again, with
     * a number so far ahead that it forgets its deadlines for it. */
    MOST_UNANSWERED = 4,
    ASK_AGAIN_EVERY = 32,
    FAR_AHEAD = 16, /* 10 would do */
    /* More than this netone cannot have run by itself since it was asked. */
    MOST_AHEAD = 1000,
    /* How long before netone's own deadline cycles shall begin. It runs one by itself when that
     * has passed: right if this program is gone, wrong while a packet is only late. The
     * core makes cycles up three periods after the last one, so the deadline must be later than
     * that; and it comes nearer by all the time that the leader loses, and is pushed away again
     * only slowly. If it was very far away, the graph would stand still as long when this
     * program is gone. */
    DEADLINE_PERIODS = 6,
    MOST_DEADLINE_US = 500000, /* netone has an opinion about a second */
};

/* As netone computes it, so that its rounding is ours. */
static int32_t period_us(const struct archibald_netone *netone) {
    return (int32_t)((float)netone->period_frames / (float)netone->rate_hz * 1000000.0f);
}

/* netone moves its deadline by a hundredth of a period per cycle: further away where this
 * word is above the negative half of the period, rounded away from zero; nearer where
 * it is below; and not at all at exactly that. */
static int32_t sync_word(const struct archibald_netone *netone) {
    const int32_t period = period_us(netone), stays = -((period + 1) / 2);
    const int32_t wanted = DEADLINE_PERIODS * period;
    const int32_t off = netone->left_us - (wanted < MOST_DEADLINE_US ? wanted : MOST_DEADLINE_US);
    if (!netone->answered || (off <= period / 20 && off >= -period / 20)) return stays;
    return off < 0 ? stays + 2 : stays - 2;
}

int archibald_netone_ask(struct archibald_netone *netone, uint32_t words[archibald_netone_words]) {
    netone->unanswered++;
    const int again = netone->unanswered > MOST_UNANSWERED;
    if (again && netone->unanswered % ASK_AGAIN_EVERY) return 0;
    netone->number += again ? FAR_AHEAD : 1;
    memset(words, 0, archibald_netone_words * sizeof *words);
    words[PERIOD] = netone->period_frames;
    words[RATE] = netone->rate_hz;
    words[SYNC] = (uint32_t)sync_word(netone);
    words[TRANSPORT_STATE] = TRANSPORT_IS_YOURS;
    words[NUMBER] = netone->number;
    words[LONGEST_DATAGRAM] = DATAGRAM_BYTES;
    for (int i = 0; i < archibald_netone_words; i++) words[i] = htonl(words[i]);
    return 1;
}

int archibald_netone_hear(struct archibald_netone *netone,
                          const uint32_t words[archibald_netone_words], uint32_t bytes) {
    if (bytes < archibald_netone_words * sizeof *words) return 0;
    const uint32_t ahead = ntohl(words[NUMBER]) - netone->number;
    /* In cycles of its own netone counts on, and then waits for the number after them. */
    if (ahead <= MOST_AHEAD) netone->number += ahead;
    netone->left_us = (int32_t)ntohl(words[LEFT]);
    netone->answered = 1;
    netone->unanswered = 0;
    return 1;
}
