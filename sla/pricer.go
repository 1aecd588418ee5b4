package sla

import (
	"errors"
	"fmt"
	"math/big"
	"math/bits"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/fixed"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Figures are what one term comes to in a period, condensed to what its credit
// depends on.
type Figures struct {
	// Promised and Down are those of the service that pays, of [Measured]. A
	// Promised of 0 is no data.
	Promised, Down time.Duration

	// Late counts the incidents that were late, P1 first.
	Late [len(incident.Severities)]int

	// Unmonitored is the time without monitoring that is paid for, counted in
	// the way of the term.
	Unmonitored time.Duration
}

// Pricer turns the figures of one whole period into credits, with the amounts of
// [Agreement.Evaluate] but none of its texts. Figures do not tell how much of the
// period has passed: of one that is not over, [LostTime] gives too much. It is made
// once for a period and safe for concurrent use.
type Pricer struct {
	ledger *ledger
	terms  []pricedTerm
}

// pricedTerm is a term with its percentages turned into amounts.
type pricedTerm struct {
	clause   Clause
	target   money.Percent
	strict   bool
	bands    []pricedBand
	extend   bool
	perLate  [len(incident.Severities)]int64
	fee      money.Amount
	perHour  money.Percent
	lost     *LostTime
	rounding money.Rounding
}

type pricedBand struct {
	Band
	minor int64
}

// ErrNotCondensed means that the credit of a term depends on more than its
// [Figures].
var ErrNotCondensed = errors.New("sla: the credit depends on more than totals")

// Pricer prepares the credits of a period. Of the evidence it takes the fees, the
// invoice and the credits issued before. The error is [ErrNotCondensed] for
// measures of something else than time, for remedies that work on single outages,
// for several services that each pay or have their own targets, for means, for
// indicators and for a contract that rounds once.
func (a *Agreement) Pricer(p Period, e Evidence) (*Pricer, error) {
	p, fee, err := a.clip(p)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(e.amounts(), a.suits(e)); err != nil {
		return nil, err
	}
	pr := &Pricer{}
	if a.contract.RoundOnce {
		return nil, fmt.Errorf("%w: round_once", ErrNotCondensed)
	}
	if pr.ledger, err = a.ledger(p, fee, e); err != nil {
		return nil, err
	}
	for _, t := range a.contract.Terms {
		if t.Clause() == ClauseDataLoss {
			continue
		}
		base, _ := e.feeBase(t, fee)
		priced, err := a.priced(t, p, base)
		if err != nil {
			return nil, fmt.Errorf("sla: term %q: %w", t.ID, err)
		}
		pr.terms = append(pr.terms, priced)
	}
	return pr, nil
}

func (a *Agreement) priced(t Term, p Period, fee money.Amount) (pricedTerm, error) {
	out := pricedTerm{clause: t.Clause(), fee: fee, rounding: a.contract.Rounding}
	switch out.clause {
	case ClauseAvailability:
		out.strict = t.Availability.Strict
		err := out.price(*t.Availability, int64(a.localDays(p)))
		return out, err
	case ClauseMonitoring:
		out.perHour = t.Monitoring.PercentPerHour
		return out, nil
	case ClauseIndicator:
		return out, ErrNotCondensed
	default:
	}
	clock, _ := t.clock()
	if clock.MeanToo {
		return out, ErrNotCondensed
	}
	for _, target := range clock.Targets {
		amount := target.Credit
		if !amount.IsSet() {
			var err error
			if amount, err = fee.Percent(target.CreditPercent, out.rounding); err != nil {
				return out, err
			}
		}
		out.perLate[target.Severity-incident.P1] = amount.Minor()
	}
	return out, nil
}

// price turns a remedy into amounts.
func (t *pricedTerm) price(a Availability, days int64) error {
	t.target = a.target(a.measured()[0])
	own := func(s Service) bool { return s.Target != nil }
	if a.Aggregate == Mean || a.Aggregate == Weighted || len(a.Services) > 1 && (a.Aggregate == PerService || slices.ContainsFunc(a.Services, own)) {
		return ErrNotCondensed
	}
	switch a.Measure.(type) {
	case nil, Uptime, BadSlots:
	default:
		return ErrNotCondensed
	}
	switch r := a.Remedy.(type) {
	case nil, UnknownRemedy:
	case LostTime:
		if r.OutageCapPercent != nil {
			return ErrNotCondensed
		}
		t.lost = &r
	case Bands:
		t.extend = r.ExtendTop
		for _, b := range r.Bands {
			amount, err := b.amount(t.fee, days, t.rounding)
			if err != nil {
				return err
			}
			t.bands = append(t.bands, pricedBand{b, amount.Minor()})
		}
	default:
		return ErrNotCondensed
	}
	return nil
}

// Credits is what the figures of a period come to. Clauses come in the order of
// [Clauses]; one without a term is 0.
type Credits struct {
	Gross   money.Amount
	Stacked money.Amount // what of it counts beside each other, before the cap of the contract
	Payable money.Amount
	Due     [len(Clauses)]money.Amount // before stacking and cap
	Paid    [len(Clauses)]money.Amount
}

// Terms returns how many figures Price takes: one for every term but data loss,
// in the order of the contract.
func (p *Pricer) Terms() int { return len(p.terms) }

// Price returns the credits. figures has Terms members. The error is
// money.ErrOverflow, or says what is wrong with the figures. A contract of up to
// 16 terms costs no allocation, unless it pays for lost time.
func (p *Pricer) Price(figures []Figures) (Credits, error) {
	if len(figures) != len(p.terms) {
		return Credits{}, fmt.Errorf("sla: %d figures for %d terms", len(figures), len(p.terms))
	}
	var few [16]int64
	sums := few[:]
	if len(figures) > len(few) {
		sums = make([]int64, len(figures))
	}
	for i := range figures {
		var err error
		if sums[i], err = p.terms[i].credit(&figures[i]); err != nil {
			return Credits{}, err
		}
	}
	a, err := p.ledger.settle(sums[:len(figures)])
	if err != nil {
		return Credits{}, err
	}
	c := Credits{Gross: p.ledger.amount(a.gross), Stacked: p.ledger.amount(a.stacked), Payable: p.ledger.amount(a.payable)}
	for i := range Clauses {
		c.Due[i], c.Paid[i] = p.ledger.amount(a.due[i]), p.ledger.amount(a.paid[i])
	}
	return c, nil
}

// credit returns the sum of the lines of a term in minor units.
func (t *pricedTerm) credit(f *Figures) (int64, error) {
	switch t.clause {
	case ClauseAvailability:
		return t.availability(f)
	case ClauseMonitoring:
		return t.monitoring(f)
	default:
	}
	var sum int64
	var over bool
	for i, n := range f.Late {
		if n < 0 {
			return 0, fmt.Errorf("sla: %d late incidents", n)
		}
		hi, lo := bits.Mul64(uint64(n), uint64(t.perLate[i]))
		if sum, over = add(sum, int64(lo), hi > 0 || lo > maxMinor); over {
			return 0, money.ErrOverflow
		}
	}
	return sum, nil
}

func (t *pricedTerm) availability(f *Figures) (int64, error) {
	if f.Down < 0 || f.Down > f.Promised {
		return 0, fmt.Errorf("sla: %s down of %s", f.Down, f.Promised)
	}
	if !t.missed(f) {
		return 0, nil
	}
	value := f.value()
	if t.lost != nil {
		return t.lostTime(f)
	}
	for i := range t.bands {
		if t.bands[i].Holds(value) {
			return t.bands[i].minor, nil
		}
	}
	if len(t.bands) > 0 && t.extend && value.ComparePercent(t.bands[0].Below) >= 0 {
		return t.bands[0].minor, nil
	}
	return 0, nil
}

// missed reports whether the figures break the promise; without data they do not.
func (t *pricedTerm) missed(f *Figures) bool {
	if t.clause != ClauseAvailability {
		return f.Late != [len(f.Late)]int{} || f.Unmonitored > 0
	}
	if f.Promised == 0 {
		return false
	}
	value := f.value()
	c := value.ComparePercent(t.target)
	return c < 0 || c == 0 && t.strict
}

// value is not in lowest terms: it is compared once, and reducing costs more.
func (f *Figures) value() (v Fraction) {
	v.ratio.Num, v.ratio.Den = uint64(f.Promised-f.Down), uint64(f.Promised)
	return v
}

func (t *pricedTerm) lostTime(f *Figures) (int64, error) {
	if num, fits := product(uint64(f.Down), uint64(t.lost.Times)); fits && !t.lost.BeyondTarget {
		amount, err := t.fee.Share(num, int64(f.Promised), t.rounding)
		return amount.Minor(), err
	}
	lost := big.NewRat(int64(f.Down), int64(f.Promised))
	if t.lost.BeyondTarget {
		lost.Sub(lost, new(big.Rat).Sub(big.NewRat(1, 1), ratio(t.target)))
	}
	amount, err := t.fee.ShareRat(lost.Mul(lost, new(big.Rat).SetInt64(t.lost.Times)), t.rounding)
	return amount.Minor(), err
}

func (t *pricedTerm) monitoring(f *Figures) (int64, error) {
	if f.Unmonitored < 0 {
		return 0, fmt.Errorf("sla: %s without monitoring", f.Unmonitored)
	}
	if f.Unmonitored == 0 || t.perHour == 0 {
		return 0, nil
	}
	// rate/10⁹ · counted/1 h in lowest terms in 64 bits where they allow, else in
	// a big.Rat.
	rate := fixed.NewRatio(uint64(t.perHour), whole)
	num, fits := product(rate.Num, uint64(f.Unmonitored))
	den, fitsToo := product(rate.Den, uint64(time.Hour))
	if fits && fitsToo {
		amount, err := t.fee.Share(num, den, t.rounding)
		return amount.Minor(), err
	}
	amount, err := t.fee.ShareRat(hourly(t.perHour, f.Unmonitored), t.rounding)
	return amount.Minor(), err
}

// product is a·b, if an int64 holds it.
func product(a, b uint64) (int64, bool) {
	hi, lo := bits.Mul64(a, b)
	return int64(lo), hi == 0 && lo <= maxMinor
}
