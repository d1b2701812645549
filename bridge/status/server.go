package status

import (
	"embed"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

//go:embed page
var page embed.FS

// Server serves the state of one end over HTTP: GET / is a page for people,
// GET /api/v1/status is JSON, GET /metrics is for Prometheus. It can only be read from, so it asks for no
// password; by default it listens on the loopback address.
type Server struct {
	listener net.Listener
	http     *http.Server
	done     chan struct{} // closed when nothing is served any more
}

// Listen starts to serve. The error names the address and the flag. It is no
// reason to stop the sound: log it and go on.
func Listen(addr netip.AddrPort, source Source) (*Server, error) {
	listener, err := net.Listen("tcp", addr.String())
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("--status-listen %s: the address is in use; give another one, or off", addr)
	}
	if err != nil {
		return nil, fmt.Errorf("--status-listen %s: %w", addr, err)
	}
	s := &Server{listener: listener, done: make(chan struct{}), http: &http.Server{
		Handler:           handler(addr.Addr().IsLoopback(), source),
		ReadHeaderTimeout: 2 * time.Second,
		ReadTimeout:       2 * time.Second,
		WriteTimeout:      5 * time.Second,
		IdleTimeout:       30 * time.Second,
		MaxHeaderBytes:    8 << 10,
	}}
	go func() {
		defer close(s.done)
		_ = s.http.Serve(listener) // until Close
	}()
	return s, nil
}

// Addr is where the server listens.
func (s *Server) Addr() netip.AddrPort {
	return s.listener.Addr().(*net.TCPAddr).AddrPort()
}

// Close stops the server and drops its connections. After it, the address is
// free.
func (s *Server) Close() error {
	err := s.http.Close()
	<-s.done
	return err
}

// handler answers. Local says that only this machine can connect.
func handler(local bool, source Source) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/status", func(w http.ResponseWriter, _ *http.Request) {
		s := source()
		s.CPUSeconds = cpuSeconds()
		body, err := Encode(s)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(newRegistry(source), promhttp.HandlerOpts{}))
	for path, file := range map[string]struct{ name, contentType string }{
		"GET /{$}":                 {"page/index.html", "text/html; charset=utf-8"},
		"GET /counts_generated.js": {"page/counts_generated.js", "text/javascript; charset=utf-8"},
		"GET /status.js":           {"page/status.js", "text/javascript; charset=utf-8"},
		"GET /status.css":          {"page/status.css", "text/css; charset=utf-8"},
	} {
		body, err := page.ReadFile(file.name)
		if err != nil {
			panic(err) // embedded: cannot be absent
		}
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", file.contentType)
			_, _ = w.Write(body)
		})
	}
	return guard(local, mux)
}

// cpuSeconds is the processor time that this program has used, its audio
// threads included.
func cpuSeconds() float64 {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage) // cannot fail (getrusage(2))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}

// guard sets the headers that confine a browser, and refuses requests a
// malicious web page could have a browser send (DNS rebinding): a page from
// elsewhere can reach a loopback server only under a host name of its own.
func guard(local bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if local && !localName(r.Host) {
			http.Error(w, fmt.Sprintf("host name %q: legal are localhost and IP addresses", r.Host), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// localName says whether a Host header names this machine in a way that no
// name server has a part in.
func localName(hostHeader string) bool {
	host, _, err := net.SplitHostPort(hostHeader)
	if err != nil {
		host = hostHeader
	}
	if len(host) > 2 && host[0] == '[' && host[len(host)-1] == ']' {
		host = host[1 : len(host)-1]
	}
	_, err = netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil
}
