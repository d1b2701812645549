package sim

import (
	"math"
	"math/rand/v2"
)

// Random draws the noise of a run.
type Random struct{ *rand.Rand }

// NewRandom returns a source that repeats itself for the same seed.
func NewRandom(seed uint64) Random { return Random{rand.New(rand.NewPCG(seed, 4713))} }

// Wake is how late a callback runs on a machine that has nothing else to do:
// a fixed part and an exponential tail, in nanoseconds.
func (r Random) Wake(fixedNs, meanNs float64) func() float64 {
	return func() float64 { return fixedNs + r.ExpFloat64()*meanNs }
}

// Pareto draws delays with a heavy tail, as of a loaded machine or a radio:
// at least scaleNs, at most maxNs.
func (r Random) Pareto(scaleNs, shape, maxNs float64) func() float64 {
	return func() float64 {
		return math.Min(scaleNs*math.Pow(1-r.Float64(), -1/shape), maxNs)
	}
}

// Sum adds sources of delay.
func Sum(sources ...func() float64) func() float64 {
	return func() float64 {
		sum := 0.0
		for _, source := range sources {
			sum += source()
		}
		return sum
	}
}
