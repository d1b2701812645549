package sessions

import (
	"bytes"
	"os"
	"testing"
	"time"

	"archibald-bridge/proto"
	"archibald-bridge/testbed/endtoend"
	"archibald-bridge/testbed/stack"
)

// startOrders are the four that matter: which end is first, and whether its
// server is there yet.
func TestEveryStartOrderEndsInSound(t *testing.T) {
	type step = func(*endtoend.Rig) error
	orders := map[string][]step{
		"servers first, guest before host": {(*endtoend.Rig).StartJackd, (*endtoend.Rig).StartPipeWire, (*endtoend.Rig).StartGuest, (*endtoend.Rig).StartHost},
		"servers first, host before guest": {(*endtoend.Rig).StartJackd, (*endtoend.Rig).StartPipeWire, (*endtoend.Rig).StartHost, (*endtoend.Rig).StartGuest},
		"ends first, guest before host":    {(*endtoend.Rig).StartGuest, (*endtoend.Rig).StartHost, (*endtoend.Rig).StartJackd, (*endtoend.Rig).StartPipeWire},
		"ends first, host before guest":    {(*endtoend.Rig).StartHost, (*endtoend.Rig).StartGuest, (*endtoend.Rig).StartPipeWire, (*endtoend.Rig).StartJackd},
	}
	fromHost := false
	for name, order := range orders {
		t.Run(name, func(t *testing.T) {
			r := start(t, endtoend.Config{PeriodFrames: 256, Common: []string{"--latency", "100ms"}, CallFromHost: fromHost})
			for _, step := range order {
				if err := step(r); err != nil {
					t.Fatal(err)
				}
				time.Sleep(300 * time.Millisecond)
			}
			if err := r.WaitRunning(backWithin); err != nil {
				t.Error(err)
			}
		})
		fromHost = !fromHost // either may call
	}
}

// The program runs under the race detector: no other test has it begin and end as often.
func TestSoundComesBackAfterEveryKill(t *testing.T) {
	r := start(t, endtoend.Config{PeriodFrames: 256, Common: []string{"--latency", "100ms"}, Tags: []string{"race"}})
	t.Cleanup(func() { noRaces(t, r.Guest, r.Host) })
	if err := r.StartAll(); err != nil {
		t.Fatal(err)
	}
	if err := r.PlaySuperCollider(); err != nil {
		t.Fatal(err)
	}
	for _, name := range endtoend.Victims {
		t.Run(name, func(t *testing.T) {
			guest, host := r.Guest.PID(), r.Host.PID()
			r.Kill(name)
			time.Sleep(1500 * time.Millisecond)
			up, err := r.Revive(name)
			if err != nil {
				t.Fatal(err)
			}
			back, err := r.WaitSound(up, backWithin)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("sound on the host %.2f s after the last one was up", back.Seconds())
			if name != "guest" && r.Guest.PID() != guest || name != "host" && r.Host.PID() != host {
				t.Error("an end was restarted that was not killed")
			}
			if !r.Guest.Alive() || !r.Host.Alive() {
				t.Error("an end is gone")
			}
		})
	}
}

// noRaces looks at what the race detector writes to standard error.
func noRaces(t *testing.T, ends ...*stack.Process) {
	t.Helper()
	for _, end := range ends {
		log, err := os.ReadFile(end.Log)
		if err != nil {
			t.Fatal(err)
		}
		if at := bytes.Index(log, []byte("WARNING: DATA RACE")); at >= 0 {
			t.Errorf("%s: %s", end.Name, log[at:])
		}
	}
}

func TestStaticEndsNeedNoSession(t *testing.T) {
	r := start(t, endtoend.Config{PeriodFrames: 256, Static: true, Common: []string{"--format", "L16", "--latency", "100ms"}})
	if err := r.StartAll(); err != nil {
		t.Fatal(err)
	}
	if err := r.PlaySuperCollider(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.WaitSound(time.Now(), backWithin); err != nil {
		t.Error(err)
	}
	r.Kill("guest")
	time.Sleep(1500 * time.Millisecond)
	up, err := r.Revive("guest")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.WaitSound(up, backWithin); err != nil {
		t.Error(err)
	}
}

func TestPeriodChangeWhileRunning(t *testing.T) {
	r := start(t, endtoend.Config{PeriodFrames: 256, Common: []string{"--latency", "100ms"}})
	if err := r.StartAll(); err != nil {
		t.Fatal(err)
	}
	for _, frames := range []int{512, 1024, 256} {
		if err := r.SetPeriod(frames); err != nil {
			t.Fatal(err)
		}
		deadline := time.Now().Add(backWithin)
		for {
			s, err := r.Status(proto.Guest)
			if err == nil && s.Audio.PeriodFrames == frames && s.Directions.Receive.BufferFrames > 0 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("period %d: guest says %+v, %v", frames, s.Audio, err)
			}
			time.Sleep(50 * time.Millisecond)
		}
		if err := r.WaitRunning(backWithin); err != nil {
			t.Error(err)
		}
	}
}
