package signal

import (
	"math"
	"testing"
	"time"

	"archibald-bridge/testbed/recording"
	"archibald-bridge/testbed/stalls"
)

func at(ms float64) TimedGap {
	return TimedGap{TimeNs: int64(ms * 1e6), Known: true}
}

func TestGapsAreExcusedOnlyByAWitnessWithinTheBuffer(t *testing.T) {
	witnesses := []TimedGap{at(1000)}
	const buffer, margin = 10 * time.Millisecond, 2 * time.Millisecond
	for ms, ours := range map[float64]bool{
		900:  true,
		997:  true,  // before the server failed
		998:  false, // within the margin
		1000: false,
		1005: false, // the damage crossed the buffer
		1012: false,
		1013: true, // too late to come from there
	} {
		got := Attribute([]TimedGap{at(ms)}, witnesses, buffer, margin)
		if len(got) != 1 || got[0].Ours != ours {
			t.Errorf("gap at %g ms: %+v, want ours %v", ms, got, ours)
		}
		if !ours && got[0].Witness != witnesses[0] {
			t.Errorf("gap at %g ms names the witness %+v", ms, got[0].Witness)
		}
	}
}

func TestAStallOrWhatOnlyTheBridgeWasToldExplainsAGapThatStaysOurs(t *testing.T) {
	stalled, told := at(1000), at(2000)
	stalled.Stalled, told.Told = true, true
	const buffer, margin = 10 * time.Millisecond, 2 * time.Millisecond
	for ms, want := range map[float64]Attributed{
		1005: {Ours: true, Stalled: true},
		1500: {Ours: true},
		2005: {Ours: true, Told: true},
	} {
		got := Attribute([]TimedGap{at(ms)}, []TimedGap{stalled, told}, buffer, margin)[0]
		if got.Ours != want.Ours || got.Stalled != want.Stalled || got.Told != want.Told || got.Unexplained() != (ms == 1500) {
			t.Errorf("gap at %g ms: %+v", ms, got)
		}
	}
	if got := Attribute([]TimedGap{at(0)}, []TimedGap{at(0), stalled, told}, time.Hour, time.Hour)[0]; got.Ours || got.Stalled || got.Told {
		t.Errorf("with a witness: %+v", got)
	}
}

func TestUnknownIsOurs(t *testing.T) {
	unknown := TimedGap{}
	if got := Attribute([]TimedGap{unknown}, []TimedGap{at(0)}, time.Second, time.Second); !got[0].Ours {
		t.Error("a gap without a time was excused")
	}
	if got := Attribute([]TimedGap{at(0)}, []TimedGap{unknown}, time.Second, time.Second); !got[0].Ours {
		t.Error("a witness without a time excused a gap")
	}
	if got := Attribute([]TimedGap{at(5)}, nil, time.Second, time.Second); !got[0].Ours {
		t.Error("a gap without witnesses was excused")
	}
}

func TestTimesComeFromTheRecording(t *testing.T) {
	timeAt := func(frame int) (int64, bool) { return int64(frame) * 100, frame < 50 }
	got := Timed([]Gap{{StartFrame: 7}, {StartFrame: 50}}, timeAt)
	if !got[0].Known || got[0].TimeNs != 700 || got[1].Known {
		t.Errorf("got %+v", got)
	}
}

func TestAServersLostTimeIsAWitness(t *testing.T) {
	witnesses := Lost([]recording.Loss{{Frame: 480, MonotonicNs: 1e9, LostFrames: 77}})
	if len(witnesses) != 1 || !witnesses[0].Known || witnesses[0].SizeFrames != 77 {
		t.Fatalf("got %+v", witnesses)
	}
	if got := Attribute([]TimedGap{at(1003)}, witnesses, 0, 5*time.Millisecond); got[0].Ours {
		t.Errorf("3 ms after the server lost time: %+v", got)
	}
}

func TestAStallExcusesNothingButTellsWhy(t *testing.T) {
	stalled := Stalled([]stalls.Stall{{TimeNs: 1000e6, Length: time.Millisecond}, {TimeNs: 2000e6, Length: time.Microsecond}}, 96, 48000)
	failed := TimedGap{TimeNs: 1001e6, Known: true}
	got := Attribute([]TimedGap{{TimeNs: 1002e6, Known: true}, {TimeNs: 2000e6, Known: true}}, stalled, 0, 5*time.Millisecond)
	if !got[0].Ours || !got[0].Stalled || !got[1].Ours || got[1].Stalled {
		t.Errorf("at a stall of 1 ms %+v, of 1 us %+v", got[0], got[1])
	}
	got = Attribute([]TimedGap{{TimeNs: 1002e6, Known: true}}, append(stalled, failed, TimedGap{TimeNs: 1003e6, Known: true}), 0, 5*time.Millisecond)
	if got[0].Ours || got[0].Stalled || got[0].Witness != failed {
		t.Errorf("with a failure, too: %+v", got[0])
	}
}

func TestTheShareInWhichAGapCountsAsStalled(t *testing.T) {
	at := func(ms ...int64) (witnesses []TimedGap) {
		for _, m := range ms {
			witnesses = append(witnesses, TimedGap{TimeNs: m * 1e6, Known: true, Stalled: true})
		}
		return witnesses
	}
	for _, c := range []struct {
		witnesses []TimedGap
		want      float64
	}{
		{nil, 0},
		{at(500), 0.120},
		{at(550, 500), 0.170},       // they overlap, in whatever order
		{at(0, 990), 0.070 + 0.060}, // cut off at both ends
		{at(-1000, 5000), 0},        // elsewhere
		{append(at(500), TimedGap{TimeNs: 800e6, Known: true}), 0.120}, // no stall
	} {
		if got := StalledShare(c.witnesses, 20*time.Millisecond, 50*time.Millisecond, 0, 1e9); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%v: %.3f, want %.3f", c.witnesses, got, c.want)
		}
	}
}
