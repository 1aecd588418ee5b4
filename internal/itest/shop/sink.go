package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// maxBody is far above any body of this recording.
const maxBody = 1 << 20

// sink appends one line {"at":…,"seq":…,"body":…} for every request body. The body is written byte for byte (without its last
// line end), so it must be one-line JSON, as Alertmanager sends it.
type sink struct {
	mu   sync.Mutex // guards all below
	file *os.File
	seq  int
}

func openSink(name string) (*sink, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	return &sink{file: f}, nil
}

func (s *sink) close() { _ = s.file.Close() }

// ServeHTTP answers 503 when it cannot write: Alertmanager then sends the same body again.
func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		return // readiness
	}
	at := time.Now().UTC()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	_, err = fmt.Fprintf(s.file, "{\"at\":%q,\"seq\":%d,\"body\":%s}\n", at.Format("2006-01-02T15:04:05.000Z"), s.seq, bytes.TrimSpace(body))
	if err != nil {
		s.seq--
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	}
}
