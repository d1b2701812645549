package announce

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/config"
	"archibald-bridge/proto"
)

// ends is what runEach starts: each says with which group, and ends when told.
func ends(streams chan proto.Description, giveUp <-chan time.Time) (started chan string, over chan error, cancel func()) {
	ctx, cancel := context.WithCancel(context.Background())
	started, over = make(chan string, 8), make(chan error, 1)
	cfg := config.Default(config.EndHost)
	cfg.SAPReceive = "desk"
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	go func() {
		over <- runEach(ctx, cfg, log, streams, giveUp, func(ctx context.Context, cfg config.Config) error {
			group, _ := cfg.Group()
			started <- group.String()
			<-ctx.Done()
			started <- "end of " + group.String()
			return nil
		})
	}()
	return started, over, cancel
}

func TestAnotherStreamEndsTheFirstAndStartsAnew(t *testing.T) {
	streams := make(chan proto.Description)
	started, over, cancel := ends(streams, nil)
	streams <- stream5004("239.69.1.2")
	many := stream5004("239.69.1.9")
	many.SendChannels = 65
	streams <- many // cannot be received, so that the first goes on
	streams <- stream5004("239.69.1.3")
	for _, want := range []string{"239.69.1.2", "end of 239.69.1.2", "239.69.1.3"} {
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
	_, over, cancel := ends(make(chan proto.Description), giveUp)
	defer cancel()
	if err := <-over; !errors.Is(err, config.ErrNeverReached) || !strings.Contains(err.Error(), `stream "desk"`) {
		t.Error(err)
	}
}

func TestAnEndThatFailsIsTheEnd(t *testing.T) {
	streams := make(chan proto.Description, 1)
	streams <- stream5004("239.69.1.2")
	failure := errors.New("address in use")
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	err := runEach(context.Background(), config.Default(config.EndHost), log, streams, nil,
		func(context.Context, config.Config) error { return failure })
	if !errors.Is(err, failure) {
		t.Error(err)
	}
}
