package endtoend

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
	"archibald-bridge/testbed/probe"
	"archibald-bridge/testbed/recording"
	"archibald-bridge/testbed/signal"
	"archibald-bridge/testbed/stack"
)

// twoHosts is a VM that plays to two hosts, as README says: a guest end for each, with
// a name and a port of its own. Each host has a JACK server, for the other's must not
// be a witness of it.
type twoHosts struct {
	*stack.Stack
	probe string
	hosts [2]*stack.Process
}

// The tones of host a and host b; the VM plays one to each.
var fromVMHz, toVMHz = [2]float64{401, 443}, [2]float64{797, 853}

var hostNames = [2]string{"a", "b"}

const twoHostsPeriod = 256

func startTwoHosts(t *testing.T) *twoHosts {
	t.Helper()
	s, err := stack.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &twoHosts{Stack: s}
	if w.probe, err = probe.Build(s.Dir); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(s.Dir, "archibald-bridge")
	if err := stack.Build(binary, "archibald-bridge"); err != nil {
		t.Fatal(err)
	}
	port, err := FreePort()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Quiet(); err != nil {
		t.Fatal(err)
	}
	for _, server := range []string{"vm", "host-a", "host-b"} {
		if _, err := s.StartJackd(server, twoHostsPeriod, 48000); err != nil {
			t.Fatal(err)
		}
	}
	for i, name := range hostNames {
		common := []string{"--format", "L24", "--latency", "100ms"}
		address := fmt.Sprintf("%s:%d", Address(proto.Host), port+i)
		if w.hosts[i], err = s.Start("bridge-host-"+name, nil, binary, append([]string{"host", "--backend", "jack",
			"--jack-server", stack.JackServerName("host-" + name), "--listen", address, "--status-listen", statusAddressOf(proto.Host, i)}, common...)...); err != nil {
			t.Fatal(err)
		}
		guest, err := s.Start("bridge-guest-"+name, nil, binary, append([]string{"guest", "--name", name, "--peer", address,
			"--jack-server", stack.JackServerName("vm"), "--listen", fmt.Sprintf("%s:%d", Address(proto.Guest), port+i),
			"--status-listen", statusAddressOf(proto.Guest, i)}, common...)...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("guest %s:\n%s\nhost %s:\n%s", name, guest.LogTail(), name, w.hosts[i].LogTail())
			}
		})
	}
	return w
}

// statusOfA asks the two ends of host a's bridge.
func (w *twoHosts) statusOfA() (both []status.Status, err error) {
	for _, role := range []proto.Role{proto.Guest, proto.Host} {
		s, err := askStatus(statusAddressOf(role, 0))
		if err != nil {
			return nil, err
		}
		both = append(both, s)
	}
	return both, nil
}

// playAtVM plays a tone to each host and hears each, and the witness behind them.
func (w *twoHosts) playAtVM(duration time.Duration) (*probe.Probe, error) {
	return probe.Start(w.Stack, probe.Config{
		Binary: w.probe, Name: "vm-probe", JackServer: stack.JackServerName("vm"), Inputs: 3, Duration: duration,
		Outputs: []probe.Signal{probe.Tone(fromVMHz[0], toneDBFS), probe.Tone(fromVMHz[1], toneDBFS), probe.Tone(witnessHz, toneDBFS)},
		Connect: [][2]string{
			{"vm-probe:out_1", "archibald-a-to-host:in_1"}, {"archibald-a-from-host:out_1", "vm-probe:in_1"},
			{"vm-probe:out_2", "archibald-b-to-host:in_1"}, {"archibald-b-from-host:out_1", "vm-probe:in_2"},
			{"vm-probe:out_3", "vm-probe:in_3"},
		},
	})
}

// playAtHost plays one host's tone and hears the VM, and the witness behind them.
func (w *twoHosts) playAtHost(host int, name string, duration time.Duration) (*probe.Probe, error) {
	return probe.Start(w.Stack, probe.Config{
		Binary: w.probe, Name: name, JackServer: stack.JackServerName("host-" + hostNames[host]), Inputs: 2, Duration: duration,
		Outputs: []probe.Signal{probe.Tone(toVMHz[host], toneDBFS), probe.Tone(witnessHz, toneDBFS)},
		Connect: [][2]string{
			{name + ":out_1", "archibald-to-guest:in_1"}, {"archibald-from-guest:out_1", name + ":in_1"},
			{name + ":out_2", name + ":in_2"},
		},
	})
}

// Host b is killed and comes back: a hears nothing of it, and neither hears the other.
func TestOneVMPlaysToTwoHosts(t *testing.T) {
	w := startTwoHosts(t)
	must := func(p *probe.Probe, err error) *probe.Probe {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	finished := func(r *recording.Recording, err error) *recording.Recording {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	var a, b, vm *recording.Recording
	var told []signal.TimedGap
	stalled, err := stallsDuring(twoHostsPeriod, 48000, func() (err error) {
		told, err = toldDuring(true, w.statusOfA, func() error {
			atA := must(w.playAtHost(0, "probe-a", 30*time.Second))
			atB := must(w.playAtHost(1, "probe-b", 30*time.Second))
			atVM := must(w.playAtVM(14 * time.Second))
			time.Sleep(4 * time.Second)
			w.hosts[1].Kill9()
			time.Sleep(time.Second)
			if err := w.hosts[1].Restart(); err != nil {
				return err
			}
			finished(atB.FinishNow())
			b = finished(must(w.playAtHost(1, "probe-b-again", 5*time.Second)).Finish())
			vm = finished(atVM.Finish())
			a = finished(atA.FinishNow())
			return nil
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	a.CutAt(vm.EndNs())

	witnesses := slices.Concat(witness(vm, 2, witnessHz), losses(vm), witness(a, 1, witnessHz), losses(a), stalled, told)
	heard := func(name string, r *recording.Recording, input int, hz float64) Heard {
		t.Helper()
		tones := []float64{fromVMHz[0], fromVMHz[1], toVMHz[0], toVMHz[1], witnessHz}
		h, err := judge(name, r, input, hz, tones, 100*time.Millisecond, witnesses)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		t.Logf("%s: %.3f Hz at %.2f dBFS, leak %.1f dBFS, gaps %d, ours %d", name, h.Tone.FrequencyHz, h.Tone.LevelDBFS, h.LeakDBFS, len(h.Gaps), h.Ours())
		return h
	}
	check(t, heard("VM at host a", a, 0, fromVMHz[0]))
	check(t, heard("host a at VM", vm, 0, toVMHz[0]))
	if h := heard("host b at VM", vm, 1, toVMHz[1]); len(h.Gaps) == 0 {
		t.Error("host b was killed, and no gap was found")
	}
	// By then it had come back; its own server is not among the witnesses.
	h := heard("VM at host b", b, 0, fromVMHz[1])
	there := signal.Presence(b.Sound.Channels[0][settled(b):], b.RateHz, fromVMHz[1], toneDBFS)
	if there < 0.99 || h.LeakDBFS > -80 {
		t.Errorf("VM at host b: there for %.2f %% of the time, leak %.1f dBFS", 100*there, h.LeakDBFS)
	}
}
