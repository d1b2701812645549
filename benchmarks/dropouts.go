package main

import (
	"fmt"
	"time"

	"archibald-bridge/testbed/endtoend"
)

// dropouts plays in both directions at small periods and counts the gaps. It also counts
// those of tones that do not cross the bridge: what the machine itself loses shows in
// both.
func dropouts(length time.Duration) error {
	fmt.Println("period  latency   witness gaps    channel      gaps  unexcused  stalled (chance)  level dBFS  frequency Hz (played)")
	for _, period := range []int{128, 64, 32, 16} {
		for _, latency := range []string{"auto", "20ms"} {
			config := endtoend.Config{PeriodFrames: period, Common: []string{"--format", "L24", "--latency", latency}}
			err := with(config, func(r *endtoend.Rig) error {
				d, err := r.Duplex(length, 20*time.Millisecond)
				if err != nil {
					return err
				}
				for _, h := range d.Heard {
					fmt.Printf("%6d  %-8s  guest %d host %d   %-11s  %4d  %9d  %7d %6.1f %%  %10.2f  %.3f (%.0f), one planted frame found: %v\n", period, latency,
						len(d.GuestWitness), len(d.HostWitness), h.Channel, len(h.Gaps), h.Ours(), h.Stalled(), 100*d.StalledShare,
						h.Tone.LevelDBFS, h.Tone.FrequencyHz, h.PlayedHz, h.Found)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
