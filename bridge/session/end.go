package session

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/codec"
	"archibald-bridge/bridge/fault"
	"archibald-bridge/bridge/receive"
	"archibald-bridge/bridge/report"
	"archibald-bridge/bridge/send"
	"archibald-bridge/bridge/signaling"
	"archibald-bridge/bridge/status"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

const (
	tick            = 20 * time.Millisecond  // how often observations become a ratio
	publishInterval = 500 * time.Millisecond // status; also the window of the peak meters
	checkAfter      = 300 * time.Millisecond // media missing: ask the peer whether it still knows us
	silentAfter     = time.Second            // media missing: the direction is silent
	forgetAfter     = 5 * time.Second        // neither media nor RTCP: the session is over
	idleAfter       = 10 * time.Second       // no session: the nodes stop asking for a period
	audioRetryLeast = 50 * time.Millisecond
	audioRetryMost  = 250 * time.Millisecond
	lookupInterval  = 2 * time.Second // a static peer's name was not found
	lookupTimeout   = time.Second
)

// End is one end of a bridge: it keeps the audio server open, the session up and
// the playout position in place, until its context ends. It gives up for no
// failure of a server or of the peer.
type End struct {
	settings  Settings
	core      Core
	audio     audio.Server
	machine   Machine
	server    string // the audio server in words
	hint      string // "" once it was given
	log       *slog.Logger
	unmatched func() []string // may be nil

	clock  timeSource
	lookup lookupFunc

	onHostClock bool // reports are on the host's clock, read in the guest

	shared      *signaling.Endpoint // of Parts.Shared; else nil
	signaling   endpoint            // nil when static
	peerEvent   chan peerEvent
	over        chan struct{}                     // closed when nobody reads peerEvent any more
	local       atomic.Pointer[proto.Description] // nil while the audio server is absent
	readdressed atomic.Bool                       // see Readdress
	tried       chan struct{}                     // closed when the first attempt at it has ended ...
	wasTried    func()                            // ... by this
	expected    atomic.Pointer[expected]          // nil before the first session
	lookedNs    atomic.Int64                      // when that was last looked after

	missing atomic.Pointer[string] // why it is; nil: it is not known yet

	// The rest belongs to Run's goroutine.
	startedNs     int64
	graph         audio.Graph
	audioOpen     bool
	audioError    string // why it cannot be used; it can be open all the same
	unusable      error  // the audio server, to this process
	nextOpenNs    int64
	openBackoff   time.Duration
	openedNs      int64
	reopenBackoff time.Duration
	session       *signaling.Session
	sessions      uint64
	peerError     string // of a static peer
	nextLookupNs  int64
	streams       streams
	drive         drive
	answers       answers
	trouble       string   // why the audio server is mute, as it says; "": it is not, or does not know
	toldIgnored   []string // flags that a locked session has no use for
	futile        futile
	toldUp        bool  // that this session is up
	sessionNs     int64 // when it began; 0: it was concluded
	told          teller
	toldRejected  stream.ReceiveCounters
	verdict       verdict
	everAudio     bool
	everPeer      bool

	publishedNs int64
	snapshot    atomic.Pointer[status.Status]
}

// Parts are what an end is made of.
type Parts struct {
	Core    Core
	Audio   audio.Server
	Machine Machine
	Server  string // the audio server in words, "JACK server default"
	Hint    string // what else can be done where it was never there
	Log     *slog.Logger
	Memory  receive.Memory
	Codec   codec.Codec
	Tap     codec.Tap // of Core, for Codec
	Host    HostClock // of a guest that can read its host's clock; else nil
	// Shared says that several ends are called at one address: a Switchboard hands
	// this one's calls to its Endpoint. It listens and calls nowhere itself.
	Shared bool
	// Publisher is told of the stream sent without a session; nil: nobody is.
	Publisher send.Publisher
	// Unmatched lists the connection rules without a match, with the reasons; nil: there are none.
	Unmatched func() []string
}

// New makes an end; Run starts it.
func New(settings Settings, parts Parts) *End {
	e := &End{
		settings: settings, core: parts.Core, audio: parts.Audio, machine: parts.Machine, server: parts.Server, hint: parts.Hint,
		log: parts.Log, unmatched: parts.Unmatched, clock: systemTime{parts.Host}, onHostClock: parts.Host != nil,
		lookup:    net.DefaultResolver.LookupNetIP,
		peerEvent: make(chan peerEvent, 16), over: make(chan struct{}), tried: make(chan struct{}), openBackoff: audioRetryLeast,
		told: newTeller(),
	}
	e.wasTried = sync.OnceFunc(func() { close(e.tried) })
	if parts.Shared {
		e.shared = signaling.New(e.signalingConfig())
	}
	e.startedNs = e.clock.monotonicNs()
	e.streams = e.newStreams(parts)
	return e
}

// newStreams makes the two directions and what reports on them.
func (e *End) newStreams(parts Parts) streams {
	nowNs := func() int64 { return e.clock.monotonicNs() }
	publisher := parts.Publisher
	if !e.settings.Static {
		publisher = nil // what was agreed with one peer is for nobody else
	}
	return streams{
		send: send.New(
			send.Settings{
				Ptime: e.settings.Ptime, Bitrate: e.settings.Bitrate,
				CNAME: e.cname(), OwnOrder: e.settings.OwnOrder, MulticastTTL: e.settings.MulticastTTL,
			},
			send.Parts{Core: parts.Core, Tap: parts.Tap, Codec: parts.Codec, NowNs: nowNs, Publisher: publisher},
		),
		receive: receive.New(
			receive.Settings{Latency: e.settings.Latency, GapsPerHour: e.settings.GapsPerHour, FreeClock: e.settings.Clock == proto.ClockFree},
			receive.Parts{
				Core: parts.Core, Tap: parts.Tap, Codec: parts.Codec, NowNs: nowNs, Memory: parts.Memory, Log: parts.Log,
				ReportsLost: func(err error) {
					if e.told.again("reports lost", nowNs()) {
						e.log.Error("cannot hear the peer's reports", "reason", err)
					}
				},
			},
		),
		reports: report.New(report.Parts{
			Core: parts.Core, CNAME: e.cname(), Log: parts.Log,
			Wall: func(ns int64) (time.Time, time.Duration) { return e.clock.wall(ns) },
			ClocksDiffer: func(by time.Duration) {
				e.tellFew("the two ends do not read one host's clock: one-way latency by round trips", "difference", by)
			},
		}),
	}
}

// Run is the life of the end. It returns nil when ctx ends, and an error when
// the configuration cannot work here (address in use) or nothing was reached in
// the time given (fault.ErrNeverReached).
func (e *End) Run(ctx context.Context) error {
	failed := make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan struct{})
	context.AfterFunc(ctx, func() { close(e.over) })
	if e.settings.Static {
		close(done)
	} else {
		endpoint := e.shared
		if endpoint == nil {
			var err error
			if endpoint, err = signaling.Listen(e.signalingConfig()); err != nil {
				return err
			}
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
	// The endpoint goes first: a peer that hears BYE calls again at once, and
	// must not be answered any more.
	cancel()
	<-done
	e.sayBye("bridge stopped")
	e.stopStreams()
	_ = e.audio.Close()
	e.machine.SetStreaming(false)
	return err
}

func (e *End) loop(ctx context.Context, failed <-chan error) error {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	var giveUp <-chan time.Time
	if wait := e.settings.Wait; wait > 0 {
		giveUp = time.After(wait)
	}
	e.publish() // the first attempt may take its time
	e.openAudio()
	e.wasTried()
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
			if e.tick(); e.unusable != nil {
				return e.unusable
			}
		}
	}
}

// tick does what is due.
func (e *End) tick() {
	e.retry(e.clock.monotonicNs())
	nowNs := e.clock.monotonicNs() // an attempt takes up to two seconds
	e.core.Idle(nowNs)
	e.machine.Tend(e.audio.Threads())
	e.tickStreams(nowNs)
	e.lookedNs.Store(e.clock.monotonicNs())
	if time.Duration(nowNs-e.publishedNs) >= publishInterval {
		e.publishedNs = nowNs
		e.count(nowNs)
		if e.audioOpen { // what changes while nothing streams may be told by no event
			e.graphChanged(e.audio.Graph())
		}
		e.publish()
	}
}

// retry makes the next attempt at what is missing, when it is time for it.
func (e *End) retry(nowNs int64) {
	switch {
	case !e.audioOpen && nowNs >= e.nextOpenNs:
		e.openAudio()
	case e.settings.Static && e.usable() && e.session == nil && nowNs >= e.nextLookupNs:
		e.staticSession()
	default:
		return
	}
	e.publish()
}

func (e *End) neverReached() error {
	switch {
	case !e.everAudio:
		return fmt.Errorf("%s: not reached in %s: %s: %w", e.server, e.settings.Wait, e.audioError, fault.ErrNeverReached)
	case !e.everPeer:
		peer := e.settings.Peer.String()
		if peer == "" {
			peer = "(any)"
		}
		if !e.refused().none() {
			peer += ": " + e.refused().reason()
		}
		return fmt.Errorf("peer %s: not reached in %s: %w", peer, e.settings.Wait, fault.ErrNeverReached)
	}
	return nil
}

// Endpoint is where the calls of an end made with Parts.Shared go.
func (e *End) Endpoint() *signaling.Endpoint { return e.shared }

// Ready says whether the audio server is open, from any goroutine.
func (e *End) Ready() bool { return e.local.Load() != nil }

// Answers says whether this end, were it asked, would take an offer as it is; nil also
// while the audio server is absent. From any goroutine.
func (e *End) Answers(offer proto.Description) error {
	local := e.local.Load()
	if local == nil {
		return nil
	}
	_, _, err := proto.Answer(offer, *local)
	return err
}

// Describe is what an end says about itself in offers and answers. Each of them then gets
// its own SSRC.
func Describe(settings Settings, graph audio.Graph) proto.Description {
	encodings := proto.Encodings
	if settings.Format != "" {
		encodings = []proto.Encoding{settings.Format}
	}
	format := proto.Format{Encoding: encodings[0], RateHz: graph.RateHz, Channels: max(1, settings.SendChannels)}
	terms := settings.Terms
	terms.SendDelay, terms.AnyRate = true, true
	return proto.Description{
		Name: settings.Name, Role: settings.Role, Version: proto.Version,
		Port: int(settings.Listen.Port()), Payloads: proto.Payloads(encodings...),
		RateHz: graph.RateHz, SendChannels: settings.SendChannels, ReceiveChannels: settings.ReceiveChannels,
		PacketFrames: send.PacketFrames(format, settings.Ptime, graph.PeriodFrames), MaxBitrate: settings.Bitrate,
		PeriodFrames: graph.PeriodFrames, Clock: settings.Clock,
		Terms: terms,
		SSRC:  proto.SSRC(settings.Name, settings.Role), CNAME: cname(settings.Name, settings.Role), RTCPMux: true,
	}
}

// describe sets what this end says about itself.
func (e *End) describe() {
	d := Describe(e.settings, e.graph)
	d.OnHostClock, d.Follows = e.onHostClock, e.follows()
	e.local.Store(&d)
}

// ssrc is that of a stream without a session, the same at every start: PipeWire's receiver
// never lets go of the first one that it heard.
func (e *End) ssrc() uint32 { return proto.SSRC(e.settings.Name, e.settings.Role) }

func (e *End) cname() string { return cname(e.settings.Name, e.settings.Role) }

func cname(name string, role proto.Role) string {
	if name == "" {
		return "archibald-" + string(role)
	}
	return "archibald-" + name + "-" + string(role)
}
