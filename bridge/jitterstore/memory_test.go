package jitterstore

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func open(t *testing.T, path string) *Memory {
	t.Helper()
	m, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func set(t *testing.T, m *Memory, peer string, frames int) {
	t.Helper()
	if err := m.SetJitter(peer, frames, true); err != nil {
		t.Fatal(err)
	}
}

func TestWhatWasLearnedOutlivesTheProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "not", "there", "yet", "guest.json")
	m := open(t, path)
	if m.Jitter("lab@10.0.0.1") != 0 {
		t.Error("knows a peer that it never saw")
	}
	set(t, m, "lab@10.0.0.1", 48)
	set(t, m, "lab@10.0.0.1", 32)
	set(t, m, "@::1", 7)
	m = open(t, path)
	if m.Jitter("lab@10.0.0.1") != 32 || m.Jitter("@::1") != 7 {
		t.Errorf("remembers %v", m.peers)
	}
}

// A machine that was busy for a minute must not have a long latency for days.
func TestWhatWasNotLookedAtInCalmTimeIsKeptForAnHour(t *testing.T) {
	path := filepath.Join(t.TempDir(), "guest.json")
	now := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	m := open(t, path)
	learns := func(frames int, proven bool) {
		t.Helper()
		if err := m.SetJitter("peer", frames, proven); err != nil {
			t.Fatal(err)
		}
	}
	after := func(passed time.Duration, want int) {
		t.Helper()
		now = now.Add(passed)
		m = open(t, path)
		m.now = func() time.Time { return now }
		if got := m.Jitter("peer"); got != want {
			t.Errorf("%v: %d frames, want %d", now.Format(time.TimeOnly), got, want)
		}
	}
	after(0, 0)
	learns(200, false)
	after(50*time.Minute, 200)
	learns(200, false) // a session that was given it and was short, too
	after(11*time.Minute, 0)
	learns(64, false)
	after(time.Minute, 64)
	learns(64, true)
	after(1000*time.Hour, 64)
	learns(64, false) // the next session begins
	after(1000*time.Hour, 64)
	learns(96, false)
	after(-time.Minute, 0) // a clock that is set back proves nothing
}

// A session tells its margin twice a second, as long as it lasts.
func TestASessionOfHoursDoesNotKeepWhatItLearnedOnceForItsNext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "guest.json")
	now := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	m := open(t, path)
	m.now = func() time.Time { return now }
	learns := func(minutes int) {
		t.Helper()
		for range minutes {
			if err := m.SetJitter("peer", 200, false); err != nil {
				t.Fatal(err)
			}
			now = now.Add(time.Minute)
		}
	}
	learns(50)
	if got := m.Jitter("peer"); got != 200 {
		t.Errorf("%d frames after 50 minutes, want 200", got)
	}
	learns(90)
	m = open(t, path)
	m.now = func() time.Time { return now }
	if got := m.Jitter("peer"); got != 0 {
		t.Errorf("%d frames after 140 minutes, want none", got)
	}
	learns(50) // the next session has learned the same by itself
	if got := m.Jitter("peer"); got != 200 {
		t.Errorf("%d frames, learned anew, after 50 minutes, want 200", got)
	}
}

func TestAFileOfAnEarlierVersionIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "guest.json")
	if err := os.WriteFile(path, []byte(`{"a": 48, "b": {"frames": 32}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if m := open(t, path); m.Jitter("a") != 48 || m.Jitter("b") != 32 {
		t.Errorf("%+v", m.peers)
	}
}

func TestWithoutAPlaceItForgets(t *testing.T) {
	m := open(t, "")
	set(t, m, "a", 5)
	if m.Jitter("a") != 5 || open(t, "").Jitter("a") != 0 {
		t.Errorf("%v", m.peers)
	}
}

func TestABrokenFileIsNamedAndReplaced(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "half": `{"a": 3`, "wrong kind": `{"a": "b"}`, "too large": `{"a":1}` + strings.Repeat(" ", maxBytes),
	} {
		path := filepath.Join(t.TempDir(), "host.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := Open(path)
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v", name, err)
		}
		set(t, m, "a", 9)
		if open(t, path).Jitter("a") != 9 {
			t.Errorf("%s: not replaced", name)
		}
	}
}

func TestImpossibleValuesAreNotBelieved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "host.json")
	if err := os.WriteFile(path, []byte(`{"a": -1, "b": 0, "c": 9601, "d": 9600}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if m := open(t, path); len(m.peers) != 1 || m.Jitter("d") != 9600 {
		t.Errorf("%v", m.peers)
	}
}

func TestPeersWithManyNamesFillNothing(t *testing.T) {
	m := open(t, "")
	for i := range 1000 {
		set(t, m, fmt.Sprint(i), 5)
	}
	if len(m.peers) != maxPeers || m.Jitter("999") != 5 {
		t.Errorf("%d peers kept", len(m.peers))
	}
}

func TestAPlaceThatCannotBeWrittenIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	m, _ := Open(filepath.Join(file, "below", "guest.json"))
	if err := m.SetJitter("a", 5, true); err == nil || m.Jitter("a") != 5 {
		t.Errorf("error %v, %v", err, m.peers)
	}
}

func TestThePlaceFollowsTheEnvironment(t *testing.T) {
	for _, c := range []struct{ state, xdg, home, name, want string }{
		{"/var/lib/x", "/s", "/h", "", "/var/lib/x/guest.json"},
		{"", "/s", "/h", "lab", "/s/archibald-bridge/guest-lab.json"},
		{"", "", "/h", "", "/h/.local/state/archibald-bridge/guest.json"},
		{"", "", "", "", ""},
	} {
		env := map[string]string{"STATE_DIRECTORY": c.state, "XDG_STATE_HOME": c.xdg, "HOME": c.home}
		if got := Path(func(k string) string { return env[k] }, "guest", c.name); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
