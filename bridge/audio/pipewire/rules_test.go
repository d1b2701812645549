package pipewire

import (
	"os"
	"regexp"
	"testing"

	"archibald-bridge/testbed/rtcheck"
)

// What process.c may call; it is all of this package that runs on PipeWire's
// data thread.
var processCalls = map[string]string{
	"clock_gettime": "vDSO: no system call",
	"gettid":        "once, in the first cycle, for RealTime",
	"archibald_pw":  "the table of libpipewire's functions; see libraryCalls",
	"memset":        "bounded fill",
	"write":         "one eventfd, not blocking, only when quantum or rate have changed",
}

// Of libpipewire it may call these: both are meant for the process callback.
var libraryCalls = map[string]bool{"pw_stream_dequeue_buffer": true, "pw_stream_queue_buffer": true}

func TestProcessCallbacksKeepTheRealTimeRule(t *testing.T) {
	flags := []string{"-std=gnu11", "-O2", "-fno-builtin", "-I../../rt",
		"-isystem", "/usr/include/pipewire-0.3", "-isystem", "/usr/include/spa-0.2", "-D_REENTRANT"}
	rtcheck.Undefined(t, ".", []string{"process.c"}, flags, processCalls)
	text, err := os.ReadFile("process.c")
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range regexp.MustCompile(`\barchibald_pw\.(\w+)`).FindAllSubmatch(text, -1) {
		if !libraryCalls[string(call[1])] {
			t.Errorf("real-time rule: process.c calls %s", call[1])
		}
	}
}

func TestSymbolsAreOursByName(t *testing.T) {
	rtcheck.Symbols(t, ".", "archibald_")
}
