package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"archibald-bridge/benchmarks/results"
)

func TestWrongFlagsAreRefusedWithWhatIsLegal(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"-systems sonobus", "archibald-bridge"},
		{"-systems sonobus", "control, locked, locked-1.4"},
		{"-periods 128", "64, 32, 32@96000, 256"},
		{"-periods 64,", "64, 32, 32@96000"},
		{"-periods 64@96000", "64, 32, 32@96000"},
		{"-skews fast", "-1000 to 1000"},
		{"-skews 2000", "-1000 to 1000"},
		{"-seconds 4", "5 to 600"},
		{"-settings -1", "0 and more"},
		{"-repeats 0", "1 to 100"},
		{"all", "only flags"},
	} {
		if _, err := parse(strings.Fields(test.args)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.args, err, test.want)
		}
	}
}

func TestWithoutFlagsEverythingIsMeasured(t *testing.T) {
	o, err := parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(o.systems) != len(systems) || len(o.places) != 3 || len(o.skewsPPM) != 5 || o.length != time.Minute || o.repeats != 3 ||
		!strings.HasSuffix(o.out, "-peers.json") {
		t.Errorf("%+v", o)
	}
}

func TestOnlyTheFirstSettingsCanBeAskedFor(t *testing.T) {
	for _, trial := range measured(plan(limited(systems, 1), places, 1, everySkew)) {
		if trial.setting != trial.system.settings[trial.place][0] || len(trial.system.settings[trial.place]) != 1 {
			t.Errorf("%v", trial)
		}
	}
	if len(systems[1].settings[places[0]]) < 2 {
		t.Error("the systems themselves have lost settings")
	}
}

func TestASystemsNameMeansAllOfThatName(t *testing.T) {
	o, err := parse([]string{"-systems", "control,zita-njbridge"})
	if err != nil || len(o.systems) != 7 {
		t.Errorf("%d systems, %v; want all six controls and zita-njbridge", len(o.systems), err)
	}
}

func TestASystemThatSeveralNamesMeanIsThereOnceWithAllItsSettings(t *testing.T) {
	for i, s := range systems {
		if slices.IndexFunc(systems, s.same) != i {
			t.Errorf("%s between %s is there twice", s.name, s.servers)
		}
	}
	alone, err := find("locked")
	if err != nil {
		t.Fatal(err)
	}
	for _, names := range []string{"locked,netjack2,netjack2", "netjack2,locked,locked"} {
		found, err := find(names)
		if err != nil || len(found) != len(alone) {
			t.Errorf("%s: %d systems, %v; want the %d of locked", names, len(found), err, len(alone))
		}
		for _, s := range found {
			if s.name == "netjack2" && !slices.Contains(systems, s) {
				t.Errorf("%s: netjack2 has lost settings", names)
			}
		}
	}
}

func TestLockedMeansOursWhereOneEndLeadsAndWhatItIsHeldAgainst(t *testing.T) {
	o, err := parse(strings.Fields("-systems locked -periods 64,32,256,32@96000"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, trial := range measured(plan(o.systems, o.places, 1, []float64{0})) {
		if trial.place == places[3] {
			got = append(got, trial.system.name+" on "+trial.system.servers+": "+trial.setting)
		}
	}
	slices.Sort(got)
	want := []string{
		"archibald-bridge on jackd+pipewire: guest leads --answer-periods 1",
		"archibald-bridge on jackd+pipewire: guest leads --answer-periods 2",
		"archibald-bridge on jackd+pipewire: host leads --answer-periods 1",
		"archibald-bridge on jackd+pipewire: host leads --answer-periods 2",
		"control on jackd+jackd: none",
		"control on jackd+pipewire: none",
		"netjack2 on jackd+jackd: -l 0",
		"netone on jackd+jackd: -n 1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("at period 256:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	calls := map[string]bool{}
	for _, trial := range plan(o.systems, o.places[:1], 1, []float64{0}) {
		if trial.kind == results.Calls {
			calls[trial.system.name+trial.setting] = true
		}
	}
	if len(calls) != len(want)-2 { // without the controls
		t.Errorf("calls are counted of %v", calls)
	}
	if both, err := find("locked,locked-1.4"); err != nil || slices.ContainsFunc(both, func(s *system) bool {
		return s.name == results.Control != (s.follows == neither) // controls, and those that slave a clock
	}) {
		t.Errorf("%v; among those of PipeWire 1.4 is one with free clocks", err)
	}
}
