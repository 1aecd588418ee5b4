package pricing

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Forecast is what the credits of a period came to in drawn periods. Counts and
// sums are exact; what they are worth as an estimate says [Forecast.StandardError].
type Forecast struct {
	Contract string       `json:"contract"`
	Period   sla.Period   `json:"period"` // as far as the contract holds
	Fee      money.Amount `json:"fee"`
	Model    Model        `json:"model"`

	// The draws are those numbered First to First+Draws−1 of the seed.
	Seed  uint64 `json:"seed"`
	First uint64 `json:"first"`
	Draws int64  `json:"draws"`

	// Statements reports that every draw was a whole statement, and not only its
	// totals.
	Statements bool `json:"statements"`

	// Total is the sum of all payouts.
	Total money.Amount `json:"total"`

	// Payouts lists the amounts that were payable, the smallest first.
	Payouts []Payout `json:"payouts"`

	// Bands says how often each availability term came to each of its outcomes,
	// by term and the best first.
	Bands []BandShare `json:"bands"`

	// Clauses splits Total by the clauses that the contract has, in their order.
	Clauses []ClauseShare `json:"clauses"`

	// Credited counts the draws in which anything is payable, Capped those in
	// which the cap of the contract took something away.
	Credited int64 `json:"credited"`
	Capped   int64 `json:"capped"`

	// Notes says what is doubtful about the data, and what of model and contract
	// had no part in the forecast.
	Notes []string `json:"notes,omitempty"`
}

// Payout is an amount and the number of draws in which it was payable.
type Payout struct {
	Amount money.Amount `json:"amount"`
	Draws  int64        `json:"draws"`
}

// BandShare is an outcome of an availability term, and how likely it is. Where
// several services are measured it is that of the worst. Draws counts the ones of
// a [Forecast], and is 0 in an exact [Distribution].
type BandShare struct {
	Term        string    `json:"term"`
	Outcome     Outcome   `json:"outcome"`
	Band        *sla.Band `json:"band,omitempty"` // for InBand
	Draws       int64     `json:"draws,omitzero"`
	Probability float64   `json:"probability"`
}

// ClauseShare is the part of the payouts that a clause earned.
type ClauseShare struct {
	Clause   sla.Clause   `json:"clause"`
	Total    money.Amount `json:"total,omitzero"` // of a Forecast
	Expected money.Amount `json:"expected"`       // rounded half up, so that the parts may differ from the whole by minor units
}

// Expected is the mean payout, rounded half up to the minor unit; [Forecast.Mean]
// is exact.
func (f Forecast) Expected() money.Amount { return mean(f.Total, f.Draws) }

// Mean is the mean payout in minor units, Total/Draws.
func (f Forecast) Mean() *big.Rat { return big.NewRat(f.Total.Minor(), max(f.Draws, 1)) }

// StandardError is that of the mean payout in minor units: s/√n, with
//
//	s² = (Σx² − (Σx)²/n) / (n − 1)
//
// summed in whole numbers. It is 0 for a single draw.
func (f Forecast) StandardError() float64 {
	if f.Draws < 2 {
		return 0
	}
	squares := new(big.Int)
	for _, p := range f.Payouts {
		x := big.NewInt(p.Amount.Minor())
		squares.Add(squares, x.Mul(x, big.NewInt(p.Amount.Minor())).Mul(x, big.NewInt(p.Draws)))
	}
	sum, n := big.NewInt(f.Total.Minor()), big.NewInt(f.Draws)
	spread := squares.Mul(squares, n)
	spread.Sub(spread, sum.Mul(sum, sum)) // n(n−1)·s²
	variance := new(big.Rat).SetFrac(spread, n.Mul(n, n).Mul(n, big.NewInt(f.Draws-1)))
	v, _ := variance.Float64()
	return math.Sqrt(v)
}

// Percentile returns the smallest payout that is at least as large as percent of
// all draws: the nearest rank, number ⌈percent·Draws/100⌉ in ascending order. A
// percent outside of 1 to 100 is taken as the nearer of the two. It is not set
// without draws.
func (f Forecast) Percentile(percent int) money.Amount {
	hundredths := int64(min(max(percent, 1), 100))
	rank := f.Draws/100*hundredths + (f.Draws%100*hundredths+99)/100
	for _, p := range f.Payouts {
		if rank -= p.Draws; rank <= 0 {
			return p.Amount
		}
	}
	return money.Amount{}
}

// CreditProbability is the share of the draws in which anything is payable.
func (f Forecast) CreditProbability() float64 { return ratio(f.Credited, f.Draws) }

// CapProbability is the share of the draws in which the cap took something away.
func (f Forecast) CapProbability() float64 { return ratio(f.Capped, f.Draws) }

// Bin is a range of payouts, From inclusive and Below exclusive; the last bin
// includes its end.
type Bin struct {
	From  money.Amount `json:"from"`
	Below money.Amount `json:"below"`
	Draws int64        `json:"draws"`
}

// Histogram counts the payouts in n bins of one width, a whole number of minor
// units, that reach from 0 to at least the largest payout. It is nil for an n
// below 1 and without draws.
func (f Forecast) Histogram(n int) []Bin {
	if n < 1 || len(f.Payouts) == 0 {
		return nil
	}
	currency := f.Fee.Currency()
	largest := f.Payouts[len(f.Payouts)-1].Amount.Minor()
	width := largest / int64(n)
	if largest%int64(n) > 0 || width == 0 {
		width++
	}
	bins := make([]Bin, n)
	for i := range bins {
		from := saturated(width, int64(i))
		bins[i] = Bin{From: money.Must(money.New(from, currency)), Below: money.Must(money.New(saturated(width, int64(i)+1), currency))}
	}
	for _, p := range f.Payouts {
		bins[min(p.Amount.Minor()/width, int64(n)-1)].Draws += p.Draws
	}
	return bins
}

// saturated is a·b, or the largest amount where that is more.
func saturated(a, b int64) int64 {
	if b > 0 && a > math.MaxInt64/b {
		return math.MaxInt64
	}
	return a * b
}

// ErrMerge means that two forecasts are not parts of one.
var ErrMerge = errors.New("pricing: not the next draws of the same forecast")

// Merge returns the forecast of the draws of both. other has to be the next ones
// of the same contract, period, model and seed: its First is f.First + f.Draws.
// The result is the one that a single [Simulate] of all draws gives. Errors are
// [ErrMerge] and money.ErrOverflow.
func (f Forecast) Merge(other Forecast) (Forecast, error) {
	same := f.Contract == other.Contract && f.Fee == other.Fee && f.Period.Equal(other.Period.Interval) && f.Seed == other.Seed &&
		sameJSON(f.Model, other.Model) && len(f.Bands) == len(other.Bands) && len(f.Clauses) == len(other.Clauses)
	if !same || other.First != f.First+uint64(f.Draws) {
		return Forecast{}, fmt.Errorf("%w: %q seed %d from %d after %q seed %d up to %d",
			ErrMerge, other.Contract, other.Seed, other.First, f.Contract, f.Seed, f.First+uint64(f.Draws))
	}
	out := f
	out.Draws += other.Draws
	out.Credited += other.Credited
	out.Capped += other.Capped
	out.Payouts = slices.Concat(f.Payouts, other.Payouts)
	slices.SortFunc(out.Payouts, func(a, b Payout) int { return cmp.Compare(a.Amount.Minor(), b.Amount.Minor()) })
	n := 0
	for _, p := range out.Payouts {
		if n > 0 && out.Payouts[n-1].Amount == p.Amount {
			out.Payouts[n-1].Draws += p.Draws
			continue
		}
		out.Payouts[n] = p
		n++
	}
	out.Payouts = out.Payouts[:n]
	out.Bands, out.Clauses = slices.Clone(f.Bands), slices.Clone(f.Clauses)
	for i := range out.Bands {
		out.Bands[i].Draws += other.Bands[i].Draws
	}
	var err error
	if out.Total, err = f.Total.Add(other.Total); err != nil {
		return Forecast{}, err
	}
	for i := range out.Clauses {
		if out.Clauses[i].Total, err = f.Clauses[i].Total.Add(other.Clauses[i].Total); err != nil {
			return Forecast{}, err
		}
	}
	out.derive()
	return out, nil
}

// sameJSON compares what is written of two models: one that was read back has
// instants in another form.
func sameJSON(a, b Model) bool {
	first, err := json.Marshal(a)
	second, errToo := json.Marshal(b)
	return err == nil && errToo == nil && bytes.Equal(first, second)
}

// derive sets what follows from counts and sums.
func (f *Forecast) derive() {
	for i := range f.Bands {
		f.Bands[i].Probability = ratio(f.Bands[i].Draws, f.Draws)
	}
	for i := range f.Clauses {
		f.Clauses[i].Expected = mean(f.Clauses[i].Total, f.Draws)
	}
}

// String sums the forecast up in one line.
func (f Forecast) String() string {
	return fmt.Sprintf("%s %s: expected payout %s ± %s (standard error, %d draws), P50 %s, P95 %s, P99 %s of %s",
		f.Contract, f.Period.Label, f.Expected(), f.decimal(f.StandardError()), f.Draws, f.Percentile(50), f.Percentile(95), f.Percentile(99), f.Fee)
}

// Explain returns the forecast with its inputs, a line for each figure.
// Probabilities are rounded to four digits and have their standard error,
// √(p(1−p)/n), beside them.
func (f Forecast) Explain() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", f)
	for line := range strings.SplitSeq(f.Model.String(), "\n") {
		if !strings.HasPrefix(line, "note: ") { // they are among the notes
			fmt.Fprintf(&b, "model: %s\n", line)
		}
	}
	fmt.Fprintf(&b, "draws: %d to %d of seed %d\n", f.First, f.First+uint64(f.Draws)-1, f.Seed)
	for _, s := range f.Bands {
		if s.Outcome == NoData && s.Draws == 0 {
			continue
		}
		fmt.Fprintf(&b, "%s %s: %.4f ± %.4f\n", s.Term, s.name(), s.Probability, binomial(s.Probability, f.Draws))
	}
	for _, c := range f.Clauses {
		fmt.Fprintf(&b, "%s: expected %s\n", c.Clause, c.Expected)
	}
	fmt.Fprintf(&b, "any credit: %.4f, capped: %.4f\n", f.CreditProbability(), f.CapProbability())
	for _, note := range f.Notes {
		fmt.Fprintf(&b, "note: %s\n", note)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// name is the outcome, or the band with its bounds.
func (s BandShare) name() string {
	if s.Band == nil {
		return string(s.Outcome)
	}
	return fmt.Sprintf("band %s to %s", s.Band.From, s.Band.Below)
}

// decimal prints minor units as an amount without currency, rounded to them.
func (f Forecast) decimal(minor float64) string { return rounded(minor, f.Fee.Currency()).Decimal() }

// rounded returns minor units as an amount, half away from zero; beyond the range
// of an amount it is the largest one. Without a currency it is not set.
func rounded(minor float64, currency money.Currency) money.Amount {
	if currency == "" {
		return money.Amount{}
	}
	n := int64(math.MaxInt64)
	if minor < math.MaxInt64 {
		n = int64(math.Round(minor))
	}
	return money.Must(money.New(n, currency)) // that of a fee
}

func binomial(p float64, n int64) float64 { return math.Sqrt(p * (1 - p) / float64(max(n, 1))) }

func ratio(part, of int64) float64 { return float64(part) / float64(max(of, 1)) }

// mean is total/n, which cannot overflow; not set without a total.
func mean(total money.Amount, n int64) money.Amount {
	if !total.IsSet() {
		return total
	}
	return money.Must(total.Share(1, max(n, 1), money.HalfUp))
}
