package clock

import (
	"math"
	"testing"

	"archibald-bridge/bridge/stream"
)

// networkNs is how long every packet is under way.
const networkNs = 100e3

// plant is a model of what the servo controls: a sender, a receiver that obeys the servo, and a time of its own.
type plant struct {
	t     *testing.T
	servo *Servo

	period     int     // of the receiver
	packet     int     // frames; one is sent at a time
	ppm        float64 // the sender's clock against the receiver's
	lateNs     func() float64
	waitNs     func() float64 // that packets are decoded after they came
	silent     bool           // nothing is sent
	packetsMid bool           // each packet is observed after the cycle that follows it
	ackAfter   int            // cycles that go by before a seek is obeyed
	hideCycles int            // the next cycles, which are not observed

	nowNs     float64 // of the next cycle
	sendNs    float64 // of the next packet
	controlNs float64
	onTheWay  []stream.Observation
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
	states   states
	seen     map[transition]bool
}

func newPlant(t *testing.T, cfg Config) *plant {
	cfg.RateHz, cfg.LookaheadFrames, cfg.PeriodFrames = testRate, lookahead, testPeriod
	return &plant{
		t: t, servo: NewServo(cfg), period: testPeriod, packet: testPeriod, lateNs: punctual, waitNs: punctual,
		nowNs: 10e9 + 370e3, sendNs: 10e9, controlNs: 10e9, media: 1 << 30, timestamp: 3 << 33, ratio: 1,
	}
}

func (p *plant) seconds() float64 { return p.nowNs*1e-9 - 10 }

// senderNs is the length of a frame of the sender.
func (p *plant) senderNs() float64 { return 1e9 / (testRate * (1 + p.ppm*1e-6)) }

// run lets time pass until a second since the beginning.
func (p *plant) run(until float64) {
	p.t.Helper()
	for p.seconds() < until {
		if p.packetsMid {
			p.cycle()
			p.packets()
		} else {
			p.packets()
			p.cycle()
		}
		p.control()
	}
}

// packets sends what is due, and has those observed that have come.
func (p *plant) packets() {
	for ; p.sendNs+networkNs <= p.nowNs; p.sendNs += float64(p.packet) * p.senderNs() {
		if !p.silent {
			p.onTheWay = append(p.onTheWay, stream.Observation{
				Kind: stream.KindPacket, Frames: uint32(p.packet), Media: p.timestamp, TimeNs: int64(p.sendNs + networkNs + p.lateNs()),
				WaitNs: int64(p.waitNs()),
			})
		}
		p.timestamp += int64(p.packet)
	}
	for len(p.onTheWay) > 0 && float64(p.onTheWay[0].TimeNs) <= p.nowNs {
		p.observe(p.onTheWay[0])
		p.onTheWay = p.onTheWay[1:]
	}
}

func (p *plant) observe(o stream.Observation) {
	p.servo.Observe(o)
	p.note()
}

func (p *plant) cycle() {
	if p.command != nil {
		if p.wait--; p.wait < 0 {
			p.playing, p.position, p.fraction, p.command = true, p.media+*p.command, 0, nil
		}
	}
	if p.hideCycles--; p.hideCycles < 0 {
		p.observe(stream.Observation{
			Kind: stream.KindCycle, Frames: uint32(p.period), TimeNs: int64(p.nowNs), Media: p.media,
			Position: p.position, PositionFraction: p.fraction, Ratio: p.ratio, Playing: p.playing,
		})
	}
	if p.playing {
		whole, fraction := math.Modf(p.fraction + float64(p.period)*p.ratio)
		p.position, p.fraction = p.position+int64(whole), fraction
	}
	p.media += int64(p.period)
	p.nowNs += float64(p.period) * nominalNs
}

func (p *plant) control() {
	if p.nowNs < p.controlNs {
		return
	}
	p.controlNs = p.nowNs + 20e6
	p.decision = p.servo.Decide()
	p.note()
	p.ratio = p.decision.Ratio
	if p.decision.Seek {
		p.seeks++
		p.lastSeek = p.seconds()
		offset := p.decision.Offset
		p.command, p.wait = &offset, p.ackAfter
	}
}

// delay is how far playout is behind what has arrived, in frames, by the true time.
func (p *plant) delay() float64 {
	ahead := (p.nowNs - p.sendNs - networkNs) / p.senderNs()
	return float64(p.timestamp-p.position) + ahead - p.fraction
}

// atTarget fails the test unless playout is where the servo wants it.
func (p *plant) atTarget(tolerance float64) {
	p.t.Helper()
	target := p.servo.Status().TargetFrames
	if !p.playing || math.Abs(p.delay()-target) > tolerance {
		p.t.Errorf("second %.1f: playing %v, delay %.2f frames, target %.0f", p.seconds(), p.playing, p.delay(), target)
	}
}
