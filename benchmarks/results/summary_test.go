package results

import (
	"math"
	"slices"
	"testing"
)

// a is a run of one minute.
func a(system, setting string, roundTrips []float64, caused int) Run {
	return Run{
		System: system, Servers: "jackd+jackd", Setting: setting, PeriodFrames: 64, RateHz: 48000, Channels: 2,
		Seconds: 60, SoundShare: 1, Gaps: caused, CausedGaps: caused, RoundTripFrames: roundTrips,
	}
}

func one(t *testing.T, runs ...Run) Summary {
	t.Helper()
	all := Summarise(runs)
	if len(all) != 1 {
		t.Fatalf("%d summaries, want 1", len(all))
	}
	return all[0]
}

func TestTheMedianOverRepeatsIsOfTheirMedians(t *testing.T) {
	// All readings together have the median 100: the long repeat's.
	s := one(t,
		a(Ours, "x", []float64{100, 100, 100, 100, 100, 100, 100}, 0),
		a(Ours, "x", []float64{190, 192, 600}, 0),
		a(Ours, "x", []float64{200, 202}, 0),
	)
	if want := (Spread{192, 100, 201}); s.RoundTripFrames != want || s.Repeats != 3 || s.Heard != 3 {
		t.Errorf("%+v of %d repeats, want %+v of 3", s.RoundTripFrames, s.Repeats, want)
	}
}

func TestGapsArePerMinuteAndPerCycle(t *testing.T) {
	short := a(Ours, "x", nil, 5)
	short.Seconds = 30
	s := one(t, short, a(Ours, "x", nil, 1))
	if s.CausedGapsPerMinute != 4 || s.CausedGaps != 6 || s.Minutes != 1.5 {
		t.Errorf("%v a minute, want 6 in 1.5 minutes: 4", s.CausedGapsPerMinute)
	}
	if want := 6.0 / (90 * 750) * 1e4; math.Abs(s.CausedPer10000-want) > 1e-9 {
		t.Errorf("%v in 10,000 cycles, want %v", s.CausedPer10000, want)
	}
}

func TestWhatFailedIsCountedAndNotAveraged(t *testing.T) {
	bad := a(Ours, "x", []float64{9999}, 77)
	bad.Error, bad.SoundShare = "no server", 0
	s := one(t, bad, a(Ours, "x", []float64{190}, 0), bad)
	if s.Repeats != 1 || s.Failed != 2 || s.RoundTripFrames.Most != 190 || s.CausedGaps != 0 || s.SoundShare.Least != 1 || s.Minutes != 1 {
		t.Errorf("%+v", s)
	}
	if !slices.Equal(s.Errors, []string{"no server"}) {
		t.Errorf("errors %q, want each once", s.Errors)
	}
}

func TestOnlyFailuresAreNoNumbers(t *testing.T) {
	bad := a("jacktrip", "x", nil, 0)
	bad.Error, bad.Seconds = "no server", 0
	s := one(t, bad)
	if s.Heard != 0 || s.CausedGapsPerMinute != 0 || math.IsNaN(s.CausedPer10000) || math.IsNaN(s.CPUPercent) {
		t.Errorf("%+v", s)
	}
}

func TestTheWorstSoundShareIsKept(t *testing.T) {
	var runs []Run
	for _, share := range []float64{1, .04, .99} {
		r := a("zita-njbridge", "x", nil, 0)
		r.SoundShare = share
		runs = append(runs, r)
	}
	if s := one(t, runs...); s.SoundShare != (Spread{.99, .04, 1}) {
		t.Errorf("%+v", s.SoundShare)
	}
}

func TestSummariesAreInAnOrderThatReads(t *testing.T) {
	small := a(Ours, "50frames", nil, 0)
	small.PeriodFrames = 32
	var got []string
	for _, s := range Summarise([]Run{
		small, a(Control, "none", nil, 0), a("zita-njbridge", "--buff 10", nil, 0), a("zita-njbridge", "--buff 2", nil, 0),
		a(Ours, "auto", nil, 0), a(Ours, "112frames", nil, 0), a(Ours, "96frames", nil, 0), a("jacktrip", "-q 2", nil, 0),
	}) {
		got = append(got, s.System+" "+s.Setting)
	}
	want := []string{
		Ours + " 96frames", Ours + " 112frames", Ours + " auto", "jacktrip -q 2",
		"zita-njbridge --buff 2", "zita-njbridge --buff 10", "control none", Ours + " 50frames",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant\n%q", got, want)
	}
}

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{4, 1}, 2.5}, {[]float64{9, 1, 2}, 2}} {
		if got := Median(test.values); got != test.want {
			t.Errorf("median of %v: %v, want %v", test.values, got, test.want)
		}
	}
}

func named(name, processor string, started ...string) Named {
	n := Named{Name: name, File: File{Machine: Machine{Processor: processor}}}
	for _, s := range started {
		r := a(Ours, "x", nil, 0)
		r.Started = s
		n.Runs = append(n.Runs, r)
	}
	return n
}

func TestFilesOfOneMachineAreMerged(t *testing.T) {
	sets := Merge([]Named{named("2030-01-02-b.json", "A", "2"), named("2030-01-01-a.json", "A", "1")})
	if len(sets) != 1 || len(sets[0].Runs) != 2 || sets[0].Runs[0].Started != "1" || sets[0].Files[1].Name != "2030-01-02-b.json" {
		t.Errorf("%+v", sets)
	}
}

func TestMachinesAreNotMixedAndTheNewestIsFirst(t *testing.T) {
	sets := Merge([]Named{named("2030-01-01.json", "A", "1"), named("2030-01-03.json", "B", "3"), named("2030-01-02.json", "A", "2")})
	if len(sets) != 2 || sets[0].Machine.Processor != "B" || len(sets[0].Runs) != 1 || len(sets[1].Runs) != 2 {
		t.Errorf("%+v", sets)
	}
}

func TestARunInTwoFilesCountsOnce(t *testing.T) {
	sets := Merge([]Named{named("1", "A", "1", "2"), named("2", "A", "2", "3")})
	if len(sets) != 1 || len(sets[0].Runs) != 3 {
		t.Errorf("%+v", sets)
	}
}
