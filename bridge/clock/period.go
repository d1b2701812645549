package clock

// periods is where in the stream the sender's periods begin. A packet leaves in the
// period that its last frame is of, with all others of that. Whichever of them comes first
// tells when the period began: no sooner than its sound was there.
//
// It is learned of the edges between bursts. A period began there, or with one of the
// next frames of the packet behind it.
type periods struct {
	frames  int64 // of a period; 0: not known
	said    bool  // by the sender
	votes   int   // how sure that is
	regular int   // so many edges in a row were a period apart
	placed  bool
	from    int64 // a period begins here,
	slack   int64 // or up to so much later: a period need not be whole packets
	longer  int   // so many bursts in a row were more than a period
	astray  int   // so many edges in a row were a period apart, and elsewhere
}

const (
	mostVotes    = 16
	mostPeriod   = 8192 // frames
	trustAfter   = 8    // edges in a row that were a period apart
	outgrown     = 2    // bursts in a row that were more than a period: it is longer now
	replaceAfter = 2    // that were, but elsewhere: what tears a burst hardly does it twice at one place
)

func newPeriods(saidFrames int) periods {
	if saidFrames == 0 {
		return periods{}
	}
	return periods{frames: int64(saidFrames), said: true, votes: mostVotes / 2, regular: trustAfter}
}

// trusted says that of every packet it is known when its period began.
func (p *periods) trusted(packetFrames int64) bool {
	return p.longer == 0 && p.regular >= trustAfter && (p.placed || p.frames <= packetFrames)
}

// of is the frame with which the period of a packet began, or an earlier one where that
// is not known. A packet as long as a period or longer stands for itself.
func (p *periods) of(media, packetFrames int64) int64 {
	if p.frames <= packetFrames {
		return media
	}
	return p.from + floorTo(media+packetFrames-1-p.from-p.slack, p.frames)
}

// learn takes an edge and how far it is from the one before; 0: not known. It says whether
// a period begins there.
func (p *periods) learn(media, packetFrames, distance int64) bool {
	apart := p.vote(distance, packetFrames)
	switch {
	case !p.placed:
		p.place(media, packetFrames)
	case p.narrow(media, packetFrames):
		p.astray = 0
	case !apart:
		p.astray = 0
		return false
	default:
		if p.astray++; p.astray < replaceAfter {
			return false
		}
		p.place(media, packetFrames)
	}
	return true
}

// vote keeps as the period what most of the newest distances were, and says whether
// this one is that.
func (p *periods) vote(frames, packetFrames int64) bool {
	if frames <= 0 || frames > mostPeriod {
		return false
	}
	// Where a period is not whole packets, some have one more.
	if off := frames - p.frames; off == 0 || p.said && -packetFrames < off && off < packetFrames {
		p.votes = min(p.votes+1, mostVotes)
		p.regular = min(p.regular+1, trustAfter)
		return true
	}
	p.regular = 0
	if p.votes--; p.votes < 0 {
		*p = periods{frames: frames, votes: 1}
	}
	return false
}

func (p *periods) place(media, packetFrames int64) {
	p.placed, p.from, p.slack, p.astray = true, media, packetFrames-1, 0
}

// narrow lets an edge tell where in the slack a period begins: with a frame of the packet
// behind it, so not in what is left of a period. It says whether that can be.
func (p *periods) narrow(media, packetFrames int64) bool {
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

// long tells whether a burst was more than a period. One may be after the network stood
// still.
func (p *periods) long(is bool) {
	if !is {
		p.longer = 0
	} else if p.longer++; p.longer >= outgrown {
		p.regular = 0
	}
}

// lose lets the sender lose time, in which it sends nothing: periods begin that much
// later. What was left for another packet then is lost, too, so that this is not known
// where a period is no whole number of packets; nor is it when frames is 0.
func (p *periods) lose(frames, packetFrames int64) {
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
