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
	system       *system
	setting      string
	periodFrames int
	repeat       int // from 0
	skewPPM      float64
}

func (t trial) String() string {
	return fmt.Sprintf("%s %q, period %d, repeat %d, %+g ppm", t.system.name+" on "+t.system.servers, t.setting, t.periodFrames, t.repeat, t.skewPPM)
}

// isDone says whether r is this trial, made before.
func (t trial) isDone(r results.Run, seconds float64) bool {
	return r.System == t.system.name && r.Servers == t.system.servers && r.Setting == t.setting && r.PeriodFrames == t.periodFrames &&
		r.Repeat == t.repeat && r.SkewPPM == t.skewPPM && r.Seconds == seconds
}

// plan is every trial in the order in which they are made. All trials of one
// repeat come before those of the next, shuffled, so that neither a slow change of
// the machine nor the previous trial favours a system. The shuffle depends only on
// the repeat's number. All systems of a repeat have the same skew. Each period
// continues with the next skew, so that a few repeats cover all skews.
func plan(systems []*system, periods []int, repeats int, skewsPPM []float64) []trial {
	var all []trial
	for repeat := range repeats {
		first := len(all)
		for i, period := range periods {
			skew := skewsPPM[(i*repeats+repeat)%len(skewsPPM)]
			for _, s := range systems {
				for _, setting := range s.settings[period] {
					all = append(all, trial{s, setting, period, repeat, skew})
				}
			}
		}
		part := all[first:]
		random := rand.New(rand.NewPCG(1, uint64(repeat)))
		random.Shuffle(len(part), func(i, j int) { part[i], part[j] = part[j], part[i] })
	}
	return all
}

// around is how long a run takes in addition to settling and measuring: servers and
// programs start and stop.
const around = 9 * time.Second

func estimate(trials []trial, length time.Duration) time.Duration {
	var sum time.Duration
	for _, t := range trials {
		sum += around + cmp.Or(t.system.settle, usualSettle) + length
	}
	return sum.Round(time.Minute)
}
