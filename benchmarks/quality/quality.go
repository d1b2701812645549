// Package quality says how much worse a sound has become, by numbers that are like
// what is heard but are no listening test: the noise in critical bands against what
// the sound there hides.
package quality

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
)

const (
	window = 2048 // frames; half of that is the hop
	// Noise is hidden when it is at least hidden dB below the sound of its band, or of
	// another band. Hiding then falls by the next two figures, in dB for each band
	// upwards and downwards (Zwicker, "Psychoacoustics", chapter 4, much simplified).
	hidden        = 15.0
	fallsUpwards  = 10.0
	fallsDownward = 25.0
	floorDB       = -90.0 // dBFS in a band: not heard
)

// edges are those of the critical bands in Hz (Zwicker, 1961).
var edges = []float64{20, 100, 200, 300, 400, 510, 630, 770, 920, 1080, 1270, 1480, 1720, 2000, 2320, 2700, 3150, 3700, 4400, 5300, 6400, 7700, 9500, 12000, 15500, 20000}

// Score is what was found.
type Score struct {
	SNRdB     float64 // sound against difference, of all
	BandSNRdB float64 // the same in a band in a window, the mean of them, each 0 to 60
	NMRdB     float64 // noise against what is hidden, the mean; below 0: mostly not heard
	Audible   float64 // share of the bands and windows in which noise is above that
}

// Compare compares a sound with what it has become, frame by frame: both are aligned.
func Compare(reference, heard []float32, rateHz int) (Score, error) {
	if len(reference) != len(heard) || len(reference) < window {
		return Score{}, errors.New("two sounds of one length are compared, of 2048 frames or more")
	}
	difference := make([]float32, len(heard))
	var sound, noise float64
	for i := range heard {
		difference[i] = heard[i] - reference[i]
		sound += float64(reference[i]) * float64(reference[i])
		noise += float64(difference[i]) * float64(difference[i])
	}
	s := Score{SNRdB: decibels(sound / noise)}
	fft, count, audible := fourier.NewFFT(window), 0, 0
	for at := 0; at+window <= len(reference); at += window / 2 {
		sounds, noises := bands(fft, reference[at:at+window], rateHz), bands(fft, difference[at:at+window], rateHz)
		for b := range sounds {
			mask := masked(sounds, b)
			if mask <= floorDB && noises[b] <= floorDB {
				continue
			}
			count++
			s.BandSNRdB += min(max(sounds[b]-noises[b], 0), 60)
			s.NMRdB += noises[b] - mask
			if noises[b] > mask {
				audible++
			}
		}
	}
	if count == 0 {
		return s, errors.New("silence")
	}
	s.BandSNRdB /= float64(count)
	s.NMRdB /= float64(count)
	s.Audible = float64(audible) / float64(count)
	return s, nil
}

// bands returns the level of each critical band in dBFS.
func bands(fft *fourier.FFT, samples []float32, rateHz int) []float64 {
	windowed := make([]float64, window)
	for i, x := range samples {
		windowed[i] = float64(x) * (0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/window))
	}
	levels := make([]float64, len(edges)-1)
	for k, c := range fft.Coefficients(nil, windowed) {
		hz := float64(k) * float64(rateHz) / window
		for b := range levels {
			if edges[b] <= hz && hz < edges[b+1] {
				levels[b] += real(c)*real(c) + imag(c)*imag(c)
			}
		}
	}
	for b := range levels {
		levels[b] = max(decibels(levels[b]*16/(window*window)*2/3), floorDB) // of a sine at full scale: 0
	}
	return levels
}

// masked is the noise that is hidden in a band.
func masked(sounds []float64, band int) float64 {
	level := floorDB
	for b, sound := range sounds {
		falls := fallsUpwards * float64(band-b)
		if b > band {
			falls = fallsDownward * float64(b-band)
		}
		level = max(level, sound-falls-hidden)
	}
	return level
}

func decibels(power float64) float64 { return 10 * math.Log10(power) }
