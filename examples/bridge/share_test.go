package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/adapters/metrics"
	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/incident"
)

// paced is a sink that takes one request in so much time, and has the others wait for their
// turn as a limiter does, or refuses them.
type paced struct {
	every   time.Duration // 0: takes all at once
	refuses bool

	mu   sync.Mutex
	next time.Time
	took []time.Time
}

func (p *paced) send(ctx context.Context, _ request) error {
	p.mu.Lock()
	now := time.Now()
	turn := p.next
	if turn.Before(now) {
		turn = now
	}
	if p.refuses && turn.After(now) {
		p.mu.Unlock()
		return &adapters.Error{Kind: adapters.RateLimited, Status: 429, Err: errors.New("too many requests")}
	}
	p.next = turn.Add(p.every)
	p.mu.Unlock()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(turn.Sub(now)):
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.took = append(p.took, time.Now())
	return nil
}

// A sink that is throttled, whether it makes wait or refuses, holds up no other: in a storm
// the others are told at once, as far as time goes here,
// which is virtual and stands still while somebody works.
func TestThrottledSink(t *testing.T) {
	for _, refuses := range []bool{false, true} {
		t.Run(fmt.Sprintf("refuses %t", refuses), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bridge := config.Bridge{PagerDuty: &config.PagerDutySink{}, Webhook: &config.WebhookSink{}, DefaultSeverity: incident.P2}
				files, err := openStorage(t.Context(), bridge)
				if err != nil {
					t.Fatal(err)
				}
				defer files.Close()
				slow, fast := &paced{every: 500 * time.Millisecond, refuses: refuses}, &paced{}
				s := &server{
					inputs: &inputs{bridge: bridge}, storage: files, sinks: map[string]sink{"pagerduty": slow, "webhook": fast},
					told: metrics.New().Histogram("told_seconds", "Until a sink had it.", []float64{1}, "sink"),
					slog: slog.New(slog.DiscardHandler), lines: json.NewEncoder(io.Discard),
				}
				if err := s.makeSenders(); err != nil {
					t.Fatal(err)
				}
				n := 3000 // more than a runner holds
				if refuses {
					n = 300 // each of which is written back by itself
				}
				begin := time.Now()
				var all []stream.Notification
				for i := range n {
					all = append(all, stream.Notification{Key: fmt.Sprint("n", i), Transition: correlation.Transition{At: begin, Kind: correlation.Notify, Alert: correlation.Alert{
						Tenant: "acme", Name: fmt.Sprint("platform.disk", i), Since: begin, Annotations: map[string]string{fingerprint: fmt.Sprint("f", i)},
					}}})
				}
				if err := s.hear(t.Context(), all); err != nil {
					t.Fatal(err)
				}
				ctx, stop := context.WithCancel(t.Context())
				var senders sync.WaitGroup
				for _, r := range s.senders {
					senders.Go(func() { _ = r.Run(ctx) })
				}
				time.Sleep(10 * time.Second)
				synctest.Wait()
				fast.mu.Lock()
				told := len(fast.took)
				last := begin
				if told > 0 {
					last = fast.took[told-1]
				}
				fast.mu.Unlock()
				if told != n || last.Sub(begin) > time.Second {
					t.Errorf("the other sink has %d of %d, the last after %v, want all within a second", told, n, last.Sub(begin))
				}
				slow.mu.Lock()
				taken := len(slow.took)
				slow.mu.Unlock()
				if taken == 0 || taken > 21 { // one at the start and every half second for ten
					t.Errorf("the throttled sink has taken %d, want 1 to 21", taken)
				}
				stop()
				senders.Wait()
			})
		})
	}
}
