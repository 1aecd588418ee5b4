package sla

import (
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// EvidenceError reports a piece of evidence that contradicts itself.
type EvidenceError struct {
	Path string // such as "incidents[3]"
	Ref  string // its id, where it has one
	Err  error
}

// Error names the piece and what is wrong with it.
func (e *EvidenceError) Error() string {
	return fmt.Sprintf("sla: evidence %s %q: %v", e.Path, e.Ref, e.Err)
}

// Unwrap returns the cause.
func (e *EvidenceError) Unwrap() error { return e.Err }

// Validate joins all contradictions and figures out of range, each an
// [*EvidenceError].
func (e Evidence) Validate() error {
	var problems []error
	check := func(path string, i int, ref string, errs ...error) {
		if err := errors.Join(errs...); err != nil {
			problems = append(problems, &EvidenceError{Path: fmt.Sprintf("%s[%d]", path, i), Ref: ref, Err: err})
		}
	}
	if err := e.Observed.Validate(); err != nil {
		problems = append(problems, &EvidenceError{Path: "observed", Err: err})
	}
	for i, o := range e.Outages {
		check("outages", i, o.Ref, set("start", o.Start), until(o.Start, o.End), o.validate())
	}
	for i, m := range e.Maintenance {
		check("maintenance", i, m.Ref, set("start", m.Start), calendar.Interval{Start: m.Start, End: m.End}.Validate())
	}
	for i, g := range e.Gaps {
		check("gaps", i, g.Service, set("start", g.Start), until(g.Start, g.End))
	}
	total := uint64(0)
	for i, r := range e.Requests {
		check("requests", i, r.Service, set("start", r.Start), r.validate())
		var carry uint64
		if total, carry = bits.Add64(total, r.Total, 0); carry > 0 {
			check("requests", i, r.Service, errors.New("the sum of all requests exceeds 64 bits"))
		}
	}
	for i, in := range e.Incidents {
		check("incidents", i, in.ID, in.validate())
	}
	for i, l := range e.Losses {
		check("losses", i, l.Ref, set("at", l.At), owed("claimed", l.Claimed))
	}
	for i, c := range e.Changes {
		if !c.Start.IsZero() {
			check("changes", i, c.Ref, until(c.Start, c.End))
		}
	}
	for i, p := range e.Problems {
		check("problems", i, p.Ref, set("opened", p.Opened), until(p.Opened, p.Closed))
	}
	for i, c := range e.Capacity {
		check("capacity", i, c.Resource, set("start", c.Start), notNegative("used", c.Used), notNegative("available", c.Available))
	}
	return errors.Join(append(problems, e.amounts())...)
}

// amounts checks what credits are computed from.
func (e Evidence) amounts() error {
	var problems []error
	check := func(path string, a money.Amount) {
		if err := owed("amount", a); err != nil {
			problems = append(problems, &EvidenceError{Path: path, Err: err})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.Fees)) {
		check("fees."+name, e.Fees[name])
	}
	for i, a := range e.Invoiced {
		check(fmt.Sprintf("invoiced[%d]", i), a)
	}
	for i, c := range e.Issued {
		check(fmt.Sprintf("issued[%d]", i), c.Amount)
	}
	if e.Invoice.IsSet() {
		check("invoice", e.Invoice)
	}
	return errors.Join(problems...)
}

// suits refuses amounts in another currency than that of the fee, where the
// contract computes credits from them, and a missing invoice that bounds them.
func (a *Agreement) suits(e Evidence) error {
	c := a.contract
	var problems []error
	check := func(path string, amount money.Amount) {
		if amount.IsSet() && amount.Currency() != c.Fee.Currency() {
			problems = append(problems, &EvidenceError{Path: path, Err: fmt.Errorf("%s beside a fee in %s: %w", amount, c.Fee.Currency(), money.ErrCurrency)})
		}
	}
	for _, t := range c.Terms {
		if t.FeeBase != "" {
			check("fees."+t.FeeBase, e.Fees[t.FeeBase])
		}
	}
	if c.CapInvoicePercent != nil {
		if !e.Invoice.IsSet() {
			problems = append(problems, &EvidenceError{Path: "invoice", Err: errors.New("not set: want the amount that the contract caps credits by")})
		}
		check("invoice", e.Invoice)
	}
	if c.CapYearPercent != nil {
		for i, issued := range e.Issued {
			check(fmt.Sprintf("issued[%d]", i), issued.Amount)
		}
	}
	return errors.Join(problems...)
}

func set(name string, at time.Time) error {
	switch year := at.UTC().Year(); {
	case at.IsZero():
		return errors.New(name + " is not set")
	case year < firstYear || year > lastYear:
		return fmt.Errorf("%s in the year %d: want %d to %d", name, year, firstYear, lastYear)
	}
	return nil
}

// firstYear and lastYear are those that calendars know.
const firstYear, lastYear = 1678, 2261

func notNegative(name string, d time.Duration) error {
	if d < 0 {
		return fmt.Errorf("%s %s: want 0 or more", name, d)
	}
	return nil
}

func owed(name string, a money.Amount) error {
	if a.Sign() < 0 || !a.IsSet() {
		return fmt.Errorf("%s %q: want an amount of 0 or more", name, a)
	}
	return nil
}

func (o Outage) validate() error {
	if a := o.affected(); a < 0 || a > whole {
		return fmt.Errorf("affected %s: want 0%% to 100%%", o.Affected)
	}
	return nil
}

// until checks a stretch whose zero end means "open".
func until(start, end time.Time) error {
	if end.IsZero() {
		return nil
	}
	return calendar.Interval{Start: start, End: end}.Validate()
}

func (in *Incident) validate() error {
	var problems []error
	if !in.Severity.IsSet() {
		problems = append(problems, fmt.Errorf("severity %v: want P1 to P4", in.Severity))
	}
	problems = append(problems, set("opened", in.Opened))
	early := func(name string, at time.Time) {
		if at.Before(in.Opened) {
			problems = append(problems, fmt.Errorf("%s %s before opened %s", name, at.Format(time.RFC3339Nano), in.Opened.Format(time.RFC3339Nano)))
		}
	}
	for _, e := range []struct {
		name string
		at   time.Time
	}{{"responded", in.Responded}, {"resolved", in.Resolved}, {"cancelled", in.Cancelled}} {
		if !e.at.IsZero() {
			early(e.name, e.at)
		}
	}
	for _, at := range in.Updates {
		early("update", at)
	}
	for _, at := range in.Resets {
		early("reset", at)
	}
	for _, c := range in.Severities {
		early("severity change", c.At)
		if !c.Severity.IsSet() {
			problems = append(problems, fmt.Errorf("severity change to %v: want P1 to P4", c.Severity))
		}
	}
	for _, p := range in.Pauses {
		problems = append(problems, until(p.Start, p.End))
	}
	for _, c := range in.Closed {
		early("closed", c.Start)
		problems = append(problems, c.Validate())
		if !in.Resolved.IsZero() && in.Resolved.Before(c.End) {
			problems = append(problems, fmt.Errorf("resolved %s before reopened %s", in.Resolved.Format(time.RFC3339Nano), c.End.Format(time.RFC3339Nano)))
		}
	}
	return errors.Join(problems...)
}
