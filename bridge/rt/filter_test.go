package rt_test

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"archibald-bridge/bridge/rt"
	"archibald-bridge/bridge/stream"
)

// local is a machine with several addresses of both families.
func local(t *testing.T) *machine {
	m := newMachine(t)
	for n := range 3 {
		m.ip(t, fmt.Sprintf("addr add fd09::%d/128 dev lo nodad", n+1))
	}
	return m
}

// speaker sends datagrams from an address of the machine.
func (m *machine) speaker(t *testing.T, from string, to netip.AddrPort) func(datagram []byte) {
	var send func(netip.AddrPort, []byte)
	m.in(t, func() { _, send = stranger(t, netip.AddrPortFrom(netip.MustParseAddr(from), 0).String()) })
	return func(datagram []byte) { t.Helper(); send(to, datagram) }
}

// reached is the address at which an end is reached from one.
func reached(n *end, from string) netip.AddrPort {
	if !n.e.LocalAddr().Addr().IsUnspecified() {
		return n.e.LocalAddr()
	}
	if netip.MustParseAddr(from).Is4() {
		return atPort("127.0.0.1", n)
	}
	return atPort("::1", n)
}

// families are where an end listens, and addresses of its peer and of a stranger.
var families = []struct{ listens, peer, stranger string }{
	{"127.0.0.1:0", "127.0.0.7", "127.0.0.8"},
	{"0.0.0.0:0", "127.0.0.7", "127.0.0.8"},
	{"[::]:0", "127.0.0.7", "127.0.0.8"},
	{"[::]:0", "fd09::1", "fd09::2"},
	{"[::]:0", "fd09::1", "127.0.0.8"},
	{"[::]:0", "127.0.0.7", "fd09::2"},
}

// All that a stranger can know: SSRC and payload type of the stream, and what RTCP of
// the peer looks like. No thread reads one datagram of it; each is counted.
func TestAFloodOfAStrangerIsReadByNoThread(t *testing.T) {
	m := local(t)
	for _, family := range families {
		for kind, look := range map[string]func(n uint16) []byte{
			"RTP":     func(n uint16) []byte { return media(n, 5, -0.5) },
			"RTCP":    func(uint16) []byte { return reportOf(t, 5) },
			"goodbye": func(uint16) []byte { return append(reportOf(t, 5), 0x81, 203, 0, 1, 0, 0, 0, 5) },
			"others'": func(uint16) []byte { return reportOf(t, 4711) },
		} {
			t.Run(fmt.Sprintf("%s from %s to a peer of %s at %s", kind, family.stranger, family.peer, family.listens), func(t *testing.T) {
				n := m.open(t, family.listens)
				check(t, n.e.StartReceiver(stream.ReceivePlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), SSRC: 5, From: netip.MustParseAddr(family.peer)}))
				flood := m.speaker(t, family.stranger, reached(n, family.stranger))
				peer := m.speaker(t, family.peer, reached(n, family.peer))
				const each, cycles = 150, 100 // 15,000 a second, with 100 periods a second
				for i := range uint16(cycles) {
					for j := range uint16(each) {
						flood(look(each*i + j))
					}
					peer(media(i, 5, 0.5))
					if i == 0 {
						peer(reportOf(t, 5))
					}
					n.play()
				}
				c := n.received()
				wantCount(t, "packets", c.Packets, cycles)
				wantCount(t, "dropped by the kernel", c.KernelDrops, cycles*each)
				wantCount(t, "read and refused", c.WrongSource+c.WrongSSRC+c.WrongPayload+c.Malformed+c.Outside+c.RTCPOverBudget, 0)
				wantCount(t, "lost, duplicate", c.Lost+c.Duplicate, 0)
				buf := make([]byte, 1500)
				if _, from, _, ok := n.e.ReadRTCP(buf); !ok || from.Addr() != netip.MustParseAddr(family.peer) {
					t.Errorf("the peer's report: %v from %v", ok, from)
				}
				if _, _, _, ok := n.e.ReadRTCP(buf); ok {
					t.Error("a stranger's report came through")
				}
			})
		}
	}
}

// Nobody said who the peer is; once its first packet has, nobody else is read.
func TestOnceTheFirstSourceIsThePeerOthersAreNotRead(t *testing.T) {
	n := open(t, "127.0.0.34:0")
	plan := stream.ReceivePlan{Format: stereo, PayloadType: payloadType(stereo.Encoding)}
	check(t, n.e.StartReceiver(plan))
	_, send := stranger(t, "127.0.0.35:0")
	_, other := stranger(t, "127.0.0.36:0")
	cycle := func(i uint16) {
		send(n.e.LocalAddr(), media(i, 5, 0.5))
		other(n.e.LocalAddr(), media(i, 5, -0.5))
		n.play()
	}
	cycle(0)
	n.e.Idle(monotonicNs())
	for i := range uint16(100) {
		cycle(1 + i)
	}
	wantCount(t, "packets", n.received().Packets, 101)
	wantCount(t, "read and refused", n.received().WrongSource, 1)
	wantCount(t, "dropped by the kernel", n.received().KernelDrops, 100)
	check(t, n.e.StartReceiver(plan)) // the peer was silent: another one may come
	other(n.e.LocalAddr(), media(200, 5, 0.5))
	n.play()
	wantCount(t, "packets of the next peer", n.received().Packets, 102)
}

func TestWithoutASessionNothingComesIn(t *testing.T) {
	n := open(t, "127.0.0.34:0")
	_, send := stranger(t, "127.0.0.35:0")
	laterNs := monotonicNs()
	both := func() {
		send(n.e.LocalAddr(), reportOf(t, 5))
		send(n.e.LocalAddr(), media(1, 5, 0.5))
		laterNs += int64(time.Second)
		n.e.Idle(laterNs)
	}
	both()
	wantCount(t, "dropped before the first session", n.received().KernelDrops, 2)
	peer := netip.MustParseAddr("127.0.0.35")
	check(t, n.e.StartReceiver(stream.ReceivePlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), SSRC: 5, From: peer}))
	both()
	wantCount(t, "dropped in the session", n.received().KernelDrops, 2)
	n.e.StopReceiver()
	both()
	wantCount(t, "dropped after it", n.received().KernelDrops, 4)
	check(t, n.e.AcceptRTCP(peer, 5)) // of a session that only sends
	both()
	wantCount(t, "dropped where only reports are heard", n.received().KernelDrops, 5)
	for range 2 {
		if _, _, _, ok := n.e.ReadRTCP(make([]byte, 1500)); !ok {
			t.Error("the peer's report did not come")
		}
	}
	wantCount(t, "read and refused", n.received().Malformed+n.received().WrongSource, 0)
}

// Even the peer has a budget of reports: what keeps control busy is not its sound.
func TestReportsOverTheBudgetAreNotRead(t *testing.T) {
	n := open(t, "127.0.0.34:0")
	check(t, n.e.StartReceiver(stream.ReceivePlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), SSRC: 5}))
	_, send := stranger(t, "127.0.0.35:0")
	for range 1000 {
		send(n.e.LocalAddr(), reportOf(t, 5))
		n.play()
		n.e.ReadRTCP(make([]byte, 1500))
	}
	if over := n.received().RTCPOverBudget; over < 1000-3*32 || over > 1000-32 { // 32 in each second begun
		t.Errorf("%d of 1000 reports over the budget of 32 a second", over)
	}
}

// What the kernel drops cannot be told from nothing. A look at a sample of it can.
func TestALookTellsWhatComesInsteadOfWhatWasAgreed(t *testing.T) {
	m := local(t)
	for _, family := range families {
		t.Run(fmt.Sprintf("%s, %s and %s", family.listens, family.peer, family.stranger), func(t *testing.T) {
			n := m.open(t, family.listens)
			check(t, n.e.StartReceiver(stream.ReceivePlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), SSRC: 5, From: netip.MustParseAddr(family.peer)}))
			peer := m.speaker(t, family.peer, reached(n, family.peer))
			other := m.speaker(t, family.stranger, reached(n, family.stranger))
			wrongType := media(1, 5, 0)
			wrongType[1] = 99
			comes := func(send func([]byte), datagram []byte, count int) stream.ReceiveCounters {
				for i := range count {
					send(datagram)
					if i%8 == 7 {
						n.play()
					}
				}
				return n.received()
			}
			wantCount(t, "refused without a look", comes(peer, wrongType, 800).WrongPayload, 0)
			check(t, n.e.Look(true))
			c := comes(peer, wrongType, 800) // 1 in 8: none has a chance of 1e-46
			if c.WrongPayload == 0 || c.WrongPayload > 400 || c.SeenPayloadType != 99 {
				t.Errorf("wrong payload %d times, type %d", c.WrongPayload, c.SeenPayloadType)
			}
			if c = comes(peer, media(1, 6, 0), 800); c.WrongSSRC == 0 || c.WrongSSRC > 400 {
				t.Errorf("wrong SSRC %d times", c.WrongSSRC)
			}
			if c = comes(other, media(1, 5, 0), 8000); c.WrongSource == 0 || c.WrongSource > 1000 || c.SeenSource.Addr() != netip.MustParseAddr(family.stranger) {
				t.Errorf("wrong source %d times, %v", c.WrongSource, c.SeenSource)
			}
			comes(other, reportOf(t, 5), 2000)
			if _, _, _, ok := n.e.ReadRTCP(make([]byte, 1500)); ok {
				t.Error("a look let a stranger's report in")
			}
			check(t, n.e.Look(false))
			before := n.received()
			comes(peer, wrongType, 800)
			after := comes(other, media(1, 5, 0), 800)
			wantCount(t, "refused after the look", after.WrongPayload+after.WrongSource, before.WrongPayload+before.WrongSource)
			wantCount(t, "packets", comes(peer, media(1, 5, 0), 8).Packets, 1)
		})
	}
}

// A plan that cannot be is refused, and the stream before it goes on.
func TestARefusedPlanLeavesTheRunningStreamAlone(t *testing.T) {
	a, b := open(t, "127.0.0.31:0"), open(t, "127.0.0.32:0")
	plan := stream.SendPlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), PacketFrames: period, SSRC: 5, To: b.e.LocalAddr()}
	check(t, a.e.StartSender(plan))
	good := stream.ReceivePlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), SSRC: 5, From: a.e.LocalAddr().Addr()}
	check(t, b.e.StartReceiver(good))
	plan.To = netip.MustParseAddrPort("[fd09::1]:9")
	unreachable, wrong := good, good
	unreachable.From = plan.To.Addr()
	wrong.Format.Channels, wrong.SSRC = rt.MaxChannels+1, 6
	for i := range 30 {
		a.play()
		a.capture(0.25)
		b.play()
		if i == 10 && (a.e.StartSender(plan) == nil || b.e.StartReceiver(unreachable) == nil || b.e.StartReceiver(wrong) == nil) {
			t.Error("taken")
		}
	}
	wantCount(t, "packets", b.received().Packets, 30)
}

// translator is a NAT between a and b: what a sends comes to b from a port of its own,
// and b's answers to that go to a. It can take another port.
type translator struct {
	t              *testing.T
	inside         *net.UDPConn
	outside        *net.UDPConn
	a, b           netip.AddrPort
	outsideAddress string
}

func (n *translator) rebind() {
	if n.outside != nil {
		_ = n.outside.Close()
	}
	n.outside, _ = stranger(n.t, n.outsideAddress)
}

// pass carries what has come.
func (n *translator) pass() {
	buf := make([]byte, 2000)
	for _, way := range []struct {
		from, by *net.UDPConn
		to       netip.AddrPort
	}{{n.inside, n.outside, n.b}, {n.outside, n.inside, n.a}} {
		for {
			_ = way.from.SetReadDeadline(time.Now().Add(100 * time.Microsecond))
			size, err := way.from.Read(buf)
			if err != nil {
				break
			}
			_, err = way.by.WriteToUDPAddrPort(buf[:size], way.to)
			check(n.t, err)
		}
	}
}

// Silence of both ways is well below the second after which a peer counts as silent. The
// graphs run in real time: 2.5 s, in the middle of which the port changes twice.
func TestANewPortOfATranslatorCostsLessThanASecondOfSound(t *testing.T) {
	a, b := open(t, "127.0.0.31:0"), open(t, "127.0.0.32:0")
	nat := &translator{t: t, a: a.e.LocalAddr(), b: b.e.LocalAddr(), outsideAddress: "127.0.0.40:0"}
	nat.inside, _ = stranger(t, "127.0.0.41:0")
	nat.rebind()
	send := func(n *end, ssrc uint32, to net.Addr) {
		check(t, n.e.StartSender(stream.SendPlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), PacketFrames: period, SSRC: ssrc, To: to.(*net.UDPAddr).AddrPort()}))
	}
	send(a, 1, nat.inside.LocalAddr())
	check(t, a.e.StartReceiver(stream.ReceivePlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), SSRC: 2, From: netip.MustParseAddr("127.0.0.41")}))
	check(t, b.e.StartReceiver(stream.ReceivePlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), SSRC: 1, From: netip.MustParseAddr("127.0.0.40")}))
	send(b, 2, nat.outside.LocalAddr())
	source := nat.outside.LocalAddr().(*net.UDPAddr).AddrPort()
	var silentA, silentB time.Duration
	var heard [2]struct {
		packets uint64
		at      time.Time
	}
	heard[0].at, heard[1].at = time.Now(), time.Now()
	begin, last, stall := time.Now(), time.Now(), time.Duration(0) // stall: of this machine
	for changes := 0; time.Since(begin) < 2500*time.Millisecond; time.Sleep(time.Millisecond) {
		if at := time.Since(begin); changes < 2 && at > time.Duration(changes+1)*800*time.Millisecond {
			nat.rebind()
			changes++
		}
		stall, last = max(stall, time.Since(last)), time.Now()
		a.play()
		a.capture(0.25)
		b.play()
		b.capture(0.5)
		nat.pass()
		if now := b.e.MediaSource(); now.IsValid() && now != source { // as the session does
			source = now
			send(b, 2, net.UDPAddrFromAddrPort(now))
		}
		for i, n := range []*end{a, b} {
			if packets := n.received().Packets; packets != heard[i].packets {
				silent := []*time.Duration{&silentA, &silentB}[i]
				*silent = max(*silent, time.Since(heard[i].at))
				heard[i].packets, heard[i].at = packets, time.Now()
			}
		}
	}
	if source != nat.outside.LocalAddr().(*net.UDPAddr).AddrPort() {
		t.Errorf("media source %v, want %v", source, nat.outside.LocalAddr())
	}
	t.Logf("silence: %v inside, %v outside", silentA, silentB)
	for _, silent := range []time.Duration{silentA, silentB, time.Since(heard[0].at), time.Since(heard[1].at)} {
		if silent > 900*time.Millisecond+stall {
			t.Errorf("silent for %v", silent)
		}
	}
}
