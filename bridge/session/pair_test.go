package session

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

// live is an end on real time, with real signaling on a loopback address.
type live struct {
	*End
	t      *testing.T
	core   *fakeCore
	audio  *fakeAudio
	quiet  *fakeMachine
	log    *logLines
	cancel context.CancelFunc
	done   chan error
}

// freeAddr is an address that nobody listens on.
func freeAddr(t *testing.T, ip string) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", ip+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return netip.MustParseAddrPort(l.Addr().String())
}

func peerAt(addr netip.AddrPort) Peer {
	return Peer{Host: addr.Addr().String(), Port: int(addr.Port())}
}

func newLive(t *testing.T, role proto.Role, listen netip.AddrPort, change func(*Settings)) *live {
	settings := testSettings()
	settings.Role, settings.Listen = role, listen
	change(&settings)
	l := &live{t: t, core: &fakeCore{ratio: 1}, audio: newFakeAudio(), quiet: &fakeMachine{}, log: &logLines{}, done: make(chan error, 1)}
	l.End = New(settings, Parts{Core: l.core, Audio: l.audio, Machine: l.quiet, Server: "audio of the " + string(role), Log: l.log.logger(), Memory: forgetful{}})
	return l
}

func (l *live) start() {
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	go func() { l.done <- l.Run(ctx) }()
	l.t.Cleanup(cancel)
}

func (l *live) stop() {
	l.t.Helper()
	l.cancel()
	l.ended(nil)
}

func (l *live) ended(want error) {
	l.t.Helper()
	select {
	case err := <-l.done:
		if !errors.Is(err, want) {
			l.t.Errorf("Run returned %v, want %v", err, want)
		}
	case <-time.After(10 * time.Second):
		l.t.Fatal("Run does not return")
	}
}

func (l *live) plans() (sender *stream.SendPlan, receiver *stream.ReceivePlan) {
	l.core.mu.Lock()
	defer l.core.mu.Unlock()
	return l.core.sender, l.core.receiver
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func (l *live) running() bool {
	sender, receiver := l.plans()
	return sender != nil && receiver != nil
}

// pair are two ends; each calls the other as it is told.
func pair(t *testing.T, guestCalls, hostCalls bool, change func(guest, host *Settings)) (guest, host *live) {
	at := map[proto.Role]netip.AddrPort{proto.Guest: freeAddr(t, "127.0.0.81"), proto.Host: freeAddr(t, "127.0.0.82")}
	var guestSettings, hostSettings Settings
	guest = newLive(t, proto.Guest, at[proto.Guest], func(c *Settings) {
		if guestCalls {
			c.Peer = peerAt(at[proto.Host])
		}
		guestSettings, hostSettings = *c, *c
		change(&guestSettings, &hostSettings)
		*c = guestSettings
	})
	host = newLive(t, proto.Host, at[proto.Host], func(c *Settings) {
		hostSettings.Role, hostSettings.Listen, hostSettings.Peer = c.Role, c.Listen, c.Peer
		*c = hostSettings
		if hostCalls {
			c.Peer = peerAt(at[proto.Guest])
		}
	})
	return guest, host
}

func unchanged(*Settings, *Settings) {}
