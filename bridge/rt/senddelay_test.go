package rt

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/pion/rtp"

	"archibald-bridge/bridge/stream"
)

// stamped is a graph whose sender says how late its packets leave.
func stamped(t *testing.T, period int) *graph {
	t.Helper()
	g := newGraph(t, period)
	f := stream.Format{Encoding: stream.L16, RateHz: 48000, Channels: 1}
	check(t, g.v.StartSender(stream.SendPlan{Format: f, PayloadType: payloadType(f.Encoding), PacketFrames: period, SSRC: 1, SendDelay: true}))
	return g
}

// stamp runs one cycle: its playout callback so late, its capture callback
// captureLateNs after the cycle should have begun. It returns the lateness that
// the packet states, in us.
func (g *graph) stamp(playoutLateNs, captureLateNs float64) int {
	g.t.Helper()
	g.v.Advance(g.period, g.frame, int64(math.Round(g.ns+playoutLateNs)))
	us := g.capture(captureLateNs)
	g.frame += uint64(g.period)
	g.ns += g.periodNs()
	return us
}

func (g *graph) capture(lateNs float64) int {
	g.t.Helper()
	sent := g.v.Capture([][]float32{make([]float32, g.period)}, g.frame, int64(math.Round(g.ns+lateNs)))
	if len(sent) != 1 {
		g.t.Fatalf("%d packets", len(sent))
	}
	var p rtp.Packet
	check(g.t, p.Unmarshal(sent[0]))
	element := p.GetExtension(1)
	if !p.Extension || p.ExtensionProfile != rtp.ExtensionProfileOneByte || len(p.GetExtensionIDs()) != 1 || len(element) != 2 {
		g.t.Fatalf("header %+v", p.Header)
	}
	if p.MarshalSize() != 12+8+2*g.period || len(p.Payload) != 2*g.period {
		g.t.Fatalf("%d bytes, %d of payload", p.MarshalSize(), len(p.Payload))
	}
	return int(binary.BigEndian.Uint16(element))
}

func wantUs(t *testing.T, what string, got int, want, tolerance float64) {
	t.Helper()
	if math.Abs(float64(got)-want) > tolerance {
		t.Errorf("%s: %d us, want %.0f", what, got, want)
	}
}

func TestPacketsSayHowLateTheyLeft(t *testing.T) {
	for _, period := range []int{32, 64, 512} {
		g := stamped(t, period)
		for n := range 500 {
			late := float64(n%7) * 50e3
			wantUs(t, "behind the graph's own work", g.stamp(0, late), late/1e3, 1.5)
		}
		// A late wake-up delays both callbacks: the cycle itself began late.
		wantUs(t, "late wake-up", g.stamp(300e3, 320e3), 20, 1.5)
		wantUs(t, "after it", g.stamp(0, 20e3), 20, 1.5)
	}
}

func TestLatenessBeyondItsScale(t *testing.T) {
	g := stamped(t, 64)
	g.stamp(0, 0)
	for lateNs, want := range map[float64]int{-1e6: 0, -1e12: 0, 65533.5e3: 65533, 65534.5e3: 65534, 65535.5e3: 65534, 70e6: 65534, 5e9: 65534, 1e15: 65534} {
		if got := g.capture(lateNs); got != want {
			t.Errorf("%v ns late: says %d us, want %d", lateNs, got, want)
		}
	}
}

// The graph may run the capture callback before the playout callback.
func TestLatenessIsKnownBeforeThePlayoutOfTheCycle(t *testing.T) {
	for _, ppm := range []float64{-500, 0, 500} {
		g := stamped(t, 64)
		cycleNs := g.periodNs() * (1 + ppm*1e-6)
		for n := range 10000 {
			if n > 0 {
				late := float64(n%5) * 100e3
				if got := g.capture(late); n > 5000 {
					wantUs(t, "before playout", got, late/1e3, 2)
				}
			}
			g.v.Advance(g.period, g.frame, int64(math.Round(g.ns)))
			if got := g.capture(50e3); n > 5000 {
				wantUs(t, "after playout", got, 50, 2)
			}
			g.frame += uint64(g.period)
			g.ns += cycleNs
		}
	}
}

// The server re-anchors and counts one period for the time it lost: that is
// no lateness inside a cycle.
func TestLostTimeIsNoLateness(t *testing.T) {
	g := stamped(t, 64)
	for range 200 {
		g.stamp(0, 10e3)
	}
	g.ns += 20e6
	for range 100 {
		wantUs(t, "after the loss", g.stamp(0, 10e3), 10, 1.5)
	}
}

func TestLatenessDoesNotDependOnWhereTheGraphCounts(t *testing.T) {
	for _, frame := range []uint64{0, 1 << 32, 1<<40 + 12345, 1<<63 - 640, 1<<64 - 640} {
		g := stamped(t, 64)
		g.frame = frame // the last two count on through the end of their scale
		for range 30 {
			wantUs(t, "late", g.stamp(0, 123e3), 123, 1.5)
		}
	}
}

func TestLatenessBeginsAnewWithAnotherGraph(t *testing.T) {
	g := stamped(t, 64)
	for range 100 {
		g.stamp(0, 10e3)
	}
	g.v.SetGraph(48000)
	g.frame, g.ns = 77, g.ns+2e9+0.3e6
	if sent := g.v.Capture([][]float32{make([]float32, 64)}, g.frame, int64(g.ns)); len(sent) != 0 {
		t.Error("sent before the media clock ran")
	}
	for range 100 {
		wantUs(t, "late", g.stamp(0, 40e3), 40, 1.5)
	}
}

// late feeds one packet of pion's and returns what was observed of it.
func late(t *testing.T, agreed bool, change func(*rtp.Packet)) int64 {
	t.Helper()
	p := newPlayer(t, 2, 64)
	check(t, p.v.StartReceiver(stream.ReceivePlan{Format: formatF32(2), PayloadType: payloadType(formatF32(2).Encoding), SSRC: playerSSRC, SendDelay: agreed}))
	packet := rtp.Packet{
		Header:  rtp.Header{Version: 2, PayloadType: 98, SSRC: playerSSRC, SequenceNumber: 1, Timestamp: 1},
		Payload: p.packet(0)[12:],
	}
	change(&packet)
	datagram, err := packet.Marshal()
	check(t, err)
	p.v.Receive(datagram, 1e9)
	observed := p.observe()
	if len(observed) != 1 || observed[0].Kind != stream.KindPacket || observed[0].Frames != 64 {
		t.Fatalf("observed %+v", observed)
	}
	return observed[0].SendDelayNs
}

func TestLatenessOfPionsPacketsIsRead(t *testing.T) {
	set := func(profile uint16, elements ...any) func(*rtp.Packet) {
		return func(p *rtp.Packet) {
			p.Extension, p.ExtensionProfile = true, profile
			for i := 0; i < len(elements); i += 2 {
				check(t, p.SetExtension(uint8(elements[i].(int)), elements[i+1].([]byte)))
			}
		}
	}
	const oneByte, twoByte = rtp.ExtensionProfileOneByte, rtp.ExtensionProfileTwoByte
	for name, test := range map[string]struct {
		change func(*rtp.Packet)
		want   int64
	}{
		"no extension":  {func(*rtp.Packet) {}, -1},
		"0":             {set(oneByte, 1, []byte{0, 0}), 0},
		"1 us":          {set(oneByte, 1, []byte{0, 1}), 1000},
		"300 us":        {set(oneByte, 1, []byte{1, 44}), 300e3},
		"the most":      {set(oneByte, 1, []byte{0xff, 0xfe}), 65534e3},
		"not known":     {set(oneByte, 1, []byte{0xff, 0xff}), -1},
		"behind others": {set(oneByte, 2, []byte{9}, 14, make([]byte, 16), 1, []byte{0, 7}), 7000},
		"before others": {set(oneByte, 1, []byte{0, 7}, 2, []byte{1, 2, 3}), 7000},
		"only others":   {set(oneByte, 2, []byte{0, 7}), -1},
		"one byte":      {set(oneByte, 1, []byte{7}), -1},
		"three bytes":   {set(oneByte, 1, []byte{0, 0, 7}), -1},
		"with CSRC, padding": {func(p *rtp.Packet) {
			set(oneByte, 1, []byte{0, 7})(p)
			p.CSRC = []uint32{1, 2}
			p.Header.Padding, p.Header.PaddingSize = true, 9
		}, 7000},
		"the two-byte form": {set(twoByte, 1, []byte{0, 7}), -1}, // never agreed
		"of another kind": {func(p *rtp.Packet) {
			p.Extension, p.ExtensionProfile = true, 0x1234
			check(t, p.SetExtension(0, []byte{0x11, 0, 7, 0}))
		}, -1},
		"empty, one-byte": {set(oneByte), -1},
	} {
		t.Run(name, func(t *testing.T) {
			if got := late(t, true, test.change); got != test.want {
				t.Errorf("agreed: %d ns, want %d", got, test.want)
			}
			if got := late(t, false, test.change); got != -1 {
				t.Errorf("not agreed: %d ns", got)
			}
		})
	}
}

func TestLatenessComesThrough(t *testing.T) {
	f := stereoF32()
	p := newPair(t, f, 64)
	p.source = noise(f, 3)
	check(t, p.tx.StartSender(stream.SendPlan{Format: f, PayloadType: payloadType(f.Encoding), PacketFrames: 64, SSRC: 7, SendDelay: true}))
	check(t, p.rx.StartReceiver(stream.ReceivePlan{Format: f, PayloadType: payloadType(f.Encoding), SSRC: 7, SendDelay: true}))
	p.start(100)
	p.run(50, direct)
	buf := make([]stream.Observation, 512)
	packets := 0
	for _, o := range buf[:p.rx.Observe(buf)] {
		if o.Kind == stream.KindPacket {
			packets++
			if o.SendDelayNs < 0 || o.SendDelayNs > 2000 {
				t.Errorf("%d ns late", o.SendDelayNs)
			}
		}
	}
	if packets != 50 {
		t.Errorf("%d packets observed", packets)
	}
	for i := 300; i < len(p.got[0]); i++ {
		if want := p.source(int64(i-100), 0); p.got[0][i] != want {
			t.Fatalf("frame %d: got %v, want %v", i, p.got[0][i], want)
		}
	}
}

// Whatever is in a header extension: nothing breaks, and where pion reads it,
// both read the same.
func FuzzHeaderExtension(f *testing.F) {
	for _, seed := range [][]byte{
		{0xbe, 0xde, 0, 1, 0x11, 1, 44, 0}, {0xbe, 0xde, 0, 2, 0, 0x20, 9, 0x11, 1, 44, 0, 0},
		{0xbe, 0xde, 0, 1, 0xf1, 1, 0x11, 0}, {0xbe, 0xde, 0, 1, 0x01, 0, 0x11, 0}, {0xbe, 0xde, 0, 1, 0x1f, 1, 2, 3},
		{0x10, 0, 0, 1, 1, 2, 1, 44}, {0xbe, 0xde, 0xff, 0xff}, {0xbe}, {},
	} {
		f.Add(seed)
	}
	v, err := NewVirtual(48000)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(v.Close)
	mono := stream.Format{Encoding: stream.L16, RateHz: 48000, Channels: 1}
	if err := v.StartReceiver(stream.ReceivePlan{Format: mono, PayloadType: payloadType(mono.Encoding), SSRC: 7, SendDelay: true}); err != nil {
		f.Fatal(err)
	}
	buf, sent := make([]stream.Observation, 8), uint32(0)
	f.Fuzz(func(t *testing.T, extension []byte) {
		if len(extension) > 1400 {
			return
		}
		sent++ // and in time: what cannot be where it says is doubted
		datagram := append(rtpHeader(96, uint16(sent), sent*64, 7), extension...)
		datagram[0] |= 0x10
		v.Receive(datagram, 1e9+int64(sent)*64*1e9/48000)
		observed := buf[:v.Observe(buf)]
		var p rtp.Packet
		if p.Unmarshal(datagram) != nil || len(p.Payload) == 0 || len(p.Payload)%2 != 0 {
			return
		}
		want := int64(-1)
		if element := p.GetExtension(1); p.ExtensionProfile == rtp.ExtensionProfileOneByte && len(element) == 2 {
			if us := binary.BigEndian.Uint16(element); us != 65535 {
				want = int64(us) * 1000
			}
		}
		if len(observed) != 1 || observed[0].SendDelayNs != want || int(observed[0].Frames) != len(p.Payload)/2 {
			t.Errorf("% x: observed %+v, pion reads %d ns and %d bytes", extension, observed, want, len(p.Payload))
		}
	})
}

// As the fuzzer does, without it: extensions that are nearly right.
func TestBrokenExtensionsAreReadAsPionDoes(t *testing.T) {
	p := newPlayer(t, 2, 64)
	check(t, p.v.StartReceiver(stream.ReceivePlan{Format: formatF32(2), PayloadType: payloadType(formatF32(2).Encoding), SSRC: playerSSRC, SendDelay: true}))
	r := rand.New(rand.NewPCG(3, 14))
	read := 0
	for n := range 20000 {
		words := r.IntN(4)
		extension := []byte{0xbe, 0xde, 0, byte(words)}
		for range 4 * words {
			extension = append(extension, []byte{0, 0x10, 0x11, 0x12, 0x20, 0xf0, 0x01, byte(r.Uint32())}[r.IntN(8)])
		}
		header := rtpHeader(98, uint16(n), uint32(n*64), playerSSRC)
		header[0] |= 0x10
		datagram := append(append(header, extension...), make([]byte, 64*8)...)
		var packet rtp.Packet
		if packet.Unmarshal(datagram) != nil {
			continue // pion refuses what we pass over
		}
		want := int64(-1)
		if element := packet.GetExtension(1); len(element) == 2 && binary.BigEndian.Uint16(element) != 65535 {
			want = int64(binary.BigEndian.Uint16(element)) * 1000
			read++
		}
		p.v.Receive(datagram, 1e9)
		if observed := p.observe(); len(observed) != 1 || observed[0].SendDelayNs != want {
			t.Fatalf("% x: observed %+v, pion reads %d ns", extension, observed, want)
		}
	}
	if read < 500 {
		t.Errorf("only %d of 20000 had a lateness: the test shows little", read)
	}
}
