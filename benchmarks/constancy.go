package main

import (
	"fmt"
	"slices"
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

// undisturbedAfter is how long after a server lost time a reading still shows it:
// the servo works off in 1 s what was counted wrong, and jack_iodelay averages.
const undisturbedAfter = 5 * time.Second

func wander(r *endtoend.Rig, latency string, length time.Duration) error {
	time.Sleep(5 * time.Second) // lock
	first, err := lostTime(r)
	if err != nil {
		return err
	}
	counts, losses := first, []time.Time(nil)
	readings, err := watchIODelay(r, "wander", length, func() error { return loop(r) }, func() error {
		now, err := lostTime(r)
		if now != counts {
			counts, losses = now, append(losses, time.Now())
		}
		return err
	})
	if err != nil {
		return err
	}
	var all, undisturbed []float64
	for _, reading := range readings {
		all = append(all, reading.frames)
		if !slices.ContainsFunc(losses, func(at time.Time) bool {
			since := reading.at.Sub(at)
			return since >= -time.Second && since < undisturbedAfter // a loss is seen up to a second late
		}) {
			undisturbed = append(undisturbed, reading.frames)
		}
	}
	slices.Sort(all)
	fmt.Printf("period 64, %-9s  %s: round trip %.1f to %.1f frames, median %.1f; 99 %% of %d readings within %.1f frames\n", latency, length,
		all[0], all[len(all)-1], all[len(all)/2], len(all), all[len(all)-1-len(all)/200]-all[len(all)/200])
	// A server that loses time moves the sound in it; the servo puts that right.
	fmt.Printf("meanwhile the servers lost time: guest %d, host %d times\n", counts[0]-first[0], counts[1]-first[1])
	if len(undisturbed) > 0 {
		fmt.Printf("%d readings with no server losing time in the %s before: %.1f to %.1f frames\n",
			len(undisturbed), undisturbedAfter, slices.Min(undisturbed), slices.Max(undisturbed))
	}
	return nil
}

// lostTime counts how often guest and host have seen their server lose time.
func lostTime(r *endtoend.Rig) (counts [2]uint64, err error) {
	for i, role := range []proto.Role{proto.Guest, proto.Host} {
		s, err := r.Status(role)
		if err != nil {
			return counts, err
		}
		counts[i] = max(s.Audio.XrunsTotal, s.Directions.Send.Total.Xruns, s.Directions.Receive.Total.Xruns)
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
