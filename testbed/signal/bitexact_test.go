package signal

import (
	"math"
	"testing"
)

func TestNoiseIsKnownAndOnItsGrid(t *testing.T) {
	// The first outputs of splitmix64 with seed 1234567, from its reference code.
	for i, want := range []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423} {
		if got := randomBits(1234567, uint64(i)); got != uint32(want>>32) {
			t.Errorf("number %d: %d, want %d", i, got, uint32(want>>32))
		}
	}
	for i, x := range Noise(5, 0, 10000, false) {
		if k := float64(x) * (1 << 23); k != math.Trunc(k) || math.Abs(k) > 1<<22 {
			t.Fatalf("frame %d: %g is off the grid", i, x)
		}
	}
	finer := 0
	for _, x := range Noise(5, 0, 10000, true) {
		if k := float64(x) * (1 << 23); k != math.Trunc(k) {
			finer++
		}
	}
	if finer < 1000 {
		t.Errorf("only %d of 10000 floats use more than 24 bits' grid", finer)
	}
	if a, b := Noise(9, 100, 50, true), Noise(9, 0, 150, true)[100:]; a[0] != b[0] || a[49] != b[49] {
		t.Error("noise from frame 100 is not the noise from frame 0, 100 frames on")
	}
}

func TestAnExactCopyIsOneRun(t *testing.T) {
	reference := Noise(1, 0, 100000, false)
	for _, first := range []int{0, 1, 63, 64, 12345} {
		runs := BitExact(reference, reference[first:first+50000])
		if len(runs) != 1 || runs[0] != (Run{0, 50000, true, first}) {
			t.Errorf("copy from %d: %+v", first, runs)
		}
	}
}

func TestSilenceBeforeAndSoundAfterTheReference(t *testing.T) {
	reference := Noise(1, 0, 1000, true)
	recording := append(make([]float32, 300), reference...)
	recording = append(recording, Noise(2, 0, 500, true)...)
	want := []Run{{0, 300, false, -1}, {300, 1000, true, 0}, {1300, 500, false, -1}}
	got := BitExact(reference, recording)
	if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestOneBitInOneSampleIsFound(t *testing.T) {
	reference := Noise(1, 0, 100000, true)
	random := newRandom(6)
	for range 50 {
		at := 200 + random.IntN(90000)
		recording := append([]float32{}, reference...)
		recording[at] = math.Float32frombits(math.Float32bits(recording[at]) ^ 1)
		runs := BitExact(reference, recording)
		if len(runs) != 3 || runs[1] != (Run{at, 1, false, -1}) {
			t.Errorf("bit flipped at %d: %+v", at, runs)
		}
	}
}

func TestLostAndRepeatedFramesSplitTheCopy(t *testing.T) {
	reference := Noise(1, 0, 100000, false)
	runs := BitExact(reference, PlantLoss(reference, 40000, 1))
	if len(runs) != 2 || runs[1] != (Run{40000, 59999, true, 40001}) {
		t.Errorf("one frame lost: %+v", runs)
	}
	runs = BitExact(reference, PlantRepeat(reference, 40000, 32))
	if len(runs) != 2 || runs[1] != (Run{40000, 60032, true, 39968}) {
		t.Errorf("32 frames repeated: %+v", runs)
	}
}

func TestRunsCoverTheRecording(t *testing.T) {
	reference := Noise(1, 0, 50000, false)
	recording := append([]float32{}, reference...)
	random := newRandom(7)
	for range 300 {
		recording[random.IntN(len(recording))] = 0
	}
	next := 0
	for _, run := range BitExact(reference, recording) {
		if run.Start != next || run.Length <= 0 {
			t.Fatalf("run %+v does not begin at %d", run, next)
		}
		for i := range run.Length {
			if run.Equal && recording[run.Start+i] != reference[run.Reference+i] {
				t.Fatalf("run %+v is not equal at %d", run, i)
			}
		}
		next += run.Length
	}
	if next != len(recording) {
		t.Errorf("runs end at %d of %d", next, len(recording))
	}
}

func TestScaledOrSilentSoundIsNowhereEqual(t *testing.T) {
	reference := Noise(1, 0, 20000, true)
	quieter := make([]float32, len(reference))
	for i, x := range reference {
		quieter[i] = x * 0.999
	}
	for name, recording := range map[string][]float32{"quieter": quieter, "silence": make([]float32, 20000), "short": reference[:5]} {
		if runs := BitExact(reference, recording); len(runs) != 1 || runs[0].Equal {
			t.Errorf("%s: %+v", name, runs)
		}
	}
	if runs := BitExact(reference, nil); len(runs) != 0 {
		t.Errorf("nothing recorded: %+v", runs)
	}
}
