package handoff_test

import (
	"fmt"
	"log"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/handoff"
	"github.com/evenkeelops/evenkeel/incident"
)

// A handoff from Amsterdam to Austin: the agenda, the signature of the sender, and
// an acceptance that moves responsibility before the window ends.
func ExampleOpen() {
	roster := escalation.SampleRoster()
	roster.Centres = escalation.SampleCentres()
	router, err := escalation.NewRouter(roster)
	if err != nil {
		log.Fatal(err)
	}
	from := time.Date(2026, 7, 14, 15, 0, 0, 0, time.UTC)
	planned := router.Centres().Handoffs(from, from.Add(time.Hour))[0]
	engine, err := escalation.NewEngine(escalation.Config{Router: router})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := engine.Apply(escalation.Event{Kind: escalation.Opened, Incident: "INC-7", Severity: incident.P2, Domain: escalation.Kubernetes, At: from}); err != nil {
		log.Fatal(err)
	}
	h, err := handoff.Open(router, "acme", planned, handoff.SituationOf(engine, planned.Start, nil))
	if err != nil {
		log.Fatal(err)
	}
	minute := func(n int) time.Time { return planned.Start.Add(time.Duration(n) * time.Minute) }
	for item := range h.Agenda {
		if err := h.Tick(item, "sarah", minute(5)); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(h.Situation.Incidents[0].ID, "is open, page unanswered by", h.Situation.Unanswered[0].To)
	fmt.Println(h.SignOff("sarah", "INC-7 is a full disk", minute(10)))
	fmt.Println(h.Accept("sarah", "", minute(11)))
	fmt.Println(h.Accept("marcus", "", minute(12)))
	fmt.Println(h.Owner(minute(11)), "until", h.Moves().Format("15:04"), "then", h.Owner(minute(12)))
	// Output:
	// INC-7 is open, page unanswered by sarah
	// <nil>
	// escalation: handoff: accept by "sarah" at 2026-07-14T15:41:00Z: a sender cannot accept
	// <nil>
	// amsterdam until 15:42 then austin
}
