package interop

import (
	"fmt"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"archibald-bridge/testbed/probe"
	"archibald-bridge/testbed/recording"
	"archibald-bridge/testbed/signal"
	"archibald-bridge/testbed/stack"
	"archibald-bridge/testbed/stalls"
)

const (
	// A recording lasts so long, and on until our receivers have found that both clocks
	// are one, which takes them five seconds on a calm machine.
	listenLeast = 8 * time.Second
	// PipeWire's receiver brings its buffer to the latency asked for by as much as 0.3 %
	// of pitch, and is no longer at it after this.
	listenSettled = 20 * time.Second
	listenMost    = 20 * time.Second
	// afterThat is what is recorded behind it.
	afterThat = 2 * time.Second
	// restartAfter is when a program is restarted.
	restartAfter = 2 * time.Second
	// outlast is how much longer is played than is recorded, start and restart included.
	outlast = 15 * time.Second
)

// Run runs cases of the rig's sample rate, all at once, and judges them.
func (r *Rig) Run(cases []Case) ([]Result, error) {
	var runs, pipewire []*run
	for _, c := range cases {
		if c.RateHz != r.rateHz {
			return nil, fmt.Errorf("%s: this rig runs at %d Hz", c, r.rateHz)
		}
		next := r.newRun(c)
		runs = append(runs, next)
		if c.Peer == PipeWire || c.Peer == PipeWireNew {
			pipewire = append(pipewire, next)
		}
	}
	// All of it before anything runs: it takes the processors.
	for _, c := range runs {
		if c.Direction == Receive {
			if err := writeRaw(c.raw, c.Case, c.seed, framesPlayed(c.Case)); err != nil {
				return nil, err
			}
		}
	}
	capture, err := r.startCapture(runs)
	if err != nil {
		return nil, err
	}
	if len(pipewire) > 0 {
		if err := r.startPipeWire(pipewire); err != nil {
			return nil, err
		}
	}
	for _, c := range runs {
		if err := r.startCase(c); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Case, err)
		}
	}
	var ours, theirs *recording.Recording
	stood, err := stalls.During(func() (err error) {
		ours, theirs, err = r.listen(runs, pipewire)
		return err
	})
	if err != nil {
		return nil, err
	}
	stalled := len(signal.Stalled(stood, periodAt(r.rateHz), r.rateHz))
	if err := capture.stop(); err != nil {
		return nil, err
	}
	if err := capture.read(); err != nil {
		return nil, err
	}
	var results []Result
	for _, c := range runs {
		result, err := r.judge(c, runs, ours, theirs, capture)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Case, err)
		}
		result.Stalls = stalled
		results = append(results, result)
	}
	return results, nil
}

func framesPlayed(c Case) int { return int((listenMost + outlast).Seconds()) * c.RateHz }

// startCase starts our end and the peer. A receiver that reads the sender's SDP file
// is started second.
func (r *Rig) startCase(c *run) error {
	start := map[Peer]func(*run) error{GStreamer: r.startGStreamer, FFmpeg: r.startFFmpeg}[c.Peer]
	if c.Direction == Receive && start != nil {
		if err := start(c); err != nil {
			return err
		}
		return r.startEnd(c)
	}
	if err := r.startEnd(c); err != nil {
		return err
	}
	if c.Direction == Send {
		if err := until("SDP file of ours", func() bool { return exists(c.sdp) }); err != nil {
			return fmt.Errorf("%w: %s", err, c.end.LogTail())
		}
	}
	if start == nil {
		return nil
	}
	return start(c)
}

// listen plays and records in both servers, and stops ends and peers.
func (r *Rig) listen(runs, pipewire []*run) (ours, theirs *recording.Recording, err error) {
	config := probe.Config{Binary: r.probe, Name: "our-probe", JackServer: r.jackd.Server, Duration: listenMost + outlast}
	for _, c := range runs {
		for i, port := range c.ports() {
			if c.Direction == Receive {
				config.Inputs++
				config.Connect = append(config.Connect, [2]string{port, fmt.Sprintf("our-probe:in_%d", config.Inputs)})
				continue
			}
			config.Outputs = append(config.Outputs, signals(c.Case, c.seed)[i])
			config.Connect = append(config.Connect, [2]string{fmt.Sprintf("our-probe:out_%d", len(config.Outputs)), port})
		}
	}
	var their *probe.Probe
	if len(pipewire) > 0 {
		their, err = r.startPipeWireProbe(pipewire, probe.Config{Binary: r.probe, PeriodFrames: periodAt(r.rateHz), RateHz: r.rateHz, Duration: listenMost + outlast})
		if err != nil {
			return nil, nil, err
		}
	}
	our, err := probe.Start(r.ours, config)
	if err != nil {
		return nil, nil, err
	}
	begin := time.Now()
	time.Sleep(restartAfter)
	if err := r.restart(runs); err != nil {
		return nil, nil, err
	}
	least := listenLeast
	for _, c := range runs {
		if c.resamples() {
			least = listenSettled
		}
	}
	time.Sleep(least - restartAfter)
	for {
		exact, err := r.exact(runs)
		if err != nil {
			return nil, nil, err
		}
		if exact || time.Since(begin) > listenMost {
			break
		}
		time.Sleep(time.Second)
	}
	time.Sleep(afterThat)
	if ours, err = our.FinishNow(); err != nil {
		return nil, nil, err
	}
	if their != nil {
		if theirs, err = their.FinishNow(); err != nil {
			return nil, nil, err
		}
	}
	for _, c := range runs {
		if c.peer != nil {
			_ = c.peer.Signal(syscall.SIGINT) // so that it completes its file
			if _, err := c.peer.Wait(5 * time.Second); err != nil {
				return nil, nil, fmt.Errorf("%w: %s", err, c.peer.LogTail())
			}
		}
		c.end.Stop()
	}
	return ours, theirs, nil
}

// restart stops and starts again what the cases say. Not by SIGKILL: jackd2 would
// make every client pay for it, and what we do then is tested elsewhere.
func (r *Rig) restart(runs []*run) error {
	for _, c := range runs {
		victim := map[Restart]*stack.Process{Ours: c.end, Theirs: c.peer}[c.Restart]
		if victim == nil {
			continue
		}
		if err := r.restartOne(c, victim); err != nil {
			return fmt.Errorf("%s: %w", c.Case, err)
		}
	}
	return nil
}

// restartOne waits until PipeWire has dropped what it made of our announcement, and
// links what it makes of the next one.
func (r *Rig) restartOne(c *run, victim *stack.Process) error {
	again := c.announced() && c.Direction == Send
	if again {
		victim.Stop()
		if _, err := r.awaitPorts(c.name+":", 0); err != nil {
			return err
		}
	}
	if err := victim.Restart(); err != nil {
		return err
	}
	if again {
		if _, err := r.awaitPorts(c.name+":", c.Channels); err != nil {
			return err
		}
	}
	return r.link(c)
}

// exact says that all our receivers that can do it play without resampling.
func (r *Rig) exact(runs []*run) (bool, error) {
	exact := true
	for _, c := range runs {
		if c.Direction == Send {
			continue
		}
		if err := r.readStatus(c); err != nil {
			return false, err
		}
		if c.ownClock() && (c.status.RatioPPM != 0 || c.status.BufferFrames == 0) {
			exact = false
		}
	}
	return exact, nil
}

// sound is what arrived in a case, by channel.
func (r *Rig) sound(c *run, runs []*run, ours, theirs *recording.Recording) ([][]float32, error) {
	if c.Direction == Send && c.peer != nil {
		return readRaw(c.raw, c.Case)
	}
	from, at := ours, 0
	if c.Direction == Send {
		from = theirs
	}
	for _, other := range runs[:slices.Index(runs, c)] {
		if other.Direction == c.Direction && (c.Direction == Receive || other.peer == nil) {
			at += other.Channels
		}
	}
	return from.Sound.Channels[at : at+c.Channels], nil
}

func (r *Rig) path(name string) string { return filepath.Join(r.ours.Dir, name) }
