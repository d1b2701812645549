package sessions

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/testbed/endtoend"
	"archibald-bridge/testbed/gate"
	"archibald-bridge/testbed/stack"
)

// crossing is two ends on JACK servers, with something between them that a network can
// have. Both are long enough for any machine: period 256 and 100 ms.
type crossing struct {
	t           *testing.T
	guest, host *stack.Stack
	binary      string
	caller      string // the guest's program
	starts      int
}

const pathPeriod = 256

func newStack(t *testing.T) *stack.Stack {
	t.Helper()
	s, err := stack.NewShared()
	must(t, err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newCrossing starts the servers of both ends, which may be in one stack.
func newCrossing(t *testing.T, guest, host *stack.Stack) *crossing {
	t.Helper()
	p := &crossing{t: t, guest: guest, host: host, binary: filepath.Join(guest.Dir, "archibald-bridge")}
	p.caller = p.binary
	must(t, stack.Build(p.binary, "archibald-bridge"))
	must(t, guest.Quiet())
	_, err := guest.StartJackd("path-guest", pathPeriod, 48000)
	must(t, err)
	_, err = host.StartJackd("path-host", pathPeriod, 48000)
	must(t, err)
	return p
}

const guestStatus, hostStatus = "127.0.0.1:8723", "127.0.0.1:8724"

// start starts both ends and waits until they play each other's sound; the function
// ends them.
func (p *crossing) start(guest, host []string) (stop func()) {
	p.t.Helper()
	p.starts++
	common := []string{"--latency", "100ms", "--status-listen"}
	h, err := p.host.Start(fmt.Sprintf("bridge-host-%d", p.starts), nil, p.binary, append(append([]string{"host", "--backend", "jack", "--jack-server",
		stack.JackServerName("path-host")}, append(common, hostStatus)...), host...)...)
	must(p.t, err)
	g, err := p.guest.Start(fmt.Sprintf("bridge-guest-%d", p.starts), nil, p.caller, append(append([]string{"guest", "--jack-server",
		stack.JackServerName("path-guest")}, append(common, guestStatus)...), guest...)...)
	must(p.t, err)
	deadline := time.Now().Add(10 * time.Second)
	for !p.playing() {
		if time.Now().After(deadline) {
			p.t.Errorf("no sound both ways\nguest:\n%s\nhost:\n%s", g.LogTail(), h.LogTail())
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	return func() { g.Kill9(); h.Kill9() }
}

func (p *crossing) status(s *stack.Stack, address string) (at status.Status, err error) {
	command, err := s.Command(p.binary, "status", "--json", "--address", address)
	if err != nil {
		return at, err
	}
	text, err := command.Output()
	if err != nil {
		return at, err
	}
	return at, json.Unmarshal(text, &at)
}

// both are the states of guest and host.
func (p *crossing) both() (guest, host status.Status, err error) {
	guest, errGuest := p.status(p.guest, guestStatus)
	host, errHost := p.status(p.host, hostStatus)
	return guest, host, errors.Join(errGuest, errHost)
}

func (p *crossing) playing() bool {
	guest, host, err := p.both()
	for _, s := range []status.Status{guest, host} {
		if d := s.Directions.Receive; err != nil || d.State != status.DirectionRunning || d.BufferFrames == 0 {
			return false
		}
	}
	return true
}

// stays holds both ends to their one session for some time.
func (p *crossing) stays(duration time.Duration) {
	p.t.Helper()
	reported := func(s status.Status) bool { return s.Directions.Send.LatencyBy == status.LatencyByPeer }
	time.Sleep(duration)
	guest, host, err := p.both()
	must(p.t, err)
	// Nobody knows when the first report comes.
	for deadline := time.Now().Add(5 * time.Second); !(reported(guest) && reported(host)) && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		guest, host, err = p.both()
		must(p.t, err)
	}
	for _, s := range []status.Status{guest, host} {
		if s.Session.Reconnects != 0 || s.Directions.Receive.State != status.DirectionRunning {
			p.t.Errorf("%s: %d reconnects, sound %s", s.End, s.Session.Reconnects, s.Directions.Receive.State)
		}
		if !reported(s) {
			p.t.Errorf("%s: no report of the peer", s.End)
		}
	}
}

// The peer is called by an address that the routes would not answer from, or that
// means something on one interface only.
func TestAHostIsHeardAtTheAddressThatWasCalled(t *testing.T) {
	guest, host := newStack(t), newStack(t)
	must(t, guest.Isolate())
	must(t, host.Isolate())
	must(t, stack.Join(guest, host, "10.47.13.2", "10.47.13.1"))
	run := func(s *stack.Stack, command string) string {
		t.Helper()
		words := strings.Fields(command)
		c, err := s.Command(words[0], words[1:]...)
		must(t, err)
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", command, err, out)
		}
		return string(out)
	}
	for _, address := range []string{"10.47.13.7/24", "fd47::1/64 nodad", "fd47::7/64 nodad"} {
		run(host, "ip addr add dev "+stack.Wire+" "+address)
	}
	run(guest, "ip addr add dev "+stack.Wire+" fd47::2/64 nodad")
	linkLocal := ""
	for deadline := time.Now().Add(10 * time.Second); linkLocal == "" && time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		for _, word := range strings.Fields(run(host, "ip -6 -o addr show scope link -tentative dev "+stack.Wire)) {
			if prefix, err := netip.ParsePrefix(word); err == nil {
				linkLocal = prefix.Addr().String() + "%" + stack.Wire
			}
		}
	}
	p := newCrossing(t, guest, host)
	allow := []string{"--allow", "10.47.13.0/24,fd47::/64,fe80::/10"}
	for _, c := range []struct {
		called string
		listen []string // at both ends
	}{
		{"10.47.13.7", nil},
		{"10.47.13.7", []string{"--listen", "[::]:4713"}},
		{"[fd47::7]", []string{"--listen", "[::]:4713"}},
		{"[" + linkLocal + "]", []string{"--listen", "[::]:4713"}},
	} {
		t.Run(c.called+strings.Join(c.listen, " "), func(t *testing.T) {
			p.t = t
			stop := p.start(append([]string{"--peer", c.called + ":4713"}, c.listen...), append(allow, c.listen...))
			defer stop()
			p.stays(gate.Soak(time.Second, 10*time.Second))
		})
	}
}

// translator is what user networking of a virtual machine or a NAT is to the host: TCP
// and UDP come from its address, UDP from any port, and that may change.
type translator struct {
	t               *testing.T
	outside, inside string // its addresses towards host and guest
	port            int    // of the ends
	host            *net.UDPAddr
	rebound         chan struct{}
}

// run carries datagrams until the test ends, and connections.
func (n *translator) run(listens *net.UDPConn, calls net.Listener) {
	go func() {
		for {
			c, err := calls.Accept()
			if err != nil {
				return
			}
			go n.connection(c)
		}
	}()
	var out *net.UDPConn
	var guest *net.UDPAddr
	buf := make([]byte, 2000)
	rebind := func() {
		if out != nil {
			_ = out.Close()
		}
		fresh, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(n.outside)})
		if err != nil {
			n.t.Error(err)
			return
		}
		out = fresh
		go func() { // answers; ends with the port
			back := make([]byte, 2000)
			for {
				size, err := fresh.Read(back)
				if err != nil {
					return
				}
				if guest != nil {
					_, _ = listens.WriteToUDP(back[:size], guest)
				}
			}
		}()
	}
	first, from, err := listens.ReadFromUDP(buf)
	if err != nil {
		return
	}
	guest = from
	rebind()
	for size := first; ; {
		select {
		case <-n.rebound:
			rebind()
		default:
		}
		_, _ = out.WriteToUDP(buf[:size], n.host)
		if size, _, err = listens.ReadFromUDP(buf); err != nil {
			_ = out.Close()
			return
		}
	}
}

func (n *translator) connection(in net.Conn) {
	defer func() { _ = in.Close() }()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(n.outside)}}
	out, err := dialer.Dial("tcp4", n.host.String())
	if err != nil {
		return
	}
	defer func() { _ = out.Close() }()
	go func() {
		_, _ = io.Copy(out, in)
		_ = out.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(in, out)
}

// The guest sits behind something that gives its media a port of its own, and another
// one later, in make soak some times: less than a second of silence each time, and the
// session stays.
func TestANewPortOnTheWayCostsLessThanASecondAndNoSession(t *testing.T) {
	s := newStack(t)
	p := newCrossing(t, s, s)
	port, err := endtoend.FreePort()
	must(t, err)
	base := endtoend.Address("guest")
	base = base[:strings.LastIndex(base, ".")]
	base = base[:strings.LastIndex(base, ".")] // of this run
	n := &translator{t: t, inside: base + ".250.3", outside: base + ".250.4", port: port, rebound: make(chan struct{}, 1),
		host: &net.UDPAddr{IP: net.ParseIP(base + ".250.1"), Port: port}}
	listens, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(n.inside), Port: port})
	must(t, err)
	calls, err := net.Listen("tcp4", fmt.Sprintf("%s:%d", n.inside, port))
	must(t, err)
	done := make(chan struct{})
	go func() { defer close(done); n.run(listens, calls) }()
	t.Cleanup(func() { _ = listens.Close(); _ = calls.Close(); <-done })
	stop := p.start([]string{"--listen", fmt.Sprintf("%s.250.2:%d", base, port), "--peer", fmt.Sprintf("%s:%d", n.inside, port)},
		[]string{"--listen", n.host.String()})
	defer stop()
	before := [2]uint64{}
	for change := range gate.Soak(2, 6) {
		p.stays(4 * time.Second)
		guest, host, err := p.both()
		must(t, err)
		now := [2]uint64{guest.Directions.Receive.ConcealedFrames, host.Directions.Receive.ConcealedFrames}
		for i, end := range []string{"guest", "host"} {
			if silent := time.Duration(now[i]-before[i]) * time.Second / 48000; change > 0 {
				t.Logf("%s: silent for %v", end, silent)
				if silent > time.Second || silent < 20*time.Millisecond {
					t.Errorf("change %d: the %s was silent for %v; about 200 ms are right", change, end, silent)
				}
			}
		}
		before = now
		n.rebound <- struct{}{}
	}
}

// A name has addresses of both families, in either order, and each end listens on IPv4 only
// or on both: control and media take the same way.
func TestANameWithAddressesOfBothFamiliesLeadsToSound(t *testing.T) {
	guest, host := newStack(t), newStack(t)
	must(t, guest.Isolate())
	must(t, host.Isolate())
	must(t, stack.Join(guest, host, "10.47.13.2", "10.47.13.1"))
	for s, address := range map[*stack.Stack]string{guest: "fd47::2", host: "fd47::1"} {
		command, err := s.Command("ip", "addr", "add", address+"/64", "dev", stack.Wire, "nodad")
		must(t, err)
		must(t, command.Run())
	}
	p := newCrossing(t, guest, host)
	for i, hosts := range []string{"fd47::1 bridgehost\n10.47.13.1 bridgehost\n", "10.47.13.1 bridgehost\nfd47::1 bridgehost\n"} {
		names := filepath.Join(guest.Dir, fmt.Sprintf("hosts-%d", i))
		must(t, os.WriteFile(names, []byte(hosts), 0o644))
		p.caller = filepath.Join(guest.Dir, fmt.Sprintf("caller-%d", i)) // sees these names alone
		must(t, os.WriteFile(p.caller, []byte(fmt.Sprintf("#!/bin/sh\nexec unshare --mount sh -c 'mount --bind %s /etc/hosts && exec %s \"$@\"' caller \"$@\"\n", names, p.binary)), 0o755))
		all := [][2]string{{"0.0.0.0", "0.0.0.0"}, {"[::]", "[::]"}, {"0.0.0.0", "[::]"}, {"[::]", "0.0.0.0"}, {"10.47.13.1", "[::]"}, {"[fd47::1]", "[::]"}}
		if i > 0 {
			all = all[:2] // where the order could matter
		}
		if !gate.Soaking() {
			all = all[:len(all)/2]
		}
		for _, listens := range all {
			t.Run(fmt.Sprintf("%d, host on %s, guest on %s", i, listens[0], listens[1]), func(t *testing.T) {
				p.t = t
				stop := p.start([]string{"--peer", "bridgehost", "--listen", listens[1] + ":4713"},
					[]string{"--listen", listens[0] + ":4713", "--allow", "10.47.13.0/24,fd47::/64"})
				defer stop()
				p.stays(gate.Soak(time.Second, 10*time.Second))
			})
		}
	}
}
