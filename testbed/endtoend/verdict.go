package endtoend

import (
	"fmt"
	"math"
	"slices"
	"time"

	"archibald-bridge/testbed/recording"
	"archibald-bridge/testbed/signal"
)

// Pitch is that of a stretch without a gap.
type Pitch struct {
	FromNs, ToNs int64 // CLOCK_MONOTONIC
	Hz           float64
}

const (
	pitchOffHz  = 0.1  // allowed where no server failed
	medianOffHz = 0.05 // and of the middle one, whatever failed
	// slewLimit is how far from the drift a ratio ever is: what the servo allows itself
	// to work off time that a server lost.
	slewLimit = 500e-6
	// workedOff is how long after lost time that is heard: four time constants of the
	// servo's slow loop.
	workedOff = 16 * time.Second
	// correctedWithin is how long after lost time the servo may still find that playout is
	// a few frames off, by its lines of half-second points, and move it.
	correctedWithin = 5 * time.Second
)

// pitches measures every whole second between the gaps. from is the first frame of
// samples in the recording.
func pitches(r *recording.Recording, samples []float32, from int, hz float64, gaps []signal.Gap) (found []Pitch, err error) {
	pitchFrames := r.RateHz // a second: a Pitch is then good to a few thousandths of a Hz
	away := r.RateHz / 10   // frames from a gap's damage
	at := 0
	until := func(end int) error {
		for ; at+pitchFrames <= end; at += pitchFrames {
			tone, err := signal.Tone(samples[at:at+pitchFrames], r.RateHz, hz)
			if err != nil {
				return err
			}
			begin, known := r.TimeAt(from + at)
			end, alsoKnown := r.TimeAt(from + at + pitchFrames - 1)
			if known && alsoKnown {
				found = append(found, Pitch{begin, end, tone.FrequencyHz})
			}
		}
		return nil
	}
	for _, gap := range gaps {
		if err := until(gap.StartFrame - away); err != nil {
			return nil, err
		}
		at = max(at, gap.StartFrame+gap.LengthFrames+away)
	}
	return found, until(len(samples))
}

// failedSince says whether a server failed from fromNs to toNs.
func (h Heard) failedSince(fromNs, toNs int64) bool {
	return slices.ContainsFunc(h.Failures, func(f signal.TimedGap) bool {
		return f.Known && !f.Stalled && f.TimeNs > fromNs && f.TimeNs < toNs
	})
}

// failures counts those of servers; what comes within a tenth of a second is one.
func (h Heard) failures() (count int) {
	var times []int64
	for _, f := range h.Failures {
		if f.Known && !f.Stalled {
			times = append(times, f.TimeNs)
		}
	}
	slices.Sort(times)
	for i, at := range times {
		if i == 0 || at-times[i-1] > 100e6 {
			count++
		}
	}
	return count
}

// isCorrection says whether a gap is playout being moved after lost time: some frames
// more or less, cross-faded, or so few that no cross-fade is seen.
func (h Heard) isCorrection(gap signal.Attributed) bool {
	const crossFadeFrames, fewFrames = 64, 3
	moved := gap.Kind == signal.Missing || gap.Kind == signal.Repeated
	faded := gap.LengthFrames >= crossFadeFrames/4 || math.Abs(gap.SizeFrames) <= fewFrames
	return gap.Known && moved && faded && gap.LengthFrames <= 2*crossFadeFrames && h.failedSince(gap.TimeNs-int64(correctedWithin), gap.TimeNs)
}

// Faults is what is wrong with a channel. A gap is excused by a failure at that time
// alone; afterwards playout may be corrected once for each. A pitch is excused only
// while lost time is worked off, and that of most of the sound by nothing.
func (h Heard) Faults() (faults []string) {
	fault := func(format string, arguments ...any) {
		faults = append(faults, h.Channel+": "+fmt.Sprintf(format, arguments...))
	}
	off := make([]float64, 0, len(h.Pitches))
	for _, p := range h.Pitches {
		allowed := pitchOffHz
		if h.failedSince(p.FromNs-int64(workedOff), p.ToNs) {
			allowed += slewLimit * h.PlayedHz
		}
		off = append(off, p.Hz-h.PlayedHz)
		if math.Abs(p.Hz-h.PlayedHz) > allowed {
			fault("%.3f Hz for a second, played %.3f Hz, allowed %.3f off", p.Hz, h.PlayedHz, allowed)
		}
	}
	slices.Sort(off)
	if len(off) == 0 {
		if math.Abs(h.Tone.FrequencyHz-h.PlayedHz) > pitchOffHz+slewLimit*h.PlayedHz {
			fault("%.3f Hz, played %.3f Hz", h.Tone.FrequencyHz, h.PlayedHz)
		}
	} else if middle := off[len(off)/2]; math.Abs(middle) > medianOffHz {
		fault("%.3f Hz off in the middle of %d seconds, played %.3f Hz", middle, len(off), h.PlayedHz)
	}
	if math.Abs(h.Tone.LevelDBFS-toneDBFS) > 0.1 {
		fault("%.2f dBFS, played %.2f dBFS", h.Tone.LevelDBFS, toneDBFS)
	}
	if h.LeakDBFS > -80 {
		fault("another tone at %.1f dBFS", h.LeakDBFS)
	}
	if !h.Found {
		fault("the search for gaps did not find one planted frame")
	}
	corrections := 0
	for _, gap := range h.Gaps {
		switch {
		case !gap.Unexplained():
		case h.isCorrection(gap):
			corrections++
		default:
			fault("%+v, and nothing failed then", gap.TimedGap)
		}
	}
	if failures := h.failures(); corrections > failures {
		fault("playout was corrected %d times after %d failures", corrections, failures)
	}
	return faults
}

// spread is how far the seconds' pitches are off, for a log.
func (h Heard) spread() string {
	least, most := math.Inf(1), math.Inf(-1)
	for _, p := range h.Pitches {
		least, most = min(least, p.Hz-h.PlayedHz), max(most, p.Hz-h.PlayedHz)
	}
	return fmt.Sprintf("%+.4f to %+.4f Hz in %d seconds", least, most, len(h.Pitches))
}
