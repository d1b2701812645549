package rt

/*
#include <stdlib.h>
#include <string.h>
#include "core.h"

static void virtual_play(archibald_engine *e, float *plane, uint32_t channels, uint32_t frames,
                         uint64_t graph_frame, int64_t cycle_ns) {
    float *out[MAX_CHANNELS];
    for (uint32_t c = 0; c < channels; c++) out[c] = plane + (size_t)c * frames;
    archibald_playout(e, out, channels, frames, graph_frame, cycle_ns, cycle_ns);
}

static void virtual_capture(archibald_engine *e, const float *plane, uint32_t channels,
                            uint32_t frames, uint64_t graph_frame, int64_t now_ns) {
    const float *in[MAX_CHANNELS];
    for (uint32_t c = 0; c < channels; c++) in[c] = plane + (size_t)c * frames;
    archibald_sender *sender = atomic_load(&e->sender);
    int64_t media;
    if (sender && archibald_capture_media(e, sender, frames, graph_frame, &media))
        archibald_sender_capture(sender, &e->sent, in, channels, frames, media, now_ns,
                       archibald_send_delay_ns(e, graph_frame, now_ns));
}

static uint32_t virtual_pack(archibald_engine *e, uint64_t graph_frame, int64_t now_ns) {
    archibald_sender *sender = atomic_load(&e->sender);
    return sender && !sender->captured ? archibald_sender_pack(sender, &e->sent, now_ns, archibald_send_delay_ns(e, graph_frame, now_ns)) : 0;
}

static void virtual_datagram(archibald_engine *e, const uint8_t *data, uint32_t bytes,
                             int64_t arrival_ns, const struct sockaddr_storage *from) {
    archibald_receiver *receiver = atomic_load(&e->receiver);
    if (receiver) archibald_receiver_datagram(receiver, &e->received, &e->observations, data, bytes, arrival_ns, from);
}

static void virtual_position(archibald_engine *e, uint16_t sequence, uint32_t timestamp,
                             uint32_t frames, int64_t arrival_ns, int64_t send_delay_ns) {
    archibald_receiver *receiver = atomic_load(&e->receiver);
    if (receiver)
        archibald_receiver_packet(receiver, &e->received, &e->observations, sequence, timestamp, 0, NULL, frames,
                        arrival_ns, send_delay_ns);
}

static void virtual_expect(archibald_engine *e, uint64_t graph_frame) {
    archibald_receiver *receiver = atomic_load(&e->receiver);
    if (receiver) archibald_locked_seek(receiver, graph_frame);
}
static int64_t virtual_driving(archibald_engine *e) { return atomic_load(&e->follow.to_play); }
static int virtual_woken(archibald_engine *e, int why, int64_t now_ns, int64_t *wake_ns) {
    return archibald_follow_woken(&e->follow, &e->received, (enum archibald_follow_why)why, now_ns, wake_ns);
}
static int virtual_decide(archibald_engine *e, int64_t now_ns) {
    return archibald_follow_decide(&e->follow, atomic_load(&e->receiver), &e->received, now_ns);
}
static uint32_t virtual_budget(archibald_engine *e) {
    return archibald_drain_budget(atomic_load(&e->receiver), (uint32_t)e->follow.made_for);
}
static uint32_t virtual_wanted(archibald_engine *e) {
    return archibald_follow_wanted(&e->follow, atomic_load(&e->receiver));
}
static int virtual_end(archibald_engine *e, int started, int more, int64_t now_ns, int64_t *wake_ns) {
    e->follow.more = more;
    return archibald_follow_end(&e->follow, &e->received, started, now_ns, wake_ns);
}
*/
import "C"

import (
	"net/netip"
	"unsafe"

	"archibald-bridge/bridge/stream"
)

// Virtual is an engine without a socket: the same code on virtual time. The
// caller is the graph, the network and the clock. For the simulator and tests; it is part of
// this package since it calls below the callbacks, where only this package sees the core.
type Virtual struct {
	*Engine
	plane []C.float
	sent  [][]byte // by SendCoded
}

// NewVirtual makes an engine whose graph runs at rateHz.
func NewVirtual(rateHz int) (*Virtual, error) {
	e, err := newEngine(-1)
	if err != nil {
		return nil, err
	}
	e.SetGraph(rateHz)
	return &Virtual{Engine: e, plane: make([]C.float, MaxChannels*MaxPeriodFrames)}, nil
}

// StartPositions starts a receiver without channels for a stream of one rate in a graph of
// another: it tracks positions and concealment and moves no samples.
func (v *Virtual) StartPositions(rateHz, graphHz int, repeats stream.Repeats) error {
	return v.startReceiver(&C.receive_plan{encoding: C.WIRE_L16, payload_type: 96,
		rate_hz: C.uint32_t(rateHz), graph_hz: C.uint32_t(graphHz), repeats: C.uint32_t(repeats.Copies),
		repeat_distance_frames: C.uint32_t(repeats.DistanceFrames)}, hearing{})
}

// Receive hands over a datagram that arrived at arrivalNs, always from one source.
func (v *Virtual) Receive(datagram []byte, arrivalNs int64) {
	v.ReceiveFrom(datagram, netip.AddrPort{}, arrivalNs)
}

// ReceiveFrom is Receive from a source of IPv4.
func (v *Virtual) ReceiveFrom(datagram []byte, source netip.AddrPort, arrivalNs int64) {
	if len(datagram) == 0 {
		return
	}
	from := &v.scratch
	from.ss_family = 0
	if source.IsValid() {
		(&mediaSocket{}).putAddress(unsafe.Pointer(from), source)
	}
	C.virtual_datagram(v.c, (*C.uint8_t)(unsafe.Pointer(&datagram[0])), C.uint32_t(len(datagram)),
		C.int64_t(arrivalNs), from)
}

// ReceivePosition hands over a packet without samples, for StartPositions. sendDelayNs
// is what its sender says, -1: nothing.
func (v *Virtual) ReceivePosition(sequence uint16, timestamp uint32, frames int, arrivalNs, sendDelayNs int64) {
	C.virtual_position(v.c, C.uint16_t(sequence), C.uint32_t(timestamp), C.uint32_t(frames),
		C.int64_t(arrivalNs), C.int64_t(sendDelayNs))
}

// Play runs one playout cycle and returns the frames of each channel; the
// slices are valid until the next call.
func (v *Virtual) Play(channels, frames int, graphFrame uint64, cycleNs int64) [][]float32 {
	v.play(channels, frames, graphFrame, cycleNs)
	out := make([][]float32, channels)
	for c := range out {
		out[c] = unsafe.Slice((*float32)(unsafe.Pointer(&v.plane[c*frames])), frames)
	}
	return out
}

func (v *Virtual) play(channels, frames int, graphFrame uint64, cycleNs int64) {
	C.virtual_play(v.c, &v.plane[0], C.uint32_t(channels), C.uint32_t(frames),
		C.uint64_t(graphFrame), C.int64_t(cycleNs))
}

// Advance runs one playout cycle without channels: it moves the media clock and
// the playout position.
func (v *Virtual) Advance(frames int, graphFrame uint64, cycleNs int64) {
	v.play(0, frames, graphFrame, cycleNs)
}

// Media is the graph's own media clock at the start of its last cycle, frames. It stands while
// the graph follows.
func (v *Virtual) Media() int64 { return int64(v.c.clock.media) }

// Driving is the leader's cycle that a follower's next Play plays, by its media time in frames;
// math.MinInt64: none.
func (v *Virtual) Driving() int64 { return int64(C.virtual_driving(v.c)) }

// Capture runs one capture cycle and returns the datagrams that it sends.
func (v *Virtual) Capture(in [][]float32, graphFrame uint64, nowNs int64) [][]byte {
	frames := len(in[0])
	for c, samples := range in {
		for i, x := range samples {
			v.plane[c*frames+i] = C.float(x)
		}
	}
	v.capture(len(in), frames, graphFrame, nowNs)
	var out [][]byte
	for {
		n := v.pack(graphFrame, nowNs)
		if n == 0 {
			return out
		}
		for _, d := range v.c.sender.outgoing[:n] {
			out = append(out, C.GoBytes(unsafe.Pointer(&d.data[0]), C.int(d.bytes)))
		}
	}
}

func (v *Virtual) capture(channels, frames int, graphFrame uint64, nowNs int64) {
	C.virtual_capture(v.c, &v.plane[0], C.uint32_t(channels), C.uint32_t(frames), C.uint64_t(graphFrame), C.int64_t(nowNs))
}

func (v *Virtual) pack(graphFrame uint64, nowNs int64) int {
	return int(C.virtual_pack(v.c, C.uint64_t(graphFrame), C.int64_t(nowNs)))
}

// Expect puts the receiver of a leader where the answer belongs that its next cycle is to play,
// before the packets that came are handed over: playout does so before it reads its socket.
func (v *Virtual) Expect(graphFrame uint64) { C.virtual_expect(v.c, C.uint64_t(graphFrame)) }

// FollowWhy is why the follow function is called: archibald_follow_why.
type FollowWhy int

// The reasons.
const (
	FollowReadable FollowWhy = C.archibald_follow_readable
	FollowTimer    FollowWhy = C.archibald_follow_timer
	FollowDone     FollowWhy = C.archibald_follow_done
)

// Step is the follow function on virtual time (archibald_follow_fn), with the same limits. It
// takes packets by next, in its order, until it has enough, as many as one call may read, or
// there is none: what it leaves is still in the socket.
func (v *Virtual) Step(why FollowWhy, nowNs int64, next func() (datagram []byte, arrivalNs int64, ok bool)) (start bool, wakeNs int64) {
	var wake C.int64_t
	now := C.int64_t(nowNs)
	if C.virtual_woken(v.c, C.int(why), now, &wake) == 0 {
		return false, int64(wake)
	}
	left := C.virtual_budget(v.c)
	started := C.virtual_decide(v.c, now)
	for came := C.uint32_t(1); started == 0 && left > 0 && came > 0; left -= came {
		came = 0
		for wanted := min(C.virtual_wanted(v.c), left); came < wanted; came++ {
			datagram, arrivalNs, ok := next()
			if !ok {
				break
			}
			v.Receive(datagram, arrivalNs)
		}
		started = C.virtual_decide(v.c, now)
	}
	started = C.virtual_end(v.c, started, flag(left == 0), now, &wake)
	return started != 0, int64(wake)
}

// Decode is the core's reading of one payload: samples of one channel. It
// exists for comparison with independent decoders.
func Decode(f stream.Format, payload []byte, channel int) []float32 {
	frames := len(payload) / f.BytesPerFrame()
	out := make([]float32, frames)
	if frames > 0 {
		C.archibald_wire_decode(encodingOf(f.Encoding), (*C.uint8_t)(unsafe.Pointer(&payload[0])),
			C.uint32_t(f.BytesPerFrame()), C.uint32_t(channel), (*C.float)(unsafe.Pointer(&out[0])),
			C.uint32_t(frames))
	}
	return out
}

// SendCoded implements stream.SendTap: TakeSent returns the datagrams.
func (v *Virtual) SendCoded(p stream.CodedPacket) {
	n := v.packCoded(p)
	for _, d := range v.c.sender.outgoing[:n] {
		v.sent = append(v.sent, C.GoBytes(unsafe.Pointer(&d.data[0]), C.int(d.bytes)))
	}
}

// TakeSent returns what SendCoded sent since it was last called.
func (v *Virtual) TakeSent() [][]byte {
	sent := v.sent
	v.sent = nil
	return sent
}
