package session

import (
	"fmt"
	"net/netip"
	"time"

	"archibald-bridge/bridge/clock"
	"archibald-bridge/proto"
)

// streams are the two directions of the session, while there is one.
type streams struct {
	end     *End
	running bool
	to      netip.AddrPort // where media goes
	send    proto.Format
	receive proto.Format

	sending, receiving bool // the core took the plan

	servo        *clock.Servo
	jitterFrames map[string]int // learned, by peer
	buf          []clock.Observation
	clockStatus  clock.Status
	counters     Counters
	base         Counters // when the streams were started

	lastPacketNs  int64 // or the start
	checkedNs     int64
	lastRTCPNs    int64
	idleAtNs      int64 // 0: not to be
	silent        bool
	packetFrames  int // of the peer
	latencyFrames int // published
	toldLeast     int // the least latency that the log has told
	reports       reporter
}

func newStreams(e *End) streams {
	return streams{
		end: e, jitterFrames: map[string]int{}, buf: make([]clock.Observation, 512),
		reports: newReporter(e),
	}
}

// start begins or replaces both directions as the session says. It waits for
// the other of audio server and session when one is missing.
func (s *streams) start() {
	e := s.end
	if !e.audioOpen || e.session == nil {
		return
	}
	a := e.session.Agreement
	if a.Send.RateHz != e.graph.RateHz {
		return // a new agreement is on its way
	}
	s.stop()
	s.send, s.receive, s.to = a.Send, a.Receive, e.session.PeerAddr
	now := e.clock.monotonicNs()
	s.lastPacketNs, s.checkedNs, s.lastRTCPNs, s.silent = now, now, now, false
	s.running = true
	s.base = e.core.Counters()
	s.counters = s.base
	s.packetFrames = a.PeerPacketFrames
	s.reports.reset()
	s.startReceiver()
	s.startSender()
	e.audio.SetActive(true)
	e.machine.SetStreaming(true)
}

func (s *streams) startSender() {
	if s.send.Channels == 0 {
		return
	}
	plan := SenderPlan{
		Format: s.send, SSRC: s.end.session.Agreement.LocalSSRC, To: s.to,
		PacketFrames: proto.PacketFrames(s.send, s.end.graph.PeriodFrames),
	}
	err := s.end.core.StartSender(plan)
	s.sending = err == nil
	if err != nil {
		s.end.core.StopSender()
		s.end.log.Error("cannot send", "reason", err)
	}
}

func (s *streams) startReceiver() {
	e := s.end
	if s.receive.Channels == 0 {
		return
	}
	plan := ReceiverPlan{
		Format: s.receive, SSRC: e.session.Agreement.PeerSSRC, From: e.session.PeerAddr,
		Latch: e.session.Latch,
	}
	err := e.core.StartReceiver(plan)
	s.receiving = err == nil
	if err != nil {
		e.core.StopReceiver()
		s.servo, s.clockStatus = nil, clock.Status{}
		e.log.Error("cannot receive", "reason", err)
		return
	}
	s.servo = clock.NewServo(clock.Config{
		RateHz: s.receive.RateHz, LatencyFrames: e.cfg.Latency.FramesAt(s.receive.RateHz),
		JitterFrames: s.jitterFrames[s.peerKey()], LookaheadFrames: e.core.LookaheadFrames(),
		Free: e.cfg.Clock == "free",
	})
}

func (s *streams) peerKey() string {
	return s.end.session.Agreement.PeerName + "@" + s.end.session.PeerAddr.Addr().String()
}

// stop ends both directions.
func (s *streams) stop() {
	if !s.running {
		return
	}
	s.running, s.sending, s.receiving = false, false, false
	s.remember()
	s.end.core.StopSender()
	s.end.core.StopReceiver()
	s.servo, s.clockStatus = nil, clock.Status{}
	s.idleAtNs = s.end.clock.monotonicNs() + int64(idleAfter)
}

// rest lets the graph go its own way when no session came back. Not at once:
// waking nodes up again disturbs programs that play into them.
func (s *streams) rest(nowNs int64) {
	if s.idleAtNs != 0 && nowNs >= s.idleAtNs {
		s.idleAtNs = 0
		s.end.audio.SetActive(false)
		s.end.machine.SetStreaming(false)
	}
}

// remember keeps what was learned for the next session with this peer.
func (s *streams) remember() {
	if s.servo != nil && s.clockStatus.Playing {
		s.jitterFrames[s.peerKey()] = s.clockStatus.JitterFrames
	}
}

// periodChanged adapts the packets to the new period. The receiver's servo sees
// the period by itself.
func (s *streams) periodChanged() {
	if s.running {
		s.startSender()
	}
}

// tick is the control loop. Nothing depends on it being on time: until the next
// one the ratio stays what it is.
func (s *streams) tick(nowNs int64) {
	s.reports.read(nowNs)
	if !s.running {
		s.rest(nowNs)
		return
	}
	s.steer()
	s.followSource()
	s.watch(nowNs)
	if s.running {
		s.reports.write(nowNs)
	}
}

// steer hands the core's observations to the servo and its decision to the core.
func (s *streams) steer() {
	if s.servo == nil {
		return
	}
	core := s.end.core
	for n := len(s.buf); n == len(s.buf); {
		n = core.Observe(s.buf)
		for _, o := range s.buf[:n] {
			s.servo.Observe(o)
			if o.Kind == clock.KindPacket {
				s.lastPacketNs, s.packetFrames = o.TimeNs, int(o.Frames)
				s.reports.observe(o)
			}
		}
	}
	d := s.servo.Decide()
	core.SetRatio(d.Ratio)
	if d.Seek {
		core.SeekTo(d.Offset)
	}
}

// count reads the counters and the servo's state for status and reports.
func (s *streams) count() {
	s.counters = s.end.core.Counters()
	if s.servo != nil {
		s.clockStatus = s.servo.Status()
		s.publishLatency()
		s.tellLeast()
	}
}

// tellLeast says once that the latency asked for cannot be.
func (s *streams) tellLeast() {
	wanted, least := s.end.cfg.Latency.FramesAt(s.receive.RateHz), s.clockStatus.LeastFrames
	if wanted == 0 || wanted >= least || least == s.toldLeast {
		return
	}
	s.toldLeast = least
	s.end.log.Warn(fmt.Sprintf("latency %d frames is not possible at this period: %d frames are the least; using that", wanted, least))
}

// followSource sends to where the peer's media really comes from: user networking
// rewrites addresses.
func (s *streams) followSource() {
	if !s.end.session.Latch {
		return
	}
	from := s.end.core.MediaSource()
	if !from.IsValid() || from == s.to || s.end.cfg.Static {
		return
	}
	s.end.log.Info("media comes from another address than was agreed, sending there", "agreed", s.to, "seen", from)
	s.to = from
	s.startSender()
}

// watch notices a peer that is silent or gone.
func (s *streams) watch(nowNs int64) {
	e := s.end
	missing, patience := time.Duration(nowNs-s.lastPacketNs), checkAfter
	if s.receive.Channels > 0 {
		s.watchSound(missing)
	} else { // its reports are all that comes
		missing, patience = time.Duration(nowNs-s.lastRTCPNs), reportInterval+checkAfter
	}
	if e.signaling == nil || missing < patience {
		return
	}
	if time.Duration(nowNs-max(s.lastPacketNs, s.lastRTCPNs)) > forgetAfter {
		e.drop("nothing from the peer for " + forgetAfter.String())
	} else if time.Duration(nowNs-s.checkedNs) > checkAfter {
		s.checkedNs = nowNs
		e.signaling.Check()
	}
}

func (s *streams) watchSound(missing time.Duration) {
	e, silent := s.end, missing > silentAfter
	if silent == s.silent {
		return
	}
	s.silent = silent
	if !silent {
		e.log.Info("sound from the peer again", "peer", s.to)
		return
	}
	e.log.Warn("no sound from the peer: playing silence", "peer", s.to, "for", missing.Round(time.Millisecond))
	if e.cfg.Static { // the peer may come back from another port, with another SSRC
		s.remember()
		s.startReceiver()
	}
}

// publishLatency tells the graph the latency when it moved by two frames or more.
// What we send has a latency that the peer alone knows; ours is the best guess.
func (s *streams) publishLatency() {
	if !s.clockStatus.Playing {
		return
	}
	frames := int(s.clockStatus.DelayFrames + 0.5)
	if diff := frames - s.latencyFrames; diff >= -1 && diff <= 1 {
		return
	}
	s.latencyFrames = frames
	s.end.audio.SetLatency(frames, frames)
}
