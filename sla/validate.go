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
	Path    string `json:"path"`  // such as "terms[0].availability.bands[1].below"
	Value   string `json:"value"` // what stands there
	Want    string `json:"want"`  // what was expected
	Warning bool   `json:"warning,omitempty"`
	Code    string `json:"code,omitempty"` // of a warning, such as "credit_gap"
	Err     error  `json:"-"`              // the cause, where there is one beneath
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

// The codes of warnings.
const (
	CodeCreditGap = "credit_gap"     // a missed target earns nothing down to the first band
	CodeBandHole  = "band_hole"      // a single value between two bands earns nothing
	CodeFeeRange  = "fee_range"      // the fee is unusual for the tier
	CodeLowCap    = "low_cap"        // the cap is below the largest band
	CodeNoNotice  = "no_notice_rule" // maintenance is excluded without any notice
	CodeNoRemedy  = "no_remedy"      // a clause never earns a credit
	CodeUnused    = "unused"         // a calendar that nothing names
)

func problem(path, value, want string) Issue { return Issue{Path: path, Value: value, Want: want} }

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
		if t.ID == "" || ids[t.ID] {
			v.add(problem(path+".id", t.ID, "an id of its own"))
		}
		ids[t.ID] = true
		v.term(path, t)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Calendars)) {
		path := "calendars." + name
		if _, err := calendar.New(c.Calendars[name]); err != nil {
			v.add(Issue{Path: path, Value: name, Want: "a schedule", Err: err})
		}
		if !v.used[name] {
			v.add(warning(CodeUnused, path, name, "a target that names it"))
		}
	}
	return v.issues
}

type validation struct {
	contract Contract
	issues   []Issue
	used     map[string]bool // calendars
}

func (v *validation) add(issues ...Issue) { v.issues = append(v.issues, issues...) }

func (v *validation) head() {
	c := v.contract
	if c.ID == "" {
		v.add(problem("id", c.ID, "an id"))
	}
	if c.Fee.Sign() <= 0 {
		v.add(problem("fee", c.Fee.String(), "an amount above 0"))
	}
	if _, err := loadZone(c.Zone); err != nil {
		v.add(Issue{Path: "zone", Value: c.Zone, Want: "an IANA zone name like \"Europe/Amsterdam\"", Err: err})
	}
	if !c.From.IsZero() && !c.Until.IsZero() && !c.From.Before(c.Until) {
		v.add(problem("until", c.Until.String(), "an instant after from"))
	}
	v.add(c.Period.issues()...)
	v.add(c.Claim.issues()...)
	if c.Stack > StackMax {
		v.add(problem("stack", c.Stack.String(), "sum or max"))
	}
	if c.Rounding > money.Up {
		v.add(problem("rounding", c.Rounding.String(), "half_up, half_even, down or up"))
	}
	if c.CapPercent != nil && *c.CapPercent < 0 {
		v.add(problem("cap_percent", c.CapPercent.String(), "0 or more"))
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
		v.add(problem(path, t.ID, "exactly one of availability, response, resolution, monitoring and data_loss"))
	}
	if t.CapPercent != nil && *t.CapPercent < 0 {
		v.add(problem(path+".cap_percent", t.CapPercent.String(), "0 or more"))
	}
	v.amount(path+".more_than", t.MoreThan)
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
		v.add(Issue{Path: path, Value: a.String(), Want: "an amount in " + string(fee.Currency()), Err: money.ErrCurrency})
	}
}

func (v *validation) calendar(path, name string) {
	if _, ok := v.contract.Calendars[name]; !ok && name != "" {
		v.add(problem(path, name, "the name of a calendar of the contract"))
	}
	v.used[name] = true
}

func (v *validation) availability(path string, a Availability) {
	v.target(path+".target", a.Target)
	ids := map[string]bool{}
	for i, s := range a.Services {
		at := fmt.Sprintf("%s.services[%d]", path, i)
		if s.ID == "" || ids[s.ID] {
			v.add(problem(at+".id", s.ID, "an id of its own"))
		}
		ids[s.ID] = true
		if s.Target != nil {
			v.target(at+".target", *s.Target)
		}
	}
	if a.Aggregate > PerService {
		v.add(problem(path+".aggregate", a.Aggregate.String(), "worst or per_service"))
	}
	if a.ExcludeMode > FromBoth {
		v.add(problem(path+".exclude_mode", a.ExcludeMode.String(), "downtime_only or both"))
	}
	if a.Unknown > UnknownExcluded {
		v.add(problem(path+".unknown", a.Unknown.String(), "up, down or exclude"))
	}
	if a.MinNotice < 0 {
		v.add(problem(path+".min_notice_ns", a.MinNotice.String(), "0 or more"))
	}
	if slices.Contains(a.Exclude, CauseProvider) || slices.Contains(a.Exclude, "") {
		v.add(problem(path+".exclude", string(CauseProvider), "a cause that is not the provider's own"))
	}
	if a.MinNotice == 0 && slices.Contains(a.Exclude, CauseMaintenance) {
		v.add(warning(CodeNoNotice, path+".min_notice_ns", "0s", "a notice for excluded maintenance"))
	}
	if a.Requests != nil {
		v.add(a.Requests.issues(path + ".requests")...)
	}
	v.calendar(path+".service_hours", a.ServiceHours)
	v.bands(path, a)
}

func (v *validation) target(path string, p money.Percent) {
	if p <= 0 || p > whole {
		v.add(problem(path, p.String(), "above 0% and up to 100%"))
	}
}

// bands wants them from the best value down to 0, each beginning where the one
// before ends, with credits that never fall.
func (v *validation) bands(path string, a Availability) {
	if len(a.Bands) == 0 {
		v.add(warning(CodeNoRemedy, path+".bands", "", "bands, or the report is all that a miss earns"))
		return
	}
	for i, b := range a.Bands {
		at := fmt.Sprintf("%s.bands[%d]", path, i)
		if b.From < 0 || b.From >= b.Below || b.Below > whole {
			v.add(problem(at, b.From.String()+" to "+b.Below.String(), "from below below, within 0% and 100%"))
		}
		if b.Credit < 0 {
			v.add(problem(at+".credit", b.Credit.String(), "0 or more"))
		}
		if b.Days < 0 || b.Days > 0 && b.Credit != 0 {
			v.add(problem(at+".days", strconv.Itoa(b.Days), "0 or more, and not beside a percentage"))
		}
		if i == 0 {
			continue
		}
		above := a.Bands[i-1]
		switch {
		case b.Below > above.From:
			v.add(problem(at+".below", b.Below.String(), "at most "+above.From.String()+", or the bands overlap"))
		case b.Below < above.From:
			v.add(problem(at+".below", b.Below.String(), above.From.String()+", or there is a gap between the bands"))
		case above.NotAtFrom && !b.AtBelow:
			v.add(warning(CodeBandHole, at+".below", b.Below.String(), "one of the two bands to hold the bound"))
		case !above.NotAtFrom && b.AtBelow:
			v.add(problem(at+".at_below", b.Below.String(), "only one of the two bands to hold the bound"))
		}
		if b.Credit < above.Credit || b.Days < above.Days {
			v.add(problem(at+".credit", b.credit(), "at least "+above.credit()+", the credit of the better band"))
		}
	}
	v.bandEdges(path, a)
}

func (b Band) credit() string {
	if b.Days > 0 {
		return fmt.Sprintf("%d days", b.Days)
	}
	return b.Credit.String()
}

func (v *validation) bandEdges(path string, a Availability) {
	top, bottom := a.Bands[0], a.Bands[len(a.Bands)-1]
	if bottom.From > 0 || bottom.NotAtFrom {
		v.add(problem(fmt.Sprintf("%s.bands[%d].from", path, len(a.Bands)-1), bottom.From.String(), "0%, or the worst values earn nothing"))
	}
	if a.Target > top.Below && !a.ExtendTopBand {
		v.add(warning(CodeCreditGap, path+".bands[0].below", top.Below.String(), "the target "+a.Target.String()+", or a miss down to there earns nothing"))
	}
	if limit := v.contract.CapPercent; limit != nil && *limit < bottom.Credit {
		v.add(warning(CodeLowCap, "cap_percent", limit.String(), "at least "+bottom.Credit.String()+", the credit of the last band"))
	}
}

func (v *validation) clock(path string, c Clock) {
	if c.Start > FromDetected {
		v.add(problem(path+".start", c.Start.String(), "opened or detected"))
	}
	if len(c.Targets) == 0 {
		v.add(problem(path+".targets", "", "at least one target"))
	}
	seen := map[incident.Severity]bool{}
	for i, t := range c.Targets {
		at := fmt.Sprintf("%s.targets[%d]", path, i)
		if !t.Severity.IsSet() || seen[t.Severity] {
			v.add(problem(at+".severity", t.Severity.String(), "P1 to P4, each once"))
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
