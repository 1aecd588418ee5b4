package sla

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Issue is something about a contract that is wrong, or worth a second look
// before it is signed.
type Issue struct {
	Path    string `json:"path"`              // such as "terms[0].availability.bands[1].below"
	Value   string `json:"value"`             // what stands there
	Want    string `json:"want"`              // what was expected
	Warning bool   `json:"warning,omitempty"` // else the contract cannot be used
	Code    string `json:"code"`              // such as "credit_gap"
	Err     error  `json:"-"`                 // the cause, where there is one beneath
}

// String names the path, the value and what was expected.
func (i Issue) String() string {
	text := fmt.Sprintf("%s %q: want %s", i.Path, i.Value, i.Want)
	if i.Err != nil {
		text += ": " + i.Err.Error()
	}
	return text
}

// ContractError is an [Issue] that keeps a contract from being used.
type ContractError struct {
	Issue Issue
}

// Error names the path, the value and what was expected.
func (e *ContractError) Error() string { return "sla: contract " + e.Issue.String() }

// Unwrap returns the cause beneath, or nil.
func (e *ContractError) Unwrap() error { return e.Issue.Err }

// The codes of issues. All but the first group are those of warnings, except that
// [CodeCurrency] comes with money.ErrCurrency.
const (
	CodeInvalid       = "invalid"         // a value out of range, missing or beside one that excludes it
	CodeDuplicate     = "duplicate"       // an id, a service or a severity that stands twice
	CodeMissingZone   = "missing_zone"    // no zone
	CodeUnknownRef    = "unknown_name"    // the name of a calendar that the contract does not have
	CodeBandGap       = "band_gap"        // values between two bands, or below the last, earn nothing
	CodeBandOverlap   = "band_overlap"    // values in two bands
	CodeBandOrder     = "band_order"      // a worse band with a smaller credit
	CodeNoWorkingTime = "no_working_time" // a calendar that never opens
	CodeCurrency      = "currency"        // a fixed amount in another currency than the fee
	CodeNoFeeBase     = "no_fee_base"     // a percentage of a fee that nobody named

	CodeCreditGap   = "credit_gap"       // a missed target earns nothing down to the first band
	CodeBandHole    = "band_hole"        // a single value between two bands earns nothing
	CodeFeeRange    = "fee_out_of_range" // the fee is unusual for the tier
	CodeLowCap      = "low_cap"          // a cap is below the largest credit under it
	CodeUnreachable = "unreachable_band" // a band, or a part of it, in which no miss lies
	CodeLateClaim   = "late_claim"       // claims end before a report can be there
	CodeNoNotice    = "no_notice_rule"   // maintenance is excluded without any notice
	CodeNoRemedy    = "no_remedy"        // a clause never earns a credit
	CodeUnused      = "unused"           // a calendar, a fee base or a rule that changes nothing
)

func problem(path, value, want string) Issue { return coded(CodeInvalid, path, value, want) }

func coded(code, path, value, want string) Issue {
	return Issue{Path: path, Value: value, Want: want, Code: code}
}

func warning(code, path, value, want string) Issue {
	return Issue{Path: path, Value: value, Want: want, Warning: true, Code: code}
}

// Validate returns all that is wrong with the contract, joined, each of type
// [*ContractError]; warnings are left out.
func (c Contract) Validate() error {
	var problems []error
	for _, i := range c.Issues() {
		if !i.Warning {
			problems = append(problems, &ContractError{Issue: i})
		}
	}
	return errors.Join(problems...)
}

// Issues returns all problems and warnings in the order of the contract.
func (c Contract) Issues() []Issue {
	v := &validation{contract: c, used: map[string]bool{}}
	v.head()
	ids := map[string]bool{}
	for i, t := range c.Terms {
		path := fmt.Sprintf("terms[%d]", i)
		v.unique(path+".id", t.ID, ids)
		v.term(path, t)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Calendars)) {
		path := "calendars." + name
		if _, err := calendar.New(c.Calendars[name]); err != nil {
			v.add(Issue{Path: path, Value: name, Want: "a schedule", Code: CodeInvalid, Err: err})
		} else if !opens(c.Calendars[name]) {
			v.add(coded(CodeNoWorkingTime, path, name, "a weekday or a special date on which it opens"))
		}
		if !v.used[name] {
			v.add(warning(CodeUnused, path, name, "a target that names it"))
		}
	}
	return v.issues
}

// opens reports whether a schedule has working time at all.
func opens(h calendar.Hours) bool {
	for _, spans := range h.Week {
		if len(spans) > 0 {
			return true
		}
	}
	for _, spans := range h.Special {
		if len(spans) > 0 {
			return true
		}
	}
	return false
}

type validation struct {
	contract Contract
	issues   []Issue
	used     map[string]bool // calendars
}

func (v *validation) add(issues ...Issue) { v.issues = append(v.issues, issues...) }

// unique wants an id that is not among those seen.
func (v *validation) unique(path, id string, seen map[string]bool) {
	switch {
	case id == "":
		v.add(problem(path, id, "an id"))
	case seen[id]:
		v.add(coded(CodeDuplicate, path, id, "an id of its own"))
	}
	seen[id] = true
}

func (v *validation) head() {
	c := v.contract
	if c.ID == "" {
		v.add(problem("id", c.ID, "an id"))
	}
	if c.Fee.Sign() <= 0 {
		v.add(problem("fee", c.Fee.String(), "an amount above 0"))
	}
	if _, err := loadZone(c.Zone); err != nil {
		code := CodeInvalid
		if c.Zone == "" {
			code = CodeMissingZone
		}
		v.add(Issue{Path: "zone", Value: c.Zone, Want: "an IANA zone name like \"Europe/Amsterdam\"", Code: code, Err: err})
	}
	if !c.From.IsZero() && !c.Until.IsZero() && !c.From.Before(c.Until) {
		v.add(problem("until", c.Until.String(), "an instant after from"))
	}
	v.add(c.Period.issues()...)
	v.add(c.Claim.issues(c.Period)...)
	if c.Stack > StackEither {
		v.add(problem("stack", c.Stack.String(), "sum, max or either"))
	}
	if c.Rounding > money.Up {
		v.add(problem("rounding", c.Rounding.String(), "half_up, half_even, down or up"))
	}
	for _, limit := range []struct {
		path    string
		percent *money.Percent
	}{{"cap_percent", c.CapPercent}, {"cap_year_percent", c.CapYearPercent}, {"cap_invoice_percent", c.CapInvoicePercent}} {
		if limit.percent != nil {
			v.percent(limit.path, *limit.percent)
		}
	}
	if c.CapDays < 0 {
		v.add(problem("cap_days", strconv.Itoa(c.CapDays), "0 or more"))
	}
	if len(c.Terms) == 0 {
		v.add(problem("terms", "", "at least one term"))
	}
	if c.Tier > Enterprise {
		v.add(problem("tier", c.Tier.String(), "essential, professional, enterprise or none"))
	}
	v.feeRange()
}

func (v *validation) feeRange() {
	c, offer := v.contract, v.contract.Tier.Offer()
	low, errLow := c.Fee.Compare(offer.FeeFrom)
	high, errHigh := c.Fee.Compare(offer.FeeTo)
	if errLow == nil && errHigh == nil && (low < 0 || high > 0) {
		v.add(warning(CodeFeeRange, "fee", c.Fee.String(), fmt.Sprintf("%s to %s for tier %s", offer.FeeFrom, offer.FeeTo, c.Tier)))
	}
}

func (v *validation) term(path string, t Term) {
	switch t.Clause() {
	case ClauseAvailability:
		v.availability(path+".availability", *t.Availability)
	case ClauseResponse:
		v.clock(path+".response", *t.Response)
	case ClauseUpdate:
		v.clock(path+".update", *t.Update)
	case ClauseIndicator:
		v.indicator(path+".indicator", *t.Indicator)
	case ClauseResolution:
		v.clock(path+".resolution", *t.Resolution)
	case ClauseMonitoring:
		if t.Monitoring.PercentPerHour < 0 {
			v.add(problem(path+".monitoring.percent_per_hour", t.Monitoring.PercentPerHour.String(), "0 or more"))
		}
		if t.Monitoring.Count > StartedPerOutage {
			v.add(problem(path+".monitoring.count", t.Monitoring.Count.String(), "prorata, full_hours, started_hours or started_per_outage"))
		}
	case ClauseDataLoss:
		if t.DataLoss.Fees <= 0 {
			v.add(problem(path+".data_loss.fees", strconv.Itoa(t.DataLoss.Fees), "1 or more"))
		}
	default:
		v.add(problem(path, t.ID, "exactly one of availability, response, update, resolution, monitoring, indicator and data_loss"))
	}
	if t.CapPercent != nil {
		v.percent(path+".cap_percent", *t.CapPercent)
	}
	v.amount(path+".more_than", t.MoreThan)
	v.feeBase(path, t)
	v.caps(path, t)
}

// feeBase wants a fee for a term that pays percentages, and a use for one that is
// named.
func (v *validation) feeBase(path string, t Term) {
	switch takes := t.takesPercent(); {
	case takes && t.FeeBase == "" && !v.contract.Fee.IsSet():
		v.add(coded(CodeNoFeeBase, path+".fee_base", "", "a fee base or the fee of the contract, for the percentages of the term"))
	case !takes && t.FeeBase != "":
		v.add(warning(CodeUnused, path+".fee_base", t.FeeBase, "none: the term pays no percentage of a fee"))
	}
}

// takesPercent reports whether a term pays shares of a fee. A remedy of a
// program's own may.
func (t Term) takesPercent() bool {
	switch clause := t.Clause(); clause {
	case ClauseAvailability:
		switch r := t.Availability.Remedy.(type) {
		case nil, UnknownRemedy:
			return false
		case PerOutage:
			return !r.Amount.IsSet()
		case Bands:
			return len(r.Bands) > 0
		default:
			return true
		}
	case ClauseMonitoring:
		return t.Monitoring.PercentPerHour > 0
	case ClauseIndicator:
		return t.Indicator.CreditPercent > 0
	case ClauseResponse, ClauseUpdate, ClauseResolution:
		c, _ := t.clock()
		return slices.ContainsFunc(c.Targets, func(t Target) bool { return t.CreditPercent > 0 })
	default:
		return false
	}
}

// caps compares the largest credit of the bands of a term with what bounds it.
func (v *validation) caps(path string, t Term) {
	if t.Availability == nil {
		return
	}
	bands, _ := t.Availability.Remedy.(Bands)
	var credit money.Percent
	days := 0
	for _, b := range bands.Bands {
		credit, days = max(credit, b.Credit), max(days, b.Days)
	}
	for _, limit := range []struct {
		path    string
		percent *money.Percent
	}{{"cap_percent", v.contract.CapPercent}, {path + ".cap_percent", t.CapPercent}} {
		if limit.percent != nil && *limit.percent < credit {
			v.add(warning(CodeLowCap, limit.path, limit.percent.String(), "at least "+credit.String()+", the credit of the largest band of "+path))
		}
	}
	if limit := v.contract.CapDays; limit > 0 && limit < days {
		v.add(warning(CodeLowCap, "cap_days", strconv.Itoa(limit), fmt.Sprintf("at least %d, the days of the largest band of %s", days, path)))
	}
}

// amount checks an optional amount: not negative, in the currency of the fee.
func (v *validation) amount(path string, a money.Amount) {
	if !a.IsSet() {
		return
	}
	if a.Sign() < 0 {
		v.add(problem(path, a.String(), "0 or more"))
	}
	if fee := v.contract.Fee; fee.IsSet() && a.Currency() != fee.Currency() {
		v.add(Issue{Path: path, Value: a.String(), Want: "an amount in " + string(fee.Currency()), Code: CodeCurrency, Err: money.ErrCurrency})
	}
}

func (v *validation) calendar(path, name string) {
	if _, ok := v.contract.Calendars[name]; !ok && name != "" {
		v.add(coded(CodeUnknownRef, path, name, "the name of a calendar of the contract"))
	}
	v.used[name] = true
}

func (v *validation) availability(path string, a Availability) {
	v.target(path+".target", a.Target)
	ids := map[string]bool{}
	for i, s := range a.Services {
		at := fmt.Sprintf("%s.services[%d]", path, i)
		v.unique(at+".id", s.ID, ids)
		if s.Target != nil {
			v.target(at+".target", *s.Target)
		}
	}
	v.aggregate(path, a)
	if a.ExcludeMode > FromBoth {
		v.add(problem(path+".exclude_mode", a.ExcludeMode.String(), "downtime_only or both"))
	}
	if a.Unknown > UnknownExcluded {
		v.add(problem(path+".unknown", a.Unknown.String(), "up, down or exclude"))
	}
	if a.MaintenancePerYear < 0 {
		v.add(problem(path+".maintenance_per_year_ns", a.MaintenancePerYear.String(), "0 or more"))
	}
	if a.MinNotice < 0 {
		v.add(problem(path+".min_notice_ns", a.MinNotice.String(), "0 or more"))
	}
	for _, kind := range slices.Sorted(maps.Keys(a.MaintenanceKinds)) {
		if r := a.MaintenanceKinds[kind]; kind == "" || r.MinNotice < 0 || r.MaxLength < 0 {
			v.add(problem(path+".maintenance_kinds."+kind, fmt.Sprintf("%s, %s", r.MinNotice, r.MaxLength), "a name, and 0 or more for both"))
		}
	}
	if slices.Contains(a.Exclude, CauseProvider) || slices.Contains(a.Exclude, "") {
		v.add(problem(path+".exclude", string(CauseProvider), "a cause that is not the provider's own"))
	}
	v.notice(path, a)
	v.calendar(path+".service_hours", a.ServiceHours)
	v.measure(path+".measure", a)
	v.remedy(path+".remedy", a)
}

// notice wants announcements for excluded maintenance, and excluded maintenance
// for the rules about it.
func (v *validation) notice(path string, a Availability) {
	excluded := slices.Contains(a.Exclude, CauseMaintenance)
	if excluded && a.MinNotice == 0 {
		v.add(warning(CodeNoNotice, path+".min_notice_ns", "0s", "a notice for excluded maintenance"))
	}
	const none = "none: the term does not exclude maintenance"
	if !excluded && a.MinNotice > 0 {
		v.add(warning(CodeUnused, path+".min_notice_ns", a.MinNotice.String(), none))
	}
	if !excluded && a.MaintenancePerYear > 0 {
		v.add(warning(CodeUnused, path+".maintenance_per_year_ns", a.MaintenancePerYear.String(), none))
	}
	if a.NoticeLocal && a.MinNotice <= 0 {
		v.add(warning(CodeUnused, path+".notice_local", "true", "a notice beside it"))
	}
}

func (v *validation) aggregate(path string, a Availability) {
	if a.Aggregate > Weighted {
		v.add(problem(path+".aggregate", a.Aggregate.String(), "worst, per_service, mean or weighted"))
	}
	together := a.Aggregate == Mean || a.Aggregate == Weighted
	if a.Aggregate == Weighted && len(a.Services) == 0 {
		v.add(problem(path+".services", "", "at least one service with a weight"))
	}
	for i, s := range a.Services {
		at := fmt.Sprintf("%s.services[%d]", path, i)
		if s.Weight < 0 || (a.Aggregate == Weighted) != (s.Weight > 0) {
			v.add(problem(at+".weight", strconv.FormatInt(s.Weight, 10), "a weight above 0 in a weighted aggregate, and none in another"))
		}
		if together && s.Target != nil {
			v.add(problem(at+".target", s.Target.String(), "none: the mean of all services is compared with the target of the term"))
		}
	}
}

// built-in measures and remedies check themselves.
type (
	checkedMeasure interface{ issues(path string) []Issue }
	checkedRemedy  interface {
		issues(v *validation, path string, a Availability)
	}
)

func (v *validation) measure(path string, a Availability) {
	if pointsToKind(measures, a.Measure) {
		v.add(problem(path, fmt.Sprintf("%T", a.Measure), "the value, not a pointer"))
		return
	}
	if m, ok := a.Measure.(checkedMeasure); ok {
		v.add(m.issues(path)...)
	}
}

func (v *validation) remedy(path string, a Availability) {
	if pointsToKind(remedies, a.Remedy) {
		v.add(problem(path, fmt.Sprintf("%T", a.Remedy), "the value, not a pointer"))
		return
	}
	if a.Remedy == nil {
		v.add(warning(CodeNoRemedy, path, "", "a remedy, or the report is all that a miss earns"))
	}
	if r, ok := a.Remedy.(checkedRemedy); ok {
		r.issues(v, path, a)
	}
}

func (v *validation) percent(path string, p money.Percent) {
	if p < 0 {
		v.add(problem(path, p.String(), "0 or more"))
	}
}

func (v *validation) target(path string, p money.Percent) {
	if p <= 0 || p > whole {
		v.add(problem(path, p.String(), "above 0% and up to 100%"))
	}
}

func (v *validation) clock(path string, c Clock) {
	if c.Start > FromDetected {
		v.add(problem(path+".start", c.Start.String(), "opened or detected"))
	}
	if c.CountIn > CountAtResponse {
		v.add(problem(path+".count_in", c.CountIn.String(), "breach, creation or response"))
	}
	for i, percent := range c.Thresholds {
		if percent < 1 || percent > maxThreshold || slices.Contains(c.Thresholds[:i], percent) {
			v.add(problem(fmt.Sprintf("%s.thresholds[%d]", path, i), strconv.Itoa(percent), fmt.Sprintf("a percentage from 1 to %d, each once", maxThreshold)))
		}
	}
	if len(c.Targets) == 0 {
		v.add(problem(path+".targets", "", "at least one target"))
	}
	seen := map[incident.Severity]bool{}
	for i, t := range c.Targets {
		at := fmt.Sprintf("%s.targets[%d]", path, i)
		switch {
		case !t.Severity.IsSet():
			v.add(problem(at+".severity", t.Severity.String(), "P1 to P4, each once"))
		case seen[t.Severity]:
			v.add(coded(CodeDuplicate, at+".severity", t.Severity.String(), "P1 to P4, each once"))
		}
		seen[t.Severity] = true
		if (t.Within > 0) == (t.NextDay != nil) || t.Within < 0 {
			v.add(problem(at+".within_ns", t.Within.String(), "a time above 0 or the next business day, one of both"))
		}
		if t.NextDay != nil && t.Calendar == "" {
			v.add(problem(at+".calendar", "", "the calendar of the business days"))
		}
		if t.CreditPercent < 0 {
			v.add(problem(at+".credit_percent", t.CreditPercent.String(), "0 or more"))
		}
		if t.Credit.IsSet() && t.CreditPercent != 0 {
			v.add(problem(at+".credit", t.Credit.String(), "an amount or a percentage, not both"))
		}
		v.amount(at+".credit", t.Credit)
		v.calendar(at+".calendar", t.Calendar)
	}
}
