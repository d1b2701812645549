package announce

import (
	"bytes"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/config"
	"archibald-bridge/proto"
)

func stream(to string) proto.Description {
	return proto.Description{
		Name: "archibald-guest", Address: netip.MustParseAddr(to), Port: 5004,
		Payloads: proto.Payloads(proto.L24), RateHz: 48000, SendChannels: 2, PacketFrames: 48, SSRC: 7, CNAME: "archibald-guest",
	}
}

func newFile(t *testing.T, path string) (*Publisher, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	cfg := config.Default(config.EndGuest)
	cfg.SDPOut = path
	f, err := NewPublisher(cfg, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	f.now = func() time.Time { return time.Unix(1000, 0) }
	return f, &log
}

func TestTheFileSaysWhatIsSentAndFromWhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.sdp")
	f, _ := newFile(t, path)
	f.Publish(stream("127.0.0.9"))
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
	f.Publish(stream("127.0.0.9"))
	d := stream("127.0.0.9")
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

func TestAFolderThatIsNotThereIsToldInTheLog(t *testing.T) {
	f, log := newFile(t, filepath.Join(t.TempDir(), "absent", "out.sdp"))
	f.Publish(stream("127.0.0.9"))
	if !strings.Contains(log.String(), "cannot write the SDP file") || !strings.Contains(log.String(), "absent") {
		t.Errorf("the log says %q", log.String())
	}
}

func TestAStreamComesFromTheAddressThatItsEndListensOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.sdp")
	f, _ := newFile(t, path)
	f.listen = netip.MustParseAddr("127.0.0.5")
	f.Publish(stream("239.69.1.2"))
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d, err := proto.ParseDescription(text); err != nil || d.Source != f.listen {
		t.Errorf("%v, %v: receivers would hear nobody\n%s", d.Source, err, text)
	}
}
