package roundtrip

import (
	"math"
	"math/cmplx"
	"math/rand/v2"

	"gonum.org/v1/gonum/dsp/fourier"
)

const (
	// soundFrames is the length of the sound, and with it the largest round
	// trip that can be told from a smaller one: 0.68 s at 48 kHz.
	soundFrames = 1 << 15
	// soundPeak is the largest sample, -12 dBFS: mixed with other sound it
	// still does not clip.
	soundPeak = 0.25
)

// The band of the sound, in cycles per frame. All of it passes the bridge's
// resampler, so what comes back is the sound itself.
const (
	lowestBin  = 0.002 // 96 Hz at 48 kHz: a DC filter on the way changes nothing
	flatUntil  = 0.20
	silentFrom = 0.35
)

// Sound is what the Client plays over and over: noise whose spectrum is flat up
// to 0.2 of the sample rate and empty above 0.35, or of a share of it, up to 1: where the
// other end's rate is so much lower. Any stretch of it differs
// from every other, and played as a circle it has no seam.
func Sound(share float64) []float32 {
	random := rand.New(rand.NewPCG(4713, 0))
	spectrum := make([]complex128, soundFrames/2+1)
	for bin := range spectrum {
		cycles := float64(bin) / soundFrames / share
		switch {
		case cycles < lowestBin || cycles >= silentFrom:
			continue
		case cycles <= flatUntil:
			spectrum[bin] = 1
		default: // half a cosine, so that the correlation's peak has short slopes
			spectrum[bin] = complex(0.5+0.5*math.Cos(math.Pi*(cycles-flatUntil)/(silentFrom-flatUntil)), 0)
		}
		spectrum[bin] *= cmplx.Rect(1, 2*math.Pi*random.Float64())
	}
	samples := fourier.NewFFT(soundFrames).Sequence(nil, spectrum)

	peak := 0.0
	for _, sample := range samples {
		peak = max(peak, math.Abs(sample))
	}
	sound := make([]float32, soundFrames)
	for i, sample := range samples {
		sound[i] = float32(sample / peak * soundPeak)
	}
	return sound
}
