package sla

import (
	"time"

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
	// fee. Nil is no cap. Of all the caps that a contract has, the lowest counts.
	CapPercent *money.Percent `json:"cap_percent,omitempty"`

	// CapDays bounds them by the value of that many days of service. 0 is no cap.
	CapDays int `json:"cap_days,omitzero"`

	// CapYearPercent bounds the credits of twelve months, as a percentage of the
	// fees of a year: what Evidence.Issued holds of the twelve months
	// before the end of the period is taken off. Nil is no cap.
	CapYearPercent *money.Percent `json:"cap_year_percent,omitempty"`

	// CapInvoicePercent bounds the credits as a percentage of the invoice that
	// they are set off against, Evidence.Invoice. Nil is no cap.
	CapInvoicePercent *money.Percent `json:"cap_invoice_percent,omitempty"`

	// Rounding is applied to each line. Defaults to money.HalfUp.
	Rounding money.Rounding `json:"rounding,omitzero"`

	// RoundOnce rounds the exact sum of all lines instead of each line. The
	// lines then show their share of that sum, the largest remainders first.
	RoundOnce bool `json:"round_once,omitempty"`

	// FullFee keeps the whole fee of a period that From or Until cuts. The
	// window shrinks all the same.
	FullFee bool `json:"full_fee,omitempty"`

	// Claim says until when a credit can be claimed. Defaults to no claim
	// needed.
	Claim ClaimRule `json:"claim,omitzero"`

	// ScopeIn and ScopeOut say in words what the contract covers and what not,
	// Labels what it is filed under, such as "ISO 27001". Nothing is computed
	// from them.
	ScopeIn  []string `json:"scope_in,omitempty"`
	ScopeOut []string `json:"scope_out,omitempty"`
	Labels   []string `json:"labels,omitempty"`
}

// Term is one promise: exactly one of the clauses is set.
type Term struct {
	ID string `json:"id"`

	Availability *Availability `json:"availability,omitempty"`
	Response     *Clock        `json:"response,omitempty"`
	Update       *Clock        `json:"update,omitempty"`
	Resolution   *Clock        `json:"resolution,omitempty"`
	Monitoring   *Monitoring   `json:"monitoring,omitempty"`
	Indicator    *Indicator    `json:"indicator,omitempty"`
	DataLoss     *Liability    `json:"data_loss,omitempty"`

	// FeeBase names the amount in Evidence.Fees that the percentages of this
	// term are taken from, such as the charges of one service. Empty takes the
	// fee of the contract.
	FeeBase string `json:"fee_base,omitempty"`

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
	ClauseUpdate       Clause = "update"
	ClauseResolution   Clause = "resolution"
	ClauseMonitoring   Clause = "monitoring"
	ClauseIndicator    Clause = "indicator"
	ClauseDataLoss     Clause = "data_loss"
)

// Clauses lists the clauses that share the cap, in the order of payment. Data
// loss stands outside of it.
var Clauses = [...]Clause{ClauseAvailability, ClauseResponse, ClauseUpdate, ClauseResolution, ClauseMonitoring, ClauseIndicator}

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
		{ClauseUpdate, t.Update != nil},
		{ClauseResolution, t.Resolution != nil},
		{ClauseMonitoring, t.Monitoring != nil},
		{ClauseIndicator, t.Indicator != nil},
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

	// Measure turns the evidence into a value. Defaults to Uptime{}: the share
	// of the promised time without outages.
	Measure Measure `json:"measure,omitempty"`

	// Remedy says what a miss earns: [Bands], [LostTime], [PerInterval],
	// [PerOutage], [UsageShare], [UnknownRemedy] or one of your own. Nil earns
	// nothing but the report.
	Remedy Remedy `json:"remedy,omitempty"`

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
	// maintenance needs to be excluded; exactly that much is enough. NoticeLocal
	// counts it on the wall clock of the contract's zone instead, so that three
	// days are three dates even where the clock is changed in between.
	MinNotice   time.Duration `json:"min_notice_ns,omitzero"`
	NoticeLocal bool          `json:"notice_local,omitempty"`

	// MaintenanceKinds holds the rules for maintenance that has a kind of its own
	// in the evidence, such as a migration. All other follows MinNotice.
	MaintenanceKinds map[string]MaintenanceRule `json:"maintenance_kinds,omitempty"`

	// MaintenancePerYear bounds the maintenance that is excluded in a calendar
	// year of the contract's zone, by the start of its windows; where they overlap
	// the time counts once. The windows of the year that lie before the period
	// count when they are among the evidence. 0 is no bound.
	MaintenancePerYear time.Duration `json:"maintenance_per_year_ns,omitzero"`

	// Unknown says what becomes of time that nothing measured. Defaults to
	// UnknownUp.
	Unknown Unknown `json:"unknown,omitzero"`
}

// measured returns the services; without any, one that stands for all.
func (a *Availability) measured() []Service {
	if len(a.Services) == 0 {
		return []Service{{}}
	}
	return a.Services
}

// target returns that of one of the services.
func (a *Availability) target(s Service) money.Percent {
	if s.Target != nil {
		return *s.Target
	}
	return a.Target
}

// MaintenanceRule says when maintenance of one kind is excluded.
type MaintenanceRule struct {
	// MinNotice is as in [Availability].
	MinNotice time.Duration `json:"min_notice_ns,omitzero"`

	// MaxLength bounds what one window excludes, from its start. 0 is no bound.
	MaxLength time.Duration `json:"max_length_ns,omitzero"`
}

// Service is one measured unit of an availability term.
type Service struct {
	ID string `json:"id"`

	// Target replaces the target of the term. Nil keeps it.
	Target *money.Percent `json:"target,omitempty"`

	// Weight is that of the service in a Weighted aggregate, in any unit.
	Weight int64 `json:"weight,omitzero"`
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
