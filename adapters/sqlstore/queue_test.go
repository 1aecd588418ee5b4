package sqlstore_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/timertest"
)

func TestTimers(t *testing.T) {
	for _, name := range []string{"timers", "outbox", "a part of it"} {
		t.Run(name, func(t *testing.T) {
			timertest.Test(t, func(t *testing.T) timertest.Store {
				t.Helper()
				s, c := open(t)
				queue := escalation.Timers(s.Timers())
				switch name {
				case "outbox":
					queue = s.Outbox()
				case "a part of it":
					queue = s.Outbox().Except("another kind")
				}
				return timertest.Store{Timers: queue, Now: c.now, Advance: c.advance, Second: time.Second}
			})
		})
	}
}

// Workers for some kinds get those and no others, in order, also behind many others that
// are due; whoever schedules wakes all of them.
func TestQueueByKind(t *testing.T) {
	ctx := t.Context()
	s, err := sqlstore.Open(ctx, database(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	q := s.Outbox()
	only, both, except := q.Only("it's"), q.Only("it's", "b"), q.Except("it's", "b")
	due := time.Now().Add(-time.Hour)
	var tasks []escalation.Task
	for i := range 300 {
		kind := "b"
		switch {
		case i >= 297:
			kind = "it's"
		case i >= 294:
			kind = "c"
		}
		tasks = append(tasks, escalation.Task{Tenant: "acme", Key: fmt.Sprintf("%03d", i), Kind: kind, Due: due.Add(time.Duration(i) * time.Second)})
	}
	if err := q.Schedule(ctx, tasks...); err != nil {
		t.Fatal(err)
	}
	for name, part := range map[string]*sqlstore.Queue{"all": q, "only": only, "both": both, "except": except} {
		select {
		case <-part.Scheduled():
		default:
			t.Errorf("%s: nobody told that there is something", name)
		}
	}
	claim := func(part *sqlstore.Queue, n int) (keys []string) {
		t.Helper()
		leases, err := part.Claim(ctx, n, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range leases {
			keys = append(keys, l.Key)
		}
		if lost, err := part.Complete(ctx, leases...); err != nil || len(lost) > 0 {
			t.Fatalf("%d lost, %v", len(lost), err)
		}
		return keys
	}
	if got := claim(only, 2); !slices.Equal(got, []string{"297", "298"}) {
		t.Errorf("only: %q, want the first two of three", got)
	}
	if in, ok, err := only.NextWake(ctx); err != nil || !ok || in > -time.Hour+300*time.Second+time.Minute || in < -time.Hour {
		t.Errorf("only: next in %v, %t, %v, want about %v", in, ok, err, -time.Hour+299*time.Second)
	}
	if got := claim(except, 10); !slices.Equal(got, []string{"294", "295", "296"}) {
		t.Errorf("except: %q, want three", got)
	}
	if _, ok, err := except.NextWake(ctx); err != nil || ok {
		t.Errorf("except: something is left, %v", err)
	}
	if got := claim(both, 1000); len(got) != 295 || got[0] != "000" || got[294] != "299" {
		t.Errorf("both: %d, want the 295 that are left", len(got))
	}
}
