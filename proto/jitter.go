package proto

import (
	"math"
	"time"
)

// JitterEstimator computes the interarrival jitter that a reception report
// states (RFC 3550, section 6.4.1 and appendix A.8). It is a running mean that
// says little about the worst packets; nothing but reports should use it.
type JitterEstimator struct {
	rateHz      float64
	started     bool
	arrivalNs   int64
	timestamp   uint32
	jitterUnits float64
}

// NewJitterEstimator returns an estimator for a stream whose timestamps advance
// at rateHz.
func NewJitterEstimator(rateHz int) *JitterEstimator {
	return &JitterEstimator{rateHz: float64(rateHz)}
}

// Add takes the next packet in the order of arrival: when it came, on any clock
// that does not jump, in nanoseconds, and its RTP timestamp.
func (j *JitterEstimator) Add(arrivalNs int64, timestamp uint32) {
	if j.started {
		arrived := float64(arrivalNs-j.arrivalNs) * j.rateHz / float64(time.Second)
		sent := float64(int32(timestamp - j.timestamp)) // may step back: reordered
		j.jitterUnits += (math.Abs(arrived-sent) - j.jitterUnits) / 16
	}
	j.started, j.arrivalNs, j.timestamp = true, arrivalNs, timestamp
}

// Jitter is the estimate in RTP timestamp units, 0 before the second packet.
func (j *JitterEstimator) Jitter() uint32 {
	return uint32(min(math.Round(j.jitterUnits), math.MaxUint32))
}
