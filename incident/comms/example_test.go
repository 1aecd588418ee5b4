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

// What each person of a service would read about an incident, and why somebody
// would not.
func ExamplePlan_Preview() {
	plan, err := comms.New(comms.Config{Stakeholders: []comms.Stakeholder{
		{
			Name: "Sarah Chen", Role: comms.TechnicalContact, Contact: map[string]string{"email": "sarah@example.com"},
			Preferences: comms.Preferences{Immediate: true},
		},
		{Name: "Ravi Patel", Role: comms.ExecutiveSponsor, Contact: map[string]string{"email": "ravi@example.com"}},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	at := time.Date(2026, 10, 14, 20, 0, 0, 0, time.UTC)
	for _, p := range plan.Preview(incident.State{
		Tenant: "acme", ID: "INC-42", Status: incident.Open, Severity: incident.P2, Title: "checkout is slow",
		Services: []string{"checkout"}, Times: incident.Times{Created: at},
	}, at) {
		for _, m := range p.Messages {
			fmt.Printf("%s: %s by %s: %q\n", p.Name, m.Type, m.Channel, m.Subject)
		}
		for _, s := range p.Silences {
			fmt.Printf("%s: no %s: %s\n", p.Name, s.Type, s.Why)
		}
	}
	// Output:
	// Ravi Patel: no initial: the role is not told about P2
	// Sarah Chen: initial by email: "[P2 HIGH] checkout - INC-42"
	// Sarah Chen: resolution by email: "[P2 resolved] checkout - INC-42"
	// Sarah Chen: no update: updates are not wanted
}

// An executive who hears of single incidents only when they are critical reads
// about all of them on Monday morning.
func ExamplePlan_Digests() {
	plan, err := comms.New(comms.Config{Stakeholders: []comms.Stakeholder{{
		Name: "Ravi Patel", Role: comms.ExecutiveSponsor, Contact: map[string]string{"email": "ravi@example.com"},
		Preferences: comms.Preferences{Digest: comms.Weekly}, Zone: "Asia/Singapore",
	}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	friday := time.Date(2026, 10, 16, 12, 0, 0, 0, time.UTC)
	due, _ := plan.NextDigest(friday)
	for _, m := range plan.Digests("acme", []incident.State{{
		Tenant: "acme", ID: "INC-42", Status: incident.Closed, Severity: incident.P2, Services: []string{"checkout"}, Resolution: "More workers were started.",
		Times: incident.Times{Created: friday.Add(-48 * time.Hour), Resolved: friday.Add(-45 * time.Hour)},
	}}, friday, due) {
		fmt.Println(m.Due.Format("Mon 15:04"), m.Subject, "->", m.Address)
		fmt.Println(m.Body)
	}
	// Output:
	// Mon 01:00 [weekly digest] 1 incident, 0 still open -> ravi@example.com
	// Incidents from 2026-10-12 01:00:00 UTC (09:00 on 12 October Asia/Singapore) to 2026-10-19 01:00:00 UTC (09:00 on 19 October Asia/Singapore):
	//
	// INC-42 P2 on checkout: over after 3 hours. More workers were started.
}

func ExampleStatusPage() {
	began := time.Date(2026, 10, 14, 20, 0, 0, 0, time.UTC)
	notice, ok := comms.StatusPage(incident.State{
		ID: "INC-42", Status: incident.Mitigated, Severity: incident.P2, Title: "Checkout is slow", Services: []string{"checkout"},
		Times:   incident.Times{Created: began},
		Updates: []incident.Update{{At: began.Add(20 * time.Minute), Text: "More workers were started; orders go through again."}},
	})
	fmt.Println(ok)
	fmt.Print(notice)
	// Output:
	// true
	// checkout: Checkout is slow (high, monitoring)
	// Since 2026-10-14 20:00:00 UTC
	//
	// 2026-10-14 20:20:00 UTC
	// More workers were started; orders go through again.
	//
	// 2026-10-14 20:00:00 UTC
	// We are looking into it.
}
