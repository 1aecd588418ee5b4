package sla

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// ReportOptions choose what a report holds beside the period itself.
type ReportOptions struct {
	// At divides past from upcoming maintenance. Defaults to the end of the
	// evidence.
	At time.Time

	// Trend is the number of calendar months in the trend, that of the period
	// being the last. Defaults to 3; a negative number leaves the trend out.
	Trend int

	// KPITargets replaces the reference target of the figures that it names; an
	// unset target removes it. The target of the uptime is that of the contract.
	KPITargets KPITargets
}

// Report is the monthly service report: the statement with everything that the
// customer is told beside it, each section as data. It is a value; the same input
// gives the same report.
type Report struct {
	Statement Statement `json:"statement"`
	At        time.Time `json:"now"`

	// DueBefore is the first instant that is too late to deliver the report: the
	// end of the 15th of the month after the period, in the contract's zone.
	DueBefore time.Time `json:"due_before"`

	Recipients []string `json:"recipients"`
	Sections   []string `json:"sections"`

	Availability []ServiceReport   `json:"availability_summary"`          // as in the statement
	Incidents    IncidentSummary   `json:"incident_summary_by_severity"`  // what happened
	Response     []ClockReport     `json:"response_time_performance"`     // by term, then in the order of its targets
	Changes      ChangeStatistics  `json:"change_management_statistics"`  // what was changed
	Maintenance  MaintenanceReport `json:"upcoming_maintenance_schedule"` // and what came before it
	Trend        []TrendMonth      `json:"performance_trends_and_analysis"`

	Breaches []BreachReport `json:"breaches"` // as in the statement
	KPIs     []KeyFigure    `json:"kpis"`     // in the order of [KPIs]
	Quality  Quality        `json:"data_quality"`
}

// Report returns the report of one period. The order of the evidence does not
// matter. Errors are those of [Agreement.Evaluate].
func (a *Agreement) Report(p Period, e Evidence, o ReportOptions) (Report, error) {
	statement, err := a.Evaluate(p, e)
	if err != nil {
		return Report{}, err
	}
	b := reporter{
		reckoning: reckoning{
			agreement: a, evidence: e, statement: &statement,
			covered: calendar.Interval{Start: statement.Period.Start, End: statement.Through},
		},
		options: o, now: o.At.UTC(),
	}
	if o.At.IsZero() {
		b.now = e.Observed.End.UTC()
	}
	r := Report{
		At: b.now, DueBefore: ReportDue(statement.Period, a.loc), Recipients: slices.Clone(ReportRecipients[:]), Sections: slices.Clone(ReportSections[:]),
		Incidents: b.incidents(), Changes: b.changes(), Maintenance: b.maintenance(), Breaches: b.breaches(), Quality: statement.Quality,
	}
	if r.Availability, err = b.services(); err != nil {
		return Report{}, fmt.Errorf("sla: report: %w", err)
	}
	if r.Response, err = b.clocks(); err != nil {
		return Report{}, fmt.Errorf("sla: report: %w", err)
	}
	if r.Trend, err = b.trend(); err != nil {
		return Report{}, fmt.Errorf("sla: report: trend: %w", err)
	}
	if r.KPIs, err = b.keyFigures(); err != nil {
		return Report{}, fmt.Errorf("sla: report: %w", err)
	}
	r.Statement = statement
	return r, nil
}

// ReportRecipients lists who gets the report.
var ReportRecipients = [...]string{"customer_stakeholders", "account_manager", "service_delivery_manager"}

// The sections of the report.
const (
	SectionAvailability = "availability_summary"
	SectionIncidents    = "incident_summary_by_severity"
	SectionResponse     = "response_time_performance"
	SectionChanges      = "change_management_statistics"
	SectionMaintenance  = "upcoming_maintenance_schedule"
	SectionTrends       = "performance_trends_and_analysis"
)

// ReportSections lists the sections in their order.
var ReportSections = [...]string{SectionAvailability, SectionIncidents, SectionResponse, SectionChanges, SectionMaintenance, SectionTrends}

// ServiceReport is the availability of one service over the period.
type ServiceReport struct {
	Measured

	// Hours is the part of the covered time that lies in service hours, with
	// nothing taken out.
	Hours time.Duration `json:"hours_ns"`

	// Allowed is the downtime that the target allows for Promised, and Left what
	// remains of it. Unlike Budget they are also there where nothing was measured;
	// they are 0 for a measure that counts no time.
	Allowed time.Duration `json:"allowed_ns"`
	Left    time.Duration `json:"left_ns"`

	Days []Day `json:"days"`

	// Burn is what was left of Allowed, at the instants between which it runs
	// straight. Nil without data, and where the downtime was not counted to the
	// nanosecond.
	Burn []BudgetPoint `json:"burn,omitempty"`
}

// Day is a local day of the period, measured by itself.
type Day struct {
	Date string `json:"date"` // "2026-10-14" in the contract's zone
	calendar.Interval

	// Promised is 0 and Value no data for a day that the evidence does not reach.
	Promised time.Duration `json:"promised_ns"`
	Down     time.Duration `json:"down_ns"`
	Excluded time.Duration `json:"excluded_ns"`
	Degraded time.Duration `json:"degraded_ns"`
	Unknown  time.Duration `json:"unknown_ns"`
	Value    Fraction      `json:"value"`
	Outcome  Outcome       `json:"outcome"` // against the target of the period
}

// BudgetPoint is what was left of the allowed downtime at an instant; negative
// once it was exceeded.
type BudgetPoint struct {
	At   time.Time     `json:"at"`
	Left time.Duration `json:"left_ns"`
}

// IncidentSummary counts the incidents of the period.
type IncidentSummary struct {
	Total    int        `json:"total"`     // opened in the period
	MTTRFrom ClockStart `json:"mttr_from"` // where the time to restore begins

	BySeverity []SeverityReport `json:"by_severity"` // P1 to P4
}

// SeverityReport is what became of the incidents of one severity.
type SeverityReport struct {
	Severity  incident.Severity `json:"severity"`
	Count     int               `json:"count"`       // opened in the period
	OpenAtEnd int               `json:"open_at_end"` // whenever they were opened

	// The times that ended in the period.
	Detect      Timing `json:"detect"`      // from the fault
	Acknowledge Timing `json:"acknowledge"` // from opened
	Restore     Timing `json:"restore"`     // from detected, less the waits for the customer

	// The clocks of the contract, see [Tally].
	Response   ClockCount `json:"response"`
	Update     ClockCount `json:"update"`
	Resolution ClockCount `json:"resolution"`
}

// ClockCount counts clocks, see [Tally].
type ClockCount struct {
	Met     int `json:"met"`
	Missed  int `json:"missed"`
	Pending int `json:"pending"`
}

// Timing sums up durations in seconds, exactly. Both figures are no data if N is
// 0.
type Timing struct {
	N    int    `json:"n"`
	Mean Figure `json:"mean_s"`
	P95  Figure `json:"p95_s"` // Hyndman and Fan 7
}

// ClockReport is how the clocks of one term and severity did.
type ClockReport struct {
	Tally

	// Within is what was promised, 0 for the next business day. Strict is set if
	// exactly that long is a miss.
	Within time.Duration `json:"within_ns,omitzero"`
	Strict bool          `json:"strict,omitempty"`

	// Took is the time on the clocks that stopped in the period, late or not.
	Took Timing `json:"took"`
}

// ChangeStatistics counts the changes that were finished in the period.
type ChangeStatistics struct {
	Total          int `json:"total"`           // without the cancelled ones
	Success        int `json:"success"`         // and led to no incident
	CausedIncident int `json:"caused_incident"` // successful but for that
	Failed         int `json:"failed"`
	RolledBack     int `json:"rolled_back"`
	Cancelled      int `json:"cancelled"`
	Emergency      int `json:"emergency"` // of Total

	SuccessShare Fraction `json:"success_share"` // of Total
}

// MaintenanceReport lists announced work, by start and ref. Cancelled windows are
// left out.
type MaintenanceReport struct {
	Past     []PlannedWork `json:"past"`     // started in the period
	Upcoming []PlannedWork `json:"upcoming"` // starts at the instant of the report or later, in whatever period
}

// PlannedWork is a maintenance window and the notice that was given.
type PlannedWork struct {
	Maintenance

	// Notice runs from the announcement to the start; it means nothing where
	// Announced is zero.
	Notice time.Duration `json:"notice_ns"`

	// NoticeOK reports whether that is enough for the first availability term.
	NoticeOK bool `json:"notice_ok"`
}

// TrendMonth is what a calendar month came to. Figures are no data where the
// contract did not hold or nothing was measured.
type TrendMonth struct {
	Month   string        `json:"month"` // "2026-10"
	Value   Fraction      `json:"value"` // of the first availability term
	Target  money.Percent `json:"target"`
	Outcome Outcome       `json:"outcome"`

	Incidents int    `json:"incidents"` // opened
	Restore   Timing `json:"restore"`   // of all severities
}

// BreachReport is a breach with what is known about why it came about.
type BreachReport struct {
	Breach

	// Incidents lists the incidents behind it: its own, or those of the outages
	// that count. Cause and Action are what their records say, joined by "; ".
	Incidents []string `json:"incidents,omitempty"`
	Cause     string   `json:"cause,omitempty"`
	Action    string   `json:"remedial_action,omitempty"`
}
