package session

import (
	"strings"
	"testing"
	"time"

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
	const ms = 1e6
	for name, c := range map[string]struct {
		lateNs      int64   // that packets leave
		all99Us     float64 // that they come
		allowanceMs float64
		windows     int
		explained   bool
	}{
		"the sender is late":                   {12 * ms, 13000, 20, 3, true},
		"all of it is the sender":              {12 * ms, 12000, 6, 3, true},
		"half of it is the sender":             {12 * ms, 23000, 23, 3, true},
		"the sender was late, calmer now":      {12 * ms, 100, 20, 3, true},
		"an earlier session was later":         {12 * ms, 13000, 40, 3, false},
		"the network is late":                  {1 * ms, 20000, 20, 3, false},
		"the network is later":                 {4 * ms, 20000, 20, 3, false},
		"it costs little":                      {12 * ms, 13000, 4, 3, false},
		"two packets in a minute, and no more": {12 * ms, 13000, 20, 2, false},
	} {
		v := newVirtual(t)
		v.openAudio()
		v.up(agreed("a"))
		v.runs, v.core.packets = true, true
		v.pass(3 * time.Second)
		s := &v.streams
		sound := func() {
			s.clockStatus.Playing, s.clockStatus.LeastFrames = true, 77
			s.clockStatus.TargetFrames = 77 + c.allowanceMs*testRate/1000
			s.clockStatus.PDVUs.P99 = c.all99Us
		}
		sound()
		for range c.windows {
			s.vitals.late(c.lateNs)
			s.vitals.sample(v.time.ns, v.core.counters)
		}
		s.blame()
		found := v.assess(v.time.ns)
		if !c.explained {
			if len(found) != 0 {
				t.Errorf("%s: %+v", name, found)
			}
			continue
		}
		if len(found) != 1 || found[0].Code != codeSenderLate || !strings.HasPrefix(found[0].Text, "latency is ") ||
			!strings.Contains(found[0].Text, "because packets leave the host up to 12.0 ms late: if its status does not say real-time, give it a limit for rtprio") {
			t.Errorf("%s: %+v", name, found)
		}
		v.pass(2 * time.Minute) // the sender has recovered, the latency stays
		if found = v.assess(v.time.ns); len(found) != 1 {
			t.Errorf("%s, later: %+v", name, found)
		}
		v.logged("because packets leave the host", 1)
		v.down("a")
		v.up(agreed("b"))
		v.pass(3 * time.Second)
		v.wrong("the next session")
	}
}

func TestAFixedLatencyIsForNobodysSake(t *testing.T) {
	v := playing(t, func(c *Settings) { c.Latency = Latency{Frames: 2000} })
	v.core.sentLateNs = 30e6
	v.pass(10 * time.Second)
	v.wrong("as asked for")
}
