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
	"archibald-bridge/bridge/session"
	"archibald-bridge/bridge/signaling"
	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
)

const (
	lookAround = time.Second
	longGone   = time.Minute      // without a session: another guest may have the place
	neverCame  = 10 * time.Second // the same, where there never was one
	nodesTake  = time.Second      // at most, to come up: so long a first call waits
	foundHolds = 10 * time.Second // what an end found of PipeWire, when it was made for nothing
	tellAgain  = time.Minute      // of the same failure: guests call again and again
)

// NewEnd makes the end that serves a guest in a place, from 0 on. Its calls
// come in by the house's Switchboard. A place has one end at a time.
type NewEnd func(place int, settings session.Settings) (*session.End, error)

// house is a host with a place for each guest.
type house struct {
	settings session.Settings // of all ends, but for the name
	log      *slog.Logger
	newEnd   NewEnd
	board    *signaling.Switchboard
	started  time.Time
	ctx      context.Context // of all ends

	mu     sync.Mutex // guards what follows
	places []place
	ends   sync.WaitGroup

	found      *session.End // the last that was made for nothing
	foundAt    time.Time
	failure    string // the last that was told
	toldFailed time.Time
}

// place is free while end is nil.
type place struct {
	name     string
	end      *session.End
	stop     context.CancelFunc
	leaving  bool // stop was called; it is free when its end has ended
	lastUp   time.Time
	cameUp   bool // this guest was heard
	everUsed bool // one of any guest was
}

// goneAt says whether the place may go to another guest.
func (p *place) goneAt(now time.Time) bool {
	patience := neverCame
	if p.cameUp {
		patience = longGone
	}
	return now.Sub(p.lastUp) > patience
}

// Serve is the host, with so many places, until ctx ends.
func Serve(ctx context.Context, places int, settings session.Settings, log *slog.Logger, page *status.Page, newEnd NewEnd) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	h, err := open(ctx, places, settings, log, newEnd)
	if err != nil {
		return err
	}
	defer page.Show(h.status)()
	err = h.run()
	cancel()
	h.mu.Lock() // a call that is being answered takes its place before, or none
	h.mu.Unlock()
	h.ends.Wait()
	return err
}

func open(ctx context.Context, places int, settings session.Settings, log *slog.Logger, newEnd NewEnd) (*house, error) {
	h := &house{ctx: ctx, settings: settings, log: log, newEnd: newEnd, started: time.Now(), places: make([]place, places)}
	board, err := signaling.ListenForMany(settings.Listen,
		signaling.Gate{Role: proto.Host, Allow: settings.Allow, Secret: settings.Secret}, log, h.answering)
	h.board = board
	return h, err
}

// run answers and looks around until ctx ends.
func (h *house) run() error {
	h.log.Info("waiting for guests", "listen", h.board.Addr(), "most_at_once", len(h.places))
	answered := make(chan error, 1)
	go func() { answered <- h.board.Run(h.ctx) }()
	ticker := time.NewTicker(lookAround)
	defer ticker.Stop()
	var giveUp <-chan time.Time
	if wait := h.settings.Wait; wait > 0 {
		giveUp = time.After(wait)
	}
	for {
		select {
		case err := <-answered:
			return err
		case <-ticker.C:
			h.look(time.Now())
		case <-giveUp:
			if h.look(time.Now()); !h.everUsed() {
				return fmt.Errorf("no guest called in %s: %w", h.settings.Wait, fault.ErrNeverReached)
			}
		}
	}
}

// look notes which places are in use.
func (h *house) look(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.places {
		p := &h.places[i]
		if p.end == nil {
			continue
		}
		_, up := p.end.Endpoint().Current()
		p.everUsed = p.everUsed || up
		if up && p.end.Heard() { // who only calls holds no place by that
			p.lastUp, p.cameUp = now, true
		}
	}
}

func (h *house) everUsed() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.places {
		if p.everUsed {
			return true
		}
	}
	return false
}

// answering is the end that a guest's call is for, once it has its nodes.
func (h *house) answering(offer proto.Description) (*signaling.Endpoint, error) {
	if offer.Role == proto.Host {
		return nil, errors.New("both ends are hosts: a session needs one guest and one host, check the address of --peer")
	}
	if name, _ := config.FindKey("name"); !name.Has(offer.Name) {
		return nil, fmt.Errorf("the guest's name: legal is %s", name.Domain)
	}
	if err := h.fits(offer); err != nil {
		return nil, signaling.NotSo(err.Error())
	}
	end, isNew, err := h.endOf(offer.Name, time.Now())
	if err != nil {
		return nil, err
	}
	for waited := time.Duration(0); !end.Ready() && waited < nodesTake; waited += 10 * time.Millisecond {
		time.Sleep(10 * time.Millisecond)
	}
	if err := end.Answers(offer); err != nil && isNew {
		h.turnAway(end)
		return nil, signaling.NotSo(err.Error())
	}
	return end.Endpoint(), nil
}

// fits says why an offer cannot be taken, before a place is made for it. What PipeWire
// runs at only an end knows: one that is there already, or the guest's own.
func (h *house) fits(offer proto.Description) error {
	if end := h.ready(time.Now()); end != nil {
		return end.Answers(offer)
	}
	rateHz := h.settings.RateHz
	if rateHz == 0 {
		rateHz = offer.RateHz
	}
	ours := session.Describe(h.settings, audio.Graph{RateHz: rateHz, PeriodFrames: max(1, h.settings.PeriodFrames)})
	_, _, err := proto.Answer(offer, ours)
	return err
}

// ready is an end that has its nodes, or had them lately; nil: none has. Who calls for
// ever with what does not fit is to make and take away no nodes each time.
func (h *house) ready(now time.Time) *session.End {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.places {
		if p.end != nil && p.end.Ready() {
			return p.end
		}
	}
	if now.Sub(h.foundAt) < foundHolds {
		return h.found
	}
	return nil
}

// turnAway takes the place from a guest that just got it and cannot be served.
func (h *house) turnAway(end *session.End) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.places {
		if p := &h.places[i]; p.end == end && !p.leaving {
			h.leave(i)
			h.found, h.foundAt = end, time.Now()
		}
	}
}

// endOf is the end of the guest of that name, which takes a place if it has none.
func (h *house) endOf(name string, now time.Time) (end *session.End, isNew bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	free, gone, leaving := -1, -1, false
	for i := range h.places {
		switch p := &h.places[i]; {
		case p.end == nil:
			if free < 0 {
				free = i
			}
		case p.leaving:
			leaving = true
		case p.name == name:
			return p.end, false, nil
		case p.goneAt(now) && (gone < 0 || p.lastUp.Before(h.places[gone].lastUp)):
			gone = i
		}
	}
	switch {
	case h.ctx.Err() != nil:
		return nil, false, signaling.NotNow("shutting down")
	case free >= 0:
		end, err = h.take(free, name, now)
		return end, true, err
	case leaving || gone >= 0:
		if !leaving { // one place is enough
			h.log.Info("a guest that is gone gives its place to another", "guest", h.places[gone].name)
			h.leave(gone)
		}
		return nil, false, signaling.NotNow("the place of a guest that is gone is being made free")
	}
	return nil, false, signaling.NotNow(fmt.Sprintf("this host serves %d guests at once, and has %s: stop one, or start it with --guests %d",
		len(h.places), h.names(), len(h.places)+1))
}

// take gives the guest a free place. Needs h.mu.
func (h *house) take(i int, name string, now time.Time) (*session.End, error) {
	settings := h.settings
	settings.Name, settings.Wait = name, 0
	end, err := h.newEnd(i, settings)
	if err != nil {
		h.failed("cannot serve a guest", name, err)
		return nil, signaling.NotNow("the host cannot serve another guest now: its log says why")
	}
	ctx, stop := context.WithCancel(h.ctx)
	h.places[i] = place{name: name, end: end, stop: stop, lastUp: now, everUsed: h.places[i].everUsed}
	h.board.Connect(end.Endpoint())
	h.ends.Add(1)
	go func() {
		defer h.ends.Done()
		defer stop()
		err := end.Run(ctx)
		h.board.Disconnect(end.Endpoint())
		h.mu.Lock()
		defer h.mu.Unlock()
		if err != nil {
			h.failed("a guest's end stopped", name, err)
		}
		h.places[i] = place{everUsed: h.places[i].everUsed}
	}()
	return end, nil
}

// failed tells why a guest is not served. Needs h.mu.
func (h *house) failed(what, guest string, reason error) {
	if now := time.Now(); reason.Error() != h.failure || now.Sub(h.toldFailed) >= tellAgain {
		h.failure, h.toldFailed = reason.Error(), now
		h.log.Error(what, "guest", guest, "reason", reason)
	}
}

// leave takes the place away from its guest. Needs h.mu.
func (h *house) leave(i int) {
	h.places[i].leaving = true
	h.places[i].stop()
}

// names lists the guests. Needs h.mu.
func (h *house) names() string {
	names := make([]string, 0, len(h.places))
	for _, p := range h.places {
		names = append(names, fmt.Sprintf("%q", p.name))
	}
	return strings.Join(names, ", ")
}

// status is the host's state, with that of each guest.
func (h *house) status() status.Status {
	s := status.Status{
		End: string(proto.Host), Version: status.Version, UptimeSeconds: time.Since(h.started).Seconds(),
		Audio: status.Audio{State: status.AudioUnused},
		Session: status.Session{
			State: status.SessionWaiting, LastError: h.board.LastRefusal(), RejectedCalls: status.RejectedCalls(h.board.Rejected()),
		},
		Places: len(h.places),
	}
	s.Directions.Send.State, s.Directions.Receive.State = status.DirectionIdle, status.DirectionIdle
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.places {
		if p.end == nil {
			continue
		}
		guest := p.end.Status()
		if guest.End == "" {
			continue // it begins to run
		}
		s.Guests = append(s.Guests, guest)
		s.Audio, s.Machine = guest.Audio, guest.Machine
		if guest.Session.State == status.SessionUp {
			s.Session.State = status.SessionUp
		}
	}
	return s
}
