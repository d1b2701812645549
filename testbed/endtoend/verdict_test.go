package endtoend

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"archibald-bridge/testbed/recording"
	"archibald-bridge/testbed/signal"
	"archibald-bridge/testbed/wav"
)

// scene is a minute of a tone that crossed a bridge of 100 ms, and what failed meanwhile.
type scene struct {
	ppm      float64   // how far the pitch is off
	failures []float64 // seconds at which a server failed, and lost 40 frames
	late     float64   // seconds from a failure to the gap that the bridge makes of it
	extra    float64   // and from that to one more; 0: none
	smooth   []float64 // seconds from each failure to steps that are cross-faded
	alone    []float64 // seconds of gaps at which nothing failed
	stalls   []float64 // seconds at which a processor stood still
}

const sceneSeconds, sceneHz, sceneBuffer = 60, 441.0, 100 * time.Millisecond

// heard makes the recording and judges it as the tests do.
func (s scene) heard(t *testing.T) Heard {
	t.Helper()
	const rate, period = 48000, 256
	samples := make([]float32, sceneSeconds*rate)
	w := 2 * math.Pi * sceneHz * (1 + s.ppm*1e-6) / rate
	amplitude := math.Pow(10, toneDBFS/20)
	gaps := slices.Clone(s.alone)
	witnesses := make([]signal.TimedGap, 0, len(s.failures)+len(s.stalls))
	timed := func(seconds float64, stalled bool) signal.TimedGap {
		return signal.TimedGap{TimeNs: int64(seconds * 1e9), Known: true, Stalled: stalled}
	}
	for _, at := range s.failures {
		witnesses = append(witnesses, timed(at, false))
		gaps = append(gaps, at+s.late)
		if s.extra > 0 {
			gaps = append(gaps, at+s.late+s.extra)
		}
	}
	for _, at := range s.stalls {
		witnesses = append(witnesses, timed(at, true))
	}
	slices.Sort(gaps)
	lost := 0
	for i := range samples {
		for len(gaps) > 0 && float64(i) >= gaps[0]*rate {
			lost, gaps = lost+40, gaps[1:]
		}
		samples[i] = float32(amplitude * math.Sin(w*float64(i+lost)))
	}
	for _, at := range s.failures {
		for _, after := range s.smooth {
			samples = signal.PlantSmoothLoss(samples, int((at+after)*rate), 12, 64)
		}
	}
	samples = samples[:len(samples)/period*period]
	r := &recording.Recording{Sound: wav.Audio{RateHz: rate, Channels: [][]float32{samples}}, RateHz: rate}
	for at := 0; at < len(samples); at += period {
		r.Cycles = append(r.Cycles, recording.Cycle{FrameTime: uint32(at), MonotonicNs: int64(at) * 1e9 / rate, Frames: period})
	}
	prefix := t.TempDir() + "/scene"
	if err := r.Write(prefix); err != nil {
		t.Fatal(err)
	}
	r, err := recording.Read(prefix)
	if err != nil {
		t.Fatal(err)
	}
	h, err := judge("scene", r, 0, sceneHz, []float64{sceneHz}, sceneBuffer, witnesses)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// often are forty failures, at random.
func often() (at []float64) {
	r := rand.New(rand.NewPCG(1, 2))
	for len(at) < 40 {
		at = append(at, 3+55*r.Float64())
	}
	return at
}

func TestABridgeIsJudgedByWhatItDoesAndNotByItsServers(t *testing.T) {
	for name, c := range map[string]struct {
		scene
		fault string // "": none
	}{
		"nothing fails": {scene{}, ""},
		"a server fails, and the sound breaks there":     {scene{failures: []float64{20}, late: 0.05}, ""},
		"servers fail forty times, and it breaks there":  {scene{failures: often(), late: 0.05}, ""},
		"a processor stands still, and the sound breaks": {scene{alone: []float64{20.05}, stalls: []float64{20}}, ""},
		"a gap of the bridge's own":                      {scene{alone: []float64{20}}, "nothing failed then"},
		"as many gaps of its own as servers failed": {scene{failures: []float64{10, 20, 30}, late: 0.05,
			alone: []float64{15, 25, 35}}, "nothing failed then"},
		"playout is corrected a second after":                {scene{failures: []float64{10, 30}, late: 0.05, smooth: []float64{1}}, ""},
		"it is corrected again and again":                    {scene{failures: []float64{10, 30}, late: 0.05, smooth: []float64{1, 2}}, "corrected 4 times after 2"},
		"it is corrected long after":                         {scene{failures: []float64{10, 30}, late: 0.05, smooth: []float64{8}}, "nothing failed then"},
		"a gap more for each failure, a while after it":      {scene{failures: often(), late: 0.05, extra: 0.3}, "nothing failed then"},
		"a stall excuses no gap that was before":             {scene{alone: []float64{19.9}, stalls: []float64{20}}, "nothing failed then"},
		"a pitch 400 ppm off":                                {scene{ppm: 400}, "Hz for a second"},
		"a pitch 400 ppm off, and one failure":               {scene{ppm: 400, failures: []float64{30}, late: 0.05}, "Hz for a second"},
		"a pitch 400 ppm off, and failures all the time":     {scene{ppm: 400, failures: often(), late: 0.05}, "Hz off in the middle"},
		"a pitch 200 ppm off, and failures all the time":     {scene{ppm: -200, failures: often(), late: 0.05}, "Hz off in the middle"},
		"a pitch as far off as two real clocks may be apart": {scene{ppm: 30}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := c.scene.heard(t)
			faults := h.Faults()
			t.Logf("%d gaps, pitch by %s: %.3q", len(h.Gaps), h.spread(), faults[:min(3, len(faults))])
			if c.fault == "" && len(faults) > 0 || c.fault != "" && !strings.Contains(strings.Join(faults, "\n"), c.fault) {
				t.Errorf("faults %q, want %q", faults, c.fault)
			}
		})
	}
}
