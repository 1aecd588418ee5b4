package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/slo"
)

// lookup returns what stands at a path such as "slos[0].burn[1].rate" in decoded JSON.
func lookup(t *testing.T, v any, path string) any {
	t.Helper()
	for key := range strings.FieldsFuncSeq(path, func(r rune) bool { return strings.ContainsRune(".[]", r) }) {
		switch node := v.(type) {
		case map[string]any:
			next, ok := node[key]
			if !ok {
				t.Fatalf("no %s in the data", path)
			}
			v = next
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(node) {
				t.Fatalf("no %s in the data", path)
			}
			v = node[i]
		default:
			t.Fatalf("no %s in the data", path)
		}
	}
	return v
}

func decoded(t *testing.T, v any) (out any) {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// An explanation shows the number that stands in its place, for states of all kinds;
// every number has one.
func TestBudgetExplanationsShowTheNumbers(t *testing.T) {
	gated := budgetObjective("99")
	gated.Risk = slo.Risk{OnForecast: true, Consumed: slo.NewRatio(1, 2)}
	gated.Policy.Rules[0].MinEvents, gated.Policy.Rules[1].Alpha = 10_000, slo.NewRatio(1, 1_000_000_000)
	month := budgetObjective("99")
	month.Windows = []slo.Window{slo.Calendar(slo.Month, nil)}
	month.Risk.OnForecast = true
	whole := budgetObjective("100")
	whole.Policy = slo.Policy{}
	for name, c := range map[string]struct {
		o         slo.Objective
		rows, bad int
	}{
		"exhausted": {budgetObjective("99"), 100, 6},
		"gated":     {gated, 100, 6},
		"month":     {month, 100, 1},
		"no data":   {budgetObjective("99"), 0, 0},
		"100 %":     {whole, 100, 1},
	} {
		b, _ := tracked(t, c.o, c.rows, c.bad)
		r := report.BudgetReport{At: b.Status.At, Budgets: []report.Budget{b}, Sources: []report.Source{{Name: "sli.csv"}}, Explained: true}
		data := decoded(t, r.Data())
		shown := map[string]bool{}
		for _, e := range decoded(t, r.Explain()).([]any) {
			field, values := lookup(t, e, "field").(string), lookup(t, e, "values").(map[string]any)
			want := lookup(t, data, field)
			if got, ok := values["shown"]; ok {
				shown[field] = true
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%s: %s shows %v in its explanation, and %v in the data", name, field, got, want)
				}
			}
		}
		fields := []string{"objective_percent", "good", "bad", "total", "sli_percent", "window.coverage_percent"}
		if c.rows > 0 {
			fields = append(fields, "budget.allowed", "budget.left", "budget.burn_to_date", "budget.consumed_percent", "budget.left_percent", "exhausts_at")
		}
		for i := range b.Burns {
			fields = append(fields, fmt.Sprintf("burn[%d].rate", i))
		}
		for i := range b.Decisions {
			fields = append(fields, fmt.Sprintf("alerts[%d].threshold", i), fmt.Sprintf("alerts[%d].holds", i))
		}
		for _, field := range fields {
			if !shown["slos[0]."+field] {
				t.Errorf("%s: %s is not explained", name, field)
			}
		}
		var text, page bytes.Buffer
		if err := errors.Join(r.Document().Text(&text), r.Document().HTML(&page)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func explained(t *testing.T, b report.Budget, field, formula string) report.Explanation {
	t.Helper()
	for _, e := range (report.BudgetReport{At: b.Status.At, Budgets: []report.Budget{b}}).Explain() {
		if e.Field == field && strings.Contains(e.Formula, formula) {
			return e
		}
	}
	t.Fatalf("%s is not explained by %q", field, formula)
	return report.Explanation{}
}

// 940 good of 1000 are 94 %. In the last hour 60 of 600 are bad: a ratio of 1/10, and
// at 99 % a burn of 10. By chance there would be 1 % or, at the threshold of 5 times
// that, 30: 60 are beyond any chance.
func TestBudgetExplanations(t *testing.T) {
	o := budgetObjective("99")
	o.Policy.Rules[0].MinEvents, o.Policy.Rules[0].MinBad, o.Policy.Rules[1].Alpha = 601, 7, slo.NewRatio(1, 1000)
	b, _ := tracked(t, o, 100, 6)
	for _, c := range []struct {
		field, formula, value string
		want                  any
	}{
		{"slos[0].sli_percent", "good / total, times 100", "result", "47/50"},
		{"slos[0].sli_percent", "good / total", "shown", report.Number("94")},
		{"slos[0].objective_percent", "as agreed", "target", "99/100"},
		{"slos[0].budget.allowed", "budget = 1 - target", "result", "1/100 ~ 0.01"},
		{"slos[0].budget.burn_to_date", "error_ratio = bad / total", "result", "3/50 ~ 0.06"},
		{"slos[0].burn[1].rate", "bad / total / budget", "result", "10/1"},
		{"slos[0].burn[1].rate", "bad / total / budget", "bad", uint64(60)},
		{"slos[0].alerts[0].holds", "total >= min_events and bad >= min_bad", "min_events", "601"},
		{"slos[0].alerts[0].holds", "total >= min_events", "total", "600"},
		{"slos[0].alerts[0].holds", "total >= min_events", "result", "false: few_events"},
		{"slos[0].alerts[1].holds", "P(bad or more of total by chance) < alpha", "alpha", "1/1000"},
		{"slos[0].exhausts_at", "seconds = (1 - consumed)", "result", "0 s"}, // it is gone
	} {
		if got := explained(t, b, c.field, c.formula).Values[c.value]; got != c.want {
			t.Errorf("%s, %s: %s is %v, want %v", c.field, c.formula, c.value, got, c.want)
		}
	}

	// A month of 31 days, 99 minutes in it: 10 of 990 events are bad (those at its first
	// instant belong to the month before), so the burn to date is 100/99 and 100/44640 of
	// the budget are gone. The last hour burns at 10/600 over 1/100 = 5/3, which makes
	// at the end 100/44640 + 5/3 · (44640 − 99)/44640 > 1.
	o = budgetObjective("99")
	o.Policy, o.Windows, o.Risk.OnForecast = slo.Policy{}, []slo.Window{slo.Calendar(slo.Month, time.UTC)}, true
	b, _ = tracked(t, o, 100, 1)
	if b.Status.State != slo.AtRisk {
		t.Fatalf("state %v, want at risk", b.Status.State)
	}
	want := slo.NewRatio(3*100+5*(44640-99), 3*44640).String()
	if got := explained(t, b, "slos[0].state", "at risk by forecast: projected > 1").Values["projected"]; got != want {
		t.Errorf("projected %v, want %s", got, want)
	}
	// (1 − 100/44640) · 44640 min / (5/3) = 44540 · 3/5 min = 1603440 s.
	if got := explained(t, b, "slos[0].exhausts_at", "at + seconds").Values["result"]; got != budgetStart.Add(99*time.Minute+1603440*time.Second).Format(time.RFC3339) {
		t.Errorf("exhausts at %v", got)
	}
}
