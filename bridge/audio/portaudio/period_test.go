package portaudio

import "testing"

func TestPeriodIsAPowerOfTwoOf5msOrMore(t *testing.T) {
	for rateHz, want := range map[int]int{8000: 64, 44100: 256, 48000: 256, 96000: 512, 192000: 1024} {
		if got, err := periodOf(0, rateHz); err != nil || got != want {
			t.Errorf("%d Hz: %d frames, %v; want %d", rateHz, got, err, want)
		}
	}
}

func TestPeriodBelow5msIsRefused(t *testing.T) {
	for _, test := range []struct {
		wanted, rateHz int
		legal          bool
	}{{240, 48000, true}, {239, 48000, false}, {480, 96000, true}, {240, 96000, false}, {221, 44100, true}, {220, 44100, false},
		{8192, 48000, true}, {8193, 48000, false}} {
		got, err := periodOf(test.wanted, test.rateHz)
		if (err == nil) != test.legal || err == nil && got != test.wanted {
			t.Errorf("%d frames at %d Hz: %d, %v", test.wanted, test.rateHz, got, err)
		}
	}
	want := "period 240 at 96000 Hz: PortAudio's is 480 to 8192 frames there, 5 ms and more"
	if _, err := periodOf(240, 96000); err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
