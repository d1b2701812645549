package stream

import "unsafe"

// Callbacks are the core as the C code of an audio server calls it, on its audio
// threads (archibald_rt.h).
type Callbacks struct {
	Engine  unsafe.Pointer // archibald_engine *, in C memory
	Playout unsafe.Pointer // archibald_playout_fn
	Capture unsafe.Pointer // archibald_capture_fn
	Follow  unsafe.Pointer // archibald_follow_fn; nil: this core cannot follow
	Socket  int            // that Follow reads, for the shim to wait on; -1: none
}
