package sla

import (
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Contract is what a provider promises a customer, and what a miss costs. It is
// data: write it as a literal, start from [Preset], or load it. [Compile] checks
// it once; after that it must not be changed.
type Contract struct {
	ID       string `json:"id"`
	Customer string `json:"customer,omitempty"`

	// Tier is the offer that the contract was sold under. It is used to check
	// the fee; the promises are the terms alone.
	Tier Tier `json:"tier,omitzero"`

	// Fee is the price of one period.
	Fee money.Amount `json:"fee,omitzero"`

	// Zone is the IANA name of the zone whose midnights bound the periods.
	Zone string `json:"zone"`

	// Period says how long a period is. Defaults to the calendar month.
	Period Billing `json:"period,omitzero"`

	// From and Until bound the time in which the contract holds. In a period
	// that they cut, the window and the fee shrink alike. Zero is unbounded.
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`

	Terms []Term `json:"terms"`

	// Calendars holds the working hours that targets and terms name.
	Calendars map[string]calendar.Hours `json:"calendars,omitempty"`

	// Stack says how the credits of several clauses add up. Defaults to
	// StackSum.
	Stack Stack `json:"stack,omitzero"`

	// CapPercent bounds the payable credits of a period, as a percentage of its
	// fee. Nil is no cap.
	CapPercent *money.Percent `json:"cap_percent,omitempty"`

	// Rounding is applied to each line. Defaults to money.HalfUp.
	Rounding money.Rounding `json:"rounding,omitzero"`

	// Claim says until when a credit can be claimed. Defaults to no claim
	// needed.
	Claim ClaimRule `json:"claim,omitzero"`
}

// Term is one promise: exactly one of the clauses is set.
type Term struct {
	ID string `json:"id"`

	Availability *Availability `json:"availability,omitempty"`
	Response     *Clock        `json:"response,omitempty"`
	Resolution   *Clock        `json:"resolution,omitempty"`
	Monitoring   *Monitoring   `json:"monitoring,omitempty"`
	DataLoss     *Liability    `json:"data_loss,omitempty"`

	// CapPercent bounds the credits of this term alone, as a percentage of the
	// fee. Nil is no cap.
	CapPercent *money.Percent `json:"cap_percent,omitempty"`

	// MoreThan lets a credit of this term be issued only if the sum of its
	// lines is greater. Unset is no minimum.
	MoreThan money.Amount `json:"more_than,omitzero"`
}

// Clause names a kind of promise. The order of [Clauses] is that in which
// credits are paid out under a cap.
type Clause string

// The clauses.
const (
	ClauseAvailability Clause = "availability"
	ClauseResponse     Clause = "response"
	ClauseResolution   Clause = "resolution"
	ClauseMonitoring   Clause = "monitoring"
	ClauseDataLoss     Clause = "data_loss"
)

// Clauses lists the clauses that share the cap, in the order of payment. Data
// loss stands outside of it.
var Clauses = [...]Clause{ClauseAvailability, ClauseResponse, ClauseResolution, ClauseMonitoring}

// Clause returns which of the clauses is set, "" if none or more than one is.
func (t Term) Clause() Clause {
	var found Clause
	n := 0
	for _, c := range [...]struct {
		clause Clause
		set    bool
	}{
		{ClauseAvailability, t.Availability != nil},
		{ClauseResponse, t.Response != nil},
		{ClauseResolution, t.Resolution != nil},
		{ClauseMonitoring, t.Monitoring != nil},
		{ClauseDataLoss, t.DataLoss != nil},
	} {
		if c.set {
			found, n = c.clause, n+1
		}
	}
	if n != 1 {
		return ""
	}
	return found
}

// Availability promises that a service is up for a share of the time.
type Availability struct {
	// Target is the promised share. A value equal to it is met.
	Target money.Percent `json:"target"`

	// Strict makes a value equal to the target a miss.
	Strict bool `json:"strict,omitempty"`

	// Requests measures by counted requests. Nil measures by outages alone.
	Requests *RequestMeasure `json:"requests,omitempty"`

	// Bands give the credit of a miss by the measured value, the best value
	// first. A missed target that no band holds earns nothing and is reported
	// as a credit gap.
	Bands []Band `json:"bands,omitempty"`

	// ExtendTopBand gives the credit of the first band to values in the gap
	// between it and the target.
	ExtendTopBand bool `json:"extend_top_band,omitempty"`

	// Services are measured one by one. Without any, the outages of all are
	// taken as one service.
	Services []Service `json:"services,omitempty"`

	// Aggregate says which services earn a credit. Defaults to Worst.
	Aggregate Aggregate `json:"aggregate,omitzero"`

	// ServiceHours names the calendar of the promised time. Defaults to around
	// the clock.
	ServiceHours string `json:"service_hours,omitempty"`

	// Exclude lists the causes for which the provider does not answer.
	Exclude []Cause `json:"exclude,omitempty"`

	// ExcludeMode says what excluded time is taken from. Defaults to
	// FromDowntime.
	ExcludeMode ExcludeMode `json:"exclude_mode,omitzero"`

	// MinNotice is the elapsed time between announcement and start that
	// maintenance needs to be excluded; exactly that much is enough.
	MinNotice time.Duration `json:"min_notice_ns,omitzero"`

	// Unknown says what becomes of time that nothing measured. Defaults to
	// UnknownUp.
	Unknown Unknown `json:"unknown,omitzero"`
}

// Service is one measured unit of an availability term.
type Service struct {
	ID string `json:"id"`

	// Target replaces the target of the term. Nil keeps it.
	Target *money.Percent `json:"target,omitempty"`
}

// Band gives a credit for values from From (inclusive) to Below (exclusive).
type Band struct {
	Below  money.Percent `json:"below"`
	From   money.Percent `json:"from"`
	Credit money.Percent `json:"credit,omitzero"`

	// Days gives days of service instead of a percentage: Days/n of the fee for
	// a period of n local days.
	Days int `json:"days,omitzero"`

	// AtBelow includes the upper bound and NotAtFrom excludes the lower one, for
	// contracts that word their bands so.
	AtBelow   bool `json:"at_below,omitempty"`
	NotAtFrom bool `json:"not_at_from,omitempty"`
}

// Holds reports whether the value lies in the band; it must be set.
func (b Band) Holds(value Fraction) bool {
	below, from := value.ComparePercent(b.Below), value.ComparePercent(b.From)
	return (below < 0 || below == 0 && b.AtBelow) && (from > 0 || from == 0 && !b.NotAtFrom)
}

// Clock promises that something happens to each incident within a time. In a
// response term the clock stops when the incident is answered, in a resolution
// term when it is resolved.
type Clock struct {
	Targets []Target `json:"targets"`

	// Start is the event from which the clock runs. Defaults to FromOpened.
	Start ClockStart `json:"start,omitzero"`

	// Strict makes an elapsed time equal to the target a miss ("< 2 hours").
	Strict bool `json:"strict,omitempty"`

	// Pausable stops the clock while the incident waits for the customer.
	Pausable bool `json:"pausable,omitempty"`

	// MeanToo pays for a miss only if the mean of all incidents of the severity
	// that ended in the period misses the target as well.
	MeanToo bool `json:"mean_too,omitempty"`
}

// Target is the promise of a [Clock] for one severity: either Within or NextDay
// is set. A miss earns a fixed Credit or a CreditPercent of the fee, or, with
// neither, nothing but the report.
type Target struct {
	Severity incident.Severity `json:"severity"`

	Within  time.Duration         `json:"within_ns,omitzero"`
	NextDay *calendar.NextDayRule `json:"next_business_day,omitempty"`

	// Calendar names the working time in which the clock runs. Defaults to
	// around the clock; required for NextDay.
	Calendar string `json:"calendar,omitempty"`

	Credit        money.Amount  `json:"credit,omitzero"`
	CreditPercent money.Percent `json:"credit_percent,omitzero"`
}

// Monitoring promises that someone watches. Time without monitoring earns a
// percentage of the fee per hour.
type Monitoring struct {
	PercentPerHour money.Percent `json:"percent_per_hour"`

	// Count says how hours are counted. Defaults to ProRata.
	Count HourCount `json:"count,omitzero"`
}

// Liability bounds what is paid for lost data. It is not part of the capped
// credits.
type Liability struct {
	// Fees is how many of the last fees may be paid at most.
	Fees int `json:"fees"`

	// CurrentFee takes the current fee that many times. By default the fees
	// invoiced last are summed, and the current fee counts only while nothing
	// has been invoiced.
	CurrentFee bool `json:"current_fee,omitempty"`
}
