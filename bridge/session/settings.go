package session

import (
	"net"
	"net/netip"
	"strconv"
	"time"

	"archibald-bridge/bridge/receive"
	"archibald-bridge/proto"
)

// Settings are what the user wants of an end.
type Settings struct {
	Role proto.Role
	Name string // of the bridge, where there are several
	// Peer is the other end; the zero Peer: this end waits to be called, or, with Static,
	// sends nothing.
	Peer   Peer
	Listen netip.AddrPort // where this end can be reached
	Allow  []netip.Prefix // whose addresses may call, besides the peer's
	Secret []byte         // that both ends prove to have; nil: none
	Wait   time.Duration  // how long to wait for audio server and peer; 0: forever

	// Static says that there is no session: the peer is a plain RTP address.
	Static bool
	// Incoming describes the plain stream to receive; nil: as what is sent.
	Incoming *proto.Description

	Format                        proto.Encoding // "": what the two ends like best
	RateHz                        int            // the audio server must have; 0: whatever it has
	SendChannels, ReceiveChannels int
	PeriodFrames                  int           // asked of the audio server; 0: its own
	Ptime                         time.Duration // packet time; 0: see send.PacketFrames
	Bitrate                       int           // of a coded stream, of all channels together, in bit/s
	proto.Terms                                 // that are wanted; a session always has SendDelay
	Latency                       receive.Latency
	GapsPerHour                   int // that do not raise a latency that is found by measuring
	// Clock is whose clock the graph shall have. With ClockFree what comes is resampled even
	// when both graphs look as if they shared a clock.
	Clock         proto.ClockWish
	Driven        bool // the graph has no clock but ours; it can only follow at its own rate and period
	AnswerPeriods int  // of an end that leads: 1 or 2; 0: 1, and 2 where that is too few
	MulticastTTL  int
	OwnOrder      bool // the channels are not in the usual order
}

// Peer is the address of the other end. The zero value is no peer.
type Peer struct {
	Host string // name or IP address, without brackets
	Port int    // 1 to 65535
}

// String returns HOST:PORT as net.Dial takes it; "" for no peer.
func (p Peer) String() string {
	if p.Host == "" {
		return ""
	}
	return net.JoinHostPort(p.Host, strconv.Itoa(p.Port))
}
