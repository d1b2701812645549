package signal

import "math"

// Run is a stretch of a recording that is, or is not, a copy of the reference.
type Run struct {
	Start     int  // first frame in the recording
	Length    int  // in frames
	Equal     bool // bit for bit
	Reference int  // first frame in the reference; -1 when not equal
}

// The reference is indexed at every 64th frame; a run of equal frames shorter
// than twice that may be taken for unequal. An anchor is eight frames.
const (
	exactStep   = 64
	exactAnchor = 8
)

// BitExact compares a recording with the pseudo-random reference it should be
// a copy of. It returns the runs in order; together they are the whole
// recording. The reference may start earlier and end later than the recording.
func BitExact(reference, recording []float32) []Run {
	index := make(map[[exactAnchor]uint32]int)
	for at := 0; at+exactAnchor <= len(reference); at += exactStep {
		index[anchorAt(reference, at)] = at
	}
	var runs []Run
	done := 0 // frames of the recording in runs
	for at := 0; at+exactAnchor <= len(recording); at++ {
		from, ok := index[anchorAt(recording, at)]
		if !ok {
			continue
		}
		start := at
		for start > done && from > 0 && sameBits(recording[start-1], reference[from-1]) {
			start--
			from--
		}
		end := start
		for end < len(recording) && from+end-start < len(reference) && sameBits(recording[end], reference[from+end-start]) {
			end++
		}
		if start > done {
			runs = append(runs, Run{done, start - done, false, -1})
		}
		runs = append(runs, Run{start, end - start, true, from})
		done = end
		at = end - 1
	}
	if done < len(recording) {
		runs = append(runs, Run{done, len(recording) - done, false, -1})
	}
	return runs
}

func anchorAt(samples []float32, at int) (anchor [exactAnchor]uint32) {
	for i := range anchor {
		anchor[i] = math.Float32bits(samples[at+i])
	}
	return anchor
}

func sameBits(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }
