package config

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/fixed"
	"github.com/evenkeelops/evenkeel/internal/threshold"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

type contractFile struct {
	Version      int                                 `yaml:"version,required"`
	ID           string                              `yaml:"id,required"`
	Customer     customerFile                        `yaml:"customer,required"`
	Timezone     Zone                                `yaml:"timezone,required"`
	Locale       string                              `yaml:"locale"`
	Tier         string                              `yaml:"tier"`
	Fee          money.Amount                        `yaml:"monthly_fee,required"`
	Period       string                              `yaml:"period"`
	EvidenceFrom time.Time                           `yaml:"evidence_from"`
	Services     []contractServiceFile               `yaml:"services,required"`
	Hours        hoursFile                           `yaml:"service_hours"`
	Holidays     []string                            `yaml:"holidays"`
	Availability *availabilityFile                   `yaml:"availability"`
	Response     map[incident.Severity]*spokenSpan   `yaml:"response"`
	Resolution   map[incident.Severity]*spokenTarget `yaml:"resolution"`
	Credits      *creditsFile                        `yaml:"credits"`
	Framework    *frameworkFile                      `yaml:"sla_framework"`
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

// hoursFile is the word 24x7 or a list of spans.
type hoursFile struct{ spans []hoursSpanFile }

type hoursSpanFile struct {
	Days []string `yaml:"days,required"`
	From string   `yaml:"from,required"`
	To   string   `yaml:"to,required"`
}

func (f *hoursFile) readNode(r *decoder, n *yaml.Node, path string) {
	if n.Kind == yaml.ScalarNode && n.Value == "24x7" {
		return
	}
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		r.wrongType(n, path, "24x7 or a list of days with from and to")
		return
	}
	r.list(n, reflect.ValueOf(&f.spans).Elem(), path)
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
	Availability []bandFile                          `yaml:"availability"`
	ExtendTop    bool                                `yaml:"extend_top_band"`
	Response     map[incident.Severity]*money.Amount `yaml:"response"`
	MTTR         Percent                             `yaml:"mttr_breach_percent"`
	Monitoring   Percent                             `yaml:"monitoring_outage_percent_per_hour"`
	Cap          Percent                             `yaml:"cap_percent"`
	Rounding     money.Rounding                      `yaml:"rounding"`
}

type bandFile struct {
	Below   Percent `yaml:"below,required"`
	Percent Percent `yaml:"percent,required"`
}

type frameworkFile struct {
	Targets map[string]frameworkTierFile `yaml:"availability_targets,required"`
}

type frameworkTierFile struct {
	Uptime    Percent                           `yaml:"monthly_uptime,required"`
	Responses map[incident.Severity]*spokenSpan `yaml:"response_times"`
}

// spokenSpan is a duration, a number of business days, or 0 for none.
type spokenSpan struct{ threshold.Span }

// UnmarshalText reads "15 minutes", "next business day" or "0".
func (s *spokenSpan) UnmarshalText(text []byte) (err error) {
	if string(text) == "0" {
		return nil
	}
	s.Span, err = threshold.ParseSpan(string(text))
	return err
}

// off reports whether the promise is not made: the value is null or 0.
func (s *spokenSpan) off() bool { return s == nil || s.Duration == 0 && s.BusinessDays == 0 }

// spokenTarget is an upper limit such as "< 2h", with its strictness, or 0 for
// none.
type spokenTarget struct {
	within time.Duration
	op     string // "<", "<=" or "" where the text has none
}

// UnmarshalText reads "< 2h", "<= 2h", "2h" or "0".
func (s *spokenTarget) UnmarshalText(text []byte) error {
	if string(text) == "0" {
		return nil
	}
	t, err := threshold.ParseTarget(string(text))
	if err != nil {
		return err
	}
	d, ok := t.Duration()
	if !ok || t.Op != threshold.Less && t.Op != threshold.LessEqual {
		return fmt.Errorf("%q, want an upper limit like \"< 2h\"", text)
	}
	s.within = d
	if words := strings.ToLower(string(text)); strings.ContainsAny(words, "<≤") || strings.Contains(words, "maximum") {
		s.op = t.Op.String()
	}
	return nil
}

func (s *spokenTarget) off() bool { return s == nil || s.within == 0 }

// Agreed is what a file says about a contract: the contract itself, and what
// reports and measurements need beside it.
type Agreed struct {
	sla.Contract

	CustomerName string
	Locale       string            // en, de, nl or fr; en when the file states none
	ServiceNames map[string]string // by id; the id where the file has no name

	// EvidenceFrom is when the measurements begin: before it nothing was
	// measured. Zero when the file states none. Evidence.Observed starts here.
	EvidenceFrom time.Time
}

// Contract reads a service contract. What the file leaves out comes from the
// reference contract of its tier, under which also the customer's own causes and
// force majeure are excluded from downtime; a promise or a credit that it sets to 0 or
// null is off, and so is the cap with null. A service without a weight weighs 1.
func Contract(name string, data []byte) (Agreed, *Document, error) {
	var file contractFile
	d := read(name, data, &file)
	d.checkVersion(file.Version)
	c := file.agreed(d)
	if d.Err() == nil {
		for _, found := range c.Issues() {
			at := place(c.Contract, found.Path)
			if found.Warning {
				d.Warn(at, found.Code, "%q, want %s", found.Value, found.Want)
			} else {
				d.Fail(at, "out_of_range", "%q, want %s", found.Value, found.Want)
			}
		}
	}
	return c, d, d.Err()
}

// termPath takes the path of an issue inside a term apart.
var termPath = regexp.MustCompile(`^terms\[(\d+)\](?:\.availability\.(services\[\d+\]))?`)

// place finds the part of the file that a term of the contract came from.
func place(c sla.Contract, path string) string {
	switch path {
	case "fee":
		return "monthly_fee"
	case "zone":
		return "timezone"
	case "cap_percent":
		return "credits.cap_percent"
	case "calendars." + serviceHours:
		return "service_hours"
	}
	m := termPath.FindStringSubmatch(path)
	if m == nil {
		return path
	}
	if m[2] != "" {
		return m[2]
	}
	i, err := strconv.Atoi(m[1])
	if err != nil || i >= len(c.Terms) {
		return path
	}
	if clause := c.Terms[i].Clause(); clause != sla.ClauseMonitoring {
		return string(clause)
	}
	return "credits.monitoring_outage_percent_per_hour"
}

// tiers are the words of a file for the tiers; "none" is a contract of its own.
var tiers = map[string]sla.Tier{"": 0, "none": 0, "essential": sla.Essential, "professional": sla.Professional, "enterprise": sla.Enterprise}

var (
	periods = []string{"calendar_month"}
	locales = []string{"en", "de", "nl", "fr"}
	causes  = []string{string(sla.CauseMaintenance), string(sla.CauseCustomer), string(sla.CauseForceMajeure)}
)

// word wants a text, where the file has it, to be one of the words.
func (d *Document) word(path, text string, words []string) {
	if d.Has(path) && !d.failed(path) && !slices.Contains(words, text) {
		d.report(path, "bad_enum", nearest(text, words), fmt.Sprintf("found %q, want %s", text, strings.Join(words, ", ")))
	}
}

func (f *contractFile) agreed(d *Document) Agreed {
	tier := tiers[f.Tier]
	d.word("tier", f.Tier, []string{"essential", "professional", "enterprise", "none"})
	d.word("period", f.Period, periods)
	d.word("locale", f.Locale, locales)
	zone := "UTC"
	if f.Timezone.Location != nil {
		zone = f.Timezone.String()
	}
	a := Agreed{Contract: sla.Preset(f.ID, tier, zone, f.Fee), CustomerName: f.Customer.Name, Locale: f.Locale, EvidenceFrom: f.EvidenceFrom, ServiceNames: map[string]string{}}
	if a.Locale == "" {
		a.Locale = "en"
	}
	c := &a.Contract
	c.Customer = f.Customer.ID
	terms := termsOf(c)
	if tier != 0 {
		terms.availability.Exclude = []sla.Cause{sla.CauseMaintenance, sla.CauseCustomer, sla.CauseForceMajeure}
	}
	f.framework(d, c, terms)
	f.availability(d, terms.availability)
	f.hours(d, c, terms.availability)
	f.response(d, c, terms.response, "response", f.Response)
	f.resolution(d, terms.resolution)
	f.credits(d, c, terms)
	f.services(d, &a, terms.availability)
	prune(c)
	return a
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

// prune takes away the terms that promise nothing, and the calendars that
// nothing names.
func prune(c *sla.Contract) {
	c.Terms = slices.DeleteFunc(c.Terms, func(t sla.Term) bool {
		return t.Availability != nil && t.Availability.Target == 0 || t.Response != nil && len(t.Response.Targets) == 0 ||
			t.Resolution != nil && len(t.Resolution.Targets) == 0 || t.Monitoring != nil && t.Monitoring.PercentPerHour == 0
	})
	used := map[string]bool{}
	for _, t := range c.Terms {
		switch {
		case t.Availability != nil:
			used[t.Availability.ServiceHours] = true
		case t.Response != nil:
			for _, target := range t.Response.Targets {
				used[target.Calendar] = true
			}
		}
	}
	for name := range c.Calendars {
		if !used[name] {
			delete(c.Calendars, name)
		}
	}
}

// framework takes the targets of the contract's tier out of a framework of all
// tiers.
func (f *contractFile) framework(d *Document, c *sla.Contract, terms clauses) {
	if f.Framework == nil || d.failed("sla_framework") {
		return
	}
	key := f.Tier + "_tier"
	tier, ok := f.Framework.Targets[key]
	if !ok {
		d.report("sla_framework.availability_targets", "bad_reference", nearest(key, sortedKeys(f.Framework.Targets)), fmt.Sprintf("no %q for the tier of the contract", key))
		return
	}
	terms.availability.Target = percent(tier.Uptime)
	f.response(d, c, terms.response, "sla_framework.availability_targets."+key+".response_times", tier.Responses)
}

func (f *contractFile) availability(d *Document, a *sla.Availability) {
	if f.Availability == nil {
		if d.states("availability") {
			a.Target = 0
		}
		return
	}
	if d.states("availability.target_percent") {
		a.Target = percent(f.Availability.Target)
	}
	if d.Has("availability.aggregate") {
		a.Aggregate = f.Availability.Aggregate
	}
	if d.Has("availability.exclude_mode") {
		a.ExcludeMode = f.Availability.ExcludeMode
	}
	if d.Has("availability.unmonitored") {
		a.Unknown = f.Availability.Unmonitored
	}
	if d.states("availability.exclude") {
		a.Exclude = f.Availability.Exclude
		for i, cause := range a.Exclude {
			d.word(fmt.Sprintf("availability.exclude[%d]", i), string(cause), causes)
		}
	}
	if d.states("availability.min_notice") {
		a.MinNotice = f.Availability.MinNotice
	}
}

// serviceHours is the name of the calendar with the service hours of a file.
const serviceHours = "service"

func (f *contractFile) hours(d *Document, c *sla.Contract, a *sla.Availability) {
	if len(f.Hours.spans) == 0 {
		if len(f.Holidays) > 0 && !d.failed("service_hours") {
			d.Fail("holidays", "out_of_range", "holidays say nothing about a service around the clock, want service_hours beside them")
		}
		return
	}
	hours := calendar.Hours{Zone: c.Zone, Week: calendar.Week{}, Holidays: f.Holidays}
	for i, span := range f.Hours.spans {
		for j, name := range span.Days {
			day, ok := weekday(name)
			if !ok {
				d.Fail(fmt.Sprintf("service_hours[%d].days[%d]", i, j), "bad_enum", "found %q, want Mon to Sun", name)
				continue
			}
			hours.Week[day] = append(hours.Week[day], calendar.Span{From: span.From, To: span.To})
		}
	}
	if _, err := calendar.New(hours); err != nil && !d.failed("service_hours") && !d.failed("holidays") {
		for _, e := range split(err) {
			at := "service_hours"
			if bad := (*calendar.HoursError)(nil); errors.As(e, &bad) && strings.HasPrefix(bad.Path, "holidays") {
				at = bad.Path
			}
			d.Fail(at, "out_of_range", "%v", e)
		}
	}
	a.ServiceHours = serviceHours
	if c.Calendars == nil {
		c.Calendars = map[string]calendar.Hours{}
	}
	c.Calendars[serviceHours] = hours
}

// weekday reads the name of a day, whole or its first three letters, in any case.
func weekday(name string) (time.Weekday, bool) {
	for day := time.Sunday; day <= time.Saturday; day++ {
		if full := day.String(); strings.EqualFold(name, full) || strings.EqualFold(name, full[:3]) {
			return day, true
		}
	}
	return 0, false
}

// percent reads what parsePercent has checked; an absent one is 0.
func percent(p Percent) money.Percent {
	value, err := money.ParsePercent(string(p))
	if err != nil {
		return 0
	}
	return value
}

func (f *contractFile) services(d *Document, agreed *Agreed, a *sla.Availability) {
	ids := map[string]bool{}
	for i, s := range f.Services {
		path := fmt.Sprintf("services[%d]", i)
		d.unique(ids, path+".id", s.ID)
		agreed.ServiceNames[s.ID] = s.Name
		if s.Name == "" {
			agreed.ServiceNames[s.ID] = s.ID
		}
		service := sla.Service{ID: s.ID}
		if s.Target != "" {
			target := percent(s.Target)
			service.Target = &target
			if a.Target == 0 {
				d.Fail(path+".target_percent", "out_of_range", "the contract promises no availability, so a target of a service has no effect")
			}
		}
		service.Weight = weightOf(d, path+".weight", s.Weight, a.Aggregate)
		a.Services = append(a.Services, service)
	}
}

// weightOf returns the weight of a service in billionths, which is a unit like any
// other.
func weightOf(d *Document, path string, weight Decimal, aggregate sla.Aggregate) int64 {
	if aggregate != sla.Weighted {
		if weight != "" {
			d.Fail(path, "out_of_range", "a weight has no effect with the aggregate %s", aggregate)
		}
		return 0
	}
	n, err := fixed.ParseDecimal(cmp.Or(string(weight), "1"), 9)
	if err != nil || n <= 0 {
		d.Fail(path, "out_of_range", "found %q, want a number above 0 with at most nine decimals", weight)
		return 1
	}
	return n
}

// response takes over the response times at a path of the file.
func (f *contractFile) response(d *Document, c *sla.Contract, clock *sla.Clock, path string, times map[incident.Severity]*spokenSpan) {
	if times == nil && d.states(path) && !d.Has(path) {
		clock.Targets = nil
	}
	for _, severity := range incident.Severities {
		within, ok := times[severity]
		if !ok {
			continue
		}
		if within.off() {
			dropTarget(clock, severity)
			continue
		}
		t := targetOf(clock, severity)
		t.Within, t.NextDay, t.Calendar = within.Duration, nil, ""
		switch {
		case within.BusinessDays == 1:
			t.NextDay, t.Calendar = &calendar.NextDayRule{}, sla.OfficeHours
			if _, ok := c.Calendars[sla.OfficeHours]; !ok {
				d.Fail(d.keyOf(path, severity), "bad_reference", "business days need the working hours of a tier")
			}
		case within.BusinessDays > 1:
			d.Fail(d.keyOf(path, severity), "out_of_range", "%d business days, want the next business day or a duration", within.BusinessDays)
		}
	}
}

// resolution takes over the times to restore. A clock is strict for all
// severities or for none.
func (f *contractFile) resolution(d *Document, clock *sla.Clock) {
	if f.Resolution == nil && d.states("resolution") && !d.Has("resolution") {
		clock.Targets = nil
	}
	for _, severity := range incident.Severities {
		if target, ok := f.Resolution[severity]; ok && target.off() {
			dropTarget(clock, severity)
		} else if ok {
			targetOf(clock, severity).Within = target.within
		}
	}
	inclusive := !slices.ContainsFunc(clock.Targets, func(t sla.Target) bool {
		stated := f.Resolution[t.Severity]
		return stated.off() || stated.op != "<="
	})
	if inclusive && len(clock.Targets) > 0 {
		clock.Strict = false
		return
	}
	for _, severity := range incident.Severities {
		if stated := f.Resolution[severity]; !stated.off() && stated.op == "<=" {
			d.Fail(d.keyOf("resolution", severity), "out_of_range", `"<=" beside targets with "<", want the same for all severities`)
		}
	}
}

// targetOf returns the target of a severity, adding it where it is missing.
func targetOf(clock *sla.Clock, severity incident.Severity) *sla.Target {
	i := slices.IndexFunc(clock.Targets, func(t sla.Target) bool { return t.Severity == severity })
	if i < 0 {
		i = len(clock.Targets)
		clock.Targets = append(clock.Targets, sla.Target{Severity: severity})
	}
	return &clock.Targets[i]
}

func dropTarget(clock *sla.Clock, severity incident.Severity) {
	clock.Targets = slices.DeleteFunc(clock.Targets, func(t sla.Target) bool { return t.Severity == severity })
}

func (f *contractFile) credits(d *Document, c *sla.Contract, terms clauses) {
	credits, off := f.Credits, f.Credits == nil && d.states("credits")
	if off {
		credits = &creditsFile{}
	}
	if credits == nil {
		return
	}
	stated := func(key string) bool { return off || d.states("credits."+key) }
	if stated("availability") {
		terms.availability.Remedy = nil
		if list := bands(d, credits.Availability); len(list) > 0 {
			terms.availability.Remedy = sla.Bands{Bands: list}
		}
	}
	if b, ok := terms.availability.Remedy.(sla.Bands); ok {
		b.ExtendTop = credits.ExtendTop
		terms.availability.Remedy = b
	}
	f.responseCredits(d, terms.response, credits.Response, stated("response"))
	if stated("mttr_breach_percent") {
		for i := range terms.resolution.Targets {
			terms.resolution.Targets[i].CreditPercent = percent(credits.MTTR)
		}
	}
	if stated("monitoring_outage_percent_per_hour") {
		terms.monitoring.PercentPerHour = percent(credits.Monitoring)
	}
	f.limit(d, c)
	if d.Has("credits.rounding") {
		c.Rounding = credits.Rounding
	}
}

// responseCredits takes over the amounts for late answers.
func (f *contractFile) responseCredits(d *Document, clock *sla.Clock, amounts map[incident.Severity]*money.Amount, stated bool) {
	for _, severity := range incident.Severities {
		amount, ok := amounts[severity]
		i := slices.IndexFunc(clock.Targets, func(t sla.Target) bool { return t.Severity == severity })
		switch {
		case !ok && (!stated || amounts != nil || i < 0): // that of the tier
		case amount == nil || amount.Sign() == 0:
			if i >= 0 {
				clock.Targets[i].Credit = money.Amount{}
			}
		case f.Fee.IsSet() && amount.Currency() != f.Fee.Currency():
			d.Fail(d.keyOf("credits.response", severity), "currency_mismatch", "the credit is in %s, the fee in %s", amount.Currency(), f.Fee.Currency())
		case i < 0:
			d.Fail(d.keyOf("credits.response", severity), "bad_reference", "the contract promises no response for this severity")
		default:
			clock.Targets[i].Credit = *amount
		}
	}
}

// limit takes over the cap: null is none, and 0 would be neither.
func (f *contractFile) limit(d *Document, c *sla.Contract) {
	const path = "credits.cap_percent"
	switch {
	case d.Has(path):
		limit := percent(f.Credits.Cap)
		c.CapPercent = &limit
		if limit == 0 && !d.failed(path) {
			d.Fail(path, "out_of_range", "a cap of 0, want null for none or more than 0")
		}
	case d.states(path):
		c.CapPercent = nil
	}
}

// keyOf finds the key of a mapping by severity, in whatever spelling.
func (d *Document) keyOf(path string, severity incident.Severity) string {
	for _, at := range sortedKeys(d.keys) {
		if key, ok := strings.CutPrefix(at, path+"."); ok {
			if s, err := incident.ParseSeverity(key); err == nil && s == severity {
				return at
			}
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
