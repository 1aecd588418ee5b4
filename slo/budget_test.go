package slo_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/slo"
)

func TestEvaluateRefuses(t *testing.T) {
	target := slo.MustPercent("99.9")
	window := calendar.Interval{Start: origin, End: origin.Add(time.Hour)}
	for _, tt := range []struct {
		name   string
		target slo.Target
		e      slo.Evidence
		want   string
	}{
		{"no target", slo.Target{}, slo.Evidence{}, "target not set"},
		{"good above total", target, slo.Evidence{Counts: slo.Counts{Good: 2, Total: 1}}, "good 2 above total 1"},
		{"inverted window", target, slo.Evidence{Window: calendar.Interval{Start: window.End, End: window.Start}}, "end before start"},
		{"at before the window", target, slo.Evidence{Window: window, At: origin.Add(-1)}, "outside the window"},
		{"at after the window", target, slo.Evidence{Window: window, At: window.End.Add(1)}, "outside the window"},
		{"observed more than elapsed", target, slo.Evidence{Window: window, Observed: time.Hour + 1}, "observed 1h0m0.000000001s"},
		{"observed what was excluded", target, slo.Evidence{Window: window, Observed: time.Hour, Exclusions: []slo.Exclusion{{Interval: window}}}, "1h0m0s were excluded"},
		{"inverted exclusion", target, slo.Evidence{Window: window, Exclusions: []slo.Exclusion{{Interval: calendar.Interval{Start: window.End, End: origin}}}}, "exclusions: interval 0"},
		{"two at once", slo.Target{}, slo.Evidence{Counts: slo.Counts{Good: 2, Total: 1}}, "target not set\ncounts: good 2"},
	} {
		_, err := slo.Evaluate(tt.target, tt.e)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: Evaluate = %v, want an error with %q", tt.name, err, tt.want)
		}
	}
}

func TestEvaluateExpectedTraffic(t *testing.T) {
	month := slo.Calendar(slo.Month, nil).Period(origin)
	// Half a month, but a quarter of the traffic: 10 of 40 000 allowed 40.
	s, err := slo.Evaluate(slo.MustPercent("99.9"), slo.Evidence{
		Counts: slo.Counts{Good: 9990, Total: 10_000}, Window: month.Interval,
		At: month.Start.Add(month.Duration() / 2), Expected: 40_000,
	})
	if err != nil || s.Burn.String() != "1/1" || s.Consumed.String() != "1/4" || s.State != slo.OK || s.Met != slo.Met {
		t.Errorf("expected traffic: burn %s, consumed %s, %s, %s, %v, want 1, 1/4, ok, met", s.Burn, s.Consumed, s.State, s.Met, err)
	}
	s, err = slo.Evaluate(slo.MustPercent("100"), slo.Evidence{Counts: slo.Counts{Good: 1, Total: 2}, Window: month.Interval, At: month.Start.Add(time.Hour), Expected: 9})
	if err != nil || !s.Consumed.IsInf(1) || !s.Remaining.IsInf(-1) || s.State != slo.Exhausted {
		t.Errorf("no budget: consumed %s, remaining %s, %s, %v, want infinite, exhausted", s.Consumed, s.Remaining, s.State, err)
	}
}

// Laws: what is consumed and what remains is one whole, allowed less bad is left,
// a budget is left iff it is not exhausted in a rolling window, and an objective
// that is missed has an exhausted rolling budget.
func TestBudgetLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	targets := []slo.Target{slo.MustPercent("90"), slo.MustPercent("99.9"), slo.MustPercent("99.999"), slo.MustPercent("33.3")}
	for range 5000 {
		target := targets[r.IntN(len(targets))]
		total := r.Uint64() >> r.UintN(64)
		c := slo.Counts{Good: total - r.Uint64N(total/uint64(1+r.IntN(1000))+1), Total: total}
		s, err := slo.Evaluate(target, slo.Evidence{Counts: c})
		if err != nil {
			t.Fatal(err)
		}
		if total == 0 {
			continue
		}
		if got := minus(slo.NewRatio(1, 1), s.Consumed); got.Compare(s.Remaining) != 0 {
			t.Fatalf("%v at %s: 1 - consumed = %s, remaining %s", c, target, got, s.Remaining)
		}
		if (s.Left.Sign() > 0) != (s.State == slo.OK) || (s.Left.Sign() < 0) != (s.Met == slo.Missed) {
			t.Fatalf("%v at %s: left %s, %s, %s", c, target, s.Left, s.State, s.Met)
		}
	}
}

func TestStatusExplains(t *testing.T) {
	month := calendar.Interval{Start: origin, End: origin.Add(30 * 24 * time.Hour)}
	out := calendar.Interval{Start: origin.Add(time.Hour), End: origin.Add(3 * time.Hour)}
	s, err := slo.Evaluate(slo.MustPercent("99.5"), slo.Evidence{
		Counts: slo.Counts{Good: 142461, Total: 143000}, Window: month, At: origin.Add(10 * 24 * time.Hour),
		Observed: 200 * time.Hour, Exclusions: []slo.Exclusion{{Interval: out, Reason: "release"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `window = start < instant <= at [start 2026-03-28T20:00:00Z, at 2026-04-07T20:00:00Z, end 2026-04-27T20:00:00Z, elapsed 10d, length 30d] = events
exclusions = exclusion within the window, less earlier ones [start 2026-03-28T21:00:00Z, end 2026-03-28T23:00:00Z, clipped 2h] = 2h (release)
coverage = (observed + excluded) / elapsed [observed 8d8h, excluded 2h, elapsed 10d] = 101/120 ~ 0.841667
budget = 1 - target [target 199/200 ~ 0.995] = 1/200 ~ 0.005
error_ratio = bad / total [bad 539, total 143000] = 49/13000 ~ 0.00376923
allowed = budget * total [budget 1/200 ~ 0.005, total 143000] = 715
left = allowed - bad [allowed 715, bad 539] = 176
burn = error_ratio / budget [error_ratio 49/13000 ~ 0.00376923, budget 1/200 ~ 0.005] = 49/65 ~ 0.753846 (SRE Workbook, chapter 5)
consumed = burn * elapsed / length [burn 49/65 ~ 0.753846, elapsed 10d, length 30d] = 49/195 ~ 0.251282
remaining = 1 - consumed [consumed 49/195 ~ 0.251282] = 146/195 ~ 0.748718
met = good / total >= target [good 142461, total 143000, target 199/200 ~ 0.995] = met
state = consumed < 1 [consumed 49/195 ~ 0.251282] = ok
`
	if got := s.Explain().String(); got != want {
		t.Errorf("Explain() =\n%s, want\n%s", got, want)
	}
	empty, err := slo.Evaluate(slo.MustPercent("99.5"), slo.Evidence{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := empty.Explain().String(), "budget = 1 - target [target 199/200 ~ 0.995] = 1/200 ~ 0.005\nerror_ratio = bad / total [bad 0, total 0] = absent\nstate = total = 0 [total 0] = no_data\n"; got != want {
		t.Errorf("Explain() =\n%s, want\n%s", got, want)
	}
}

func TestStatusJSON(t *testing.T) {
	s, err := slo.Evaluate(slo.MustPercent("99.9"), slo.Evidence{})
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"target_percent":"99.9"`, `"sli":null`, `"error_ratio":null`, `"met":null`, `"state":"no_data"`, `"remaining":"1/1"`} {
		if !strings.Contains(string(data), want) {
			t.Errorf("JSON of an empty status lacks %s: %s", want, data)
		}
	}
	var back slo.Status
	if err := json.Unmarshal(data, &back); err != nil || back.State != slo.NoData || back.Target != s.Target || back.SLI.IsSet() {
		t.Errorf("JSON read back = %+v, %v", back, err)
	}
}

func TestForecastEdges(t *testing.T) {
	window := calendar.Interval{Start: origin, End: origin.Add(100 * time.Hour)}
	half, none, one := slo.NewRatio(1, 2), slo.NewRatio(0, 1), slo.NewRatio(1, 1)
	for _, tt := range []struct {
		name           string
		after          time.Duration
		consumed, burn slo.Ratio
		projected      string
		seconds        string
		at             string
		beforeEnd      bool
		sustainable    string
	}{
		{"no burn", 50 * time.Hour, half, none, "1/2", "+Inf", "", false, "1/1"},
		{"at the end", 100 * time.Hour, half, one, "1/2", "180000/1", "2026-04-04T02:00:00Z", false, "absent"},
		{"exhausted", 50 * time.Hour, slo.NewRatio(3, 2), one, "2/1", "0/1", "2026-03-30T22:00:00Z", true, "-1/1"},
		{"no budget", 50 * time.Hour, slo.Inf(1), one, "+Inf", "0/1", "2026-03-30T22:00:00Z", true, "absent"},
		{"unknown burn", 50 * time.Hour, half, slo.Ratio{}, "absent", "absent", "", false, "1/1"},
		{"centuries away", 0, none, slo.NewRatio(1, 1_000_000), "1/1000000", "360000000000/1", "", false, "1/1"},
	} {
		f, err := slo.Project(window, origin.Add(tt.after), tt.consumed, tt.burn)
		if err != nil {
			t.Fatal(err)
		}
		if f.Projected.String() != tt.projected || f.Seconds.String() != tt.seconds || utc(f.ExhaustsAt) != tt.at || f.BeforeEnd != tt.beforeEnd || f.MaxSustainable.String() != tt.sustainable {
			t.Errorf("%s: Project = %+v at %s, want %+v", tt.name, f, utc(f.ExhaustsAt), tt)
		}
	}
	for name, at := range map[string]time.Time{"before": origin.Add(-1), "after": window.End.Add(1)} {
		if _, err := slo.Project(window, at, half, one); err == nil {
			t.Errorf("%s the window: no error", name)
		}
	}
	if f := (slo.Status{}).Forecast(one); f.Seconds.IsSet() {
		t.Errorf("forecast of an empty status = %+v, want absent figures", f)
	}
}

func TestTimeToExhaustionEdges(t *testing.T) {
	half, one := slo.NewRatio(1, 2), slo.NewRatio(1, 1)
	for _, tt := range []struct{ consumed, burn, want slo.Ratio }{
		{half, one, slo.NewRatio(1800, 1)},
		{one, one, slo.NewRatio(0, 1)},
		{slo.Inf(1), slo.NewRatio(0, 1), slo.NewRatio(0, 1)},
		{half, slo.Inf(1), slo.NewRatio(0, 1)},
		{half, slo.NewRatio(0, 1), slo.Inf(1)},
		{half, slo.Inf(-1), slo.Inf(1)},
		{slo.Inf(-1), one, slo.Inf(1)},
		{slo.Ratio{}, one, slo.Ratio{}},
		{half, slo.Ratio{}, slo.Ratio{}},
	} {
		if got := slo.TimeToExhaustion(time.Hour, tt.consumed, tt.burn); got.Compare(tt.want) != 0 {
			t.Errorf("TimeToExhaustion(1h, %s, %s) = %s, want %s", tt.consumed, tt.burn, got, tt.want)
		}
	}
}

func TestEffects(t *testing.T) {
	at := func(minute int) time.Time { return origin.Add(time.Duration(minute) * time.Minute) }
	exclude := func(from, to int, reason string) slo.Exclusion {
		return slo.Exclusion{Interval: calendar.Interval{Start: at(from), End: at(to)}, Reason: reason}
	}
	got, err := slo.Effects(calendar.Interval{Start: at(0), End: at(60)}, []slo.Exclusion{
		exclude(20, 40, "b"), exclude(-5, 10, "a"), exclude(30, 50, "c"), exclude(70, 80, "outside"), exclude(5, 5, "empty"),
	})
	if err != nil || len(got) != 3 {
		t.Fatalf("Effects = %+v, %v, want three", got, err)
	}
	for i, want := range []struct {
		reason           string
		clipped, removed int
	}{{"a", 10, 10}, {"b", 20, 20}, {"c", 20, 10}} {
		if e := got[i]; e.Reason != want.reason || e.Clipped != time.Duration(want.clipped)*time.Minute || e.Removed != time.Duration(want.removed)*time.Minute {
			t.Errorf("effect %d = %+v, want %+v", i, e, want)
		}
	}
	_, err = slo.Effects(calendar.Interval{}, []slo.Exclusion{exclude(2, 1, "")})
	if !errors.Is(err, calendar.ErrInverted) {
		t.Errorf("Effects of an inverted exclusion: %v, want ErrInverted", err)
	}
}
