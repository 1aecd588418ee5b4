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
	// payable; zero if no claim is needed or nothing is payable. Where the window
	// hangs on the incident it is the earliest: that of the first downtime of a
	// service, or of the instant of a miss.
	ClaimBefore time.Time `json:"claim_before,omitzero"`

	Findings []Finding `json:"findings,omitempty"`
	Quality  Quality   `json:"quality"`
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
	StateNoData       State = "no_data"          // availability was measured nowhere, and nothing is due
	StateBreachNoBand State = "breached_no_band" // a promise missed, 0.00 due
	StateDue          State = "due"              // a credit is due
	StateCapped       State = "capped"           // a credit is due, less than the gross amount
)

// Tally counts the clocks of one term and severity that belong to the period as
// [Clock.CountIn] says: by default a met one by the instant of the event, a missed
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
	f, _ := NewFraction(uint64(t.Met), uint64(t.Met+t.Missed)) // a part of the whole
	return f
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

	// Credit is the amount of the line that the breach earned, 0 if none.
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
	// 0 for a mean error rate and an indicator, which compare no time.
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

	// Times multiplies the lost time, Intervals counts those of a stretch of
	// downtime, and Stretch is that stretch.
	Times     int64             `json:"times,omitzero"`
	Intervals int64             `json:"intervals,omitzero"`
	Stretch   calendar.Interval `json:"stretch,omitzero"`

	Evidence []string `json:"evidence,omitempty"` // refs, sorted

	exact *big.Rat // minor units before rounding
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
		switch {
		case l.Stretch != (calendar.Interval{}):
			fmt.Fprintf(&b, "%s %%, down %s from %s", l.Value.Percent(6), l.Numerator, l.Stretch.Start.Format(time.RFC3339))
		case l.Denominator > 0:
			fmt.Fprintf(&b, "%s %%, up %s of %s", l.Value.Percent(6), l.Numerator, l.Denominator)
		default:
			fmt.Fprintf(&b, "%s %% by counted requests", l.Value.Percent(6))
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
		fmt.Fprintf(&b, ": the lost time × %d of %s, rounded %s = %s", l.Times, l.Fee, l.Rounding, l.Amount)
	case PercentOfFeePerInterval:
		fmt.Fprintf(&b, ": %d × %s of %s, rounded %s = %s", l.Intervals, l.Rate, l.Fee, l.Rounding, l.Amount)
	case UsageOfFee:
		fmt.Fprintf(&b, ": the usage in downtime of %s, rounded %s = %s", l.Fee, l.Rounding, l.Amount)
	case DaysOfFee:
		fmt.Fprintf(&b, ": %d of %d days of %s, rounded %s = %s", l.Days, l.DaysOf, l.Fee, l.Rounding, l.Amount)
	case PercentOfFeePerHour:
		fmt.Fprintf(&b, ": %s of %s per hour, rounded %s = %s", l.Rate, l.Fee, l.Rounding, l.Amount)
	default:
		fmt.Fprintf(&b, ": %s of %s, rounded %s = %s", l.Rate, l.Fee, l.Rounding, l.Amount)
	}
	return b.String()
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
	FindingEstimate   = "estimate"            // the period is not over in the evidence
	FindingNoData     = "no_data"             // a service that nothing measured
	FindingUnknown    = "unknown_time"        // part of the time that nothing measured
	FindingUnassigned = "unassigned_evidence" // evidence about a service that no term names
	FindingNoTarget   = "no_target"           // incidents of a severity that a term has no target for
	FindingMeanMet    = "mean_met"            // misses that earn nothing because their mean met the target
	FindingTermCap    = "term_capped"         // lines above the cap of their term
	FindingMinimum    = "below_minimum"       // lines that do not reach the minimum of their term
	FindingStacked    = "stacked"             // clauses that earn nothing beside a larger one
	FindingCapped     = "capped"              // credits above the cap of the contract
	FindingRemedy     = "unknown_remedy"      // a miss whose remedy is not known in figures
	FindingFeeBase    = "fee_base"            // a fee base that the evidence does not have
)

// Quality says how much of the measured time is known. Services add up.
type Quality struct {
	Unknown time.Duration `json:"unknown_ns"`
	Of      time.Duration `json:"of_ns"`
	Grade   Grade         `json:"grade"`
}

// Grade is a coarse mark for the evidence.
type Grade string

// The grades.
const (
	GradeComplete Grade = "complete" // nothing unknown
	GradePartial  Grade = "partial"
	GradeNone     Grade = "none" // nothing known
)
