package rt_test

import (
	"math/rand/v2"
	"net/netip"
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
		if n%2 == 1 {
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
			check(t, e.StartReceiver(stream.ReceivePlan{Format: f, PayloadType: payloadType(f.Encoding), SSRC: 3}))
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
