package endtoend

import (
	"fmt"
	"math"
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
	"archibald-bridge/testbed/probe"
	"archibald-bridge/testbed/signal"
	"archibald-bridge/testbed/stack"
)

// Victims are the programs that can be killed, by name.
var Victims = []string{"guest", "host", "scsynth", "WirePlumber", "PipeWire", "jackd"}

// Kill kills one of the Victims with SIGKILL.
func (r *Rig) Kill(name string) {
	victims := map[string]*stack.Process{
		"guest": r.Guest, "host": r.Host, "scsynth": r.Scsynth.Process,
		"WirePlumber": r.WirePlumber, "PipeWire": r.PipeWire, "jackd": r.Jackd.Process,
	}
	victims[name].Kill9()
}

// Revive restarts what was killed, and what cannot live without it, and returns
// when the last of it was up.
func (r *Rig) Revive(name string) (up time.Time, err error) {
	restart := map[string][]func() error{
		"guest":       {r.Guest.Restart},
		"host":        {r.Host.Restart},
		"scsynth":     {r.reviveScsynth},
		"WirePlumber": {r.WirePlumber.Restart},
		"PipeWire":    {r.PipeWire.Restart, r.WirePlumber.Restart},
		"jackd":       {r.Jackd.Restart, r.reviveScsynth},
	}
	for _, step := range restart[name] {
		if err := step(); err != nil {
			return time.Time{}, err
		}
	}
	return time.Now(), nil
}

func (r *Rig) reviveScsynth() error {
	if err := r.Scsynth.Restart(); err != nil {
		return err
	}
	return r.playTones()
}

// WaitSound waits until SuperCollider's tones reach the host's sink again, judged
// by recordings of the sink, and returns how long after up they did.
func (r *Rig) WaitSound(up time.Time, timeout time.Duration) (time.Duration, error) {
	upNs := monotonicNs() - int64(time.Since(up))
	for {
		for !r.hearsGuest() && time.Since(up) < timeout {
			time.Sleep(20 * time.Millisecond)
		}
		sinceNs, err := r.recordTones()
		if err == nil {
			return max(0, time.Duration(sinceNs-upNs)), nil
		}
		if time.Since(up) > timeout {
			return 0, fmt.Errorf("no sound on the host %s after the last one was up: %w\nguest: %s\nhost: %s",
				timeout, err, r.tail(r.Guest), r.tail(r.Host))
		}
	}
}

// hearsGuest asks the host end whether sound at about the level played is there.
func (r *Rig) hearsGuest() bool {
	s, err := r.Status(proto.Host)
	if err != nil || s.Directions.Receive.State != status.DirectionRunning {
		return false
	}
	for _, peak := range s.Directions.Receive.PeakDBFS {
		if math.Abs(float64(peak)-toneDBFS) > 1 {
			return false
		}
	}
	return len(s.Directions.Receive.PeakDBFS) == 2
}

// recordTones records the sink for two seconds, whose last must be both tones. It
// returns since when they are there, on CLOCK_MONOTONIC: a recording that begins
// with them says when it began.
func (r *Rig) recordTones() (sinceNs int64, err error) {
	r.probes++
	name := fmt.Sprintf("proof-%d", r.probes)
	p, err := probe.Start(r.Stack, probe.Config{
		Binary: r.probe, Name: name, PeriodFrames: r.Config.PeriodFrames, RateHz: r.Config.HostRateHz, Duration: 20 * time.Second, Inputs: 2,
	})
	if err != nil {
		return 0, err
	}
	for i, side := range []string{"FL", "FR"} {
		if err := r.PipeWireConnect(stack.NullSink+":monitor_"+side, fmt.Sprintf("%s:in_%d", name, i+1)); err != nil {
			return 0, err
		}
	}
	time.Sleep(2 * time.Second)
	heard, err := p.FinishNow()
	if err != nil {
		return 0, err
	}
	for channel, hz := range []float64{guestLeftHz, guestRightHz} {
		samples := heard.Sound.Channels[channel]
		if len(samples) < heard.RateHz {
			return 0, fmt.Errorf("only %d frames recorded", len(samples))
		}
		tone, err := signal.Tone(samples[len(samples)-heard.RateHz:], heard.RateHz, hz)
		if err != nil {
			return 0, err
		}
		if math.Abs(tone.FrequencyHz-hz) > 0.5 || math.Abs(tone.LevelDBFS-toneDBFS) > 0.5 {
			return 0, fmt.Errorf("channel %d on the sink: %.2f Hz at %.2f dBFS, SuperCollider plays %.0f Hz at %.0f dBFS",
				channel+1, tone.FrequencyHz, tone.LevelDBFS, hz, toneDBFS)
		}
		if ns, ok := heard.TimeAt(soundsSince(samples)); ok {
			sinceNs = max(sinceNs, ns)
		}
	}
	return sinceNs, nil
}

// soundsSince is the first frame from which on there is no silent 20 ms.
func soundsSince(samples []float32) int {
	const window = 960
	for at := len(samples) - window; at >= 0; at -= window {
		loudest := float32(0)
		for _, x := range samples[at : at+window] {
			loudest = max(loudest, x, -x)
		}
		if loudest < 0.1 {
			return at + window
		}
	}
	return 0
}
