package signaling

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"archibald-bridge/proto"
)

// The guest's SSRC is below the host's, so that it wins a glare.
func glarePair(t *testing.T) (winner, loser *end) {
	t.Helper()
	guestAddr, hostAddr := freeAddr(t, guestIP), freeAddr(t, hostIP)
	winner = newEnd(t, proto.Guest, guestAddr, hostAddr)
	loser = newEnd(t, proto.Host, hostAddr, guestAddr)
	winner.local.SSRC, loser.local.SSRC = 10, 20
	return winner, loser
}

// offerOf is an offer under way, as the calling goroutine makes it.
func offerOf(t *testing.T, e *end) proto.Description {
	t.Helper()
	local, generation, err := e.Endpoint.local()
	if err != nil {
		t.Fatal(err)
	}
	offer, ok := e.begin(local, generation)
	if !ok {
		t.Fatal("no reason to call")
	}
	return offer
}

// answerOf lets an end answer an offer.
func answerOf(e *end, offer proto.Description) (id string, answer proto.Description, err error) {
	return e.answer(offer, call{from: netip.MustParseAddrPort("127.0.0.79:40000"), at: hostIP})
}

// sessionOf is what a caller makes of an answer.
func sessionOf(t *testing.T, id string, offer, answer proto.Description) Session {
	t.Helper()
	agreement, err := proto.Accept(offer, answer)
	if err != nil {
		t.Fatal(err)
	}
	return Session{ID: id, Agreement: agreement, Called: true}
}

func expectSame(t *testing.T, a, b *end, want string) {
	t.Helper()
	if !a.knows(want) || !b.knows(want) {
		sa, _ := a.Current()
		sb, _ := b.Current()
		t.Errorf("sessions %q and %q, want %q", sa.ID, sb.ID, want)
	}
}

func TestCrossedOffersTheLowerSSRCWins(t *testing.T) {
	for _, winnersFirst := range []bool{true, false} {
		winner, loser := glarePair(t)
		winners, losers := offerOf(t, winner), offerOf(t, loser)

		var id string
		var answer proto.Description
		accept := func() {
			var err error
			if id, answer, err = answerOf(loser, winners); err != nil {
				t.Fatalf("the loser refused: %v", err)
			}
		}
		if winnersFirst {
			accept()
		}
		if _, _, err := answerOf(winner, losers); !errors.Is(err, errGlare) {
			t.Fatalf("the winner said %v", err)
		}
		if !winnersFirst {
			accept()
		}
		loser.abort(true)
		if !winner.finish(sessionOf(t, id, winners, answer), answer.Revision, 0) {
			t.Fatal("the winner does not want its own session")
		}
		expectSame(t, winner, loser, id)
	}
}

func TestLosersOfferIsTakenBeforeTheWinnerCalls(t *testing.T) {
	winner, loser := glarePair(t)
	losers := offerOf(t, loser)
	id, answer, err := answerOf(winner, losers)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := winner.begin(winner.local, 0); ok {
		t.Error("the winner calls all the same")
	}
	loser.finish(sessionOf(t, id, losers, answer), answer.Revision, 0)
	expectSame(t, winner, loser, id)
}

func TestLosersOfferThatArrivesAfterTheWinnersWasAnsweredIsRefused(t *testing.T) {
	winner, loser := glarePair(t)
	winners, losers := offerOf(t, winner), offerOf(t, loser)
	id, answer, err := answerOf(loser, winners)
	if err != nil {
		t.Fatal(err)
	}
	winner.finish(sessionOf(t, id, winners, answer), answer.Revision, 0)
	if _, _, err := answerOf(winner, losers); !errors.Is(err, errGlare) {
		t.Errorf("the winner said %v", err)
	}
	loser.abort(true)
	expectSame(t, winner, loser, id)
}

func TestOvertakenOfferIsTakenWhenTheSessionIsGone(t *testing.T) {
	winner, loser := glarePair(t)
	winners, losers := offerOf(t, winner), offerOf(t, loser)
	first, answer, err := answerOf(loser, winners)
	if err != nil {
		t.Fatal(err)
	}
	winner.finish(sessionOf(t, first, winners, answer), answer.Revision, 0)
	winner.Drop("test")
	second, answer, err := answerOf(winner, losers)
	if err != nil {
		t.Fatal(err)
	}
	loser.finish(sessionOf(t, second, losers, answer), answer.Revision, 0)
	expectSame(t, winner, loser, second)
}

func TestPeerWhoseClockWentBackIsTakenAfterAMoment(t *testing.T) {
	winner, loser := glarePair(t)
	now := time.Unix(1_700_000_000, 0)
	loser.now = func() time.Time { return now }
	offer := winner.local
	offer.Revision = 1000
	if _, _, err := answerOf(loser, offer); err != nil {
		t.Fatal(err)
	}
	offer.Revision = 10 // restarted, an hour in the past
	if _, _, err := answerOf(loser, offer); !errors.Is(err, errGlare) {
		t.Errorf("at once: %v", err)
	}
	now = now.Add(readTimeout)
	if _, _, err := answerOf(loser, offer); err != nil {
		t.Errorf("later: %v", err)
	}
}

func TestLateAnswerDoesNotUndoALaterOffer(t *testing.T) {
	winner, loser := glarePair(t)
	losers := offerOf(t, loser)
	first, firstAnswer, err := answerOf(winner, losers)
	if err != nil {
		t.Fatal(err)
	}
	// Before the loser has read that, the winner renegotiates.
	winner.Drop("test")
	winners := offerOf(t, winner)
	second, answer, err := answerOf(loser, winners)
	if err != nil {
		t.Fatal(err)
	}
	winner.finish(sessionOf(t, second, winners, answer), answer.Revision, 0)
	if !loser.finish(sessionOf(t, first, losers, firstAnswer), firstAnswer.Revision, 0) {
		t.Error("the loser hangs up")
	}
	expectSame(t, winner, loser, second)
}

func TestOfferOfAWinnerThatGaveUpIsFreeAgain(t *testing.T) {
	winner, loser := glarePair(t)
	offerOf(t, winner)
	winner.abort(false) // no reply
	losers := offerOf(t, loser)
	if _, _, err := answerOf(winner, losers); err != nil {
		t.Error(err)
	}
}

func TestAnotherPeerThatCameFirstKeepsItsSession(t *testing.T) {
	winner, loser := glarePair(t)
	losers := offerOf(t, loser)
	_, answer, err := answerOf(winner, losers)
	if err != nil {
		t.Fatal(err)
	}
	stranger := describe(proto.Guest, "studio")
	stranger.SSRC = 5 // below the loser's: it may call
	id, _, err := answerOf(loser, stranger)
	if err != nil {
		t.Fatal(err)
	}
	if loser.finish(sessionOf(t, "x", losers, answer), answer.Revision, 0) {
		t.Error("the other session is wanted")
	}
	if !loser.knows(id) {
		t.Error("the stranger lost its session")
	}
}

func TestAnswerToAnOfferThatIsNoLongerTrueIsVoid(t *testing.T) {
	winner, loser := glarePair(t)
	winners := offerOf(t, winner)
	id, answer, err := answerOf(loser, winners)
	if err != nil {
		t.Fatal(err)
	}
	winner.Renegotiate()
	winner.finish(sessionOf(t, id, winners, answer), answer.Revision, 0)
	if s, up := winner.Current(); up {
		t.Errorf("session %q", s.ID)
	}
	if _, step, _ := winner.next(); step != stepCall {
		t.Errorf("next is %v, not a call", step)
	}
}

func TestOfferIsNotAnsweredFromAnOldDescription(t *testing.T) {
	winner, loser := glarePair(t)
	offer := offerOf(t, winner)
	local, generation, err := loser.Endpoint.local()
	if err != nil {
		t.Fatal(err)
	}
	loser.Renegotiate()
	if _, err := loser.accept(Session{ID: "x"}, offer, local, generation, call{}); !errors.Is(err, errStale) {
		t.Errorf("got %v", err)
	}
}

func TestClosingEndTakesNoOffer(t *testing.T) {
	winner, loser := glarePair(t)
	offer := offerOf(t, winner)
	loser.closing = true
	if _, _, err := answerOf(loser, offer); !errors.Is(err, errClosing) {
		t.Errorf("got %v", err)
	}
}

func TestRevisionGrowsWhateverTheClockDoes(t *testing.T) {
	e, _ := glarePair(t)
	now := time.Unix(1_700_000_000, 0)
	e.now = func() time.Time { return now }
	first := e.nextRevision()
	second := e.nextRevision()
	now = now.Add(-time.Hour)
	third := e.nextRevision()
	now = now.Add(2 * time.Hour)
	fourth := e.nextRevision()
	if !(first < second && second < third && third < fourth) {
		t.Errorf("%d, %d, %d, %d", first, second, third, fourth)
	}
}

func TestSessionIDsDiffer(t *testing.T) {
	if a, b := newToken(), newToken(); a == b || !sessionPath.MatchString("/session/"+a) {
		t.Errorf("%q and %q", a, b)
	}
}

func TestWaitsDoubleToAQuarterOfASecond(t *testing.T) {
	now := time.Unix(0, 0)
	var jitter float64
	p := pacer{random: func() float64 { return jitter }}
	if p.delay(now) != 0 {
		t.Error("the first call has to wait")
	}
	for _, wantMs := range []int{20, 40, 80, 160, 250, 250, 250} {
		p.called(now)
		if got := p.delay(now); got != time.Duration(wantMs)*time.Millisecond {
			t.Errorf("wait %v, want %d ms", got, wantMs)
		}
	}
	now = now.Add(100 * time.Millisecond)
	if got := p.delay(now); got != 150*time.Millisecond {
		t.Errorf("100 ms later: %v", got)
	}
	jitter = 1
	p.called(now)
	if got := p.delay(now); got != 125*time.Millisecond {
		t.Errorf("with full jitter: %v, want half", got)
	}
	p.reset()
	if p.delay(now) != 0 {
		t.Error("after a success the next call has to wait")
	}
}

func TestOnlyALongSessionResetsTheWaits(t *testing.T) {
	winner, loser := glarePair(t)
	now := time.Unix(1_700_000_000, 0)
	loser.now = func() time.Time { return now }
	for _, c := range []struct {
		lasted time.Duration
		want   bool // an immediate call
	}{{999 * time.Millisecond, false}, {time.Second, true}} {
		if _, _, err := answerOf(loser, winner.local); err != nil {
			t.Fatal(err)
		}
		now = now.Add(c.lasted)
		loser.pace.called(now)
		loser.Drop("test")
		if got := loser.pace.delay(now) == 0; got != c.want {
			t.Errorf("after %v: immediate %v", c.lasted, got)
		}
	}
}
