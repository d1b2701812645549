package session

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
)

// shownOn runs the end and shows its state on a page.
func (l *live) shownOn(ctx context.Context, page *status.Page) error {
	defer page.Show(l.Status)()
	return l.Run(ctx)
}

func TestStatusPageIsServedBeforeWhileAndAfterTheEndRuns(t *testing.T) {
	page := freeAddr(t, "127.0.0.83")
	l := newLive(t, proto.Guest, freeAddr(t, "127.0.0.81"), func(*Settings) {})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var missing atomic.Pointer[string]
	network := func() string { return *missing.Load() }
	none, gone := "", "multicast group: no route"
	missing.Store(&none)
	served := status.OpenPage("guest", "", "", page, l.log.logger(), network)
	get := func() (int, error) {
		response, err := http.Get("http://" + page.String() + "/api/v1/status")
		if err != nil {
			return 0, err
		}
		return response.StatusCode, response.Body.Close()
	}
	if code, err := get(); err != nil || code != http.StatusOK {
		t.Errorf("before the end: %d, %v", code, err)
	}
	says := func(want string) {
		t.Helper()
		if s := served.Status(); s.End != "guest" || s.Session.LastError != want {
			t.Errorf("%s: %q, want %q", s.End, s.Session.LastError, want)
		}
		found := slices.ContainsFunc(served.Status().Problems, func(p status.Problem) bool { return p.Code == "network" && p.Text == gone })
		if found != (*missing.Load() == gone) {
			t.Errorf("%v: a problem with the network: %v", served.Status().Problems, found)
		}
	}
	served.Await("waiting for the announcement of desk")
	says("waiting for the announcement of desk")
	missing.Store(&gone)
	says("multicast group: no route; waiting for the announcement of desk")
	missing.Store(&none)
	go func() { l.done <- l.shownOn(ctx, served) }()
	eventually(t, "the end runs", func() bool { return served.Status().Audio.State == status.AudioRunning })
	says("")
	missing.Store(&gone)
	says("multicast group: no route")
	cancel()
	l.ended(nil)
	if code, err := get(); err != nil || code != http.StatusOK {
		t.Errorf("after the end, before the next: %d, %v", code, err)
	}
	served.Close()
	if _, err := get(); err == nil {
		t.Error("the page outlives the end")
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestStatusPageThatCannotBeServedIsNoReasonToBeSilent(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.83:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	l := newLive(t, proto.Guest, freeAddr(t, "127.0.0.81"), func(*Settings) {})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	served := status.OpenPage("guest", "", "", netip.MustParseAddrPort(taken.Addr().String()), l.log.logger(), func() string { return "" })
	defer served.Close()
	go func() { l.done <- l.shownOn(ctx, served) }()
	eventually(t, "the end runs", func() bool { return l.Status().Audio.State == status.AudioRunning })
	l.log.mu.Lock()
	if !strings.Contains(l.log.text.String(), "no status page") {
		t.Errorf("the log says %s", l.log.text.String())
	}
	l.log.mu.Unlock()
	cancel()
	l.ended(nil)
}
