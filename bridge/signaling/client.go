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

// headReplaces names the last session that the caller knew of, for which an offer may be
// made while the session's media flow.
const headReplaces = "Archibald-Replaces"

// reply is what the peer said to a request.
type reply struct {
	status int
	sdp    bool // the body is a session description
	header http.Header
	body   []byte
}

// conversation is a connection to the peer, for one request after the other.
type conversation struct {
	net.Conn
	replies *bufio.Reader
}

// converse connects to the peer.
func (e *Endpoint) converse(ctx context.Context, timeout time.Duration) (*conversation, error) {
	conn, err := e.dial(ctx, timeout)
	if err != nil {
		return nil, err
	}
	return &conversation{conn, bufio.NewReader(io.LimitReader(conn, maxReplyBytes))}, nil
}

// exchange sends one request and reads the reply. When ctx ends it still waits
// for a moment: an offer that is under way may have been accepted.
func (e *Endpoint) exchange(ctx context.Context, conn *conversation, method, path string, header http.Header, body []byte) (reply, error) {
	// The name is of no use to the peer, and an address with a zone would be no URL.
	request, err := http.NewRequest(method, "http://archibald-bridge"+path, bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	request.Header = header
	if body != nil {
		request.Header.Set("Content-Type", sdpType)
	}
	conn.SetDeadline(time.Now().Add(replyTimeout))
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Now().Add(hangUpTimeout)) })
	defer stop()

	if err := request.Write(conn); err != nil {
		return reply{}, replyError(err)
	}
	response, err := http.ReadResponse(conn.replies, request)
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
		status: response.StatusCode,
		sdp:    mediaType == sdpType,
		header: response.Header,
		body:   content,
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
func (e *Endpoint) offer(ctx context.Context, conn *conversation, offer proto.Description) (Session, uint64, error) {
	peer, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return Session{}, 0, err
	}
	h := handshake{
		secret: e.entrance.Secret, caller: e.entrance.Role, answerer: e.entrance.Role.Other(),
		callersNonce: newToken(), offer: offer.Marshal(),
	}
	reply, err := e.post(ctx, conn, &h)
	if err != nil {
		return Session{}, 0, err
	}
	path := sessionPath.FindStringSubmatch(reply.header.Get("Location"))
	if reply.status != http.StatusCreated || !reply.sdp || path == nil {
		return Session{}, 0, refusalIn(reply)
	}
	if h.secret != nil {
		says, _ := readCredentials(reply.header, headInfo)
		if h.answerersNonce == "" || !proves(says.proof, h.answerProof(reply.body, path[1])) {
			return Session{}, 0, errPeerUnproven
		}
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

// errPeerUnproven says that the answer was not made by who has our secret.
var errPeerUnproven = errors.New("did not prove that it has our secret: give both ends the same --secret-file")

// post sends the offer of a handshake, once more with its proof when the peer asks for
// that.
func (e *Endpoint) post(ctx context.Context, conn *conversation, h *handshake) (reply, error) {
	header := http.Header{}
	if id := e.last(); id != "" {
		header.Set(headReplaces, id)
	}
	if h.secret == nil {
		header.Set("Connection", "close")
		return e.exchange(ctx, conn, http.MethodPost, "/session", header, h.offer)
	}
	credentials{nonce: h.callersNonce}.write(header, headAuth)
	reply, err := e.exchange(ctx, conn, http.MethodPost, "/session", header, h.offer)
	if err != nil || reply.status != http.StatusUnauthorized {
		return reply, err
	}
	says, _ := readCredentials(reply.header, headAsk)
	if says.nonce == "" {
		return reply, nil
	}
	h.answerersNonce = says.nonce
	credentials{nonce: h.callersNonce, proof: h.offerProof()}.write(header, headAuth)
	header.Set("Connection", "close")
	return e.exchange(ctx, conn, http.MethodPost, "/session", header, h.offer)
}

// last is the id of the last session that was up.
func (e *Endpoint) last() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.lastID
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
