package rt_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"golang.org/x/sys/unix"

	"archibald-bridge/bridge/rt"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/testbed/rttest"
)

const period = 64

var stereo = stream.Format{Encoding: stream.F32, RateHz: 48000, Channels: 2}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func monotonicNs() int64 {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // cannot fail
	return now.Nano()
}

// end is one engine on a real socket, and the graph it runs in.
type end struct {
	t     *testing.T
	e     *rt.Engine
	frame uint64
	plane []float32
}

func open(t *testing.T, address string) *end {
	t.Helper()
	e, err := rt.Open(netip.MustParseAddrPort(address))
	check(t, err)
	t.Cleanup(e.Close)
	e.SetGraph(48000)
	return &end{t: t, e: e, plane: make([]float32, 2*period)}
}

// play runs one playout cycle; graph time is virtual, the socket is not. What is
// sent on loopback is in the receiver's socket when the send returns: no waiting.
func (n *end) play() []float32 {
	rttest.Playout(n.e, n.plane, 2, period, n.frame, 1e9+int64(n.frame)*1e9/48000, monotonicNs())
	n.frame += period
	return n.plane
}

// capture sends one period whose every sample is value; after play.
func (n *end) capture(value float32) {
	plane := slices.Repeat([]float32{value}, 2*period)
	rttest.Capture(n.e, plane, 2, period, n.frame-period, monotonicNs())
}

func (n *end) received() stream.ReceiveCounters { return n.e.Counters().Received }

func (n *end) observe() []stream.Observation {
	buf := make([]stream.Observation, 512)
	return buf[:n.e.Observe(buf)]
}

func stranger(t *testing.T, from string) (*net.UDPConn, func(to netip.AddrPort, datagram []byte)) {
	t.Helper()
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(from)))
	check(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c, func(to netip.AddrPort, datagram []byte) {
		t.Helper()
		_, err := c.WriteToUDPAddrPort(datagram, to)
		check(t, err)
	}
}

// media is a packet of one period; every sample is value.
func media(sequence uint16, ssrc uint32, value float32) []byte {
	b := []byte{0x80, 98}
	b = binary.BigEndian.AppendUint16(b, sequence)
	b = binary.BigEndian.AppendUint32(b, uint32(sequence)*period)
	b = binary.BigEndian.AppendUint32(b, ssrc)
	for range 2 * period {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(value))
	}
	return b
}

func wantCount(t *testing.T, name string, got, want uint64) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %d, want %d", name, got, want)
	}
}

func TestADatagramOfSeveralEthernetFramesIsRead(t *testing.T) {
	n := open(t, "127.0.0.31:0")
	l16 := stream.Format{Encoding: stream.L16, RateHz: 48000, Channels: 15}
	check(t, n.e.StartReceiver(stream.ReceivePlan{Format: l16, PayloadType: payloadType(l16.Encoding)}))
	_, send := stranger(t, "127.0.0.32:0")
	const frameBytes, most = 30, 9000
	for _, frames := range []int{96, (most - 12) / frameBytes, most / frameBytes} { // 2 ms, as many as are read, and more
		datagram := media(uint16(frames), 7, 0)[:12]
		datagram[1] = 96
		send(n.e.LocalAddr(), append(datagram, make([]byte, frames*frameBytes)...))
	}
	n.play()
	c := n.received()
	wantCount(t, "packets", c.Packets, 2)
	wantCount(t, "bytes", c.Bytes, (96+299)*frameBytes)
	wantCount(t, "malformed", c.Malformed, 1)
}

func TestTwoEnginesExchangeSound(t *testing.T) {
	for _, addresses := range [][2]string{{"127.0.0.31:0", "127.0.0.32:0"}, {"[::1]:0", "[::1]:0"}, {"[::]:0", "127.0.0.33:0"}} {
		t.Run(strings.Join(addresses[:], " "), func(t *testing.T) {
			a, b := open(t, addresses[0]), open(t, addresses[1])
			to := func(n, peer *end) netip.AddrPort { // an unspecified address is reached at the peer's own
				local := n.e.LocalAddr()
				if local.Addr().IsUnspecified() {
					return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), local.Port())
				}
				return local
			}
			for _, x := range []struct {
				from, to *end
				ssrc     uint32
			}{{a, b, 1}, {b, a, 2}} {
				check(t, x.from.e.StartSender(stream.SendPlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), PacketFrames: period, SSRC: x.ssrc, To: to(x.to, x.from)}))
				check(t, x.to.e.StartReceiver(stream.ReceivePlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), SSRC: x.ssrc}))
			}
			before := monotonicNs()
			for n := range 100 {
				a.play()
				b.play()
				a.capture(0.25)
				b.capture(-0.5)
				if n == 1 {
					for _, x := range []*end{a, b} {
						for _, o := range x.observe() {
							if o.Kind == stream.KindPacket {
								x.e.SeekTo(o.Media - 3*period)
								if o.TimeNs < before || o.TimeNs > monotonicNs() {
									t.Errorf("arrival at %d, sent after %d, read before %d", o.TimeNs, before, monotonicNs())
								}
							}
						}
					}
				}
			}
			for _, x := range []struct {
				at, peer *end
				want     float32
			}{{a, b, -0.5}, {b, a, 0.25}} {
				for i, got := range x.at.play() {
					if got != x.want {
						t.Fatalf("sample %d: got %v, want %v", i, got, x.want)
					}
				}
				r, s := x.at.received(), x.peer.e.Counters().Sent
				wantCount(t, "packets sent", s.Packets, 100)
				wantCount(t, "packets received", r.Packets, 100)
				wantCount(t, "bytes", r.Bytes, s.Bytes)
				wantCount(t, "send errors", s.SendErrors, 0)
				wantCount(t, "lost", r.Lost, 0)
				wantCount(t, "concealed", r.ConcealedFrames, 0)
				if source := x.at.e.MediaSource(); source.Port() != x.peer.e.LocalAddr().Port() || source.Addr().Is4In6() {
					t.Errorf("media source %v, peer %v", source, x.peer.e.LocalAddr())
				}
			}
		})
	}
}

// The kernel's own stamp, not the time of the reading.
func TestArrivalIsWhenThePacketCameNotWhenItWasRead(t *testing.T) {
	n := open(t, "127.0.0.34:0")
	check(t, n.e.StartReceiver(stream.ReceivePlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), SSRC: 5}))
	_, send := stranger(t, "127.0.0.35:0")
	before := monotonicNs()
	send(n.e.LocalAddr(), media(1, 5, 0))
	after := monotonicNs()
	time.Sleep(30 * time.Millisecond)
	n.play()
	const slackNs = 1e6 // between the two clock readings that join REALTIME and MONOTONIC
	for _, o := range n.observe() {
		if o.Kind == stream.KindPacket && (o.TimeNs < before-slackNs || o.TimeNs > after+slackNs) {
			t.Errorf("arrival %d ns after it was sent", o.TimeNs-before)
		}
	}
	wantCount(t, "packets", n.received().Packets, 1)
}

func TestRTCPGoesBothWaysOnTheMediaSocket(t *testing.T) {
	a, b := open(t, "127.0.0.31:0"), open(t, "127.0.0.32:0")
	compound, err := rtcp.Marshal([]rtcp.Packet{
		&rtcp.SenderReport{SSRC: 7, NTPTime: 1 << 40, RTPTime: 99, PacketCount: 3},
		rtcp.NewCNAMESourceDescription(7, "guest@vm")})
	check(t, err)
	check(t, b.e.StartReceiver(stream.ReceivePlan{Format: stereo, PayloadType: payloadType(stereo.Encoding)}))
	before := monotonicNs()
	check(t, a.e.SendRTCP(compound, netip.Addr{}, b.e.LocalAddr()))
	b.play()
	buf := make([]byte, 1500)
	size, from, arrivalNs, ok := b.e.ReadRTCP(buf)
	if !ok || !bytes.Equal(buf[:size], compound) || from != a.e.LocalAddr() {
		t.Fatalf("got %v, %d bytes from %v", ok, size, from)
	}
	if arrivalNs < before-1e6 || arrivalNs > monotonicNs()+1e6 {
		t.Errorf("arrival %d ns after it was sent", arrivalNs-before)
	}
	// And without a callback, by Idle.
	check(t, a.e.AcceptRTCP(b.e.LocalAddr().Addr(), 7))
	check(t, b.e.SendRTCP(compound, netip.Addr{}, a.e.LocalAddr()))
	a.e.Idle(monotonicNs() + int64(time.Second))
	if size, from, _, ok = a.e.ReadRTCP(buf); !ok || size != len(compound) || from != b.e.LocalAddr() {
		t.Errorf("got %v, %d bytes from %v", ok, size, from)
	}
}

// With nothing playing, Idle keeps the socket empty, and only then.
func TestIdleEmptiesTheSocketWhenNoCallbackRuns(t *testing.T) {
	n := open(t, "127.0.0.34:0")
	check(t, n.e.StartReceiver(stream.ReceivePlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), SSRC: 5}))
	_, send := stranger(t, "127.0.0.35:0")
	n.play()
	for i := range uint16(50) {
		send(n.e.LocalAddr(), media(i, 5, 0.5))
	}
	n.e.Idle(monotonicNs() + int64(50*time.Millisecond)) // a callback has just run
	n.e.Idle(monotonicNs() + int64(time.Second))
	for range 10 {
		n.play()
	}
	wantCount(t, "packets left after Idle", n.received().Packets, 0)
	for i := range uint16(16) {
		send(n.e.LocalAddr(), media(100+i, 5, 0.5))
	}
	n.e.Idle(monotonicNs())
	n.play()
	wantCount(t, "packets that Idle left to the callback", n.received().Packets, 16)
}

// The peer's port is closed: ICMP comes back, and nothing is lost or fatal.
func TestAPeerThatIsNotThereCostsNothing(t *testing.T) {
	gone, _ := stranger(t, "127.0.0.35:0")
	address := gone.LocalAddr().(*net.UDPAddr).AddrPort()
	check(t, gone.Close())
	n := open(t, "127.0.0.34:0")
	check(t, n.e.StartSender(stream.SendPlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), PacketFrames: period, SSRC: 1, To: address}))
	for range 100 {
		n.play()
		n.capture(0.5)
	}
	s := n.e.Counters().Sent
	wantCount(t, "packets", s.Packets, 100)
	wantCount(t, "send errors", s.SendErrors, 0)
	check(t, n.e.SendRTCP([]byte{0x80, 201, 0, 1, 0, 0, 0, 1}, netip.Addr{}, address))
}

func TestWrongPlansAreRefusedInOneLine(t *testing.T) {
	n := open(t, "127.0.0.34:0")
	v4, v6 := netip.MustParseAddrPort("127.0.0.1:9"), netip.MustParseAddrPort("[2001:db8::1]:9")
	format := func(e stream.Encoding, rate, channels int) stream.Format {
		return stream.Format{Encoding: e, RateHz: rate, Channels: channels}
	}
	for name, err := range map[string]error{
		"format":     n.e.StartSender(stream.SendPlan{Format: format("MP3", 48000, 2), PayloadType: 96, PacketFrames: 32, To: v4}),
		"channels":   n.e.StartSender(stream.SendPlan{Format: format(stream.L16, 48000, 65), PayloadType: 96, PacketFrames: 1, To: v4}),
		"rate":       n.e.StartReceiver(stream.ReceivePlan{Format: format(stream.L16, 7999, 2), PayloadType: 96}),
		"packet":     n.e.StartSender(stream.SendPlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), PacketFrames: 187, To: v4}),
		"packet of ": n.e.StartSender(stream.SendPlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), PacketFrames: 0, To: v4}),
		"peer":       n.e.StartSender(stream.SendPlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), PacketFrames: 32, To: v6}),
		"peer 2":     n.e.StartReceiver(stream.ReceivePlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), From: v6.Addr()}),
	} {
		if err == nil || strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := n.e.SendRTCP([]byte{0x80, 201, 0, 1, 0, 0, 0, 1}, netip.Addr{}, v6); err == nil {
		t.Error("RTCP to an IPv6 peer from an IPv4 socket: sent somewhere")
	}
	_, err := rt.Open(n.e.LocalAddr())
	if err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("an address in use: %v", err)
	}
}

// What the contract rules out moves nothing of the core's; playout is silence all the same.
func TestCyclesOutsideTheContractAreSilenceAndCountForNothing(t *testing.T) {
	n := open(t, "127.0.0.34:0")
	check(t, n.e.StartReceiver(stream.ReceivePlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), SSRC: 5}))
	check(t, n.e.StartSender(stream.SendPlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), PacketFrames: period, SSRC: 1, To: n.e.LocalAddr()}))
	for _, frames := range []int{0, rt.MaxPeriodFrames + 1} {
		plane := slices.Repeat([]float32{1}, 2*frames)
		rttest.Capture(n.e, plane, 2, frames, 0, monotonicNs())
		rttest.Playout(n.e, plane, 2, frames, 0, 1e9, monotonicNs())
		if slices.ContainsFunc(plane, func(x float32) bool { return x != 0 }) {
			t.Errorf("%d frames: not all of them are silence", frames)
		}
	}
	c := n.e.Counters()
	wantCount(t, "playout cycles", c.Received.Cycles, 0)
	wantCount(t, "capture cycles", c.Sent.Cycles, 0)
	rttest.Playout(n.e, nil, 0, rt.MaxPeriodFrames, 0, 1e9, monotonicNs())
	wantCount(t, "playout cycles", n.received().Cycles, 1)
}
