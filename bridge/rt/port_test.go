package rt

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"archibald-bridge/bridge/stream"
)

// What translates addresses on the way may give another port at any time. The old one
// is dead then: the new one is followed as soon as that can be known, and nobody
// takes a stream over that goes on.
func TestAnotherPortOfThePeerIsFollowedOnceTheOneBeforeIsQuiet(t *testing.T) {
	const millisecond = int64(1e6)
	first, second := netip.MustParseAddrPort("192.0.2.7:4713"), netip.MustParseAddrPort("192.0.2.7:61000")
	third, elsewhere := netip.MustParseAddrPort("192.0.2.7:61001"), netip.MustParseAddrPort("192.0.2.8:4713")
	type packet struct {
		from netip.AddrPort
		ms   int64
		ssrc uint32
	}
	for name, test := range map[string]struct {
		packets        []packet
		want           netip.AddrPort
		taken, refused uint64
	}{
		"it is quiet":                 {[]packet{{first, 0, 7}, {second, 200, 7}, {second, 205, 7}}, second, 3, 0},
		"not yet":                     {[]packet{{first, 0, 7}, {second, 199, 7}, {first, 205, 7}}, first, 2, 1},
		"both speak":                  {[]packet{{first, 0, 7}, {second, 100, 7}, {first, 150, 7}, {second, 300, 7}}, first, 2, 2},
		"another once more":           {[]packet{{first, 0, 7}, {second, 200, 7}, {third, 400, 7}}, third, 3, 0},
		"back to the first":           {[]packet{{first, 0, 7}, {second, 200, 7}, {first, 300, 7}, {first, 400, 7}}, first, 3, 1},
		"another machine":             {[]packet{{first, 0, 7}, {elsewhere, 5000, 7}}, first, 1, 1},
		"another stream":              {[]packet{{first, 0, 7}, {second, 5000, 8}}, first, 1, 0},
		"the old one, another stream": {[]packet{{first, 0, 7}, {first, 150, 8}, {second, 200, 7}}, second, 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := NewVirtual(48000)
			check(t, err)
			t.Cleanup(v.Close)
			check(t, v.StartReceiver(stream.ReceivePlan{Format: stream.Format{Encoding: stream.L16, RateHz: 48000, Channels: 1}, PayloadType: payloadType(stream.L16), SSRC: 7}))
			for i, p := range test.packets {
				data := append(rtpHeader(96, uint16(i), uint32(p.ms*48), p.ssrc), make([]byte, 96)...)
				v.ReceiveFrom(data, p.from, 1e9+p.ms*millisecond)
			}
			r := v.Counters().Received
			wantCount(t, "taken", r.Packets, test.taken)
			wantCount(t, "wrong source", r.WrongSource, test.refused)
			if got := v.MediaSource(); got != test.want {
				t.Errorf("media source %v, want %v", got, test.want)
			}
			if test.refused > 0 && !r.SeenSource.IsValid() {
				t.Error("nobody knows who was refused")
			}
		})
	}
}

func TestThePayloadTypeThatComesInsteadIsTold(t *testing.T) {
	v, err := NewVirtual(48000)
	check(t, err)
	t.Cleanup(v.Close)
	check(t, v.StartReceiver(stream.ReceivePlan{Format: stream.Format{Encoding: stream.L24, RateHz: 48000, Channels: 1}, PayloadType: 97}))
	data := append(rtpHeader(98, 1, 0, 7), make([]byte, 96)...)
	v.Receive(data, 1e9)
	binary.BigEndian.PutUint16(data, 0x80<<8|0x80|100) // with the marker
	v.Receive(data, 1e9)
	r := v.Counters().Received
	wantCount(t, "wrong payload", r.WrongPayload, 2)
	wantCount(t, "seen", uint64(r.SeenPayloadType), 100)
}
