package sim

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Trace is how late recorded wake-ups were, in nanoseconds, as testbed/jittertrace writes it.
type Trace []float64

// ReadTrace reads a file of one number a line; lines that begin with # say what
// was recorded.
func ReadTrace(path string) (Trace, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	var t Trace
	for lines := bufio.NewScanner(file); lines.Scan(); {
		text := lines.Text()
		if strings.HasPrefix(text, "#") {
			continue
		}
		ns, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		t = append(t, ns)
	}
	if len(t) == 0 {
		return nil, fmt.Errorf("%s: empty", path)
	}
	return t, nil
}

// Quantile returns how late a share q of the cycles was at most.
func (t Trace) Quantile(q float64) float64 {
	sorted := slices.Sorted(slices.Values(t))
	return sorted[int(q*float64(len(sorted)-1))]
}

// Replay returns the recording, from a place on, over and over.
func (t Trace) Replay(from int) func() float64 {
	i := from % len(t)
	return func() float64 {
		ns := t[i]
		i = (i + 1) % len(t)
		return ns
	}
}
