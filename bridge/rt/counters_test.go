package rt

import (
	"math"
	"testing"

	"archibald-bridge/bridge/stream"
)

func TestPeaksAreThoseSinceTheReadingBefore(t *testing.T) {
	p := newPlayer(t, 2, 64)
	p.delayTo(128)
	p.run(100, p.regular)
	r := p.received()
	if got := r.PeakLinear; len(got) != MaxChannels || math.Abs(got[0]-0.25) > 1e-3 || math.Abs(got[1]-0.125) > 1e-3 || got[2] != 0 {
		t.Errorf("peaks %v", got[:3])
	}
	if got := p.received().PeakLinear; got[0] != 0 || got[1] != 0 {
		t.Errorf("peaks without a cycle in between %v", got[:2])
	}
	p.source = func(int64) float32 { return -3 } // the sign does not matter, nor full scale
	p.run(100, p.regular)
	if got := p.received().PeakLinear[0]; got != 3 {
		t.Errorf("peak %v, want 3", got)
	}
}

func TestSentPeaksAndBytesAreCounted(t *testing.T) {
	f := stream.Format{Encoding: stream.L24, RateHz: 48000, Channels: 2}
	v := newSender(t, stream.SendPlan{Format: f, PayloadType: payloadType(f.Encoding), PacketFrames: 32, SSRC: 1})
	if sent := v.Capture([][]float32{make([]float32, 64), make([]float32, 64)}, 0, 1e9); len(sent) != 0 {
		t.Error("sent before the media clock ran")
	}
	left, right := make([]float32, 64), make([]float32, 64)
	left[63], right[0] = -0.75, 0.5
	v.Advance(64, 640, 1e9)
	v.Capture([][]float32{left, right}, 640, 1e9+1234)
	s := v.Counters().Sent
	if s.PeakLinear[0] != 0.75 || s.PeakLinear[1] != 0.5 || s.PeakLinear[2] != 0 {
		t.Errorf("peaks %v", s.PeakLinear[:3])
	}
	if s.LastSendNs != 1e9+1234 {
		t.Errorf("last send %d", s.LastSendNs)
	}
}

// More of the sender's channels than the graph has ports, and the other way.
func TestPortsThatAreMissingAreSentAsSilence(t *testing.T) {
	f := stream.Format{Encoding: stream.F32, RateHz: 48000, Channels: 3}
	for ports := range 6 {
		v := newSender(t, stream.SendPlan{Format: f, PayloadType: payloadType(f.Encoding), PacketFrames: 8, SSRC: 1})
		in := make([][]float32, max(ports, 1))
		for c := range in {
			in[c] = []float32{1, 1, 1, 1, 1, 1, 1, 1}
		}
		if ports == 0 {
			in[0] = make([]float32, 8)
		}
		v.Advance(8, 0, 1e9)
		payload := v.Capture(in, 0, 1e9)[0][12:]
		for c := range 3 {
			want := float32(0)
			if c < ports {
				want = 1
			}
			for i, got := range Decode(f, payload, c) {
				if got != want {
					t.Fatalf("%d ports, channel %d frame %d: got %v, want %v", ports, c, i, got, want)
				}
			}
		}
	}
}

// A period that is half a packet: every second callback sends nothing, and a
// report that joined its time with the packet before would be a period off.
func TestTheTimeOfTheLastPacketIsThatOfItsCallback(t *testing.T) {
	f := stream.Format{Encoding: stream.L16, RateHz: 48000, Channels: 1}
	v := newSender(t, stream.SendPlan{Format: f, PayloadType: payloadType(f.Encoding), PacketFrames: 64, SSRC: 1})
	sentNs := int64(0)
	for n := range 7 {
		now := 1e9 + int64(n)*32*1e9/48000
		v.Advance(32, uint64(n*32), now)
		if len(v.Capture([][]float32{make([]float32, 32)}, uint64(n*32), now)) > 0 {
			sentNs = now
		}
		if got := v.Counters().Sent.LastSendNs; got != sentNs {
			t.Errorf("cycle %d: last packet sent at %d, counted %d", n, sentNs, got)
		}
	}
}

// Each receiver has a buffer that counts from 0.
func TestWhatWasConcealedIsCountedOnOverTheNextReceiver(t *testing.T) {
	p := newPlayer(t, 1, 64)
	p.delayTo(128)
	p.run(100, p.lose(50, 52))
	before := p.received()
	if before.Dropouts != 1 || before.ConcealedFrames == 0 {
		t.Fatalf("%+v", before)
	}
	check := func(name string, got, want uint64) {
		t.Helper()
		if got != want {
			t.Errorf("%s %d, want %d", name, got, want)
		}
	}
	if err := p.v.StartReceiver(planF32(1)); err != nil {
		t.Fatal(err)
	}
	p.delayTo(128)
	p.run(20, p.regular)
	check("dropouts, nothing was lost since", p.received().Dropouts, before.Dropouts)
	check("frames concealed, nothing was lost since", p.received().ConcealedFrames, before.ConcealedFrames)
	p.run(100, p.lose(150, 152))
	after := p.received()
	check("dropouts", after.Dropouts, 2)
	check("frames concealed", after.ConcealedFrames, 2*before.ConcealedFrames)
}
