package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"

	"archibald-bridge/benchmarks/results"
	"archibald-bridge/bridge/clock"
	"archibald-bridge/testbed/sim"
)

const (
	output       = "benchmarks/driftlock/driftlock.json"
	rateHz       = 48000
	periodFrames = 64
	seed         = 500
	seconds      = 20
	settled      = seconds - 5 // from here on the delay is where it stays
)

var skewsPPM = []float64{-500, 500}

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, "driftlock:", err)
		os.Exit(1)
	}
}

func write() error {
	locks, err := simulate()
	if err != nil {
		return err
	}
	data, err := json.Marshal(locks)
	if err != nil {
		return err
	}
	return os.WriteFile(output, append(data, '\n'), 0o644)
}

// simulate plays between two quiet machines: callbacks and network late by a
// fixed part and an exponential tail, as in the simulator's own tests.
func simulate() (results.Locks, error) {
	locks := results.Locks{RateHz: rateHz, PeriodFrames: periodFrames, Seed: seed}
	for _, ppm := range skewsPPM {
		random := sim.NewRandom(seed)
		link := sim.Link{
			Sender:    sim.Graph{RateHz: rateHz, PeriodFrames: periodFrames, PPM: sim.Steady(ppm), WakeNs: random.Wake(20e3, 20e3)},
			Receiver:  sim.Graph{RateHz: rateHz, PeriodFrames: periodFrames, WakeNs: random.Wake(20e3, 20e3)},
			NetworkNs: random.Wake(30e3, 20e3),
			Servo:     clock.Config{Free: true},
		}
		lock := results.Lock{SkewPPM: ppm}
		var late []float64
		begun := false
		firstSeconds := 0.0
		err := link.Run(seconds, func(s sim.State) {
			if !begun {
				begun, firstSeconds = true, s.Seconds
			}
			if !s.Cycle.Playing {
				return
			}
			now := s.Seconds - firstSeconds
			lock.Seconds = append(lock.Seconds, round(now))
			lock.DelayErrorFrames = append(lock.DelayErrorFrames, s.TrueDelay)
			lock.RatioPPM = append(lock.RatioPPM, round((s.Cycle.Ratio-1)*1e6))
			if now > settled {
				late = append(late, s.TrueDelay)
			}
		})
		if err != nil {
			return results.Locks{}, err
		}
		lock.DelayFrames = round(results.Median(late))
		for i := range lock.DelayErrorFrames {
			lock.DelayErrorFrames[i] = round(lock.DelayErrorFrames[i] - lock.DelayFrames)
		}
		locks.Runs = append(locks.Runs, lock)
	}
	return locks, nil
}

func round(v float64) float64 { return math.Round(v*1000) / 1000 }
