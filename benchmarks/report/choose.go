package main

import (
	"cmp"
	"slices"

	"archibald-bridge/benchmarks/results"
)

// goalFrames are the round trips to be reached at a fixed latency, by period.
var goalFrames = map[int]float64{64: 192, 32: 128}

// headlinePeriods are those of the README, measured or not.
var headlinePeriods = []int{64, 32}

const (
	headlineRateHz   = 48000
	headlineChannels = 2
	ourServers       = "jackd+jackd" // those that most peers know, too
)

var peers = []string{"zita-njbridge", "jacktrip", "netjack2", "netone", "pipewire-rtp"}

// choice is a setting that stands for a system in the headline.
type choice struct {
	label   string
	system  string
	why     string // why there is no figure; "" when there is one
	summary results.Summary
}

// at keeps what the headline compares: stereo at 48 kHz and one period.
func at(all []results.Summary, period int) []results.Summary {
	var kept []results.Summary
	for _, s := range all {
		if s.PeriodFrames == period && s.RateHz == headlineRateHz && s.Channels == headlineChannels {
			kept = append(kept, s)
		}
	}
	return kept
}

// of keeps one system; ours between the servers that the peers have, where we
// were measured there.
func of(all []results.Summary, system string) []results.Summary {
	var kept, same []results.Summary
	for _, s := range all {
		if s.System != system {
			continue
		}
		kept = append(kept, s)
		if s.Servers == ourServers {
			same = append(same, s)
		}
	}
	if system == results.Ours && len(same) > 0 {
		return same
	}
	return kept
}

// heard keeps the settings that worked; where none did, those at which a round
// trip was measured at all.
func heard(all []results.Summary) []results.Summary {
	var working, kept []results.Summary
	for _, s := range all {
		if s.Works() {
			working = append(working, s)
		}
		if s.Heard > 0 {
			kept = append(kept, s)
		}
	}
	if len(working) > 0 {
		return working
	}
	return kept
}

func byLatency(a, b results.Summary) int {
	return cmp.Or(cmp.Compare(a.RoundTripFrames.Median, b.RoundTripFrames.Median), byGapsOnly(a, b))
}

func byGaps(a, b results.Summary) int {
	return cmp.Or(byGapsOnly(a, b), cmp.Compare(a.RoundTripFrames.Median, b.RoundTripFrames.Median))
}

func byGapsOnly(a, b results.Summary) int {
	return cmp.Compare(a.CausedGapsPerMinute, b.CausedGapsPerMinute)
}

// choose returns the headline's rows for one period: ours at the goal, ours by
// itself, each peer at its least latency and at its fewest gaps, the control.
func choose(all []results.Summary, period int) []choice {
	all = at(all, period)
	rows := ours(of(all, results.Ours), period)
	for _, peer := range peers {
		rows = append(rows, twoBest(of(all, peer), peer)...)
	}
	if control := of(all, results.Control); len(control) > 0 {
		rows = append(rows, choice{label: "no bridge (control)", system: results.Control, why: whyNot(control), summary: control[0]})
	}
	return rows
}

func ours(all []results.Summary, period int) []choice {
	var fixed, auto []results.Summary
	for _, s := range all {
		if s.Auto() {
			auto = append(auto, s)
		} else {
			fixed = append(fixed, s)
		}
	}
	goal := choice{label: "**archibald-bridge**", system: results.Ours, why: whyNot(fixed)}
	if goal.why == "" {
		candidates := heard(fixed)
		within := slices.DeleteFunc(slices.Clone(candidates), func(s results.Summary) bool {
			return s.RoundTripFrames.Median > goalFrames[period]
		})
		if len(within) > 0 {
			goal.label += ", within the goal"
			goal.summary = slices.MinFunc(within, byGaps)
		} else {
			goal.label += ", goal not reached"
			goal.summary = slices.MinFunc(candidates, byLatency)
		}
	}
	self := choice{label: "**archibald-bridge**, by itself", system: results.Ours, why: whyNot(auto)}
	if self.why == "" {
		self.summary = heard(auto)[0]
	}
	return []choice{goal, self}
}

func twoBest(all []results.Summary, peer string) []choice {
	if why := whyNot(all); why != "" {
		return []choice{{label: peer, system: peer, why: why}}
	}
	candidates := heard(all)
	least, fewest := slices.MinFunc(candidates, byLatency), slices.MinFunc(candidates, byGaps)
	if least.Key == fewest.Key {
		return []choice{{label: peer, system: peer, summary: least}}
	}
	return []choice{
		{label: peer + ", least latency", system: peer, summary: least},
		{label: peer + ", fewest gaps", system: peer, summary: fewest},
	}
}

// whyNot says why none of the settings has a figure, "" if one has.
func whyNot(all []results.Summary) string {
	if len(all) == 0 {
		return "not measured"
	}
	why := "no sound came through"
	for _, s := range all {
		if s.Heard > 0 {
			return ""
		}
		if s.Repeats == 0 && len(s.Errors) > 0 {
			why = "failed: " + s.Errors[0]
		}
	}
	return why
}
