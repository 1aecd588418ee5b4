package slo

import (
	"errors"
	"fmt"
	"slices"
)

// BudgetPolicy is what has been agreed to happen as an error budget goes, as
// data. The zero BudgetPolicy asks for nothing. (The Site Reliability Workbook,
// 2018, appendix B "Example Error Budget Policy".)
type BudgetPolicy struct {
	Actions []BudgetAction `json:"actions,omitempty"`
	// Unused is the share of the budget that may be left at the end of a window.
	// More than that is reported: the service is better than it needs to be, and
	// pays for it. A rolling window is at its end at any time. Defaults to
	// absent: never reported.
	Unused Ratio `json:"unused"`
}

// BudgetAction is one thing to do from some share of the budget on.
type BudgetAction struct {
	Name     string `json:"name"`     // such as "freeze", see [Freeze]
	Consumed Ratio  `json:"consumed"` // share of the budget from which on it is due, above 0
	Text     string `json:"text"`     // what is to be done, and by whom
}

// Freeze is the name of the action by which releases stop. Pages draw its share as a
// line into the budget; other names are the user's own.
const Freeze = "freeze"

// DefaultBudgetPolicy returns actions at half, three quarters and all of the
// budget.
func DefaultBudgetPolicy() BudgetPolicy {
	return BudgetPolicy{Actions: []BudgetAction{
		{"review", NewRatio(1, 2), "Look for the main causes of lost budget and plan their repair."},
		{"caution", NewRatio(3, 4), "Put risky releases off until there is budget again."},
		{Freeze, NewRatio(1, 1), "Release nothing but repairs and security fixes."},
	}}
}

// Validate reports every action without a name of its own or without a share
// above 0, and an unused share outside 0 to 1, joined.
func (p BudgetPolicy) Validate() error {
	var errs []error
	for i, a := range p.Actions {
		switch {
		case a.Name == "":
			errs = append(errs, fmt.Errorf("actions[%d]: want a name", i))
		case slices.ContainsFunc(p.Actions[:i], func(b BudgetAction) bool { return b.Name == a.Name }):
			errs = append(errs, fmt.Errorf("actions[%d] %q: want a name of its own", i, a.Name))
		}
		if !a.Consumed.isFinite() || a.Consumed.Sign() <= 0 {
			errs = append(errs, fmt.Errorf("actions[%d] %q: consumed %s: want a share above 0", i, a.Name, a.Consumed))
		}
	}
	if p.Unused.IsSet() && (!p.Unused.isFinite() || p.Unused.Sign() < 0 || p.Unused.Compare(NewRatio(1, 1)) > 0) {
		errs = append(errs, fmt.Errorf("unused %s: want 0 to 1", p.Unused))
	}
	return errors.Join(errs...)
}

// BudgetReview is what a [BudgetPolicy] says about a [Status].
type BudgetReview struct {
	// Due are the actions whose share is consumed, exactly or by more, from the
	// smallest share up.
	Due []BudgetAction `json:"due,omitempty"`
	// Next is the action that comes next, with the least share that is not
	// consumed; nil when all are due.
	Next *BudgetAction `json:"next,omitempty"`
	// Until is the share of the budget that may still go until then; absent
	// without a next one.
	Until Ratio `json:"until"`
	// Unused is the share of the budget that is left although the window is at
	// its end; absent while it is not, without data, when it is not above what
	// the policy allows, and when the policy does not ask.
	Unused Ratio `json:"unused"`
}

// Review returns the actions that are due for a status. Without data none is.
func (p BudgetPolicy) Review(s Status) BudgetReview {
	sorted := slices.Clone(p.Actions)
	slices.SortStableFunc(sorted, func(a, b BudgetAction) int { return a.Consumed.Compare(b.Consumed) })
	due := 0
	for s.State != NoData && due < len(sorted) && s.Consumed.Compare(sorted[due].Consumed) >= 0 {
		due++
	}
	r := BudgetReview{Due: sorted[:due:due]}
	if due < len(sorted) {
		r.Next = &sorted[due]
		if s.Consumed.isFinite() {
			r.Until = sorted[due].Consumed.minus(s.Consumed)
		}
	}
	if p.Unused.IsSet() && s.State != NoData && s.At.Equal(s.Window.End) && s.Remaining.Compare(p.Unused) > 0 {
		r.Unused = s.Remaining
	}
	return r
}
