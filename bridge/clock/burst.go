package clock

// burstFinder finds the packets that come first in their sender's period. A
// period larger than a packet is sent as several at once; only the first of
// them tells when the period began. The others come with sound that is newer than
// the time that went by: one taken for a first would move the line.
//
// What is sent at once comes at once, within a share of the period. The period is
// what lies between the firsts mostly: the sender may have said it, or it is learned.
type burstFinder struct {
	started bool
	end     int64 // Media after the newest packet
	lastNs  int64 // arrival of the newest packet
	first   int64 // Media of the newest first packet
	firstNs int64 // and its arrival
	usual   int64 // frames from first to first, mostly; 0: not known
	votes   int   // how sure that is
}

const (
	// reorderedNs is the most that a packet can be behind the newest one and still
	// be reordered or repeated. One further behind belongs to a sender that began
	// anew with earlier timestamps.
	reorderedNs = 100e6
	togetherIn  = 0.25 // of the usual period: so soon after another comes what was sent with it
	pacedFor    = 0.5  // of it: what still comes so late was not sent at once
	mostVotes   = 16
	mostUsual   = 8192 // frames
)

// newBurstFinder expects periods of so many frames; 0: not known.
func newBurstFinder(periodFrames int) burstFinder {
	return burstFinder{usual: int64(periodFrames), votes: mostVotes / 2}
}

// begins takes the next packet and says whether it begins a burst. Packets that
// are reordered or repeated never do.
func (b *burstFinder) begins(o Observation, nominalNs float64) bool {
	behind := b.end - o.Media // may wrap
	if b.started && behind > 0 && float64(behind)*nominalNs < reorderedNs {
		return false
	}
	usual := max(b.usual, int64(o.Frames))
	usualNs := float64(usual) * nominalNs
	together := b.started && behind <= 0 && -behind < usual && float64(o.TimeNs-b.lastNs) < togetherIn*usualNs
	paced := usual > int64(o.Frames) && float64(o.TimeNs-b.firstNs) > pacedFor*usualNs
	b.end, b.lastNs = o.Media+int64(o.Frames), o.TimeNs
	switch {
	case together && !paced:
		return false
	case together:
		b.usual, b.votes = 0, 0 // the sender's period is shorter now
	case b.started:
		b.vote(o.Media - b.first)
	}
	b.started, b.first, b.firstNs = true, o.Media, o.TimeNs
	return true
}

// vote keeps what most of the newest distances were.
func (b *burstFinder) vote(frames int64) {
	switch {
	case frames <= 0 || frames > mostUsual:
	case frames == b.usual:
		b.votes = min(b.votes+1, mostVotes)
	case b.votes > 0:
		b.votes--
	default:
		b.usual, b.votes = frames, 1
	}
}

// seam says, before begins, whether the sender's graph lost time before this packet.
// Packets that are missing would leave a gap of whole packets.
func (b *burstFinder) seam(o Observation) bool {
	return b.started && (o.Media-b.end)%int64(max(1, o.Frames)) != 0
}
