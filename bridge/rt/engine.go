package rt

/*
#cgo CFLAGS: -D_GNU_SOURCE -std=gnu11 -fvisibility=hidden -O3 -Wall -Wextra -Wshadow
#cgo LDFLAGS: -lm
#include "core.h"

static int engine_busy(archibald_engine *e) {
    return (atomic_load(&e->in_playout) || atomic_load(&e->in_follow) ? 1 : 0) | (atomic_load(&e->in_capture) ? 2 : 0);
}
static archibald_receiver *swap_receiver(archibald_engine *e, archibald_receiver *receiver) { return atomic_exchange(&e->receiver, receiver); }
static archibald_sender *swap_sender(archibald_engine *e, archibald_sender *sender) { return atomic_exchange(&e->sender, sender); }
static void *playout_function(void) { return (void *)archibald_playout; }
static void *capture_function(void) { return (void *)archibald_capture; }
static void *follow_function(void) { return (void *)archibald_follow; }
static void set_follow(archibald_engine *e, uint32_t rate_hz, uint32_t period_frames) {
    atomic_store_explicit(&e->follow.graph, (uint64_t)rate_hz << 32 | period_frames, memory_order_release);
}
static void set_graph(archibald_engine *e, uint32_t rate_hz) {
    uint64_t count = (atomic_load(&e->graph) >> 32) + 1;
    atomic_store_explicit(&e->graph, count << 32 | rate_hz, memory_order_release);
}
static void command(archibald_engine *e, int64_t value) {
    archibald_receiver *receiver = atomic_load(&e->receiver); // only control replaces it
    if (receiver) atomic_store_explicit(&receiver->command, value, memory_order_release);
}
static int is_playing(archibald_engine *e) {
    archibald_receiver *receiver = atomic_load(&e->receiver);
    return receiver && atomic_load_explicit(&receiver->playing, memory_order_relaxed);
}
static void set_ratio_bits(archibald_engine *e, uint64_t bits) {
    archibald_receiver *receiver = atomic_load(&e->receiver);
    if (receiver) atomic_store_explicit(&receiver->ratio_bits, bits, memory_order_relaxed);
}
*/
import "C"

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"runtime"
	"time"
	"unsafe"

	"archibald-bridge/bridge/stream"
)

// Limits of the core.
const (
	MaxChannels     = int(C.MAX_CHANNELS)
	MaxPeriodFrames = int(C.MAX_PERIOD_FRAMES)
	LookaheadFrames = int(C.LOOKAHEAD) // the resampler's part of the latency, between equal rates
)

// Engine is one end of a bridge: one sender, one receiver, one socket. It
// implements session.Core. Its methods are for one goroutine at a time; the
// audio threads enter through Callbacks.
type Engine struct {
	c      *C.archibald_engine
	socket *mediaSocket // nil on virtual time

	lookahead int     // of the resampler of the newest receiver that was started
	nominal   float64 // its ratio by both rates

	firstTimestamp uint32
	nextSequence   C.uint16_t // continues from sender to sender
	records        []C.observation
	rtcp           C.rtcp_slot

	scratch     C.struct_sockaddr_storage // for one call
	hearing     hearing
	kernelDrops uint64         // of the socket so far
	stranger    netip.AddrPort // whom the receiver refused
}

// Open binds the media socket and makes an engine around it.
func Open(listen netip.AddrPort) (*Engine, error) {
	socket, err := openSocket(listen)
	if err != nil {
		return nil, err
	}
	e, err := newEngine(socket.fd)
	if err != nil {
		socket.close()
		return nil, err
	}
	e.socket = socket
	return e, nil
}

func newEngine(fd int) (*Engine, error) {
	c := C.archibald_engine_new(C.int(fd))
	if c == nil {
		return nil, errors.New("no memory for the real-time core")
	}
	return &Engine{c: c, lookahead: LookaheadFrames, nominal: 1, firstTimestamp: random32(), nextSequence: C.uint16_t(random32()), records: make([]C.observation, 512)}, nil
}

// Close frees everything. No callback may run any more.
func (e *Engine) Close() {
	C.archibald_engine_free(e.c)
	e.c = nil
	if e.socket != nil {
		e.socket.close()
	}
}

// Callbacks is the core as an audio server calls it.
func (e *Engine) Callbacks() stream.Callbacks {
	return stream.Callbacks{Engine: unsafe.Pointer(e.c), Playout: C.playout_function(), Capture: C.capture_function(),
		Follow: C.follow_function(), Socket: int(e.c.fd)}
}

// MemoryLocked says whether the limits let the core lock all of its memory.
func MemoryLocked() bool { return C.archibald_memory_unlocked() == 0 }

// LookaheadFrames implements session.Core.
func (e *Engine) LookaheadFrames() int { return e.lookahead }

// SetGraph implements session.Core.
func (e *Engine) SetGraph(rateHz int) { C.set_graph(e.c, C.uint32_t(rateHz)) }

// Follow implements session.Core: the peer's packets drive cycles of periodFrames, 1 to
// MaxPeriodFrames, at rateHz, 8000 to 192000, from the audio server's next call of Callbacks.Follow on. 0, 0: it
// starts none, and the graph has its own clock again.
func (e *Engine) Follow(rateHz, periodFrames int) {
	C.set_follow(e.c, C.uint32_t(rateHz), C.uint32_t(periodFrames))
}

func encodingOf(e stream.Encoding) C.enum_wire_encoding {
	switch e {
	case stream.L16:
		return C.WIRE_L16
	case stream.L24:
		return C.WIRE_L24
	case stream.F32:
		return C.WIRE_F32
	case stream.Coded:
		return C.WIRE_CODED
	}
	return 0
}

func checkFormat(f stream.Format, payloadType uint8) error {
	switch {
	case encodingOf(f.Encoding) == 0:
		return fmt.Errorf("format %q: legal are L16, L24, F32, coded", f.Encoding)
	case payloadType < 1 || payloadType > 127:
		return fmt.Errorf("RTP payload type %d: legal are 1 to 127", payloadType)
	case f.Channels < 1 || f.Channels > MaxChannels:
		return fmt.Errorf("channels %d: legal are 1 to %d", f.Channels, MaxChannels)
	}
	return checkRate("rate", f.RateHz)
}

func checkRate(what string, hz int) error {
	if hz < 8000 || hz > 192000 {
		return fmt.Errorf("%s %d Hz: legal are 8000 to 192000", what, hz)
	}
	return nil
}

// checkLock refuses what a locked session has not: it plays each cycle at once, and copies
// samples only.
func checkLock(lock stream.Lock, f stream.Format, r stream.Repeats) error {
	switch {
	case lock == stream.Unlocked:
		return nil
	case f.Encoding == stream.Coded:
		return fmt.Errorf("format %s in a locked session: legal are L16, L24, F32", f)
	case r.DistanceFrames != 0:
		return fmt.Errorf("repeats %d frames later in a locked session: legal is 0", r.DistanceFrames)
	}
	return nil
}

// StartSender implements session.Core.
func (e *Engine) StartSender(p stream.SendPlan) error {
	if err := checkFormat(p.Format, p.PayloadType); err != nil {
		return err
	}
	if err := checkLock(p.Lock, p.Format, p.Repeats); err != nil {
		return err
	}
	const mostBytes = C.DATAGRAM_BYTES - C.RTP_HEADER_BYTES - C.SEND_DELAY_BYTES
	most := stream.MaxCodedFrames
	if size := p.Format.BytesPerFrame(); size > 0 {
		most = mostBytes / size
	}
	if p.PacketFrames < 1 || p.PacketFrames > most {
		return fmt.Errorf("packet of %d frames of %s: legal are 1 to %d", p.PacketFrames, p.Format, most)
	}
	if r := p.Repeats; r.Copies < 0 || r.Copies > C.MAX_REPEATS || r.DistanceFrames < 0 || r.SpanFrames() > stream.MaxRepeatFrames {
		return fmt.Errorf("%d repeats, %d frames apart: legal are 0 to %d, over at most %d frames", r.Copies, r.DistanceFrames,
			C.MAX_REPEATS, stream.MaxRepeatFrames)
	}
	plan := C.send_plan{
		encoding:        encodingOf(p.Format.Encoding),
		payload_type:    C.uint8_t(p.PayloadType),
		channels:        C.uint32_t(p.Format.Channels),
		packet_frames:   C.uint32_t(p.PacketFrames),
		ssrc:            C.uint32_t(p.SSRC),
		first_timestamp: C.uint32_t(e.firstTimestamp),

		repeats:                C.uint32_t(p.Repeats.Copies),
		repeat_distance_frames: C.uint32_t(p.Repeats.DistanceFrames),
		send_delay:             flag(p.SendDelay),
		lock:                   C.enum_lock(p.Lock),
	}
	if p.Lock == stream.Follows {
		plan.first_timestamp = 0 // the leader's own: its cycles name the answers
	}
	if e.socket != nil {
		plan.to_bytes = e.socket.putAddress(unsafe.Pointer(&plan.to), p.To)
		if plan.to_bytes == 0 {
			return fmt.Errorf("peer %s: not reachable from %s", p.To, e.socket.local)
		}
		message := e.socket.sourceMessage(p.Source)
		copy(unsafe.Slice((*byte)(&plan.source[0]), len(plan.source)), message)
		plan.source_bytes = C.uint32_t(len(message))
	}
	sender := C.archibald_sender_new(&plan)
	if sender == nil {
		return errors.New("no memory for the sender")
	}
	if err := e.stopSender(); err != nil {
		C.archibald_sender_free(sender)
		return err
	}
	sender.sequence = e.nextSequence
	C.swap_sender(e.c, sender)
	return nil
}

// StopSender implements session.Core.
func (e *Engine) StopSender() { _ = e.stopSender() } // the next StartSender says it

func (e *Engine) stopSender() error {
	old := C.swap_sender(e.c, nil)
	err := e.await(2)
	if old != nil { // also when it is kept: to the peer its numbers again would be copies
		e.nextSequence = old.sequence
	}
	if err != nil {
		return err
	}
	C.archibald_sender_free(old)
	return nil
}

// checkReceiveLock also holds the wait of a leader's graph to a quarter of its period.
func checkReceiveLock(p stream.ReceivePlan) error {
	if err := checkLock(p.Lock, p.Format, p.Repeats); err != nil || p.Lock == stream.Unlocked {
		return err
	}
	if p.PeriodFrames < 1 || p.PeriodFrames > MaxPeriodFrames {
		return fmt.Errorf("period of %d frames of the leader: legal are 1 to %d", p.PeriodFrames, MaxPeriodFrames)
	}
	if p.GraphRateHz != 0 && p.GraphRateHz != p.Format.RateHz {
		return fmt.Errorf("stream of %d Hz in a graph of %d Hz: legal is one rate where one end leads", p.Format.RateHz, p.GraphRateHz)
	}
	if p.Lock == stream.Follows {
		return nil
	}
	if p.AnswerPeriods != 1 && p.AnswerPeriods != 2 {
		return fmt.Errorf("answers after %d periods: legal are 1 and 2", p.AnswerPeriods)
	}
	if most := time.Duration(p.PeriodFrames) * time.Second / time.Duration(4*p.Format.RateHz); p.MostWait < 0 || p.MostWait > most {
		return fmt.Errorf("wait of %v for an answer: legal are 0 to %v, a quarter of the period", p.MostWait, most)
	}
	return nil
}

// StartReceiver implements session.Core.
func (e *Engine) StartReceiver(p stream.ReceivePlan) error {
	if err := checkFormat(p.Format, p.PayloadType); err != nil {
		return err
	}
	if err := checkReceiveLock(p); err != nil {
		return err
	}
	graphHz := p.GraphRateHz
	if graphHz == 0 {
		graphHz = p.Format.RateHz
	}
	if err := checkRate("graph rate", graphHz); err != nil {
		return err
	}
	plan := C.receive_plan{
		encoding:     encodingOf(p.Format.Encoding),
		payload_type: C.uint8_t(p.PayloadType),
		channels:     C.uint32_t(p.Format.Channels),
		rate_hz:      C.uint32_t(p.Format.RateHz),
		graph_hz:     C.uint32_t(graphHz),
		ssrc:         C.uint32_t(p.SSRC),

		repeats:                C.uint32_t(p.Repeats.Copies),
		repeat_distance_frames: C.uint32_t(p.Repeats.DistanceFrames),
		send_delay:             flag(p.SendDelay),

		lock:           C.enum_lock(p.Lock),
		period_frames:  C.uint32_t(p.PeriodFrames),
		answer_periods: C.uint32_t(p.AnswerPeriods),
		most_wait_ns:   C.int64_t(p.MostWait),
	}
	if e.socket != nil && p.From.IsValid() && e.socket.putAddress(unsafe.Pointer(&plan.from), netip.AddrPortFrom(p.From, 0)) == 0 {
		return fmt.Errorf("peer %s: not reachable from %s", p.From, e.socket.local)
	}
	return e.startReceiver(&plan, hearing{rtcp: true, from: p.From, ssrc: p.SSRC, payloadType: p.PayloadType})
}

// startReceiver leaves the running receiver alone when there can be no other.
func (e *Engine) startReceiver(plan *C.receive_plan, h hearing) error {
	if err := e.await(1); err != nil {
		return err // each attempt would leave a receiver behind
	}
	receiver := C.archibald_receiver_new(plan, e.c.table)
	if receiver == nil {
		return errors.New("no memory for the receiver")
	}
	receiver.sent = &e.c.sent_cycles
	if err := e.hear(h); err != nil {
		C.archibald_receiver_free(receiver)
		return err
	}
	if err := e.replaceReceiver(receiver); err != nil {
		return err
	}
	e.lookahead, e.nominal = int(receiver.table.lookahead), float64(plan.rate_hz)/float64(plan.graph_hz)
	return nil
}

// StopReceiver implements session.Core.
func (e *Engine) StopReceiver() {
	_ = e.replaceReceiver(nil) // the next StartReceiver says it
	_ = e.hear(hearing{})      // else the core drops what nobody takes
}

func (e *Engine) replaceReceiver(receiver *C.archibald_receiver) error {
	e.fadeOut()
	old := C.swap_receiver(e.c, receiver)
	if err := e.await(1); err != nil {
		return err
	}
	C.archibald_receiver_free(old)
	return nil
}

// fadeOut mutes the running receiver and gives it the time for that, so that
// taking it away is not heard as a click. Without a running graph there is
// nothing to wait for.
func (e *Engine) fadeOut() {
	if C.is_playing(e.c) == 0 {
		return
	}
	e.Mute()
	for range 60 {
		if C.is_playing(e.c) == 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// errStuck says that a callback of the audio server began and did not end. What it may
// hold is kept for good.
var errStuck = errors.New("a callback of the audio server has not ended for " + longestCallback.String() + ": the audio server hangs")

const longestCallback = time.Second // a callback is far shorter than a period

// await returns when no callback that began before the call can still run: a short wait.
// A thread that died within its callback must not hold control forever.
func (e *Engine) await(which C.int) error {
	begin := time.Now()
	for i := 0; C.engine_busy(e.c)&which != 0; i++ {
		switch {
		case i < 100:
			runtime.Gosched()
		case time.Since(begin) > longestCallback:
			return errStuck
		default:
			time.Sleep(100 * time.Microsecond)
		}
	}
	return nil
}

// SetRatio implements session.Core.
func (e *Engine) SetRatio(ratio float64) {
	if math.IsNaN(ratio) {
		return // the audio thread could never leave it again
	}
	ratio = min(max(ratio, 0.95*e.nominal), 1.05*e.nominal)
	C.set_ratio_bits(e.c, C.uint64_t(math.Float64bits(ratio)))
}

// SeekTo implements session.Core.
func (e *Engine) SeekTo(offset int64) { C.command(e.c, C.int64_t(offset)) }

// Mute implements session.Core.
func (e *Engine) Mute() { C.command(e.c, math.MinInt64+1) }

// Observe implements session.Core.
func (e *Engine) Observe(buf []stream.Observation) int {
	n := int(C.archibald_observation_read(&e.c.observations, &e.records[0],
		C.uint32_t(min(len(buf), len(e.records)))))
	for i, r := range e.records[:n] {
		buf[i] = stream.Observation{
			Kind: stream.Kind(r.kind), Frames: uint32(r.frames), TimeNs: int64(r.time_ns),
			SendDelayNs: int64(r.send_delay_ns), WaitNs: int64(r.wait_ns), Media: int64(r.media), Sequence: uint32(r.sequence), Position: int64(r.position),
			PositionFraction: float64(r.fraction), Ratio: float64(r.ratio), Playing: r.playing != 0,
		}
	}
	return n
}

func flag(on bool) C.int {
	if on {
		return 1
	}
	return 0
}

func random32() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return binary.BigEndian.Uint32(b[:])
}
