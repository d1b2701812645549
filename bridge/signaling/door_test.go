package signaling

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"archibald-bridge/proto"
)

// at is a connection from an address that a door was never told of.
type at struct {
	net.Conn
	from   string
	closed bool
}

func (c *at) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(c.from), 40000))
}

func (c *at) Close() error {
	c.closed = true
	return nil
}

// queue hands out connections that are there.
type queue struct{ waiting []*at }

func (q *queue) Accept() (net.Conn, error) {
	if len(q.waiting) == 0 {
		return nil, io.EOF
	}
	c := q.waiting[0]
	q.waiting = q.waiting[1:]
	return c, nil
}
func (*queue) Close() error   { return nil }
func (*queue) Addr() net.Addr { return nil }

// visits makes connections from these addresses, one after the other. None ends by itself.
// It says for each whether it is still open.
func visits(gate Gate, peer []netip.Addr, from ...string) (open []bool, counts Rejected) {
	entrance := newEntrance(gate, slog.New(slog.DiscardHandler))
	entrance.expect(peer)
	q := &queue{}
	for _, address := range from {
		q.waiting = append(q.waiting, &at{from: address})
	}
	all := q.waiting
	d := &door{Listener: q, entrance: entrance}
	for {
		if _, err := d.Accept(); err != nil {
			break
		}
	}
	for _, c := range all {
		open = append(open, !c.closed)
	}
	return open, entrance.counts()
}

var everybody = Gate{Role: proto.Host, Allow: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}}

func repeat(address string, times int) []string {
	all := make([]string, times)
	for i := range all {
		all[i] = address
	}
	return all
}

func TestOnlyWhoIsAllowedAndThePeerGetIn(t *testing.T) {
	gate := Gate{Role: proto.Host, Allow: []netip.Prefix{
		netip.MustParsePrefix("192.168.122.0/24"), netip.MustParsePrefix("fe80::/10"), netip.MustParsePrefix("::1/128"),
	}}
	peer := []netip.Addr{netip.MustParseAddr("10.0.0.7"), netip.MustParseAddr("fec0::1%1")}
	for from, want := range map[string]bool{
		"192.168.122.2":        true,
		"::ffff:192.168.122.2": true, // as a socket of both families says it
		"fe80::1%eth0":         true,
		"::1":                  true,
		"10.0.0.7":             true,
		"::ffff:10.0.0.7":      true,
		"fec0::1%lo":           true, // an interface by its number is the one of that name
		"fec0::1":              false,
		"192.168.123.2":        false,
		"10.0.0.8":             false,
		"127.0.0.1":            false,
		"::ffff:127.0.0.1":     false,
		"fd00::1":              false,
	} {
		open, counts := visits(gate, peer, from)
		if open[0] != want || (counts.Strangers == 0) != want {
			t.Errorf("%s: let in %v, %+v", from, open[0], counts)
		}
	}
	if open, _ := visits(Gate{Role: proto.Host, Secret: []byte("secret")}, nil, "203.0.113.9"); !open[0] {
		t.Error("with a secret whoever proves it may call, from anywhere")
	}
}

func TestWhoHoldsConnectionsLosesThemToWhoComes(t *testing.T) {
	mixed := append(append(repeat("10.0.0.1", 6), repeat("10.0.0.2", 7)...), repeat("10.0.0.3", 3)...)
	single := make([]string, 0, maxConnections)
	for i := range maxConnections {
		single = append(single, fmt.Sprintf("10.0.1.%d", i))
	}
	var net64 []string
	for i := range 12 {
		net64 = append(net64, fmt.Sprintf("2001:db8::1:%x", i+1))
	}
	for name, c := range map[string]struct {
		inside []string
		comes  string
		gone   []int // of inside
	}{
		"one address, its oldest goes":                    {repeat("10.0.0.1", maxOfAddress), "10.0.0.1", []int{0}},
		"one address, another comes":                      {repeat("10.0.0.1", maxOfAddress), "10.0.0.9", nil},
		"full, who has the most loses its oldest":         {mixed, "10.0.0.9", []int{6}},
		"full, who comes has the most":                    {mixed, "10.0.0.2", []int{6}},
		"full, everybody has one: the oldest goes":        {single, "10.0.0.9", []int{0}},
		"full, everybody has one: the peer's stays":       {append([]string{"10.0.0.7"}, single[1:]...), "10.0.0.9", []int{1}},
		"addresses of one /64 are one":                    {net64, "2001:db8::ffff", []int{0, 1, 2, 3, 4}},
		"a neighbour in the peer's /64, the peer's stays": {append([]string{"2001:db8::7"}, net64[:7]...), "2001:db8::ffff", []int{1}},
		"full, the peer's /64 has the most, its stays":    {append(append([]string{"2001:db8::7"}, net64[:7]...), single[:8]...), "10.0.0.9", []int{1}},
		"the peer comes into a /64 that others hold":      {net64[:8], "2001:db8::7", []int{0}},
		"link-local addresses are of many":                {[]string{"fe80::1%a", "fe80::2%a", "fe80::3%a"}, "fe80::4%a", nil},
		"full, the peer holds the most and another comes": {append(repeat("10.0.0.7", 8), repeat("10.0.0.1", 8)...), "10.0.0.9", []int{8}},
	} {
		open, counts := visits(everybody, []netip.Addr{netip.MustParseAddr("10.0.0.7"), netip.MustParseAddr("2001:db8::7")}, append(c.inside, c.comes)...)
		var gone []int
		for i, is := range open {
			if !is {
				gone = append(gone, i)
			}
		}
		if fmt.Sprint(gone) != fmt.Sprint(c.gone) || counts.Crowded != uint64(len(c.gone)) {
			t.Errorf("%s: %v are gone, want %v; %+v", name, gone, c.gone, counts)
		}
	}
}

func TestWhenAllPlacesAreThePeersAStrangerIsTheOneToGo(t *testing.T) {
	peer := []netip.Addr{netip.MustParseAddr("10.0.0.7"), netip.MustParseAddr("10.0.0.8")}
	from := append(append(repeat("10.0.0.7", 8), repeat("10.0.0.8", 8)...), "10.0.0.9", "10.0.0.8")
	open, _ := visits(everybody, peer, from...)
	if open[16] || !open[0] || open[8] || !open[17] {
		t.Errorf("open: %v", open)
	}
}

// holders keep n connections open, open each again when it is closed, and run do with each.
func holders(t *testing.T, address netip.AddrPort, from netip.Addr, n int, do func(net.Conn)) {
	t.Helper()
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0)), Timeout: time.Second}
	for range n {
		go func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if conn, err := dialer.Dial("tcp", address.String()); err == nil {
					do(conn)
					conn.Close()
				}
				time.Sleep(10 * time.Millisecond)
			}
		}()
	}
}

// drip sends a byte every 0.1 s until the connection is closed.
func drip(conn net.Conn) {
	io.WriteString(conn, "POST /session HTTP/1.1\r\nX: ")
	for {
		if _, err := conn.Write([]byte("x")); err != nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func TestSixtyFourSlowClientsDoNotKeepThePeerOut(t *testing.T) {
	for name, do := range map[string]func(net.Conn){
		"slow":   drip,
		"silent": func(conn net.Conn) { io.Copy(io.Discard, conn) },
		"deaf": func(conn net.Conn) {
			io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
			time.Sleep(time.Second)
		},
	} {
		for _, from := range []netip.Addr{netip.MustParseAddr("127.0.0.74"), guestIP} { // the guest's own, too
			t.Run(name+" from "+from.String(), func(t *testing.T) {
				host := start(t, proto.Host, freeAddr(t, hostIP), nobody)
				holders(t, host.Addr(), from, 64, do)
				time.Sleep(300 * time.Millisecond)
				guest := start(t, proto.Guest, freeAddr(t, guestIP), host.Addr())
				begun := time.Now()
				for range 3 {
					waitTogether(t, guest, host)
					guest.Drop("again")
				}
				if took := time.Since(begun); took > 4*time.Second {
					t.Errorf("three sessions took %s", took)
				}
			})
		}
	}
}

func TestStrangersAreToldOfOnceAMinuteAndWhatWouldLetThemIn(t *testing.T) {
	var text strings.Builder
	entrance := newEntrance(Gate{Role: proto.Host, Allow: []netip.Prefix{netip.MustParsePrefix("192.168.122.0/24")}},
		slog.New(slog.NewTextHandler(&text, nil)))
	now := time.Now()
	entrance.now = func() time.Time { return now }
	for range 120 { // two minutes
		entrance.admits(netip.MustParseAddr("10.9.0.5"))
		now = now.Add(time.Second)
	}
	lines := strings.Split(strings.TrimSpace(text.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], "10.9.0.5 may not call") ||
		!strings.Contains(lines[0], "--allow 192.168.122.0/24,10.9.0.5") || !strings.Contains(lines[1], "so did 59 calls before") {
		t.Errorf("log: %q", lines)
	}
	if n := entrance.counts().Strangers; n != 120 {
		t.Errorf("%d counted", n)
	}
}

func TestWhoLosesConnectionsIsToldOfOnceAMinute(t *testing.T) {
	var text strings.Builder
	entrance := newEntrance(everybody, slog.New(slog.NewTextHandler(&text, nil)))
	now := time.Now()
	entrance.now = func() time.Time { return now }
	for range 120 { // two minutes
		entrance.crowded(netip.MustParseAddr("10.9.0.5"))
		now = now.Add(time.Second)
	}
	lines := strings.Split(strings.TrimSpace(text.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], "10.9.0.5 lost one") || !strings.Contains(lines[1], "so did 59 calls before") {
		t.Errorf("log: %q", lines)
	}
}

func TestRefusalsOfEverNewKindsDoNotFillTheLog(t *testing.T) {
	var text strings.Builder
	now := time.Now()
	l := newErrorLog(slog.New(slog.NewTextHandler(&text, nil)))
	l.now = func() time.Time { return now }
	for i := range 1000 {
		l.note(fmt.Sprintf("refusal %d", i))
		now = now.Add(100 * time.Millisecond)
	}
	if n := strings.Count(text.String(), "\n"); n != 2*linesPerMinute {
		t.Errorf("%d lines in 100 s", n)
	}
	if l.text() != "refusal 999" {
		t.Errorf("last: %q", l.text())
	}
}
