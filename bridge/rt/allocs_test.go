package rt

import (
	"testing"

	"archibald-bridge/bridge/stream"
)

// What control does every few milliseconds leaves the garbage collector alone.
func TestControlDoesNotAllocate(t *testing.T) {
	p := newPlayer(t, 1, 32)
	p.delayTo(64)
	p.run(2000, p.regular)
	buf := make([]stream.Observation, 256)
	packet := make([]byte, 1500)
	for name, call := range map[string]func(){
		"Observe":  func() { p.v.Observe(buf[:8]) },
		"SetRatio": func() { p.v.SetRatio(1.0001) },
		"SeekTo":   func() { p.v.SeekTo(1) },
		"Mute":     func() { p.v.Mute() },
		"Idle":     func() { p.v.Idle(1) },
		"ReadRTCP": func() { p.v.ReadRTCP(packet) },
		"Advance":  func() { p.v.Advance(32, p.frame, p.nowNs()); p.frame += 32 },
	} {
		if n := testing.AllocsPerRun(100, call); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
