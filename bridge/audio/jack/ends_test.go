package jack

import (
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/testbed/jacktest"
)

// A host of several guests has two clients for each. When the first of its ends opens its
// clients again, libjack deletes those of the others, which have not closed theirs.
func TestSeveralEndsOfAProcessOutliveTheirServer(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	names := []string{"a", "b", "c"}
	servers, cores := make([]*Server, len(names)), make([]*jacktest.Core, len(names))
	configOf := func(i int) audio.Config {
		return audio.Config{Name: names[i], SendChannels: 2, ReceiveChannels: 2}
	}
	for i := range names {
		servers[i], cores[i] = newServer(t, jackd.Name, nil)
		open(t, servers[i], configOf(i))
	}
	for range 5 {
		for _, core := range cores {
			runCycles(t, core, 10)
		}
		jackd.Kill()
		for _, server := range servers {
			expectEvent(t, server, audio.Lost, 2*time.Second)
		}
		jackd.Restart(256)
		for i, server := range servers {
			if err := server.Close(); err != nil {
				t.Fatal(err)
			}
			open(t, server, configOf(i))
		}
	}
	// One that leaves and comes back disturbs no other.
	for range 5 {
		if err := servers[1].Close(); err != nil {
			t.Fatal(err)
		}
		runCycles(t, cores[0], 10)
		open(t, servers[1], configOf(1))
		for _, core := range cores {
			runCycles(t, core, 10)
		}
	}
}
