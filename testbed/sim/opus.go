package sim

import (
	"math"
	"slices"

	"archibald-bridge/bridge/clock"
	"archibald-bridge/bridge/codec"
	"archibald-bridge/bridge/rt"
	"archibald-bridge/bridge/stream"
)

// OpusLink is one direction of sound in Opus, mono: two graphs that run on one clock,
// half a millisecond apart, the real codec and the real core, and Go's two goroutines.
type OpusLink struct {
	PeriodFrames int
	PacketFrames int
	Bitrate      int
	Copies       int // of each packet, not counting the first
	Distance     int // of these, in packets
	Codec        codec.Codec
	Source       func(frame int64) float32
	// NetworkNs draws the time that a datagram takes, Lose whether it is lost.
	NetworkNs func() float64
	Lose      func() bool
	// Stalled says whether Go stands still.
	Stalled func(seconds float64) bool
	// JitterFrames is what an earlier session learned; 0: nothing.
	JitterFrames int
	// Locked plays at one distance from the first sound on: what is heard is frame for
	// frame what was sent.
	Locked bool
	// Free never takes the two clocks for one, which they are.
	Free bool
	// Restart is when the sender starts again; 0: never.
	Restart float64

	tx, rx   *rt.Virtual
	sender   *codec.Sender
	receiver *codec.Receiver
	servo    *clock.Servo
	nowNs    int64
	arriving []arrival
	played   []float32
	sent     int
	see      func(stream.Observation) // each cycle of the receiver
}

// arrival is a datagram on its way.
type arrival struct {
	datagram []byte
	ns       int64
}

const (
	opusStartNs = int64(1e9)
	opusPhaseNs = int64(0.5e6) // of the receiver's graph
	opusSSRC    = 7
)

// Heard is what a link played. Frame n of Sound was played when the sender's graph was
// at frame n, and half a millisecond.
type Heard struct {
	Sound    []float32
	Servo    clock.Status
	Counters stream.ReceiveCounters
	Sent     int // datagrams, repeats among them
}

// Run plays for a virtual time.
func (l *OpusLink) Run(seconds float64) (Heard, error) {
	if err := l.begin(); err != nil {
		return Heard{}, err
	}
	defer l.rx.Close()
	defer func() { l.tx.Close() }()
	periodNs := func(cycle int64) int64 { return cycle * int64(l.PeriodFrames) * 1e9 / codec.RateHz }
	var captured, played, worked int64
	control, restarted := opusStartNs, false
	for endNs := opusStartNs + int64(seconds*1e9); l.nowNs < endNs; {
		captureNs, playNs, workNs := opusStartNs+periodNs(captured), opusStartNs+opusPhaseNs+periodNs(played), opusStartNs+worked*int64(codec.Interval)
		l.nowNs = min(captureNs, playNs, workNs)
		at := float64(l.nowNs-opusStartNs) / 1e9
		switch l.nowNs {
		case captureNs:
			if l.Restart > 0 && at >= l.Restart && !restarted {
				restarted = true
				if err := l.beginSender(); err != nil {
					return Heard{}, err
				}
			}
			l.capture(captured)
			captured++
		case playNs:
			l.deliver()
			out := l.rx.Play(1, l.PeriodFrames, uint64(played)*uint64(l.PeriodFrames), playNs)
			l.played = append(l.played, out[0]...)
			played++
		default:
			worked++
			if l.Stalled != nil && l.Stalled(at) {
				continue
			}
			l.sender.Work()
			l.receiver.Work()
			l.send()
			if l.nowNs >= control {
				control += controlNs
				l.steer()
			}
		}
	}
	return Heard{Sound: l.played, Servo: l.servo.Status(), Counters: l.rx.Counters().Received, Sent: l.sent}, nil
}

func (l *OpusLink) format() stream.Format {
	return stream.Format{Encoding: stream.Coded, RateHz: codec.RateHz, Channels: 1}
}

func (l *OpusLink) repeats() stream.Repeats {
	return stream.RepeatsOf(l.Copies, l.Distance, l.PacketFrames)
}

func (l *OpusLink) now() int64 { return l.nowNs }

func (l *OpusLink) begin() error {
	l.nowNs = opusStartNs
	if err := l.beginSender(); err != nil {
		return err
	}
	var err error
	if l.rx, err = rt.NewVirtual(codec.RateHz); err != nil {
		return err
	}
	if err := l.rx.StartReceiver(stream.ReceivePlan{Format: l.format(), PayloadType: 111, SSRC: opusSSRC, Repeats: l.repeats(), SendDelay: true}); err != nil {
		return err
	}
	if l.receiver, err = codec.NewReceiver(l.rx, l.Codec, 1, l.now); err != nil {
		return err
	}
	l.servo = clock.NewServo(clock.Config{
		RateHz: codec.RateHz, JitterFrames: l.JitterFrames, GapsPerHour: usualGapsPerHour, PeriodFrames: l.PeriodFrames, DelayByPacket: true, Free: l.Free, LookaheadFrames: rt.LookaheadFrames, ExtraFrames: l.repeats().SpanFrames() + codec.MarginFrames,
	})
	return nil
}

// beginSender makes a new one: other timestamps and sequence numbers.
func (l *OpusLink) beginSender() error {
	if l.tx != nil {
		l.tx.Close()
	}
	var err error
	if l.tx, err = rt.NewVirtual(codec.RateHz); err != nil {
		return err
	}
	if err := l.tx.StartSender(stream.SendPlan{Format: l.format(), PayloadType: 111, PacketFrames: l.PacketFrames, SSRC: opusSSRC, Repeats: l.repeats(), SendDelay: true}); err != nil {
		return err
	}
	encoder, err := l.Codec.NewEncoder(1, l.Bitrate)
	l.sender = codec.NewSender(l.tx, encoder, 1, l.PacketFrames, l.now)
	return err
}

func (l *OpusLink) capture(cycle int64) {
	in := make([]float32, l.PeriodFrames)
	first := cycle * int64(l.PeriodFrames)
	for i := range in {
		in[i] = l.Source(first + int64(i))
	}
	l.tx.Advance(l.PeriodFrames, uint64(first), l.nowNs)
	l.tx.Capture([][]float32{in}, uint64(first), l.nowNs)
}

// send gives what was sent to the network.
func (l *OpusLink) send() {
	for _, datagram := range l.tx.TakeSent() {
		l.sent++
		if l.Lose != nil && l.Lose() {
			continue
		}
		ns := l.nowNs
		if l.NetworkNs != nil {
			ns += int64(math.Max(0, l.NetworkNs()))
		}
		at, _ := slices.BinarySearchFunc(l.arriving, ns, func(a arrival, ns int64) int {
			if a.ns <= ns {
				return -1
			}
			return 1
		})
		l.arriving = slices.Insert(l.arriving, at, arrival{datagram, ns})
	}
}

// deliver hands over what has arrived. The core empties its socket when it plays.
func (l *OpusLink) deliver() {
	n := 0
	for ; n < len(l.arriving) && l.arriving[n].ns <= l.nowNs; n++ {
		l.rx.Receive(l.arriving[n].datagram, l.arriving[n].ns)
	}
	l.arriving = slices.Delete(l.arriving, 0, n)
}

func (l *OpusLink) steer() {
	buf := make([]stream.Observation, 512)
	for n := len(buf); n == len(buf); {
		n = l.rx.Observe(buf)
		for _, o := range buf[:n] {
			l.servo.Observe(o)
			if l.see != nil && o.Kind == stream.KindCycle {
				l.see(o)
			}
		}
	}
	if l.Locked && l.servo.Status().Playing {
		l.rx.SetRatio(1)
		return
	}
	d := l.servo.Decide()
	l.rx.SetRatio(d.Ratio)
	if d.Seek {
		l.rx.SeekTo(d.Offset)
	}
}
