package pipewire

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/testbed/fakecore"
	"archibald-bridge/testbed/gate"
)

// follower is a bridge whose graph a leader drives.
type follower struct {
	*bridge
	leader *fakecore.Leader
	graph  audio.Graph
	frame  uint64 // of the leader's next cycle

	unasked int // cycles that nobody asked for, before the graph was locked
}

func (f *follower) period() time.Duration {
	return time.Second * time.Duration(f.graph.PeriodFrames) / time.Duration(f.graph.RateHz)
}

// newFollower is one that is not open and not active. Sound of the peer is a source to
// record from, as in a guest: nothing of the desktop is linked to it.
func newFollower(t *testing.T, graph audio.Graph, options audio.Options) *follower {
	t.Helper()
	return newFollowerOf(t, graph, 1, options)
}

// newFollowerOf is one whose leader sends so many packets per cycle.
func newFollowerOf(t *testing.T, graph audio.Graph, packets int, options audio.Options) *follower {
	t.Helper()
	f := &follower{graph: graph, frame: 48000}
	engine := fakecore.New()
	leader, err := engine.Follow(f.period(), packets)
	if err != nil {
		t.Fatal(err)
	}
	options.Peer = "guest"
	f.leader, f.bridge = leader, &bridge{New(engine.Callbacks(), options), engine}
	f.core.PlayCounter()
	t.Cleanup(func() {
		f.Close()
		leader.Close()
		engine.Free()
	})
	f.drain(t)
	if err := f.Follow(graph); err != nil {
		t.Fatal(err)
	}
	return f
}

func openFollower(t *testing.T, graph audio.Graph) *follower {
	t.Helper()
	f := newFollower(t, graph, audio.Options{Source: true})
	f.mustOpen(t, stereo(""))
	f.SetActive(true)
	f.follows(t)
	return f
}

// cycle sends one packet. ok: it was answered within a second.
func (f *follower) cycle(t *testing.T) (answer fakecore.Answer, ok bool) {
	t.Helper()
	if err := f.leader.Send(f.frame); err != nil {
		t.Fatal(err)
	}
	f.frame += uint64(f.graph.PeriodFrames)
	return f.leader.Answer(time.Second)
}

// follows waits for the first cycle that is whole, and takes what is left of others.
func (f *follower) follows(t *testing.T) {
	t.Helper()
	eventually(t, "a packet starts a cycle", func() bool {
		answer, ok := f.cycle(t)
		return ok && answer.Played == 1 && answer.Captured == 1 && answer.Frames == f.graph.PeriodFrames
	})
	for ok := true; ok; {
		_, ok = f.leader.Answer(50 * time.Millisecond)
	}
	f.unasked = f.leader.Unasked()
}

// locked sends packets a period apart, each of which must be answered in a whole cycle of
// its own. each looks at the answers.
func (f *follower) locked(t *testing.T, packets int, each func(fakecore.Answer)) {
	t.Helper()
	started := f.leader.Started()
	for range packets {
		frame := f.frame
		answer, ok := f.cycle(t)
		if !ok || answer.Frame != frame || answer.Played != 1 || answer.Captured != 1 || answer.Frames != f.graph.PeriodFrames {
			t.Fatalf("packet of frame %d: answer %+v, %v", frame, answer, ok)
		}
		if each != nil {
			each(answer)
		}
		time.Sleep(f.period())
	}
	if got := f.leader.Started() - started; got != packets {
		t.Errorf("%d packets started %d cycles", packets, got)
	}
	if got := f.leader.Unasked() - f.unasked; got != 0 {
		t.Errorf("%d callbacks in cycles that nobody asked for", got)
	}
	if graph := f.Graph(); graph != f.graph {
		t.Errorf("the graph runs at %+v, the peer's at %+v", graph, f.graph)
	}
}

const fromGuest, toGuest = "archibald-from-guest", "archibald-to-guest"

// loop links what the peer plays to what it records, and waits until that is heard.
func (d *desktop) loop(t *testing.T, f *follower) {
	t.Helper()
	eventually(t, "a link", func() bool {
		return d.linked(t, fromGuest+":capture_FL", toGuest+":playback_FL") ||
			d.PipeWireConnect(fromGuest+":capture_FL", toGuest+":playback_FL") == nil
	})
	eventually(t, "the link works", func() bool { answer, ok := f.cycle(t); return ok && answer.First != 0 })
}

// inTheSameCycle checks that capture had what playout played.
func inTheSameCycle(t *testing.T) func(fakecore.Answer) {
	return func(answer fakecore.Answer) {
		t.Helper()
		if got := uint64(math.Round(answer.First * float64(fakecore.CounterPeriod))); got != answer.Frame%uint64(fakecore.CounterPeriod) {
			t.Fatalf("the answer to frame %d has the sound of frame %d", answer.Frame, got)
		}
	}
}

func TestAPacketStartsOneCycleWhichAnswersIt(t *testing.T) {
	d := sharedDesktop(t)
	for _, period := range []int{256, 64} {
		t.Run(fmt.Sprint(period), func(t *testing.T) {
			f := openFollower(t, audio.Graph{RateHz: 48000, PeriodFrames: period})
			d.loop(t, f)
			xruns := f.Xruns()
			f.locked(t, 300, inTheSameCycle(t))
			time.Sleep(20 * f.period())     // no packet, no cycle
			f.frame += 100 * uint64(period) // the leader lost time
			f.locked(t, 20, inTheSameCycle(t))
			if got := f.Xruns() - xruns; got != 0 {
				t.Errorf("%d xruns in a graph that waited for packets", got)
			}
			if policy, _ := f.RealTime(); policy == "" || len(f.Threads().IDs) != 1 {
				t.Errorf("policy %q, threads %v", policy, f.Threads())
			}
		})
	}
}

func TestPacketsThatComeAtOnceAreAnsweredInOrder(t *testing.T) {
	d := sharedDesktop(t)
	f := openFollower(t, audio.Graph{RateHz: 48000, PeriodFrames: 256})
	d.loop(t, f)
	for range 20 {
		first := f.frame
		for range 8 {
			if err := f.leader.Send(f.frame); err != nil {
				t.Fatal(err)
			}
			f.frame += 256
		}
		for i := range 8 {
			answer, ok := f.leader.Answer(time.Second)
			if want := first + 256*uint64(i); !ok || answer.Frame != want || answer.Played != 1 || answer.Captured != 1 {
				t.Fatalf("answer %d of a burst: %+v, %v, want frame %d", i, answer, ok, want)
			}
			inTheSameCycle(t)(answer)
		}
	}
}

// The second packet comes at any moment of what the thread does with the first one, and of the
// cycle before. What it does not notice waits for the timer: three periods, and these are long.
func TestACycleOfTwoPacketsStartsWhenBothAreThere(t *testing.T) {
	sharedDesktop(t)
	f := newFollowerOf(t, audio.Graph{RateHz: 48000, PeriodFrames: 8192}, 2, audio.Options{Source: true})
	f.mustOpen(t, stereo(""))
	f.SetActive(true)
	f.follows(t)
	for n := range gate.Soak(2000, 20000) {
		f.leader.Apart = time.Duration(n%21) * time.Microsecond
		first, cycles := f.frame, 1+n/21%2 // the second one while the first one runs
		for range cycles {
			if err := f.leader.Send(f.frame); err != nil {
				t.Fatal(err)
			}
			f.frame += 8192
		}
		for i := range cycles {
			answer, ok := f.leader.Answer(2 * f.period())
			if want := first + 8192*uint64(i); !ok || answer.Frame != want || answer.Played != 1 || answer.Captured != 1 {
				t.Fatalf("two packets %v apart, cycle %d of %d: answer %+v, %v, want one to frame %d within two periods", f.leader.Apart, i+1, cycles, answer, ok, want)
			}
		}
	}
}

func TestNoCycleIsStartedBeforeTheNodesRun(t *testing.T) {
	sharedDesktop(t)
	f := newFollower(t, audio.Graph{RateHz: 48000, PeriodFrames: 256}, audio.Options{Source: true})
	send := func() {
		for range 4 {
			if err := f.leader.Send(f.frame); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(100 * time.Millisecond)
		if got := f.leader.Started(); got != 0 {
			t.Fatalf("%d cycles", got)
		}
	}
	send() // closed
	f.mustOpen(t, stereo(""))
	send() // no session
	if graph := f.Graph(); graph != f.graph {
		t.Errorf("idle, it would run at %+v, the peer's at %+v", graph, f.graph)
	}
	f.SetActive(true)
	f.follows(t)
	f.locked(t, 50, nil)
	f.SetActive(false)
	started := f.leader.Started()
	f.leader.Send(f.frame)
	time.Sleep(100 * time.Millisecond)
	if got := f.leader.Started() - started; got != 0 {
		t.Errorf("%d cycles after the session", got)
	}
}

func TestFollowingOnAndOffKeepsNodesAndLinksAndLeaksNothing(t *testing.T) {
	d := sharedDesktop(t)
	f := newFollower(t, audio.Graph{RateHz: 48000, PeriodFrames: 128}, audio.Options{})
	f.mustOpen(t, stereo(""))
	f.SetActive(true)
	f.follows(t)
	if err := d.PipeWireConnect(fromGuest+":output_FL", toGuest+":playback_FR"); err != nil {
		t.Fatal(err)
	}
	links := func() [][2]string {
		all, err := d.PipeWireLinks()
		if err != nil {
			t.Fatal(err)
		}
		return slices.DeleteFunc(all, func(link [2]string) bool { return !strings.HasPrefix(link[0], fromGuest) })
	}
	eventually(t, "its links", func() bool { return len(links()) == 3 })
	want, nodes := links(), []string{d.nodeID(t, fromGuest), d.nodeID(t, toGuest)}
	fds, threads := countFDs(t), pipewireThreads(t)
	for i := range gate.Soak(5, 50) {
		if err := f.Follow(audio.Graph{}); err != nil {
			t.Fatal(err)
		}
		f.runs(t, 20) // on its own clock
		if graph := f.Graph(); graph != (audio.Graph{RateHz: 48000, PeriodFrames: 256}) {
			t.Errorf("%d: with its own clock it runs at %+v", i, graph)
		}
		if err := f.Follow(f.graph); err != nil {
			t.Fatal(err)
		}
		f.follows(t)
		f.locked(t, 20, nil)
	}
	if got := links(); !slices.Equal(got, want) {
		t.Errorf("links %v before, %v after", want, got)
	}
	if got := []string{d.nodeID(t, fromGuest), d.nodeID(t, toGuest)}; !slices.Equal(got, nodes) {
		t.Errorf("nodes %v before, %v after", nodes, got)
	}
	if after := countFDs(t); after > fds {
		t.Errorf("%d file descriptors before, %d after", fds, after)
	}
	if after := pipewireThreads(t); len(after) > len(threads) {
		t.Errorf("threads %v before, %v after", threads, after)
	}
}

func TestPipeWireDiesAndComesBackWhileItFollows(t *testing.T) {
	d := ownDesktop(t)
	f := openFollower(t, audio.Graph{RateHz: 48000, PeriodFrames: 256})
	f.locked(t, 20, nil)
	d.pipewire.Kill9()
	time.Sleep(200 * time.Millisecond)
	if _, ok := f.cycle(t); ok {
		t.Error("a cycle without a server")
	}
	f.Close()
	if err := d.pipewire.Restart(); err != nil {
		t.Fatal(err)
	}
	if err := d.wireplumber.Restart(); err != nil {
		t.Fatal(err)
	}
	f.mustOpen(t, stereo(""))
	f.follows(t)
	d.loop(t, f)
	f.locked(t, 50, inTheSameCycle(t))
}

func TestClientsThatHangOrDieCostTheirCyclesAndNoMore(t *testing.T) {
	d := sharedDesktop(t)
	f := openFollower(t, audio.Graph{RateHz: 48000, PeriodFrames: 256})
	d.loop(t, f)
	player := d.start(t, "pw-cat", "-p", "--target", toGuest, writeTones(t, 60, 440, 440))
	recorder := d.start(t, "pw-record", "--target", fromGuest, filepath.Join(t.TempDir(), "heard.wav"))
	linked := func(from, to string) bool {
		f.cycle(t)
		return d.linked(t, from, to)
	}
	eventually(t, "a program plays", func() bool { return linked("pw-cat:output_FL", toGuest+":playback_FL") })
	eventually(t, "a program records", func() bool { return linked(fromGuest+":capture_FL", "pw-record:input_FL") })
	f.follows(t)
	f.locked(t, 100, nil)

	if err := player.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		f.cycle(t)
	}
	if f.leader.Unfinished() == 0 {
		t.Error("a program that stands still held no cycle up: it was not in the way")
	}
	if err := player.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	f.follows(t)
	f.locked(t, 50, nil)

	player.Kill9()
	recorder.Kill9()
	eventually(t, "they are gone", func() bool { return !linked("pw-cat:output_FL", toGuest+":playback_FL") })
	f.follows(t)
	f.locked(t, 100, inTheSameCycle(t))
}

func TestRateAndPeriodAreThePeers(t *testing.T) {
	d := ownDesktop(t, `context.properties = { default.clock.min-quantum = 1024, vm.overrides = { } }`)
	f := openFollower(t, audio.Graph{RateHz: 48000, PeriodFrames: 256})
	d.loop(t, f)
	for _, graph := range []audio.Graph{
		{RateHz: 96000, PeriodFrames: 32},
		{}, // its own clock
		{RateHz: 96000, PeriodFrames: 32},
		{RateHz: 96000, PeriodFrames: 256},
		{RateHz: 44100, PeriodFrames: 64},
		{RateHz: 48000, PeriodFrames: 96},
		{RateHz: 48000, PeriodFrames: 1024},
		{RateHz: 48000, PeriodFrames: 16},
		{RateHz: 48000, PeriodFrames: 256},
	} {
		t.Run(fmt.Sprint(graph.RateHz, graph.PeriodFrames), func(t *testing.T) {
			err := f.Follow(graph)
			if graph.PeriodFrames == 96 && err != nil && strings.Contains(err.Error(), "power of two") {
				return // up to PipeWire 0.3.69 it cannot be had
			}
			if err != nil {
				t.Fatal(err)
			}
			if graph == (audio.Graph{}) {
				f.runs(t, 10)
				return
			}
			f.graph = graph
			f.follows(t)
			d.loop(t, f)
			f.follows(t)
			f.locked(t, 100, inTheSameCycle(t))
		})
	}
	if err := f.Follow(audio.Graph{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the server's own rate and period", func() bool {
		return f.Graph() == audio.Graph{RateHz: 48000, PeriodFrames: 1024}
	})
	f.runs(t, 10)
}

func TestWhatCannotBeFollowedIsSaid(t *testing.T) {
	d := ownDesktop(t)
	f := newFollower(t, audio.Graph{RateHz: 48000, PeriodFrames: 256}, audio.Options{Source: true})
	f.mustOpen(t, stereo(""))
	f.SetActive(true)
	f.follows(t)
	refused := func(graph audio.Graph, parts ...string) {
		t.Helper()
		err := f.Follow(graph)
		for _, part := range parts {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%+v: %v does not say %q", graph, err, part)
			}
		}
	}
	refused(audio.Graph{RateHz: 48000, PeriodFrames: 8}, "8 frames", "16 to 8192")
	refused(audio.Graph{RateHz: 48000, PeriodFrames: 8193}, "8193 frames", "16 to 8192")
	refused(audio.Graph{RateHz: 4000, PeriodFrames: 64}, "4000 Hz", "8000 to 384000")
	f.locked(t, 20, nil) // what it followed is not changed

	d.setting(t, "clock.force-rate", 44100)
	d.setting(t, "clock.force-quantum", 512)
	f.troubled(t, "clock.force-rate is set to 44100", "48000 Hz", "force-rate 0")
	eventually(t, "only the forced graph can be followed", func() bool {
		only, ok := f.Follows()
		return ok && only == audio.Graph{RateHz: 44100, PeriodFrames: 512}
	})
	// Where it runs at another period, that is why: its least and its largest do not count.
	if reason := f.WhyPeriod(256, 512); !strings.Contains(reason, "clock.force-quantum is set to 512") || !strings.Contains(reason, "clock.force-quantum 0") {
		t.Errorf("%q", reason)
	}
	refused(audio.Graph{RateHz: 96000, PeriodFrames: 64}, "clock.force-rate is set to 44100", "96000 Hz", "force-rate 0")
	refused(audio.Graph{RateHz: 44100, PeriodFrames: 64}, "clock.force-quantum is set to 512", "64 frames", "force-quantum 0")
	d.run(t, "pw-metadata", "-n", "settings", "0", "clock.force-rate", "0")
	d.run(t, "pw-metadata", "-n", "settings", "0", "clock.force-quantum", "0")
	f.troubled(t)
	f.follows(t)
	f.locked(t, 20, nil)
	if reason := f.WhyPeriod(16, 32); !strings.Contains(reason, "another program holds") {
		t.Errorf("%q", reason)
	}

	f.Close()
	config := stereo("")
	config.ReceiveChannels = 0
	if _, err := f.Open(config); err == nil || !strings.Contains(err.Error(), "to send 2, to receive 0") {
		t.Errorf("%v", err)
	}
	if err := f.Follow(audio.Graph{}); err != nil {
		t.Fatal(err)
	}
	f.mustOpen(t, config)
	if _, ok := f.Follows(); ok {
		t.Error("a node that only sends follows")
	}
	refused(f.graph, "to send 2, to receive 0", "at least 1 of each")
}

// A sound card, or what stands for one, becomes a follower of ours, and is heard.
func TestASinkWithAClockOfItsOwnFollowsThePeer(t *testing.T) {
	d := sharedDesktop(t)
	f := newFollower(t, audio.Graph{RateHz: 48000, PeriodFrames: 256}, audio.Options{})
	f.core.PlayTones(440, 3000)
	f.mustOpen(t, stereo(""))
	f.SetActive(true)
	f.follows(t)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.NewTicker(f.period()); ; {
			select {
			case <-stop:
				return
			case <-tick.C:
				_ = f.leader.Send(f.frame)
				f.frame += uint64(f.graph.PeriodFrames)
				for _, ok := f.leader.Answer(0); ok; _, ok = f.leader.Answer(0) {
				}
			}
		}
	}()
	defer func() { close(stop); <-done }()
	eventually(t, "the stream is linked to the sink", func() bool {
		return d.linked(t, fromGuest+":output_FL", "null-sink:playback_FL")
	})
	eventually(t, "it is heard there", func() bool { return d.hears(t, 440, 3000) })
	f.neverTroubled(t, 3*time.Second)
}

func TestItFollowsWithoutASessionManager(t *testing.T) {
	d := ownDesktop(t)
	f := openFollower(t, audio.Graph{RateHz: 48000, PeriodFrames: 256})
	d.loop(t, f)
	d.wireplumber.Kill9()
	f.follows(t)
	f.locked(t, 100, inTheSameCycle(t))
}
