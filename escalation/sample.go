package escalation

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
