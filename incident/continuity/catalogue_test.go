package continuity_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/continuity"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

func support() *calendar.Hours {
	return &calendar.Hours{Zone: "Europe/Amsterdam", Week: calendar.EveryDay("00:00", "24:00")}
}

func TestValidate(t *testing.T) {
	target, err := incident.ParseTarget("< 4 hours")
	if err != nil {
		t.Fatal(err)
	}
	c := continuity.Catalogue{
		Services: []continuity.Service{
			{ID: "web", DependsOn: []string{"app", "cache"}},
			{ID: "app", DependsOn: []string{"db", "app"}, EndOfSale: "2027-01-01", EndOfSupport: "2026-12-31", EndOfLife: "2027-13-01"},
			{ID: "db", DependsOn: []string{"web"}, Vendors: []continuity.Vendor{{SLA: "V-1"}}, Support: &calendar.Hours{Zone: "CET/CEST"}},
			{ID: "db"},
			{},
		},
		Runbooks: []continuity.Runbook{
			{ID: "r", Services: []string{"dbs", "web", "web"}, Purpose: continuity.ForDR, Steps: []string{""}, ReviewEvery: -1},
			{ID: "r", Purpose: ""},
		},
		KeyDates: []continuity.KeyDate{
			{ID: "k", Zone: "UTC", Rule: continuity.Rule{Day: 1, Last: 2}, Services: []string{"shop"}, Cover: map[string]int{"databases": 0}},
			{ID: "k", Zone: "UTC", Rule: continuity.Rule{Day: 1}},
		},
		Tasks:  []continuity.Task{{ID: "t", Service: "we", Due: "soon"}, {ID: "t", Service: "web", Kind: continuity.PatchLevel}},
		Policy: continuity.Policy{RestoreEvery: -1, SuccessRate: target, Scenarios: []continuity.Scenario{""}},
	}
	var got []string
	for e := range errorsOf(c.Validate()) {
		got = append(got, e.Path)
	}
	want := []string{
		"services[3].service", "services[4].service",
		"services[0].depends_on[1]",                             // no cache
		"services[1].end_of_support", "services[1].end_of_life", // before the end of sale; no date
		"services[2].support_window", "services[2].vendors[0].name",
		"services[1].depends_on[1]", // itself
		"runbooks[0].services[0]", "runbooks[0].services[2]", "runbooks[0].steps[0]", "runbooks[0].review_every_ns",
		"runbooks[1].id", "runbooks[1].services", "runbooks[1].purpose",
		"key_dates[0].services[0]", "key_dates[0].extra_cover.databases", "key_dates[0].rule.day", "key_dates[1].id",
		"tasks[0].service", "tasks[0].kind", "tasks[0].due", "tasks[1].id", "tasks[1].due",
		"policy.restore_every_ns", "policy.restore_success_rate", "policy.scenarios[0]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("Validate refuses\n%q, want\n%q", got, want)
	}
	if r, err := continuity.New(c); r != nil || err == nil || err.Error() != c.Validate().Error() {
		t.Errorf("New = %v, %v, want the error of Validate", r, err)
	}
}

// Services that depend on each other are reported with the whole way round.
func TestCircles(t *testing.T) {
	service := func(id string, on ...string) continuity.Service { return continuity.Service{ID: id, DependsOn: on} }
	for _, c := range []struct {
		name     string
		services []continuity.Service
		want     []string
	}{
		{"a diamond", []continuity.Service{service("a", "b", "c"), service("b", "d"), service("c", "d"), service("d")}, nil},
		{"itself", []continuity.Service{service("a", "a")}, []string{"a on a"}},
		{"three, entered from outside", []continuity.Service{service("x", "b"), service("a", "b"), service("b", "c"), service("c", "a")}, []string{"b on c on a on b"}},
		{"two circles", []continuity.Service{service("a", "b"), service("b", "a"), service("c", "d"), service("d", "c")}, []string{"a on b on a", "c on d on c"}},
	} {
		var got []string
		for e := range errorsOf(continuity.Catalogue{Services: c.services}.Validate()) {
			got = append(got, strings.TrimPrefix(e.Want, "no circle, not "))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: circles %q, want %q", c.name, got, c.want)
		}
	}
}

// A bare entry lists all that it lacks; a full one nothing.
func TestIncomplete(t *testing.T) {
	r := register(t, continuity.Catalogue{Services: []continuity.Service{
		{ID: "bare", Vendors: []continuity.Vendor{{Name: "Acme Disks"}}},
	}})
	want := []string{
		"restore_never_tested always", "dr_never_tested always", "runbook_missing always",
		"incomplete lines always", "incomplete owner always", "incomplete support_window always", "incomplete tier always", "incomplete vendors always",
	}
	if got := brief(r.Findings(noon)); !slices.Equal(got, want) {
		t.Errorf("findings %q, want %q", got, want)
	}
	full := complete("web")
	full.Stateless, full.Vendors = true, []continuity.Vendor{{Name: "Acme Disks", SLA: "V-1"}}
	r = register(t, continuity.Catalogue{
		Services: []continuity.Service{full}, Runbooks: []continuity.Runbook{drBook("web")},
	})
	d := drTest("dr-1", continuity.DataCentre, noon, continuity.Passed)
	d.Services = []string{"web"}
	addTest(t, r, d)
	if got := r.Findings(noon); len(got) > 0 {
		t.Errorf("findings of a full entry: %v", got)
	}
}

// The last date is one on which it still is sold, supported and runs.
func TestEnds(t *testing.T) {
	atOnce := continuity.Service{ID: "db", EndOfSale: "2026-09-30", EndOfSupport: "2026-09-30", EndOfLife: "2026-09-30"}
	if err := (continuity.Catalogue{Services: []continuity.Service{atOnce}}).Validate(); err != nil {
		t.Errorf("all ends on one date: %v", err)
	}
	s := complete("db")
	s.Stateless, s.EndOfSale, s.EndOfSupport, s.EndOfLife = true, "2026-09-30", "2026-10-01", "2026-10-02"
	r := register(t, continuity.Catalogue{Services: []continuity.Service{s}, Runbooks: []continuity.Runbook{drBook("db")}})
	addTest(t, r, drTest("dr-1", continuity.DataCentre, noon.Add(-day), continuity.Passed))
	for _, c := range []struct {
		at   time.Time
		want []string
	}{
		{noon, []string{"end_of_sale end_of_sale 10-01 00:00"}},
		{time.Date(2026, 10, 1, 23, 59, 59, 999999999, time.UTC), []string{"end_of_sale end_of_sale 10-01 00:00"}},
		{time.Date(2026, 10, 2, 0, 0, 0, 0, time.UTC), []string{"end_of_sale end_of_sale 10-01 00:00", "end_of_support end_of_support 10-02 00:00"}},
	} {
		if got := brief(r.Findings(c.at)); !slices.Equal(got, c.want) {
			t.Errorf("at %v: %q, want %q", c.at, got, c.want)
		}
	}
}

func TestRunbooks(t *testing.T) {
	book := func(change func(*continuity.Runbook)) continuity.Runbook {
		b := drBook("web")
		change(&b)
		return b
	}
	s := complete("web")
	s.Stateless = true
	for _, c := range []struct {
		name string
		book continuity.Runbook
		want []string
	}{
		{"reviewed and rehearsed", book(func(*continuity.Runbook) {}), nil},
		{"never", book(func(b *continuity.Runbook) { b.ReviewedAt, b.RehearsedAt = time.Time{}, time.Time{} }), []string{"runbook_stale dr always", "rehearsal_overdue dr always"}},
		{"a year ago", book(func(b *continuity.Runbook) { b.ReviewedAt = noon.Add(-365 * day) }), []string{"runbook_stale dr 10-01 12:00"}},
		{"nearly", book(func(b *continuity.Runbook) { b.ReviewedAt = noon.Add(-365*day + 1) }), nil},
		{"its own interval", book(func(b *continuity.Runbook) { b.ReviewedAt, b.ReviewEvery = noon.Add(-31*day), 30*day }), []string{"runbook_stale dr 09-30 12:00"}},
		{"in the future", book(func(b *continuity.Runbook) { b.ReviewedAt = noon.Add(1) }), []string{"runbook_stale dr always"}},
		{"nobody's", book(func(b *continuity.Runbook) { b.Owner, b.Steps = "", nil }), []string{"incomplete dr always", "incomplete dr always"}},
		{"not for disasters", book(func(b *continuity.Runbook) { b.Purpose, b.RehearsedAt = continuity.ForUpdate, time.Time{} }), []string{"runbook_missing dr always"}},
	} {
		r := register(t, continuity.Catalogue{Services: []continuity.Service{s}, Runbooks: []continuity.Runbook{c.book}})
		d := drTest("dr-1", continuity.DataCentre, noon.Add(-day), continuity.Passed)
		d.Services = []string{"web"}
		addTest(t, r, d)
		if got := brief(r.Findings(noon)); !slices.Equal(got, c.want) {
			t.Errorf("%s: findings %q, want %q", c.name, got, c.want)
		}
	}
}

// A task is in time on the whole date on which it is due, and done with evidence
// only.
func TestTasks(t *testing.T) {
	due := time.Date(2026, 10, 2, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		task continuity.Task
		at   time.Time
		want string // the text, empty for none
	}{
		{"on the date", continuity.Task{}, due.Add(-1), ""},
		{"after it", continuity.Task{Owner: "bob"}, due, "certificate was due on 2026-10-01, owner bob"},
		{"done", continuity.Task{DoneAt: noon, Evidence: "serial 17"}, due, ""},
		{"done late", continuity.Task{DoneAt: due.Add(day), Evidence: "serial 17"}, due.Add(day), ""},
		{"not yet done", continuity.Task{DoneAt: due.Add(day), Evidence: "serial 17"}, due, "certificate was due on 2026-10-01"},
		{"without evidence", continuity.Task{DoneAt: noon}, due, "certificate was due on 2026-10-01 and done on 2026-10-01 12:00 UTC, without evidence"},
	} {
		c.task.ID, c.task.Service, c.task.Kind, c.task.Due = "cert", "db", continuity.Certificate, "2026-10-01"
		r := register(t, continuity.Catalogue{Services: []continuity.Service{complete("db")}, Tasks: []continuity.Task{c.task}})
		var got continuity.Finding
		for _, f := range r.Findings(c.at) {
			if f.Code == continuity.TaskOverdue {
				got = f
			}
		}
		if got.Text != c.want || c.want != "" && (got.Subject != "cert" || !got.Since.Equal(due)) {
			t.Errorf("%s: %+v, want %q since %v", c.name, got, c.want, due)
		}
	}
}

// A catalogue comes back from JSON as it was.
func TestJSON(t *testing.T) {
	target, err := incident.ParseTarget("> 99%")
	if err != nil {
		t.Fatal(err)
	}
	c := continuity.Catalogue{
		Services: []continuity.Service{complete("db")}, Runbooks: []continuity.Runbook{drBook("db")},
		KeyDates: []continuity.KeyDate{payroll()}, Tasks: []continuity.Task{{ID: "t", Service: "db", Kind: continuity.PatchLevel, Due: "2026-10-01"}},
		Policy: continuity.Policy{RestoreEvery: 30 * day, SuccessRate: target},
	}
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var back continuity.Catalogue
	if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(back, c) {
		t.Errorf("%s became %+v, %v", data, back, err)
	}
	var gate continuity.Gate
	if err := json.Unmarshal([]byte(`{"service":"db","core_workflows":["pay"],"tests":{"testing":["load"]}}`), &gate); err != nil || !slices.Equal(gate.Tests[continuity.Testing], []continuity.TestKind{continuity.LoadTest}) {
		t.Errorf("gate %+v, %v", gate, err)
	}
	e, ok := errors.AsType[*continuity.RecordError](json.Unmarshal([]byte(`{"stage":"staging"}`), new(continuity.Run)))
	if !ok || e.Value != "staging" {
		t.Errorf("an unknown stage: %v", e)
	}
}
