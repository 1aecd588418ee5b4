package config

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/threshold"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

type contractFile struct {
	Version      int                                `yaml:"version,required"`
	ID           string                             `yaml:"id,required"`
	Customer     customerFile                       `yaml:"customer,required"`
	Timezone     Zone                               `yaml:"timezone,required"`
	Locale       string                             `yaml:"locale"`
	Tier         string                             `yaml:"tier"`
	Fee          money.Amount                       `yaml:"monthly_fee,required"`
	Period       string                             `yaml:"period"`
	EvidenceFrom time.Time                          `yaml:"evidence_from"`
	Services     []contractServiceFile              `yaml:"services,required"`
	Availability *availabilityFile                  `yaml:"availability"`
	Response     map[incident.Severity]spokenSpan   `yaml:"response"`
	Resolution   map[incident.Severity]spokenTarget `yaml:"resolution"`
	Credits      *creditsFile                       `yaml:"credits"`
	Framework    *frameworkFile                     `yaml:"sla_framework"`
}

type customerFile struct {
	ID   string `yaml:"id,required"`
	Name string `yaml:"name"`
}

type contractServiceFile struct {
	ID     string  `yaml:"id,required"`
	Name   string  `yaml:"name"`
	Target Percent `yaml:"target_percent"`
	Weight Decimal `yaml:"weight"`
}

type availabilityFile struct {
	Target      Percent         `yaml:"target_percent"`
	Aggregate   sla.Aggregate   `yaml:"aggregate"`
	Exclude     []sla.Cause     `yaml:"exclude"`
	ExcludeMode sla.ExcludeMode `yaml:"exclude_mode"`
	MinNotice   time.Duration   `yaml:"min_notice"`
	Unmonitored sla.Unknown     `yaml:"unmonitored"`
}

type creditsFile struct {
	Availability []bandFile                         `yaml:"availability"`
	ExtendTop    bool                               `yaml:"extend_top_band"`
	Response     map[incident.Severity]money.Amount `yaml:"response"`
	MTTR         Percent                            `yaml:"mttr_breach_percent"`
	Monitoring   Percent                            `yaml:"monitoring_outage_percent_per_hour"`
	Cap          Percent                            `yaml:"cap_percent"`
	Rounding     money.Rounding                     `yaml:"rounding"`
}

type bandFile struct {
	Below   Percent `yaml:"below,required"`
	Percent Percent `yaml:"percent,required"`
}

type frameworkFile struct {
	Targets map[string]frameworkTierFile `yaml:"availability_targets,required"`
}

type frameworkTierFile struct {
	Uptime    Percent                          `yaml:"monthly_uptime,required"`
	Responses map[incident.Severity]spokenSpan `yaml:"response_times"`
}

// spokenSpan is a duration or a number of business days.
type spokenSpan struct{ threshold.Span }

// UnmarshalText reads "15 minutes" or "next business day".
func (s *spokenSpan) UnmarshalText(text []byte) (err error) {
	s.Span, err = threshold.ParseSpan(string(text))
	return err
}

// spokenTarget is an upper limit such as "< 2h", with its strictness.
type spokenTarget struct {
	within time.Duration
	strict bool
}

// UnmarshalText reads "< 2h", "<= 2h" or "2h".
func (s *spokenTarget) UnmarshalText(text []byte) error {
	t, err := threshold.ParseTarget(string(text))
	if err != nil {
		return err
	}
	d, ok := t.Duration()
	if !ok || t.Op != threshold.Less && t.Op != threshold.LessEqual {
		return fmt.Errorf("%q, want an upper limit like \"< 2h\"", text)
	}
	s.within, s.strict = d, t.Op == threshold.Less
	return nil
}

// Contract reads a service contract. What the file leaves out comes from the
// reference contract of its tier.
func Contract(name string, data []byte) (sla.Contract, *Document, error) {
	var file contractFile
	d := read(name, data, &file)
	c := file.contract(d)
	if d.Err() == nil {
		for _, issue := range c.Issues() {
			at := file.place(issue.Path)
			if issue.Warning {
				d.Warn(at, issue.Code, "%q, want %s", issue.Value, issue.Want)
			} else {
				d.Fail(at, "out_of_range", "%q, want %s", issue.Value, issue.Want)
			}
		}
	}
	return c, d, d.Err()
}

// place finds the part of the file that a term of the contract came from.
func (f *contractFile) place(path string) string {
	for prefix, part := range map[string]string{
		"terms[0]": "availability", "terms[1]": "response", "terms[2]": "resolution", "terms[3]": "credits", "fee": "monthly_fee", "zone": "timezone",
	} {
		if len(path) >= len(prefix) && path[:len(prefix)] == prefix {
			return part
		}
	}
	return path
}

// tiers are the words of a file for the tiers; "none" is a contract of its own.
var tiers = map[string]sla.Tier{"": 0, "none": 0, "essential": sla.Essential, "professional": sla.Professional, "enterprise": sla.Enterprise}

func (f *contractFile) contract(d *Document) sla.Contract {
	tier, ok := tiers[f.Tier]
	if !ok {
		d.report("tier", "bad_enum", nearest(f.Tier, sortedKeys(tiers)), fmt.Sprintf("tier %q, want essential, professional, enterprise or none", f.Tier))
	}
	if f.Period != "" && f.Period != "calendar_month" {
		d.Fail("period", "bad_enum", "period %q, want calendar_month", f.Period)
	}
	zone := "UTC"
	if f.Timezone.Location != nil {
		zone = f.Timezone.String()
	}
	c := sla.Preset(f.ID, tier, zone, f.Fee)
	c.Customer = f.Customer.ID
	terms := termsOf(&c)
	f.availability(d, terms.availability)
	f.response(d, &c, terms.response)
	f.resolution(terms.resolution)
	f.credits(d, &c, terms)
	f.services(d, terms.availability)
	return c
}

// clauses are the terms of a contract by what they promise; a tier's preset has
// them all, a contract of its own gets empty ones.
type clauses struct {
	availability         *sla.Availability
	response, resolution *sla.Clock
	monitoring           *sla.Monitoring
}

func termsOf(c *sla.Contract) clauses {
	if len(c.Terms) == 0 {
		c.Terms = []sla.Term{
			{ID: "availability", Availability: &sla.Availability{}},
			{ID: "response", Response: &sla.Clock{}},
			{ID: "resolution", Resolution: &sla.Clock{Strict: true}},
			{ID: "monitoring", Monitoring: &sla.Monitoring{}},
		}
	}
	var t clauses
	for _, term := range c.Terms {
		switch {
		case term.Availability != nil:
			t.availability = term.Availability
		case term.Response != nil:
			t.response = term.Response
		case term.Resolution != nil:
			t.resolution = term.Resolution
		case term.Monitoring != nil:
			t.monitoring = term.Monitoring
		}
	}
	return t
}

func (f *contractFile) availability(d *Document, a *sla.Availability) {
	if f.Framework != nil && f.Tier != "" {
		if tier, ok := f.Framework.Targets[f.Tier+"_tier"]; ok {
			a.Target = percent(tier.Uptime)
		}
	}
	if f.Availability == nil {
		return
	}
	if f.Availability.Target != "" {
		a.Target = percent(f.Availability.Target)
	}
	a.Aggregate, a.ExcludeMode, a.Unknown = f.Availability.Aggregate, f.Availability.ExcludeMode, f.Availability.Unmonitored
	if f.Availability.Exclude != nil {
		a.Exclude = f.Availability.Exclude
	}
	if d.Has("availability.min_notice") {
		a.MinNotice = f.Availability.MinNotice
	}
}

// percent reads what parsePercent has checked.
func percent(p Percent) money.Percent {
	value, err := money.ParsePercent(string(p))
	if err != nil {
		return 0
	}
	return value
}

func (f *contractFile) services(d *Document, a *sla.Availability) {
	ids := map[string]bool{}
	for i, s := range f.Services {
		d.unique(ids, fmt.Sprintf("services[%d].id", i), s.ID)
		service := sla.Service{ID: s.ID}
		if s.Target != "" {
			target := percent(s.Target)
			service.Target = &target
		}
		a.Services = append(a.Services, service)
	}
}

func (f *contractFile) response(d *Document, c *sla.Contract, clock *sla.Clock) {
	for _, severity := range incident.Severities {
		within, ok := f.Response[severity]
		if !ok {
			continue
		}
		t := targetOf(clock, severity)
		t.Within, t.NextDay, t.Calendar = within.Duration, nil, ""
		if within.BusinessDays == 1 {
			t.NextDay, t.Calendar = &calendar.NextDayRule{}, sla.OfficeHours
			if _, ok := c.Calendars[sla.OfficeHours]; !ok {
				d.Fail("response", "bad_reference", "business days need the working hours of a tier")
			}
		}
		if within.BusinessDays > 1 {
			d.Fail("response", "out_of_range", "%d business days, want the next business day or a duration", within.BusinessDays)
		}
	}
}

func (f *contractFile) resolution(clock *sla.Clock) {
	for _, severity := range incident.Severities {
		if target, ok := f.Resolution[severity]; ok {
			targetOf(clock, severity).Within = target.within
			clock.Strict = target.strict
		}
	}
}

// targetOf returns the target of a severity, adding it where it is missing.
func targetOf(clock *sla.Clock, severity incident.Severity) *sla.Target {
	for i := range clock.Targets {
		if clock.Targets[i].Severity == severity {
			return &clock.Targets[i]
		}
	}
	clock.Targets = append(clock.Targets, sla.Target{Severity: severity})
	return &clock.Targets[len(clock.Targets)-1]
}

func (f *contractFile) credits(d *Document, c *sla.Contract, terms clauses) {
	credits := f.Credits
	if credits == nil {
		return
	}
	if credits.Availability != nil {
		terms.availability.Bands = bands(d, credits.Availability)
	}
	terms.availability.ExtendTopBand = credits.ExtendTop
	for _, severity := range incident.Severities {
		amount, ok := credits.Response[severity]
		if !ok {
			continue
		}
		if f.Fee.IsSet() && amount.Currency() != f.Fee.Currency() {
			d.Fail(d.keyOf("credits.response", severity), "currency_mismatch", "the credit is in %s, the fee in %s", amount.Currency(), f.Fee.Currency())
		}
		targetOf(terms.response, severity).Credit = amount
	}
	if d.Has("credits.mttr_breach_percent") {
		for i := range terms.resolution.Targets {
			terms.resolution.Targets[i].CreditPercent = percent(credits.MTTR)
		}
	}
	if d.Has("credits.monitoring_outage_percent_per_hour") {
		terms.monitoring.PercentPerHour = percent(credits.Monitoring)
	}
	if d.Has("credits.cap_percent") {
		limit := percent(credits.Cap)
		c.CapPercent = &limit
	}
	c.Rounding = credits.Rounding
}

// keyOf finds the key of a mapping by severity, in whatever spelling.
func (d *Document) keyOf(path string, severity incident.Severity) string {
	for _, spelling := range []string{severity.Word(), fmt.Sprintf("p%d", severity), severity.String()} {
		if at := join(path, spelling); d.Has(at) {
			return at
		}
	}
	return path
}

// bands turns steps, the best value first, into half-open bands.
func bands(d *Document, steps []bandFile) []sla.Band {
	result := make([]sla.Band, len(steps))
	for i, step := range steps {
		result[i] = sla.Band{Below: percent(step.Below), Credit: percent(step.Percent)}
		if i == 0 {
			continue
		}
		result[i-1].From = result[i].Below
		if result[i].Below >= result[i-1].Below {
			d.Fail(fmt.Sprintf("credits.availability[%d].below", i), "bands_not_monotone", "%s follows %s, want falling values", step.Below, steps[i-1].Below)
		}
		if result[i].Credit < result[i-1].Credit {
			d.Fail(fmt.Sprintf("credits.availability[%d].percent", i), "bands_not_monotone", "%s %% follows %s %%: a worse value must not earn less", step.Percent, steps[i-1].Percent)
		}
	}
	return result
}

// textCode is the code of a text that a type refused.
func textCode(into any) string {
	switch into.(type) {
	case *spokenSpan, *spokenTarget:
		return "bad_duration"
	}
	return "bad_enum"
}

// textSuggestion is what a refused text may have meant.
func textSuggestion(into any, text string) string {
	if _, ok := into.(*spokenSpan); ok {
		return nearDuration(text)
	}
	return ""
}
