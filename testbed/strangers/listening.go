package strangers

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sort"
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/testbed/probe"
	"archibald-bridge/testbed/recording"
	"archibald-bridge/testbed/signal"

	"golang.org/x/sys/unix"
)

// The ends' tones, and one in each server that does not cross the bridge.
const (
	guestHz   = 441.0
	hostHz    = 523.0
	witnessHz = 997.0
	toneDBFS  = -12.0
)

const (
	buffer        = 100 * time.Millisecond // how long sound stays in the bridge
	witnessMargin = 50 * time.Millisecond
	outlast       = 5 * time.Second // the host plays on when the guest has stopped
)

// Phase is what happened while one attack was made.
type Phase struct {
	Name       string
	Reconnects int // of both ends
	Datagrams  int // to the strangers
	// What is heard of the strangers: at the host, at the guest.
	StrangerDBFS [2]float64
	Heard        [2]float64 // the share, 0 to 1, of the time in which the peer was heard there
	// Gaps in what crossed the bridge that no server's failure explains, and those
	// failures.
	Gaps, ServerFailures int
	Rejected, Lost, Late int // datagrams, at both ends

	from, to int64 // CLOCK_MONOTONIC, ns
}

func (p Phase) String() string {
	return fmt.Sprintf("%-44s reconnects %d, datagrams to strangers %d, their tone %.0f and %.0f dBFS, the peer %.3f and %.3f of the time, gaps %d, servers failed %d, rejected %d, lost %d, late %d",
		p.Name, p.Reconnects, p.Datagrams, p.StrangerDBFS[0], p.StrangerDBFS[1], p.Heard[0], p.Heard[1], p.Gaps, p.ServerFailures, p.Rejected, p.Lost, p.Late)
}

// Listening is both ends playing to each other while strangers are at work.
type Listening struct {
	Phases []Phase

	town        *Town
	ear         *Ear
	host, guest *probe.Probe
}

// Listen starts the tones and the recordings, for at most the given time. Both ends
// must be up.
func (town *Town) Listen(longest time.Duration) (*Listening, error) {
	l := &Listening{town: town}
	var err error
	hostEar, guestEar := town.name("host-ear"), town.name("guest-ear")
	outputs := func(hz float64) []probe.Signal {
		return []probe.Signal{probe.Tone(hz, toneDBFS), probe.Tone(witnessHz, toneDBFS)}
	}
	if l.host, err = probe.Start(town.Host, probe.Config{
		Binary: town.probe, Name: hostEar, PeriodFrames: periodFrames, Duration: longest + outlast, Outputs: outputs(hostHz), Inputs: 2,
	}); err != nil {
		return nil, err
	}
	for _, link := range [][2]string{
		{hostEar + ":out_1", "archibald-to-guest:playback_FL"}, {"archibald-from-guest:output_FL", hostEar + ":in_1"},
		{hostEar + ":out_2", hostEar + ":in_2"},
	} {
		if err := town.Host.PipeWireConnect(link[0], link[1]); err != nil {
			return nil, err
		}
	}
	if l.guest, err = probe.Start(town.Guest, probe.Config{
		Binary: town.probe, Name: guestEar, JackServer: town.jackd.Server, Duration: longest, Outputs: outputs(guestHz), Inputs: 2,
		Connect: [][2]string{{guestEar + ":out_1", "archibald-to-host:in_1"}, {"archibald-from-host:out_1", guestEar + ":in_1"},
			{guestEar + ":out_2", guestEar + ":in_2"}},
	}); err != nil {
		return nil, err
	}
	if l.ear, err = NewEar(town.Strangers, false); err != nil {
		return nil, err
	}
	time.Sleep(2 * time.Second) // the buffers fill, and the clocks settle
	return l, nil
}

// During makes an attack for some time and notes what came of it. Where it ended the
// session, it waits until that is healed.
func (l *Listening) During(name string, length time.Duration, attack Attack) error {
	before, err := l.counts()
	if err != nil {
		return err
	}
	p := Phase{Name: name, from: monotonicNs()}
	ctx, cancel := context.WithTimeout(context.Background(), length)
	defer cancel()
	if err := attack(ctx); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	<-ctx.Done()
	p.to = monotonicNs()
	if err := l.town.WaitUp(15 * time.Second); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	after, err := l.counts()
	if err != nil {
		return err
	}
	p.Reconnects, p.Datagrams = after.Reconnects-before.Reconnects, after.Datagrams-before.Datagrams
	p.Rejected, p.Lost, p.Late = after.Rejected-before.Rejected, after.Lost-before.Lost, after.Late-before.Late
	l.Phases = append(l.Phases, p)
	time.Sleep(3 * buffer / 2) // what was in the buffers is this attack's
	return nil
}

// counts are those of both ends so far.
func (l *Listening) counts() (c Phase, err error) {
	for _, ask := range []func() (status.Status, error){l.town.HostStatus, l.town.GuestStatus} {
		s, err := ask()
		if err != nil {
			return c, err
		}
		received := s.Directions.Receive.Total
		c.Reconnects += int(s.Session.Reconnects)
		c.Rejected += int(received.Rejected)
		c.Lost += int(received.Lost)
		c.Late += int(received.Late)
	}
	c.Datagrams = l.ear.Datagrams(InsideAddress, OutsideAddress)
	return c, nil
}

// Finish ends the recordings and judges all phases.
func (l *Listening) Finish() error {
	_ = l.ear.Close()
	guest, err := l.guest.FinishNow()
	if err != nil {
		return err
	}
	host, err := l.host.FinishNow()
	if err != nil {
		return err
	}
	host.CutAt(guest.EndNs())
	witnesses := slices.Concat(witness(host), witness(guest), signal.Lost(host.Losses()), signal.Lost(guest.Losses()))
	for end, heard := range []struct {
		*recording.Recording
		hz float64
	}{{host, guestHz}, {guest, hostHz}} {
		gaps := signal.Timed(signal.Gaps(heard.Sound.Channels[0], heard.RateHz, heard.hz), heard.TimeAt)
		attributed := signal.Attribute(gaps, witnesses, buffer, witnessMargin)
		for i := range l.Phases {
			p := &l.Phases[i]
			for _, gap := range attributed {
				if gap.Ours && p.has(gap.TimedGap) {
					p.Gaps++
				}
			}
			from, to := frameAt(heard.Recording, p.from), frameAt(heard.Recording, p.to+int64(buffer))
			p.Heard[end] = signal.Presence(heard.Sound.Channels[0][from:to], heard.RateHz, heard.hz, toneDBFS)
			if p.StrangerDBFS[end], err = loudest(heard.Sound.Channels[0][from:to], heard.RateHz); err != nil {
				return fmt.Errorf("%s: %w", p.Name, err)
			}
		}
	}
	for i := range l.Phases {
		for _, failure := range witnesses {
			if l.Phases[i].has(failure) {
				l.Phases[i].ServerFailures++
			}
		}
	}
	return nil
}

// has says whether a gap is of the time of a phase.
func (p *Phase) has(gap signal.TimedGap) bool {
	const settled = int64(50 * time.Millisecond)
	return gap.TimeNs >= p.from-settled && gap.TimeNs <= p.to+2*int64(buffer)
}

// loudest is the highest level of the strangers' tone in any second: a stretch
// that the bridge's own tone fills does not hide one that it does not.
func loudest(samples []float32, rateHz int) (float64, error) {
	level := math.Inf(-1)
	for stretch := rateHz; len(samples) >= stretch; samples = samples[stretch:] {
		here, err := signal.Leak(samples[:stretch], rateHz, StrangerHz)
		if err != nil {
			return 0, err
		}
		level = max(level, here)
	}
	return level, nil
}

func witness(r *recording.Recording) []signal.TimedGap {
	return signal.Timed(signal.Gaps(r.Sound.Channels[1], r.RateHz, witnessHz), r.TimeAt)
}

func frameAt(r *recording.Recording, ns int64) int {
	return sort.Search(r.Sound.Frames(), func(frame int) bool {
		at, ok := r.TimeAt(frame)
		return ok && at >= ns
	})
}

func monotonicNs() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // cannot fail
	return t.Nano()
}
