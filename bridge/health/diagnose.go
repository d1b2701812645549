package health

import (
	"fmt"

	"archibald-bridge/bridge/status"
)

const (
	// smallDatagram is larger than any report, and smaller than any path's MTU less
	// headers (RFC 791: 576 bytes): a larger one can fail where reports get through.
	smallDatagram = 500

	floodPerSecond = 10 // rejected datagrams that are worth a word while there is sound

	realtimeRights = "a limit for rtprio, CAP_SYS_NICE, or the package rtkit"
)

// evidence is what is known of the streams at one moment.
type evidence struct {
	us, peer string // "guest", "host"; of a plain stream "peer"
	server   string // the audio server in words
	static   bool
	known    bool // the figures are of a window that is long enough
	seconds  float64
	send     sendEvidence
	receive  receiveEvidence
	reports  bool // the peer's came lately
	headers  int  // bytes of IP and UDP
	locked   Locked
	minute   Cycles

	notRealtime bool
	peerPaused  bool   // its graph is not in real time
	peerRefused string // why it cannot send or receive, as it says
}

type sendEvidence struct {
	agreed                  bool
	refused                 error
	cycles, packets, errors uint64 // in the window
	reason                  error  // why the kernel refuses
	to                      string
	datagram                int  // bytes, RTP header included; 0: not known
	unheard                 bool // the peer's reports have shown nothing new for long
}

type receiveEvidence struct {
	agreed          bool
	refused         error
	cycles, packets uint64 // in the window
	rejected        status.Rejected
	silent          bool
	at              string // where we listen
	peerSends       bool   // as its reports say
	peerQuiet       bool
	datagram        int

	wantedPayload, seenPayload uint8
	wantedSource, seenSource   string

	latencyMs    float64
	senderLateNs int64 // how late packets leave, where that is what the latency is for; else 0
}

// diagnose says what is wrong: of each direction the first cause, since what comes
// later in its way follows from it.
func diagnose(e evidence) (found []status.Problem) {
	add := func(code string, side status.Side, format string, args ...any) {
		found = append(found, status.Problem{Code: code, Side: side, Text: fmt.Sprintf(format, args...)})
	}
	if e.notRealtime {
		add(NotRealtime, status.SideAudio, "the audio threads are not real-time: expect dropouts, and more latency at the other end; give the %s %s", e.us, realtimeRights)
	}
	if e.peerPaused {
		add(PeerFreewheels, status.SideSession, "the %s's audio server freewheels, as for an export: silence until it ends", e.peer)
		return found
	}
	if e.peerRefused != "" {
		add(PeerRefused, status.SideSession, "the %s says: %s", e.peer, e.peerRefused)
	}
	diagnoseSend(e, add)
	diagnoseReceive(e, add)
	diagnoseLocked(e, add)
	return found
}

type adder func(code string, side status.Side, format string, args ...any)

func diagnoseSend(e evidence, add adder) {
	s := e.send
	switch {
	case !s.agreed:
	case s.refused != nil:
		add(SendRefused, status.SideSend, "cannot send: %v", s.refused)
	case !e.known:
	case s.cycles == 0:
		add(GraphStopped, status.SideSend, "nothing is sent: %s", stopped(e.server))
	case s.errors > 0 && s.reason != nil:
		add(SendErrors, status.SideSend, "cannot send to %s: %v (%d datagrams in %.0f s)", s.to, s.reason, s.errors, e.seconds)
	case !s.unheard || s.packets == 0:
	case e.receive.peerQuiet:
		add(NotHeard, status.SideSend, "the %s reports, and neither sends nor receives: see its status", e.peer)
	case s.datagram > smallDatagram:
		add(NotHeard, status.SideSend, "the %s reports, and receives nothing of ours (its status says more): do datagrams of %d bytes not arrive, %s", e.peer, s.datagram, smaller(e.us, s.datagram+e.headers))
	default:
		add(NotHeard, status.SideSend, "the %s reports, and receives nothing of ours (its status says more): is there a firewall on the way to %s?", e.peer, s.to)
	}
}

func diagnoseReceive(e evidence, add adder) {
	r := e.receive
	switch {
	case !r.agreed:
	case r.refused != nil:
		add(ReceiveRefused, status.SideReceive, "cannot receive: %v", r.refused)
	case !e.known:
	case r.cycles == 0:
		add(GraphStopped, status.SideReceive, "nothing is played: %s", stopped(e.server))
	case r.silent:
		diagnoseSilence(e, add)
	default:
		others := r.rejected
		others.Outside = 0 // of the peer itself
		if sum := others.Sum(); float64(sum) > floodPerSecond*e.seconds {
			add(Rejected, status.SideReceive, "%.0f datagrams a second are rejected: %s", float64(sum)/e.seconds, most(others))
		}
		if r.senderLateNs > 0 {
			add(SenderLate, status.SideReceive, "latency is %.1f ms because packets leave the %s up to %.1f ms late: if its status does not say real-time, give it %s; or ask for less with --latency",
				r.latencyMs, e.peer, float64(r.senderLateNs)/1e6, realtimeRights)
		}
	}
}

// diagnoseSilence says why nothing is heard.
func diagnoseSilence(e evidence, add adder) {
	r := e.receive
	by := r.rejected
	switch {
	case by.PayloadType > 0:
		add(PayloadType, status.SideReceive, "payload type %d comes, %d is expected: set the format of the sender, or take its SDP (--sdp-in)", r.seenPayload, r.wantedPayload)
	case by.Source > 0:
		add(WrongSource, status.SideReceive, "sound comes from %s, and is expected from %s", r.seenSource, r.wantedSource)
	case by.SSRC > 0:
		add(WrongSSRC, status.SideReceive, "sound comes with another SSRC than the %s said: does something else send to %s?", e.peer, r.at)
	case by.Malformed > 0:
		add(Malformed, status.SideReceive, "what comes is not the sound that was agreed: %d datagrams malformed in %.0f s", by.Malformed, e.seconds)
	case r.peerQuiet:
		add(PeerSilent, status.SideReceive, "the %s reports, and says that it sends nothing: see its status", e.peer)
	case r.peerSends && r.datagram > smallDatagram:
		add(MTU, status.SideReceive, "the %s sends, but its datagrams of %d bytes do not arrive, and its reports, which are small, do; %s",
			e.peer, r.datagram, smaller(e.peer, r.datagram+e.headers))
	case r.peerSends:
		add(Blocked, status.SideReceive, "the %s sends, and its reports arrive, but no sound: is there a firewall before %s?", e.peer, r.at)
	case e.reports: // one report does not say yet whether it sends
	case by.Sum() > 0:
		add(Rejected, status.SideReceive, "nothing comes from the %s; what comes to %s is rejected: %s", e.peer, r.at, most(by))
	case e.static:
		add(NothingComes, status.SideReceive, "nothing comes to %s: does the sender run, and send there?", r.at)
	default:
		add(NothingComes, status.SideReceive, "nothing comes from the %s, neither sound nor reports: is UDP to %s blocked on the way (firewall, NAT)? Its status says more", e.peer, r.at)
	}
}

func smaller(sender string, bytes int) string {
	return fmt.Sprintf("is the path's MTU below %d? Set it, or give the %s a smaller --ptime or less --channels", bytes, sender)
}

func stopped(server string) string {
	return server + " runs no cycle of ours: is it stuck, or without a session manager or a driver (a sound card)?"
}

// most is the largest count with its reason.
func most(r status.Rejected) string {
	var largest status.Reason
	for _, reason := range r.Reasons() {
		if reason.Count > largest.Count {
			largest = reason
		}
	}
	return "most are " + largest.Words
}
