package interop

import (
	"fmt"
	"time"

	"archibald-bridge/proto"
)

// Peer is a program of others.
type Peer string

// The peers. PipeWireNew is a newer PipeWire than the distribution's, unpacked
// in a folder of its own (see Options).
const (
	GStreamer   Peer = "GStreamer"
	FFmpeg      Peer = "ffmpeg"
	PipeWire    Peer = "PipeWire"
	PipeWireNew Peer = "PipeWire, newer"
)

// Direction is where the sound goes.
type Direction string

// The directions, seen from our end.
const (
	Send    Direction = "send"
	Receive Direction = "receive"
)

// Restart says who is killed and started again in the middle.
type Restart string

// Who is restarted.
const (
	Nobody Restart = ""
	Ours   Restart = "ours"
	Theirs Restart = "theirs"
)

// Case is one row of the table.
type Case struct {
	Peer      Peer
	Direction Direction
	Encoding  proto.Encoding
	Channels  int
	RateHz    int
	Ptime     time.Duration // of the packets sent by either; 0: as the sender likes
	Restart   Restart
}

// String is unique among the cases of Matrix.
func (c Case) String() string {
	s := fmt.Sprintf("%s, %s, %s/%d/%d", c.Peer, c.Direction, c.Encoding, c.RateHz, c.Channels)
	if c.Ptime != 0 {
		s += fmt.Sprintf(", packets of %s", c.Ptime)
	}
	if c.Restart != Nobody {
		s += fmt.Sprintf(", %s restarted", c.Restart)
	}
	return s
}

// Gate is the part of the matrix that is run with the tests: eight cases at once.
func Gate() []Case {
	return []Case{
		{Peer: GStreamer, Direction: Send, Encoding: proto.L24, Channels: 2, RateHz: 48000, Ptime: time.Millisecond},
		{Peer: GStreamer, Direction: Send, Encoding: proto.L24, Channels: 8, RateHz: 48000},
		{Peer: GStreamer, Direction: Receive, Encoding: proto.L24, Channels: 8, RateHz: 48000},
		{Peer: GStreamer, Direction: Receive, Encoding: proto.L16, Channels: 2, RateHz: 48000, Ptime: 500 * time.Microsecond},
		{Peer: FFmpeg, Direction: Send, Encoding: proto.L24, Channels: 8, RateHz: 48000},
		{Peer: FFmpeg, Direction: Receive, Encoding: proto.L16, Channels: 2, RateHz: 48000, Restart: Theirs},
		{Peer: PipeWire, Direction: Send, Encoding: proto.L16, Channels: 2, RateHz: 48000, Ptime: time.Millisecond, Restart: Ours},
		{Peer: PipeWire, Direction: Receive, Encoding: proto.L24, Channels: 2, RateHz: 48000},
	}
}
