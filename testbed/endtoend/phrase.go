package endtoend

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sort"
	"time"

	"archibald-bridge/testbed/probe"
	"archibald-bridge/testbed/recording"
	"archibald-bridge/testbed/sc"
	"archibald-bridge/testbed/signal"
	"archibald-bridge/testbed/stack"
	"archibald-bridge/testbed/wav"

	"golang.org/x/sys/unix"
)

// A melody on the left channel, over a drone on the right.
var melody = []float32{440, 523.25, 659.25, 587.33, 523.25, 493.88, 523.25, 440}

const (
	noteLength = 700 * time.Millisecond
	droneHz    = 220.0
)

// Note is one note of the melody as it arrived.
type Note struct {
	PlayedHz    float64
	OnHost      Arrived // on the host's sink
	BackInGuest Arrived // in the guest, after the way there and back
}

// Arrived is what a note became: pitch and level of the longest part that is whole, and how
// many gaps there were beside it.
type Arrived struct {
	signal.Measured
	Gaps int
}

// String says it in a few words.
func (a Arrived) String() string {
	text := fmt.Sprintf("%7.2f Hz %6.2f dBFS", a.FrequencyHz, a.LevelDBFS)
	switch a.Gaps {
	case 0:
		return text
	case 1:
		return text + ", 1 gap"
	}
	return fmt.Sprintf("%s, %d gaps", text, a.Gaps)
}

// Phrase is what SuperCollider's melody became on its way to the host and back.
type Phrase struct {
	Notes         []Note
	Drone         Arrived   // on the host, right channel
	Host, Guest   wav.Audio // what arrived, stereo
	PlayedDBFS    float64
	sent          []int64 // CLOCK_MONOTONIC of each note
	guestRecorded *recording.Recording
	hostRecorded  *recording.Recording
}

// PlayPhrase lets SuperCollider play the melody to the host, where everything
// that reaches the sink is sent back to the guest, and measures every note at
// both places. progress is called now and then while it plays.
func (r *Rig) PlayPhrase(progress func()) (*Phrase, error) {
	client, notes, err := r.startMelody()
	if err != nil {
		return nil, err
	}
	defer func() { _ = client.Close() }()
	length := time.Duration(len(melody))*noteLength + 4*time.Second
	host, err := probe.Start(r.Stack, probe.Config{
		Binary: r.probe, Name: "host-probe", PeriodFrames: r.Config.PeriodFrames, RateHz: r.Config.HostRateHz, Duration: length, Inputs: 2,
	})
	if err != nil {
		return nil, err
	}
	guest, err := probe.Start(r.Stack, probe.Config{
		Binary: r.probe, Name: "guest-probe", JackServer: r.JackServer, Duration: length, Inputs: 2,
		Connect: [][2]string{{"archibald-from-host:out_1", "guest-probe:in_1"}, {"archibald-from-host:out_2", "guest-probe:in_2"}},
	})
	if err != nil {
		return nil, err
	}
	for i, side := range []string{"FL", "FR"} {
		monitor := stack.NullSink + ":monitor_" + side
		if err := r.PipeWireConnect(monitor, fmt.Sprintf("host-probe:in_%d", i+1)); err != nil {
			return nil, fmt.Errorf("%w; host-probe: %s", err, host.LogTail())
		}
		if err := r.PipeWireConnect(monitor, "archibald-to-guest:playback_"+side); err != nil {
			return nil, err
		}
	}
	time.Sleep(time.Second)
	p := &Phrase{PlayedDBFS: toneDBFS}
	if err := p.play(client, notes, progress); err != nil {
		return nil, err
	}
	if p.hostRecorded, err = host.Finish(); err != nil {
		return nil, err
	}
	if p.guestRecorded, err = guest.Finish(); err != nil {
		return nil, err
	}
	p.Host, p.Guest = p.hostRecorded.Sound, p.guestRecorded.Sound
	return p, p.measure()
}

func (r *Rig) startMelody() (*sc.Client, int32, error) {
	if err := r.startScsynth(); err != nil {
		return nil, 0, err
	}
	return r.tones(melody[0], droneHz)
}

func (p *Phrase) play(client *sc.Client, node int32, progress func()) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, hz := range melody {
		p.sent = append(p.sent, monotonicNs())
		if err := client.Phrase(ctx, node, []sc.Note{{Hz: hz, Duration: noteLength}}); err != nil {
			return err
		}
		progress()
	}
	return nil
}

func (p *Phrase) measure() error {
	for i, hz := range melody {
		n := Note{PlayedHz: float64(hz)}
		var err error
		if n.OnHost, err = measureAt(p.hostRecorded, 0, p.sent[i], n.PlayedHz); err != nil {
			return fmt.Errorf("note %d on the host: %w", i+1, err)
		}
		if n.BackInGuest, err = measureAt(p.guestRecorded, 0, p.sent[i], n.PlayedHz); err != nil {
			return fmt.Errorf("note %d back in the guest: %w", i+1, err)
		}
		p.Notes = append(p.Notes, n)
	}
	var err error
	p.Drone, err = measureAt(p.hostRecorded, 1, p.sent[1], droneHz)
	return err
}

// measureAt measures the middle of a note that was sent at sentNs. The bridge
// may take up to 250 ms of it.
func measureAt(r *recording.Recording, channel int, sentNs int64, hz float64) (a Arrived, err error) {
	from, to := frameAt(r, sentNs+300e6), frameAt(r, sentNs+int64(noteLength)-50e6)
	samples := r.Sound.Channels[channel]
	if to > len(samples) || from >= to {
		return a, fmt.Errorf("recording of %d frames ends before frame %d", len(samples), to)
	}
	samples = samples[from:to]
	// At the shortest periods a machine loses cycles in every part of a note: what is between
	// them tells its pitch and level.
	gaps := signal.Gaps(samples, r.RateHz, hz)
	a.Gaps = len(gaps)
	if whole := longestWhole(samples, gaps); len(whole) >= r.RateHz/10 {
		a.Measured, err = signal.Tone(whole, r.RateHz, hz)
	} else {
		a.Measured, err = middleOf(samples, r.RateHz, hz)
	}
	return a, err
}

// middleOf measures a note in three parts and returns the one of middle pitch: a
// cycle that the machine skipped spoils one part and is no wrong note.
func middleOf(samples []float32, rateHz int, hz float64) (signal.Measured, error) {
	var parts []signal.Measured
	for part := range 3 {
		length := len(samples) / 3
		m, err := signal.Tone(samples[part*length:(part+1)*length], rateHz, hz)
		if err != nil {
			return m, err
		}
		parts = append(parts, m)
	}
	slices.SortFunc(parts, func(a, b signal.Measured) int { return cmp.Compare(a.FrequencyHz, b.FrequencyHz) })
	return parts[1], nil
}

// Right says whether every note has the pitch and level that was played.
func (p *Phrase) Right() bool {
	const hzOff, dbOff = 0.5, 0.1
	right := func(a Arrived, hz float64) bool {
		return math.Abs(a.FrequencyHz-hz) < hzOff && math.Abs(a.LevelDBFS-p.PlayedDBFS) < dbOff
	}
	for _, n := range p.Notes {
		if !right(n.OnHost, n.PlayedHz) || !right(n.BackInGuest, n.PlayedHz) {
			return false
		}
	}
	return right(p.Drone, droneHz)
}

func monotonicNs() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // cannot fail
	return t.Nano()
}

func frameAt(r *recording.Recording, ns int64) int {
	return sort.Search(r.Sound.Frames(), func(frame int) bool {
		at, ok := r.TimeAt(frame)
		return ok && at >= ns
	})
}
