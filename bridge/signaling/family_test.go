package signaling

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"archibald-bridge/proto"
)

// freePort is a port that nothing has on any address.
func freePort(t *testing.T) uint16 {
	t.Helper()
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort().Port()
}

func sameFamily(a, b netip.Addr) bool { return a.Unmap().Is4() == b.Unmap().Is4() }

// bothLoopbacks is a name that has addresses of both families, in one order or the other.
func bothLoopbacks(first, second string) func(context.Context, string, string) ([]netip.Addr, error) {
	return func(context.Context, string, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr(first), netip.MustParseAddr(second)}, nil
	}
}

// What each end may listen on, and in which order the name's addresses are found.
func TestControlAndMediaHaveOneFamilyWhateverTheNameHas(t *testing.T) {
	for _, hosts := range []string{"0.0.0.0", "[::]", "127.0.0.1", "[::1]"} {
		for i, guests := range []string{"0.0.0.0", "[::]", "0.0.0.0", "[::]"} {
			t.Run(fmt.Sprint(hosts, " called from ", guests, " ", i), func(t *testing.T) {
				port := freePort(t)
				host := newEnd(t, proto.Host, netip.MustParseAddrPort(fmt.Sprintf("%s:%d", hosts, port)), nobody)
				host.entrance.Allow = append(host.entrance.Allow, netip.MustParsePrefix("::1/128"))
				host.run()
				guestAt := netip.MustParseAddrPort(fmt.Sprintf("%s:%d", guests, freePort(t)))
				guest := newEnd(t, proto.Guest, guestAt, host.Addr()) // called by its name, as below
				guest.config.Peer = fmt.Sprintf("bridgehost:%d", port)
				guest.resolve = bothLoopbacks("127.0.0.1", "::1")
				if i >= 2 {
					guest.resolve = bothLoopbacks("::1", "127.0.0.1")
				}
				guest.run()
				if hosts == "[::1]" && guests == "0.0.0.0" {
					waitError(t, guest, "refused") // it has ::1 only, and our media could not get there
					return
				}
				waitTogether(t, guest, host)
				g, _ := guest.Current()
				h, _ := host.Current()
				for who, s := range map[string]Session{"guest": g, "host": h} {
					listens := guestAt.Addr()
					if who == "host" {
						listens = host.config.Listen.Addr()
					}
					if !sameFamily(s.PeerAddr.Addr(), s.LocalAddr) || listens.Is4() && !s.PeerAddr.Addr().Is4() || s.PeerAddr.Addr().Is4In6() {
						t.Errorf("%s: media from %s to %s", who, s.LocalAddr, s.PeerAddr)
					}
				}
			})
		}
	}
}

func TestListeningOnEveryIPv4AddressOpensNoIPv6(t *testing.T) {
	port := freePort(t)
	start(t, proto.Host, netip.MustParseAddrPort(fmt.Sprintf("0.0.0.0:%d", port)), nobody)
	if conn, err := net.DialTimeout("tcp", fmt.Sprintf("[::1]:%d", port), time.Second); err == nil {
		conn.Close()
		t.Error("IPv6 is answered, too")
	}
}

func TestOnlyAddressesThatOurMediaCanReachAreCalledAndMayCall(t *testing.T) {
	four, six := netip.MustParseAddr("10.0.0.7"), netip.MustParseAddr("fd00::7")
	for _, c := range []struct {
		listen string
		has    []netip.Addr
		want   string // the addresses, or a part of the error
	}{
		{"0.0.0.0:4713", []netip.Addr{six, four}, "[10.0.0.7]"},
		{"10.0.0.1:4713", []netip.Addr{four, six}, "[10.0.0.7]"},
		{"[::]:4713", []netip.Addr{six, four}, "[fd00::7 10.0.0.7]"},
		{"[fd00::1]:4713", []netip.Addr{four, six}, "[fd00::7]"},
		{"[::]:4713", []netip.Addr{netip.MustParseAddr("::ffff:10.0.0.7")}, "[10.0.0.7]"},
		{"0.0.0.0:4713", []netip.Addr{six}, "bridgehost has no address that 0.0.0.0 reaches; listen on [::] for both kinds"},
		{"[fd00::1]:4713", []netip.Addr{four}, "bridgehost has no address that fd00::1 reaches"},
	} {
		e := New(Config{Listen: netip.MustParseAddrPort(c.listen), Log: slog.New(slog.DiscardHandler)})
		e.resolve = func(context.Context, string, string) ([]netip.Addr, error) { return c.has, nil }
		found, err := e.lookUp(t.Context(), "bridgehost")
		if got := fmt.Sprint(found); err == nil && got != c.want || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("listening on %s, %v: %s, %v", c.listen, c.has, got, err)
		}
	}
}

// A zone belongs to this machine: it is no part of a URL, nor of what is said to the peer.
func TestARequestToALinkLocalAddressHasNoZone(t *testing.T) {
	e := New(Config{Listen: netip.MustParseAddrPort("[::]:4713"), Peer: "[fe80::1%eth0]:4713", Log: slog.New(slog.DiscardHandler)})
	found, err := e.lookUp(t.Context(), "fe80::1%eth0")
	if err != nil || fmt.Sprint(found) != "[fe80::1%eth0]" {
		t.Errorf("%v, %v", found, err)
	}
	ours, theirs := net.Pipe()
	defer ours.Close()
	said := make(chan string, 1)
	go func() {
		data := make([]byte, 4096)
		n, _ := theirs.Read(data)
		said <- string(data[:n])
		theirs.Close()
	}()
	_, _ = e.exchange(t.Context(), &conversation{ours, bufio.NewReader(ours)}, "GET", "/session/abc", http.Header{}, nil)
	if text := <-said; !strings.HasPrefix(text, "GET /session/abc HTTP/1.1\r\nHost: ") || strings.ContainsAny(text, "%") {
		t.Errorf("%q", text)
	}
}

func TestTheFirstAddressThatAnswersIsTaken(t *testing.T) {
	a, b, c := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.3")
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, test := range map[string]struct {
		ctx     context.Context
		answers map[netip.Addr]bool
		silent  map[netip.Addr]bool // connects to these take forever
		want    string
	}{
		"all":                  {t.Context(), map[netip.Addr]bool{a: true, b: true, c: true}, nil, "10.0.0.1"},
		"the last":             {t.Context(), map[netip.Addr]bool{c: true}, nil, "10.0.0.3"},
		"the second, one mute": {t.Context(), map[netip.Addr]bool{b: true}, map[netip.Addr]bool{a: true}, "10.0.0.2"},
		"none":                 {t.Context(), nil, nil, "10.0.0.1: refused"}, // as the first one says
		"over before it began": {canceled, map[netip.Addr]bool{a: true}, nil, "context canceled"},
	} {
		release := make(chan struct{})
		conn, err := firstOf(test.ctx, []netip.Addr{a, b, c}, func(to netip.Addr) (net.Conn, error) {
			if test.silent[to] {
				<-release
			}
			if !test.answers[to] {
				return nil, fmt.Errorf("%s: refused", to)
			}
			return &at{from: to.String()}, nil
		})
		close(release)
		got := fmt.Sprint(err)
		if err == nil {
			got = addressOf(conn.RemoteAddr()).String()
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

func TestAZoneIsDialledByItsIndex(t *testing.T) {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"fe80::2%lo": fmt.Sprintf("fe80::2%%%d", lo.Index), "fe80::2%absent0": "fe80::2%absent0", "fe80::2%7": "fe80::2%7",
		"fd47::2": "fd47::2", "10.9.0.1": "10.9.0.1",
	} {
		if got := byIndex(netip.MustParseAddr(address)).String(); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}
