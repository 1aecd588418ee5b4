package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

const (
	tickets = 1000
	waits   = 3 // of each ticket
)

// events is how many a ticket with that many waits has: it is opened, answered and
// resolved, and between waits there is a message and a change of the severity.
func events(waits int) int { return 3 + 4*waits }

// replay folds the histories of tickets and asks for the time that the clocks of
// response and resolution have used at the end of each.
func replay(tickets, waits int) func() (func(), error) {
	return func() (func(), error) {
		a, err := sla.Compile(clocksOnly())
		if err != nil {
			return nil, err
		}
		if err := checkReplay(a); err != nil {
			return nil, err
		}
		r := rand.New(rand.NewPCG(1, uint64(waits)))
		histories := make([][]sla.TicketEvent, tickets)
		for i := range histories {
			histories[i] = history(r, waits)
		}
		ticket, used := sla.NewTicket(""), []sla.ClockTime(nil)
		return func() {
			for _, h := range histories {
				ticket.Clear("INC")
				if err := ticket.Replay(slices.Values(h)); err != nil {
					panic(err)
				}
				used = must(a.AppendElapsed(used[:0], ticket, h[len(h)-1].At))
			}
		}, nil
	}
}

func history(r *rand.Rand, waits int) []sla.TicketEvent {
	at := starts[r.IntN(len(starts))]
	step := func(most time.Duration) time.Time {
		at = at.Add(time.Duration(r.Int64N(int64(most))))
		return at
	}
	severity := func() incident.Severity { return incident.Severities[r.IntN(4)] }
	h := []sla.TicketEvent{
		{Kind: sla.TicketOpened, At: at, Severity: severity()},
		{Kind: sla.TicketResponded, At: step(3 * time.Hour)},
	}
	for range waits {
		h = append(h,
			sla.TicketEvent{Kind: sla.TicketPaused, At: step(4 * time.Hour)},
			sla.TicketEvent{Kind: sla.TicketResumed, At: step(20 * time.Hour)},
			sla.TicketEvent{Kind: sla.TicketUpdated, At: step(time.Hour)},
			sla.TicketEvent{Kind: sla.TicketSeverity, At: step(time.Hour), Severity: severity()})
	}
	return append(h, sla.TicketEvent{Kind: sla.TicketResolved, At: step(6 * time.Hour)})
}

// clocksOnly promises response and resolution in office hours, P1 around the clock.
func clocksOnly() sla.Contract {
	c := sla.Preset("clocks", sla.Essential, office.Zone, money.Must(money.New(20_000_00, "EUR")))
	c.Calendars = map[string]calendar.Hours{sla.OfficeHours: office}
	targets := func(hours ...int) (out []sla.Target) {
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
	return c
}

// checkReplay wants an hour to the response and, of 25 to the resolution the next
// day, 15 closed and 2 waiting: 8.
func checkReplay(a *sla.Agreement) error {
	first := time.Date(2026, 6, 2, 8, 0, 0, 0, time.UTC) // Tuesday 10:00 in Amsterdam
	at := func(hours int) time.Time { return first.Add(time.Duration(hours) * time.Hour) }
	ticket := sla.NewTicket("INC")
	err := ticket.Replay(slices.Values([]sla.TicketEvent{
		{Kind: sla.TicketOpened, At: at(0), Severity: incident.P3},
		{Kind: sla.TicketResponded, At: at(1)},
		{Kind: sla.TicketPaused, At: at(2)},
		{Kind: sla.TicketResumed, At: at(4)},
		{Kind: sla.TicketResolved, At: at(25)},
	}))
	if err != nil {
		return err
	}
	used, err := a.AppendElapsed(nil, ticket, at(25))
	if err != nil {
		return err
	}
	if len(used) != 2 || used[0].Elapsed != time.Hour || used[1].Elapsed != 8*time.Hour {
		return fmt.Errorf("clocks of 1 and 8 hours: %+v", used)
	}
	return nil
}
