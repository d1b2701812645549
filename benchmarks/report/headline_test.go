package main

import (
	"strings"
	"testing"

	"archibald-bridge/benchmarks/results"
)

func TestTheHeadlineHasOursAtTheGoalWithFewestGaps(t *testing.T) {
	_, best, _ := written(t, invented())
	if line := lineWith(t, best, "within the goal"); !strings.Contains(line, "`92frames` | 191.0 (190.0 to 192.0) = 3.98 ms | 3 | 1.00 (0.21 to 2.92) | 99.00 %") {
		t.Error(line)
	}
	if line := lineWith(t, best, "by itself"); !strings.Contains(line, "`auto` | 211.0 ") {
		t.Error(line)
	}
	lineWith(t, best, "settled at 211.0 frames and caused 0.00 dropouts in 10,000 cycles, 0.00 a minute; the fewest of any peer are 0.00 a minute (zita-njbridge `--buff 10`).")
}

func TestAGoalThatIsMissedIsSaid(t *testing.T) {
	f := invented()
	for i := range f.Runs {
		if r := &f.Runs[i]; r.System == results.Ours {
			for j := range r.RoundTripFrames {
				r.RoundTripFrames[j] += 30
			}
		}
	}
	_, best, _ := written(t, f)
	if strings.Contains(best, "within the goal") {
		t.Error("206 frames are within 192")
	}
	if line := lineWith(t, best, "goal not reached"); !strings.Contains(line, "`84frames` | 207.0 ") {
		t.Error(line)
	}
}

func TestEachPeerHasItsBestChance(t *testing.T) {
	_, best, _ := written(t, invented())
	for _, test := range [][]string{
		{"zita-njbridge, least latency", "`--buff 2` | 421.0 "},
		{"zita-njbridge, fewest gaps", "`--buff 10` | 801.0 "},
		{"| jacktrip |", "`-q 2` | 321.0 "},
		{"netone (slaved)", "`-n 1` | 129.0 "},
		{"no bridge (control)", "65.0 "},
	} {
		if line := lineWith(t, best, test[0]); !strings.Contains(line, test[1]) {
			t.Errorf("%swant %q", line, test[1])
		}
	}
}

func TestWhatIsAbsentSaysWhy(t *testing.T) {
	f := invented()
	f.Runs = append(f.Runs, run("pipewire-rtp", "2", 64, 0, 0, 0))
	_, best, _ := written(t, f)
	lineWith(t, best, "| netjack2 |", "failed: jackd -d net never came up |")
	lineWith(t, best, "| pipewire-rtp |", "no sound came through")
	lineWith(t, best, "Period 32", "not measured")
	_, best, _ = written(t, invented())
	lineWith(t, best, "| pipewire-rtp |", "not measured")
}

func TestOnlyPeersMeasuredIsNoCrash(t *testing.T) {
	f := invented()
	f.Runs = []results.Run{run("jacktrip", "-q 2", 64, 0, 320, 1)}
	_, best, every := written(t, f)
	lineWith(t, best, "**archibald-bridge** |", "not measured")
	lineWith(t, best, "Nothing of ours to hold the others against")
	lineWith(t, every, "jacktrip: nothing of ours to hold it against")
}

func TestOnlyFailuresAreNoCrash(t *testing.T) {
	f := invented()
	f.Runs = []results.Run{failed(run(results.Ours, "auto", 64, 0, 0, 0))}
	f.Runs[0].Seconds = 0
	_, best, every := written(t, f)
	lineWith(t, best, "by itself", "failed: jackd -d net never came up")
	lineWith(t, every, "0, 1 failed")
}

func TestTheVerdictNamesWhatOursIsNotBelow(t *testing.T) {
	_, best, every := written(t, invented())
	lineWith(t, best, "Our curve lies below that of: jacktrip (1 setting), zita-njbridge (2 settings). Not below that of: netone (1 of 1 setting). Without a curve: netjack2.")
	line := lineWith(t, every, "- netone `-n 1`: our curve does not lie below (129.0 frames, 3.00 gaps a minute)")
	if !strings.Contains(line, "Our nearest with no more gaps is `92frames`: 191.0 frames, 1.00 gaps a minute.") {
		t.Error(line)
	}
}

func TestTheProductsServersComeFirstWhereOursWasMeasuredThere(t *testing.T) {
	f := invented()
	other, control := run(results.Ours, "80frames", 64, 0, 150, 0), run(results.Control, "none", 64, 0, 63, 0)
	other.Servers, control.Servers = "jackd+pipewire", "jackd+pipewire"
	f.Runs = append(f.Runs, other, control)
	_, best, every := written(t, f)
	lineWith(t, best, "within the goal", "`80frames`")
	lineWith(t, best, "no bridge (control)", " 63.0 ")
	lineWith(t, every, "`80frames`", "jackd+pipewire")
	lineWith(t, every, "`92frames`", "jackd+jackd")
}

func TestLockedClocksHaveRowsOfTheirOwnAndAreHeldAgainstSlavedOnes(t *testing.T) {
	f := invented()
	share := 0.9994
	for repeat := range 3 {
		locked := slaved(run(results.Ours, "guest leads", 64, repeat, 64, 2))
		locked.InTimeShare, locked.HostFollows = &share, true
		f.Runs = append(f.Runs, locked)
	}
	root, best, every := written(t, f)
	lineWith(t, best, "| **archibald-bridge**, locked | `guest leads` | 65.0 (64.0 to 66.0)", "99.940 %")
	lineWith(t, best, "within the goal", "`92frames`") // a round trip of 65 frames of another kind
	lineWith(t, best, "Our curve lies below that of: jacktrip (1 setting), netone (1 setting), zita-njbridge (2 settings).")
	lineWith(t, every, "- netone: our curve lies below (1 setting).")
	lineWith(t, get(t, root, "README.md"), "Locked, guest leads: 65.0 frames (1.35 ms), 2.00 gaps a minute.")
}

func TestGapsHaveTheIntervalOfTheirNumber(t *testing.T) {
	_, best, every := written(t, invented())
	// 3 gaps in 3 minutes: 0.619 to 8.767 in all.
	for _, text := range []string{best, every} {
		lineWith(t, text, "`92frames` |", "| 1.00 (0.21 to 2.92) |")
	}
}

func TestStallsAreListedApartWhereProcessorsWereWatched(t *testing.T) {
	if _, best, every := written(t, invented()); strings.Contains(best+every, "stood still") {
		t.Error("nobody watched the processors, and there is a column for it")
	}
	f := invented()
	for i := range f.Runs {
		if r := &f.Runs[i]; r.System == results.Ours {
			r.Stalls = &results.Stalls{Count: 12, Gaps: 1, TimeShare: 0.031}
			r.WakeUpsPerPeriod, r.BenchFrames = 4.2, 190.5
		}
	}
	calls := run(results.Ours, "92frames", 64, 0, 0, 0)
	calls.Kind, calls.SystemCallsPerPeriod, calls.Seconds = results.Calls, 11.5, 5
	calls.Started = "2030-01-02T04:00:00Z"
	f.Runs = append(f.Runs, calls)
	_, best, every := written(t, f)
	lineWith(t, best, "within the goal", "| 1.00 in 3.1 % of the time |", "| 4.2, 11.5 |")
	lineWith(t, best, "zita-njbridge, least latency", "| not watched |")
	lineWith(t, every, "| `92frames` |", "| 190.5 | 1.00 in 3.1 % of the time | 4.2, 11.5 |")
}

func TestOneSystemBetweenSeveralServersHasRowsForEach(t *testing.T) {
	f := invented()
	for _, servers := range []string{"jackd+pipewire of bookworm-backports", "jackd+pipewire of sid"} {
		r := slaved(run("netjack2-driver", "netjack2.latency 1", 64, 0, 128, 4))
		r.Servers = servers
		f.Runs = append(f.Runs, r)
	}
	_, best, _ := written(t, f)
	lineWith(t, best, "| netjack2-driver, jackd+pipewire of sid (slaved) |")
	lineWith(t, best, "netjack2-driver on jackd+pipewire of sid (1 of 1 setting)", "netjack2-driver on jackd+pipewire of bookworm-backports (1 of 1 setting)")
}

func TestAnotherRateHasATableOfItsOwn(t *testing.T) {
	f := invented()
	for i := range f.Runs {
		f.Runs[i].RateHz, f.Runs[i].PeriodFrames = 96000, 32
	}
	root, best, _ := written(t, f)
	lineWith(t, best, "Period 32 at 96 kHz, goal 160 frames:")
	lineWith(t, best, "![Latency against gaps, period 32 at 96 kHz](img/curve-32-96000.svg)")
	if get(t, root, "docs/img/curve-32-96000.svg") == "" {
		t.Error("no figure")
	}
}

func TestWhereAndWhenIsSaid(t *testing.T) {
	_, best, every := written(t, invented())
	lineWith(t, best, "Test CPU, 2 processors, kernel 6.1, Debian 12")
	lineWith(t, best, "2030-01-02, a bare timer late by p99.9 127 us", "(../benchmarks/results/2030-01-02-peers.json)")
	lineWith(t, every, "`abc1234`", "p99.9 127 us", "p99.9 900 us")
	lineWith(t, every, "in ppm", "+100 (+99.2 to +99.2)")
	if !strings.Contains(every, "# period 64, zita-njbridge, --buff 2\nzita-njbridge --buff 2\n") {
		t.Error("the command of zita-njbridge is missing")
	}
}

func TestAnotherMachineHasTablesOfItsOwn(t *testing.T) {
	old := invented()
	old.Date, old.Machine.Processor = "2029-01-02", "Old CPU"
	old.Runs = []results.Run{run(results.Ours, "92frames", 64, 0, 999, 0)}
	_, best, every := written(t, invented(), old)
	if strings.Contains(best, "999") || strings.Contains(best, "Old CPU") {
		t.Error("the first tables have figures of the older machine")
	}
	lineWith(t, every, "### On Old CPU")
	lineWith(t, every, "`92frames`", "999.0")
}

func TestEightChannelsHaveATableAndTheirCost(t *testing.T) {
	f := invented()
	eight := run(results.Ours, "auto", 64, 0, 230, 0)
	eight.Channels, eight.CPUPercent = 8, 10
	f.Runs = append(f.Runs, eight)
	_, best, every := written(t, f)
	lineWith(t, every, "#### Period 64, 8 channels, 48000 Hz")
	lineWith(t, every, "| 10.0 % | 1.25 % |")
	lineWith(t, best, "by itself", "211.0")
}

func TestLockingIsTold(t *testing.T) {
	text := lockText(results.Locks{RateHz: 48000, PeriodFrames: 64, Runs: []results.Lock{
		{SkewPPM: 500, Seconds: []float64{.5, 1, 1.5, 2}, DelayErrorFrames: []float64{3, 2, .9, -.9}, RatioPPM: []float64{600, 550, 510, 495}},
		{SkewPPM: -500, Seconds: []float64{.5, 1}, DelayErrorFrames: []float64{3, 2}, RatioPPM: []float64{600, 550}},
		{SkewPPM: 100},
	}})
	lineWith(t, text, "| +500 ppm | 0.50 s | 1.50 s | +495.0 to +510.0 ppm | 0.017 cents |")
	lineWith(t, text, "| -500 ppm | 0.50 s | not |")
	lineWith(t, text, "| +100 ppm | no sound |")
}

func TestCellsCannotBreakTheTable(t *testing.T) {
	if got, want := row("a|b", "two\nlines"), "| a\\|b | two lines |\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestDropoutsOfAutoAreCountedInCycles(t *testing.T) {
	f := invented()
	f.Runs = []results.Run{run(results.Ours, "auto", 64, 0, 210, 9)} // 45,000 cycles
	_, best, _ := written(t, f)
	lineWith(t, best, "caused 2.00 dropouts in 10,000 cycles, 9.00 a minute.")
}

func TestTheGoalItselfIsWithinTheGoal(t *testing.T) {
	for frames, want := range map[float64]string{192: "**archibald-bridge**, within the goal", 192.1: "**archibald-bridge**, goal not reached"} {
		r := run(results.Ours, "92frames", 64, 0, 192, 0)
		r.RoundTripFrames = []float64{frames}
		if got := choose(results.Summarise([]results.Run{r}), place{64, 48000})[0].label; got != want {
			t.Errorf("%v frames: %s, want %s", frames, got, want)
		}
	}
}

func TestTheReadmeHasTheFigureAndBothOfOurs(t *testing.T) {
	root, _, _ := written(t, invented())
	readme := get(t, root, "README.md")
	lineWith(t, readme, "![Latency against gaps, period 64](docs/img/curve-64.svg)")
	lineWith(t, readme, "`--latency 92frames`: 191.0 frames (3.98 ms), 1.00 gaps a minute.", "`--latency auto`: 211.0 frames (4.40 ms), 0.00 gaps")
	lineWith(t, readme, "Not below that of: netone (1 of 1 setting).", "Measured on Test CPU, 2 processors")
	f := invented()
	for i := range f.Runs {
		f.Runs[i].PeriodFrames = 32
	}
	root, _, _ = written(t, f)
	if readme := get(t, root, "README.md"); !strings.Contains(readme, "Period 64: not measured.") || strings.Contains(readme, "svg") {
		t.Errorf("without period 64 the README says\n%s", readme)
	}
}
