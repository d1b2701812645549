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
	// PeerMaxBitrate is what the peer wants to receive of Opus at most, in bit/s; 0:
	// not said.
	PeerMaxBitrate int
}

// Answer settles a session from the peer's offer and the local description:
// the encoding that the offerer prefers among those both know, for both
// directions; for each direction as many channels as the one sends and the
// other receives; one rate, unless both resample; the larger of the two wishes for repetition; the
// header extension if both know it. The answer states just that. An error is a refusal,
// worded so that both users understand it.
func Answer(offer, local Description) (Description, Agreement, error) {
	payload, err := match(offer, local)
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
	if offer.PeriodFrames == 0 {
		answer.PeriodFrames = 0 // no answer to what was not offered (RFC 3264, section 6)
	}
	return answer, agreement(local, offer, payload), nil
}

// Accept settles the session at the caller from its own offer and the peer's
// answer to it. Errors are as Answer's.
func Accept(offer, answer Description) (Agreement, error) {
	payload, err := match(offer, answer)
	if err != nil {
		return Agreement{}, err
	}
	return agreement(offer, answer, payload), nil
}

func agreement(local, peer Description, payload Payload) Agreement {
	return Agreement{
		Send: Format{
			Encoding: payload.Encoding,
			RateHz:   local.RateHz,
			Channels: agreedChannels(local.SendChannels, peer.ReceiveChannels),
		},
		Receive: Format{
			Encoding: payload.Encoding,
			RateHz:   peer.RateHz,
			Channels: agreedChannels(peer.SendChannels, local.ReceiveChannels),
		},
		LocalSSRC:        local.SSRC,
		PeerSSRC:         peer.SSRC,
		PeerPort:         peer.Port,
		PeerName:         peer.Name,
		PeerRole:         peer.Role,
		PeerSends:        max(peer.SendChannels, peer.CanSend),
		PeerReceives:     max(peer.ReceiveChannels, peer.CanReceive),
		PeerPacketFrames: peer.PacketFrames,
		PeerOnHostClock:  peer.OnHostClock,
		PeerPeriodFrames: peer.PeriodFrames,
		Terms:            agreedTerms(local, peer),
		PeerMaxBitrate:   peer.MaxBitrate,
	}
}

func agreedChannels(send, receive int) int { return min(send, receive, MaxChannels) }

// match checks that the two ends can work together and picks the payload. It
// treats both alike, so that caller and answerer come to the same result.
func match(offer, answer Description) (Payload, error) {
	for _, d := range []Description{offer, answer} {
		if d.Version == 0 {
			return Payload{}, errors.New("one end is not an archibald-bridge: for a plain RTP stream use --static")
		}
		if d.SSRC == 0 {
			return Payload{}, errors.New("SDP has no a=ssrc line: the ends of a session must state theirs")
		}
	}
	if offer.Version != answer.Version {
		return Payload{}, &VersionError{Peer: offer.Version, Ours: answer.Version}
	}
	if offer.Role == answer.Role {
		return Payload{}, fmt.Errorf("both ends are %ss: a session needs one guest and one host, check the address of --peer", offer.Role)
	}
	if offer.RateHz != answer.RateHz && !agreedTerms(offer, answer).AnyRate {
		return Payload{}, fmt.Errorf("the %s runs at %d Hz, the %s at %d Hz: set both audio servers to the same rate",
			offer.Role, offer.RateHz, answer.Role, answer.RateHz)
	}
	if agreedChannels(offer.SendChannels, answer.ReceiveChannels) == 0 &&
		agreedChannels(answer.SendChannels, offer.ReceiveChannels) == 0 {
		return Payload{}, fmt.Errorf("no direction is left: the %s sends %d and receives %d channels, the %s sends %d and receives %d",
			offer.Role, offer.SendChannels, offer.ReceiveChannels, answer.Role, answer.SendChannels, answer.ReceiveChannels)
	}
	for _, p := range offer.Payloads {
		if slices.Contains(answer.Payloads, p) {
			return p, nil
		}
	}
	return Payload{}, fmt.Errorf("no common format: the %s offers %s, the %s has %s",
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
