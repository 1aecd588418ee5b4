package pricing

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// ErrNotExact means that a model or a contract has no distribution that [Exact]
// can compute. It stands behind a [*ModelError] that says why.
var ErrNotExact = errors.New("only a simulation can tell")

// The bounds of an exact computation.
const (
	// MaxCells bounds the promised time in cells of the grid, which is the
	// largest length that divides all lengths of a model.
	MaxCells = 1 << 22

	// MaxStates bounds the combinations of downtime, gaps and late incidents that
	// differ in their credits.
	MaxStates = 1 << 24
)

// What is left out: the counts of late incidents beyond the likely ones, and the
// combinations that are next to impossible.
const (
	leftOut    = 1e-14
	negligible = 1e-22
)

// Exact computes the distribution of downtime and payout. The downtime is a
// compound Poisson sum of discrete lengths (Panjer's recursion on the grid of
// their greatest common divisor), which every promised time cuts; so are the gaps.
// The credits are those of [sla.Pricer].
//
// Lengths have to be Discrete or Empirical, and add up (Model.Overlap is
// sla.OverlapSum: union is not computed). The availability terms have to measure
// one service around the clock, and the credits must be those of totals. Otherwise
// the error is a [*ModelError] with [ErrNotExact] behind it; other errors are those
// of [Simulate]. The cost grows with cells times lengths, and with the
// combinations.
func Exact(a *sla.Agreement, p sla.Period, m Model) (Distribution, error) {
	pl, err := newPlan(a, p, m, sla.Evidence{})
	if err != nil {
		return Distribution{}, err
	}
	if err := pl.computable(); err != nil {
		return Distribution{}, err
	}
	x := &exactly{plan: pl, share: float64(pl.length) / float64(p.Duration()), payouts: map[int64]float64{}, figures: make([]sla.Figures, len(pl.terms))}
	if err := x.prepare(); err != nil {
		return Distribution{}, err
	}
	if err := x.walk(); err != nil {
		return Distribution{}, fmt.Errorf("pricing: %w", err)
	}
	worst, err := x.worst()
	if err != nil {
		return Distribution{}, fmt.Errorf("pricing: %w", err)
	}
	return x.distribution(worst), nil
}

// notExact builds the error.
func notExact(path, value, want string) error {
	return &ModelError{Path: path, Value: value, Want: want, Err: ErrNotExact}
}

// computable says why there is no exact answer, if there is none.
func (pl *plan) computable() error {
	m := pl.model
	if len(m.Past) > 0 {
		return notExact("past", fmt.Sprintf("%d periods", len(m.Past)), "rates, as Model.Rates makes them")
	}
	if len(m.Outages)+len(m.Gaps) > 0 && m.Overlap != sla.OverlapSum {
		return notExact("overlap", m.Overlap.String(), "sum")
	}
	for _, list := range []struct {
		name string
		of   []Process
	}{{"outages", m.Outages}, {"gaps", m.Gaps}} {
		for i, p := range list.of {
			if p.Length.Kind != Discrete && p.Length.Kind != Empirical {
				return notExact(fmt.Sprintf("%s[%d].length.kind", list.name, i), string(p.Length.Kind), "discrete or empirical")
			}
		}
	}
	if pl.pricer == nil {
		return notExact("terms", pl.agreement.Contract().ID, "credits that depend on totals alone")
	}
	if len(pl.units) > 1 {
		return notExact("terms", fmt.Sprintf("%d services and calendars", len(pl.units)), "availability of one service, in one way")
	}
	if len(pl.units) == 1 && pl.units[0].hours != nil {
		return notExact("terms", "service hours", "availability around the clock")
	}
	for _, t := range pl.terms {
		if t.clause == sla.ClauseMonitoring && t.count == sla.StartedPerOutage && len(m.Gaps) > 0 {
			return notExact("terms", t.count.String(), "hours of monitoring counted in total")
		}
	}
	return nil
}

// exactly walks through all combinations of what can happen.
type exactly struct {
	plan  *plan
	share float64 // of a whole period

	grid     int64
	downtime []float64
	down     []timeState
	dark     []timeState
	late     [len(clocks)][]lateState

	figures  []sla.Figures
	outcomes [][]float64
	payouts  map[int64]float64
	mean     float64
	paid     [len(sla.Clauses)]float64
	credited float64
	capped   float64

	rounding float64 // relative
	left     float64 // probability left out
	leftMean float64 // of the payout, at most
}

// timeState is a time, down or without monitoring, or a range of times with the
// same credits.
type timeState struct {
	time int64
	p    float64
}

// lateState is a number of late incidents by severity, with the same credits as
// all others that it stands for.
type lateState struct {
	counts  [len(incident.Severities)]int
	credits []int64 // by term of the clause
	p       float64
}

func (x *exactly) prepare() error {
	pl := x.plan
	for i := range pl.watched {
		x.outcomes = append(x.outcomes, make([]float64, len(pl.watched[i].bands)))
	}
	concerning := slices.DeleteFunc(slices.Clone(pl.model.Outages), func(p Process) bool { return len(pl.concerned(p.Service)) == 0 })
	var err error
	if x.grid, x.downtime, err = x.times("outages", concerning); err != nil {
		return err
	}
	x.down = x.states(x.grid, x.downtime, pl.sameCredit)
	grid, dark, err := x.times("gaps", pl.model.Gaps)
	if err != nil {
		return err
	}
	x.dark = x.states(grid, dark, func(a, b int64) bool { return pl.sameCount(a, b) && (a < pl.length) == (b < pl.length) })
	states := len(x.down) * len(x.dark)
	for i := range clocks {
		if err := x.lateStates(i); err != nil {
			return err
		}
		if states > MaxStates || states*len(x.late[i]) > MaxStates {
			return notExact("model", fmt.Sprintf("more than %d combinations", MaxStates), "fewer that differ in their credits")
		}
		states *= len(x.late[i])
	}
	x.rounding += float64(states) * ulp
	return nil
}

// ulp is the relative error of one operation.
const ulp = 0x1p-53

// times returns the distribution of the sum of the lengths of all processes on a
// grid; its last member is what reaches the whole period.
func (x *exactly) times(name string, list []Process) (grid int64, p []float64, err error) {
	weights := map[int64]float64{} // by length, with the rate as sum
	lambda := 0.0
	for _, process := range list {
		each := process.PerPeriod * x.share
		if each == 0 {
			continue
		}
		lambda += each
		all := process.Length.weights()
		sum := 0.0
		for _, w := range all {
			sum += w
		}
		for i, length := range process.Length.Values {
			if int64(length) < x.plan.length && all[i] > 0 { // a longer one is all of the period
				weights[int64(length)] += each * all[i] / sum
			}
		}
	}
	lengths := slices.Sorted(maps.Keys(weights))
	for _, l := range lengths {
		grid = gcd(grid, l)
	}
	if grid == 0 {
		grid = x.plan.length
	}
	cells := (x.plan.length + grid - 1) / grid
	if cells > MaxCells {
		return 0, nil, notExact(name, "a grid of "+time.Duration(grid).String(), fmt.Sprintf("lengths with a common divisor of at least %s", time.Duration(x.plan.length/MaxCells+1)))
	}
	atoms := make([]atom, len(lengths))
	for i, l := range lengths {
		atoms[i] = atom{int(l / grid), weights[l] / lambda}
	}
	g := compound(lambda, atoms, int(cells))
	sum := 0.0
	for _, v := range g {
		sum += v
	}
	if len(atoms) > 0 {
		// A value is a sum over the atoms of values that are at least a shortest
		// atom away, with two products and a quotient.
		x.rounding += float64(cells) / float64(atoms[0].cells) * float64(len(atoms)+3) * ulp
	}
	x.rounding += (4*lambda + float64(cells)) * ulp
	return grid, append(g, max(0, 1-sum)), nil
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// states joins neighbouring times of the same credits.
func (x *exactly) states(grid int64, p []float64, same func(a, b int64) bool) (out []timeState) {
	for i, v := range p {
		at := min(int64(i)*grid, x.plan.length)
		if n := len(out); n > 0 && same(out[n-1].time, at) {
			out[n-1].p += v
			continue
		}
		out = append(out, timeState{at, v})
	}
	return out
}

// sameCredit reports whether two downtimes have the same outcomes, and these the
// same credits.
func (pl *plan) sameCredit(a, b int64) bool {
	for _, t := range pl.agreement.Contract().Terms {
		if t.Availability == nil {
			continue
		}
		if _, lost := t.Availability.Remedy.(sla.LostTime); lost {
			return false
		}
	}
	for i := range pl.watched {
		if pl.watched[i].outcome(a) != pl.watched[i].outcome(b) {
			return false
		}
	}
	return (a == 0) == (b == 0) // without downtime, a period that nobody watched has no data
}

// sameCount reports whether two times without monitoring are paid alike.
func (pl *plan) sameCount(a, b int64) bool {
	for _, t := range pl.terms {
		if t.clause == sla.ClauseMonitoring && counted(t.count, nil, a) != counted(t.count, nil, b) {
			return false
		}
	}
	return true
}

// lateStates builds the numbers of late incidents of a clause, severity by
// severity, and joins those of the same credits.
func (x *exactly) lateStates(clock int) error {
	amounts, err := x.plan.lateAmounts(clocks[clock])
	if err != nil {
		return err
	}
	states := []lateState{{credits: make([]int64, len(amounts)), p: 1}}
	for severity := range incident.Severities {
		lambda := 0.0
		for i, l := range x.plan.late {
			if l.clause == clock && l.severity == severity {
				lambda += x.plan.model.Late[i].PerPeriod * x.plan.model.Late[i].Probability * x.share
			}
		}
		each := int64(0)
		for _, term := range amounts {
			each += term[severity]
		}
		if lambda == 0 || each == 0 {
			continue
		}
		p, left := poissonTail(lambda, leftOut)
		x.left += left
		// E[N; N > n] = λ·P(N ≥ n) for a Poisson number.
		x.leftMean += float64(each) * lambda * (left + p[len(p)-1])
		x.rounding += (4*lambda + 4*float64(len(p))) * ulp
		joined := map[string]int{}
		var next []lateState
		for _, s := range states {
			for n, q := range p {
				n64 := int64(n)
				added := lateState{counts: s.counts, credits: slices.Clone(s.credits), p: s.p * q}
				added.counts[severity] = n
				for i, term := range amounts {
					if term[severity] > 0 && n64 > (math.MaxInt64-added.credits[i])/term[severity] {
						return fmt.Errorf("pricing: %d late incidents: %w", n, money.ErrOverflow)
					}
					added.credits[i] += n64 * term[severity]
				}
				key := fmt.Sprint(added.credits)
				if at, ok := joined[key]; ok {
					next[at].p += added.p
					continue
				}
				joined[key] = len(next)
				next = append(next, added)
			}
		}
		if states = next; len(states) > MaxStates {
			return notExact("late", fmt.Sprintf("%d combinations", len(states)), fmt.Sprintf("at most %d that differ in their credits", MaxStates))
		}
	}
	x.late[clock] = states
	return nil
}

// lateAmounts returns what a late incident earns, by term of the clause and
// severity.
func (pl *plan) lateAmounts(clause sla.Clause) (out [][len(incident.Severities)]int64, err error) {
	c := pl.agreement.Contract()
	for _, t := range c.Terms {
		if t.Clause() != clause {
			continue
		}
		var amounts [len(incident.Severities)]int64
		for _, clock := range []*sla.Clock{t.Response, t.Update, t.Resolution} {
			if clock == nil {
				continue
			}
			for _, target := range clock.Targets {
				amount := target.Credit
				if !amount.IsSet() {
					if amount, err = pl.fee.Percent(target.CreditPercent, c.Rounding); err != nil {
						return nil, err
					}
				}
				amounts[target.Severity-incident.P1] = amount.Minor()
			}
		}
		out = append(out, amounts)
	}
	return out, nil
}

// walk prices every combination.
func (x *exactly) walk() error {
	for _, down := range x.down {
		for _, dark := range x.dark {
			p := down.p * dark.p
			x.set(down.time, dark.time, p)
			if err := x.walkLate(0, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// set writes a downtime and a time without monitoring into the figures, and counts
// its outcomes.
func (x *exactly) set(down, dark int64, p float64) {
	for i := range x.plan.terms {
		t, f := &x.plan.terms[i], &x.figures[i]
		switch t.clause {
		case sla.ClauseAvailability:
			w := &x.plan.watched[t.watched]
			outcome := w.outcome(down)
			f.Promised, f.Down = time.Duration(t.promised), time.Duration(down)
			if down == 0 && dark >= x.plan.length {
				outcome, f.Promised = w.noData(), 0
			}
			x.outcomes[t.watched][outcome] += p
		case sla.ClauseMonitoring:
			f.Unmonitored = time.Duration(counted(t.count, nil, dark))
		default:
		}
	}
}

// worst returns what is payable when everything is as bad as it gets among the
// combinations.
func (x *exactly) worst() (int64, error) {
	x.set(x.down[len(x.down)-1].time, x.dark[len(x.dark)-1].time, 0)
	for clock, states := range x.late {
		most := slices.MaxFunc(states, func(a, b lateState) int { return slices.Compare(a.credits, b.credits) })
		x.setLate(clock, most.counts)
	}
	c, err := x.plan.pricer.Price(x.figures)
	return c.Payable.Minor(), err
}

func (x *exactly) setLate(clock int, counts [len(incident.Severities)]int) {
	for i := range x.plan.terms {
		if x.plan.terms[i].clock == clock {
			x.figures[i].Late = counts
		}
	}
}

// walkLate goes through the clauses of clocks from one on.
func (x *exactly) walkLate(clock int, p float64) error {
	switch {
	case p < negligible:
		x.left += p
		return nil
	case clock == len(clocks):
		return x.add(p)
	}
	for _, s := range x.late[clock] {
		x.setLate(clock, s.counts)
		if err := x.walkLate(clock+1, p*s.p); err != nil {
			return err
		}
	}
	return nil
}

// add prices one combination.
func (x *exactly) add(p float64) error {
	c, err := x.plan.pricer.Price(x.figures)
	if err != nil {
		return err
	}
	payable := c.Payable.Minor()
	x.payouts[payable] += p
	x.mean += p * float64(payable)
	for i, paid := range c.Paid {
		x.paid[i] += p * float64(paid.Minor())
	}
	if payable > 0 {
		x.credited += p
	}
	if payable < c.Stacked.Minor() {
		x.capped += p
	}
	return nil
}

func (x *exactly) distribution(worst int64) Distribution {
	pl := x.plan
	currency := pl.fee.Currency()
	d := Distribution{
		Contract: pl.agreement.Contract().ID, Period: pl.period, Fee: pl.fee, Model: pl.model, Grid: time.Duration(x.grid), Downtime: x.downtime,
		Mean: x.mean, Credited: x.credited, Capped: x.capped, ProbabilityError: x.left + x.rounding, Notes: pl.notes,
	}
	for _, minor := range slices.Sorted(maps.Keys(x.payouts)) {
		d.Payouts = append(d.Payouts, PayoutProbability{Amount: money.Must(money.New(minor, currency)), Probability: x.payouts[minor]})
	}
	// What is left out pays at most the worst, beside the incidents that are left
	// out, and what a minimum kept back.
	most := float64(worst)
	for _, t := range pl.agreement.Contract().Terms {
		most += float64(t.MoreThan.Minor())
	}
	d.MeanError = x.leftMean + x.left*most + x.rounding*x.mean
	for i, w := range pl.watched {
		for j, share := range w.bands {
			share.Probability = x.outcomes[i][j]
			d.Bands = append(d.Bands, share)
		}
	}
	for i, clause := range sla.Clauses {
		if slices.ContainsFunc(pl.terms, func(t term) bool { return t.clause == clause }) {
			d.Clauses = append(d.Clauses, ClauseShare{Clause: clause, Expected: rounded(x.paid[i], currency)})
		}
	}
	return d
}
