package rt

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// The recipe of JackTrip's loss tests: random loss, bursts, and packets that a
// radio lets through in bunches.
type lossRun struct {
	period              int
	hears               []bool // by packet
	truth               []float32
	predicted, mirrored []float32 // what was played
}

const (
	lossSeconds   = 2
	lossChannels  = 9 // the last one is beyond those that are predicted
	lossAmplitude = 0.25
)

// losses names the packets that come in time.
var losses = map[string]func(r *rand.Rand, packets, period int) []bool{
	"5 % lost":  randomGaps(0.05),
	"20 % lost": randomGaps(0.20),
	"bursts of 2 to 4": func(r *rand.Rand, packets, _ int) []bool {
		hears := randomGaps(0)(r, packets, 0)
		for n := 20 + r.IntN(20); n+4 < packets; n += 20 + r.IntN(20) {
			for range 2 + r.IntN(3) {
				hears[n] = false
				n++
			}
		}
		return hears
	},
	// netem's "slot distribution pareto 0.1ms 3.0ms": the radio is free after 0.1 ms
	// and a tail of 3 ms; the receiver allows packets 5 ms.
	"Wi-Fi": func(r *rand.Rand, packets, period int) []bool {
		hears := make([]bool, packets)
		free := 0.0
		for n := range hears {
			sent := float64(n*period) / playerRate
			for free < sent {
				free += 0.0001 + 0.003*(math.Pow(1-r.Float64(), -1.0/3)-1)
			}
			hears[n] = free-sent < 0.005
		}
		return hears
	},
}

func randomGaps(share float64) func(*rand.Rand, int, int) []bool {
	return func(r *rand.Rand, packets, _ int) []bool {
		hears := make([]bool, packets)
		for n := range hears {
			hears[n] = n < 20 || r.Float64() >= share
		}
		return hears
	}
}

var lossTones = map[string]func(frame int64) float64{
	"440 Hz":  func(i int64) float64 { return lossAmplitude * math.Sin(radians(440, i)) },
	"1000 Hz": func(i int64) float64 { return lossAmplitude * math.Sin(radians(1000, i)) },
	"440 + 1000 Hz": func(i int64) float64 {
		return lossAmplitude / 2 * (math.Sin(radians(440, i)) + math.Sin(radians(1000, i)))
	},
	"plucked": func(i int64) float64 {
		sum, t := 0.0, float64(i%playerRate)/playerRate
		for h := 1.0; h <= 10; h++ {
			sum += math.Exp(-3*h*t) / h * math.Sin(radians(220.5*h, i))
		}
		return lossAmplitude * sum / 2
	},
}

func radians(hz float64, frame int64) float64 { return 2 * math.Pi * hz * float64(frame) / playerRate }

func playLossy(t *testing.T, tone, loss string, period int, seed uint64) *lossRun {
	p := newPlayer(t, lossChannels, period)
	cycles := lossSeconds * playerRate / period
	l := &lossRun{period: period, truth: make([]float32, cycles*period)}
	for i := range l.truth {
		l.truth[i] = float32(lossTones[tone](int64(i)))
	}
	l.hears = losses[loss](rand.New(rand.NewPCG(seed, uint64(period))), cycles, period)
	p.source = func(frame int64) float32 { return l.truth[frame] }
	p.delayTo(0)
	p.run(cycles, func(n int) [][]byte {
		if !l.hears[n] {
			return nil
		}
		return p.regular(n)
	})
	l.predicted, l.mirrored = p.got[0], p.got[lossChannels-1]
	for i := range l.mirrored {
		l.mirrored[i] *= lossChannels
	}
	return l
}

// silent is the stream with silence in place of what was lost.
func (l *lossRun) silent() []float32 {
	x := append([]float32{}, l.truth...)
	for n, hears := range l.hears {
		if !hears {
			clear(x[n*l.period : (n+1)*l.period])
		}
	}
	return x
}

func (l *lossRun) lostPercent() float64 {
	lost := 0
	for _, hears := range l.hears {
		if !hears {
			lost++
		}
	}
	return 100 * float64(lost) / float64(len(l.hears))
}

// ratio is the signal-to-noise ratio of x in decibels, the beginning left out.
func (l *lossRun) ratio(x []float32) float64 {
	signal, noise := 0.0, 0.0
	for i := 2*l.period + crossfadeFrames; i < len(x); i++ {
		want := float64(l.truth[i])
		signal += want * want
		noise += (float64(x[i]) - want) * (float64(x[i]) - want)
	}
	return 10 * math.Log10(signal/noise)
}

// Whatever is lost, of a tone there remain no clicks; and a prediction is nearer
// to what was lost than silence or the sound played backwards is.
func TestLossesAreConcealedByPrediction(t *testing.T) {
	for _, loss := range []string{"5 % lost", "20 % lost", "bursts of 2 to 4", "Wi-Fi"} {
		for _, tone := range []string{"440 Hz", "1000 Hz", "440 + 1000 Hz", "plucked"} {
			for _, period := range []int{32, 64, 256} {
				l := playLossy(t, tone, loss, period, 1)
				name := fmt.Sprintf("%-16s %-13s period %3d", loss, tone, period)
				predicted, mirrored, silent := l.ratio(l.predicted), l.ratio(l.mirrored), l.ratio(l.silent())
				click, clickBefore := loudestClick(l.predicted, l.truth), loudestClick(l.mirrored, l.truth)
				t.Logf("%s: %4.1f %% lost; SNR predicted %4.1f, mirrored %4.1f, silence %4.1f dB; loudest click %5.1f, mirrored %5.1f dBFS",
					name, l.lostPercent(), predicted, mirrored, silent, click, clickBefore)
				if predicted < mirrored || predicted < silent {
					t.Errorf("%s: SNR predicted %.1f, mirrored %.1f, silence %.1f dB", name, predicted, mirrored, silent)
				}
				if tone != "plucked" && click > -50 {
					t.Errorf("%s: a click of %.1f dBFS", name, click)
				}
				if tone != "plucked" && clickBefore < -50 {
					t.Errorf("%s: the mirrored sound clicks, %.1f dBFS were found", name, clickBefore)
				}
			}
		}
	}
}

// 20 % lost, and still a tone: of its pitch (within 0.25 Hz, or the fit over 2 s
// would find little), about as loud as before.
func TestAToneRemainsATone(t *testing.T) {
	for hz, tone := range map[float64]string{440: "440 Hz", 1000: "1000 Hz"} {
		for _, period := range []int{32, 64, 256} {
			l := playLossy(t, tone, "20 % lost", period, 1)
			amplitude, _, _ := fit(l.predicted, hz)
			if level := decibel(amplitude / lossAmplitude); math.Abs(level) > 2 {
				t.Errorf("%s, period %d: level %+.1f dB", tone, period, level)
			}
		}
	}
}

// Unlucky patterns: a packet between two long gaps, for one.
func TestNoPatternOfLossesClicks(t *testing.T) {
	for _, tone := range []string{"440 Hz", "1000 Hz", "440 + 1000 Hz"} {
		for seed := range uint64(12) {
			l := playLossy(t, tone, "20 % lost", 64, 100+seed)
			if click := loudestClick(l.predicted, l.truth); click > -50 {
				t.Errorf("%s, seed %d: a click of %.1f dBFS", tone, seed, click)
			}
		}
	}
}

func TestPlantedClicksAreFound(t *testing.T) {
	truth := make([]float32, playerRate/4)
	tone := sine(440, lossAmplitude)
	for i := range truth {
		truth[i] = tone(int64(i))
	}
	if level := loudestClick(truth, truth); level > -120 {
		t.Errorf("%.1f dBFS in the tone itself", level)
	}
	for name, plant := range map[string]func(x []float32){
		"a step of -50 dBFS": func(x []float32) {
			for i := range x {
				x[i] += float32(math.Pow(10, -50.0/20))
			}
		},
		"a frame of -56 dBFS": func(x []float32) { x[0] += float32(math.Pow(10, -56.0/20)) }, // up and down
	} {
		x := append([]float32{}, truth...)
		plant(x[5000:])
		if level := loudestClick(x, truth); math.Abs(level+50) > 1 {
			t.Errorf("%s: found %.1f dBFS", name, level)
		}
	}
	x := append(append([]float32{}, truth[:5000]...), truth[5001:]...) // one frame left out
	if level := loudestClick(x, truth[:len(x)]); level < -50 {
		t.Errorf("one frame left out: found %.1f dBFS", level)
	}
}

// A click is what is heard above the tone and its fading: the peak, in dBFS, of
// all above 3 kHz in the difference from the true sound, scaled so that a step
// counts as high as it is.
func loudestClick(x, truth []float32) float64 {
	const half = 64
	var lowpass [2*half + 1]float64
	sum := 0.0
	for k := range lowpass {
		at := float64(k - half)
		w := 0.42 + 0.5*math.Cos(math.Pi*at/(half+1)) + 0.08*math.Cos(2*math.Pi*at/(half+1)) // Blackman
		s := 1.0
		if at != 0 {
			s = math.Sin(2*math.Pi*3000/playerRate*at) / (2 * math.Pi * 3000 / playerRate * at)
		}
		lowpass[k] = w * s
		sum += lowpass[k]
	}
	d := make([]float64, len(x))
	for i := range d {
		d[i] = float64(x[i]) - float64(truth[i])
	}
	loudest := 0.0
	for i := half; i < len(x)-half; i++ {
		y := d[i]
		for k, c := range lowpass {
			y -= c / sum * d[i+k-half]
		}
		loudest = max(loudest, math.Abs(y))
	}
	return decibel(loudest / (0.5 - lowpass[half]/sum/2))
}
