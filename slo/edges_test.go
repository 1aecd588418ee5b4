package slo_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/slo"
)

// consumed >= 1 is 0 seconds to exhaustion, also while nothing happens.
func TestExhaustedWithoutRecentEvents(t *testing.T) {
	tracker := mustTracker(t, slo.Objective{Target: slo.MustPercent("99"), Windows: []slo.Window{slo.Rolling(24 * time.Hour)}}, nil)
	if err := tracker.Observe(origin, slo.Counts{Good: 1, Total: 2}); err != nil {
		t.Fatal(err)
	}
	at := origin.Add(5 * time.Hour)
	if err := tracker.Advance(at); err != nil {
		t.Fatal(err)
	}
	f, err := tracker.Forecast(time.Hour)
	if err != nil || f.Burn.IsSet() || f.Seconds.String() != "0/1" || !f.ExhaustsAt.Equal(at) {
		t.Errorf("Forecast = %+v, %v, want exhausted at %v", f, err, at)
	}
}

// At the first instant of a day nothing is known of it, whatever the last hour of
// the day before was like.
func TestForecastAtTheStartOfAPeriod(t *testing.T) {
	midnight := time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC)
	tracker := mustTracker(t, slo.Objective{Target: slo.MustPercent("90"), Windows: []slo.Window{slo.Calendar(slo.Day, nil)}}, nil)
	if err := tracker.Observe(midnight, slo.Counts{Good: 1, Total: 2}); err != nil {
		t.Fatal(err)
	}
	f, err := tracker.Forecast(time.Hour)
	if s := statusOf(t, tracker); err != nil || s.State != slo.NoData || f.Seconds.IsSet() || !f.ExhaustsAt.IsZero() {
		t.Errorf("%s: forecast %+v, %v, want none", s.State, f, err)
	}
	// One minute later a burn of 10 has lasted for one of 1440 minutes. The last
	// hour has 2 of 3 bad, a burn of 20/3: 1430/1440 of the budget last so long.
	if err := tracker.Observe(midnight.Add(time.Minute), slo.Counts{Total: 1}); err != nil {
		t.Fatal(err)
	}
	f, err = tracker.Forecast(time.Hour)
	want := slo.NewRatio((1440-10)*60*3, 20)
	if err != nil || f.Seconds.Compare(want) != 0 {
		t.Errorf("Forecast = %s s, %v, want %s", f.Seconds, err, want)
	}
}

// A month of 720 h at 99.9 % allows 2592 s. 72 h nobody looked, in 2 h of which it
// is known to have been down: 650 h were observed, 2340 s allowed.
func TestDowntimeGaps(t *testing.T) {
	hour := func(from, to int64) calendar.Interval { return stretch(from*3600, to*3600) }
	s, err := slo.EvaluateDowntime(slo.MustPercent("99.9"), slo.Downtime{
		Window: hour(0, 720), Down: []calendar.Interval{hour(100, 102), hour(300, 301)}, Gaps: []calendar.Interval{hour(90, 130), hour(120, 162)},
	})
	if err != nil {
		t.Fatal(err)
	}
	const h = uint64(time.Hour)
	if s.Bad != 3*h || s.Total != 650*h || s.Observed != 650*time.Hour || s.Coverage.Compare(slo.NewRatio(650, 720)) != 0 ||
		s.Allowed.Compare(slo.NewRatio(2340*int64(time.Second), 1)) != 0 || s.Excluded != 0 || s.Weighted.Total.Compare(slo.NewRatio(650*3600, 1)) != 0 {
		t.Errorf("%v of %v down, observed %v, coverage %s, allowed %s", s.Bad, s.Total, s.Observed, s.Coverage, s.Allowed)
	}
	if _, err := slo.EvaluateDowntime(slo.MustPercent("99.9"), slo.Downtime{Window: hour(0, 9), Gaps: []calendar.Interval{{Start: hour(0, 9).End, End: hour(0, 9).Start}}}); !errors.Is(err, calendar.ErrInverted) {
		t.Errorf("an inverted gap: %v", err)
	}
}

func TestRefusesWhatCannotBe(t *testing.T) {
	for _, c := range []slo.Ratio{slo.NewRatio(-1, 2), slo.NewRatio(0, 1), slo.NewRatio(3, 2), slo.Inf(1), slo.Inf(-1)} {
		if err := (slo.Risk{Consumed: c}).Validate(); err == nil {
			t.Errorf("risk from %s: no error", c)
		}
	}
	for _, c := range []slo.Ratio{{}, slo.NewRatio(3, 4), slo.NewRatio(1, 1)} {
		if err := (slo.Risk{Consumed: c}).Validate(); err != nil {
			t.Errorf("risk from %s: %v", c, err)
		}
	}
	for name, e := range map[string]slo.Evidence{
		"expected": {Counts: slo.Counts{Good: 5, Total: 10}, Expected: 9},
		"measure":  {Measure: 9},
		"risk":     {Risk: slo.Risk{Consumed: slo.Inf(1)}},
	} {
		if _, err := slo.Evaluate(slo.MustPercent("99"), e); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := slo.ParsePercent("99.999999999999999999"); err == nil || !strings.Contains(err.Error(), "64 bits") {
		t.Errorf("twenty digits: %v, want the reason", err)
	}
	if got := slo.MustPercent("99").AllowedDowntime(-time.Hour); got.IsSet() {
		t.Errorf("AllowedDowntime(-1h) = %s, want absent", got)
	}
	var m slo.Measure
	if err := json.Unmarshal([]byte(`""`), &m); err != nil || m != slo.Events {
		t.Errorf(`measure "" = %s, %v, want events`, m, err)
	}
	tracker := mustTracker(t, slo.Objective{Target: slo.MustPercent("99"), Windows: []slo.Window{slo.Rolling(time.Hour)}}, nil)
	if err := tracker.Advance(origin); err != nil {
		t.Fatal(err)
	}
	const want = "advance to 2026-03-28T19:00:00Z after 2026-03-28T20:00:00Z: out of order"
	if err := tracker.Advance(origin.Add(-time.Hour)); err == nil || err.Error() != want {
		t.Errorf("Advance = %v, want %s", err, want)
	}
}

// Every line of a joined error can be told from those of another objective.
func TestErrorsNameTheObjective(t *testing.T) {
	o := slo.Objective{
		ID: "a", Target: slo.MustPercent("99"), Windows: []slo.Window{{}, {}},
		Slices:       &slo.Slicing{},
		Policy:       slo.Policy{Rules: []slo.Rule{{}, {}}},
		BudgetPolicy: slo.BudgetPolicy{Actions: []slo.BudgetAction{{}, {}}},
		Risk:         slo.Risk{Consumed: slo.Inf(1)},
	}
	err := o.Validate()
	lines := strings.Split(err.Error(), "\n")
	if len(lines) < 12 {
		t.Errorf("%d lines, want all that is wrong", len(lines))
	}
	for _, l := range lines {
		if !strings.HasPrefix(l, `objective "a": `) {
			t.Errorf("%q does not name the objective", l)
		}
	}
	var rule *slo.RuleError
	if !errors.As(err, &rule) || !strings.Contains(err.Error(), `objective "a": policy: rules[1] "": want`) {
		t.Errorf("%v", err)
	}
}

// A part at a target of 100 % with an error burns infinitely fast.
func TestCompositeInfiniteBurn(t *testing.T) {
	one, two := slo.NewRatio(1, 1), slo.NewRatio(2, 1)
	r, err := slo.Composite(slo.Occurrences, []slo.Part{{Burn: two}, {Burn: slo.Inf(1)}, {Burn: one}}, 0)
	if err != nil || !r.BurnMax.IsInf(1) || !r.BurnSum.IsInf(1) || !r.Losses[1].Loss.IsInf(1) {
		t.Errorf("%+v, %v, want infinite", r, err)
	}
	r, err = slo.Composite(slo.Occurrences, []slo.Part{{Burn: two}, {Burn: slo.Inf(1), Weight: slo.NewRatio(0, 1)}}, 0)
	if err != nil || r.BurnMax.Compare(two) != 0 || r.BurnSum.Compare(two) != 0 {
		t.Errorf("%+v, %v, want 2: the other part does not count", r, err)
	}
	if _, err = slo.Composite(slo.Occurrences, []slo.Part{{Burn: slo.Inf(-1)}}, 0); err == nil {
		t.Error("a burn rate of -Inf: no error")
	}
}
