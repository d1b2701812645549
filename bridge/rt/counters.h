/* Plain copies of the counters, for one call from Go. */
#ifndef ARCHIBALD_COUNTERS_H
#define ARCHIBALD_COUNTERS_H

#include "core.h"

#define PLAIN(field) uint64_t field;

typedef struct {
    SEND_COUNTERS(PLAIN)
    uint32_t last_timestamp;
    int64_t last_send_ns, last_capture_delay_ns;
    int last_errno;
    float peak[MAX_CHANNELS];
} sent_copy;

typedef struct {
    RECEIVE_COUNTERS(PLAIN)
    uint64_t observations;
    int64_t last_packet_ns;
    uint32_t highest_sequence, seen_payload_type;
    float peak[MAX_CHANNELS];
} received_copy;

#endif
