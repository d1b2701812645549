package health

import (
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

const (
	RejectedWindow = 10 * time.Second        // of silence: what comes instead is only sampled
	vitalsWindow   = 2 * time.Second         // what "now" means where things are counted; less says nothing yet
	reportsWithin  = 3500 * time.Millisecond // a peer whose reports came in it is there: two may be lost
	deafReports    = 2                       // of the peer in a row that show nothing new of ours,
	deafAfter      = 3 * time.Second         // and no sooner after the start
)

// Vitals are what the last seconds of the streams were like: what diagnoses are made
// of.
type Vitals struct {
	startNs int64                  // of the wait for the peer
	samples []sample               // the newest last, RejectedWindow of them
	silence stream.ReceiveCounters // when it began

	minute   []minuteSample // the newest last
	peerLost uint64         // packets of ours, as the peer says

	reportNs    int64 // when the peer's last report came
	sender      *proto.SenderInfo
	sendsNs     int64 // when the peer last said that it had sent more ...
	sendsFromNs int64 // ... than at this time
	quietNs     int64 // when it last said that it had not
	payload     int   // mean bytes of payload of the packets that it says it sent
	highest     uint32
	deaf        int    // its reports since the last that said that more of ours had come, though we sent more
	sent        uint64 // of ours, at the last of them
}

// sample are the counters of a moment.
type sample struct {
	ns       int64
	counters stream.Counters
}

// StartNs is when the wait for the peer began.
func (v *Vitals) StartNs() int64 { return v.startNs }

// SilenceBegins notes what was counted when sound stopped, or came back.
func (v *Vitals) SilenceBegins(c stream.ReceiveCounters) { v.silence = c }

// Reset forgets all: from now on the peer may be missing.
func (v *Vitals) Reset(nowNs int64) { *v = Vitals{startNs: nowNs} }

// Sample takes the counters, twice a second.
func (v *Vitals) Sample(nowNs int64, c stream.Counters) {
	v.sampleMinute(nowNs, c.Received)
	v.samples = append(v.samples, sample{nowNs, c})
	for len(v.samples) > 1 && time.Duration(nowNs-v.samples[1].ns) >= RejectedWindow {
		v.samples = v.samples[1:]
	}
}

// Window returns the counters of its start and its end; known is false while it is too
// short to say anything.
func (v *Vitals) Window() (from, to stream.Counters, seconds float64, known bool) {
	if len(v.samples) == 0 {
		return from, to, 0, false
	}
	last := v.samples[len(v.samples)-1]
	first := v.samples[0]
	for _, s := range v.samples[1:] {
		if time.Duration(last.ns-s.ns) >= vitalsWindow {
			first = s
		}
	}
	took := time.Duration(last.ns - first.ns)
	return first.counters, last.counters, took.Seconds(), took >= vitalsWindow
}

// instead is what was rejected since silence began, of the last RejectedWindow.
func (v *Vitals) instead() status.Rejected {
	oldest, newest := v.samples[0].counters.Received, v.samples[len(v.samples)-1].counters.Received
	since, long := status.ReceivedSince(newest, v.silence).RejectedBy, status.ReceivedSince(newest, oldest).RejectedBy
	if since.Sum() < long.Sum() {
		return since
	}
	return long
}

// Reported takes a report of the peer to the stream ssrc of ours.
// sent is how many packets of ours were sent until then.
func (v *Vitals) Reported(report proto.Report, ssrc uint32, arrivalNs int64, sent uint64) {
	beforeNs := v.reportNs
	v.reportNs = arrivalNs
	switch now := report.Sender; {
	case now == nil:
		v.quietNs = arrivalNs
	case v.sender != nil && now.Packets == v.sender.Packets:
		v.quietNs = arrivalNs
	case v.sender != nil:
		v.sendsNs, v.sendsFromNs = arrivalNs, beforeNs
		v.payload = int((now.Octets - v.sender.Octets) / (now.Packets - v.sender.Packets))
	}
	v.sender = report.Sender
	if sent > v.sent {
		v.sent = sent
		v.deaf++
	}
	for _, r := range report.Receptions {
		if r.SSRC == ssrc {
			v.peerLost = max(v.peerLost, uint64(max(0, r.CumulativeLost)))
		}
		if r.SSRC == ssrc && r.HighestSequence != v.highest {
			v.highest, v.deaf = r.HighestSequence, 0
		}
	}
}
