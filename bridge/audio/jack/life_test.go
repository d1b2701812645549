package jack

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/testbed/jacktest"
)

func TestOpenSaysThatTheServerIsAbsent(t *testing.T) {
	server, _ := newServer(t, "archibald-nowhere", nil)
	_, err := server.Open(stereo)
	if !errors.Is(err, audio.ErrServerAbsent) || !strings.Contains(err.Error(), `"archibald-nowhere"`) {
		t.Errorf("Open: %v", err)
	}
	if err := server.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func TestServerNameDefaultsToJacksOwn(t *testing.T) {
	for env, want := range map[string]string{"": `"default"`, "archibald-elsewhere": `"archibald-elsewhere"`} {
		t.Setenv("JACK_DEFAULT_SERVER", env)
		if got := New(stream.Callbacks{}, audio.Options{}).name; fmt.Sprintf("%q", got) != want {
			t.Errorf("JACK_DEFAULT_SERVER=%q gives %q, want %s", env, got, want)
		}
	}
}

func TestOpenRefusesTooManyChannels(t *testing.T) {
	server, _ := newServer(t, "archibald-nowhere", nil)
	for _, config := range []audio.Config{{SendChannels: 65}, {ReceiveChannels: 65}, {SendChannels: -1}} {
		if _, err := server.Open(config); err == nil || !strings.Contains(err.Error(), "0 to 64") {
			t.Errorf("Open(%+v): %v", config, err)
		}
	}
}

// The session waits for the rate that was asked for, with the clients where they are.
func TestOpenSaysTheRateThatTheServerHasWhateverWasAsked(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	server, _ := newServer(t, jackd.Name, nil)
	config := stereo
	config.RateHz = 44100
	if graph := open(t, server, config); graph.RateHz != 48000 {
		t.Errorf("%+v", graph)
	}
}

func TestOpenSaysThatTheNameIsTaken(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	server, _ := newServer(t, jackd.Name, nil)
	// The second client's name: the first one must be undone.
	rival, err := jacktest.OpenThrough(jackd.Name, "archibald-to-host")
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the refusal", func() bool {
		_, err := server.Open(stereo)
		t.Logf("Open: %v", err)
		return err != nil && strings.Contains(err.Error(), `already has a client "archibald-to-host"`)
	})
	for _, port := range jackd.Ports() {
		if strings.HasPrefix(port, "archibald-from-host") {
			t.Errorf("%s is left behind", port)
		}
	}
	rival.Close()
	open(t, server, stereo)
}

func TestKilledServerIsNoticedAndFoundAgain(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	server, core := newServer(t, jackd.Name, nil)
	for i := range 20 {
		open(t, server, stereo)
		if i%2 == 0 { // else it dies while the clients are still being set up
			runCycles(t, core, 10)
		}
		jackd.Kill()
		expectEvent(t, server, audio.Lost, 2*time.Second)
		if i%3 == 0 {
			server.SetLatency(i, i) // too late, harmless
		}
		if err := server.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		if err := server.Close(); err != nil {
			t.Fatalf("second Close: %v", err)
		}
		if _, err := server.Open(stereo); !errors.Is(err, audio.ErrServerAbsent) {
			t.Fatalf("Open without server: %v", err)
		}
		jackd.Restart(256)
	}
}

func TestServerKilledDuringOpen(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	control := &stubControl{}
	server, core := newServer(t, jackd.Name, control)
	for i := range 10 {
		killed := make(chan struct{})
		go func() {
			time.Sleep(time.Duration(i) * 5 * time.Millisecond)
			jackd.Kill()
			close(killed)
		}()
		_, err := server.Open(stereo)
		t.Logf("Open: %v", err)
		<-killed
		if err == nil {
			expectEvent(t, server, audio.Lost, 2*time.Second)
		}
		if err := server.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		jackd.Restart(256)
		open(t, server, stereo)
		runCycles(t, core, 5)
		if err := server.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		if control.open != 0 {
			t.Fatalf("%d controls are open after Close", control.open)
		}
	}
}

// jackd is restarted while we have not yet closed: the clients of the dead
// server are deleted by libjack when the third client is opened.
func TestClientsThatLibjackDeletedAreNotClosedAgain(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	server, core := newServer(t, jackd.Name, nil)
	open(t, server, stereo)
	jackd.Kill()
	expectEvent(t, server, audio.Lost, 2*time.Second)
	jackd.Restart(256)
	through, err := jacktest.OpenThrough(jackd.Name, "through")
	if err != nil {
		t.Fatal(err)
	}
	server.SetLatency(1, 2)
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	through.Close()
	open(t, server, stereo)
	runCycles(t, core, 5)
}

func TestEventsOfAnEarlierOpenAreGone(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	server, _ := newServer(t, jackd.Name, nil)
	open(t, server, stereo)
	jackd.Kill()
	time.Sleep(200 * time.Millisecond) // AudioLost waits, nobody takes it
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	jackd.Restart(256)
	open(t, server, stereo)
	select {
	case event := <-server.Events():
		t.Errorf("event %d", event)
	case <-time.After(500 * time.Millisecond):
	}
}

func TestOpenAndCloseLeaveNothingBehind(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	server, _ := newServer(t, jackd.Name, nil)
	cycle := func() {
		open(t, server, stereo)
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		cycle() // Go's own threads and descriptors come first
	}
	threads, files := len(tasks(t, "SigBlk")), openFiles(t)
	for range 20 {
		cycle()
	}
	// The Go runtime may start a thread at any time, libjack starts three in
	// each of the cycles.
	if now := len(tasks(t, "SigBlk")); now > threads+4 {
		t.Errorf("%d threads, before 20 cycles %d", now, threads)
	}
	if now := openFiles(t); now > files {
		t.Errorf("%d open files, before 20 cycles %d", now, files)
	}
}

func TestEveryThreadOfLibjackBlocksEverySignal(t *testing.T) {
	before := tasks(t, "SigBlk")
	jackd := jacktest.Start(t, 256)
	server, core := newServer(t, jackd.Name, nil)
	open(t, server, stereo)
	runCycles(t, core, 5)
	// glibc keeps 32 (SIGCANCEL) and 33 (SIGSETXID) open, SIGKILL and SIGSTOP
	// cannot be blocked.
	const all = "fffffffe7ffbfeff"
	blocked, realtime := 0, 0
	for task, mask := range tasks(t, "SigBlk") {
		if _, old := before[task]; old {
			continue
		}
		if mask == all {
			blocked++
			if policy(t, task) == "1" {
				realtime++
			}
		} else if policy(t, task) == "1" {
			t.Errorf("real-time thread %s blocks only %s", task, mask)
		}
	}
	// Two process threads, two notification threads, one message thread.
	if blocked != 5 || realtime != 2 {
		t.Errorf("%d threads block every signal, %d of them in real time; want 5 and 2", blocked, realtime)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	for task, mask := range tasks(t, "SigBlk") {
		if mask == all {
			t.Errorf("thread %s still blocks every signal after Close", task)
		}
	}
}

func TestProcessThreadsRunInRealTime(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	server, core := newServer(t, jackd.Name, nil)
	if policy, priority := server.RealTime(); policy != "" || priority != 0 {
		t.Errorf("%q %d before Open", policy, priority)
	}
	open(t, server, stereo)
	runCycles(t, core, 2)
	// jackd gives its clients five less than its own 70.
	if policy, priority := server.RealTime(); policy != "SCHED_FIFO" || priority != 65 {
		t.Errorf("%s %d, want SCHED_FIFO 65", policy, priority)
	}
	threads := server.Threads()
	if len(threads.IDs) != 2 || threads.IDs[0] == threads.IDs[1] || threads.Priority != 65 {
		t.Errorf("%+v, want both process threads, for priority 65", threads)
	}
	for _, id := range threads.IDs {
		if policy(t, strconv.Itoa(id)) != "1" {
			t.Errorf("thread %d is not SCHED_FIFO: no process thread", id)
		}
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if policy, _ := server.RealTime(); policy != "" {
		t.Errorf("%q after Close", policy)
	}
	if threads := server.Threads(); len(threads.IDs) != 0 {
		t.Errorf("threads %v after Close", threads.IDs)
	}
}

// policy is the scheduling policy of a thread of ours, "1" for SCHED_FIFO.
func policy(t *testing.T, task string) string {
	t.Helper()
	stat, err := os.ReadFile("/proc/self/task/" + task + "/stat")
	if err != nil {
		return ""
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+2:]))
	return fields[41-3]
}

func TestXrunsAreCountedAcrossOpens(t *testing.T) {
	jackd := jacktest.Start(t, 32)
	server, core := newServer(t, jackd.Name, nil)
	open(t, server, stereo)
	// A graph that is held up for 20 periods has an xrun.
	waitFor(t, "an xrun", func() bool {
		core.Stall(20 * 32 * time.Second / 48000)
		return server.Xruns() > 0
	})
	before := server.Xruns()
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if after := server.Xruns(); after < before {
		t.Errorf("%d xruns after Close, %d before", after, before)
	}
	open(t, server, stereo)
	if after := server.Xruns(); after < before {
		t.Errorf("%d xruns after Open, %d before", after, before)
	}
}

// A jackd that accepts connections and says nothing, as a stopped one does.
func TestASilentServerDoesNotBlockTheCaller(t *testing.T) {
	name := fmt.Sprintf("archibald-silent-%d", os.Getpid())
	socket, err := net.Listen("unix", fmt.Sprintf("/dev/shm/jack_%s_%d_0", name, os.Getuid()))
	if err != nil {
		t.Fatal(err)
	}
	var calls []net.Conn
	accepting := make(chan struct{})
	go func() {
		defer close(accepting)
		for {
			call, err := socket.Accept()
			if err != nil {
				return
			}
			calls = append(calls, call)
		}
	}()
	server, _ := newServer(t, name, nil)
	start := time.Now()
	for range 2 {
		if _, err := server.Open(stereo); err == nil || !strings.Contains(err.Error(), "does not answer") {
			t.Errorf("Open: %v", err)
		}
	}
	if err := server.Close(); err == nil {
		t.Error("Close succeeded while libjack was still waiting")
	}
	if took := time.Since(start); took > 3*patience+time.Second {
		t.Errorf("three calls took %v", took)
	}
	server.hopelessAfter = patience
	if _, err := server.Open(stereo); !errors.Is(err, audio.ErrStartAnew) {
		t.Errorf("Open, long after the first: %v", err)
	}
	socket.Close()
	<-accepting
	for _, call := range calls {
		call.Close()
	}
	waitFor(t, "the end of the silence", func() bool { return server.Close() == nil })
}
