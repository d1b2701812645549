package guest

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/audio/jack"
	"archibald-bridge/bridge/patchbay"
	"archibald-bridge/testbed/jacktest"
)

type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// newEnd is a closed guest end whose core only counts samples.
func newEnd(t *testing.T, jackd *jacktest.Server, bridge string, texts ...string) (*jack.Server, *logBuffer) {
	t.Helper()
	server, _, log := newPatchedEnd(t, jackd, bridge, texts...)
	return server, log
}

func newPatchedEnd(t *testing.T, jackd *jacktest.Server, bridge string, texts ...string) (*jack.Server, *Patchbay, *logBuffer) {
	t.Helper()
	t.Setenv("JACK_DEFAULT_SERVER", "") // undoes what NewPatchbay sets
	var rules []patchbay.Rule
	for _, text := range texts {
		rule, err := patchbay.ParseRule(text)
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, rule)
	}
	log := &logBuffer{}
	patchbay, err := NewPatchbay(jackd.Name, bridge, rules, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	core := jacktest.NewCore()
	server := jack.New(core.Callbacks(), audio.Options{Server: jackd.Name, Peer: "host", Control: patchbay})
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if t.Failed() {
			t.Logf("log:\n%s", log)
		}
	})
	return server, patchbay, log
}

func open(t *testing.T, server *jack.Server, bridge string) {
	t.Helper()
	waitFor(t, "Open", func() bool {
		_, err := server.Open(audio.Config{Name: bridge, SendChannels: 2, ReceiveChannels: 2})
		if err != nil {
			t.Logf("Open: %v", err)
		}
		return err == nil
	})
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		if ok() {
			return
		}
		time.Sleep(300 * time.Millisecond)
	}
	t.Fatalf("%s: not within 10 s", what)
}

func waitConnected(t *testing.T, jackd *jacktest.Server, source, sink string) {
	t.Helper()
	waitFor(t, source+" -> "+sink, func() bool { return jackd.Connected(source, sink) })
}

// metro starts a client with one output, metro:120_bpm.
func metro(t *testing.T, jackd *jacktest.Server) (stop func()) {
	t.Helper()
	cmd := jackd.Daemon(nil, "jack_metro", "-n", "metro", "-b", "120")
	return func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}

func TestRulesConnectWhatIsThereAndWhatComes(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	server, log := newEnd(t, jackd, "", "metro:* -> archibald-to-host:in_2", "archibald-from-host:out_* -> system:playback_*")
	open(t, server, "")
	waitConnected(t, jackd, "archibald-from-host:out_1", "system:playback_1")
	waitConnected(t, jackd, "archibald-from-host:out_2", "system:playback_2")
	if jackd.Connected("archibald-from-host:out_1", "system:playback_2") {
		t.Error("out_1 is connected to playback_2")
	}
	metro(t, jackd)
	waitConnected(t, jackd, "metro:120_bpm", "archibald-to-host:in_2")
	if !strings.Contains(log.String(), "source=metro:120_bpm sink=archibald-to-host:in_2") {
		t.Error("the log does not say so")
	}
}

func TestAConnectionRemovedByHandStaysRemovedUntilItsClientRestarts(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	server, _ := newEnd(t, jackd, "", "metro:* -> archibald-to-host:in_1")
	stop := metro(t, jackd)
	open(t, server, "")
	waitConnected(t, jackd, "metro:120_bpm", "archibald-to-host:in_1")
	jackd.Run("jack_disconnect", "metro:120_bpm", "archibald-to-host:in_1")
	time.Sleep(lookAgain + lookAgain/2)
	if jackd.Connected("metro:120_bpm", "archibald-to-host:in_1") {
		t.Error("it was made again")
	}
	stop()
	waitFor(t, "the end of metro", func() bool { return !strings.Contains(strings.Join(jackd.Ports(), " "), "metro") })
	metro(t, jackd)
	waitConnected(t, jackd, "metro:120_bpm", "archibald-to-host:in_1")
}

func TestNamedBridgesHaveAPatchbayEach(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	server, _ := newEnd(t, jackd, "lab", "system:capture_* -> archibald-lab-to-host:in_*")
	rival, err := jacktest.OpenThrough(jackd.Name, "archibald-lab-patch")
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the refusal", func() bool {
		_, err := server.Open(audio.Config{Name: "lab", SendChannels: 2, ReceiveChannels: 2})
		return err != nil && strings.Contains(err.Error(), `"archibald-lab-patch"`)
	})
	rival.Close()
	open(t, server, "lab")
	waitConnected(t, jackd, "system:capture_2", "archibald-lab-to-host:in_2")
}

func TestConnectionsAreBackAfterTheServerWasKilled(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	server, _ := newEnd(t, jackd, "", "system:capture_* -> archibald-to-host:in_*")
	for i := range 20 {
		open(t, server, "")
		if i%4 == 0 { // else jackd dies while the patchbay is at work
			waitConnected(t, jackd, "system:capture_1", "archibald-to-host:in_1")
		}
		time.Sleep(time.Duration(i) * time.Millisecond)
		jackd.Kill()
		select {
		case event := <-server.Events():
			if event != audio.Lost {
				t.Fatalf("event %d", event)
			}
		case <-time.After(2 * time.Second):
			t.Fatal("no AudioLost within 2 s")
		}
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := server.Open(audio.Config{}); !errors.Is(err, audio.ErrServerAbsent) {
			t.Fatalf("Open without server: %v", err)
		}
		jackd.Restart(256)
	}
	open(t, server, "")
	waitConnected(t, jackd, "system:capture_2", "archibald-to-host:in_2")
}

func TestARefusedConnectionIsReportedOnceAndTriedAgain(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	server, log := newEnd(t, jackd, "", "through:out -> archibald-to-host:in_1")
	open(t, server, "")
	through, err := jacktest.JoinThrough(jackd.Name, "through")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(through.Close)
	waitFor(t, "the complaint", func() bool { return strings.Contains(log.String(), "cannot connect") })
	time.Sleep(lookAgain + lookAgain/2)
	if n := strings.Count(log.String(), "cannot connect"); n != 1 {
		t.Errorf("%d complaints, want 1", n)
	}
	if err := through.Activate(); err != nil {
		t.Fatal(err)
	}
	waitConnected(t, jackd, "through:out", "archibald-to-host:in_1")
}

func TestThePatchbaysThreadsBlockEverySignal(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	server, _ := newEnd(t, jackd, "", "system:capture_1 -> archibald-to-host:in_1")
	open(t, server, "")
	paths, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil {
		t.Fatal(err)
	}
	blocked := 0
	for _, path := range paths {
		if status, err := os.ReadFile(path); err == nil && bytes.Contains(status, []byte("SigBlk:\tfffffffe7ffbfeff")) {
			blocked++
		}
	}
	// Three notification threads, two process threads, one message thread.
	if blocked != 6 {
		t.Errorf("%d threads block every signal, want 6", blocked)
	}
}

// SuperCollider's own patching, without any rule: the names of the clients are
// what its environment variables expect.
func TestSuperColliderConnectsItselfByClientName(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	server, _ := newEnd(t, jackd, "")
	open(t, server, "")
	scsynth(t, jackd, "SC_JACK_DEFAULT_OUTPUTS=archibald-to-host", "SC_JACK_DEFAULT_INPUTS=archibald-from-host")
	for _, channel := range []string{"1", "2"} {
		waitConnected(t, jackd, "SuperCollider:out_"+channel, "archibald-to-host:in_"+channel)
		waitConnected(t, jackd, "archibald-from-host:out_"+channel, "SuperCollider:in_"+channel)
	}
}

func TestRulesConnectSuperColliderWheneverItStarts(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	server, _ := newEnd(t, jackd, "", "SuperCollider:out_* -> archibald-to-host:in_*", "archibald-from-host:out_* -> SuperCollider:in_*")
	open(t, server, "")
	for range 2 {
		kill := scsynth(t, jackd)
		waitConnected(t, jackd, "SuperCollider:out_1", "archibald-to-host:in_1")
		waitConnected(t, jackd, "SuperCollider:out_2", "archibald-to-host:in_2")
		waitConnected(t, jackd, "archibald-from-host:out_2", "SuperCollider:in_2")
		kill() // and started again at once: the ports are never seen missing
	}
}

func scsynth(t *testing.T, jackd *jacktest.Server, env ...string) (kill func()) {
	t.Helper()
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	port := socket.LocalAddr().(*net.UDPAddr).Port
	socket.Close()
	cmd := jackd.Daemon(env, "scsynth", "-u", strconv.Itoa(port), "-B", "127.0.0.1", "-i", "2", "-o", "2", "-z", "64", "-D", "0", "-R", "0")
	return func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}

// The nearest port differs in a letter; later it is there as the rule says.
func TestARuleThatMatchesNothingIsToldOfOnceAndFoundAgain(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	server, patchbay, log := newPatchedEnd(t, jackd, "", "through:out -> archibald-to-host:in_1", "system:capture_* -> archibald-to-host:in_*")
	other, err := jacktest.OpenThrough(jackd.Name, "Through")
	if err != nil {
		t.Fatal(err)
	}
	open(t, server, "")
	time.Sleep(5 * time.Second)
	if strings.Contains(log.String(), "matches no ports") {
		t.Error("it is told of within 5 s")
	}
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(log.String(), "matches no ports"); time.Sleep(300 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing is told within 25 s")
		}
	}
	if lines := patchbay.Unmatched(); len(lines) != 1 || !strings.Contains(lines[0], "no output matches through:out; the nearest are Through:out") {
		t.Errorf("status has %q", lines)
	}
	time.Sleep(2*lookAgain + lookAgain/2)
	if n := strings.Count(log.String(), "matches no ports"); n != 1 {
		t.Errorf("told %d times", n)
	}
	other.Close()
	time.Sleep(300 * time.Millisecond)
	through, err := jacktest.OpenThrough(jackd.Name, "through")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(through.Close)
	waitConnected(t, jackd, "through:out", "archibald-to-host:in_1")
	waitFor(t, "a status without it", func() bool { return len(patchbay.Unmatched()) == 0 })
}
