package signal

import "math"

// fitter fits a sine of a known frequency to short stretches of sound by
// weighted least squares (Hann weights). Unlike a plain windowed transform it
// has no error from the sine's own negative frequency, so the stretch may be as
// short as one cycle.
type fitter struct {
	cos, sin []float64 // the basis, already weighted and normalised
	plainCos []float64
	plainSin []float64
	weights  []float64 // sum 1
	centre   float64   // of the stretch, in frames from its first
}

// sineFit is what was found in one stretch.
type sineFit struct {
	amplitude float64
	phase     float64 // at the stretch's centre, of a cosine, rad
	residual  float64 // weighted RMS of what is not the sine
}

func newFitter(radPerFrame float64, frames int) *fitter {
	f := &fitter{
		cos: make([]float64, frames), sin: make([]float64, frames),
		plainCos: make([]float64, frames), plainSin: make([]float64, frames),
		weights: make([]float64, frames),
		centre:  float64(frames-1) / 2,
	}
	var sum, cosPower, sinPower float64
	for i := range frames {
		weight := 0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/float64(frames))
		s, c := math.Sincos(radPerFrame * (float64(i) - f.centre))
		f.plainCos[i], f.plainSin[i], f.weights[i] = c, s, weight
		sum += weight
		cosPower += weight * c * c
		sinPower += weight * s * s
	}
	// Weights symmetric about the centre make the two bases orthogonal.
	for i, weight := range f.weights {
		f.cos[i] = weight * f.plainCos[i] / cosPower
		f.sin[i] = weight * f.plainSin[i] / sinPower
		f.weights[i] = weight / sum
	}
	return f
}

// fit fits the sine to the first frames of samples.
func (f *fitter) fit(samples []float32) sineFit {
	a, b := f.coefficients(samples)
	return sineFit{amplitude: math.Hypot(a, b), phase: math.Atan2(-b, a)}
}

// fitWithResidual is fit with the residual filled in.
func (f *fitter) fitWithResidual(samples []float32) sineFit {
	a, b := f.coefficients(samples)
	var power float64
	for i, weight := range f.weights {
		rest := float64(samples[i]) - a*f.plainCos[i] - b*f.plainSin[i]
		power += weight * rest * rest
	}
	return sineFit{math.Hypot(a, b), math.Atan2(-b, a), math.Sqrt(power)}
}

func (f *fitter) coefficients(samples []float32) (a, b float64) {
	for i, weighted := range f.cos {
		x := float64(samples[i])
		a += weighted * x
		b += f.sin[i] * x
	}
	return a, b
}

// wrap brings a phase difference into -pi to pi.
func wrap(rad float64) float64 {
	return math.Remainder(rad, 2*math.Pi)
}

// toDB converts a linear amplitude; silence is -Inf.
func toDB(amplitude float64) float64 { return 20 * math.Log10(amplitude) }
