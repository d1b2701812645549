package jack

// #include "attribution.h"
import "C"

// attribution lets the tests, which cannot use cgo, reach the C function.
type attribution struct {
	state C.struct_archibald_jack_attribution
}

func (t *attribution) take(server, played uint64, ageFrames, frames uint32) uint64 {
	return uint64(C.archibald_jack_attribute_cycle(&t.state, C.uint64_t(server), C.uint64_t(played), C.uint32_t(ageFrames), C.uint32_t(frames)))
}
