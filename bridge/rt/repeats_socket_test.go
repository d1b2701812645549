package rt_test

import (
	"bytes"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/pion/rtp"

	"archibald-bridge/bridge/stream"
)

// On a real socket: every copy goes out, and neither end takes them for anything
// but one packet.
func TestRepeatsCountAsOnePacketAtBothEnds(t *testing.T) {
	for _, repeats := range []stream.Repeats{{}, {Copies: 1}, {Copies: 2}, {Copies: 2, DistanceFrames: 3 * period}} {
		t.Run(fmt.Sprint(repeats), func(t *testing.T) {
			a, b := open(t, "127.0.0.31:0"), open(t, "127.0.0.32:0")
			check(t, a.e.StartSender(stream.SendPlan{
				Format: stereo, PayloadType: payloadType(stereo.Encoding), PacketFrames: period, SSRC: 1, To: b.e.LocalAddr(), Repeats: repeats, SendDelay: true}))
			check(t, b.e.StartReceiver(stream.ReceivePlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), SSRC: 1, Repeats: repeats, SendDelay: true}))
			late := 0
			for range 700 {
				a.play()
				a.capture(0.25)
				b.play()
				for _, o := range b.observe() {
					if o.Kind == stream.KindPacket && o.SendDelayNs >= 0 {
						late++
					}
				}
			}
			r, s := b.received(), a.e.Counters().Sent
			wantCount(t, "packets sent", s.Packets, 700)
			wantCount(t, "bytes sent", s.Bytes, 700*period*8)
			wantCount(t, "send errors", s.SendErrors, 0)
			wantCount(t, "packets received", r.Packets, 700)
			wantCount(t, "bytes received", r.Bytes, s.Bytes)
			wantCount(t, "duplicate", r.Duplicate, 0)
			wantCount(t, "recovered", r.Recovered, 0)
			wantCount(t, "lost", r.Lost, 0)
			if late < 699 {
				t.Errorf("%d packets said how late they left", late)
			}
		})
	}
}

func TestRepeatsOnTheWire(t *testing.T) {
	a := open(t, "127.0.0.31:0")
	wire, _ := stranger(t, "127.0.0.35:0")
	to := wire.LocalAddr().(*net.UDPAddr).AddrPort()
	check(t, a.e.StartSender(stream.SendPlan{
		Format: stereo, PayloadType: payloadType(stereo.Encoding), PacketFrames: period / 2, SSRC: 1, To: to, Repeats: stream.Repeats{Copies: 1, DistanceFrames: period}}))
	for range 3 {
		a.play()
		a.capture(0.5)
	}
	var got [][]byte
	buf := make([]byte, 1500)
	for range 10 { // 2, then 2 and 2 again, twice
		check(t, wire.SetReadDeadline(time.Now().Add(5*time.Second)))
		n, err := wire.Read(buf)
		check(t, err)
		got = append(got, bytes.Clone(buf[:n]))
	}
	var first rtp.Packet
	check(t, first.Unmarshal(got[0]))
	for i, want := range []uint16{0, 1, 2, 3, 0, 1, 4, 5, 2, 3} {
		var p rtp.Packet
		check(t, p.Unmarshal(got[i]))
		if p.SequenceNumber != first.SequenceNumber+want || p.Extension {
			t.Errorf("datagram %d: sequence number %d after %d, extension %v", i, p.SequenceNumber, first.SequenceNumber, p.Extension)
		}
	}
	if !bytes.Equal(got[4], got[0]) || !bytes.Equal(got[9], got[3]) {
		t.Error("a repeat differs from its packet")
	}
}
