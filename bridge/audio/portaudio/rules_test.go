//go:build portaudio

package portaudio

import (
	"testing"

	"archibald-bridge/testbed/rtcheck"
)

// What process.c may call; it is all of this package that runs on PortAudio's
// audio thread.
var processCalls = map[string]string{
	"clock_gettime": "vDSO: no system call",
	"gettid":        "once, in the first cycle, for RealTime",
	"nanosleep":     "only in place of a device that keeps no time, which nobody hears",
}

func TestProcessCallbackKeepsTheRealTimeRule(t *testing.T) {
	flags := []string{"-std=gnu11", "-O2", "-fno-builtin", "-I../../rt"}
	rtcheck.Undefined(t, ".", []string{"process.c"}, flags, processCalls)
}

func TestSymbolsAreOursByName(t *testing.T) {
	rtcheck.Symbols(t, ".", "archibald_")
}
