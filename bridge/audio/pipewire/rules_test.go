package pipewire

import (
	"os"
	"regexp"
	"testing"

	"archibald-bridge/testbed/rtcheck"
)

// audioFiles are all of this package that runs on PipeWire's data thread, and
// processCalls what they may call. The sources of a follower are the thread's loop's own
// (pw_loop_update_io and others, inline calls of epoll_ctl(2), timerfd_settime(2) and
// write(2)).
var audioFiles = []string{"process.c", "follow.c"}

var processCalls = map[string]string{
	"clock_gettime": "vDSO: no system call",
	"gettid":        "once, in the first cycle, for RealTime",
	"archibald_pw":  "the table of libpipewire's functions; see libraryCalls",
	"memset":        "bounded fill",
	"write":         "one eventfd, not blocking, only when quantum or rate have changed",
}

// Of libpipewire they may call these, which are meant for the data thread, or only read a
// field.
var libraryCalls = map[string]bool{
	"pw_stream_dequeue_buffer":  true,
	"pw_stream_queue_buffer":    true,
	"pw_stream_trigger_process": true,
	"pw_stream_is_driving":      true,
	"pw_stream_get_node_id":     true,
}

func TestProcessCallbacksKeepTheRealTimeRule(t *testing.T) {
	flags := []string{"-std=gnu11", "-O2", "-fno-builtin", "-I../../rt",
		"-isystem", "/usr/include/pipewire-0.3", "-isystem", "/usr/include/spa-0.2", "-D_REENTRANT"}
	rtcheck.Undefined(t, ".", audioFiles, flags, processCalls)
	for _, file := range audioFiles {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range regexp.MustCompile(`\barchibald_pw\.(\w+)`).FindAllSubmatch(text, -1) {
			if !libraryCalls[string(call[1])] {
				t.Errorf("real-time rule: %s calls %s", file, call[1])
			}
		}
	}
}

func TestSymbolsAreOursByName(t *testing.T) {
	rtcheck.Symbols(t, ".", "archibald_")
}
