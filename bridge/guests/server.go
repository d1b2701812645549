package guests

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/fault"
	"archibald-bridge/bridge/seldom"
	"archibald-bridge/bridge/session"
	"archibald-bridge/bridge/signaling"
	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
)

const (
	noteInterval = time.Second
	longGone     = time.Minute      // without a session: another guest may have the slot
	neverCame    = 10 * time.Second // the same, where there never was one
	nodesTake    = time.Second      // at most, until the nodes are up: a first call waits for this
	foundHolds   = 10 * time.Second // what an unused end has learned about the audio server stays valid
)

// NewEnd makes the end that serves a guest in a slot, from 0 on. Its calls
// come in by the server's Switchboard. A slot has one end at a time.
type NewEnd func(slot int, settings session.Settings) (*session.End, error)

// server is a host with a slot for each guest.
type server struct {
	settings session.Settings // of all ends, but for the name
	log      *slog.Logger
	newEnd   NewEnd
	board    *signaling.Switchboard
	started  time.Time
	ctx      context.Context // of all ends
	unusable chan error      // an end needs the audio server in a new process, as all others do

	mu    sync.Mutex // guards what follows
	slots []slot
	ends  sync.WaitGroup

	found    *session.End // the last end that was made and not used
	foundAt  time.Time
	failures seldom.Limits // by their text: guests call again and again
}

// slot is free while end is nil.
type slot struct {
	name     string
	end      *session.End
	stop     context.CancelFunc
	leaving  bool // stop was called; it is free when its end has ended
	lastUp   time.Time
	cameUp   bool // this guest was heard
	everUsed bool // one of any guest was
}

// reclaimableAt says whether the slot may go to another guest.
func (p *slot) reclaimableAt(now time.Time) bool {
	patience := neverCame
	if p.cameUp {
		patience = longGone
	}
	return now.Sub(p.lastUp) > patience
}

// Serve runs the host, with this number of slots, until ctx ends.
func Serve(ctx context.Context, slots int, settings session.Settings, log *slog.Logger, page *status.Page, newEnd NewEnd) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := open(ctx, slots, settings, log, newEnd)
	if err != nil {
		return err
	}
	defer page.Show(s.status)()
	err = s.run()
	cancel()
	s.mu.Lock() // a call that is being answered takes its slot before, or none
	s.mu.Unlock()
	s.ends.Wait()
	return err
}

func open(ctx context.Context, slots int, settings session.Settings, log *slog.Logger, newEnd NewEnd) (*server, error) {
	s := &server{ctx: ctx, settings: settings, log: log, newEnd: newEnd, started: time.Now(), failures: seldom.Limits{Most: 1}, unusable: make(chan error, 1), slots: make([]slot, slots)}
	board, err := signaling.ListenForMany(settings.Listen,
		signaling.Gate{Role: proto.Host, Allow: settings.Allow, Secret: settings.Secret}, log, s.answering)
	s.board = board
	return s, err
}

// run answers and looks around until ctx ends.
func (s *server) run() error {
	s.log.Info("waiting for guests", "listen", s.board.Addr(), "most_at_once", len(s.slots))
	answered := make(chan error, 1)
	go func() { answered <- s.board.Run(s.ctx) }()
	ticker := time.NewTicker(noteInterval)
	defer ticker.Stop()
	var giveUp <-chan time.Time
	if wait := s.settings.Wait; wait > 0 {
		giveUp = time.After(wait)
	}
	for {
		select {
		case err := <-answered:
			return err
		case err := <-s.unusable:
			return err
		case <-ticker.C:
			s.noteUse(time.Now())
		case <-giveUp:
			if s.noteUse(time.Now()); !s.everUsed() {
				return fmt.Errorf("no guest called in %s: %w", s.settings.Wait, fault.ErrNeverReached)
			}
		}
	}
}

// noteUse notes which slots are in use.
func (s *server) noteUse(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.slots {
		p := &s.slots[i]
		if p.end == nil {
			continue
		}
		_, up := p.end.Endpoint().Current()
		p.everUsed = p.everUsed || up
		if up && p.end.Heard() { // who only calls holds no slot by that
			p.lastUp, p.cameUp = now, true
		}
	}
}

func (s *server) everUsed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.slots {
		if p.everUsed {
			return true
		}
	}
	return false
}

// answering is the end that a guest's call is for, once it has its nodes.
func (s *server) answering(offer proto.Description) (*signaling.Endpoint, error) {
	if offer.Role == proto.Host {
		return nil, errors.New("both ends are hosts: a session needs one guest and one host, check the address of --peer")
	}
	if name, _ := config.FindKey("name"); !name.Has(offer.Name) {
		return nil, fmt.Errorf("the guest's name: legal is %s", name.Domain)
	}
	if err := s.fits(offer); err != nil {
		return nil, signaling.NotSo(err.Error())
	}
	end, isNew, err := s.endFor(offer.Name, time.Now())
	if err != nil {
		return nil, err
	}
	for waited := time.Duration(0); !end.Ready() && waited < nodesTake; waited += 10 * time.Millisecond {
		time.Sleep(10 * time.Millisecond)
	}
	if err := end.Answers(offer); err != nil && isNew {
		s.reject(end)
		return nil, signaling.NotSo(err.Error())
	}
	return end.Endpoint(), nil
}

// fits says why an offer cannot be taken, before a slot is made for it. What the audio
// server runs at only an end knows: one that is there already, or the guest's own.
func (s *server) fits(offer proto.Description) error {
	if end := s.ready(time.Now()); end != nil {
		return end.Answers(offer)
	}
	rateHz := s.settings.RateHz
	if rateHz == 0 {
		rateHz = offer.RateHz
	}
	ours := session.Describe(s.settings, audio.Graph{RateHz: rateHz, PeriodFrames: max(1, offer.PeriodFrames)})
	_, _, err := proto.Answer(offer, ours)
	return err
}

// ready is an end that has its nodes, or had them lately; nil: none has. Who calls for
// ever with what does not fit is to make and take away no nodes each time.
func (s *server) ready(now time.Time) *session.End {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.slots {
		if p.end != nil && p.end.Ready() {
			return p.end
		}
	}
	if now.Sub(s.foundAt) < foundHolds {
		return s.found
	}
	return nil
}

// reject takes the slot from a guest that just got it and cannot be served.
func (s *server) reject(end *session.End) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.slots {
		if p := &s.slots[i]; p.end == end && !p.leaving {
			s.release(i)
			s.found, s.foundAt = end, time.Now()
		}
	}
}

// endFor is the end of the guest of that name, which takes a slot if it has none.
func (s *server) endFor(name string, now time.Time) (end *session.End, isNew bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	free, gone, leaving := -1, -1, false
	for i := range s.slots {
		switch p := &s.slots[i]; {
		case p.end == nil:
			if free < 0 {
				free = i
			}
		case p.leaving:
			leaving = true
		case p.name == name:
			return p.end, false, nil
		case p.reclaimableAt(now) && (gone < 0 || p.lastUp.Before(s.slots[gone].lastUp)):
			gone = i
		}
	}
	switch {
	case s.ctx.Err() != nil:
		return nil, false, signaling.NotNow("shutting down")
	case free >= 0:
		end, err = s.assign(free, name, now)
		return end, true, err
	case leaving || gone >= 0:
		if !leaving { // one slot is enough
			s.log.Info("a guest that is gone gives its slot to another", "guest", s.slots[gone].name)
			s.release(gone)
		}
		return nil, false, signaling.NotNow("the slot of a guest that is gone is being made free")
	}
	return nil, false, signaling.NotNow(fmt.Sprintf("this host serves %d guests at once, and has %s: stop one, or start it with --guests %d",
		len(s.slots), s.names(), len(s.slots)+1))
}

// assign gives the guest a free slot. Needs s.mu.
func (s *server) assign(i int, name string, now time.Time) (*session.End, error) {
	settings := s.settings
	settings.Name, settings.Wait = name, 0
	end, err := s.newEnd(i, settings)
	if err != nil {
		s.failed("cannot serve a guest", name, err)
		return nil, signaling.NotNow("the host cannot serve another guest now: its log says why")
	}
	ctx, stop := context.WithCancel(s.ctx)
	s.slots[i] = slot{name: name, end: end, stop: stop, lastUp: now, everUsed: s.slots[i].everUsed}
	s.board.Connect(end.Endpoint())
	s.ends.Add(1)
	go func() {
		defer s.ends.Done()
		defer stop()
		err := end.Run(ctx)
		s.board.Disconnect(end.Endpoint())
		if errors.Is(err, audio.ErrStartAnew) {
			select {
			case s.unusable <- err:
			default: // it is known
			}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if err != nil {
			s.failed("a guest's end stopped", name, err)
		}
		s.slots[i] = slot{everUsed: s.slots[i].everUsed}
	}()
	return end, nil
}

// failed tells why a guest is not served. Needs s.mu.
func (s *server) failed(what, guest string, reason error) {
	if s.failures.Allow(reason.Error(), time.Now()) {
		s.log.Error(what, "guest", guest, "reason", reason)
	}
}

// release takes the slot away from its guest. Needs s.mu.
func (s *server) release(i int) {
	s.slots[i].leaving = true
	s.slots[i].stop()
}

// names lists the guests. Needs s.mu.
func (s *server) names() string {
	names := make([]string, 0, len(s.slots))
	for _, p := range s.slots {
		names = append(names, fmt.Sprintf("%q", p.name))
	}
	return strings.Join(names, ", ")
}

// status is the host's state, with that of each guest.
func (s *server) status() status.Status {
	sum := status.Status{
		End: string(proto.Host), Version: status.Version, UptimeSeconds: time.Since(s.started).Seconds(),
		Audio: status.Audio{State: status.AudioUnused},
		Session: status.Session{
			State: status.SessionWaiting, LastError: s.board.LastRefusal(), RejectedCalls: status.RejectedCalls(s.board.Rejected()),
		},
		Slots: len(s.slots),
	}
	sum.Directions.Send.State, sum.Directions.Receive.State = status.DirectionIdle, status.DirectionIdle
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.slots {
		if p.end == nil {
			continue
		}
		guest := p.end.Status()
		if guest.End == "" {
			continue // it begins to run
		}
		sum.Guests = append(sum.Guests, guest)
		sum.Audio, sum.Machine = guest.Audio, guest.Machine
		if guest.Session.State == status.SessionUp {
			sum.Session.State = status.SessionUp
		}
	}
	return sum
}
