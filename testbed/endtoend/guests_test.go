package endtoend

import (
	"math"
	"testing"
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/testbed/gate"
)

func house(t *testing.T, onJACK bool, guests int, flags ...string) *House {
	t.Helper()
	h, err := newHouse(onJACK, guests, 48000, 256, 2, flags...)
	if err != nil {
		t.Fatal(err)
	}
	h.Ask = true
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
	neitherEachOtherNorADeath(t, house(t, false, 3, "--format", "L24", "--latency", "100ms"))
}

// The same with a pair of clients for each guest, in one process on one JACK server.
func TestGuestsOfAHostOnJACKDoNotHearEachOtherNorTheDeathOfOne(t *testing.T) {
	neitherEachOtherNorADeath(t, house(t, true, 2, "--format", "L24", "--latency", "100ms"))
}

func neitherEachOtherNorADeath(t *testing.T, h *House) {
	t.Helper()
	dies := len(h.Guests) - 1 // it has a jackd for itself
	crowd, err := h.Play(gate.Soak(11*time.Second, 14*time.Second), 100*time.Millisecond, func() error {
		time.Sleep(4 * time.Second)
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
				check(t, heard)
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
	if err != nil || len(s.Guests) != len(h.Guests) || s.Slots != len(h.Guests) || s.Session.State != status.SessionUp {
		t.Errorf("status: %d of %d guests, %s, %v", len(s.Guests), s.Slots, s.Session.State, err)
	}
	for _, guest := range s.Guests {
		if reconnects := guest.Session.Reconnects; (reconnects > 0) != (guest.Name == guestName(dies)) {
			t.Errorf("%s has %d reconnects", guest.Name, reconnects)
		}
	}
}

func TestEachGuestHasItsOwnVolumeAndMute(t *testing.T) {
	h := house(t, false, 3, "--latency", "100ms")
	for _, set := range [][3]string{
		{"archibald-g1-from-guest", "set-volume", "0.5"}, // PipeWire's scale is cubic: -18.06 dB
		{"archibald-g2-from-guest", "set-mute", "1"},
		{"archibald-g2-to-guest", "set-volume", "0.5"},
		{"archibald-g3-to-guest", "set-mute", "1"},
	} {
		if err := h.SetControl(set[0], set[1], set[2]); err != nil {
			t.Fatal(set, err)
		}
	}
	atHost, atGuests, err := h.Peaks(4 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	full := math.Pow(10, toneDBFS/20)
	for i, want := range []struct{ atHost, atGuest float64 }{{full / 8, full}, {0, full / 8}, {full, 0}} {
		if math.Abs(atHost[i]-want.atHost) > 0.01*full || math.Abs(atGuests[i]-want.atGuest) > 0.01*full {
			t.Errorf("%s: at the host %.4f, at the guest %.4f; want %.4f and %.4f", guestName(i), atHost[i], atGuests[i], want.atHost, want.atGuest)
		}
	}
}
