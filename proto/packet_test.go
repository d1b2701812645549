package proto

import "testing"

func TestPacketsDivideThePeriodAndFitThePath(t *testing.T) {
	tests := []struct {
		format Format
		period int
		want   int
	}{
		{Format{L24, 48000, 2}, 32, 32},
		{Format{L24, 48000, 2}, 64, 64},
		{Format{L24, 48000, 2}, 256, 128},
		{Format{L24, 48000, 2}, 512, 128},
		{Format{L16, 48000, 2}, 256, 256},
		{Format{F32, 48000, 2}, 256, 128},
		{Format{F32, 48000, 8}, 32, 32},
		{Format{F32, 48000, 8}, 256, 32},
		{Format{L24, 48000, 2}, 353, 202}, // a prime period cannot be divided
	}
	for _, test := range tests {
		got := PacketFrames(test.format, test.period)
		if got != test.want {
			t.Errorf("%s, period %d: packets of %d frames, want %d", test.format, test.period, got, test.want)
		}
		if bytes := got * test.format.BytesPerFrame(); bytes+12+8+8+40 > 1280 {
			t.Errorf("%s, period %d: %d bytes do not fit 1280", test.format, test.period, bytes)
		}
	}
}
