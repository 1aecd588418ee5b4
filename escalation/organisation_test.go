package escalation_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/coverage"
	"github.com/evenkeelops/evenkeel/escalation/support"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

// The presets are what the articles say, as written down apart from this code.
func TestPresetsAgainstTheFacts(t *testing.T) {
	data, err := os.ReadFile(testutil.SharedFile(t, "data", "escalation", "organisation.json"))
	if err != nil {
		t.Fatal(err)
	}
	var facts struct {
		Centers map[string]struct {
			Location, IANA string
			Coverage       string `json:"coverage_hours"`
			Staffing       struct {
				Senior      int `json:"senior_engineers"`
				Specialists int `json:"operations_specialists"`
				Manager     int `json:"escalation_manager"`
			}
			Specializations []string
		} `json:"operations_centers"`
		Handoffs map[string]struct {
			Time, Duration string
			Activities     []string
		} `json:"handoff_schedule"`
		Domains []string `json:"technology_domains"`
		Minimum struct {
			Senior      int `json:"senior_engineer"`
			Specialists int `json:"operations_specialist"`
			Lead        int `json:"team_lead"`
			Manager     int `json:"manager"`
		} `json:"minimum_24x7_staffing"`
		FTE   int `json:"fte_per_technology"`
		Lines []struct {
			Line     int
			Name     string
			Duty     bool `json:"operational_duty"`
			Optional bool
		} `json:"support_lines"`
	}
	if err := json.Unmarshal(data, &facts); err != nil {
		t.Fatal(err)
	}
	check(t, "domains", escalation.SampleDomains(), facts.Domains)
	if coverage.KnowledgePeople != facts.FTE {
		t.Errorf("KnowledgePeople = %d, want %d", coverage.KnowledgePeople, facts.FTE)
	}
	least := facts.Minimum
	if want := (escalation.Staffing{SeniorEngineers: least.Senior, OperationsSpecialists: least.Specialists, TeamLeads: least.Lead, EscalationManagers: least.Manager}); coverage.MinimumStaffing() != want {
		t.Errorf("MinimumStaffing() = %+v, want %+v", coverage.MinimumStaffing(), want)
	}

	centres := escalation.SampleCentres()
	for i, role := range []string{"primary", "secondary", "tertiary"} {
		got, want := centres[i], facts.Centers[role]
		handoff := facts.Handoffs[got.ID+"_to_"+got.Handoff.To]
		if got.Name != want.Location || got.Zone != want.IANA || got.Staffing != (escalation.Staffing{SeniorEngineers: want.Staffing.Senior, OperationsSpecialists: want.Staffing.Specialists, EscalationManagers: want.Staffing.Manager}) ||
			!strings.HasPrefix(want.Coverage, got.Coverage[0].String()+" ") || !strings.HasPrefix(handoff.Time, got.Handoff.At+" ") ||
			handoff.Duration != fmt.Sprint(got.Handoff.Minutes, " minutes") || len(handoff.Activities) != len(got.Handoff.Agenda) {
			t.Errorf("%s = %+v, want %+v and %+v", role, got, want, handoff)
		}
		check(t, role+" specialisations", got.Specialisations, want.Specializations)
	}

	lines := support.SampleLines("UTC")
	if len(lines) != len(facts.Lines) {
		t.Fatalf("%d support lines, want %d", len(lines), len(facts.Lines))
	}
	for i, want := range facts.Lines {
		if got := lines[i]; got.Number != want.Line || !strings.HasPrefix(want.Name, got.Name) || got.OperationalDuty != want.Duty || got.Optional != want.Optional {
			t.Errorf("line %d = %+v, want %+v", i, got, want)
		}
	}
}
