package sla

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/sla/money"
)

// settle turns lines into what is payable: cap and minimum of each term, then
// stacking, then the cap of the contract in the order of the clauses.
func (ev *evaluation) settle() error {
	s, c := &ev.statement, ev.agreement.contract
	s.Gross, s.Payable = s.Fee.Zero(), s.Fee.Zero()
	byClause := map[Clause]money.Amount{}
	for _, t := range c.Terms {
		clause := t.Clause()
		if clause == ClauseDataLoss {
			continue
		}
		credit, err := ev.termCredit(t, clause)
		if err != nil {
			return err
		}
		s.Terms = append(s.Terms, credit)
		if _, ok := byClause[clause]; !ok {
			byClause[clause] = s.Fee.Zero()
		}
		if byClause[clause], err = byClause[clause].Add(credit.Credit); err != nil {
			return err
		}
		if s.Gross, err = s.Gross.Add(credit.Credit); err != nil {
			return err
		}
	}
	if c.CapPercent != nil {
		var err error
		if s.Cap, err = s.Fee.Percent(*c.CapPercent, c.Rounding); err != nil {
			return err
		}
	}
	if err := ev.waterfall(byClause); err != nil {
		return err
	}
	ev.close()
	return nil
}

// termCredit sums the lines of a term and applies its own bounds.
func (ev *evaluation) termCredit(t Term, clause Clause) (TermCredit, error) {
	out := TermCredit{Term: t.ID, Clause: clause, Lines: ev.statement.Fee.Zero()}
	var err error
	for _, l := range ev.statement.Lines {
		if l.Term != t.ID {
			continue
		}
		if out.Lines, err = out.Lines.Add(l.Amount); err != nil {
			return TermCredit{}, err
		}
	}
	out.Credit = out.Lines
	if t.CapPercent != nil {
		limit, err := ev.statement.Fee.Percent(*t.CapPercent, ev.agreement.contract.Rounding)
		if err != nil {
			return TermCredit{}, err
		}
		if limit.Minor() < out.Credit.Minor() {
			out.Credit = limit
			ev.find(FindingTermCap, t.ID, "", fmt.Sprintf("lines of %s, the term is capped at %s", out.Lines, limit))
		}
	}
	if t.MoreThan.IsSet() && out.Credit.Sign() > 0 && out.Credit.Minor() <= t.MoreThan.Minor() {
		ev.find(FindingMinimum, t.ID, "", fmt.Sprintf("credit of %s, issued only if greater than %s", out.Credit, t.MoreThan))
		out.Credit = out.Credit.Zero()
	}
	return out, nil
}

// waterfall pays the clauses in their order until the cap is used up.
func (ev *evaluation) waterfall(byClause map[Clause]money.Amount) error {
	s := &ev.statement
	stacked := ev.stack(byClause)
	left := s.Cap
	for _, clause := range Clauses {
		gross, ok := byClause[clause]
		if !ok {
			continue
		}
		pay := stacked[clause]
		if s.Cap.IsSet() {
			if left.Minor() < pay.Minor() {
				pay = left
			}
			var err error
			if left, err = left.Sub(pay); err != nil {
				return err
			}
		}
		s.Waterfall = append(s.Waterfall, Payment{Clause: clause, Gross: gross, Payable: pay})
		var err error
		if s.Payable, err = s.Payable.Add(pay); err != nil {
			return err
		}
	}
	if s.Cap.IsSet() && s.Payable == s.Cap && s.Gross.Minor() > s.Cap.Minor() {
		ev.find(FindingCapped, "", "", fmt.Sprintf("credits of %s, capped at %s", s.Gross, s.Cap))
	}
	return nil
}

// stack returns what each clause may be paid beside the others. Under StackMax
// the largest stays alone; ties go to the clause that is paid first.
func (ev *evaluation) stack(byClause map[Clause]money.Amount) map[Clause]money.Amount {
	if ev.agreement.contract.Stack != StackMax {
		return byClause
	}
	best := slices.MaxFunc(Clauses[:], func(a, b Clause) int { return cmp.Compare(byClause[a].Minor(), byClause[b].Minor()) })
	out := map[Clause]money.Amount{}
	for clause, amount := range byClause {
		out[clause] = amount.Zero()
	}
	if amount, ok := byClause[best]; ok {
		out[best] = amount
		if amount.Minor() < ev.statement.Gross.Minor() {
			ev.find(FindingStacked, "", string(best), fmt.Sprintf("credits of %s, the largest clause alone pays %s", ev.statement.Gross, amount))
		}
	}
	return out
}

// close sets what follows from the amounts.
func (ev *evaluation) close() {
	s := &ev.statement
	noData := false
	s.Quality.Grade = GradeComplete
	for _, m := range s.Availability {
		noData = noData || m.Outcome == NoData
		s.Quality.Unknown += m.Unknown
		s.Quality.Of += m.Total
	}
	switch {
	case s.Through.Equal(s.Period.Start) || len(s.Availability) > 0 && s.Quality.Unknown >= s.Quality.Of:
		s.Quality.Grade = GradeNone
	case s.Quality.Unknown > 0 || !s.Complete:
		s.Quality.Grade = GradePartial
	}
	switch {
	case s.Payable.Minor() > 0 && s.Payable.Minor() < s.Gross.Minor():
		s.State = StateCapped
	case s.Payable.Minor() > 0:
		s.State = StateDue
	case len(s.Breaches) > 0:
		s.State = StateBreachNoBand
	case noData || s.Quality.Grade == GradeNone:
		s.State = StateNoData
	default:
		s.State = StateNone
	}
	if s.Payable.Minor() > 0 {
		s.ClaimBefore, _ = ev.agreement.contract.Claim.Deadline(s.Period.End.Add(-time.Nanosecond), ev.agreement.contract.Period, ev.agreement.loc)
	}
}

// losses pays the claims for lost data of the period, oldest first, until the
// liability is used up.
func (ev *evaluation) losses(t Term) error {
	limit, err := t.DataLoss.limit(ev.evidence.Invoiced, ev.agreement.contract.Fee)
	if err != nil {
		return err
	}
	losses := slices.DeleteFunc(slices.Clone(ev.evidence.Losses), func(l Loss) bool { return !ev.covered.Contains(l.At) })
	slices.SortStableFunc(losses, func(a, b Loss) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Ref, b.Ref)) })
	for _, l := range losses {
		order, err := l.Claimed.Compare(limit)
		if err != nil {
			return fmt.Errorf("loss %q: %w", l.Ref, err)
		}
		p := LossPayment{Term: t.ID, Ref: l.Ref, Claimed: l.Claimed, Limit: limit, Payable: l.Claimed}
		if order > 0 {
			p.Payable = limit
		}
		if limit, err = limit.Sub(p.Payable); err != nil {
			return err
		}
		ev.statement.Liability = append(ev.statement.Liability, p)
	}
	return nil
}

// limit returns the most that the liability pays.
func (l Liability) limit(invoiced []money.Amount, fee money.Amount) (money.Amount, error) {
	if l.CurrentFee || len(invoiced) == 0 {
		return fee.Share(int64(l.Fees), 1, money.HalfUp)
	}
	return money.Sum(invoiced[max(0, len(invoiced)-l.Fees):]...)
}
