package jack

import (
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/testbed/jacktest"
)

// freewheel lets the server run its graph as fast as it can, as Ardour does for an
// export, or takes that back.
func freewheel(t *testing.T, jackd *jacktest.Server, server *Server, on bool) {
	t.Helper()
	jackd.Run("jack_freewheel", map[bool]string{true: "y", false: "n"}[on])
	expectEvent(t, server, audio.Changed, 3*time.Second)
	if got := server.Graph(); got.Freewheels != on || got.PeriodFrames != 256 || got.RateHz != 48000 {
		t.Errorf("graph %+v, want freewheeling %v", got, on)
	}
}

func TestTheCoreHearsOfNoCycleThatIsNotInRealTime(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	server, core := newServer(t, jackd.Name, nil)
	open(t, server, stereo)
	for range 2 {
		runCycles(t, core, 50)
		freewheel(t, jackd, server, true)
		played, cycles := core.Played()
		if last := cycles[len(cycles)-1]; last.Frames != 0 {
			t.Errorf("the last call before has %d frames, want 0: the graph left real time", last.Frames)
		}
		captured, _ := core.Captured()
		time.Sleep(time.Second)
		if now, _ := core.Played(); now != played {
			t.Errorf("%d calls to play while freewheeling", now-played)
		}
		if now, _ := core.Captured(); now != captured {
			t.Errorf("%d calls to capture while freewheeling", now-captured)
		}
		freewheel(t, jackd, server, false)
		runCycles(t, core, 50)
		total, cycles := core.Played()
		left := 0
		for _, cycle := range cycles[len(cycles)-int(total-played)-1:] {
			if cycle.Frames == 0 {
				left++
			}
		}
		if left != 1 {
			t.Errorf("the core was told %d times that the graph left real time, want once", left)
		}
	}
}

func TestAServerThatDiesFreewheelingIsFoundAgainInRealTime(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	server, core := newServer(t, jackd.Name, nil)
	open(t, server, stereo)
	runCycles(t, core, 5)
	freewheel(t, jackd, server, true)
	jackd.Kill()
	expectEvent(t, server, audio.Lost, 2*time.Second)
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	jackd.Restart(256)
	if graph := open(t, server, stereo); graph.Freewheels {
		t.Errorf("graph %+v", graph)
	}
	runCycles(t, core, 50)
}
