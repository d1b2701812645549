//go:build portaudio

package portaudio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
)

func TestWhatTheCorePlaysIsInTheFileBitForBit(t *testing.T) {
	recorded, _ := alsa(t)
	server, core := newServer(t, audio.Options{OutputDevice: "recorder", InputDevice: None})
	graph, err := server.Open(stereo)
	if err != nil {
		t.Fatal(err)
	}
	if graph != (audio.Graph{RateHz: 48000, PeriodFrames: 256}) || graph != server.Graph() {
		t.Errorf("graph %+v, afterwards %+v", graph, server.Graph())
	}
	runCycles(t, core, 300)
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	left, right := readStereo(t, recorded)
	// Channel 1 counts from 65536, so that its beginning shows among zeros.
	first := slices.IndexFunc(right, func(sample float32) bool { return sample != 0 })
	if first < 0 {
		t.Fatalf("silence of %d frames", len(right))
	}
	left, right = left[first:], right[first:]
	const most = 300 * 256
	if len(left) < most {
		t.Fatalf("%d frames, want %d at least", len(left), most)
	}
	for i := range most {
		if left[i] != float32(i%65536) || right[i] != float32(65536+i%65536) {
			t.Fatalf("frame %d: %v, %v", i, left[i], right[i])
		}
	}
}

func TestWhatTheFileHoldsReachesTheCoreBitForBit(t *testing.T) {
	_, played := alsa(t)
	var sound bytes.Buffer
	for i := range 1 << 18 {
		_ = binary.Write(&sound, binary.LittleEndian, [2]uint32{math.Float32bits(float32(i)), math.Float32bits(float32(-i))})
	}
	if err := os.WriteFile(played, sound.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	server, core := newServer(t, audio.Options{InputDevice: "player"})
	if _, err := server.Open(stereo); err != nil {
		t.Fatal(err)
	}
	runCycles(t, core, 200)
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	_, cycles := core.Captured()
	for i, cycle := range cycles {
		at := float32(i * 256)
		if cycle.First[0] != at || cycle.First[1] != -at || cycle.Last[0] != at+255 || cycle.Last[1] != -at-255 {
			t.Fatalf("cycle %d: %+v", i, cycle)
		}
	}
}

// ALSA's null takes sound as fast as it is made, which must neither take a whole
// processor nor be taken for time.
func TestADeviceWithoutAClockHasTheSystems(t *testing.T) {
	alsa(t)
	server, core := newServer(t, audio.Options{})
	if _, err := server.Open(stereo); err != nil {
		t.Fatal(err)
	}
	runCycles(t, core, 200)
	_, played := core.Played()
	_, captured := core.Captured()
	back := 0
	for i := 1; i < len(played); i++ {
		before, cycle := played[i-1], played[i]
		switch {
		case back == 0 && cycle.GraphFrame < before.GraphFrame:
			back = i
		case cycle.GraphFrame != before.GraphFrame+256:
			t.Fatalf("cycle %d is at frame %d after %d", i, cycle.GraphFrame, before.GraphFrame)
		}
		if i < len(captured) && captured[i].GraphFrame != cycle.GraphFrame {
			t.Errorf("cycle %d: captured at frame %d, played at %d", i, captured[i].GraphFrame, cycle.GraphFrame)
		}
		if cycle.CycleNs > cycle.NowNs {
			t.Errorf("cycle %d is said to begin in %d ns", i, cycle.CycleNs-cycle.NowNs)
		}
	}
	// 0.5 s are 93.75 periods, after the last that a busy machine was late with.
	if back < 94 || back > 150 {
		t.Fatalf("the clock began again at cycle %d, want it after half a second of sound at once", back)
	}
	// A wake-up that is 100 ms late is lost time; otherwise the time is exact.
	exact := 0
	for i := back + 1; i < len(played); i++ {
		period := played[i].CycleNs - played[i-1].CycleNs
		if period == 5333333 || period == 5333334 {
			exact++
		}
	}
	if want := (len(played) - back) * 9 / 10; exact < want {
		t.Errorf("%d periods of 256 frames to the nanosecond, want %d at least", exact, want)
	}
}

func TestSilenceIsSentWithoutAnInputAndNothingPlayedWithoutAnOutput(t *testing.T) {
	_, played := alsa(t)
	loud := bytes.Repeat([]byte{0, 0, 0x80, 0x3f}, 1<<16) // 1.0
	if err := os.WriteFile(played, loud, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		options audio.Options
		plays   int // channels
		heard   float32
	}{
		{audio.Options{OutputDevice: None, InputDevice: "player"}, 0, 1},
		{audio.Options{OutputDevice: "default", InputDevice: None}, 2, 0},
	} {
		server, core := newServer(t, test.options)
		if _, err := server.Open(stereo); err != nil {
			t.Fatal(err)
		}
		runCycles(t, core, 10)
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
		_, plays := core.Played()
		_, takes := core.Captured()
		if len(plays[5].First) != test.plays || len(takes[5].First) != 2 || takes[5].First[1] != test.heard {
			t.Errorf("%+v: plays %d channels and takes %v", test.options, len(plays[5].First), takes[5].First)
		}
	}
}

func TestWhatCannotBeOpenedIsNamed(t *testing.T) {
	alsa(t)
	for _, test := range []struct {
		options audio.Options
		config  audio.Config
		want    string
	}{
		{audio.Options{OutputDevice: "speakers"}, stereo,
			`output-device "speakers": there is none; there are 0 "recorder" (ALSA), 1 "player" (ALSA), 2 "default" (ALSA)`},
		{audio.Options{}, audio.Config{SendChannels: 2, ReceiveChannels: 65}, "PortAudio: 65 channels, legal are 0 to 64"},
		{audio.Options{}, audio.Config{SendChannels: 2, ReceiveChannels: 2, PeriodFrames: 128},
			"period 128 at 48000 Hz: PortAudio's is 240 to 8192 frames there, 5 ms and more"},
	} {
		server, _ := newServer(t, test.options)
		_, err := server.Open(test.config)
		if err == nil || err.Error() != test.want {
			t.Errorf("%v, want %s", err, test.want)
		}
		if _, again := server.Open(test.config); again != err {
			t.Errorf("tried again at once: %v", again)
		}
	}
}

func TestAnotherRateThanUsualIsTaken(t *testing.T) {
	alsa(t)
	server, core := newServer(t, audio.Options{OutputDevice: "recorder"})
	graph, err := server.Open(audio.Config{SendChannels: 2, ReceiveChannels: 2, RateHz: 44100, PeriodFrames: 480})
	if err != nil || graph != (audio.Graph{RateHz: 44100, PeriodFrames: 480}) {
		t.Fatalf("%+v, %v", graph, err)
	}
	runCycles(t, core, 5)
	if _, cycles := core.Played(); cycles[0].Frames != 480 {
		t.Errorf("a cycle has %d frames, want 480", cycles[0].Frames)
	}
}

func TestGoHandlesNoSignalOnTheAudioThread(t *testing.T) {
	alsa(t)
	server, core := newServer(t, audio.Options{})
	if policy, _ := server.RealTime(); policy != "" || len(server.Threads().IDs) != 0 {
		t.Errorf("before Open: %q, %+v", policy, server.Threads())
	}
	if _, err := server.Open(stereo); err != nil {
		t.Fatal(err)
	}
	runCycles(t, core, 2)
	threads := server.Threads()
	if len(threads.IDs) != 1 || threads.Priority != threadPriority {
		t.Fatalf("threads %+v", threads)
	}
	if policy, priority := server.RealTime(); policy != "SCHED_OTHER" || priority != 0 {
		t.Errorf("scheduling %q %d, want PortAudio's own", policy, priority)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/status", threads.IDs[0]))
	if err != nil {
		t.Fatal(err)
	}
	// SIGKILL, SIGSTOP and libc's own two cannot be blocked.
	if !strings.Contains(string(status), "SigBlk:\tfffffffe7ffbfeff") {
		t.Errorf("the audio thread takes signals:\n%s", status)
	}
}

func TestDevicesAreClosedAndOpenedAgain(t *testing.T) {
	alsa(t)
	server, core := newServer(t, audio.Options{OutputDevice: "recorder", InputDevice: "player"})
	files := 0
	for i := range 4 {
		if _, err := server.Open(stereo); err != nil {
			t.Fatal(err)
		}
		runCycles(t, core, 3)
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
		open, err := filepath.Glob("/proc/self/fd/*")
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 && len(open) > files {
			t.Errorf("%d files open, %d before", len(open), files)
		}
		files = len(open)
	}
	played, _ := core.Played()
	time.Sleep(50 * time.Millisecond)
	if now, _ := core.Played(); now != played {
		t.Error("the core is called after Close")
	}
	if err := server.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestDevicesOfALSAAreListed(t *testing.T) {
	alsa(t)
	found, err := Devices()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, device := range found {
		names = append(names, device.Name)
	}
	if !slices.Equal(names, []string{"recorder", "player", "default"}) {
		t.Errorf("devices %q", names)
	}
	if last := found[len(found)-1]; !last.DefaultOutput || !last.DefaultInput || last.HostAPI != "ALSA" || last.Outputs < 64 {
		t.Errorf("default %+v", last)
	}
}
