package escalation

import "github.com/evenkeelops/evenkeel/incident"

// SampleCentres returns the three operations centres of a published guide to
// round-the-clock operations: Amsterdam, Austin and Singapore, each staffed from
// 06:00 to 18:00 by its own clock on all seven days and handing over to the next
// at 17:30. Together they leave no gap on any day of the year.
//
// The guide writes the zones as CET/CEST, CST/CDT and SGT; they are the IANA
// zones of the cities here. Managers are left to the caller.
func SampleCentres() []Centre {
	day := func() []Window { return []Window{{From: "06:00", To: "18:00"}} }
	return []Centre{
		{
			ID: "amsterdam", Name: "Amsterdam, Netherlands", Zone: "Europe/Amsterdam", Coverage: day(),
			Handoff: HandoffRule{To: "austin", At: "17:30", Minutes: 30, Agenda: []string{
				"state of open incidents", "maintenance ahead", "tasks that cannot wait", "health of the environment",
			}},
			Staffing:        Staffing{SeniorEngineers: 3, OperationsSpecialists: 4, EscalationManagers: 1},
			Specialisations: []string{"european infrastructure", "gdpr compliance", "financial services"},
		},
		{
			ID: "austin", Name: "Austin, Texas, USA", Zone: "America/Chicago", Coverage: day(),
			Handoff: HandoffRule{To: "singapore", At: "17:30", Minutes: 30, Agenda: []string{
				"summary of incidents", "opening of the Asian markets", "cover for the weekend", "checks of critical systems",
			}},
			Staffing:        Staffing{SeniorEngineers: 4, OperationsSpecialists: 5, EscalationManagers: 1},
			Specialisations: []string{"north american infrastructure", "cloud-native applications", "e-commerce platforms"},
		},
		{
			ID: "singapore", Name: "Singapore", Zone: "Asia/Singapore", Coverage: day(),
			Handoff: HandoffRule{To: "amsterdam", At: "17:30", Minutes: 30, Agenda: []string{
				"incidents of the night", "start of the European working day", "review of the week's plan", "performance of the systems",
			}},
			Staffing:        Staffing{SeniorEngineers: 2, OperationsSpecialists: 3, EscalationManagers: 1},
			Specialisations: []string{"apac infrastructure", "manufacturing systems", "supply chain applications"},
		},
	}
}

// SampleRoster returns the team of the same guide: a principal in Amsterdam and
// a senior in Austin, both in the on-call pool, and the eight technology domains
// of its skill matrix. The last resort is the on-call manager that the guide
// has woken when nobody is available.
//
// It has no centres; with those of [SampleCentres] the search is widened to
// whoever is on shift.
func SampleRoster() Roster {
	return Roster{
		LastResort: Contact{ID: "on-call-manager", Name: "On-call manager"},
		Domains:    SampleDomains(),
		Engineers: []Engineer{
			{
				ID: "sarah", Name: "Sarah Chen", Level: Principal, Centre: "amsterdam", Zone: "Europe/Amsterdam",
				Primary: []string{Kubernetes, CloudAWS}, Secondary: []string{Networking},
				Availability: Availability{{From: "08:00", To: "18:00"}}, InPool: true,
			},
			{
				ID: "marcus", Name: "Marcus Johnson", Level: Senior, Centre: "austin", Zone: "America/Chicago",
				Primary: []string{Databases, Messaging}, Secondary: []string{Application},
				Availability: Availability{{From: "07:00", To: "19:00"}}, InPool: true,
			},
		},
	}
}

// SampleSupportLines returns the lines of two published articles on who owns
// infrastructure services and on how an operations team works: a call centre that
// keeps to procedures, a service desk with the widest view, the team that owns the
// service, and experts of one technology, who are optional. Off hours a call centre
// takes down severe requests alone, read here as P1 and P2, and the teams react to
// the highest severity only, P1, and call the client while they fix.
//
// A vendor has a line above these, with what its contract says. The articles give no clock times and no names: the office hours, from Monday to
// Friday 09:00 to 17:00 in the zone, and the restart as the one agreed action are
// ours, to be replaced. zone is an IANA name.
func SampleSupportLines(zone string) []SupportLine {
	office := func() []Window { return []Window{{Days: Weekdays, From: "09:00", To: "17:00"}} }
	only := OffHours{Least: incident.P1, By: "people on call", CallClient: true}
	return []SupportLine{
		{
			Line: 1, Name: "call centre", Knowledge: "procedures only",
			May:  []string{ValidateRequest, RejectRequest, HelpUser, PassOn},
			Zone: zone, Hours: office(), OffHours: OffHours{Least: incident.P2, By: "call centre off hours", LogOnly: true},
			Informed: []string{"migrations", "growth"},
			Training: []Training{{Topic: "procedures", EveryMonths: 6}},
		},
		{
			Line: 2, Name: "service desk", Knowledge: "customers and all services, the widest view",
			May: []string{Triage, RunAgreed, PassOn}, OperationalDuty: true,
			Agreed: []AgreedAction{{Action: "restart", With: []string{"service owner"}, Procedure: "restart checklist"}},
			Zone:   zone, Hours: office(), OffHours: only,
			Informed: []string{"migrations", "growth"},
			Training: []Training{{Topic: "services and customers", EveryMonths: 6}},
		},
		{
			Line: 3, Name: "owning team", Knowledge: "its service in detail",
			May: []string{Operate, PassOn}, OperationalDuty: true, Operates: []string{Everything},
			Zone: zone, Hours: office(), OffHours: only,
		},
		{
			Line: 4, Name: "component experts", Optional: true, Knowledge: "one technology, no service of their own",
			May: []string{ComponentWork, PassOn}, OperationalDuty: true, Operates: []string{Databases},
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
