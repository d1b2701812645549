package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"syscall"

	"archibald-bridge/bridge/announce"
	"archibald-bridge/bridge/audio/jack"
	"archibald-bridge/bridge/audio/pipewire"
	"archibald-bridge/bridge/audio/portaudio"
	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/machine"
	"archibald-bridge/bridge/memory"
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
	err := run(ctx, cfg, log)
	if errors.Is(err, session.ErrStartAnew) {
		log.Warn("starting anew", "reason", err)
		return startAnew()
	}
	return err
}

// startAnew replaces this process by the same program with the same arguments. It
// returns only when that fails.
func startAnew() error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	return fmt.Errorf("starting anew: %w", syscall.Exec(program, os.Args, os.Environ()))
}

func run(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	if cfg.SAPReceive != "" && cfg.Incoming == nil {
		return announce.Follow(ctx, cfg, log, func(ctx context.Context, cfg config.Config) error { return Run(ctx, cfg, log) })
	}
	quiet, err := machine.New(cfg, rt.MemoryLocked, log)
	if err != nil {
		return err
	}
	engine, err := rt.Open(cfg.Listen.AddrPort)
	if err != nil {
		return err
	}
	defer engine.Close()
	group, source := cfg.Group()
	if err := engine.UseMulticast(rt.Multicast{Interface: cfg.MulticastInterface, TTL: cfg.MulticastTTL, Group: group, Source: source}); err != nil {
		return err
	}
	if !rt.MemoryLocked() {
		log.Warn("memory not locked: paging can cause dropouts; raise the memlock limit (ulimit -l)")
	}
	learned, err := memory.Open(memory.Path(os.Getenv, string(proto.Host), cfg.Name))
	if err != nil {
		log.Warn("what was learned about peers is lost", "reason", err)
	}
	parts := session.Parts{Core: engine, Machine: quiet, Log: log, Memory: learned}
	if cfg.SDPOut != "" || cfg.SAPAnnounce {
		publisher, err := announce.NewPublisher(cfg, log)
		if err != nil {
			return err
		}
		defer publisher.Close()
		parts.Publisher = publisher
	}
	switch cfg.Backend {
	case config.BackendJack:
		core := jack.Core{Engine: engine.Handle(), Playout: rt.Playout(), Capture: rt.Capture(), ABI: rt.ABI}
		parts.Audio = jack.New(core, jack.Options{ServerName: cfg.JackServer, Peer: proto.Guest})
		parts.Server = "JACK server " + cfg.JackServer
	case config.BackendPortAudio:
		core := portaudio.Core{Engine: engine.Handle(), Playout: rt.Playout(), Capture: rt.Capture(), ABI: rt.ABI}
		parts.Server = "PortAudio"
		if parts.Audio, err = portaudio.New(core, portaudio.Options{OutputDevice: cfg.OutputDevice, InputDevice: cfg.InputDevice}); err != nil {
			return &config.Error{Where: "backend", Value: cfg.Backend, Legal: fmt.Sprintf("pipewire or jack here: %v", err)}
		}
	default:
		core := pipewire.Core{Engine: engine.Handle(), Playout: rt.Playout(), Capture: rt.Capture(), ABI: rt.ABI}
		parts.Audio = pipewire.New(core, pipewire.Options{Source: cfg.FromGuest == config.FromGuestSource})
		parts.Server = "PipeWire"
		parts.Hint = withoutPipeWire
	}
	return session.Serve(ctx, session.New(cfg, proto.Host, parts), cfg, log)
}
