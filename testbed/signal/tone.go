package signal

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/dsp/fourier"
)

// Measured is a tone found in a recording.
type Measured struct {
	FrequencyHz float64 // good to 0.01 Hz from one second on
	LevelDBFS   float64 // of the tone alone, good to 0.01 dB
	THDNdB      float64 // harmonics and noise, 0 to half the rate, relative to the tone; drift of the tone does not count
}

// toneMinFrames is the shortest sound Tone judges: 85 ms at 48 kHz.
const toneMinFrames = 4096

// searchRange is how far from the expected frequency Tone looks, as a factor.
// Wider than a whole tone, so that a wrong note is reported as what it is.
const searchRange = 1.15

// Tone measures the strongest tone within 15 % of expectedHz. A few
// discontinuities disturb neither frequency nor level; they do raise THDNdB. The
// caller leaves out silence before and after. It is an error when samples are
// fewer than 4096.
func Tone(samples []float32, rateHz int, expectedHz float64) (Measured, error) {
	if len(samples) < toneMinFrames {
		return Measured{}, fmt.Errorf("tone of %d frames: at least %d are needed", len(samples), toneMinFrames)
	}
	rate := float64(rateHz)
	rough := strongest(samples, rate, expectedHz)
	fine := rough + rate/(2*math.Pi)*driftPerFrame(samples, 2*math.Pi*rough/rate)
	amplitude, rest := split(samples, 2*math.Pi*fine/rate)
	return Measured{
		FrequencyHz: fine,
		LevelDBFS:   toDB(amplitude),
		THDNdB:      toDB(rest * math.Sqrt2 / amplitude),
	}, nil
}

// strongest returns the frequency of the highest spectral peak in the search
// range, to a small fraction of a bin.
func strongest(samples []float32, rate, expectedHz float64) float64 {
	n := min(len(samples), 1<<17) &^ 1
	start := (len(samples) - n) / 2
	windowed := make([]float64, n)
	for i := range windowed {
		hann := 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/float64(n))
		windowed[i] = hann * float64(samples[start+i])
	}
	spectrum := fourier.NewFFT(n).Coefficients(nil, windowed)
	magnitude := func(bin int) float64 { return math.Hypot(real(spectrum[bin]), imag(spectrum[bin])) }
	bin := rate / float64(n)
	first := max(2, int(expectedHz/searchRange/bin))
	last := min(len(spectrum)-3, int(expectedHz*searchRange/bin)+1)
	best := first
	for k := first; k <= last; k++ {
		if magnitude(k) > magnitude(best) {
			best = k
		}
	}
	left, middle, right := magnitude(best-1), magnitude(best), magnitude(best+1)
	if middle == 0 {
		return expectedHz // silence has no peak
	}
	// A Hann window's exact interpolation between two bins (Grandke 1983).
	if right >= left {
		return (float64(best) + (2*right-middle)/(right+middle)) * bin
	}
	return (float64(best) - (2*left-middle)/(left+middle)) * bin
}

// driftPerFrame returns how much faster than radPerFrame the tone's phase
// runs. Steps far from the median, where sound was lost or repeated, are left
// out of the mean.
func driftPerFrame(samples []float32, radPerFrame float64) float64 {
	const window, hop = 2048, 512
	f := newFitter(radPerFrame, window)
	var steps []float64
	before := 0.0
	for at := 0; at+window <= len(samples); at += hop {
		phase := f.fit(samples[at:]).phase - radPerFrame*float64(at)
		if at > 0 {
			steps = append(steps, wrap(phase-before))
		}
		before = phase
	}
	middle := median(steps)
	// Twice 500 ppm: as far as two clocks may stray while one recording runs.
	tolerance := 1e-3*radPerFrame*hop + 1e-4
	var sum float64
	count := 0
	for _, step := range steps {
		if math.Abs(step-middle) <= tolerance {
			sum += step
			count++
		}
	}
	return sum / float64(count) / hop
}

// split returns the tone's amplitude, the median over short stretches, and the
// RMS of everything else.
func split(samples []float32, radPerFrame float64) (amplitude, rest float64) {
	const window = 4096
	f := newFitter(radPerFrame, window)
	var amplitudes []float64
	for at := 0; at+window <= len(samples); at += window / 2 {
		fit := f.fitWithResidual(samples[at:])
		amplitudes = append(amplitudes, fit.amplitude)
		rest += fit.residual * fit.residual
	}
	return median(amplitudes), math.Sqrt(rest / float64(len(amplitudes)))
}

// Leak returns the level of a foreign tone at foreignHz, in dBFS: how much of
// another channel or direction is heard here. It takes the median over short
// stretches, so that a click, which holds every frequency, is no leak. The own
// tone must be at least 30 Hz away. Samples must be at least 8192.
func Leak(samples []float32, rateHz int, foreignHz float64) (float64, error) {
	const window = 8192
	if len(samples) < window {
		return 0, fmt.Errorf("leak in %d frames: at least %d are needed", len(samples), window)
	}
	weights := blackmanHarris(window)
	var levels []float64
	for at := 0; at+window <= len(samples); at += window / 2 {
		var re, im float64
		for i, weight := range weights {
			s, c := math.Sincos(2 * math.Pi * foreignHz / float64(rateHz) * float64(i))
			x := weight * float64(samples[at+i])
			re += x * c
			im += x * s
		}
		levels = append(levels, 2*math.Hypot(re, im))
	}
	return toDB(median(levels)), nil
}

// blackmanHarris is the 4-term window with side lobes at -92 dB (Harris 1978),
// with the sum 1.
func blackmanHarris(n int) []float64 {
	weights := make([]float64, n)
	sum := 0.0
	for i := range weights {
		x := 2 * math.Pi * float64(i) / float64(n)
		weights[i] = 0.35875 - 0.48829*math.Cos(x) + 0.14128*math.Cos(2*x) - 0.01168*math.Cos(3*x)
		sum += weights[i]
	}
	for i := range weights {
		weights[i] /= sum
	}
	return weights
}

// median sorts values.
func median(values []float64) float64 { return quantile(values, 0.5) }

func quantile(values []float64, q float64) float64 {
	slices.Sort(values)
	return values[int(q*float64(len(values)-1))]
}
