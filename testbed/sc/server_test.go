package sc_test

import (
	"context"
	"math"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"archibald-bridge/testbed/probe"
	"archibald-bridge/testbed/recording"
	"archibald-bridge/testbed/sc"
	"archibald-bridge/testbed/signal"
	"archibald-bridge/testbed/stack"
)

// theServer is scsynth on a jackd with the dummy driver, with a client.
type theServer struct {
	stack *stack.Stack
	jackd *stack.Jackd
	*sc.Client
	ctx context.Context
}

func start(t *testing.T) theServer {
	t.Helper()
	s, err := stack.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	j, err := s.StartJackd("sc", 256, 48000)
	if err != nil {
		t.Fatal(err)
	}
	synth, err := s.StartScsynth(stack.ScsynthConfig{JackServer: j.Server, PeriodFrames: 256, InputChannels: 2, OutputChannels: 2})
	if err != nil {
		t.Fatal(err)
	}
	client, err := sc.Dial(synth.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	if err := client.Load(ctx); err != nil {
		t.Fatal(err)
	}
	return theServer{s, j, client, ctx}
}

// record runs jackprobe until it ends and returns what it heard.
func (s theServer) record(t *testing.T, config probe.Config) *recording.Recording {
	t.Helper()
	binary, err := probe.Build(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	config.Binary, config.Name, config.JackServer = binary, "recorder", s.jackd.Server
	p, err := probe.Start(s.stack, config)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func wantTone(t *testing.T, what string, samples []float32, hz, dbfs float64) {
	t.Helper()
	got, err := signal.Tone(samples, 48000, hz)
	if err != nil || math.Abs(got.FrequencyHz-hz) > 0.01 || math.Abs(got.LevelDBFS-dbfs) > 0.05 {
		t.Errorf("%s: %+v, %v; want %.2f Hz at %.2f dBFS", what, got, err, hz, dbfs)
	}
}

func TestTonesAndThruAreHeardAsAsked(t *testing.T) {
	s := start(t)
	if _, err := s.Tone(s.ctx, 0, 441, 0.25); err != nil {
		t.Fatal(err)
	}
	right, err := s.Tone(s.ctx, 1, 100, 0.125)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Set(s.ctx, right, "freq", 661); err != nil {
		t.Fatal(err)
	}
	// The first input bus follows the two output buses: bus 2 is SuperCollider:in_1.
	if _, err := s.Thru(s.ctx, 2, 1, 0.5); err != nil {
		t.Fatal(err)
	}
	status, err := s.Status(s.ctx)
	if err != nil || status.Synths != 3 || status.Definitions != 3 || status.NominalRateHz != 48000 {
		t.Errorf("status %+v, %v", status, err)
	}
	r := s.record(t, probe.Config{
		Outputs: []probe.Signal{probe.Tone(1500, -20)}, Inputs: 2, Duration: 4 * time.Second,
		Connect: [][2]string{
			{"recorder:out_1", "SuperCollider:in_1"},
			{"SuperCollider:out_1", "recorder:in_1"}, {"SuperCollider:out_2", "recorder:in_2"},
		},
	})
	left, both := r.Sound.Channels[0][4800:], r.Sound.Channels[1][4800:]
	if gaps := signal.Gaps(left, 48000, 441); len(gaps) > r.Xruns+len(r.Losses()) {
		t.Errorf("%d xruns, lost time %+v, but gaps %+v", r.Xruns, r.Losses(), gaps)
	}
	wantTone(t, "left", left, 441, 20*math.Log10(0.25))
	wantTone(t, "right", both, 661, 20*math.Log10(0.125))
	wantTone(t, "through SuperCollider", both, 1500, -26.02)
	if leak, err := signal.Leak(left, 48000, 661); err != nil || leak > -90 {
		t.Errorf("right leaks into left at %.1f dBFS, %v", leak, err)
	}
}

func TestAPhraseIsHeardNoteByNote(t *testing.T) {
	s := start(t)
	node, err := s.Tone(s.ctx, 0, 200, 0.25)
	if err != nil {
		t.Fatal(err)
	}
	notes := []sc.Note{}
	for _, hz := range []float32{330, 440, 554.365, 659.255} {
		notes = append(notes, sc.Note{Hz: hz, Duration: 500 * time.Millisecond})
	}
	played := make(chan error, 1)
	time.AfterFunc(5*time.Second, func() { played <- s.Phrase(s.ctx, node, notes) })
	r := s.record(t, probe.Config{
		Inputs: 1, Duration: 9 * time.Second, Connect: [][2]string{{"SuperCollider:out_1", "recorder:in_1"}},
	})
	if err := <-played; err != nil {
		t.Fatal(err)
	}
	// The notes must come in order: each is the strongest in some half of its time.
	const step = 4800
	sound, next := r.Sound.Channels[0], 0
	for at := 0; at+2*step <= len(sound) && next < len(notes); at += step {
		got, err := signal.Tone(sound[at:at+2*step], 48000, float64(notes[next].Hz))
		if err == nil && math.Abs(got.FrequencyHz-float64(notes[next].Hz)) < 0.1 && math.Abs(got.LevelDBFS+12.04) < 0.1 {
			next++
		}
	}
	if next != len(notes) {
		t.Errorf("heard %d of %d notes", next, len(notes))
	}
}

func TestFreedNodesFallSilentAndErrorsAreReported(t *testing.T) {
	s := start(t)
	node, err := s.Tone(s.ctx, 0, 441, 0.25)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Free(s.ctx, node); err != nil {
		t.Fatal(err)
	}
	if status, err := s.Status(s.ctx); err != nil || status.Synths != 0 {
		t.Errorf("status %+v, %v; want no synth", status, err)
	}
	if err := s.Free(s.ctx, node); err == nil || !strings.Contains(err.Error(), "not found") {
		t.Errorf("freeing a node twice: %v", err)
	}
	// The error must not be taken for the answer to a later command.
	if _, err := s.Tone(s.ctx, 0, 441, 0.25); err != nil {
		t.Error(err)
	}
}

func TestNothingNeedsTheLanguage(t *testing.T) {
	// A PATH with what the server needs, and no sclang.
	bin := t.TempDir()
	for _, program := range []string{"jackd", "jack_wait", "scsynth"} {
		path, err := exec.LookPath(program)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, bin+"/"+program); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin)
	s := start(t)
	if _, err := s.Tone(s.ctx, 0, 441, 0.25); err != nil {
		t.Error(err)
	}
}

func TestASilentServerIsATimeoutNotAHang(t *testing.T) {
	client, err := sc.Dial("127.0.0.1:9") // discard: nobody answers
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if _, err := client.Status(ctx); err == nil {
		t.Error("a status came from nowhere")
	}
}
