package codec

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/stream"
)

// graph is what the core has for a sender.
type graph struct {
	cycles []stream.Cycle
	sent   []string
}

func (g *graph) TakeCycle(into *stream.Cycle) bool {
	if len(g.cycles) == 0 {
		return false
	}
	*into = g.cycles[0]
	g.cycles = g.cycles[1:]
	return true
}

func (g *graph) SendCoded(p stream.CodedPacket) {
	g.sent = append(g.sent, fmt.Sprintf("%d: %s of %d late %d", p.Timestamp, p.Payload, p.Cycle.Media, p.SendDelayNs))
}

// cycle makes one whose samples are their media time.
func cycle(media int64, frames, channels int) stream.Cycle {
	c := stream.Cycle{Media: media, Timestamp: uint32(media) + 5000, TimeNs: 100, SendDelayNs: 7, Frames: frames}
	for i := range frames * channels {
		c.Samples = append(c.Samples, float32(media+int64(i/channels)))
	}
	return c
}

// All leave 57 ns after their cycle began, plus what the cycle has after their end.
func TestPacketsAreMadeOfCycles(t *testing.T) {
	for _, c := range []struct {
		name     string
		channels int
		cycles   []stream.Cycle
		want     string
	}{
		{"shorter than a packet", 1, []stream.Cycle{cycle(0, 64, 1), cycle(64, 64, 1)}, "5000: 0+120 of 64 late 166723"},
		{"longer", 2, []stream.Cycle{cycle(0, 256, 2)}, "5000: 0+240 of 0 late 2833390, 5120: 120+240 of 0 late 333390"},
		{"the rest is kept", 1, []stream.Cycle{cycle(0, 256, 1), cycle(256, 104, 1)}, "5000: 0+120 of 0 late 2833390, 5120: 120+120 of 0 late 333390, 5240: 240+120 of 256 late 57"},
		{"lost graph time", 1, []stream.Cycle{cycle(0, 100, 1), cycle(300, 120, 1)}, "5300: 300+120 of 300 late 57"},
		{"the encoder refuses", 1, []stream.Cycle{cycle(-500, 120, 1), cycle(-380, 620, 1)}, "5100: 100+120 of -380 late 416723"},
		{"timestamps wrap", 1, []stream.Cycle{{Media: 1, Timestamp: 1<<32 - 60, SendDelayNs: -1, Frames: 240, Samples: make([]float32, 240)}},
			"4294967236: 0+120 of 1 late -1, 60: 0+120 of 1 late -1"},
	} {
		g := &graph{cycles: c.cycles}
		s := NewSender(g, fakeEncoder{}, c.channels, 120, func() int64 { return 150 })
		s.Work()
		if got := strings.Join(g.sent, ", "); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestAWorkerEndsWhenItIsTold(t *testing.T) {
	worked := make(chan struct{}, 1)
	w := Start(func() {
		select {
		case worked <- struct{}{}:
		default:
		}
	})
	select {
	case <-worked:
	case <-time.After(10 * time.Second):
		t.Fatal("it does not work")
	}
	w.Stop()
	select {
	case <-worked: // the last one
	default:
	}
	time.Sleep(5 * Interval)
	if len(worked) != 0 {
		t.Error("it worked after its end")
	}
	(*Worker)(nil).Stop()
}
