package main

import (
	"cmp"
	"fmt"
	"time"

	"archibald-bridge/benchmarks/results"
	"archibald-bridge/testbed/probe"
	"archibald-bridge/testbed/recording"
	"archibald-bridge/testbed/stack"
)

const (
	rateHz   = 48000
	channels = 2
	// usualSettle is from the programs' start until they are measured.
	usualSettle = 5 * time.Second

	guestProbe, hostProbe = "guest-probe", "host-probe"
)

// try makes a trial, twice if it fails the first time. The error of the second
// stays in the run.
func (t trial) try(programs tools, length time.Duration) results.Run {
	r := t.run(programs, length)
	if r.Error != "" {
		fmt.Printf("   failed, again: %s\n", r.Error)
		r = t.run(programs, length)
	}
	return r
}

func (t trial) run(programs tools, length time.Duration) results.Run {
	r := results.Run{
		System: t.system.name, Servers: t.system.servers, Setting: t.setting, Slaved: t.system.slaved,
		PeriodFrames: t.periodFrames, RateHz: rateHz, Channels: channels, Repeat: t.repeat, SkewPPM: t.skewPPM,
		Started: time.Now().UTC().Format(time.RFC3339), Seconds: length.Seconds(),
	}
	var guest, host *recording.Recording
	p, err := newPair(programs, t.periodFrames, t.skewPPM)
	if err == nil {
		guest, host, err = t.measure(p, &r)
		if closeErr := p.close(); err == nil {
			err = closeErr
		}
	}
	// With everything stopped: judging takes a processor.
	if err == nil {
		err = judge(&r, guest, host)
	}
	if err != nil {
		r.Error = err.Error()
	}
	return r
}

func (t trial) settle() time.Duration { return cmp.Or(t.system.settle, usualSettle) }

// measure starts everything, lets it settle, and measures what is counted while
// the probes record.
func (t trial) measure(p *pair, r *results.Run) (guest, host *recording.Recording, err error) {
	b, err := t.system.start(p, t.setting)
	if err != nil {
		return nil, nil, err
	}
	r.Commands = b.commands()
	delay, err := startIODelay(p.guest, t.periodFrames)
	if err != nil {
		return nil, nil, err
	}
	// Both are ended sooner, the guest's first.
	longest := t.settle() + time.Duration(r.Seconds*float64(time.Second)) + 30*time.Second
	ofHost, err := probe.Start(p.host.Stack, probe.Config{
		Binary: p.probe, Name: hostProbe, JackServer: p.host.jack(), PeriodFrames: t.periodFrames,
		Duration:    longest,
		Outputs:     []probe.Signal{probe.Tone(witnessHz, toneDBFS)},
		Inputs:      1,
		Connect:     append([][2]string{{hostProbe + ":out_1", hostProbe + ":in_1"}}, b.loop...),
		Environment: []string{"LD_PRELOAD="}, // its times are the true ones
	})
	if err != nil {
		return nil, nil, err
	}
	ofGuest, err := probe.Start(p.guest.Stack, probe.Config{
		Binary: p.probe, Name: guestProbe, JackServer: p.guest.jack(), PeriodFrames: t.periodFrames,
		Duration: longest,
		Outputs:  []probe.Signal{probe.Tone(loopedHz, toneDBFS), probe.Tone(witnessHz, toneDBFS)},
		Inputs:   2,
		Connect: [][2]string{
			{ioDelay + ":out", b.in[0]}, {b.out[0], ioDelay + ":in"},
			{guestProbe + ":out_1", b.in[1]}, {b.out[1], guestProbe + ":in_1"},
			{guestProbe + ":out_2", guestProbe + ":in_2"},
		},
	})
	if err != nil {
		return nil, nil, err
	}
	time.Sleep(t.settle())
	if err := observe(p, b, delay, r); err != nil {
		return nil, nil, err
	}
	if guest, err = ofGuest.FinishNow(); err != nil {
		return nil, nil, err
	}
	host, err = ofHost.FinishNow()
	return guest, host, err
}

// observe counts for the length of the run: processor time, packets, and what
// jack_iodelay and the bridge say.
func observe(p *pair, b *bridge, delay *stack.Process, r *results.Run) error {
	cpuBefore, err := processorTime(b.processes)
	if err != nil {
		return err
	}
	before, err := p.guest.Received()
	if err != nil {
		return err
	}
	from, begin := size(delay.Log), time.Now()
	time.Sleep(time.Duration(r.Seconds * float64(time.Second)))
	elapsed := time.Since(begin)
	cpu, err := processorTime(b.processes)
	if err != nil {
		return err
	}
	after, err := p.guest.Received()
	if err != nil {
		return err
	}
	r.CPUPercent = 100 * float64(cpu-cpuBefore) / float64(elapsed)
	r.PacketsPerSecond = float64(after.Packets-before.Packets) / elapsed.Seconds()
	r.KbitPerSecond = float64(after.Bytes-before.Bytes) * 8 / 1000 / elapsed.Seconds()
	if r.RoundTripFrames, err = readings(delay.Log, from); err != nil {
		return err
	}
	if b.status != nil {
		r.Status, r.ConcealEvents, err = b.status()
	}
	return err
}

func processorTime(processes []*stack.Process) (sum time.Duration, err error) {
	for _, p := range processes {
		if !p.Alive() {
			return 0, fmt.Errorf("%s has ended: %s", p.Name, p.LogTail())
		}
		used, err := p.ProcessorTime()
		if err != nil {
			return 0, err
		}
		sum += used
	}
	return sum, nil
}
