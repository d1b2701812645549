package signal

import (
	"slices"
	"time"

	"archibald-bridge/testbed/recording"
	"archibald-bridge/testbed/stalls"
)

// TimedGap is a gap, or a server's lost time, on the clock that all recordings
// share. Known is false when the time could not be had; then TimeNs is nothing.
type TimedGap struct {
	Gap
	TimeNs  int64 // CLOCK_MONOTONIC at the gap's first frame
	Known   bool
	Stalled bool // no gap: a processor stood still
	Told    bool // no gap: a server told the bridge's own client of a failure, or left it out
}

// Attributed is a gap in the bridged tone and what it is put down to.
type Attributed struct {
	TimedGap
	Ours    bool
	Stalled bool     // Ours, when a processor stood still
	Told    bool     // Ours, when a server failed for the bridge's client alone
	Witness TimedGap // the witness gap that excuses it; only when not Ours
}

// Unexplained says that nothing failed at the gap: no server, neither for all its
// clients nor for the bridge's alone, and no processor.
func (a Attributed) Unexplained() bool { return a.Ours && !a.Stalled && !a.Told }

// Timed adds times to gaps. timeAt is recording.Recording's TimeAt.
func Timed(gaps []Gap, timeAt func(frame int) (ns int64, ok bool)) []TimedGap {
	timed := make([]TimedGap, 0, len(gaps))
	for _, gap := range gaps {
		ns, ok := timeAt(gap.StartFrame)
		timed = append(timed, TimedGap{Gap: gap, TimeNs: ns, Known: ok})
	}
	return timed
}

// Lost makes witness gaps of a server's lost time and missed cycles.
func Lost(losses []recording.Loss) []TimedGap {
	timed := make([]TimedGap, 0, len(losses))
	for _, loss := range losses {
		gap := Gap{StartFrame: loss.Frame, LengthFrames: 1, Kind: Missing, SizeFrames: float64(loss.LostFrames)}
		timed = append(timed, TimedGap{Gap: gap, TimeNs: loss.MonotonicNs, Known: true})
	}
	return timed
}

// Stalled makes witnesses of the times in which a processor stood still for half a
// period or longer: more than a graph can make up for. They excuse nothing, but tell
// what a gap came of.
func Stalled(found []stalls.Stall, periodFrames, rateHz int) (timed []TimedGap) {
	least := time.Duration(periodFrames) * time.Second / time.Duration(rateHz) / 2
	for _, stall := range found {
		if stall.Length >= least {
			timed = append(timed, TimedGap{TimeNs: stall.TimeNs, Known: true, Stalled: true})
		}
	}
	return timed
}

// Attribute decides which gaps in a tone that crossed the bridge are the
// bridge's own. Witnesses are the gaps of tones that did not cross it, recorded
// in either server: there the server itself failed. A gap at t with a witness
// gap at t-buffer-margin to t+margin is the server's; buffer is how long sound
// stays in the bridge, margin the inaccuracy of the times. Every other gap is
// ours, also one whose time is not known, and one at a stall or at a failure that only
// the bridge was told of.
func Attribute(bridged, witnesses []TimedGap, buffer, margin time.Duration) []Attributed {
	result := make([]Attributed, 0, len(bridged))
	for _, gap := range bridged {
		a := Attributed{TimedGap: gap, Ours: true}
		for _, witness := range witnesses {
			since := time.Duration(gap.TimeNs - witness.TimeNs)
			switch {
			case !gap.Known || !witness.Known || since < -margin || since > buffer+margin:
			case witness.Stalled:
				a.Stalled = true
			case witness.Told:
				a.Told = true
			case a.Ours: // the first one
				a.Ours, a.Witness = false, witness
			}
		}
		a.Stalled, a.Told = a.Stalled && a.Ours, a.Told && a.Ours
		result = append(result, a)
	}
	return result
}

// StalledShare returns the share, 0 to 1, of the time from fromNs to toNs in which
// Attribute would call a gap stalled: the share that chance would give.
func StalledShare(witnesses []TimedGap, buffer, margin time.Duration, fromNs, toNs int64) float64 {
	var times []int64
	for _, witness := range witnesses {
		if witness.Stalled && witness.Known {
			times = append(times, witness.TimeNs)
		}
	}
	slices.Sort(times)
	covered, until := int64(0), fromNs
	for _, at := range times {
		begin, end := max(at-int64(margin), until), min(at+int64(buffer+margin), toNs)
		if end > begin {
			covered, until = covered+end-begin, end
		}
	}
	return float64(covered) / float64(toNs-fromNs)
}
