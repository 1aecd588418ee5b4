package continuity_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident/continuity"
)

func TestDRFindings(t *testing.T) {
	all := []continuity.Scenario{continuity.Ransomware, continuity.Staff}
	passed, failed := continuity.Passed, continuity.Failed
	for _, c := range []struct {
		name      string
		scenarios []continuity.Scenario
		tests     []continuity.DRTest
		at        time.Time
		want      []string
	}{
		{"never", nil, nil, noon, []string{"dr_never_tested always"}},
		{"never, by scenario", all, nil, noon, []string{"dr_never_tested ransomware always", "dr_never_tested staff always"}},
		{"passed", nil, []continuity.DRTest{drTest("a", continuity.Internet, noon, passed)}, noon, nil},
		{"one scenario of two", all, []continuity.DRTest{drTest("a", continuity.Staff, noon, passed)}, noon, []string{"dr_never_tested ransomware always"}},
		{"just before a year", nil, []continuity.DRTest{drTest("a", continuity.Internet, noon, passed)}, noon.Add(365*day - 1), nil},
		{"a year", nil, []continuity.DRTest{drTest("a", continuity.Internet, noon, passed)}, noon.Add(365 * day), []string{"dr_overdue a 10-01 12:00"}},
		{"another scenario since", nil, []continuity.DRTest{drTest("a", continuity.Internet, noon, passed), drTest("b", continuity.Staff, noon.Add(day), passed)}, noon.Add(365 * day), nil},
		{
			"failed twice", nil,
			[]continuity.DRTest{drTest("a", continuity.Staff, noon, failed), drTest("b", continuity.Staff, noon.Add(day), failed)},
			noon.Add(day),
			[]string{"dr_failed b 10-01 12:00"},
		},
		{
			"failed, and another scenario passed", nil,
			[]continuity.DRTest{drTest("a", continuity.Ransomware, noon, failed), drTest("b", continuity.Staff, noon.Add(day), passed)},
			noon.Add(day),
			[]string{"dr_failed a 10-01 12:00"},
		},
		{"failed, then passed", nil, []continuity.DRTest{drTest("a", continuity.Staff, noon, failed), drTest("b", continuity.Staff, noon.Add(day), passed)}, noon.Add(day), nil},
		{
			"passed, then failed, long ago", nil,
			[]continuity.DRTest{drTest("a", continuity.Staff, noon, passed), drTest("b", continuity.Staff, noon.Add(day), failed)},
			noon.Add(400 * day),
			[]string{"dr_failed b 10-02 12:00", "dr_overdue a 10-01 12:00"},
		},
	} {
		r := register(t, continuity.Catalogue{
			Services: []continuity.Service{complete("db")}, Policy: continuity.Policy{Scenarios: c.scenarios},
		})
		for _, d := range c.tests {
			addTest(t, r, d)
		}
		got := brief(slices.DeleteFunc(r.Findings(c.at), func(f continuity.Finding) bool {
			return f.Code != continuity.DRNeverTested && f.Code != continuity.DRFailed && f.Code != continuity.DROverdue
		}))
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: findings %q, want %q", c.name, got, c.want)
		}
	}
}

func TestDRTestRefused(t *testing.T) {
	for path, change := range map[string]func(*continuity.DRTest){
		"id":              func(d *continuity.DRTest) { d.ID = "" },
		"scenario":        func(d *continuity.DRTest) { d.Scenario = "" },
		"services":        func(d *continuity.DRTest) { d.Services = nil },
		"services[1]":     func(d *continuity.DRTest) { d.Services = []string{"db", "db"} },
		"started":         func(d *continuity.DRTest) { d.Started = time.Time{} },
		"ended":           func(d *continuity.DRTest) { d.Ended = noon.Add(1) },
		"participants":    func(d *continuity.DRTest) { d.Participants = nil },
		"steps":           func(d *continuity.DRTest) { d.Steps = nil },
		"steps[0].text":   func(d *continuity.DRTest) { d.Steps[0].Text = "" },
		"steps[0].result": func(d *continuity.DRTest) { d.Steps[0].Result = "ok" },
		"result, none":    func(d *continuity.DRTest) { d.Result = "" },
		"result":          func(d *continuity.DRTest) { d.Steps[0].Result = continuity.Failed }, // while the whole passed
	} {
		d := drTest("x", continuity.Staff, noon, continuity.Passed)
		change(&d)
		if e, ok := errors.AsType[*continuity.RecordError](forDB(t).AddTest(d, noon)); !ok || e.Path != before(path) {
			t.Errorf("%s: AddTest = %v, want a RecordError there", path, e)
		}
	}
	r := forDB(t)
	d := drTest("x", continuity.Staff, noon, continuity.Passed)
	addTest(t, r, d)
	addTest(t, r, d)
	d.Participants = []string{"cleo"}
	if err := r.AddTest(d, noon); !errors.Is(err, continuity.ErrDuplicate) {
		t.Errorf("another test with the same id: %v, want ErrDuplicate", err)
	}
}
