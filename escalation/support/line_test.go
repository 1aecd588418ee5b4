package support_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/internal/fixture"
	"github.com/evenkeelops/evenkeel/escalation/support"
	"github.com/evenkeelops/evenkeel/incident"
)

// lines are the sample with a vendor.
func lines() []support.Line {
	return append(support.SampleLines("Europe/Amsterdam"), support.Line{
		Number: 5, Name: "database vendor", May: []string{support.FixProduct},
		Vendor: &support.Vendor{
			Name: "Acme", Procedure: "portal, with the number of the contract", PriorityQueue: "call after the portal",
			ResponseMinutes: map[incident.Severity]int{incident.P1: 60, incident.P2: 240}, SupportEnds: "2027-06-30",
		},
	})
}

func newLines(t *testing.T, list []support.Line) *support.Lines {
	t.Helper()
	s, err := support.NewLines(list)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWhatLinesMayDo(t *testing.T) {
	list := lines()
	list[1].Agreed = append(list[1].Agreed, support.AgreedAction{
		Action: "failover", Services: []string{"shop"}, With: []string{"owner", "shop", "bank"}, Procedure: "RB-7", Until: fixture.At("2026-10-01T00:00:00Z"),
	})
	s := newLines(t, list)
	before, after := "2026-09-30T23:59:59Z", "2026-10-01T00:00:00Z"
	for _, c := range []struct {
		line                 int
		action, target, when string
		want                 support.Verdict
	}{
		{1, "restart", "shop", before, support.Verdict{Why: "call centre has no operational duty"}},
		{2, "restart", "shop", before, support.Verdict{Allowed: true, Why: "agreed with service owner, by restart checklist"}},
		{2, "failover", "shop", before, support.Verdict{Allowed: true, Why: "agreed with owner, shop and bank, by RB-7"}},
		{2, "failover", "shop", after, support.Verdict{Why: "the agreement on failover ended at 2026-10-01T00:00:00Z"}},
		{2, "failover", "mail", before, support.Verdict{Why: "failover on mail was not agreed beforehand"}},
		{2, "drop table", "shop", before, support.Verdict{Why: "drop table on shop was not agreed beforehand"}},
		{3, "drop table", "shop", before, support.Verdict{Allowed: true, Why: "owning team operates shop"}},
		{4, "rebuild index", "databases", before, support.Verdict{Allowed: true, Why: "component experts operates databases"}},
		{4, "rebuild index", "shop", before, support.Verdict{Why: "rebuild index on shop was not agreed beforehand"}},
		{5, "patch", "databases", before, support.Verdict{Why: "database vendor has no operational duty"}},
		{6, "patch", "databases", before, support.Verdict{Why: "no line 6"}},
	} {
		if got := s.MayRun(c.line, c.action, c.target, fixture.At(c.when)); got != c.want {
			t.Errorf("MayRun(%d, %s, %s, %s) = %+v, want %+v", c.line, c.action, c.target, c.when, got, c.want)
		}
	}
	for work, want := range map[string][]int{
		support.RejectRequest: {1}, support.Triage: {2}, support.Operate: {3}, support.ComponentWork: {4}, support.FixProduct: {5}, support.PassOn: {1, 2, 3, 4},
	} {
		var may []int
		for line := range 7 {
			if s.MayDo(line, work).Allowed {
				may = append(may, line)
			}
		}
		fixture.Check(t, work, may, want)
	}
}

// Office hours are 09:00 to 17:00 in Amsterdam: 07:00Z to 15:00Z in summer. At
// night the call centre takes down what is severe, the teams come for a P1 alone,
// the component experts sleep, and the vendor never closes.
func TestReceptions(t *testing.T) {
	s := newLines(t, lines())
	for _, c := range []struct {
		severity incident.Severity
		when     string
		takes    []string
	}{
		{incident.P4, "2026-07-14T07:00:00Z", []string{"1 call centre", "2 service desk", "3 owning team", "4 component experts", "5 database vendor"}},
		{incident.P4, "2026-07-14T15:00:00Z", []string{"5 database vendor"}},
		{incident.P3, "2026-07-18T10:00:00Z", []string{"5 database vendor"}}, // a Saturday
		{incident.P2, "2026-07-14T06:59:59Z", []string{"1 call centre off hours logs", "5 database vendor"}},
		{incident.P1, "2026-07-14T23:00:00Z", []string{"1 call centre off hours logs", "2 people on call calls", "3 people on call calls", "5 database vendor"}},
	} {
		all, err := s.Receptions(c.severity, fixture.At(c.when))
		if err != nil {
			t.Fatal(err)
		}
		var takes []string
		for _, r := range all {
			if !r.Takes {
				continue
			}
			text := fmt.Sprint(r.Line, " ", r.By)
			if r.LogOnly {
				text += " logs"
			}
			if r.CallClient {
				text += " calls"
			}
			takes = append(takes, text)
		}
		fixture.Check(t, c.severity.String()+" at "+c.when, takes, c.takes)
	}
	for line, want := range []int{1, 2, 3, 5, 5, 0} {
		next, ok, err := s.Next(line, incident.P1, fixture.At("2026-07-14T23:00:00Z"))
		if err != nil || next.Line != want || ok != (want > 0) {
			t.Errorf("Next(%d) = %+v, %t, %v, want line %d", line, next, ok, err, want)
		}
	}
	if _, _, err := s.Next(0, 0, fixture.At("2026-07-14T23:00:00Z")); err == nil {
		t.Error("Next without a severity = nil, want an error")
	}
}

func TestVendorTargets(t *testing.T) {
	vendor := newLines(t, lines()).Lines()[4].Vendor
	raised := fixture.At("2026-10-25T00:30:00Z") // the clocks of Amsterdam are put back at 01:00Z
	if due, ok := vendor.ResponseDue(incident.P1, raised); !ok || !due.Equal(fixture.At("2026-10-25T01:30:00Z")) {
		t.Errorf("P1 due %s, %t, want an hour later", due, ok)
	}
	if due, ok := vendor.ResponseDue(incident.P4, raised); ok {
		t.Errorf("P4 due %s, want no promise", due)
	}
}

func TestTrainingDue(t *testing.T) {
	list := support.SampleLines("UTC")
	list[0].Training = []support.Training{{Topic: "b", Held: "2026-01-31", EveryMonths: 1}, {Topic: "a", Held: "2025-12-31", EveryMonths: 2}}
	list[1].Training = []support.Training{{Topic: "never", EveryMonths: 12}, {Topic: "leap", Held: "2024-02-29", EveryMonths: 24}, {Topic: "later", Held: "2026-02-01", EveryMonths: 1}}
	s := newLines(t, list)
	for on, want := range map[string][]string{
		"2026-02-27": {"2 never  0"},
		"2026-02-28": {"2 never  0", "1 a 2026-02-28 0", "1 b 2026-02-28 0", "2 leap 2026-02-28 0"},
		"2026-03-02": {"2 never  0", "1 a 2026-02-28 2", "1 b 2026-02-28 2", "2 leap 2026-02-28 2", "2 later 2026-03-01 1"},
	} {
		due, err := s.TrainingDue(on)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range due {
			got = append(got, fmt.Sprint(d.Line, " ", d.Topic, " ", d.Due, " ", d.Days))
		}
		fixture.Check(t, on, got, want)
	}
	_, err := s.TrainingDue("soon")
	fixture.Problems(t, "TrainingDue", err, []string{`on "soon"`})
}

func TestLineProblems(t *testing.T) {
	office := []escalation.Window{{From: "09:00", To: "17:00"}}
	_, err := support.NewLines([]support.Line{
		{Number: 2, Zone: "CET/CEST", Hours: office, Operates: []string{"shop"}, OffHours: support.OffHours{By: "nobody"}},
		{
			Number: 2, Name: "x", May: []string{"y"}, Zone: "UTC", Hours: []escalation.Window{{From: "9"}}, OperationalDuty: true, Agreed: []support.AgreedAction{{}},
			Vendor: &support.Vendor{ResponseMinutes: map[incident.Severity]int{incident.P2: 0, 0: 5}, SupportEnds: "June"}, Training: []support.Training{{Held: "x"}},
			OffHours: support.OffHours{Least: 9},
		},
	})
	fixture.Problems(t, "NewLines", err, []string{
		`support_lines[0].timezone "CET/CEST"`, `support_lines[0].name ""`, `support_lines[0].may ""`, `support_lines[0].operational_duty "false"`,
		`support_lines[1].line "2"`, `support_lines[1].hours[0].from "9"`, `support_lines[1].hours[0].to ""`,
		`support_lines[1].agreed[0].action ""`, `support_lines[1].agreed[0].agreed_with ""`, `support_lines[1].agreed[0].procedure ""`,
		`support_lines[1].off_hours.least_severity "Severity(9)"`,
		`support_lines[1].vendor.name ""`, `support_lines[1].vendor.procedure ""`, `support_lines[1].vendor.priority_queue ""`,
		`support_lines[1].vendor.response_minutes["P1"] ""`, `support_lines[1].vendor.response_minutes["unset"] "5"`, `support_lines[1].vendor.response_minutes["P2"] "0"`,
		`support_lines[1].vendor.support_ends "June"`,
		`support_lines[1].training[0].topic ""`, `support_lines[1].training[0].held "x"`, `support_lines[1].training[0].every_months "0"`,
		`support_lines "": want a line that takes a P1 at every hour`,
	})
	_, err = support.NewLines([]support.Line{
		{Number: 1, Name: "x", May: []string{"y"}, OffHours: support.OffHours{Least: incident.P1}},
		{Number: 2, Name: "x", May: []string{"y"}, Zone: "UTC", Hours: office, OffHours: support.OffHours{Least: incident.P1}},
	})
	fixture.Problems(t, "NewLines", err, []string{`support_lines[0].off_hours ""`, `support_lines[1].off_hours.by ""`})
}

// Lines keep what they say as JSON.
func TestLinesAsJSON(t *testing.T) {
	text := fixture.JSON(t, lines())
	var again []support.Line
	if err := json.Unmarshal([]byte(text), &again); err != nil {
		t.Fatal(err)
	}
	if got := fixture.JSON(t, newLines(t, again).Lines()); got != text {
		t.Errorf("after a round trip: %s, want %s", got, text)
	}
	again[2].Number = 7
	_, err := support.NewLines(again)
	fixture.Problems(t, "NewLines", err, []string{`support_lines[3].line "4"`})
}
