package clock

// burstFinder finds the packets that come first in their sender's period. A
// period larger than a packet is sent as several at once; only the first of
// them tells when the period began.
type burstFinder struct {
	started bool
	end     int64 // Media after the newest packet
	lastNs  int64 // arrival of the newest packet
}

// reorderedNs is the most that a packet can be behind the newest one and still
// be reordered or repeated. One further behind belongs to a sender that began
// anew with earlier timestamps.
const reorderedNs = 100e6

// begins takes the next packet and says whether it begins a burst. Packets that
// are reordered or repeated never do.
func (b *burstFinder) begins(o Observation, nominalNs float64) bool {
	sinceNs := float64(o.TimeNs - b.lastNs)
	behind := b.end - o.Media // may wrap
	switch {
	case b.started && behind > 0 && float64(behind)*nominalNs < reorderedNs:
		return false
	case b.started && behind == 0 && sinceNs < 0.25*float64(o.Frames)*nominalNs:
		b.end, b.lastNs = o.Media+int64(o.Frames), o.TimeNs
		return false
	}
	b.started, b.end, b.lastNs = true, o.Media+int64(o.Frames), o.TimeNs
	return true
}

// seam says, before begins, whether the sender's graph lost time before this packet.
// Packets that are missing would leave a gap of whole packets.
func (b *burstFinder) seam(o Observation) bool {
	return b.started && (o.Media-b.end)%int64(max(1, o.Frames)) != 0
}
