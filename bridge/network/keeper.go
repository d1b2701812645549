package network

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"archibald-bridge/bridge/fault"
)

const (
	lookAgain = time.Second            // while something is missing, or nobody tells of changes
	settle    = 100 * time.Millisecond // between two looks, however much changes: containers come and go
)

// Need is what an end needs of the network.
type Need struct {
	Name string // in words: "address 10.9.0.1"
	// Take takes it, or takes it again where it is another now. It is called whenever
	// something changed, mostly for nothing, and does not block. By is what it is taken
	// from, "interface eth0"; "" is the need itself. An error that IsAbsent is waited out.
	Take func() (by string, err error)
}

// Keeper takes what ends need as soon as it is there, and takes it again when it comes
// back. Its methods are for any goroutine.
type Keeper struct {
	log     *slog.Logger
	now     func() time.Time
	missing atomic.Pointer[string]

	mu     sync.Mutex // guards what follows
	needs  []*held
	looked chan struct{} // closed at the next look
	told   teller
}

// held is a need and how it was last seen.
type held struct {
	Need
	by     string // where it was last taken from
	reason string // why it is missing; "": it is not
	ever   bool   // it was there
}

// Keep makes a Keeper that works until ctx ends.
func Keep(ctx context.Context, log *slog.Logger) *Keeper {
	k := newKeeper(log)
	changed, err := changes(ctx)
	if err != nil {
		log.Warn("changes of the network are looked for once a second", "reason", err)
	}
	go k.follow(ctx, changed)
	return k
}

func newKeeper(log *slog.Logger) *Keeper {
	k := &Keeper{log: log, now: time.Now, looked: make(chan struct{})}
	k.told = teller{log: log}
	return k
}

func (k *Keeper) follow(ctx context.Context, changed <-chan struct{}) {
	ticker := time.NewTicker(lookAgain)
	defer ticker.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return
		case _, more := <-changed:
			if !more {
				changed = nil // from now on by the ticker
			}
			k.Look()
			time.Sleep(settle)
		case <-ticker.C:
			if changed == nil || k.Missing() != "" {
				k.Look()
			}
		}
	}
}

// Add takes a need, now and whenever the network changes, until drop is called. An
// error is of what cannot come later; what can is no error.
func (k *Keeper) Add(n Need) (drop func(), err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	h := &held{Need: n}
	if err := k.take(h); err != nil {
		return func() {}, err
	}
	k.needs = append(k.needs, h)
	k.sum()
	return func() { k.drop(h) }, nil
}

func (k *Keeper) drop(gone *held) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, h := range k.needs {
		if h == gone {
			k.needs = append(k.needs[:i:i], k.needs[i+1:]...)
			break
		}
	}
	k.sum()
}

// Look takes all needs again, for one whose user wants something else now.
func (k *Keeper) Look() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, h := range k.needs {
		if err := k.take(h); err != nil { // it was well before
			k.lost(h, err)
		}
	}
	k.sum()
	close(k.looked)
	k.looked = make(chan struct{})
}

// take notes and tells what has changed with a need. Needs k.mu.
func (k *Keeper) take(h *held) error {
	by, err := h.Take()
	if err != nil {
		if !IsAbsent(err) {
			return err
		}
		k.lost(h, err)
		return nil
	}
	if by == "" {
		by = h.Name
	}
	was := h.by
	missing := h.reason != ""
	h.by, h.reason = by, ""
	switch {
	case missing && !k.without(by) && !k.without(was):
		k.told.back(by, h.ever)
	case !missing && h.ever && was != by:
		k.log.Info("the network has changed", "for", h.Name, "was", was, "is", by)
	}
	h.ever = true
	return nil
}

func (k *Keeper) lost(h *held, err error) {
	first, reason := h.reason == "", err.Error()
	if h.by == "" {
		h.by = h.Name
	}
	known := k.without(h.by)
	changed := h.reason != reason
	h.reason = reason
	switch {
	case known && first: // its interface was told of by another need
	case first && h.ever:
		k.told.gone(h.by, reason, k.now())
	case first || changed && !h.ever:
		k.told.waiting(h.Name, reason, k.now())
	case h.ever:
		k.told.still(h.by, reason, k.now())
	}
}

// without says whether something is missing that was taken by. Needs k.mu.
func (k *Keeper) without(by string) bool {
	for _, h := range k.needs {
		if h.reason != "" && h.by == by {
			return true
		}
	}
	return false
}

// sum says what is missing. Needs k.mu.
func (k *Keeper) sum() {
	var all []string
	for _, h := range k.needs {
		if text := h.Name + ": " + h.reason; h.reason != "" {
			all = append(all, text)
		}
	}
	text := strings.Join(all, "; ")
	k.missing.Store(&text)
}

// Missing is what is missing of the network, and why, in one line; "": nothing.
func (k *Keeper) Missing() string {
	if text := k.missing.Load(); text != nil {
		return *text
	}
	return ""
}

// Await waits until nothing is missing, or ctx ends, which is no error. After wait, if
// that is not 0, it gives up with fault.ErrNeverReached.
func (k *Keeper) Await(ctx context.Context, wait time.Duration) error {
	var giveUp <-chan time.Time
	if wait > 0 {
		giveUp = time.After(wait)
	}
	for {
		k.mu.Lock()
		looked := k.looked
		k.mu.Unlock()
		missing := k.Missing()
		if missing == "" {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-giveUp:
			return fmt.Errorf("%s: not there in %s: %w", missing, wait, fault.ErrNeverReached)
		case <-looked:
		}
	}
}

// Follow is Add for a need that can always come later.
func (k *Keeper) Follow(n Need) (drop func()) {
	drop, err := k.Add(n)
	if err != nil {
		k.log.Error(n.Name, "reason", err)
	}
	return drop
}
