package recording

import (
	"os"
	"path/filepath"
	"testing"

	"archibald-bridge/testbed/wav"
)

// threeCycles has cycles of 100, 50 and 100 frames at 1000 Hz: 1 ms a frame.
func threeCycles() *Recording {
	return &Recording{
		RateHz: 1000,
		Xruns:  2,
		Sound:  wav.Audio{RateHz: 1000, Channels: [][]float32{make([]float32, 250), make([]float32, 250)}},
		Cycles: []Cycle{
			{FrameTime: 0xFFFFFFF0, MonotonicNs: 5e9, Frames: 100},
			{FrameTime: 0xFFFFFFF0 + 100 - 1<<32, MonotonicNs: 5.1e9, Frames: 50},
			{FrameTime: 0xFFFFFFF0 + 250 - 1<<32, MonotonicNs: 5.25e9, Frames: 100, LostFrames: 7},
		},
	}
}

func roundTrip(t *testing.T, r *Recording) *Recording {
	t.Helper()
	prefix := filepath.Join(t.TempDir(), "r")
	if err := r.Write(prefix); err != nil {
		t.Fatal(err)
	}
	got, err := Read(prefix)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestARecordingComesBack(t *testing.T) {
	want := threeCycles()
	want.Sound.Channels[1][249] = 0.3
	got := roundTrip(t, want)
	if got.Xruns != 2 || len(got.Cycles) != 3 || got.Cycles[2] != want.Cycles[2] || got.Sound.Channels[1][249] != 0.3 {
		t.Errorf("got %+v", got)
	}
}

func TestAProbeWithoutInputsLeavesItsCycles(t *testing.T) {
	r := threeCycles()
	r.Sound.Channels = nil
	if got := roundTrip(t, r); len(got.Cycles) != 3 || got.Sound.Frames() != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestTimesOfFrames(t *testing.T) {
	r := roundTrip(t, threeCycles())
	for frame, want := range map[int]int64{0: 5e9, 99: 5.099e9, 100: 5.1e9, 149: 5.149e9, 150: 5.25e9, 249: 5.349e9} {
		if got, ok := r.TimeAt(frame); !ok || got != want {
			t.Errorf("frame %d at %d (%v), want %d", frame, got, ok, want)
		}
	}
	for _, frame := range []int{-1, 250, 1 << 30} {
		if ns, ok := r.TimeAt(frame); ok {
			t.Errorf("frame %d lies outside but has the time %d", frame, ns)
		}
	}
}

func TestMissedCyclesAndLostTimeAddUp(t *testing.T) {
	losses := roundTrip(t, threeCycles()).Losses()
	want := Loss{Frame: 150, MonotonicNs: 5.25e9, LostFrames: 100 + 7}
	if len(losses) != 1 || losses[0] != want {
		t.Errorf("got %+v, want %+v", losses, want)
	}
}

func TestSoundAndCyclesMustAgree(t *testing.T) {
	r := threeCycles()
	r.Cycles = r.Cycles[:2]
	prefix := filepath.Join(t.TempDir(), "r")
	if err := r.Write(prefix); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(prefix); err == nil {
		t.Error("250 frames of sound with 150 in the cycles were accepted")
	}
}

func TestDamagedFilesAreErrors(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "r")
	if _, err := Read(prefix); err == nil {
		t.Error("no error without files")
	}
	if err := os.WriteFile(prefix+".json", []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(prefix); err == nil {
		t.Error("no error with half a JSON file")
	}
}

func TestARecordingIsCutWhereACycleBegan(t *testing.T) {
	for _, c := range []struct {
		ns             int64
		cycles, frames int
	}{{6e9, 3, 250}, {5.25e9 + 1, 3, 250}, {5.25e9, 2, 150}, {5.1e9 + 1, 2, 150}, {5e9, 0, 0}} {
		r := roundTrip(t, threeCycles())
		r.CutAt(c.ns)
		if len(r.Cycles) != c.cycles || r.Sound.Frames() != c.frames {
			t.Errorf("cut at %d: %d cycles and %d frames, want %d and %d", c.ns, len(r.Cycles), r.Sound.Frames(), c.cycles, c.frames)
		}
		if _, ok := r.TimeAt(c.frames); ok {
			t.Errorf("cut at %d: frame %d has a time", c.ns, c.frames)
		}
		if c.cycles > 0 && r.EndNs() != r.Cycles[c.cycles-1].MonotonicNs {
			t.Errorf("cut at %d: ends at %d", c.ns, r.EndNs())
		}
	}
}
