package signal

import "math"

// LoudestClick is what is heard above a tone below 1 kHz, and above its fading: the peak of all
// above 3 kHz in dBFS, scaled so that a step counts as high as it is. The first and the last 64
// frames are not judged.
func LoudestClick(samples []float32, rateHz int) float64 {
	const half, cutoffHz = 64, 3000
	var lowpass [2*half + 1]float64
	sum := 0.0
	for k := range lowpass {
		at := float64(k - half)
		w := 0.42 + 0.5*math.Cos(math.Pi*at/(half+1)) + 0.08*math.Cos(2*math.Pi*at/(half+1)) // Blackman
		s, x := 1.0, 2*math.Pi*cutoffHz/float64(rateHz)*at
		if at != 0 {
			s = math.Sin(x) / x
		}
		lowpass[k] = w * s
		sum += lowpass[k]
	}
	loudest := 0.0
	for i := half; i < len(samples)-half; i++ {
		y := float64(samples[i])
		for k, c := range lowpass {
			y -= c / sum * float64(samples[i+k-half])
		}
		loudest = max(loudest, math.Abs(y))
	}
	return toDB(loudest / (0.5 - lowpass[half]/sum/2))
}
