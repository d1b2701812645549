package clock

import "archibald-bridge/bridge/stream"

// packetGroups finds the packet groups: a group is what left in one period of the sender. A
// period that is longer than a packet is sent as several packets at once, and they arrive at
// once, within a share of the period. Any of them tells when the period began, so it does not
// matter if the first is lost or overtaken. The arrival of a later packet must not be taken
// for that of the first: it carries newer sound, so it would look early and move the
// envelope.
//
// While it is not known where periods begin, only a packet is used that came some time after
// the one before it, with nothing missing between them.
type packetGroups struct {
	sender        senderPeriod
	delayByPacket bool

	started bool
	end     int64 // Media behind the newest packet
	lastNs  int64 // arrival of the newest packet
	firstNs int64 // arrival of the first packet that came of its group

	sequence     uint32 // of the newest packet
	packetFrames int64
	sameSize     int // packets in a row with as many frames

	edge    edge  // where the newest group began, as far as it can be seen
	before  edge  // where the group before it began
	missing int64 // frames behind edge that did not come, of those before the newest packet
	from    int64 // Media of the first packet of the group that came
	longer  bool  // than a period: what came of the group

	edgeKnown bool  // an edge was known since the sender began,
	waitingNs int64 // last at this time; else when the sender began

	reported    bool
	newestFrame int64 // of the newest group that was reported
	lostTime    bool  // the sender lost time since then
}

// edge is between two packet groups. It is known if nothing was lost there.
type edge struct {
	media int64
	known bool
}

// group is what we learn from the first packet of a packet group that comes.
type group struct {
	frame         int64 // with which its period began
	discontinuity bool  // the sender's graph lost time before it
}

// newPacketGroups expects periods of periodFrames; 0: not known. delayByPacket is as in
// Config.
func newPacketGroups(periodFrames int, delayByPacket bool) packetGroups {
	return packetGroups{sender: newSenderPeriod(periodFrames), delayByPacket: delayByPacket, sameSize: sizePackets}
}

// add takes the next packet. ok says that the packet is the first of its group to come, and
// that the group's beginning is known. For a reordered or repeated packet ok is false.
func (g *packetGroups) add(o stream.Observation, nominalNs float64) (found group, ok bool) {
	frames := int64(o.Frames)
	gap := o.Media - g.end // may wrap
	gapNs := float64(gap) * nominalNs
	if g.started && gapNs < 0 && gapNs > -reorderedNs {
		g.missing -= frames
		return group{}, false
	}
	if !g.started || gapNs < 0 || gapNs > resetAheadNs {
		g.edgeKnown, g.waitingNs, g.reported = false, o.TimeNs, false
		g.sender.lose(0, frames)
		g.forgetEdge()
	}
	missing := g.missingPackets(o.Sequence)
	lost, discontinuity := g.discontinuity(gap, missing, frames)
	if discontinuity {
		g.lostTime = true
		g.sender.lose(lost, frames)
		g.forgetEdge()
	}
	at := edge{media: g.end, known: g.started && gap == 0}
	if g.started && missing == 0 {
		at = edge{media: o.Media, known: true}
	} else if !g.started {
		at.media = o.Media - 1 // what came before is not known: treat it as missing
	}

	usualNs := float64(max(g.sender.frames, frames)) * nominalNs
	together := g.started && gap >= 0 && gapNs < usualNs && float64(o.TimeNs-g.lastNs) < groupGap*usualNs
	paced := g.sender.frames > frames && float64(o.TimeNs-g.firstNs) > pacedAfter*usualNs
	g.started, g.end, g.lastNs = true, o.Media+frames, o.TimeNs
	if together && !paced {
		g.missing += gap
		g.longer = g.longer || g.end-g.from >= max(g.sender.frames, frames)+frames
		return group{}, false
	}
	if together { // the sender's period is shorter now
		g.sender = senderPeriod{}
		g.forgetEdge()
	}
	g.sender.group(g.longer)
	g.firstNs, g.from, g.longer = o.TimeNs, o.Media, false

	known, frame := g.begin(at, o, usualNs), o.Media
	switch from := g.sender.of(o.Media, frames); {
	case g.delayByPacket && o.SendDelayNs >= 0:
	case !known:
		return group{}, false
	case g.sender.trusted(frames) && (!at.known || from-frame > 0):
		frame = from
	}
	if g.reported && frame-g.newestFrame <= 0 {
		return group{}, false
	}
	found = group{frame: frame, discontinuity: g.lostTime}
	g.reported, g.newestFrame, g.lostTime = true, frame, false
	return found, true
}

// forgetEdge makes the newest edge say nothing about the length of a period.
func (g *packetGroups) forgetEdge() { g.edge.known, g.missing = false, 1 }

// begin begins a group at an edge, with its first packet to come. It says whether the start
// of that packet's period is known.
func (g *packetGroups) begin(at edge, o stream.Observation, usualNs float64) bool {
	frames := int64(o.Frames)
	if !g.edge.known && g.missing == 0 { // all that had been overtaken came later
		g.edge.known, g.edgeKnown, g.waitingNs = true, true, o.TimeNs
		g.learn(frames)
	}
	// Where every group follows a loss, no edge is ever known. After a while all are taken
	// for known: an envelope that is wrong by a packet is better than none.
	patience := max(edgePatienceNs, edgePatiencePeriods*usualNs)
	if g.edgeKnown {
		patience = knownEdgePatienceNs
	}
	g.missing = o.Media - at.media
	switch {
	case at.known:
		g.edgeKnown, g.waitingNs = true, o.TimeNs
	case !g.sender.trusted(frames) && float64(o.TimeNs-g.waitingNs) > patience:
		at = edge{media: o.Media, known: true}
	}
	g.before, g.edge = g.edge, at
	if at.known {
		return g.learn(frames)
	}
	return g.sender.trusted(frames)
}

// learn takes the newest edge, which is known, for the beginning of a period, and says
// whether it is one.
func (g *packetGroups) learn(packetFrames int64) bool {
	distance := int64(0)
	if g.before.known {
		distance = g.edge.media - g.before.media
	}
	return g.sender.learn(g.edge.media, packetFrames, distance)
}

// missingPackets is how many packets are missing between the newest one and the next; -1:
// not known.
func (g *packetGroups) missingPackets(sequence uint32) int64 {
	n := int64(int32(sequence-g.sequence)) - 1
	g.sequence = sequence
	if n < 0 || n > maxDropout {
		return -1
	}
	return n
}

// discontinuity says whether the sender's graph lost time before a packet: the gap is longer
// than the missing packets explain, or is not a whole number of packets. lost is by how many
// frames it is longer; 0: not known.
func (g *packetGroups) discontinuity(gap, missing, frames int64) (lost int64, is bool) {
	if frames == g.packetFrames {
		g.sameSize = min(g.sameSize+1, sizePackets)
	} else if g.started {
		g.sameSize = 0
	}
	g.packetFrames = frames
	switch {
	case !g.started || missing != 0 && g.sameSize < sizePackets:
		return 0, false
	case missing >= 0:
		lost = gap - missing*frames
		return lost, lost != 0
	default:
		return 0, gap%max(1, frames) != 0
	}
}
