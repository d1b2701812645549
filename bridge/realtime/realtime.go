package realtime

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"archibald-bridge/bridge/status"
)

const realtimeRemedy = "a limit of 20 or more for rtprio (limits.conf(5); in a systemd unit LimitRTPRIO=), " +
	"or in a unit AmbientCapabilities=CAP_SYS_NICE, or the RealtimeKit service (package rtkit)"

// sources of real-time priority, in the order in which they are asked.
var sources = []string{status.RealtimeByServer, status.RealtimeByRights, status.RealtimeByKit}

// promote sees to it that a thread is real-time, and returns who made it so.
func promote(thread, priority int) (by string, err error) {
	attributes, err := unix.SchedGetAttr(thread, 0)
	if err != nil {
		return "", fmt.Errorf("thread %d: %w", thread, err)
	}
	if attributes.Policy == unix.SCHED_FIFO || attributes.Policy == unix.SCHED_RR {
		return status.RealtimeByServer, nil
	}
	own := promoteByRights(thread, priority)
	if own == nil {
		return status.RealtimeByRights, nil
	}
	kit := promoteByKit(thread, priority)
	if kit == nil {
		return status.RealtimeByKit, nil
	}
	return "", fmt.Errorf("own rights: %w; RealtimeKit: %w", own, kit)
}

// promoteByRights uses CAP_SYS_NICE, or what the rtprio limit leaves.
func promoteByRights(thread, priority int) error {
	err := setFIFO(thread, priority)
	var limit unix.Rlimit
	if !errors.Is(err, unix.EPERM) || unix.Getrlimit(unix.RLIMIT_RTPRIO, &limit) != nil || limit.Max == 0 {
		return err
	}
	// All that may be had may be more than what is set.
	limit.Cur = limit.Max
	if err := unix.Setrlimit(unix.RLIMIT_RTPRIO, &limit); err != nil {
		return err
	}
	return setFIFO(thread, int(min(uint64(priority), limit.Max)))
}

// setFIFO makes a thread real-time, but no process that it might start.
func setFIFO(thread, priority int) error {
	return unix.SchedSetAttr(thread, &unix.SchedAttr{
		Size:     unix.SizeofSchedAttr,
		Policy:   unix.SCHED_FIFO,
		Flags:    unix.SCHED_FLAG_RESET_ON_FORK,
		Priority: uint32(priority),
	}, 0)
}
