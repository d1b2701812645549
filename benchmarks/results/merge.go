package results

import (
	"slices"
	"strings"
)

// Set is everything that was measured on one machine.
type Set struct {
	Machine Machine // as the newest file has it
	Files   []Named // by date
	Runs    []Run
}

// Merge puts the runs of one machine together, from however many files, and
// keeps those of different machines apart: no figure is drawn from two. The set
// with the newest file is first. A run that two files hold counts once.
func Merge(files []Named) []Set {
	files = slices.Clone(files)
	slices.SortStableFunc(files, func(a, b Named) int { return strings.Compare(a.Name, b.Name) })
	var sets []Set
	for _, f := range slices.Backward(files) {
		at := slices.IndexFunc(sets, func(s Set) bool { return sameMachine(s.Machine, f.Machine) })
		if at < 0 {
			at = len(sets)
			sets = append(sets, Set{Machine: f.Machine})
		}
		sets[at].Files = append(sets[at].Files, f)
	}
	for i := range sets {
		slices.Reverse(sets[i].Files)
		type run struct {
			key     Key
			started string
		}
		seen := map[run]bool{}
		for _, f := range sets[i].Files {
			for _, r := range f.Runs {
				id := run{r.Key(), r.Started}
				if !seen[id] {
					seen[id] = true
					sets[i].Runs = append(sets[i].Runs, r)
				}
			}
		}
	}
	return sets
}

func sameMachine(a, b Machine) bool {
	return a.Processor == b.Processor && a.Processors == b.Processors && a.Kernel == b.Kernel && a.Distribution == b.Distribution
}
