package session

import (
	"net/netip"
	"time"

	"archibald-bridge/bridge/clock"
	"archibald-bridge/bridge/codec"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

// streams are the two directions of the session, while there is one.
type streams struct {
	end     *End
	running bool
	to      netip.AddrPort // where media goes
	source  netip.AddrPort // where media came from last; invalid before any
	send    proto.Format
	receive proto.Format

	sending, receiving bool // the core took the plan
	refused            refusals
	encoding, decoding *codec.Worker

	servo       *clock.Servo
	buf         []stream.Observation
	clockStatus clock.Status
	counters    stream.Counters
	base        stream.Counters // when the streams were started
	since       since
	heard       bool // anything of the peer, since the session began

	lastPacketNs  int64 // or the start
	checkedNs     int64
	lastRTCPNs    int64
	rtcpElsewhere uint64 // RTCP that was not the peer's, in all sessions
	idleAtNs      int64  // 0: not to be
	silent        bool
	toldSilent    bool  // by the log
	peerPausedNs  int64 // when the peer said that its graph left real time; 0: it is in it
	packetFrames  int   // of the peer
	reports       reporter
	vitals        vitals

	publishedSend, publishedReceive int // frames of latency that the graph was told
}

func newStreams(e *End) streams {
	return streams{
		end: e, buf: make([]stream.Observation, 512),
		reports: newReporter(e),
	}
}

// start begins or replaces both directions as the session says. It waits for
// the other of audio server and session when one is missing.
func (s *streams) start() {
	e := s.end
	if !e.usable() || e.session == nil {
		return
	}
	a := e.session.Agreement
	if a.Send.RateHz != e.graph.RateHz {
		return // a new agreement is on its way
	}
	s.stop()
	s.send, s.receive, s.to, s.source = a.Send, a.Receive, e.session.PeerAddr, netip.AddrPort{}
	now := e.clock.monotonicNs()
	s.running, s.silent, s.peerPausedNs = true, false, 0
	s.listen(now)
	s.base = s.read()
	s.counters = s.base
	s.packetFrames = a.PeerPacketFrames
	s.reports.reset()
	e.readdress.Store(false)
	s.startReceiver()
	s.startSender()
	s.refused.wait(now)
	e.settled()
	e.audio.SetActive(true)
	e.machine.SetStreaming(true)
}

// listen begins to wait for the peer: from now on it may be missing.
func (s *streams) listen(nowNs int64) {
	s.lastPacketNs, s.checkedNs, s.lastRTCPNs = nowNs, nowNs, nowNs
	s.vitals.reset(nowNs)
}

func (s *streams) noteHeard() {
	s.heard = s.heard || max(s.lastPacketNs, s.lastRTCPNs) > s.vitals.startNs
}

func (s *streams) startSender() {
	if s.send.Channels == 0 || s.end.graph.Freewheels {
		return
	}
	a, period := s.end.session.Agreement, s.end.graph.PeriodFrames
	plan := stream.SendPlan{
		Format: coreFormat(s.send), PayloadType: s.send.Encoding.PayloadType(), SSRC: a.LocalSSRC, To: s.to, Source: s.end.session.LocalAddr, PacketFrames: s.end.packetFrames(s.send),
		SendDelay: a.SendDelay,
	}
	plan.Repeats = stream.RepeatsOf(a.Redundancy.Copies, a.Redundancy.Distance, distanceUnit(s.send, period, plan.PacketFrames))
	s.encoding.Stop()
	s.encoding = nil
	err := s.end.core.StartSender(plan)
	if err == nil && s.send.Encoding == proto.Opus {
		err = s.encode(plan)
	}
	s.sending, s.refused.send = err == nil, err
	if err != nil {
		s.end.core.StopSender()
		return
	}
	s.end.publishStream(plan, s.send.Encoding)
}

func (s *streams) startReceiver() {
	e := s.end
	if s.receive.Channels == 0 || e.graph.Freewheels {
		s.hear()
		return
	}
	a := e.session.Agreement
	plan := stream.ReceivePlan{
		Format: coreFormat(s.receive), SSRC: a.PeerSSRC, From: s.from(),
		SendDelay: a.SendDelay, PayloadType: e.incomingType(),
	}
	if !e.settings.Static { // else nobody knows what the peer repeats
		plan.Repeats = stream.RepeatsOf(a.Redundancy.Copies, a.Redundancy.Distance, distanceUnit(s.receive, a.PeerPeriodFrames, a.PeerPacketFrames))
	}
	s.decoding.Stop()
	s.decoding = nil
	err := e.core.StartReceiver(plan)
	if err == nil && s.receive.Encoding == proto.Opus {
		err = s.decode()
	}
	s.receiving, s.refused.receive = err == nil, err
	if err != nil {
		e.core.StopReceiver()
		s.servo, s.clockStatus = nil, clock.Status{}
		s.hear()
		return
	}
	for e.core.Observe(s.buf) == len(s.buf) { // what the receiver before it left behind
	}
	s.servo = clock.NewServo(s.servoConfig(plan.Repeats))
}

// from is whose media and reports are taken: those of the machine at the other end of
// the control connection, or of the peer named. Without either the first source is the
// peer, and of a group there may be any.
func (s *streams) from() netip.Addr {
	e, from := s.end, s.end.session.PeerAddr.Addr()
	if e.settings.Static && (e.settings.Incoming != nil || from.IsMulticast()) {
		return netip.Addr{}
	}
	return from
}

// hear takes the peer's reports where none of its sound is.
func (s *streams) hear() {
	if err := s.end.core.Hear(s.from(), s.end.session.Agreement.PeerSSRC); err != nil {
		if e := s.end; e.told.again("hear", e.clock.monotonicNs()) {
			e.log.Error("cannot hear the peer's reports", "reason", err)
		}
	}
}

func (s *streams) servoConfig(repeats stream.Repeats) clock.Config {
	e := s.end
	extra := repeats.SpanFrames()
	if s.receive.Encoding == proto.Opus {
		extra += codec.MarginFrames
	}
	return clock.Config{
		RateHz: s.receive.RateHz, LatencyFrames: e.settings.Latency.FramesAt(s.receive.RateHz),
		JitterFrames: e.memory.Jitter(s.peerKey()), LookaheadFrames: e.core.LookaheadFrames(),
		PeriodFrames:  s.end.session.Agreement.PeerPeriodFrames,
		DelayByPacket: s.receive.Encoding == proto.Opus,
		ExtraFrames:   extra, Free: e.settings.FreeClock,
	}
}

func (s *streams) peerKey() string {
	address := s.end.session.PeerAddr.Addr()
	if in := s.end.settings.Incoming; in != nil {
		address = in.Address
	}
	return s.end.session.Agreement.PeerName + "@" + address.String()
}

// peer is where sound goes to, or, where none is sent, comes from; "" before it does.
func (s *streams) peer() string {
	for _, address := range []netip.AddrPort{s.to, s.end.core.MediaSource()} {
		if address.IsValid() {
			return address.String()
		}
	}
	return ""
}

// stop ends both directions.
func (s *streams) stop() {
	if !s.running {
		return
	}
	s.running = false
	s.refused.send, s.refused.receive = nil, nil
	s.noteHeard()
	s.halt()
	s.idleAtNs = s.end.clock.monotonicNs() + int64(idleAfter)
}

// halt takes both directions from the core.
func (s *streams) halt() {
	s.sending, s.receiving = false, false
	s.remember()
	s.encoding.Stop()
	s.decoding.Stop()
	s.encoding, s.decoding = nil, nil
	s.end.core.StopSender()
	s.end.core.StopReceiver()
	s.servo, s.clockStatus = nil, clock.Status{}
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

// remember keeps what was learned for the next session with this peer. A fixed
// latency learns nothing.
func (s *streams) remember() {
	if s.servo == nil || !s.clockStatus.Playing || s.end.settings.Latency != (Latency{}) {
		return
	}
	if err := s.end.memory.SetJitter(s.peerKey(), s.clockStatus.JitterFrames); err != nil {
		s.end.log.Warn("cannot keep what was learned about the peer for the next start", "reason", err)
	}
}

// periodChanged adapts the packets to the new period. The receiver's servo sees
// the period by itself, but not how late the repeats come, which are counted in
// our periods.
func (s *streams) periodChanged() {
	switch e := s.end; {
	case !s.running:
	case e.signaling != nil && e.session.Agreement.Redundancy.Distance > 0:
		e.signaling.Renegotiate()
	default:
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
	s.tryAgain(nowNs)
	s.readdress()
	s.steer()
	s.followSource()
	s.watch(nowNs)
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
			if o.Kind == stream.KindPacket {
				s.lastPacketNs, s.packetFrames = o.TimeNs, int(o.Frames)
				s.heardAt(o.TimeNs)
				s.reports.observe(o)
				s.vitals.late(o.SendDelayNs)
			}
		}
	}
	if s.paused() {
		return
	}
	d := s.servo.Decide()
	core.SetRatio(d.Ratio)
	if d.Seek {
		core.SeekTo(d.Offset)
	}
}

// read returns the counters: the core's, and our own.
func (s *streams) read() stream.Counters {
	c := s.end.core.Counters()
	c.Received.RTCPElsewhere = s.rtcpElsewhere
	return c
}

// count reads the counters and the servo's state for status and reports, and
// writes the report when it is due: it says where the stream is now.
func (s *streams) count(nowNs int64) {
	s.counters = s.read()
	s.since.sentLost.see(s.reports.peer.CumulativeLost)
	s.vitals.sample(nowNs, s.counters)
	if s.servo != nil {
		s.clockStatus = s.servo.Status()
		s.blame()
		s.remember()
	}
	if s.running {
		s.publishLatency()
		s.reports.write(nowNs)
	}
}

// followSource sends to the port that the peer's media really comes from: what
// translates addresses on the way gives another one, at any time.
func (s *streams) followSource() {
	if from := s.end.core.MediaSource(); from.IsValid() && from != s.source {
		s.source = from
		s.follow(from)
	}
}

// follow sends to where the peer was heard from.
func (s *streams) follow(from netip.AddrPort) {
	if from == s.to || s.end.settings.Static {
		return
	}
	s.end.tellFew("the peer is heard from another port, sending there", "until now", s.to, "seen", from)
	s.to = from
	s.startSender()
}

// watch notices a peer that is silent or gone. What cannot work here says nothing
// about the peer.
func (s *streams) watch(nowNs int64) {
	e := s.end
	missing, patience := time.Duration(nowNs-s.lastPacketNs), checkAfter
	if s.receive.Channels > 0 && s.refused.receive == nil && !s.paused() {
		s.watchSound(missing)
	} else { // its reports are all that comes
		missing, patience = time.Duration(nowNs-s.lastRTCPNs), reportInterval+checkAfter
	}
	s.noteHeard()
	e.hear(nowNs-int64(missing), patience)
	if e.signaling == nil || missing < patience {
		return
	}
	forget := e.futile.patience()
	if time.Duration(nowNs-max(s.lastPacketNs, s.lastRTCPNs)) > forget && s.refused.none() {
		e.drop("nothing from the peer for " + forget.String())
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
	s.silent, s.vitals.silence = silent, s.counters.Received
	defer s.look(silent) // a receiver made anew has the strict filter
	if !silent {
		if s.toldSilent {
			s.toldSilent = false
			e.log.Info("sound from the peer again", "peer", s.peer())
		}
		return
	}
	if e.told.again("silence", e.clock.monotonicNs()) {
		s.toldSilent = true
		e.log.Warn("no sound from the peer: playing silence", "peer", s.peer(), "for", missing.Round(time.Millisecond))
	}
	if e.settings.Static { // the peer may come back from another port, with another SSRC
		s.remember()
		s.startReceiver()
	}
}

// look finds out whether something else comes than what was agreed while that does not.
func (s *streams) look(on bool) {
	if err := s.end.core.Look(on); err != nil {
		s.end.log.Debug("cannot look at what is dropped", "reason", err)
	}
}
