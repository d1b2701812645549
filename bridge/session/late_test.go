package session

import (
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/status"
)

func TestThreadsThatAreNotRealTimeAreAProblem(t *testing.T) {
	for policy, want := range map[string]int{"SCHED_FIFO": 0, "SCHED_RR": 0, "SCHED_OTHER": 1, "SCHED_BATCH": 1, "": 0} {
		v := newVirtual(t)
		v.audio.policy = policy
		v.openAudio()
		v.publish()
		found := v.Status().Problems
		if len(found) != want || want == 1 && (found[0].Side != status.SideAudio || !strings.Contains(found[0].Text, "give the guest a limit for rtprio")) {
			t.Errorf("%q: %+v", policy, found)
		}
		v.logged("not real-time", 0) // the machine has said it
	}
}

// Without real-time rights a sender's packets leave when its threads get to run.
func TestLatencyThatIsForALateSenderIsExplained(t *testing.T) {
	const lateMs = 12
	v := newVirtual(t)
	v.audio.graph.PeriodFrames = testPeriod
	v.openAudio()
	v.up(agreed("a"))
	v.runs, v.core.packets = true, true
	v.pass(3 * time.Second)
	explain := func(lateNs int64, allowanceMs float64) []status.Problem {
		c := &v.streams.clockStatus
		c.Playing, c.LeastFrames = true, 77
		c.TargetFrames = 77 + allowanceMs*testRate/1000
		for range 3 {
			v.streams.vitals.late(lateNs)
			v.streams.vitals.sample(v.time.ns, v.core.counters)
		}
		return v.assess(v.time.ns)
	}
	if found := explain(1e6, 20); len(found) != 0 {
		t.Errorf("the network is late, not the sender: %+v", found)
	}
	if found := explain(lateMs*1e6, 4); len(found) != 0 {
		t.Errorf("little allowance: %+v", found)
	}
	found := explain(lateMs*1e6, 20)
	if len(found) != 1 || found[0].Code != codeSenderLate || !strings.Contains(found[0].Text, "because packets leave the host up to 12.0 ms late: if its status does not say real-time, give it a limit for rtprio") ||
		!strings.HasPrefix(found[0].Text, "latency is ") {
		t.Errorf("%+v", found)
	}
	v.logged("because packets leave the host", 1)
	v.cfg.Latency = config.Latency{Frames: 2000}
	if found := explain(lateMs*1e6, 20); len(found) != 0 {
		t.Errorf("a fixed latency: %+v", found)
	}
}

func TestOnlyWhatLastsIsALateSender(t *testing.T) {
	v, r := talking(t)
	v.core.sentLateNs = 30e6
	v.pass(20 * time.Millisecond)
	v.core.sentLateNs = 0
	v.with(r, 5*time.Second)
	v.streams.clockStatus.TargetFrames += 2000
	if _, late := v.streams.senderLate(); late != 0 {
		t.Errorf("one packet that was late by %d ns", late)
	}
}
