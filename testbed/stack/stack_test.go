package stack

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// newStack returns a Stack that the test's end closes and inspects: no process
// and no file may stay behind.
func newStack(t *testing.T) *Stack {
	t.Helper()
	return newStackBy(t, New, leftovers)
}

// newSharedStack is newStack beside others, whose servers may die on purpose meanwhile: the
// test's end inspects only what carries this process's id.
func newSharedStack(t *testing.T) *Stack {
	t.Helper()
	return newStackBy(t, NewShared, ownLeftovers)
}

func newStackBy(t *testing.T, open func() (*Stack, error), leftovers func() []string) *Stack {
	t.Helper()
	before := leftovers()
	s, err := open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		pids, controls := []int{}, []string{}
		for _, p := range s.processes {
			pids = append(pids, p.PID())
			if port, ok := strings.CutPrefix(p.Name, "scsynth-"); ok {
				controls = append(controls, "/dev/shm/SuperColliderServer_"+port)
			}
		}
		if t.Failed() {
			for _, p := range s.processes {
				t.Logf("%s, alive %v:\n%s", p.Name, p.Alive(), p.LogTail())
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		for _, pid := range pids {
			if err := syscall.Kill(pid, 0); err == nil {
				t.Errorf("process %d still runs", pid)
			}
		}
		for _, path := range append(controls, s.Dir) {
			if _, err := os.Stat(path); !os.IsNotExist(err) {
				t.Errorf("%s is still there", path)
			}
		}
		if left := newLeftovers(before, leftovers); len(left) != 0 {
			t.Errorf("left in shared memory: %v", left)
		}
		if err := s.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}
	})
	return s
}

// ownLeftovers lists files in shared memory with our process id.
func ownLeftovers() []string {
	found, _ := filepath.Glob(fmt.Sprintf("/dev/shm/*-%d_*", os.Getpid()))
	return found
}

// leftovers lists these, and segments of jackd2 that nobody on the machine uses.
func leftovers() []string {
	found := ownLeftovers()
	segments, _ := filepath.Glob("/dev/shm/jack-[0-9]*")
	for _, segment := range segments {
		if !mappedByAnyone(segment) {
			found = append(found, segment)
		}
	}
	return found
}

// newLeftovers lists leftovers that were not there before. Another program's
// server may just be between its death and its restart: such ones go away.
func newLeftovers(before []string, leftovers func() []string) (left []string) {
	for range 20 {
		left = slices.DeleteFunc(leftovers(), func(file string) bool { return slices.Contains(before, file) })
		if len(left) == 0 {
			break
		}
		time.Sleep(500 * time.Millisecond)
	}
	return left
}

func TestASharedStacksEndLooksOnlyForWhatIsItsOwn(t *testing.T) {
	own := fmt.Sprintf("/dev/shm/jack_sem.0_left-%d_x", os.Getpid())
	others := fmt.Sprintf("/dev/shm/jack-%d-0", os.Getpid()) // as a jackd that was killed leaves it
	newStack(t)                                              // nobody else looks meanwhile
	for _, file := range []string{own, others} {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Remove(file) }) // before the stack's end looks
	}
	if found := leftovers(); !slices.Contains(found, own) || !slices.Contains(found, others) {
		t.Errorf("alone: found %v", found)
	}
	if found := ownLeftovers(); !slices.Equal(found, []string{own}) {
		t.Errorf("shared: found %v", found)
	}
}

func mappedByAnyone(path string) bool {
	files, _ := filepath.Glob("/proc/[0-9]*/maps")
	for _, file := range files {
		maps, err := os.ReadFile(file)
		if err == nil && strings.Contains(string(maps), path+"\n") {
			return true
		}
	}
	return false
}

func startGuest(t *testing.T, s *Stack) (*Jackd, *Scsynth) {
	t.Helper()
	j, err := s.StartJackd("guest", 256, 48000)
	if err != nil {
		t.Fatal(err)
	}
	synth, err := s.StartScsynth(ScsynthConfig{
		JackServer: j.Server, PeriodFrames: 256, InputChannels: 2, OutputChannels: 2,
		ConnectOutputs: "system:playback_1,system:playback_2",
	})
	if err != nil {
		t.Fatal(err)
	}
	return j, synth
}

func startHost(t *testing.T, s *Stack) (pipewire, wireplumber *Process) {
	t.Helper()
	pipewire, err := s.StartPipeWire(256)
	if err != nil {
		t.Fatal(err)
	}
	wireplumber, err = s.StartWirePlumber()
	if err != nil {
		t.Fatal(err)
	}
	return pipewire, wireplumber
}

func wantPorts(t *testing.T, ports []string, err error, want ...string) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
	for _, port := range want {
		if !slices.Contains(ports, port) {
			t.Errorf("no port %s in %v", port, ports)
		}
	}
}

func wantLog(t *testing.T, p *Process, text string) {
	t.Helper()
	log, err := os.ReadFile(p.Log)
	if err != nil || !strings.Contains(string(log), text) {
		t.Errorf("log of %s lacks %q: %v", p.Name, text, err)
	}
}

func TestGuestStackSurvivesKill9OfEach(t *testing.T) {
	s := newStack(t)
	j, synth := startGuest(t, s)
	ports, err := s.JackPorts(j.Server)
	wantPorts(t, ports, err, "system:playback_1", "SuperCollider:out_1", "SuperCollider:in_2")
	wantLog(t, j.Process, "realtime mode")

	synth.Kill9()
	if synth.Alive() || !j.Alive() {
		t.Fatal("kill -9 of scsynth must end scsynth alone")
	}
	if err := synth.Restart(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	ports, err = s.JackPorts(j.Server)
	wantPorts(t, ports, err, "SuperCollider:out_1")

	j.Kill9()
	synth.Kill9() // it does not come back to a new server by itself
	if err := j.Restart(); err != nil {
		t.Fatal(err)
	}
	if err := synth.Restart(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	ports, err = s.JackPorts(j.Server)
	wantPorts(t, ports, err, "system:playback_1", "SuperCollider:out_1")
}

func TestHostStackSurvivesKill9OfEach(t *testing.T) {
	s := newStack(t)
	pipewire, wireplumber := startHost(t, s)
	ports, err := s.PipeWirePorts()
	wantPorts(t, ports, err, "null-sink:playback_FL", "null-sink:monitor_FR")

	wireplumber.Kill9()
	if !pipewire.Alive() {
		t.Fatal("kill -9 of wireplumber must end wireplumber alone")
	}
	if err := wireplumber.Restart(); err != nil {
		t.Fatal(err)
	}

	pipewire.Kill9()
	if err := pipewire.Restart(); err != nil {
		t.Fatal(err)
	}
	if _, err := wireplumber.Wait(5 * time.Second); err != nil {
		t.Errorf("wireplumber should end with pipewire: %v", err)
	}
	if err := wireplumber.Restart(); err != nil {
		t.Fatal(err)
	}
	ports, err = s.PipeWirePorts()
	wantPorts(t, ports, err, "null-sink:playback_FL", "null-sink:monitor_FR")
}

func TestKilledAndNeverRestartedLeavesNothing(t *testing.T) {
	s := newStack(t)
	j, synth := startGuest(t, s)
	pipewire, wireplumber := startHost(t, s)
	for _, p := range []*Process{j.Process, synth.Process, pipewire, wireplumber} {
		p.Kill9()
	}
}

func TestKilledJackServersGiveTheirPlacesBack(t *testing.T) {
	for range 9 { // jackd2 has places for eight
		s := newStack(t)
		j, err := s.StartJackd("place", 256, 48000)
		if err != nil {
			t.Fatal(err)
		}
		if registeredServers()[j.Server] != j.PID() {
			t.Fatalf("%s, process %d, is not in the table: %v", j.Server, j.PID(), registeredServers())
		}
		j.Kill9()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, taken := registeredServers()[j.Server]; taken {
			t.Fatalf("%s keeps its place", j.Server)
		}
	}
}

func TestTwoJackServersSideBySide(t *testing.T) {
	s := newSharedStack(t)
	a, err := s.StartJackd("a", 256, 48000)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.StartJackd("b", 512, 44100)
	if err != nil {
		t.Fatal(err)
	}
	if a.Server == b.Server || !strings.HasSuffix(a.Server, fmt.Sprint(os.Getpid())) {
		t.Errorf("servers are called %s and %s", a.Server, b.Server)
	}
	if err := s.JackConnect(a.Server, "system:capture_1", "system:playback_1"); err != nil {
		t.Error(err)
	}
	if err := s.JackConnect(a.Server, "system:capture_1", "system:playback_1"); err != nil {
		t.Errorf("connected already: %v", err)
	}
	if err := s.JackConnect(b.Server, "system:capture_1", "system:playback_9"); err == nil {
		t.Error("a port that is not there was connected")
	}
}

func TestPipeWireLinksAreMadeSeenAndRemoved(t *testing.T) {
	s := newStack(t)
	startHost(t, s)
	from, to := "null-sink:monitor_FL", "null-sink:playback_FR"
	for range 2 { // the second time it exists
		if err := s.PipeWireConnect(from, to); err != nil {
			t.Fatal(err)
		}
	}
	links, err := s.PipeWireLinks()
	if err != nil || !slices.Contains(links, [2]string{from, to}) {
		t.Errorf("links %v, %v", links, err)
	}
	if err := s.PipeWireDisconnect(from, to); err != nil {
		t.Fatal(err)
	}
	links, err = s.PipeWireLinks()
	if err != nil || slices.Contains(links, [2]string{from, to}) {
		t.Errorf("after disconnecting: links %v, %v", links, err)
	}
}

func TestAnyProgramCanBePartOfAStack(t *testing.T) {
	s := newStack(t)
	p, err := s.Start("echo", []string{"WORD=hello"}, "sh", "-c", `echo $WORD $XDG_RUNTIME_DIR $DISPLAY; exit 3`)
	if err != nil {
		t.Fatal(err)
	}
	code, err := p.Wait(5 * time.Second)
	if err != nil || code != 3 {
		t.Errorf("exit code %d, %v", code, err)
	}
	wantLog(t, p, "hello "+s.Dir+"/run\n")
	if p.Alive() {
		t.Error("an ended program is alive")
	}
	if _, err := s.Start("echo", nil, "true"); err == nil {
		t.Error("two processes of one name were accepted")
	}
}

func TestAProgramThatIgnoresSIGTERMIsKilled(t *testing.T) {
	s := newSharedStack(t)
	p, err := s.Start("stubborn", nil, "sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.until("its trap", func() bool { return p.LogTail() == "ready" }); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Wait(10 * time.Millisecond); err == nil {
		t.Error("Wait did not time out")
	}
	p.Stop()
	if code, err := p.Wait(0); err != nil || code != -1 {
		t.Errorf("exit code %d, %v, want -1", code, err)
	}
}

func TestAServerThatCannotStartSaysWhy(t *testing.T) {
	s := newStack(t)
	_, err := s.StartScsynth(ScsynthConfig{JackServer: "no-such-server", PeriodFrames: 256, InputChannels: 2, OutputChannels: 2})
	if err == nil || !strings.Contains(err.Error(), "scsynth") || !strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v, want scsynth's last output", err)
	}
}

func TestAJackServerThatListensAndEndsIsNotReady(t *testing.T) {
	s := newSharedStack(t)
	server := JackServerName("listened")
	socket, err := net.Listen("unix", jackSocket(server))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	p, err := s.Start("ended", nil, "true")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Wait(5 * time.Second); err != nil {
		t.Fatal(err)
	}
	if err := jackReady(p, server); err == nil {
		t.Error("a server that has ended is ready")
	}
}

func TestAMissingProgramNamesItsPackage(t *testing.T) {
	s := newStack(t)
	t.Setenv("PATH", t.TempDir())
	_, err := s.StartJackd("guest", 256, 48000)
	if err == nil || err.Error() != "jackd is not installed: apt-get install jackd2" {
		t.Errorf("got %v", err)
	}
	_, err = s.StartPipeWire(256)
	if err == nil || !strings.Contains(err.Error(), "apt-get install dbus-daemon") {
		t.Errorf("got %v", err)
	}
}

func TestQuietSpinsUntilClose(t *testing.T) {
	s := newStack(t)
	ours, _ := os.ReadFile("/proc/self/autogroup") // none: the kernel has no such groups
	if err := s.Quiet(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	for _, p := range s.processes {
		out, err := exec.Command("chrt", "-p", fmt.Sprint(p.PID())).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "SCHED_IDLE") {
			t.Errorf("%s: %s, %v", p.Name, out, err)
		}
		group, err := os.ReadFile(fmt.Sprintf("/proc/%d/autogroup", p.PID()))
		if err == nil && !strings.HasSuffix(strings.TrimSpace(string(group)), " nice 19") {
			t.Errorf("%s yields within its session only: %s", p.Name, group)
		}
	}
	if after, _ := os.ReadFile("/proc/self/autogroup"); string(after) != string(ours) {
		t.Errorf("our own session was %s and is %s", ours, after)
	}
}
