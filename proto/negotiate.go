package proto

import (
	"errors"
	"fmt"
	"slices"
)

// Agreement is what two ends settled, as one of them sees it.
type Agreement struct {
	// Send and Receive are the wire formats of the two directions, each at the rate of its
	// sender. A direction that is not used has 0 channels.
	Send, Receive Format
	LocalSSRC     uint32
	PeerSSRC      uint32
	PeerPort      int // UDP
	PeerName      string
	PeerRole      Role
	// PeerSends and PeerReceives are the channels that the peer has. Receive and Send
	// may use fewer.
	PeerSends, PeerReceives int
	// PeerPacketFrames is how many frames each packet of the peer holds; 0: not
	// said.
	PeerPacketFrames int
	PeerOnHostClock  bool // see Description.OnHostClock
	// PeerPeriodFrames is the period that the peer counts distances in; 0: not
	// said.
	PeerPeriodFrames int
	Terms
	// Leader is whose cycles drive the other end's graph; "": each has its own clock. Rate
	// and period of both are the leader's, and PeriodFrames is that period; 0 without one.
	Leader       Role
	PeriodFrames int
	// PeerMaxBitrate is what the peer wants to receive of Opus at most, in bit/s; 0:
	// not said.
	PeerMaxBitrate int
}

// Answer settles a session from the peer's offer and the local description:
//
//   - who leads, if one end does: then rate and period of both are the leader's;
//   - else one rate, unless both resample;
//   - the encoding that the offerer prefers among those both know, for both directions;
//   - for each direction as many channels as the one sends and the other receives;
//   - the larger of the two wishes for repetition;
//   - the header extension if both know it.
//
// The answer states just that. An error is a refusal, worded so that both users understand
// it.
func Answer(offer, local Description) (Description, Agreement, error) {
	payload, lock, err := match(offer, local)
	if err != nil {
		return Description{}, Agreement{}, err
	}
	answer := local
	answer.Payloads = []Payload{payload}
	answer.SendChannels = agreedChannels(local.SendChannels, offer.ReceiveChannels)
	answer.ReceiveChannels = agreedChannels(offer.SendChannels, local.ReceiveChannels)
	if answer.SendChannels < local.SendChannels {
		answer.CanSend = local.SendChannels
	}
	if answer.ReceiveChannels < local.ReceiveChannels {
		answer.CanReceive = local.ReceiveChannels
	}
	answer.Terms = agreedTerms(offer, local)
	agreed := agreement(local, offer, payload, lock)
	answer.RateHz, answer.PeriodFrames, answer.PacketFrames = agreed.Send.RateHz, lock.periodFrames(local), lock.packetFrames(local, agreed.Send)
	// No answer to what was not offered (RFC 3264, section 6).
	if offer.PeriodFrames == 0 {
		answer.PeriodFrames = 0
	}
	if offer.Clock == "" {
		answer.Clock, answer.Follows = "", FollowsNothing
	}
	return answer, agreed, nil
}

// Accept settles the session at the caller from its own offer and the peer's
// answer to it. Errors are as Answer's.
func Accept(offer, answer Description) (Agreement, error) {
	payload, lock, err := match(offer, answer)
	if err != nil {
		return Agreement{}, err
	}
	return agreement(offer, answer, payload, lock), nil
}

func agreement(local, peer Description, payload Payload, lock lock) Agreement {
	a := Agreement{
		Send: Format{
			Encoding: payload.Encoding,
			RateHz:   lock.rateHz(local),
			Channels: agreedChannels(local.SendChannels, peer.ReceiveChannels),
		},
		Receive: Format{
			Encoding: payload.Encoding,
			RateHz:   lock.rateHz(peer),
			Channels: agreedChannels(peer.SendChannels, local.ReceiveChannels),
		},
		LocalSSRC:        local.SSRC,
		PeerSSRC:         peer.SSRC,
		PeerPort:         peer.Port,
		PeerName:         peer.Name,
		PeerRole:         peer.Role,
		PeerSends:        max(peer.SendChannels, peer.CanSend),
		PeerReceives:     max(peer.ReceiveChannels, peer.CanReceive),
		PeerOnHostClock:  peer.OnHostClock,
		PeerPeriodFrames: lock.periodFrames(peer),
		Terms:            agreedTerms(local, peer),
		PeerMaxBitrate:   peer.MaxBitrate,
	}
	a.PeerPacketFrames = lock.packetFrames(peer, a.Receive)
	if lock.leader != nil {
		a.Leader, a.PeriodFrames = lock.leader.Role, lock.leader.PeriodFrames
	}
	return a
}

func agreedChannels(send, receive int) int { return min(send, receive, MaxChannels) }

// match checks that the two ends can work together and picks the payload. It
// treats both alike, so that caller and answerer come to the same result.
func match(offer, answer Description) (Payload, lock, error) {
	for _, d := range []Description{offer, answer} {
		if d.Version == 0 {
			return Payload{}, lock{}, errors.New("one end is not an archibald-bridge: for a plain RTP stream use --static")
		}
		if d.SSRC == 0 {
			return Payload{}, lock{}, errors.New("SDP has no a=ssrc line: the ends of a session must state theirs")
		}
	}
	if offer.Version != answer.Version {
		return Payload{}, lock{}, &VersionError{Peer: offer.Version, Ours: answer.Version}
	}
	if offer.Role == answer.Role {
		return Payload{}, lock{}, fmt.Errorf("both ends are %ss: a session needs one guest and one host, check the address of --peer", offer.Role)
	}
	lock, err := agreedLock(&offer, &answer)
	if err != nil {
		return Payload{}, lock, err
	}
	if lock.leader == nil && offer.RateHz != answer.RateHz && !agreedTerms(offer, answer).AnyRate {
		return Payload{}, lock, fmt.Errorf("the %s runs at %d Hz, the %s at %d Hz: set both audio servers to the same rate",
			offer.Role, offer.RateHz, answer.Role, answer.RateHz)
	}
	if agreedChannels(offer.SendChannels, answer.ReceiveChannels) == 0 &&
		agreedChannels(answer.SendChannels, offer.ReceiveChannels) == 0 {
		return Payload{}, lock, fmt.Errorf("no direction is left: the %s sends %d and receives %d channels, the %s sends %d and receives %d",
			offer.Role, offer.SendChannels, offer.ReceiveChannels, answer.Role, answer.SendChannels, answer.ReceiveChannels)
	}
	for _, p := range offer.Payloads {
		if slices.Contains(answer.Payloads, p) {
			return p, lock, lock.takes(p.Encoding)
		}
	}
	return Payload{}, lock, fmt.Errorf("no common format: the %s offers %s, the %s has %s",
		offer.Role, encodingNames(offer.Payloads), answer.Role, encodingNames(answer.Payloads))
}

func encodingNames(payloads []Payload) string {
	names := ""
	for i, p := range payloads {
		if i > 0 {
			names += ", "
		}
		names += fmt.Sprintf("%s (payload type %d)", p.Encoding, p.Type)
	}
	return names
}
