package roundtrip

import (
	"math"
	"math/rand/v2"
)

const rateHz = 48000

// path is a made-up path: what a Client would hear.
type path struct {
	delay func(frame int) float64 // in frames, of what is heard at frame
	gain  float64                 // 0: 1
	noise float64                 // effective value relative to the sound's, in dB; 0: none
	alter func(frame int, sample float64) float64
}

func steady(frames float64) func(int) float64 { return func(int) float64 { return frames } }

var played = func() []float64 {
	samples := make([]float64, soundFrames)
	for i, sample := range Sound(1) {
		samples[i] = float64(sample)
	}
	return samples
}()

func effective(samples []float64) float64 {
	sum := 0.0
	for _, sample := range samples {
		sum += sample * sample
	}
	return math.Sqrt(sum / float64(len(samples)))
}

// soundAt is the sound between its frames, by a longer interpolation than the
// detector's: 129 taps.
func soundAt(position float64) float64 {
	const reach = 64
	whole := int(math.Floor(position))
	if position == float64(whole) {
		return played[(whole%soundFrames+soundFrames)%soundFrames]
	}
	sum := 0.0
	for i := whole - reach; i <= whole+reach; i++ {
		x := position - float64(i)
		weight := 1.0
		if x != 0 {
			weight = math.Sin(math.Pi*x) / (math.Pi * x) * (0.5 + 0.5*math.Cos(math.Pi*x/(reach+2)))
		}
		sum += weight * played[(i%soundFrames+soundFrames)%soundFrames]
	}
	return sum
}

// heard is what comes back in a number of frames. The sound was played forever
// before them.
func (p path) heard(frames int) []float32 {
	random := rand.New(rand.NewPCG(1, 2))
	gain := p.gain
	if gain == 0 {
		gain = 1
	}
	noise := 0.0
	if p.noise != 0 {
		noise = gain * effective(played) * math.Pow(10, p.noise/20)
	}
	samples := make([]float32, frames)
	for i := range samples {
		sample := gain*soundAt(float64(i)-p.delay(i)) + noise*random.NormFloat64()
		if p.alter != nil {
			sample = p.alter(i, sample)
		}
		samples[i] = float32(sample)
	}
	return samples
}

func (p path) readings(windows int) []Reading {
	return newDetector(Sound(1)).readings(p.heard(windows*windowFrames), 0, rateHz)
}
