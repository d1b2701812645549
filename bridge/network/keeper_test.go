package network

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"archibald-bridge/bridge/fault"
)

// fake is a network of one interface, as a test says.
type fake struct {
	by     string
	reason string // "": it is there
	taken  int
}

func (f *fake) take() (string, error) {
	if f.reason != "" {
		return "", &Absent{f.reason}
	}
	f.taken++
	return f.by, nil
}

// keeping is a keeper whose clock and log are the test's. Nothing looks but the test.
type keeping struct {
	*Keeper
	t   *testing.T
	log bytes.Buffer
	at  time.Time
}

func keep(t *testing.T) *keeping {
	k := &keeping{t: t, at: time.Unix(1000, 0)}
	k.Keeper = newKeeper(slog.New(slog.NewTextHandler(&k.log, nil)))
	k.now = func() time.Time { return k.at }
	return k
}

func (k *keeping) add(name string, f *fake) (drop func()) {
	k.t.Helper()
	drop, err := k.Add(Need{name, f.take})
	if err != nil {
		k.t.Fatal(err)
	}
	return drop
}

// told are the lines since the last call.
func (k *keeping) told() []string {
	var lines []string
	for line := range strings.Lines(k.log.String()) {
		lines = append(lines, strings.TrimSpace(line))
	}
	k.log.Reset()
	return lines
}

func (k *keeping) tells(want ...string) {
	k.t.Helper()
	got := k.told()
	if len(got) != len(want) {
		k.t.Errorf("the log says %q, want %q", got, want)
		return
	}
	for i, text := range want {
		if !strings.Contains(got[i], text) {
			k.t.Errorf("the log says %q, want %q", got[i], text)
		}
	}
}

func TestWhatIsThereIsTakenWithoutAWord(t *testing.T) {
	k, gw := keep(t), &fake{by: "interface gw"}
	k.add("group", gw)
	k.Look()
	if gw.taken != 2 || k.Missing() != "" {
		t.Errorf("taken %d times, missing %q", gw.taken, k.Missing())
	}
	k.tells()
}

func TestWhatComesLaterIsWaitedForAndGoesAndComesWithALineEach(t *testing.T) {
	k, gw := keep(t), &fake{by: "interface gw", reason: "interface gw is not there"}
	k.add("group", gw)
	for range 5 {
		k.Look()
	}
	k.tells(`msg="waiting for the network: group" reason="interface gw is not there"`)
	if got := k.Missing(); got != "group: interface gw is not there" {
		t.Errorf("status says %q", got)
	}
	gw.reason = ""
	k.Look()
	k.Look()
	k.tells(`level=INFO msg="interface gw is there"`)
	gw.reason = "interface gw is down"
	k.Look()
	gw.reason = "interface gw is not there"
	k.Look()
	k.tells(`level=WARN msg="interface gw is gone" reason="interface gw is down"`)
	if got := k.Missing(); got != "group: interface gw is not there" {
		t.Errorf("status says %q", got)
	}
	gw.reason = ""
	k.Look()
	k.tells(`level=INFO msg="interface gw is back"`)
	if got := k.Missing(); got != "" {
		t.Errorf("status says %q", got)
	}
}

func TestAnInterfaceThatSeveralNeedIsToldOfOnce(t *testing.T) {
	k, a, b := keep(t), &fake{by: "interface gw"}, &fake{by: "interface gw"}
	k.add("group", a)
	k.add("announcements", b)
	a.reason, b.reason = "interface gw is not there", "interface gw is not there"
	k.Look()
	k.tells("interface gw is gone")
	a.reason = ""
	k.Look()
	k.tells()
	b.reason = ""
	k.Look()
	k.tells("interface gw is back")
}

func TestAWayByAnotherInterfaceIsTold(t *testing.T) {
	k, f := keep(t), &fake{by: "interface gw"}
	k.add("group", f)
	f.by = "interface eth0"
	k.Look()
	k.Look()
	k.tells(`msg="the network has changed" for=group was="interface gw" is="interface eth0"`)
}

func TestALooseCableDoesNotFloodTheLog(t *testing.T) {
	k, f := keep(t), &fake{by: "interface gw"}
	k.add("group", f)
	flap := func(times int) (lines int) {
		for range times {
			f.reason = "interface gw is down"
			k.Look()
			f.reason = ""
			k.Look()
			k.at = k.at.Add(100 * time.Millisecond)
		}
		return len(k.told())
	}
	if lines := flap(100); lines != 2*mostTold {
		t.Errorf("%d lines in 10 s, want %d", lines, 2*mostTold)
	}
	k.at = k.at.Add(time.Minute)
	if lines := flap(1); lines != 2 {
		t.Errorf("%d lines a minute later, want 2", lines)
	}
}

func TestALooseCableThatStaysOutIsToldOfInTheEnd(t *testing.T) {
	k, f := keep(t), &fake{by: "interface gw"}
	k.add("group", f)
	for range mostTold + 1 {
		f.reason = ""
		k.Look()
		f.reason = "interface gw is down"
		k.Look()
	}
	k.told()
	for range 3 * time.Minute / lookAgain {
		k.Look()
		k.at = k.at.Add(lookAgain)
	}
	k.tells(`level=WARN msg="interface gw is gone" reason="interface gw is down"`)
	f.reason = ""
	k.Look()
	k.tells(`msg="interface gw is back"`)
}

func TestChangesThatNobodyTellsOfAnyMoreAreLookedFor(t *testing.T) {
	k, f := keep(t), &fake{by: "interface gw"}
	k.add("group", f)
	changed := make(chan struct{})
	close(changed)
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() {
		k.follow(ctx, changed)
		close(over)
	}()
	for range 3 { // the first as the last that was told, the others by the ticker
		k.mu.Lock()
		looked := k.looked
		k.mu.Unlock()
		<-looked
	}
	cancel()
	<-over
	if f.taken > 10 {
		t.Errorf("looked %d times", f.taken)
	}
}

func TestWhatIsDroppedIsNotTakenAnyMoreAndMissesNothing(t *testing.T) {
	k, f := keep(t), &fake{reason: "no route"}
	drop := k.add("group", f)
	drop()
	f.reason = ""
	k.Look()
	if f.taken != 0 || k.Missing() != "" {
		t.Errorf("taken %d times, missing %q", f.taken, k.Missing())
	}
}

func TestWhatCannotComeIsAnErrorAtOnce(t *testing.T) {
	k, failure := keep(t), errors.New("no group")
	if _, err := k.Add(Need{"group", func() (string, error) { return "", failure }}); !errors.Is(err, failure) {
		t.Error(err)
	}
	if k.Missing() != "" {
		t.Error(k.Missing())
	}
	for err, want := range map[error]bool{unix.ENODEV: true, unix.EADDRNOTAVAIL: true, unix.ENETUNREACH: true, unix.EADDRINUSE: false, unix.EACCES: false, unix.EINVAL: false} {
		if IsAbsent(err) != want {
			t.Errorf("%v: may come later: %v", err, !want)
		}
	}
}

func TestWaitingEndsWhenNothingIsMissing(t *testing.T) {
	k, f := keep(t), &fake{reason: "no route"}
	k.add("group", f)
	over := make(chan error)
	go func() { over <- k.Await(context.Background(), time.Hour) }()
	k.Look()
	select {
	case err := <-over:
		t.Fatalf("it waits no more: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	k.mu.Lock()
	f.reason = ""
	k.mu.Unlock()
	k.Look()
	if err := <-over; err != nil {
		t.Error(err)
	}
}

func TestWaitingIsGivenUpWithTheReason(t *testing.T) {
	k, f := keep(t), &fake{reason: "no route to 239.69.1.7"}
	k.add("group", f)
	err := k.Await(context.Background(), time.Millisecond)
	if !errors.Is(err, fault.ErrNeverReached) || !strings.Contains(err.Error(), "no route to 239.69.1.7") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := k.Await(ctx, 0); err != nil {
		t.Errorf("the end of the program: %v", err)
	}
}
