package signaling

import (
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

// Bounds of the server. A legitimate exchange takes milliseconds.
const (
	maxConnections = 16
	maxHeaderBytes = 4 << 10
	headerTimeout  = time.Second
	readTimeout    = 2 * time.Second
	writeTimeout   = 2 * time.Second
)

const sdpType = "application/sdp"

// exchange connects a request with the Endpoint that it is meant for.
type exchange interface {
	// answering is the Endpoint that answers an offer, or says why none does.
	answering(offer proto.Description) (*Endpoint, error)
	// knowing is the Endpoint whose session has that id; nil: none.
	knowing(id string) *Endpoint
	// refused takes note of an offer that was not accepted.
	refused(why string)
}

func newServer(to exchange, log *slog.Logger) *http.Server {
	s := requests{to}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /session", s.post)
	mux.HandleFunc("GET /session/{id}", s.get)
	mux.HandleFunc("DELETE /session/{id}", s.delete)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeText(w, http.StatusOK, "ok")
	})
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	server.SetKeepAlivesEnabled(false) // one request, one connection
	return server
}

// serve answers until the server is closed.
func serve(server *http.Server, listener net.Listener) error {
	err := server.Serve(limitListener{Listener: listener, slots: make(chan struct{}, maxConnections)})
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("listen %v: %s", listener.Addr(), cause(err))
}

// requests are the requests of the session protocol.
type requests struct{ to exchange }

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
	local, _ := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	id, answer, err := s.answer(body, from, addressOf(local))
	if err != nil {
		s.refuse(w, from.Addr().Unmap(), err)
		return
	}
	w.Header().Set("Content-Type", sdpType)
	w.Header().Set("Location", "/session/"+id)
	w.WriteHeader(http.StatusCreated)
	w.Write(answer.Marshal()) // a peer that is gone finds out by itself
}

func (s requests) answer(body []byte, from netip.AddrPort, at netip.Addr) (id string, answer proto.Description, err error) {
	offer, err := proto.ParseDescription(body)
	if err != nil {
		return "", answer, err
	}
	e, err := s.to.answering(offer)
	if err != nil {
		return "", answer, err
	}
	return e.answer(offer, from, at)
}

// answer takes an offer that came from an address to one of ours and, when it fits,
// puts the session into force.
func (e *Endpoint) answer(offer proto.Description, from netip.AddrPort, at netip.Addr) (id string, answer proto.Description, err error) {
	local, generation, err := e.local()
	if err != nil {
		return "", answer, &refusal{http.StatusServiceUnavailable, err.Error()}
	}
	answer, agreement, err := proto.Answer(offer, local)
	if err != nil {
		e.reject(offer)
		return "", answer, &refusal{http.StatusConflict, err.Error()}
	}
	id = newID()
	answer, err = e.accept(Session{
		ID:        id,
		Agreement: agreement,
		PeerAddr:  mediaAddress(from, offer.Port),
		LocalAddr: at,
	}, offer, answer, generation)
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
		s.to.refused("refused a call from " + from.String() + ": " + err.Error())
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

func (e *Endpoint) refused(why string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refusals.note(why)
}

// writeText writes one line that no browser takes for anything else.
func writeText(w http.ResponseWriter, status int, line string) {
	http.Error(w, line, status)
}
