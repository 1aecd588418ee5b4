package main

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

// recipients lists who is told of a P2 on a service of which all stakeholders are.
var recipients = []measure.Pair{
	goal("incident/recipients_of_100", 10*time.Microsecond, 1, audience(100)),
	goal("incident/recipients_of_1k", 100*time.Microsecond, 1, audience(1000)),
	goal("incident/recipients_of_10k", time.Millisecond, 1, audience(10_000)),
}

// audience has as many people of each role; half of them are told in their business
// hours only, in three zones.
func audience(n int) func() (func(), error) {
	return func() (func(), error) {
		roles := []comms.Role{comms.TechnicalContact, comms.BusinessOwner, comms.ExecutiveSponsor, comms.CustomerSuccess, comms.LegalCompliance}
		zones := []string{"Europe/Amsterdam", "America/Chicago", "Asia/Singapore"}
		var people []comms.Stakeholder
		for i := range n {
			name := fmt.Sprint("p", i)
			people = append(people, comms.Stakeholder{
				Name: name, Role: roles[i%len(roles)], Contact: map[string]string{"email": name + "@example.com"}, Service: "checkout", Zone: zones[i%len(zones)], BusinessHoursOnly: i%2 == 0,
				Preferences: comms.Preferences{Immediate: true, Updates: true},
			})
		}
		plan, err := comms.New(comms.Config{Stakeholders: people})
		if err != nil {
			return nil, err
		}
		s := incident.State{
			Tenant: "acme", ID: "INC-2026-0815", Status: incident.Open, Severity: incident.P2, Title: "checkout is slow",
			Services: []string{"checkout"}, Times: incident.Times{Started: noon, Created: noon},
		}
		count := func() (told int) {
			for range plan.Recipients(s, noon) {
				told++
			}
			return told
		}
		// The matrix tells technical contacts and business owners of a P2.
		if told := count(); told != n/len(roles)*2 {
			return nil, fmt.Errorf("%d of %d are told, want two of five roles", told, n)
		}
		return func() { count() }, nil
	}
}
