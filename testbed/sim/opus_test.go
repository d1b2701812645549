package sim

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"archibald-bridge/bridge/codec"
	"archibald-bridge/bridge/codec/libopus"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/testbed/signal"
)

const opusHz, opusDBFS = 997.0, -12.04

func opusTone(frame int64) float32 {
	return float32(0.25 * math.Sin(2*math.Pi*opusHz*float64(frame)/codec.RateHz))
}

// lossy is a way of 40 ms with a little jitter that loses datagrams.
func lossy(packetFrames, copies, distance int, loss float64) *OpusLink {
	r := rand.New(rand.NewPCG(11, uint64(packetFrames)))
	return &OpusLink{
		PeriodFrames: 64, PacketFrames: packetFrames, Bitrate: 128000, Copies: copies, Distance: distance,
		Codec: libopus.Codec{}, Source: opusTone,
		NetworkNs: func() float64 { return 40e6 + 0.3e6*r.ExpFloat64() },
		Lose:      func() bool { return r.Float64() < loss },
	}
}

func listen(t *testing.T, l *OpusLink, seconds float64) Heard {
	t.Helper()
	heard, err := l.Run(seconds)
	if err != nil {
		t.Fatal(err)
	}
	return heard
}

// wantTone holds the sound of some seconds to the tone.
func wantTone(t *testing.T, sound []float32, within, present float64) {
	t.Helper()
	tone, err := signal.Tone(sound, codec.RateHz, opusHz)
	if err != nil || math.Abs(tone.FrequencyHz-opusHz) > 0.5 || math.Abs(tone.LevelDBFS-opusDBFS) > within {
		t.Errorf("tone %+v, %v", tone, err)
	}
	if there := signal.Presence(sound, codec.RateHz, opusHz, opusDBFS); there < present {
		t.Errorf("the tone is there for %.1f %%", 100*there)
	}
}

func TestOpusOverALossyWay(t *testing.T) {
	for _, packetFrames := range []int{120, 240, 480, 960} {
		for _, c := range []struct {
			loss             float64
			copies, distance int
		}{{0, 0, 0}, {0.02, 0, 0}, {0.10, 0, 0}, {0.02, 1, 0}, {0.02, 1, 2}, {0.10, 2, 0}, {0.10, 2, 1}} {
			heard := listen(t, lossy(packetFrames, c.copies, c.distance, c.loss), 6)
			got := heard.Counters
			sent := 6 * codec.RateHz / packetFrames
			expected := float64(sent) * math.Pow(c.loss, float64(1+c.copies))
			if lost := float64(got.Lost); lost > expected+5*math.Sqrt(expected)+1 || lost < expected-5*math.Sqrt(expected) {
				t.Errorf("packets of %d, %+v: %d of %d lost, expected %.0f", packetFrames, c, got.Lost, sent, expected)
			}
			// What is made up is what was lost since there was sound, and a few that were
			// later than any before.
			madeUp := int(got.ConcealedFrames) / packetFrames
			if madeUp > int(got.Lost)+3 || madeUp < int(got.Lost)*3/4-3 {
				t.Errorf("packets of %d, %+v: %d packets made up, %d lost", packetFrames, c, madeUp, got.Lost)
			}
			if got.Duplicate+got.Malformed+got.Outside+got.NonFinite > 0 {
				t.Errorf("packets of %d, %+v: %+v", packetFrames, c, got)
			}
			if !heard.Servo.Playing {
				t.Fatalf("packets of %d, %+v: not playing", packetFrames, c)
			}
			wantTone(t, heard.Sound[96000:], 0.3, 0.99-0.4*expected/float64(sent))
		}
	}
}

func TestTheLatencyOfOpusIsTheTargetAndThePacket(t *testing.T) {
	for _, packetFrames := range []int{120, 240, 480, 960} {
		l := lossy(packetFrames, 0, 0, 0)
		l.NetworkNs = func() float64 { return 40e6 }
		// Silence, then a tone: where it begins tells the latency.
		l.Source = func(frame int64) float32 {
			if frame < 4*codec.RateHz {
				return 0
			}
			return opusTone(frame)
		}
		heard := listen(t, l, 5)
		begins := slices.IndexFunc(heard.Sound, func(x float32) bool { return math.Abs(float64(x)) > 0.02 }) - 4*codec.RateHz
		// The phase of the two graphs is half a millisecond. What the sender collects
		// begins with a whole period; the worker comes within its interval.
		const way, phase, worker = 1920, 24, 48
		want := float64(packetFrames-l.PeriodFrames+way+codec.LookaheadFrames-phase) + heard.Servo.TargetFrames
		if off := float64(begins) - want; off < -64 || off > worker+64 {
			t.Errorf("packets of %d frames: the sound comes %d frames later, of which %.0f are explained (target %.0f)",
				packetFrames, begins, want, heard.Servo.TargetFrames)
		}
	}
}

func TestOpusThatComesOutOfOrderIsPutInOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	l := lossy(240, 0, 0, 0)
	l.NetworkNs = func() float64 { return 40e6 + 12e6*r.Float64() }
	l.JitterFrames = codec.RateHz * 16 / 1000 // the network's and the waits: the servo takes more than 5 ms for a stall
	heard := listen(t, l, 8)
	if c := heard.Counters; c.Reordered < 100 || c.Lost > 0 || c.Dropouts > 0 {
		t.Errorf("%+v", c)
	}
	wantTone(t, heard.Sound[codec.RateHz:], 0.1, 1)
}

func TestTheSameOpusTwiceIsHeardOnce(t *testing.T) {
	once, twice := lossy(240, 0, 0, 0), lossy(240, 0, 0, 0)
	twice.Copies, once.NetworkNs, twice.NetworkNs = 1, nil, nil
	a, b := listen(t, once, 3), listen(t, twice, 3)
	if !slices.Equal(a.Sound, b.Sound) || b.Sent != 2*a.Sent {
		t.Errorf("not the same; %d and %d datagrams", a.Sent, b.Sent)
	}
}

func TestASenderOfOpusThatBeginsAnewIsHeardAgain(t *testing.T) {
	l := lossy(240, 0, 0, 0.02)
	l.Restart = 3
	heard := listen(t, l, 7)
	wantTone(t, heard.Sound[96000:3*codec.RateHz], 0.3, 0.98)
	wantTone(t, heard.Sound[5*codec.RateHz:], 0.3, 0.98)
}

// Until it goes on again the core plays what it has, then what it predicts, then
// nothing.
func TestGoThatStandsStillIsALossOfOpus(t *testing.T) {
	l := lossy(240, 0, 0, 0)
	l.Stalled = func(seconds float64) bool { return seconds > 4 && seconds < 4.1 }
	heard := listen(t, l, 7)
	c := heard.Counters
	if c.ConcealedFrames < codec.RateHz/20 || c.ConcealedFrames > codec.RateHz/5 {
		t.Errorf("%d frames made up for 100 ms", c.ConcealedFrames)
	}
	wantTone(t, heard.Sound[96000:4*codec.RateHz], 0.1, 0.99)
	wantTone(t, heard.Sound[5*codec.RateHz:], 0.1, 0.99)
	if s := heard.Servo; math.Abs(s.DelayFrames-s.TargetFrames) > 100 {
		t.Errorf("the latency went astray: %+v", s)
	}
}

// The two graphs run on one clock, so where playout is against the receiver's media clock
// tells the latency.
func TestLossesOfOpusMoveNeitherLatencyNorPitch(t *testing.T) {
	for _, periodFrames := range []int{64, 256, 480, 1024} {
		for _, packetFrames := range []int{120, 240, 480} {
			for _, loss := range []float64{0, 0.03, 0.10} {
				l := lossy(packetFrames, 0, 0, 0)
				l.PeriodFrames, l.Free, l.JitterFrames = periodFrames, true, codec.RateHz*30/1000
				r, least, most, ppm := rand.New(rand.NewPCG(5, 6)), math.Inf(1), math.Inf(-1), 0.0
				second := func() float64 { return float64(l.nowNs-opusStartNs) / 1e9 }
				l.Lose = func() bool { return second() > 10 && second() < 15 && r.Float64() < loss }
				l.see = func(o stream.Observation) {
					if second() > 9 {
						at := float64(o.Position-o.Media) + o.PositionFraction
						least, most = min(least, at), max(most, at)
						ppm = max(ppm, math.Abs(o.Ratio-1)*1e6)
					}
				}
				heard := listen(t, l, 20)
				t.Logf("periods of %d, packets of %d, loss %.2f: %.2f frames, %.0f ppm, lost %d", periodFrames, packetFrames, loss, most-least, ppm, heard.Counters.Lost)
				if most-least > 0.5 || ppm > 5 {
					t.Errorf("periods of %d, packets of %d, loss %.2f: the latency wandered by %.2f frames, the pitch by %.0f ppm", periodFrames, packetFrames, loss, most-least, ppm)
				}
			}
		}
	}
}
