package clock

// ArrivalNs is when, by the arrival line, the packet that begins with an RTP
// timestamp came or will come, on CLOCK_MONOTONIC. ok is false before the first
// packet. A packet's lateness is not in it.
func (s *Servo) ArrivalNs(timestamp uint32) (ns int64, ok bool) {
	if !s.arrival.started {
		return 0, false
	}
	frame := s.arrival.frame + int64(int32(timestamp-uint32(s.arrival.frame)))
	return s.arrival.originNs + int64(s.arrival.timeOf(frame)), true
}
