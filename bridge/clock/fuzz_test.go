package clock

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"archibald-bridge/bridge/stream"
)

// observationBytes is how much of the fuzzer's input makes one observation.
const observationBytes = 12

// decode makes an observation that is near the one before, or anywhere.
func decode(b []byte, last stream.Observation) stream.Observation {
	o := last
	value := int64(int32(binary.LittleEndian.Uint32(b[4:])))
	o.Kind = stream.Kind(b[0] % 4)
	o.Playing = b[0]&16 != 0
	o.Frames = uint32(binary.LittleEndian.Uint16(b[2:]))
	if b[0]&32 != 0 {
		value <<= b[1] % 64
	}
	o.TimeNs += int64(binary.LittleEndian.Uint32(b[8:]))
	switch b[1] >> 6 {
	case 0:
		o.Media += int64(o.Frames)
	case 1:
		o.Media += value
	case 2:
		o.Position += value
	case 3:
		o.TimeNs += value
		o.PositionFraction = math.Float64frombits(binary.LittleEndian.Uint64(b[4:]))
	}
	return o
}

// shifted is an observation of the same that counts and tells the time from elsewhere.
func shifted(o stream.Observation, streamFrames, mediaFrames, ns int64) stream.Observation {
	o.TimeNs += ns
	switch o.Kind {
	case stream.KindPacket:
		o.Media += streamFrames
	case stream.KindCycle:
		o.Media += mediaFrames
		o.Position += streamFrames
	}
	return o
}

// bounded fails the test if a servo keeps more than it may.
func bounded(t *testing.T, s *Servo) {
	t.Helper()
	// A window of blocks, and the steadyer ones of the first eight seconds.
	const points = windowNs/maxBlockNs + 280
	for name, k := range map[string]*tracker{"arrival": &s.arrival, "cycle": &s.cycle} {
		if len(k.points) > points || len(k.hull) > points {
			t.Fatalf("%s: %d points, %d in the hull", name, len(k.points), len(k.hull))
		}
	}
	for name, d := range map[string]*pdvDistribution{"packets": &s.target.pdv, "spans": &s.target.calm.peaks} {
		if n := len(d.packets); n > stallPeriods*math.MaxUint16+1 {
			t.Fatalf("%s: delay variation of up to %d frames", name, n)
		}
	}
	if n := len(s.target.gaps.evidence); n > mostGaps {
		t.Fatalf("%d gaps", n)
	}
}

// recovers fails the test unless a servo, whatever it has seen until now, has playout at
// its target after four minutes of a sender and a receiver that are as they should be.
func recovers(t *testing.T, s *Servo, nowNs int64) {
	t.Helper()
	const seconds = 240
	p := newPlant(t, s.cfg)
	p.servo, p.period, p.packet, p.ppm = s, 2048, 2048, 40
	from := float64(max(nowNs, 0)) + 1e9
	p.nowNs, p.sendNs, p.controlNs = from+3e6, from, from
	begin := p.seconds()
	p.run(begin + seconds)
	if target := s.Status().TargetFrames; !p.playing || math.Abs(p.delay()-target) > 16 {
		t.Fatalf("after %d s: playing %v, delay %.2f frames, target %.0f", seconds, p.playing, p.delay(), target)
	}
}

func TestAServoKeepsAMinuteOfPointsHoweverLongItRuns(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	p := newPlant(t, Config{})
	p.period, p.packet, p.ppm = 32, 32, 40
	p.lateNs = func() float64 { return r.ExpFloat64() * 2e6 }
	for second := 1.0; second < 400; second++ {
		p.run(second)
		bounded(t, p.servo)
	}
	if n := len(p.servo.cycle.points); n < windowNs/maxBlockNs-2 {
		t.Errorf("%d points", n)
	}
}

func FuzzServo(f *testing.F) {
	steady := []byte{}
	for i := range 100 {
		kind := byte(1 + i%2)
		steady = append(steady, kind|16, 0, 0xe0, 1, 0, 0, 0, 0, 0x80, 0x96, 0x98, 0) // 480 frames, 10 ms
	}
	f.Add(uint16(0), uint16(0), false, steady)
	f.Add(uint16(32), uint16(0), true, steady)
	f.Add(uint16(0), uint16(9600), false, append(steady, 2|16|32, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0))
	f.Add(uint16(0), uint16(16), false, append(steady, 2|16, 192, 64, 0, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f)) // NaN
	f.Fuzz(func(t *testing.T, latency, jitter uint16, free bool, b []byte) {
		cfg := Config{RateHz: testRate, LatencyFrames: int(latency), JitterFrames: int(jitter), LookaheadFrames: lookahead, Free: free}
		s, other := NewServo(cfg), NewServo(cfg)
		const streamShift, mediaShift, nsShift = 123456789, -987654321, 5e12 + 1
		var o stream.Observation
		newestNs, ordered, placed := int64(0), true, false
		soughtNs := int64(0) // when a seek was decided that no cycle showed yet
		for ; len(b) >= observationBytes; b = b[observationBytes:] {
			o = decode(b, o)
			ordered = ordered && o.TimeNs >= newestNs && o.TimeNs < 1<<50
			newestNs = o.TimeNs
			s.Observe(o)
			other.Observe(shifted(o, streamShift, mediaShift, nsShift))
			pendingSeek := s.state == seeking
			d, d2 := s.Decide(), other.Decide()
			if !(d.Ratio >= 0.99 && d.Ratio <= 1.01) {
				t.Fatalf("ratio %v after %+v", d.Ratio, o)
			}
			if d.Seek && pendingSeek && s.last.TimeNs-soughtNs <= int64(seekTimeout) {
				t.Fatalf("a second seek while one is pending, after %+v", o)
			}
			if d.Seek {
				soughtNs, placed = s.last.TimeNs, true
			}
			// The same observations, counted from elsewhere: the same decisions.
			if d2.Seek {
				d2.Offset -= streamShift - mediaShift
			}
			if d != d2 {
				t.Fatalf("%+v, and %+v where all is shifted, after %+v", d, d2, o)
			}
		}
		if st := s.Status(); math.IsNaN(st.DelayFrames) || math.IsNaN(st.DriftPPM) || math.IsInf(st.DelayFrames, 0) || st.Playing && !placed {
			t.Fatalf("%+v after %+v", st, o)
		}
		if ordered { // CLOCK_MONOTONIC never goes back
			bounded(t, s)
			recovers(t, s, newestNs)
		}
	})
}
