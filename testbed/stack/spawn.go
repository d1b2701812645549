package stack

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

type startRequest struct {
	command *exec.Cmd
	done    chan error
}

// startRequests feeds the one thread that starts every process. The kernel
// sends the parent-death signal when the creating *thread* ends (prctl(2),
// PR_SET_PDEATHSIG), and Go ends threads as it likes; this one it may not.
var startRequests = sync.OnceValue(func() chan startRequest {
	requests := make(chan startRequest)
	go func() {
		runtime.LockOSThread()
		for request := range requests {
			request.done <- request.command.Start()
		}
	}()
	return requests
})

// spawn starts command in its own process group, and its own session if so wanted, to be
// killed with us.
func spawn(command *exec.Cmd, session bool) error {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: !session, Setsid: session, Pdeathsig: syscall.SIGKILL}
	request := startRequest{command, make(chan error, 1)}
	startRequests() <- request
	return <-request.done
}
