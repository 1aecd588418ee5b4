package main

import (
	"testing"

	"github.com/evenkeelops/evenkeel/escalation/coverage"
	"github.com/evenkeelops/evenkeel/roi"
)

// A seat costs the people here that it takes in the rotation.
func TestSeatsAgree(t *testing.T) {
	rule := coverage.ProductiveYear()
	if hours := rule.Covered.Hours(); hours != roi.AroundTheClock().PerYear() {
		t.Errorf("a seat is %v hours in coverage and %v in roi", hours, roi.AroundTheClock().PerYear())
	}
	if hours := rule.PerPerson.Hours(); hours != roi.DefaultWorkYear().Productive() {
		t.Errorf("a person works %v hours in coverage and %v in roi", hours, roi.DefaultWorkYear().Productive())
	}
	for seats := 1; seats <= 20; seats++ {
		rule.Seats = seats
		need, err := rule.Assess(0)
		if err != nil {
			t.Fatal(err)
		}
		staff, err := roi.Staff(roi.Demand{Seats: float64(seats), Hours: roi.AroundTheClock()})
		if err != nil {
			t.Fatal(err)
		}
		if need.NeedPeople != staff.People {
			t.Errorf("%d seats: %d people in coverage, %d in roi", seats, need.NeedPeople, staff.People)
		}
	}
	team := coverage.MinimumStaffing()
	def := roi.DefaultStaffing()
	if got := def["senior_engineer"]; got != float64(team.SeniorEngineers) || def["operations_specialist"] != float64(team.OperationsSpecialists) || def["team_lead"] != float64(team.TeamLeads) || def["manager"] != float64(team.EscalationManagers) {
		t.Errorf("the team is %v in roi and %+v in coverage", def, team)
	}
}
