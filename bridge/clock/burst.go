package clock

import "archibald-bridge/bridge/stream"

// burstFinder finds the bursts: what left in one period of the sender. A period larger
// than a packet is sent as several at once, and comes at once, within a share of the
// period. Any of them tells when the period began, so that a first one that is lost, or
// overtaken, is not missed. Taken for the first, another would move the line: it comes
// with sound that is newer than the time that went by.
//
// As long as it is not known where periods begin, only a packet is believed that nothing
// is missing before, some time after the one before.
type burstFinder struct {
	sender       periods
	lateByPacket bool

	started bool
	end     int64 // Media after the newest packet
	lastNs  int64 // arrival of the newest packet
	firstNs int64 // and of the first that came of its burst

	sequence     uint32 // of the newest packet
	packetFrames int64
	sameSize     int // so many in a row had as many frames

	edge    edge  // where the newest burst began, as far as it can be seen
	before  edge  // and the one before
	missing int64 // frames behind it that did not come, of those before the newest
	from    int64 // Media of the first packet of it that came
	long    bool  // what came since then is more than a period
	sure    bool  // an edge was known since the sender began,
	sureNs  int64 // then; else when the sender began

	told     bool
	newest   int64 // frame of the newest burst that told something
	lostTime bool  // since then the sender lost time
}

// edge is between two bursts. It is known when nothing was lost there.
type edge struct {
	media int64
	known bool
}

// burst is what the first packet of one to come tells.
type burst struct {
	frame int64 // that its period began with
	seam  bool  // the sender's graph lost time before it
}

const (
	// reorderedNs is the most that a packet can be behind the newest one and still
	// be reordered or repeated. One further behind belongs to a sender that began
	// anew with earlier timestamps.
	reorderedNs = 100e6
	anewNs      = 1e9  // and one so far ahead to one that may have
	mostSkipped = 3000 // sequence numbers: a longer jump is a new beginning (RFC 3550, appendix A.1)
	sizeAfter   = 64   // packets of one size: what is missing is of that size, too
	togetherIn  = 0.25 // of the usual period: so soon after another comes what was sent with it
	pacedFor    = 0.5  // of it: what still comes so late was not sent at once

	// Where every burst follows a loss, all are believed after so long: a line that is
	// off by a packet is better than none, and what a good one knows lasts longer.
	patienceNs      = 100e6
	patiencePeriods = 4
	surePatienceNs  = 10e9
)

// newBurstFinder expects periods of so many frames; 0: not known. lateByPacket is as in
// Config.
func newBurstFinder(periodFrames int, lateByPacket bool) burstFinder {
	return burstFinder{sender: newPeriods(periodFrames), lateByPacket: lateByPacket, sameSize: sizeAfter}
}

// add takes the next packet and says whether it is the first to come of a burst that
// tells something. Packets that are reordered or repeated never are.
func (b *burstFinder) add(o stream.Observation, nominalNs float64) (told burst, ok bool) {
	frames := int64(o.Frames)
	gap := o.Media - b.end // may wrap
	gapNs := float64(gap) * nominalNs
	if b.started && gapNs < 0 && gapNs > -reorderedNs {
		b.missing -= frames
		return burst{}, false
	}
	if !b.started || gapNs < 0 || gapNs > anewNs {
		b.sure, b.sureNs, b.told = false, o.TimeNs, false
		b.sender.lose(0, frames)
		b.part()
	}
	missing := b.skipped(o.Sequence)
	lost, seam := b.seam(gap, missing, frames)
	if seam {
		b.lostTime = true
		b.sender.lose(lost, frames)
		b.part()
	}
	at := edge{media: b.end, known: b.started && gap == 0}
	if b.started && missing == 0 {
		at = edge{media: o.Media, known: true}
	}
	usualNs := float64(max(b.sender.frames, frames)) * nominalNs
	together := b.started && gap >= 0 && gapNs < usualNs && float64(o.TimeNs-b.lastNs) < togetherIn*usualNs
	paced := b.sender.frames > frames && float64(o.TimeNs-b.firstNs) > pacedFor*usualNs
	b.started, b.end, b.lastNs = true, o.Media+frames, o.TimeNs
	if together && !paced {
		b.missing += gap
		b.long = b.long || b.end-b.from >= max(b.sender.frames, frames)+frames
		return burst{}, false
	}
	if together { // the sender's period is shorter now
		b.sender = periods{}
		b.part()
	}
	b.sender.long(b.long)
	b.firstNs, b.from, b.long = o.TimeNs, o.Media, false
	known, frame := b.turn(at, o, usualNs), o.Media
	switch from := b.sender.of(o.Media, frames); {
	case b.lateByPacket && o.SendDelayNs >= 0:
	case !known:
		return burst{}, false
	case b.sender.trusted(frames) && (!at.known || from-frame > 0):
		frame = from
	}
	if b.told && frame-b.newest <= 0 {
		return burst{}, false
	}
	told = burst{frame: frame, seam: b.lostTime}
	b.told, b.newest, b.lostTime = true, frame, false
	return told, true
}

// part makes the newest edge say nothing of how long a period is.
func (b *burstFinder) part() { b.edge.known, b.missing = false, 1 }

// turn begins a burst at an edge, with the first packet to come of it. It says whether it
// is known when the period of that packet began.
func (b *burstFinder) turn(at edge, o stream.Observation, usualNs float64) bool {
	frames := int64(o.Frames)
	if !b.edge.known && b.missing == 0 { // what had been overtaken came after all
		b.edge.known, b.sure, b.sureNs = true, true, o.TimeNs
		b.learn(frames)
	}
	patience := max(patienceNs, patiencePeriods*usualNs)
	if b.sure {
		patience = surePatienceNs
	}
	b.missing = o.Media - at.media
	switch {
	case at.known:
		b.sure, b.sureNs = true, o.TimeNs
	case !b.sender.trusted(frames) && float64(o.TimeNs-b.sureNs) > patience:
		at = edge{media: o.Media, known: true}
	}
	b.before, b.edge = b.edge, at
	if at.known {
		return b.learn(frames)
	}
	return b.sender.trusted(frames)
}

// learn takes the newest edge, which is known, for the beginning of a period, and says
// whether it is one.
func (b *burstFinder) learn(packetFrames int64) bool {
	distance := int64(0)
	if b.before.known {
		distance = b.edge.media - b.before.media
	}
	return b.sender.learn(b.edge.media, packetFrames, distance)
}

// skipped is how many packets are missing between the newest and the next; -1: not known.
func (b *burstFinder) skipped(sequence uint32) int64 {
	n := int64(int32(sequence-b.sequence)) - 1
	b.sequence = sequence
	if n < 0 || n > mostSkipped {
		return -1
	}
	return n
}

// seam says whether the sender's graph lost time before a packet: the gap is longer than
// the missing packets leave it, or is no whole number of packets. And how much longer; 0:
// not known.
func (b *burstFinder) seam(gap, missing, frames int64) (lost int64, is bool) {
	if frames == b.packetFrames {
		b.sameSize = min(b.sameSize+1, sizeAfter)
	} else if b.started {
		b.sameSize = 0
	}
	b.packetFrames = frames
	switch {
	case !b.started || missing != 0 && b.sameSize < sizeAfter:
		return 0, false
	case missing >= 0:
		lost = gap - missing*frames
		return lost, lost != 0
	default:
		return 0, gap%max(1, frames) != 0
	}
}
