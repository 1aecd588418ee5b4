package report_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/slo"
)

// backtested follows 300 minutes of ten events each, all bad in the minutes 101 to
// 120, with one page at a factor over an hour.
func backtested(t *testing.T, factor int64, o slo.BacktestOptions) (slo.Objective, slo.History) {
	t.Helper()
	objective := budgetObjective("99")
	objective.Policy.Rules = []slo.Rule{{Name: "fast", Severity: slo.Page, Long: time.Hour, Factor: slo.NewRatio(factor, 1)}}
	o.Interval = time.Minute
	h, err := slo.Backtest(objective, func(yield func(slo.Sample) bool) {
		for i := 1; i <= 300; i++ {
			c := slo.Counts{Good: 10, Total: 10}
			if i > 100 && i <= 120 {
				c.Good = 0
			}
			if !yield(slo.Sample{At: budgetStart.Add(time.Duration(i) * time.Minute), Counts: c}) {
				return
			}
		}
	}, &o)
	if err != nil {
		t.Fatal(err)
	}
	return objective, h
}

// At a factor of 5, more than 30 of the 600 events of an hour are bad from minute 104
// on, and not any more at minute 177, when the last three bad minutes are left. At 10
// it is more than 60: from minute 107 to 174. The 200 bad events are 200/144 of a
// budget of 1 % of the 14 400 events of a day.
func TestBacktestReport(t *testing.T) {
	o, h := backtested(t, 5, slo.BacktestOptions{})
	_, other := backtested(t, 10, slo.BacktestOptions{})
	_, calm := backtested(t, 1000, slo.BacktestOptions{})
	_, strict := backtested(t, 5, slo.BacktestOptions{NeededLoss: slo.NewRatio(2, 1)})
	for _, c := range []struct {
		name string
		r    report.BacktestReport
		want []string
	}{
		{"one policy", report.BacktestReport{Objective: o, History: h}, []string{
			"1 Oct 2026 00:00 UTC to 1 Oct 2026 05:00 UTC", "300 samples with 3000 events, of which 200 are bad, against an objective of 99 %.",
			"4.8 in 1d", "0 of 1", "138.89 %", "01:44", "02:57", "1h13m", "200 bad, 138.89 % of the budget", "✓ yes", "more than 1 %",
		}},
		{"compared", report.BacktestReport{Objective: o, History: h, Other: &other, OtherName: "ten"}, []string{
			"Both fire on the same trouble 1 times; 0 times only this policy does, and 0 times only ten.", "Ten fires", "3m later", "3m earlier",
		}},
		{"only one", report.BacktestReport{Objective: o, History: h, Other: &calm}, []string{"1 times only this policy does", "Only this policy"}},
		{"nobody needed it", report.BacktestReport{Objective: o, History: strict}, []string{"▲ 1 of 1", "▲ no", "more than 200 %"}},
		{"calm", report.BacktestReport{Objective: o, History: calm}, []string{"Nobody would have been paged.", "No rule would have fired.", "0 of 0"}},
		{"empty", report.BacktestReport{Objective: o}, []string{"no samples"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := c.r.Document()
			var text, page, markdown, again bytes.Buffer
			if err := errors.Join(d.Text(&text), d.HTML(&page), d.Markdown(&markdown), d.JSON(io.Discard), c.r.Document().HTML(&again)); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(page.Bytes(), again.Bytes()) {
				t.Error("two pages differ")
			}
			for _, want := range c.want {
				for format, got := range map[string]string{"text": text.String(), "page": page.String(), "Markdown": markdown.String()} {
					if !strings.Contains(got, want) {
						t.Errorf("%s lacks %q:\n%s", format, want, text.String())
					}
				}
			}
		})
	}
}

// A history of one instant has no length, so nothing is said of pages in a day nor of
// the share of the budget that was lost.
func TestBacktestReportOfOneSample(t *testing.T) {
	o := budgetObjective("99")
	h, err := slo.Backtest(o, func(yield func(slo.Sample) bool) {
		yield(slo.Sample{At: budgetStart, Counts: slo.Counts{Good: 9, Total: 10}})
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := (report.BacktestReport{Objective: o, History: h}).Document().Text(&text); err != nil {
		t.Fatal(err)
	}
	if got := text.String(); strings.Contains(got, "absent") || !strings.Contains(got, "too few samples for a curve") {
		t.Errorf("one sample: %s", got)
	}
}
