/* Code generated from bridge/stream/counters.go by go generate; DO NOT EDIT. */
#ifndef ARCHIBALD_COUNTERS_GENERATED_H
#define ARCHIBALD_COUNTERS_GENERATED_H

#define SEND_COUNTERS(X) \
    X(cycles) \
    X(packets) \
    X(bytes) \
    X(errors) \
    X(nonfinite) \
    X(skips) \
    X(skipped_frames)

#define RECEIVE_COUNTERS(X) \
    X(cycles) \
    X(packets) \
    X(bytes) \
    X(lost) \
    X(discarded_late) \
    X(duplicate) \
    X(recovered) \
    X(reordered) \
    X(wrong_source) \
    X(wrong_ssrc) \
    X(wrong_payload) \
    X(malformed) \
    X(outside) \
    X(implausible) \
    X(rtcp_over_budget) \
    X(read_errors) \
    X(nonfinite) \
    X(concealed_frames) \
    X(dropouts) \
    X(predicted) \
    X(skips) \
    X(skipped_frames) \
    X(waited) \
    X(unanswered) \
    X(left_out) \
    X(made_up) \
    X(takeovers) \
    X(given_up)

#endif
