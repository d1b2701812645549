package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// As jackd2 1.9.21's jack_iodelay writes.
const said = `new capture latency: [0, 0]
Signal below threshold...
   189.093 frames      3.939 ms total roundtrip latency
	extra loopback latency: 4294967101 frames
	use 2147483550 for the backend arguments -I and -O
  9189.093 frames    191.939 ms total roundtrip latency
	extra loopback latency: 4294967101 frames
	use 2147483550 for the backend arguments -I and -O ??
   190.500 frames      3.969 ms total roundtrip latency
	extra loopback latency: 4294967101 frames
	use 2147483550 for the backend arguments -I and -O Inv
   191.000 frames      3.979 ms total roundtrip latency
	extra loopback latency: 4294967101 frames
	use 2147483550 for the backend arguments -I and -O ?? Inv
   192.000 frames      4.000 ms total round`

func TestReadingsThatAreWholeAndNotInDoubtCount(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(log, []byte(said), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		from int64
		want []float64
	}{{0, []float64{189.093, 190.5}}, {200, []float64{190.5}}, {1 << 20, nil}} {
		got, err := readings(log, test.from)
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("from %d: %v, %v; want %v", test.from, got, err, test.want)
		}
	}
}

func TestWithoutALogThereIsAnError(t *testing.T) {
	if _, err := readings(filepath.Join(t.TempDir(), "none"), 0); err == nil {
		t.Error("no error")
	}
}
