// Package rights tests with a real jackd, the kernel and Debian's rtkit-daemon
// what the ends ask of the machine. It needs root, as other tests here do.
package rights

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"archibald-bridge/bridge/status"
)

// powerless starts a program that may make nothing real-time by itself.
var powerless = []string{"prlimit", "--rtprio=0:0", "setpriv", "--bounding-set=-sys_nice,-sys_resource", "--inh-caps=-sys_nice,-sys_resource"}

// lastCPU is the highest processor that this test may run on.
func lastCPU(t *testing.T) int {
	t.Helper()
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		t.Fatal(err)
	}
	for cpu := len(set)*64 - 1; cpu > 0; cpu-- {
		if set.IsSet(cpu) {
			return cpu
		}
	}
	return 0
}

func wantThreads(t *testing.T, threads []task, policy, priority uint32) {
	t.Helper()
	if len(threads) != 2 {
		t.Fatalf("%d real-time threads, want JACK's two process threads: %+v", len(threads), threads)
	}
	for _, thread := range threads {
		if thread.policy != policy || thread.priority != priority {
			t.Errorf("thread %d: policy %d, priority %d, want %d, %d", thread.id, thread.policy, thread.priority, policy, priority)
		}
	}
}

func TestThreadsAreMadeRealTimePinnedAndKeptSoOverARestartOfJackd(t *testing.T) {
	l := newLab(t)
	l.startJackd("-r")
	cpu := lastCPU(t)
	l.startGuest(nil, nil, "--cpus", strconv.Itoa(cpu))
	var before []task
	for round := range 2 {
		s := l.eventually("real-time by own rights", func(s status.Status) bool { return s.Machine.RealtimeBy == status.RealtimeByRights && s.Audio.Realtime })
		if s.Machine.CPUs != strconv.Itoa(cpu) || !s.Machine.CPUAwake {
			t.Errorf("status %+v", s.Machine)
		}
		threads := l.realtimeThreads()
		wantThreads(t, threads, unix.SCHED_FIFO, 5)
		for _, thread := range threads {
			if thread.cpus != 1 || !thread.on(cpu) {
				t.Errorf("thread %d may run on %d processors, want %d alone", thread.id, thread.cpus, cpu)
			}
			if !thread.resetsOnFork {
				t.Errorf("thread %d hands its priority on to programs that it starts", thread.id)
			}
			if slices.ContainsFunc(before, func(old task) bool { return old.id == thread.id }) {
				t.Errorf("thread %d is an old one: jackd was not restarted", thread.id)
			}
		}
		if round == 0 {
			before = threads
			l.jackd.Stop()
			l.eventually("jackd is missed", func(s status.Status) bool { return s.Audio.State == status.AudioAbsent && s.Machine.RealtimeBy == "" })
			if err := l.jackd.Restart(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestPipeWiresThreadIsPinnedAndAgainAfterARestart(t *testing.T) {
	l := newLab(t)
	pipewire, err := l.StartPipeWire(256)
	if err != nil {
		t.Fatal(err)
	}
	wireplumber, err := l.StartWirePlumber() // without, the graph stands still
	if err != nil {
		t.Fatal(err)
	}
	cpu := lastCPU(t)
	l.start("host", nil, nil, "--cpus", strconv.Itoa(cpu))
	before := 0
	for round := range 2 {
		// PipeWire's own module makes it real-time.
		l.eventually("pinned", func(s status.Status) bool {
			return s.Machine.CPUs == strconv.Itoa(cpu) && s.Machine.RealtimeBy == status.RealtimeByServer
		})
		threads := l.realtimeThreads()
		if len(threads) != 1 || threads[0].cpus != 1 || !threads[0].on(cpu) || threads[0].id == before {
			t.Fatalf("real-time threads %+v, want a new one on processor %d alone", threads, cpu)
		}
		if round == 0 {
			before = threads[0].id
			pipewire.Stop()
			l.eventually("PipeWire is missed", func(s status.Status) bool { return s.Audio.State == status.AudioAbsent && s.Machine.CPUs == "" })
			if err := errors.Join(pipewire.Restart(), wireplumber.Restart()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestProcessorsAreKeptAwakeWhileTheEndStreams(t *testing.T) {
	l := newLab(t)
	l.startJackd("-R")
	l.startGuest(nil, nil)
	l.eventually("processors awake", func(s status.Status) bool { return s.Machine.CPUAwake && s.Machine.MemoryLocked })
	if !l.holdsAwake() {
		t.Error("status says awake, and the device is not open")
	}
	device, err := os.Open("/dev/cpu_dma_latency")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = device.Close() }()
	value := make([]byte, 4)
	if _, err := io.ReadFull(device, value); err != nil || binary.NativeEndian.Uint32(value) != 0 {
		t.Errorf("the kernel's limit is %v us, %v; want 0", value, err)
	}
}

func TestProcessorsMaySleepWhenTheUserSaysSo(t *testing.T) {
	l := newLab(t)
	l.startJackd("-R")
	l.startGuest(nil, nil, "--cpu-sleep", "allow")
	l.eventually("real-time by jackd", func(s status.Status) bool { return s.Machine.RealtimeBy == status.RealtimeByServer })
	if l.holdsAwake() || l.status().Machine.CPUAwake {
		t.Errorf("open %v, status %+v", l.holdsAwake(), l.status().Machine)
	}
	wantThreads(t, l.realtimeThreads(), unix.SCHED_FIFO, 65) // jackd gives five less than its own
}

func TestRealtimeKitMakesThreadsRealTime(t *testing.T) {
	l := newLab(t)
	env := l.startRealtimeKit()
	l.startJackd("-r")
	l.startGuest(powerless, env)
	l.eventually("real-time by RealtimeKit", func(s status.Status) bool { return s.Machine.RealtimeBy == status.RealtimeByKit && s.Audio.Realtime })
	// Debian's rtkit-daemon gives SCHED_RR.
	wantThreads(t, l.realtimeThreads(), unix.SCHED_RR, 5)
	if strings.Contains(l.log(), "ordinary priority") {
		t.Errorf("log\n%s", l.log())
	}
}

func TestWithoutRightsItRunsAndSaysOnceWhatIsLost(t *testing.T) {
	l := newLab(t)
	l.startJackd("-r")
	l.startGuest(powerless, []string{"DBUS_SYSTEM_BUS_ADDRESS=unix:path=" + l.Dir + "/nobody"})
	l.eventually("sound", func(s status.Status) bool { return s.Directions.Send.Packets > 1000 })
	if s := l.status(); s.Audio.Realtime || s.Machine.RealtimeBy != "" {
		t.Errorf("status %+v %+v", s.Audio, s.Machine)
	}
	l.eventually("the problem is among those of the status", func(s status.Status) bool {
		return slices.ContainsFunc(s.Problems, func(p status.Problem) bool { return p.Code == "not-realtime" && strings.Contains(p.Text, "rtprio") })
	})
	if n := strings.Count(l.log(), "audio threads have ordinary priority"); n != 1 {
		t.Errorf("told %d times, want once:\n%s", n, l.log())
	}
}

func TestAProcessorThatIsNotThereEndsTheProgram(t *testing.T) {
	l := newLab(t)
	l.startGuest(nil, nil, "--cpus", "1023")
	code, err := l.end.Wait(10 * time.Second)
	if err != nil || code != 2 || !strings.Contains(l.log(), `cpus: "1023": legal is processors that are online`) {
		t.Errorf("exit code %d, %v, log %s", code, err, l.log())
	}
}

func TestMemoryThatCannotBeLockedIsShown(t *testing.T) {
	l := newLab(t)
	// No jackd: libjack, too, wants memory locked and refuses otherwise.
	l.startGuest([]string{"prlimit", "--memlock=0:0", "setpriv", "--bounding-set=-ipc_lock,-sys_resource", "--inh-caps=-ipc_lock,-sys_resource"}, nil)
	s := l.eventually("a status", func(s status.Status) bool { return s.End == "guest" })
	if s.Machine.MemoryLocked || !strings.Contains(l.log(), "memory not locked") {
		t.Errorf("status %+v, log\n%s", s.Machine, l.log())
	}
}
