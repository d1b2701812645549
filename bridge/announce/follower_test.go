package announce

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"archibald-bridge/proto"
)

var (
	desk     = netip.MustParseAddr("192.168.122.9")
	stranger = netip.MustParseAddr("192.168.122.66")
	start    = time.Unix(1000, 0)
	wanted   = Wanted{Name: "archibald-guest", Networks: []netip.Prefix{netip.MustParsePrefix("239.0.0.0/8")}}
)

func change(edit func(*proto.Description)) []byte {
	d := stream5004("239.69.1.2")
	edit(&d)
	return proto.NewAnnouncement(desk, d.Marshal()).Marshal()
}

func asItIs(*proto.Description) {}

func group(address string) func(*proto.Description) {
	return func(d *proto.Description) { d.Address = netip.MustParseAddr(address) }
}

// taken is the deletion of what packet announces.
func taken(packet []byte) []byte {
	a, err := proto.ParseAnnouncement(packet)
	if err != nil {
		panic(err)
	}
	a.Delete = true
	return a.Marshal()
}

// following is a follower with a test's clock, and how often it warned of twins.
type following struct {
	follower
	t     *testing.T
	now   time.Time
	twice int
}

func follows(t *testing.T) *following {
	f := &following{t: t, now: start}
	f.follower = follower{wanted: wanted, twins: func(_, _ *stream) { f.twice++ }}
	return f
}

// hears says whether there is another stream to receive after a packet.
func (f *following) hears(packet []byte, from netip.Addr) bool {
	f.t.Helper()
	changed, err := f.hear(packet, from, f.now)
	if err != nil {
		f.t.Fatal(err)
	}
	return changed
}

// waits lets time pass, in which something sounds or not, and says whether there is
// another stream to receive.
func (f *following) waits(d time.Duration, sounds bool) (changed bool) {
	for end := f.now.Add(d); f.now.Before(end); {
		f.now = f.now.Add(min(lookInterval, end.Sub(f.now)))
		changed = f.look(f.now, sounds) || changed
	}
	return changed
}

func (f *following) receives(want string) {
	f.t.Helper()
	if f.received == nil || f.received.Address != netip.MustParseAddr(want) {
		f.t.Errorf("receives %+v, want %s", f.received, want)
	}
}

func TestTheFirstAnnouncementOfTheNameCounts(t *testing.T) {
	f := follows(t)
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
		f := follows(t)
		changed, err := f.hear(change(edit), stranger, start)
		if changed || err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%v, %v; want %q", changed, err, why)
		}
	}
}

func TestANetworkOfUnicastAddressesWouldNotHelpEither(t *testing.T) {
	f := follows(t)
	f.wanted.Networks = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}
	packet := change(func(d *proto.Description) { d.Address = netip.MustParseAddr("192.168.122.1") })
	if changed, err := f.hear(packet, stranger, start); changed || err == nil {
		t.Errorf("%v, %v", changed, err)
	}
}

func TestAStrangerCannotTakeAStreamOver(t *testing.T) {
	f := follows(t)
	moved := change(group("239.69.66.66"))
	for i := range 100 {
		if f.hears(change(asItIs), desk) != (i == 0) {
			t.Fatal("the stream is another")
		}
		if f.waits(interval, false) || f.hears(moved, stranger) || f.hears(taken(change(asItIs)), stranger) {
			t.Fatal("it followed the stranger")
		}
	}
	f.waits(2*interval, true)
	f.hears(moved, stranger)
	if f.waits(time.Hour, true) {
		t.Error("it followed the stranger while the stream sounds")
	}
	f.receives("239.69.1.2")
	if f.twice != 1 {
		t.Errorf("%d warnings of two streams, want one", f.twice)
	}
}

func TestOfTwoStreamsOfOneNameFromOneMachineTheFirstIsReceived(t *testing.T) {
	one, two := change(asItIs), change(group("239.69.1.3"))
	for _, order := range [][2][]byte{{one, two}, {two, one}} {
		f := follows(t)
		started := 0
		for range 20 {
			for _, packet := range order {
				if f.hears(packet, desk) {
					started++
				}
			}
			f.waits(interval, false) // not even that it is silent makes it go to the other
		}
		if started != 1 || f.twice != 1 {
			t.Errorf("started %d times, want once; %d warnings, want one", started, f.twice)
		}
	}
}

func TestADeletionFreesTheNameAtOnce(t *testing.T) {
	elsewhere := change(group("239.69.1.3"))
	onlyOrigin := proto.Announcement{Delete: true, Source: desk, SDP: []byte("o=- 7 0 IN IP4 0.0.0.0\r\n")}.Marshal()
	onlyHash := func() []byte {
		a, _ := proto.ParseAnnouncement(change(asItIs))
		return proto.Announcement{Delete: true, Hash: a.Hash, Source: desk}.Marshal()
	}()
	for name, deletion := range map[string][]byte{"whole": taken(change(asItIs)), "origin": onlyOrigin, "hash": onlyHash} {
		f := follows(t)
		f.hears(change(asItIs), desk)
		f.hears(deletion, desk)
		f.receives("239.69.1.2") // there is nothing else yet
		if !f.hears(elsewhere, stranger) {
			t.Errorf("%s: the next stream of the name is not taken", name)
		}
		f.receives("239.69.1.3")
	}

	f := follows(t)
	f.hears(change(asItIs), desk)
	f.hears(elsewhere, stranger)
	if !f.hears(taken(change(asItIs)), desk) {
		t.Error("the other stream, which is announced, is not taken")
	}
	f.receives("239.69.1.3")

	f = follows(t)
	f.hears(change(asItIs), desk)
	f.hears(elsewhere, desk)
	if f.hears(taken(elsewhere), desk) || f.waits(interval, false) {
		t.Error("the end of the other one changes what is received")
	}
	f.receives("239.69.1.2")
}

func TestTheSameStreamAgainIsNoOther(t *testing.T) {
	f := follows(t)
	f.hears(change(asItIs), desk)
	f.hears(taken(change(asItIs)), desk)
	if f.hears(change(asItIs), desk) {
		t.Error("it was started again")
	}
	if f.hears(taken(change(asItIs)), desk); f.hears(change(asItIs), stranger) {
		t.Error("it was started again, though it is received alike")
	}
}

func TestAStreamThatIsNeitherAnnouncedNorHeardIsLeft(t *testing.T) {
	moved := change(func(d *proto.Description) { d.Source = netip.MustParseAddr("10.9.0.3") })
	from := netip.MustParseAddr("10.9.0.3") // the machine has another address
	for wait, sounds := range map[time.Duration]bool{10*time.Second - interval: false, time.Hour: true} {
		f := follows(t)
		for range 3 {
			f.hears(change(asItIs), desk)
			f.waits(interval, true)
		}
		if f.hears(moved, from) {
			t.Error("left at once: a packet may have been lost")
		}
		if got := f.waits(wait, sounds); got == sounds {
			t.Errorf("sounds %v: taken %v", sounds, got)
		}
		if f.twice != 0 {
			t.Error("warned of two: it is one that moved")
		}
	}
}

func TestStreamsThatAreAnnouncedSeldomDoNotTakeTurns(t *testing.T) {
	one, two := change(asItIs), change(group("239.69.1.3"))
	f := follows(t)
	started := 0
	for range 50 { // each every 30 s, as AES67 devices do; neither sounds
		for _, packet := range [][]byte{one, two} {
			if f.hears(packet, desk) {
				started++
			}
			if f.waits(15*time.Second, false) {
				started++
			}
		}
	}
	if started > 3 {
		t.Errorf("started %d times", started)
	}
}

func TestStrangersCannotFillTheMemory(t *testing.T) {
	f := follows(t)
	f.hears(change(asItIs), desk)
	for port := range 1000 {
		f.hears(change(func(d *proto.Description) { d.Port = 2000 + port }), stranger)
	}
	if len(f.others) > mostOthers || f.twice > 1 {
		t.Errorf("%d streams kept, %d warnings", len(f.others), f.twice)
	}
	f.receives("239.69.1.2")
}

func TestWhatIsReceivedAlikeIsTheSameStream(t *testing.T) {
	for name, test := range map[string]struct {
		edit func(*proto.Description)
		same bool
	}{
		"revision": {func(d *proto.Description) { d.Revision = 99 }, true},
		"SSRC":     {func(d *proto.Description) { d.SSRC = 99 }, true},
		"source":   {func(d *proto.Description) { d.Source = desk }, false},
		"rate":     {func(d *proto.Description) { d.RateHz = 44100 }, false},
		"channels": {func(d *proto.Description) { d.SendChannels = 8 }, false},
		"encoding": {func(d *proto.Description) { d.Payloads = proto.Payloads(proto.L16) }, false},
	} {
		f := follows(t)
		_, _ = f.hear(change(asItIs), desk, start)
		if changed, err := f.hear(change(test.edit), desk, start); err != nil || changed == test.same {
			t.Errorf("%s: changed %v, %v", name, changed, err)
		}
	}
}
