package main

import (
	"fmt"
	"time"

	"archibald-bridge/proto"
	"archibald-bridge/testbed/endtoend"
)

const (
	reconnects   = 20
	perReconnect = 6 * time.Second // of readings
)

// constancy measures whether the latency stays: how far the round trip wanders in
// one session, and what it is after each of 20 restarts of the host end. The
// clocks are held to be free, so that the resampler and the servo are at work.
func constancy(length time.Duration) error {
	for _, latency := range []string{"112frames", "auto"} {
		config := endtoend.Config{PeriodFrames: 64, Common: []string{"--latency", latency, "--clock", "free"}}
		if err := with(config, func(r *endtoend.Rig) error { return wander(r, latency, length) }); err != nil {
			return err
		}
		if err := with(config, func(r *endtoend.Rig) error { return reconnected(r, latency) }); err != nil {
			return err
		}
	}
	return nil
}

func wander(r *endtoend.Rig, latency string, length time.Duration) error {
	time.Sleep(5 * time.Second) // lock
	before, err := lostTime(r)
	if err != nil {
		return err
	}
	frames, err := ioDelay(r, "wander", length, func() error { return loop(r) })
	if err != nil {
		return err
	}
	after, err := lostTime(r)
	if err != nil {
		return err
	}
	fmt.Printf("period 64, %-9s  %s: round trip %.1f to %.1f frames, median %.1f; 99 %% of %d readings within %.1f frames\n", latency, length,
		frames[0], frames[len(frames)-1], frames[len(frames)/2], len(frames),
		frames[len(frames)-1-len(frames)/200]-frames[len(frames)/200])
	// A server that loses time moves the sound in it; the servo puts that right.
	fmt.Printf("meanwhile the servers lost time: guest %d, host %d times\n", after[0]-before[0], after[1]-before[1])
	return nil
}

// lostTime counts how often guest and host have seen their server lose time.
func lostTime(r *endtoend.Rig) (counts [2]uint64, err error) {
	for i, role := range []proto.Role{proto.Guest, proto.Host} {
		s, err := r.Status(role)
		if err != nil {
			return counts, err
		}
		counts[i] = max(s.Audio.Xruns, s.Directions.Send.Xruns, s.Directions.Receive.Xruns)
	}
	return counts, nil
}

func reconnected(r *endtoend.Rig, latency string) error {
	least, most := 0.0, 0.0
	for i := range reconnects + 1 {
		if i > 0 {
			r.Host.Kill9()
			if err := r.Host.Restart(); err != nil {
				return err
			}
			if err := r.WaitRunning(10 * time.Second); err != nil {
				return err
			}
		}
		time.Sleep(3 * time.Second) // lock
		frames, err := ioDelay(r, fmt.Sprintf("reconnect-%d", i), perReconnect, func() error { return loop(r) })
		if err != nil {
			return err
		}
		median := frames[len(frames)/2]
		if i == 0 {
			least, most = median, median
		}
		least, most = min(least, median), max(most, median)
		fmt.Printf(" %.1f", median)
	}
	fmt.Printf("\nperiod 64, %-9s  round trip after each of %d restarts of the host end: %.1f to %.1f frames\n", latency, reconnects, least, most)
	return nil
}
