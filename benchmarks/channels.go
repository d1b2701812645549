package main

import (
	"fmt"
	"time"

	"archibald-bridge/testbed/endtoend"
	"archibald-bridge/testbed/stack"
)

// channels plays in both directions with two, eight and sixty-four channels, in turn,
// at a short latency and a long one, and counts the gaps that no witness excuses in the
// first two channels of each direction (all channels of a period are sent and played
// together), how many of these came while a processor stood still, the share that chance
// would give, and what both ends cost for each channel.
func channels(length time.Duration) error {
	fmt.Println("period  latency    channels  witness gaps        gaps  unexcused  stalled (chance)   CPU %   CPU % of each channel")
	for range 3 {
		for _, period := range []int{64, 32} {
			for _, count := range []int{2, 8, 64} {
				if period == 32 && count == 64 {
					continue // 24 MB/s in 24,000 packets/s each way, on one machine
				}
				for _, latency := range []string{fmt.Sprintf("%dframes", period+64), "20ms"} {
					if err := channelRun(period, count, latency, length); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

func channelRun(period, count int, latency string, length time.Duration) error {
	config := endtoend.Config{PeriodFrames: period, Channels: count, Common: []string{
		"--latency", latency, "--clock", "free",
	}}
	return with(config, func(r *endtoend.Rig) error {
		ends := []*stack.Process{r.Guest, r.Host}
		before, err := processorTimes(ends)
		if err != nil {
			return err
		}
		begin := time.Now()
		d, err := r.Duplex(length, 20*time.Millisecond)
		if err != nil {
			return err
		}
		after, err := processorTimes(ends)
		if err != nil {
			return err
		}
		percent := 100 * float64(after-before) / float64(time.Since(begin))
		gaps, ours, stalled := 0, 0, 0
		for _, h := range d.Heard {
			gaps, ours, stalled = gaps+len(h.Gaps), ours+h.Ours(), stalled+h.Stalled()
		}
		fmt.Printf("%6d  %-9s  %8d  guest %3d host %3d  %4d  %9d  %7d %6.1f %%  %6.2f   %.2f\n", period, latency, count,
			len(d.GuestWitness), len(d.HostWitness), gaps, ours, stalled, 100*d.StalledShare, percent, percent/float64(count))
		return nil
	})
}

func processorTimes(processes []*stack.Process) (sum time.Duration, err error) {
	for _, p := range processes {
		t, err := p.ProcessorTime()
		if err != nil {
			return 0, err
		}
		sum += t
	}
	return sum, nil
}
