package endtoend

import (
	"fmt"
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
	"archibald-bridge/testbed/probe"
	"archibald-bridge/testbed/recording"
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
	Frames  int // judged
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
	Frames        int // judged
}

// LeftHz is the tone that SuperCollider plays on its left output.
const LeftHz = guestLeftHz

// HearSuperCollider judges both for so long; look is that of listen. The guest follows.
func (r *Rig) HearSuperCollider(duration time.Duration, look func()) (h InLeadersGraph, err error) {
	name := r.nextProbe("hear")
	out, _ := r.ports(proto.Host)
	heard, from, err := r.listen(proto.Host, probe.Config{
		Name: name, PeriodFrames: r.Config.PeriodFrames, Inputs: 2, Outputs: []probe.Signal{probe.Tone(witnessHz, toneDBFS)},
	}, [][2]string{{out, name + ":in_1"}, {name + ":out_1", name + ":in_2"}}, duration, look)
	if err != nil {
		return h, err
	}
	left, witness := heard.Sound.Channels[0][from:], heard.Sound.Channels[1][from:]
	h.Frames = len(left)
	h.Gaps, h.Witness = signal.Gaps(left, heard.RateHz, guestLeftHz), signal.Gaps(witness, heard.RateHz, witnessHz)
	if whole := longestWhole(left, h.Gaps); len(whole) >= heard.RateHz/10 {
		h.Tone, err = signal.Tone(whole, heard.RateHz, guestLeftHz)
	}
	return h, err
}

// nextProbe is a name that no probe has had.
func (r *Rig) nextProbe(what string) string {
	r.probes++
	return fmt.Sprintf("%s-%d", what, r.probes)
}

const (
	settling = time.Second // that a graph has for a new program and its connections
	// aside is what lies between a look and the sound that is judged: a miss is counted and heard
	// within that, whichever is first.
	aside = 100 * time.Millisecond
)

// listen starts a probe in a role's graph, connects it, and returns what it recorded, of which that
// from the frame from on is to be judged. It calls look before the first such frame and after
// the last, for counts of what happened meanwhile: what the start of a program costs is not in them.
func (r *Rig) listen(role proto.Role, config probe.Config, connections [][2]string, duration time.Duration, look func()) (heard *recording.Recording, from int, err error) {
	config.Binary, config.JackServer, config.RateHz = r.probe, r.jackServer(role), r.Config.RateHz
	config.Duration = settling + duration + 10*time.Second // it is ended before
	p, err := probe.Start(r.beside(role), config)
	if err != nil {
		return nil, 0, err
	}
	for _, pair := range connections {
		if err := r.connect(role, pair[0], pair[1]); err != nil {
			return nil, 0, err
		}
	}
	time.Sleep(settling)
	look()
	time.Sleep(aside)
	beginNs := monotonicNs()
	time.Sleep(duration)
	endNs := monotonicNs()
	time.Sleep(aside)
	look()
	if heard, err = p.FinishNow(); err != nil {
		return nil, 0, err
	}
	heard.CutAt(endNs)
	from = frameAt(heard, beginNs)
	if judged := heard.Sound.Frames() - from; 2*judged < int(duration.Seconds()*float64(heard.RateHz)) {
		return nil, 0, fmt.Errorf("%s heard only %d frames in %s: %s", p.Name, judged, duration, p.LogTail())
	}
	return heard, from, nil
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

// RoundTrip measures the way for so long, against a second one from the same program back to itself
// that does not leave the leader's graph and takes no time, since the program plays before it hears.
// look is that of listen.
func (r *Rig) RoundTrip(leader proto.Role, periodFrames int, duration time.Duration, look func()) (trip RoundTrip, err error) {
	name := r.nextProbe("trip")
	out, in := r.ports(leader)
	heard, from, err := r.listen(leader, probe.Config{
		Name: name, PeriodFrames: periodFrames, Inputs: 2, Outputs: []probe.Signal{probe.NoiseF32(noiseSeed), probe.NoiseF32(noiseSeed + 1)},
	}, [][2]string{{name + ":out_1", in}, {out, name + ":in_1"}, {name + ":out_2", name + ":in_2"}}, duration, look)
	if err != nil {
		return trip, err
	}
	runs := make([][]signal.Run, 2)
	for channel := range runs {
		reference := signal.Noise(noiseSeed+uint64(channel), 0, heard.Sound.Frames()+20*heard.RateHz, true)
		runs[channel] = signal.BitExact(reference, heard.Sound.Channels[channel][from:])
	}
	trip.Took = map[int]int{}
	for _, run := range runs[0] {
		trip.count(run)
		if direct, known := lagAt(runs[1], run.Start+run.Length/2); run.Equal && known {
			trip.Took[run.Start-run.Reference-direct] += run.Length
		}
	}
	if len(trip.Took) == 0 {
		return trip, fmt.Errorf("%s does not hear itself", name)
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
