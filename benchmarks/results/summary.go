package results

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Names of systems that the figures treat apart.
const (
	Ours    = "archibald-bridge"
	Control = "control" // no bridge at all
)

// Systems are all that a file may name, in the order in which they are listed.
var Systems = []string{
	Ours, "zita-njbridge", "jacktrip", "netjack2", "netone", "pipewire-rtp",
	"netadapter", "netjack2-driver", "jacktrip-3", "vban", Control,
}

// Key is what repeats have in common.
type Key struct {
	System, Servers, Setting       string
	Slaved                         bool
	PeriodFrames, RateHz, Channels int
}

// Key tells which repeats a run belongs to.
func (r Run) Key() Key {
	return Key{r.System, r.Servers, r.Setting, r.Slaved, r.PeriodFrames, r.RateHz, r.Channels}
}

// Auto says whether the system chose its latency by itself.
func (k Key) Auto() bool { return k.Setting == "auto" }

// Spread is the median over repeats, and the least and the most.
type Spread struct{ Median, Least, Most float64 }

// Summary is what the repeats of one system at one setting gave. What failed is
// counted in Failed and in nothing else.
type Summary struct {
	Key
	Repeats, Failed int
	Errors          []string // of those that failed, each once
	Minutes         float64  // of all repeats together
	// Heard is how many repeats have a round trip; with 0 there is none.
	Heard               int
	RoundTripFrames     Spread // of the repeats' medians
	HostRoundTripFrames Spread // the same in the host's graph; 0 where it was not measured
	CausedGaps          int
	CausedGapsPerMinute float64
	// CausedLeast and CausedMost are between which the caused gaps per minute lie, with
	// a confidence of 95 %, by the number that was counted.
	CausedLeast, CausedMost float64
	// Watched says that processors were watched in all repeats. StalledGaps is then how
	// many gaps, in all repeats, came when one stood still, and StalledTimeShare which
	// part of the time would have excused a gap.
	Watched          bool
	StalledGaps      int
	StalledTimeShare float64
	// CausedPer10000 are gaps per 10,000 cycles of one server.
	CausedPer10000   float64
	ConcealEvents    int
	SoundShare       Spread
	CPUPercent       float64 // medians, as those below
	PacketsPerSecond float64
	KbitPerSecond    float64
	// The medians of the repeats that have one; 0 where none has.
	WakeUpsPerPeriod, SystemCallsPerPeriod, BenchFrames float64
	HostFollows                                         bool // the host's clock follows the guest's
	// InTimeShare is that of the worst repeat; nil where the system does not tell.
	InTimeShare *float64
}

// Summarise sums runs up, one summary for each key: by period from the largest,
// by channels, by system with ours first and the control last, then by setting.
func Summarise(runs []Run) []Summary {
	groups := map[Key][]Run{}
	for _, r := range runs {
		groups[r.Key()] = append(groups[r.Key()], r)
	}
	var all []Summary
	for key, group := range groups {
		all = append(all, summarise(key, group))
	}
	slices.SortFunc(all, func(a, b Summary) int { return order(a.Key, b.Key) })
	return all
}

func summarise(key Key, runs []Run) Summary {
	s := Summary{Key: key}
	var medians, hosts, sound, cpu, packets, kbit, wakeUps, calls, bench []float64
	seconds, stalled, watched := 0.0, 0.0, 0
	for _, r := range runs {
		if r.Kind == Calls {
			if r.Error == "" {
				calls = append(calls, r.SystemCallsPerPeriod)
			}
			continue
		}
		if r.Error != "" {
			s.Failed++
			s.Errors = append(s.Errors, r.Error)
			continue
		}
		s.Repeats++
		s.HostFollows = r.HostFollows
		seconds += r.Seconds
		s.CausedGaps += r.CausedGaps
		s.ConcealEvents += r.ConcealEvents
		if len(r.RoundTripFrames) > 0 {
			medians = append(medians, Median(r.RoundTripFrames))
		}
		if len(r.HostRoundTripFrames) > 0 {
			hosts = append(hosts, Median(r.HostRoundTripFrames))
		}
		if r.Stalls != nil {
			watched++
			s.StalledGaps += r.Stalls.Gaps
			stalled += r.Stalls.TimeShare * r.Seconds
		}
		if r.InTimeShare != nil && (s.InTimeShare == nil || *r.InTimeShare < *s.InTimeShare) {
			s.InTimeShare = r.InTimeShare
		}
		if r.WakeUpsPerPeriod > 0 {
			wakeUps = append(wakeUps, r.WakeUpsPerPeriod)
		}
		if r.BenchFrames > 0 {
			bench = append(bench, r.BenchFrames)
		}
		sound = append(sound, r.SoundShare)
		cpu = append(cpu, r.CPUPercent)
		packets = append(packets, r.PacketsPerSecond)
		kbit = append(kbit, r.KbitPerSecond)
	}
	slices.Sort(s.Errors)
	s.Errors = slices.Compact(s.Errors)
	s.Heard = len(medians)
	s.RoundTripFrames, s.HostRoundTripFrames, s.SoundShare = spread(medians), spread(hosts), spread(sound)
	s.CPUPercent, s.PacketsPerSecond, s.KbitPerSecond = Median(cpu), Median(packets), Median(kbit)
	s.WakeUpsPerPeriod, s.SystemCallsPerPeriod, s.BenchFrames = Median(wakeUps), Median(calls), Median(bench)
	if s.Repeats > 0 {
		s.Watched, s.StalledTimeShare = watched == s.Repeats, stalled/seconds
		s.Minutes = seconds / 60
		s.CausedGapsPerMinute = float64(s.CausedGaps) / s.Minutes
		least, most := PoissonInterval(s.CausedGaps, confidence)
		s.CausedLeast, s.CausedMost = least/s.Minutes, most/s.Minutes
		s.CausedPer10000 = 1e4 * float64(s.CausedGaps) / (seconds * float64(key.RateHz) / float64(key.PeriodFrames))
	}
	return s
}

// Median returns the middle value, or the middle of the two; 0 of none.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

func spread(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	return Spread{Median(values), slices.Min(values), slices.Max(values)}
}

func order(a, b Key) int {
	return cmp.Or(
		cmp.Compare(b.PeriodFrames, a.PeriodFrames), cmp.Compare(a.RateHz, b.RateHz), cmp.Compare(a.Channels, b.Channels),
		cmp.Compare(rank(a.System), rank(b.System)), strings.Compare(a.System, b.System), strings.Compare(a.Servers, b.Servers),
		slavedLast(a.Slaved, b.Slaved), compareSettings(a.Setting, b.Setting),
	)
}

func rank(system string) int {
	switch system {
	case Ours:
		return 0
	case Control:
		return 2
	}
	return 1
}

func slavedLast(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// compareSettings puts 96frames before 112frames, and auto behind both.
func compareSettings(a, b string) int {
	aValue, aFound := number(a)
	bValue, bFound := number(b)
	if aFound && bFound {
		return cmp.Or(cmp.Compare(aValue, bValue), strings.Compare(a, b))
	}
	if aFound != bFound {
		if aFound {
			return -1
		}
		return 1
	}
	return strings.Compare(a, b)
}

// number is the last number in a setting.
func number(setting string) (float64, bool) {
	fields := strings.FieldsFunc(setting, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if len(fields) == 0 {
		return 0, false
	}
	value, err := strconv.ParseFloat(fields[len(fields)-1], 64)
	return value, err == nil
}
