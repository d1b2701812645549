package announce

import (
	"bytes"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/network"
	"archibald-bridge/proto"
)

func stream5004(to string) proto.Description {
	return proto.Description{
		Name: "archibald-guest", Address: netip.MustParseAddr(to), Port: 5004,
		Payloads: proto.Payloads(proto.L24), RateHz: 48000, SendChannels: 2, PacketFrames: 48, SSRC: 7, CNAME: "archibald-guest",
	}
}

func newFile(t *testing.T, path string) (*Publisher, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	cfg := config.Default(proto.Guest)
	cfg.SDPOut = path
	logger := slog.New(slog.NewTextHandler(&log, nil))
	f := NewPublisher(cfg, logger, network.Keep(t.Context(), logger))
	t.Cleanup(f.Close)
	f.now = func() time.Time { return time.Unix(1000, 0) }
	return f, &log
}

func TestTheFileSaysWhatIsSentAndFromWhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.sdp")
	f, _ := newFile(t, path)
	f.Publish(stream5004("127.0.0.9"))
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "o=- 7 1000 IN IP4 127.0.0.1\r\n") {
		t.Errorf("no origin of this machine:\n%s", text)
	}
	d, err := proto.ParseDescription(text)
	if err != nil || d.Address != netip.MustParseAddr("127.0.0.9") || d.SendChannels != 2 || d.ReceiveChannels != 0 || d.PacketFrames != 48 {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestALaterDescriptionReplacesTheFileAndLeavesNothingBeside(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "out.sdp")
	f, _ := newFile(t, path)
	f.Publish(stream5004("127.0.0.9"))
	d := stream5004("127.0.0.9")
	d.RateHz = 44100
	f.Publish(d)
	text, err := os.ReadFile(path)
	if err != nil || !bytes.Contains(text, []byte("L24/44100/2")) {
		t.Errorf("%v\n%s", err, text)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v: others could not read it", info.Mode(), err)
	}
}

// Who has the file open reads on in the old text.
func TestALaterDescriptionDoesNotTouchTheFileThatSomebodyReads(t *testing.T) {
	folder := t.TempDir()
	path, opened := filepath.Join(folder, "out.sdp"), filepath.Join(folder, "opened")
	f, _ := newFile(t, path)
	f.Publish(stream5004("127.0.0.9"))
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Link(path, opened); err != nil {
		t.Fatal(err)
	}
	d := stream5004("127.0.0.9")
	d.RateHz = 44100
	f.Publish(d)
	old, err := os.ReadFile(opened)
	if err != nil || !bytes.Equal(old, before) {
		t.Errorf("the file that was open: %v\n%s", err, old)
	}
	if now, err := os.ReadFile(path); err != nil || bytes.Equal(now, before) {
		t.Errorf("the file now: %v\n%s", err, now)
	}
}

func TestAFolderThatIsNotThereIsToldInTheLog(t *testing.T) {
	f, log := newFile(t, filepath.Join(t.TempDir(), "absent", "out.sdp"))
	f.Publish(stream5004("127.0.0.9"))
	if !strings.Contains(log.String(), "cannot write the SDP file") || !strings.Contains(log.String(), "absent") {
		t.Errorf("the log says %q", log.String())
	}
}

func TestAStreamComesFromTheAddressThatItsEndListensOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.sdp")
	cfg := config.Default(proto.Guest)
	cfg.SDPOut, cfg.Listen = path, config.Socket{AddrPort: netip.MustParseAddrPort("127.0.0.5:4713")}
	f := NewPublisher(cfg, slog.New(slog.DiscardHandler), network.Keep(t.Context(), slog.New(slog.DiscardHandler)))
	defer f.Close()
	f.Publish(stream5004("239.69.1.2"))
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d, err := proto.ParseDescription(text); err != nil || d.Source != cfg.Listen.Addr() {
		t.Errorf("%v, %v: receivers would hear nobody\n%s", d.Source, err, text)
	}
}

// address is what a test says of the network: the zero Addr is none.
type address struct{ atomic.Pointer[netip.Addr] }

func (a *address) set(text string) {
	addr, _ := netip.ParseAddr(text)
	a.Store(&addr)
}

func (a *address) source(netip.Addr) (network.Way, error) {
	if addr := *a.Load(); addr.IsValid() {
		return network.Way{Name: "gw", Source: addr}, nil
	}
	return network.Way{Name: "gw"}, &network.Absent{What: "interface gw has no address"}
}

// newAnnouncer is a Publisher whose network and announcements are the test's.
func newAnnouncer(t *testing.T) (p *Publisher, a *address, path string, sent chan proto.Announcement, tick chan time.Time) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "out.sdp")
	p, _ = newFile(t, path)
	p.speaker, tick, sent = newSilent()
	a = &address{}
	p.source = a.source
	return p, a, path, sent, tick
}

func originIn(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	_, origin := proto.SessionIdentity(text)
	return origin
}

func TestAnotherAddressOfThisMachineIsAnnouncedAndTheOldTextTakenBack(t *testing.T) {
	p, a, path, sent, _ := newAnnouncer(t)
	a.set("10.9.0.2")
	p.Publish(stream5004("239.69.1.2"))
	if got := originIn(t, path); got != "- 7 IN IP4 10.9.0.2" {
		t.Errorf("the file has the origin %q", got)
	}
	p.net.Look() // nothing has changed
	a.set("10.9.0.3")
	p.net.Look()
	if got := originIn(t, path); got != "- 7 IN IP4 10.9.0.3" {
		t.Errorf("the file has the origin %q", got)
	}
	want := []string{"10.9.0.2 said", "10.9.0.2 deleted", "10.9.0.3 said"}
	for _, want := range want {
		got := <-sent
		d, err := proto.ParseDescription(got.SDP)
		if err != nil || d.Source != got.Source {
			t.Errorf("source-filter %v of %v, %v", d.Source, got.Source, err)
		}
		if text := got.Source.String() + map[bool]string{false: " said", true: " deleted"}[got.Delete]; text != want {
			t.Errorf("%s, want %s", text, want)
		}
	}
	if len(sent) != 0 {
		t.Errorf("%d more announcements", len(sent))
	}
}

func TestNothingIsSaidBeforeThisMachineHasAnAddressNorWhileItHasNone(t *testing.T) {
	p, a, path, sent, tick := newAnnouncer(t)
	a.set("none")
	p.Publish(stream5004("239.69.1.9"))
	tick <- time.Time{}
	if got := originIn(t, path); got != "" || len(sent) != 0 {
		t.Errorf("origin %q in the file, %d announcements: of no machine", got, len(sent))
	}
	if missing := p.net.Missing(); !strings.Contains(missing, "interface gw has no address") {
		t.Errorf("status would say %q", missing)
	}
	a.set("10.9.0.2")
	p.net.Look()
	if got := <-sent; got.Source != netip.MustParseAddr("10.9.0.2") || got.Delete {
		t.Errorf("%+v", got)
	}
	a.set("none")
	p.net.Look()
	tick <- time.Time{}
	a.set("10.9.0.2")
	p.net.Look()
	if got := <-sent; got.Delete || len(sent) != 0 {
		t.Errorf("%+v, and %d more: the same is back, and was not repeated while it was away", got, len(sent))
	}
	if missing := p.net.Missing(); missing != "" {
		t.Error(missing)
	}
}
