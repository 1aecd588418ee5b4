package main

import (
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// server is a vendor on the loopback.
type server struct {
	*httptest.Server
	conns atomic.Int64

	mu       sync.Mutex // guards all below
	requests int
	refused  int
	seen     map[string]int // by key, how often it arrived to be carried out
	rate     float64        // requests a second; 0 for any number
	burst    float64
	tokens   float64
	at       time.Time
	faults   *rand.Rand // nil for none
	down     bool
	first    time.Time // success after down
}

func newServer() *server {
	s := &server{seen: map[string]int{}}
	s.Server = httptest.NewUnstartedServer(s)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.conns.Add(1)
		}
	}
	s.Start()
	return s
}

// quota sets a new allowance, as its token bucket.
func (s *server) quota(rate, burst float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rate, s.burst = rate, burst
	if s.at.IsZero() {
		s.at, s.tokens = time.Now(), burst
	}
	s.tokens = min(s.tokens, burst)
}

// ServeHTTP takes a request whose body is a key.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.requests++
	reset := false
	status := http.StatusCreated
	switch {
	case s.down:
		status = http.StatusServiceUnavailable
	case s.rate > 0 && !s.spend(w.Header()):
		status = http.StatusTooManyRequests
		s.refused++
	case s.faults != nil:
		switch x := s.faults.Float64(); {
		case x < 0.20:
			status = http.StatusServiceUnavailable
		case x < 0.25:
			reset = true // after commit
		}
	}
	if status == http.StatusCreated {
		s.seen[string(key)]++
		if s.first.IsZero() {
			s.first = time.Now()
		}
	}
	s.mu.Unlock()
	if reset {
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0)
			}
			_ = conn.Close()
		}
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"status":"done"}`)
}

// spend takes a token and writes the headers of PagerDuty's REST API.
func (s *server) spend(h http.Header) bool {
	now := time.Now()
	s.tokens = min(s.burst, s.tokens+s.rate*now.Sub(s.at).Seconds())
	s.at = now
	ok := s.tokens >= 1
	if ok {
		s.tokens--
	}
	reset := (s.burst - s.tokens) / s.rate
	if !ok {
		reset = (1 - s.tokens) / s.rate
	}
	h.Set("ratelimit-limit", strconv.Itoa(int(s.burst)))
	h.Set("ratelimit-remaining", strconv.Itoa(int(s.tokens)))
	h.Set("ratelimit-reset", strconv.FormatFloat(reset, 'f', 3, 64))
	return ok
}
