package jack

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/testbed/jacktest"
)

func TestClientsAndPortsHaveTheDocumentedNames(t *testing.T) {
	for _, tt := range []struct {
		config audio.Config
		want   []string
	}{
		{audio.Config{SendChannels: 2, ReceiveChannels: 1},
			[]string{"archibald-from-host:out_1", "archibald-to-host:in_1", "archibald-to-host:in_2"}},
		{audio.Config{Name: "lab", SendChannels: 1, ReceiveChannels: 2},
			[]string{"archibald-lab-from-host:out_1", "archibald-lab-from-host:out_2", "archibald-lab-to-host:in_1"}},
		{audio.Config{ReceiveChannels: 0, SendChannels: 0}, nil},
	} {
		t.Run(tt.config.Name+strconv.Itoa(len(tt.want)), func(t *testing.T) {
			jackd := jacktest.Start(t, 256)
			server, core := newServer(t, jackd.Name, nil)
			graph := open(t, server, tt.config)
			if want := (audio.Graph{RateHz: 48000, PeriodFrames: 256}); graph != want || server.Graph() != want {
				t.Errorf("graph %v and %v, want %v", graph, server.Graph(), want)
			}
			var got []string
			for _, port := range jackd.Ports() {
				if strings.HasPrefix(port, "archibald") {
					got = append(got, port)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, tt.want) {
				t.Errorf("ports %q, want %q", got, tt.want)
			}
			runCycles(t, core, 10) // with no channels too: the media clock needs them
		})
	}
}

func TestTheHostsClientsAreNamedAfterTheGuest(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	core := jacktest.NewCore()
	server := New(core.Callbacks(), audio.Options{Server: jackd.Name, Peer: "guest"})
	t.Cleanup(func() { _ = server.Close() })
	open(t, server, audio.Config{Name: "lab", SendChannels: 1, ReceiveChannels: 1})
	ports := jackd.Ports()
	for _, want := range []string{"archibald-lab-to-guest:in_1", "archibald-lab-from-guest:out_1"} {
		if !slices.Contains(ports, want) {
			t.Errorf("ports %q lack %q", ports, want)
		}
	}
}

func TestSixtyFourChannelsKeepTheirOrder(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	server, core := newServer(t, jackd.Name, nil)
	open(t, server, audio.Config{SendChannels: 64, ReceiveChannels: 64})
	// Crosswise, so that two equal mistakes do not cancel out.
	channels := map[int]int{1: 64, 2: 3, 63: 2, 64: 1}
	for out, in := range channels {
		jackd.Run("jack_connect", fmt.Sprintf("archibald-from-host:out_%d", out), fmt.Sprintf("archibald-to-host:in_%d", in))
	}
	runCycles(t, core, 50)
	_, cycles := core.Captured()
	newest := cycles[len(cycles)-1]
	for out, in := range channels {
		if got := int(newest.First[in-1]) / 65536; got != out-1 {
			t.Errorf("in_%d has the sound of out_%d, want out_%d", in, got+1, out)
		}
	}
	if newest.First[9] != 0 {
		t.Errorf("in_10 is not silent: %v", newest.First[9])
	}
}

// framesLate pairs the two callbacks' cycles by graph frame and returns how
// many frames after its playout a sample was captured, for each cycle.
func framesLate(t *testing.T, core *jacktest.Core) map[int]int {
	t.Helper()
	_, played := core.Played()
	_, captured := core.Captured()
	first := map[uint64]float32{}
	for _, cycle := range played[len(played)/2:] {
		first[cycle.GraphFrame] = cycle.First[0]
	}
	late := map[int]int{}
	for _, cycle := range captured[len(captured)/2:] {
		if sent, ok := first[cycle.GraphFrame]; ok {
			late[(int(sent)-int(cycle.First[0])+65536)%65536]++
		}
	}
	return late
}

// expectSameCycle fails unless nearly all cycles agree; this kind of machine skips some.
func expectSameCycle(t *testing.T, core *jacktest.Core) {
	t.Helper()
	late := framesLate(t, core)
	total := 0
	for _, n := range late {
		total += n
	}
	if total < 100 || late[0] < total*9/10 {
		t.Errorf("frames from playout to capture, with their counts: %v; want 0", late)
	}
}

func TestPlayoutReachesCaptureInTheSameCycle(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	server, core := newServer(t, jackd.Name, nil)
	open(t, server, stereo)
	jackd.Run("jack_connect", "archibald-from-host:out_1", "archibald-to-host:in_1")
	runCycles(t, core, 500)
	expectSameCycle(t, core)
}

func TestAClientBetweenPlayoutAndCaptureRunsInTheSameCycle(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	server, core := newServer(t, jackd.Name, nil)
	open(t, server, stereo)
	through, err := jacktest.OpenThrough(jackd.Name, "through")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(through.Close)
	jackd.Run("jack_connect", "archibald-from-host:out_1", "through:in")
	jackd.Run("jack_connect", "through:out", "archibald-to-host:in_1")
	runCycles(t, core, 500)
	expectSameCycle(t, core)
}

func TestACycleIsWholeAndTimed(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	server, core := newServer(t, jackd.Name, nil)
	open(t, server, stereo)
	runCycles(t, core, 200)
	_, cycles := core.Played()
	whole, soon := 0, 0
	const periodNs = 256 * 1000000000 / 48000
	for i, cycle := range cycles[1:] {
		before := cycles[i]
		if cycle.NowNs-cycle.CycleNs < periodNs {
			soon++
		}
		if cycle.Frames != 256 || cycle.CycleNs > cycle.NowNs || cycle.NowNs <= before.NowNs {
			t.Fatalf("cycle %+v after %+v", cycle, before)
		}
		if cycle.GraphFrame <= before.GraphFrame {
			t.Fatalf("graph frame %d after %d", cycle.GraphFrame, before.GraphFrame)
		}
		if cycle.GraphFrame == before.GraphFrame+256 {
			whole++
		}
	}
	if soon < len(cycles)/2 {
		t.Errorf("of %d cycles %d began less than a period before their callback", len(cycles), soon)
	}
	if whole < len(cycles)*9/10 {
		t.Errorf("%d of %d cycles follow the one before by one period", whole, len(cycles))
	}
}

// A cycle's time is when the server began it, in whole frames: at 192 kHz they are
// short enough (5 us) to tell that from when this client was called.
func TestACycleIsTimedByTheServersStart(t *testing.T) {
	jackd := jacktest.StartAt(t, 192000, 1024)
	server, core := newServer(t, jackd.Name, nil)
	open(t, server, stereo)
	runCycles(t, core, 200)
	_, cycles := core.Played()
	const periodNs = 1024 * 1000000000 / 192000
	if !slices.ContainsFunc(cycles, func(c jacktest.Cycle) bool {
		late := c.NowNs - c.CycleNs
		return late > 0 && late < periodNs
	}) {
		t.Errorf("each of %d cycles was called at its start", len(cycles))
	}
}

func TestPeriodChangesWhileRunning(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	server, core := newServer(t, jackd.Name, nil)
	open(t, server, stereo)
	runCycles(t, core, 10)
	for _, period := range []int{512, 8192, 32, 256} {
		jackd.Run("jack_bufsize", strconv.Itoa(period))
		expectEvent(t, server, audio.Changed, 3e9)
		if got := server.Graph(); got != (audio.Graph{RateHz: 48000, PeriodFrames: period}) {
			t.Errorf("graph %v after jack_bufsize %d", got, period)
		}
		runCycles(t, core, 3)
		_, cycles := core.Captured()
		if got := cycles[len(cycles)-1].Frames; got != period {
			t.Errorf("capture has %d frames, want %d", got, period)
		}
	}
}

func TestLatenciesAreVisibleToJack(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	server, _ := newServer(t, jackd.Name, nil)
	server.SetLatency(11, 22) // before Open: kept
	open(t, server, stereo)
	expectLatency(t, jackd, "archibald-to-host:in_2", "playback", 11)
	expectLatency(t, jackd, "archibald-from-host:out_2", "capture", 22)
	server.SetLatency(333, 444)
	expectLatency(t, jackd, "archibald-to-host:in_1", "playback", 333)
	expectLatency(t, jackd, "archibald-from-host:out_1", "capture", 444)
	// What is connected to us must learn it, that is what latencies are for.
	through, err := jacktest.OpenThrough(jackd.Name, "through")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(through.Close)
	jackd.Run("jack_connect", "archibald-from-host:out_1", "through:in")
	jackd.Run("jack_connect", "through:out", "archibald-to-host:in_1")
	expectLatency(t, jackd, "through:in", "capture", 444)
	expectLatency(t, jackd, "through:out", "playback", 333)
	server.SetLatency(335, 446)
	expectLatency(t, jackd, "through:in", "capture", 446)
	expectLatency(t, jackd, "through:out", "playback", 335)
}

func expectLatency(t *testing.T, jackd *jacktest.Server, port, mode string, frames int) {
	t.Helper()
	want := fmt.Sprintf("port %s latency = [ %d %d ] frames", mode, frames, frames)
	listing := ""
	for range 10 {
		listing = jackd.Run("jack_lsp", "-l", port)
		if strings.Contains(listing, want) {
			return
		}
	}
	t.Errorf("jack_lsp -l shows no %q:\n%s", want, listing)
}

func TestFrameTimeIsExtendedAcrossItsWrap(t *testing.T) {
	for _, tt := range []struct {
		anchor uint64
		frame  uint32
		want   uint64
	}{
		{0, 0, 0},
		{0, 256, 256},
		{0xffffff00, 0, 0x100000000},           // the wrap
		{0x100000000, 0xffffff00, 0xffffff00},  // to-host still in the cycle before
		{0x1ffffff80, 0x80, 0x200000080},       // the next wrap
		{0x123456789, 0x23456789, 0x123456789}, // the same cycle
		{0x100000000, 0x7fffffff, 0x17fffffff}, // the furthest jump ahead: 12 hours
		{0x180000000, 0x00000000, 0x100000000}, // the furthest back
	} {
		if got := extendFrame(tt.anchor, tt.frame); got != tt.want {
			t.Errorf("extendFrame(%#x, %#x) = %#x, want %#x", tt.anchor, tt.frame, got, tt.want)
		}
	}
}
