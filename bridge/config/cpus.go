package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxCPU is the highest processor number that sched_setaffinity(2) takes as
// glibc and Go call it.
const maxCPU = 1023

// CPUs is a set of processors, as Linux numbers them. The zero value is none.
type CPUs struct{ Numbers []int } // ascending, each once

// UnmarshalText reads "2", "2,3" or "2-5,8", as taskset(1) does, or nothing.
func (c *CPUs) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*c = CPUs{}
		return nil
	}
	var numbers []int
	for part := range strings.SplitSeq(string(text), ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err := cpuNumber(first)
		if err != nil {
			return err
		}
		to, err := cpuNumber(last)
		if err != nil || to < from {
			return errNotLegal
		}
		for number := from; number <= to; number++ {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	c.Numbers = slices.Compact(numbers)
	return nil
}

func cpuNumber(text string) (int, error) {
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil || number > maxCPU {
		return 0, errNotLegal
	}
	return int(number), nil
}

// String returns the set as UnmarshalText reads it, neighbours as ranges.
func (c CPUs) String() string {
	var parts []string
	for i := 0; i < len(c.Numbers); {
		last := i
		for last+1 < len(c.Numbers) && c.Numbers[last+1] == c.Numbers[last]+1 {
			last++
		}
		switch last - i {
		case 0:
			parts = append(parts, strconv.Itoa(c.Numbers[i]))
		case 1:
			parts = append(parts, strconv.Itoa(c.Numbers[i]), strconv.Itoa(c.Numbers[last]))
		default:
			parts = append(parts, fmt.Sprintf("%d-%d", c.Numbers[i], c.Numbers[last]))
		}
		i = last + 1
	}
	return strings.Join(parts, ",")
}
