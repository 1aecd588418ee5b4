package postmortem_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/postmortem"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// A major incident from its declaration to an anchored measure, without which it cannot
// be closed; a minor one passes its review by itself.
func Example() {
	at := time.Date(2026, 10, 14, 2, 4, 0, 0, time.UTC)
	apply := func(inc *incident.Incident, e incident.Event) {
		at = at.Add(time.Minute)
		e.Key, e.Actor, e.At = strconv.FormatInt(at.Unix(), 10), "bob", at
		if _, err := inc.Apply(e); err != nil {
			fmt.Println(err)
		}
	}
	begin := func(id string, s incident.Severity) *incident.Incident {
		inc, err := incident.New("acme", id, incident.Options{})
		if err != nil {
			panic(err)
		}
		apply(inc, incident.Event{Kind: incident.Declare, Details: incident.Details{
			Severity: s, Title: "checkout is down", Services: []string{"checkout"}, Started: at.Add(-4 * time.Minute), Detected: at, DetectedBy: incident.ByMonitor,
		}})
		apply(inc, incident.Event{Kind: incident.Acknowledge, Details: incident.Details{Role: incident.Lead}})
		apply(inc, incident.Event{Kind: incident.Resolve, Details: incident.Details{Text: "index rebuilt"}})
		return inc
	}

	major := begin("INC-42", incident.P1)
	apply(major, incident.Event{Kind: incident.OpenReview, Details: incident.Details{Person: "ann"}})
	measure := incident.Measure{ID: "m1", Text: "Set a lock timeout", Type: incident.Prevent, Owner: "dba"}
	apply(major, incident.Event{Kind: incident.RecordMeasure, Details: incident.Details{Measure: &measure}})
	apply(major, incident.Event{Kind: incident.Close}) // refused

	doc, err := postmortem.Draft(major.State(), major.Timeline().Entries(), postmortem.Options{At: at})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, line := range doc.Timeline {
		fmt.Println(line.At.Format("15:04"), line.Who, line.Text)
	}
	fmt.Println("restored after", *doc.Durations.Restore, "s, review due before", doc.Due.Format(time.DateOnly))
	fmt.Println("missing:", doc.Missing())

	measure.Due, measure.Ref = "2026-10-21", "DB-7"
	apply(major, incident.Event{Kind: incident.RecordMeasure, Details: incident.Details{Measure: &measure}})
	apply(major, incident.Event{Kind: incident.Close})
	if doc, err = postmortem.Draft(major.State(), major.Timeline().Entries(), postmortem.Options{At: at}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(major.State().Status, major.State().Phase(), "anchored at", doc.Measures[0].AnchoredAt.Format("15:04"))

	minor := begin("INC-43", incident.P3)
	apply(minor, incident.Event{Kind: incident.Close})
	fmt.Println(minor.State().Status, minor.State().Phase(), "waiver:", minor.State().Waiver.Reason, minor.State().Waiver.Automatic)
	// Output:
	// incident "INC-42": close (in_review -> closed): missing a measure with owner, due date and reference, or a waiver with a reason
	// 02:05 lead declared P1
	// 02:06 lead acknowledged
	// 02:07 lead resolved: index rebuilt
	// restored after 420 s, review due before 2026-10-22
	// missing: [impact root cause contributing factors anchored measure]
	// closed NormalOperations anchored at 02:11
	// closed NormalOperations waiver: the severity asks for no review true
}

// Causes name roles, not people.
func ExampleDocument_Blameless() {
	doc := postmortem.Document{RootCause: "Bob rebuilt the index while the table was in use", Contributing: []string{"no lock timeout"}}
	doc, named := doc.Blameless(map[incident.Role][]string{incident.Lead: {"Bob"}})
	fmt.Println(doc.RootCause)
	fmt.Printf("%+v\n", named)
	// Output:
	// the lead rebuilt the index while the table was in use
	// [{Path:root_cause Name:Bob Role:lead}]
}

// A document that was stored is read back, with every problem of it at once.
func ExampleParse() {
	_, err := postmortem.Parse([]byte(`{
  "incident_id": "INC-42",
  "measures": [{"text": "Set a lock timeout", "due": "next week", "ownr": "dba"}]
}`))
	fmt.Println(err)
	// Output:
	// 3:67: measures[0].ownr: unknown key, want "owner"
}

// Measures are followed until they are done, over many incidents.
func ExampleBacklog() {
	docs := []postmortem.Document{
		{Incident: "INC-42", Measures: []postmortem.Measure{
			{Text: "Set a lock timeout", Owner: "dba", Due: "2026-10-21"},
			{Text: "Rehearse rebuilds", Owner: "ops", Due: "2026-10-30", Ref: "RUN-12", Status: postmortem.MeasureDone},
		}},
		{Incident: "INC-40", Measures: []postmortem.Measure{{Text: "Alert on lock waits", Owner: "sre", Due: "2026-10-31"}}},
	}
	for _, i := range postmortem.Backlog(docs, time.Date(2026, 10, 25, 0, 0, 0, 0, time.UTC)) {
		fmt.Println(i.Incident, i.Measure.Text, i.Measure.Due, i.Days)
	}
	// Output:
	// INC-42 Set a lock timeout 2026-10-21 4
	// INC-40 Alert on lock waits 2026-10-31 0
}

// What the reviews of a period have in common.
func ExampleLearn() {
	at := time.Date(2026, 10, 14, 12, 0, 0, 0, time.UTC)
	docs := []postmortem.Document{
		{Incident: "INC-40", Times: incident.Times{Resolved: at}, Contributing: []string{"No lock timeout."}, Measures: []postmortem.Measure{
			{Text: "Set a lock timeout", Type: incident.Prevent, Owner: "dba", Due: "2026-10-21", Ref: "DB-7"},
			{Text: "Alert on lock waits", Type: incident.DetectFast},
		}},
		{Incident: "INC-42", Times: incident.Times{Resolved: at.AddDate(0, 0, 5)}, RootCause: "no lock timeout"},
	}
	l := postmortem.Learn(docs, calendar.Interval{Start: at.AddDate(0, 0, -13), End: at.AddDate(0, 0, 18)}, at.AddDate(0, 0, 18))
	fmt.Println(l.Factors[0].Text, l.Factors[0].Incidents)
	share, err := json.Marshal(l.Anchored)
	fmt.Println("measures anchored", string(share), err)
	// Output:
	// No lock timeout. [INC-40 INC-42]
	// measures anchored {"hits":1,"of":2,"ratio":"1/2"} <nil>
}
