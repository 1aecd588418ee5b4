package pricing

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Distribution is what the credits of a period can come to, computed and not
// drawn.
type Distribution struct {
	Contract string       `json:"contract"`
	Period   sla.Period   `json:"period"` // as far as the contract holds
	Fee      money.Amount `json:"fee"`
	Model    Model        `json:"model"`

	// Downtime[i] is the probability of a downtime of i·Grid; the last member is
	// that of all of the promised time.
	Grid     time.Duration `json:"grid_ns"`
	Downtime []float64     `json:"downtime"`

	// Payouts lists the amounts that can be payable, the smallest first.
	Payouts []PayoutProbability `json:"payouts"`

	// Bands says how likely each outcome of each availability term is.
	Bands []BandShare `json:"bands"`

	// Mean is the expected payout in minor units, Clauses its parts.
	Mean    float64       `json:"mean"`
	Clauses []ClauseShare `json:"clauses"`

	Credited float64 `json:"credited"` // probability that anything is payable
	Capped   float64 `json:"capped"`   // and that the cap takes something away

	// ProbabilityError bounds how far any probability is off, and MeanError how
	// far Mean is, in minor units: counts of late incidents beyond the likely
	// ones are left out, and floats are rounded.
	ProbabilityError float64 `json:"probability_error"`
	MeanError        float64 `json:"mean_error"`

	Notes []string `json:"notes,omitempty"`
}

// PayoutProbability is an amount and the probability that it is payable.
type PayoutProbability struct {
	Amount      money.Amount `json:"amount"`
	Probability float64      `json:"probability"`
}

// Expected is Mean rounded half up to the minor unit.
func (d Distribution) Expected() money.Amount { return rounded(d.Mean, d.Fee.Currency()) }

// Percentile returns the smallest payout that is not exceeded with a probability
// of at least percent, less ProbabilityError; outside of 1 to 100 percent is the
// nearer of the two. It is not set in the zero Distribution.
func (d Distribution) Percentile(percent int) money.Amount {
	want, sum := float64(min(max(percent, 1), 100))/100, 0.0
	for _, p := range d.Payouts {
		if sum += p.Probability; sum >= want-d.ProbabilityError {
			return p.Amount
		}
	}
	if n := len(d.Payouts); n > 0 {
		return d.Payouts[n-1].Amount
	}
	return money.Amount{}
}

// String sums the distribution up in one line.
func (d Distribution) String() string {
	return fmt.Sprintf("%s %s: expected payout %s (exact to %s), P50 %s, P95 %s, P99 %s of %s",
		d.Contract, d.Period.Label, d.Expected(), rounded(math.Ceil(d.MeanError), d.Fee.Currency()), d.Percentile(50), d.Percentile(95), d.Percentile(99), d.Fee)
}

// Explain returns the distribution with its inputs, a line for each figure.
// Probabilities are rounded to six digits.
func (d Distribution) Explain() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", d)
	for line := range strings.SplitSeq(d.Model.String(), "\n") {
		if !strings.HasPrefix(line, "note: ") { // they are among the notes
			fmt.Fprintf(&b, "model: %s\n", line)
		}
	}
	fmt.Fprintf(&b, "downtime: a grid of %s, %d cells\n", d.Grid, max(len(d.Downtime)-1, 0))
	for _, s := range d.Bands {
		if s.Outcome != NoData || s.Probability > 0 {
			fmt.Fprintf(&b, "%s %s: %.6f\n", s.Term, s.name(), s.Probability)
		}
	}
	for _, c := range d.Clauses {
		fmt.Fprintf(&b, "%s: expected %s\n", c.Clause, c.Expected)
	}
	fmt.Fprintf(&b, "any credit: %.6f, capped: %.6f\n", d.Credited, d.Capped)
	for _, note := range d.Notes {
		fmt.Fprintf(&b, "note: %s\n", note)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
