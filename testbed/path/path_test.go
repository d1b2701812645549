package path

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"
)

// echo answers every datagram with itself, and TCP with the address of who calls.
func echo(t *testing.T) netip.AddrPort {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.71:0")
	if err != nil {
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort(listener.Addr().String())
	socket, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close(); socket.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(c, c.RemoteAddr().(*net.TCPAddr).IP)
			c.Close()
		}
	}()
	go func() {
		buf := make([]byte, 100)
		for {
			n, from, err := socket.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			socket.WriteToUDPAddrPort(buf[:n], from)
		}
	}()
	return at
}

// came sends datagrams over a path and back, and returns which came.
func came(t *testing.T, kind Kind, count int) (which string, first time.Duration) {
	t.Helper()
	to := echo(t)
	p, err := Open(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.72"), to.Port()), to, kind)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	tcp, err := net.Dial("tcp4", p.near.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	if caller, err := io.ReadAll(tcp); err != nil || string(caller) != "127.0.0.72" {
		t.Fatalf("TCP comes from %q, datagrams from 127.0.0.72: %v", caller, err)
	}
	c, err := net.Dial("udp4", p.near.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	began := time.Now()
	for i := range count {
		fmt.Fprint(c, i)
		time.Sleep(100 * time.Microsecond)
	}
	buf := make([]byte, 100)
	for {
		c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		n, err := c.Read(buf)
		if err != nil {
			break
		}
		if which == "" {
			first = time.Since(began)
		}
		which += string(buf[:n]) + " "
	}
	sent, lost := p.Counts()
	if sent[0]+lost[0] != uint64(count) || sent[1]+lost[1] != sent[0] {
		t.Errorf("sent %d, lost %d of %d", sent, lost, count)
	}
	return which, first
}

func TestAPathDelaysAndLosesTheSameEachTime(t *testing.T) {
	all, at := came(t, Kind{Delay: 20 * time.Millisecond}, 20)
	if all != "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 " || at < 40*time.Millisecond {
		t.Errorf("%q came, the first after %s", all, at)
	}
	a, _ := came(t, Kind{Loss: 0.3, Seed: 1}, 50)
	b, _ := came(t, Kind{Loss: 0.3, Seed: 1}, 50)
	other, _ := came(t, Kind{Loss: 0.3, Seed: 2}, 50)
	if a != b || a == other || len(a) < 20 || len(a) > 110 {
		t.Errorf("%q\n%q\n%q", a, b, other)
	}
}
