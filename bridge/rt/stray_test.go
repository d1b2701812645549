package rt_test

import (
	"bytes"
	"net"
	"net/netip"
	"testing"

	"github.com/pion/rtcp"

	"archibald-bridge/bridge/stream"
)

func TestTheKernelDropsWhatIsNotOurs(t *testing.T) {
	n := open(t, "127.0.0.34:0")
	check(t, n.e.StartReceiver(stream.ReceivePlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), SSRC: 5}))
	_, send := stranger(t, "127.0.0.35:0")
	report, other := reportOf(t, 5), reportOf(t, 9)
	description := bytes.Clone(report) // no compound packet begins with one
	description[1] = 202
	good := media(1, 5, 0)
	version1, payload96, ssrc6 := bytes.Clone(good), bytes.Clone(good), bytes.Clone(good)
	version1[0] = 0x40
	payload96[1] = 96
	ssrc6[11] = 6
	marked := media(2, 5, 0)
	marked[1] |= 0x80
	for _, datagram := range [][]byte{version1, payload96, ssrc6, {}, {0x80}, []byte("hello"), good[:11], good, other, description, report, marked} {
		send(n.e.LocalAddr(), datagram)
	}
	n.play()
	r := n.received()
	wantCount(t, "packets", r.Packets, 2)
	wantCount(t, "malformed", r.Malformed, 0)
	wantCount(t, "wrong payload", r.WrongPayload, 0)
	wantCount(t, "wrong SSRC", r.WrongSSRC, 0)
	wantCount(t, "dropped by the kernel", r.KernelDrops, 9)
	buf := make([]byte, 1500)
	if size, _, _, ok := n.e.ReadRTCP(buf); !ok || !bytes.Equal(buf[:size], report) {
		t.Errorf("RTCP did not come through: %v % x", ok, buf[:size])
	}
	if _, _, _, ok := n.e.ReadRTCP(buf); ok {
		t.Error("more RTCP than was sent")
	}
}

// reportOf is a receiver report.
func reportOf(t *testing.T, ssrc uint32) []byte {
	t.Helper()
	report, err := (&rtcp.ReceiverReport{SSRC: ssrc}).Marshal()
	check(t, err)
	return report
}

// With the peer's address known, and as the first source says.
func TestMediaFromElsewhereIsCountedAndDropped(t *testing.T) {
	for name, from := range map[string]netip.Addr{"known": netip.MustParseAddr("127.0.0.35"), "the first": {}} {
		t.Run(name, func(t *testing.T) {
			n := open(t, "127.0.0.34:0")
			ours, send := stranger(t, "127.0.0.35:0")
			ourAddress := ours.LocalAddr().(*net.UDPAddr).AddrPort()
			check(t, n.e.StartReceiver(stream.ReceivePlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), SSRC: 5, From: from}))
			if source := n.e.MediaSource(); source.IsValid() {
				t.Errorf("media source before any media: %v", source)
			}
			_, elsewhere := stranger(t, "127.0.0.36:0")
			_, otherPort := stranger(t, "127.0.0.35:0")
			for i := range uint16(10) {
				send(n.e.LocalAddr(), media(i, 5, 0.5))
				elsewhere(n.e.LocalAddr(), media(i, 5, -0.5))
				otherPort(n.e.LocalAddr(), media(i, 5, -0.5))
			}
			for range 5 {
				n.play()
			}
			r := n.received()
			wantCount(t, "packets", r.Packets, 10)
			wantCount(t, "wrong source, or not even read", r.WrongSource+r.KernelDrops, 20)
			if from.IsValid() {
				wantCount(t, "not even read", r.KernelDrops, 10)
			}
			wantCount(t, "duplicate", r.Duplicate, 0)
			if source := n.e.MediaSource(); source != ourAddress {
				t.Errorf("media source %v, want %v", source, ourAddress)
			}
			if r.SeenSource.Addr() != netip.MustParseAddr("127.0.0.36") && r.SeenSource.Addr() != ourAddress.Addr() {
				t.Errorf("refused %v", r.SeenSource)
			}
		})
	}
}

// A flood that passes the kernel's filter, as from a forged address: each cycle
// reads only its budget, and the stream goes on.
func TestAFloodDoesNotLengthenTheDrain(t *testing.T) {
	n := open(t, "127.0.0.34:0")
	check(t, n.e.StartReceiver(stream.ReceivePlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), SSRC: 5, From: netip.MustParseAddr("127.0.0.35")}))
	_, send := stranger(t, "127.0.0.35:0")
	_, flood := stranger(t, "127.0.0.35:0")
	small := media(1, 5, 0)[:21]
	const budget = 16
	sent, refused := 0, uint64(0)
	for sent < 100000 {
		for range 100 {
			flood(n.e.LocalAddr(), small)
			sent++
		}
		n.play()
		now := n.received().Malformed
		if now-refused > budget {
			t.Fatalf("a cycle read %d datagrams, its budget is %d", now-refused, budget)
		}
		refused = now
	}
	if refused != 1000*budget {
		t.Errorf("%d datagrams read in 1000 cycles", refused)
	}
	for before := uint64(0); refused != before; refused = n.received().Malformed { // until the socket is empty
		before = refused
		n.play()
	}
	for i := range uint16(10) {
		send(n.e.LocalAddr(), media(i, 5, 0.5))
		n.play()
	}
	wantCount(t, "packets", n.received().Packets, 10)
}

// What the filter stops costs no cycle anything.
func TestAFloodOfStrayDatagramsNeverReachesTheCycle(t *testing.T) {
	n := open(t, "127.0.0.34:0")
	check(t, n.e.StartReceiver(stream.ReceivePlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), SSRC: 5}))
	_, flood := stranger(t, "127.0.0.36:0")
	_, send := stranger(t, "127.0.0.35:0")
	stray := media(1, 6, 0)
	for i := range 100000 {
		flood(n.e.LocalAddr(), stray[:12+i%100])
		if i%1000 == 0 {
			send(n.e.LocalAddr(), media(uint16(i/1000), 5, 0.5))
			n.play()
		}
	}
	r := n.received()
	wantCount(t, "packets", r.Packets, 100)
	wantCount(t, "wrong SSRC", r.WrongSSRC, 0)
	wantCount(t, "lost", r.Lost, 0)
	wantCount(t, "dropped by the kernel", r.KernelDrops, 100000)
}

// Larger than a datagram of ours can be, with everything else right.
func TestAnOversizedDatagramIsMalformed(t *testing.T) {
	n := open(t, "127.0.0.34:0")
	check(t, n.e.StartReceiver(stream.ReceivePlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), SSRC: 5}))
	_, send := stranger(t, "127.0.0.35:0")
	big := append(media(1, 5, 1), make([]byte, 8*2000)...)
	send(n.e.LocalAddr(), big)
	send(n.e.LocalAddr(), media(1, 5, 1))
	n.play()
	wantCount(t, "malformed", n.received().Malformed, 1)
	wantCount(t, "packets", n.received().Packets, 1)
}

// RTCP cut short by our buffer would be parsed as if it were whole.
func TestOversizedRTCPIsNotHandedOn(t *testing.T) {
	n := open(t, "127.0.0.34:0")
	check(t, n.e.StartReceiver(stream.ReceivePlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), SSRC: 5}))
	_, send := stranger(t, "127.0.0.35:0")
	send(n.e.LocalAddr(), append([]byte{0x80, 201, 1, 0xf4, 0, 0, 0, 5}, make([]byte, 1996)...))
	n.play()
	if size, _, _, ok := n.e.ReadRTCP(make([]byte, 4000)); ok {
		t.Errorf("%d bytes of a datagram of 2004", size)
	}
	wantCount(t, "malformed", n.received().Malformed, 1)
}
