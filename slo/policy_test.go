package slo_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
)

func TestDefaultPolicy(t *testing.T) {
	for _, tt := range []struct {
		window slo.Window
		want   string
	}{
		{slo.Rolling(30 * 24 * time.Hour), "14.4 1h0m0s 5m0s, 6 6h0m0s 30m0s, 3 24h0m0s 2h0m0s, 1 72h0m0s 6h0m0s"},
		{slo.Calendar(slo.Month, nil), "14.4 1h0m0s 5m0s, 6 6h0m0s 30m0s, 3 24h0m0s 2h0m0s, 1 72h0m0s 6h0m0s"},
		{slo.Rolling(28 * 24 * time.Hour), "13.44 1h0m0s 5m0s, 5.6 6h0m0s 30m0s, 2.8 24h0m0s 2h0m0s, 0.9333333333333333 72h0m0s 6h0m0s"},
		{slo.Rolling(7 * 24 * time.Hour), "14.4 14m0s 1m10s, 6 1h24m0s 7m0s, 3 5h36m0s 28m0s, 1 16h48m0s 1h24m0s"},
		{slo.Rolling(90 * 24 * time.Hour), "43.2 1h0m0s 5m0s, 18 6h0m0s 30m0s, 9 24h0m0s 2h0m0s, 3 72h0m0s 6h0m0s"},
	} {
		p, err := slo.DefaultPolicy(tt.window)
		if err != nil {
			t.Fatal(err)
		}
		var rules []string
		for _, r := range p.Rules {
			rules = append(rules, fmt.Sprint(r.Factor.Decimal(), " ", r.Long, " ", r.Short))
		}
		if got := strings.Join(rules, ", "); got != tt.want {
			t.Errorf("DefaultPolicy(%s) = %s, want %s", tt.window, got, tt.want)
		}
	}
	if _, err := slo.DefaultPolicy(slo.Window{}); err == nil {
		t.Error("DefaultPolicy of the zero Window: no error")
	}
}

func TestPolicyValidate(t *testing.T) {
	good := slo.Rule{Name: "r", Long: time.Hour, Short: time.Minute, Factor: slo.NewRatio(6, 1)}
	for _, tt := range []struct {
		name   string
		change func(*slo.Rule)
		want   string
	}{
		{"no name", func(r *slo.Rule) { r.Name = "" }, `rules[0] "": want a name`},
		{"no long window", func(r *slo.Rule) { r.Long, r.Short = 0, 0 }, "long window above 0"},
		{"short not shorter", func(r *slo.Rule) { r.Short = time.Hour }, "short window below the long one"},
		{"negative short", func(r *slo.Rule) { r.Short = -1 }, "short window below the long one"},
		{"no factor", func(r *slo.Rule) { r.Factor = slo.Ratio{} }, "factor above 0, not absent"},
		{"infinite factor", func(r *slo.Rule) { r.Factor = slo.Inf(1) }, "factor above 0, not +Inf"},
		{"negative for", func(r *slo.Rule) { r.For = -1 }, "no negative duration"},
		{"alpha 1", func(r *slo.Rule) { r.Alpha = slo.NewRatio(1, 1) }, "alpha between 0 and 1"},
	} {
		r := good
		tt.change(&r)
		err := slo.Policy{Rules: []slo.Rule{r}}.Validate()
		if _, ok := errors.AsType[*slo.RuleError](err); !ok || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want a RuleError with %q", tt.name, err, tt.want)
		}
	}
	if err := (slo.Policy{Rules: []slo.Rule{good, good}}).Validate(); err == nil || !strings.Contains(err.Error(), "a name of its own") {
		t.Errorf("repeated name: %v", err)
	}
	if err := (slo.Policy{Rules: []slo.Rule{good}, MinCoverage: slo.NewRatio(3, 2)}).Validate(); err == nil {
		t.Error("min coverage 3/2: no error")
	}
	// The product of factor and budget must fit 63 bits.
	huge := good
	huge.Factor = slo.NewRatio(math.MaxInt64, math.MaxInt64-1)
	_, err := slo.Policy{Rules: []slo.Rule{huge}}.Decide(slo.MustPercent("99.9"), func(time.Duration) slo.Counts { return slo.Counts{} })
	if e, ok := errors.AsType[*slo.RuleError](err); !ok || e.Rule != "r" {
		t.Errorf("huge factor: %v, want a RuleError", err)
	}
}

func TestObjectiveValidate(t *testing.T) {
	err := slo.Objective{Windows: []slo.Window{{}}, Slices: &slo.Slicing{}}.Validate()
	for _, want := range []string{`objective ""`, "id not set", "target not set", "windows[0]", "slices: slice length", "slice target not set"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Validate() = %v, want %q in it", err, want)
		}
	}
	if err := (slo.Objective{ID: "x", Target: slo.MustPercent("99")}).Validate(); err == nil || !strings.Contains(err.Error(), "no window") {
		t.Errorf("Validate() without a window = %v", err)
	}
}

func TestLint(t *testing.T) {
	month := 30 * 24 * time.Hour
	policyOf := func(scheme slo.Scheme, period time.Duration) slo.Policy {
		p, err := slo.NewPolicy(scheme, period, nil)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	one := func(r slo.Rule) slo.Policy { return slo.Policy{Rules: []slo.Rule{r}} }
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name    string
		policy  slo.Policy
		percent string
		in      slo.Surroundings
		want    []string
	}{
		{"clean", policyOf(slo.ConstantBudget, month), "99.9", slo.Surroundings{Period: month, Scrape: 30 * time.Second, Retention: month}, nil},
		{"unreachable at 90", policyOf(slo.ConstantBudget, month), "90", slo.Surroundings{Period: month}, []string{"unreachable page-fast"}},
		{"28 days", policyOf(slo.ConstantBudget, 28*24*time.Hour), "99.9", slo.Surroundings{Period: 28 * 24 * time.Hour}, []string{"factor_below_one ticket-slow"}},
		{"90 days see no slow burn", policyOf(slo.ConstantBudget, 90*24*time.Hour), "99.9", slo.Surroundings{Period: 90 * 24 * time.Hour}, []string{"slow_burn_unseen "}},
		{"coarse scrapes", policyOf(slo.ScaledWindows, 7*24*time.Hour), "99.9", slo.Surroundings{Period: 7 * 24 * time.Hour, Scrape: time.Minute}, []string{"short_scrape page-fast"}},
		{"short memory", policyOf(slo.ConstantBudget, month), "99.9", slo.Surroundings{Period: month, Retention: 48 * time.Hour}, []string{"beyond_retention ticket-slow"}},
		{"short period", policyOf(slo.ConstantBudget, month), "99.9", slo.Surroundings{Period: 48 * time.Hour}, []string{"beyond_period ticket-slow", "outage_late "}},
		// At 99.999 % of 30 days the budget is 25.92 s, less than a scrape.
		{"outage gone before a scrape", policyOf(slo.ConstantBudget, month), "99.999", slo.Surroundings{Period: month, Scrape: 30 * time.Second}, []string{"outage_late "}},
		// 1/30 of 5 min is 10 s: empty between scrapes. With four scrapes as the least
		// short window the 2 min of page-fast are left alone.
		{"a day", policyOf(slo.ScaledWindows, day), "99", slo.Surroundings{Period: day, Scrape: 30 * time.Second}, []string{"short_window_blind page-fast", "short_scrape page-slow"}},
		{"a day, widened", policyOf(slo.ScaledWindows, day).WithShort(2 * time.Minute), "99", slo.Surroundings{Period: day, Scrape: 30 * time.Second}, nil},
		{"long window blind", one(slo.Rule{Name: "r", Long: 20 * time.Second, Factor: slo.NewRatio(1, 1)}), "99.9", slo.Surroundings{Period: month, Scrape: 30 * time.Second}, []string{"short_window_blind r"}},
		// 20 h of an outage are 72 000 s of 2592 allowed.
		{"for", one(slo.Rule{Name: "r", Long: time.Hour, Factor: slo.NewRatio(1, 1), For: 20 * time.Hour}), "99.9", slo.Surroundings{Period: month}, []string{"outage_late "}},
		// A tenth of it are 259.2 s: 3.6 s until it holds, and 255.6 s of For.
		{"for, just too long", one(slo.Rule{Name: "r", Long: time.Hour, Factor: slo.NewRatio(1, 1), For: 256 * time.Second}), "99.9", slo.Surroundings{Period: month}, []string{"outage_late "}},
		{"for, short enough", one(slo.Rule{Name: "r", Long: time.Hour, Factor: slo.NewRatio(1, 1), For: 255 * time.Second}), "99.9", slo.Surroundings{Period: month}, nil},
		// 10 events an hour; a tenth of the budget is 259.2 s, and so 0.72 events.
		{"gates without traffic", one(slo.Rule{Name: "r", Long: time.Hour, Factor: slo.NewRatio(1, 1), MinEvents: 11}), "99.9", slo.Surroundings{Period: month}, nil},
		{"min events", one(slo.Rule{Name: "r", Long: time.Hour, Factor: slo.NewRatio(1, 1), MinEvents: 11}), "99.9", slo.Surroundings{Period: month, EventsPerHour: slo.NewRatio(10, 1)}, []string{"gate_unreachable r", "outage_late "}},
		{"min bad", one(slo.Rule{Name: "r", Long: time.Hour, Factor: slo.NewRatio(1, 1), MinBad: 11}), "99.9", slo.Surroundings{Period: month, EventsPerHour: slo.NewRatio(10, 1)}, []string{"gate_unreachable r", "outage_late "}},
		{"min bad reached", one(slo.Rule{Name: "r", Long: time.Hour, Factor: slo.NewRatio(1, 1), MinBad: 10}), "99.9", slo.Surroundings{Period: month, EventsPerHour: slo.NewRatio(1000, 1)}, nil},
		// At 2 an hour both bad have a probability of 0.5².
		{"alpha", one(slo.Rule{Name: "r", Long: time.Hour, Factor: slo.NewRatio(1, 1), Alpha: slo.NewRatio(1, 4)}), "50", slo.Surroundings{Period: month, EventsPerHour: slo.NewRatio(2, 1)}, []string{"gate_unreachable r", "outage_late "}},
		{"alpha reached", one(slo.Rule{Name: "r", Long: time.Hour, Factor: slo.NewRatio(1, 1), Alpha: slo.NewRatio(26, 100)}), "50", slo.Surroundings{Period: month, EventsPerHour: slo.NewRatio(2, 1)}, nil},
		{"no budget", policyOf(slo.ConstantBudget, month), "100", slo.Surroundings{Period: month}, []string{"no_budget "}},
		{"no rules", slo.Policy{}, "100", slo.Surroundings{Period: month}, nil},
	} {
		found, err := tt.policy.Lint(slo.MustPercent(tt.percent), tt.in)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range found {
			got = append(got, f.Code+" "+f.Rule)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: Lint = %q, want %q\n%v", tt.name, got, tt.want, found)
		}
	}
	found, err := policyOf(slo.ConstantBudget, month).Lint(slo.MustPercent("90"), slo.Surroundings{Period: month})
	if want := "error: page-fast: threshold 14.4 · 0.1 = 1.44 is never exceeded by an error ratio"; err != nil || found[0].String() != want {
		t.Errorf("Lint at 90 = %q, %v, want %q", found[0], err, want)
	}
}

// TestDetectionAgainstSimulation compares the formulas with a tracker that sees
// one sample a second of a real incident after a clean past.
func TestDetectionAgainstSimulation(t *testing.T) {
	target := slo.MustPercent("99")
	policy := slo.Policy{Rules: []slo.Rule{
		{Name: "fast", Long: 10 * time.Minute, Short: 50 * time.Second, Factor: slo.NewRatio(10, 1)},
		{Name: "slow", Long: time.Hour, Short: 5 * time.Minute, Factor: slo.NewRatio(3, 1)},
		{Name: "long only", Long: 20 * time.Minute, Factor: slo.NewRatio(5, 1)},
		{Name: "never", Long: time.Minute, Factor: slo.NewRatio(21, 1)},
	}}
	want, err := policy.Detections(target, slo.Surroundings{Period: 30 * 24 * time.Hour}, slo.NewRatio(20, 100))
	if err != nil {
		t.Fatal(err)
	}
	tracker := mustTracker(t, slo.Objective{Target: target, Windows: []slo.Window{slo.Rolling(time.Hour)}, Policy: policy}, nil)
	const onset, recovery = 4000, 8000
	on, off := map[string]int{}, map[string]int{}
	for i := range 12_000 {
		bad := uint64(0)
		if i >= onset && i < recovery {
			bad = 20
		}
		if err := tracker.ObserveBad(origin.Add(secs(int64(i))), bad, 100); err != nil {
			t.Fatal(err)
		}
		for d := range tracker.Decisions() {
			switch _, was := on[d.Rule]; {
			case d.Holds && !was:
				on[d.Rule] = i - onset + 1
			case !d.Holds && was && off[d.Rule] == 0:
				off[d.Rule] = i - recovery + 1
			}
		}
	}
	for _, d := range want {
		if d.Rule == "never" {
			if d.Fires || on[d.Rule] != 0 {
				t.Errorf("never: fires %t, held at %d", d.Fires, on[d.Rule])
			}
			continue
		}
		// It holds strictly after the instant, so one sample later when the
		// instant is a sample, and stops at it.
		after, reset := d.After.Float64(), d.Reset.Float64()
		if on[d.Rule] != int(after)+1 || off[d.Rule] != int(math.Ceil(reset)) {
			t.Errorf("%s: held after %d s, reset after %d s, want just after %v and at %v", d.Rule, on[d.Rule], off[d.Rule], after, reset)
		}
	}
}

func TestDecisionExplains(t *testing.T) {
	policy := slo.Policy{Rules: []slo.Rule{{Name: "page-fast", Severity: slo.Page, Long: time.Hour, Short: 5 * time.Minute, Factor: slo.NewRatio(144, 10)}}}
	decisions, err := policy.Decide(slo.MustPercent("99.9"), func(w time.Duration) slo.Counts {
		if w == time.Hour {
			return slo.Counts{Good: 9856, Total: 10_000} // exactly on the threshold
		}
		return slo.Counts{Good: 81, Total: 100}
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `threshold = factor * budget [factor 72/5 ~ 14.4] = 9/625 ~ 0.0144 (SRE Workbook, chapter 5)
long = bad / total > threshold [window 1h, bad 144, total 10000, ratio 9/625 ~ 0.0144, threshold 9/625 ~ 0.0144] = not above
short = bad / total > threshold [window 5m, bad 19, total 100, ratio 19/100 ~ 0.19, threshold 9/625 ~ 0.0144] = above
holds = long and short = false: below
`
	if got := decisions[0].Explain().String(); got != want {
		t.Errorf("Explain() =\n%s, want\n%s", got, want)
	}
}

// Decisions are exact where float64 is not: totals of 2^62 and an error more or
// less.
func TestDecisionsBeyondFloats(t *testing.T) {
	const total = 1 << 62
	policy := slo.Policy{Rules: []slo.Rule{{Name: "r", Long: time.Hour, Factor: slo.NewRatio(1, 1)}}}
	for bad, want := range map[uint64]bool{total/4 - 1: false, total / 4: false, total/4 + 1: true} {
		got, err := policy.Decide(slo.MustPercent("75"), func(time.Duration) slo.Counts { return slo.Counts{Good: total - bad, Total: total} })
		if err != nil || got[0].Holds != want {
			t.Errorf("%d of 2^62 bad at 75 %%: holds %t, %v, want %t", bad, got[0].Holds, err, want)
		}
	}
}

// A total outage at 99.9 % with 600 events an hour, ten a minute, after 14.4 · 0.1 %
// of an hour: 51.84 s, 2 % of the budget of 2592 s.
func TestDetectionsWithForAndGates(t *testing.T) {
	rule := slo.Rule{Name: "r", Long: time.Hour, Short: 5 * time.Minute, Factor: slo.NewRatio(144, 10)}
	traffic := slo.NewRatio(600, 1)
	for _, tt := range []struct {
		name                          string
		set                           func(*slo.Rule)
		traffic                       slo.Ratio
		after, fires, consumed, spent string
	}{
		{"plain", func(*slo.Rule) {}, slo.Ratio{}, "1296/25", "1296/25", "1/50", "1/50"},
		{"for", func(r *slo.Rule) { r.For = 2 * time.Minute }, slo.Ratio{}, "1296/25", "4296/25", "1/50", "179/2700"}, // 171.84 s of 2592
		{"gates, traffic unknown", func(r *slo.Rule) { r.MinBad = 1 << 60 }, slo.Ratio{}, "1296/25", "1296/25", "1/50", "1/50"},
		{"few bad are enough", func(r *slo.Rule) { r.MinBad = 8 }, traffic, "1296/25", "1296/25", "1/50", "1/50"}, // 8 take 48 s
		{"min bad", func(r *slo.Rule) { r.MinBad = 60 }, traffic, "360/1", "360/1", "5/36", "5/36"},               // 6 min of 43.2
		{"min bad and for", func(r *slo.Rule) { r.MinBad, r.For = 60, time.Minute }, traffic, "360/1", "420/1", "5/36", "35/216"},
		{"never so many", func(r *slo.Rule) { r.MinBad = 601 }, traffic, "absent", "absent", "absent", "absent"},
		{"never so much", func(r *slo.Rule) { r.MinEvents = 601 }, traffic, "absent", "absent", "absent", "absent"},
		// n = 10, p = 0.0144: P(X >= 1) = 0.135, P(X >= 2) = 0.0086; two take 720 s.
		{"alpha", func(r *slo.Rule) { r.Alpha = slo.NewRatio(1, 100) }, slo.NewRatio(10, 1), "720/1", "720/1", "5/18", "5/18"},
	} {
		r := rule
		tt.set(&r)
		got, err := slo.Policy{Rules: []slo.Rule{r}}.Detections(slo.MustPercent("99.9"), slo.Surroundings{Period: 30 * 24 * time.Hour, EventsPerHour: tt.traffic}, slo.NewRatio(1, 1))
		if err != nil {
			t.Fatal(err)
		}
		d := got[0]
		if d.Fires != (tt.after != "absent") || d.After.String() != tt.after || d.FiresAfter.String() != tt.fires || d.Consumed.String() != tt.consumed || d.ConsumedFiring.String() != tt.spent {
			t.Errorf("%s: %+v, want after %s, firing %s, %s and %s gone", tt.name, d, tt.after, tt.fires, tt.consumed, tt.spent)
		}
	}
	for _, in := range []slo.Surroundings{{}, {Period: time.Hour, EventsPerHour: slo.NewRatio(0, 1)}, {Period: time.Hour, EventsPerHour: slo.Inf(1)}} {
		if _, err := (slo.Policy{Rules: []slo.Rule{rule}}).Detections(slo.MustPercent("99.9"), in, slo.NewRatio(1, 1)); err == nil {
			t.Errorf("%+v: no error", in)
		}
	}
}
