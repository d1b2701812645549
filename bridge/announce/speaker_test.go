package announce

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"archibald-bridge/proto"
)

var self = netip.MustParseAddr("192.168.122.2")

// newSilent is a speaker whose packets and time are the test's.
func newSilent() (*speaker, chan time.Time, chan proto.Announcement) {
	tick, sent := make(chan time.Time), make(chan proto.Announcement, 8)
	s := &speaker{tick: tick, free: func() {}, send: func(packet []byte, _ netip.Addr, _ []netip.Addr) {
		a, err := proto.ParseAnnouncement(packet)
		if err != nil {
			panic(err)
		}
		sent <- a
	}}
	s.start()
	return s, tick, sent
}

func announcement(to string) said {
	return said{proto.NewAnnouncement(self, stream5004(to).Marshal()), proto.SAPGroups}
}

func TestAnAnnouncementIsRepeatedAndTakenBackAtTheEnd(t *testing.T) {
	s, tick, sent := newSilent()
	tick <- time.Time{} // there is nothing to say yet
	first := announcement("239.69.1.2")
	s.say(first)
	tick <- time.Time{}
	tick <- time.Time{}
	s.close()
	close(sent)
	var deleted []bool
	for a := range sent {
		if a.Hash != first.Hash || a.Source != self {
			t.Errorf("%+v", a)
		}
		deleted = append(deleted, a.Delete)
	}
	if len(deleted) != 4 || deleted[0] || deleted[1] || deleted[2] || !deleted[3] {
		t.Errorf("deleted: %v; want three announcements and a deletion", deleted)
	}
	s.say(first) // nobody listens any more, and nobody waits
}

func TestAnotherStreamTakesTheFirstOneBack(t *testing.T) {
	s, _, sent := newSilent()
	first, second := announcement("239.69.1.2"), announcement("239.69.1.3")
	s.say(first)
	s.say(first) // no news
	s.say(second)
	s.close()
	close(sent)
	var got []proto.Announcement
	for a := range sent {
		got = append(got, a)
	}
	if len(got) != 4 || got[0].Hash != first.Hash || !got[1].Delete || got[1].Hash != first.Hash ||
		got[2].Hash != second.Hash || got[2].Delete || !got[3].Delete || got[3].Hash != second.Hash {
		t.Errorf("%+v", got)
	}
}

func TestAnInterfaceThatIsNotThereIsNamed(t *testing.T) {
	err := send([]byte("v=0"), netip.MustParseAddr("127.0.0.1"), proto.SAPGroups, "absent0", 1)
	if err == nil || !strings.Contains(err.Error(), "absent0") {
		t.Errorf("%v", err)
	}
}
