package report

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// ServiceData is the payload of the JSON form of a [ServiceReport]. Its keys stay
// and keep their meaning; null is "no data" or "does not apply". Percentages are
// cut at six decimals, seconds are exact, means the nearest float64.
type ServiceData struct {
	Contract     ContractData        `json:"contract"`
	Period       PeriodData          `json:"period"`
	Availability []AvailabilityData  `json:"availability"` // in the order of the contract
	Overall      *OverallData        `json:"overall"`
	Incidents    IncidentData        `json:"incidents"`
	Response     []ClockData         `json:"response_time_performance"`
	Breaches     []BreachData        `json:"breaches"` // by clause, then ref
	Credits      CreditData          `json:"credits"`
	Changes      ChangeData          `json:"changes"`
	Maintenance  MaintenanceData     `json:"maintenance"`
	Trend        []TrendData         `json:"trend"` // oldest first
	KPIs         []KPIData           `json:"kpis"`
	Quality      QualityData         `json:"data_quality"`
	Report       DistributionData    `json:"report"`
	Findings     []map[string]string `json:"findings"`
}

// ContractData names the contract.
type ContractData struct {
	ID       string       `json:"id"`
	Customer string       `json:"customer_id"`
	Tier     sla.Tier     `json:"tier"`
	Zone     string       `json:"timezone"`
	Fee      money.Amount `json:"monthly_fee"`
}

// PeriodData is the period. While it is not complete, every figure covers the time
// up to Through and credits are an estimate.
type PeriodData struct {
	Label    string    `json:"label"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	Seconds  Number    `json:"seconds"`
	Through  time.Time `json:"through"`
	Complete bool      `json:"complete"`
}

// AvailabilityData is the availability of one service.
type AvailabilityData struct {
	Service     string          `json:"service"`
	Total       Number          `json:"total_s"`
	Promised    Number          `json:"service_s"`
	RawDown     Number          `json:"raw_down_s"`
	ExcludedS   Number          `json:"excluded_s"`
	Down        Number          `json:"down_s"`
	Degraded    Number          `json:"degraded_s"`
	Unmonitored Number          `json:"unmonitored_s"`
	Percent     Number          `json:"availability_percent"`
	Fraction    *string         `json:"availability_fraction"`
	Target      Number          `json:"target_percent"`
	Met         *bool           `json:"met"`
	Budget      Number          `json:"budget_s"`
	BudgetLeft  Number          `json:"budget_left_s"`
	Excluded    []ExclusionData `json:"excluded"`
	Rejected    []ExclusionData `json:"rejected_exclusions"`
	Days        []DayData       `json:"days"`
}

// ExclusionData is downtime that a window took out, or failed to.
type ExclusionData struct {
	Ref    string `json:"ref"`
	Reason string `json:"reason"`
	Down   Number `json:"s"`
}

// DayData is a local day by itself.
type DayData struct {
	Date    string `json:"date"`
	Percent Number `json:"availability_percent"`
	Down    Number `json:"down_s"`
}

// OverallData is what the services come to together.
type OverallData struct {
	Method  sla.Aggregate `json:"method"`
	Service *string       `json:"service"`
	Percent Number        `json:"availability_percent"`
	Met     *bool         `json:"met"`
}

// IncidentData counts incidents.
type IncidentData struct {
	Total      int            `json:"total"`
	MTTRFrom   sla.ClockStart `json:"mttr_from"`
	BySeverity []SeverityData `json:"by_severity"`
}

// SeverityData counts the incidents of one severity.
type SeverityData struct {
	Severity          string `json:"severity"`
	Count             int    `json:"count"`
	OpenAtEnd         int    `json:"open_at_end"`
	MTTD              Number `json:"mttd_s"`
	MTTA              Number `json:"mtta_s"`
	MTTR              Number `json:"mttr_s"`
	P95               Number `json:"p95_resolve_s"`
	ResponseMet       int    `json:"response_met"`
	ResponseMissed    int    `json:"response_missed"`
	ResponsePending   int    `json:"response_pending"`
	ResolutionMet     int    `json:"resolution_met"`
	ResolutionMissed  int    `json:"resolution_missed"`
	ResolutionPending int    `json:"resolution_pending"`
}

// ClockData is how the clocks of one clause and severity did.
type ClockData struct {
	Clause     sla.Clause `json:"clause"`
	Severity   string     `json:"severity"`
	Promised   Number     `json:"promised_s"` // null for the next business day
	Met        int        `json:"met"`
	Missed     int        `json:"missed"`
	Pending    int        `json:"pending"`
	Compliance Number     `json:"compliance_percent"`
	Mean       Number     `json:"mean_s"`
	P95        Number     `json:"p95_s"`
}

// BreachData is a promise that was missed.
type BreachData struct {
	Clause    sla.Clause   `json:"clause"`
	Ref       string       `json:"ref"`
	Service   *string      `json:"service"`
	Severity  *string      `json:"severity"`
	Promised  Number       `json:"promised"`
	Actual    Number       `json:"actual"`
	Unit      string       `json:"unit"`
	At        time.Time    `json:"at"`
	Credit    money.Amount `json:"credit"`
	Cause     string       `json:"cause,omitempty"`
	Action    string       `json:"remedial_action,omitempty"`
	Incidents []string     `json:"incidents,omitempty"`
}

// CreditData is what the period costs the provider.
type CreditData struct {
	Lines     []LineData    `json:"lines"`
	Gross     money.Amount  `json:"gross"`
	Cap       *money.Amount `json:"cap"`
	Payable   money.Amount  `json:"payable"`
	Waterfall []PaymentData `json:"waterfall"` // in the order of payment
	State     sla.State     `json:"state"`
}

// LineData is one credit.
type LineData struct {
	Clause   sla.Clause    `json:"clause"`
	Ref      string        `json:"ref"`
	Basis    sla.Basis     `json:"basis"`
	Quantity Number        `json:"quantity"`
	Rate     Number        `json:"rate_percent"`
	Unit     *money.Amount `json:"unit_amount"`
	Amount   money.Amount  `json:"amount"`
}

// PaymentData is what a clause gets.
type PaymentData struct {
	Clause  sla.Clause   `json:"clause"`
	Payable money.Amount `json:"payable"`
}

// ChangeData counts the finished changes.
type ChangeData struct {
	Total          int    `json:"total"`
	Success        int    `json:"success"`
	Percent        Number `json:"success_percent"`
	Emergency      int    `json:"emergency"`
	CausedIncident int    `json:"caused_incident"`
	Failed         int    `json:"failed"`
	RolledBack     int    `json:"rolled_back"`
	Cancelled      int    `json:"cancelled"`
}

// MaintenanceData lists announced work.
type MaintenanceData struct {
	Past     []WorkData `json:"past"`
	Upcoming []WorkData `json:"upcoming"`
}

// WorkData is a window and the notice that was given; null where it was not
// announced.
type WorkData struct {
	ID       string    `json:"id"`
	Service  string    `json:"service"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	Notice   Number    `json:"notice_s"`
	NoticeOK bool      `json:"notice_ok"`
	Title    string    `json:"title,omitempty"`
}

// TrendData is a month.
type TrendData struct {
	Month     string `json:"month"`
	Percent   Number `json:"availability_percent"`
	Met       *bool  `json:"met"`
	Incidents int    `json:"incidents"`
	MTTR      Number `json:"mttr_s"`
}

// KPIData is a key figure. Its value is a number, or an amount for the unit
// "money".
type KPIData struct {
	Name   sla.KPI  `json:"name"`
	Value  any      `json:"value"`
	Unit   sla.Unit `json:"unit"`
	N      int      `json:"n"`
	Target *string  `json:"target"`
	Met    *bool    `json:"met"`
}

// QualityData says how much of the measured time is known, and how many pieces of
// evidence were not judged or judged more than once; see [sla.Quality].
type QualityData struct {
	Unmonitored Number    `json:"unmonitored_s"`
	Of          Number    `json:"of_s"`
	Grade       sla.Grade `json:"grade"`
	Empty       int       `json:"empty,omitzero"`
	Outside     int       `json:"outside,omitzero"`
	Unassigned  int       `json:"unassigned,omitzero"`
	Shared      int       `json:"shared,omitzero"`
}

// DistributionData names who gets the report, what is in it, and until when it is due.
type DistributionData struct {
	Recipients []string  `json:"recipients"`
	Sections   []string  `json:"sections"`
	DueBefore  time.Time `json:"due_before"`
}

// Data returns the payload.
func (r ServiceReport) Data() ServiceData {
	rep, s := r.Report, r.Report.Statement
	d := ServiceData{
		Contract: ContractData{r.Contract.ID, r.Contract.Customer, r.Contract.Tier, r.Contract.Zone, r.Contract.Fee},
		Period:   PeriodData{s.Period.Label, s.Period.Start.UTC(), s.Period.End.UTC(), seconds(s.Period.Duration()), s.Through.UTC(), s.Complete},
		Incidents: IncidentData{
			Total: rep.Incidents.Total, MTTRFrom: rep.Incidents.MTTRFrom, BySeverity: mapped(rep.Incidents.BySeverity, severityData),
		},
		Availability: mapped(rep.Availability, availabilityData), Response: mapped(rep.Response, clockData), Breaches: mapped(rep.Breaches, breachData),
		Credits:     creditData(s),
		Maintenance: MaintenanceData{mapped(rep.Maintenance.Past, workData), mapped(rep.Maintenance.Upcoming, workData)},
		Trend:       mapped(rep.Trend, trendData), KPIs: mapped(rep.KPIs, r.kpiData),
		Quality: qualityData(rep.Quality),
		Report:  DistributionData{rep.Recipients, rep.Sections, rep.DueBefore.UTC()},
		Changes: ChangeData{
			rep.Changes.Total, rep.Changes.Success, percent(rep.Changes.SuccessShare), rep.Changes.Emergency,
			rep.Changes.CausedIncident, rep.Changes.Failed, rep.Changes.RolledBack, rep.Changes.Cancelled,
		},
		Findings: mapped(s.Findings, func(f sla.Finding) map[string]string {
			return map[string]string{"code": f.Code, "ref": f.Ref, "message": f.Text}
		}),
	}
	if len(s.Overall) > 0 {
		o := s.Overall[0]
		d.Overall = &OverallData{o.Method, orNull(o.Service), percent(o.Value), verdict(o.Outcome)}
	}
	return d
}

// mapped never returns nil, so that an empty list is one in JSON too.
func mapped[S, D any](list []S, to func(S) D) []D {
	out := make([]D, len(list))
	for i, item := range list {
		out[i] = to(item)
	}
	return out
}

func availabilityData(m sla.ServiceReport) AvailabilityData {
	d := AvailabilityData{
		Service: m.Service, Total: seconds(m.Total), Promised: seconds(m.Promised), RawDown: seconds(m.RawDown), ExcludedS: seconds(m.Excluded),
		Down: seconds(m.Down), Degraded: seconds(m.Degraded), Unmonitored: seconds(m.Unknown), Percent: percent(m.Value), Target: rate(m.Target),
		Met: verdict(m.Outcome), Budget: seconds(m.Allowed), BudgetLeft: seconds(m.Left),
		Excluded: mapped(m.Exclusions, exclusionData), Rejected: mapped(m.Rejected, exclusionData), Days: mapped(m.Days, func(d sla.Day) DayData {
			return DayData{d.Date, percent(d.Value), seconds(d.Down)}
		}),
	}
	if m.Value.IsSet() {
		fraction := m.Value.Rat().String()
		d.Fraction = &fraction
	}
	return d
}

func exclusionData(x sla.Exclusion) ExclusionData {
	return ExclusionData{x.Ref, x.Reason, seconds(x.Down)}
}

func severityData(s sla.SeverityReport) SeverityData {
	return SeverityData{
		*severity(s.Severity), s.Count, s.OpenAtEnd, nearest(s.Detect.Mean), nearest(s.Acknowledge.Mean), nearest(s.Restore.Mean), nearest(s.Restore.P95),
		s.Response.Met, s.Response.Missed, s.Response.Pending, s.Resolution.Met, s.Resolution.Missed, s.Resolution.Pending,
	}
}

func clockData(c sla.ClockReport) ClockData {
	d := ClockData{
		Clause: c.Clause, Severity: *severity(c.Severity), Met: c.Met, Missed: c.Missed, Pending: c.Pending, Compliance: percent(c.Compliance()),
		Mean: nearest(c.Took.Mean), P95: nearest(c.Took.P95),
	}
	if c.Within > 0 {
		d.Promised = seconds(c.Within)
	}
	return d
}

func breachData(b sla.BreachReport) BreachData {
	d := BreachData{
		Clause: b.Clause, Ref: b.Ref, Service: orNull(b.Service), Severity: severity(b.Severity), Promised: seconds(b.Promised), Actual: seconds(b.Actual), Unit: "s",
		At: b.At.UTC(), Credit: b.Credit, Cause: b.Cause, Action: b.Action, Incidents: b.Incidents,
	}
	switch {
	case b.KeyFigure != nil:
		_, limit, _ := b.KeyFigure.Target.Parts()
		d.Promised, d.Actual, d.Unit = Number(limit), figure(*b.KeyFigure), string(b.KeyFigure.Unit)
	case b.Clause == sla.ClauseAvailability:
		d.Promised, d.Actual, d.Unit = rate(b.Target), percent(b.Value), "percent"
	}
	return d
}

// always are the clauses that the waterfall names, whatever the contract has.
var always = []sla.Clause{sla.ClauseAvailability, sla.ClauseResponse, sla.ClauseResolution, sla.ClauseMonitoring}

func creditData(s sla.Statement) CreditData {
	d := CreditData{Lines: mapped(s.Lines, lineData), Gross: s.Gross, Payable: s.Payable, State: s.State, Waterfall: []PaymentData{}}
	if s.Cap.IsSet() {
		d.Cap = &s.Cap
	}
	paid := map[sla.Clause]money.Amount{}
	for _, clause := range always {
		paid[clause] = s.Payable.Zero()
	}
	for _, p := range s.Waterfall {
		paid[p.Clause] = p.Payable
	}
	for _, clause := range sla.Clauses {
		if amount, ok := paid[clause]; ok {
			d.Waterfall = append(d.Waterfall, PaymentData{clause, amount})
		}
	}
	return d
}

func lineData(l sla.Line) LineData {
	d := LineData{Clause: l.Clause, Ref: l.Ref, Basis: l.Basis, Quantity: "1", Amount: l.Amount}
	switch l.Basis {
	case sla.PerIncident, sla.FixedAmount:
		d.Unit = &l.Amount
	case sla.PercentOfFeePerHour:
		d.Quantity, d.Rate = nearest(sla.FigureOf(int64(l.Counted), int64(l.Denominator))), rate(l.Rate)
	case sla.PercentOfFeePerInterval:
		d.Quantity, d.Rate = Number(strconv.FormatInt(l.Intervals, 10)), rate(l.Rate)
	case sla.DaysOfFee:
		d.Quantity, d.Rate = Number(strconv.Itoa(l.Days)), rate(l.Rate)
	default:
		d.Rate = rate(l.Rate)
	}
	return d
}

func workData(w sla.PlannedWork) WorkData {
	d := WorkData{ID: w.Ref, Service: w.Service, Start: w.Start.UTC(), End: w.End.UTC(), NoticeOK: w.NoticeOK, Title: w.Title}
	if !w.Announced.IsZero() {
		d.Notice = seconds(w.Notice)
	}
	return d
}

func trendData(m sla.TrendMonth) TrendData {
	return TrendData{m.Month, percent(m.Value), verdict(m.Outcome), m.Incidents, nearest(m.Restore.Mean)}
}

func (r ServiceReport) kpiData(k sla.KeyFigure) KPIData {
	d := KPIData{Name: k.KPI, Value: figure(k), Unit: k.Unit, N: k.N, Target: orNull(k.Limit()), Met: verdict(k.Outcome)}
	if amount, err := k.Amount(r.Contract.Rounding); err == nil && amount.IsSet() {
		d.Value = amount
	}
	return d
}

// figure writes percentages cut off, and other figures as the nearest float64.
func figure(k sla.KeyFigure) Number {
	if k.Unit == sla.UnitPercent {
		return short(k.Value.Decimal(6))
	}
	return nearest(k.Value)
}

// Number is the text of a JSON number; "" is null.
type Number string

// MarshalJSON writes the number, or null.
func (n Number) MarshalJSON() ([]byte, error) {
	if n == "" {
		return []byte("null"), nil
	}
	return json.Marshal(json.Number(n))
}

// short takes the zeros from the end of a decimal.
func short(decimal string) Number {
	if strings.Contains(decimal, ".") {
		decimal = strings.TrimSuffix(strings.TrimRight(decimal, "0"), ".")
	}
	return Number(decimal)
}

// seconds writes a duration exactly.
func seconds(d time.Duration) Number {
	return short(sla.FigureOf(int64(d), int64(time.Second)).Decimal(9))
}

// percent writes a fraction as a percentage, cut at six decimals.
func percent(f sla.Fraction) Number { return short(f.Percent(6)) }

// rate writes a percentage that somebody agreed on.
func rate(p money.Percent) Number { return Number(strings.TrimSuffix(p.String(), "%")) }

// nearest writes the float64 nearest to a figure.
func nearest(f sla.Figure) Number {
	if !f.IsSet() {
		return ""
	}
	value, _ := f.Rat().Float64()
	text, err := json.Marshal(value)
	if err != nil {
		return "" // larger than any float64
	}
	return Number(text)
}

func severity(s incident.Severity) *string {
	if !s.IsSet() {
		return nil
	}
	text := strings.ToLower(s.String())
	return &text
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func verdict(o sla.Outcome) *bool {
	switch o {
	case sla.Met, sla.Missed:
		met := o == sla.Met
		return &met
	default:
		return nil
	}
}

func qualityData(q sla.Quality) QualityData {
	return QualityData{seconds(q.Unknown), seconds(q.Of), q.Grade, q.Empty, q.Outside, q.Unassigned, q.Shared}
}
