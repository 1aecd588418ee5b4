package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/diagnostic"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

type publicFile struct {
	Schema   int               `yaml:"schema,required"`
	SLAs     []publicEntryFile `yaml:"slas,required"`
	Features []string          `yaml:"structural_features"` // for readers of the file
}

type publicEntryFile struct {
	ID          string                 `yaml:"id,required"`
	Provider    string                 `yaml:"provider,required"`
	Service     string                 `yaml:"service,required"`
	Target      Percent                `yaml:"target,required"`
	Period      string                 `yaml:"period,required"`
	Scope       string                 `yaml:"scope"`
	Measure     measureFile            `yaml:"measure,required"`
	Remedy      remedyFile             `yaml:"remedy,required"`
	Published   []publishedBandFile    `yaml:"published_bounds"`
	Variants    map[string]variantFile `yaml:"variants"`
	Also        []promiseFile          `yaml:"also"`
	FeeBase     string                 `yaml:"fee_base"`
	MinIssued   *minIssuedFile         `yaml:"min_issued"`
	Cap         *capFile               `yaml:"cap"`
	Stacking    string                 `yaml:"stacking"`
	Exclude     []string               `yaml:"exclude"`
	Maintenance *maintenanceFile       `yaml:"maintenance"`
	Claim       *claimFile             `yaml:"claim"`
	Evidence    map[string]string      `yaml:"evidence"`
	Example     map[string]string      `yaml:"worked_example"`
	URL         string                 `yaml:"url"`
	Note        string                 `yaml:"note"`
	History     string                 `yaml:"history"`
}

type promiseFile struct {
	Name    string       `yaml:"name,required"`
	Note    string       `yaml:"note"`
	Measure *measureFile `yaml:"measure"`
	Remedy  *remedyFile  `yaml:"remedy"`
}

type minIssuedFile struct {
	Amount   Decimal `yaml:"amount,required"`
	Currency string  `yaml:"currency,required"`
	Rule     string  `yaml:"rule,required"`
}

type capFile struct {
	Percent Percent `yaml:"percent"`
	Of      string  `yaml:"of"`
	Days    int     `yaml:"days_of_paid_service"`
	Per     string  `yaml:"per"`
}

type maintenanceFile struct {
	Notice          time.Duration `yaml:"notice,required"`
	CapPerYear      time.Duration `yaml:"cap_per_year"`
	MigrationNotice time.Duration `yaml:"migration_notice"`
	MigrationMax    time.Duration `yaml:"migration_max"`
}

type claimFile struct {
	Kind       string `yaml:"kind,required"`
	Days       int    `yaml:"days"`
	Months     int    `yaml:"months"`
	Cycles     int    `yaml:"cycles"`
	Notify     int    `yaml:"notify_business_days"`
	Processing int    `yaml:"processing_days"`
}

// terms turns an entry into its contract, variants and texts.
func (f *publicEntryFile) terms(d *Document, path string) PublicSLA {
	p := PublicSLA{
		ID: f.ID, Provider: f.Provider, Service: f.Service, Scope: f.Scope, Period: f.Period, FeeBase: f.FeeBase, URL: f.URL, Note: f.Note,
		Evidence: f.provenance(d, path), Texts: map[string]string{},
	}
	f.texts(p.Texts)
	base := offered{measure: &f.Measure, remedy: &f.Remedy, target: f.Target}
	f.contract(d, path, base, &p)
	if p.Variants = f.variants(d, path, base, p); len(f.Published) > 0 {
		if _, ok := p.Variants[publishedKey]; ok {
			d.Fail(path+".variants."+publishedKey, "duplicate_id", "a variant of that name is made of published_bounds")
		}
		p.Variants[publishedKey] = f.published(d, path, p)
	}
	f.check(d, path, p)
	return p
}

// offered are the parts of the terms that a variant may override.
type offered struct {
	measure *measureFile
	remedy  *remedyFile
	target  Percent
}

// contract makes the template and what follows from it.
func (f *publicEntryFile) contract(d *Document, path string, o offered, p *PublicSLA) {
	c := sla.Contract{
		ID: p.ID, Period: lookup(d, path+".period", f.Period, publicPeriods), Stack: lookup(d, path+".stacking", f.Stacking, publicStacks),
		Claim: f.claim(d, path+".claim"),
	}
	for _, text := range []string{f.Service, f.Scope} {
		if text != "" {
			c.ScopeIn = append(c.ScopeIn, text)
		}
	}
	a := &sla.Availability{Target: percent(o.target)}
	term := sla.Term{ID: "availability", Availability: a}
	f.excluded(d, path, a)
	p.ProrateLifetime = o.measure.apply(d, a)
	term.CapPercent, c.CapDays = o.remedy.apply(d, a)
	if f.Period == byIncident && !d.failed(o.measure.at("kind")) && o.measure.Kind != "outage_duration" {
		d.Fail(o.measure.at("kind"), "out_of_range", "%s is measured over a period, want outage_duration for terms by the incident", o.measure.Kind)
	}
	if f.Period == byIncident && o.remedy.texts["base"] == thirtyDaysBefore {
		c.Period.Days = 30
	}
	if o.remedy.CapDays > 0 && !slices.Contains(capPeriods["month"], f.Period) {
		d.Fail(o.remedy.at("cap_days_per_month"), "out_of_range", "a cap by the month beside the period %s", f.Period)
	}
	f.minIssued(d, path+".min_issued", &term)
	f.limit(d, path+".cap", &c)
	c.Terms = append(c.Terms, term)
	p.Template, p.Also = c, nil
	for i := range f.Also {
		f.Also[i].promise(d, fmt.Sprintf("%s.also[%d]", path, i), p)
	}
}

// promise adds a further promise, as a term where it can be measured.
func (f *promiseFile) promise(d *Document, path string, p *PublicSLA) {
	promise := Promise{Name: f.Name, Note: f.Note}
	a := *p.Template.Terms[0].Availability
	a.Measure, a.Remedy, a.Services = nil, p.Template.Terms[0].Availability.Remedy, []sla.Service{{ID: f.Name}}
	term := sla.Term{ID: f.Name, Availability: &a, CapPercent: p.Template.Terms[0].CapPercent, MoreThan: p.Template.Terms[0].MoreThan}
	if f.Remedy != nil {
		term.CapPercent, _ = f.Remedy.apply(d, &a)
		promise.Remedy = a.Remedy
		if f.Remedy.CapDays > 0 {
			d.Fail(f.Remedy.at("cap_days_per_month"), "out_of_range", "a cap in days holds for the whole contract, want it in the remedy of the entry")
		}
	}
	if f.Measure != nil {
		if f.Measure.apply(d, &a) {
			d.Fail(path+".measure", "out_of_range", "the life of the resource bounds all promises, want it in the measure of the entry")
		}
		promise.Measure = a.Measure
		p.Template.Terms = append(p.Template.Terms, term)
		if f.Name == p.Template.Terms[0].ID {
			d.Fail(path+".name", "duplicate_id", "%q is the promise of the entry itself", f.Name)
		}
	}
	p.Also = append(p.Also, promise)
}

// excluded takes over what the provider does not answer for.
func (f *publicEntryFile) excluded(d *Document, path string, a *sla.Availability) {
	for i, word := range f.Exclude {
		if cause := lookup(d, fmt.Sprintf("%s.exclude[%d]", path, i), word, publicCauses); cause != "" && !slices.Contains(a.Exclude, cause) {
			a.Exclude = append(a.Exclude, cause)
		}
	}
	m := f.Maintenance
	if m == nil {
		return
	}
	if !slices.Contains(a.Exclude, sla.CauseMaintenance) {
		a.Exclude = append(a.Exclude, sla.CauseMaintenance)
	}
	a.MinNotice, a.MaintenancePerYear = m.Notice, m.CapPerYear
	if m.MigrationNotice != 0 || m.MigrationMax != 0 {
		a.MaintenanceKinds = map[string]sla.MaintenanceRule{Migration: {MinNotice: cmp.Or(m.MigrationNotice, m.Notice), MaxLength: m.MigrationMax}}
	}
}

func (f *publicEntryFile) claim(d *Document, path string) sla.ClaimRule {
	if f.Claim == nil {
		return sla.ClaimRule{Kind: sla.ClaimUnknown}
	}
	return sla.ClaimRule{
		Kind: lookup(d, path+".kind", f.Claim.Kind, publicClaims), Days: f.Claim.Days, Months: f.Claim.Months, Periods: f.Claim.Cycles,
		NotifyBusinessDays: f.Claim.Notify,
	}
}

func (f *publicEntryFile) minIssued(d *Document, path string, t *sla.Term) {
	if f.MinIssued == nil || d.failed(path) {
		return
	}
	d.word(path+".rule", f.MinIssued.Rule, []string{"greater_than"})
	amount, err := money.ParseDecimal(string(f.MinIssued.Amount), money.Currency(f.MinIssued.Currency))
	if err != nil {
		d.Fail(path+".amount", "bad_money", "%v", err)
		return
	}
	t.MoreThan = amount
}

// limit takes over the cap of the contract: a percentage of a fee or an invoice,
// or days of service.
func (f *publicEntryFile) limit(d *Document, path string, c *sla.Contract) {
	if f.Cap == nil || d.failed(path) {
		return
	}
	byPercent, byDays := d.has(path+".percent"), d.has(path+".days_of_paid_service")
	if byPercent == byDays {
		d.Fail(path, "out_of_range", "want percent or days_of_paid_service, one of both")
		return
	}
	d.word(path+".of", f.Cap.Of, []string{capOfFee, capOfInvoice})
	per := lookup(d, path+".per", f.Cap.Per, capPeriods)
	if f.Cap.Per != "" && !d.failed(path+".per") && !slices.Contains(per, f.Period) {
		d.Fail(path+".per", "out_of_range", "a cap by the %s beside the period %s", f.Cap.Per, f.Period)
	}
	limit := percent(f.Cap.Percent)
	switch {
	case byDays && f.Cap.Of != "":
		d.Fail(path+".of", "out_of_range", "days of service are always of the fee")
	case byDays && c.CapDays > 0:
		d.Fail(path, "out_of_range", "beside a cap in days of the remedy, want one of the two")
	case byDays:
		c.CapDays = f.Cap.Days
		if f.Cap.Days <= 0 {
			d.Fail(path+".days_of_paid_service", "out_of_range", "found %d, want 1 or more", f.Cap.Days)
		}
	case f.Cap.Of == capOfInvoice:
		c.CapInvoicePercent = &limit
	default:
		c.CapPercent = &limit
	}
}

// variants applies the overrides of each variant.
func (f *publicEntryFile) variants(d *Document, path string, base offered, p PublicSLA) map[string]PublicSLA {
	out := map[string]PublicSLA{}
	for _, name := range slices.Sorted(maps.Keys(f.Variants)) {
		variant := f.Variants[name]
		v := p
		v.ID, v.Texts, v.Variants = p.ID+"/"+name, maps.Clone(p.Texts), nil
		f.contract(d, path, variant.override(d, path+".variants."+name, base, v.Texts), &v)
		out[name] = v
	}
	return out
}

// published is the variant with the bands as the provider words them. A band that
// holds its upper bound pays at the target too.
func (f *publicEntryFile) published(d *Document, path string, p PublicSLA) PublicSLA {
	v := p
	v.ID, v.Variants = p.ID+"/"+publishedKey, nil
	v.Template = p.Contract(Subscription{})
	v.Template.ID, v.Template.Zone = v.ID, ""
	a := v.Template.Terms[0].Availability
	if _, ok := a.Remedy.(sla.Bands); !ok || f.Remedy.Kind != "percent_bands" {
		d.Fail(path+"."+publishedKey, "out_of_range", "bounds of bands beside the remedy %s", f.Remedy.Kind)
		return v
	}
	var list []sla.Band
	for _, b := range f.Published {
		list = append(list, b.Band)
	}
	own := map[string]bool{}
	for _, promise := range f.Also {
		own[promise.Name] = promise.Remedy != nil
	}
	for i, t := range v.Template.Terms {
		if i == 0 || !own[t.ID] {
			t.Availability.Remedy = sla.Bands{Bands: slices.Clone(list)}
			t.Availability.Strict = list[0].AtBelow && list[0].Below == a.Target
		}
	}
	return v
}

// check looks for what package sla finds wrong with the contract and, beyond
// that, with those of the variants.
func (f *publicEntryFile) check(d *Document, path string, p PublicSLA) {
	if d.failed(path) {
		return
	}
	known := map[string]bool{}
	report := func(at string, v PublicSLA, overrides map[string]bool) {
		currency := money.Currency("EUR")
		if least := v.Template.Terms[0].MoreThan; least.IsSet() {
			currency = least.Currency()
		}
		fee := money.Must(money.New(1_000_000, currency)) // any: nothing is reckoned
		for _, found := range v.Contract(Subscription{Fee: fee}).Issues() {
			if known[found.String()] {
				continue
			}
			known[found.String()] = true
			spot := publicPlace(found.Path)
			if key := spot[strings.LastIndexByte(spot, '.')+1:]; overrides[key] {
				spot = key
			}
			if spot = diagnostic.Join(at, spot); found.Warning {
				d.Warn(spot, found.Code, "%q, want %s", found.Value, found.Want)
			} else {
				d.Fail(spot, "out_of_range", "%q, want %s", found.Value, found.Want)
			}
		}
	}
	report(path, p, nil)
	for _, name := range slices.Sorted(maps.Keys(p.Variants)) {
		at := path + ".variants." + name
		if name == publishedKey {
			at = path
		}
		variant := f.Variants[name]
		report(at, p.Variants[name], variant.keys())
	}
}
