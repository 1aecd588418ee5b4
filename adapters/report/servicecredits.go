package report

import (
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Credits returns the table that a billing system posts: one row for each credit
// line, one for each claim for lost data, and one "adjustment" where the minimum or
// cap of a term, stacking or a cap of the contract make less payable than the lines
// come to. The amounts add up to what is payable. The key of a row stays the same
// when the same statement is exported again, so that a row is posted once.
func (r ServiceReport) Credits() (Table, error) {
	s := r.Report.Statement
	t := Table{Caption: "Credits", Columns: []Column{
		{Title: "key"},
		{Title: "customer_id"},
		{Title: "period"},
		{Title: "term"},
		{Title: "clause"},
		{Title: "ref"},
		{Title: "basis"},
		{Title: "amount", Numeric: true},
		{Title: "currency"},
	}}
	row := func(key, term, clause, ref, basis string, amount money.Amount) {
		t.Rows = append(t.Rows, []Cell{
			{Text: key},
			{Text: s.Customer},
			{Text: s.Period.Label},
			{Text: term},
			{Text: clause},
			{Text: ref},
			{Text: basis},
			{Text: amount.Decimal()},
			{Text: currency(amount)},
		})
	}
	rest := s.Payable
	var err error
	for _, l := range s.Lines {
		if l.Amount.Sign() == 0 {
			continue
		}
		row(l.Key(s), l.Term, string(l.Clause), l.Ref, string(l.Basis), l.Amount)
		if rest, err = rest.Sub(l.Amount); err != nil {
			return Table{}, err
		}
	}
	if rest.Sign() != 0 {
		row(s.Key("adjustment"), "", "", "", "adjustment", rest)
	}
	for _, l := range s.Liability {
		if l.Payable.Sign() != 0 {
			line := sla.Line{Term: l.Term, Ref: l.Ref}
			row(line.Key(s), l.Term, string(sla.ClauseDataLoss), l.Ref, "liability", l.Payable)
		}
	}
	return t, nil
}
