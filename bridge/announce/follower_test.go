package announce

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/config"
	"archibald-bridge/proto"
)

var (
	desk     = netip.MustParseAddr("192.168.122.9")
	stranger = netip.MustParseAddr("192.168.122.66")
	start    = time.Unix(1000, 0)
	wanted   = Wanted{Name: "archibald-guest", Networks: []netip.Prefix{netip.MustParsePrefix("239.0.0.0/8")}}
)

func change(edit func(*proto.Description)) []byte {
	d := stream("239.69.1.2")
	edit(&d)
	return proto.NewAnnouncement(desk, d.Marshal()).Marshal()
}

func asItIs(*proto.Description) {}

func TestTheFirstAnnouncementOfTheNameCounts(t *testing.T) {
	f := follower{wanted: wanted}
	other := change(func(d *proto.Description) { d.Name = "another" })
	if changed, err := f.hear(other, desk, start); changed || err != nil {
		t.Errorf("another stream: %v, %v", changed, err)
	}
	if changed, err := f.hear(change(asItIs), desk, start); !changed || err != nil {
		t.Errorf("the wanted one: %v, %v", changed, err)
	}
	if changed, err := f.hear(change(asItIs), desk, start.Add(interval)); changed || err != nil {
		t.Errorf("repeated: %v, %v", changed, err)
	}
	if f.current.Address != netip.MustParseAddr("239.69.1.2") || f.current.Port != 5004 {
		t.Errorf("%+v", f.current)
	}
}

func TestAHostileAnnouncementLeadsNowhere(t *testing.T) {
	for why, edit := range map[string]func(*proto.Description){
		"none of the networks of sap-networks":  func(d *proto.Description) { d.Address = netip.MustParseAddr("224.0.0.251") },
		"address 192.168.122.1 is in none":      func(d *proto.Description) { d.Address = netip.MustParseAddr("192.168.122.1") },
		"address invalid IP is in none":         func(d *proto.Description) { d.Address = netip.Addr{} },
		"address ff3e::1 is in none":            func(d *proto.Description) { d.Address = netip.MustParseAddr("ff3e::1") },
		"port 53 is below 1024":                 func(d *proto.Description) { d.Port = 53 },
		"it is no plain stream":                 func(d *proto.Description) { d.Version, d.Role = proto.Version, proto.Host },
		"SDP line 6: m=audio port \"0\": legal": func(d *proto.Description) { d.Port = 0 },
	} {
		f := follower{wanted: wanted}
		changed, err := f.hear(change(edit), stranger, start)
		if changed || err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%v, %v; want %q", changed, err, why)
		}
	}
}

func TestANetworkOfUnicastAddressesWouldNotHelpEither(t *testing.T) {
	f := follower{wanted: Wanted{Name: "archibald-guest", Networks: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}}}
	packet := change(func(d *proto.Description) { d.Address = netip.MustParseAddr("192.168.122.1") })
	if changed, err := f.hear(packet, stranger, start); changed || err == nil {
		t.Errorf("%v, %v", changed, err)
	}
}

func TestAStrangerCannotTakeAStreamOver(t *testing.T) {
	f := follower{wanted: wanted}
	moved := change(func(d *proto.Description) { d.Address = netip.MustParseAddr("239.69.66.66") })
	now := start
	for range 100 {
		if _, err := f.hear(change(asItIs), desk, now); err != nil {
			t.Fatal(err)
		}
		now = now.Add(interval)
		if changed, _ := f.hear(moved, stranger, now); changed {
			t.Fatal("it followed the stranger")
		}
	}
	gone := proto.NewAnnouncement(desk, stream("239.69.1.2").Marshal())
	gone.Delete = true
	if changed, err := f.hear(gone.Marshal(), stranger, now); changed || err != nil {
		t.Errorf("a deletion: %v, %v", changed, err)
	}
	if changed, err := f.hear(moved, desk, now); !changed || err != nil {
		t.Errorf("the announcer itself may: %v, %v", changed, err)
	}
	if changed, err := f.hear(change(asItIs), stranger, now.Add(loyalty)); !changed || err != nil {
		t.Errorf("after a long silence another machine may: %v, %v", changed, err)
	}
}

func TestWhatIsReceivedAlikeIsTheSameStream(t *testing.T) {
	for name, test := range map[string]struct {
		edit func(*proto.Description)
		same bool
	}{
		"revision": {func(d *proto.Description) { d.Revision = 99 }, true},
		"SSRC":     {func(d *proto.Description) { d.SSRC = 99 }, true},
		"group":    {func(d *proto.Description) { d.Address = netip.MustParseAddr("239.69.1.3") }, false},
		"port":     {func(d *proto.Description) { d.Port = 5006 }, false},
		"rate":     {func(d *proto.Description) { d.RateHz = 44100 }, false},
		"channels": {func(d *proto.Description) { d.SendChannels = 8 }, false},
		"encoding": {func(d *proto.Description) { d.Payloads = proto.Payloads(proto.L16) }, false},
	} {
		f := follower{wanted: wanted}
		_, _ = f.hear(change(asItIs), desk, start)
		if changed, err := f.hear(change(test.edit), desk, start); err != nil || changed == test.same {
			t.Errorf("%s: changed %v, %v", name, changed, err)
		}
	}
}

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
	streams <- stream("239.69.1.2")
	many := stream("239.69.1.9")
	many.SendChannels = 65
	streams <- many // cannot be received, so that the first goes on
	streams <- stream("239.69.1.3")
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
	streams <- stream("239.69.1.2")
	failure := errors.New("address in use")
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	err := runEach(context.Background(), config.Default(config.EndHost), log, streams, nil,
		func(context.Context, config.Config) error { return failure })
	if !errors.Is(err, failure) {
		t.Error(err)
	}
}
