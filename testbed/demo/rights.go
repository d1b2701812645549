package main

import (
	"fmt"
	"os"

	"archibald-bridge/testbed/endtoend"

	"golang.org/x/sys/unix"
)

// A FIFO priority that the sound servers ask for; a user may need leave for it.
const wantedPriority = 75

// prepare takes what makes the sound steadier, and says what this user may not
// have. The demo runs without.
func prepare(r *endtoend.Rig) {
	var limit unix.Rlimit
	_ = unix.Getrlimit(unix.RLIMIT_RTPRIO, &limit) // cannot fail
	if os.Geteuid() != 0 && limit.Cur < wantedPriority {
		fmt.Printf("  no real-time priority (limit rtprio %d, wanted %d): expect dropouts when the machine is busy\n", limit.Cur, wantedPriority)
	}
	if err := r.Quiet(); err != nil {
		fmt.Printf("  processors may fall asleep, expect dropouts: %v\n", err)
	}
}
