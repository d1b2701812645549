package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	"archibald-bridge/benchmarks/results"
	"archibald-bridge/proto"
	"archibald-bridge/testbed/probe"
	"archibald-bridge/testbed/recording"
	"archibald-bridge/testbed/stack"
	"archibald-bridge/testbed/stalls"
)

const (
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
		System: t.system.name, Servers: t.system.servers, Setting: t.setting,
		Slaved: t.system.follows != neither, HostFollows: t.system.follows == theHost,
		PeriodFrames: t.periodFrames, RateHz: t.rateHz, Channels: channels, Repeat: t.repeat, SkewPPM: t.skewPPM,
		Started: time.Now().UTC().Format(time.RFC3339), Seconds: t.length(length.Seconds()), Kind: t.kind,
	}
	var heard recordings
	p, err := newPair(programs, t.system.servers, t.place, t.skewPPM)
	if err == nil {
		heard, err = t.measure(p, &r)
		if closeErr := p.close(); err == nil {
			err = closeErr
		}
	}
	// With everything stopped: judging takes a processor.
	if err == nil && t.kind == "" {
		err = judge(&r, heard)
	}
	if err != nil {
		r.Error = err.Error()
	}
	return r
}

// recordings are what was heard on both machines, and when a processor stood still.
type recordings struct {
	guest, host *recording.Recording
	stood       []stalls.Stall
}

func (t trial) settle() time.Duration { return cmp.Or(t.system.settle, usualSettle) }

// measure starts everything, lets it settle, and measures what is counted while
// the probes record.
func (t trial) measure(p *pair, r *results.Run) (heard recordings, err error) {
	b, err := t.system.start(p, t.setting)
	if err != nil {
		return heard, err
	}
	r.Commands = b.commands()
	delay, err := startIODelay(p.guest, t.place)
	if err != nil {
		return heard, err
	}
	ofGuest, ofHost, err := t.startProbes(p, b, r)
	if err != nil {
		return heard, err
	}
	for _, link := range b.links {
		if err := p.host.PipeWireConnect(link[0], link[1]); err != nil {
			return heard, err
		}
	}
	time.Sleep(t.settle())
	if t.kind == results.Calls {
		perSecond, err := systemCalls(b.processes, time.Duration(r.Seconds*float64(time.Second)))
		r.SystemCallsPerPeriod = perSecond * t.period().Seconds()
		return heard, err
	}
	heard.stood, err = stalls.During(func() error {
		if err := observe(p, b, delay, r); err != nil {
			return err
		}
		heard.guest, err = ofGuest.FinishNow()
		return err
	})
	if err != nil {
		return heard, err
	}
	if heard.host, err = ofHost.FinishNow(); err != nil || p.guest.jackd == nil {
		return heard, err
	}
	// Second opinions: without them the run still says what was heard.
	if r.BenchFrames, err = p.bench(b); err != nil {
		fmt.Printf("   no second round trip: %v\n", err)
	}
	delay.Stop()
	if r.HostRoundTripFrames, err = p.readOnHost(b); err != nil {
		fmt.Printf("   no round trip in the host's graph: %v\n", err)
	}
	return heard, nil
}

// startProbes starts the tones on both machines. Both are ended sooner than they would end
// by themselves, the guest's first.
func (t trial) startProbes(p *pair, b *bridge, r *results.Run) (ofGuest, ofHost *probe.Probe, err error) {
	longest := t.settle() + time.Duration(r.Seconds*float64(time.Second)) + 30*time.Second
	ofHost, err = probe.Start(p.host.Stack, probe.Config{
		Binary: p.probe, Name: hostProbe, JackServer: p.host.jack(), PeriodFrames: t.periodFrames, RateHz: t.rateHz,
		Duration:    longest,
		Outputs:     []probe.Signal{probe.Tone(witnessHz, toneDBFS)},
		Inputs:      1,
		Connect:     append([][2]string{{hostProbe + ":out_1", hostProbe + ":in_1"}}, b.loop...),
		Environment: []string{"LD_PRELOAD="}, // its times are the true ones
	})
	if err != nil {
		return nil, nil, err
	}
	ofGuest, err = probe.Start(p.guest.Stack, probe.Config{
		Binary: p.probe, Name: guestProbe, JackServer: p.guest.jack(), PeriodFrames: t.periodFrames, RateHz: t.rateHz,
		Duration: longest,
		Outputs:  []probe.Signal{probe.Tone(loopedHz, toneDBFS), probe.Tone(witnessHz, toneDBFS)},
		Inputs:   2,
		Connect: [][2]string{
			{ioDelay + ":out", b.in[0]}, {b.out[0], ioDelay + ":in"},
			{guestProbe + ":out_1", b.in[1]}, {b.out[1], guestProbe + ":in_1"},
			{guestProbe + ":out_2", guestProbe + ":in_2"},
		},
	})
	return ofGuest, ofHost, err
}

// observe counts for the length of the run: processor time, wake-ups, packets, and what
// jack_iodelay and the bridge say.
func observe(p *pair, b *bridge, delay *stack.Process, r *results.Run) error {
	before, err := count(p, b)
	if err != nil {
		return err
	}
	from, begin := size(delay.Log), time.Now()
	time.Sleep(time.Duration(r.Seconds * float64(time.Second)))
	elapsed := time.Since(begin)
	after, err := count(p, b)
	if err != nil {
		return err
	}
	r.CPUPercent = 100 * float64(after.processor-before.processor) / float64(elapsed)
	r.WakeUpsPerPeriod = float64(after.waits-before.waits) * p.period().Seconds() / elapsed.Seconds()
	r.PacketsPerSecond = float64(after.traffic.Packets-before.traffic.Packets) / elapsed.Seconds()
	r.KbitPerSecond = float64(after.traffic.Bytes-before.traffic.Bytes) * 8 / 1000 / elapsed.Seconds()
	if r.RoundTripFrames, err = readings(delay.Log, from); err != nil {
		return err
	}
	if b.status == nil {
		return nil
	}
	r.ConcealEvents = after.ends.dropouts()
	switch {
	case r.HostFollows:
		r.InTimeShare = after.ends.answeredInTime(proto.Guest, before.ends)
	case r.Slaved:
		r.InTimeShare = after.ends.answeredInTime(proto.Host, before.ends)
	}
	r.Status, err = json.Marshal(after.ends)
	return err
}

// counts are what the bridge's processes have used, what came in at the guest, and what
// they say themselves.
type counts struct {
	processor time.Duration
	waits     int
	traffic   stack.Traffic
	ends      ends // ours only
}

func count(p *pair, b *bridge) (c counts, err error) {
	if c.processor, err = processorTime(b.processes); err != nil {
		return c, err
	}
	if c.waits, err = waits(b.processes); err != nil {
		return c, err
	}
	if c.traffic, err = p.guest.Received(); err != nil || b.status == nil {
		return c, err
	}
	c.ends, err = b.status()
	return c, err
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
