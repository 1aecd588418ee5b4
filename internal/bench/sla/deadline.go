package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/evenkeelops/evenkeel/internal/bench/measure"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// The bars follow from the goal of 120 ns and what the peer takes: its time
// grows with the target, ours does not. It also grows with the holidays, which it
// goes through for every date; it can keep what it found, at the price of a map
// that no two goroutines may use. Those lines have no goal but to be faster.
var deadlines = []measure.Pair{
	deadline("sla/due_2h", 2*time.Hour, 100, office, false),
	deadline("sla/due_40h", 40*time.Hour, 300, office, false),
	deadline("sla/due_400h", 400*time.Hour, 1000, office, false),
	deadline("sla/due_40h_peer_cached", 40*time.Hour, 1, office, true),
	deadline("sla/due_40h_no_holidays", 40*time.Hour, 1, withoutHolidays(office), false),
}

// office is the calendar of the deadlines: Monday to Friday, 9 to 18, with the
// Dutch holidays that the cases of clock.json have.
var office = calendar.Hours{
	Zone: "Europe/Amsterdam", Week: calendar.MondayToFriday("09:00", "18:00"), Holidays: []string{
		"2026-01-01", "2026-04-03", "2026-04-06", "2026-04-27", "2026-05-05", "2026-05-14", "2026-05-25", "2026-12-25", "2026-12-26",
	},
}

func withoutHolidays(h calendar.Hours) calendar.Hours {
	h.Holidays = nil
	return h
}

// deadline asks both sides for the end of a target from the same starts in turn.
func deadline(name string, target time.Duration, bar float64, hours calendar.Hours, cached bool) measure.Pair {
	return measure.Pair{
		Name: name, Peer: rickarName, Bar: bar, Ops: len(starts), NoAllocs: true,
		Setup: func() (func(), func(), error) {
			ours, err := calendar.New(hours)
			if err != nil {
				return nil, nil, err
			}
			theirs, err := newRickar(hours)
			if err != nil {
				return nil, nil, err
			}
			theirs.Cacheable = cached
			for _, start := range starts {
				due, err := ours.Due(start, target, nil)
				if err != nil {
					return nil, nil, err
				}
				if other := theirs.AddWorkHours(start, target); !other.Equal(due) {
					return nil, nil, fmt.Errorf("%s from %s: %s has %s, ours %s", target, start, rickarName, other, due)
				}
			}
			return func() { dueAll(ours, target) }, func() {
				for _, start := range starts {
					theirs.AddWorkHours(start, target)
				}
			}, nil
		},
	}
}

func dueAll(c *calendar.Calendar, target time.Duration) {
	for _, start := range starts {
		must(c.Due(start, target, nil))
	}
}

// starts are random instants of 2026, to the second, in and out of hours. They
// carry the zone of the calendar, which the peer takes from the value.
var starts = func() []time.Time {
	zone := must(time.LoadLocation(office.Zone))
	first := time.Date(2026, 1, 1, 0, 0, 0, 0, zone)
	r := rand.New(rand.NewPCG(1, 2026))
	out := make([]time.Time, 64)
	for i := range out {
		out[i] = first.Add(time.Duration(r.IntN(365*24*3600)) * time.Second)
	}
	return out
}()
