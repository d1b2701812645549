package guest

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	gojack "github.com/xthexder/go-jack"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/patchbay"
)

// lookAgain is how often the connections are looked after without an event: a
// port can be refused while its client is still starting.
const lookAgain = 2 * time.Second

// Patchbay keeps the connections of the --connect rules in a JACK server. It
// is a JACK client of its own, archibald-patch (archibald-NAME-patch), which
// has no ports and is never activated: listing and connecting ports needs
// neither.
//
// It is the audio.Control of the audio clients, and that sets the order: it is
// opened after them and closed before them, within their Open and Close. So
// all three are closed when one of them is opened, which libjack2 demands
// after a server died; and the audio clients, which say clearly why a server
// cannot be used, go first.
//
// No go-jack callback is registered. They run Go on a thread of libjack that
// is ended by an asynchronous pthread_cancel, which no Go code survives, and
// they read go-jack's client map without its lock. The audio clients report
// new ports instead.
type Patchbay struct {
	name  string
	rules []patchbay.Rule
	log   *slog.Logger

	watch   patchbay.Watch           // the loop's
	without atomic.Pointer[[]string] // rules without a match for long; the loop writes

	// From Open to Close.
	client  *gojack.Client
	patcher *patchbay.Patcher
	wake    chan struct{} // holds one token: ports have appeared
	stop    chan struct{} // closed to end the loop
	done    chan struct{} // closed by the loop
}

var (
	_ audio.Control  = (*Patchbay)(nil)
	_ patchbay.Graph = (*Patchbay)(nil)
)

// NewPatchbay returns a closed Patchbay for the bridge of that name ("" for
// the only one). go-jack can choose a server only through the environment: a
// serverName other than "" becomes $JACK_DEFAULT_SERVER of this process.
func NewPatchbay(serverName, bridge string, rules []patchbay.Rule, log *slog.Logger) (*Patchbay, error) {
	if serverName != "" {
		if err := os.Setenv("JACK_DEFAULT_SERVER", serverName); err != nil {
			return nil, fmt.Errorf("JACK server name %q: %w", serverName, err)
		}
	}
	name := "archibald-patch"
	if bridge != "" {
		name = "archibald-" + bridge + "-patch"
	}
	return &Patchbay{name: name, rules: rules, log: log}, nil
}

// Open joins the server and starts to look after the connections. Nothing is
// remembered of an earlier server: its ports are gone.
func (p *Patchbay) Open() error {
	client, status := gojack.ClientOpen(p.name, gojack.UseExactName|gojack.NoStartServer)
	if client == nil {
		return fmt.Errorf("JACK refused client %q (status %#x): another bridge of this name may be running", p.name, status)
	}
	p.client = client
	p.patcher = patchbay.NewPatcher(p.rules)
	p.watch.Begin()
	p.wake = make(chan struct{}, 1)
	p.stop, p.done = make(chan struct{}), make(chan struct{})
	go p.run()
	return nil
}

// Close leaves the server, dead or alive.
func (p *Patchbay) Close() {
	close(p.stop)
	<-p.done
	p.without.Store(nil)
	p.client.Close()
}

// Unmatched lists the rules that have matched no ports for long, each with the
// reason. Any goroutine may call it.
func (p *Patchbay) Unmatched() []string {
	if lines := p.without.Load(); lines != nil {
		return *lines
	}
	return nil
}

// complain says once of each rule that it matches nothing.
func (p *Patchbay) complain() {
	long, fresh := p.watch.Look(time.Now(), p.patcher.Unmatched())
	for _, u := range fresh {
		p.log.Warn("a connection rule matches no ports", "rule", u.Rule, "reason", u.Reason)
	}
	var lines []string
	for _, u := range long {
		lines = append(lines, u.String())
	}
	p.without.Store(&lines)
}

// PortAppeared makes the next look come at once.
func (p *Patchbay) PortAppeared(name string) {
	p.patcher.Appeared(name)
	select {
	case p.wake <- struct{}{}:
	default: // it will come anyway
	}
}

func (p *Patchbay) run() {
	defer close(p.done)
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	for complaint := ""; ; {
		made, err := p.patcher.Apply(p)
		for _, connection := range made {
			p.log.Info("connected", "source", connection.Source, "sink", connection.Sink)
		}
		p.complain()
		// Said once, not every two seconds.
		if err == nil {
			complaint = ""
		} else if err.Error() != complaint {
			complaint = err.Error()
			p.log.Warn("cannot connect", "error", err)
		}
		select {
		case <-p.stop:
			return
		case <-p.wake:
		case <-again.C:
		}
	}
}

// Ports lists all audio ports of the server.
func (p *Patchbay) Ports() ([]patchbay.Port, error) {
	var ports []patchbay.Port
	for _, source := range []bool{true, false} {
		var flags uint64 = gojack.PortIsInput
		if source {
			flags = gojack.PortIsOutput
		}
		for _, name := range p.client.GetPorts("", gojack.DEFAULT_AUDIO_TYPE, flags) {
			ports = append(ports, patchbay.Port{Name: name, Source: source})
		}
	}
	return ports, nil
}

// Connect connects two ports, or finds them connected.
func (p *Patchbay) Connect(source, sink string) error {
	switch code := p.client.Connect(source, sink); code {
	case 0, int(syscall.EEXIST):
		return nil
	default:
		return errors.New("JACK refuses the connection")
	}
}
