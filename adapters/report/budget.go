package report

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
)

// BudgetReport is the state of error budgets at an instant, with what its readers
// need beside the figures. Everything that is made of it, be it a document or the
// JSON of a program, takes its numbers from the same values.
type BudgetReport struct {
	At      time.Time
	Zone    *time.Location // of the times shown. Defaults to UTC.
	Budgets []Budget       // in the order shown
	Sources []Source

	// Series puts the history of the budgets into the data.
	Series bool
	// Explained lets the document end with how its numbers came about.
	Explained bool
}

// BudgetReportSchema names the form of [BudgetReport.Data].
const BudgetReportSchema = "slo-status/v1"

// Budget is one objective at an instant.
type Budget struct {
	Objective slo.Objective
	Status    slo.Status     // of its first window, which is the one in the data
	Statuses  []slo.Status   // of all its windows, shown where there are several
	Burns     []slo.Burn     // of every window of the rules, shortest first
	Decisions []slo.Decision // in the order of the policy
	// Forecast assumes that the burn rate of the last hour holds.
	Forecast slo.Forecast
	// History are earlier states within the window, oldest first. It may be empty.
	History []BudgetPoint
}

// BudgetPoint is a budget at an earlier instant.
type BudgetPoint struct {
	At       time.Time
	Consumed slo.Ratio
	Rates    []slo.Ratio // as in Budget.Burns; absent without events
}

// recent is the time whose burn rate is taken to hold on.
const recent = time.Hour

// BudgetOf reads the state of an objective from its tracker, at the instant up to
// which that has come. The history is the caller's, see [BudgetHistory].
func BudgetOf(o slo.Objective, t *slo.Tracker) (Budget, error) {
	statuses, err := t.Statuses()
	if err != nil {
		return Budget{}, fmt.Errorf("objective %s: %w", o.ID, err)
	}
	forecast, err := t.Forecast(recent)
	if err != nil {
		return Budget{}, fmt.Errorf("objective %s: %w", o.ID, err)
	}
	return Budget{
		Objective: o, Status: statuses[0], Statuses: statuses, Forecast: forecast,
		Burns: slices.Collect(t.Burns()), Decisions: slices.Collect(t.Decisions()),
	}, nil
}

// Window returns the window that Status is of, the objective's first; ok is false
// where it has none.
func (b Budget) Window() (w slo.Window, ok bool) {
	if len(b.Objective.Windows) == 0 {
		return slo.Window{}, false
	}
	return b.Objective.Windows[0], true
}

// Fires reports whether a rule of a severity fires.
func (b Budget) Fires(severity slo.Severity) bool {
	return slices.ContainsFunc(b.Decisions, func(d slo.Decision) bool { return d.Firing && d.Severity == severity })
}

// Review returns what the budget policy of the objective says now.
func (b Budget) Review() slo.BudgetReview { return b.Objective.BudgetPolicy.Review(b.Status) }

func (b Budget) hasPolicy() bool {
	return len(b.Objective.BudgetPolicy.Actions) > 0 || b.Objective.BudgetPolicy.Unused.IsSet()
}

// BudgetHistory collects the history of a budget while a tracker is fed: at most
// 1000 points, evenly spread over the samples it was shown. The zero value is
// ready.
type BudgetHistory struct {
	From time.Time // what was before is not kept

	points       []BudgetPoint
	stride, seen int
}

// Add takes the state after a sample, if it is one of those that are kept.
func (h *BudgetHistory) Add(t *slo.Tracker) error {
	if t.Now().Before(h.From) {
		return nil
	}
	h.stride = max(h.stride, 1)
	if h.seen++; (h.seen-1)%h.stride != 0 {
		return nil
	}
	status, err := t.Status()
	if err != nil {
		return err
	}
	if len(h.points) == maxPoints {
		// Half of the points at twice the distance; the next one is then due.
		for i := range maxPoints / 2 {
			h.points[i] = h.points[2*i]
		}
		h.points, h.stride = h.points[:maxPoints/2], 2*h.stride
	}
	p := BudgetPoint{At: status.At, Consumed: status.Consumed}
	for b := range t.Burns() {
		p.Rates = append(p.Rates, b.Rate)
	}
	h.points = append(h.points, p)
	return nil
}

// Points returns what was collected.
func (h *BudgetHistory) Points() []BudgetPoint { return h.points }
