package signal

import "math"

// The functions below return a damaged copy: what the judges must find.

// PlantLoss leaves out count frames from frame at on.
func PlantLoss(samples []float32, at, count int) []float32 {
	return append(append([]float32{}, samples[:at]...), samples[at+count:]...)
}

// PlantRepeat plays the count frames before frame at a second time.
func PlantRepeat(samples []float32, at, count int) []float32 {
	out := append([]float32{}, samples[:at]...)
	return append(append(out, samples[at-count:at]...), samples[at:]...)
}

// PlantZeros sets count frames from frame at on to zero.
func PlantZeros(samples []float32, at, count int) []float32 {
	out := append([]float32{}, samples...)
	clear(out[at : at+count])
	return out
}

// PlantFade sets count frames from frame at on to zero, faded out and in over
// fade frames on either side with a raised cosine.
func PlantFade(samples []float32, at, count, fade int) []float32 {
	out := PlantZeros(samples, at, count)
	for i := range fade {
		gain := float32(0.5 - 0.5*math.Cos(math.Pi*(float64(i)+0.5)/float64(fade)))
		out[at-1-i] *= gain
		out[at+count+i] *= gain
	}
	return out
}

// PlantSmoothLoss leaves out count frames at frame at and hides it by a
// cross-fade over fade frames.
func PlantSmoothLoss(samples []float32, at, count, fade int) []float32 {
	out := PlantLoss(samples, at, count)
	for i := range fade {
		gain := (float32(i) + 0.5) / float32(fade)
		from := at - fade/2 + i
		out[from] = samples[from]*(1-gain) + samples[from+count]*gain
	}
	return out
}

// FindsPlanted takes one frame out of a copy of a recorded tone of hz, far from
// its gaps, and says whether Gaps finds it there; ok is false where the gaps leave
// no room for that.
func FindsPlanted(samples []float32, rateHz int, hz float64, gaps []Gap) (found, ok bool) {
	const near = 2400
	at := len(samples) / 2
	for _, gap := range gaps {
		if at > gap.StartFrame-2*near && at < gap.StartFrame+gap.LengthFrames+2*near {
			at = gap.StartFrame + gap.LengthFrames + 2*near
		}
	}
	if at < 2*near || at+2*near > len(samples) {
		return false, false
	}
	around := PlantLoss(samples[at-near:at+near], near, 1)
	for _, gap := range Gaps(around, rateHz, hz) {
		if gap.StartFrame > near-300 && gap.StartFrame < near+300 {
			return true, true
		}
	}
	return false, true
}
