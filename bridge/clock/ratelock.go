package clock

import (
	"math"
	"time"
)

// rateState is how the two clocks relate.
type rateState int

const (
	tracking   rateState = iota // they are two: the ratio follows the slopes, a slow loop the phase
	candidate                   // the same, and they look like one clock
	rateLocked                  // they are one clock: the ratio is 1, the resampler copies
	bypass                      // the same, found soon after the first sound: the target is without its look-ahead
)

// rateLock finds two clocks that are one and the same, so that nothing needs to be resampled,
// and lets them go when the phase wanders after all.
type rateLock struct {
	state      rateState
	sinceNs    int64         // when the clocks became a candidate
	replacedNs int64         // when locked playout was last placed again; 0: never
	patience   time.Duration // as a candidate, before the lock; doubled each time that it was wrong
}

func newRateLock() rateLock { return rateLock{patience: earlyLockAfter} }

// locked says that nothing is resampled.
func (l *rateLock) locked() bool { return l.state == rateLocked || l.state == bypass }

// reset is for another sender, or one whose timestamps start from elsewhere.
func (l *rateLock) reset() { l.state = tracking }

// suspend is for a playout that has to be placed again. The clocks stay what they seem to
// be: if they still look like one then, they are locked at once.
func (l *rateLock) suspend() {
	if l.locked() {
		l.state = candidate
	}
}

// relation is what decides about a lock.
type relation struct {
	nowNs        int64
	early        bool    // the first sound was a short time ago
	drift        float64 // of the slopes now, without its sign
	averageDrift float64 // of the slopes' averages
	phase        float64 // frames that playout is off
	misplaced    bool    // playout will be placed again, and has no phase then
}

// update goes to the next state. It says whether locked playout must be placed again.
func (l *rateLock) update(r relation) (misplaced bool) {
	// On a busy machine the slopes are off by more than lateLockDrift for seconds, and
	// their averages are not. After a clock came back the averages are off, for minutes.
	drift, within, patience := math.Min(r.drift, r.averageDrift), lateLockDrift, max(l.patience, lateLockAfter)
	// Clocks that are one are so from the start. Two that drift past each other later on
	// look like one for a while.
	if r.early {
		drift, within, patience = r.drift, earlyLockDrift, l.patience
	}
	off := math.Abs(r.phase)
	switch {
	case l.locked():
		return l.hold(r, off, drift, within)
	case drift > within || off > lockMargin && !r.misplaced:
		l.state = tracking
		return r.misplaced
	case l.state == tracking:
		l.state, l.sinceNs = candidate, r.nowNs
	}
	if r.nowNs-l.sinceNs >= int64(patience) {
		// A latency that is lowered later on is not constant, so the look-ahead stays.
		if l.state = rateLocked; r.early {
			l.state = bypass
		}
	}
	return r.misplaced
}

// hold keeps the lock, or lets it go.
func (l *rateLock) hold(r relation, off, drift, within float64) (misplaced bool) {
	switch {
	case r.misplaced || off <= wanderMargin:
		return r.misplaced
	// No drift did that. It was a step too small to be found, or a time in which not even
	// the earliest point was punctual. A drift would do it again soon.
	case r.drift < within, drift < earlyLockDrift && (l.replacedNs == 0 || r.nowNs-l.replacedNs > int64(replaceInterval)):
		l.replacedNs = r.nowNs
		return true
	}
	l.state = tracking
	l.patience = min(2*l.patience, mostPatience)
	return false
}
