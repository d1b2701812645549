package patchbay

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

var desk = []Port{
	{"system:capture_1", true}, {"SuperCollider:out_1", true}, {"SuperCollider:out_2", true}, {"archibald-from-host:out_1", true},
	{"system:playback_1", false}, {"SuperCollider:in_1", false}, {"archibald-to-host:in_1", false}, {"archibald-to-host:in_2", false},
}

// without returns what is said of one rule.
func without(t *testing.T, text string, ports []Port) string {
	t.Helper()
	p := patcher(t, text)
	all := unmatched(p.rules, ports)
	if len(all) == 0 {
		return ""
	}
	return all[0].String()
}

func TestARuleWithoutAMatchSaysWhichSideAndWhatIsNearest(t *testing.T) {
	for rule, want := range map[string]string{
		"SuperCollider:out_* -> archibald-to-host:in_*": "",
		"system:* -> archibald-to-host:in_2":            "",

		"scsynth:out_* -> archibald-to-host:in_*":           "no output matches scsynth:out_*; the nearest are ",
		"supercollider:out_* -> archibald-to-host:in_*":     "no output matches supercollider:out_*; the nearest are SuperCollider:out_1, SuperCollider:out_2",
		"SuperCollider:Out_1 -> archibald-to-host:in_1":     "the nearest are SuperCollider:out_1",
		"SuperCollider:out_3 -> archibald-to-host:in_1":     "the nearest are SuperCollider:out_1, SuperCollider:out_2",
		"SuperCollider:out_* -> archibald-to-hosts:in_*":    "no input matches archibald-to-hosts:in_*; the nearest are archibald-to-host:in_1, archibald-to-host:in_2",
		"SuperCollider:out_* -> archibald-lab-to-host:in_*": "the nearest are archibald-to-host:in_1",
		"a:b -> c:d": "no output matches a:b; the nearest are ",

		"SuperCollider:in_* -> archibald-to-host:in_*":     "SuperCollider:in_1 is an input, and on the left of -> there must be an output",
		"SuperCollider:out_* -> archibald-from-host:out_*": "archibald-from-host:out_1 is an output, and on the right of -> there must be an input",
		"archibald-to-host:in_* -> SuperCollider:out_*":    "archibald-to-host:in_1 is an input, and on the left of -> there must be an output; SuperCollider:out_1 is an output",

		"SuperCollider:*1 -> archibald-to-host:*2": "both sides match ports (SuperCollider:out_1; archibald-to-host:in_2), but none whose last * stands for the same text",
	} {
		got := without(t, rule, desk)
		if want == "" {
			if got != "" {
				t.Errorf("%s has a match, and it is said: %s", rule, got)
			}
			continue
		}
		if !strings.HasPrefix(got, rule+": ") || !strings.Contains(got, want) || strings.Contains(got, "\n") {
			t.Errorf("%s\n got %s\nwant %s", rule, got, want)
		}
	}
}

func TestBothSidesWithoutAMatchAreNamed(t *testing.T) {
	got := without(t, "Ardour:out_1 -> Carla:in_1", desk)
	if !strings.Contains(got, "no output matches Ardour:out_1") || !strings.Contains(got, "no input matches Carla:in_1") {
		t.Error(got)
	}
	if got := without(t, "a:b -> c:d", nil); got != "a:b -> c:d: there is no output for a:b; there is no input for c:d" {
		t.Error(got)
	}
}

func TestOfManyPortsOnlyAFewAreNamed(t *testing.T) {
	var ports []Port
	for i := range 500 {
		ports = append(ports, Port{fmt.Sprintf("synth %d:out_1", i), true}, Port{fmt.Sprintf("mixer:in_%d", i), false})
	}
	if got := without(t, "synth:out_1 -> mix:*_x", ports); len(got) > 300 || !strings.Contains(got, "synth 0:out_1") || !strings.Contains(got, "mixer:in_0") {
		t.Error(got)
	}
}

func TestARuleIsToldOfAfterTenSecondsAndOnce(t *testing.T) {
	var w Watch
	never := []Unmatched{{"a:b -> c:d", "for a reason"}}
	look := func(second int, now []Unmatched, long, fresh int) {
		t.Helper()
		gotLong, gotFresh := w.Look(time.Unix(int64(second), 0), now)
		if len(gotLong) != long || len(gotFresh) != fresh {
			t.Errorf("second %d: %v for long and %v new, want %d and %d", second, gotLong, gotFresh, long, fresh)
		}
	}
	look(0, never, 0, 0)
	look(9, never, 0, 0)
	look(10, never, 1, 1)
	look(12, never, 1, 0)
	look(14, nil, 0, 0) // it matches
	look(20, never, 0, 0)
	look(30, never, 1, 0)
	w.Begin() // the server was restarted
	look(32, never, 0, 0)
	look(42, append(never, Unmatched{"e:f -> g:h", "for another"}), 1, 0)
	look(52, append(never, Unmatched{"e:f -> g:h", "for another"}), 2, 1)
}

func TestDistanceIsZeroForWhatMatches(t *testing.T) {
	for _, c := range []struct {
		glob, name string
		want       int
	}{
		{"a:b", "a:b", 0}, {"a:*", "a:b_1", 0}, {"*:*", "a:b", 0}, {"a:out_*", "a:out_", 0}, {"", "", 0},
		{"a:b", "A:b", 1}, {"a:b", "a:c", 10}, {"a:b", "a:", 10}, {"ab:c", "a:c", 10}, {"*", "", 0}, {"", "ab", 20},
	} {
		if got := distance(c.glob, c.name); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.glob, c.name, got, c.want)
		}
	}
}
