package signaling

import (
	"errors"
	"io"
	"log/slog"
	"mime"
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

func (e *Endpoint) newServer() *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /session", e.post)
	mux.HandleFunc("GET /session/{id}", e.get)
	mux.HandleFunc("DELETE /session/{id}", e.delete)
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
		ErrorLog:          slog.NewLogLogger(e.config.Log.Handler(), slog.LevelDebug),
	}
	server.SetKeepAlivesEnabled(false) // one request, one connection
	return server
}

func isServerClosed(err error) bool { return errors.Is(err, http.ErrServerClosed) }

func (e *Endpoint) post(w http.ResponseWriter, r *http.Request) {
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
	id, answer, err := e.answer(body, from)
	if err != nil {
		e.refuse(w, from.Addr().Unmap(), err)
		return
	}
	w.Header().Set("Content-Type", sdpType)
	w.Header().Set("Location", "/session/"+id)
	w.WriteHeader(http.StatusCreated)
	w.Write(answer.Marshal()) // a peer that is gone finds out by itself
}

// answer takes an offer and, when it fits, puts the session into force.
func (e *Endpoint) answer(body []byte, from netip.AddrPort) (id string, answer proto.Description, err error) {
	offer, err := proto.ParseDescription(body)
	if err != nil {
		return "", answer, err
	}
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
		Latch:     true,
	}, offer, answer, generation)
	return id, answer, err
}

// refuse tells the peer in one line why. What it sent is not repeated to it.
func (e *Endpoint) refuse(w http.ResponseWriter, from netip.Addr, err error) {
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
		e.mu.Lock()
		e.refusals.note("refused a call from " + from.String() + ": " + err.Error())
		e.mu.Unlock()
	}
	if r.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	writeText(w, r.status, r.text)
}

func (e *Endpoint) get(w http.ResponseWriter, r *http.Request) {
	if !e.knows(r.PathValue("id")) {
		writeText(w, http.StatusNotFound, "no such session")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `{"state":"up"}`+"\n")
}

func (e *Endpoint) delete(w http.ResponseWriter, r *http.Request) {
	if !e.hungUp(r.PathValue("id"), "the peer hung up") {
		writeText(w, http.StatusNotFound, "no such session")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// writeText writes one line that no browser takes for anything else.
func writeText(w http.ResponseWriter, status int, line string) {
	http.Error(w, line, status)
}
