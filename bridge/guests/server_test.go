package guests

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/fault"
	"archibald-bridge/bridge/session"
	"archibald-bridge/bridge/status"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

// core does nothing.
type core struct{ session.Core }

func (core) SetGraph(int)                                      {}
func (core) StartSender(stream.SendPlan) error                 { return nil }
func (core) StopSender()                                       {}
func (core) StartReceiver(stream.ReceivePlan) error            { return nil }
func (core) StopReceiver()                                     {}
func (core) SetRatio(float64)                                  {}
func (core) SeekTo(int64)                                      {}
func (core) Observe([]stream.Observation) int                  { return 0 }
func (core) MediaSource() netip.AddrPort                       { return netip.AddrPort{} }
func (core) SendRTCP([]byte, netip.Addr, netip.AddrPort) error { return nil }
func (core) ReadRTCP([]byte) (int, netip.AddrPort, int64, bool) {
	return 0, netip.AddrPort{}, 0, false
}
func (core) Idle(int64)                {}
func (core) LookaheadFrames() int      { return 7 }
func (core) Counters() stream.Counters { return stream.Counters{} }

// fakeAudio is a server that is there at once, or never.
type fakeAudio struct {
	absent bool
	events chan audio.Event
	fails  error // of Open; nil: it succeeds, or is absent
}

func (a *fakeAudio) Open(audio.Config) (audio.Graph, error) {
	if a.fails != nil {
		return audio.Graph{}, a.fails
	}
	if a.absent {
		return audio.Graph{}, audio.ErrServerAbsent
	}
	return a.Graph(), nil
}
func (a *fakeAudio) Graph() audio.Graph         { return audio.Graph{RateHz: 48000, PeriodFrames: 64} }
func (a *fakeAudio) Events() <-chan audio.Event { return a.events }
func (a *fakeAudio) SetActive(bool)             {}
func (a *fakeAudio) SetLatency(int, int)        {}
func (a *fakeAudio) RealTime() (string, int)    { return "", 0 }
func (a *fakeAudio) Threads() audio.Threads     { return audio.Threads{} }
func (a *fakeAudio) Xruns() uint64              { return 0 }
func (a *fakeAudio) Close() error               { return nil }

type machine struct{}

func (machine) SetStreaming(bool)      {}
func (machine) Tend(audio.Threads)     {}
func (machine) Status() status.Machine { return status.Machine{} }

type memory struct{}

func (memory) Jitter(string) int                 { return 0 }
func (memory) SetJitter(string, int, bool) error { return nil }

// served is a server that runs.
type served struct {
	*server
	t    *testing.T
	mu   sync.Mutex
	made []string // "slot name" of each end

	fails error // of what makes ends
	log   bytes.Buffer
}

// Write takes the log's lines.
func (s *served) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(line)
}

// logged is how often the log says that.
func (s *served) logged(text string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Count(s.log.String(), text)
}

func hostSettings() session.Settings {
	return session.Settings{
		Role: proto.Host, Listen: netip.MustParseAddrPort("127.0.0.73:0"), SendChannels: 2, ReceiveChannels: 2, Bitrate: 128000, MulticastTTL: 1,
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	}
}

func serve(t *testing.T, guests int, absent bool) *served {
	t.Helper()
	return serveAs(t, guests, absent, func(*session.Settings) {})
}

func serveAs(t *testing.T, guests int, absent bool, change func(*session.Settings)) *served {
	t.Helper()
	settings := hostSettings()
	change(&settings)
	s := &served{t: t}
	log := slog.New(slog.NewTextHandler(s, nil))
	ctx, cancel := context.WithCancel(context.Background())
	var err error
	if s.server, err = open(ctx, guests, settings, log, func(slot int, settings session.Settings) (*session.End, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.made = append(s.made, fmt.Sprint(slot, " ", settings.Name))
		if s.fails != nil {
			return nil, s.fails
		}
		settings.Listen = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.73"), uint16(5000+slot))
		return session.New(settings, session.Parts{
			Core: core{}, Audio: &fakeAudio{absent: absent, events: make(chan audio.Event)}, Machine: machine{},
			Server: "PipeWire", Log: log, Memory: memory{}, Shared: true,
		}), nil
	}); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.run() }()
	t.Cleanup(func() {
		cancel()
		s.ends.Wait()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	return s
}

// call offers a session and returns what is answered.
func (s *served) call(name string, role proto.Role) (code int, body string) {
	s.t.Helper()
	return s.offer(name, role, func(*proto.Description) {})
}

func (s *served) offer(name string, role proto.Role, change func(*proto.Description)) (code int, body string) {
	s.t.Helper()
	offer := proto.Description{
		Name: name, Role: role, Version: proto.Version, Port: 4713, Payloads: proto.Payloads(proto.Encodings...), RateHz: 48000,
		SendChannels: 2, ReceiveChannels: 2, PacketFrames: 64, SSRC: proto.SSRC(name, role), CNAME: "test", RTCPMux: true, Revision: 1,
	}
	change(&offer)
	answer, err := http.Post("http://"+s.board.Addr().String()+"/session", "application/sdp", bytes.NewReader(offer.Marshal()))
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// answered is the description that a guest's call is answered with.
func (s *served) answered(name string) proto.Description {
	s.t.Helper()
	code, body := s.call(name, proto.Guest)
	// Who calls again, and does not say which session it replaces, waits until that is silent.
	for deadline := time.Now().Add(2 * time.Second); code == http.StatusConflict && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
		code, body = s.call(name, proto.Guest)
	}
	if code != http.StatusCreated {
		s.t.Fatalf("guest %q: %d %s", name, code, body)
	}
	d, err := proto.ParseDescription([]byte(body))
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}

func (s *served) refused(name string, role proto.Role, code int, why string) {
	s.t.Helper()
	if got, body := s.call(name, role); got != code || !strings.Contains(body, why) {
		s.t.Errorf("guest %q: %d %s; want %d %s", name, got, body, code, why)
	}
}

func TestEachGuestHasAnEndOfItsOwn(t *testing.T) {
	s := serve(t, 3, false)
	ann, bob := s.answered("ann"), s.answered("bob")
	if ann.Port != 5000 || bob.Port != 5001 || ann.SSRC == bob.SSRC || ann.Name != "ann" || bob.Name != "bob" {
		t.Errorf("ports %d and %d, SSRC %x and %x, names %q and %q", ann.Port, bob.Port, ann.SSRC, bob.SSRC, ann.Name, bob.Name)
	}
	if again := s.answered("ann"); again.Port != 5000 {
		t.Errorf("called again, ann is answered from port %d", again.Port)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if got := strings.Join(s.made, ", "); got != "0 ann, 1 bob" {
		t.Errorf("ends: %s", got)
	}
}

// Which period the leader's graph has nobody knows before the first guest's end is there.
func TestAHostThatLeadsIsFollowedByEachGuestAndFollowsNone(t *testing.T) {
	s := serveAs(t, 3, false, func(s *session.Settings) { s.Clock = proto.ClockLead })
	for i, follows := range []proto.Follows{proto.FollowsOwn, proto.FollowsAny} {
		code, body := s.offer(fmt.Sprint("guest-", i), proto.Guest, func(d *proto.Description) {
			d.PeriodFrames, d.Clock, d.Follows = 64, proto.ClockFollow, follows
		})
		if code != http.StatusCreated || !strings.Contains(body, "a=x-archibald-lock:lead\r\n") {
			t.Errorf("%q: %d %s", follows, code, body)
		}
	}
	s = serveAs(t, 2, false, func(s *session.Settings) { s.Clock = proto.ClockAuto })
	code, body := s.offer("leader", proto.Guest, func(d *proto.Description) { d.PeriodFrames, d.Clock = 64, proto.ClockLead })
	if code != http.StatusConflict || !strings.Contains(body, "the host is to follow the guest, and its audio server cannot") {
		t.Errorf("%d %s", code, body)
	}
}

func TestAGuestWithoutANameHasAPlaceToo(t *testing.T) {
	s := serve(t, 2, false)
	if got := s.answered(""); got.Name != "" || got.Port != 5000 {
		t.Errorf("%+v", got)
	}
}

func TestOneGuestTooManyIsToldWhoIsThere(t *testing.T) {
	s := serve(t, 2, false)
	s.answered("ann")
	s.answered("bob")
	s.refused("cyd", proto.Guest, http.StatusServiceUnavailable,
		`this host serves 2 guests at once, and has "ann", "bob": stop one, or start it with --guests 3`)
	s.answered("ann")
}

func TestAPlaceIsNotTakenFromAGuestThatWasThereAMinuteAgo(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		cameUp bool
		away   time.Duration
		want   bool
	}{
		{true, 59 * time.Second, false},
		{true, 61 * time.Second, true},
		{false, 9 * time.Second, false}, // its nodes may still be coming up
		{false, 11 * time.Second, true},
	} {
		p := slot{lastUp: now.Add(-c.away), cameUp: c.cameUp}
		if got := p.reclaimableAt(now); got != c.want {
			t.Errorf("%+v: gone %v", c, got)
		}
	}
}

func TestAGuestThatIsGoneKeepsItsPlaceUntilAnotherNeedsIt(t *testing.T) {
	s := serve(t, 2, false)
	s.answered("ann")
	s.answered("bob")
	now := time.Now()
	s.noteUse(now)
	s.mu.Lock()
	for i := range s.slots { // both were heard
		s.slots[i].cameUp, s.slots[i].lastUp = true, now
	}
	s.mu.Unlock()
	for _, name := range []string{"ann", "bob"} { // both hang up
		end, _, err := s.endFor(name, now)
		if err != nil {
			t.Fatal(err)
		}
		end.Endpoint().Drop("test")
	}
	if _, _, err := s.endFor("cyd", now.Add(longGone)); err == nil || !strings.Contains(err.Error(), "stop one") {
		t.Errorf("after %s: %v", longGone, err)
	}
	s.mu.Lock()
	s.slots[1].lastUp = now.Add(-time.Second) // bob is gone for longer
	s.mu.Unlock()
	later := now.Add(longGone + time.Millisecond)
	if _, _, err := s.endFor("cyd", later); err == nil || !strings.Contains(err.Error(), "made free") {
		t.Errorf("after more than %s: %v", longGone, err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, _, err := s.endFor("cyd", later); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(10 * time.Second); guestNames(s.status()) != "ann cyd"; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("guests %s", guestNames(s.status()))
		}
	}
}

func guestNames(s status.Status) string {
	var names []string
	for _, guest := range s.Guests {
		names = append(names, guest.Name)
	}
	return strings.Join(names, " ")
}

func TestTheFirstCallWaitsForTheNodesAndThenSaysWhatIsMissing(t *testing.T) {
	s := serve(t, 2, true)
	begun := time.Now()
	s.refused("ann", proto.Guest, http.StatusServiceUnavailable, "no audio on the host: audio server not running")
	if waited := time.Since(begun); waited < nodesTake {
		t.Errorf("refused after %s", waited)
	}
}

func TestManyCallsAtOnceTakeOnePlaceEach(t *testing.T) {
	s := serve(t, 4, false)
	var calls sync.WaitGroup
	for i := range 32 {
		calls.Add(1)
		go func() {
			defer calls.Done()
			name := fmt.Sprintf("guest-%d", i%4)
			if end, _, err := s.endFor(name, time.Now()); err != nil || end == nil {
				t.Errorf("%s: %v", name, err)
			}
		}()
	}
	calls.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.made) != 4 {
		t.Errorf("ends: %q", s.made)
	}
}

func TestStatusHasEachGuest(t *testing.T) {
	s := serve(t, 3, false)
	if got := s.status(); got.Audio.State != status.AudioUnused || got.Session.State != status.SessionWaiting {
		t.Errorf("before the first guest: %+v", got)
	}
	s.answered("ann")
	s.answered("bob")
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		got := s.status()
		if guestNames(got) == "ann bob" && got.Session.State == status.SessionUp && got.Audio.State == status.AudioRunning {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%+v", got)
		}
	}
}

func TestAHostThatNobodyCallsGivesUpInTime(t *testing.T) {
	settings := hostSettings()
	settings.Wait = 20 * time.Millisecond
	err := Serve(context.Background(), 2, settings, slog.New(slog.DiscardHandler), new(status.Page), nil)
	if !errors.Is(err, fault.ErrNeverReached) || !strings.Contains(err.Error(), "no guest called in 20ms") {
		t.Errorf("%v", err)
	}
}

// What one end's audio library cannot do any more in this process, that of no other end can.
func TestTheHostEndsWithAnEndThatNeedsANewProcess(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	hopeless := fmt.Errorf("JACK server does not answer: %w", audio.ErrStartAnew)
	s, err := open(ctx, 2, hostSettings(), slog.New(slog.DiscardHandler), func(_ int, settings session.Settings) (*session.End, error) {
		return session.New(settings, session.Parts{
			Core: core{}, Audio: &fakeAudio{fails: hopeless, events: make(chan audio.Event)}, Machine: machine{},
			Server: "JACK server", Log: slog.New(slog.DiscardHandler), Memory: memory{}, Shared: true,
		}), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.run() }()
	(&served{server: s, t: t}).call("ann", proto.Guest)
	select {
	case err := <-ended:
		if !errors.Is(err, audio.ErrStartAnew) {
			t.Errorf("ended with %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("it goes on")
	}
	cancel()
	s.ends.Wait()
}
