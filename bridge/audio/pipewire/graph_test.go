package pipewire

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/testbed/fakecore"
)

func TestOpenReportsTheServersValuesWhenNothingIsAsked(t *testing.T) {
	sharedDesktop(t)
	b := newBridge(t, audio.Options{})
	graph := b.mustOpen(t, audio.Config{SendChannels: 1, ReceiveChannels: 1})
	if want := (audio.Graph{RateHz: 48000, PeriodFrames: defaultQuantum}); graph != want || b.Graph() != want {
		t.Errorf("Open %+v, Graph %+v, want %+v", graph, b.Graph(), want)
	}
}

func TestGraphThatDoesNotRunHasThePeriodAskedFor(t *testing.T) {
	sharedDesktop(t)
	b := newBridge(t, audio.Options{})
	graph := b.mustOpen(t, stereo(""))
	if want := (audio.Graph{RateHz: 48000, PeriodFrames: 256}); graph != want {
		t.Errorf("%+v, want %+v", graph, want)
	}
}

func TestSinkThatNothingIsLinkedToIsCalledWhileASessionIsUp(t *testing.T) {
	sharedDesktop(t)
	b := newBridge(t, audio.Options{Source: true}) // nobody records from it either
	b.drain(t)
	b.mustOpen(t, stereo(""))
	b.SetActive(true)
	b.runs(t, 50)
	b.SetActive(false)
	played, _ := b.core.Played(0)
	captured, _ := b.core.CaptureCalls(0)
	time.Sleep(200 * time.Millisecond)
	if p, _ := b.core.Played(0); p != played {
		t.Errorf("%d playout calls without a session", p-played)
	}
	if c, _ := b.core.CaptureCalls(0); c != captured {
		t.Errorf("%d capture calls without a session", c-captured)
	}
}

// The other bridge stands for any program that runs the graph at 1024.
func TestIdleBridgeLeavesThePeriodOfOthersAlone(t *testing.T) {
	sharedDesktop(t)
	other := newBridge(t, audio.Options{})
	config := stereo("other")
	config.PeriodFrames = 1024
	other.mustOpen(t, config)
	other.SetActive(true)
	other.runs(t, 5)

	b := openBridge(t, "")
	other.runs(t, 10)
	if got := other.Graph().PeriodFrames; got != 1024 {
		t.Fatalf("an opened, idle bridge made the period %d", got)
	}
	b.SetActive(true)
	other.expect(t, audio.Changed)
	if got := other.Graph().PeriodFrames; got != 256 {
		t.Fatalf("with a session up the period is %d, want 256", got)
	}
	b.runs(t, 10)
	b.SetActive(false)
	other.expect(t, audio.Changed)
	if got := other.Graph().PeriodFrames; got != 1024 {
		t.Fatalf("after the session the period is %d, want 1024", got)
	}
}

func TestNodesDoNotRunWithoutASession(t *testing.T) {
	d := sharedDesktop(t)
	b := openBridge(t, "")
	b.drain(t)
	running := func(node string) bool {
		return strings.Contains(d.run(t, "pw-cli", "info", node), `state: "running"`)
	}
	b.SetActive(true)
	eventually(t, "both nodes run", func() bool {
		return running("archibald-to-guest") && running("archibald-from-guest")
	})
	b.SetActive(false)
	eventually(t, "neither node runs", func() bool {
		return !running("archibald-to-guest") && !running("archibald-from-guest")
	})
}

func TestProgramThatPlaysIntoAnIdleSinkDoesNotStandStill(t *testing.T) {
	d := sharedDesktop(t)
	b := openBridge(t, "")
	player := d.start(t, "pw-cat", "-p", "--target", "archibald-to-guest", writeTones(t, 1, 440, 440))
	if code, err := player.Wait(10 * time.Second); err != nil || code != 0 {
		t.Errorf("one second of sound: exit code %d, %v", code, err)
	}
	if n, _ := b.core.CaptureCalls(0); n != 0 {
		t.Errorf("%d capture calls without a session", n)
	}
}

func TestProgramThatPlaysIsHeardInTheNextSessionToo(t *testing.T) {
	d := sharedDesktop(t)
	b := openBridge(t, "")
	b.drain(t)
	b.SetActive(true)
	d.start(t, "pw-cat", "-p", "--target", "archibald-to-guest", writeTones(t, 60, 440, 440))
	heard := func() bool { return level(b.core.Captured(0, 4800), 440) > 0.2 }
	eventually(t, "the program is heard", heard)
	b.SetActive(false)
	time.Sleep(100 * time.Millisecond)
	b.SetActive(true)
	b.runs(t, 20) // older sound is out of the window
	eventually(t, "the program is heard in the next session", heard)
}

func TestPeriodChangesAtAnyCycle(t *testing.T) {
	d := sharedDesktop(t)
	b := openBridge(t, "")
	b.SetActive(true)
	b.runs(t, 10)
	for _, quantum := range []int{512, 32, 2048, 8192, 64} {
		d.setting(t, "clock.force-quantum", quantum)
		b.expect(t, audio.Changed)
		if got := b.Graph(); got != (audio.Graph{RateHz: 48000, PeriodFrames: quantum}) {
			t.Fatalf("Graph %+v, want period %d", got, quantum)
		}
		b.runs(t, 5)
		_, played := b.core.Played(2)
		_, captured := b.core.CaptureCalls(2)
		for _, cycle := range slices.Concat(played, captured) {
			if cycle.Frames != quantum {
				t.Errorf("the core was asked for %d frames at period %d", cycle.Frames, quantum)
			}
		}
	}
}

// The core takes at most 8192 frames at once.
func TestPeriodTooLongForTheCoreIsHandedOverInSlices(t *testing.T) {
	d := ownDesktop(t, `context.properties = {
		default.clock.quantum-limit = 16384
		default.clock.max-quantum = 16384
		vm.overrides = { }
	}`)
	b := openBridge(t, "")
	b.drain(t)
	b.SetActive(true)
	b.runs(t, 10)
	d.setting(t, "clock.force-quantum", 16384)
	eventually(t, "period of 16384", func() bool { return b.Graph().PeriodFrames == 16384 })
	b.runs(t, 6)
	_, played := b.core.Played(4)
	_, captured := b.core.CaptureCalls(4)
	for _, cycles := range [][]fakecore.Cycle{played, captured} {
		for i, cycle := range cycles {
			if cycle.Frames != 8192 {
				t.Fatalf("the core was asked for %d frames", cycle.Frames)
			}
			if i > 0 && cycle.NowNs == cycles[i-1].NowNs && cycle.GraphFrame != cycles[i-1].GraphFrame+8192 {
				t.Fatalf("slices of one cycle at graph frames %d and %d", cycles[i-1].GraphFrame, cycle.GraphFrame)
			}
		}
	}
}

func TestRateOfTheGraphIsFollowedWithoutAResampler(t *testing.T) {
	d := ownDesktop(t)
	b := openBridge(t, "")
	b.drain(t)
	b.SetActive(true)
	b.runs(t, 10)
	check := func(rate int) {
		t.Helper()
		eventually(t, "the new rate", func() bool { return b.Graph().RateHz == rate })
		b.runs(t, 10)
		_, cycles := b.core.Played(3)
		for _, cycle := range cycles {
			if cycle.Frames != b.Graph().PeriodFrames {
				t.Errorf("%d frames in a period of %d at %d Hz", cycle.Frames, b.Graph().PeriodFrames, rate)
			}
		}
	}
	d.setting(t, "clock.force-rate", 44100)
	check(44100)
	// The sink disappears; the driver that takes its place runs at 48 kHz.
	d.setting(t, "clock.force-rate", 0)
	d.run(t, "pw-cli", "destroy", "null-sink")
	check(48000)
}

func TestCoreIsToldTheGraphsTime(t *testing.T) {
	sharedDesktop(t)
	b := openBridge(t, "")
	b.drain(t)
	b.SetActive(true)
	b.runs(t, 60)
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		t.Fatal(err)
	}
	_, cycles := b.core.Played(50)
	inOrder := 0
	for i, cycle := range cycles {
		if cycle.NowNs < cycle.CycleNs {
			t.Fatalf("cycle %d: callback entered at %d, before its start %d", i, cycle.NowNs, cycle.CycleNs)
		}
		if age := now.Nano() - cycle.CycleNs; age < 0 || age > int64(time.Minute) {
			t.Fatalf("cycle %d: started %d ns ago by CLOCK_MONOTONIC", i, age)
		}
		if i > 0 && cycle.GraphFrame == cycles[i-1].GraphFrame+uint64(cycles[i-1].Frames) {
			inOrder++
		}
	}
	// A busy machine may skip cycles; most are consecutive all the same.
	if inOrder < len(cycles)/2 {
		t.Errorf("%d of %d cycles continue the one before", inOrder, len(cycles))
	}
}

// A session manager gives a stream no ports while there is nothing to play on;
// the media clock must run all the same, once per cycle.
func TestPlayoutIsCalledOncePerCycleWithAndWithoutASinkToPlayOn(t *testing.T) {
	d := ownDesktop(t)
	d.run(t, "pw-cli", "destroy", "null-sink")
	b := openBridge(t, "")
	b.drain(t)
	b.SetActive(true)
	b.runs(t, 50)
	_, cycles := b.core.Played(1)
	if cycles[0].Channels != 0 {
		t.Fatalf("playout of a stream without ports had %d channels", cycles[0].Channels)
	}
	d.run(t, "pw-cli", "create-node", "adapter",
		"{ factory.name=support.null-audio-sink node.name=late media.class=Audio/Sink audio.position=[FL FR] object.linger=1 }")
	eventually(t, "the stream plays on the sink that came", func() bool {
		_, cycles := b.core.Played(1)
		return cycles[0].Channels == 2
	})
	b.runs(t, 50)
	_, cycles = b.core.Played(4000)
	for i, cycle := range cycles[1:] {
		if cycle.GraphFrame == cycles[i].GraphFrame && cycle.CycleNs == cycles[i].CycleNs {
			t.Fatalf("two playout calls in the cycle at graph frame %d", cycle.GraphFrame)
		}
	}
}

func TestCoreThatOverrunsItsCycleIsCountedAsAnXrun(t *testing.T) {
	sharedDesktop(t)
	b := openBridge(t, "")
	b.drain(t)
	b.SetActive(true)
	b.runs(t, 20)
	before := b.Xruns()
	b.core.Stall(60)
	b.runs(t, 20)
	if after := b.Xruns(); after <= before {
		t.Errorf("%d xruns before 60 ms of standstill, %d after", before, after)
	}
	counted := b.Xruns()
	b.Close()
	if got := b.Xruns(); got < counted {
		t.Errorf("Close made %d xruns %d", counted, got)
	}
}

func TestOwnSinkAsDefaultMakesNoLoop(t *testing.T) {
	d := ownDesktop(t)
	b := openBridge(t, "")
	b.drain(t)
	b.SetActive(true)
	noLoop := func(when string) {
		t.Helper()
		links, err := d.PipeWireLinks()
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range links {
			if strings.HasPrefix(link[0], "archibald-from-guest:") && strings.HasPrefix(link[1], "archibald-to-guest:") {
				t.Fatalf("%s: howl: %v", when, link)
			}
		}
	}
	isDefault := func() bool {
		return strings.Contains(d.run(t, "pw-metadata", "0", "default.audio.sink"), "archibald-to-guest")
	}
	d.run(t, "pw-metadata", "0", "default.configured.audio.sink", `{"name":"archibald-to-guest"}`)
	// The session manager looks at it again with the next change.
	d.run(t, "pw-cli", "destroy", "null-sink")
	eventually(t, "ours is the default sink", isDefault)
	time.Sleep(500 * time.Millisecond) // for the session manager to link
	noLoop("our sink became the default")
	b.runs(t, 10)

	b.Close()
	b.mustOpen(t, stereo(""))
	eventually(t, "ours is the default sink again", isDefault)
	time.Sleep(500 * time.Millisecond)
	noLoop("our sink is the default from the start")
	b.runs(t, 10)
}

func TestLatencyIsVisibleOnThePorts(t *testing.T) {
	d := sharedDesktop(t)
	b := openBridge(t, "")
	b.drain(t)
	published := func(port, direction string, frames int) func() bool {
		return func() bool {
			for _, o := range d.objects(t) {
				if o.Info.Props["port.alias"] != port {
					continue
				}
				for _, latency := range o.Info.Params.Latency {
					if latency.Direction == direction {
						return latency.MinRate == frames && latency.MaxRate == frames
					}
				}
			}
			return false
		}
	}
	b.SetLatency(96, 128)
	eventually(t, "96 frames behind the sink", published("Archibald guest:playback_FL", "Input", 96))
	eventually(t, "128 frames before the stream", published("From Archibald guest:output_FR", "Output", 128))
	b.SetActive(true)
	if err := d.PipeWireConnect("archibald-from-guest:output_FL", "archibald-to-guest:playback_FL"); err != nil {
		t.Fatal(err)
	}
	b.runs(t, 10)
	eventually(t, "the same with a link", published("Archibald guest:playback_FL", "Input", 96))
	b.SetLatency(50, 60)
	eventually(t, "50 frames behind the sink", published("Archibald guest:playback_FL", "Input", 50))
	eventually(t, "60 frames before the stream", published("From Archibald guest:output_FR", "Output", 60))
}

func TestDataThreadIsRealTimeAndTakesNoSignals(t *testing.T) {
	sharedDesktop(t)
	b := openBridge(t, "")
	b.drain(t)
	if policy, _ := b.RealTime(); policy != "" {
		t.Errorf("policy %q before the first cycle", policy)
	}
	b.SetActive(true)
	b.runs(t, 10)
	if policy, priority := b.RealTime(); policy != "SCHED_FIFO" || priority < 1 {
		t.Errorf("data thread %q, priority %d, want SCHED_FIFO: may this user run real-time threads?", policy, priority)
	}
	if threads := b.Threads(); len(threads.IDs) != 1 || threads.IDs[0] == os.Getpid() {
		t.Errorf("audio threads %+v, want the data thread", threads)
	} else if policy, _ := schedulingOf(threads.IDs[0]); policy != "SCHED_FIFO" {
		t.Errorf("thread %d is %q: not the data thread", threads.IDs[0], policy)
	}
	_, played := b.core.Played(10)
	_, captured := b.core.CaptureCalls(10)
	for _, cycle := range slices.Concat(played, captured) {
		if cycle.SignalsOpen {
			t.Fatal("a signal handler can run on the data thread")
		}
	}
}
