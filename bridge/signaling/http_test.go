package signaling

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"archibald-bridge/proto"
)

// answering is a host that only answers.
func answering(t *testing.T) *end {
	t.Helper()
	return start(t, proto.Host, freeAddr(t, hostIP), nobody)
}

type response struct {
	status int
	header http.Header
	body   string
}

// request sends one request on its own connection.
func request(t *testing.T, to netip.AddrPort, method, path, contentType string, body []byte) response {
	t.Helper()
	r, err := http.NewRequest(method, "http://"+to.String()+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		Timeout:       5 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	got, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response{got.StatusCode, got.Header, string(text)}
}

func TestSessionByPlainHTTP(t *testing.T) {
	host := answering(t)
	offer := describe(proto.Guest, "curl")
	got := request(t, host.Addr(), "POST", "/session", "application/sdp; charset=utf-8", offer.Marshal())
	path := got.header.Get("Location")
	if got.status != http.StatusCreated || got.header.Get("Content-Type") != "application/sdp" || !sessionPath.MatchString(path) {
		t.Fatalf("got %+v", got)
	}
	answer, err := proto.ParseDescription([]byte(got.body))
	if err != nil || answer.Role != proto.Host || len(answer.Payloads) != 1 || answer.Revision == 0 {
		t.Errorf("answer %+v, %v", answer, err)
	}
	if got := request(t, host.Addr(), "GET", path, "", nil); got.status != http.StatusOK || got.body != "{\"state\":\"up\"}\n" ||
		got.header.Get("Content-Type") != "application/json" {
		t.Errorf("GET: %+v", got)
	}
	if got := request(t, host.Addr(), "DELETE", path, "", nil); got.status != http.StatusNoContent || got.body != "" {
		t.Errorf("DELETE: %+v", got)
	}
	for _, method := range []string{"GET", "DELETE"} {
		if got := request(t, host.Addr(), method, path, "", nil); got.status != http.StatusNotFound || got.body != "no such session\n" {
			t.Errorf("%s afterwards: %+v", method, got)
		}
	}
	eventually(t, "Down", func() bool { return host.lastDown() == "the peer hung up" })
}

// Browsers send Origin with every POST and DELETE, whatever name led them here.
func TestAWebPageMayNotCall(t *testing.T) {
	host := answering(t)
	for _, origin := range []string{"http://stranger.example:4713", "http://" + host.Addr().String(), "null"} {
		for method, path := range map[string]string{"POST": "/session", "DELETE": "/session/0123456789abcdef"} {
			r, err := http.NewRequest(method, "http://"+host.Addr().String()+path, bytes.NewReader(describe(proto.Guest, "page").Marshal()))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", sdpType)
			r.Header.Set("Origin", origin)
			got, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			got.Body.Close()
			if _, up := host.Current(); got.StatusCode != http.StatusForbidden || up {
				t.Errorf("%s of a page of %s: %d, up %v", method, origin, got.StatusCode, up)
			}
		}
	}
}

func TestHealth(t *testing.T) {
	if got := request(t, answering(t).Addr(), "GET", "/healthz", "", nil); got.status != http.StatusOK || got.body != "ok\n" {
		t.Errorf("got %+v", got)
	}
}

func TestRefusalsByHTTP(t *testing.T) {
	host := answering(t)
	offer := string(describe(proto.Guest, "curl").Marshal())
	replace := func(from, to string) []byte {
		text := strings.Replace(offer, from, to, 1)
		if text == offer {
			t.Fatalf("%q is not in the offer", from)
		}
		return []byte(text)
	}
	const sdp = "application/sdp"
	for _, c := range []struct {
		name, method, path, contentType string
		body                            []byte
		status                          int
		want                            string
	}{
		{"no content type", "POST", "/session", "", []byte(offer), 415, "content type: legal is application/sdp"},
		{"a form", "POST", "/session", "text/plain", []byte(offer), 415, "content type: legal is application/sdp"},
		{"broken content type", "POST", "/session", ";;;", []byte(offer), 415, "content type: legal is application/sdp"},
		{"too large", "POST", "/session", sdp, make([]byte, 16<<10+1), 413, "session description too large: legal is up to 16 KiB"},
		{"empty", "POST", "/session", sdp, nil, 400, "SDP has no m=audio line of RTP/AVP with an rtpmap"},
		{"not SDP", "POST", "/session", sdp, []byte("<script>x</script>"), 400, "not a session description (SDP, RFC 8866): line 1 is none of it"},
		{"rate out of bounds", "POST", "/session", sdp, replace("F32/48000", "F32/1"), 400, "SDP rtpmap rate: legal is 8000 to 192000 Hz"},
		{"role", "POST", "/session", sdp, replace("role:guest", "role:<b>"), 400, "SDP x-archibald-role: legal is guest, host"},
		{"version", "POST", "/session", sdp, replace("version:1", "version:3"), 409, "protocol version: one end speaks version 3, the other version 1: install the same release at both ends"},
		{"two hosts", "POST", "/session", sdp, replace("role:guest", "role:host"), 409, "both ends are hosts: a session needs one guest and one host, check the address of --peer"},
		{"rates", "POST", "/session", sdp, []byte(strings.ReplaceAll(offer, "/48000/", "/44100/")), 409, "the guest runs at 44100 Hz, the host at 48000 Hz: set both audio servers to the same rate"},
		{"plain stream", "POST", "/session", sdp, replace("a=x-archibald-version:1\r\n", ""), 409, "one end is not an archibald-bridge: for a plain RTP stream use --static"},
		{"wrong method", "PUT", "/session", sdp, nil, 405, "Method Not Allowed"},
		{"wrong path", "GET", "/<script>", "", nil, 404, "404 page not found"},
		{"unclean path", "GET", "/session//<script>", "", nil, 404, "not found"},
		{"no such session", "GET", "/session/../../etc/passwd", "", nil, 404, "not found"},
		{"preflight of a web page", "OPTIONS", "/session", "", nil, 405, "Method Not Allowed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := request(t, host.Addr(), c.method, c.path, c.contentType, c.body)
			if got.status != c.status || got.body != c.want+"\n" {
				t.Errorf("got %d %q, want %d %q", got.status, got.body, c.status, c.want)
			}
			if got.header.Get("Content-Type") != "text/plain; charset=utf-8" || got.header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("header %v", got.header)
			}
			if strings.Contains(fmt.Sprint(got.header), "script") {
				t.Errorf("the request is repeated in %v", got.header)
			}
			if got.header.Get("Access-Control-Allow-Origin") != "" {
				t.Error("web pages of other sites may call")
			}
		})
	}
	if _, up := host.Current(); up {
		t.Error("a session came up")
	}
}

func TestEndWithoutAudioServerSaysSo(t *testing.T) {
	host := newEnd(t, proto.Host, freeAddr(t, hostIP), nobody)
	host.absent = errAbsent
	host.run()
	got := request(t, host.Addr(), "POST", "/session", "application/sdp", describe(proto.Guest, "lab").Marshal())
	if got.status != http.StatusServiceUnavailable || got.body != "audio server not running\n" || got.header.Get("Retry-After") != "1" {
		t.Errorf("got %+v", got)
	}
	guest := start(t, proto.Guest, freeAddr(t, guestIP), host.Addr())
	waitError(t, guest, "peer "+host.Addr().String()+" refused: audio server not running")
	host.setAbsent(nil)
	waitTogether(t, guest, host)
}

func TestRefusalsSurfaceAtTheCaller(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*proto.Description)
		want   string
	}{
		"rate": {func(d *proto.Description) { d.RateHz = 96000 },
			"the guest runs at 96000 Hz, the host at 48000 Hz: set both audio servers to the same rate"},
		"role": {func(d *proto.Description) { d.Role = proto.Host },
			"both ends are hosts: a session needs one guest and one host, check the address of --peer"},
		"version": {func(d *proto.Description) { d.Version = 2 },
			"protocol version: one end speaks version 2, the other version 1: install the same release at both ends"},
		"port": {func(d *proto.Description) { d.Port = 0 },
			"SDP m=audio port: legal is 1 to 65535"},
	} {
		t.Run(name, func(t *testing.T) {
			host := answering(t)
			guest := newEnd(t, proto.Guest, freeAddr(t, guestIP), host.Addr())
			c.change(&guest.local)
			guest.run()
			want := "peer " + host.Addr().String() + " refused: " + c.want
			eventually(t, want, func() bool { return guest.Status().LastError == want })
		})
	}
}

func TestCheckOfAGoodSessionChangesNothing(t *testing.T) {
	hostAddr := freeAddr(t, hostIP)
	host := start(t, proto.Host, hostAddr, nobody)
	guest := start(t, proto.Guest, freeAddr(t, guestIP), hostAddr)
	id := waitTogether(t, guest, host)
	for range 5 {
		guest.Check()
		host.Check() // it has nobody to ask
		eventually(t, "the reply", func() bool {
			guest.Endpoint.mu.Lock()
			defer guest.Endpoint.mu.Unlock()
			return !guest.check
		})
	}
	if !guest.knows(id) || !host.knows(id) || len(guest.history()) != 1 || len(host.history()) != 1 {
		t.Error("the session did not stay")
	}
}

func TestPortInUse(t *testing.T) {
	host := answering(t)
	config := host.config
	config.Listen = host.Addr()
	_, err := Listen(config)
	want := "listen " + host.Addr().String() + ": TCP port in use: another archibald-bridge or PulseAudio's module-native-protocol-tcp?"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestAddressOfAnotherMachine(t *testing.T) {
	config := answering(t).config
	config.Listen = netip.MustParseAddrPort("192.0.2.1:4713") // TEST-NET-1, RFC 5737
	_, err := Listen(config)
	if err == nil || err.Error() != "listen 192.0.2.1:4713: this machine does not have that address" {
		t.Errorf("got %v", err)
	}
}

func TestPeerWithoutPort(t *testing.T) {
	config := answering(t).config
	config.Peer = "192.168.122.2"
	if _, err := Listen(config); err == nil || err.Error() != `peer "192.168.122.2": legal is HOST:PORT` {
		t.Errorf("got %v", err)
	}
}

func TestCauseLeavesOutWhatChangesFromCallToCall(t *testing.T) {
	for want, err := range map[string]error{
		"hostt: no such host":           &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "hostt", Server: "10.0.2.3:53"}},
		"no route to host":              &net.OpError{Op: "dial", Err: &os.SyscallError{Syscall: "connect", Err: syscall.EHOSTUNREACH}},
		"no connection within 1s":       &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded},
		"mismatched local address type": &net.OpError{Op: "dial", Err: &net.AddrError{Err: "mismatched local address type", Addr: "127.0.0.1"}},
		"something else":                errors.New("something else"),
	} {
		if got := cause(err); !strings.Contains(got, want) {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}
