package status

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"
)

func serve(t *testing.T, source Source) *Server {
	t.Helper()
	s, err := Listen(netip.MustParseAddrPort("127.0.0.1:0"), source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func request(t *testing.T, s *Server, method, path, host string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.Addr().String()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		r.Host = host
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func TestServesTheStateOfTheMomentAsJSON(t *testing.T) {
	asked := 0
	s := serve(t, func() Status { asked++; st := sample(); st.Session.Reconnects = uint64(asked); return st })
	for want := uint64(1); want <= 2; want++ {
		response, body := request(t, s, "GET", "/api/v1/status", "")
		var got Status
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatal(err)
		}
		if got.Session.Reconnects != want {
			t.Errorf("reconnects %d, want %d: not the state of the moment", got.Session.Reconnects, want)
		}
		if ct := response.Header.Get("Content-Type"); ct != "application/json" {
			t.Errorf("content type %q", ct)
		}
	}
}

func TestPageCanLoadWhatItNamesUnderItsOwnPolicy(t *testing.T) {
	s := serve(t, sample)
	response, body := request(t, s, "GET", "/", "")
	if response.StatusCode != http.StatusOK || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") {
		t.Fatalf("page: %s, %s", response.Status, response.Header.Get("Content-Type"))
	}
	policy := response.Header.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
	// The policy forbids inline code and style; there must be none to forbid.
	if regexp.MustCompile(`<style|style=|<script>|\son[a-z]+=`).MatchString(body) {
		t.Error("the page has inline code or style, which its policy blocks")
	}
	links := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(body, -1)
	if len(links) != 4 {
		t.Fatalf("links %v, want two scripts, style and JSON", links)
	}
	for _, link := range links {
		if linked, _ := request(t, s, "GET", "/"+link[1], ""); linked.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", link[1], linked.Status)
		}
	}
}

func TestPageShowsOnlyFieldsThatExist(t *testing.T) {
	script, err := page.ReadFile("page/status.js")
	if err != nil {
		t.Fatal(err)
	}
	json := encode(t, sample())
	fields := regexp.MustCompile(`\b(?:d|s|a|s\.session|s\.directions|d\.jitter_us|d\.latency_ms)\.([a-z_0-9]+)\b[^(]`).FindAllStringSubmatch(string(script), -1)
	if len(fields) < 25 {
		t.Fatalf("only %d fields found in the script", len(fields))
	}
	for _, field := range fields {
		if !strings.Contains(json, `"`+field[1]+`":`) {
			t.Errorf("the page shows %q, which the JSON does not have", field[1])
		}
	}
}

func TestOnlyReadingIsAllowed(t *testing.T) {
	s := serve(t, sample)
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS"} {
		for _, path := range []string{"/", "/api/v1/status"} {
			if response, _ := request(t, s, method, path, ""); response.StatusCode != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: %s", method, path, response.Status)
			}
		}
	}
	if response, body := request(t, s, "HEAD", "/api/v1/status", ""); response.StatusCode != http.StatusOK || body != "" {
		t.Errorf("HEAD: %s, body %q", response.Status, body)
	}
	for _, path := range []string{"/nothing", "/page/status.js", "/api/v1/status/", "/../server.go"} {
		if response, _ := request(t, s, "GET", path, ""); response.StatusCode != http.StatusNotFound {
			t.Errorf("GET %s: %s", path, response.Status)
		}
	}
}

func TestRebindingPageIsRefusedOnLoopback(t *testing.T) {
	s := serve(t, sample)
	for host, want := range map[string]int{
		"localhost": 200, "localhost:8713": 200, "LOCALHOST:8713": 200, "127.0.0.1:8713": 200, "127.0.0.1": 200,
		"[::1]:8713": 200, "[::1]": 200, "10.0.2.2:8713": 200,
		"evil.example": 403, "evil.example:8713": 403, "localhost.evil.example": 403, "127.0.0.1.evil.example:80": 403,
	} {
		for _, path := range []string{"/", "/api/v1/status"} {
			if response, body := request(t, s, "GET", path, host); response.StatusCode != want {
				t.Errorf("host %q, %s: %d %s, want %d", host, path, response.StatusCode, body, want)
			} else if want == 403 && strings.Contains(body, "192.168") {
				t.Errorf("host %q was refused and yet told the status", host)
			}
		}
	}
}

func TestNamesAreFineWhereOtherMachinesMayConnect(t *testing.T) {
	s, err := Listen(netip.MustParseAddrPort("0.0.0.0:0"), sample)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	response, err := http.Get("http://" + net.JoinHostPort("127.0.0.1", portOf(s)) + "/api/v1/status")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	r, _ := http.NewRequest(http.MethodGet, response.Request.URL.String(), nil)
	r.Host = "tower.lan:8714"
	if response, err = http.DefaultClient.Do(r); err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("host tower.lan: %s", response.Status)
	}
}

func portOf(s *Server) string {
	_, port, _ := net.SplitHostPort(s.Addr().String())
	return port
}

func TestPortInUseNamesAddressAndFlag(t *testing.T) {
	s := serve(t, sample)
	_, err := Listen(s.Addr(), sample)
	want := "--status-listen " + s.Addr().String() + ": the address is in use; give another one, or off"
	if err == nil || err.Error() != want {
		t.Errorf("error %v\n want %s", err, want)
	}
}

func TestAddressOfAnotherMachineNamesAddressAndFlag(t *testing.T) {
	_, err := Listen(netip.MustParseAddrPort("192.0.2.1:8713"), sample)
	if err == nil || !strings.HasPrefix(err.Error(), "--status-listen 192.0.2.1:8713: ") {
		t.Errorf("error %v", err)
	}
}

func TestClosedServerGivesTheAddressBack(t *testing.T) {
	s := serve(t, sample)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Listen(s.Addr(), sample)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}

func TestSlowClientIsDropped(t *testing.T) {
	s := serve(t, sample)
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost:"); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.ReadAll(c); err != nil {
		t.Errorf("still connected after 20 s: %v", err)
	}
}

func TestFetch(t *testing.T) {
	s := serve(t, sample)
	got, err := Fetch(t.Context(), s.Addr().String())
	if err != nil || got.End != "guest" || got.Directions.Receive.Lost != 5 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestFetchRefusesWhatIsNoStatus(t *testing.T) {
	for name, body := range map[string]string{"HTML": "<html>", "other JSON": `{"a":1}`, "nothing": "", "endless": strings.Repeat(" ", 2*maxAnswer) + `{"end":"guest"}`} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			other := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })}
			go func() { _ = other.Serve(l) }()
			defer other.Close()
			if _, err := Fetch(t.Context(), l.Addr().String()); err == nil || !strings.Contains(err.Error(), "does not answer with a status") {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestJSONSaysHowMuchProcessorTimeTheProgramHasUsed(t *testing.T) {
	s := serve(t, sample)
	used := func() float64 {
		_, body := request(t, s, "GET", "/api/v1/status", "")
		var got Status
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatal(err)
		}
		return got.CPUSeconds
	}
	first := used()
	for deadline := time.Now().Add(30 * time.Second); used() < first+0.1; { // asking is work
		if time.Now().After(deadline) {
			t.Fatalf("%.3f s, then %.3f s", first, used())
		}
	}
}
