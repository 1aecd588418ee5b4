package postmortem_test

import (
	"fmt"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/postmortem"
)

func Example() {
	inc, err := incident.New("acme", "INC-42", incident.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	at := time.Date(2026, 10, 14, 2, 4, 0, 0, time.UTC)
	for i, e := range []incident.Event{
		{Kind: incident.Declare, Details: incident.Details{Severity: incident.P1, Title: "checkout is down", Started: at.Add(-4 * time.Minute), Detected: at}},
		{Kind: incident.Acknowledge, Details: incident.Details{Role: incident.Lead}},
		{Kind: incident.Resolve, Details: incident.Details{Text: "index rebuilt"}},
	} {
		e.Key, e.Actor, e.At = strconv.Itoa(i), "bob", at.Add(time.Duration(i)*time.Minute)
		if _, err := inc.Apply(e); err != nil {
			fmt.Println(err)
		}
	}
	doc, err := postmortem.Draft(inc.State(), inc.Timeline().Entries(), postmortem.Options{At: at.AddDate(0, 0, 1)})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, line := range doc.Timeline {
		fmt.Println(line.At.Format("15:04"), line.Who, line.Text)
	}
	fmt.Println("restored after", *doc.Durations.Restore, "s, review due before", doc.Due.Format(time.DateOnly))
	fmt.Println("missing:", doc.Missing())
	// Output:
	// 02:04 lead declared P1
	// 02:05 lead acknowledged
	// 02:06 lead resolved: index rebuilt
	// restored after 360 s, review due before 2026-10-22
	// missing: [moderator impact root cause contributing factors detection anchored measure]
}
