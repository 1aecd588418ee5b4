package sla_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
)

// randomHistory is a legal history: opened, answered, then messages, waits and
// changes of the severity, and in most cases a resolution, sometimes reopened.
func randomHistory(r *rand.Rand, start time.Time, steps int) []sla.TicketEvent {
	at := start
	step := func(most time.Duration) time.Time {
		at = at.Add(time.Duration(r.Int64N(int64(most))))
		return at
	}
	history := []sla.TicketEvent{{Kind: sla.TicketOpened, At: at, Severity: incident.Severities[1+r.IntN(3)]}}
	add := func(kind sla.TicketEventKind, most time.Duration) {
		e := sla.TicketEvent{Kind: kind, At: step(most)}
		if kind == sla.TicketSeverity {
			e.Severity = incident.Severities[r.IntN(4)]
		}
		history = append(history, e)
	}
	add(sla.TicketResponded, 3*time.Hour)
	for range steps {
		switch r.IntN(10) {
		case 0, 1, 2, 3:
			add(sla.TicketPaused, 4*time.Hour)
			add(sla.TicketResumed, 20*time.Hour)
		case 4:
			add(sla.TicketSeverity, time.Hour)
		default:
			add(sla.TicketUpdated, 4*time.Hour)
		}
	}
	if r.IntN(10) > 0 {
		add(sla.TicketResolved, 6*time.Hour)
		if r.IntN(10) == 0 {
			add(sla.TicketReopened, 48*time.Hour)
			add(sla.TicketResolved, 6*time.Hour)
		}
	}
	return history
}

// officeClocks promises response and resolution in office hours, P1 around the
// clock.
func officeClocks(tb testing.TB) *sla.Agreement {
	tb.Helper()
	c := a0(tb)
	targets := func(hours ...int) []sla.Target {
		var out []sla.Target
		for i, h := range hours {
			out = append(out, sla.Target{Severity: incident.Severities[i], Within: time.Duration(h) * time.Hour, Calendar: sla.OfficeHours})
		}
		out[0].Calendar = ""
		return out
	}
	c.Terms = []sla.Term{
		{ID: "response", Response: &sla.Clock{Targets: targets(1, 2, 4, 8)}},
		{ID: "resolution", Resolution: &sla.Clock{Targets: targets(4, 16, 40, 80), Pausable: true}},
	}
	a, err := sla.Compile(c)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

// Each round folds every history and asks for the time used by the response and
// resolution clock at its end; events/s counts events of both.
func BenchmarkReplay(b *testing.B) {
	a := officeClocks(b)
	for _, c := range []struct {
		name           string
		tickets, steps int
	}{{"tickets=10000/events=10", 10_000, 6}, {"tickets=10000/events=30", 10_000, 20}, {"tickets=1/events=1400000", 1, 1_000_000}} {
		r := rand.New(rand.NewPCG(1, 2))
		var histories [][]sla.TicketEvent
		events := 0
		for range c.tickets {
			h := randomHistory(r, vectorStart.Add(time.Duration(r.Int64N(int64(300*24*time.Hour)))), c.steps)
			histories = append(histories, h)
			events += len(h)
		}
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var used []sla.ClockTime
			ticket := sla.NewTicket("")
			for b.Loop() {
				for _, h := range histories {
					ticket.Clear("INC")
					if err := ticket.Replay(slices.Values(h)); err != nil {
						b.Fatal(err)
					}
					var err error
					if used, err = a.AppendElapsed(used[:0], ticket, h[len(h)-1].At); err != nil || len(used) != 2 {
						b.Fatal(used, err)
					}
				}
			}
			b.ReportMetric(float64(events)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
