package signaling

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"archibald-bridge/proto"
)

// fakePeer answers every connection with what serve writes, and says how often.
func fakePeer(t *testing.T, serve func(net.Conn)) netip.AddrPort {
	t.Helper()
	l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(hostIP, 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// says reads a request and replies with fixed text.
func says(reply string) func(net.Conn) {
	return func(conn net.Conn) {
		conn.Read(make([]byte, 4096))
		io.WriteString(conn, reply)
	}
}

func TestPeerThatIsSomethingElse(t *testing.T) {
	answer := string(describe(proto.Host, "lab").Marshal())
	created := func(header, body string) string {
		return fmt.Sprintf("HTTP/1.1 201 Created\r\n%sContent-Length: %d\r\n\r\n%s", header, len(body), body)
	}
	const sdp, location = "Content-Type: application/sdp\r\n", "Location: /session/abc\r\n"
	for name, c := range map[string]struct {
		serve func(net.Conn)
		want  string
	}{
		"closes":         {func(net.Conn) {}, "connection"},
		"another server": {says("\x00\x00PulseAudio\r\n\r\n"), "does not speak HTTP: is it an archibald-bridge?"},
		"a web server":   {says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), "HTTP status 200: is it an archibald-bridge?"},
		"a redirect":     {says("HTTP/1.1 302 Found\r\nLocation: http://evil/\r\nContent-Length: 0\r\n\r\n"), "HTTP status 302"},
		"no location":    {says(created(sdp, answer)), "HTTP status 201: is it an archibald-bridge?"},
		"evil location":  {says(created(sdp+"Location: http://evil/session/abc\r\n", answer)), "HTTP status 201"},
		"wrong type":     {says(created(location, answer)), "HTTP status 201"},
		"broken answer":  {says(created(sdp+location, "v=0")), "answer: SDP has no m=audio line"},
		"wrong answer":   {says(created(sdp+location, strings.ReplaceAll(answer, "/48000/", "/44100/"))), "answer: the guest runs at 48000 Hz, the host at 44100 Hz"},
		"cut off":        {says("HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\nv=0"), "closed the connection without a reply"},
		"escapes":        {says("HTTP/1.1 409 Conflict\r\nContent-Length: 14\r\n\r\n\x1b[31mno\nsecret"), "refused: [31mno"},
		"endless":        {says("HTTP/1.1 409 Conflict\r\n\r\n" + strings.Repeat("x", 1<<20)), "refused: " + strings.Repeat("x", 300)},
		"endless header": {says("HTTP/1.1 409 Conflict\r\nX: " + strings.Repeat("x", 1<<20)), "closed the connection"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			guest := start(t, proto.Guest, freeAddr(t, guestIP), fakePeer(t, c.serve))
			waitError(t, guest, c.want)
			text := guest.Status().LastError
			if strings.ContainsAny(text, "\n\r\x1b") || len(text) > 400 {
				t.Errorf("error %q", text)
			}
			if _, up := guest.Current(); up {
				t.Error("a session came up")
			}
		})
	}
}

func TestPeerThatNeverReplies(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	defer close(hold)
	guest := start(t, proto.Guest, freeAddr(t, guestIP), fakePeer(t, func(net.Conn) { <-hold }))
	waitError(t, guest, "no reply within 1s")
}

func TestPeerThatDoesNotReplyToACheckKeepsTheSession(t *testing.T) {
	t.Parallel()
	guestAddr, hostAddr := freeAddr(t, guestIP), freeAddr(t, hostIP)
	host := start(t, proto.Host, hostAddr, nobody)
	guest := start(t, proto.Guest, guestAddr, hostAddr)
	id := waitTogether(t, guest, host)
	host.kill()

	// A paused machine: connections are made, and nothing comes back.
	paused, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(hostAddr))
	if err != nil {
		t.Fatal(err)
	}
	guest.Check()
	for range 2 {
		conn, err := paused.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	if !guest.knows(id) {
		t.Fatal("the first check without a reply ended the session")
	}
	paused.Close() // and now nobody is there
	eventually(t, "the end of the session", func() bool { return guest.lastDown() == "connection refused" })
	if state := guest.Status().State; state != Calling {
		t.Errorf("state %s", state)
	}
}

func TestSlowClientsNeitherBlockNorStay(t *testing.T) {
	t.Parallel()
	host := answering(t)
	var slow []net.Conn
	for range maxConnections - 1 {
		conn, err := net.Dial("tcp", host.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		io.WriteString(conn, "POST /session HTTP/1.1\r\nHost: x\r\nX-Slow: ")
		slow = append(slow, conn)
	}
	guest := start(t, proto.Guest, freeAddr(t, guestIP), host.Addr())
	waitTogether(t, guest, host)
	for _, conn := range slow {
		conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.ReadAll(conn); errors.Is(err, errTimeout(err)) {
			t.Fatalf("a slow client is still there: %v", err)
		}
	}
}

// errTimeout is err when it is a timeout, else an error that equals nothing.
func errTimeout(err error) error {
	if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
		return err
	}
	return errors.New("not a timeout")
}

func TestSlowBodyIsCutOff(t *testing.T) {
	t.Parallel()
	host := answering(t)
	conn, err := net.Dial("tcp", host.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "POST /session HTTP/1.1\r\nHost: x\r\nContent-Type: application/sdp\r\nContent-Length: 1000\r\n\r\nv=0\r\n")
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if text, err := io.ReadAll(conn); errors.Is(err, errTimeout(err)) {
		t.Errorf("got %q and then nothing", text)
	}
}

func TestOversizedHeaderIsRefused(t *testing.T) {
	host := answering(t)
	conn, err := net.Dial("tcp", host.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\nX: "+strings.Repeat("x", 64<<10)+"\r\n\r\n")
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	line := make([]byte, 12)
	if _, err := io.ReadFull(conn, line); err != nil || string(line) != "HTTP/1.1 431" {
		t.Errorf("got %q, %v", line, err)
	}
}
