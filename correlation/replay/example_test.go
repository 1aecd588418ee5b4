package replay_test

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/inhibit"
	"github.com/evenkeelops/evenkeel/correlation/replay"
)

// What would the rule have muted last night?
func ExampleCompare() {
	at := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	firing := func(alert string, t time.Time) replay.Arrival {
		return replay.Arrival{At: t, Event: correlation.Event{Alert: alert, Status: correlation.Firing, Time: t}}
	}
	log := []replay.Arrival{firing("platform.database_down", at), firing("application.errors", at.Add(time.Second))}
	rule := correlation.Rule{Name: "database", Logic: `IF platform.database_down THEN suppress application.*`}

	before, err := replay.Run(nil, correlation.Options{}, log, time.Time{})
	if err != nil {
		panic(err)
	}
	after, err := replay.Run([]correlation.Rule{rule}, correlation.Options{}, log, time.Time{})
	if err != nil {
		panic(err)
	}
	d := replay.Compare(before, after)
	fmt.Printf("told %d, then %d\n", d.Before, d.After)
	for _, c := range d.Muted {
		fmt.Printf("%s muted by %v\n", c.Alert, c.Rules)
	}
	// Output:
	// told 2, then 1
	// application.errors muted by [database]
}

// A log through the inhibition of an Alertmanager.
func ExampleSetup() {
	at := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	arrival := func(alert string, status correlation.Status, t time.Time) replay.Arrival {
		return replay.Arrival{At: t, Event: correlation.Event{Alert: alert, Status: status, Time: t}}
	}
	setup := replay.Setup{Inhibit: []inhibit.Rule{{SourceMatchers: []string{`alertname="node_down"`}, TargetMatchers: []string{`layer="application"`}}}}
	record, err := setup.Run([]replay.Arrival{
		arrival("infrastructure.node_down", correlation.Firing, at),
		arrival("application.errors", correlation.Firing, at.Add(time.Second)),
		arrival("infrastructure.node_down", correlation.Resolved, at.Add(time.Minute)),
	}, time.Time{})
	if err != nil {
		panic(err)
	}
	for _, t := range record.Told {
		fmt.Println(t.At.Format("15:04:05"), t.Alert, "over:", t.Over)
	}
	// Output:
	// 02:00:00 infrastructure.node_down over: false
	// 02:01:00 infrastructure.node_down over: true
	// 02:01:00 application.errors over: false
}
