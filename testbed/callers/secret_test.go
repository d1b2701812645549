package callers

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"archibald-bridge/testbed/strangers"
)

func keygen(t *testing.T, name string) (path string) {
	t.Helper()
	path, err := town.Keygen(name)
	must(t, err)
	return path
}

// says waits until an end's log has all the words in one line.
func says(t *testing.T, end interface{ LogTail() string }, words ...string) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		for line := range strings.Lines(end.LogTail()) {
			found := 0
			for _, word := range words {
				if strings.Contains(line, word) {
					found++
				}
			}
			if found == len(words) {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Errorf("no line with %q in\n%s", words, end.LogTail())
			return
		}
	}
}

// Two ends that do not have the same secret say so, each in a line, and no session comes
// of it.
func TestEndsWithoutTheSameSecretSaySo(t *testing.T) {
	town := machines(t)
	ours, another := []string{"--secret-file", keygen(t, "ours.secret")}, []string{"--secret-file", keygen(t, "another.secret")}
	between := netip.AddrPortFrom(strangers.InsideAddress, strangers.Port)
	for _, row := range []struct {
		name          string
		host, guest   []string
		alter, answer func([]byte) []byte
		hostSays      []string // of one line
	}{
		{"another secret", ours, another, nil, nil, []string{"refused a call", "--secret-file"}},
		{"no secret at the guest", ours, nil, nil, nil, []string{"refused a call", "--secret-file"}},
		{"no secret at the host", nil, ours, nil, nil, []string{"refused a call", "--secret-file"}},
		{"an altered offer", ours, ours, altered(" 4713 RTP", " 4714 RTP"), nil, []string{"refused a call", "--secret-file"}},
		{"an altered answer", ours, ours, nil, altered(" 4713 RTP", " 4714 RTP"), nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			machines(t)
			peer := strangers.HostDoor
			if row.alter != nil || row.answer != nil {
				relay, err := strangers.NewRelay(town.Inside(), strangers.HostDoor, row.alter, row.answer)
				must(t, err)
				defer func() { _ = relay.Close() }()
				peer = between
			}
			must(t, town.StartHost(row.host...))
			must(t, town.WaitReady(20*time.Second))
			must(t, town.StartGuest(peer, row.guest...))
			says(t, town.GuestEnd, "level=WARN", "--secret-file")
			if row.hostSays != nil {
				says(t, town.HostEnd, append(row.hostSays, "level=WARN")...)
			}
			for deadline := time.Now().Add(2 * time.Second); ; time.Sleep(50 * time.Millisecond) {
				s, err := town.GuestStatus()
				if err == nil && s.Session.ID == "" && strings.Contains(s.Session.LastError, "--secret-file") {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("status: %+v, %v", s.Session, err)
				}
			}
		})
	}
}

// altered alters an offer or answer when it has its proof: the first exchange, which
// has none yet, passes as it is.
func altered(old, with string) func([]byte) []byte {
	return func(b []byte) []byte {
		if !bytes.Contains(b, []byte("proof=")) {
			return b
		}
		return bytes.ReplaceAll(b, []byte(old), []byte(with))
	}
}
