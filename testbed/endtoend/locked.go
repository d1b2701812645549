package endtoend

import (
	"fmt"
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
	"archibald-bridge/testbed/probe"
	"archibald-bridge/testbed/signal"
)

// WaitLocked waits until a role leads, the other follows, and both hear each other.
func (r *Rig) WaitLocked(leader proto.Role, timeout time.Duration) error {
	want := map[string]string{string(leader): status.Leads, string(leader.Other()): status.Follows}
	return r.wait(timeout, func(s status.Status) bool {
		return s.Session.State == status.SessionUp && s.Session.Locked == want[s.End] && s.Directions.Receive.State == status.DirectionRunning
	})
}

// RoundTrip is noise that the leader's graph sent to the follower's, where the nodes of the
// bridge are connected to each other, and that came back.
type RoundTrip struct {
	Frames  int // recorded
	Equal   int // of them, those in stretches as they were sent
	Longest int // the frames of the longest such stretch
	Breaks  int // stretches that are not
	// Took counts frames of such stretches by how many frames the way took.
	Took map[int]int
}

// InLeadersGraph is what SuperCollider's tone is in the leader's graph, and a tone that does not
// leave it.
type InLeadersGraph struct {
	Tone          signal.Measured // of SuperCollider, in the longest stretch without a gap; zero: none of a tenth of a second
	Gaps, Witness []signal.Gap
}

// LeftHz is the tone that SuperCollider plays on its left output.
const LeftHz = guestLeftHz

// HearSuperCollider records both. The guest follows.
func (r *Rig) HearSuperCollider(duration time.Duration) (h InLeadersGraph, err error) {
	r.probes++
	name := fmt.Sprintf("hear-%d", r.probes)
	p, err := probe.Start(r.Stack, probe.Config{
		Binary: r.probe, Name: name, JackServer: r.jackServer(proto.Host), PeriodFrames: r.Config.PeriodFrames, RateHz: r.Config.RateHz,
		Inputs: 2, Duration: duration, Outputs: []probe.Signal{probe.Tone(witnessHz, toneDBFS)},
	})
	if err != nil {
		return h, err
	}
	out, _ := r.ports(proto.Host)
	for _, pair := range [][2]string{{out, name + ":in_1"}, {name + ":out_1", name + ":in_2"}} {
		if err := r.connect(proto.Host, pair[0], pair[1]); err != nil {
			return h, err
		}
	}
	heard, err := p.Finish()
	if err != nil {
		return h, err
	}
	from := min(settled(heard), heard.Sound.Frames())
	left, witness := heard.Sound.Channels[0][from:], heard.Sound.Channels[1][from:]
	h.Gaps, h.Witness = signal.Gaps(left, heard.RateHz, guestLeftHz), signal.Gaps(witness, heard.RateHz, witnessHz)
	if whole := longestWhole(left, h.Gaps); len(whole) >= heard.RateHz/10 {
		h.Tone, err = signal.Tone(whole, heard.RateHz, guestLeftHz)
	}
	return h, err
}

func (r *Rig) connect(role proto.Role, from, to string) error {
	if server := r.jackServer(role); server != "" {
		return r.JackConnect(server, from, to)
	}
	return r.beside(role).PipeWireConnect(from, to)
}

// LoopFollower connects the follower's nodes to each other.
func (r *Rig) LoopFollower(leader proto.Role) error {
	out, in := r.ports(leader.Other())
	return r.connect(leader.Other(), out, in)
}

// RoundTrip measures the way, against a second one from the same program back to itself that
// does not leave the leader's graph and takes no time, since the program plays before it hears.
func (r *Rig) RoundTrip(leader proto.Role, periodFrames int, duration time.Duration) (trip RoundTrip, err error) {
	r.probes++
	name := fmt.Sprintf("trip-%d", r.probes)
	config := probe.Config{
		Binary: r.probe, Name: name, JackServer: r.jackServer(leader), PeriodFrames: periodFrames, RateHz: r.Config.RateHz, Inputs: 2, Duration: duration,
		Outputs: []probe.Signal{probe.NoiseF32(noiseSeed), probe.NoiseF32(noiseSeed + 1)},
	}
	p, err := probe.Start(r.beside(leader), config)
	if err != nil {
		return trip, err
	}
	out, in := r.ports(leader)
	for _, pair := range [][2]string{
		{name + ":out_1", in}, {out, name + ":in_1"}, {name + ":out_2", name + ":in_2"},
	} {
		if err := r.connect(leader, pair[0], pair[1]); err != nil {
			return trip, err
		}
	}
	heard, err := p.Finish()
	if err != nil {
		return trip, err
	}
	runs := make([][]signal.Run, 2)
	for channel := range runs {
		samples := heard.Sound.Channels[channel]
		samples = samples[min(settled(heard), len(samples)):]
		reference := signal.Noise(noiseSeed+uint64(channel), 0, heard.Sound.Frames()+20*heard.RateHz, true)
		runs[channel] = signal.BitExact(reference, samples)
	}
	trip.Took = map[int]int{}
	for _, run := range runs[0] {
		trip.count(run)
		if direct, known := lagAt(runs[1], run.Start+run.Length/2); run.Equal && known {
			trip.Took[run.Start-run.Reference-direct] += run.Length
		}
	}
	if len(trip.Took) == 0 {
		return trip, fmt.Errorf("%s does not hear itself: %s", name, p.LogTail())
	}
	return trip, nil
}

// lagAt is how far what was heard at a frame is behind what is played. Cycles that the server
// skips move it, of both ways alike.
func lagAt(runs []signal.Run, frame int) (lag int, known bool) {
	for _, run := range runs {
		if run.Equal && run.Start <= frame && frame < run.Start+run.Length {
			return run.Start - run.Reference, true
		}
	}
	return 0, false
}

func (t *RoundTrip) count(run signal.Run) {
	t.Frames += run.Length
	if !run.Equal {
		t.Breaks++
		return
	}
	t.Equal += run.Length
	t.Longest = max(t.Longest, run.Length)
}
