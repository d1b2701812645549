package guests

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"archibald-bridge/proto"
)

func TestWhoIsNoGuestTakesNoPlace(t *testing.T) {
	s := serve(t, 2, false)
	s.refused("ann", proto.Host, http.StatusBadRequest, "both ends are hosts")
	s.refused("Ann!", proto.Guest, http.StatusBadRequest, "legal is at most 32 of a-z, 0-9 and -")
	if got := s.status(); len(got.Guests) != 0 || got.Slots != 2 {
		t.Errorf("%d guests of %d", len(got.Guests), got.Slots)
	}
	if got := s.status().Session.RejectedCalls.Refused; got == 0 {
		t.Error("the status has no call that was refused")
	}
}

func TestACallThatIsAnsweredIsTheEndOfTheRefusals(t *testing.T) {
	s := serve(t, 2, false)
	s.refused("", proto.Host, http.StatusBadRequest, "both ends are hosts")
	if got := s.status().Session.LastError; !strings.Contains(got, "both ends are hosts") {
		t.Errorf("last error %q", got)
	}
	s.answered("laptop")
	if got := s.status().Session.LastError; got != "" {
		t.Errorf("last error %q of a host with a guest", got)
	}
}

func TestAnOfferThatDoesNotFitMakesNoEnd(t *testing.T) {
	s := serve(t, 2, false)
	for what, change := range map[string]func(*proto.Description){
		"another version":       func(d *proto.Description) { d.Version++ },
		"an unknown encoding":   func(d *proto.Description) { d.Payloads = []proto.Payload{{Type: 100, Encoding: proto.L16}} },
		"nothing to do":         func(d *proto.Description) { d.SendChannels, d.ReceiveChannels = 1, 0; d.Role = proto.Host },
		"a stream of no bridge": func(d *proto.Description) { d.Version = 0 },
	} {
		if code, body := s.offer("made-up", proto.Guest, change); code == http.StatusCreated {
			t.Errorf("%s: %d %s", what, code, body)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.made) != 0 {
		t.Errorf("ends were made: %q", s.made)
	}
}

func TestAnOfferOfAnotherRateGivesItsPlaceBackAtOnce(t *testing.T) {
	s := serve(t, 1, false)
	code, body := s.offer("made-up", proto.Guest, func(d *proto.Description) { d.RateHz = 44100 })
	if code != http.StatusConflict || !strings.Contains(body, "44100 Hz") {
		t.Errorf("%d %s", code, body)
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		if code, body := s.call("ann", proto.Guest); code == http.StatusCreated {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("the slot is not free: %d %s", code, body)
		}
	}
}

func TestOffersOfAnotherRateAgainAndAgainMakeOneEnd(t *testing.T) {
	s := serve(t, 2, false)
	for i := range 20 {
		code, body := s.offer(fmt.Sprint("made-up-", i), proto.Guest, func(d *proto.Description) { d.RateHz = 44100 })
		if code != http.StatusConflict || !strings.Contains(body, "44100 Hz") {
			t.Errorf("%d %s", code, body)
		}
	}
	s.mu.Lock()
	if len(s.made) != 1 {
		t.Errorf("ends were made: %q", s.made)
	}
	s.mu.Unlock()
	s.server.mu.Lock()
	s.foundAt = s.foundAt.Add(-foundHolds) // PipeWire may run at another rate by now
	s.server.mu.Unlock()
	s.offer("made-up", proto.Guest, func(d *proto.Description) { d.RateHz = 44100 })
	if s.mu.Lock(); len(s.made) != 2 {
		t.Errorf("ends were made: %q", s.made)
	}
	s.mu.Unlock()
	if n := s.logged("gives its slot"); n != 0 {
		t.Errorf("%d lines say that a guest is gone", n)
	}
}

func TestAGuestThatCannotBeServedDoesNotFillTheLog(t *testing.T) {
	s := serve(t, 2, false)
	s.fails = errors.New("no memory")
	for range 20 {
		s.refused("ann", proto.Guest, http.StatusServiceUnavailable, "its log says why")
	}
	if n := s.logged("no memory"); n != 1 {
		t.Errorf("%d lines", n)
	}
}

func TestAnOfferOfAnotherRateMakesNoEndWhereOneIsThereToAsk(t *testing.T) {
	s := serve(t, 3, false)
	s.answered("ann")
	if code, body := s.offer("made-up", proto.Guest, func(d *proto.Description) { d.RateHz = 44100 }); code != http.StatusConflict || !strings.Contains(body, "44100 Hz") {
		t.Errorf("%d %s", code, body)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.made) != 1 {
		t.Errorf("ends were made: %q", s.made)
	}
}

func TestWhoOnlyCallsHoldsNoPlace(t *testing.T) {
	s := serve(t, 1, false)
	s.answered("mute") // has a session, and never sends
	now := time.Now()
	for range 12 {
		now = now.Add(time.Second)
		s.noteUse(now)
	}
	if _, _, err := s.endFor("ann", now); err == nil || !strings.Contains(err.Error(), "being made free") {
		t.Errorf("after %s without a sound: %v", neverCame, err)
	}
}
