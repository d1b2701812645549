package clock

import (
	"encoding/binary"
	"math"
	"testing"

	"archibald-bridge/bridge/stream"
)

// observationBytes is how much of the fuzzer's input makes one observation.
const observationBytes = 12

// decode makes an observation that is near the one before, or anywhere.
func decode(b []byte, last stream.Observation) stream.Observation {
	o := last
	value := int64(int32(binary.LittleEndian.Uint32(b[4:])))
	o.Kind = stream.Kind(b[0] % 4)
	o.Playing = b[0]&16 != 0
	o.Frames = uint32(binary.LittleEndian.Uint16(b[2:]))
	if b[0]&32 != 0 {
		value <<= b[1] % 64
	}
	o.TimeNs += int64(binary.LittleEndian.Uint32(b[8:]))
	switch b[1] >> 6 {
	case 0:
		o.Media += int64(o.Frames)
	case 1:
		o.Media += value
	case 2:
		o.Position += value
	case 3:
		o.TimeNs += value
		o.PositionFraction = math.Float64frombits(binary.LittleEndian.Uint64(b[4:]))
	}
	return o
}

func FuzzServo(f *testing.F) {
	steady := []byte{}
	for i := range 100 {
		kind := byte(1 + i%2)
		steady = append(steady, kind|16, 0, 0xe0, 1, 0, 0, 0, 0, 0x80, 0x96, 0x98, 0) // 480 frames, 10 ms
	}
	f.Add(uint16(0), uint16(0), false, steady)
	f.Add(uint16(32), uint16(0), true, steady)
	f.Add(uint16(0), uint16(9600), false, append(steady, 2|16|32, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0))
	f.Add(uint16(0), uint16(16), false, append(steady, 2|16, 192, 64, 0, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f)) // NaN
	f.Fuzz(func(t *testing.T, latency, jitter uint16, free bool, b []byte) {
		s := NewServo(Config{RateHz: testRate, LatencyFrames: int(latency), JitterFrames: int(jitter), LookaheadFrames: lookahead, Free: free})
		var o stream.Observation
		for ; len(b) >= observationBytes; b = b[observationBytes:] {
			o = decode(b, o)
			s.Observe(o)
			d := s.Decide()
			if !(d.Ratio >= 0.99 && d.Ratio <= 1.01) {
				t.Fatalf("ratio %v after %+v", d.Ratio, o)
			}
		}
		if st := s.Status(); math.IsNaN(st.DelayFrames) || math.IsNaN(st.DriftPPM) || math.IsInf(st.DelayFrames, 0) {
			t.Fatalf("%+v after %+v", st, o)
		}
	})
}
