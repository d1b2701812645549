/* The core under its real threads, for the sanitizers: two engines that feed
 * each other over loopback, each with a playout and a capture thread that run as
 * often as they can, and one control thread that replaces plans, gives commands
 * and reads rings. What control does here is what engine.go does.
 *
 * Neither graph runs ahead of the other by much, so that there is sound.
 *
 * usage: driver [seconds]
 */
#include "../../bridge/rt/core.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ENDS = 2, MOST_CHANNELS = 8, LONGEST_PERIOD = 256 };

typedef struct {
    archibald_engine *engine;
    struct sockaddr_storage address;
    /* the graph's counter and period; playout writes, capture and the peer read */
    _Atomic uint64_t frame;
    _Atomic uint32_t frames;
    uint64_t sounding; /* playout, read after its end: cycles that were not silent */
    uint16_t next_sequence;
} end;

static end ends[ENDS];
static _Atomic int stop;

static int64_t monotonic_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void *playout_thread(void *argument) {
    enum { AHEAD_FRAMES = 512 };
    static const uint32_t periods[] = {64, 32, 256, 1};
    end *e = argument, *peer = e == &ends[0] ? &ends[1] : &ends[0];
    static _Thread_local float plane[MOST_CHANNELS][LONGEST_PERIOD];
    for (uint32_t n = 0; !atomic_load(&stop); n++) {
        while (atomic_load(&e->frame) > atomic_load(&peer->frame) + AHEAD_FRAMES &&
               !atomic_load(&stop))
            sched_yield();
        float *out[MOST_CHANNELS];
        for (int c = 0; c < MOST_CHANNELS; c++) out[c] = n % 16 == 3 ? NULL : plane[c];
        uint32_t frames = periods[n / 100 % 4];
        uint64_t frame = atomic_load(&e->frame);
        int64_t cycle_ns = 1000000000ll + (int64_t)(frame * 62500 / 3); /* at 48 kHz */
        if (n % 1000 == 999) cycle_ns += 7000000;                       /* a late wake-up */
        archibald_playout(e->engine, out, n % (MOST_CHANNELS + 1), frames, frame, cycle_ns,
                          monotonic_ns());
        if (n % (MOST_CHANNELS + 1) > 0 && out[0] && plane[0][0] != 0) e->sounding++;
        atomic_store(&e->frames, frames);
        atomic_store(&e->frame, frame + frames * (n % 500 == 0 ? 3 : 1)); /* missed cycles */
        sched_yield();
    }
    return NULL;
}

static void *capture_thread(void *argument) {
    end *e = argument;
    static _Thread_local float plane[MOST_CHANNELS][LONGEST_PERIOD];
    uint64_t last = 0;
    for (uint32_t n = 0; !atomic_load(&stop); n++) {
        uint64_t frame = atomic_load(&e->frame);
        if (frame == last) {
            sched_yield();
            continue;
        }
        last = frame;
        const float *in[MOST_CHANNELS];
        for (int c = 0; c < MOST_CHANNELS; c++) {
            for (int i = 0; i < LONGEST_PERIOD; i++) plane[c][i] = (float)((n + i) % 100) / 50 - 1;
            in[c] = n % 16 == 5 ? NULL : plane[c];
        }
        archibald_capture(e->engine, in, n % (MOST_CHANNELS + 1), atomic_load(&e->frames), frame,
                          monotonic_ns());
    }
    return NULL;
}

static void await(_Atomic uint32_t *busy) {
    while (atomic_load(busy)) sched_yield();
}

static void replace_receiver(end *e, archibald_receiver *receiver) {
    archibald_receiver *old = atomic_exchange(&e->engine->receiver, receiver);
    await(&e->engine->in_playout);
    archibald_receiver_free(old);
}

static void replace_sender(end *e, archibald_sender *sender) {
    archibald_sender *old = atomic_exchange(&e->engine->sender, NULL);
    await(&e->engine->in_capture);
    if (old) e->next_sequence = old->sequence;
    archibald_sender_free(old);
    if (!sender) return;
    sender->sequence = e->next_sequence;
    atomic_exchange(&e->engine->sender, sender);
}

static archibald_receiver *a_receiver(end *e, enum wire_encoding encoding, uint32_t channels) {
    receive_plan plan = {.encoding = encoding,
                         .payload_type = 96,
                         .channels = channels,
                         .rate_hz = 48000,
                         .graph_hz = rand() % 2 ? 48000 : 96000,
                         .ssrc = 7,
                         .repeats = (uint32_t)rand() % (1 + MAX_REPEATS),
                         .repeat_distance_frames = (uint32_t)rand() % 3 * 64,
                         .send_delay = rand() % 2};
    archibald_receiver *receiver = archibald_receiver_new(&plan, e->engine->table);
    if (!receiver) fail("archibald_receiver_new");
    return receiver;
}

static archibald_sender *a_sender(end *peer, enum wire_encoding encoding, uint32_t channels) {
    send_plan plan = {.encoding = encoding,
                      .payload_type = 96,
                      .channels = channels,
                      .packet_frames = 8 + (uint32_t)rand() % 25,
                      .ssrc = 7,
                      .first_timestamp = 0xfffff000u,
                      .repeats = (uint32_t)rand() % (1 + MAX_REPEATS),
                      .repeat_distance_frames = (uint32_t)rand() % 3 * 64,
                      .send_delay = rand() % 2,
                      .to = peer->address,
                      .to_bytes = sizeof(struct sockaddr_in)};
    archibald_sender *sender = archibald_sender_new(&plan);
    if (!sender) fail("archibald_sender_new");
    return sender;
}

/* What control does for WIRE_CODED: a payload is one sample of a cycle. */
static void encode(archibald_engine *engine) {
    archibald_sender *sender = atomic_load(&engine->sender);
    const sound_block *block;
    while (sender && sender->captured && (block = archibald_sound_first(sender->captured))) {
        uint8_t payload[sizeof(float)];
        memcpy(payload, archibald_sound_samples(sender->captured, block), sizeof payload);
        uint32_t timestamp = sender->plan.first_timestamp + (uint32_t)block->media;
        uint32_t n = archibald_sender_pack_coded(sender, &engine->sent, payload, sizeof payload,
                                                 timestamp, block, -1);
        archibald_socket_send(engine, sender, n);
        archibald_sound_drop(sender->captured);
    }
}

static void decode(archibald_engine *engine) {
    archibald_receiver *receiver = atomic_load(&engine->receiver);
    const packet_slot *packet;
    while (receiver && receiver->coded && (packet = archibald_packet_first(receiver->coded))) {
        sound_block block = {.media = packet->media,
                             .time_ns = packet->arrival_ns,
                             .send_delay_ns = -1,
                             .frames = 64,
                             .kind = BLOCK_OBSERVED};
        float *samples = archibald_sound_begin(receiver->decoded, block.frames);
        for (uint32_t i = 0; samples && i < block.frames * receiver->plan.channels; i++)
            memcpy(&samples[i], packet->data, sizeof *samples);
        if (samples) archibald_sound_end(receiver->decoded, &block);
        archibald_packet_drop(receiver->coded);
        (void)atomic_load_explicit(&receiver->due_ns, memory_order_relaxed);
    }
}

/* Everything control reads, and the seek that it derives from it. */
static void read_back(end *e) {
    static observation seen[512];
    static rtcp_slot report;
    archibald_engine *engine = e->engine;
    archibald_receiver *receiver = atomic_load(&engine->receiver);
    uint32_t n = archibald_observation_read(&engine->observations, seen, 512);
    const observation *packet = NULL, *cycle = NULL;
    for (uint32_t i = 0; i < n; i++) {
        if (seen[i].kind == OBSERVED_CYCLE) cycle = &seen[i];
        if (seen[i].kind == OBSERVED_PACKET) packet = &seen[i];
    }
    if (receiver && packet && cycle && (!cycle->playing || rand() % 100 == 0))
        atomic_store_explicit(&receiver->command, packet->media - cycle->media - rand() % 1000,
                              memory_order_release);
    while (archibald_rtcp_read(&engine->rtcp, &report)) {}
    for (int c = 0; c < MAX_CHANNELS; c++) {
        atomic_exchange_explicit(&engine->received.peak_bits[c], 0, memory_order_relaxed);
        atomic_exchange_explicit(&engine->sent.peak_bits[c], 0, memory_order_relaxed);
    }
    if (!receiver) return;
    double ratio = 0.99 + 0.02 * rand() / RAND_MAX;
    uint64_t bits;
    memcpy(&bits, &ratio, sizeof bits);
    atomic_store_explicit(&receiver->ratio_bits, bits, memory_order_relaxed);
    if (rand() % 100 == 0)
        atomic_store_explicit(&receiver->command, COMMAND_MUTE, memory_order_release);
    if (atomic_load_explicit(&receiver->have_from, memory_order_acquire)) {
        struct sockaddr_storage from = receiver->from;
        if (from.ss_family != AF_INET) fail("media source");
    }
}

static void control(end *e, end *peer) {
    enum wire_encoding encoding = (enum wire_encoding)(1 + rand() % 4);
    uint32_t channels = 1 + (uint32_t)rand() % MOST_CHANNELS;
    archibald_engine *engine = e->engine;
    switch (rand() % 100) {
    case 0: replace_receiver(e, NULL); break;
    case 1: replace_sender(e, NULL); break;
    case 2: {
        uint64_t count = (atomic_load(&engine->graph) >> 32) + 1;
        atomic_store_explicit(&engine->graph, count << 32 | 48000, memory_order_release);
        break;
    }
    case 3: /* as Idle */
        if (!atomic_exchange_explicit(&engine->reading, 1, memory_order_acquire)) {
            archibald_socket_drain(engine, NULL, monotonic_ns(), 64);
            atomic_store_explicit(&engine->reading, 0, memory_order_release);
        }
        break;
    case 4:
    case 5:
        replace_receiver(e, a_receiver(e, encoding, channels));
        replace_sender(peer, a_sender(e, encoding, channels));
        break;
    default: break;
    }
    uint8_t rtcp[] = {0x80, 201, 0, 1, 0, 0, 0, 7};
    sendto(engine->fd, rtcp, sizeof rtcp, MSG_DONTWAIT, (struct sockaddr *)&peer->address,
           sizeof(struct sockaddr_in));
    encode(engine);
    decode(engine);
    read_back(e);
}

static void open_end(end *e) {
    struct sockaddr_in *address = (struct sockaddr_in *)&e->address;
    socklen_t bytes = sizeof *address;
    int on = 1, fd = socket(AF_INET, SOCK_DGRAM, 0);
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)address, bytes) != 0 ||
        getsockname(fd, (struct sockaddr *)address, &bytes) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0)
        fail("socket");
    e->engine = archibald_engine_new(fd);
    if (!e->engine) fail("archibald_engine_new");
}

int main(int argc, char **argv) {
    int64_t until = monotonic_ns() + (argc > 1 ? atoi(argv[1]) : 3) * 1000000000ll;
    pthread_t threads[2 * ENDS];
    for (int i = 0; i < ENDS; i++) open_end(&ends[i]);
    for (int i = 0; i < ENDS; i++) {
        if (pthread_create(&threads[2 * i], NULL, playout_thread, &ends[i]) != 0 ||
            pthread_create(&threads[2 * i + 1], NULL, capture_thread, &ends[i]) != 0)
            fail("pthread_create");
    }
    uint64_t turns = 0;
    for (; monotonic_ns() < until; turns++) {
        control(&ends[turns % ENDS], &ends[(turns + 1) % ENDS]);
        usleep(200);
    }
    atomic_store(&stop, 1);
    for (int i = 0; i < 2 * ENDS; i++) pthread_join(threads[i], NULL);
    int idle = 0;
    for (int i = 0; i < ENDS; i++) {
        archibald_engine *engine = ends[i].engine;
        uint64_t sent = atomic_load(&engine->sent.packets);
        uint64_t received = atomic_load(&engine->received.packets);
        printf("end %d: %llu cycles, %llu with sound, %llu packets sent, %llu received, %llu "
               "frames concealed\n",
               i, (unsigned long long)atomic_load(&engine->received.cycles),
               (unsigned long long)ends[i].sounding, (unsigned long long)sent,
               (unsigned long long)received,
               (unsigned long long)atomic_load(&engine->received.concealed_frames));
        idle |= sent == 0 || received == 0 || ends[i].sounding == 0;
        close(engine->fd);
        archibald_engine_free(engine);
    }
    printf("%llu turns of control\n", (unsigned long long)turns);
    if (idle) fprintf(stderr, "driver: an end sent, received or played nothing\n");
    return idle;
}
