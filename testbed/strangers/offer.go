package strangers

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"archibald-bridge/proto"
)

// Offer is a good offer of a guest, or one with whatever change.
func Offer(name string, ssrc uint32, change func(*proto.Description)) []byte {
	d := proto.Description{
		Name: name, Role: proto.Guest, Version: proto.Version, Revision: uint64(time.Now().UnixNano()), Port: Port,
		Address: OutsideAddress, Payloads: proto.Payloads(proto.L24), RateHz: 48000, SendChannels: 2, ReceiveChannels: 2,
		PacketFrames: packetFrames, SSRC: ssrc, CNAME: "stranger", RTCPMux: true,
	}
	if change != nil {
		change(&d)
	}
	return d.Marshal()
}

// The SSRCs that anybody can compute, as a stranger who has read this tree does.
var GuestSSRC, HostSSRC = proto.SSRC("", proto.Guest), proto.SSRC("", proto.Host)

// PublicOffer is the offer that anybody can make in a guest's place.
func PublicOffer() []byte { return Offer("", GuestSSRC, nil) }

// AsHost makes an offer one of a host.
func AsHost(d *proto.Description) { d.Role = proto.Host }

// Unfit is a change that no host of 48 kHz agrees to.
func Unfit(d *proto.Description) { d.RateHz = 44100 }

// errSilence says that a request got no answer: the connection was not made, or closed.
var errSilence = errors.New("no answer")

// Say sends a request and returns the answer's status and body.
func (s Stranger) Say(to netip.AddrPort, method, path string, body []byte) (code int, text string, err error) {
	conn, err := s.Dial(to)
	if err != nil {
		return 0, "", errSilence
	}
	defer func() { _ = conn.Close() }()
	return say(conn, method, path, body)
}

func say(conn net.Conn, method, path string, body []byte) (code int, text string, err error) {
	_ = conn.SetDeadline(time.Now().Add(2 * time.Second))
	request := request(method, path, body)
	if _, err := conn.Write(request); err != nil {
		return 0, "", errSilence
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, "", errSilence
	}
	defer func() { _ = response.Body.Close() }()
	content, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(content), nil
}

func request(method, path string, body []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: archibald\r\nConnection: close\r\n", method, path)
	if body != nil {
		fmt.Fprintf(&b, "Content-Type: application/sdp\r\nContent-Length: %d\r\n", len(body))
	}
	return append(append(b.Bytes(), "\r\n"...), body...)
}

// Post makes one offer.
func (s Stranger) Post(to netip.AddrPort, offer []byte) (code int, text string, err error) {
	return s.Say(to, http.MethodPost, "/session", offer)
}

// Tally counts what a stranger got.
type Tally struct {
	Accepted, Refused, Silent atomic.Int64 // offers
}

func (t *Tally) String() string {
	return fmt.Sprintf("accepted %d, refused %d, unanswered %d", t.Accepted.Load(), t.Refused.Load(), t.Silent.Load())
}

// OfferOften makes ten offers a second.
func (s Stranger) OfferOften(to netip.AddrPort, offer func() []byte, tally *Tally) Attack {
	return func(ctx context.Context) error {
		return every(ctx, 100*time.Millisecond, func(int) error {
			switch code, _, err := s.Post(to, offer()); {
			case err != nil:
				tally.Silent.Add(1)
			case code == http.StatusCreated:
				tally.Accepted.Add(1)
			default:
				tally.Refused.Add(1)
			}
			return nil
		})
	}
}

// HangUp asks to end whatever session there is, ten times a second, by ids that may be
// guessed.
func (s Stranger) HangUp(to netip.AddrPort) Attack {
	return func(ctx context.Context) error {
		ids := []string{"1", "0", "*", "%2e%2e", "00000000-0000-0000-0000-000000000000", ""}
		return every(ctx, 100*time.Millisecond, func(i int) error {
			_, _, _ = s.Say(to, http.MethodDelete, "/session/"+ids[i%len(ids)], nil)
			return nil
		})
	}
}
