/* Structures of the real-time core. Included by bridge/rt's own files only.
 *
 * Threads: "playout" is the audio thread that runs archibald_playout, "capture"
 * the one that runs archibald_capture (they may be the same thread or run at
 * once), "control" is any one ordinary thread, in practice Go. Every field that
 * two of them share says who writes, who reads, and the memory order.
 */
#ifndef ARCHIBALD_CORE_H
#define ARCHIBALD_CORE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* recvmmsg, sendmmsg, M_PI */
#endif
#include <stdatomic.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

#include "archibald_rt.h"
#include "counters_generated.h"

#define COUNTER(field) _Atomic uint64_t field;

enum {
    MAX_CHANNELS = 64,
    MAX_PERIOD_FRAMES = 8192,
    DATAGRAM_BYTES = 1500, /* largest datagram built, and largest of RTCP or a coded packet read */
    /* The largest datagram read: PipeWire 0.3 sends 2 ms, however many channels, and leaves
     * it to IP to divide them. */
    RECEIVED_BYTES = 9000,
    FULL_PAYLOAD_BYTES = 600, /* where a period needs several packets, each holds at least this */
    RTP_HEADER_BYTES = 12,    /* RFC 3550, section 5.1, without options */
    SEND_DELAY_BYTES = 8,     /* header extension with one element, whole words */
    SEND_DELAY_ID = 1,        /* of that element (RFC 8285) */
    BATCH = 16,               /* datagrams read per system call; new ones sent per call */
    MAX_REPEATS = 2,          /* times a packet goes out again */
    CROSSFADE_FRAMES = 64,    /* at seeks, own skips and the end of a gap */
    HISTORY_FRAMES = 4096,    /* played frames kept behind the playout position */
    TAPS = 20,                /* of the resampler between equal rates, per phase */
    LOOKAHEAD = 7,            /* frames that one reads past its position's integer part */
    PHASES = 1024,            /* of that one */
    MAX_TAPS = 528,           /* between any rates; a multiple of 4 (ratefilter.c) */
    OBSERVATIONS = 8192,      /* 2.7 s at period 32 */
    RTCP_SLOTS = 32,
    RTCP_PER_SECOND = 32,    /* read; a peer sends one, and a goodbye */
    SEEN_SEQUENCES = 8192,   /* window of the duplicate check */
    SETTLED_SEQUENCES = 512, /* so far behind the highest, no more copies at once are expected */
    /* A longer jump of the sequence number is a new beginning, no loss (RFC 3550,
     * appendix A.1). */
    MAX_DROPOUT = 3000
};

/* A source that was quiet for so long may go on from another port. */
#define PORT_QUIET_NS 200000000ll

#define SOURCE_BYTES CMSG_SPACE(sizeof(struct in6_pktinfo))

/* How fast a position may glide to a whole frame: 50 ppm. */
#define GLIDE_PER_FRAME 50e-6

/* Values of receiver.command that are no offsets. */
#define COMMAND_NONE INT64_MIN
#define COMMAND_MUTE (INT64_MIN + 1)

#define CLOCK_STOPPED INT64_MIN

/* Control encodes and decodes WIRE_CODED: the core never looks into its payload. */
enum wire_encoding { WIRE_L16 = 1, WIRE_L24 = 2, WIRE_F32 = 3, WIRE_CODED = 4 };
enum observation_kind { OBSERVED_PACKET = 1, OBSERVED_CYCLE = 2 };

/* wire.c: samples <-> payload. Interleaved; planar float buffers. ------------ */

uint32_t archibald_wire_sample_bytes(enum wire_encoding encoding); /* 0 of WIRE_CODED */
/* Copies one channel into every stride-th sample of out; returns as wire_encode. */
uint32_t archibald_wire_interleave(const float *in, float *out, uint32_t stride, uint32_t frames);
/* Return how many samples were not finite (they become 0). */
uint32_t archibald_wire_encode(enum wire_encoding encoding, uint8_t *payload,
                               const float *const *in, uint32_t channels, uint32_t from,
                               uint32_t frames);
uint32_t archibald_wire_decode(enum wire_encoding encoding, const uint8_t *payload, uint32_t stride,
                               uint32_t channel, float *out, uint32_t frames);

typedef struct {
    uint8_t payload_type;
    int marker; /* a leader's begins a cycle; a follower's comes behind sound that was not sent */
    uint16_t sequence;
    uint32_t timestamp, ssrc;
    int32_t send_delay_us; /* what the header extension SEND_DELAY_ID says; -1: nothing */
    const uint8_t *payload;
    uint32_t payload_bytes;
} rtp_packet;

/* 0, or -1 when the datagram is no RTP packet (RFC 3550, section 5.1). */
int archibald_rtp_parse(rtp_packet *packet, const uint8_t *data, size_t bytes);
int archibald_rtp_is_rtcp(const uint8_t *data, size_t bytes); /* RFC 5761, section 4 */

#include "rings.h"

/* mediaclock.c: frames of graph time, lost time included. -------------------- */

typedef struct {
    /* playout only */
    int started;
    uint32_t rate_hz;
    uint64_t graph_frame; /* at the start of the last cycle */
    uint32_t frames;      /* of the last cycle */
    int64_t media;        /* at the start of the last cycle */
    int64_t cycle_ns;
    double dll_ns; /* where the DLL puts the start of the last cycle */
    double ns_per_frame;
    double nominal_ns_per_frame;
    double late_ns;       /* of the last cycle, against the DLL */
    double least_late_ns; /* of the late cycles in a row so far */
    uint32_t late_frames; /* graph time that they have lasted: 0 when not late */
    double floor_ns;      /* lateness of the earliest cycle of the last whole block ... */
    int have_floor;
    double earliest_ns; /* ... and of the block under way, or since time was lost */
    uint32_t block_frames, block_cycles;
    int refining; /* time was lost just now: how much is not sure yet */
    /* written by playout (release), read by capture (acquire): media minus
     * graph_frame, or CLOCK_STOPPED */
    _Atomic int64_t offset;
    /* written by playout (release, before offset), read by capture (acquire):
     * cycle_ns minus the nominal time of graph_frame, or CLOCK_STOPPED. One number,
     * so that a capture that runs at the same time, in the same cycle or the next,
     * never sees half of it. */
    _Atomic int64_t origin_ns;
    /* engine.graph that this clock follows; written by playout (release) after
     * the offset of the graph before is gone, read by capture (acquire) first */
    _Atomic uint64_t graph;
} media_clock;

/* How long frames take at the nominal rate; differences are exact to 1 ns. */
int64_t archibald_nominal_ns(uint64_t frames, uint32_t rate_hz);
void archibald_media_clock_reset(media_clock *clock, uint32_t rate_hz);
/* Returns the frames that passed beyond the last cycle's own: 0 when none was lost. */
int64_t archibald_media_clock_update(media_clock *clock, uint64_t graph_frame, uint32_t frames,
                                     int64_t cycle_ns);

/* resample.c, ratefilter.c: polyphase interpolation. ------------------------- */

typedef struct {
    uint32_t taps;       /* of each phase; a multiple of 4, at most MAX_TAPS */
    uint32_t lookahead;  /* frames it reads past its position's integer part ... */
    uint32_t lookbehind; /* ... and before it: taps - 1 - lookahead */
    uint32_t phases;
    float row[]; /* phases + 1 rows of taps */
} resampler;

/* What it has to be for a stream of one rate in a graph of another: all but the rows. */
void archibald_resampler_shape(resampler *shape, uint32_t stream_hz, uint32_t graph_hz);
/* Makes the rows of one of that shape: between equal rates ... */
void archibald_resampler_init(resampler *table);
/* ... and between different ones. */
void archibald_ratefilter_init(resampler *table, uint32_t stream_hz, uint32_t graph_hz);
/* Interpolates frames outputs of each channel. in[c] points to window[c] such
 * that in[c][lookbehind] is the frame at the integer part of the position;
 * fraction is 0 <= f < 1. */
void archibald_resampler_run(const resampler *table, const float *const *in, uint32_t channels,
                             double fraction, double ratio, float *const *out, uint32_t frames);

#include "jitter.h"
#include "lock.h"
#include "sound.h"

/* receiver.c, sequence.c, playout.c, locked.c --------------------------------------------- */

typedef struct {
    enum wire_encoding encoding;
    uint8_t payload_type;
    uint32_t channels, rate_hz, ssrc;
    uint32_t graph_hz;               /* rate of the graph that plays it; rate_hz is the stream's */
    uint32_t repeats;                /* agreed: how many more copies of each packet come ... */
    uint32_t repeat_distance_frames; /* ... and how much later each */
    int send_delay;                  /* agreed: the header extension says the send delay */
    enum lock lock;                  /* of this end */
    uint32_t period_frames;          /* of the leader; with lock */
    uint32_t answer_periods;         /* of a leader: its cycles until an answer is played, 1 or 2 */
    int64_t most_wait_ns;            /* of a leader: how long after a cycle's start it waits */
    struct sockaddr_storage from; /* whose packets, whatever the port; no family: the first one's */
} receive_plan;

typedef struct {
    receive_plan plan;      /* immutable */
    const resampler *table; /* the engine's where the rates are equal, else ... */
    resampler *own;         /* ... this receiver's own */

    /* control writes (release), playout takes (acquire): a seek offset or COMMAND_ */
    _Atomic int64_t command;
    /* a double; control writes, playout reads after the command (both relaxed): a cycle that
     * takes a command has the ratio that was set before it */
    _Atomic uint64_t ratio_bits;

    /* whoever holds engine.reading */
    uint32_t ssrc;
    int have_ssrc;
    int have_sequence;
    uint32_t highest_sequence;      /* extended, RFC 3550 appendix A.1 */
    uint32_t first_sequence;        /* extended; where counting of losses began */
    uint8_t copies[SEEN_SEQUENCES]; /* that came, of the packets up to the highest */
    /* of the packet with the highest one: extended timestamp, arrival */
    int64_t newest_media, newest_ns;
    uint32_t spacing;          /* frames from packet to packet; 0: not known */
    int doubted;               /* the last packet was implausible: ... */
    uint16_t doubted_sequence; /* ... the one after it would confirm it */
    uint32_t doubted_timestamp;
    uint32_t settled;        /* so far behind the highest, no more copies are expected; constant */
    int64_t reference_media; /* for extending timestamps */
    int64_t newest_end;      /* media behind the packet with the highest sequence number */
    packet_ring *coded;      /* WIRE_CODED, else NULL: packets for control ... */
    sound_ring *decoded;     /* ... and what it made of them, for playout */
    int concealing;          /* the last decoded block was BLOCK_CONCEALED */
    observation held;        /* the newest packet, while repeats may come later; kind 0: none */
    leader_cycles cycles;    /* of a follower */
    const sent_cycles *sent; /* of a leader, constant: the engine's */
    uint64_t answered;       /* of a leader: the sent cycles whose answers were due so far */
    uint64_t seams; /* of a leader, by cycle: its answer does not go on from the one before */
    uint64_t newest_answer; /* and the newest cycle of which there was an answer ... */
    int have_answer;        /* ... if there was one */
    int muted;              /* of a locked receiver: for good */
    jitter_buffer buffer;

    /* playout writes, and of a follower whoever holds engine.reading; control reads (relaxed) */
    _Atomic int playing;
    /* playout writes, control reads (relaxed): when stream frame 0 would be needed
     * at the nominal rate, or CLOCK_STOPPED. One number, as origin_ns. */
    _Atomic int64_t due_ns;

    /* playout only */
    /* what the counters have of the buffer's counts */
    uint64_t told_concealed, told_dropouts, told_predicted;
    int64_t next_media; /* of the cycle that follows without a skip */
    int64_t position;
    double fraction;
    float *scratch; /* channels windows of window_frames */
    float *overlap; /* channels of CROSSFADE_FRAMES */
    uint32_t window_frames;
    float fade_in[CROSSFADE_FRAMES];

    /* whoever holds engine.reading writes, control reads: the address of the source
     * once, published by release on have_from; its port (network order, relaxed) may
     * change */
    struct sockaddr_storage from;
    _Atomic int have_from;
    _Atomic uint32_t from_port;
    int64_t from_ns; /* holder of engine.reading only: arrival of the last packet of it */
} archibald_receiver;

typedef struct archibald_receive_counters {
    /* Each is written by one thread at a time, and read by control; all relaxed. Writers are
     * whoever holds engine.reading; playout (cycles); of a follower the thread of
     * archibald_follow (made_up, takeovers, given_up). Skips and skipped_frames have two at
     * once where following begins or ends: COUNT_SHARED. */
    RECEIVE_COUNTERS(COUNTER)
    _Atomic int64_t last_packet_ns;
    _Atomic uint32_t highest_sequence, seen_payload_type;
    _Atomic uint32_t peak_bits[MAX_CHANNELS]; /* control exchanges for 0 */
    /* Where a packet came from that wrong_source counts: whoever counts it writes
     * while have_stranger is 0 (acquire) and sets that (release); control reads while
     * it is 1 (acquire) and clears it (release). */
    struct sockaddr_storage stranger;
    _Atomic int have_stranger;
} receive_counters;

void archibald_receiver_datagram(archibald_receiver *receiver, receive_counters *count,
                                 observation_ring *ring, const uint8_t *data, uint32_t bytes,
                                 int64_t arrival_ns, const struct sockaddr_storage *from);
/* DOUBTED: it is nothing until the next one confirms it. */
enum arrival { AGAIN, BEHIND, NEWEST, DOUBTED };
enum arrival archibald_sequence_note(archibald_receiver *receiver, receive_counters *count,
                                     uint16_t sequence, int64_t media, int64_t arrival_ns);
/* The part of receiver_datagram behind the parser; payload NULL stores no samples. */
void archibald_receiver_packet(archibald_receiver *receiver, receive_counters *count,
                               observation_ring *ring, uint16_t sequence, uint32_t timestamp,
                               int marker, const uint8_t *payload, uint32_t frames,
                               int64_t arrival_ns, int64_t send_delay_ns);
/* The time of a stream frame at the nominal rate, of which only differences count;
 * media may be a little below 0. */
int64_t archibald_stream_ns(int64_t media, uint32_t rate_hz);
/* Puts what control decoded into the jitter buffer. */
void archibald_receiver_decoded(archibald_receiver *receiver, receive_counters *count,
                                observation_ring *ring);
void archibald_receiver_play(archibald_receiver *receiver, receive_counters *count,
                             observation_ring *ring, float *const *out, uint32_t channels,
                             uint32_t frames, int64_t media, int64_t cycle_ns);
/* Takes what the buffer counted into the counters, which go on from receiver to receiver. */
void archibald_receiver_tell(archibald_receiver *receiver, receive_counters *count);

/* Of a follower, before a packet's frames are stored: which of the leader's cycles it is of.
 * next: no number is missing between it and the newest one before. */
void archibald_locked_arrived(archibald_receiver *receiver, enum arrival arrival, int next,
                              int marker, int64_t media, uint32_t frames);
/* Of a leader: where a packet belongs in the stream of the answers, by the timestamp of the
 * cycle of its own that it answers; 0: no answer to any. */
int archibald_locked_answer(archibald_receiver *receiver, receive_counters *count,
                            uint32_t timestamp, int next, int marker, int64_t *media);
/* Of a leader: puts the buffer where the answer belongs that is to be played in this cycle,
 * whose number is graph_frame. Returns 0 when there is none to expect. */
int archibald_locked_seek(archibald_receiver *receiver, uint64_t graph_frame);
/* Whether frames [media, media + frames) are all there and not played yet. */
int archibald_locked_whole(const archibald_receiver *receiver, int64_t media, uint32_t frames);
/* Until when a leader's playout may wait for an answer, CLOCK_MONOTONIC; 0: not at all. */
int64_t archibald_locked_wait_until(const archibald_receiver *receiver, int64_t cycle_ns,
                                    int64_t now_ns);
/* Plays from a position on, which may be anywhere; ratio 1, nothing is read ahead. Returns
 * whether all of it was there. */
int archibald_locked_play(archibald_receiver *receiver, receive_counters *count,
                          observation_ring *ring, float *const *out, uint32_t channels,
                          uint32_t frames, int64_t position, int64_t media, int64_t cycle_ns);

/* sender.c ------------------------------------------------------------------- */

typedef struct {
    enum wire_encoding encoding;
    uint8_t payload_type;
    uint32_t channels, packet_frames, ssrc;
    uint32_t first_timestamp;
    uint32_t repeats;                /* 0 to MAX_REPEATS: each packet goes out so often again ... */
    uint32_t repeat_distance_frames; /* ... each time so much graph time later; 0: at once */
    int send_delay;                  /* packets say how long after their cycle began they left */
    enum lock lock;                  /* of this end: no packet spans two cycles */
    struct sockaddr_storage to;
    socklen_t to_bytes;
    /* The address of ours it leaves from: a control message of IP_PKTINFO or
     * IPV6_PKTINFO (ip(7), ipv6(7)); 0 bytes: as the routes say. */
    _Alignas(struct cmsghdr) uint8_t source[SOURCE_BYTES];
    uint32_t source_bytes;
} send_plan;

/* Captured audio: one producer (capture), any number of readers that keep their
 * own position and find out by head - position > frames that they were overrun. */
typedef struct {
    uint32_t frames, channels, mask;
    float *samples; /* channels planes of frames */
    /* written by capture (release), read by readers (acquire) */
    _Alignas(64) _Atomic uint64_t head;
} capture_ring;

typedef struct {
    int64_t sent_media; /* the media clock at the end of the cycle that sent it first */
    uint32_t bytes;
    uint8_t data[DATAGRAM_BYTES];
} sent_datagram;

typedef struct {
    send_plan plan; /* immutable */
    /* capture only */
    capture_ring ring;
    uint64_t sent_head; /* ring frames already packed */
    int marker;         /* the next packet has RTP's marker */
    int unheard;        /* of a follower: a cycle was not sent since the last packet */
    int64_t next_media; /* media time of the next captured frame */
    int started;
    sound_ring *captured; /* WIRE_CODED, else NULL: capture produces, control consumes */
    /* capture only; of WIRE_CODED control only */
    /* the media clock at the end of the newest cycle packed; of WIRE_CODED, packet */
    int64_t sent_media;
    uint16_t sequence;
    sent_datagram *history;         /* the newest datagrams: the nth is in slot n % slots */
    uint32_t history_slots;         /* enough for the last repeat, and BATCH new ones */
    uint64_t packed;                /* datagrams made so far */
    uint64_t repeated[MAX_REPEATS]; /* of these, the first that has not gone out 1, 2 times again */
    uint32_t originals;             /* new ones, at the beginning of outgoing */
    const sent_datagram *outgoing[BATCH * (1 + MAX_REPEATS)];
} archibald_sender;

typedef struct archibald_send_counters {
    /* written by capture, or of WIRE_CODED by control what belongs to packets; read by
     * control; all relaxed. Both write errors. */
    SEND_COUNTERS(COUNTER)
    _Atomic uint32_t last_timestamp;
    _Atomic int64_t last_send_ns, last_capture_delay_ns;
    _Atomic int last_errno; /* of the last send that failed */
    _Atomic uint32_t peak_bits[MAX_CHANNELS];
} send_counters;

uint32_t archibald_sender_header_bytes(const archibald_sender *sender);
/* Puts one cycle into the ring: the capture ring, or of WIRE_CODED the one for control. */
void archibald_sender_capture(archibald_sender *sender, send_counters *count,
                              const float *const *in, uint32_t channels, uint32_t frames,
                              int64_t media, int64_t now_ns, int64_t send_delay_ns);
/* Makes outgoing: up to BATCH new datagrams from the ring, then the repeats that
 * are due. send_delay_ns: of the cycle's callback, -1 not known. Returns how
 * many; 0: everything of this cycle is packed. */
uint32_t archibald_sender_pack(archibald_sender *sender, send_counters *count, int64_t now_ns,
                               int64_t send_delay_ns);
/* The same of one packet that control encoded, by control. cycle is the one that
 * completed it, at a timestamp; send_delay_ns: how long after that cycle's start it leaves. */
uint32_t archibald_sender_pack_coded(archibald_sender *sender, send_counters *count,
                                     const uint8_t *payload, uint32_t bytes, uint32_t timestamp,
                                     const sound_block *cycle, int64_t send_delay_ns);

/* follow.c ------------------------------------------------------------------- */

/* The parts of archibald_follow, apart from reading the socket. woken: 0 when nothing can be
 * started now. decide: whether the packets read so far start a cycle. end: whether one is
 * started, by the packets or the timer. */
int archibald_follow_woken(follow_machine *f, receive_counters *count,
                           enum archibald_follow_why why, int64_t now_ns, int64_t *wake_ns);
int archibald_follow_decide(follow_machine *f, archibald_receiver *receiver,
                            receive_counters *count, int64_t now_ns);
int archibald_follow_end(follow_machine *f, receive_counters *count, int started, int64_t now_ns,
                         int64_t *wake_ns);
/* How many packets to read at once: not more than the next cycle lacks. */
uint32_t archibald_follow_wanted(const follow_machine *f, const archibald_receiver *receiver);

/* engine.c, socket.c --------------------------------------------------------- */

typedef struct {
    struct mmsghdr message[BATCH];
    struct iovec vector[BATCH];
    struct sockaddr_storage from[BATCH];
    uint8_t data[BATCH][RECEIVED_BYTES];
    _Alignas(struct cmsghdr) uint8_t control[BATCH][CMSG_SPACE(sizeof(struct timespec))];
} drain_buffers;

struct archibald_engine {
    /* control writes, audio threads read (sequentially consistent) */
    _Atomic(archibald_receiver *) receiver;
    _Atomic(archibald_sender *) sender;
    /* playout, capture and the thread of archibald_follow each write their own, control reads
     * (sequentially consistent): 1 while it may hold receiver or sender */
    _Atomic uint32_t in_playout, in_capture, in_follow;
    /* taken by exchange (acquire), given back by store (release): the one
     * reader of the socket. An audio thread that finds it taken goes on without. */
    _Atomic uint32_t reading;
    _Atomic int64_t last_read_ns; /* written by the reader, read by control (relaxed) */
    /* control writes (release), playout reads (acquire): rate in Hz in the lower
     * 32 bits, above it the count of graphs so far. A new value restarts the clock. */
    _Atomic uint64_t graph;
    int fd;                         /* set before audio runs; -1: none */
    float spare[MAX_PERIOD_FRAMES]; /* playout only: in place of a NULL buffer */
    drain_buffers drain;            /* whoever holds reading */
    media_clock clock;
    follow_machine follow;
    sent_cycles sent_cycles;
    receive_counters received;
    send_counters sent;
    observation_ring observations;
    rtcp_ring rtcp;
    int64_t rtcp_second_ns;  /* whoever holds reading: when the second of the budget began ... */
    uint32_t rtcp_in_second; /* ... and what came since */
    resampler *table;        /* between equal rates */
};

void archibald_playout(archibald_engine *engine, float *const *out, uint32_t channels,
                       uint32_t frames, uint64_t graph_frame, int64_t cycle_ns, int64_t now_ns);
void archibald_capture(archibald_engine *engine, const float *const *in, uint32_t channels,
                       uint32_t frames, uint64_t graph_frame, int64_t now_ns);
/* How many datagrams one cycle may read: a flood must not starve the graph. */
uint32_t archibald_drain_budget(const archibald_receiver *receiver, uint32_t period_frames);
/* Reads at most budget datagrams; receiver NULL: only RTCP is kept. Returns how many. */
uint32_t archibald_socket_drain(archibald_engine *engine, archibald_receiver *receiver,
                                int64_t now_ns, uint32_t budget);
void archibald_socket_send(archibald_engine *engine, archibald_sender *sender, uint32_t datagrams);
/* Waits until frames [media, media + frames) are all there, at most until a time on
 * CLOCK_MONOTONIC, and reads what comes, at most budget datagrams. The one wait that an
 * audio thread has. Returns how often it slept: 0 when they are there already. */
uint32_t archibald_socket_wait(archibald_engine *engine, archibald_receiver *receiver,
                               int64_t media, uint32_t frames, int64_t now_ns, int64_t until_ns,
                               uint32_t budget);
int archibald_follow(archibald_engine *engine, enum archibald_follow_why why, int64_t now_ns,
                     int64_t *wake_ns);
/* Whether a captured cycle is sent, and its media time. A leader's is remembered as sent, a
 * follower's is taken: the next call finds another cycle or none. */
int archibald_capture_media(archibald_engine *engine, archibald_sender *sender, uint32_t frames,
                            uint64_t graph_frame, int64_t *media);
/* How long a capture callback runs after the nominal start of its cycle, at least
 * 0; -1: not known. */
int64_t archibald_send_delay_ns(archibald_engine *engine, uint64_t graph_frame, int64_t now_ns);

/* lifetime.c: control only. Memory is mapped, pre-faulted and, where the limits
 * allow, locked. NULL without memory. ---------------------------------------- */

archibald_engine *archibald_engine_new(int fd);
void archibald_engine_free(archibald_engine *engine); /* no callback may run any more */
resampler *archibald_resampler_new(uint32_t stream_hz, uint32_t graph_hz);
void archibald_resampler_free(resampler *table);
/* equal is for equal rates, and outlives the receiver. */
archibald_receiver *archibald_receiver_new(const receive_plan *plan, const resampler *equal);
void archibald_receiver_free(archibald_receiver *receiver);
archibald_sender *archibald_sender_new(const send_plan *plan);
void archibald_sender_free(archibald_sender *sender);
int archibald_memory_unlocked(void); /* 1 after an mlock that the limits refused */

void archibald_peak_update(_Atomic uint32_t *peak_bits, const float *samples, uint32_t frames);

/* For a counter that one thread at a time writes. */
#define COUNT(field, n)                                                                         \
    atomic_store_explicit(&(field), atomic_load_explicit(&(field), memory_order_relaxed) + (n), \
                          memory_order_relaxed)

/* For one that several write at once. */
#define COUNT_SHARED(field, n) atomic_fetch_add_explicit(&(field), (n), memory_order_relaxed)

#endif
