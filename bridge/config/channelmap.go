package config

import (
	"fmt"
	"slices"
	"strings"
)

// ChannelMap is where each channel of a node is meant to be heard. Nil is the usual
// layout.
type ChannelMap struct{ Positions []string }

// maxAux is how many positions there are that stand for none.
const maxAux = 64

// ChannelPositions are PipeWire's (spa/param/audio/raw.h).
func ChannelPositions() []string {
	positions := strings.Fields("MONO FL FR FC LFE SL SR FLC FRC RC RL RR TC TFL TFC TFR TRL TRC TRR " +
		"RLC RRC FLW FRW LFE2 FLH FCH FRH TFLC TFRC TSL TSR BC BLC BRC")
	for i := range maxAux {
		positions = append(positions, fmt.Sprintf("AUX%d", i))
	}
	return positions
}

// UnmarshalText reads positions with commas between; blanks do not count.
func (m *ChannelMap) UnmarshalText(text []byte) error {
	m.Positions = nil
	if strings.TrimSpace(string(text)) == "" {
		return nil
	}
	known := ChannelPositions()
	var positions []string
	for part := range strings.SplitSeq(strings.ToUpper(string(text)), ",") {
		position := strings.TrimSpace(part)
		if !slices.Contains(known, position) || slices.Contains(positions, position) {
			return errNotLegal
		}
		positions = append(positions, position)
	}
	if !uniform(positions) {
		return errNotLegal
	}
	m.Positions = positions
	return nil
}

// uniform says whether PipeWire carries all of them: it drops AUX where there are
// positions, and MONO is alone.
func uniform(positions []string) bool {
	aux := 0
	for _, position := range positions {
		if strings.HasPrefix(position, "AUX") {
			aux++
		}
	}
	return (aux == 0 || aux == len(positions)) && (len(positions) == 1 || !slices.Contains(positions, "MONO"))
}

func (m ChannelMap) String() string { return strings.Join(m.Positions, ",") }
