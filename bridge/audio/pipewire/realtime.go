package pipewire

import "golang.org/x/sys/unix"

// schedulingOf returns the policy and priority of a Linux thread; "" when there
// is no such thread.
func schedulingOf(thread int) (policy string, priority int) {
	if thread == 0 {
		return "", 0
	}
	attributes, err := unix.SchedGetAttr(thread, 0)
	if err != nil {
		return "", 0
	}
	switch attributes.Policy {
	case unix.SCHED_FIFO:
		policy = "SCHED_FIFO"
	case unix.SCHED_RR:
		policy = "SCHED_RR"
	default:
		policy = "SCHED_OTHER"
	}
	return policy, int(attributes.Priority)
}
