package sim

import (
	"archibald-bridge/bridge/clock"
	"archibald-bridge/bridge/rt"
	"archibald-bridge/bridge/stream"
)

// controlNs is how often control looks at the observations, as it does live.
const controlNs = 20e6

// usualGapsPerHour is the default of --gaps-per-hour.
const usualGapsPerHour = 30

// Link is one direction: a sender's graph, a network, a receiver's graph.
type Link struct {
	Sender, Receiver Graph
	// PacketFrames is what the sender puts into a packet; 0: its period. What a cycle
	// fills is sent at once.
	PacketFrames int
	// WholePeriods: what is left of a period goes in a smaller packet, as of ffmpeg's
	// and GStreamer's blocks.
	WholePeriods bool
	// Repeats is how often, and how much later, each packet goes out again.
	Repeats stream.Repeats
	// Unagreed: the receiver does not know of the repeats.
	Unagreed bool
	// NetworkNs draws the time from the capture callback to the arrival of the first
	// packet that is sent in it.
	NetworkNs func() float64
	// SpreadNs draws how much later each packet arrives beyond that; nil: in their order,
	// as fast as they leave.
	SpreadNs func() float64
	// GraphNs is how long the sender's graph takes before the capture callback,
	// which the sender tells; nil: it tells nothing.
	GraphNs func() float64
	// Lose says whether the next packet is lost, repeats among them.
	Lose func() bool
	// Servo is the receiver's; rates and LookaheadFrames are filled in.
	Servo clock.Config
	// Restarts says whether the sender starts again with its next packet, from
	// other timestamps and sequence numbers.
	Restarts func() bool
	// ControlStalls says whether control does not run now: Go was stopped.
	ControlStalls func(seconds float64) bool

	engine  *rt.Virtual
	servo   *clock.Servo
	pending []packet
	out     outgoing
	nth, of int         // which packet of how many of its cycle is sent just now
	clock   *rt.Virtual // the sender's media clock
	media   int64       // and what that shows at its last cycle, and from where it counts
	from    int64
	now     cycle
	sent    cycle
}

// State is the receiver after one cycle.
type State struct {
	Seconds float64
	Cycle   stream.Observation
	// TrueDelay is how far playout is behind the sender's clock, in stream
	// frames, by the virtual time itself and not by what the servo believes.
	TrueDelay float64
	Seek      bool // control moved the position just now
	// Decision is what control decided just now.
	Decision clock.Decision
}

// Run plays for a virtual time and calls see after every look of control. It
// tracks positions only.
func (l *Link) Run(seconds float64, see func(State)) error {
	if err := l.begin(); err != nil {
		return err
	}
	defer l.engine.Close()
	defer l.clock.Close()
	buf := make([]stream.Observation, 512)
	controlAt := 0.0
	var state State
	for l.now.startNs < seconds*1e9 {
		l.now = l.Receiver.next()
		l.sendUntil(l.now.callbackNs)
		l.deliverUntil(l.now.callbackNs)
		l.engine.Advance(l.Receiver.PeriodFrames, l.now.frame, int64(l.now.callbackNs))
		if l.now.startNs < controlAt ||
			l.ControlStalls != nil && l.ControlStalls(l.now.startNs*1e-9) {
			continue
		}
		controlAt = l.now.startNs + controlNs
		for n := len(buf); n == len(buf); {
			n = l.engine.Observe(buf)
			for _, o := range buf[:n] {
				if o.Kind == stream.KindCycle {
					state.Cycle = o
				}
				l.servo.Observe(o)
			}
		}
		decision := l.servo.Decide()
		l.engine.SetRatio(decision.Ratio)
		if decision.Seek {
			l.engine.SeekTo(decision.Offset)
		}
		state.Seconds = l.now.startNs * 1e-9
		state.Seek, state.Decision = decision.Seek, decision
		state.TrueDelay = l.trueDelay(state.Cycle)
		see(state)
	}
	return nil
}

// ServoStatus is the status of the receiver's servo.
func (l *Link) ServoStatus() clock.Status { return l.servo.Status() }

// Engine is the receiver, for its counters; valid while Run runs.
func (l *Link) Engine() *rt.Virtual { return l.engine }

func (l *Link) begin() error {
	engine, err := rt.NewVirtual(l.Receiver.RateHz)
	if err != nil {
		return err
	}
	l.engine = engine
	if l.clock, err = rt.NewVirtual(l.Sender.RateHz); err != nil {
		return err
	}
	l.Sender.startNs, l.Receiver.startNs = 1e9+l.Sender.StartNs, 1e9+l.Receiver.StartNs
	if l.Sender.StartNs == l.Receiver.StartNs {
		l.Receiver.startNs += 0.37e6 // no common phase
	}
	l.from = 1 << 20
	l.out = outgoing{packetFrames: int64(l.PacketFrames), whole: l.WholePeriods, repeats: l.Repeats}
	if l.PacketFrames == 0 {
		l.out.packetFrames = int64(l.Sender.PeriodFrames)
	}
	expected := l.Repeats
	if l.Unagreed {
		expected = stream.Repeats{}
	}
	if err := engine.StartPositions(l.Sender.RateHz, l.Receiver.RateHz, expected); err != nil {
		return err
	}
	l.Servo.RateHz, l.Servo.GraphRateHz, l.Servo.LookaheadFrames = l.Sender.RateHz, l.Receiver.RateHz, engine.LookaheadFrames()
	l.servo = clock.NewServo(l.Servo)
	return nil
}

// sendUntil runs the sender's cycles whose callbacks are due.
func (l *Link) sendUntil(ns float64) {
	for l.Sender.startNs <= ns {
		l.sent = l.Sender.next()
		l.media = l.from + int64(l.sent.frame)
		if l.Sender.LostNs != nil {
			l.clock.Advance(l.Sender.PeriodFrames, l.sent.frame, int64(l.sent.callbackNs))
			l.media = l.from + l.clock.Media()
		}
		if l.Restarts != nil && l.Restarts() {
			l.from += 123456789
			l.media += 123456789
			l.out.sequence += 30000
		}
		arrivalNs, sendDelayNs := l.sent.callbackNs, -1.0
		if l.GraphNs != nil {
			sendDelayNs = l.GraphNs()
			arrivalNs += sendDelayNs
		}
		if l.NetworkNs != nil {
			arrivalNs += l.NetworkNs()
		}
		packets, repeats := l.out.cycle(l.media, int64(l.Sender.PeriodFrames), sendDelayNs)
		l.of = len(packets)
		for i, p := range append(packets, repeats...) {
			l.nth = i
			p.arrivalNs = arrivalNs + float64(i)*sendNs
			if l.SpreadNs != nil {
				p.arrivalNs = arrivalNs + l.SpreadNs()
			}
			if l.Lose == nil || !l.Lose() {
				l.pending = arriving(l.pending, p)
			}
		}
	}
}

func (l *Link) deliverUntil(ns float64) {
	n := 0
	for ; n < len(l.pending) && l.pending[n].arrivalNs <= ns; n++ {
		p := l.pending[n]
		l.engine.ReceivePosition(p.sequence, uint32(p.media), int(p.frames), int64(p.arrivalNs), int64(p.sendDelayNs))
	}
	l.pending = append(l.pending[:0], l.pending[n:]...)
}

// trueDelay compares the position of an observed cycle with the sender's clock.
func (l *Link) trueDelay(o stream.Observation) float64 {
	sinceSent := (l.now.startNs - l.sent.startNs) * l.Sender.framesPerNs()
	position := float64(o.Position) + o.PositionFraction
	return float64(l.media) + sinceSent - position
}
