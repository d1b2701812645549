/* The media socket. Never blocks, but for archibald_socket_wait: what the kernel will not
 * take is counted and gone, what has not arrived is concealed. Not connected: a connected UDP
 * socket returns the peer's ICMP errors from the next send, which then sends nothing.
 */
#include "core.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

/* How often one wait may sleep: an answer comes in a few packets, and whoever sends
 * something else must not keep a thread busy. */
enum { WAIT_ROUNDS = 64 };

static int64_t ns_of(const struct timespec *t) { return t->tv_sec * 1000000000ll + t->tv_nsec; }

/* Arrival on CLOCK_MONOTONIC, from the kernel's stamp (SO_TIMESTAMPNS, socket(7)). */
static int64_t arrival_of(struct msghdr *header, int64_t monotonic_minus_real_ns, int64_t now_ns) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
        struct timespec stamp;
        memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
        return ns_of(&stamp) + monotonic_minus_real_ns;
    }
    return now_ns;
}

/* More than a peer sends comes from somebody who wants control to be busy. */
static void take_rtcp(archibald_engine *engine, const uint8_t *data, uint32_t bytes,
                      int64_t arrival_ns, const struct sockaddr_storage *from) {
    if (arrival_ns - engine->rtcp_second_ns >= 1000000000ll ||
        arrival_ns < engine->rtcp_second_ns) {
        engine->rtcp_second_ns = arrival_ns;
        engine->rtcp_in_second = 0;
    }
    if (engine->rtcp_in_second == RTCP_PER_SECOND ||
        !archibald_rtcp_push(&engine->rtcp, data, bytes, arrival_ns, from))
        COUNT(engine->received.rtcp_over_budget, 1);
    else
        engine->rtcp_in_second++;
}

uint32_t archibald_socket_drain(archibald_engine *engine, archibald_receiver *receiver,
                                int64_t now_ns, uint32_t budget) {
    drain_buffers *d = &engine->drain;
    struct timespec real, monotonic;
    uint32_t total = 0;
    atomic_store_explicit(&engine->last_read_ns, now_ns, memory_order_relaxed);
    if (engine->fd < 0) return 0;
    clock_gettime(CLOCK_REALTIME, &real);
    clock_gettime(CLOCK_MONOTONIC, &monotonic);
    const int64_t shift_ns = ns_of(&monotonic) - ns_of(&real);
    while (total < budget) {
        uint32_t batch = budget - total < BATCH ? budget - total : BATCH;
        for (uint32_t i = 0; i < batch; i++) {
            d->vector[i] = (struct iovec){d->data[i], RECEIVED_BYTES};
            d->message[i].msg_hdr = (struct msghdr){.msg_name = &d->from[i],
                                                    .msg_namelen = sizeof d->from[i],
                                                    .msg_iov = &d->vector[i],
                                                    .msg_iovlen = 1,
                                                    .msg_control = d->control[i],
                                                    .msg_controllen = sizeof d->control[i]};
        }
        int n = recvmmsg(engine->fd, d->message, batch, MSG_DONTWAIT, NULL);
        if (n < 0 && errno != EAGAIN && errno != EINTR) COUNT(engine->received.read_errors, 1);
        if (n <= 0) break; /* the next cycle tries again */
        for (int i = 0; i < n; i++) {
            struct msghdr *header = &d->message[i].msg_hdr;
            uint32_t bytes = d->message[i].msg_len;
            int64_t arrival_ns = arrival_of(header, shift_ns, now_ns);
            int is_rtcp = archibald_rtp_is_rtcp(d->data[i], bytes);
            if ((header->msg_flags & MSG_TRUNC) || (is_rtcp && bytes > DATAGRAM_BYTES))
                COUNT(engine->received.malformed, 1);
            else if (is_rtcp)
                take_rtcp(engine, d->data[i], bytes, arrival_ns, &d->from[i]);
            else if (receiver)
                archibald_receiver_datagram(receiver, &engine->received, &engine->observations,
                                            d->data[i], bytes, arrival_ns, &d->from[i]);
        }
        total += (uint32_t)n;
        if ((uint32_t)n < batch) break;
    }
    return total;
}

uint32_t archibald_socket_wait(archibald_engine *engine, archibald_receiver *receiver,
                               int64_t media, uint32_t frames, int64_t now_ns, int64_t until_ns,
                               uint32_t budget) {
    struct pollfd socket = {.fd = engine->fd, .events = POLLIN};
    uint32_t rounds = 0;
    if (engine->fd < 0 || until_ns <= now_ns) return 0;
    while (rounds < WAIT_ROUNDS && budget > 0 && !archibald_locked_whole(receiver, media, frames)) {
        struct timespec monotonic;
        clock_gettime(CLOCK_MONOTONIC, &monotonic);
        const int64_t left_ns = until_ns - ns_of(&monotonic);
        if (left_ns <= 0) break;
        const struct timespec left = {left_ns / 1000000000, left_ns % 1000000000};
        rounds++;
        if (ppoll(&socket, 1, &left, NULL) <= 0) break;
        budget -= archibald_socket_drain(engine, receiver, now_ns, budget);
    }
    return rounds;
}

void archibald_socket_send(archibald_engine *engine, archibald_sender *sender, uint32_t datagrams) {
    struct mmsghdr message[BATCH * (1 + MAX_REPEATS)];
    struct iovec vector[BATCH * (1 + MAX_REPEATS)];
    if (engine->fd < 0) return;
    for (uint32_t i = 0; i < datagrams; i++) {
        vector[i] = (struct iovec){(void *)sender->outgoing[i]->data, sender->outgoing[i]->bytes};
        message[i].msg_hdr = (struct msghdr){.msg_name = &sender->plan.to,
                                             .msg_namelen = sender->plan.to_bytes,
                                             .msg_iov = &vector[i],
                                             .msg_iovlen = 1,
                                             .msg_control = sender->plan.source,
                                             .msg_controllen = sender->plan.source_bytes};
    }
    int n = sendmmsg(engine->fd, message, datagrams, MSG_DONTWAIT);
    uint32_t sent = n > 0 ? (uint32_t)n : 0;
    if (n < 0) atomic_store_explicit(&engine->sent.last_errno, errno, memory_order_relaxed);
    uint32_t originals = sent < sender->originals ? sent : sender->originals;
    for (uint32_t i = 0; i < originals; i++)
        COUNT(engine->sent.bytes,
              sender->outgoing[i]->bytes - archibald_sender_header_bytes(sender));
    COUNT(engine->sent.packets, originals);
    if (sent < datagrams) COUNT_SHARED(engine->sent.errors, datagrams - sent);
}
