package slo

import (
	"errors"
	"fmt"
)

// Objective is what a service promises and how it is watched: the thing that is
// written down once. It is plain data; [NewTracker] follows one.
type Objective struct {
	ID      string `json:"id"`
	Service string `json:"service,omitempty"`
	Owner   string `json:"owner,omitempty"`
	Runbook string `json:"runbook,omitempty"` // link

	Target Target `json:"target_percent"`
	// Windows are the windows over which the objective is judged. The first is
	// the main one; the same objective may be watched rolling and by calendar.
	Windows []Window `json:"windows"`
	// Slices turns the events into time slices, which are then what is counted
	// and alerted on. Defaults to nil: every event counts.
	Slices *Slicing `json:"slices,omitempty"`
	// Policy are the alert rules, see [DefaultPolicy]. Defaults to none.
	Policy Policy `json:"policy"`
	// Risk is what makes a budget at risk. Defaults to nothing.
	Risk Risk `json:"risk"`
	// BudgetPolicy is what has been agreed to happen as the budget goes, see
	// [BudgetPolicy.Review]. Defaults to nothing.
	BudgetPolicy BudgetPolicy `json:"budget_policy"`
}

// Validate reports everything that keeps o from being evaluated, joined. Each
// error names the objective.
func (o Objective) Validate() error {
	var errs []error
	if o.ID == "" {
		errs = append(errs, errors.New("id not set"))
	}
	if !o.Target.IsSet() {
		errs = append(errs, errors.New("target not set"))
	}
	if len(o.Windows) == 0 {
		errs = append(errs, errors.New("no window"))
	}
	for i, w := range o.Windows {
		if err := w.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("windows[%d]: %w", i, err))
		}
	}
	if o.Slices != nil {
		errs = append(errs, prefixed("slices", o.Slices.Validate())...)
	}
	if err := o.Risk.Validate(); err != nil {
		errs = append(errs, err)
	}
	errs = append(errs, prefixed("budget policy", o.BudgetPolicy.Validate())...)
	if o.Target.IsSet() {
		errs = append(errs, prefixed("policy", o.Policy.validateAt(o.Target))...)
	}
	return errors.Join(prefixed(fmt.Sprintf("objective %q", o.ID), errors.Join(errs...))...)
}

// prefixed puts a place before an error, or before each of those joined in it.
func prefixed(place string, err error) []error {
	errs := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		errs = joined.Unwrap()
	}
	var placed []error
	for _, err := range errs {
		if err != nil {
			placed = append(placed, fmt.Errorf("%s: %w", place, err))
		}
	}
	return placed
}

func (o Objective) measure() Measure {
	if o.Slices != nil {
		return Slices
	}
	return Events
}
