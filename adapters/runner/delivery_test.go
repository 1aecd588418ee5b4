package runner_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/runner"
	"github.com/evenkeelops/evenkeel/escalation"
)

// gateway tells people what it is sent, each key once, and fails in a way of its own
// for every message the first time.
type gateway struct {
	mu       sync.Mutex
	tries    map[string]int // by key
	accepted map[string]int // likewise: how often it took the message
	told     []string
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Idempotency-Key")
	_, _ = io.Copy(io.Discard, r.Body)
	g.mu.Lock()
	g.tries[key]++
	first := g.tries[key] == 1
	g.mu.Unlock()
	fault := key[strings.LastIndexByte(key, '-')+1:]
	if first && fault == "500" {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	g.mu.Lock()
	if g.accepted[key]++; g.accepted[key] == 1 {
		g.told = append(g.told, key)
	}
	g.mu.Unlock()
	switch {
	case first && fault == "silent": // taken, and the answer never comes
		<-r.Context().Done()
	case first && fault == "cut": // taken, and the line breaks
		panic(http.ErrAbortHandler)
	}
}

// A receiver that fails, that takes a message and never answers, or that loses the
// line: no message is lost, those it took without an answer come again under the same
// key, and a person is told once. This one runs by the clock on the wall.
func TestDelivery(t *testing.T) {
	const each = 8
	g := &gateway{tries: map[string]int{}, accepted: map[string]int{}}
	server := httptest.NewServer(g)
	defer server.Close()
	client := server.Client()
	timers := escalation.NewMemoryTimers(time.Now)
	for i := range each {
		for _, fault := range []string{"none", "500", "silent", "cut"} {
			schedule(t, timers, task(fmt.Sprintf("%d-%s", i, fault), time.Now()))
		}
	}
	var left sync.WaitGroup
	left.Add(4 * each)
	_, stop := start(t, runner.Config{
		Timers: timers, Timeout: time.Second, Poll: 10 * time.Millisecond, Backoff: func(int) time.Duration { return time.Millisecond },
		Handle: func(ctx context.Context, l escalation.Lease) error {
			request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, strings.NewReader("wake up"))
			if err != nil {
				return err
			}
			request.Header.Set("Idempotency-Key", l.Key)
			answer, err := client.Do(request)
			if err != nil {
				return err
			}
			if err := answer.Body.Close(); err != nil {
				return err
			}
			if answer.StatusCode != http.StatusOK {
				return errors.New(answer.Status)
			}
			left.Done()
			return nil
		},
	})
	left.Wait()
	stop()
	counts(t, timers, escalation.TaskCounts{Done: 4 * each})
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.told) != 4*each {
		t.Errorf("%d people were told, want %d", len(g.told), 4*each)
	}
	for key, n := range g.accepted {
		again := strings.HasSuffix(key, "-silent") || strings.HasSuffix(key, "-cut")
		if again && n < 2 || n < 1 {
			t.Errorf("%s was taken %d times; it came without an answer: %v", key, n, again)
		}
	}
}
