package signaling

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// offerOfTheDocument is the offer that docs/protocol.md shows.
func offerOfTheDocument(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile(`(?m)^    v=0\n(    .+\n)*    a=x-archibald-role:guest\n(    .+\n)*`).Find(text)
	if block == nil {
		t.Fatal("no offer in docs/protocol.md")
	}
	return []byte(strings.ReplaceAll(strings.ReplaceAll(string(block), "    ", ""), "\n", "\r\n"))
}

func TestTheRequestsOfTheDocumentAreAnsweredSo(t *testing.T) {
	host := answering(t)
	if got := request(t, host.Addr(), "GET", "/healthz", "", nil); got.status != 200 {
		t.Errorf("healthz: %+v", got)
	}
	offer := offerOfTheDocument(t)
	got := request(t, host.Addr(), "POST", "/session", "application/sdp", offer)
	location := got.header.Get("Location")
	if got.status != 201 || !strings.HasPrefix(location, "/session/") || !strings.Contains(got.body, "a=x-archibald-role:host\r\n") {
		t.Fatalf("%+v", got)
	}
	for _, step := range []struct {
		method string
		status int
	}{{"GET", 200}, {"DELETE", 204}, {"GET", 404}} {
		if got := request(t, host.Addr(), step.method, location, "", nil); got.status != step.status {
			t.Errorf("%s: %+v", step.method, got)
		}
	}
	refused := strings.Replace(string(offer), "role:guest", "role:host", 1)
	if got := request(t, host.Addr(), "POST", "/session", "application/sdp", []byte(refused)); got.status != 409 || strings.Count(got.body, "\n") != 1 {
		t.Errorf("refused: %+v", got)
	}
}
