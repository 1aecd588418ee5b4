package escalation_test

import (
	"fmt"
	"testing"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
)

// lines are the sample with a vendor.
func lines() []escalation.SupportLine {
	return append(escalation.SampleSupportLines("Europe/Amsterdam"), escalation.SupportLine{
		Line: 5, Name: "database vendor", May: []string{escalation.FixProduct},
		Vendor: &escalation.Vendor{
			Name: "Acme", Procedure: "portal, with the number of the contract", PriorityQueue: "call after the portal",
			ResponseMinutes: map[incident.Severity]int{incident.P1: 60, incident.P2: 240}, SupportEnds: "2027-06-30",
		},
	})
}

func newLines(t *testing.T, list []escalation.SupportLine) *escalation.SupportLines {
	t.Helper()
	s, err := escalation.NewSupportLines(list)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWhatLinesMayDo(t *testing.T) {
	list := lines()
	list[1].Agreed = append(list[1].Agreed, escalation.AgreedAction{
		Action: "failover", Services: []string{"shop"}, With: []string{"owner", "shop", "bank"}, Procedure: "RB-7", Until: at("2026-10-01T00:00:00Z"),
	})
	s := newLines(t, list)
	before, after := "2026-09-30T23:59:59Z", "2026-10-01T00:00:00Z"
	for _, c := range []struct {
		line                 int
		action, target, when string
		want                 escalation.Verdict
	}{
		{1, "restart", "shop", before, escalation.Verdict{Why: "call centre has no operational duty"}},
		{2, "restart", "shop", before, escalation.Verdict{Allowed: true, Why: "agreed with service owner, by restart checklist"}},
		{2, "failover", "shop", before, escalation.Verdict{Allowed: true, Why: "agreed with owner, shop and bank, by RB-7"}},
		{2, "failover", "shop", after, escalation.Verdict{Why: "the agreement on failover ended at 2026-10-01T00:00:00Z"}},
		{2, "failover", "mail", before, escalation.Verdict{Why: "failover on mail was not agreed beforehand"}},
		{2, "drop table", "shop", before, escalation.Verdict{Why: "drop table on shop was not agreed beforehand"}},
		{3, "drop table", "shop", before, escalation.Verdict{Allowed: true, Why: "owning team operates shop"}},
		{4, "rebuild index", "databases", before, escalation.Verdict{Allowed: true, Why: "component experts operates databases"}},
		{4, "rebuild index", "shop", before, escalation.Verdict{Why: "rebuild index on shop was not agreed beforehand"}},
		{5, "patch", "databases", before, escalation.Verdict{Why: "database vendor has no operational duty"}},
		{6, "patch", "databases", before, escalation.Verdict{Why: "no line 6"}},
	} {
		if got := s.MayRun(c.line, c.action, c.target, at(c.when)); got != c.want {
			t.Errorf("MayRun(%d, %s, %s, %s) = %+v, want %+v", c.line, c.action, c.target, c.when, got, c.want)
		}
	}
	for work, want := range map[string][]int{
		escalation.RejectRequest: {1}, escalation.Triage: {2}, escalation.Operate: {3}, escalation.ComponentWork: {4}, escalation.FixProduct: {5}, escalation.PassOn: {1, 2, 3, 4},
	} {
		var may []int
		for line := range 7 {
			if s.MayDo(line, work).Allowed {
				may = append(may, line)
			}
		}
		check(t, work, may, want)
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
		all, err := s.Receptions(c.severity, at(c.when))
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
		check(t, c.severity.String()+" at "+c.when, takes, c.takes)
	}
	for line, want := range []int{1, 2, 3, 5, 5, 0} {
		next, ok, err := s.Next(line, incident.P1, at("2026-07-14T23:00:00Z"))
		if err != nil || next.Line != want || ok != (want > 0) {
			t.Errorf("Next(%d) = %+v, %t, %v, want line %d", line, next, ok, err, want)
		}
	}
	if _, _, err := s.Next(0, 0, at("2026-07-14T23:00:00Z")); err == nil {
		t.Error("Next without a severity = nil, want an error")
	}
}

func TestVendorTargets(t *testing.T) {
	vendor := newLines(t, lines()).Lines()[4].Vendor
	raised := at("2026-10-25T00:30:00Z") // the clocks of Amsterdam are put back at 01:00Z
	if due, ok := vendor.ResponseDue(incident.P1, raised); !ok || !due.Equal(at("2026-10-25T01:30:00Z")) {
		t.Errorf("P1 due %s, %t, want an hour later", due, ok)
	}
	if due, ok := vendor.ResponseDue(incident.P4, raised); ok {
		t.Errorf("P4 due %s, want no promise", due)
	}
}

func TestTrainingDue(t *testing.T) {
	list := escalation.SampleSupportLines("UTC")
	list[0].Training = []escalation.Training{{Topic: "b", Held: "2026-01-31", EveryMonths: 1}, {Topic: "a", Held: "2025-12-31", EveryMonths: 2}}
	list[1].Training = []escalation.Training{{Topic: "never", EveryMonths: 12}, {Topic: "leap", Held: "2024-02-29", EveryMonths: 24}, {Topic: "later", Held: "2026-02-01", EveryMonths: 1}}
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
		check(t, on, got, want)
	}
	_, err := s.TrainingDue("soon")
	checkProblems(t, "TrainingDue", err, []string{`on "soon"`})
}

func TestSupportLineProblems(t *testing.T) {
	office := []escalation.Window{{From: "09:00", To: "17:00"}}
	_, err := escalation.NewSupportLines([]escalation.SupportLine{
		{Line: 2, Zone: "CET/CEST", Hours: office, Operates: []string{"shop"}, OffHours: escalation.OffHours{By: "nobody"}},
		{
			Line: 2, Name: "x", May: []string{"y"}, Zone: "UTC", Hours: []escalation.Window{{From: "9"}}, OperationalDuty: true, Agreed: []escalation.AgreedAction{{}},
			Vendor: &escalation.Vendor{ResponseMinutes: map[incident.Severity]int{incident.P2: 0, 0: 5}, SupportEnds: "June"}, Training: []escalation.Training{{Held: "x"}},
			OffHours: escalation.OffHours{Least: 9},
		},
	})
	checkProblems(t, "NewSupportLines", err, []string{
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
	_, err = escalation.NewSupportLines([]escalation.SupportLine{
		{Line: 1, Name: "x", May: []string{"y"}, OffHours: escalation.OffHours{Least: incident.P1}},
		{Line: 2, Name: "x", May: []string{"y"}, Zone: "UTC", Hours: office, OffHours: escalation.OffHours{Least: incident.P1}},
	})
	checkProblems(t, "NewSupportLines", err, []string{`support_lines[0].off_hours ""`, `support_lines[1].off_hours.by ""`})
}

// A roster holds the lines, as JSON too.
func TestSupportLinesOfARoster(t *testing.T) {
	roster := escalation.SampleRoster()
	roster.SupportLines = lines()
	again, err := escalation.ParseRoster([]byte(mustJSON(t, roster)))
	if err != nil {
		t.Fatal(err)
	}
	if mustJSON(t, newRouter(t, again).SupportLines().Lines()) != mustJSON(t, lines()) {
		t.Errorf("after a round trip: %+v, want %+v", again.SupportLines, lines())
	}
	if newRouter(t, escalation.SampleRoster()).SupportLines() != nil {
		t.Error("SupportLines() of a roster without any, want nil")
	}
	roster.SupportLines[2].Line = 7
	checkProblems(t, "Validate", roster.Validate(), []string{`support_lines[3].line "4"`})
}
