package rt

/*
#include <string.h>
#include "core.h"

// The receiver and the sender are replaced by control only, which first stops the
// goroutines that call these.

static const sound_block *captured_cycle(archibald_engine *e, const float **samples, uint32_t *timestamp) {
    archibald_sender *sender = atomic_load(&e->sender);
    const sound_block *block = sender && sender->captured ? archibald_sound_first(sender->captured) : NULL;
    if (!block) return NULL;
    *samples = archibald_sound_samples(sender->captured, block);
    *timestamp = sender->plan.first_timestamp + (uint32_t)block->media;
    return block;
}
static void drop_cycle(archibald_engine *e) { archibald_sound_drop(atomic_load(&e->sender)->captured); }

static uint32_t pack_coded(archibald_engine *e, const uint8_t *payload, uint32_t bytes,
                             uint32_t timestamp, int64_t media, uint32_t frames, int64_t time_ns,
                             int64_t cycle_send_delay_ns, int64_t send_delay_ns) {
    archibald_sender *sender = atomic_load(&e->sender);
    const sound_block cycle = {.media = media, .frames = frames, .time_ns = time_ns, .send_delay_ns = cycle_send_delay_ns};
    return sender ? archibald_sender_pack_coded(sender, &e->sent, payload, bytes, timestamp, &cycle, send_delay_ns) : 0;
}
static void send_coded(archibald_engine *e, uint32_t datagrams) {
    archibald_socket_send(e, atomic_load(&e->sender), datagrams);
}

static const packet_slot *coded_packet(archibald_engine *e) {
    archibald_receiver *receiver = atomic_load(&e->receiver);
    return receiver && receiver->coded ? archibald_packet_first(receiver->coded) : NULL;
}
static void drop_packet(archibald_engine *e) { archibald_packet_drop(atomic_load(&e->receiver)->coded); }

static int64_t due_ns(archibald_engine *e, int64_t media) {
    archibald_receiver *receiver = atomic_load(&e->receiver);
    int64_t due = receiver ? atomic_load_explicit(&receiver->due_ns, memory_order_relaxed) : CLOCK_STOPPED;
    if (due == CLOCK_STOPPED) return due;
    return due + archibald_stream_ns(media, receiver->plan.rate_hz);
}

static int give_block(archibald_engine *e, const sound_block *block, const float *samples) {
    archibald_receiver *receiver = atomic_load(&e->receiver);
    if (!receiver || !receiver->decoded) return 0;
    float *to = archibald_sound_begin(receiver->decoded, block->frames);
    if (!to) return 0;
    if (samples) memcpy(to, samples, (size_t)block->frames * receiver->decoded->channels * sizeof *to);
    archibald_sound_end(receiver->decoded, block);
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
	values := int(block.frames) * int(e.c.sender.captured.channels)
	*into = stream.Cycle{
		Media: int64(block.media), Timestamp: uint32(timestamp), TimeNs: int64(block.time_ns), SendDelayNs: int64(block.send_delay_ns),
		Frames: int(block.frames), Samples: append(into.Samples[:0], unsafe.Slice((*float32)(unsafe.Pointer(samples)), values)...),
	}
	C.drop_cycle(e.c)
	return true
}

// SendCoded implements stream.SendTap.
func (e *Engine) SendCoded(p stream.CodedPacket) { C.send_coded(e.c, e.packCoded(p)) }

// packCoded returns how many of the sender's outgoing datagrams are to be sent.
func (e *Engine) packCoded(p stream.CodedPacket) C.uint32_t {
	return C.pack_coded(e.c, (*C.uint8_t)(unsafe.Pointer(&p.Payload[0])), C.uint32_t(len(p.Payload)), C.uint32_t(p.Timestamp),
		C.int64_t(p.Cycle.Media), C.uint32_t(p.Cycle.Frames), C.int64_t(p.Cycle.TimeNs), C.int64_t(p.Cycle.SendDelayNs), C.int64_t(p.SendDelayNs))
}

// TakePacket implements stream.ReceiveTap.
func (e *Engine) TakePacket(p *stream.ArrivedPacket) bool {
	slot := C.coded_packet(e.c)
	if slot == nil {
		return false
	}
	*p = stream.ArrivedPacket{
		Media: int64(slot.media), Sequence: uint16(slot.sequence), ArrivalNs: int64(slot.arrival_ns), SendDelayNs: int64(slot.send_delay_ns),
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
		media: C.int64_t(b.Media), time_ns: C.int64_t(b.ArrivalNs), wait_ns: C.int64_t(b.ReadyNs - b.ArrivalNs), send_delay_ns: C.int64_t(b.SendDelayNs),
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
