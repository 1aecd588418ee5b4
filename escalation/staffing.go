package escalation

import "strconv"

// Staffing counts the people of a centre or of an organisation.
type Staffing struct {
	SeniorEngineers       int `json:"senior_engineers,omitempty"`
	OperationsSpecialists int `json:"operations_specialists,omitempty"`
	TeamLeads             int `json:"team_leads,omitempty"`
	EscalationManagers    int `json:"escalation_manager,omitempty"`
}

// Total returns the number of people.
func (s Staffing) Total() int {
	return s.SeniorEngineers + s.OperationsSpecialists + s.TeamLeads + s.EscalationManagers
}

// Plus returns the people of both.
func (s Staffing) Plus(o Staffing) Staffing {
	return Staffing{
		SeniorEngineers:       s.SeniorEngineers + o.SeniorEngineers,
		OperationsSpecialists: s.OperationsSpecialists + o.OperationsSpecialists,
		TeamLeads:             s.TeamLeads + o.TeamLeads,
		EscalationManagers:    s.EscalationManagers + o.EscalationManagers,
	}
}

// Missing returns how many people of each role there are too few; the zero value
// where there are enough. Nobody stands in for another role.
func (s Staffing) Missing(least Staffing) Staffing {
	return Staffing{
		SeniorEngineers:       max(0, least.SeniorEngineers-s.SeniorEngineers),
		OperationsSpecialists: max(0, least.OperationsSpecialists-s.OperationsSpecialists),
		TeamLeads:             max(0, least.TeamLeads-s.TeamLeads),
		EscalationManagers:    max(0, least.EscalationManagers-s.EscalationManagers),
	}
}

const maxPeople = 1_000_000

func (s Staffing) check(p problems) {
	for _, role := range []struct {
		name string
		n    int
	}{
		{"senior_engineers", s.SeniorEngineers},
		{"operations_specialists", s.OperationsSpecialists},
		{"team_leads", s.TeamLeads},
		{"escalation_manager", s.EscalationManagers},
	} {
		if role.n < 0 || role.n > maxPeople {
			p.at("%s", role.name).add(strconv.Itoa(role.n), "0 to 1000000")
		}
	}
}
