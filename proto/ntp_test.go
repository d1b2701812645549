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

// The example of RFC 3550, section 6.4.1, figure 2.
func TestRoundTripOfTheRFCsExample(t *testing.T) {
	report := Reception{LastSR: 0xb7052000, DelaySinceLastSR: 5250 * time.Millisecond}
	got, ok := RoundTrip(NTPTime(0xb7108000<<16), report)
	if want := 6125 * time.Millisecond; !ok || got != want {
		t.Errorf("got %v, %v, want %v", got, ok, want)
	}
}

func TestRoundTripAcrossTheWrapOfTheMiddle32Bits(t *testing.T) {
	sent := time.Unix(1_700_000_000, 0)
	for sent.Unix()&0xffff != (-ntpUnixOffset)&0xffff-1 { // one second before the wrap
		sent = sent.Add(time.Second)
	}
	const hold, trip = 1700 * time.Millisecond, 800 * time.Microsecond
	now := NTPFrom(sent.Add(hold + trip))
	lastSR := NTPFrom(sent).Middle()
	if now.Middle() > lastSR {
		t.Fatalf("no wrap between %08x and %08x", lastSR, now.Middle())
	}
	got, ok := RoundTrip(now, Reception{LastSR: lastSR, DelaySinceLastSR: hold})
	if !ok || got < trip-31*time.Microsecond || got > trip+31*time.Microsecond {
		t.Errorf("got %v, %v, want %v within two units of 15 us", got, ok, trip)
	}
}

func TestNoRoundTripWithoutASenderReport(t *testing.T) {
	if got, ok := RoundTrip(NTPFrom(time.Unix(1_700_000_000, 0)), Reception{}); ok {
		t.Errorf("got %v", got)
	}
}

func TestImpossibleRoundTripIsRefused(t *testing.T) {
	sent := time.Unix(1_700_000_000, 0)
	report := Reception{LastSR: NTPFrom(sent).Middle(), DelaySinceLastSR: 2 * time.Second}
	if got, ok := RoundTrip(NTPFrom(sent.Add(time.Second)), report); ok {
		t.Errorf("held longer than it was away: got %v", got)
	}
	// Rounding may take a hair off a round trip of next to nothing.
	if got, ok := RoundTrip(NTPFrom(sent.Add(2*time.Second-20*time.Microsecond)), report); !ok || got != 0 {
		t.Errorf("got %v, %v, want 0", got, ok)
	}
}
