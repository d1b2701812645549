package sessions

import (
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
	"archibald-bridge/testbed/endtoend"
)

// A terminal that is closed, a service that is stopped, Ctrl-C and Ctrl-\\.
func TestEverySignalThatEndsAnEndIsAGoodbyeToItsPeer(t *testing.T) {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP) // under nohup the ends would inherit that it is ignored
	r := start(t, endtoend.Config{PeriodFrames: 256, Common: []string{"--latency", "100ms"}})
	if err := r.StartAll(); err != nil {
		t.Fatal(err)
	}
	for i, signal := range []syscall.Signal{syscall.SIGHUP, syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT} {
		if err := r.Guest.Signal(signal); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if code, err := r.Guest.Wait(5 * time.Second); err != nil || code != 0 {
			t.Errorf("%v: exit code %d, %v", signal, code, err)
		}
		for mustStatus(t, r, proto.Host).Session.State == status.SessionUp {
			if time.Since(began) > 3*time.Second {
				t.Fatalf("%v: the host still has its session after 3 s", signal)
			}
			time.Sleep(20 * time.Millisecond)
		}
		log, err := os.ReadFile(r.Host.Log)
		if err != nil || strings.Count(string(log), "session over") != i+1 || strings.Contains(string(log), "nothing from the peer") {
			t.Errorf("%v: the host says %v\n%s", signal, err, log)
		}
		if err := r.Guest.Restart(); err != nil {
			t.Fatal(err)
		}
		if err := r.WaitRunning(backWithin); err != nil {
			t.Fatal(err)
		}
	}
}
