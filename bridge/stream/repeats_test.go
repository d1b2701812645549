package stream

import "testing"

func TestDistancesInFrames(t *testing.T) {
	for _, c := range []struct {
		copies, distance, period int
		want                     Repeats
		span                     int
	}{
		{0, 0, 64, Repeats{}, 0},
		{0, 3, 64, Repeats{}, 0},
		{1, 0, 64, Repeats{1, 0}, 0},
		{1, 2, 64, Repeats{1, 128}, 128},
		{2, 2, 64, Repeats{2, 128}, 256},
		{2, 8, 32, Repeats{2, 256}, 512},
		{1, 2, 0, Repeats{1, 0}, 0}, // a peer that did not say its period
		{2, 8, 480, Repeats{2, 3840}, 7680},
		{2, 8, 512, Repeats{2, 7 * 512}, 7168}, // its own period counts, too
		{1, 8, 1024, Repeats{1, 7 * 1024}, 7168},
		{1, 8, 8192, Repeats{1, 0}, 0},
		{2, 8, 65536, Repeats{2, 0}, 0},
	} {
		got := RepeatsOf(c.copies, c.distance, c.period)
		if got != c.want || got.SpanFrames() != c.span {
			t.Errorf("%d copies %d periods of %d frames apart: %+v, last after %d", c.copies, c.distance, c.period, got, got.SpanFrames())
		}
		if got.SpanFrames() > 0 && got.SpanFrames()+c.period > MaxRepeatFrames {
			t.Errorf("%+v is too long", got)
		}
	}
}
