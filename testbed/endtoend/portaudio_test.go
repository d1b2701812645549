package endtoend

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
	"archibald-bridge/testbed/probe"
	"archibald-bridge/testbed/signal"
)

const (
	guestHz = 523.0 // what the guest plays, left; 100 Hz more right
	hostHz  = 311.0
)

// onPortAudio is for a rig whose host has no PipeWire.
func onPortAudio(output, input string) Config {
	return Config{
		PeriodFrames: 256, Tags: []string{"portaudio"}, Common: []string{"--latency", "100ms"},
		Host: []string{"--backend", "portaudio", "--output-device", output, "--input-device", input},
	}
}

// configureALSA makes ALSA have these devices, a silent default and no others.
func (r *Rig) configureALSA(t *testing.T, devices string) {
	t.Helper()
	config := filepath.Join(r.Dir, "asound.conf")
	writeFile(t, config, []byte(devices+"pcm.default { type null }\n"))
	r.Environment = append(r.Environment, "ALSA_CONFIG_PATH="+config)
}

func (r *Rig) startEach(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return r.WaitRunning(20 * time.Second)
}

// guestProbe plays and hears in the guest.
func (r *Rig) guestProbe(name string, duration time.Duration) (*probe.Probe, error) {
	config := probe.Config{Binary: r.probe, Name: name, JackServer: r.JackServer, Inputs: 2, Duration: duration}
	for i := range 2 {
		config.Outputs = append(config.Outputs, probe.Tone(guestHz+100*float64(i), toneDBFS))
		config.Connect = append(config.Connect,
			[2]string{fmt.Sprintf("%s:out_%d", name, i+1), fmt.Sprintf("archibald-to-host:in_%d", i+1)},
			[2]string{fmt.Sprintf("archibald-from-host:out_%d", i+1), fmt.Sprintf("%s:in_%d", name, i+1)})
	}
	return probe.Start(r.Stack, config)
}

func TestAHostPlaysOnAnALSADeviceByPortAudio(t *testing.T) {
	unbroken(t, onPortAudio("recorder", "player"), onALSA)
}

func onALSA(t *testing.T, r *Rig) (faults []string, serverFailures int) {
	recorded, played := filepath.Join(r.Dir, "recorded.raw"), filepath.Join(r.Dir, "played.raw")
	r.configureALSA(t, fmt.Sprintf(`pcm.recorder { type file slave.pcm { type null } file %q format "raw" }
pcm.player { type file slave.pcm { type null } file "/dev/null" infile %q format "raw" }
`, recorded, played))
	writeFile(t, played, tones(30*48000, hostHz))

	if err := r.startEach(r.StartJackd, r.StartGuest, r.StartHost); err != nil {
		t.Fatal(err)
	}
	before := r.xruns(t)
	guest, err := r.guestProbe("guest-probe", 4*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	heard, err := guest.Finish()
	if err != nil {
		t.Fatal(err)
	}
	serverFailures = r.xruns(t) - before
	r.Host.Stop()
	sound, err := os.ReadFile(recorded)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		faults = append(faults, broken(t, "ALSA's file", channel(sound, i), guestHz+100*float64(i))...)
		faults = append(faults, broken(t, "the guest", heard.Sound.Channels[i], hostHz+100*float64(i))...)
	}
	return faults, serverFailures
}

func TestAHostOnJACKByPortAudioOutlivesItsJackd(t *testing.T) {
	unbroken(t, onPortAudio("system", "system"), onJACK)
}

func onJACK(t *testing.T, r *Rig) (faults []string, serverFailures int) {
	jackd, err := r.Stack.StartJackd("host", 256, 48000)
	if err != nil {
		t.Fatal(err)
	}
	r.Environment = append(r.Environment, "JACK_DEFAULT_SERVER="+jackd.Server)
	r.configureALSA(t, "")
	if err := r.startEach(r.StartJackd, r.StartGuest, r.StartHost); err != nil {
		t.Fatal(err)
	}
	jackd.Kill9()
	if err := r.wait(10*time.Second, func(s status.Status) bool { return s.Directions.Receive.State != status.DirectionRunning }); err != nil {
		t.Fatal(err)
	}
	if err := jackd.Restart(); err != nil {
		t.Fatal(err)
	}
	if err := r.WaitRunning(20 * time.Second); err != nil {
		t.Fatal(err)
	}
	before := r.xruns(t)
	inGuest, err := r.guestProbe("guest-probe", 4*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	onHost, err := probe.Start(r.Stack, probe.Config{
		Binary: r.probe, Name: "host-probe", JackServer: jackd.Server, Inputs: 2, Duration: 3 * time.Second,
		Outputs: []probe.Signal{probe.Tone(hostHz, toneDBFS), probe.Tone(hostHz+100, toneDBFS)},
		Connect: [][2]string{
			{"host-probe:out_1", "PortAudio:in_0"}, {"host-probe:out_2", "PortAudio:in_1"},
			{"PortAudio:out_0", "host-probe:in_1"}, {"PortAudio:out_1", "host-probe:in_2"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	host, err := onHost.Finish()
	if err != nil {
		t.Fatal(err)
	}
	guest, err := inGuest.Finish()
	if err != nil {
		t.Fatal(err)
	}
	serverFailures = r.xruns(t) - before
	for i := range 2 {
		faults = append(faults, broken(t, "the host", host.Sound.Channels[i], guestHz+100*float64(i))...)
		faults = append(faults, broken(t, "the guest", guest.Sound.Channels[i], hostHz+100*float64(i))...)
	}
	if s, err := r.Status(proto.Host); err != nil || s.Audio.Server != "PortAudio" || s.Audio.State != status.AudioRunning {
		t.Errorf("status %+v, %v", s.Audio, err)
	}
	return faults, serverFailures
}

// broken looks for a tone, and for what interrupts it, in the 1.75 s before its end:
// the other side's probe may have come later or left earlier.
func broken(t *testing.T, name string, samples []float32, hz float64) (faults []string) {
	t.Helper()
	for len(samples) > 0 && samples[len(samples)-1] == 0 {
		samples = samples[:len(samples)-1]
	}
	if len(samples) < 2*48000 {
		t.Fatalf("%s: sound ends after %d frames", name, len(samples))
	}
	samples = samples[len(samples)-2*48000 : len(samples)-48000/4]
	tone, err := signal.Tone(samples, 48000, hz)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	gaps := signal.Gaps(samples, 48000, hz)
	t.Logf("%s: %.2f Hz at %.2f dBFS, THD+N %.1f dB, %d gaps", name, tone.FrequencyHz, tone.LevelDBFS, tone.THDNdB, len(gaps))
	if math.Abs(tone.FrequencyHz-hz) > 0.5 || math.Abs(tone.LevelDBFS-toneDBFS) > 0.1 || len(gaps) > 0 {
		faults = append(faults, fmt.Sprintf("%s: %.2f Hz at %.2f dBFS with gaps %v, played %.0f Hz at %.0f dBFS", name, tone.FrequencyHz, tone.LevelDBFS, gaps, hz, toneDBFS))
	}
	return faults
}

// tones is stereo in ALSA's FLOAT_LE.
func tones(frames int, hz float64) []byte {
	var raw bytes.Buffer
	for n := range frames {
		for i := range 2 {
			phase := 2 * math.Pi * (hz + 100*float64(i)) * float64(n) / 48000
			_ = binary.Write(&raw, binary.LittleEndian, float32(math.Pow(10, toneDBFS/20.0)*math.Sin(phase)))
		}
	}
	return raw.Bytes()
}

// channel is one channel of such sound.
func channel(raw []byte, i int) []float32 {
	samples := make([]float32, len(raw)/8)
	for n := range samples {
		samples[n] = math.Float32frombits(binary.LittleEndian.Uint32(raw[8*n+4*i:]))
	}
	return samples
}

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
