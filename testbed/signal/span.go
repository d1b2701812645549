package signal

import (
	"cmp"
	"slices"
)

// span is a stretch of frames, end excluded.
type span struct{ start, end int }

// merge sorts spans and joins those nearer than gapMerge.
func merge(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	var merged []span
	for _, s := range spans {
		if n := len(merged); n > 0 && s.start-merged[n-1].end < gapMerge {
			merged[n-1].end = max(merged[n-1].end, s.end)
			continue
		}
		merged = append(merged, s)
	}
	return merged
}

// withoutNear leaves out spans too short for the fitted amplitude to place
// well, where an exact span is near: that one says where the damage is.
func withoutNear(spans, exact []span) []span {
	return slices.DeleteFunc(spans, func(s span) bool {
		if s.end-s.start > gapWindow/4 {
			return false
		}
		i, _ := slices.BinarySearchFunc(exact, s.start-gapWindow/2, func(e span, at int) int { return cmp.Compare(e.end, at) })
		return i < len(exact) && exact[i].start < s.end+gapWindow/2
	})
}
