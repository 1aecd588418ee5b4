package continuity_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident/continuity"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// dated has two services and the payroll run of the first. In October 2026 that is
// on Friday the 23rd, from the 22nd 22:00 to the 23rd 22:00 UTC.
func dated(tb testing.TB, change func(*continuity.KeyDate)) *continuity.Register {
	tb.Helper()
	k := payroll()
	k.RehearsedAt = noon.Add(-day)
	change(&k)
	return register(tb, continuity.Catalogue{
		Services: []continuity.Service{complete("web"), complete("db")}, KeyDates: []continuity.KeyDate{k},
		Runbooks: []continuity.Runbook{{ID: "pay", Services: []string{"db"}, Purpose: continuity.ForKeyDate, Owner: "ops", Steps: []string{"run"}, ReviewedAt: noon}},
	})
}

func same(*continuity.KeyDate) {}

func TestFreeze(t *testing.T) {
	october := between(t, "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z")
	for _, c := range []struct {
		name   string
		work   continuity.Work
		change func(*continuity.KeyDate)
		want   []string
	}{
		{"inside", continuity.Work{Window: between(t, "2026-10-23T01:00:00Z", "2026-10-23T02:00:00Z")}, same, []string{"freeze_conflict CHG-1 10-23 01:00"}},
		{"from before", continuity.Work{Window: between(t, "2026-10-22T20:00:00Z", "2026-10-22T22:00:01Z")}, same, []string{"freeze_conflict CHG-1 10-22 22:00"}},
		{"up to its beginning", continuity.Work{Window: between(t, "2026-10-22T20:00:00Z", "2026-10-22T22:00:00Z")}, same, nil},
		{"from its end", continuity.Work{Window: between(t, "2026-10-23T22:00:00Z", "2026-10-23T23:00:00Z")}, same, nil},
		{"an instant", continuity.Work{Window: between(t, "2026-10-22T22:00:00Z", "2026-10-22T22:00:00Z")}, same, []string{"freeze_conflict CHG-1 10-22 22:00"}},
		{"the instant of the end", continuity.Work{Window: between(t, "2026-10-23T22:00:00Z", "2026-10-23T22:00:00Z")}, same, nil},
		{"of another service", continuity.Work{Services: []string{"web"}, Window: between(t, "2026-10-23T01:00:00Z", "2026-10-23T02:00:00Z")}, same, nil},
		{"no freeze", continuity.Work{Window: between(t, "2026-10-23T01:00:00Z", "2026-10-23T02:00:00Z")}, func(k *continuity.KeyDate) { k.Freeze = false }, nil},
		{
			"of all services",
			continuity.Work{Window: between(t, "2026-10-23T01:00:00Z", "2026-10-23T02:00:00Z")},
			func(k *continuity.KeyDate) { k.Services = nil },
			[]string{"freeze_conflict CHG-1 10-23 01:00", "freeze_conflict CHG-1 10-23 01:00"},
		},
		{"emergency", continuity.Work{Emergency: true, Window: between(t, "2026-10-23T01:00:00Z", "2026-10-23T02:00:00Z")}, same, []string{"freeze_conflict CHG-1 10-23 01:00"}},
	} {
		c.work.Ref, c.work.Kind = "CHG-1", continuity.Change
		r := dated(t, func(k *continuity.KeyDate) { k.Cover = nil; c.change(k) })
		got, err := r.CheckDates(october, continuity.Plans{Work: []continuity.Work{c.work}})
		if err != nil || !slices.Equal(brief(got), c.want) {
			t.Errorf("%s: %q, %v, want %q", c.name, brief(got), err, c.want)
		}
		if len(got) == 1 && !strings.Contains(got[0].Text, "the freeze of Payroll run on 2026-10-23") {
			t.Errorf("%s: text %q", c.name, got[0].Text)
		}
		if len(got) == 1 && c.work.Emergency != strings.HasPrefix(got[0].Text, "emergency change CHG-1") {
			t.Errorf("%s: text %q", c.name, got[0].Text)
		}
	}
}

func TestCover(t *testing.T) {
	october := between(t, "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z")
	for _, c := range []struct {
		name  string
		cover continuity.Cover
		want  string
	}{
		{"enough", func(string, calendar.Interval) (int, bool) { return 2, true }, ""},
		{"too few", func(string, calendar.Interval) (int, bool) { return 1, true }, "cover_missing"},
		{"nobody knows", func(string, calendar.Interval) (int, bool) { return 2, false }, "cover_unknown"},
		{"nobody to ask", nil, "cover_unknown"},
		{"asked for the right thing", func(domain string, during calendar.Interval) (int, bool) {
			if domain != "databases" || !during.Equal(between(t, "2026-10-22T22:00:00Z", "2026-10-23T22:00:00Z")) {
				return 0, true
			}
			return 2, true
		}, ""},
	} {
		got, err := dated(t, same).CheckDates(october, continuity.Plans{Cover: c.cover})
		var code string
		if len(got) > 0 {
			code = string(got[0].Code)
		}
		if err != nil || code != c.want || len(got) > 1 {
			t.Errorf("%s: %v, %v, want %q", c.name, got, err, c.want)
		}
	}
	nameless := func(k *continuity.KeyDate) { k.Name = "" }
	if got, err := dated(t, nameless).CheckDates(october, continuity.Plans{}); err != nil || !strings.HasPrefix(got[0].Text, "payroll on 2026-10-23 wants 2") {
		t.Errorf("a key date without a name: %v, %v", got, err)
	}
	got, err := dated(t, same).CheckDates(october, continuity.Plans{Cover: func(string, calendar.Interval) (int, bool) { return 1, true }})
	const want = "Payroll run on 2026-10-23 wants 2 on duty for databases from 2026-10-22 22:00 UTC to 2026-10-23 22:00 UTC, 1 planned"
	if err != nil || got[0].Text != want {
		t.Errorf("text %q, %v, want %q", got[0].Text, err, want)
	}
}

func TestPlansRefused(t *testing.T) {
	for path, w := range map[string]continuity.Work{
		"work[1].ref":    {Kind: continuity.Change, Window: year(2026)},
		"work[1].kind":   {Ref: "x", Window: year(2026)},
		"work[1].window": {Ref: "x", Kind: continuity.Maintenance, Window: calendar.Interval{Start: noon}},
	} {
		good := continuity.Work{Ref: "x", Kind: continuity.Change, Window: year(2026)}
		_, err := dated(t, same).CheckDates(year(2026), continuity.Plans{Work: []continuity.Work{good, w}})
		if e, ok := errors.AsType[*continuity.RecordError](err); !ok || e.Path != path {
			t.Errorf("%s: CheckDates = %v, want a RecordError there", path, err)
		}
	}
	backwards := calendar.Interval{Start: noon, End: noon.Add(-1)}
	r := dated(t, same)
	_, errDates := r.KeyDates(backwards)
	_, errCheck := r.CheckDates(backwards, continuity.Plans{})
	_, errReady := r.Readiness(noon, -1, continuity.Plans{})
	for name, err := range map[string]error{"KeyDates": errDates, "CheckDates": errCheck, "Readiness": errReady} {
		if !errors.Is(err, calendar.ErrInverted) {
			t.Errorf("%s of a horizon backwards: %v, want ErrInverted", name, err)
		}
	}
}

// What a key date needs at any time: a runbook that is there, reviewed and rehearsed.
func TestDateFindings(t *testing.T) {
	dates := func(r *continuity.Register, at time.Time) []string {
		return brief(slices.DeleteFunc(r.Findings(at), func(f continuity.Finding) bool {
			return f.Subject != "payroll" && f.Subject != "pay"
		}))
	}
	for _, c := range []struct {
		name   string
		change func(*continuity.KeyDate)
		at     time.Time
		want   []string
	}{
		{"all there", same, noon, nil},
		{"no runbook", func(k *continuity.KeyDate) { k.Runbook = "" }, noon, []string{"runbook_missing payroll always"}},
		{"a runbook that is not there", func(k *continuity.KeyDate) { k.Runbook = "pays" }, noon, []string{"runbook_missing payroll always"}},
		{"never rehearsed", func(k *continuity.KeyDate) { k.RehearsedAt = time.Time{} }, noon, []string{"rehearsal_overdue payroll always"}},
		{"a year after", same, noon.Add(364 * day), []string{"rehearsal_overdue payroll 09-30 12:00"}},
		{"a year after the review", same, noon.Add(365 * day), []string{"runbook_stale pay 10-01 12:00", "rehearsal_overdue payroll 09-30 12:00"}},
		{
			"of a service that the runbook does not name", func(k *continuity.KeyDate) { k.Services = []string{"web"} }, noon.Add(365 * day),
			[]string{"runbook_stale pay 10-01 12:00", "runbook_stale pay 10-01 12:00", "rehearsal_overdue payroll 09-30 12:00"},
		},
	} {
		if got := dates(dated(t, c.change), c.at); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	k := payroll()
	r := register(t, continuity.Catalogue{
		Services: []continuity.Service{complete("db")}, KeyDates: []continuity.KeyDate{k},
		Runbooks: []continuity.Runbook{{ID: "pay", Services: []string{"db"}, Purpose: continuity.ForKeyDate, Owner: "ops", Steps: []string{"run"}, ReviewedAt: noon, RehearsedAt: noon}},
	})
	for _, at := range []time.Time{noon, noon.Add(day)} {
		if got := dates(r, at); len(got) > 0 {
			t.Errorf("a rehearsal of the runbook counts: %q", got)
		}
	}
	if got, want := dates(r, noon.Add(-1)), []string{"runbook_stale pay always", "rehearsal_overdue payroll always"}; !slices.Equal(got, want) {
		t.Errorf("one that lies ahead does not: %q, want %q", got, want)
	}
}

// Key dates come by start, then by name, whatever the order of the catalogue.
func TestKeyDates(t *testing.T) {
	date := func(id string, rule continuity.Rule) continuity.KeyDate {
		return continuity.KeyDate{ID: id, Rule: rule, Zone: "UTC"}
	}
	all := []continuity.KeyDate{date("sale", continuity.Rule{Dates: []string{"2026-11-27"}}), date("close", continuity.Rule{Last: 2}), date("audit", continuity.Rule{Day: 27})}
	service := []continuity.Service{complete("db")}
	horizon := between(t, "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z")
	one, err := register(t, continuity.Catalogue{Services: service, KeyDates: all}).KeyDates(horizon)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range one {
		got = append(got, o.KeyDate+" "+o.Days[0].Date)
	}
	// The last two business days are Friday the 27th and Monday the 30th.
	if want := []string{"audit 2026-11-27", "close 2026-11-27", "sale 2026-11-27", "close 2026-11-30"}; !slices.Equal(got, want) {
		t.Errorf("key dates %q, want %q", got, want)
	}
	slices.Reverse(all)
	if other, err := register(t, continuity.Catalogue{Services: service, KeyDates: all}).KeyDates(horizon); err != nil || !reflect.DeepEqual(one, other) {
		t.Errorf("in another order %v, %v, want %v", other, err, one)
	}
}

// By start, key date and domain: the first of the month for "b" and "a", the second for
// "a" alone. A date without cover asks for none.
func TestCoverAsked(t *testing.T) {
	date := func(id, on string, cover map[string]int) continuity.KeyDate {
		return continuity.KeyDate{ID: id, Zone: "UTC", Rule: continuity.Rule{Dates: []string{on}}, Cover: cover}
	}
	r := register(t, continuity.Catalogue{Services: []continuity.Service{{ID: "s"}}, KeyDates: []continuity.KeyDate{
		date("late", "2026-10-02", map[string]int{"a": 1}), date("early", "2026-10-01", map[string]int{"b": 3, "a": 2}), date("none", "2026-10-01", nil),
		date("outside", "2026-11-05", map[string]int{"a": 9}),
	}})
	got, err := r.CoverAsked(between(t, "2026-10-01T12:00:00Z", "2026-11-01T00:00:00Z"))
	first, second := between(t, "2026-10-01T00:00:00Z", "2026-10-02T00:00:00Z"), between(t, "2026-10-02T00:00:00Z", "2026-10-03T00:00:00Z")
	want := []continuity.Asked{
		{KeyDate: "early", Domain: "a", People: 2, Window: first}, {KeyDate: "early", Domain: "b", People: 3, Window: first}, {KeyDate: "late", Domain: "a", People: 1, Window: second},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("CoverAsked = %+v, %v, want %+v", got, err, want)
	}
	if _, err := r.CoverAsked(calendar.Interval{Start: second.End, End: first.Start}); err == nil {
		t.Error("a horizon that ends before it begins: want an error")
	}
}
