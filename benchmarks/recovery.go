package main

import (
	"fmt"
	"time"

	"archibald-bridge/testbed/endtoend"
)

// soundWithin is what the bridge promises: sound this long after the last
// program that was killed is up again.
const soundWithin = 2 * time.Second

// recovery kills each of the six programs with SIGKILL, restarts it, and measures
// when sound reaches the host's sink again.
func recovery(time.Duration) error {
	fmt.Println("killed        sound after it was up again")
	config := endtoend.Config{PeriodFrames: 256, Common: []string{"--latency", "20ms"}}
	return with(config, func(r *endtoend.Rig) error {
		if err := r.PlaySuperCollider(); err != nil {
			return err
		}
		late := 0
		for _, name := range endtoend.Victims {
			r.Kill(name)
			time.Sleep(1500 * time.Millisecond)
			up, err := r.Revive(name)
			if err != nil {
				return err
			}
			took, err := r.WaitSound(up, 10*time.Second)
			if err != nil {
				return err
			}
			fmt.Printf("%-12s  %.2f s\n", name, took.Seconds())
			if took > soundWithin {
				late++
			}
		}
		if late > 0 {
			return fmt.Errorf("%d of %d took more than %s", late, len(endtoend.Victims), soundWithin)
		}
		return nil
	})
}
