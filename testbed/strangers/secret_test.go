package strangers

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"archibald-bridge/testbed/stack"
)

// again says once more what somebody said, on a connection of its own, and returns the
// status of each answer.
func (s Stranger) again(to netip.AddrPort, said []byte) (codes []int) {
	conn, err := s.Dial(to)
	if err != nil {
		return nil
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := conn.Write(said); err != nil {
		return nil
	}
	for reader := bufio.NewReader(conn); ; {
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			return codes
		}
		_, _ = new(bytes.Buffer).ReadFrom(response.Body)
		codes = append(codes, response.StatusCode)
	}
}

// Whoever stands between the ends sees all that they say, says it again, and has no use
// of it; nor has a program without the secret on the guest's own machine.
func TestWhatIsSaidWithASecretIsOfNoUseToOthers(t *testing.T) {
	town := machines(t)
	secret, err := town.Keygen("bridge.secret")
	must(t, err)
	relay, err := NewRelay(town.Inside(), HostDoor, nil, nil)
	must(t, err)
	defer func() { _ = relay.Close() }()
	ear, err := NewEar(town.Guest, true)
	must(t, err)
	defer func() { _ = ear.Close() }()
	session(t, netip.AddrPortFrom(InsideAddress, Port), "--secret-file", secret)

	l, err := town.Listen(time.Minute)
	must(t, err)
	out := town.Outside()
	replays := 0
	must(t, l.During("replays", 2*time.Second, func(ctx context.Context) error {
		for _, said := range relay.Said() {
			for _, from := range []Stranger{out, town.Inside(), town.Neighbour()} {
				for _, code := range from.again(HostDoor, said) {
					if replays++; code == http.StatusCreated || code == http.StatusNoContent {
						t.Errorf("a replay was answered with %d", code)
					}
				}
			}
		}
		return nil
	}))
	if replays == 0 {
		t.Error("nothing was replayed")
	}
	var tally Tally
	for _, row := range []struct {
		name string
		from Stranger
	}{{"from outside", out}, {"from inside", town.Inside()}, {"from the guest's machine", town.Neighbour()}} {
		must(t, l.During("offers without the secret "+row.name, time.Second, row.from.OfferOften(HostDoor, PublicOffer, &tally)))
	}
	if n := tally.Accepted.Load(); n > 0 {
		t.Errorf("%d offers without the secret were accepted", n)
	}
	must(t, l.Finish())
	for _, p := range l.Phases {
		t.Log(p)
		p.Datagrams = l.ear.Datagrams(OutsideAddress) // those to the relay are the guest's
		if faults := p.faults(p.relayGaps()); len(faults) > 0 {
			t.Errorf("%s: %s", p.Name, strings.Join(faults, ", "))
		}
	}

	text, err := os.ReadFile(secret)
	must(t, err)
	text = bytes.TrimSpace(text)
	raw, err := base64.StdEncoding.DecodeString(string(text))
	must(t, err)
	var logs []byte
	for _, end := range []*stack.Process{town.HostEnd, town.GuestEnd} {
		log, err := os.ReadFile(end.Log)
		must(t, err)
		logs = append(logs, log...)
	}
	for _, form := range [][]byte{text[:16], raw[:12], []byte(hex.EncodeToString(raw[:12])), []byte(base64.RawURLEncoding.EncodeToString(raw[:12]))} {
		if ear.Heard(form) {
			t.Errorf("the secret is on the wire, as %q", form)
		}
		if bytes.Contains(logs, form) {
			t.Errorf("the secret is in a log, as %q", form)
		}
	}
	if !ear.Heard([]byte("POST /session")) {
		t.Error("the ear heard no offer")
	}
}
