package patchbay

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Unmatched is a rule that no pair of ports matches, and why, for the user.
type Unmatched struct{ Rule, Reason string }

// String is one line.
func (u Unmatched) String() string { return u.Rule + ": " + u.Reason }

// unmatched lists the rules that want no connection between these ports.
func unmatched(rules []Rule, ports []Port) []Unmatched {
	var all []Unmatched
	for _, rule := range rules {
		if reason := rule.mismatch(ports); reason != "" {
			all = append(all, Unmatched{rule.String(), reason})
		}
	}
	return all
}

// mismatch says why the rule wants nothing; "": it does.
func (r Rule) mismatch(ports []Port) string {
	var sources, sinks []string
	for _, port := range ports {
		if port.Source && r.source.MatchString(port.Name) {
			sources = append(sources, port.Name)
		}
		if !port.Source && r.sink.MatchString(port.Name) {
			sinks = append(sinks, port.Name)
		}
	}
	left, right, _ := strings.Cut(r.text, " -> ")
	var reasons []string
	if len(sources) == 0 {
		reasons = append(reasons, r.source.mismatch(left, ports, true))
	}
	if len(sinks) == 0 {
		reasons = append(reasons, r.sink.mismatch(right, ports, false))
	}
	if len(reasons) > 0 {
		return strings.Join(reasons, "; ")
	}
	for _, source := range sources {
		if slices.ContainsFunc(sinks, func(sink string) bool { return r.Match(source, sink) }) {
			return ""
		}
	}
	return fmt.Sprintf("both sides match ports (%s; %s), but none whose last * stands for the same text", few(sources), few(sinks))
}

// mismatch says why one side, written so, matches no port of its direction.
func (p pattern) mismatch(side string, ports []Port, source bool) string {
	kind, other, where := "input", "an output", "the right"
	if source {
		kind, other, where = "output", "an input", "the left"
	}
	var candidates []string
	for _, port := range ports {
		if port.Source == source {
			candidates = append(candidates, port.Name)
		} else if p.MatchString(port.Name) {
			return fmt.Sprintf("%s is %s, and on %s of -> there must be an %s", port.Name, other, where, kind)
		}
	}
	if len(candidates) == 0 {
		return fmt.Sprintf("there is no %s for %s", kind, side)
	}
	return fmt.Sprintf("no %s matches %s; the nearest are %s", kind, side, few(nearest(side, candidates)))
}

const named = 3 // ports, of many

func few(names []string) string {
	if len(names) <= named {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:named], ", ") + " ..."
}

// nearest sorts the names by how little must be changed in them to match side, and
// returns the first few. Upper and lower case are nearly the same.
func nearest(side string, names []string) []string {
	changes := make(map[string]int, len(names))
	for _, name := range names {
		changes[name] = distance(side, name)
	}
	sorted := slices.Clone(names)
	slices.SortStableFunc(sorted, func(a, b string) int { return changes[a] - changes[b] })
	return sorted[:min(named, len(sorted))]
}

// distance is Levenshtein's, where a * stands for any text and a letter in the other
// case costs a tenth.
func distance(glob, name string) int {
	const change, otherCase = 10, 1
	pattern, text := []rune(glob), []rune(name)
	row := make([]int, len(text)+1)
	for j := range row {
		row[j] = j * change
	}
	for _, want := range pattern {
		diagonal := row[0]
		if want != '*' {
			row[0] += change
		}
		for j, have := range text {
			cost := change
			switch {
			case want == have:
				cost = 0
			case unicode.ToLower(want) == unicode.ToLower(have):
				cost = otherCase
			}
			best := min(diagonal+cost, row[j+1]+change, row[j]+change)
			if want == '*' {
				best = min(row[j+1], row[j])
			}
			diagonal, row[j+1] = row[j+1], best
		}
	}
	return row[len(text)]
}

// patience is how long a rule may be without a match before it is worth a word:
// programs take their time to start.
const patience = 10 * time.Second

// Watch follows which rules are without a match. Its methods are called from one
// goroutine.
type Watch struct {
	since map[string]time.Time // by rule
	told  map[string]bool
}

// Begin says that the ports are those of another server.
func (w *Watch) Begin() { w.since = nil }

// Look takes the rules that are without a match now. It returns those that have been so
// for long, and of these the ones that it never returned before.
func (w *Watch) Look(now time.Time, unmatched []Unmatched) (long, fresh []Unmatched) {
	since := map[string]time.Time{}
	for _, u := range unmatched {
		began, known := w.since[u.Rule]
		if !known {
			began = now
		}
		since[u.Rule] = began
		if now.Sub(began) < patience {
			continue
		}
		long = append(long, u)
		if !w.told[u.Rule] {
			if w.told == nil {
				w.told = map[string]bool{}
			}
			w.told[u.Rule] = true
			fresh = append(fresh, u)
		}
	}
	w.since = since
	return long, fresh
}
