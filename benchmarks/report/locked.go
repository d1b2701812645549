package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"archibald-bridge/benchmarks/results"
)

// lockedFolder has files of `make bench-peers` with -systems locked. The newest is reported,
// alone: added latency is a difference of two systems, so both must be of the same run.
const lockedFolder = "benchmarks/results/locked"

// loadLocked reads the newest file of its folder; nil: there is none.
func loadLocked(root string) (*results.Named, error) {
	files, err := results.Load(filepath.Join(root, lockedFolder))
	if err != nil || len(files) == 0 {
		return nil, err
	}
	return &files[len(files)-1], nil // they begin with the date
}

const lockedMethod = `Systems in which one end drives the other's graph, in turn, with a control between the same servers. The round trip was read in both graphs: in the guest's during the run, with the sound led
back on the host, and for 10 s after it in the host's, with the sound led back on the guest. "Added" is what is more than the control's own loop in the same graph;
in parentheses is the whole round trip; two figures: the least and the most of the repeats. With netJACK2 and netone the host leads, with PipeWire's netjack2-driver the guest.
`

// lockedTables is the part of docs/comparison.md about locked clocks; nothing where nothing
// was measured.
func lockedTables(f *results.Named) string {
	if f == nil {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n## Locked mode\n\n%s\n", lockedMethod)
	fmt.Fprintf(&b, "%s, commit %s, on %s. A bare timer was late by %s. Raw: [%s](../%s/%[5]s).\n",
		f.Date, code(f.Commit), machine(f.Machine), timer(*f), f.Name, lockedFolder)
	all := results.Summarise(f.Runs)
	for from := 0; from < len(all); {
		to := from
		for to < len(all) && group(all[to]) == group(all[from]) {
			to++
		}
		fmt.Fprintf(&b, "\n%v:\n\n", placeOf(all[from].Key))
		b.WriteString(lockedTable(all[from:to]))
		from = to
	}
	return b.String()
}

// lockedTable has the systems of one period, each beside the control between its servers.
func lockedTable(all []results.Summary) string {
	var b strings.Builder
	columns := []string{"system", "setting", "servers", "added in the leader's graph, frames", "in the follower's", "answered in time (worst)",
		"gaps it caused per minute (95 %)", "gaps when a processor stood still", "CPU", "wake-ups and system calls a period", "by `archibald-bridge bench`", "repeats"}
	b.WriteString(head(slices.Clone(columns)...))
	for _, s := range all {
		cells := []string{s.System, code(s.Setting), s.Servers}
		if s.Repeats == 0 {
			cells = append(cells, "failed: "+strings.Join(s.Errors, "; "))
			b.WriteString(row(append(cells, make([]string, len(columns)-len(cells))...)...))
			continue
		}
		var control results.Summary
		if i := slices.IndexFunc(all, func(c results.Summary) bool { return c.System == results.Control && c.Servers == s.Servers }); i >= 0 {
			control = all[i]
		}
		guest, host := added(s.RoundTripFrames, control.RoundTripFrames, notHeard), added(s.HostRoundTripFrames, control.HostRoundTripFrames, notRead)
		leader, follower := host, guest
		if s.HostFollows {
			leader, follower = guest, host
		}
		if s.System == results.Control {
			leader, follower = "guest's loop: "+whole(s.RoundTripFrames, notHeard), "host's loop: "+whole(s.HostRoundTripFrames, notRead)
		}
		b.WriteString(row(append(cells, leader, follower, answered(s), gapsBetween(s), stalledGaps(s), fmt.Sprintf("%.1f %%", s.CPUPercent), effort(s), bench(s), repeats(s))...))
	}
	return b.String()
}

// added is what a round trip is more than the control's; without one it is none.
func added(trip, control results.Spread, none string) string {
	switch {
	case trip.Median == 0:
		return none
	case control.Median == 0:
		return fmt.Sprintf("no control (%s)", whole(trip, none))
	}
	// Of the figures as they are printed.
	return fmt.Sprintf("%.1f (%s)", tenths(trip.Median)-tenths(control.Median), whole(trip, none))
}
