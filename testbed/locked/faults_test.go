package locked

import (
	"testing"

	"archibald-bridge/proto"
	"archibald-bridge/testbed/endtoend"
)

// The guest leads, and its periods are of 256 frames.
func TestWhatIsHeardIsExcusedByItsOwnMissesOnly(t *testing.T) {
	for _, c := range []struct {
		name string
		trip endtoend.RoundTrip
		by   misses
		want int // faults
	}{
		{"nothing is wrong", endtoend.RoundTrip{Frames: 1000, Equal: 1000, Took: map[int]int{256: 1000}}, nil, 0},
		{"one answer was missing", endtoend.RoundTrip{Frames: 1000, Equal: 680, Breaks: 1}, misses{"guest: unanswered": 1}, 0},
		{"a frame more than that", endtoend.RoundTrip{Frames: 1000, Equal: 679, Breaks: 1}, misses{"guest: unanswered": 1}, 1},
		{"a cycle that the follower skipped is the answer that is missing", endtoend.RoundTrip{Frames: 1000, Equal: 360, Breaks: 2},
			misses{"guest: unanswered": 1, "host: lost time": 1, "host: xruns": 1}, 1},
		{"a break that is not counted", endtoend.RoundTrip{Frames: 1000, Equal: 999, Breaks: 1}, nil, 1},
		{"what was under way came late", endtoend.RoundTrip{Took: map[int]int{256: 1000, 300: 256}}, misses{"guest: lost time": 1, "guest: xruns": 1}, 0},
		{"more than that came late", endtoend.RoundTrip{Took: map[int]int{256: 1000, 300: 257}}, misses{"guest: lost time": 1, "guest: xruns": 1}, 1},
		{"by several delays, each of them excused", endtoend.RoundTrip{Took: map[int]int{300: 200, 400: 200}}, misses{"guest: lost time": 1, "guest: xruns": 1}, 1},
		{"the follower's lost time delays nothing", endtoend.RoundTrip{Took: map[int]int{300: 1}}, misses{"host: lost time": 1}, 1},
	} {
		if found := faults(c.trip, c.by, proto.Guest, 256, 256); len(found) != c.want {
			t.Errorf("%s: %q, want %d", c.name, found, c.want)
		}
	}
}
