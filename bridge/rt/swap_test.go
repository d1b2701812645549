package rt_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"archibald-bridge/bridge/rt"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/testbed/rttest"
)

// running runs an engine's two callbacks, each on a goroutine of its own and as
// often as they can, until stop.
func running(e *rt.Engine) (stop func()) {
	var done atomic.Bool
	var threads sync.WaitGroup
	var frame atomic.Uint64
	threads.Add(2)
	go func() {
		defer threads.Done()
		plane := make([]float32, 8*256)
		for n := 0; !done.Load(); n++ {
			frames := []int{32, 64, 256, 1}[n/64%4]
			at := frame.Load()
			rttest.Playout(e, plane, 1+n%8, frames, at, 1e9+int64(at)*1e9/48000, monotonicNs())
			frame.Add(uint64(frames))
			runtime.Gosched()
		}
	}()
	go func() {
		defer threads.Done()
		plane := make([]float32, 8*256)
		for n := 0; !done.Load(); n++ {
			rttest.Capture(e, plane, 1+n%8, 64, frame.Load(), monotonicNs())
			runtime.Gosched()
		}
	}()
	return func() {
		done.Store(true)
		threads.Wait()
	}
}

// Control does everything it can, thousands of times, while both callbacks run
// at once and the two engines feed each other.
func TestPlansAreReplacedUnderARunningGraph(t *testing.T) {
	a, err := rt.Open(netip.MustParseAddrPort("127.0.0.37:0"))
	check(t, err)
	defer a.Close()
	b, err := rt.Open(netip.MustParseAddrPort("127.0.0.38:0"))
	check(t, err)
	defer b.Close()
	defer running(a)()
	defer running(b)()
	r := rand.New(rand.NewPCG(12, 13))
	var sent, received uint64
	buf := make([]stream.Observation, 100)
	rtcp := make([]byte, 1500)
	for n := range 1000 {
		e, peer := a, b
		if n%3 == 2 {
			e, peer = b, a
		}
		f := stream.Format{Encoding: []stream.Encoding{stream.F32, stream.L24, stream.L16}[r.IntN(3)], RateHz: []int{44100, 48000, 96000}[r.IntN(3)], Channels: 1 + r.IntN(8)}
		switch r.IntN(8) {
		case 0:
			e.StopReceiver()
		case 1:
			e.StopSender()
		case 2:
			e.SetGraph(f.RateHz)
		default:
			check(t, e.StartReceiver(stream.ReceivePlan{Format: f, GraphRateHz: []int{0, 0, 48000, 96000}[r.IntN(4)], PayloadType: payloadType(f.Encoding), SSRC: 3}))
			check(t, peer.StartSender(stream.SendPlan{Format: f, PayloadType: payloadType(f.Encoding), PacketFrames: 1 + r.IntN(32), SSRC: 3, To: e.LocalAddr()}))
		}
		for range 3 {
			seen := e.Observe(buf)
			for _, o := range buf[:seen] {
				if o.Kind == stream.KindPacket {
					e.SeekTo(o.Media - r.Int64N(2000))
					break
				}
			}
			e.SetRatio(0.99 + 0.02*r.Float64())
			e.MediaSource()
			_ = e.SendRTCP([]byte{0x80, 201, 0, 1, 0, 0, 0, 3}, netip.Addr{}, peer.LocalAddr())
			e.ReadRTCP(rtcp)
			runtime.Gosched()
		}
		if r.IntN(4) == 0 {
			e.Mute()
		}
		e.Idle(monotonicNs())
	}
	for _, e := range []*rt.Engine{a, b} {
		counters := e.Counters()
		sent += counters.Sent.Packets
		received += counters.Received.Packets
	}
	if sent == 0 || received == 0 {
		t.Errorf("%d packets sent, %d received: nothing ran", sent, received)
	}
}

// What one end sends and another hears while both of their plans are replaced all the
// time: every packet once and in order, no frame in two of them, and none missing but
// those that came while there was no sender.
func TestAStreamContinuesWhileItsPlansAreReplacedUnderARunningGraph(t *testing.T) {
	const replaced = 300
	from, to := open(t, "127.0.0.39:0"), open(t, "127.0.0.40:0")
	from.play() // its clock runs from now on
	var done atomic.Bool
	var sent, heard, seen atomic.Int64 // cycles
	var threads sync.WaitGroup
	stop := func() {
		done.Store(true)
		threads.Wait()
	}
	defer stop()
	threads.Add(2)
	go func() {
		defer threads.Done()
		for last := int64(-1); !done.Load(); sent.Add(1) {
			for heard.Load() == last && !done.Load() { // so that the socket never overflows
				runtime.Gosched()
			}
			last = heard.Load()
			from.frame += period
			from.capture(0.5)
		}
	}()
	go func() {
		defer threads.Done()
		for ; !done.Load(); heard.Add(1) {
			for heard.Load() > seen.Load()+1000 && !done.Load() { // nor the records
				runtime.Gosched()
			}
			to.play()
			runtime.Gosched()
		}
	}()
	var packets []stream.Observation
	observe := func() {
		seen.Store(heard.Load())
		for all := to.observe(); len(all) > 0; all = to.observe() {
			for _, o := range all {
				if o.Kind == stream.KindPacket {
					packets = append(packets, o)
				}
			}
		}
	}
	receive := stream.ReceivePlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), SSRC: 3}
	check(t, to.e.StartReceiver(receive))
	for n := range replaced {
		check(t, from.e.StartSender(stream.SendPlan{Format: stereo, PayloadType: receive.PayloadType, PacketFrames: 16 + n%49, SSRC: 3, To: to.e.LocalAddr()}))
		if n%3 == 2 {
			check(t, to.e.StartReceiver(receive))
		}
		for until := sent.Load() + 3; sent.Load() < until; {
			observe()
			runtime.Gosched()
		}
	}
	from.e.StopSender()
	stop()
	to.play() // what is still in its socket
	observe()

	if counted := from.e.Counters().Sent.Packets; counted != uint64(len(packets)) || len(packets) < 3*replaced {
		t.Errorf("%d packets sent, %d heard; want the same, and at least %d", counted, len(packets), 3*replaced)
	}
	r := to.received()
	wantCount(t, "lost", r.Lost, 0)
	wantCount(t, "dropped by the kernel", r.KernelDrops, 0)
	wantCount(t, "observations lost", r.Observations, 0)
	wantCount(t, "duplicate", r.Duplicate, 0)
	wantCount(t, "reordered", r.Reordered, 0)
	wantCount(t, "implausible", r.Implausible, 0)
	wantCount(t, "malformed", r.Malformed, 0)
	gaps := 0
	for n := 1; n < len(packets); n++ {
		o, last := packets[n], packets[n-1]
		if uint16(o.Sequence) != uint16(last.Sequence)+1 {
			t.Fatalf("sequence number %d after %d", uint16(o.Sequence), uint16(last.Sequence))
		}
		switch beyond := int32(uint32(o.Media) - uint32(last.Media) - last.Frames); {
		case beyond < 0:
			t.Fatalf("%d frames are in two packets", -beyond)
		case beyond > 0:
			gaps++
		}
	}
	if gaps >= replaced {
		t.Errorf("%d gaps of the timestamps in %d packets of %d senders", gaps, len(packets), replaced)
	}
}

func TestPlansThatAreReplacedAreFreed(t *testing.T) {
	const replaced = 200
	n := open(t, "127.0.0.41:0")
	many := stream.Format{Encoding: stream.F32, RateHz: 48000, Channels: 16}
	one := stream.Format{Encoding: stream.F32, RateHz: 48000, Channels: 1}
	for _, c := range []struct {
		has   int64 // bytes of what would be left behind by each
		start func() error
	}{
		{1e6, func() error { // a ring of 16 channels
			return n.e.StartSender(stream.SendPlan{Format: many, PayloadType: payloadType(many.Encoding), PacketFrames: 16, SSRC: 1, To: n.e.LocalAddr()})
		}},
		{1e6, func() error {
			return n.e.StartReceiver(stream.ReceivePlan{Format: many, PayloadType: payloadType(many.Encoding), SSRC: 1})
		}},
		{180e3, func() error { // a filter between two rates
			return n.e.StartReceiver(stream.ReceivePlan{Format: one, GraphRateHz: 96000, PayloadType: payloadType(one.Encoding), SSRC: 1})
		}},
	} {
		check(t, c.start())
		before := residentBytes(t)
		for range replaced {
			check(t, c.start())
		}
		if grown := residentBytes(t) - before; grown > replaced*c.has/2 {
			t.Errorf("%d bytes more after %d plans", grown, replaced)
		}
	}
}

// residentBytes is the process's memory in use (proc_pid_statm(5)).
func residentBytes(t *testing.T) (bytes int64) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	check(t, err)
	var size, resident int64
	_, err = fmt.Sscan(string(text), &size, &resident)
	check(t, err)
	return resident * int64(os.Getpagesize())
}

// A new sender goes on with the numbers of the one before.
func TestASenderThatIsReplacedContinuesItsNumbers(t *testing.T) {
	n := open(t, "127.0.0.34:0")
	to := open(t, "127.0.0.35:0")
	check(t, to.e.StartReceiver(stream.ReceivePlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), SSRC: 1}))
	for range 50 {
		check(t, n.e.StartSender(stream.SendPlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), PacketFrames: period, SSRC: 1, To: to.e.LocalAddr()}))
		for range 4 {
			n.play()
			n.capture(0.5)
			to.play()
		}
	}
	r := to.received()
	wantCount(t, "packets", r.Packets, 200)
	wantCount(t, "lost", r.Lost, 0)
	wantCount(t, "reordered", r.Reordered, 0)
	wantCount(t, "duplicate", r.Duplicate, 0)
	at := int64(-1)
	for _, o := range to.observe() {
		if o.Kind != stream.KindPacket {
			continue
		}
		if at >= 0 && o.Media != at+period {
			t.Fatalf("timestamp %d after %d", o.Media, at)
		}
		at = o.Media
	}
}
