package roundtrip

import (
	"math"
	"math/cmplx"

	"gonum.org/v1/gonum/dsp/fourier"
)

// windowFrames is the stretch of the recording that one Reading is about: 43 ms
// at 48 kHz, 23 readings a second.
const windowFrames = 2048

const (
	// Sound that has nothing to do with ours matches one of the 32,768
	// positions by up to about 0.15; twice that is no chance.
	missingBelow = 0.3
	// A window is intact when 98 % of its energy (the square of the match) is
	// our sound. Less is a gap of about 41 frames (0.85 ms at 48 kHz), other sound
	// at -17 dB, or a step of the latency inside the window.
	intactShare = 0.98
)

// State is how a window came back.
type State string

// The states of a window.
const (
	Intact  State = "intact"
	Damaged State = "damaged" // there, but with a gap, a step, distortion or other sound
	Missing State = "missing" // not to be found: silence, or something else
)

// Reading is what one window of the recording holds.
type Reading struct {
	Seconds float64 `json:"seconds"` // of the window's middle, since the measurement began
	Frames  float64 `json:"frames"`  // the round trip; means nothing when missing
	Match   float64 `json:"match"`   // correlation with the sound, -1 to 1; negative when the path inverts it
	State   State   `json:"state"`
}

// detector finds windows of a recording in the sound played. The recording must be
// counted from the frame in which the sound began.
type detector struct {
	fft         *fourier.FFT
	sound       []float64
	conjugate   []complex128 // of the sound's spectrum
	energy      []float64    // of the sound before each frame, over two rounds
	window      []float64    // in its place in the circle, 0 elsewhere
	spectrum    []complex128
	correlation []float64
}

func newDetector(played []float32) *detector {
	d := &detector{
		fft:         fourier.NewFFT(soundFrames),
		sound:       make([]float64, soundFrames),
		energy:      make([]float64, 2*soundFrames+1),
		window:      make([]float64, soundFrames),
		spectrum:    make([]complex128, soundFrames/2+1),
		correlation: make([]float64, soundFrames),
	}
	for i, sample := range played {
		d.sound[i] = float64(sample)
	}
	for i := range 2 * soundFrames {
		sample := d.sound[i%soundFrames]
		d.energy[i+1] = d.energy[i] + sample*sample
	}
	d.conjugate = d.fft.Coefficients(nil, d.sound)
	for i, c := range d.conjugate {
		d.conjugate[i] = cmplx.Conj(c)
	}
	return d
}

// readings reads every whole window of heard from the frame first on.
func (d *detector) readings(heard []float32, first, rateHz int) []Reading {
	var all []Reading
	for at := first; at+windowFrames <= len(heard); at += windowFrames {
		r := d.read(heard, at)
		r.Seconds = float64(at-first+windowFrames/2) / float64(rateHz)
		all = append(all, r)
	}
	return all
}

// read reads the window that begins at a frame of heard.
func (d *detector) read(heard []float32, at int) Reading {
	clear(d.window)
	heardEnergy := 0.0
	for i, sample := range heard[at : at+windowFrames] {
		value := float64(sample)
		if math.IsNaN(value) || math.IsInf(value, 0) {
			continue // one such sample would be the whole correlation
		}
		d.window[(at+i)%soundFrames] = value
		heardEnergy += value * value
	}
	if heardEnergy == 0 {
		return Reading{State: Missing}
	}

	// Correlation with every position of the circle at once.
	d.fft.Coefficients(d.spectrum, d.window)
	for i := range d.spectrum {
		d.spectrum[i] *= d.conjugate[i]
	}
	d.fft.Sequence(d.correlation, d.spectrum)
	lag := 0
	for i, value := range d.correlation {
		if math.Abs(value) > math.Abs(d.correlation[lag]) {
			lag = i
		}
	}
	offset, peak := d.refine(lag)

	begin := ((at-lag)%soundFrames + soundFrames) % soundFrames
	soundEnergy := d.energy[begin+windowFrames] - d.energy[begin]
	// Sequence gives soundFrames times what it should.
	match := peak / soundFrames / math.Sqrt(heardEnergy*soundEnergy)
	r := Reading{Frames: float64(lag) + offset, Match: max(-1, min(1, match))}
	if r.Frames > soundFrames-1 {
		r.Frames -= soundFrames // hardly before 0, not hardly before the largest
	}
	switch {
	case math.Abs(match) < missingBelow:
		r.State = Missing
	case match*match < intactShare:
		r.State = Damaged
	default:
		r.State = Intact
	}
	return r
}

// refine finds the top of the correlation near a whole lag: where it is from
// there, -1 to 1, and its value. The correlation has no more bandwidth than the
// sound, so it is known between its samples; a parabola through three of them
// alone would be wrong by some hundredths of a frame.
func (d *detector) refine(lag int) (offset, peak float64) {
	const steps = 16 // per frame
	sign := 1.0
	if d.correlation[lag] < 0 {
		sign = -1
	}
	best, top := 0, math.Inf(-1)
	for step := -steps; step <= steps; step++ {
		if value := sign * d.between(lag, float64(step)/steps); value > top {
			best, top = step, value
		}
	}
	at := float64(best) / steps
	before, after := sign*d.between(lag, at-1.0/steps), sign*d.between(lag, at+1.0/steps)
	if curve := before - 2*top + after; curve < 0 {
		shift := 0.5 * (before - after) / curve
		at += max(-1, min(1, shift)) / steps
	}
	return at, sign * top
}

// between is the correlation at a fraction of a frame after lag, by a sinc with
// a Hann window.
func (d *detector) between(lag int, fraction float64) float64 {
	const reach = 16
	sum := 0.0
	for i := -reach; i <= reach; i++ {
		x := fraction - float64(i)
		weight := 1.0
		if x != 0 {
			weight = math.Sin(math.Pi*x) / (math.Pi * x) * (0.5 + 0.5*math.Cos(math.Pi*x/(reach+2)))
		}
		sum += weight * d.correlation[(lag+i+soundFrames)%soundFrames]
	}
	return sum
}
