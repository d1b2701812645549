package signal

// Noise returns count frames of jackprobe's pseudo-random noise from frame
// first on: splitmix64's output function (Steele, Lea, Flood 2014) of seed and
// frame number, peak 0.5. On the L24 grid every sample is a multiple of 2^-23;
// with float it uses all of a 32-bit float.
func Noise(seed, first uint64, count int, float bool) []float32 {
	samples := make([]float32, count)
	for i := range samples {
		bits := int32(randomBits(seed, first+uint64(i)))
		if float {
			samples[i] = float32(bits) / (1 << 32)
		} else {
			samples[i] = float32(bits>>9) / (1 << 23)
		}
	}
	return samples
}

func randomBits(seed, index uint64) uint32 {
	z := seed + (index+1)*0x9E3779B97F4A7C15
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return uint32((z ^ z>>31) >> 32)
}
