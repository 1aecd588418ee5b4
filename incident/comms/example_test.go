package comms_test

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

// A P2 in the evening: the technical contact is told at once, the business
// owner wants business hours only, until the incident becomes a P1.
func Example() {
	plan, err := comms.New(comms.Config{
		Zone: "Europe/Amsterdam",
		Stakeholders: []comms.Stakeholder{
			{
				Name: "Sarah Chen", Role: comms.TechnicalContact, Contact: map[string]string{"email": "sarah@example.com"},
				Preferences: comms.Preferences{Immediate: true, Updates: true},
			},
			{
				Name: "Mike Johnson", Role: comms.BusinessOwner, Contact: map[string]string{"email": "mike@example.com"},
				Preferences: comms.Preferences{Immediate: true}, BusinessHoursOnly: true,
			},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	at := time.Date(2026, 10, 14, 20, 0, 0, 0, time.UTC)
	state := incident.State{
		Tenant: "acme", ID: "INC-42", Status: incident.Open, Severity: incident.P2, Title: "checkout is slow",
		Services: []string{"checkout"}, Times: incident.Times{Created: at},
	}
	thread := plan.Open("acme", "INC-42")
	show := func() {
		for _, m := range thread.Step(at) {
			fmt.Println(m.At.Format("15:04"), m.Subject, "->", m.Address, "|", m.Why)
		}
	}

	if err := thread.Apply(state, at); err != nil {
		fmt.Println(err)
	}
	show()
	for _, p := range thread.Planned() {
		fmt.Println("planned:", p.Due.Format("2 Jan 15:04"), p.Type, p.Recipient)
	}

	at, state.Severity = at.Add(10*time.Minute), incident.P1
	if err := thread.Apply(state, at); err != nil {
		fmt.Println(err)
	}
	show()
	at = at.Add(5 * time.Minute) // 15 minutes after the first message
	show()
	// Output:
	// 20:00 [P2 HIGH] checkout - INC-42 -> sarah@example.com | matrix (technical_contact): the role is told about P2
	// planned: 14 Oct 20:30 reminder lead
	// planned: 15 Oct 07:00 initial Mike Johnson
	// 20:10 [P1 CRITICAL] checkout - INC-42 -> mike@example.com | matrix (business_owner): the role is told about P1
	// 20:15 [P1 reminder] checkout - INC-42 -> lead | cadence: no update since 2026-10-14 20:00:00 UTC
}
