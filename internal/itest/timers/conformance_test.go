package timers

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/timertest"
)

// TestConformance runs the suite with a clock that is moved, on both queues.
func TestConformance(t *testing.T) {
	for _, system := range systems() {
		for name, queue := range map[string]func(*sqlstore.Store) escalation.Timers{
			"timers": func(s *sqlstore.Store) escalation.Timers { return s.Timers() },
			"outbox": func(s *sqlstore.Store) escalation.Timers { return s.Outbox() },
		} {
			t.Run(system.name+"/"+name, func(t *testing.T) {
				timertest.Test(t, func(t *testing.T) timertest.Store {
					t.Helper()
					var nanos atomic.Int64
					nanos.Store(time.Date(2026, 11, 24, 17, 30, 0, 0, time.UTC).UnixNano())
					now := func() time.Time { return time.Unix(0, nanos.Load()).UTC() }
					s := openStore(t, system.name, system.make(t), &sqlstore.Options{Now: now})
					return timertest.Store{
						Timers: queue(s), Now: now, Second: time.Second,
						Advance: func(d time.Duration) { nanos.Add(int64(d)) },
					}
				})
			})
		}
	}
}

// TestConformanceServerClock runs the suite by the clock of the server.
func TestConformanceServerClock(t *testing.T) {
	timertest.Test(t, func(t *testing.T) timertest.Store {
		t.Helper()
		db := connect(t, "postgres", systems()[1].make(t))
		s, err := sqlstore.Open(t.Context(), db, nil)
		if err != nil {
			t.Fatal(err)
		}
		if s.Dialect() != sqlstore.PostgreSQL {
			t.Fatalf("dialect %v, want PostgreSQL", s.Dialect())
		}
		return timertest.Store{Timers: s.Timers(), Advance: time.Sleep, Second: 200 * time.Millisecond, Now: func() time.Time {
			var now time.Time
			if err := db.QueryRowContext(t.Context(), `SELECT clock_timestamp()`).Scan(&now); err != nil {
				t.Fatal(err)
			}
			return now.UTC()
		}}
	})
}
