package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/adapters/metrics"
	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
)

// stateful is a ticket at a sink, which is away while down is set: it is open or not, as
// the last request has it.
type stateful struct {
	down bool
	got  []string
}

func (s *stateful) send(_ context.Context, r request) error {
	if s.down {
		return errors.New("away")
	}
	s.got = append(s.got, r.Action)
	return nil
}

// Requests come in any order, as each is tried again by itself. Whatever the order, a
// ticket is open in the end if its alert fires, and is not if it is over.
func TestRequestsInAnyOrder(t *testing.T) {
	for _, c := range []struct {
		name   string
		steps  string // of the engine, in order: f fires, r is over
		order  []int  // of the requests
		want   string // what the sink gets; an end that it knows is nothing to it
		active bool
	}{
		{"both late", "fr", []int{0, 1}, "trigger resolve resolve", false},
		{"the end overtakes", "fr", []int{1, 0}, "resolve trigger resolve", false},
		{"an old end is late", "frf", []int{0, 2, 1}, "trigger", true},
		{"all of the first time is late", "frf", []int{2, 1, 0}, "trigger", true},
		{"the second end overtakes", "frfr", []int{3, 2, 1, 0}, "resolve trigger resolve", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx := t.Context()
			bridge := config.Bridge{PagerDuty: &config.PagerDutySink{}, DefaultSeverity: incident.P2}
			files, err := openStorage(ctx, bridge)
			if err != nil {
				t.Fatal(err)
			}
			defer files.Close()
			ticket := &stateful{}
			s := &server{
				inputs: &inputs{bridge: bridge}, storage: files, sinks: map[string]sink{"pagerduty": ticket},
				told: metrics.New().Histogram("told_seconds", "Until a sink had it.", []float64{1}, "sink"),
				slog: slog.New(slog.DiscardHandler), lines: json.NewEncoder(io.Discard),
			}
			begin := time.Now().Add(-time.Hour).UTC()
			for i, step := range c.steps {
				at := begin.Add(time.Duration(i) * time.Minute)
				since := begin.Add(time.Duration(i/2*2) * time.Minute)
				n := stream.Notification{Key: fmt.Sprint("n", i), Transition: correlation.Transition{At: at, Kind: correlation.Notify, Alert: correlation.Alert{
					Tenant: "acme", Name: "platform.disk", Since: since, Annotations: map[string]string{fingerprint: "f1"},
				}}}
				if step == 'r' {
					n.Kind = correlation.Resolve
				}
				if err := s.hear(ctx, []stream.Notification{n}); err != nil {
					t.Fatal(err)
				}
			}
			leases, err := s.store.Outbox().Claim(ctx, 10, time.Minute)
			if err != nil || len(leases) != len(c.steps) {
				t.Fatalf("%d requests, %v, want %d", len(leases), err, len(c.steps))
			}
			slices.SortFunc(leases, func(a, b escalation.Lease) int { return strings.Compare(a.Key, b.Key) })
			for _, i := range c.order {
				if err := s.handle(ctx, leases[i]); err != nil {
					t.Fatal(err)
				}
			}
			if got := strings.Join(ticket.got, " "); got != c.want {
				t.Errorf("the sink gets %q, want %q", got, c.want)
			}
			if open := ticket.got[len(ticket.got)-1] == "trigger"; open != c.active {
				t.Errorf("open %t, want %t", open, c.active)
			}
			ticket.down = true
			if err := s.handle(ctx, leases[len(leases)-1]); err == nil {
				t.Error("no error while the sink is away")
			}
		})
	}
}
