package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"time"

	"archibald-bridge/benchmarks/results"
)

// trial is one run to be made.
type trial struct {
	system  *system
	setting string
	place
	repeat  int // from 0
	skewPPM float64
	kind    string // as in results.Run
}

func (t trial) String() string {
	text := fmt.Sprintf("%s %q, period %v, repeat %d, %+g ppm", t.system.name+" on "+t.system.servers, t.setting, t.place, t.repeat, t.skewPPM)
	if t.kind != "" {
		text += ", " + t.kind
	}
	return text
}

// isDone says whether r is this trial, made before.
func (t trial) isDone(r results.Run, seconds float64) bool {
	return r.System == t.system.name && r.Servers == t.system.servers && r.Setting == t.setting && r.PeriodFrames == t.periodFrames && r.RateHz == t.rateHz &&
		r.Repeat == t.repeat && r.SkewPPM == t.skewPPM && r.Kind == t.kind && r.Seconds == t.length(seconds)
}

// callsSeconds is how long system calls are counted.
const callsSeconds = 5

// length is how long the trial is measured where others are for so many seconds.
func (t trial) length(seconds float64) float64 {
	if t.kind == results.Calls {
		return callsSeconds
	}
	return seconds
}

// plan is every trial in the order in which they are made. All trials of one
// repeat come before those of the next, shuffled, so that neither a slow change of
// the machine nor the previous trial favours a system. The shuffle depends only on
// the repeat's number. All systems of a repeat have the same skew. Each period
// continues with the next skew, so that a few repeats cover all skews. At the end, apart
// from all, the system calls of each system are counted once, at its first setting; where
// one end of ours leads, at each.
func plan(systems []*system, places []place, repeats int, skewsPPM []float64) []trial {
	var all []trial
	for repeat := range repeats {
		first := len(all)
		for i, at := range places {
			skew := skewsPPM[(i*repeats+repeat)%len(skewsPPM)]
			for _, s := range systems {
				for _, setting := range s.settings[at] {
					all = append(all, trial{s, setting, at, repeat, skew, ""})
				}
			}
		}
		part := all[first:]
		random := rand.New(rand.NewPCG(1, uint64(repeat)))
		random.Shuffle(len(part), func(i, j int) { part[i], part[j] = part[j], part[i] })
	}
	for _, at := range places {
		for _, s := range systems {
			settings := s.settings[at]
			if s.name != results.Ours || s.follows == neither {
				settings = settings[:min(1, len(settings))]
			}
			for _, setting := range settings {
				if s.name != results.Control {
					all = append(all, trial{s, setting, at, 0, 0, results.Calls})
				}
			}
		}
	}
	return all
}

// around is how long a run takes in addition to settling, measuring and reading on the host:
// servers and programs start and stop, and `archibald-bridge bench` measures.
const around = 15 * time.Second

func estimate(trials []trial, length time.Duration) time.Duration {
	var sum time.Duration
	for _, t := range trials {
		sum += around + cmp.Or(t.system.settle, usualSettle) + time.Duration(t.length(length.Seconds())*float64(time.Second))
		if t.kind == "" {
			sum += hostReading
		}
	}
	return sum.Round(time.Minute)
}
