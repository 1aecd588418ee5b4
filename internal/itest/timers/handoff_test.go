package timers

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/handoff"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// TestHandoffRaces opens a hundred handoffs that end together from two processes at once, and lets the acceptance of every
// other one meet its timer there. Each is either accepted or told of, by one message; the one that began last says who is
// responsible, whatever came first.
func TestHandoffRaces(t *testing.T) {
	const n = 100
	onBoth(t, func(t *testing.T, system, dsn string) {
		t.Helper()
		end := time.Date(2026, 7, 14, 16, 0, 0, 0, time.UTC)
		var now atomic.Int64
		now.Store(end.Add(-5 * time.Hour).UnixNano())
		options := &sqlstore.Options{Now: func() time.Time { return time.Unix(0, now.Load()) }}
		dsn = quick(system, dsn)
		var stores [2]*sqlstore.Store
		var nodes [2]*sqlstore.Handoffs
		for i := range nodes {
			stores[i] = openStore(t, system, dsn, options)
			var err error
			if nodes[i], err = sqlstore.NewHandoffs(stores[i], "acme", ""); err != nil {
				t.Fatal(err)
			}
		}
		record := func(i int) *handoff.Record {
			return &handoff.Record{
				Tenant: "acme", From: fmt.Sprintf("day%02d", i), To: fmt.Sprintf("night%02d", i), Manager: "max",
				Window: calendar.Interval{Start: end.Add(time.Duration(i-2*n) * time.Minute), End: end},
			}
		}
		together(t, func(node int) {
			for _, i := range rand.Perm(n) {
				if err := nodes[node].Open(t.Context(), record(i)); err != nil {
					t.Errorf("Open: %v", err)
				}
			}
		})
		for i := range n {
			sign := func(r *handoff.Record) error { return r.SignOff("ann", "", end.Add(-time.Minute)) }
			if _, err := nodes[i%2].Change(t.Context(), record(i).ID(), sign); err != nil {
				t.Fatal(err)
			}
		}
		now.Store(end.UnixNano())
		together(t, func(node int) {
			for _, i := range rand.Perm(n / 2) {
				if i%2 != node {
					continue
				}
				if _, err := nodes[node].Change(t.Context(), record(2*i).ID(), func(r *handoff.Record) error { return r.Accept("bob", "", end) }); err != nil {
					t.Errorf("Change: %v", err)
				}
			}
		}, func(node int) {
			for {
				leases, err := stores[node].Timers().Claim(t.Context(), 7, time.Hour)
				if err != nil {
					t.Errorf("Claim: %v", err)
				}
				if len(leases) == 0 {
					return
				}
				for _, err := range stores[node].Fire(t.Context(), leases, nodes[node].Fire) {
					if err != nil {
						t.Errorf("Fire: %v", err)
					}
				}
			}
		})
		messages, err := stores[0].Outbox().List(t.Context(), escalation.TaskFilter{Tenant: "acme", Limit: 2 * n})
		if err != nil {
			t.Fatal(err)
		}
		sent := map[string]bool{}
		for _, m := range messages {
			sent[m.Key] = true
		}
		accepted, told := 0, 0
		for i := range n {
			r, err := nodes[0].Handoff(t.Context(), record(i).ID())
			if err != nil {
				t.Fatal(err)
			}
			if r.Accepted.IsSet() {
				accepted++
			}
			if !r.Told.IsZero() {
				told++
			}
			if i%2 == 0 != r.Accepted.IsSet() || i%2 == 1 && r.Told.IsZero() || sent["acme/"+r.ID()+"/overdue/max"] == r.Told.IsZero() {
				t.Errorf("%s: accepted %v, told %v, message %v", r.ID(), r.Accepted, r.Told, sent["acme/"+r.ID()+"/overdue/max"])
			}
		}
		if accepted != n/2 || told != len(messages) {
			t.Errorf("%d accepted, %d told by %d messages, want %d accepted and a message for each who was told", accepted, told, len(messages), n/2)
		}
		// 99 is one that nobody accepted.
		owner, err := nodes[1].Owner(t.Context())
		if want := (sqlstore.Ownership{Owner: "night99", Since: end, Handoff: record(n - 1).ID(), Started: record(n - 1).Window.Start, Overdue: true}); err != nil || owner != want {
			t.Errorf("owner %+v, %v, want %+v", owner, err, want)
		}
		counts, err := stores[0].Timers().Count(t.Context(), "acme")
		if err != nil || counts.Done+counts.Cancelled != n {
			t.Errorf("timers %+v, %v, want %d done or cancelled", counts, err, n)
		}
		t.Logf("%d handoffs: %d accepted before their timer, %d after it", n, n-told, accepted+told-n)
	})
}

// together runs each function once for each of the two processes, all at once.
func together(t *testing.T, do ...func(node int)) {
	t.Helper()
	var all sync.WaitGroup
	for _, f := range do {
		for node := range 2 {
			all.Go(func() { f(node) })
		}
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
}
