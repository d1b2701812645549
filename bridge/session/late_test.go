package session

import (
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/health"
	"archibald-bridge/bridge/receive"
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
	v := newVirtual(t)
	v.openAudio()
	v.up(agreed("a"))
	v.core.sentLateNs, v.core.lateFrames = 5.2e6, 5.2*testRate/1000
	v.runs, v.core.packets = true, true
	v.pass(5 * time.Second)
	explained := func(when string) {
		t.Helper()
		v.wrong(when, health.SenderLate, "because packets leave the host up to 5.2 ms late: if its status does not say real-time, give it a limit for rtprio")
		if text := v.Status().Problems[0].Text; !strings.HasPrefix(text, "latency is ") {
			t.Errorf("%s: %s", when, text)
		}
	}
	explained("the sender is late")
	v.core.sentLateNs, v.core.lateFrames = 0, 0
	v.pass(2 * time.Minute)
	explained("the sender has recovered, the latency stays")
	v.logged("because packets leave the host", 1)
	v.down("a")
	v.up(agreed("b"))
	v.pass(3 * time.Second)
	v.wrong("the next session")
}

func TestAFixedLatencyIsForNobodysSake(t *testing.T) {
	v := playing(t, func(c *Settings) { c.Latency = receive.Latency{Frames: 2000} })
	v.core.sentLateNs = 30e6
	v.pass(10 * time.Second)
	v.wrong("as asked for")
}
