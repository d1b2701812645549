/* netone is a driver of jackd that has no sound card: it runs one cycle of the graph for each
 * packet that reaches its UDP port, and sends a packet back for each. This bridge uses it as a
 * clock and for nothing else. The packets carry no sound, only the header: words of 32 bits in
 * network order. The sound goes through our two clients, which run in that same cycle. */
#ifndef ARCHIBALD_NETONE_PACKET_H
#define ARCHIBALD_NETONE_PACKET_H

#include <stdint.h>

enum { archibald_netone_words = 14 }; /* of a packet, either way */

/* One netone and what it says. All zero but for the first two: nothing was sent yet. */
struct archibald_netone {
    uint32_t rate_hz;
    uint32_t period_frames;
    uint32_t number;     /* of the newest cycle that was asked for; netone's, where it ran ahead */
    uint32_t unanswered; /* cycles that were wanted since netone answered */
    int32_t left_us;     /* until netone's deadline, when the newest answered cycle began */
    int answered;        /* left_us is known */
};

/* Makes the packet for one more cycle. 0: none should be sent now, since too many were not
 * answered; words is not touched. */
int archibald_netone_ask(struct archibald_netone *netone, uint32_t words[archibald_netone_words]);

/* Takes an answer of that many bytes. 0: it is none. */
int archibald_netone_hear(struct archibald_netone *netone,
                          const uint32_t words[archibald_netone_words], uint32_t bytes);

#endif
