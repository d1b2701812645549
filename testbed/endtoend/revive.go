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

// WaitSound waits until the host plays SuperCollider's tones again, proves it by
// a recording of what reaches the sink, and returns how long after up the sound
// came.
func (r *Rig) WaitSound(up time.Time, timeout time.Duration) (time.Duration, error) {
	for !r.hearsGuest() {
		if time.Since(up) > timeout {
			return 0, fmt.Errorf("no sound on the host %s after the last one was up\nguest: %s\nhost: %s",
				timeout, r.tail(r.Guest), r.tail(r.Host))
		}
		time.Sleep(20 * time.Millisecond)
	}
	took := time.Since(up)
	return took, r.proveTones()
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

// proveTones records the sink for two seconds: both tones must be there.
func (r *Rig) proveTones() error {
	p, err := probe.Start(r.Stack, probe.Config{
		Binary: r.probe, Name: "proof", PeriodFrames: r.Config.PeriodFrames, Duration: 10 * time.Second, Inputs: 2,
	})
	if err != nil {
		return err
	}
	for i, side := range []string{"FL", "FR"} {
		if err := r.PipeWireConnect(stack.NullSink+":monitor_"+side, fmt.Sprintf("proof:in_%d", i+1)); err != nil {
			return err
		}
	}
	time.Sleep(2 * time.Second)
	heard, err := p.FinishNow()
	if err != nil {
		return err
	}
	for channel, hz := range []float64{guestLeftHz, guestRightHz} {
		samples := heard.Sound.Channels[channel]
		tone, err := signal.Tone(samples[max(0, len(samples)-heard.RateHz):], heard.RateHz, hz)
		if err != nil {
			return err
		}
		if math.Abs(tone.FrequencyHz-hz) > 0.5 || math.Abs(tone.LevelDBFS-toneDBFS) > 0.5 {
			return fmt.Errorf("channel %d on the sink: %.2f Hz at %.2f dBFS, SuperCollider plays %.0f Hz at %.0f dBFS",
				channel+1, tone.FrequencyHz, tone.LevelDBFS, hz, toneDBFS)
		}
	}
	return nil
}
