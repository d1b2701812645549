package jack

// #include "taken.h"
import "C"

// takenCycles lets the tests, which cannot use cgo, reach the C function.
type takenCycles struct{ state C.struct_archibald_jack_taken }

func (t *takenCycles) take(server, played uint64, ageFrames, frames uint32) uint64 {
	return uint64(C.archibald_jack_take_cycle(&t.state, C.uint64_t(server), C.uint64_t(played), C.uint32_t(ageFrames), C.uint32_t(frames)))
}
