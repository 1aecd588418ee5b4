package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/teambition/rrule-go"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

// The peer finds a handoff by going through all since the start, which lies in the
// same year. It says when the turn began; whose it is would be left to the caller.
// Its hours and months have other rules where a clock is changed and at the end of
// a month; the start is chosen so that both sides agree on every handoff.
var lookups = []measure.Pair{
	lookup("oncall/weekly", 50, escalation.Weeks, rrule.WEEKLY),
	lookup("oncall/daily", 1, escalation.Days, rrule.DAILY),
	lookup("oncall/monthly", 1, escalation.Months, rrule.MONTHLY),
}

const (
	zone  = "Europe/Amsterdam"
	start = "2026-01-05T09:00"
)

func lookup(name string, bar float64, unit escalation.Unit, freq rrule.Frequency) measure.Pair {
	return measure.Pair{
		Name: name, Peer: "rrule-go v1.8.2", Bar: bar, Ops: len(instants), NoAllocs: true,
		Setup: func() (func(), func(), error) {
			rotation := rotation(unit)
			schedule, err := escalation.NewSchedule(escalation.Plan{Layers: []escalation.Layer{{Name: "all", Rotation: rotation}}})
			if err != nil {
				return nil, nil, err
			}
			turns, err := rotation.Compile()
			if err != nil {
				return nil, nil, err
			}
			first, err := time.ParseInLocation("2006-01-02T15:04", start, must(time.LoadLocation(zone)))
			if err != nil {
				return nil, nil, err
			}
			rule, err := rrule.NewRRule(rrule.ROption{Freq: freq, Dtstart: first})
			if err != nil {
				return nil, nil, err
			}
			for _, at := range instants {
				turn, _ := turns.At(at)
				if begun := rule.Before(at, true); !begun.Equal(turn.Start) {
					return nil, nil, fmt.Errorf("the turn at %s began %s, with rrule-go %s", at, turn.Start, begun)
				}
			}
			return func() { whoAll(schedule) }, func() {
				for _, at := range instants {
					rule.Before(at, true)
				}
			}, nil
		},
	}
}

func rotation(unit escalation.Unit) escalation.Rotation {
	return escalation.Rotation{Zone: zone, Start: start, Unit: unit, Length: 1, Users: []string{"ann", "bob", "cem"}}
}

func whoAll(s *escalation.Schedule) {
	for _, at := range instants {
		s.WhoAt(at)
	}
}

// instants are random ones of the year from the start on, to the second.
var instants = func() []time.Time {
	r := rand.New(rand.NewPCG(1, 2026))
	first := time.Date(2026, 1, 6, 0, 0, 0, 0, time.UTC)
	out := make([]time.Time, 1024)
	for i := range out {
		out[i] = first.Add(time.Duration(r.IntN(365*24*3600)) * time.Second)
	}
	return out
}()
