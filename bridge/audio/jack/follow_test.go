package jack

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/testbed/gate"
	"archibald-bridge/testbed/jacktest"
)

// modes runs a test with a jackd that waits for the end of each cycle (-S), and with one that
// does not.
func modes(t *testing.T, periodFrames int, f func(*testing.T, *jacktest.Server)) {
	for _, sync := range []bool{true, false} {
		t.Run(map[bool]string{true: "sync", false: "async"}[sync], func(t *testing.T) {
			f(t, jacktest.StartNetone(t, periodFrames, sync))
		})
	}
}

// newDriver is an end that drives jackd, closed, and its leader, which sends nothing yet.
func newDriver(t *testing.T, jackd *jacktest.Server, periodFrames int) (*Server, *jacktest.Core, *jacktest.Leader) {
	t.Helper()
	core, leader := jacktest.NewFollower(t, 48000, periodFrames)
	server := New(leader.Callbacks(), audio.Options{Server: jackd.Name, Peer: "host", NetonePort: jackd.Port})
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return server, core, leader
}

// lead sends a packet per period until the function returned is called.
func lead(t *testing.T, leader *jacktest.Leader, periodFrames int) (stop func()) {
	t.Helper()
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		began := time.Now()
		for n := time.Duration(1); ; n++ {
			// A ticker would leave out what it is late for, and lose the leader's time.
			due := began.Add(n * time.Duration(periodFrames) * time.Second / 48000)
			select {
			case <-time.After(time.Until(due)):
				leader.Send(t)
			case <-quit:
				return
			}
		}
	}()
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			close(quit)
			<-done
		}
	}
	t.Cleanup(stop)
	return stop
}

// settle waits until netone's deadline is where the driving thread wants it: it moves by a
// hundredth of a period per cycle.
func settle(t *testing.T, core *jacktest.Core) {
	t.Helper()
	runCycles(t, core, 600)
}

func TestAPacketIsOneCycle(t *testing.T) {
	modes(t, 256, func(t *testing.T, jackd *jacktest.Server) {
		server, core, leader := newDriver(t, jackd, 256)
		open(t, server, stereo)
		stop := lead(t, leader, 256)
		settle(t, core)
		before, played := leader.Followed(), count(core)
		time.Sleep(2 * time.Second)
		stop()
		time.Sleep(100 * time.Millisecond) // what waits in the socket
		after := leader.Followed()
		cycles := int(count(core) - played)
		packets, byTimer := int(after.ByPacket-before.ByPacket), int(after.ByTimer-before.ByTimer)
		t.Logf("%d cycles, %d by a packet, %d by the timer; %+v", cycles, packets, byTimer, after)
		if packets < 300 || int(after.Packets-before.Packets)-packets > 2 {
			t.Errorf("%d of %d packets started a cycle", packets, after.Packets-before.Packets)
		}
		// netone runs one by itself where a packet is very late.
		if d := cycles - packets - byTimer; d < -2 || d > cycles/50 {
			t.Errorf("%d cycles ran, %d were started", cycles, packets+byTimer)
		}
		if gaveUp := after.GivenUp - before.GivenUp; gaveUp > 3 {
			t.Errorf("%d cycles had no end", gaveUp)
		}
	})
}

// count is how many cycles playout has run in.
func count(core *jacktest.Core) uint64 {
	n, _ := core.Played()
	return n
}

func TestSoundLeavesInTheCycleThatItsPacketDrives(t *testing.T) {
	modes(t, 256, func(t *testing.T, jackd *jacktest.Server) {
		server, core, leader := newDriver(t, jackd, 256)
		open(t, server, stereo)
		lead(t, leader, 256)
		jackd.Run("jack_connect", "archibald-from-host:out_1", "archibald-to-host:in_1")
		runCycles(t, core, 500)
		expectSameCycle(t, core)

		client, err := jacktest.OpenThrough(jackd.Name, "through")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(client.Close)
		jackd.Run("jack_disconnect", "archibald-from-host:out_1", "archibald-to-host:in_1")
		jackd.Run("jack_connect", "archibald-from-host:out_1", "through:in")
		jackd.Run("jack_connect", "through:out", "archibald-to-host:in_1")
		runCycles(t, core, 800) // what is looked at is the newer half
		expectSameCycle(t, core)
	})
}

func TestCyclesGoOnAtTheNominalPaceWithoutPackets(t *testing.T) {
	for _, period := range gate.Soak([]int{256}, []int{64, 256}) {
		modes(t, period, func(t *testing.T, jackd *jacktest.Server) {
			server, core, leader := newDriver(t, jackd, period)
			open(t, server, stereo)
			for range 2 {
				stop := lead(t, leader, period)
				runCycles(t, core, 200)
				stop()
				time.Sleep(100 * time.Millisecond)
				began, before, byTimer := time.Now(), count(core), leader.Followed().ByTimer
				time.Sleep(2 * time.Second)
				cycles := float64(count(core) - before)
				if ours := float64(leader.Followed().ByTimer - byTimer); ours < 0.9*cycles {
					t.Errorf("%.0f of %.0f cycles are ours, the others netone's own", ours, cycles)
				}
				nominal := time.Since(began).Seconds() * 48000 / float64(period)
				t.Logf("%.0f cycles, nominal %.1f, %+v", cycles, nominal, leader.Followed())
				if off := math.Abs(cycles/nominal - 1); off > 0.01 && period >= 256 || off > 0.1 {
					t.Errorf("%.0f cycles without packets, %.1f by the clock", cycles, nominal)
				}
			}
		})
	}
}

func TestADrivenServerThatIsKilledIsFoundAgainAndDriven(t *testing.T) {
	jackd := jacktest.StartNetone(t, 256, true)
	server, core, leader := newDriver(t, jackd, 256)
	lead(t, leader, 256)
	for range 4 {
		open(t, server, stereo)
		runCycles(t, core, 50)
		jackd.Kill()
		expectEvent(t, server, audio.Lost, 2*time.Second)
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
		jackd.Restart(256)
	}
	open(t, server, stereo)
	settle(t, core)
	before := leader.Followed()
	runCycles(t, core, 100)
	if after := leader.Followed(); after.Done < before.Done+90 {
		t.Errorf("%d of 100 cycles were driven", after.Done-before.Done)
	}
	if places := registered(t, jackd.Name); places != 1 {
		t.Errorf("%d places of jackd's registry, want 1", places)
	}
}

// registered is how many of the machine's eight places for JACK servers have that name.
func registered(t *testing.T, name string) int {
	t.Helper()
	table, err := os.ReadFile("/dev/shm/jack-shm-registry")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(table), fmt.Sprintf("jack-%d:%s:", os.Getuid(), name))
}

// The other end is this test in a process of its own.
func TestAServerWhoseDriverDiesLivesOnAndTakesTheNext(t *testing.T) {
	if name := os.Getenv("ARCHIBALD_TEST_NETONE"); name != "" {
		port, _ := strconv.Atoi(os.Getenv("ARCHIBALD_TEST_NETONE_PORT"))
		server, core, leader := newDriver(t, &jacktest.Server{Name: name, Port: port}, 256)
		open(t, server, stereo)
		lead(t, leader, 256)
		runCycles(t, core, 100)
		waitFor(t, "netone", func() bool { return server.clients.drive.Answers() > 300 })
		fmt.Println("driving")
		time.Sleep(time.Minute)
		return
	}
	jackd := jacktest.StartNetone(t, 256, true)
	core := jacktest.NewCore()
	watcher := New(core.Callbacks(), audio.Options{Server: jackd.Name, Peer: "guest"})
	t.Cleanup(func() { _ = watcher.Close() })
	open(t, watcher, stereo)
	for range 2 {
		driver := exec.Command(os.Args[0], "-test.run=^TestAServerWhoseDriverDiesLivesOnAndTakesTheNext$")
		driver.Env = append(os.Environ(), "ARCHIBALD_TEST_NETONE="+jackd.Name, fmt.Sprintf("ARCHIBALD_TEST_NETONE_PORT=%d", jackd.Port))
		driver.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		out, err := driver.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := driver.Start(); err != nil {
			t.Fatal(err)
		}
		said := make([]byte, 100)
		n, _ := out.Read(said)
		if !strings.Contains(string(said[:n]), "driving") {
			t.Errorf("the other process says %q", said[:n])
		}
		_ = driver.Process.Kill()
		_ = driver.Wait()
		began, before := time.Now(), count(core)
		time.Sleep(5 * time.Second) // netone starts anew after 3 s
		cycles, nominal := float64(count(core)-before), time.Since(began).Seconds()*48000/256
		t.Logf("%.0f cycles without a driver, %.0f by the clock", cycles, nominal)
		if cycles < 0.8*nominal || cycles > 1.1*nominal {
			t.Errorf("%.0f cycles without a driver, %.0f by the clock", cycles, nominal)
		}
	}
}

func TestAServerThatIsNotDrivenSaysHowToStartIt(t *testing.T) {
	jackd := jacktest.StartNetone(t, 256, true)
	port := jackd.Port
	jackd.Port = 4 // discard's neighbour: nobody is there
	server, core, leader := newDriver(t, jackd, 256)
	jackd.Port = port
	server.silentAfter = time.Second
	open(t, server, stereo)
	lead(t, leader, 256)
	runCycles(t, core, 20) // netone keeps a pace of its own
	want := fmt.Sprintf(`JACK server %q is not driven: no netone answers on UDP port 4 (netone-port); start it with jackd -S -n %s -d netone -r 48000 -p 256 -l 4`, jackd.Name, jackd.Name)
	waitFor(t, "the trouble", func() bool { return server.Trouble() != "" })
	if got := server.Trouble(); got != want {
		t.Errorf("trouble %q, want %q", got, want)
	}
}

func TestWhatADrivenServerFollows(t *testing.T) {
	jackd := jacktest.StartNetone(t, 256, true)
	server, core, leader := newDriver(t, jackd, 256)
	if only, ok := server.Follows(); ok {
		t.Errorf("%+v before the server was seen", only)
	}
	open(t, server, stereo)
	lead(t, leader, 256)
	runCycles(t, core, 50)
	if only, ok := server.Follows(); !ok || only != (audio.Graph{RateHz: 48000, PeriodFrames: 256}) {
		t.Errorf("%+v %v", only, ok)
	}
	for _, leads := range []audio.Graph{{}, {RateHz: 48000, PeriodFrames: 256}} {
		if err := server.Follow(leads); err != nil {
			t.Errorf("%+v: %v", leads, err)
		}
	}
	for _, leads := range []audio.Graph{{RateHz: 48000, PeriodFrames: 128}, {RateHz: 96000, PeriodFrames: 256}} {
		err := server.Follow(leads)
		want := fmt.Sprintf("-d netone -r %d -p %d -l %d", leads.RateHz, leads.PeriodFrames, jackd.Port)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "runs at 48000 Hz and 256 frames") {
			t.Errorf("%+v: %v", leads, err)
		}
	}
	if trouble := server.Trouble(); trouble != "" {
		t.Error(trouble)
	}
}

func TestAServerToDriveThatDoesNotRunSaysHowToStartIt(t *testing.T) {
	for port, want := range map[int]string{3000: "; start it with jackd -S -n archibald-nowhere -d netone -l 3000, and with -r and -p as the leader's graph has them", 0: ""} {
		s := &Server{name: "archibald-nowhere", netonePort: port}
		absent := fmt.Errorf("JACK server %q: %w", "archibald-nowhere", audio.ErrServerAbsent)
		err := s.howToStart(absent)
		if !errors.Is(err, audio.ErrServerAbsent) || err.Error() != absent.Error()+want {
			t.Errorf("port %d: %v", port, err)
		}
		for _, other := range []error{absentError{"JACK server of another user"}, syscall.EPERM} {
			if err := s.howToStart(other); err != other {
				t.Errorf("port %d: %v", port, err)
			}
		}
	}
}

func TestAServerWithItsOwnClockFollowsNobody(t *testing.T) {
	server, _ := newServer(t, "archibald-nowhere", nil)
	if only, ok := server.Follows(); ok {
		t.Errorf("%+v", only)
	}
	if err := server.Follow(audio.Graph{RateHz: 48000, PeriodFrames: 256}); err == nil || !strings.Contains(err.Error(), "netone-port") {
		t.Error(err)
	}
	if err := server.Follow(audio.Graph{}); err != nil {
		t.Error(err)
	}
	if trouble := server.Trouble(); trouble != "" {
		t.Error(trouble)
	}
}

func TestTheDrivingThreadComesBeforeAllOthers(t *testing.T) {
	jackd := jacktest.StartNetone(t, 256, true)
	server, core, leader := newDriver(t, jackd, 256)
	open(t, server, stereo)
	lead(t, leader, 256)
	runCycles(t, core, 20)
	threads := server.Threads()
	if len(threads.IDs) != 3 {
		t.Fatalf("threads %v, want three", threads.IDs)
	}
	driver := strconv.Itoa(threads.IDs[2])
	// jackd runs at 70, its clients at 65.
	if got := priority(t, driver); policy(t, driver) != "1" || got != 71 {
		t.Errorf("policy %s, priority %d; want SCHED_FIFO 71", policy(t, driver), got)
	}
	const all = "fffffffe7ffbfeff" // see TestEveryThreadOfLibjackBlocksEverySignal
	if mask := tasks(t, "SigBlk")[driver]; mask != all {
		t.Errorf("it blocks %s", mask)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if _, there := tasks(t, "SigBlk")[driver]; there {
		t.Error("it is there after Close")
	}
}

// priority is the real-time priority of a thread of ours.
func priority(t *testing.T, task string) int {
	t.Helper()
	stat, err := os.ReadFile("/proc/self/task/" + task + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+2:]))
	n, _ := strconv.Atoi(fields[40-3])
	return n
}

// What was sent to netone meanwhile would be run through at once, as cycles without time.
func TestAServerThatStoodStillRunsNoWildCycles(t *testing.T) {
	modes(t, 256, func(t *testing.T, jackd *jacktest.Server) {
		server, core, leader := newDriver(t, jackd, 256)
		open(t, server, stereo)
		lead(t, leader, 256)
		settle(t, core)
		jackd.Pause(2 * time.Second)
		began, before := time.Now(), count(core)
		time.Sleep(2 * time.Second)
		cycles, nominal := float64(count(core)-before), time.Since(began).Seconds()*48000/256
		t.Logf("%.0f cycles after a pause, %.0f by the clock", cycles, nominal)
		if cycles > 1.2*nominal || cycles < 0.8*nominal {
			t.Errorf("%.0f cycles after a pause, %.0f by the clock", cycles, nominal)
		}
	})
}

func TestADrivenServerFreewheelsAndComesBack(t *testing.T) {
	jackd := jacktest.StartNetone(t, 256, true)
	server, core, leader := newDriver(t, jackd, 256)
	open(t, server, stereo)
	lead(t, leader, 256)
	settle(t, core)
	freewheel(t, jackd, server, true)
	time.Sleep(2 * time.Second)
	freewheel(t, jackd, server, false)
	began, before := time.Now(), count(core)
	time.Sleep(2 * time.Second)
	cycles, nominal := float64(count(core)-before), time.Since(began).Seconds()*48000/256
	if cycles > 1.2*nominal || cycles < 0.8*nominal {
		t.Errorf("%.0f cycles after freewheeling, %.0f by the clock", cycles, nominal)
	}
}
