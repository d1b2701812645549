package endtoend

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"archibald-bridge/testbed/gate"
)

func start(t *testing.T, config Config) *Rig {
	t.Helper()
	r, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("guest:\n%s\nhost:\n%s", r.tail(r.Guest), r.tail(r.Host))
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
	d, err := r.Duplex(gate.Soak(18*time.Second, 5*time.Minute), 100*time.Millisecond)
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
		t.Logf("%s: %.3f Hz at %.2f dBFS, THD+N %.1f dB, leak %.1f dBFS, gaps %d, ours %d",
			h.Channel, h.Tone.FrequencyHz, h.Tone.LevelDBFS, h.Tone.THDNdB, h.LeakDBFS, len(h.Gaps), h.Ours())
		check(t, h, d.ServerFailures())
	}
}

// slewLimit is how far from the drift a ratio ever is: what the servo allows itself
// to work off time that a server lost.
const slewLimit = 500e-6

// check judges one channel. On a machine whose servers do not fail, no gap is
// allowed and the pitch is exact. Where they do, a cycle that the server skipped for
// the bridge's client alone shows in no witness; so many gaps as failures were seen
// are put to that, and the benchmark prints both. A pitch that works off lost time
// stays within its limit.
func check(t *testing.T, h Heard, serverFailures int) {
	t.Helper()
	allowedHz := 0.1
	if serverFailures > 0 {
		allowedHz += slewLimit * h.PlayedHz
	}
	if math.Abs(h.Tone.FrequencyHz-h.PlayedHz) > allowedHz {
		t.Errorf("%s: %.3f Hz, played %.3f Hz", h.Channel, h.Tone.FrequencyHz, h.PlayedHz)
	}
	if math.Abs(h.Tone.LevelDBFS-toneDBFS) > 0.1 {
		t.Errorf("%s: %.2f dBFS, played %.2f dBFS", h.Channel, h.Tone.LevelDBFS, toneDBFS)
	}
	if h.LeakDBFS > -80 {
		t.Errorf("%s: another tone at %.1f dBFS", h.Channel, h.LeakDBFS)
	}
	if !h.Found {
		t.Errorf("%s: the search for gaps did not find one planted frame", h.Channel)
	}
	for _, gap := range h.Gaps {
		if gap.Ours {
			t.Logf("%s: %+v has no witness", h.Channel, gap.TimedGap)
		}
	}
	if h.Ours() > serverFailures {
		t.Errorf("%s: %d gaps without a witness, while the servers failed %d times", h.Channel, h.Ours(), serverFailures)
	}
}
