package proto

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pion/sdp/v3"
)

const attrLock = "x-archibald-lock" // WISH [follows=any|own]

// ClockWish is which clock an end wants its graph to have.
type ClockWish string

// The wishes. "" is an end that says none, as those before the locked mode did: it keeps its
// own clock.
const (
	ClockAuto   ClockWish = "auto"   // its own, unless the other end is to lead or to follow
	ClockFree   ClockWish = "free"   // its own
	ClockLead   ClockWish = "lead"   // its own, which drives the other end's graph
	ClockFollow ClockWish = "follow" // that of the other end, whose packets drive its graph
)

// ClockWishes are all that an end can say.
var ClockWishes = []ClockWish{ClockAuto, ClockFree, ClockLead, ClockFollow}

// Follows is at what the graph of an end can be driven by the other end's packets.
type Follows string

// What a graph can follow.
const (
	FollowsNothing Follows = ""    // it cannot be driven
	FollowsAny     Follows = "any" // any rate and period
	FollowsOwn     Follows = "own" // the rate and the period that it has
)

// followed are all graphs that an end can say it has.
var followed = []Follows{FollowsAny, FollowsOwn}

// writeLock says whose clock the end wants, of an end that knows of it.
func (d Description) writeLock(media *sdp.MediaDescription) {
	if d.Clock == "" {
		return
	}
	text := string(d.Clock)
	if d.Follows != FollowsNothing {
		text += " follows=" + string(d.Follows)
	}
	media.WithValueAttribute(attrLock, text)
}

// readLock reads it.
func (d *Description) readLock(scope sdpScope) error {
	line, found := scope.attribute(attrLock)
	if !found || d.declarative() {
		return nil
	}
	wish, rest, _ := strings.Cut(line.value, " ")
	if d.Clock = ClockWish(wish); !slices.Contains(ClockWishes, d.Clock) {
		return &FieldError{Line: line.number, Field: attrLock, Value: clip(wish), Legal: list(ClockWishes)}
	}
	for field := range strings.FieldsSeq(rest) {
		key, value, _ := strings.Cut(field, "=")
		if key != "follows" {
			continue
		}
		if d.Follows = Follows(value); !slices.Contains(followed, d.Follows) {
			return &FieldError{Line: line.number, Field: attrLock + " follows", Value: clip(value), Legal: list(followed)}
		}
	}
	return nil
}

// list is words as a refusal names them.
func list[T ~string](words []T) string {
	text := ""
	for i, word := range words {
		if i > 0 {
			text += ", "
		}
		text += string(word)
	}
	return text
}

// lock is the part of the two ends in a session in which one leads; the zero value: each
// graph has its own clock.
type lock struct{ leader, follower *Description }

// agreedLock finds who leads. It treats offer and answer alike. The error says what
// contradicts what, and what to set.
func agreedLock(a, b *Description) (lock, error) {
	switch {
	case a.Clock == b.Clock && (a.Clock == ClockLead || a.Clock == ClockFollow):
		other := map[ClockWish]ClockWish{ClockLead: ClockFollow, ClockFollow: ClockLead}[a.Clock]
		return lock{}, fmt.Errorf("both ends are to %s (--clock %s on the %s and on the %s): set one of them to %s, or to auto",
			a.Clock, a.Clock, a.Role, b.Role, other)
	case a.Clock == ClockLead || b.Clock == ClockFollow:
		return lock{a, b}.check()
	case b.Clock == ClockLead || a.Clock == ClockFollow:
		return lock{b, a}.check()
	}
	return lock{}, nil
}

// check says why the session that the wishes ask for cannot be.
func (l lock) check() (lock, error) {
	leader, follower := l.leader, l.follower
	for _, d := range []*Description{leader, follower} {
		wants := map[*Description]*Description{leader: follower, follower: leader}[d]
		switch d.Clock {
		case ClockFree:
			return lock{}, fmt.Errorf("the %s is to %s (--clock %s), and the %s keeps its own clock (--clock free): set both to auto, or the %s to %s",
				wants.Role, wants.Clock, wants.Clock, d.Role, d.Role, map[bool]ClockWish{true: ClockLead, false: ClockFollow}[d == leader])
		case "":
			return lock{}, fmt.Errorf("the %s is to %s (--clock %s), which the %s does not know: install the same release at both ends, or set --clock auto",
				wants.Role, wants.Clock, wants.Clock, d.Role)
		}
	}
	switch {
	case agreedChannels(leader.SendChannels, follower.ReceiveChannels) == 0 || agreedChannels(follower.SendChannels, leader.ReceiveChannels) == 0:
		return lock{}, fmt.Errorf("the %s leads and the %s follows, which needs both directions: the %s sends %d and receives %d channels, the %s sends %d and receives %d",
			leader.Role, follower.Role, leader.Role, leader.SendChannels, leader.ReceiveChannels, follower.Role, follower.SendChannels, follower.ReceiveChannels)
	case agreedRedundancy(*leader, *follower).Distance > 0:
		return lock{}, fmt.Errorf("the %s leads and the %s follows, where a repeat some periods later is of no use: set --redundancy-distance 0 at both ends", leader.Role, follower.Role)
	case leader.PeriodFrames == 0 || follower.PeriodFrames == 0:
		silent := leader
		if leader.PeriodFrames != 0 {
			silent = follower
		}
		return lock{}, fmt.Errorf("the %s leads and the %s follows, and the %s does not say its period", leader.Role, follower.Role, silent.Role)
	case follower.Follows == FollowsNothing:
		several := map[Role]string{Host: "; no host of several guests can"}[follower.Role]
		return lock{}, fmt.Errorf("the %s is to follow the %s, and its audio server cannot: PipeWire can, and JACK when started as jackd -S -d netone, with --netone-port on the %s%s",
			follower.Role, leader.Role, follower.Role, several)
	case follower.Follows == FollowsOwn && (follower.RateHz != leader.RateHz || follower.PeriodFrames != leader.PeriodFrames):
		return lock{}, fmt.Errorf("the %s leads at %d Hz with a period of %d frames, and the %s, which follows, can only have %d Hz and %d frames: start JACK there with the leader's rate and period, or let go of PipeWire's clock.force-rate and clock.force-quantum",
			leader.Role, leader.RateHz, leader.PeriodFrames, follower.Role, follower.RateHz, follower.PeriodFrames)
	}
	return l, nil
}

// rateHz is what the streams have, of which an end says its own.
func (l lock) rateHz(own Description) int {
	if l.leader == nil {
		return own.RateHz
	}
	return l.leader.RateHz
}

// periodFrames is the period of an end in the session, of which it says its own.
func (l lock) periodFrames(own Description) int {
	if l.leader == nil {
		return own.PeriodFrames
	}
	return l.leader.PeriodFrames
}

// packetFrames is what each packet of an end holds that sends a format.
func (l lock) packetFrames(own Description, format Format) int {
	if l.leader == nil || own.Role == l.leader.Role {
		return own.PacketFrames
	}
	return PacketFrames(format, l.leader.PeriodFrames)
}

// takes says why packets of an encoding cannot be locked.
func (l lock) takes(e Encoding) error {
	if l.leader == nil || e != Opus {
		return nil
	}
	return fmt.Errorf("the %s leads and the %s follows, which cannot be with opus: set another --format at both ends", l.leader.Role, l.follower.Role)
}
