package session

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/signaling"
	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"

	"golang.org/x/sys/unix"
)

const (
	tick            = 20 * time.Millisecond  // how often observations become a ratio
	publishInterval = 500 * time.Millisecond // status; also the window of the peak meters
	reportInterval  = time.Second            // RTCP
	checkAfter      = 300 * time.Millisecond // media missing: ask the peer whether it still knows us
	silentAfter     = time.Second            // media missing: the direction is silent
	forgetAfter     = 5 * time.Second        // neither media nor RTCP: the session is over
	idleAfter       = 10 * time.Second       // no session: the nodes stop asking for a period
	audioRetryLeast = 50 * time.Millisecond
	audioRetryMost  = 250 * time.Millisecond
)

// End is one end of a bridge: it keeps the audio server open, the session up and
// the playout position in place, until its context ends. It gives up for no
// failure of a server or of the peer.
type End struct {
	cfg    config.Config
	core   Core
	audio  AudioServer
	server string // the audio server in words
	log    *slog.Logger
	role   proto.Role

	signaling *signaling.Endpoint // nil when static
	peerEvent chan peerEvent
	local     atomic.Pointer[proto.Description] // nil while the audio server is absent

	// The rest belongs to Run's goroutine.
	started     time.Time
	graph       Graph
	audioOpen   bool
	audioError  string
	nextOpen    time.Time
	openBackoff time.Duration
	session     *signaling.Session
	sessions    uint64
	streams     streams
	everAudio   bool
	everPeer    bool

	publishedNs int64
	snapshot    atomic.Pointer[status.Status]
}

// Parts are what an end is made of.
type Parts struct {
	Core   Core
	Audio  AudioServer
	Server string // the audio server in words, "JACK server default"
	Log    *slog.Logger
}

// New makes an end; Run starts it.
func New(cfg config.Config, role proto.Role, parts Parts) *End {
	e := &End{
		cfg: cfg, role: role, core: parts.Core, audio: parts.Audio, server: parts.Server,
		log: parts.Log, peerEvent: make(chan peerEvent, 16), started: time.Now(),
		openBackoff: audioRetryLeast,
	}
	e.streams = newStreams(e)
	return e
}

// Run is the life of the end. It returns nil when ctx ends, and an error when
// the configuration cannot work here (address in use) or nothing was reached in
// the time given (config.ErrNeverReached).
func (e *End) Run(ctx context.Context) error {
	failed := make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan struct{})
	if e.cfg.Static {
		close(done)
	} else {
		endpoint, err := e.newEndpoint()
		if err != nil {
			return err
		}
		e.signaling = endpoint
		go func() {
			defer close(done)
			if err := endpoint.Run(ctx); err != nil && ctx.Err() == nil {
				failed <- err
			}
		}()
	}
	err := e.loop(ctx, failed)
	e.streams.reports.bye("bridge stopped")
	e.streams.stop()
	_ = e.audio.Close()
	cancel()
	<-done
	return err
}

func (e *End) loop(ctx context.Context, failed <-chan error) error {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	var giveUp <-chan time.Time
	if wait := e.cfg.Wait.Duration; wait > 0 {
		giveUp = time.After(wait)
	}
	e.openAudio()
	e.publish()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		case <-giveUp:
			if err := e.neverReached(); err != nil {
				return err
			}
		case event := <-e.audio.Events():
			e.audioEvent(event)
			e.publish()
		case event := <-e.peerEvent:
			e.peerChanged(event)
			e.publish()
		case <-ticker.C:
			if !e.audioOpen && !time.Now().Before(e.nextOpen) {
				e.openAudio()
			}
			e.core.Idle(monotonicNs())
			now := monotonicNs()
			e.streams.tick(now)
			if time.Duration(now-e.publishedNs) >= publishInterval {
				e.publishedNs = now
				e.streams.count()
				e.publish()
			}
		}
	}
}

func (e *End) neverReached() error {
	switch {
	case !e.everAudio:
		return fmt.Errorf("%s: not reached in %s: %s: %w", e.server, e.cfg.Wait.Duration, e.audioError, config.ErrNeverReached)
	case !e.everPeer:
		peer := e.cfg.Peer.String()
		if peer == "" {
			peer = "(any)"
		}
		return fmt.Errorf("peer %s: not reached in %s: %w", peer, e.cfg.Wait.Duration, config.ErrNeverReached)
	}
	return nil
}

// openAudio makes one attempt to open the audio server.
func (e *End) openAudio() {
	graph, err := e.audio.Open(e.audioConfig())
	if err == nil && e.cfg.Rate != 0 && graph.RateHz != e.cfg.Rate {
		_ = e.audio.Close()
		err = fmt.Errorf("%s runs at %d Hz, --rate asks for %d Hz", e.server, graph.RateHz, e.cfg.Rate)
	}
	if err != nil {
		if err.Error() != e.audioError {
			e.audioError = err.Error()
			e.log.Warn("waiting for the audio server", "reason", e.audioError)
		}
		e.nextOpen = time.Now().Add(e.openBackoff)
		e.openBackoff = min(2*e.openBackoff, audioRetryMost)
		return
	}
	e.log.Info("audio server open", "server", e.server, "rate_hz", graph.RateHz, "period_frames", graph.PeriodFrames)
	e.audioOpen, e.everAudio, e.audioError, e.openBackoff = true, true, "", audioRetryLeast
	e.graph = graph
	e.core.SetGraph(graph.RateHz)
	e.describe()
	if e.cfg.Static {
		e.staticSession()
		return
	}
	e.streams.start()
}

func (e *End) audioConfig() AudioConfig {
	return AudioConfig{
		Name: e.cfg.Name, SendChannels: e.cfg.SendChannels, ReceiveChannels: e.cfg.ReceiveChannels,
		RateHz: e.cfg.Rate, PeriodFrames: e.cfg.HostPeriod,
	}
}

func (e *End) audioEvent(event AudioEvent) {
	if !e.audioOpen {
		return
	}
	switch event {
	case AudioLost:
		e.log.Warn("audio server lost", "server", e.server)
		e.streams.stop()
		_ = e.audio.Close()
		e.audioOpen = false
		e.local.Store(nil)
		e.nextOpen = time.Now()
	case AudioChanged:
		graph := e.audio.Graph()
		if graph == e.graph {
			return
		}
		e.log.Info("audio server changed", "rate_hz", graph.RateHz, "period_frames", graph.PeriodFrames)
		rateChanged := graph.RateHz != e.graph.RateHz
		e.graph = graph
		e.describe()
		if rateChanged {
			e.streams.stop()
			e.core.SetGraph(graph.RateHz)
			if e.signaling != nil {
				e.signaling.Renegotiate()
			} else {
				e.staticSession()
			}
			return
		}
		e.streams.periodChanged()
	}
}

// describe sets what this end says about itself in offers and answers.
func (e *End) describe() {
	encodings := proto.Encodings
	if e.cfg.Format != "" {
		encodings = []proto.Encoding{e.cfg.Format}
	}
	format := proto.Format{Encoding: encodings[0], RateHz: e.graph.RateHz, Channels: max(1, e.cfg.SendChannels)}
	e.local.Store(&proto.Description{
		Name: e.cfg.Name, Role: e.role, Version: proto.Version,
		Port: int(e.cfg.Listen.Port()), Payloads: proto.Payloads(encodings...),
		RateHz: e.graph.RateHz, SendChannels: e.cfg.SendChannels, ReceiveChannels: e.cfg.ReceiveChannels,
		PacketFrames: proto.PacketFrames(format, e.graph.PeriodFrames),
		SSRC:         e.ssrc(), CNAME: e.cname(), RTCPMux: true,
	})
}

func (e *End) ssrc() uint32 { return proto.SSRC(e.cfg.Name, e.role) }

func (e *End) cname() string {
	if e.cfg.Name == "" {
		return "archibald-" + string(e.role)
	}
	return "archibald-" + e.cfg.Name + "-" + string(e.role)
}

// monotonicNs is CLOCK_MONOTONIC, the clock of the core's observations.
func monotonicNs() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // cannot fail (clock_gettime(2))
	return t.Nano()
}

// mediaAddr resolves the static peer. Names are looked up at every start.
func (e *End) mediaAddr() (netip.AddrPort, error) {
	return resolve(e.cfg.Peer.Host, e.cfg.Peer.Port)
}
