package jack

import (
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/roundtrip"
	"archibald-bridge/testbed/jacktest"
)

var itself = roundtrip.Options{Seconds: 3, To: "archibald-bench:in", Status: "127.0.0.1:1"}

// meanwhile does something in the middle of a measurement.
func meanwhile(t *testing.T, jackd *jacktest.Server, do func()) (*roundtrip.Report, error) {
	t.Helper()
	done := make(chan struct{})
	probe := openProbe(t, jackd.Name)
	go func() {
		defer close(done)
		time.Sleep(2500 * time.Millisecond) // a second of it is the bare timer's
		do()
	}()
	report, err := roundtrip.Run(t.Context(), probe, itself)
	<-done
	return report, err
}

// jackd's dummy driver stands still, and tells nobody of it.
func TestTheBenchSeesTimeThatTheServerLost(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	report, err := meanwhile(t, jackd, func() { jackd.Pause(400 * time.Millisecond) })
	if err != nil {
		t.Fatal(err)
	}
	if report.ServerLostMs < 350 || report.ServerLostMs > 1000 {
		t.Errorf("%.1f ms lost, want some 400", report.ServerLostMs)
	}
	if report, err = roundtrip.Run(t.Context(), openProbe(t, jackd.Name), itself); err != nil || report.ServerLostMs > 100 {
		t.Errorf("%v: %.1f ms lost by a server that ran", err, report.ServerLostMs)
	}
}

func TestAnExportEndsTheBench(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	report, err := meanwhile(t, jackd, func() { jackd.Run("jack_freewheel", "y") })
	if report != nil || err == nil || !strings.Contains(err.Error(), "freewheels, as for an export") {
		t.Errorf("%v, %v", report, err)
	}
}
