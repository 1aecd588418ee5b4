package support

import (
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
)

// SampleLines returns the lines of two published articles on who owns
// infrastructure services and on how an operations team works: a call centre that
// keeps to procedures, a service desk with the widest view, the team that owns the
// service, and experts of one technology, who are optional. Off hours a call centre
// takes down severe requests alone, read here as P1 and P2, and the teams react to
// the highest severity only, P1, and call the client while they fix.
//
// A vendor has a line above these, with what its contract says. The articles give no
// clock times and no names: the office hours, from Monday to Friday 09:00 to 17:00 in
// the zone, and the restart as the one agreed action are ours, to be replaced. zone
// is an IANA name.
func SampleLines(zone string) []Line {
	office := func() []escalation.Window {
		return []escalation.Window{{Days: escalation.Weekdays, From: "09:00", To: "17:00"}}
	}
	only := OffHours{Least: incident.P1, By: "people on call", CallClient: true}
	return []Line{
		{
			Number: 1, Name: "call centre", Knowledge: "procedures only",
			May:  []string{ValidateRequest, RejectRequest, HelpUser, PassOn},
			Zone: zone, Hours: office(), OffHours: OffHours{Least: incident.P2, By: "call centre off hours", LogOnly: true},
			Informed: []string{"migrations", "growth"},
			Training: []Training{{Topic: "procedures", EveryMonths: 6}},
		},
		{
			Number: 2, Name: "service desk", Knowledge: "customers and all services, the widest view",
			May: []string{Triage, RunAgreed, PassOn}, OperationalDuty: true,
			Agreed: []AgreedAction{{Action: "restart", With: []string{"service owner"}, Procedure: "restart checklist"}},
			Zone:   zone, Hours: office(), OffHours: only,
			Informed: []string{"migrations", "growth"},
			Training: []Training{{Topic: "services and customers", EveryMonths: 6}},
		},
		{
			Number: 3, Name: "owning team", Knowledge: "its service in detail",
			May: []string{Operate, PassOn}, OperationalDuty: true, Operates: []string{Everything},
			Zone: zone, Hours: office(), OffHours: only,
		},
		{
			Number: 4, Name: "component experts", Optional: true, Knowledge: "one technology, no service of their own",
			May: []string{ComponentWork, PassOn}, OperationalDuty: true, Operates: []string{escalation.Databases},
			Zone: zone, Hours: office(),
		},
	}
}

// SampleFixChain returns the way of a fix in the second of these articles: a severe
// one is in production within a day.
func SampleFixChain() FixChain {
	return FixChain{
		Stages: []FixStage{
			{ID: "operations", Team: "operations", Does: "the lines of the log that show the fault are cut out"},
			{ID: "development", Team: "development", Does: "the fault is fixed"},
			{ID: "devops", Team: "DevOps", Does: "the fix runs in an environment like that of production"},
			{ID: "qa", Team: "QA", Does: "the fix is tested"},
			{ID: "production", Team: "operations", Does: "the fix is in production"},
		},
		Severe: incident.P1, WithinMinutes: 24 * 60,
	}
}
