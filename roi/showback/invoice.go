package showback

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/sla/money"
)

// State is how far an invoice has come: draft, then approved, then posted.
type State string

// The states.
const (
	Draft    State = "draft"
	Approved State = "approved"
	Posted   State = "posted" // in the books: what is wrong is put right by a revision
)

// Invoice charges a legal entity for a month. Its methods return another invoice and do
// not change the one they are called on.
type Invoice struct {
	// Key names entity, month and revision. A ledger that takes each key once books
	// nothing twice.
	Key      string        `json:"key"`
	Entity   string        `json:"entity"`
	Month    Month         `json:"month"`
	Revision int           `json:"revision"` // 0 for the first
	State    State         `json:"state"`
	Lines    []InvoiceLine `json:"lines"`
	Net      money.Amount  `json:"net"`   // sum of the lines
	Tax      money.Amount  `json:"tax"`   // sum of the lines
	Total    money.Amount  `json:"total"` // sum of the lines
	// Differences to the revision before, by centre and item; empty for the first.
	Differences []InvoiceLine `json:"differences,omitempty"`
	// Due is what this revision books: Total, or the sum of the differences.
	Due money.Amount `json:"due"`
	// Steps that were taken, oldest first.
	Steps []Step `json:"steps,omitempty"`
	// Disputes, oldest first; the last may be open.
	Disputes []Dispute `json:"disputes,omitempty"`
}

// Step is a change of state.
type Step struct {
	State State     `json:"state"`
	By    string    `json:"by"`
	At    time.Time `json:"at"`
}

// Dispute is an objection of who has to pay.
type Dispute struct {
	By   string    `json:"by"`
	Note string    `json:"note"`
	At   time.Time `json:"at"`
	// Settled is when it ended, and Outcome how; zero and "" while it is open.
	Settled time.Time `json:"settled,omitzero"`
	Outcome string    `json:"outcome,omitempty"`
}

// StateError reports a step that an invoice in this state cannot take.
type StateError struct {
	Key   string
	State State
	Want  State
}

// Error names the invoice, its state and the one it should have.
func (e *StateError) Error() string {
	return fmt.Sprintf("invoice %q is %s: want %s", e.Key, e.State, e.Want)
}

// Approve turns a draft into an approved invoice. Errors are [*StateError], [ErrDisputed],
// and [*FieldError] if the lines do not add up or nobody approves.
func (inv Invoice) Approve(by string, at time.Time) (Invoice, error) {
	return inv.step(Draft, Approved, by, at)
}

// Post turns an approved invoice into a posted one, with the errors of [Invoice.Approve].
func (inv Invoice) Post(by string, at time.Time) (Invoice, error) {
	return inv.step(Approved, Posted, by, at)
}

// step takes an invoice from one state to the next.
func (inv Invoice) step(from, to State, by string, at time.Time) (Invoice, error) {
	switch {
	case inv.State != from:
		return inv, &StateError{Key: inv.Key, State: inv.State, Want: from}
	case inv.Disputed():
		return inv, fmt.Errorf("invoice %q: %w: %q", inv.Key, ErrDisputed, inv.Disputes[len(inv.Disputes)-1].Note)
	case by == "":
		return inv, &FieldError{Path: "by", Want: "who takes the step"}
	}
	if err := inv.Check(); err != nil {
		return inv, err
	}
	inv.State = to
	inv.Steps = append(slices.Clip(inv.Steps), Step{to, by, at})
	return inv, nil
}

// Check reports whether each line and the invoice add up: net and tax to the total, and
// the lines to the sums. The error is a [*FieldError].
func (inv Invoice) Check() error {
	for i := range inv.Lines {
		l := &inv.Lines[i]
		if total, err := l.Net.Add(l.Tax); err != nil || total != l.Total {
			return &FieldError{Path: fmt.Sprintf("lines[%d].total", i), Value: l.Total.String(), Want: "net and tax together, " + total.String(), Err: err}
		}
	}
	net, tax, total, err := sums(inv.Lines)
	if err != nil || net != inv.Net || tax != inv.Tax || total != inv.Total {
		return &FieldError{Path: "total", Value: inv.Total.String(), Want: "the sum of the lines, " + total.String(), Err: err}
	}
	if inv.Revision > 0 {
		_, _, total, err = sums(inv.Differences)
	}
	if err != nil || total != inv.Due {
		return &FieldError{Path: "due", Value: inv.Due.String(), Want: "the sum of what is booked, " + total.String(), Err: err}
	}
	return nil
}

// Postings are the lines that a ledger books for this revision.
func (inv Invoice) Postings() []InvoiceLine {
	if inv.Revision > 0 {
		return inv.Differences
	}
	return inv.Lines
}

// Disputed reports whether a dispute is open.
func (inv Invoice) Disputed() bool {
	n := len(inv.Disputes)
	return n > 0 && inv.Disputes[n-1].Settled.IsZero()
}

// Dispute notes an objection, in any state. Until it is settled the invoice goes no
// further. Errors are [ErrDisputed] while one is open, and [*FieldError] without a note.
func (inv Invoice) Dispute(by, note string, at time.Time) (Invoice, error) {
	switch {
	case inv.Disputed():
		return inv, fmt.Errorf("invoice %q: %w already", inv.Key, ErrDisputed)
	case note == "":
		return inv, &FieldError{Path: "note", Want: "what is disputed"}
	}
	inv.Disputes = append(slices.Clip(inv.Disputes), Dispute{By: by, Note: note, At: at})
	return inv, nil
}

// Settle ends the open dispute. Errors are [*FieldError] if there is none, or the instant
// is before the objection.
func (inv Invoice) Settle(outcome string, at time.Time) (Invoice, error) {
	if !inv.Disputed() {
		return inv, &FieldError{Path: "disputes", Value: inv.Key, Want: "an open dispute"}
	}
	inv.Disputes = slices.Clone(inv.Disputes)
	last := &inv.Disputes[len(inv.Disputes)-1]
	if at.Before(last.At) || at.IsZero() {
		return inv, &FieldError{Path: "settled", Value: at.String(), Want: "an instant from that of the objection on"}
	}
	last.Settled, last.Outcome = at, outcome
	return inv, nil
}

// Revise returns the next revision of a posted invoice, a draft with the lines of fresh
// and their differences to what was posted. An open dispute does not hinder it: often it
// is the reason. Errors are [*StateError], [*FieldError] if fresh is not for the same
// entity and month, and [ErrUnchanged] if there is no difference, so that running a month
// again books nothing.
func (inv Invoice) Revise(fresh Invoice) (Invoice, error) {
	switch {
	case inv.State != Posted:
		return Invoice{}, &StateError{Key: inv.Key, State: inv.State, Want: Posted}
	case fresh.State != Draft:
		return Invoice{}, &StateError{Key: fresh.Key, State: fresh.State, Want: Draft}
	case fresh.Entity != inv.Entity || fresh.Month != inv.Month:
		return Invoice{}, &FieldError{Path: "fresh", Value: fresh.Key, Want: fmt.Sprintf("an invoice of entity %q for %v", inv.Entity, inv.Month)}
	}
	differences, err := compare(inv.Lines, fresh.Lines)
	if err != nil {
		return Invoice{}, err
	}
	if len(differences) == 0 {
		return Invoice{}, fmt.Errorf("invoice %q: %w", inv.Key, ErrUnchanged)
	}
	fresh.Revision = inv.Revision + 1
	fresh.Key = invoiceKey(inv.Entity, inv.Month, fresh.Revision)
	fresh.Differences = differences
	fresh.Steps, fresh.Disputes = nil, nil
	_, _, fresh.Due, err = sums(differences)
	return fresh, err
}

// compare returns the lines that lead from one list to another.
func compare(before, after []InvoiceLine) ([]InvoiceLine, error) {
	type place struct{ centre, item string }
	type change struct{ was, is InvoiceLine }
	changes := map[place]change{}
	var order []place
	note := func(l InvoiceLine, set func(*change)) {
		p := place{l.Centre, l.Item}
		c, known := changes[p]
		if !known {
			zero := l.Net.Zero()
			none := InvoiceLine{Centre: l.Centre, Item: l.Item, Cost: zero, Markup: zero, Net: zero, Tax: zero, Total: zero}
			c = change{none, none}
			order = append(order, p)
		}
		set(&c)
		changes[p] = c
	}
	for _, l := range before {
		note(l, func(c *change) { c.was = l })
	}
	for _, l := range after {
		note(l, func(c *change) { c.is = l })
	}
	slices.SortFunc(order, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.centre, b.centre), cmp.Compare(a.item, b.item))
	})
	var lines []InvoiceLine
	for _, p := range order {
		was, is := changes[p].was, changes[p].is
		line := InvoiceLine{Centre: p.centre, Item: p.item, Formula: fmt.Sprintf("%v - %v", is.Total, was.Total)}
		different := false
		for _, f := range []struct {
			to       *money.Amount
			was, now money.Amount
		}{{&line.Cost, was.Cost, is.Cost}, {&line.Markup, was.Markup, is.Markup}, {&line.Net, was.Net, is.Net}, {&line.Tax, was.Tax, is.Tax}, {&line.Total, was.Total, is.Total}} {
			var err error
			if *f.to, err = f.now.Sub(f.was); err != nil {
				return nil, fmt.Errorf("difference of centre %q, item %q: %w", p.centre, p.item, err)
			}
			different = different || f.to.Sign() != 0
		}
		if different {
			line.Formula += " = " + line.Total.String()
			lines = append(lines, line)
		}
	}
	return lines, nil
}
