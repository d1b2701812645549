package clock

// senderPeriod knows where in the stream the sender's periods begin. A packet leaves in the
// period that its last frame belongs to, together with all other packets of that period.
// Whichever of them comes first tells when the period began: not before its sound existed.
//
// It learns from the edges between packet groups. A period began at an edge, or with one of
// the next frames of the packet behind it.
type senderPeriod struct {
	frames    int64 // of a period; 0: not known
	said      bool  // the sender said it
	votes     int   // for frames
	regular   int   // edges in a row that were a period apart
	placed    bool  // it is known where a period begins:
	from      int64 // at this frame,
	slack     int64 // or later by up to this many: a period need not be whole packets
	longer    int   // groups in a row that were more than a period
	elsewhere int   // edges in a row that were a period apart, and at another place
}

func newSenderPeriod(saidFrames int) senderPeriod {
	if saidFrames == 0 {
		return senderPeriod{}
	}
	return senderPeriod{frames: int64(saidFrames), said: true, votes: maxVotes / 2, regular: trustedEdges}
}

// trusted says that it is known of every packet when its period began.
func (p *senderPeriod) trusted(packetFrames int64) bool {
	return p.longer == 0 && p.regular >= trustedEdges && (p.placed || p.frames <= packetFrames)
}

// of is the frame with which the period of a packet began, or an earlier one where that is
// not known. A packet as long as a period, or longer, stands for itself.
func (p *senderPeriod) of(media, packetFrames int64) int64 {
	if p.frames <= packetFrames {
		return media
	}
	return p.from + floorTo(media+packetFrames-1-p.from-p.slack, p.frames)
}

// learn takes an edge and its distance from the edge before; 0: not known. It says whether
// a period begins there.
func (p *senderPeriod) learn(media, packetFrames, distance int64) bool {
	apart := p.vote(distance, packetFrames)
	switch {
	case !p.placed:
		p.place(media, packetFrames)
	case p.narrow(media, packetFrames):
		p.elsewhere = 0
	case !apart:
		p.elsewhere = 0
		return false
	default:
		if p.elsewhere++; p.elsewhere < replaceEdges {
			return false
		}
		p.place(media, packetFrames)
	}
	return true
}

// vote keeps as the period what most of the newest distances were. It says whether this
// distance is a period.
func (p *senderPeriod) vote(frames, packetFrames int64) bool {
	if frames <= 0 || frames > maxPeriod {
		return false
	}
	// Where a period is not whole packets, some periods have one packet more.
	if off := frames - p.frames; off == 0 || p.said && -packetFrames < off && off < packetFrames {
		p.votes = min(p.votes+1, maxVotes)
		p.regular = min(p.regular+1, trustedEdges)
		return true
	}
	p.regular = 0
	if p.votes--; p.votes < 0 {
		*p = senderPeriod{frames: frames, votes: 1}
	}
	return false
}

func (p *senderPeriod) place(media, packetFrames int64) {
	p.placed, p.from, p.slack, p.elsewhere = true, media, packetFrames-1, 0
}

// narrow makes the slack smaller: a period begins with a frame of the packet behind the
// edge, so not within the rest of the period after that packet. It says whether that
// agrees with what is known.
func (p *senderPeriod) narrow(media, packetFrames int64) bool {
	left := p.frames - packetFrames
	if left <= 0 {
		return true
	}
	p.from += floorTo(media-p.from, p.frames)
	for not := media + packetFrames - p.from - p.frames; not <= p.slack; not += p.frames {
		switch end := not + left; {
		case end <= 0:
		case not <= 0 && end > p.slack:
			return false
		case not <= 0:
			p.from, p.slack = p.from+end, p.slack-end
			return true
		case end > p.slack:
			p.slack = not - 1
			return true
		}
	}
	return true
}

// group takes whether a packet group was longer than a period. One may be: the network had
// stood still.
func (p *senderPeriod) group(isLonger bool) {
	if !isLonger {
		p.longer = 0
	} else if p.longer++; p.longer >= outgrownGroups {
		p.regular = 0
	}
}

// lose moves the periods by time that the sender lost, in which it sends nothing; 0: it is
// not known how much. What was waiting for the next packet is lost, too, so where a period
// is not whole packets its place is not known any more.
func (p *senderPeriod) lose(frames, packetFrames int64) {
	if frames == 0 || p.frames%max(1, packetFrames) != 0 {
		p.placed = false
	}
	p.from += frames
}

// floorTo is the largest multiple of unit that is not above n.
func floorTo(n, unit int64) int64 {
	if over := n % unit; over < 0 {
		return n - over - unit
	} else {
		return n - over
	}
}
