package rt

/*
#include <string.h>
#include "core.h"

// The receiver and the sender are replaced by control only, which first stops the
// goroutines that call these.

static const sound_block *captured_cycle(archibald_engine *e, const float **samples, uint32_t *timestamp) {
    sender *tx = atomic_load(&e->tx);
    const sound_block *block = tx && tx->captured ? sound_first(tx->captured) : NULL;
    if (!block) return NULL;
    *samples = sound_samples(tx->captured, block);
    *timestamp = tx->plan.first_timestamp + (uint32_t)block->media;
    return block;
}
static void drop_cycle(archibald_engine *e) { sound_drop(atomic_load(&e->tx)->captured); }

static uint32_t pack_encoded(archibald_engine *e, const uint8_t *payload, uint32_t bytes,
                             uint32_t timestamp, int64_t media, uint32_t frames, int64_t time_ns,
                             int64_t cycle_late_ns, int64_t late_ns) {
    sender *tx = atomic_load(&e->tx);
    const sound_block cycle = {.media = media, .frames = frames, .time_ns = time_ns, .late_ns = cycle_late_ns};
    return tx ? sender_pack_encoded(tx, &e->sent, payload, bytes, timestamp, &cycle, late_ns) : 0;
}
static void send_encoded(archibald_engine *e, uint32_t datagrams) {
    socket_send(e, atomic_load(&e->tx), datagrams);
}

static const packet_slot *encoded_packet(archibald_engine *e) {
    receiver *rx = atomic_load(&e->rx);
    return rx && rx->encoded ? packet_first(rx->encoded) : NULL;
}
static void drop_packet(archibald_engine *e) { packet_drop(atomic_load(&e->rx)->encoded); }

static int64_t due_ns(archibald_engine *e, int64_t media) {
    receiver *rx = atomic_load(&e->rx);
    int64_t due = rx ? atomic_load_explicit(&rx->due_ns, memory_order_relaxed) : CLOCK_STOPPED;
    if (due == CLOCK_STOPPED) return due;
    return due + stream_ns(media, rx->plan.rate_hz);
}

static int give_block(archibald_engine *e, const sound_block *block, const float *samples) {
    receiver *rx = atomic_load(&e->rx);
    if (!rx || !rx->decoded) return 0;
    float *to = sound_begin(rx->decoded, block->frames);
    if (!to) return 0;
    if (samples) memcpy(to, samples, (size_t)block->frames * rx->decoded->channels * sizeof *to);
    sound_end(rx->decoded, block);
    return 1;
}
*/
import "C"

import (
	"math"
	"unsafe"

	"archibald-bridge/bridge/stream"
)

// TakeCycle implements stream.SendTap.
func (e *Engine) TakeCycle(into *stream.Cycle) bool {
	var samples *C.float
	var timestamp C.uint32_t
	block := C.captured_cycle(e.c, &samples, &timestamp)
	if block == nil {
		return false
	}
	values := int(block.frames) * int(e.c.tx.captured.channels)
	*into = stream.Cycle{
		Media: int64(block.media), Timestamp: uint32(timestamp), TimeNs: int64(block.time_ns), SendDelayNs: int64(block.late_ns),
		Frames: int(block.frames), Samples: append(into.Samples[:0], unsafe.Slice((*float32)(unsafe.Pointer(samples)), values)...),
	}
	C.drop_cycle(e.c)
	return true
}

// SendCoded implements stream.SendTap.
func (e *Engine) SendCoded(p stream.CodedPacket) { C.send_encoded(e.c, e.packEncoded(p)) }

// packEncoded returns how many of the sender's outgoing datagrams are to be sent.
func (e *Engine) packEncoded(p stream.CodedPacket) C.uint32_t {
	return C.pack_encoded(e.c, (*C.uint8_t)(unsafe.Pointer(&p.Payload[0])), C.uint32_t(len(p.Payload)), C.uint32_t(p.Timestamp),
		C.int64_t(p.Cycle.Media), C.uint32_t(p.Cycle.Frames), C.int64_t(p.Cycle.TimeNs), C.int64_t(p.Cycle.SendDelayNs), C.int64_t(p.SendDelayNs))
}

// TakePacket implements stream.ReceiveTap.
func (e *Engine) TakePacket(p *stream.ArrivedPacket) bool {
	slot := C.encoded_packet(e.c)
	if slot == nil {
		return false
	}
	*p = stream.ArrivedPacket{
		Media: int64(slot.media), Sequence: uint16(slot.sequence), ArrivalNs: int64(slot.arrival_ns), SendDelayNs: int64(slot.late_ns),
		Again: slot.again != 0, Payload: append(p.Payload[:0], unsafe.Slice((*byte)(&slot.data[0]), int(slot.bytes))...),
	}
	C.drop_packet(e.c)
	return true
}

// DueNs implements stream.ReceiveTap.
func (e *Engine) DueNs(media int64) (ns int64, playing bool) {
	ns = int64(C.due_ns(e.c, C.int64_t(media)))
	return ns, ns != math.MinInt64
}

// GiveBlock implements stream.ReceiveTap.
func (e *Engine) GiveBlock(b stream.Block) bool {
	block := C.sound_block{
		media: C.int64_t(b.Media), time_ns: C.int64_t(b.ArrivalNs), wait_ns: C.int64_t(b.ReadyNs - b.ArrivalNs), late_ns: C.int64_t(b.SendDelayNs),
		frames: C.uint32_t(b.Frames),
	}
	switch b.Kind {
	case stream.BlockConcealed:
		block.kind = C.BLOCK_CONCEALED
	case stream.BlockLate:
		block.kind = C.BLOCK_LATE
	case stream.BlockMalformed:
		block.kind = C.BLOCK_MALFORMED
	}
	if b.Observed {
		block.kind |= C.BLOCK_OBSERVED
	}
	var samples *C.float
	if len(b.Samples) > 0 {
		samples = (*C.float)(unsafe.Pointer(&b.Samples[0]))
	}
	return C.give_block(e.c, &block, samples) != 0
}
