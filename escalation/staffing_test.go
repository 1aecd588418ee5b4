package escalation_test

import (
	"testing"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/coverage"
	"github.com/evenkeelops/evenkeel/escalation/internal/fixture"
)

// The three centres have 9 seniors, 12 specialists and 3 managers, against a
// minimum of 4, 6, 1 and a team lead: the lead is missing.
func TestMinimumStaffing(t *testing.T) {
	centres, err := escalation.NewCentres(escalation.SampleCentres())
	if err != nil {
		t.Fatal(err)
	}
	all, least := centres.Staffing(), coverage.MinimumStaffing()
	if want := (escalation.Staffing{SeniorEngineers: 9, OperationsSpecialists: 12, EscalationManagers: 3}); all != want || all.Total() != 24 {
		t.Errorf("all centres: %+v, want %+v", all, want)
	}
	if least.Total() != 12 {
		t.Errorf("minimum: %d people, want 12", least.Total())
	}
	if got := all.Missing(least); got != (escalation.Staffing{TeamLeads: 1}) {
		t.Errorf("missing: %+v, want a team lead", got)
	}
	if got := (escalation.Staffing{SeniorEngineers: 1}).Missing(least).Total(); got != 11 {
		t.Errorf("one senior misses %d, want 11", got)
	}
	list := escalation.SampleCentres()
	list[1].Staffing.TeamLeads = -1
	_, err = escalation.NewCentres(list)
	fixture.Problems(t, "NewCentres", err, []string{`[1].staffing.team_leads "-1"`})
}
