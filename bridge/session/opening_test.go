package session

import (
	"errors"
	"testing"
	"time"
)

// Whoever calls, and however long the audio servers take: nobody says that one does not
// run before it was tried.
func TestAnAudioServerThatIsBeingOpenedIsNoFault(t *testing.T) {
	for name, calls := range map[string][2]bool{"guest calls": {true, false}, "host calls": {false, true}, "both call": {true, true}} {
		t.Run(name, func(t *testing.T) {
			guest, host := pair(t, calls[0], calls[1], unchanged)
			guest.audio.slow, host.audio.slow = 300*time.Millisecond, 500*time.Millisecond
			guest.start()
			host.start()
			eventually(t, "both run", func() bool { return guest.running() && host.running() })
			for _, end := range []*live{guest, host} {
				if n := end.log.count("not running") + end.log.count("level=WARN"); n != 0 {
					t.Errorf("false words:\n%s", end.log.text.String())
				}
			}
			guest.stop()
			host.stop()
		})
	}
}

// The log says it in one line, though calls fail for it, too.
func TestAnAudioServerThatWasTriedInVainIsAFault(t *testing.T) {
	guest, host := pair(t, true, false, unchanged)
	guest.audio.absent = errors.New("no such server")
	guest.start()
	host.start()
	eventually(t, "the guest says so", func() bool { return guest.Status().Session.LastError == "no such server" })
	time.Sleep(400 * time.Millisecond) // two calls at the least
	if n := guest.log.count("no such server"); n != 1 || guest.log.count(`msg="waiting for the audio server" reason="no such server"`) != 1 {
		t.Errorf("the guest says it in %d lines, want 1:\n%s", n, guest.log.text.String())
	}
	guest.stop()
	host.stop()
}

func TestAnEndThatEndsWhileItOpensItsAudioServerDoesNotHang(t *testing.T) {
	guest, _ := pair(t, true, false, unchanged)
	guest.audio.slow = 300 * time.Millisecond
	guest.start()
	guest.stop()
}
