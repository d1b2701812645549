package main

import (
	"cmp"
	"fmt"
	"slices"

	"archibald-bridge/benchmarks/results"
)

// place is the period of the servers and their sample rate.
type place struct{ periodFrames, rateHz int }

func (p place) String() string {
	if p.rateHz == headlineRateHz {
		return fmt.Sprintf("Period %d", p.periodFrames)
	}
	return fmt.Sprintf("Period %d at %g kHz", p.periodFrames, float64(p.rateHz)/1000)
}

// goalFrames are the round trips to be reached at a fixed latency with free clocks.
var goalFrames = map[place]float64{{64, 48000}: 192, {32, 48000}: 128, {32, 96000}: 160}

// headlinePlaces are those of the first tables. The first two are named there even where
// they were not measured.
var headlinePlaces = []place{{64, 48000}, {32, 48000}, {32, 96000}}

const (
	headlineRateHz   = 48000
	headlineChannels = 2
	// productServers are those that the product is made for.
	productServers = "jackd+pipewire"
	jackServers    = "jackd+jackd"
)

// mainServers are those that the first tables have for ours and for the control: the
// product's, where we were measured there.
func mainServers(all []results.Summary) string {
	for _, s := range all {
		if s.System == results.Ours && s.Servers == productServers {
			return productServers
		}
	}
	return jackServers
}

// firstPeers are those that a row speaks of even where they were not measured.
var firstPeers = []string{"zita-njbridge", "jacktrip", "netjack2", "netone", "pipewire-rtp"}

// choice is a setting that stands for a system in the headline.
type choice struct {
	label   string
	system  string
	why     string // why there is no figure; "" when there is one
	summary results.Summary
}

// at keeps what the headline compares: stereo at one place.
func at(all []results.Summary, p place) []results.Summary {
	var kept []results.Summary
	for _, s := range all {
		if s.PeriodFrames == p.periodFrames && s.RateHz == p.rateHz && s.Channels == headlineChannels {
			kept = append(kept, s)
		}
	}
	return kept
}

// of keeps one system; ours and the control between the main servers, where they were
// measured there.
func of(all []results.Summary, system string) []results.Summary {
	main := mainServers(all)
	var kept, same []results.Summary
	for _, s := range all {
		if s.System != system {
			continue
		}
		kept = append(kept, s)
		if s.Servers == main {
			same = append(same, s)
		}
	}
	if (system == results.Ours || system == results.Control) && len(same) > 0 {
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

// choose returns the headline's rows for one place: ours at the goal, ours by itself, ours
// with locked clocks, each peer at its least latency and at its fewest gaps, the control.
func choose(all []results.Summary, p place) []choice {
	all = at(all, p)
	rows := ours(of(all, results.Ours), p)
	for _, peer := range results.Systems {
		if peer == results.Ours || peer == results.Control {
			continue
		}
		byServers := servers(of(all, peer))
		if len(byServers) == 0 && slices.Contains(firstPeers, peer) {
			rows = append(rows, choice{label: peer, system: peer, why: whyNot(nil)})
		}
		for _, same := range byServers {
			label := peer
			if len(byServers) > 1 {
				label += ", " + same[0].Servers
			}
			rows = append(rows, twoBest(same, peer, label)...)
		}
	}
	if control := of(all, results.Control); len(control) > 0 {
		rows = append(rows, choice{label: "no bridge (control)", system: results.Control, why: whyNot(control), summary: control[0]})
	}
	return rows
}

// servers parts the summaries of one system, which are in their order, by their servers.
func servers(all []results.Summary) (parts [][]results.Summary) {
	for i, s := range all {
		if i == 0 || s.Servers != all[i-1].Servers {
			parts = append(parts, nil)
		}
		parts[len(parts)-1] = append(parts[len(parts)-1], s)
	}
	return parts
}

func ours(all []results.Summary, p place) []choice {
	var fixed, auto []results.Summary
	var locked []choice
	for _, s := range all {
		switch {
		case s.Slaved:
			locked = append(locked, choice{label: "**archibald-bridge**, locked", system: results.Ours, why: whyNot([]results.Summary{s}), summary: s})
		case s.Auto():
			auto = append(auto, s)
		default:
			fixed = append(fixed, s)
		}
	}
	goal := choice{label: "**archibald-bridge**", system: results.Ours, why: whyNot(fixed)}
	if goal.why == "" {
		candidates := heard(fixed)
		within := slices.DeleteFunc(slices.Clone(candidates), func(s results.Summary) bool {
			return s.RoundTripFrames.Median > goalFrames[p]
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
	return append([]choice{goal, self}, locked...)
}

func twoBest(all []results.Summary, peer, label string) []choice {
	if why := whyNot(all); why != "" {
		return []choice{{label: label, system: peer, why: why}}
	}
	candidates := heard(all)
	least, fewest := slices.MinFunc(candidates, byLatency), slices.MinFunc(candidates, byGaps)
	if least.Key == fewest.Key {
		return []choice{{label: label, system: peer, summary: least}}
	}
	return []choice{
		{label: label + ", least latency", system: peer, summary: least},
		{label: label + ", fewest gaps", system: peer, summary: fewest},
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
