package sla

import (
	"math/bits"
	"time"

	"github.com/evenkeelops/evenkeel/internal/wallclock"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// ledger adds up the credits of a period in minor units of one currency: bounds
// of each term, then stacking, then the cap of the contract, which pays the
// clauses in their order.
type ledger struct {
	terms   []ledgerTerm
	stack   Stack
	limited bool
	limit   int64
	unit    money.Amount // one minor unit in the currency of the fee
}

type ledgerTerm struct {
	id       string
	clause   int // in Clauses
	limited  bool
	limit    int64
	moreThan int64 // below 0 for no minimum
}

// ledger prepares the bounds of a period; fee is what it costs.
func (a *Agreement) ledger(p Period, fee money.Amount, e Evidence) (*ledger, error) {
	c := a.contract
	unit, err := money.New(1, fee.Currency())
	if err != nil {
		return nil, err
	}
	l := &ledger{stack: c.Stack, unit: unit}
	for _, t := range c.Terms {
		clause := t.Clause()
		if clause == ClauseDataLoss {
			continue
		}
		term := ledgerTerm{id: t.ID, clause: rank(clause), limit: maxMinor, moreThan: -1}
		if t.CapPercent != nil {
			limit, err := fee.Percent(*t.CapPercent, c.Rounding)
			if err != nil {
				return nil, err
			}
			term.limited, term.limit = true, limit.Minor()
		}
		if t.MoreThan.IsSet() {
			term.moreThan = t.MoreThan.Minor()
		}
		l.terms = append(l.terms, term)
	}
	caps, err := a.caps(p, fee, e)
	for _, limit := range caps {
		if !l.limited || limit.Minor() < l.limit {
			l.limited, l.limit = true, limit.Minor()
		}
	}
	return l, err
}

const maxMinor = 1<<63 - 1

// caps returns what each of the contract's caps allows.
func (a *Agreement) caps(p Period, fee money.Amount, e Evidence) (caps []money.Amount, err error) {
	c := a.contract
	add := func(limit money.Amount, failed error) {
		if err == nil {
			caps, err = append(caps, limit), failed
		}
	}
	if c.CapPercent != nil {
		add(fee.Percent(*c.CapPercent, c.Rounding))
	}
	if c.CapDays > 0 {
		days := a.localDays(p)
		add(fee.Share(int64(min(c.CapDays, days)), int64(days), c.Rounding))
	}
	if c.CapInvoicePercent != nil {
		add(e.Invoice.Percent(*c.CapInvoicePercent, c.Rounding))
	}
	if c.CapYearPercent != nil {
		add(a.yearLeft(p, e))
	}
	return caps, err
}

// yearLeft returns what the cap of a year leaves after the credits issued in the
// twelve months before the end of the period. A year is as many periods as fit.
func (a *Agreement) yearLeft(p Period, e Evidence) (money.Amount, error) {
	c := a.contract
	periods := [2]int64{12, int64(c.Period.months())}
	if c.Period.Days > 0 {
		periods = [2]int64{365, int64(c.Period.Days)}
	}
	left, err := c.Fee.Share(periods[0], periods[1], c.Rounding)
	if err != nil {
		return money.Amount{}, err
	}
	if left, err = left.Percent(*c.CapYearPercent, c.Rounding); err != nil {
		return money.Amount{}, err
	}
	from := wallclock.Resolve(wallclock.AddMonths(wallclock.At(p.End, a.loc), -12), a.loc, wallclock.First)
	for _, issued := range e.Issued {
		if !issued.At.After(from) || !issued.At.Before(p.End) { // a period that ended at from lies before the twelve months
			continue
		}
		if left, err = left.Sub(issued.Amount); err != nil {
			return money.Amount{}, err
		}
	}
	if left.Sign() < 0 {
		left = left.Zero()
	}
	return left, nil
}

// localDays returns how many local midnights a period has, at least 1.
func (a *Agreement) localDays(p Period) int {
	first, last := wallclock.Midnight(wallclock.At(p.Start, a.loc)), wallclock.At(p.End.Add(-1), a.loc)
	return int(last.Sub(first)/(24*time.Hour)) + 1
}

// bound applies cap and minimum to the sum of the lines.
func (t *ledgerTerm) bound(sum int64) int64 {
	credit := min(sum, t.limit)
	if credit <= t.moreThan {
		return 0
	}
	return credit
}

// account is what a ledger comes to.
type account struct {
	gross, stacked, payable int64
	terms                   [len(Clauses)]int   // how many terms the clause has
	due, paid               [len(Clauses)]int64 // by clause
	best                    string              // what alone pays, if not all do
}

// settle takes the sum of the lines of each term.
func (l *ledger) settle(sums []int64) (account, error) {
	var a account
	best, bestTerm := int64(-1), 0
	for i := range l.terms {
		t := &l.terms[i]
		credit := t.bound(sums[i])
		var over bool
		if a.due[t.clause], over = add(a.due[t.clause], credit, over); over {
			return account{}, money.ErrOverflow
		}
		if a.gross, over = add(a.gross, credit, over); over {
			return account{}, money.ErrOverflow
		}
		a.terms[t.clause]++
		if credit > best {
			best, bestTerm = credit, i
		}
	}
	pay := a.due
	switch l.stack {
	case StackMax:
		first := 0
		for i := range pay {
			if a.due[i] > a.due[first] {
				first = i
			}
		}
		pay = [len(Clauses)]int64{}
		pay[first] = a.due[first]
		a.best = string(Clauses[first])
	case StackEither:
		if best >= 0 {
			t := l.terms[bestTerm]
			pay = [len(Clauses)]int64{}
			pay[t.clause] = best
			a.best = t.id
		}
	default:
	}
	left := l.limit
	for i := range pay {
		a.stacked += pay[i] // at most gross
		if l.limited {
			pay[i] = min(pay[i], left)
			left -= pay[i]
		}
		a.payable += pay[i]
	}
	a.paid = pay
	return a, nil
}

// add adds two amounts that are not negative.
func add(a, b int64, over bool) (int64, bool) {
	sum, _ := bits.Add64(uint64(a), uint64(b), 0)
	return int64(sum), over || sum > maxMinor
}

// amount returns minor units in the currency of the fee. Multiplying a unit spares
// the search for the currency, which a batch would make many times a customer.
func (l *ledger) amount(minor int64) money.Amount {
	if minor == 0 {
		return l.unit.Zero()
	}
	return money.Must(l.unit.Share(minor, 1, money.HalfUp)) // as large as minor
}

// unit names what stands alone.
func (s Stack) unit() string {
	if s == StackEither {
		return "term"
	}
	return "clause"
}
