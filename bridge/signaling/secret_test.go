package signaling

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"archibald-bridge/proto"
)

var secretA, secretB = bytes.Repeat([]byte("a"), 32), bytes.Repeat([]byte("b"), 32)

// sharing makes two ends with these secrets. The guest calls through a relay.
func sharing(t *testing.T, guests, hosts []byte, by func(host netip.AddrPort) netip.AddrPort) (guest, host *end) {
	t.Helper()
	host = newEnd(t, proto.Host, freeAddr(t, hostIP), nobody)
	host.entrance.Secret = hosts
	host.run()
	guest = newEnd(t, proto.Guest, freeAddr(t, guestIP), by(host.Addr()))
	guest.entrance.Secret = guests
	return guest.run(), host
}

func straight(host netip.AddrPort) netip.AddrPort { return host }

func TestEndsWithOneSecretComeTogether(t *testing.T) {
	guest, host := sharing(t, secretA, secretA, straight)
	waitTogether(t, guest, host)
	guest.Drop("again") // and replace what the host still has
	waitTogether(t, guest, host)
	if r := host.Status().Rejected; r != (Rejected{}) {
		t.Errorf("%+v", r)
	}
	guest.stop()
	eventually(t, "the goodbye", func() bool { return host.lastDown() == "the peer hung up" })
}

func TestEndsWithoutOneSecretDoNot(t *testing.T) {
	for name, c := range map[string]struct {
		guests, hosts         []byte
		guestSays, hostCounts string
	}{
		"two secrets":      {secretA, secretB, "the secret is another one here: give both ends the same --secret-file", "Unproven"},
		"none at the host": {secretA, nil, "there is no secret here to prove: give both ends the same --secret-file", "Refused"},
		"none at us":       {nil, secretA, "a secret is to be proved here: give both ends the same --secret-file", "Unproven"},
	} {
		t.Run(name, func(t *testing.T) {
			guest, host := sharing(t, c.guests, c.hosts, straight)
			waitError(t, guest, c.guestSays)
			waitError(t, host, "refused a call from "+guestIP.String())
			// Each call counts once.
			if r := host.Status().Rejected; (c.hostCounts == "Unproven") != (r.Unproven > 0) || (c.hostCounts == "Refused") != (r.Refused > 0) {
				t.Errorf("%+v", r)
			}
			if len(host.history())+len(guest.history()) > 0 {
				t.Error("a session came up")
			}
		})
	}
}

// wiretap is a relay that writes down what goes each way and may change it.
type wiretap struct {
	mu     sync.Mutex
	passed bytes.Buffer   // everything, both ways
	calls  []bytes.Buffer // what each connection's caller sent
	change func(toHost bool, data []byte) []byte
}

func (w *wiretap) relay(t *testing.T) func(netip.AddrPort) netip.AddrPort {
	return func(host netip.AddrPort) netip.AddrPort {
		return fakePeer(t, func(caller net.Conn) {
			callee, err := net.Dial("tcp", host.String())
			if err != nil {
				return
			}
			w.mu.Lock()
			n := len(w.calls)
			w.calls = append(w.calls, bytes.Buffer{})
			w.mu.Unlock()
			pass := func(to, from net.Conn, toHost bool) {
				defer to.Close()
				data := make([]byte, 64<<10)
				for {
					got, err := from.Read(data)
					w.mu.Lock()
					w.passed.Write(data[:got])
					if toHost {
						w.calls[n].Write(data[:got])
					}
					change := w.change
					w.mu.Unlock()
					out := bytes.Clone(data[:got])
					if change != nil {
						out = change(toHost, out)
					}
					if _, writeErr := to.Write(out); err != nil || writeErr != nil {
						return
					}
				}
			}
			go pass(caller, callee, false)
			pass(callee, caller, true)
		})
	}
}

func TestNothingOfTheSecretIsOnTheWire(t *testing.T) {
	w := &wiretap{}
	guest, host := sharing(t, secretA, secretA, w.relay(t))
	id := waitTogether(t, guest, host)
	w.mu.Lock()
	defer w.mu.Unlock()
	text := w.passed.String()
	if !strings.Contains(text, id) {
		t.Fatal("the wire was not tapped")
	}
	for n := 8; n <= len(secretA); n *= 2 {
		if strings.Contains(text, string(secretA[:n])) || strings.Contains(text, fmt.Sprintf("%x", secretA[:n])) {
			t.Fatalf("%d bytes of the secret are on the wire", n)
		}
	}
}

// A whole good call, sent again byte for byte, and piece by piece.
func TestAReplayedCallIsRefused(t *testing.T) {
	w := &wiretap{}
	guest, host := sharing(t, secretA, secretA, w.relay(t))
	id := waitTogether(t, guest, host)
	guest.stop()
	eventually(t, "the goodbye", func() bool { return host.lastDown() != "" })

	var requests [][]byte
	w.mu.Lock()
	for i := range w.calls {
		requests = append(requests, bytes.Clone(w.calls[i].Bytes()))
	}
	w.mu.Unlock()
	for _, sent := range requests {
		// The request with the proof alone, too: without the question before it.
		pieces := [][]byte{sent}
		if at := bytes.LastIndex(sent, []byte("POST ")); at > 0 {
			pieces = append(pieces, sent[at:])
		}
		for _, piece := range pieces {
			conn, err := net.Dial("tcp", host.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			conn.SetDeadline(time.Now().Add(3 * time.Second))
			conn.Write(piece)
			reply, _ := io.ReadAll(conn)
			conn.Close()
			if bytes.Contains(reply, []byte(" 201 ")) {
				t.Errorf("%q was answered %q", piece, reply)
			}
		}
	}
	if _, up := host.Current(); up || host.knows(id) {
		t.Error("a session is up")
	}
	if host.Status().Rejected.Unproven == 0 {
		t.Errorf("%+v", host.Status().Rejected)
	}
}

func TestWhatWasAlteredOnTheWayIsRefused(t *testing.T) {
	swap := func(toHost bool, from, to string) func(bool, []byte) []byte {
		return func(direction bool, data []byte) []byte {
			if direction != toHost {
				return data
			}
			return bytes.ReplaceAll(data, []byte(from), []byte(to))
		}
	}
	for name, c := range map[string]struct {
		change func(bool, []byte) []byte
		want   string
	}{
		"the offer's port":      {swap(true, "m=audio 4713", "m=audio 4777"), "the secret is another one here"},
		"the offer's channels":  {swap(true, "send=2 receive=2", "send=2 receive=1"), "the secret is another one here"},
		"the answer's port":     {swap(false, "m=audio 4713", "m=audio 4777"), "did not prove that it has our secret"},
		"the session's id":      {swap(false, "/session/", "/session/x"), "did not prove that it has our secret"},
		"the caller's nonce":    {swap(true, `nonce="`, `nonce="0123456789abcdef0123456789abcdef", x="`), "the secret is another one here"},
		"the answer's proof":    {swap(false, headInfo, "X-"+headInfo), "did not prove that it has our secret"},
		"a secret that is gone": {swap(true, headAuth+":", "X-"+headAuth+":"), "a secret is to be proved here"},
		// Without the question there is no proof, and an answer would be nobody's.
		"the question is kept": {func(toHost bool, data []byte) []byte {
			if toHost || !bytes.Contains(data, []byte(" 401 ")) {
				return data
			}
			answer := describe(proto.Host, "lab").Marshal()
			return fmt.Appendf(nil, "HTTP/1.1 201 Created\r\nContent-Type: application/sdp\r\nLocation: /session/abc\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer)
		}, "did not prove that it has our secret"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &wiretap{change: c.change}
			guest, _ := sharing(t, secretA, secretA, w.relay(t))
			waitError(t, guest, c.want)
			if _, up := guest.Current(); up {
				t.Error("the guest has a session")
			}
		})
	}
}

func TestAGoodbyeNeedsTheSecretToo(t *testing.T) {
	guest, host := sharing(t, secretA, secretA, straight)
	id := waitTogether(t, guest, host)
	for _, proof := range []string{"", goodbyeProof(secretB, id), goodbyeProof(secretA, "another")} {
		request, err := http.NewRequest(http.MethodDelete, "http://"+host.Addr().String()+"/session/"+id, nil)
		if err != nil {
			t.Fatal(err)
		}
		if proof != "" {
			credentials{proof: proof}.write(request.Header, headAuth)
		}
		reply, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		reply.Body.Close()
		if reply.StatusCode != http.StatusUnauthorized {
			t.Errorf("proof %q: %s", proof, reply.Status)
		}
	}
	if !host.knows(id) {
		t.Error("the session is over")
	}
}

// The HMAC by another implementation (Python's hmac), so that it is the one that
// docs/protocol.md describes.
func TestProofIsAsTheProtocolSays(t *testing.T) {
	h := handshake{
		secret: []byte("0123456789abcdef0123456789abcdef"), caller: proto.Guest, answerer: proto.Host,
		callersNonce: strings.Repeat("11", 16), answerersNonce: strings.Repeat("22", 16), offer: []byte("v=0\r\n"),
	}
	if got := h.offerProof(); got != goldenOffer {
		t.Errorf("offer: %s", got)
	}
	if got := h.answerProof([]byte("v=0\r\nanswer"), "abc"); got != goldenAnswer {
		t.Errorf("answer: %s", got)
	}
	if got := goodbyeProof(h.secret, "abc"); got != goldenGoodbye {
		t.Errorf("goodbye: %s", got)
	}
}

func TestAConnectionIsAskedForAProofOnce(t *testing.T) {
	_, host := sharing(t, nil, secretA, straight)
	conn, err := net.Dial("tcp", host.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	request := "POST /session HTTP/1.1\r\nHost: x\r\nContent-Type: application/sdp\r\n" + headAuth + ": " + scheme +
		" nonce=\"" + newToken() + "\"\r\nContent-Length: 0\r\n\r\n"
	io.WriteString(conn, strings.Repeat(request, 10))
	replies, _ := io.ReadAll(conn) // until the host has had enough
	if n := strings.Count(string(replies), "HTTP/1.1 401"); n != 2 {
		t.Errorf("%d answers to ten requests: %q", n, replies)
	}
}

func TestANonceServesOnce(t *testing.T) {
	_, host := sharing(t, nil, secretA, straight)
	conn, err := net.Dial("tcp", host.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	replies := bufio.NewReader(conn)
	h := handshake{secret: secretB, caller: proto.Guest, answerer: proto.Host, callersNonce: newToken(), offer: describe(proto.Guest, "x").Marshal()}
	send := func(c credentials) *http.Response {
		header := http.Header{}
		c.write(header, headAuth)
		fmt.Fprintf(conn, "POST /session HTTP/1.1\r\nHost: x\r\nContent-Type: application/sdp\r\n%s: %s\r\nContent-Length: %d\r\n\r\n%s",
			headAuth, header.Get(headAuth), len(h.offer), h.offer)
		reply, err := http.ReadResponse(replies, nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, reply.Body)
		return reply
	}
	reply := send(credentials{nonce: h.callersNonce})
	says, _ := readCredentials(reply.Header, headAsk)
	h.answerersNonce = says.nonce
	if reply := send(credentials{nonce: h.callersNonce, proof: h.offerProof()}); reply.StatusCode != http.StatusForbidden || !reply.Close {
		t.Errorf("a wrong proof: %s, and the connection is kept: %v", reply.Status, !reply.Close)
	}
}

const (
	goldenOffer   = "df20c8f25b5bb48c48d7e70496e688b884991ce088f00a2188caebbedd1c93b2"
	goldenAnswer  = "c9fb049ddae919e687b5c9669b8b1e7ea38446374952f06a66c72ab5dd47f400"
	goldenGoodbye = "6886dee9f875915fe70f6712e6231194781c70bfaf124045484007f5b8099b3c"
)
