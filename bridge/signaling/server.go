package signaling

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"path"
	"time"

	"archibald-bridge/proto"
)

// Bounds of a request. A legitimate exchange takes milliseconds.
const (
	maxHeaderBytes = 4 << 10
	headerTimeout  = time.Second
	readTimeout    = 2 * time.Second
	writeTimeout   = 2 * time.Second
	idleTimeout    = time.Second // between the question for a proof and the proof
)

const sdpType = "application/sdp"

// exchange connects a request with the Endpoint that it is meant for.
type exchange interface {
	// answering is the Endpoint that answers an offer, or says why none does.
	answering(offer proto.Description) (*Endpoint, error)
	// knowing is the Endpoint whose session has that id; nil: none.
	knowing(id string) *Endpoint
}

// newServer makes what answers at an entrance.
func newServer(to exchange, entrance *entrance) *http.Server {
	s := requests{to, entrance}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /session", s.post)
	mux.HandleFunc("GET /session/{id}", s.get)
	mux.HandleFunc("DELETE /session/{id}", s.delete)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeText(w, http.StatusOK, "ok")
	})
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Connection", "close") // but after a question
			// A page in a browser on an address that may call, by a name of its own for
			// ours (DNS rebinding): browsers say where a page is from, ends do not.
			if r.Header.Get("Origin") != "" {
				writeText(w, http.StatusForbidden, "no web page may call")
				return
			}
			// The mux would redirect an unclean path and repeat it in the reply.
			if path.Clean(r.URL.Path) != r.URL.Path {
				writeText(w, http.StatusNotFound, "not found")
				return
			}
			mux.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(entrance.log.Handler(), slog.LevelDebug),
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, visitorKey{}, conn)
		},
	}
	// One request, one connection; two, where a secret is proved.
	server.SetKeepAlivesEnabled(entrance.Secret != nil)
	return server
}

type visitorKey struct{}

// serve answers until the server is closed.
func serve(server *http.Server, listener net.Listener, entrance *entrance) error {
	err := server.Serve(&door{Listener: listener, entrance: entrance})
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("listen %v: %s", listener.Addr(), cause(err))
}

// requests are the requests of the session protocol.
type requests struct {
	to       exchange
	entrance *entrance
}

// call is an offer on its way in.
type call struct {
	from     netip.AddrPort // the other end of the connection
	at       netip.Addr     // this end of it
	proven   bool           // the caller has the secret
	replaces string         // the last session that the caller knew
}

func (s requests) post(w http.ResponseWriter, r *http.Request) {
	if mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || mediaType != sdpType {
		writeText(w, http.StatusUnsupportedMediaType, "content type: legal is "+sdpType)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, proto.MaxDescriptionBytes))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		writeText(w, http.StatusRequestEntityTooLarge, "session description too large: legal is up to 16 KiB")
		return
	} else if err != nil {
		writeText(w, http.StatusBadRequest, "the request broke off")
		return
	}
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		writeText(w, http.StatusInternalServerError, "the connection has no address")
		return
	}
	h, asked, err := s.prove(w, r, body)
	if asked {
		return
	}
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	c := call{from: from, at: addressOf(local), proven: h != nil, replaces: r.Header.Get(headReplaces)}
	var id string
	var answer proto.Description
	if err == nil {
		id, answer, err = s.answer(body, c)
	}
	if err != nil {
		s.refuse(w, from.Addr().Unmap(), err)
		return
	}
	s.entrance.served(c.from.Addr().Unmap())
	text := answer.Marshal()
	if h != nil {
		credentials{proof: h.answerProof(text, id)}.write(w.Header(), headInfo)
	}
	w.Header().Set("Content-Type", sdpType)
	w.Header().Set("Location", "/session/"+id)
	w.WriteHeader(http.StatusCreated)
	w.Write(text) // a peer that is gone finds out by itself
}

// prove has the caller prove that it has our secret. A handshake says that it did; asked,
// that it was told what to prove it with, and comes again.
func (s requests) prove(w http.ResponseWriter, r *http.Request, offer []byte) (h *handshake, asked bool, err error) {
	secret := s.entrance.Secret
	says, ok := readCredentials(r.Header, headAuth)
	visitor, _ := r.Context().Value(visitorKey{}).(*visitor)
	switch {
	case secret == nil && !ok:
		return nil, false, nil
	case secret == nil:
		return nil, false, errNoSecretHere
	case says.nonce == "" || visitor == nil, says.proof == "" && visitor.asked:
		return nil, false, errSecretWanted
	case says.proof == "":
		visitor.asked = true
		w.Header().Del("Connection")
		credentials{nonce: visitor.nonce}.write(w.Header(), headAsk)
		http.Error(w, errSecretWanted.text, errSecretWanted.status)
		return nil, true, nil
	}
	h = &handshake{
		secret: secret, caller: s.entrance.Role.Other(), answerer: s.entrance.Role,
		callersNonce: says.nonce, answerersNonce: visitor.nonce, offer: offer,
	}
	visitor.nonce = "" // requests of one connection come one after the other
	if h.answerersNonce == "" || !proves(says.proof, h.offerProof()) {
		return nil, false, errOtherSecret
	}
	return h, false, nil
}

func (s requests) answer(body []byte, c call) (id string, answer proto.Description, err error) {
	offer, err := proto.ParseDescription(body)
	if err != nil {
		return "", answer, err
	}
	e, err := s.to.answering(offer)
	if err != nil {
		return "", answer, err
	}
	return e.answer(offer, c)
}

// answer takes an offer and, when it fits, puts the session into force.
func (e *Endpoint) answer(offer proto.Description, c call) (id string, answer proto.Description, err error) {
	local, generation, err := e.local()
	if err != nil {
		return "", answer, &refusal{http.StatusServiceUnavailable, err.Error()}
	}
	answer, agreement, err := proto.Answer(offer, local)
	if err != nil {
		// Who knows the session's id is its peer, which no longer is what was agreed.
		e.hungUp(c.replaces, "the peer changed and no longer fits")
		return "", answer, &refusal{http.StatusConflict, err.Error()}
	}
	id = newToken()
	answer, err = e.accept(Session{
		ID:        id,
		Agreement: agreement,
		PeerAddr:  mediaAddress(c.from, offer.Port),
		LocalAddr: c.at,
	}, offer, answer, generation, c)
	return id, answer, err
}

// refuse tells the peer in one line why. What it sent is not repeated to it.
func (s requests) refuse(w http.ResponseWriter, from netip.Addr, err error) {
	r := new(refusal)
	field, version := new(proto.FieldError), new(proto.VersionError)
	switch {
	case errors.As(err, &r):
	case errors.As(err, &version):
		r = &refusal{http.StatusConflict, version.Error()}
	case errors.As(err, &field):
		r = &refusal{http.StatusBadRequest, "SDP " + field.Field + ": legal is " + field.Legal}
	default: // the parser's other texts are its own words only
		r = &refusal{http.StatusBadRequest, err.Error()}
	}
	if r != errGlare {
		s.entrance.refused(r, "refused a call from "+from.String()+": "+err.Error())
	}
	if r.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	writeText(w, r.status, r.text)
}

func (s requests) get(w http.ResponseWriter, r *http.Request) {
	if s.to.knowing(r.PathValue("id")) == nil {
		writeText(w, http.StatusNotFound, "no such session")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `{"state":"up"}`+"\n")
}

func (s requests) delete(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if secret := s.entrance.Secret; secret != nil {
		if says, _ := readCredentials(r.Header, headAuth); !proves(says.proof, goodbyeProof(secret, id)) {
			from, _ := netip.ParseAddrPort(r.RemoteAddr)
			s.refuse(w, from.Addr().Unmap(), errSecretWanted)
			return
		}
	}
	if e := s.to.knowing(id); e == nil || !e.hungUp(id, "the peer hung up") {
		writeText(w, http.StatusNotFound, "no such session")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// An Endpoint that listens itself answers all.
func (e *Endpoint) answering(proto.Description) (*Endpoint, error) { return e, nil }

func (e *Endpoint) knowing(id string) *Endpoint {
	if s, up := e.Current(); up && s.ID == id {
		return e
	}
	return nil
}

// writeText writes one line that no browser takes for anything else.
func writeText(w http.ResponseWriter, status int, line string) {
	http.Error(w, line, status)
}
