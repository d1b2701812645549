package session

import (
	"net/netip"
	"strings"
	"testing"

	"archibald-bridge/proto"
)

// A peer may be anything: what it does as often as it likes must not fill the log.
func TestAPeerThatIsNeverTheSameForLongDoesNotFillTheLog(t *testing.T) {
	const often = 2 * tick
	port := func(n int) netip.AddrPort { return netip.AddrPortFrom(peerAddr.Addr(), uint16(40000+n)) }
	for name, turn := range map[string]func(v *virtual, n int){
		"its media come from another port": func(v *virtual, n int) { v.core.source = port(n) },
		"its reports do, without media": func(v *virtual, n int) {
			v.core.packets, v.core.source = false, netip.AddrPort{}
			v.peerSays(proto.Report{SSRC: peerSSRC})
			v.core.rtcpIn[0].addr = port(n)
		},
		"its graph leaves real time and comes back": func(v *virtual, n int) {
			v.core.source = peerAddr
			v.peerSays(proto.Report{SSRC: peerSSRC, Paused: n%2 == 0})
		},
		"it is silent, and is not": func(v *virtual, n int) { v.core.packets = n/60%2 == 0 },
		"it says goodbye and calls": func(v *virtual, n int) {
			v.peerSays(proto.Report{SSRC: peerSSRC, Bye: true})
			v.pass(tick)
			v.up(agreed(string(rune('a' + n%26))))
		},
	} {
		v := playing(t)
		for n := 0; v.time.ns < 1060e9; n++ {
			turn(v, n)
			v.pass(often)
		}
		if lines := strings.Count(v.log.text.String(), "\n"); lines > 5*fewPerMinute {
			t.Errorf("%s: %d lines in a minute, the first of them\n%.2000s", name, lines, v.log.text.String())
		}
	}
}
