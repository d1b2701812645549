package pipewire

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/testbed/fakecore"
)

func TestServerThatDiesAndComesBack(t *testing.T) {
	d := ownDesktop(t)
	b := openBridge(t, "")
	b.SetActive(true)
	b.runs(t, 10)

	d.pipewire.Kill9()
	b.expect(t, audio.Lost)
	select {
	case event := <-b.Events():
		t.Errorf("event %v after AudioLost", event)
	case <-time.After(200 * time.Millisecond):
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	for range 3 {
		_, err := b.Open(stereo(""))
		if !errors.Is(err, audio.ErrServerAbsent) {
			t.Fatalf("Open without a server: %v", err)
		}
		if socket := filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "pipewire-0"); !strings.Contains(err.Error(), socket) {
			t.Errorf("%q does not name %s", err, socket)
		}
	}

	if err := d.pipewire.Restart(); err != nil {
		t.Fatal(err)
	}
	if err := d.wireplumber.Restart(); err != nil {
		t.Fatal(err)
	}
	b.drain(t)
	b.mustOpen(t, stereo(""))
	b.runs(t, 10) // SetActive(true) still holds
}

func TestEventNobodyTookDoesNotOutliveItsConnection(t *testing.T) {
	d := ownDesktop(t)
	b := openBridge(t, "")
	d.run(t, "pw-cli", "destroy", "archibald-to-guest")
	time.Sleep(200 * time.Millisecond) // for AudioLost, which is not taken
	b.Close()
	b.mustOpen(t, stereo(""))
	select {
	case event := <-b.Events():
		t.Errorf("event %v of the old connection", event)
	case <-time.After(300 * time.Millisecond):
	}
}

func TestNodeThatIsRemovedByTheServerIsLost(t *testing.T) {
	d := sharedDesktop(t)
	b := openBridge(t, "")
	d.run(t, "pw-cli", "destroy", "archibald-from-guest")
	b.expect(t, audio.Lost)
	b.Close()
	b.mustOpen(t, stereo(""))
}

func TestDesktopWithoutASinkIsNotALoss(t *testing.T) {
	d := ownDesktop(t)
	b := openBridge(t, "")
	b.SetActive(true)
	b.runs(t, 10)
	d.run(t, "pw-cli", "destroy", "null-sink")
	for quiet := time.After(time.Second); ; {
		select {
		case event := <-b.Events():
			if event == audio.Lost {
				t.Fatal("AudioLost")
			}
			continue
		case <-quiet:
		}
		break
	}
	b.runs(t, 10)
}

func TestServerThatDoesNotAnswerIsAbsentWithinTwoSeconds(t *testing.T) {
	d := ownDesktop(t)
	if err := d.pipewire.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer d.pipewire.Signal(syscall.SIGCONT)
	b := newBridge(t, audio.Options{})
	_, err := b.Open(stereo(""))
	if !errors.Is(err, audio.ErrServerAbsent) || !strings.Contains(err.Error(), "no answer") {
		t.Errorf("Open of a stopped server: %v", err)
	}
}

func TestOpeningOftenLeaksNothing(t *testing.T) {
	sharedDesktop(t)
	b := newBridge(t, audio.Options{})
	cycle := func() {
		b.mustOpen(t, stereo(""))
		b.SetActive(true)
		b.SetActive(false)
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	cycle() // what the library keeps for good
	fds, threads := countFDs(t), pipewireThreads(t)
	for range 20 {
		cycle()
	}
	if after := countFDs(t); after > fds {
		t.Errorf("%d file descriptors before, %d after", fds, after)
	}
	if after := pipewireThreads(t); len(after) > len(threads) {
		t.Errorf("threads %v before, %v after", threads, after)
	}
}

func countFDs(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// pipewireThreads names the threads that PipeWire made; Go's come and go.
func pipewireThreads(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("/proc/self/task/*/comm")
	if err != nil {
		t.Fatal(err)
	}
	var threads []string
	for _, path := range paths {
		name, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		for _, mark := range []string{"archibald-pw", "data-loop", "pw-"} {
			if strings.Contains(string(name), mark) {
				threads = append(threads, strings.TrimSpace(string(name)))
				break
			}
		}
	}
	return threads
}

func TestOpenLeavesTheCallersThreadAsItWas(t *testing.T) {
	// As in pipewire.conf; some distributions have it for clients too.
	ownDesktop(t, `context.modules = [ { name = libpipewire-module-rt args = { nice.level = -11 } flags = [ ifexists nofail ] } ]`)
	b := openBridge(t, "")
	b.Close()
	// PipeWire's own threads, which may have another nice level, are gone.
	if threads := niceThreads(t); len(threads) != 0 {
		t.Errorf("threads with a nice level of their own after Close: %v", threads)
	}
}

func niceThreads(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("/proc/self/task/*")
	if err != nil {
		t.Fatal(err)
	}
	own, err := syscall.Getpriority(syscall.PRIO_PROCESS, os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	var threads []string
	for _, path := range paths {
		var id int
		if _, err := fmt.Sscan(filepath.Base(path), &id); err != nil {
			t.Fatal(err)
		}
		if nice, err := syscall.Getpriority(syscall.PRIO_PROCESS, id); err == nil && nice != own {
			threads = append(threads, fmt.Sprint(id))
		}
	}
	return threads
}

func TestWrongUseIsRefused(t *testing.T) {
	sharedDesktop(t)
	for _, channels := range [][2]int{{-1, 2}, {2, -1}, {65, 2}, {2, 65}, {0, 0}} {
		b := newBridge(t, audio.Options{})
		config := stereo("")
		config.SendChannels, config.ReceiveChannels = channels[0], channels[1]
		if _, err := b.Open(config); err == nil || !strings.Contains(err.Error(), "0 to 64") {
			t.Errorf("channels %v: %v", channels, err)
		}
	}
	t.Run("open twice", func(t *testing.T) {
		b := openBridge(t, "")
		if _, err := b.Open(stereo("")); err == nil {
			t.Error("no error")
		}
	})
	t.Run("closed", func(t *testing.T) {
		b := newBridge(t, audio.Options{})
		b.SetActive(true)
		b.SetLatency(1, 2)
		policy, _ := b.RealTime()
		if b.Graph() != (audio.Graph{}) || b.Xruns() != 0 || policy != "" {
			t.Errorf("graph %v, xruns %d, policy %q", b.Graph(), b.Xruns(), policy)
		}
		if err := errors.Join(b.Close(), b.Close()); err != nil {
			t.Error(err)
		}
	})
}

// childVariable makes the test program only try to open a server and print the
// error, and exit with 0 when it is not ErrServerAbsent.
const childVariable = "ARCHIBALD_PIPEWIRE_TEST_CHILD"

func child() int {
	engine := fakecore.New()
	defer engine.Free()
	_, err := New(engine.Callbacks(), audio.Options{Peer: "guest"}).Open(stereo(""))
	fmt.Println(err)
	if err == nil || errors.Is(err, audio.ErrServerAbsent) {
		return 1
	}
	return 0
}

func TestProgramStartsWithoutTheLibrary(t *testing.T) {
	// A file that is no library hides the real one.
	directory := t.TempDir()
	if err := os.WriteFile(filepath.Join(directory, "libpipewire-0.3.so.0"), []byte("not a library"), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(os.Args[0])
	command.Env = slices.Concat(os.Environ(), []string{childVariable + "=1", "LD_LIBRARY_PATH=" + directory})
	output, err := command.CombinedOutput()
	if err != nil || !strings.Contains(string(output), "libpipewire-0.3 is not installed") {
		t.Errorf("%v: %s", err, output)
	}
}
