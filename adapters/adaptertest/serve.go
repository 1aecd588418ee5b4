package adaptertest

import (
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"sync/atomic"
	"testing"
)

// Server is a script on a socket. It is the RoundTripper to reach it by, because
// the steps in which nothing is sent need another address.
type Server struct {
	URL string

	script    *Script
	base      http.RoundTripper
	closed    string // a port that nobody listens on
	untrusted string // a server with a certificate that nobody has signed
	conns     atomic.Int64
}

// Serve plays the script on a socket of 127.0.0.1 until the test ends. Requests are
// made by base, which is below what is tested.
func (s *Script) Serve(tb testing.TB, base http.RoundTripper) *Server {
	tb.Helper()
	server := &Server{script: s, base: base}
	played := httptest.NewUnstartedServer(http.HandlerFunc(server.play))
	played.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			server.conns.Add(1)
		}
	}
	played.Config.ErrorLog = silent
	played.Start()
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = silent
	untrusted.StartTLS()
	gone, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
	if err != nil {
		tb.Fatal(err)
	}
	server.URL, server.untrusted, server.closed = played.URL, untrusted.URL, "http://"+gone.Addr().String()
	_ = gone.Close()
	tb.Cleanup(func() {
		if c, ok := base.(interface{ CloseIdleConnections() }); ok {
			c.CloseIdleConnections()
		}
		played.CloseClientConnections()
		played.Close()
		untrusted.Close()
	})
	return server
}

// Conns returns how many connections were made to the server.
func (s *Server) Conns() int { return int(s.conns.Load()) }

// RoundTrip makes a request of the server, or of where nothing can be sent.
func (s *Server) RoundTrip(r *http.Request) (*http.Response, error) {
	to := ""
	switch s.script.peek() {
	case Refused:
		to = s.closed
	case BadCertificate:
		to = s.untrusted
	default:
		return s.base.RoundTrip(r)
	}
	s.script.take(nil)
	u, err := url.Parse(to)
	if err != nil {
		return nil, err
	}
	elsewhere := r.Clone(r.Context())
	elsewhere.URL.Scheme, elsewhere.URL.Host, elsewhere.Host = u.Scheme, u.Host, ""
	return s.base.RoundTrip(elsewhere)
}

// play plays the next step.
func (s *Server) play(w http.ResponseWriter, r *http.Request) {
	step := s.script.take(r)
	if step.Fault != SlowDrip && pause(r, step.Delay) != nil {
		return
	}
	header := w.Header()
	maps.Copy(header, step.Header)
	switch step.Fault {
	case Reset:
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // so that closing it is a reset
		}
		_ = conn.Close()
	case Hang:
		<-r.Context().Done()
	case CutBody:
		header.Set("Content-Length", strconv.Itoa(2*len(step.Body)))
		w.WriteHeader(step.Status)
		_, _ = io.WriteString(w, step.Body)
		panic(http.ErrAbortHandler)
	case SlowDrip, Oversize:
		w.WriteHeader(step.Status)
		body := io.Reader(endless{})
		if step.Fault == SlowDrip {
			body = &drip{r: r, delay: step.Delay}
		}
		_, _ = io.Copy(flushed{w}, body) // until the client has had enough
	default:
		w.WriteHeader(step.Status)
		_, _ = io.WriteString(w, step.Body)
	}
}

// flushed sends each piece at once.
type flushed struct{ w http.ResponseWriter }

// Write writes p and sends it.
func (f flushed) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	if err == nil {
		err = http.NewResponseController(f.w).Flush()
	}
	return n, err
}

// silent is where servers log what is wanted to go wrong.
var silent = log.New(io.Discard, "", 0)
