package endtoend

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"archibald-bridge/testbed/gate"
	"archibald-bridge/testbed/probe"
)

// churn starts and ends one program after the other in the VM, each connected to both
// directions of the bridge, until stop is closed; it returns how many there were.
func (r *Rig) churn(stop <-chan struct{}) (programs int, err error) {
	for {
		select {
		case <-stop:
			return programs, nil
		default:
		}
		programs++
		name := fmt.Sprintf("passer-by-%d", programs)
		p, err := probe.Start(r.Stack, probe.Config{
			Binary: r.probe, Name: name, JackServer: r.JackServer, Duration: 500 * time.Millisecond, Inputs: 1,
			Outputs: []probe.Signal{probe.Tone(1499, -120)},
			Connect: [][2]string{{name + ":out_1", "archibald-to-host:in_1"}, {"archibald-from-host:out_1", name + ":in_1"}},
		})
		if err != nil {
			return programs, err
		}
		if _, err := p.Finish(); err != nil {
			return programs, err
		}
	}
}

func TestProgramsThatComeAndGoAreUnheard(t *testing.T) {
	r := start(t, Config{PeriodFrames: 256, Common: []string{"--format", "L24", "--latency", "100ms"}})
	if err := r.StartAll(); err != nil {
		t.Fatal(err)
	}
	stop, churned := make(chan struct{}), make(chan error, 1)
	go func() {
		programs, err := r.churn(stop)
		if t.Logf("%d programs came and went", programs); programs < 5 {
			err = errors.Join(err, errors.New("too few to be a test"))
		}
		churned <- err
	}()
	d, err := r.Duplex(gate.Soak(10*time.Second, time.Minute), 100*time.Millisecond)
	close(stop)
	if err := errors.Join(err, <-churned); err != nil {
		t.Fatal(err)
	}
	t.Logf("servers failed %d times", d.ServerFailures())
	for _, h := range d.Heard {
		t.Logf("%s: %.3f Hz at %.2f dBFS, gaps %d, ours %d", h.Channel, h.Tone.FrequencyHz, h.Tone.LevelDBFS, len(h.Gaps), h.Ours())
		check(t, h)
	}
}
