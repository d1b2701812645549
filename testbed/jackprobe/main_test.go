package main

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"archibald-bridge/testbed/probe"
	"archibald-bridge/testbed/recording"
	"archibald-bridge/testbed/signal"
	"archibald-bridge/testbed/stack"
)

var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "jackprobe-")
	if err != nil {
		panic(err)
	}
	if binary, err = probe.Build(dir); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func TestFlags(t *testing.T) {
	o, err := parse(strings.Fields("--name w --server s --tone 441,-12 --noise 7 --noise-f32 0x10 --inputs 2 --connect a:b,c:d --duration 90s --output x"))
	if err != nil {
		t.Fatal(err)
	}
	if o.name != "w" || o.server != "s" || o.inputs != 2 || o.duration != 90*time.Second || o.prefix != "x" {
		t.Errorf("got %+v", o)
	}
	if len(o.connect) != 1 || o.connect[0] != [2]string{"a:b", "c:d"} {
		t.Errorf("connections %v", o.connect)
	}
	want := []output{{hz: 441, amplitude: math.Pow(10, -0.6)}, {noise: true, seed: 7}, {noise: true, float: true, seed: 16}}
	if len(o.outputs) != 3 || o.outputs[0] != want[0] || o.outputs[1] != want[1] || o.outputs[2] != want[2] {
		t.Errorf("outputs %+v", o.outputs)
	}
}

func TestWrongFlagsEndWithCode2AndAReason(t *testing.T) {
	for args, reason := range map[string]string{
		"--tone 441":         "want HZ,DBFS",
		"--tone x,-12":       "want HZ,DBFS",
		"--tone -1,-12":      "want HZ,DBFS",
		"--noise x":          "invalid",
		"--connect a":        "want SOURCE,DESTINATION",
		"--inputs 65":        "legal are 0 to 64",
		"--inputs -1":        "legal are 0 to 64",
		"--duration 0s":      "legal is more than 0",
		"--duration 2h":      "legal is more than 0",
		"record":             "only flags are legal",
		"--no-such-flag yes": "not defined",
	} {
		out, err := exec.Command(binary, strings.Fields(args)...).CombinedOutput()
		exit, ok := err.(*exec.ExitError)
		if !ok || exit.ExitCode() != 2 || !strings.Contains(string(out), reason) {
			t.Errorf("%s: %v: %s; want exit code 2 and %q", args, err, out, reason)
		}
	}
}

// lab is a stack with one audio server.
type lab struct {
	*stack.Stack
	jackd *stack.Jackd // nil: PipeWire
}

func newLab(t *testing.T, open func() (*stack.Stack, error)) *lab {
	t.Helper()
	s, err := open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Quiet(); err != nil {
		t.Fatal(err)
	}
	return &lab{Stack: s}
}

func jackLab(t *testing.T, open func() (*stack.Stack, error)) *lab {
	t.Helper()
	l := newLab(t, open)
	var err error
	if l.jackd, err = l.StartJackd("probe", 256, 48000); err != nil {
		t.Fatal(err)
	}
	return l
}

func pipewireLab(t *testing.T) *lab {
	t.Helper()
	l := newLab(t, stack.New)
	if _, err := l.StartPipeWire(256); err != nil {
		t.Fatal(err)
	}
	if _, err := l.StartWirePlumber(); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *lab) start(t *testing.T, config probe.Config) *probe.Probe {
	t.Helper()
	config.Binary, config.PeriodFrames = binary, 256
	if l.jackd != nil {
		config.JackServer = l.jackd.Server
	}
	p, err := probe.Start(l.Stack, config)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// startLoop starts a probe that plays a tone to itself.
func (l *lab) startLoop(t *testing.T, name string, duration time.Duration) *probe.Probe {
	t.Helper()
	return l.start(t, probe.Config{
		Name: name, Outputs: []probe.Signal{probe.Tone(441, -12)}, Inputs: 1, Duration: duration,
		Connect: [][2]string{{name + ":out_1", name + ":in_1"}},
	})
}

// heard is what Finish or FinishNow returned; an error ends the test.
func heard(t *testing.T, r *recording.Recording, err error) *recording.Recording {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// hearOneProbeWithAnother plays a tone and both noises in one process and
// records them in a second, which also plays a witness tone to itself.
func hearOneProbeWithAnother(t *testing.T, l *lab) {
	player := l.start(t, probe.Config{
		Name: "player", Outputs: []probe.Signal{probe.Tone(441, -12), probe.Noise(11), probe.NoiseF32(12)}, Duration: 50 * time.Second,
	})
	time.Sleep(2 * time.Second)
	recorder := l.start(t, probe.Config{
		Name: "recorder", Outputs: []probe.Signal{probe.Tone(661, -18)}, Inputs: 4, Duration: 6 * time.Second,
		Connect: [][2]string{
			{"player:out_1", "recorder:in_1"}, {"player:out_2", "recorder:in_2"},
			{"player:out_3", "recorder:in_3"}, {"recorder:out_1", "recorder:in_4"},
		},
	})
	r, err := recorder.Finish()
	heard(t, r, err)
	sound := r.Sound.Channels
	if r.ServerLost || r.RateHz != 48000 || len(sound) != 4 || len(sound[0]) < 6*48000 || len(sound[0]) > 7*48000 {
		t.Fatalf("recording of %d channels, %d frames, server lost %v", len(sound), r.Sound.Frames(), r.ServerLost)
	}
	for channel, want := range map[int][2]float64{0: {441, -12}, 3: {661, -18}} {
		got, err := signal.Tone(sound[channel], 48000, want[0])
		if err != nil || math.Abs(got.FrequencyHz-want[0]) > 0.01 || math.Abs(got.LevelDBFS-want[1]) > 0.01 {
			t.Errorf("input %d: %+v, %v; want %v", channel+1, got, err, want)
		}
	}
	witness := signal.Timed(signal.Gaps(sound[3], 48000, 661), r.TimeAt)
	excuses := append(signal.Lost(r.Losses()), witness...)
	t.Logf("%d xruns, lost %+v, witness gaps %+v", r.Xruns, r.Losses(), witness)
	for _, gap := range signal.Attribute(signal.Timed(signal.Gaps(sound[0], 48000, 441), r.TimeAt), excuses, 0, 50*time.Millisecond) {
		if gap.Ours {
			t.Errorf("gap without a server's skip: %+v", gap.TimedGap)
		}
	}
	if gaps := signal.Gaps(signal.PlantLoss(sound[0], 100000, 1), 48000, 441); len(gaps) == 0 {
		t.Error("a planted loss of one frame was not found")
	}
	for channel, reference := range map[int][]float32{
		1: signal.Noise(11, 0, 60*48000, false), 2: signal.Noise(12, 0, 60*48000, true),
	} {
		equal := 0
		for _, run := range signal.BitExact(reference, sound[channel]) {
			if run.Equal {
				equal += run.Length
				continue
			}
			// A hole is allowed only close to a server's skip.
			gap := signal.Timed([]signal.Gap{{StartFrame: run.Start}}, r.TimeAt)
			if signal.Attribute(gap, excuses, 0, 50*time.Millisecond)[0].Ours {
				t.Errorf("input %d differs for %d frames from %d on", channel+1, run.Length, run.Start)
			}
		}
		if equal < len(sound[channel])/2 {
			t.Errorf("input %d: only %d of %d frames are bit-exact", channel+1, equal, len(sound[channel]))
		}
	}
	r, err = player.FinishNow()
	if heard(t, r, err); len(r.Cycles) != 0 && len(r.Sound.Channels) != 0 {
		t.Errorf("a probe without inputs heard %d channels", len(r.Sound.Channels))
	}
}

func TestOneProbeHearsAnotherOnJack(t *testing.T) {
	hearOneProbeWithAnother(t, jackLab(t, stack.New))
}

func TestOneProbeHearsAnotherOnPipeWire(t *testing.T) {
	hearOneProbeWithAnother(t, pipewireLab(t))
}

func TestATermSignalWritesWhatWasHeard(t *testing.T) {
	l := jackLab(t, stack.NewShared)
	begin := time.Now()
	p := l.startLoop(t, "early", 10*time.Minute)
	time.Sleep(4 * time.Second)
	r, err := p.FinishNow()
	passed := time.Since(begin) // on a busy machine more than four seconds
	if frames := heard(t, r, err).Sound.Frames(); frames < 48000 || frames > int((passed+time.Second).Seconds()*48000) {
		t.Errorf("%d frames after %v", frames, passed)
	}
}

func TestAServerThatDiesIsReportedAndTheSoundKept(t *testing.T) {
	l := jackLab(t, stack.NewShared)
	p := l.startLoop(t, "orphan", 50*time.Second)
	time.Sleep(3 * time.Second)
	l.jackd.Kill9()
	r, err := p.Finish()
	if heard(t, r, err); !r.ServerLost || r.Sound.Frames() < 48000 {
		t.Errorf("server lost %v, %d frames", r.ServerLost, r.Sound.Frames())
	}
	if code, err := p.Wait(0); code != 1 || err != nil || !strings.Contains(p.LogTail(), "went away") {
		t.Errorf("exit code %d, %v, said: %s", code, err, p.LogTail())
	}
}

func TestLostServerTimeIsHeardInTheTone(t *testing.T) {
	l := jackLab(t, stack.New)
	p := l.startLoop(t, "witness", 6*time.Second)
	time.Sleep(4 * time.Second)
	// jackd2's dummy driver now stands still for 100 ms: 4800 frames. It makes up for
	// two periods at most, and its counter misses the rest.
	if err := l.jackd.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	if err := l.jackd.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	r, err := p.Finish()
	heard(t, r, err)
	lost := 0
	for _, loss := range r.Losses() {
		lost += loss.LostFrames
	}
	if lost < 3800 || lost > 9600 {
		t.Errorf("found %d frames lost, want some 4800: %+v", lost, r.Losses())
	}
	gaps := signal.Timed(signal.Gaps(r.Sound.Channels[0], 48000, 441), r.TimeAt)
	if len(gaps) == 0 {
		t.Error("the witness tone has no gap")
	}
	for _, gap := range signal.Attribute(gaps, signal.Lost(r.Losses()), 0, 30*time.Millisecond) {
		if gap.Ours {
			t.Errorf("a gap where no time was lost: %+v", gap.TimedGap)
		}
	}
}

func TestANameInUseAndAnAbsentServerAreErrors(t *testing.T) {
	l := jackLab(t, stack.NewShared)
	l.startLoop(t, "twin", 50*time.Second)
	time.Sleep(2 * time.Second)
	said := make(chan string, 2)
	for _, args := range [][]string{{"--name", "twin", "--server", l.jackd.Server}, {"--server", "no-such-server"}} {
		command := exec.Command(binary, args...)
		command.Env = l.Env()
		go func() { // each tries for ten seconds
			out, err := command.CombinedOutput()
			said <- fmt.Sprintf("%v: %v: %s", args, err, out)
		}()
	}
	for range 2 {
		if text := <-said; !strings.Contains(text, "exit status 1") || !strings.Contains(text, "jackprobe: no client") {
			t.Error(text)
		}
	}
}
