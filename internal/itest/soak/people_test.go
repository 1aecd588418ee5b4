package soak

import (
	"fmt"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// roster are the people, who are there around the clock.
func roster() escalation.Roster {
	r := escalation.Roster{Zone: "UTC", LastResort: escalation.Contact{ID: "manager"}}
	for i := range people {
		r.Engineers = append(r.Engineers, escalation.Engineer{
			ID: fmt.Sprint("person", i), Level: escalation.Senior, Primary: []string{"any"}, InPool: true,
			Availability: escalation.Availability{{From: "00:00", To: "24:00"}},
		})
	}
	return r
}

// communication has one person more told by severity. Nobody is reminded within a day.
func communication() comms.Config {
	c := comms.Config{
		Matrix: map[incident.Severity][]comms.Role{
			incident.P1: {comms.TechnicalContact, comms.BusinessOwner, comms.ExecutiveSponsor},
			incident.P2: {comms.TechnicalContact, comms.BusinessOwner},
			incident.P3: {comms.TechnicalContact},
		},
		Cadence: map[incident.Severity]time.Duration{},
	}
	for _, s := range incident.Severities {
		c.Cadence[s] = 48 * time.Hour
	}
	for i, role := range []comms.Role{comms.TechnicalContact, comms.BusinessOwner, comms.ExecutiveSponsor} {
		c.Stakeholders = append(c.Stakeholders, comms.Stakeholder{
			ID: fmt.Sprint("reader", i), Name: fmt.Sprint("Reader ", i), Role: role, Contact: map[string]string{"email": fmt.Sprintf("reader%d@example.com", i)},
			Preferences: comms.Preferences{Immediate: true},
		})
	}
	return c
}

// The promises: 99.9 % of the month for every service, of which the worst counts, and P1 resolved within two hours.
func contract(tenant int) sla.Contract {
	percent := money.WholePercent
	all := percent(100)
	c := sla.Contract{
		ID: tenantName(tenant), Zone: "UTC", Fee: money.Must(money.New(fee(tenant), "EUR")), CapPercent: &all,
		Terms: []sla.Term{
			{ID: "availability", Availability: &sla.Availability{Target: percent(999) / 10, Remedy: sla.Bands{Bands: []sla.Band{
				{Below: percent(999) / 10, From: percent(995) / 10, Credit: percent(10)},
				{Below: percent(995) / 10, From: percent(99), Credit: percent(25)},
				{Below: percent(99), Credit: percent(50)},
			}}}},
			{ID: "resolution", Resolution: &sla.Clock{Targets: []sla.Target{{Severity: incident.P1, Within: 2 * time.Hour, CreditPercent: percent(5)}}}},
		},
	}
	for i := range services {
		c.Terms[0].Availability.Services = append(c.Terms[0].Availability.Services, sla.Service{ID: serviceName(i)})
	}
	return c
}
