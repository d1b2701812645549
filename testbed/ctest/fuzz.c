/* libFuzzer target: one receiver, fed with whatever the input says, in whatever
 * order: datagrams whole, made up or broken, cycles of any length, skips, seeks,
 * ratios. Checks what must hold after every step. */
#include "../../bridge/rt/core.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const uint8_t *at, *end;
} input;

static uint64_t take(input *in, int bytes) {
    uint64_t value = 0;
    while (bytes-- > 0 && in->at < in->end) value = value << 8 | *in->at++;
    return value;
}

static void require(int condition) {
    if (!condition) abort();
}

static archibald_engine *engine; /* its rings, counters and table; never its socket */
static float plane[MAX_CHANNELS][MAX_PERIOD_FRAMES];
static const uint32_t period_of[] = {1, 16, 31, 32, 64, 256, 1021, 8192};

typedef struct {
    archibald_receiver *receiver;
    int64_t media;
    uint16_t sequence;
    uint32_t timestamp;
    struct sockaddr_storage from;
} fuzzed;

static void datagram(fuzzed *f, const uint8_t *data, size_t bytes) {
    /* A copy of just this size: reading past its end is found. */
    uint8_t *exact = malloc(bytes ? bytes : 1);
    memcpy(exact, data, bytes);
    archibald_receiver_datagram(f->receiver, &engine->received, &engine->observations, exact,
                                (uint32_t)bytes, f->media * 1000, &f->from);
    free(exact);
}

/* A packet that passes every check, and what its header says. */
static void valid_datagram(fuzzed *f, uint32_t frames, uint8_t fill) {
    uint8_t data[DATAGRAM_BYTES] = {0x80, (uint8_t)(96 | (fill & 0x80))}; /* some with the marker */
    const receive_plan *plan = &f->receiver->plan;
    uint32_t frame_bytes = archibald_wire_sample_bytes(plan->encoding) * plan->channels;
    if (plan->encoding == WIRE_CODED) frame_bytes = 1;
    if (frames * frame_bytes > DATAGRAM_BYTES - 12) frames = (DATAGRAM_BYTES - 12) / frame_bytes;
    data[2] = (uint8_t)(f->sequence >> 8);
    data[3] = (uint8_t)f->sequence;
    for (int i = 0; i < 4; i++) {
        data[4 + i] = (uint8_t)(f->timestamp >> (24 - 8 * i));
        data[8 + i] = (uint8_t)(plan->ssrc >> (24 - 8 * i));
    }
    for (uint32_t i = 0; i < frames * frame_bytes; i++) data[12 + i] = (uint8_t)(fill + i * 29);
    datagram(f, data, 12 + frames * frame_bytes);
    f->sequence++;
    f->timestamp += frames;
}

/* What control does with packets of WIRE_CODED; their bytes say what they hold. */
static void decode(archibald_receiver *receiver) {
    const packet_slot *packet;
    while ((packet = archibald_packet_first(receiver->coded))) {
        sound_block block = {.media = packet->media + (int8_t)packet->data[0],
                             .time_ns = packet->arrival_ns,
                             .send_delay_ns = packet->send_delay_ns,
                             .frames = 20u * packet->bytes % 5761,
                             .kind = packet->data[0] % 16};
        float *samples = archibald_sound_begin(receiver->decoded, block.frames);
        require(packet->bytes <= DATAGRAM_BYTES - RTP_HEADER_BYTES);
        if (samples) {
            for (uint32_t i = 0; i < block.frames * receiver->plan.channels; i++)
                samples[i] = i % 29 ? (float)(i % 7) / 7 : INFINITY;
            archibald_sound_end(receiver->decoded, &block);
        }
        archibald_packet_drop(receiver->coded);
    }
}

/* A leader's cycle, which it also sends, or one that a leader's packets drive or none. */
static void play_locked(fuzzed *f, float *const *out, uint32_t channels, uint32_t frames) {
    archibald_receiver *receiver = f->receiver;
    const int64_t now_ns = f->media * 1000;
    sent_cycles *sent = &engine->sent_cycles;
    int64_t position = receiver->buffer.done;
    if (receiver->plan.lock == LOCK_LEADS) {
        archibald_locked_seek(receiver, (uint64_t)f->media);
        position = receiver->buffer.done;
        archibald_locked_wait_until(receiver, now_ns, now_ns);
        const uint64_t count = atomic_load(&sent->count);
        atomic_store(&sent->slot[count % SENT_CYCLES].graph_frame, (uint64_t)f->media);
        atomic_store(&sent->slot[count % SENT_CYCLES].timestamp, f->timestamp + frames);
        atomic_store(&sent->count, count + 1);
    } else {
        int64_t wake_ns = 0;
        follow_machine *follow = &engine->follow;
        atomic_store(&follow->graph, 48000ull << 32 | receiver->plan.period_frames);
        if (archibald_follow_woken(follow, &engine->received,
                                   (enum archibald_follow_why)(frames % 3), now_ns, &wake_ns)) {
            int start = archibald_follow_decide(follow, receiver, &engine->received, now_ns);
            start = archibald_follow_end(follow, &engine->received, start, now_ns, &wake_ns);
            require(start == follow->running);
        }
        require(wake_ns > now_ns);
        const int64_t to_play = atomic_exchange(&follow->to_play, CYCLE_NONE);
        if (to_play != CYCLE_NONE) position = to_play;
    }
    archibald_locked_play(receiver, &engine->received, &engine->observations, out, channels, frames,
                          position, f->media, now_ns);
    require(!receiver->playing || receiver->buffer.done == position + frames);
}

static void play(fuzzed *f, uint32_t frames, uint32_t channels) {
    archibald_receiver *receiver = f->receiver;
    if (receiver->coded && f->media % 3) decode(receiver);
    archibald_receiver_decoded(receiver, &engine->received, &engine->observations);
    float *out[MAX_CHANNELS];
    for (uint32_t c = 0; c < channels; c++) out[c] = plane[c];
    if (receiver->plan.lock == LOCK_NONE)
        archibald_receiver_play(receiver, &engine->received, &engine->observations, out, channels,
                                frames, f->media, f->media * 1000);
    else
        play_locked(f, out, channels, frames);
    f->media += frames;
    require(receiver->fraction >= 0 && receiver->fraction < 1);
    if (receiver->playing && receiver->plan.lock == LOCK_NONE) {
        require(receiver->position - receiver->buffer.done <= receiver->table->lookahead);
        require(receiver->buffer.done - receiver->position <= HISTORY_FRAMES);
    }
    require(receiver->buffer.gap->start <= receiver->buffer.done &&
            receiver->buffer.gap_end <= receiver->buffer.done);
    if (receiver->plan.encoding == WIRE_F32)
        return; /* finite input may be as large as a float can be */
    for (uint32_t c = 0; c < channels; c++)
        for (uint32_t i = 0; i < frames; i++) require(fabsf(plane[c][i]) < 8);
}

static void step(fuzzed *f, input *in) {
    archibald_receiver *receiver = f->receiver;
    uint8_t op = (uint8_t)take(in, 1);
    switch (op % 12) {
    case 0: /* what the input holds, as it is */
    {
        size_t bytes = take(in, 2) % (DATAGRAM_BYTES + 1);
        if (bytes > (size_t)(in->end - in->at)) bytes = (size_t)(in->end - in->at);
        datagram(f, in->at, bytes);
        in->at += bytes;
        break;
    }
    case 1: /* a good header, then the input */
    {
        uint8_t data[12 + 256] = {(uint8_t)take(in, 1), (uint8_t)take(in, 1)};
        size_t bytes = take(in, 1);
        if (bytes > (size_t)(in->end - in->at)) bytes = (size_t)(in->end - in->at);
        memcpy(data + 2, in->at, bytes);
        for (int i = 0; i < 4; i++) data[8 + i] = (uint8_t)(receiver->plan.ssrc >> (24 - 8 * i));
        datagram(f, data, 2 + bytes);
        in->at += bytes;
        break;
    }
    case 2:
    case 3:
    case 4: valid_datagram(f, 1 + (uint32_t)take(in, 1) * 4, op); break;
    case 5: f->sequence += (uint16_t)take(in, 2); break;
    case 6: f->timestamp += (uint32_t)(int8_t)take(in, 1) * 64; break;
    case 7: f->timestamp += (uint32_t)take(in, 4); break;
    case 8:
    case 9: {
        uint32_t channels = (uint32_t)take(in, 1) % 4;
        play(f, period_of[op / 12 % 8], channels == 3 ? MAX_CHANNELS : channels);
        break;
    }
    case 10: /* seek: near the stream, anywhere within a century, or mute */
    {
        int64_t command = COMMAND_MUTE;
        uint64_t choice = take(in, 1);
        if (choice % 8 < 5)
            command = (int64_t)receiver->reference_media - f->media - (int16_t)take(in, 2);
        else if (choice % 8 < 7)
            command = (int64_t)(take(in, 6) << 16) >> 16;
        atomic_store(&receiver->command, command);
        break;
    }
    case 11: {
        uint32_t choice = (uint32_t)take(in, 2);
        double ratio = choice % 3 == 0 ? 1 : 0.95 + 0.1 * choice / 65535;
        ratio *= (double)receiver->plan.rate_hz / receiver->plan.graph_hz;
        uint64_t bits;
        memcpy(&bits, &ratio, sizeof bits);
        atomic_store(&receiver->ratio_bits, bits);
        if (choice % 5 == 0) f->media += (int64_t)(take(in, 3) & 0x1fffff) - 4096; /* own skip */
        break;
    }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint32_t channels_of[] = {1, 1, 2, 8}, rate_of[] = {48000, 8000, 192000, 44100};
    if (!engine) engine = archibald_engine_new(-1);
    if (!engine) abort();
    input in = {data, data + size};
    uint8_t shape = (uint8_t)take(&in, 1);
    const int coded = shape >= 248;
    receive_plan plan = {.encoding = coded ? WIRE_CODED : (enum wire_encoding)(1 + shape % 3),
                         .payload_type = 96,
                         .channels = shape < 240 ? channels_of[shape / 3 % 4]
                                     : coded     ? 2
                                                 : MAX_CHANNELS,
                         .rate_hz = rate_of[shape / 12 % 4],
                         /* seldom another: its filter takes longer to make than all else here */
                         .graph_hz = rate_of[(shape / 12 + (shape % 16 == 15)) % 4],
                         .ssrc = shape / 48 % 2 ? 0x01020304 : 0,
                         .repeats = shape / 96,
                         .repeat_distance_frames = shape / 24 % 2 * 64,
                         .send_delay = shape / 6 % 2,
                         .period_frames = period_of[shape % 8],
                         .answer_periods = 1 + shape % 2};
    fuzzed f = {.media = (int64_t)(take(&in, 3) << 12), .sequence = (uint16_t)take(&in, 2)};
    if (f.sequence % 8 < 3 && !coded) plan.lock = (enum lock)(f.sequence % 8);
    f.receiver = archibald_receiver_new(&plan, engine->table);
    if (!f.receiver) abort();
    f.receiver->sent = &engine->sent_cycles;
    f.from.ss_family = AF_INET;
    f.timestamp = (uint32_t)take(&in, 4);
    for (int steps = 0; in.at < in.end && steps < 300; steps++) step(&f, &in);
    static observation seen[OBSERVATIONS];
    uint32_t n = archibald_observation_read(&engine->observations, seen, OBSERVATIONS);
    for (uint32_t i = 0; i < n; i++)
        require(seen[i].send_delay_ns >= -1 &&
                seen[i].send_delay_ns <= (plan.send_delay ? 65534000 : 0));
    archibald_receiver_free(f.receiver);
    return 0;
}
