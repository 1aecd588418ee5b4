package pricing

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Options says what to draw.
type Options struct {
	// Seed decides what is drawn. Defaults to 0, which is a seed like any other.
	Seed uint64

	// Draws is the number of periods, at most MaxDraws. Defaults to DefaultDraws.
	Draws int

	// First is the number of the first draw. Parts of one forecast are drawn
	// apart by their numbers, and put together with [Forecast.Merge].
	First uint64

	// Evidence has the amounts that the contract needs: fees that terms name, the
	// invoice, the credits issued before. Nothing else of it is looked at.
	Evidence sla.Evidence
}

// The bounds of Options.Draws.
const (
	DefaultDraws = 100_000
	MaxDraws     = 10_000_000
)

// Simulate draws periods from a model and gives each the credits of the contract.
//
// Draw i has a random stream of its own, made of the seed and i (PCG-DXSM seeded
// through SplitMix64), so the same options give the same forecast on every
// machine, and parts may be drawn by several goroutines. Simulate starts none. It
// takes 8 bytes for every draw and allocates nothing else in it. A contract whose
// credits depend on more than totals (see sla.ErrNotCondensed) takes a whole
// statement for every draw, which is some thirty times as slow.
//
// Errors are [*ModelError] (joined), those of [sla.Agreement.Evaluate] for a
// period, and money.ErrOverflow.
func Simulate(a *sla.Agreement, p sla.Period, m Model, o Options) (Forecast, error) {
	if o.Draws == 0 {
		o.Draws = DefaultDraws
	}
	if o.Draws < 0 || o.Draws > MaxDraws {
		return Forecast{}, &ModelError{Path: "options.draws", Value: strconv.Itoa(o.Draws), Want: fmt.Sprintf("1 to %d", MaxDraws)}
	}
	if o.First > math.MaxInt64 {
		return Forecast{}, &ModelError{Path: "options.first", Value: strconv.FormatUint(o.First, 10), Want: "less than 2^63"}
	}
	pl, err := newPlan(a, p, m, o.Evidence)
	if err != nil {
		return Forecast{}, err
	}
	f := Forecast{
		Contract: a.Contract().ID, Period: pl.period, Fee: pl.fee, Model: m, Seed: o.Seed, First: o.First, Draws: int64(o.Draws),
		Statements: pl.pricer == nil, Total: pl.fee.Zero(), Notes: pl.notes,
	}
	s := sums{payouts: make([]int64, 0, o.Draws), outcomes: make([][]int64, len(pl.watched))}
	for i, w := range pl.watched {
		s.outcomes[i] = make([]int64, len(w.bands))
	}
	d := newDrawer(pl, o.Seed)
	for i := range o.Draws {
		if err := d.draw(o.First + uint64(i)); err != nil {
			return Forecast{}, fmt.Errorf("pricing: draw %d: %w", o.First+uint64(i), err)
		}
		if err := s.add(&d.result); err != nil {
			return Forecast{}, err
		}
	}
	s.close(&f, pl)
	return f, nil
}

// sums adds up results.
type sums struct {
	payouts          []int64
	total            int64
	paid             [len(sla.Clauses)]int64
	outcomes         [][]int64
	credited, capped int64
}

func (s *sums) add(r *result) error {
	s.payouts = append(s.payouts, r.payable)
	if s.total += r.payable; s.total < 0 { // no clause has more than the total
		return fmt.Errorf("pricing: sum of the payouts: %w", money.ErrOverflow)
	}
	for i := range r.paid {
		s.paid[i] += r.paid[i]
	}
	for i, outcome := range r.outcomes {
		s.outcomes[i][outcome]++
	}
	if r.payable > 0 {
		s.credited++
	}
	if r.capped {
		s.capped++
	}
	return nil
}

// close puts the sums into the forecast.
func (s *sums) close(f *Forecast, pl *plan) {
	amount := func(minor int64) money.Amount { return money.Must(money.New(minor, f.Fee.Currency())) } // the fee has it
	f.Total, f.Credited, f.Capped = amount(s.total), s.credited, s.capped
	slices.Sort(s.payouts)
	for i := 0; i < len(s.payouts); {
		j := i + 1
		for j < len(s.payouts) && s.payouts[j] == s.payouts[i] {
			j++
		}
		f.Payouts = append(f.Payouts, Payout{Amount: amount(s.payouts[i]), Draws: int64(j - i)})
		i = j
	}
	for i, w := range pl.watched {
		for j, share := range w.bands {
			share.Draws = s.outcomes[i][j]
			f.Bands = append(f.Bands, share)
		}
	}
	for i, clause := range sla.Clauses {
		if slices.ContainsFunc(pl.terms, func(t term) bool { return t.clause == clause }) {
			f.Clauses = append(f.Clauses, ClauseShare{Clause: clause, Total: amount(s.paid[i])})
		}
	}
	f.derive()
}
