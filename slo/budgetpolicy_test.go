package slo_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/slo"
)

// At 99 % 1000 events may hold 10 bad ones.
func TestBudgetReview(t *testing.T) {
	week := calendar.Interval{Start: origin, End: origin.Add(7 * 24 * time.Hour)}
	policy := slo.DefaultBudgetPolicy()
	policy.Unused = slo.NewRatio(6, 10)
	slices.Reverse(policy.Actions) // the order of the list does not matter
	for _, tt := range []struct {
		name          string
		bad, total    uint64
		at            time.Time
		due, next     string
		until, unused slo.Ratio
	}{
		{"no data", 0, 0, week.End, "", "review", slo.NewRatio(1, 2), slo.Ratio{}},
		{"little used", 3, 1000, week.End, "", "review", slo.NewRatio(1, 5), slo.NewRatio(7, 10)},
		{"just as much left as may be", 4, 1000, week.End, "", "review", slo.NewRatio(1, 10), slo.Ratio{}},
		// A day of seven: 0.3 · 1/7 is consumed, and it is too early to tell what is left.
		{"not over yet", 3, 1000, week.Start.Add(24 * time.Hour), "", "review", slo.NewRatio(32, 70), slo.Ratio{}},
		{"half exactly", 5, 1000, week.End, "review", "caution", slo.NewRatio(1, 4), slo.Ratio{}},
		{"nine tenths", 9, 1000, week.End, "review caution", "freeze", slo.NewRatio(1, 10), slo.Ratio{}},
		{"all", 10, 1000, week.End, "review caution freeze", "", slo.Ratio{}, slo.Ratio{}},
	} {
		c, err := slo.FromBad(tt.bad, tt.total)
		if err != nil {
			t.Fatal(err)
		}
		s, err := slo.Evaluate(slo.MustPercent("99"), slo.Evidence{Counts: c, Window: week, At: tt.at})
		if err != nil {
			t.Fatal(err)
		}
		r := policy.Review(s)
		var due []string
		for _, a := range r.Due {
			due = append(due, a.Name)
		}
		next := ""
		if r.Next != nil {
			next = r.Next.Name
		}
		if strings.Join(due, " ") != tt.due || next != tt.next || r.Until.Compare(tt.until) != 0 || r.Unused.Compare(tt.unused) != 0 {
			t.Errorf("%s: due %q, next %q in %s, unused %s, want %q, %q, %s, %s", tt.name, due, next, r.Until, r.Unused, tt.due, tt.next, tt.until, tt.unused)
		}
	}
	whole, err := slo.Evaluate(slo.MustPercent("100"), slo.Evidence{Counts: slo.Counts{Good: 9, Total: 10}})
	if err != nil {
		t.Fatal(err)
	}
	if r := policy.Review(whole); len(r.Due) != 3 {
		t.Errorf("a target of 100 %%, missed: %d actions due, want 3", len(r.Due))
	}
}

func TestBudgetPolicyValidate(t *testing.T) {
	half := slo.NewRatio(1, 2)
	for _, tt := range []struct {
		name   string
		policy slo.BudgetPolicy
		want   string // "" for valid
	}{
		{"none", slo.BudgetPolicy{}, ""},
		{"default", slo.DefaultBudgetPolicy(), ""},
		{"above all of it", slo.BudgetPolicy{Actions: []slo.BudgetAction{{"stop", slo.NewRatio(3, 2), ""}}}, ""},
		{"no name", slo.BudgetPolicy{Actions: []slo.BudgetAction{{"", half, ""}}}, "want a name"},
		{"twice", slo.BudgetPolicy{Actions: []slo.BudgetAction{{"a", half, ""}, {"a", half, ""}}}, "name of its own"},
		{"no share", slo.BudgetPolicy{Actions: []slo.BudgetAction{{"a", slo.Ratio{}, ""}}}, "share above 0"},
		{"share of 0", slo.BudgetPolicy{Actions: []slo.BudgetAction{{"a", slo.NewRatio(0, 1), ""}}}, "share above 0"},
		{"infinite share", slo.BudgetPolicy{Actions: []slo.BudgetAction{{"a", slo.Inf(1), ""}}}, "share above 0"},
		{"unused", slo.BudgetPolicy{Unused: slo.NewRatio(11, 10)}, "0 to 1"},
	} {
		o := slo.Objective{ID: "a", Target: slo.MustPercent("99"), Windows: []slo.Window{slo.Rolling(time.Hour)}, BudgetPolicy: tt.policy}
		err := o.Validate()
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestObjectiveJSON(t *testing.T) {
	window := slo.Rolling(30 * 24 * time.Hour)
	policy, err := slo.DefaultPolicy(window)
	if err != nil {
		t.Fatal(err)
	}
	policy.Rules = append(policy.Rules, absolute(3, slo.NewRatio(1, 3)), silence(10*time.Minute))
	o := slo.Objective{
		ID: "checkout", Service: "shop", Owner: "platform", Runbook: "https://example.org/checkout",
		Target: slo.MustPercent("99.95"), Policy: policy, BudgetPolicy: slo.DefaultBudgetPolicy(),
		Windows: []slo.Window{window, slo.Calendar(slo.Month, zone(t, "Europe/Amsterdam")), slo.Anchored(wall("2026-01-31T00:00:00"), 3, slo.Month, zone(t, "America/New_York"))},
		Slices:  &slo.Slicing{Length: time.Minute, Target: slo.MustPercent("95"), NoData: slo.BadNoData},
		Risk:    slo.Risk{Consumed: slo.NewRatio(3, 4), OnRule: true},
	}
	data, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var back slo.Objective
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil || string(again) != string(data) || back.Validate() != nil {
		t.Errorf("%v\n%s\nread back:\n%s", err, data, again)
	}
	at := origin.Add(100 * 24 * time.Hour)
	for i, w := range o.Windows {
		if got, want := back.Windows[i].Period(at), w.Period(at); got != want {
			t.Errorf("%s: period %+v, want %+v", w, got, want)
		}
	}
}
