package results

import (
	"cmp"
	"math"
	"slices"
)

// Line is what the settings of one curve have in common.
type Line struct {
	System, Servers                string
	Slaved                         bool
	PeriodFrames, RateHz, Channels int
}

// leastSound is the share of a run that must have sound for its setting to count:
// one that is mute for long has few gaps, and its round trip is that of moments.
const leastSound = 0.95

// Curve is one system at one period: what each setting costs in latency and
// what in gaps, by latency. Settings at which no round trip was heard, or that
// were mute for more than a twentieth of the time, are no points.
type Curve struct {
	Line
	Points, Mute, Silent []Summary
}

// Works says that the setting is a point of its curve.
func (s Summary) Works() bool { return s.Heard > 0 && s.SoundShare.Median >= leastSound }

// Curves draws one curve for each system between each pair of servers.
func Curves(all []Summary) []Curve {
	var curves []Curve
	for _, s := range all {
		if s.System == Control {
			continue
		}
		line := Line{s.System, s.Servers, s.Slaved, s.PeriodFrames, s.RateHz, s.Channels}
		at := slices.IndexFunc(curves, func(c Curve) bool { return c.Line == line })
		if at < 0 {
			at = len(curves)
			curves = append(curves, Curve{Line: line})
		}
		switch c := &curves[at]; {
		case s.Works():
			c.Points = append(c.Points, s)
		case s.Heard > 0:
			c.Mute = append(c.Mute, s)
		default:
			c.Silent = append(c.Silent, s)
		}
	}
	for _, c := range curves {
		slices.SortStableFunc(c.Points, func(a, b Summary) int {
			return cmp.Compare(a.RoundTripFrames.Median, b.RoundTripFrames.Median)
		})
	}
	return curves
}

// Exception is a setting of theirs that no setting of ours is as good as.
type Exception struct {
	Theirs Summary
	// Ours has the least latency of those of our settings that cause no more
	// gaps per minute; nil when every one causes more.
	Ours *Summary
}

// Above lists the points of a curve of theirs that ours does not lie below.
// Ours lies below a point when one of our settings has no larger median round
// trip and, at the same setting, no more caused gaps per minute. An empty list
// with at least one point of theirs means: our curve lies below theirs.
//
// Figures are compared as they are printed, to 0.1 frames and 0.01 gaps per
// minute: repeats are not of the same length to the millisecond.
func Above(ours, theirs Curve) []Exception {
	var exceptions []Exception
	for _, p := range theirs.Points {
		at := slices.IndexFunc(ours.Points, func(o Summary) bool { // by latency: the first is the nearest
			return math.Round(o.CausedGapsPerMinute*100) <= math.Round(p.CausedGapsPerMinute*100)
		})
		switch {
		case at < 0:
			exceptions = append(exceptions, Exception{p, nil})
		case math.Round(ours.Points[at].RoundTripFrames.Median*10) > math.Round(p.RoundTripFrames.Median*10):
			exceptions = append(exceptions, Exception{p, &ours.Points[at]})
		}
	}
	return exceptions
}

// Match returns the curve of ours that another's line is held against: slaved clocks
// against slaved ones and free ones against free ones, and among these between the same
// servers where we were measured there, else the first of ours. Where ours was not
// measured with slaved clocks, they are held against free ones.
func Match(curves []Curve, theirs Line) (Curve, bool) {
	var found Curve
	best := -1
	for _, c := range curves {
		if c.System != Ours || c.PeriodFrames != theirs.PeriodFrames || c.RateHz != theirs.RateHz || c.Channels != theirs.Channels || c.Slaved && !theirs.Slaved {
			continue
		}
		likeness := 0
		if c.Slaved == theirs.Slaved {
			likeness += 2
		}
		if c.Servers == theirs.Servers {
			likeness++
		}
		if likeness > best {
			found, best = c, likeness
		}
	}
	return found, best >= 0
}
