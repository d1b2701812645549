package netone

import (
	"testing"

	"archibald-bridge/testbed/rtcheck"
)

// What the driving thread, and capture's at the end of a cycle, may call. The core is reached by
// a function pointer and held to the rule in bridge/rt.
var threadCalls = map[string]string{
	"clock_gettime": "vDSO: no system call",
	"gettid":        "once, at the start",
	"memset":        "the headers of a few packets",
	"ppoll":         "this thread's only sleep, until its next deadline at the most",
	"read":          "empties the eventfd, which does not block",
	"recvmmsg":      "netone's answers, MSG_DONTWAIT",
	"send":          "one packet to netone on loopback, MSG_DONTWAIT",
	"write":         "capture wakes the driving thread, only if it waits for the end of that cycle; the eventfd does not block",
}

func TestTheDrivingThreadKeepsTheRealTimeRule(t *testing.T) {
	flags := []string{"-D_GNU_SOURCE", "-std=gnu11", "-O2", "-fno-builtin"}
	rtcheck.Undefined(t, ".", []string{"drive.c", "packet.c"}, flags, threadCalls)
}

func TestSymbolsAreOursByName(t *testing.T) {
	rtcheck.Symbols(t, ".", "archibald_")
}
