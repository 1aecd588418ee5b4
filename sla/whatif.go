package sla

import (
	"errors"
	"fmt"

	"github.com/evenkeelops/evenkeel/sla/money"
)

// AmountChange is an amount in two statements.
type AmountChange struct {
	Before     money.Amount `json:"before"`
	After      money.Amount `json:"after"`
	Difference money.Amount `json:"difference"` // after less before
}

// CreditDifference is a credit that differs between two statements.
type CreditDifference struct {
	Clause Clause `json:"clause"`
	Term   string `json:"term,omitempty"` // empty where the clause counts as a whole
	AmountChange
}

// Alternative is what a period would have come to under another contract.
type Alternative struct {
	Contract string `json:"contract"` // the id of the other one
	Period   Period `json:"period"`

	Fee     AmountChange `json:"fee"`
	Gross   AmountChange `json:"gross"`
	Payable AmountChange `json:"payable"`
	Cost    AmountChange `json:"cost"` // fee less payable

	// Terms lists the terms whose credit differs, by their ids and before stacking
	// and caps; Clauses the clauses that are paid differently.
	Terms   []CreditDifference `json:"terms,omitempty"`
	Clauses []CreditDifference `json:"clauses,omitempty"`
}

// WhatIf compares a statement with the one that the same evidence gives for the
// same period under another contract, such as another tier. Errors are
// [ErrOtherEvidence], [ErrOtherPeriod] and those of package money, such as for
// another currency.
func WhatIf(base, other Statement) (Alternative, error) {
	switch {
	case base.Inputs.Evidence != other.Inputs.Evidence:
		return Alternative{}, fmt.Errorf("%w: %q and %q", ErrOtherEvidence, base.Inputs.Evidence, other.Inputs.Evidence)
	case !samePeriod(base, other):
		return Alternative{}, fmt.Errorf("%w: %s and %s", ErrOtherPeriod, base.asked().Interval, other.asked().Interval)
	}
	a := Alternative{Contract: other.Contract, Period: other.asked()}
	costBefore, errBefore := base.Fee.Sub(base.Payable)
	costAfter, errAfter := other.Fee.Sub(other.Payable)
	err := errors.Join(errBefore, errAfter)
	for _, c := range []struct {
		to            *AmountChange
		before, after money.Amount
	}{
		{&a.Fee, base.Fee, other.Fee},
		{&a.Gross, base.Gross, other.Gross},
		{&a.Payable, base.Payable, other.Payable},
		{&a.Cost, costBefore, costAfter},
	} {
		if err == nil {
			*c.to, err = amountDifference(c.before, c.after)
		}
	}
	if err != nil {
		return Alternative{}, err
	}
	a.Terms, a.Clauses, err = creditDifferences(base, other)
	return a, err
}

// amountDifference takes an amount that is not set as nothing.
func amountDifference(before, after money.Amount) (AmountChange, error) {
	if !before.IsSet() {
		before = after.Zero()
	}
	if !after.IsSet() {
		after = before.Zero()
	}
	c := AmountChange{Before: before, After: after}
	if !before.IsSet() {
		return c, nil
	}
	var err error
	if c.Difference, err = after.Sub(before); err != nil {
		return AmountChange{}, fmt.Errorf("sla: difference: %w", err)
	}
	return c, nil
}

// creditDifferences lists the terms and the clauses whose amounts differ, first
// in the order of before, then what only after has.
func creditDifferences(before, after Statement) (terms, clauses []CreditDifference, err error) {
	if terms, err = differing(before.termCredits(), after.termCredits()); err != nil {
		return nil, nil, err
	}
	clauses, err = differing(before.clauseCredits(), after.clauseCredits())
	return terms, clauses, err
}

// credited is an amount of a clause, or of one of its terms.
type credited struct {
	clause Clause
	term   string
	amount money.Amount
}

func (s Statement) termCredits() (out []credited) {
	for _, t := range s.Terms {
		out = append(out, credited{t.Clause, t.Term, t.Credit})
	}
	return out
}

func (s Statement) clauseCredits() (out []credited) {
	for _, w := range s.Waterfall {
		out = append(out, credited{clause: w.Clause, amount: w.Payable})
	}
	return out
}

// differing pairs amounts by clause and term. What one side lacks comes to
// nothing there.
func differing(before, after []credited) (out []CreditDifference, err error) {
	find := func(list []credited, c credited) money.Amount {
		for _, other := range list {
			if other.clause == c.clause && other.term == c.term {
				return other.amount
			}
		}
		return money.Amount{}
	}
	add := func(c credited, before, after money.Amount) error {
		change, err := amountDifference(before, after)
		if err == nil && change.Difference.Sign() != 0 {
			out = append(out, CreditDifference{Clause: c.clause, Term: c.term, AmountChange: change})
		}
		return err
	}
	for _, c := range before {
		if err := add(c, c.amount, find(after, c)); err != nil {
			return nil, err
		}
	}
	for _, c := range after {
		if !find(before, c).IsSet() {
			if err := add(c, money.Amount{}, c.amount); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// liability adds up the payments for lost data; of none it is not set.
func (s Statement) liability() (total money.Amount, err error) {
	for _, p := range s.Liability {
		if !total.IsSet() {
			total = p.Payable.Zero()
		}
		if total, err = total.Add(p.Payable); err != nil {
			return money.Amount{}, fmt.Errorf("sla: liability: %w", err)
		}
	}
	return total, nil
}
