package jack

import (
	"testing"

	"archibald-bridge/testbed/rtcheck"
)

// What process.c and attribution.c may call; they are all of this package that runs on
// JACK's audio threads. The core itself is reached by function pointers and held to
// the rule in bridge/rt.
var processCalls = map[string]string{
	"clock_gettime":                 "vDSO: no system call",
	"gettid":                        "once, in the first cycle, for RealTime",
	"jack_frames_since_cycle_start": "reads shared memory and the clock (jack/jack.h: may be called from the process callback)",
	"jack_last_frame_time":          "reads shared memory without a lock (jack/jack.h: may be called from the process callback)",
	"jack_port_get_buffer":          "meant for the process callback",
	"memset":                        "silence of at most a period",
	"pthread_setcancelstate":        "writes the thread's own flag: libjack cancels its threads when their client closes",
}

func TestProcessCallbacksKeepTheRealTimeRule(t *testing.T) {
	flags := []string{"-D_GNU_SOURCE", "-std=gnu11", "-O2", "-fno-builtin"}
	rtcheck.Undefined(t, ".", []string{"process.c", "attribution.c"}, flags, processCalls)
}

func TestSymbolsAreOursByName(t *testing.T) {
	rtcheck.Symbols(t, ".", "archibald_")
}
