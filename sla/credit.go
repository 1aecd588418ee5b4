package sla

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// settle turns lines into what is payable: cap and minimum of each term, then
// stacking, then the cap of the contract in the order of the clauses.
func (ev *evaluation) settle() error {
	s, c := &ev.statement, ev.agreement.contract
	if c.RoundOnce {
		if err := ev.roundOnce(); err != nil {
			return err
		}
	}
	l, err := ev.agreement.ledger(s.Period, s.Fee, ev.evidence)
	if err != nil {
		return err
	}
	sums := make([]int64, len(l.terms))
	for i, t := range l.terms {
		if sums[i], err = ev.sum(t.id); err != nil {
			return err
		}
	}
	paid, err := l.settle(sums)
	if err != nil {
		return err
	}
	s.Gross, s.Payable = l.amount(paid.gross), l.amount(paid.payable)
	if l.limited {
		s.Cap = l.amount(l.limit)
	}
	for i, t := range l.terms {
		credit := TermCredit{Term: t.id, Clause: Clauses[t.clause], Lines: l.amount(sums[i]), Credit: l.amount(t.bound(sums[i]))}
		s.Terms = append(s.Terms, credit)
		ev.bounded(t, credit, l)
	}
	for i, clause := range Clauses {
		if paid.terms[i] > 0 {
			s.Waterfall = append(s.Waterfall, Payment{Clause: clause, Gross: l.amount(paid.due[i]), Payable: l.amount(paid.paid[i])})
		}
	}
	if paid.stacked < paid.gross {
		ev.find(FindingStacked, "", paid.best, fmt.Sprintf("credits of %s, the largest %s alone pays %s", s.Gross, l.stack.unit(), l.amount(paid.stacked)))
	}
	if l.limited && paid.payable == l.limit && paid.stacked > l.limit {
		ev.find(FindingCapped, "", "", fmt.Sprintf("credits of %s, capped at %s", l.amount(paid.stacked), s.Cap))
	}
	ev.close()
	return nil
}

// sum adds up the lines of a term, in minor units.
func (ev *evaluation) sum(term string) (int64, error) {
	total := ev.statement.Fee.Zero()
	for _, l := range ev.statement.Lines {
		if l.Term != term {
			continue
		}
		var err error
		if total, err = total.Add(l.Amount); err != nil {
			return 0, err
		}
	}
	return total.Minor(), nil
}

// bounded reports what the bounds of a term took away.
func (ev *evaluation) bounded(t ledgerTerm, c TermCredit, l *ledger) {
	if t.limited && t.limit < c.Lines.Minor() {
		ev.find(FindingTermCap, t.id, "", fmt.Sprintf("lines of %s, the term is capped at %s", c.Lines, l.amount(t.limit)))
	}
	if c.Credit.Sign() == 0 && min(c.Lines.Minor(), t.limit) > 0 {
		ev.find(FindingMinimum, t.id, "", fmt.Sprintf("credit of %s, issued only if greater than %s", l.amount(min(c.Lines.Minor(), t.limit)), l.amount(t.moreThan)))
	}
}

// roundOnce rounds the exact sum of the lines and gives each line its share of
// it: the sum is what counts, and the lines still add up to it.
func (ev *evaluation) roundOnce() error {
	lines, rounding := ev.statement.Lines, ev.agreement.contract.Rounding
	unit, err := money.New(1, ev.statement.Fee.Currency())
	if err != nil {
		return err
	}
	sum := new(big.Rat)
	for i := range lines {
		l := &lines[i]
		if l.exact != nil {
			if rounded, err := unit.ShareRat(l.exact, rounding); err != nil || rounded != l.Amount {
				l.exact = nil // a remedy has changed what Miss.Line made
			}
		}
		if l.exact == nil {
			l.exact = new(big.Rat).SetInt64(l.Amount.Minor())
		}
		sum.Add(sum, l.exact)
	}
	total, err := unit.ShareRat(sum, rounding)
	if err != nil {
		return err
	}
	left := total.Minor()
	order := make([]int, len(lines))
	rest := make([]*big.Rat, len(lines))
	whole := make([]int64, len(lines))
	for i, l := range lines {
		cut := new(big.Int).Quo(l.exact.Num(), l.exact.Denom())
		if !cut.IsInt64() {
			return fmt.Errorf("line %q: %w", l.Ref, money.ErrOverflow)
		}
		whole[i], order[i] = cut.Int64(), i
		rest[i] = new(big.Rat).Sub(l.exact, new(big.Rat).SetInt(cut))
		left -= whole[i]
	}
	slices.SortStableFunc(order, func(i, j int) int { return rest[j].Cmp(rest[i]) })
	for _, i := range order[:left] {
		whole[i]++
	}
	for i := range lines {
		lines[i].Together = true
		if lines[i].Amount, err = money.New(whole[i], unit.Currency()); err != nil {
			return err
		}
	}
	return nil
}

// close sets what follows from the amounts.
func (ev *evaluation) close() {
	s := &ev.statement
	for i := range s.Lines {
		s.Lines[i].exact = nil
	}
	s.earned()
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
		ev.claimBefore()
	}
}

// claimBefore sets the earliest end of the claims for what is payable.
func (ev *evaluation) claimBefore() {
	s, c := &ev.statement, ev.agreement.contract
	if c.Claim.Kind == ClaimUnknown {
		ev.find(FindingClaim, "", "", fmt.Sprintf("%s is due; until when it can be claimed is not on file", s.Payable))
		return
	}
	for _, b := range s.Breaches {
		if b.Credit.Sign() <= 0 {
			continue
		}
		ended := b.At.Add(-time.Nanosecond)
		for _, m := range s.Availability {
			if m.Term != b.Term || m.Service != b.Service || len(m.Downtime) == 0 {
				continue
			}
			if c.Claim.Kind == DaysAfterEligible {
				ended = m.exceeded(ended)
			} else {
				ended = m.Downtime[0].End.Add(-time.Nanosecond)
			}
		}
		if at, ok := c.Claim.Deadline(ended, c.Period, ev.agreement.loc); ok && (s.ClaimBefore.IsZero() || at.Before(s.ClaimBefore)) {
			s.ClaimBefore = at
		}
	}
}

// earned gives every breach the sum of its lines; they have been added up before.
func (s *Statement) earned() {
	type earner struct {
		term, ref string
		severity  incident.Severity
	}
	sums := make(map[earner]money.Amount, len(s.Lines))
	for _, l := range s.Lines {
		by := earner{l.Term, l.Ref, l.Severity}
		if sum, ok := sums[by]; ok {
			sums[by], _ = sum.Add(l.Amount)
		} else {
			sums[by] = l.Amount
		}
	}
	for i := range s.Breaches {
		b := &s.Breaches[i]
		if sum, ok := sums[earner{b.Term, b.Ref, b.Severity}]; ok {
			b.Credit = sum
		} else {
			b.Credit = s.Fee.Zero()
		}
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
	slices.SortStableFunc(losses, func(a, b Loss) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Ref, b.Ref), cmp.Compare(a.Claimed.Minor(), b.Claimed.Minor()))
	})
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
