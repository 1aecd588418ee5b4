package main

import (
	"fmt"
	"time"

	"github.com/prometheus/alertmanager/timeinterval"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

// The peer tells whether a window is open; ours tells that, and who is on call in
// it by a rotation.
var intervals = []measure.Pair{{
	Name: "oncall/office_hours", Peer: "alertmanager v0.34.2 timeinterval", Bar: 1, Ops: len(instants), NoAllocs: true,
	Setup: func() (func(), func(), error) {
		schedule, err := escalation.NewSchedule(escalation.Plan{Layers: []escalation.Layer{{
			Name: "office", Rotation: rotation(escalation.Weeks),
			Windows: []escalation.Window{{Days: escalation.Weekdays, From: "09:00", To: "17:00"}},
		}}})
		if err != nil {
			return nil, nil, err
		}
		office := timeinterval.TimeInterval{
			Times:    []timeinterval.TimeRange{{StartMinute: 9 * 60, EndMinute: 17 * 60}},
			Weekdays: []timeinterval.WeekdayRange{{InclusiveRange: timeinterval.InclusiveRange{Begin: int(time.Monday), End: int(time.Friday)}}},
			Location: &timeinterval.Location{Location: must(time.LoadLocation(zone))},
		}
		for _, at := range instants {
			if who := schedule.WhoAt(at); (who.User != "") != office.ContainsTime(at) {
				return nil, nil, fmt.Errorf("on call at %s: %q, and the interval holds it: %t", at, who.User, office.ContainsTime(at))
			}
		}
		return func() { whoAll(schedule) }, func() {
			for _, at := range instants {
				office.ContainsTime(at)
			}
		}, nil
	},
}}
