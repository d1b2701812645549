package endtoend

import (
	"fmt"
	"slices"
	"time"

	"archibald-bridge/testbed/probe"
	"archibald-bridge/testbed/recording"
	"archibald-bridge/testbed/signal"
)

// Exact is noise that crossed the bridge in both directions, compared bit for
// bit with what was played.
type Exact struct {
	Channel   string
	Frames    int          // compared
	Equal     int          // of them
	Longest   int          // frames in the longest stretch without a difference
	Different []signal.Run // stretches at which nothing failed
	Excused   []signal.Run // stretches at which a server or a processor did
}

const noiseSeed = 4713

// Exact plays 32-bit noise in both directions at once and compares. Both ends
// must have found equal clocks before (WaitExact).
func (r *Rig) Exact(duration, buffer time.Duration) (all []Exact, serverFailures int, err error) {
	config := probe.Config{Binary: r.probe, PeriodFrames: r.Config.PeriodFrames, RateHz: r.Config.HostRateHz, Inputs: 2}
	for channel := range 2 {
		config.Outputs = append(config.Outputs, probe.NoiseF32(noiseSeed+uint64(channel)))
	}
	onHost, inGuest := config, config
	onHost.Name, onHost.Duration = "host-noise", duration+outlast
	inGuest.Name, inGuest.Duration, inGuest.JackServer = "guest-noise", duration, r.JackServer
	inGuest.Connect = [][2]string{
		{"guest-noise:out_1", "archibald-to-host:in_1"}, {"guest-noise:out_2", "archibald-to-host:in_2"},
		{"archibald-from-host:out_1", "guest-noise:in_1"}, {"archibald-from-host:out_2", "guest-noise:in_2"},
	}
	host, err := probe.Start(r.Stack, onHost)
	if err != nil {
		return nil, 0, err
	}
	for i, side := range []string{"FL", "FR"} {
		if err := r.PipeWireConnect(fmt.Sprintf("host-noise:out_%d", i+1), "archibald-to-guest:playback_"+side); err != nil {
			return nil, 0, err
		}
		if err := r.PipeWireConnect("archibald-from-guest:output_"+side, fmt.Sprintf("host-noise:in_%d", i+1)); err != nil {
			return nil, 0, err
		}
	}
	var guestHeard, hostHeard *recording.Recording
	var told []signal.TimedGap
	stalled, err := stallsDuring(r.Config.PeriodFrames, r.Config.RateHz, func() (err error) {
		told, err = toldDuring(r.Config.Ask, r.bothStatus, func() error {
			guest, err := probe.Start(r.Stack, inGuest)
			if err != nil {
				return err
			}
			if guestHeard, err = guest.Finish(); err != nil {
				return err
			}
			hostHeard, err = host.FinishNow()
			return err
		})
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	hostHeard.CutAt(guestHeard.EndNs()) // then the guest plays nothing more
	lost := append(losses(guestHeard), losses(hostHeard)...)
	failures := slices.Concat(lost, stalled, told)
	for channel := range 2 {
		all = append(all, compare(fmt.Sprintf("host %d", channel+1), hostHeard, channel, buffer, failures),
			compare(fmt.Sprintf("guest %d", channel+1), guestHeard, channel, buffer, failures))
	}
	return all, len(lost) + guestHeard.Xruns + hostHeard.Xruns, nil
}

func compare(name string, r *recording.Recording, channel int, buffer time.Duration, failures []signal.TimedGap) Exact {
	e := Exact{Channel: name}
	samples := r.Sound.Channels[channel]
	from := min(settled(r), len(samples))
	samples = samples[from:]
	reference := signal.Noise(noiseSeed+uint64(channel), 0, r.Sound.Frames()+20*r.RateHz, true)
	for _, run := range signal.BitExact(reference, samples) {
		e.Frames += run.Length
		if run.Equal {
			e.Equal += run.Length
			e.Longest = max(e.Longest, run.Length)
			continue
		}
		ns, known := r.TimeAt(from + run.Start)
		gap := signal.TimedGap{Gap: signal.Gap{StartFrame: run.Start, LengthFrames: run.Length}, TimeNs: ns, Known: known}
		if signal.Attribute([]signal.TimedGap{gap}, failures, buffer, witnessMargin)[0].Unexplained() {
			e.Different = append(e.Different, run)
		} else {
			e.Excused = append(e.Excused, run)
		}
	}
	return e
}
