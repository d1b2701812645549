package sim

import (
	"math"

	"archibald-bridge/bridge/rt"
	"archibald-bridge/bridge/stream"
)

const lockedRate = 48000

// Locked is a leader and its followers on virtual time, with sound: the leader's packets drive
// the followers' graphs, which send back at once what they are played.
type Locked struct {
	PeriodFrames  int
	PacketFrames  int // 0: a period
	AnswerPeriods int // 0: 1
	Copies        int // more of each packet, at once
	// Source is the leader's sound by the frames that it captured, lost ones not counted.
	Source func(frame int64) float32
	// WakeNs draws how late the leader's playout runs; nil: on time.
	WakeNs func() float64
	// LostFrames is how long the leader's graph stands before a cycle, in frames; its counter
	// tells.
	LostFrames func(cycle int) int
	// StandsNs is the same in time, and the counter does not tell; nil: never.
	StandsNs  func(cycle int) float64
	Followers []*Follower

	// Cycles are the leader's so far.
	Cycles []LeaderCycle

	stoodNs float64 // so far
}

// LeaderCycle is one cycle of the leader.
type LeaderCycle struct {
	In  []float32 // captured, and sent to all
	Out [][]float32
	// Whole says, of each follower, that the answer was there.
	Whole []bool
}

// Follower is one follower with the network between it and the leader. Functions that are nil
// take 100 us, and lose and stop nothing.
type Follower struct {
	ThereNs, BackNs     func() float64 // from a capture callback to the other end's socket
	LoseThere, LoseBack func() bool
	GraphNs             func() float64 // from the start of a cycle to its capture callback
	// AsleepNs is until when the follower's machine stands, at a time.
	AsleepNs func(ns float64) float64

	period    int
	near, far *rt.Virtual // the leader's side, and its own
	there     []inFlight  // on their way ...
	socket    []inFlight  // ... arrived and not read
	back      []inFlight
	starts    []FollowerCycle
	running   bool
	doneNs    float64
	wakeNs    float64
	nowNs     float64
	played    []float32
	missed    uint64 // unanswered cycles of the leader so far
}

// FollowerCycle is one cycle of a follower.
type FollowerCycle struct {
	Ns    float64
	Media int64 // of the leader's cycle that drives it; math.MinInt64: none
	Out   []float32
}

type inFlight struct {
	ns   float64
	data []byte
}

const lockedDelayNs = 100e3

func draw(f func() float64) float64 {
	if f == nil {
		return lockedDelayNs
	}
	return f()
}

// Run begins or goes on, for a number of the leader's cycles.
func (l *Locked) Run(cycles int) error {
	if l.AnswerPeriods == 0 {
		l.AnswerPeriods = 1
	}
	for _, f := range l.Followers {
		if f.near == nil {
			if err := l.open(f); err != nil {
				return err
			}
		}
	}
	for range cycles {
		l.cycle()
	}
	return nil
}

// Close frees what Run opened.
func (l *Locked) Close() {
	for _, f := range l.Followers {
		f.near.Close()
		f.far.Close()
	}
}

// Counters are the leader's and the follower's.
func (f *Follower) Counters() (leader, follower stream.Counters) {
	return f.near.Counters(), f.far.Counters()
}

// Starts are the cycles of the follower so far.
func (f *Follower) Starts() []FollowerCycle { return f.starts }

func (l *Locked) open(f *Follower) (err error) {
	if f.near, err = rt.NewVirtual(lockedRate); err != nil {
		return err
	}
	if f.far, err = rt.NewVirtual(lockedRate); err != nil {
		return err
	}
	packet := l.PacketFrames
	if packet == 0 {
		packet = l.PeriodFrames
	}
	format := stream.Format{Encoding: stream.F32, RateHz: lockedRate, Channels: 1}
	f.period = l.PeriodFrames
	f.far.Follow(lockedRate, l.PeriodFrames)
	f.wakeNs = 0.9e9
	for _, end := range []struct {
		v    *rt.Virtual
		lock stream.Lock
		ssrc uint32
	}{{f.near, stream.Leads, 1}, {f.far, stream.Follows, 2}} {
		repeats := stream.Repeats{Copies: l.Copies}
		if err := end.v.StartSender(stream.SendPlan{Format: format, PayloadType: 98, PacketFrames: packet, SSRC: end.ssrc, Lock: end.lock, Repeats: repeats}); err != nil {
			return err
		}
		if err := end.v.StartReceiver(stream.ReceivePlan{Format: format, PayloadType: 98, SSRC: 3 - end.ssrc, Lock: end.lock, Repeats: repeats,
			PeriodFrames: l.PeriodFrames, AnswerPeriods: l.AnswerPeriods}); err != nil {
			return err
		}
	}
	return nil
}

// lost is how many frames the graph stood before a cycle and all before it.
func (l *Locked) lost(cycle int) (frames int64) {
	for i := 0; l.LostFrames != nil && i <= cycle; i++ {
		frames += int64(l.LostFrames(i))
	}
	return frames
}

func (l *Locked) cycle() {
	n := len(l.Cycles)
	captured := int64(n * l.PeriodFrames)
	frame := captured + l.lost(n)
	startNs := 1e9 + math.Round(float64(frame)*1e9/lockedRate)
	if l.StandsNs != nil {
		l.stoodNs += l.StandsNs(n)
	}
	callbackNs := startNs + l.stoodNs
	if l.WakeNs != nil {
		callbackNs += l.WakeNs()
	}
	c := LeaderCycle{In: make([]float32, l.PeriodFrames)}
	for i := range c.In {
		c.In[i] = l.Source(captured + int64(i))
	}
	for _, f := range l.Followers {
		f.until(callbackNs)
		var came []inFlight
		came, f.back = arrived(f.back, callbackNs)
		f.near.Expect(uint64(frame))
		for _, a := range came {
			f.near.Receive(a.data, int64(a.ns))
		}
		out := f.near.Play(1, l.PeriodFrames, uint64(frame), int64(callbackNs))
		c.Out = append(c.Out, append([]float32(nil), out[0]...))
		unanswered := f.near.Counters().Received.Unanswered
		c.Whole = append(c.Whole, unanswered == f.missed)
		f.missed = unanswered
		for _, datagram := range f.near.Capture([][]float32{c.In}, uint64(frame), int64(callbackNs)) {
			if f.LoseThere == nil || !f.LoseThere() {
				f.there = onItsWay(f.there, inFlight{callbackNs + draw(f.ThereNs), datagram})
			}
		}
	}
	l.Cycles = append(l.Cycles, c)
}

// arrived are those that have come at a time, and the rest.
func arrived(all []inFlight, ns float64) (came, left []inFlight) {
	n := 0
	for n < len(all) && all[n].ns <= ns {
		n++
	}
	return all[:n:n], all[n:]
}

// onItsWay puts one where it belongs among the others.
func onItsWay(all []inFlight, a inFlight) []inFlight {
	at := len(all)
	for at > 0 && all[at-1].ns > a.ns {
		at--
	}
	return append(all[:at:at], append([]inFlight{a}, all[at:]...)...)
}

// until runs the follower to a time.
func (f *Follower) until(ns float64) {
	for {
		at, why := f.wakeNs, rt.FollowTimer
		if len(f.there) > 0 && f.there[0].ns <= at {
			at, why = f.there[0].ns, rt.FollowReadable
		}
		if f.running && f.doneNs <= at {
			at, why = f.doneNs, rt.FollowDone
		}
		if at > ns {
			return
		}
		f.nowNs = max(f.nowNs, at)
		if f.AsleepNs != nil {
			f.nowNs = max(f.nowNs, f.AsleepNs(f.nowNs))
		}
		if f.nowNs > ns {
			return
		}
		f.event(why)
	}
}

func (f *Follower) event(why rt.FollowWhy) {
	came, left := arrived(f.there, f.nowNs)
	f.socket, f.there = append(f.socket, came...), left
	if why == rt.FollowDone {
		f.running = false
		for _, datagram := range f.far.Capture([][]float32{f.played}, 0, int64(f.nowNs)) {
			if f.LoseBack == nil || !f.LoseBack() {
				f.back = onItsWay(f.back, inFlight{f.nowNs + draw(f.BackNs), datagram})
			}
		}
	}
	start, wakeNs := f.far.Step(why, int64(f.nowNs), f.read)
	f.wakeNs = float64(wakeNs)
	if !start {
		return
	}
	media := f.far.Driving()
	out := f.far.Play(1, f.period, 0, int64(f.nowNs))
	f.played = append([]float32(nil), out[0]...)
	f.starts = append(f.starts, FollowerCycle{f.nowNs, media, f.played})
	f.running, f.doneNs = true, f.nowNs+draw(f.GraphNs)
}

func (f *Follower) read() (datagram []byte, arrivalNs int64, ok bool) {
	if len(f.socket) == 0 {
		return nil, 0, false
	}
	a := f.socket[0]
	f.socket = f.socket[1:]
	return a.data, int64(a.ns), true
}
