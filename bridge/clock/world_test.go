package clock

import (
	"math"
	"testing"

	"archibald-bridge/bridge/stream"
)

// networkNs is how long every packet is under way.
const networkNs = 100e3

// world is a sender, a receiver that obeys the servo, and a time of its own.
type world struct {
	t     *testing.T
	servo *Servo

	period     int
	ppm        float64 // the sender's clock against the receiver's
	lateNs     func() float64
	waitNs     func() float64 // that packets are decoded after they came
	silent     bool           // nothing is sent
	packetsMid bool           // each packet is observed after the cycle that follows it
	ackAfter   int            // cycles that go by before a seek is obeyed
	hideCycles int            // so many next cycles are not observed

	nowNs     float64 // of the next cycle
	sendNs    float64 // of the next packet
	controlNs float64
	media     int64 // of the next cycle
	timestamp int64 // of the next packet

	playing  bool
	position int64
	fraction float64
	ratio    float64
	command  *int64
	wait     int

	seeks    int
	lastSeek float64 // seconds
	decision Decision
}

func newWorld(t *testing.T, cfg Config) *world {
	cfg.RateHz, cfg.LookaheadFrames, cfg.PeriodFrames = testRate, lookahead, testPeriod
	return &world{
		t: t, servo: NewServo(cfg), period: testPeriod, lateNs: punctual, waitNs: punctual,
		nowNs: 10e9 + 370e3, sendNs: 10e9, controlNs: 10e9, media: 1 << 30, timestamp: 3 << 33, ratio: 1,
	}
}

func (w *world) seconds() float64 { return w.nowNs*1e-9 - 10 }

// senderNs is the length of a frame of the sender.
func (w *world) senderNs() float64 { return 1e9 / (testRate * (1 + w.ppm*1e-6)) }

// run lets time pass until a second since the beginning.
func (w *world) run(until float64) {
	w.t.Helper()
	for w.seconds() < until {
		if w.packetsMid {
			w.cycle()
			w.packets()
		} else {
			w.packets()
			w.cycle()
		}
		w.control()
	}
}

func (w *world) packets() {
	for w.sendNs+networkNs <= w.nowNs {
		if !w.silent {
			w.servo.Observe(stream.Observation{
				Kind: stream.KindPacket, Frames: testPeriod, Media: w.timestamp, TimeNs: int64(w.sendNs + networkNs + w.lateNs()),
				WaitNs: int64(w.waitNs()),
			})
		}
		w.timestamp += testPeriod
		w.sendNs += testPeriod * w.senderNs()
	}
}

func (w *world) cycle() {
	if w.command != nil {
		if w.wait--; w.wait < 0 {
			w.playing, w.position, w.fraction, w.command = true, w.media+*w.command, 0, nil
		}
	}
	if w.hideCycles--; w.hideCycles < 0 {
		w.servo.Observe(stream.Observation{
			Kind: stream.KindCycle, Frames: uint32(w.period), TimeNs: int64(w.nowNs), Media: w.media,
			Position: w.position, PositionFraction: w.fraction, Ratio: w.ratio, Playing: w.playing,
		})
	}
	if w.playing {
		whole, fraction := math.Modf(w.fraction + float64(w.period)*w.ratio)
		w.position, w.fraction = w.position+int64(whole), fraction
	}
	w.media += int64(w.period)
	w.nowNs += float64(w.period) * nominalNs
}

func (w *world) control() {
	if w.nowNs < w.controlNs {
		return
	}
	w.controlNs = w.nowNs + 20e6
	w.decision = w.servo.Decide()
	w.ratio = w.decision.Ratio
	if w.decision.Seek {
		w.seeks++
		w.lastSeek = w.seconds()
		offset := w.decision.Offset
		w.command, w.wait = &offset, w.ackAfter
	}
}

// delay is how far playout is behind what has arrived, in frames, by the true time.
func (w *world) delay() float64 {
	ahead := (w.nowNs - w.sendNs - networkNs) / w.senderNs()
	return float64(w.timestamp-w.position) + ahead - w.fraction
}

// atTarget fails the test unless playout is where the servo wants it.
func (w *world) atTarget(tolerance float64) {
	w.t.Helper()
	target := w.servo.Status().TargetFrames
	if !w.playing || math.Abs(w.delay()-target) > tolerance {
		w.t.Errorf("second %.1f: playing %v, delay %.2f frames, target %.0f", w.seconds(), w.playing, w.delay(), target)
	}
}
