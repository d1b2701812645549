package interop

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"archibald-bridge/proto"
	"archibald-bridge/testbed/recording"
	"archibald-bridge/testbed/signal"
)

var recorded = Case{Peer: GStreamer, Direction: Send, Encoding: proto.L16, Channels: 3, RateHz: 8000}

// played is a case whose peer has recorded what was played, changed by edit.
func played(t *testing.T, c Case, edit func(channels [][]float32)) Result {
	t.Helper()
	path := filepath.Join(t.TempDir(), "raw")
	if err := writeRaw(path, c, 7, 8*c.RateHz); err != nil {
		t.Fatal(err)
	}
	channels, err := readRaw(path, c)
	if err != nil {
		t.Fatal(err)
	}
	edit(channels)
	result := Result{Case: c, Wire: Wire{Streams: 1}}
	result.judgeChannels(channels, 7)
	return result
}

func TestACopyIsExactInEitherEncoding(t *testing.T) {
	for _, encoding := range []proto.Encoding{proto.L16, proto.L24} {
		c := recorded
		c.Encoding = encoding
		r := played(t, c, func([][]float32) {})
		if r.Verdict() != "bit-exact" || r.Fault() != "" || r.Compared != 2*8*8000 {
			t.Errorf("%s: %s, %q, %d frames", encoding, r.Verdict(), r.Fault(), r.Compared)
		}
	}
}

func TestTheJudgeFindsPlantedFaults(t *testing.T) {
	const at, noise = 30000, 1
	for name, test := range map[string]struct {
		edit func([][]float32)
		want string
	}{
		"one bit":            {func(c [][]float32) { c[noise][at] += 1.0 / 32768 }, "1 differ"},
		"a frame lost":       {func(c [][]float32) { c[noise] = signal.PlantLoss(c[noise], at, 1) }, "1 jumps"},
		"a frame twice":      {func(c [][]float32) { c[noise] = signal.PlantRepeat(c[noise], at, 1) }, "jumps"},
		"a channel late":     {func(c [][]float32) { c[noise] = slices.Concat(make([]float32, 1), c[noise]) }, "1 channels out of step"},
		"channels swapped":   {func(c [][]float32) { c[1], c[2] = c[2], c[1] }, "of 0 frames"},
		"a channel missing":  {func(c [][]float32) { clear(c[2]) }, "channel 3 has nothing of the sound of channel 3"},
		"the wrong channel":  {func(c [][]float32) { c[2] = c[1] }, "channel 3 has the sound of channel 2, not of channel 3"},
		"the tone broken":    {func(c [][]float32) { c[0] = signal.PlantLoss(c[0], 45000, 5) }, "gaps in the tone"},
		"the tone elsewhere": {func(c [][]float32) { c[0] = c[1] }, "played 313 Hz"},
	} {
		if r := played(t, recorded, test.edit); !strings.Contains(r.Fault(), test.want) || r.Exact() && !strings.Contains(name, "tone") {
			t.Errorf("%s: %q, want %q", name, r.Fault(), test.want)
		}
	}
}

func TestAChannelInThePlaceOfAnotherIsNamed(t *testing.T) {
	c := recorded
	c.Channels, c.Peer = 4, FFmpeg
	r := played(t, c, func(c [][]float32) { c[1], c[2] = c[2], c[1] })
	for _, want := range []string{"channel 2 has the sound of channel 3, not of channel 2", "channel 3 has the sound of channel 2, not of channel 3"} {
		if !strings.Contains(r.Fault(), want) {
			t.Errorf("%q", r.Fault())
		}
	}
	if r.Verdict() != "**wrong sound**" || r.Exact() {
		t.Errorf("%s", r.Verdict())
	}
}

func TestGStreamersOrderOfEightChannelsIsJudgedAsItIs(t *testing.T) {
	c := recorded
	c.Channels = 8
	as := func(order ...int) func([][]float32) {
		return func(channels [][]float32) {
			moved := slices.Clone(channels)
			for i, from := range order {
				channels[i] = moved[from]
			}
		}
	}
	if r := played(t, c, as(0, 1, 2, 3, 6, 7, 4, 5)); r.Fault() != "" || r.Verdict() != "bit-exact" {
		t.Errorf("the order of 1.22: %s", r.Fault())
	}
	if r := played(t, c, as(0, 1, 2, 3, 4, 5, 6, 7)); !strings.Contains(r.Fault(), "channel 5 has the sound of channel 5, not of channel 7") {
		t.Errorf("as it was played: %q", r.Fault())
	}
	c.Peer = FFmpeg
	if r := played(t, c, as(0, 1, 2, 3, 4, 5, 6, 7)); r.Fault() != "" {
		t.Errorf("ffmpeg: %s", r.Fault())
	}
}

// A stall is no reason to try a wrong pitch again, nor a wrong sample.
func TestAStallAloneMayHaveMadeJumpsAndNothingElse(t *testing.T) {
	jumped := Result{Case: Case{Direction: Send}, Compared: 48000, Jumps: 1, Stalls: 1}
	for name, c := range map[string]struct {
		spoil     func(*Result)
		disturbed bool
	}{
		"a jump":                          {func(*Result) {}, true},
		"a jump without a stall":          {func(r *Result) { r.Stalls = 0 }, false},
		"a wrong sample":                  {func(r *Result) { r.Different = 1 }, false},
		"nothing compared":                {func(r *Result) { r.Compared = 0 }, false},
		"a channel out of step":           {func(r *Result) { r.OutOfStep = 1 }, false},
		"a wrong pitch":                   {func(r *Result) { r.WrongTone = []string{"channel 1"} }, false},
		"a jump of our receiver":          {func(r *Result) { r.Direction = Receive }, false},
		"a wrong pitch, server lost time": {func(r *Result) { r.WrongTone, r.Losses = []string{"channel 1"}, 1 }, true},
	} {
		r := jumped
		c.spoil(&r)
		if r.Disturbed() != c.disturbed {
			t.Errorf("%s: disturbed %v", name, r.Disturbed())
		}
	}
}

func TestAJumpIsForgivenOnlyWhereAServerLostTime(t *testing.T) {
	lose := func(c [][]float32) {
		for i := range c {
			c[i] = signal.PlantLoss(c[i], 30000, 5)
		}
	}
	r := played(t, recorded, lose)
	if r.Exact() || r.Fault() == "" {
		t.Error("a jump of its own")
	}
	r.Losses = 1
	if !r.Exact() || r.Fault() != "" || r.Verdict() != "bit-exact, but where a server lost time (1 times)" {
		t.Errorf("%s, %q", r.Verdict(), r.Fault())
	}
}

func TestOfPipeWiresReceiverSingleFramesAreForgivenAndNoMore(t *testing.T) {
	c := recorded
	c.Peer = PipeWire
	for frames, fault := range map[int]bool{1: false, 3: true} {
		r := played(t, c, func(channels [][]float32) { channels[0] = signal.PlantLoss(channels[0], 45000, frames) })
		if len(r.Gaps) != 1 || (r.Fault() != "") != fault {
			t.Errorf("%d frames lost: %q, gaps %v", frames, r.Fault(), r.Gaps)
		}
	}
}

func TestTheJudgeMindsWhatWasOnTheWire(t *testing.T) {
	for want, wire := range map[string]Wire{
		"3 packets lost":         {Streams: 1, Lost: 3},
		"2 streams":              {Streams: 2},
		"1 packets beside":       {Streams: 1, Strays: 1},
		"tshark sees 0 streams,": {},
	} {
		r := played(t, recorded, func([][]float32) {})
		r.Wire = wire
		if !strings.Contains(r.Fault(), want) {
			t.Errorf("%+v: %q, want %q", wire, r.Fault(), want)
		}
	}
}

// What a receiver plays before it has found the clock is no fault.
func TestOnlyWhatIsBehindTheFirstLongCopyIsCompared(t *testing.T) {
	r := played(t, recorded, func(c [][]float32) {
		for _, samples := range c[1:] {
			clear(samples[:20000])
		}
	})
	if !r.Exact() || r.Compared != 2*(64000-20000) {
		t.Errorf("%s of %d frames", r.Verdict(), r.Compared)
	}
}

func TestAfterARestartTheSoundMustComeBackToStay(t *testing.T) {
	c := recorded
	c.Restart = Ours
	for name, test := range map[string]struct {
		from, to int // of the silence
		exact    bool
	}{
		"back": {20000, 30000, true}, "gone": {30000, 64000, false}, "back too late": {20000, 62000, false},
	} {
		r := played(t, c, func(channels [][]float32) {
			for _, samples := range channels[1:] {
				clear(samples[test.from:test.to])
				if test.to == len(samples) {
					samples[test.to-1] = 0.5 // something else sounds at the end
				}
			}
		})
		if r.Exact() != test.exact {
			t.Errorf("%s: %s, %d frames", name, r.Verdict(), r.Compared)
		}
	}
}

func TestAReportOnThePortOfTheSoundIsAStray(t *testing.T) {
	r := &run{Case: recorded, port: 5004}
	var w Wire
	next := map[string]uint32{}
	for _, p := range []struct {
		port   int
		fields []string
	}{
		{5004, []string{"0x07", "100", "164", ""}}, // 24 frames of three channels
		{5004, []string{"0x07", "124", "164", ""}},
		{5004, []string{"0x07", "150", "164", ""}}, // two frames late
		{5005, []string{"", "", "60", "200"}},
		{5004, []string{"", "", "60", "200"}},
		{5005, []string{"0x07", "100", "164", ""}},
	} {
		if err := w.packet(r, p.port, p.fields, next); err != nil {
			t.Fatal(err)
		}
	}
	if want := (Wire{Frames: []int{24}, Breaks: 1, Controls: 1, Strays: 2}); w.Breaks != want.Breaks || w.Controls != want.Controls ||
		w.Strays != want.Strays || !slices.Equal(w.Frames, want.Frames) {
		t.Errorf("%+v, want %+v", w, want)
	}
}

func TestTsharksTableOfStreamsIsRead(t *testing.T) {
	const text = `========================= RTP Streams ========================
   Start time      End time     Src IP addr  Port    Dest IP addr  Port       SSRC          Payload  Pkts         Lost   Min Delta(ms)  Mean Delta(ms)   Max Delta(ms)  Min Jitter(ms) Mean Jitter(ms)  Max Jitter(ms) Problems?
     0.501241      15.741241      10.47.12.1 40000      10.47.12.2 20000 0xB7E0EF85             97 15253     0 (0.0%)           0.000           1.000          10.000           0.000           0.001           0.020
     0.731241      15.741241      10.47.12.1 40012     239.69.12.6 20012 0x99BEAD61 RTPType-96 14746 -4722 (-47.1%)           0.000           1.000          10.000           0.000           0.001           0.020 X
==============================================================
`
	var got []string
	for _, match := range streamLine.FindAllStringSubmatch(text, -1) {
		got = append(got, strings.Join(match[1:], " "))
	}
	if want := []string{"20000 15253 0", "20012 14746 -4722"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWhoseSoundIsWhoseInARecording(t *testing.T) {
	var runs []*run
	for _, c := range []Case{
		{Peer: PipeWire, Direction: Send, Channels: 2}, {Peer: GStreamer, Direction: Receive, Channels: 8},
		{Peer: PipeWire, Direction: Receive, Channels: 2}, {Peer: PipeWire, Direction: Send, Channels: 3},
	} {
		runs = append(runs, &run{Case: c})
	}
	ours, theirs := new(recording.Recording), new(recording.Recording)
	ours.Sound.Channels, theirs.Sound.Channels = make([][]float32, 10), make([][]float32, 5)
	ours.Sound.Channels[8], theirs.Sound.Channels[2] = []float32{1}, []float32{2}
	for i, want := range map[int]float32{2: 1, 3: 2} {
		got, err := new(Rig).sound(runs[i], runs, ours, theirs)
		if err != nil || len(got) != runs[i].Channels || len(got[0]) != 1 || got[0][0] != want {
			t.Errorf("case %d: %v, %v", i, got, err)
		}
	}
}
