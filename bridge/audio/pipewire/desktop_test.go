package pipewire

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/testbed/fakecore"
	"archibald-bridge/testbed/stack"
)

// defaultQuantum is what the test desktop runs at when nobody asks.
const defaultQuantum = 1024

// desktop is a PipeWire with a session manager and a null sink.
type desktop struct {
	*stack.Stack
	pipewire, wireplumber *stack.Process
}

var shared struct {
	once    sync.Once
	desktop *desktop
	err     error
}

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Exit(child())
	}
	code := m.Run()
	if shared.desktop != nil {
		shared.desktop.Close()
	}
	os.Exit(code)
}

// startDesktop starts the servers. Each fragment is a further piece of the
// configuration of daemon and clients.
func startDesktop(fragments ...string) (*desktop, error) {
	s, err := stack.NewShared()
	if err != nil {
		return nil, err
	}
	for _, fragment := range fragments {
		for _, file := range []string{"pipewire.conf.d", "client-rt.conf.d", "client.conf.d"} {
			directory := filepath.Join(s.Dir, "config", "pipewire", file)
			err := os.MkdirAll(directory, 0o700)
			if err == nil {
				err = os.WriteFile(filepath.Join(directory, "20-test.conf"), []byte(fragment), 0o600)
			}
			if err != nil {
				s.Close()
				return nil, err
			}
		}
	}
	d := &desktop{Stack: s}
	if d.pipewire, err = s.StartPipeWire(defaultQuantum); err == nil {
		d.wireplumber, err = s.StartWirePlumber()
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return d, nil
}

// enter makes this process a program of the desktop for one test.
func (d *desktop) enter(t *testing.T) {
	t.Helper()
	for _, entry := range d.Env() {
		key, value, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(key, "XDG_") || strings.HasPrefix(key, "PIPEWIRE_") {
			t.Setenv(key, value)
		}
	}
}

// sharedDesktop is for tests that leave it as they found it.
func sharedDesktop(t *testing.T) *desktop {
	t.Helper()
	shared.once.Do(func() { shared.desktop, shared.err = startDesktop() })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	shared.desktop.enter(t)
	return shared.desktop
}

// ownDesktop is for tests that break it.
func ownDesktop(t *testing.T, fragments ...string) *desktop {
	t.Helper()
	d, err := startDesktop(fragments...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	d.enter(t)
	return d
}

func (d *desktop) run(t *testing.T, program string, args ...string) string {
	t.Helper()
	command, err := d.Command(program, args...)
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v: %s", program, strings.Join(args, " "), err, output)
	}
	return string(output)
}

// settings changes what the daemon runs at; it is put back after the test.
func (d *desktop) setting(t *testing.T, key string, value int) {
	t.Helper()
	d.run(t, "pw-metadata", "-n", "settings", "0", key, fmt.Sprint(value))
	t.Cleanup(func() {
		if command, err := d.Command("pw-metadata", "-n", "settings", "0", key, "0"); err == nil {
			_ = command.Run() // the daemon may be gone by now
		}
	})
}

var started atomic.Int64

// start runs a program until the test is over.
func (d *desktop) start(t *testing.T, program string, args ...string) *stack.Process {
	t.Helper()
	name := fmt.Sprintf("%s-%d", program, started.Add(1))
	process, err := d.Start(name, nil, program, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(process.Stop)
	return process
}

func (d *desktop) ports(t *testing.T, node string) []string {
	t.Helper()
	all, err := d.PipeWirePorts()
	if err != nil {
		t.Fatal(err)
	}
	var ports []string
	for _, port := range all {
		if name, ok := strings.CutPrefix(port, node+":"); ok {
			ports = append(ports, name)
		}
	}
	return ports
}

func (d *desktop) linked(t *testing.T, from, to string) bool {
	t.Helper()
	links, err := d.PipeWireLinks()
	if err != nil {
		t.Fatal(err)
	}
	return slices.Contains(links, [2]string{from, to})
}

// object is what pw-dump(1) prints of one thing in the graph.
type object struct {
	Type string
	Info struct {
		Props  map[string]any
		Params struct {
			Latency []struct {
				Direction string
				MinRate   int
				MaxRate   int
			}
		}
	}
}

func (d *desktop) objects(t *testing.T) []object {
	t.Helper()
	var objects []object
	if err := json.Unmarshal([]byte(d.run(t, "pw-dump")), &objects); err != nil {
		t.Fatal(err)
	}
	return objects
}

// eventually waits up to ten seconds for something other programs must do.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

// bridge is one end: our server around a fake core.
type bridge struct {
	*Server
	core *fakecore.Engine
}

func newBridge(t *testing.T, options audio.Options) *bridge {
	t.Helper()
	options.Peer = "guest"
	engine := fakecore.New()
	b := &bridge{New(engine.Callbacks(), options), engine}
	t.Cleanup(func() {
		b.Close()
		engine.Free()
	})
	return b
}

// openBridge opens an idle stereo bridge with a period of 256.
func openBridge(t *testing.T, name string) *bridge {
	t.Helper()
	b := newBridge(t, audio.Options{})
	b.mustOpen(t, stereo(name))
	return b
}

func stereo(name string) audio.Config {
	return audio.Config{Name: name, SendChannels: 2, ReceiveChannels: 2, RateHz: 48000, PeriodFrames: 256}
}

func (b *bridge) mustOpen(t *testing.T, config audio.Config) audio.Graph {
	t.Helper()
	graph, err := b.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	return graph
}

// runs waits until both callbacks have been called n more times.
func (b *bridge) runs(t *testing.T, n uint64) {
	t.Helper()
	played, _ := b.core.Played(0)
	captured, _ := b.core.CaptureCalls(0)
	eventually(t, "both callbacks called", func() bool {
		p, _ := b.core.Played(0)
		c, _ := b.core.CaptureCalls(0)
		return p >= played+n && c >= captured+n
	})
}

// expect waits for one event.
func (b *bridge) expect(t *testing.T, want audio.Event) {
	t.Helper()
	select {
	case event := <-b.Events():
		if event != want {
			t.Fatalf("event %v, want %v", event, want)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("no event within 10 s, want %v", want)
	}
}

// drain takes events in the background for tests that do not care.
func (b *bridge) drain(t *testing.T) {
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	go func() {
		for {
			select {
			case <-b.Events():
			case <-done:
				return
			}
		}
	}()
}
