package endtoend

import (
	"testing"
	"time"

	"archibald-bridge/bridge/status"
)

func house(t *testing.T, guests, periodFrames int, flags ...string) *House {
	t.Helper()
	h, err := NewHouse(guests, periodFrames, flags...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("host:\n%s", h.Host.LogTail())
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// One guest is killed and comes back: the others hear nothing of it, and none hears
// another.
func TestGuestsOfOneHostDoNotHearEachOtherNorTheDeathOfOne(t *testing.T) {
	const dies = 2 // it has a jackd for itself
	h := house(t, 3, 256, "--format", "L24", "--latency", "100ms")
	crowd, err := h.Play(14*time.Second, 100*time.Millisecond, func() error {
		time.Sleep(5 * time.Second)
		h.Guests[dies].Kill9()
		time.Sleep(time.Second)
		if err := h.Guests[dies].Restart(); err != nil {
			return err
		}
		return h.WaitUp(5 * time.Second)
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, guest := range crowd.Guests {
		for _, heard := range []Heard{guest.AtHost, guest.AtGuest} {
			t.Logf("%s: %.3f Hz at %.2f dBFS, leak %.1f dBFS, gaps %d, ours %d",
				heard.Channel, heard.Tone.FrequencyHz, heard.Tone.LevelDBFS, heard.LeakDBFS, len(heard.Gaps), heard.Ours())
			if i != dies {
				check(t, heard, crowd.ServerFailures())
				continue
			}
			if len(heard.Gaps) == 0 {
				t.Errorf("%s: the guest was killed, and no gap was found", heard.Channel)
			}
			if heard.Tone.LevelDBFS < toneDBFS-0.1 {
				t.Errorf("%s: %.2f dBFS", heard.Channel, heard.Tone.LevelDBFS)
			}
		}
	}
	s, err := h.Status()
	if err != nil || len(s.Guests) != 3 || s.Places != 3 || s.Session.State != status.SessionUp {
		t.Errorf("status: %d of %d guests, %s, %v", len(s.Guests), s.Places, s.Session.State, err)
	}
	for _, guest := range s.Guests {
		if reconnects := guest.Session.Reconnects; (reconnects > 0) != (guest.Name == guestName(dies)) {
			t.Errorf("%s has %d reconnects", guest.Name, reconnects)
		}
	}
}
