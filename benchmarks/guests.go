package main

import (
	"fmt"
	"time"

	"archibald-bridge/testbed/endtoend"
	"archibald-bridge/testbed/stack"
)

// guests serves up to eight guests by one host, and kills and restarts the last of
// them half way. It prints what the others heard of it, and what the ends cost.
func guests(length time.Duration) error {
	fmt.Println("period  guests  channels  heard     witness gaps  gaps  unexcused  stalled (chance)  loudest leak   CPU %: host  each guest")
	for _, run := range []struct{ period, guests, channels int }{
		{256, endtoend.MostGuests, 2}, {64, 2, 2}, {64, endtoend.MostGuests, 2}, {64, 4, 16},
	} {
		if err := guestsRun(run.period, run.guests, run.channels, length); err != nil {
			return err
		}
	}
	return nil
}

func guestsRun(period, count, channels int, length time.Duration) (err error) {
	h, err := endtoend.NewHouse(count, *rateHz, period, channels, "--latency", fmt.Sprintf("%dframes", period+480), "--clock", "free")
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := h.Close(); err == nil {
			err = closeErr
		}
	}()
	last := h.Guests[count-1]
	others := h.Guests[:count-1]
	before, err := h.Host.ProcessorTime()
	if err != nil {
		return err
	}
	beforeGuests, err := processorTimes(others)
	if err != nil {
		return err
	}
	begin := time.Now()
	var host, each float64
	crowd, err := h.Play(length, 20*time.Millisecond, func() error {
		time.Sleep(length / 2)
		after, err := h.Host.ProcessorTime()
		if err != nil {
			return err
		}
		afterGuests, err := processorTimes(others)
		if err != nil {
			return err
		}
		seconds := time.Since(begin).Seconds()
		host = 100 * (after - before).Seconds() / seconds
		each = 100 * (afterGuests - beforeGuests).Seconds() / seconds / float64(len(others))
		return killed(last, h)
	})
	if err != nil {
		return err
	}
	gaps, ours, stalled, leak, heard := 0, 0, 0, -200.0, 0
	for _, guest := range crowd.Guests[:count-1] {
		for _, sound := range []endtoend.Heard{guest.AtHost, guest.AtGuest} {
			gaps, ours, stalled = gaps+len(sound.Gaps), ours+sound.Ours(), stalled+sound.Stalled()
			leak = max(leak, sound.LeakDBFS)
			if sound.Tone.LevelDBFS > -12.1 {
				heard++
			}
		}
	}
	fmt.Printf("%6d  %6d  %8d  %2d of %2d  %12d  %4d  %9d  %7d %6.1f %%  %7.1f dBFS  %12.2f  %10.2f\n", period, count, channels, heard, 2*(count-1),
		len(crowd.Witnesses), gaps, ours, stalled, 100*crowd.StalledShare, leak, host, each)
	return nil
}

// killed kills a guest, and starts it again when the host has long noticed.
func killed(p *stack.Process, h *endtoend.House) error {
	p.Kill9()
	time.Sleep(2 * time.Second)
	if err := p.Restart(); err != nil {
		return err
	}
	return h.WaitUp(10 * time.Second)
}
