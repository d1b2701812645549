package main

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"archibald-bridge/benchmarks/results"
	"archibald-bridge/testbed/recording"
	"archibald-bridge/testbed/signal"
	"archibald-bridge/testbed/stalls"
)

// The tones. None is a harmonic of the other.
const (
	loopedHz, witnessHz = 441.0, 997.0
	toneDBFS            = -12.0
)

// witnessMargin is how far apart a server's failure and the gap it makes in the
// looped tone are seen, in addition to the time that the sound is on its way.
const witnessMargin = 50 * time.Millisecond

// stallMargin is the same for a processor's stall and the gap: both are timed by the same
// clock, and the sound's way adds nothing that is not counted. The less it is, the fewer
// gaps chance puts down to a stall.
const stallMargin = 15 * time.Millisecond

// leastWitness is the share of the time in which a witness must be heard to be one.
const leastWitness = 0.5

// judge fills in what the recordings tell: the guest's has the looped tone and
// its witness, the host's a witness. The length of the run before the guest's end
// counts; before that the bridge settled.
func judge(r *results.Run, heard recordings) error {
	guest, host := heard.guest, heard.host
	looped := guest.Sound.Channels[0]
	skip := len(looped) - int(r.Seconds*float64(guest.RateHz))
	if skip < 0 {
		return fmt.Errorf("only %.1f s of %g were recorded: ports were missing", float64(len(looped))/float64(guest.RateHz), r.Seconds)
	}
	looped = looped[skip:]
	r.SoundShare = signal.Presence(looped, guest.RateHz, loopedHz, toneDBFS)
	if r.SoundShare == 0 {
		return errors.New("no sound came back")
	}

	for where, witness := range map[string][]float32{"guest": guest.Sound.Channels[1], "host": host.Sound.Channels[0]} {
		if share := signal.Presence(witness, r.RateHz, witnessHz, toneDBFS); share < leastWitness {
			return fmt.Errorf("the witness on the %s was heard for %.0f %% of the time: it could excuse no gap", where, 100*share)
		}
	}

	from, _ := guest.TimeAt(skip)
	ofGuest, ofHost := failures(guest, 1), failures(host, 0)
	r.WitnessGapsGuest, r.WitnessGapsHost = countFrom(ofGuest, from), countFrom(ofHost, from)
	r.XrunsGuest, r.XrunsHost = guest.Xruns, host.Xruns
	// An end that a bridge keeps waiting for its cycles is no witness for it.
	var witnesses []signal.TimedGap
	if !r.HostFollows {
		witnesses = append(witnesses, ofHost...)
	}
	if !r.Slaved || r.HostFollows {
		witnesses = append(witnesses, ofGuest...)
	}
	gaps := signal.Gaps(looped, guest.RateHz, loopedHz)
	timed := signal.Timed(gaps, func(frame int) (int64, bool) { return guest.TimeAt(frame + skip) })
	r.Gaps, r.CausedGaps = len(gaps), 0
	var unexcused []signal.TimedGap
	for _, gap := range signal.Attribute(timed, witnesses, onTheWay(r), witnessMargin) {
		if gap.Ours {
			unexcused = append(unexcused, gap.TimedGap)
		}
	}
	standstills := standing(heard.stood, place{r.PeriodFrames, r.RateHz}.period()/2)
	r.Stalls = &results.Stalls{Count: len(standstills) / 2}
	if to, ok := guest.TimeAt(skip + len(looped) - 1); ok {
		r.Stalls.TimeShare = signal.StalledShare(standstills, onTheWay(r), stallMargin, from, to)
	}
	for _, gap := range signal.Attribute(unexcused, standstills, onTheWay(r), stallMargin) {
		if gap.Stalled {
			r.Stalls.Gaps++
		} else {
			r.CausedGaps++
		}
	}

	rateGuest, rateHost := guest.FrameRate(), host.FrameRate()
	if r.Slaved && !r.HostFollows {
		rateGuest = float64(guest.RateHz) // by the true clock, which an own server would follow
	}
	if rateGuest > 0 {
		r.SkewMeasuredPPM = math.Round((rateHost/rateGuest-1)*1e8) / 100
	}
	if found, ok := signal.FindsPlanted(looped, guest.RateHz, loopedHz, gaps); ok && !found {
		return errors.New("the search for gaps did not find one planted frame")
	}
	return nil
}

// standing are the beginnings and ends of the times in which a processor stood still so
// long that a graph cannot make up for it.
func standing(stood []stalls.Stall, least time.Duration) (all []signal.TimedGap) {
	for _, stall := range stood {
		if stall.Length >= least {
			for _, at := range []int64{stall.TimeNs, stall.TimeNs + int64(stall.Length)} {
				all = append(all, signal.TimedGap{TimeNs: at, Known: true, Stalled: true})
			}
		}
	}
	return all
}

// onTheWay is how long the sound takes from the first server to the recorder.
func onTheWay(r *results.Run) time.Duration {
	if len(r.RoundTripFrames) == 0 {
		return 100 * time.Millisecond
	}
	sorted := slices.Sorted(slices.Values(r.RoundTripFrames))
	return time.Duration(sorted[len(sorted)/2] / float64(r.RateHz) * float64(time.Second))
}

// failures are the moments at which a server failed: its witness tone has a gap,
// or it lost time.
func failures(r *recording.Recording, input int) []signal.TimedGap {
	gaps := signal.Gaps(r.Sound.Channels[input], r.RateHz, witnessHz)
	return append(signal.Timed(gaps, r.TimeAt), signal.Lost(r.Losses())...)
}

// countFrom counts failures from a moment on. What follows within the margin is the
// same one, seen twice.
func countFrom(failures []signal.TimedGap, fromNs int64) int {
	slices.SortFunc(failures, func(a, b signal.TimedGap) int { return cmp.Compare(a.TimeNs, b.TimeNs) })
	n := 0
	for _, failure := range failures {
		if failure.TimeNs < fromNs {
			continue
		}
		n++
		fromNs = failure.TimeNs + int64(witnessMargin)
	}
	return n
}
