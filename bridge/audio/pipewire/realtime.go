package pipewire

import (
	"golang.org/x/sys/unix"

	"archibald-bridge/bridge/audio"
)

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
	return audio.PolicyName(int(attributes.Policy)), int(attributes.Priority)
}
