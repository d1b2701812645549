package endtoend

import (
	"bytes"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
	"archibald-bridge/testbed/probe"
	"archibald-bridge/testbed/signal"
	"archibald-bridge/testbed/stack"
)

// freewheel is what Ardour does to the JACK server for an export.
func (r *Rig) freewheel(t *testing.T, on string) {
	t.Helper()
	command, err := r.Command("jack_freewheel", on)
	if err != nil {
		t.Fatal(err)
	}
	command.Env = append(command.Env, "JACK_DEFAULT_SERVER="+r.JackServer)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("jack_freewheel %s: %v: %s", on, err, bytes.TrimSpace(out))
	}
}

func (r *Rig) mustStatus(t *testing.T, role proto.Role) status.Status {
	t.Helper()
	s, err := r.Status(role)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// An export in the guest, which runs its graph some fifteen times as fast as time: the
// other end hears silence and no flood, and the sound of before a second after it.
func TestAnExportInTheGuestIsSilenceAndNothingElse(t *testing.T) {
	r := start(t, Config{PeriodFrames: 256, Common: []string{"--latency", "100ms"}})
	if err := r.StartAll(); err != nil {
		t.Fatal(err)
	}
	if err := r.PlaySuperCollider(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.WaitSound(time.Now(), 10*time.Second); err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * time.Second)
	p, err := probe.Start(r.Stack, probe.Config{
		Binary: r.probe, Name: "export-probe", PeriodFrames: r.Config.PeriodFrames, RateHz: r.Config.HostRateHz, Duration: 60 * time.Second, Inputs: 1,
		Outputs: []probe.Signal{probe.Tone(hostLeftHz, toneDBFS)},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range [][2]string{{stack.NullSink + ":monitor_FL", "export-probe:in_1"}, {"export-probe:out_1", "archibald-to-guest:playback_FL"}} {
		if err := r.PipeWireConnect(link[0], link[1]); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(time.Second)
	before := map[proto.Role]status.Status{proto.Guest: r.mustStatus(t, proto.Guest), proto.Host: r.mustStatus(t, proto.Host)}

	beganNs := monotonicNs()
	r.freewheel(t, "y")
	for deadline := time.Now().Add(5 * time.Second); r.mustStatus(t, proto.Guest).Audio.State != status.AudioFreewheel; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the guest does not say that its audio server freewheels")
		}
	}
	time.Sleep(600 * time.Millisecond) // the counters are those of the last half second
	silent := r.mustStatus(t, proto.Guest)
	for range 60 { // longer than a silent peer is waited for
		time.Sleep(100 * time.Millisecond)
		for role := range before {
			if d := r.mustStatus(t, role).Directions; d.Receive.LatencyMs.Bridge < 0 || d.Send.LatencyMs.Bridge < 0 {
				t.Errorf("%s: latency %v and %v", role, d.Send.LatencyMs.Bridge, d.Receive.LatencyMs.Bridge)
			}
		}
	}
	during := r.mustStatus(t, proto.Guest)
	if during.Audio.State != status.AudioFreewheel || during.Session.State != status.SessionUp {
		t.Errorf("guest: audio %q, session %q", during.Audio.State, during.Session.State)
	}
	if sent := during.Directions.Send.Packets - silent.Directions.Send.Packets; sent > 0 {
		t.Errorf("%d packets in 6 s of an export", sent)
	}
	r.freewheel(t, "n")
	endNs := monotonicNs()
	time.Sleep(7 * time.Second)

	for role, was := range before {
		now := r.mustStatus(t, role)
		t.Logf("%s: latency %.3f ms, then %.3f ms; lost %d, then %d; concealed %d, then %d; dropouts %d, then %d", role,
			float64(was.Directions.Receive.LatencyMs.Bridge), float64(now.Directions.Receive.LatencyMs.Bridge), was.Directions.Receive.Lost, now.Directions.Receive.Lost,
			was.Directions.Receive.ConcealedFrames, now.Directions.Receive.ConcealedFrames, was.Directions.Receive.Dropouts, now.Directions.Receive.Dropouts)
		if now.Session.ID != was.Session.ID || now.Session.Reconnects != was.Session.Reconnects {
			t.Errorf("%s: session %s became %s", role, was.Session.ID, now.Session.ID)
		}
		if d := math.Abs(float64(now.Directions.Receive.LatencyMs.Bridge - was.Directions.Receive.LatencyMs.Bridge)); d > 0.5 {
			t.Errorf("%s: the latency is %.3f ms off", role, d)
		}
		// What a server loses at other times is not counted here.
		if now.Directions.Receive.Lost > was.Directions.Receive.Lost+100 {
			t.Errorf("%s: %d lost packets", role, now.Directions.Receive.Lost-was.Directions.Receive.Lost)
		}
		if n := now.Directions.Receive.ConcealedFrames; n > was.Directions.Receive.ConcealedFrames+9600 {
			t.Errorf("%s: %d frames concealed", role, n-was.Directions.Receive.ConcealedFrames)
		}
	}
	heard, err := p.FinishNow()
	if err != nil {
		t.Fatal(err)
	}
	samples := heard.Sound.Channels[0]
	from := soundsSince(samples)
	sinceNs, ok := heard.TimeAt(from)
	t.Logf("sound on the host %.3f s after the export", float64(sinceNs-endNs)/1e9)
	if !ok || sinceNs > endNs+int64(time.Second) || sinceNs < beganNs {
		t.Errorf("sound on the host since %.3f s after the end", float64(sinceNs-endNs)/1e9)
	}
	tone, err := signal.Tone(samples[len(samples)-4*heard.RateHz:], heard.RateHz, guestLeftHz)
	if err != nil || math.Abs(tone.FrequencyHz-guestLeftHz) > 0.5 || math.Abs(tone.LevelDBFS-toneDBFS) > 0.5 {
		t.Errorf("afterwards %+v, %v", tone, err)
	}
	for end, words := range map[*stack.Process][]string{
		r.Guest: {"audio server freewheels", "back in real time"}, r.Host: {"the peer's audio server freewheels", "sound from the peer again"},
	} {
		log, err := os.ReadFile(end.Log)
		for _, word := range words {
			if err != nil || strings.Count(string(log), word) != 1 {
				t.Errorf("%s does not say %q once: %v\n%s", end.Name, word, err, log)
			}
		}
	}
}
