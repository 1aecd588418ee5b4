package support_test

import (
	"fmt"
	"log"
	"time"

	"github.com/evenkeelops/evenkeel/escalation/support"
	"github.com/evenkeelops/evenkeel/incident"
)

// What the service desk may do, and who takes a request on Saturday night.
func ExampleNewLines() {
	lines, err := support.NewLines(support.SampleLines("Europe/Amsterdam"))
	if err != nil {
		log.Fatal(err)
	}
	night := time.Date(2026, 7, 18, 23, 0, 0, 0, time.UTC)
	fmt.Println(lines.MayRun(2, "restart", "shop", night))
	fmt.Println(lines.MayRun(2, "failover", "shop", night))
	for _, severity := range []incident.Severity{incident.P1, incident.P3} {
		all, err := lines.Receptions(severity, night)
		if err != nil {
			log.Fatal(err)
		}
		for _, r := range all {
			fmt.Println(severity, "line", r.Line, r.Takes, r.By, "-", r.Why)
		}
	}
	// Output:
	// {true agreed with service owner, by restart checklist}
	// {false failover on shop was not agreed beforehand}
	// P1 line 1 true call centre off hours - off hours, P1 is severe enough
	// P1 line 2 true people on call - off hours, P1 is severe enough
	// P1 line 3 true people on call - off hours, P1 is severe enough
	// P1 line 4 false  - off hours
	// P3 line 1 false  - off hours, from P2 up only
	// P3 line 2 false  - off hours, from P1 up only
	// P3 line 3 false  - off hours, from P1 up only
	// P3 line 4 false  - off hours
}

// Where a severe fix is after it was sent back once, and whether it is late.
func ExampleFixChain_Track() {
	reported := time.Date(2026, 7, 14, 12, 0, 0, 0, time.UTC)
	after := func(hours int) time.Time { return reported.Add(time.Duration(hours) * time.Hour) }
	state, err := support.SampleFixChain().Track(incident.P1, reported, []support.FixStep{
		{Stage: "operations", At: after(1)},
		{Stage: "development", At: after(6)},
		{Stage: "devops", At: after(7), BackTo: "development"},
		{Stage: "development", At: after(20)},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("at", state.Stage, "since", state.Since.Format("15:04"), "- sent back", state.Returns, "time, due", state.Due.Format("Jan 2 15:04"))
	fmt.Println("late a day later:", state.Late(after(25)))
	// Output:
	// at devops since 08:00 - sent back 1 time, due Jul 15 12:00
	// late a day later: true
}
