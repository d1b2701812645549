package host

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"

	"archibald-bridge/bridge/announce"
	"archibald-bridge/bridge/app"
	"archibald-bridge/bridge/audio/jack"
	"archibald-bridge/bridge/audio/pipewire"
	"archibald-bridge/bridge/audio/portaudio"
	"archibald-bridge/bridge/codec/libopus"
	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/fault"
	"archibald-bridge/bridge/guests"
	"archibald-bridge/bridge/jitterstore"
	"archibald-bridge/bridge/network"
	"archibald-bridge/bridge/realtime"
	"archibald-bridge/bridge/rt"
	"archibald-bridge/bridge/session"
	"archibald-bridge/proto"
)

// Devices prints the devices of the backend portaudio.
func Devices(w io.Writer) error {
	devices, err := portaudio.Devices()
	if err != nil {
		return err
	}
	return portaudio.WriteDevices(w, devices)
}

// withoutPipeWire is what else there is on a host that does not run it.
var withoutPipeWire = func() string {
	hint := "without PipeWire: host --backend jack, beside a JACK server"
	if portaudio.Built {
		hint += ", or host --backend portaudio, on a device of its own"
	}
	return hint
}()

// Run is the host end until ctx ends.
func Run(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	net := network.Keep(ctx, log)
	page := session.OpenPage(app.Settings(cfg, proto.Host), cfg.StatusListen.AddrPort, log, net.Missing)
	defer page.Close()
	one := func(ctx context.Context, cfg config.Config) error { return run(ctx, cfg, log, net, page) }
	if cfg.SAPReceive != "" {
		return announce.Follow(ctx, cfg, log, net, page, one)
	}
	return one(ctx, cfg)
}

// run is an end that knows what it receives, or serves several guests.
func run(ctx context.Context, cfg config.Config, log *slog.Logger, net *network.Keeper, page *session.Page) error {
	if err := net.Listen(ctx, cfg); err != nil || ctx.Err() != nil {
		return err
	}
	engines := make([]*rt.Engine, cfg.Guests)
	for i := range engines {
		listen := cfg.MediaListen()
		engine, err := rt.Open(netip.AddrPortFrom(listen.Addr(), listen.Port()+uint16(i)))
		if err != nil {
			return err
		}
		defer engine.Close()
		engines[i] = engine
	}
	if !rt.MemoryLocked() {
		log.Warn("memory not locked: paging can cause dropouts; raise the memlock limit (ulimit -l)")
	}
	if cfg.Guests > 1 {
		if _, err := realtime.New(cfg, rt.MemoryLocked, log); err != nil {
			return err // before a guest calls
		}
		return guests.Serve(ctx, cfg.Guests, app.Settings(cfg, proto.Host), log, page, func(place int, settings session.Settings) (*session.End, error) {
			settings.Listen, cfg.Name = engines[place].LocalAddr(), settings.Name
			log := log.With("guest", cfg.Name)
			parts, err := parts(cfg, engines[place], log)
			if err != nil {
				return nil, err
			}
			parts.Shared = true
			return session.New(settings, parts), nil
		})
	}
	leave, err := net.Multicast(ctx, cfg, engines[0].UseMulticast)
	defer leave()
	if err != nil || ctx.Err() != nil {
		return err
	}
	parts, err := parts(cfg, engines[0], log)
	if err != nil {
		return err
	}
	publisher := announce.NewPublisher(cfg, log, net)
	defer publisher.Close()
	parts.Publisher = publisher
	end := session.New(app.Settings(cfg, proto.Host), parts)
	defer net.Zone(cfg, end.Readdress)()
	return session.Serve(ctx, end, page)
}

// parts are what the end with that engine is made of.
func parts(cfg config.Config, engine *rt.Engine, log *slog.Logger) (session.Parts, error) {
	quiet, err := realtime.New(cfg, rt.MemoryLocked, log)
	if err != nil {
		return session.Parts{}, err
	}
	learned, err := jitterstore.Open(jitterstore.Path(os.Getenv, string(proto.Host), cfg.Name))
	if err != nil {
		log.Warn("what was learned about peers is lost", "reason", err)
	}
	parts := session.Parts{Core: engine, Machine: quiet, Log: log, Memory: learned, Codec: libopus.Codec{}, Tap: engine}
	switch cfg.Backend {
	case config.BackendJack:
		parts.Audio = jack.New(engine.Callbacks(), jack.Options{ServerName: cfg.JackServer, Peer: proto.Guest})
		parts.Server = "JACK server " + cfg.JackServer
	case config.BackendPortAudio:
		parts.Server = "PortAudio"
		if parts.Audio, err = portaudio.New(engine.Callbacks(), portaudio.Options{OutputDevice: cfg.OutputDevice, InputDevice: cfg.InputDevice}); err != nil {
			return session.Parts{}, &fault.WrongValue{Where: "backend", Value: cfg.Backend, Legal: fmt.Sprintf("pipewire or jack here: %v", err)}
		}
	default:
		parts.Audio = pipewire.New(engine.Callbacks(), pipewire.Options{Source: cfg.FromGuest == config.FromGuestSource, Positions: cfg.ChannelMap.Positions})
		parts.Server = "PipeWire"
		parts.Hint = withoutPipeWire
	}
	return parts, nil
}
