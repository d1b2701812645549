package clock

// burstFinder finds the packets that come first in their sender's period. A
// period larger than a packet is sent as several at once; only the first of
// them tells when the period began.
type burstFinder struct {
	frames  int // of the last whole burst
	started bool
	first   int64 // Media of the burst's first packet
	end     int64 // Media after the newest packet
	lastNs  int64 // arrival of the newest packet
}

// begins takes the next packet and says whether it begins a burst. Packets that
// are reordered or repeated never do.
func (b *burstFinder) begins(o Observation, nominalNs float64) bool {
	sinceNs := float64(o.TimeNs - b.lastNs)
	consecutive := b.started && o.Media == b.end
	switch {
	case b.started && o.Media < b.end && b.end-o.Media < 1<<20:
		return false
	case consecutive && sinceNs < 0.25*float64(o.Frames)*nominalNs:
		b.end, b.lastNs = o.Media+int64(o.Frames), o.TimeNs
		return false
	}
	if consecutive {
		b.frames = int(b.end - b.first)
	}
	b.started, b.first, b.end, b.lastNs = true, o.Media, o.Media+int64(o.Frames), o.TimeNs
	return true
}
