package proto

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func TestNTPTimeKnownValues(t *testing.T) {
	for _, c := range []struct {
		time time.Time
		want NTPTime
	}{
		{time.Unix(0, 0), 2208988800 << 32},
		{time.Unix(0, 500_000_000), 2208988800<<32 | 1<<31},
		{time.Date(2036, 2, 7, 6, 28, 15, 0, time.UTC), math.MaxUint32 << 32},
		{time.Date(2036, 2, 7, 6, 28, 16, 0, time.UTC), 0}, // the wrap
	} {
		if got := NTPFrom(c.time); got != c.want {
			t.Errorf("%v: %x, want %x", c.time, got, c.want)
		}
		if got := c.want.Time(); !got.Equal(c.time) {
			t.Errorf("%x: %v, want %v", c.want, got, c.time)
		}
	}
}

func TestNTPTimeKeepsTheNanosecond(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	first := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	last := time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	for range 20000 {
		want := time.Unix(first+r.Int64N(last-first), r.Int64N(1_000_000_000))
		if got := NTPFrom(want).Time(); !got.Equal(want) {
			t.Fatalf("%v came back as %v", want, got)
		}
	}
}
