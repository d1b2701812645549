package session

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/codec"
	"archibald-bridge/bridge/fault"
	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
)

func TestBothEndsComeUpInEveryOrder(t *testing.T) {
	callers := map[string][2]bool{"guest calls": {true, false}, "host calls": {false, true}, "both call": {true, true}}
	for caller, calls := range callers {
		for _, guestFirst := range []bool{true, false} {
			for _, audioFirst := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s, guest first %v, its audio first %v", caller, guestFirst, audioFirst), func(t *testing.T) {
					guest, host := pair(t, calls[0], calls[1], func(guest, host *Settings) {
						guest.SendChannels, guest.ReceiveChannels = 3, 1
						host.Format = proto.L16
					})
					first, second := guest, host
					if !guestFirst {
						first, second = host, guest
					}
					if !audioFirst {
						first.audio.absent = audio.ErrServerAbsent
					}
					first.start()
					time.Sleep(40 * time.Millisecond)
					second.start()
					time.Sleep(40 * time.Millisecond)
					first.audio.set(func(a *fakeAudio) { a.absent = nil })
					eventually(t, "both run", func() bool { return guest.running() && host.running() })
					judgePair(t, guest, host)
					guest.stop()
					host.stop()
				})
			}
		}
	}
}

func judgePair(t *testing.T, guest, host *live) {
	t.Helper()
	format := func(channels int) proto.Format {
		return proto.Format{Encoding: proto.L16, RateHz: testRate, Channels: channels}
	}
	guestSends, guestReceives := guest.plans()
	hostSends, hostReceives := host.plans()
	if guestSends.Format != codec.FormatOf(format(2)) || hostReceives.Format != codec.FormatOf(format(2)) || guestReceives.Format != codec.FormatOf(format(1)) || hostSends.Format != codec.FormatOf(format(1)) {
		t.Errorf("guest sends %v, host receives %v; host sends %v, guest receives %v",
			guestSends.Format, hostReceives.Format, hostSends.Format, guestReceives.Format)
	}
	if guestSends.SSRC != hostReceives.SSRC || hostSends.SSRC != guestReceives.SSRC || guestSends.SSRC == hostSends.SSRC {
		t.Errorf("guest sends %d, host receives %d; host sends %d, guest receives %d",
			guestSends.SSRC, hostReceives.SSRC, hostSends.SSRC, guestReceives.SSRC)
	}
	if guestSends.To != host.settings.Listen || hostSends.To != guest.settings.Listen {
		t.Errorf("guest sends to %v, host to %v", guestSends.To, hostSends.To)
	}
	if guestReceives.From != host.settings.Listen.Addr() || hostReceives.From != guest.settings.Listen.Addr() {
		t.Errorf("guest hears %v, host %v", guestReceives.From, hostReceives.From)
	}
}

func TestPeerThatRestartsIsTakenBack(t *testing.T) {
	guest, host := pair(t, true, false, unchanged)
	guest.start()
	host.start()
	eventually(t, "both run", func() bool { return guest.running() && host.running() })
	host.stop()
	again := newLive(t, proto.Host, host.settings.Listen, func(*Settings) {})
	again.start()
	eventually(t, "the new host runs", again.running)
	eventually(t, "a reconnect is counted", func() bool { return guest.Status().Session.Reconnects == 1 })
	guest.stop()
	again.stop()
	if n := guest.log.count("session up"); n != 2 {
		t.Errorf("%d sessions, want 2:\n%s", n, guest.log.text.String())
	}
	if count(guest.audio.called(), "active false") != 0 {
		t.Error("the graph was let go of in between")
	}
}

// An end that stops says so, and answers no more: the peer, which calls again
// at once, must not be given a session that is over at once.
func TestEndThatStopsSaysByeAndIsNotCalledBackIn(t *testing.T) {
	guest, host := pair(t, false, true, unchanged)
	guest.start()
	host.start()
	eventually(t, "both run", func() bool { return guest.running() && host.running() })
	// What the guest writes reaches the host, as on a network.
	stop := make(chan struct{})
	var carrier sync.WaitGroup
	carrier.Add(1)
	go func() {
		defer carrier.Done()
		for {
			guest.core.mu.Lock()
			out := guest.core.rtcpOut
			guest.core.rtcpOut = nil
			guest.core.mu.Unlock()
			host.core.mu.Lock()
			for _, d := range out {
				host.core.rtcpIn = append(host.core.rtcpIn, datagram{d.data, guest.settings.Listen, systemTime{}.monotonicNs()})
			}
			host.core.mu.Unlock()
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	guest.stop()
	eventually(t, "the host hears it", func() bool { return host.log.count("the peer said goodbye: bridge stopped") == 1 })
	eventually(t, "the host stops sending", func() bool { return !host.running() })
	close(stop)
	carrier.Wait()
	host.stop()
	if n := host.log.count("session up"); n != 1 {
		t.Errorf("%d sessions, want 1:\n%s", n, host.log.text.String())
	}
	guestCalls := guest.audio.called()
	if guestCalls[len(guestCalls)-1] != "close" || guest.running() {
		t.Errorf("calls %q", guestCalls)
	}
}

func TestEachEndSendsAtItsOwnRate(t *testing.T) {
	guest, host := pair(t, true, false, unchanged)
	host.audio.graph.RateHz = 44100
	guest.start()
	host.start()
	eventually(t, "both run", func() bool { return guest.running() && host.running() })
	for _, c := range []struct {
		end        *live
		ours, peer int
	}{{guest, testRate, 44100}, {host, 44100, testRate}} {
		sender, receiver := c.end.plans()
		if sender.Format.RateHz != c.ours || receiver.Format.RateHz != c.peer || receiver.GraphRateHz != c.ours {
			t.Errorf("sends %s, receives %s into a graph of %d Hz; want %d and %d Hz", sender.Format, receiver.Format, receiver.GraphRateHz, c.ours, c.peer)
		}
	}
	eventually(t, "the status shows both rates", func() bool {
		s := host.Status()
		return s.Audio.Rate == 44100 && s.Directions.Send.Rate == 44100 && s.Directions.Receive.Rate == testRate
	})
	guest.audio.set(func(a *fakeAudio) { a.graph.RateHz = 96000 })
	host.audio.set(func(a *fakeAudio) { a.graph.RateHz = 96000 })
	guest.audio.events <- audio.Changed
	host.audio.events <- audio.Changed
	eventually(t, "both run at 96 kHz", func() bool {
		sender, _ := guest.plans()
		_, receiver := host.plans()
		return sender != nil && receiver != nil && sender.Format.RateHz == 96000 && receiver.Format.RateHz == 96000
	})
	guest.stop()
	host.stop()
}

func TestAudioServerThatWasAwayBringsTheSessionBackAtItsNewRate(t *testing.T) {
	guest, host := pair(t, true, false, unchanged)
	guest.start()
	host.start()
	eventually(t, "both run", func() bool { return guest.running() && host.running() })
	for _, l := range []*live{guest, host} {
		l.audio.set(func(a *fakeAudio) { a.graph.RateHz = 44100 })
		l.audio.events <- audio.Lost
	}
	eventually(t, "both run at 44.1 kHz", func() bool {
		sender, _ := guest.plans()
		_, receiver := host.plans()
		return sender != nil && receiver != nil && sender.Format.RateHz == 44100 && receiver.Format.RateHz == 44100
	})
	guest.stop()
	host.stop()
}

func TestWaitingEndsWithTheNameOfWhatIsMissing(t *testing.T) {
	for name, absent := range map[string]error{"audio of the guest: not reached": audio.ErrServerAbsent, "peer 127.0.0.82:": nil} {
		guest, _ := pair(t, true, false, func(guest, _ *Settings) { guest.Wait = 60 * time.Millisecond })
		guest.audio.absent = absent
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		err := guest.Run(ctx)
		cancel()
		if !errors.Is(err, fault.ErrNeverReached) || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("got %v, want %s ...", err, name)
		}
	}
	guest, host := pair(t, true, false, func(guest, _ *Settings) { guest.Wait = 500 * time.Millisecond })
	guest.start()
	host.start()
	eventually(t, "both run", func() bool { return guest.running() && host.running() })
	time.Sleep(600 * time.Millisecond)
	guest.stop() // it returns nil: the time to wait is over, and no matter
	host.stop()
}

func TestAddressInUseEndsTheRun(t *testing.T) {
	guest, host := pair(t, false, false, unchanged)
	guest.start()
	eventually(t, "the guest listens", func() bool { return guest.Status().Audio.State == status.AudioRunning })
	host.settings.Listen = guest.settings.Listen
	if err := host.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "TCP port in use") {
		t.Errorf("%v", err)
	}
	if n := len(host.audio.called()); n != 0 {
		t.Errorf("calls %q", host.audio.called())
	}
	guest.stop()
}

func TestNothingIsLeftRunning(t *testing.T) {
	before := runtime.NumGoroutine()
	guest, host := pair(t, true, true, unchanged)
	for _, l := range []*live{guest, host} {
		l.start()
	}
	eventually(t, "both run", func() bool { return guest.running() && host.running() })
	guest.stop()
	host.stop()
	eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
}

// Whatever signaling still has to say when the end is over must not hold it up.
func TestEndIsNotHeldUpByEventsNobodyReads(t *testing.T) {
	events, over := make(chan peerEvent), make(chan struct{})
	close(over)
	h := peerHandler{events, over}
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.Up(agreed("a"))
		h.Down("a", "closed")
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("held up")
	}
}

func TestStatusIsReadWhileTheEndRuns(t *testing.T) {
	guest, host := pair(t, true, false, unchanged)
	guest.start()
	host.start()
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for _, l := range []*live{guest, host} {
		readers.Add(1)
		go func() {
			defer readers.Done()
			for {
				select {
				case <-stop:
					return
				default:
					_ = fmt.Sprint(l.Status()) // reads every field
				}
			}
		}()
	}
	for range 3 {
		eventually(t, "both run", func() bool { return guest.running() && host.running() })
		guest.audio.events <- audio.Lost
		time.Sleep(30 * time.Millisecond)
	}
	close(stop)
	readers.Wait()
	guest.stop()
	host.stop()
}
