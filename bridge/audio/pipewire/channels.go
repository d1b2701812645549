package pipewire

/*
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"slices"
	"strings"
	"unsafe"
)

// layouts have the channel order of WAVE files (and games), which is PipeWire's own
// too. Nodes with more channels have AUX0, AUX1 ...
var layouts = []string{
	"MONO",
	"FL FR",
	"FL FR FC",
	"FL FR RL RR",
	"FL FR FC RL RR",
	"FL FR FC LFE RL RR",
	"FL FR FC LFE RC SL SR",
	"FL FR FC LFE RL RR SL SR",
}

// positionsOf returns the positions of a node with this number of channels. chosen are the
// user's; they are for nodes with the same number.
func positionsOf(chosen []string, channels int) []string {
	switch {
	case len(chosen) == channels:
		return chosen
	case channels <= len(layouts):
		return strings.Fields(layouts[channels-1])
	}
	var positions []string
	for i := range channels {
		positions = append(positions, fmt.Sprintf("AUX%d", i))
	}
	return positions
}

// keepsChannels says whether a stream's channels stay its own. PipeWire mixes them
// into those of the sink that it is linked to, and gives it the ports of that; good
// for mono and stereo, but a desktop with two speakers would show two of eight
// channels, and mixing has no meaning for positions that are none.
func keepsChannels(positions []string) bool {
	return !slices.Contains([]string{layouts[0], layouts[1]}, strings.Join(positions, " "))
}

// positionNumber is PipeWire's number of a position; 0: it knows none of that name.
func positionNumber(name string) uint32 {
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	return uint32(C.archibald_pipewire_position(text))
}
