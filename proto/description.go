package proto

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Version is the version of the protocol that this program speaks. Two ends
// work together only when theirs are equal.
const Version = 1

// Role is the side of the bridge that an end is.
type Role string

// The two roles. A session always has one of each.
const (
	Guest Role = "guest" // in the virtual machine, usually with jackd
	Host  Role = "host"  // usually with PipeWire
)

// Other is the role of the other end of a session.
func (r Role) Other() Role {
	if r == Guest {
		return Host
	}
	return Guest
}

// Bounds of what a description may say.
const (
	MaxDescriptionBytes = 16 << 10

	minRateHz = 8000
	maxRateHz = 192000

	maxDescribedChannels = 256 // read; MaxChannels bounds what is agreed

	maxPeriodFrames = 1 << 16

	minPtimeMs = 0.005 // a frame at 192 kHz: many channels leave little room for more
	maxPtimeMs = 100

	maxNameBytes  = 64
	maxCNAMEBytes = 255 // RFC 3550, section 6.5
)

// Payload is an encoding and the RTP payload type that stands for it.
type Payload struct {
	Type     uint8 // 0 to 127
	Encoding Encoding
}

// Payloads returns what an end of ours offers for the encodings, in the same
// order.
func Payloads(encodings ...Encoding) []Payload {
	payloads := make([]Payload, len(encodings))
	for i, e := range encodings {
		payloads[i] = Payload{Type: e.PayloadType(), Encoding: e}
	}
	return payloads
}

// Description is what one end says about itself: an SDP offer or answer (RFC
// 3264), or, with Version 0, the plain SDP of a stream (RFC 8866) as GStreamer,
// ffmpeg, PipeWire and AES67 devices read and write it.
type Description struct {
	// Name is the session name, printable, at most 64 bytes. "" and "-" are the
	// same, the absent name.
	Name string
	// Role is Guest or Host; "" in a description that is not ours.
	Role Role
	// Version is the protocol version; 0 in a description that is not ours.
	Version int
	// Revision tells which of two descriptions of one end is the later one
	// (the sess-version of o=, RFC 8866, section 5.2).
	Revision uint64

	// Address is the address of the connection line; the zero Addr when there
	// is none. A session sends its media to where the TCP connection leads.
	Address netip.Addr
	Port    int // UDP, 1 to 65535
	// TTL is how many routers a plain stream to an IPv4 multicast group may cross, 1
	// to 255; 0: not said, or no such stream.
	TTL int
	// Source is the machine that alone sends to the multicast group (RFC 4570); the
	// zero Addr: any.
	Source netip.Addr
	// Origin is the machine that wrote the description; the zero Addr: as Address. It
	// is not read.
	Origin netip.Addr

	// Payloads are the known encodings, the preferred one first.
	Payloads []Payload
	RateHz   int // 8000 to 192000
	// SendChannels and ReceiveChannels are seen from the end described, 0 to
	// 64; 0 says that it does not send, or receive, at all. One is above 0. Of a
	// plain stream only what is sent is read.
	SendChannels, ReceiveChannels int
	// CanSend and CanReceive are in an answer what the end has where that is more
	// than was agreed; 0: the number in SendChannels and ReceiveChannels.
	CanSend, CanReceive int
	// PacketFrames is how many frames a packet of the end described holds, 0.005
	// to 100 ms of them; 0: not said.
	PacketFrames int

	// MaxBitrate is what the end wants to receive of Opus at most, in bit/s, 6000 to
	// 510000 (RFC 7587, section 6.1); 0: not said.
	MaxBitrate int

	// PeriodFrames is the period of the audio server of the end described, 1 to
	// 65536; 0: the end knows no repetition.
	PeriodFrames int
	Terms
	// OwnOrder says that the channels of a plain stream are not in the usual order.
	OwnOrder bool

	SSRC    uint32 // of the stream the end sends; 0: not said
	CNAME   string // RFC 3550, section 6.5.1; only together with SSRC
	RTCPMux bool   // RTP and RTCP on one port (RFC 5761)

	// Clock is which clock the end wants its graph to have, and Follows at what the graph can
	// be driven by the other end's packets, while it does not lead.
	Clock   ClockWish
	Follows Follows

	// OnHostClock says that the end is a guest of KVM and that the wall clock of
	// its RTCP reports is its host's.
	OnHostClock bool
}

// FieldError is a value in a session description that is out of bounds.
type FieldError struct {
	Line  int    // of the text, from 1
	Field string // as the user finds it in the SDP
	Value string // shortened
	Legal string // "8000 to 192000 Hz"
}

func (e *FieldError) Error() string {
	return fmt.Sprintf("SDP line %d: %s %q: legal is %s", e.Line, e.Field, e.Value, e.Legal)
}

// VersionError says that two ends speak different versions of the protocol.
type VersionError struct{ Peer, Ours int }

func (e *VersionError) Error() string {
	return fmt.Sprintf("protocol version: one end speaks version %d, the other version %d: install the same release at both ends", e.Peer, e.Ours)
}

// ptimeMs is the packet time in milliseconds (RFC 8866, section 6.4).
func (d Description) ptimeMs() float64 {
	return float64(d.PacketFrames) * 1000 / float64(d.RateHz)
}

// packetFramesRange is the fewest and the most frames of a legal packet time.
func packetFramesRange(rateHz int) (low, high int) {
	return int(math.Ceil(float64(rateHz) * minPtimeMs / 1000)), rateHz * maxPtimeMs / 1000
}

// framesOf turns a packet time back into frames. Three decimals of a
// millisecond are enough: half of the last one is under 0.1 frames at 192 kHz.
func framesOf(ptimeMs float64, rateHz int) int {
	low, high := packetFramesRange(rateHz)
	return min(max(int(math.Round(ptimeMs*float64(rateHz)/1000)), low), high)
}

// cleanName makes text from outside fit for a log line and for SDP: printable
// characters only, at most limit bytes.
func cleanName(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	if len(s) > limit {
		s = s[:limit]
		for !utf8.ValidString(s) {
			s = s[:len(s)-1]
		}
	}
	s = strings.TrimSpace(s)
	if s == "-" {
		return ""
	}
	return s
}
