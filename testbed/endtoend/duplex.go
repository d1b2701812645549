package endtoend

import (
	"fmt"
	"math"
	"slices"
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
	"archibald-bridge/testbed/probe"
	"archibald-bridge/testbed/recording"
	"archibald-bridge/testbed/signal"
	"archibald-bridge/testbed/stack"
	"archibald-bridge/testbed/stalls"
)

// The tones. None is a harmonic of another, so that a leak cannot hide.
const (
	guestLeftHz, guestRightHz = 441.0, 617.0 // SuperCollider, to the host
	hostLeftHz, hostRightHz   = 523.0, 797.0 // a program on the host, to the guest
	witnessHz                 = 997.0        // past the bridge, in either server
	toneDBFS                  = -12.0
)

var duplexTones = []float64{guestLeftHz, guestRightHz, hostLeftHz, hostRightHz, witnessHz}

// witnessMargin is how far apart a server's failure and the gap it makes in the
// bridged sound are seen, beside the time the sound spends in the bridge.
const witnessMargin = 50 * time.Millisecond

// outlast is how much longer the host's program plays than the guest listens.
const outlast = 5 * time.Second

// Heard is one channel that crossed the bridge, judged.
type Heard struct {
	Channel  string  // "host left"
	PlayedHz float64 // at toneDBFS
	Tone     signal.Measured
	LeakDBFS float64 // the loudest of the tones that do not belong here
	Gaps     []signal.Attributed
	Pitches  []Pitch           // of each second without a gap
	Failures []signal.TimedGap // of servers and processors, all that could be noticed
	Found    bool              // a frame taken out of a copy of this recording was found
}

// Ours counts the gaps that no witness excuses.
func (h Heard) Ours() int { return h.count(func(gap signal.Attributed) bool { return gap.Ours }) }

// Stalled counts those of Ours that came when a processor stood still.
func (h Heard) Stalled() int { return h.count(func(gap signal.Attributed) bool { return gap.Stalled }) }

func (h Heard) count(which func(signal.Attributed) bool) (n int) {
	for _, gap := range h.Gaps {
		if which(gap) {
			n++
		}
	}
	return n
}

// Duplex is sound in both directions at once, judged.
type Duplex struct {
	Heard                     []Heard         // host left, host right, guest left, guest right
	Status                    []status.Status // of guest and host, when the recordings ended
	GuestWitness, HostWitness []signal.TimedGap
	Host, Guest               *recording.Recording // left, right, witness; in the guest also SuperCollider's left
	StalledShare              float64              // of the time: of Ours, so many are Stalled by chance
	stalls, told              []signal.TimedGap
}

// Duplex plays SuperCollider to the host and a program on the host to the guest,
// both at once for the given time, and judges what arrived. buffer is how long
// sound stays in the bridge.
func (r *Rig) Duplex(duration, buffer time.Duration) (d *Duplex, err error) {
	var told []signal.TimedGap
	stalled, err := stallsDuring(r.Config.PeriodFrames, r.Config.RateHz, func() (err error) {
		told, err = toldDuring(r.Config.Ask, r.bothStatus, func() (err error) {
			d, err = r.record(duration)
			return err
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	d.stalls, d.told = stalled, told
	return d, d.judge(buffer)
}

// bothStatus asks both ends.
func (r *Rig) bothStatus() (both []status.Status, err error) {
	for _, role := range []proto.Role{proto.Guest, proto.Host} {
		s, err := r.Status(role)
		if err != nil {
			return nil, err
		}
		both = append(both, s)
	}
	return both, nil
}

// record plays and records.
func (r *Rig) record(duration time.Duration) (*Duplex, error) {
	if err := r.PlaySuperCollider(); err != nil {
		return nil, err
	}
	host, err := probe.Start(r.Stack, probe.Config{
		Binary: r.probe, Name: "host-probe", PeriodFrames: r.Config.PeriodFrames, RateHz: r.Config.HostRateHz,
		Duration: duration + outlast, // the guest must not hear its end
		Outputs:  []probe.Signal{probe.Tone(hostLeftHz, toneDBFS), probe.Tone(hostRightHz, toneDBFS), probe.Tone(witnessHz, toneDBFS)},
		Inputs:   3,
	})
	if err != nil {
		return nil, err
	}
	left, right := sides(r.Config.Channels)
	hear := "archibald-from-guest:output_" // channels without a position go to no sink
	if left == "FL" {
		hear = stack.NullSink + ":monitor_"
	}
	// By pw-link, which knows nodes by their names and not by their descriptions.
	for _, link := range [][2]string{
		{"host-probe:out_1", "archibald-to-guest:playback_" + left}, {"host-probe:out_2", "archibald-to-guest:playback_" + right},
		{hear + left, "host-probe:in_1"}, {hear + right, "host-probe:in_2"},
		{"host-probe:out_3", "host-probe:in_3"},
	} {
		if err := r.PipeWireConnect(link[0], link[1]); err != nil {
			return nil, err
		}
	}
	guest, err := probe.Start(r.Stack, probe.Config{
		Binary: r.probe, Name: "guest-probe", JackServer: r.JackServer, Duration: duration,
		Outputs: []probe.Signal{probe.Tone(witnessHz, toneDBFS)},
		Inputs:  4,
		Connect: [][2]string{
			{"archibald-from-host:out_1", "guest-probe:in_1"}, {"archibald-from-host:out_2", "guest-probe:in_2"},
			{"guest-probe:out_1", "guest-probe:in_3"}, {"SuperCollider:out_1", "guest-probe:in_4"},
		},
	})
	if err != nil {
		return nil, err
	}
	d := new(Duplex)
	time.Sleep(duration)
	if d.Status, err = r.bothStatus(); err != nil {
		return nil, err
	}
	if d.Guest, err = guest.Finish(); err != nil {
		return nil, err
	}
	if d.Host, err = host.FinishNow(); err != nil {
		return nil, err
	}
	d.Host.CutAt(d.Guest.EndNs()) // what the guest's server did afterwards has no witness
	return d, nil
}

// ServerFailures counts what went wrong beside the bridge: gaps in the witness
// tones, time that a server lost, and xruns that its clients were told of.
func (d *Duplex) ServerFailures() int {
	return len(d.GuestWitness) + len(d.HostWitness) + d.Guest.Xruns + d.Host.Xruns
}

func (d *Duplex) judge(buffer time.Duration) error {
	d.HostWitness = append(witness(d.Host, 2, witnessHz), losses(d.Host)...)
	// A cycle that SuperCollider did not finish in time reaches nobody behind it.
	d.GuestWitness = append(witness(d.Guest, 2, witnessHz), witness(d.Guest, 3, guestLeftHz)...)
	d.GuestWitness = append(d.GuestWitness, losses(d.Guest)...)
	witnesses := slices.Concat(d.HostWitness, d.GuestWitness, d.stalls, d.told)
	d.StalledShare = stalledShare(d.Guest, d.stalls, buffer)
	for _, c := range []struct {
		name  string
		from  *recording.Recording
		input int
		hz    float64
	}{
		{"host left", d.Host, 0, guestLeftHz}, {"host right", d.Host, 1, guestRightHz},
		{"guest left", d.Guest, 0, hostLeftHz}, {"guest right", d.Guest, 1, hostRightHz},
	} {
		heard, err := judge(c.name, c.from, c.input, c.hz, duplexTones, buffer, witnesses)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		d.Heard = append(d.Heard, heard)
	}
	return nil
}

// settled is where judging begins, 2 s after the start: the ports are connected meanwhile.
func settled(r *recording.Recording) int { return 2 * r.RateHz }

// judge compares one input of a recording with the tone that belongs there; none of
// the others may be in it.
func judge(name string, r *recording.Recording, input int, hz float64, tones []float64, buffer time.Duration, witnesses []signal.TimedGap) (Heard, error) {
	h := Heard{Channel: name, PlayedHz: hz, LeakDBFS: math.Inf(-1)}
	samples := r.Sound.Channels[input]
	from := settled(r)
	if len(samples) < 2*from {
		return h, fmt.Errorf("%d frames recorded, want at least %d", len(samples), 2*from)
	}
	samples = samples[from:]
	gaps := signal.Gaps(samples, r.RateHz, hz)
	var err error
	if h.Tone, err = signal.Tone(longestWhole(samples, gaps), r.RateHz, hz); err != nil {
		return h, err
	}
	for _, foreign := range tones {
		if foreign == hz {
			continue
		}
		leak, err := signal.Leak(samples, r.RateHz, foreign)
		if err != nil {
			return h, err
		}
		h.LeakDBFS = max(h.LeakDBFS, leak)
	}
	timeAt := func(frame int) (int64, bool) { return r.TimeAt(frame + from) }
	if h.Pitches, err = pitches(r, samples, from, hz, gaps); err != nil {
		return h, err
	}
	h.Failures = witnesses
	h.Gaps = signal.Attribute(signal.Timed(gaps, timeAt), witnesses, buffer, witnessMargin)
	h.Found, _ = signal.FindsPlanted(samples, r.RateHz, hz, gaps)
	return h, nil
}

// longestWhole is the longest stretch without a gap: pitch and level are those of
// the sound, and how often it breaks is counted beside them.
func longestWhole(samples []float32, gaps []signal.Gap) []float32 {
	whole, from := samples[:0], 0
	for _, gap := range gaps {
		if to := min(max(gap.StartFrame, from), len(samples)); to-from > len(whole) {
			whole = samples[from:to]
		}
		from = min(gap.StartFrame+gap.LengthFrames, len(samples))
	}
	if len(samples)-from > len(whole) {
		whole = samples[from:]
	}
	return whole
}

// witness returns the gaps of a tone that did not cross the bridge.
func witness(r *recording.Recording, input int, hz float64) []signal.TimedGap {
	samples, from := r.Sound.Channels[input], settled(r)
	samples = samples[min(from, len(samples)):]
	timeAt := func(frame int) (int64, bool) { return r.TimeAt(frame + from) }
	return signal.Timed(signal.Gaps(samples, r.RateHz, hz), timeAt)
}

// losses returns the moments at which a server lost time or skipped a client, by
// the times of its cycles.
func losses(r *recording.Recording) []signal.TimedGap { return signal.Lost(r.Losses()) }

func stalledShare(r *recording.Recording, stalled []signal.TimedGap, buffer time.Duration) float64 {
	from, _ := r.TimeAt(settled(r))
	return signal.StalledShare(stalled, buffer, witnessMargin, from, r.EndNs())
}

// stallsDuring runs f and returns the times in which a processor meanwhile stood still.
func stallsDuring(periodFrames, rateHz int, f func() error) ([]signal.TimedGap, error) {
	found, err := stalls.During(f)
	return signal.Stalled(found, periodFrames, rateHz), err
}
