package signaling

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"time"
	"unicode"

	"archibald-bridge/proto"
)

const (
	connectTimeout = time.Second
	replyTimeout   = time.Second
	hangUpTimeout  = 200 * time.Millisecond
	maxReplyBytes  = 2 * proto.MaxDescriptionBytes
	maxReasonBytes = 300
)

// errNoReply says that a connection was made and nothing came back.
var errNoReply = fmt.Errorf("no reply within %v", replyTimeout)

// dial connects to the peer from the address listened on, so that the peer sees
// the address of our media socket.
func (e *Endpoint) dial(ctx context.Context, timeout time.Duration) (net.Conn, error) {
	dialer := net.Dialer{Timeout: timeout}
	if ip := e.config.Listen.Addr(); !ip.IsUnspecified() {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(ip, 0))
	}
	return dialer.DialContext(ctx, "tcp", e.config.Peer)
}

// reply is what the peer said to a request.
type reply struct {
	status   int
	sdp      bool // the body is a session description
	location string
	body     []byte
}

// exchange sends one request and reads the reply. When ctx ends it still waits
// for a moment: an offer that is under way may have been accepted.
func (e *Endpoint) exchange(ctx context.Context, conn net.Conn, method, path string, body []byte) (reply, error) {
	request, err := http.NewRequest(method, "http://"+e.config.Peer+path, bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	request.Close = true
	if body != nil {
		request.Header.Set("Content-Type", sdpType)
	}
	conn.SetDeadline(time.Now().Add(replyTimeout))
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Now().Add(hangUpTimeout)) })
	defer stop()

	if err := request.Write(conn); err != nil {
		return reply{}, replyError(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, maxReplyBytes)), request)
	if err != nil {
		return reply{}, replyError(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return reply{}, replyError(err)
	}
	mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	return reply{
		status:   response.StatusCode,
		sdp:      mediaType == sdpType,
		location: response.Header.Get("Location"),
		body:     content,
	}, nil
}

func replyError(err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errNoReply
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errors.New("closed the connection without a reply")
	}
	if operation := new(net.OpError); errors.As(err, &operation) {
		return err
	}
	return errors.New("does not speak HTTP: is it an archibald-bridge?")
}

var sessionPath = regexp.MustCompile(`^/session/([0-9A-Za-z_-]{1,64})$`)

// offer sends our offer and turns the peer's answer into a session. A refusal
// by the peer is a *refusal.
func (e *Endpoint) offer(ctx context.Context, conn net.Conn, offer proto.Description) (Session, uint64, error) {
	peer, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return Session{}, 0, err
	}
	reply, err := e.exchange(ctx, conn, http.MethodPost, "/session", offer.Marshal())
	if err != nil {
		return Session{}, 0, err
	}
	path := sessionPath.FindStringSubmatch(reply.location)
	if reply.status != http.StatusCreated || !reply.sdp || path == nil {
		return Session{}, 0, refusalIn(reply)
	}
	answer, err := proto.ParseDescription(reply.body)
	if err != nil {
		return Session{}, 0, fmt.Errorf("answer: %w", err)
	}
	agreement, err := proto.Accept(offer, answer)
	if err != nil {
		return Session{}, 0, fmt.Errorf("answer: %w", err)
	}
	return Session{
		ID:        path[1],
		Agreement: agreement,
		PeerAddr:  mediaAddress(peer, answer.Port),
		LocalAddr: addressOf(conn.LocalAddr()),
		Called:    true,
	}, answer.Revision, nil
}

// refusalIn takes the reason out of a reply: the first line, printable, of
// bounded length.
func refusalIn(r reply) error {
	line, _, _ := strings.Cut(string(r.body[:min(len(r.body), maxReasonBytes)]), "\n")
	line = strings.TrimSpace(strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) || c == unicode.ReplacementChar {
			return -1
		}
		return c
	}, line))
	if r.status < 400 || line == "" {
		line = fmt.Sprintf("HTTP status %d: is it an archibald-bridge?", r.status)
	}
	return &refusal{r.status, line}
}

// cause is the text of an error without the addresses and calls around it,
// which differ from one attempt to the next.
func cause(err error) string {
	if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
		return fmt.Sprintf("no connection within %v", connectTimeout)
	}
	if lookup := new(net.DNSError); errors.As(err, &lookup) {
		return fmt.Sprintf("%s: %s", lookup.Name, lookup.Err)
	}
	if call := new(os.SyscallError); errors.As(err, &call) {
		return call.Err.Error()
	}
	if operation := new(net.OpError); errors.As(err, &operation) {
		return operation.Err.Error()
	}
	return err.Error()
}
