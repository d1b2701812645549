package results

import "testing"

// curve has points of latency and gaps in one minute.
func curve(t *testing.T, system string, points ...[2]float64) Curve {
	t.Helper()
	var runs []Run
	for i, p := range points {
		runs = append(runs, a(system, string(rune('a'+i)), []float64{p[0]}, int(p[1])))
	}
	all := Curves(Summarise(runs))
	if len(all) != 1 || len(all[0].Points) != len(points) {
		t.Fatalf("curves: %+v", all)
	}
	return all[0]
}

func TestACurveLiesBelowAnother(t *testing.T) {
	ours := curve(t, Ours, [2]float64{192, 3}, [2]float64{260, 0})
	theirs := curve(t, "zita-njbridge", [2]float64{192, 3}, [2]float64{300, 1}, [2]float64{420, 0})
	if above := Above(ours, theirs); len(above) != 0 {
		t.Errorf("%+v", above)
	}
}

func TestASettingWithLessLatencyIsAnException(t *testing.T) {
	ours := curve(t, Ours, [2]float64{176, 9}, [2]float64{192, 2}, [2]float64{260, 0})
	theirs := curve(t, "netone", [2]float64{128, 2}, [2]float64{320, 1})
	above := Above(ours, theirs)
	if len(above) != 1 || above[0].Theirs.RoundTripFrames.Median != 128 || above[0].Ours == nil || above[0].Ours.RoundTripFrames.Median != 192 {
		t.Errorf("%+v, want 128 frames, our nearest with no more gaps 192", above)
	}
}

func TestASettingWithFewerGapsThanAllOfOursIsAnException(t *testing.T) {
	ours := curve(t, Ours, [2]float64{192, 2}, [2]float64{260, 1})
	theirs := curve(t, "jacktrip", [2]float64{900, 0})
	if above := Above(ours, theirs); len(above) != 1 || above[0].Ours != nil {
		t.Errorf("%+v", above)
	}
}

// Latency of one of our settings and gaps of another are no setting of ours.
func TestOneSettingMustBeAsGoodInBoth(t *testing.T) {
	ours := curve(t, Ours, [2]float64{100, 50}, [2]float64{400, 0})
	theirs := curve(t, "jacktrip", [2]float64{200, 10})
	if above := Above(ours, theirs); len(above) != 1 {
		t.Errorf("%+v", above)
	}
}

func TestFiguresAreComparedAsPrinted(t *testing.T) {
	theirs := curve(t, "jacktrip", [2]float64{192, 1})
	theirs.Points[0].CausedGapsPerMinute = 0.9998 // its minute was 12 ms longer
	if above := Above(curve(t, Ours, [2]float64{192.04, 1}), theirs); len(above) != 0 {
		t.Errorf("%+v", above)
	}
	if above := Above(curve(t, Ours, [2]float64{192.2, 1}), theirs); len(above) != 1 {
		t.Errorf("0.2 frames more are no exception: %+v", above)
	}
}

func TestNothingOfOursIsBelowNothing(t *testing.T) {
	if above := Above(Curve{}, curve(t, "jacktrip", [2]float64{200, 10})); len(above) != 1 {
		t.Errorf("%+v", above)
	}
}

func TestSilenceIsNoPoint(t *testing.T) {
	all := Curves(Summarise([]Run{a("zita-njbridge", "0", nil, 0), a("zita-njbridge", "2", []float64{420}, 1), a(Control, "", []float64{64}, 0)}))
	if len(all) != 1 || len(all[0].Points) != 1 || len(all[0].Silent) != 1 {
		t.Errorf("%+v", all)
	}
}

func TestASettingThatIsMuteForLongIsNoPoint(t *testing.T) {
	mute, fair := a("zita-njbridge", "0", []float64{100}, 0), a("zita-njbridge", "2", []float64{420}, 1)
	mute.SoundShare, fair.SoundShare = 0.949, 0.95
	all := Curves(Summarise([]Run{mute, fair}))
	if len(all) != 1 || len(all[0].Points) != 1 || len(all[0].Mute) != 1 || all[0].Mute[0].Setting != "0" {
		t.Errorf("%+v", all)
	}
}

func TestPeriodsServersAndChannelsAreCurvesOfTheirOwn(t *testing.T) {
	period, servers, channels := a(Ours, "x", []float64{1}, 0), a(Ours, "x", []float64{1}, 0), a(Ours, "x", []float64{1}, 0)
	period.PeriodFrames, servers.Servers, channels.Channels = 32, "jackd+pipewire", 8
	if all := Curves(Summarise([]Run{a(Ours, "x", []float64{1}, 0), period, servers, channels})); len(all) != 4 {
		t.Errorf("%d curves, want 4", len(all))
	}
}

func TestOursIsMatchedByServersFirst(t *testing.T) {
	other := a(Ours, "x", []float64{1}, 0)
	other.Servers = "jackd+pipewire"
	curves := Curves(Summarise([]Run{other, a(Ours, "x", []float64{1}, 0), a("jacktrip", "x", []float64{1}, 0)}))
	for _, servers := range []string{"jackd+jackd", "jackd+pipewire"} {
		if got, found := Match(curves, Line{Servers: servers, PeriodFrames: 64, RateHz: 48000, Channels: 2}); !found || got.Servers != servers {
			t.Errorf("%s: found %v, %s", servers, found, got.Servers)
		}
	}
	if got, found := Match(curves, Line{Servers: "pipewire+pipewire", PeriodFrames: 64, RateHz: 48000, Channels: 2}); !found || got.System != Ours {
		t.Errorf("servers where we were not measured: %v, %+v", found, got.Line)
	}
	if _, found := Match(curves, Line{Servers: "jackd+jackd", PeriodFrames: 32, RateHz: 48000, Channels: 2}); found {
		t.Error("a period at which we were not measured has a curve of ours")
	}
}
