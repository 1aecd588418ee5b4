package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/evenkeelops/evenkeel/internal/bench/measure"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// The bars follow from the goal of 120 ns and what the peer takes: its time
// grows with the target, ours does not.
var deadlines = []measure.Pair{
	deadline("sla/due_2h", 2*time.Hour, 100),
	deadline("sla/due_40h", 40*time.Hour, 300),
	deadline("sla/due_400h", 400*time.Hour, 1000),
}

// office is the calendar of the deadlines: Monday to Friday, 9 to 18.
var office = calendar.Hours{Zone: "Europe/Amsterdam", Week: calendar.MondayToFriday("09:00", "18:00")}

// deadline asks both sides for the end of a target from the same starts in turn.
func deadline(name string, target time.Duration, bar float64) measure.Pair {
	return measure.Pair{
		Name: name, Peer: rickarName, Bar: bar, Ops: len(starts),
		Setup: func() (func(), func(), error) {
			ours, err := calendar.New(office)
			if err != nil {
				return nil, nil, err
			}
			theirs, err := newRickar(office)
			if err != nil {
				return nil, nil, err
			}
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
