package sla

import (
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Statement is the account of one period: what was promised, what was measured
// and what a miss costs. It is a value; the same input gives the same statement.
type Statement struct {
	Contract string `json:"contract"`
	Customer string `json:"customer,omitempty"`

	// Period is the part of the period in which the contract holds, and Fee the
	// price of it.
	Period Period       `json:"period"`
	Fee    money.Amount `json:"fee"`

	// Through is the end of what the figures cover. Complete reports whether it
	// is the end of the period; until then credits are an estimate.
	Through  time.Time `json:"through"`
	Complete bool      `json:"complete"`

	State State `json:"state"`

	Availability []Measured `json:"availability,omitempty"` // by term, then in the order of its services
	Overall      []Overall  `json:"overall,omitempty"`      // by term: what its services come to together
	Clocks       []Tally    `json:"clocks,omitempty"`       // by term, then in the order of its targets
	Breaches     []Breach   `json:"breaches,omitempty"`     // by clause, term, then ref
	Lines        []Line     `json:"lines,omitempty"`        // in the same order

	// Terms holds the credit of each term after its own cap and minimum.
	Terms []TermCredit `json:"terms,omitempty"`

	// Gross is the sum of Terms before stacking and cap, Cap the bound (unset
	// for none) and Payable what is due. Waterfall splits Payable by clause.
	Gross     money.Amount `json:"gross"`
	Cap       money.Amount `json:"cap,omitzero"`
	Payable   money.Amount `json:"payable"`
	Waterfall []Payment    `json:"waterfall,omitempty"`

	// Liability stands outside the cap.
	Liability []LossPayment `json:"liability,omitempty"`

	// ClaimBefore is the first instant that is too late to claim all that is
	// payable; zero if no claim is needed, nothing is payable or the window is not
	// known. Where the window hangs on the incident it is the earliest: that of the
	// first downtime of a service, or of the instant of a miss.
	ClaimBefore time.Time `json:"claim_before,omitzero"`

	Findings []Finding `json:"findings,omitempty"`
	Quality  Quality   `json:"quality"`

	// Inputs names what the statement follows from.
	Inputs Inputs `json:"inputs,omitzero"`
}

// Overall is what the services of an availability term come to together: the
// worst of them by its exact value (ties to the smaller id), or their mean. It is
// met if every service meets its target, or the mean that of the term.
type Overall struct {
	Term    string        `json:"term"`
	Method  Aggregate     `json:"method"`
	Service string        `json:"service,omitempty"` // the worst; empty for a mean
	Target  money.Percent `json:"target"`
	Value   Fraction      `json:"value"`
	Outcome Outcome       `json:"outcome"`
}

// State sums up a statement.
type State string

// The states, and what they say about the period.
const (
	StateNone         State = "none"             // every promise kept
	StateNoData       State = "no_data"          // nothing is known to be missed, but a service was not measured
	StateBreachNoBand State = "breached_no_band" // a promise missed, 0.00 due
	StateDue          State = "due"              // a credit is due
	StateCapped       State = "capped"           // a credit is due, less than the gross amount
)

// Tally counts the clocks of one term and severity that belong to the period as
// Clock.CountIn says: by default a met one by the instant of the event, a missed
// one by the instant at which the target was passed, a pending one if it runs at
// the end. The severity is the one whose target holds then.
type Tally struct {
	Term     string            `json:"term"`
	Clause   Clause            `json:"clause"`
	Severity incident.Severity `json:"severity"`
	Met      int               `json:"met"`
	Missed   int               `json:"missed"`
	Pending  int               `json:"pending"`
}

// Compliance returns the share of the ended clocks that met their target, and no
// data when none has ended.
func (t Tally) Compliance() Fraction {
	return fractionOfCounts(uint64(t.Met), uint64(t.Met+t.Missed))
}

// Breach is a promise that was missed.
type Breach struct {
	Term     string            `json:"term"`
	Clause   Clause            `json:"clause"`
	Ref      string            `json:"ref"` // incident, service, or "monitoring"; "INC-1#3" is the third update owed, or run of a clock
	Service  string            `json:"service,omitempty"`
	Severity incident.Severity `json:"severity,omitzero"`
	At       time.Time         `json:"at"` // when it came to be

	// Target and Value are set for availability.
	Target money.Percent `json:"target,omitzero"`
	Value  Fraction      `json:"value,omitzero"`

	// KeyFigure is set for an indicator: the figure and the target that it missed.
	KeyFigure *KeyFigure `json:"key_figure,omitempty"`

	// Promised and Actual are set for the other clauses. Actual runs to the end
	// of the covered time where the event has not happened; Promised is 0 for
	// the next business day.
	Promised time.Duration `json:"promised_ns,omitzero"`
	Actual   time.Duration `json:"actual_ns,omitzero"`

	// Credit is the sum of the lines that the breach earned, 0 if none.
	Credit money.Amount `json:"credit"`
}

// Basis says how the amount of a line came about.
type Basis string

// The bases.
const (
	PercentOfFee            Basis = "percent_of_fee"
	PerIncident             Basis = "per_incident"
	PercentOfFeePerHour     Basis = "percent_of_fee_per_hour"
	DaysOfFee               Basis = "days_of_fee"
	LostTimeOfFee           Basis = "lost_time_of_fee"
	PercentOfFeePerInterval Basis = "percent_of_fee_per_interval"
	UsageOfFee              Basis = "usage_of_fee"
	FixedAmount             Basis = "fixed_amount"
)

// Line is one credit, with all that it was computed from.
type Line struct {
	Term     string            `json:"term"`
	Clause   Clause            `json:"clause"`
	Ref      string            `json:"ref"`
	Service  string            `json:"service,omitempty"`
	Severity incident.Severity `json:"severity,omitzero"`
	Basis    Basis             `json:"basis"`

	// Numerator and Denominator are what was compared: time up and time promised,
	// elapsed time and target, or time without monitoring and the hour. Both are
	// 0 for an indicator, a mean of services and a measure by counted requests,
	// which compare no time.
	Numerator   time.Duration `json:"numerator_ns"`
	Denominator time.Duration `json:"denominator_ns"`

	// Value is the measured availability; no data for other clauses.
	Value Fraction `json:"value,omitzero"`

	// KeyFigure is that of an indicator; nil for other clauses.
	KeyFigure *KeyFigure `json:"key_figure,omitempty"`

	// Band is the one that the value fell into; nil for other clauses and in a
	// credit gap.
	Band *Band `json:"band,omitempty"`

	Fee      money.Amount   `json:"fee,omitzero"`  // the base of a percentage
	Rate     money.Percent  `json:"rate,omitzero"` // of the fee, per incident or hour
	Days     int            `json:"days,omitzero"` // of service, of DaysOf in the period
	DaysOf   int            `json:"days_of,omitzero"`
	Rounding money.Rounding `json:"rounding"`
	Amount   money.Amount   `json:"amount"`

	// Together says that the exact sum of all lines was rounded, and Amount is the
	// share of this one.
	Together bool `json:"together,omitempty"`

	// Times multiplies the lost time, and Beyond is the target from which it
	// counts, where not all of it does. Intervals counts those of a stretch of
	// downtime: the full ones, or with Started those begun, after the Deductible.
	Times      int64         `json:"times,omitzero"`
	Beyond     money.Percent `json:"beyond,omitzero"`
	Intervals  int64         `json:"intervals,omitzero"`
	Started    bool          `json:"started,omitempty"`
	Deductible time.Duration `json:"deductible_ns,omitzero"`

	// Stretch is the downtime that the line is about, where each stretch has its
	// own, and OutageCap bounded what it earns.
	Stretch   calendar.Interval `json:"stretch,omitzero"`
	OutageCap *money.Percent    `json:"outage_cap,omitempty"`

	// Counted is the time without monitoring that is paid for: in whole hours where
	// the contract says so.
	Counted time.Duration `json:"counted_ns,omitzero"`

	Evidence []string `json:"evidence,omitempty"` // refs, sorted

	exact *big.Rat // minor units before rounding
}

// earn sets the amount of a line to a share of a fee.
func (l *Line) earn(fee money.Amount, share *big.Rat, rounding money.Rounding) (err error) {
	l.Fee, l.exact = fee, new(big.Rat).Mul(share, new(big.Rat).SetInt64(fee.Minor()))
	l.Amount, err = fee.ShareRat(share, rounding)
	return err
}

// Explain returns the line as a sentence with every figure in it.
func (l Line) Explain() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s", l.Term, l.Ref)
	if l.Severity.IsSet() {
		fmt.Fprintf(&b, ", %s", l.Severity)
	}
	b.WriteString("): ")
	switch {
	case l.Clause == ClauseAvailability:
		b.WriteString(l.Value.Percent(6) + " %")
		switch {
		case !l.Stretch.Start.IsZero():
			fmt.Fprintf(&b, ", down %s from %s", l.Numerator, l.Stretch.Start.Format(time.RFC3339))
		case l.Denominator > 0:
			fmt.Fprintf(&b, ", up %s of %s", l.Numerator, l.Denominator)
		default:
			fmt.Fprintf(&b, " (%s)", l.Value) // of requests, or a mean of services
		}
		switch {
		case l.Band != nil:
			fmt.Fprintf(&b, ", band %s to %s", l.Band.From, l.Band.Below)
		case l.Basis == PercentOfFee && l.Rate == 0:
			b.WriteString(", in no band")
		}
	case l.KeyFigure != nil:
		b.WriteString(l.KeyFigure.measured())
	case l.Clause == ClauseMonitoring:
		fmt.Fprintf(&b, "unmonitored %s", l.Numerator)
		if l.Counted != l.Numerator {
			fmt.Fprintf(&b, ", counted as %s", l.Counted)
		}
	case l.Denominator == 0:
		fmt.Fprintf(&b, "took %s, promised by the next business day", l.Numerator)
	default:
		fmt.Fprintf(&b, "took %s, promised %s", l.Numerator, l.Denominator)
	}
	switch l.Basis {
	case FixedAmount:
		fmt.Fprintf(&b, ": %s", l.Amount)
	case PerIncident:
		fmt.Fprintf(&b, ": %s per incident", l.Amount)
	case LostTimeOfFee:
		lost := "the lost time"
		if l.Beyond > 0 {
			lost += " beyond " + l.Beyond.String()
		}
		fmt.Fprintf(&b, ": %s × %d of %s%s, %s = %s", lost, l.Times, l.Fee, l.bounded(), l.rounded(), l.Amount)
	case PercentOfFeePerInterval:
		fmt.Fprintf(&b, ": %s, %d × %s of %s%s, %s = %s", l.intervals(), l.Intervals, l.Rate, l.Fee, l.bounded(), l.rounded(), l.Amount)
	case UsageOfFee:
		fmt.Fprintf(&b, ": the usage in downtime of %s, %s = %s", l.Fee, l.rounded(), l.Amount)
	case DaysOfFee:
		fmt.Fprintf(&b, ": %d of %d days of %s, %s = %s", l.Days, l.DaysOf, l.Fee, l.rounded(), l.Amount)
	case PercentOfFeePerHour:
		fmt.Fprintf(&b, ": %s of %s per hour, %s = %s", l.Rate, l.Fee, l.rounded(), l.Amount)
	default:
		fmt.Fprintf(&b, ": %s of %s, %s = %s", l.Rate, l.Fee, l.rounded(), l.Amount)
	}
	return b.String()
}

// intervals names what is counted of a stretch of downtime.
func (l Line) intervals() string {
	text := "each full " + l.Denominator.String()
	if l.Started {
		text = "each started " + l.Denominator.String()
	}
	if l.Deductible > 0 {
		text += " after the first " + l.Deductible.String()
	}
	return text
}

func (l Line) bounded() string {
	if l.OutageCap == nil {
		return ""
	}
	return ", at most " + l.OutageCap.String() + " an outage"
}

func (l Line) rounded() string {
	if l.Together {
		return "rounded " + l.Rounding.String() + " with all lines"
	}
	return "rounded " + l.Rounding.String()
}

// TermCredit is the credit of one term.
type TermCredit struct {
	Term   string       `json:"term"`
	Clause Clause       `json:"clause"`
	Lines  money.Amount `json:"lines"`  // sum of its lines
	Credit money.Amount `json:"credit"` // after the cap and the minimum of the term
}

// Payment is what a clause gets of the payable amount.
type Payment struct {
	Clause  Clause       `json:"clause"`
	Gross   money.Amount `json:"gross"`
	Payable money.Amount `json:"payable"`
}

// LossPayment is what a claim for lost data comes to.
type LossPayment struct {
	Term    string       `json:"term"`
	Ref     string       `json:"ref"`
	Claimed money.Amount `json:"claimed"`
	Limit   money.Amount `json:"limit"` // what the liability leaves for this claim
	Payable money.Amount `json:"payable"`
}

// Finding is something about the statement that its reader should know.
type Finding struct {
	Code string `json:"code"`
	Term string `json:"term,omitempty"`
	Ref  string `json:"ref,omitempty"`
	Text string `json:"text"`
}

// The codes of findings; [CodeCreditGap] is also the code of a contract issue.
const (
	FindingPartial    = "partial_period"      // the contract holds in a part of the period
	FindingEstimate   = "estimate"            // the period is not over in the evidence
	FindingNoData     = "no_data"             // a service that nothing measured
	FindingUnknown    = "unknown_time"        // part of the time that nothing measured
	FindingUnassigned = "unassigned_evidence" // evidence about a service that no term names
	FindingShared     = "shared_evidence"     // evidence without a service, which counts against each of a term
	FindingLate       = "late_evidence"       // evidence of the period from after the time that was observed
	FindingNoTerm     = "no_term"             // evidence that no term of the contract is about
	FindingNoNotice   = "no_announcement"     // windows that need a notice and have none on file
	FindingNoTarget   = "no_target"           // incidents of a severity that a term has no target for
	FindingMeanMet    = "mean_met"            // misses that earn nothing because their mean met the target
	FindingTermCap    = "term_capped"         // lines above the cap of their term
	FindingMinimum    = "below_minimum"       // lines that do not reach the minimum of their term
	FindingStacked    = "stacked"             // clauses that earn nothing beside a larger one
	FindingCapped     = "capped"              // credits above the cap of the contract
	FindingRemedy     = "unknown_remedy"      // a miss whose remedy is not known in figures
	FindingFeeBase    = "fee_base"            // a fee base that the evidence does not have
	FindingClaim      = "unknown_claim"       // a credit that nobody knows how long to claim

	FindingNotCondensed = "not_condensed" // a service or a clock for which an Outlook has no figures
)
