package endtoend

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"archibald-bridge/testbed/gate"
	"archibald-bridge/testbed/signal"
)

func start(t *testing.T, config Config) *Rig {
	t.Helper()
	config.Ask = true
	r, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(r.Logs())
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := r.Quiet(); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSoundCrossesInBothDirectionsAtOnce(t *testing.T) {
	for _, period := range gate.Soak([]int{256}, []int{512, 256}) {
		t.Run(fmt.Sprint("period ", period), func(t *testing.T) { crosses(t, period) })
	}
}

func crosses(t *testing.T, periodFrames int) {
	r := start(t, Config{PeriodFrames: periodFrames, Common: []string{"--format", "L24", "--latency", "100ms"}})
	if err := r.StartAll(); err != nil {
		t.Fatal(err)
	}
	stop, harassed := make(chan struct{}), make(chan error, 1)
	go func() {
		sent, err := r.Harass(stop)
		t.Logf("%d hostile datagrams sent meanwhile", sent)
		harassed <- err
	}()
	d, err := r.Duplex(gate.Soak(10*time.Second, 5*time.Minute), 100*time.Millisecond)
	close(stop)
	if err := errors.Join(err, <-harassed); err != nil {
		t.Fatal(err)
	}
	t.Logf("witness gaps: guest %d, host %d", len(d.GuestWitness), len(d.HostWitness))
	for _, s := range d.Status {
		received := s.Directions.Receive
		if received.Rejected == 0 {
			t.Errorf("%s: counted no hostile datagram", s.End)
		}
		t.Logf("%s: rejected %d, xruns %d, media clock jumps sending %d receiving %d; received %d, lost %d, late %d, concealed %d frames in %d dropouts, drift %.2f ppm",
			s.End, received.Rejected, s.Audio.Xruns, s.Directions.Send.Xruns, received.Xruns, received.Packets, received.Lost, received.Late,
			received.ConcealedFrames, received.Dropouts, received.RatioPPM)
	}
	for _, h := range d.Heard {
		t.Logf("%s: %.3f Hz at %.2f dBFS, THD+N %.1f dB, leak %.1f dBFS, gaps %d, ours %d, unexplained %d, pitch by %s",
			h.Channel, h.Tone.FrequencyHz, h.Tone.LevelDBFS, h.Tone.THDNdB, h.LeakDBFS, len(h.Gaps), h.Ours(), h.count(signal.Attributed.Unexplained), h.spread())
		check(t, h)
	}
}

func check(t *testing.T, h Heard) {
	t.Helper()
	for _, gap := range h.Gaps {
		if gap.Ours {
			t.Logf("%s: %+v has no witness", h.Channel, gap.TimedGap)
		}
	}
	for _, fault := range h.Faults() {
		t.Error(fault)
	}
}
