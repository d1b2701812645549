package jack

import (
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"archibald-bridge/testbed/jacktest"
)

// callback is one call of to-host's callback, in cycles counted from the last
// that came in its turn: what the server and from-host are at, and how old the
// server's newest cycle is.
type callback struct {
	server, played int
	ageFrames      uint32
}

func TestSoundKeepsTheCycleItWasMadeIn(t *testing.T) {
	const usual = 20 // a graph that takes 20 frames of each period
	for _, tt := range []struct {
		name  string
		calls []callback
		want  []int
	}{
		{"in its turn", []callback{{1, 1, usual}, {2, 2, usual + 3}, {3, 3, usual}}, []int{1, 2, 3}},
		{"the next cycle has just begun", []callback{{2, 1, 2}, {2, 2, usual}, {3, 3, usual}}, []int{1, 2, 3}},
		{"it begins between two readings", []callback{{2, 1, 62}, {2, 2, usual}, {3, 3, usual}}, []int{1, 2, 3}},
		{"from-host is in the next cycle already, the graph cannot be", []callback{{2, 2, usual - 6}, {2, 2, usual + 4}, {3, 3, usual}}, []int{1, 2, 3}},
		{"a cycle without a callback", []callback{{2, 2, usual + 1}, {3, 3, usual}}, []int{2, 3}},
		{"a callback too late, and once more", []callback{{2, 2, usual + 2}, {2, 2, usual + 4}, {3, 3, usual}}, []int{2, 2, 3}},
		{"two cycles without one", []callback{{3, 2, usual - 6}, {4, 4, usual}}, []int{3, 4}},
		{"twice in a short time", []callback{{2, 1, 2}, {2, 2, usual}, {4, 3, 2}, {4, 4, usual}}, []int{1, 2, 3, 4}},
		{"the cycle after it is missed as well", []callback{{2, 1, 2}, {3, 2, 2}, {4, 4, usual}}, []int{1, 3, 4}},
		{"from-host comes after us, and one is missed: wrong for one cycle", []callback{{1, 0, usual}, {3, 2, usual}, {4, 3, usual}, {5, 4, usual}}, []int{1, 2, 4, 5}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const frames = 64
			var cycles attribution
			at := uint64(1 << 33)
			for range 2100 { // longer than what is learnt takes
				cycles.take(at, at, usual, frames)
				at += frames
			}
			at -= frames
			var got []int
			for _, call := range tt.calls {
				frame := cycles.take(at+uint64(call.server*frames), at+uint64(call.played*frames), call.ageFrames, frames)
				got = append(got, int(int64(frame-at))/frames)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("cycles %v, want %v", got, tt.want)
			}
		})
	}
}

func TestUsualAgeIsLearntAndForgotten(t *testing.T) {
	const frames = 64
	var cycles attribution
	at := uint64(frames)
	run := func(count int, ageFrames uint32) {
		for range count {
			at += frames
			cycles.take(at, at, ageFrames, frames)
		}
	}
	// A callback at this age whose cycle is two after the one before; from-host is
	// in the same.
	corrects := func(ageFrames uint32) bool {
		at += 2 * frames
		corrected := cycles.take(at, at, ageFrames, frames) != at
		cycles.take(at, at, ageFrames, frames)
		return corrected
	}
	run(100, 20)
	if corrects(3) {
		t.Error("corrected before an age was known")
	}
	run(2100, 20)
	if !corrects(19) || corrects(20) {
		t.Error("a graph of 20 frames: 19 must be corrected, 20 must not")
	}
	run(1, 5)
	if corrects(5) || !corrects(4) {
		t.Error("a cycle of 5 frames must count at once")
	}
	run(2100, 30)
	if !corrects(29) {
		t.Error("the graph that took 5 frames is not forgotten")
	}
}

func TestFirstCyclesAreTheServers(t *testing.T) {
	var cycles attribution
	for _, server := range []uint64{0, 128, 192, 1 << 40} {
		if got := cycles.take(server, server, 0, 64); got != server {
			t.Errorf("server at %d: took %d", server, got)
		}
	}
}

// A server that stands still until most of a cycle is over begins the next one while
// the graph, which takes a quarter of a period, is at work on this one.
func TestSoundOfALateCycleKeepsItsTime(t *testing.T) {
	const frames, traps = 2048, 6
	const period = frames * time.Second / 48000
	jackd := jacktest.Start(t, frames)
	server, core := newServer(t, jackd.Name, nil)
	open(t, server, stereo)
	through, err := jacktest.OpenThrough(jackd.Name, "through")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(through.Close)
	through.Work(period / 4)
	jackd.Run("jack_connect", "archibald-from-host:out_1", "through:in")
	jackd.Run("jack_connect", "through:out", "archibald-to-host:in_1")
	runCycles(t, core, 100)
	from, _ := core.Captured()
	for range traps {
		_, played := core.Played()
		untilNs := played[len(played)-1].CycleNs + int64(9*period/10)
		time.Sleep(time.Duration(untilNs - monotonicNs(t)))
		jackd.Pause(period * 95 / 100)
		runCycles(t, core, 10)
	}

	_, played := core.Played()
	first := map[uint64]float32{}
	for _, cycle := range played {
		first[cycle.GraphFrame] = cycle.First[0]
	}
	count, captured := core.Captured()
	captured = captured[len(captured)-int(count-from):]
	soon, wrong := 0, 0
	for i, cycle := range captured[1:] {
		if cycle.NowNs-captured[i].NowNs < int64(period/2) {
			soon++
		}
		if sent, ok := first[cycle.GraphFrame]; ok && sent != cycle.First[0] {
			t.Logf("frame %d, played with %v, has the sound %v", cycle.GraphFrame, sent, cycle.First[0])
			wrong++
		}
	}
	// The machine may stand still, too.
	if soon < traps/2 || wrong > 1 {
		t.Errorf("of %d late cycles %d were followed at once by the next; of all %d, %d have another's sound", traps, soon, len(captured), wrong)
	}
}

func monotonicNs(t *testing.T) int64 {
	t.Helper()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		t.Fatal(err)
	}
	return now.Nano()
}
