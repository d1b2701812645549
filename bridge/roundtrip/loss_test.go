package roundtrip

import (
	"bytes"
	"strings"
	"testing"
)

const (
	blamesServer = "the JACK server lost"
	blamesSound  = "most are damaged: the path adds other sound"
)

// What the server lost by itself is named, and before anything else is blamed.
func TestTimeThatTheServerLostIsNamedBeforeThePathIsBlamed(t *testing.T) {
	for name, test := range map[string]struct {
		loss               loss
		damaged, of        int
		server, otherSound bool
	}{
		"nothing wrong":                       {loss{}, 0, 100, false, false},
		"an echo":                             {loss{}, 100, 100, false, true},
		"clocks apart, late wake-ups":         {loss{ServerLostMs: 7}, 100, 100, false, true},
		"xruns":                               {loss{ServerXruns: 25, ServerLostMs: 40}, 60, 100, true, false},
		"time without an xrun":                {loss{ServerLostMs: 3000}, 60, 100, true, false},
		"xruns that damaged nothing":          {loss{ServerXruns: 1}, 0, 100, true, false},
		"an echo, and an xrun on top of that": {loss{ServerXruns: 1, ServerLostMs: 3}, 100, 100, true, true},
	} {
		r := Report{RateHz: rateHz, PeriodFrames: 64, Seconds: 4, loss: test.loss}
		frames := make([]float64, test.of)
		for i := range frames {
			frames[i] = 100
			if i < test.damaged {
				frames[i] = -100
			}
		}
		r.judge(readingsOf(frames...))
		var text bytes.Buffer
		if err := r.WriteText(&text); err != nil {
			t.Fatal(err)
		}
		server, sound := strings.Index(text.String(), blamesServer), strings.Index(text.String(), blamesSound)
		if server >= 0 != test.server || sound >= 0 != test.otherSound {
			t.Errorf("%s: blames the server %v, other sound %v\n%s", name, server >= 0, sound >= 0, &text)
		}
		if windows := strings.Index(text.String(), "windows"); server > windows {
			t.Errorf("%s: the server comes after what it broke", name)
		}
	}
}

func TestSoundThatDoesNotComeBackFromAServerThatLosesTimeIsFirstItsFault(t *testing.T) {
	for name, change := range map[string]func(*fakeGraph){
		"xruns":                func(g *fakeGraph) { g.xruns = 20 },
		"time without an xrun": func(g *fakeGraph) { g.lost = 0.2 },
	} {
		g := newGraph(t)
		g.path.alter = func(int, float64) float64 { return 0 }
		change(g)
		_, err := g.run(bridged)
		if err == nil {
			t.Fatal("the sound came back")
		}
		server, link := strings.Index(err.Error(), blamesServer), strings.Index(err.Error(), "pw-link")
		if server < 0 || link < server {
			t.Errorf("%s: %v", name, err)
		}
	}
}
