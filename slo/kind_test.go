package slo_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/slo"
)

func absolute(k uint64, r slo.Ratio) slo.Rule {
	return slo.Rule{Name: "absolute", Severity: slo.Page, Kind: slo.AbsoluteCount, Long: time.Hour, MinBad: k, AtLeast: r}
}

func silence(long time.Duration) slo.Rule {
	return slo.Rule{Name: "silence", Severity: slo.Page, Kind: slo.Silence, Long: long}
}

func TestAbsoluteCount(t *testing.T) {
	for _, tt := range []struct {
		name       string
		bad, total uint64
		want       slo.Cause
	}{
		{"reached exactly", 3, 6, slo.Above},
		{"all fail", 3, 3, slo.Above},
		{"too few", 2, 2, slo.FewBad},
		{"many, but of more", 3, 7, slo.Below},
		{"none", 0, 0, slo.NoEvents},
	} {
		t.Run(tt.name, func(t *testing.T) {
			policy := slo.Policy{Rules: []slo.Rule{absolute(3, slo.NewRatio(1, 2))}}
			c, err := slo.FromBad(tt.bad, tt.total)
			if err != nil {
				t.Fatal(err)
			}
			// A target of 10 % has no burn rate above 10/9, so no factor finds this.
			got, err := policy.Decide(slo.MustPercent("10"), func(time.Duration) slo.Counts { return c })
			if err != nil || got[0].Cause != tt.want || got[0].Holds != (tt.want == slo.Above) || got[0].Kind != slo.AbsoluteCount {
				t.Errorf("%+v, %v, want cause %s", got[0], err, tt.want)
			}
			tracker := mustTracker(t, slo.Objective{Target: slo.MustPercent("10"), Windows: []slo.Window{slo.Rolling(time.Hour)}, Policy: policy}, nil)
			if err := tracker.Observe(origin, c); err != nil {
				t.Fatal(err)
			}
			for d := range tracker.Decisions() {
				if d.Cause != tt.want || d.Firing != (tt.want == slo.Above) {
					t.Errorf("tracker: cause %s, firing %t, want %s", d.Cause, d.Firing, tt.want)
				}
			}
		})
	}
	d := slo.Decision{Kind: slo.AbsoluteCount, Long: time.Hour, LongCounts: slo.Counts{Good: 3, Total: 6}, Threshold: slo.NewRatio(1, 2), MinBad: 3, Holds: true, Cause: slo.Above}
	const want = "holds = bad / total >= threshold and bad >= min_bad [window 1h, bad 3, total 6, ratio 1/2 ~ 0.5, threshold 1/2 ~ 0.5, min_bad 3] = true: above\n"
	if got := d.Explain().String(); got != want {
		t.Errorf("Explain:\n%swant\n%s", got, want)
	}
}

func TestSilence(t *testing.T) {
	o := slo.Objective{
		Target: slo.MustPercent("99.9"), Windows: []slo.Window{slo.Rolling(24 * time.Hour)},
		Policy: slo.Policy{Rules: []slo.Rule{silence(10 * time.Minute)}},
	}
	at := func(minutes int) time.Time { return origin.Add(time.Duration(minutes) * time.Minute) }
	tracker := mustTracker(t, o, &slo.TrackerOptions{Exclusions: []slo.Exclusion{{Interval: calendar.Interval{Start: at(60), End: at(90)}}}})
	firing := func() slo.Decision {
		for d := range tracker.Decisions() {
			return d
		}
		return slo.Decision{}
	}
	for _, tt := range []struct {
		minute int
		act    string
		want   slo.Cause
	}{
		{0, "advance", slo.NoEvents}, // nothing was ever seen
		{1, "sample", slo.SomeEvents},
		{10, "miss", slo.SomeEvents}, // the sample is 9 minutes old
		{11, "advance", slo.NoEvents},
		{12, "empty", slo.NoEvents}, // a sample without events is silence too
		{13, "sample", slo.SomeEvents},
		{65, "advance", slo.NoEvents},    // (55, 65], half of it excluded
		{75, "advance", slo.AllExcluded}, // (65, 75]
		{80, "sample", slo.AllExcluded},  // and what comes meanwhile does not count
		{91, "advance", slo.NoEvents},    // (81, 91]
		{92, "sample", slo.SomeEvents},
	} {
		var err error
		switch tt.act {
		case "advance":
			err = tracker.Advance(at(tt.minute))
		case "miss":
			err = tracker.Miss(at(tt.minute))
		case "empty":
			err = tracker.Observe(at(tt.minute), slo.Counts{})
		default:
			err = tracker.Observe(at(tt.minute), slo.Counts{Good: 1, Total: 1})
		}
		if err != nil {
			t.Fatal(err)
		}
		if d := firing(); d.Cause != tt.want || d.Firing != (tt.want == slo.NoEvents) {
			t.Errorf("minute %d: %s, firing %t, want %s", tt.minute, d.Cause, d.Firing, tt.want)
		}
	}
	if got, want := firing().Explain().String(), "holds = total = 0 [window 10m, total 1] = false: some_events\n"; got != want {
		t.Errorf("Explain: %swant %s", got, want)
	}
}

func TestRuleKindFields(t *testing.T) {
	half := slo.NewRatio(1, 2)
	for _, tt := range []struct {
		name   string
		change func(*slo.Rule)
		rule   slo.Rule
		want   string
	}{
		{"absolute without a count", func(r *slo.Rule) { r.MinBad = 0 }, absolute(1, half), "min_bad"},
		{"absolute without a ratio", func(r *slo.Rule) { r.AtLeast = slo.Ratio{} }, absolute(1, half), "at_least"},
		{"absolute above 1", func(r *slo.Rule) { r.AtLeast = slo.NewRatio(3, 2) }, absolute(1, half), "at_least"},
		{"absolute with a factor", func(r *slo.Rule) { r.Factor = half }, absolute(1, half), "no factor"},
		{"absolute with a short window", func(r *slo.Rule) { r.Short = time.Minute }, absolute(1, half), "no factor"},
		{"silence with a count", func(r *slo.Rule) { r.MinBad = 1 }, silence(time.Hour), "a silence has no events"},
		{"silence with a factor", func(r *slo.Rule) { r.Factor = half }, silence(time.Hour), "no factor"},
		{"burn rate with a ratio", func(r *slo.Rule) { r.Kind = slo.BurnRate; r.Factor = half }, absolute(1, half), "no at_least"},
		{"unknown", func(r *slo.Rule) { r.Kind = 7 }, silence(time.Hour), "a kind"},
	} {
		rule := tt.rule
		if err := (slo.Policy{Rules: []slo.Rule{rule}}).Validate(); err != nil {
			t.Errorf("%s: %v before the change", tt.name, err)
		}
		tt.change(&rule)
		if err := (slo.Policy{Rules: []slo.Rule{rule}}).Validate(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want an error that says %q", tt.name, err, tt.want)
		}
	}
	data, err := json.Marshal(absolute(3, half))
	if err != nil {
		t.Fatal(err)
	}
	var back slo.Rule
	if err := json.Unmarshal(data, &back); err != nil || back != absolute(3, half) {
		t.Errorf("%s read back as %+v, %v", data, back, err)
	}
}

// The windows hold everything, so that every rule holds whose factor the burn of
// 10 exceeds.
func TestSuppression(t *testing.T) {
	rule := func(name string, factor int64) slo.Rule {
		return slo.Rule{Name: name, Long: time.Hour, Factor: slo.NewRatio(factor, 1)}
	}
	o := slo.Objective{
		Target: slo.MustPercent("99"), Windows: []slo.Window{slo.Rolling(time.Hour)},
		Policy: slo.Policy{Rules: []slo.Rule{rule("slow", 1), rule("fastest", 14), rule("fast", 6), rule("middle", 3), absolute(1, slo.NewRatio(0, 1))}},
	}
	c := slo.Counts{Good: 90, Total: 100}
	want := map[string]string{"slow": "fast", "middle": "fast"}
	tracker := mustTracker(t, o, nil)
	if err := tracker.Observe(origin, c); err != nil {
		t.Fatal(err)
	}
	decided, err := o.Policy.Decide(o.Target, func(time.Duration) slo.Counts { return c })
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	for d := range tracker.Decisions() {
		for _, d := range []slo.Decision{d, decided[i]} {
			if d.SuppressedBy != want[d.Rule] || d.Holds != (d.Rule != "fastest") {
				t.Errorf("%s: holds %t, suppressed by %q, want %q", d.Rule, d.Holds, d.SuppressedBy, want[d.Rule])
			}
			if explained := strings.Contains(d.Explain().String(), "suppressed_by = a rule with a larger factor holds = fast\n"); explained != (want[d.Rule] != "") {
				t.Errorf("%s: explained %t:\n%s", d.Rule, explained, d.Explain())
			}
		}
		i++
	}
}

func TestLintKinds(t *testing.T) {
	slow := slo.Rule{Name: "slow", Long: 24 * time.Hour, Short: time.Hour, Factor: slo.NewRatio(1, 1)}
	for _, tt := range []struct {
		name string
		rule slo.Rule
		want string
	}{
		{"at least what the budget allows", absolute(1, slo.NewRatio(1, 1000)), "at_least_in_budget"},
		{"at least more", absolute(1, slo.NewRatio(2, 1000)), ""},
		{"silence between two scrapes", silence(59 * time.Second), "short_silence"},
		{"silence of two scrapes", silence(time.Minute), ""},
		{"silence beyond retention", silence(72 * time.Hour), "beyond_retention"},
	} {
		found, err := (slo.Policy{Rules: []slo.Rule{tt.rule, slow}}).Lint(slo.MustPercent("99.9"), slo.Surroundings{
			Period: 30 * 24 * time.Hour, Scrape: 30 * time.Second, Retention: 48 * time.Hour,
		})
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, f := range found {
			all = append(all, f.Code)
		}
		if codes := strings.Join(all, " "); codes != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, codes, tt.want)
		}
	}
}
