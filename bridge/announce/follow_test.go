package announce

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"archibald-bridge/bridge/fault"
	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
)

// follow runs what each says with which group it started, and ends when told.
func follow(streams chan Stream, giveUp <-chan time.Time) (started chan string, over chan error, cancel func()) {
	ctx, cancel := context.WithCancel(context.Background())
	started, over = make(chan string, 8), make(chan error, 1)
	r := runs{name: "desk", log: slog.New(slog.DiscardHandler), streams: streams, giveUp: giveUp, receive: func(s Stream) (Receiver, error) {
		if s.SendChannels > 64 {
			return nil, errors.New("too many channels")
		}
		return func(ctx context.Context) error {
			started <- strings.TrimSpace(s.Address.String() + " " + s.Interface)
			<-ctx.Done()
			started <- "end of " + s.Address.String()
			return nil
		}, nil
	}}
	go func() { over <- r.each(ctx) }()
	return started, over, cancel
}

func TestAnotherStreamEndsTheFirstAndStartsAnew(t *testing.T) {
	streams := make(chan Stream)
	started, over, cancel := follow(streams, nil)
	streams <- Stream{stream5004("239.69.1.2"), "lo"}
	many := stream5004("239.69.1.9")
	many.SendChannels = 65
	streams <- Stream{Description: many} // cannot be received, so that the first goes on
	streams <- Stream{Description: stream5004("239.69.1.3")}
	for _, want := range []string{"239.69.1.2 lo", "end of 239.69.1.2", "239.69.1.3"} {
		if got := <-started; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	cancel()
	if err := <-over; err != nil {
		t.Error(err)
	}
	if got := <-started; got != "end of 239.69.1.3" {
		t.Error(got)
	}
}

func TestAStreamThatIsNeverAnnouncedIsGivenUp(t *testing.T) {
	giveUp := make(chan time.Time, 1)
	giveUp <- start
	_, over, cancel := follow(make(chan Stream), giveUp)
	defer cancel()
	if err := <-over; !errors.Is(err, fault.ErrNeverReached) || !strings.Contains(err.Error(), `stream "desk"`) {
		t.Error(err)
	}
}

func TestAnEndThatFailsIsTheEnd(t *testing.T) {
	streams := make(chan Stream, 1)
	streams <- Stream{stream5004("239.69.1.2"), "lo"}
	failure := errors.New("address in use")
	r := runs{log: slog.New(slog.DiscardHandler), streams: streams, receive: func(Stream) (Receiver, error) {
		return func(context.Context) error { return failure }, nil
	}}
	err := r.each(context.Background())
	if !errors.Is(err, failure) {
		t.Error(err)
	}
}

// board is a Page of a test.
type board struct{ awaited atomic.Pointer[string] }

func (b *board) Await(what string)   { b.awaited.Store(&what) }
func (*board) Status() status.Status { return status.Status{} }

func TestWrongAnnouncementsAreToldInLogAndStatusAndDoNotFillTheLog(t *testing.T) {
	var log bytes.Buffer
	page, packets := &board{}, make(chan packet)
	h := hearing{log: slog.New(slog.NewTextHandler(&log, nil)), page: page, wanted: wanted, packets: packets}
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() { defer close(over); h.run(ctx) }()
	for port := range 1000 {
		packets <- packet{change(func(d *proto.Description) { d.Port = 1 + port }), stranger, 1}
	}
	cancel()
	<-over
	if lines := strings.Count(log.String(), "cannot be received"); lines != 5 {
		t.Errorf("%d lines of 1000 wrong announcements, want 5", lines)
	}
	const want = "waiting for the announcement of archibald-guest: one by 192.168.122.66 cannot be received: its port "
	if got := page.awaited.Load(); got == nil || !strings.HasPrefix(*got, want) {
		t.Errorf("status says %v", got)
	}
	var r refusals
	if !r.new("a", start) || r.new("a", start.Add(59*time.Second)) || !r.new("a", start.Add(time.Minute)) {
		t.Error("the same reason is not told once a minute")
	}
}
