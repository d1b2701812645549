package realtime

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/fault"
)

// checkCPUs says which processor of a list is not there, or not for us.
func checkCPUs(cpus config.CPUs) error {
	if len(cpus.Numbers) == 0 {
		return nil
	}
	usable := usableCPUs()
	for _, number := range cpus.Numbers {
		if !usable.IsSet(number) {
			var legal config.CPUs
			for n := range len(usable) * 64 {
				if usable.IsSet(n) {
					legal.Numbers = append(legal.Numbers, n)
				}
			}
			return &fault.WrongValue{
				Where: "cpus", Value: cpus.String(),
				Legal: fmt.Sprintf("processors that are online and that this process may use: %s", legal),
			}
		}
	}
	return nil
}

// usableCPUs finds out by trying, on a thread that ends with it. The affinity
// that this process was started with says less: it leaves out the isolated
// processors, which are the best ones.
func usableCPUs() *unix.CPUSet {
	found := make(chan *unix.CPUSet)
	go func() {
		runtime.LockOSThread() // for good: the thread is thrown away
		usable := &unix.CPUSet{}
		for number := range len(usable) * 64 {
			var one unix.CPUSet
			one.Set(number)
			if unix.SchedSetaffinity(0, &one) == nil {
				usable.Set(number)
			}
		}
		found <- usable
	}()
	return <-found
}

// pin holds a thread to processors; an empty list changes nothing.
func pin(thread int, cpus config.CPUs) error {
	if len(cpus.Numbers) == 0 {
		return nil
	}
	var set unix.CPUSet
	for _, number := range cpus.Numbers {
		set.Set(number)
	}
	if err := unix.SchedSetaffinity(thread, &set); err != nil {
		return fmt.Errorf("processors %s: %w", cpus, err)
	}
	return nil
}

// ours says whether a thread of this process has that id.
func ours(thread int) bool {
	_, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", thread))
	return err == nil
}
