package rt_test

import (
	"net/netip"
	"syscall"
	"testing"

	"archibald-bridge/bridge/stream"
)

// Where a datagram may not go (socket(7), SO_BROADCAST) the kernel says so.
func TestASendThatFailsIsCountedWithItsReason(t *testing.T) {
	n := open(t, "127.0.0.34:0")
	check(t, n.e.StartSender(stream.SendPlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), PacketFrames: period, SSRC: 1, To: netip.MustParseAddrPort("255.255.255.255:9")}))
	if e := n.e.Counters().Sent.SendErrno; e != 0 {
		t.Errorf("before anything was sent: %v", e)
	}
	for range 10 {
		n.play()
		n.capture(0.5)
	}
	s := n.e.Counters().Sent
	wantCount(t, "packets", s.Packets, 0)
	wantCount(t, "send errors", s.SendErrors, 10)
	if s.SendErrno != syscall.EACCES {
		t.Errorf("reason %v", s.SendErrno)
	}
}
