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
	"github.com/evenkeelops/evenkeel/internal/spelling"
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
	blocksFile
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

	// Offer is what the tier of the contract sells, before what the contract
	// changes of it; the zero Offer for a contract of its own.
	Offer sla.Offer

	// Metrics, Reporting and Reviews are those of the provider's framework in the
	// file. Where it has none they are the reference ones, and none for a contract
	// of its own. The limits for the time to restore and for the notice of
	// maintenance are those of the contract.
	Metrics   []sla.Metric
	Reporting sla.Reporting
	Reviews   []sla.Review
}

// ParseContract reads a service contract. What the file leaves out comes from the
// reference contract of its tier, under which also the customer's own causes and
// force majeure are excluded from downtime; a promise or a credit that it sets to 0 or
// null is off, and so is the cap with null. A service without a weight weighs 1.
//
// The file may hold blocks of the provider's framework, as [ParseFramework] reads
// them. What they say of the tier stands in for the reference; a key of the
// contract that says something else counts, with a warning that names both.
// Without a tier the blocks promise nothing: metrics, reporting and reviews are
// handed on, offers and credits are errors.
func ParseContract(name string, data []byte) (Agreed, *Document, error) {
	var file contractFile
	d := read(name, data, &file)
	d.checkVersion(file.Version)
	p := file.framework(d)
	c := file.agreed(d, p)
	if d.Err() == nil {
		for _, found := range c.Issues() {
			at := p.place(c.Contract, found.Path)
			if found.Code == sla.CodeFeeRange {
				continue // of the reference; see feeRange
			}
			if found.Warning {
				d.Warn(at, found.Code, "%q, want %s", found.Value, found.Want)
			} else {
				d.Fail(at, "out_of_range", "%q, want %s", found.Value, found.Want)
			}
		}
		file.feeRange(d, c.Offer)
	}
	return c, d, d.Err()
}

// feeRange compares the fee with the prices of the tier.
func (f *contractFile) feeRange(d *Document, offer sla.Offer) {
	if f.Fee.IsSet() && f.Fee.Currency() == offer.FeeFrom.Currency() && !offer.Includes(f.Fee) {
		d.Warn("monthly_fee", sla.CodeFeeRange, "%q, want %s to %s for tier %s", f.Fee, offer.FeeFrom, offer.FeeTo, offer.Tier)
	}
}

// termPath takes the path of an issue inside a term apart.
var termPath = regexp.MustCompile(`^terms\[(\d+)\](?:\.availability\.(services\[\d+\]))?`)

// place finds the part of the file that a term of the contract came from.
func (p *framework) place(c sla.Contract, path string) string {
	if at, ok := p.at["credits.availability"]; ok && strings.Contains(path, ".remedy.bands") && !p.d.states("credits.availability") {
		return at
	}
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
	if d.has(path) && !d.failed(path) && !slices.Contains(words, text) {
		d.report(path, "bad_enum", spelling.Nearest(text, words), fmt.Sprintf("found %q, want %s", text, strings.Join(words, ", ")))
	}
}

func (f *contractFile) agreed(d *Document, p *framework) Agreed {
	tier := tiers[f.Tier]
	d.word("tier", f.Tier, []string{"essential", "professional", "enterprise", "none"})
	d.word("period", f.Period, periods)
	d.word("locale", f.Locale, locales)
	zone := "UTC"
	if f.Timezone.Location != nil {
		zone = f.Timezone.String()
	}
	a := Agreed{
		Contract: p.Preset(f.ID, tier, zone, f.Fee), Offer: p.Offer(tier),
		CustomerName: f.Customer.Name, Locale: f.Locale, EvidenceFrom: f.EvidenceFrom, ServiceNames: map[string]string{},
	}
	if a.Locale == "" {
		a.Locale = "en"
	}
	c := &a.Contract
	c.Customer = f.Customer.ID
	terms := termsOf(c)
	if tier != 0 {
		terms.availability.Exclude = []sla.Cause{sla.CauseMaintenance, sla.CauseCustomer, sla.CauseForceMajeure}
	}
	said := figures(*c)
	f.availability(d, terms.availability)
	f.hours(d, c, terms.availability)
	f.response(d, c, terms.response)
	f.resolution(d, terms.resolution)
	f.credits(d, c, terms)
	f.services(d, &a, terms.availability)
	prune(c)
	f.tierOf(d, tier)
	p.compare(c, said)
	f.foreignCredits(p, terms.response)
	f.reported(p, &a)
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

// tierOf wants the blocks to say something for the tier of the contract.
func (f *contractFile) tierOf(d *Document, tier sla.Tier) {
	if d.failed("tier") {
		return
	}
	for _, list := range []struct {
		path, key string
		lacks     bool
	}{
		{"sla_framework.availability_targets", cmp.Or(f.Tier, "none") + "_tier", tier == 0 || f.Framework == nil || f.Framework.Targets.of(tier) == nil},
		{"service_tiers", cmp.Or(f.Tier, "none"), tier == 0 || f.Tiers.of(tier) == nil},
	} {
		if d.has(list.path) && list.lacks && !d.failed(list.path) {
			d.Fail(list.path, "bad_reference", "no %q for the tier of the contract", list.key)
		}
	}
	for _, path := range []string{"financial_commitments", "sla_framework.financial_commitments"} {
		if d.has(path) && tier == 0 {
			d.Fail(path, "bad_reference", "the credits of a framework need a tier of it; want tier essential, professional or enterprise, or the key credits instead")
		}
	}
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
	if d.has("availability.aggregate") {
		a.Aggregate = f.Availability.Aggregate
	}
	if d.has("availability.exclude_mode") {
		a.ExcludeMode = f.Availability.ExcludeMode
	}
	if d.has("availability.unmonitored") {
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

// response takes over the response times.
func (f *contractFile) response(d *Document, c *sla.Contract, clock *sla.Clock) {
	const path = "response"
	if f.Response == nil && d.states(path) && !d.has(path) {
		clock.Targets = nil
	}
	for _, severity := range incident.Severities {
		within, ok := f.Response[severity]
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
	if f.Resolution == nil && d.states("resolution") && !d.has("resolution") {
		clock.Targets = nil
	}
	for _, severity := range incident.Severities {
		if target, ok := f.Resolution[severity]; ok && target.off() {
			dropTarget(clock, severity)
		} else if ok {
			targetOf(clock, severity).Within = target.within
		}
	}
	own, other := "<", "<="
	if !clock.Strict {
		own, other = other, own
	}
	stated := slices.DeleteFunc(slices.Clone(incident.Severities[:]), func(s incident.Severity) bool {
		return f.Resolution[s].off() || f.Resolution[s].op != other
	})
	if len(stated) > 0 && len(stated) == len(clock.Targets) {
		clock.Strict = !clock.Strict
		return
	}
	for _, severity := range stated {
		d.Fail(d.keyOf("resolution", severity), "out_of_range", "%q beside targets with %q, want the same for all severities", other, own)
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
