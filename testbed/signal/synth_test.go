package signal

import (
	"math"
	"math/rand/v2"
)

const rateHz = 48000

// sine returns a sine on the L24 grid.
func sine(frames int, hz, dbfs, phase float64) []float32 {
	samples := make([]float32, frames)
	amplitude := math.Pow(10, dbfs/20)
	for i := range samples {
		exact := amplitude * math.Sin(2*math.Pi*hz*float64(i)/rateHz+phase)
		samples[i] = float32(math.Round(exact*(1<<23)) / (1 << 23))
	}
	return samples
}

const taps, phases = 24, 256

// filter is a windowed sinc at 256 positions between two frames.
var filter = func() (table [phases + 1][taps]float64) {
	for p := range table {
		sum := 0.0
		for k := range taps {
			x := float64(k-taps/2+1) - float64(p)/phases
			window := 0.42 + 0.5*math.Cos(2*math.Pi*x/taps) + 0.08*math.Cos(4*math.Pi*x/taps)
			table[p][k] = window * sinc(0.92*x)
			sum += table[p][k]
		}
		for k := range taps {
			table[p][k] /= sum
		}
	}
	return table
}()

// resample plays samples at a ratio that changes with every output frame, by a
// polyphase filter like the bridge's: 24 taps, 256 phases, linear in between.
func resample(samples []float32, ratioPPM func(frame int) float64) []float32 {
	var out []float32
	for position := 0.0; int(position)+taps <= len(samples); {
		whole := int(position)
		phase := (position - float64(whole)) * phases
		low := int(phase)
		part := phase - float64(low)
		sum := 0.0
		for k := range taps {
			h := filter[low][k]*(1-part) + filter[low+1][k]*part
			sum += h * float64(samples[whole+k])
		}
		out = append(out, float32(sum))
		position += 1 + ratioPPM(len(out))*1e-6
	}
	return out
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// wandering is a servo that swings between -ppm and +ppm in the given time.
func wandering(ppm, seconds, phase float64) func(int) float64 {
	return func(frame int) float64 {
		return ppm * math.Sin(2*math.Pi*float64(frame)/rateHz/seconds+phase)
	}
}

func newRandom(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }

// add mixes b into a copy of a.
func add(a, b []float32) []float32 {
	sum := make([]float32, len(a))
	for i := range sum {
		sum[i] = a[i] + b[i]
	}
	return sum
}
