package session

import (
	"fmt"

	"archibald-bridge/bridge/health"
	"archibald-bridge/bridge/send"
	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
)

// wishes says what was asked for at one end and is not, since the other end or the
// format does not have it.
func (e *End) wishes() (unmet []status.Problem) {
	if e.session == nil {
		return nil
	}
	a := e.session.Agreement
	if !e.settings.Static {
		unmet = append(unmet, unequalChannels(e.settings.Role, e.settings.SendChannels, e.settings.ReceiveChannels, a)...)
	}
	if most := a.PeerMaxBitrate; a.Send.Encoding == proto.Opus && most > 0 && most != e.settings.Bitrate {
		unmet = append(unmet, status.Problem{Code: health.Bitrate, Side: status.SideSend, Text: fmt.Sprintf(
			"--opus-bitrate is %d on the %s, %d on the %s: both send at most %d", e.settings.Bitrate, e.settings.Role, most, e.settings.Role.Other(), min(most, e.settings.Bitrate))})
	}
	if a.Send.Channels > 0 && send.PtimeFrames(e.settings.Ptime, a.Send.RateHz) > proto.MaxPacketFrames(a.Send) {
		unmet = append(unmet, status.Problem{Code: health.Ptime, Side: status.SideSend, Text: fmt.Sprintf(
			"ptime %s does not fit a packet: %d frames are the most of %s; using that", e.settings.Ptime, proto.MaxPacketFrames(a.Send), a.Send)})
	}
	if wanted, least := e.settings.Latency.FramesAt(e.graph.RateHz, e.graph.RateHz), e.leastLatency(); wanted > 0 && wanted < least {
		unmet = append(unmet, status.Problem{Code: health.Latency, Side: status.SideReceive, Text: fmt.Sprintf(
			"latency %d frames is not possible at this period: %d frames are the least; using that", wanted, least)})
	}
	return unmet
}

// leastLatency is the least buffer target there is, in frames of our graph, rounded up; 0:
// not known yet.
func (e *End) leastLatency() int {
	streamHz := e.session.Agreement.Receive.RateHz
	if streamHz == 0 {
		return 0
	}
	return (e.streams.receive.Clock().LeastFrames*e.graph.RateHz + streamHz - 1) / streamHz
}

// unmatchedRules says which connections that were asked for find no ports.
func (e *End) unmatchedRules() (unmet []status.Problem) {
	if e.unmatched == nil {
		return nil
	}
	for _, rule := range e.unmatched() {
		unmet = append(unmet, status.Problem{Code: health.UnmatchedRule, Side: status.SideAudio, Text: rule})
	}
	return unmet
}

// unequalChannels compares what each end has for each direction. Both ends say the
// same of it.
func unequalChannels(us proto.Role, sends, receives int, a proto.Agreement) (unequal []status.Problem) {
	peer := us.Other()
	ways := [2]struct {
		side             status.Side
		sender, receiver proto.Role
		sends, receives  int
		used             int
	}{
		{status.SideSend, us, peer, sends, a.PeerReceives, a.Send.Channels},
		{status.SideReceive, peer, us, a.PeerSends, receives, a.Receive.Channels},
	}
	for i, w := range ways {
		other := ways[1-i]
		var end proto.Role
		var remedy string
		switch both := max(w.sends, w.receives) == max(other.sends, other.receives); {
		case w.sends == w.receives:
			continue
		case w.sends > w.receives:
			end, remedy = w.receiver, "--receive-channels"
			both = both && other.sends < other.receives
			remedy = map[bool]string{true: "--channels", false: remedy}[both]
		default:
			end, remedy = w.sender, "--send-channels"
			both = both && other.sends > other.receives
			remedy = map[bool]string{true: "--channels", false: remedy}[both]
		}
		used := fmt.Sprintf("%d are used", w.used)
		if w.used == 0 {
			used = "none is used"
		}
		unequal = append(unequal, status.Problem{Code: health.Channels, Side: w.side, Text: fmt.Sprintf(
			"the %s sends %d channels, the %s receives %d: %s; give the %s %s %d",
			w.sender, w.sends, w.receiver, w.receives, used, end, remedy, max(w.sends, w.receives))})
	}
	return unequal
}
