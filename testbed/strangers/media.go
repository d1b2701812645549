package strangers

import (
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"net/netip"
	"time"

	"archibald-bridge/proto"
)

// StrangerHz is what strangers play.
const StrangerHz = 1733.0

// packetFrames is the length of a stranger's packets: L24 stereo, below 1,280 bytes.
const packetFrames = 192

const rtpBytes = 12

// tonePacket is the i-th packet of a stranger's tone.
func tonePacket(i int, ssrc uint32) []byte {
	b := make([]byte, rtpBytes, rtpBytes+packetFrames*6)
	b[0], b[1] = 2<<6, proto.L24.PayloadType()
	binary.BigEndian.PutUint16(b[2:], uint16(i))
	binary.BigEndian.PutUint32(b[4:], uint32(i*packetFrames))
	binary.BigEndian.PutUint32(b[8:], ssrc)
	for frame := range packetFrames {
		x := int32(math.Sin(2*math.Pi*StrangerHz*float64(i*packetFrames+frame)/48000) * 0.25 * (1 << 23))
		b = append(b, byte(x>>16), byte(x>>8), byte(x), byte(x>>16), byte(x>>8), byte(x))
	}
	return b
}

// Stream plays the tone into a door, from the port that a true peer has.
func (s Stranger) Stream(to netip.AddrPort, ssrc uint32) Attack {
	return func(ctx context.Context) error {
		socket, err := s.Socket(Port)
		if err != nil {
			return err
		}
		defer func() { _ = socket.Close() }()
		return stream(ctx, honest{socket}, to, ssrc)
	}
}

// StreamAs is Stream from an address that is not the stranger's.
func (s Stranger) StreamAs(from, to netip.AddrPort, ssrc uint32) Attack {
	return func(ctx context.Context) error {
		socket, err := s.forge(from)
		if err != nil {
			return err
		}
		defer func() { _ = socket.Close() }()
		return stream(ctx, socket, to, ssrc)
	}
}

func stream(ctx context.Context, out pipe, to netip.AddrPort, ssrc uint32) error {
	return every(ctx, packetFrames*time.Second/48000, func(i int) error {
		_ = out.send(to, tonePacket(i, ssrc)) // refused by ICMP: as may be
		return nil
	})
}

// goodbye is an RTCP compound packet that says that an end leaves.
func goodbye(ssrc uint32) []byte {
	b, err := proto.Report{SSRC: ssrc, CNAME: "stranger", Bye: true, ByeReason: "closed"}.Marshal()
	if err != nil {
		panic(err) // it has a CNAME
	}
	return b
}

// Goodbyes forges goodbyes of the SSRCs, 20 a second, from an address of the
// stranger's, and from where the peer is.
func (s Stranger) Goodbyes(to, peer netip.AddrPort, ssrcs ...uint32) Attack {
	return func(ctx context.Context) error {
		own, err := s.Socket(0)
		if err != nil {
			return err
		}
		defer func() { _ = own.Close() }()
		forged, err := s.forge(peer)
		if err != nil {
			return err
		}
		defer func() { _ = forged.Close() }()
		return every(ctx, 50*time.Millisecond, func(i int) error {
			_ = honest{own}.send(to, goodbye(ssrcs[i%len(ssrcs)]))
			return forged.send(to, goodbye(ssrcs[i%len(ssrcs)]))
		})
	}
}

// floodPerSecond is how many datagrams a flood has.
const floodPerSecond = 15000

// Kind is what a flood is of.
type Kind func(i int, random *rand.Rand) []byte

// Reports look like RTCP.
func Reports(_ int, random *rand.Rand) []byte { return report(random.Uint32()) }

// Sound looks like that of the SSRC.
func Sound(ssrc uint32) Kind {
	return func(i int, _ *rand.Rand) []byte { return tonePacket(i, ssrc) }
}

// Noise looks like nothing.
func Noise(_ int, random *rand.Rand) []byte {
	b := make([]byte, 200)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

// Mixed is all of it, one after the other.
func Mixed(ssrc uint32) Kind {
	kinds := []Kind{Reports, Sound(ssrc), Noise}
	return func(i int, random *rand.Rand) []byte { return kinds[i%len(kinds)](i, random) }
}

// Flood sends 15,000 datagrams a second.
func (s Stranger) Flood(to netip.AddrPort, kind Kind) Attack {
	return func(ctx context.Context) error {
		socket, err := s.Socket(0)
		if err != nil {
			return err
		}
		defer func() { _ = socket.Close() }()
		return flood(ctx, honest{socket}, to, kind)
	}
}

// FloodAs is Flood from an address that is not the stranger's.
func (s Stranger) FloodAs(from, to netip.AddrPort, kind Kind) Attack {
	return func(ctx context.Context) error {
		socket, err := s.forge(from)
		if err != nil {
			return err
		}
		defer func() { _ = socket.Close() }()
		return flood(ctx, socket, to, kind)
	}
}

func flood(ctx context.Context, out pipe, to netip.AddrPort, kind Kind) error {
	random := rand.New(rand.NewPCG(1, 2))
	// Made before, so that the stranger costs the machine no more than necessary.
	datagrams := make([][]byte, 1024)
	for i := range datagrams {
		datagrams[i] = kind(i, random)
	}
	const burst = 15
	return every(ctx, burst*time.Second/floodPerSecond, func(i int) error {
		for k := range burst {
			_ = out.send(to, datagrams[(i*burst+k)%len(datagrams)])
		}
		return nil
	})
}

// report is the shortest RTCP there is: a receiver report of nothing.
func report(ssrc uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{2 << 6, 201, 0, 1}, ssrc)
}
