package config

import (
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"slices"
	"strings"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/threshold"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// blocksFile are the blocks of a provider's framework, in a file of their own or
// in that of a contract.
type blocksFile struct {
	Framework   *slaFrameworkFile `yaml:"sla_framework"`
	Tiers       *tiersFile        `yaml:"service_tiers"`
	Financial   *financialFile    `yaml:"financial_commitments"`
	Metrics     *metricsFile      `yaml:"performance_metrics"`
	Reporting   *reportingFile    `yaml:"reporting_framework"`
	Improvement *improvementFile  `yaml:"improvement_process"`
}

// slaFrameworkFile may also hold the blocks of figures that stand beside it
// elsewhere.
type slaFrameworkFile struct {
	Targets   *targetsFile   `yaml:"availability_targets"`
	Metrics   *metricsFile   `yaml:"performance_metrics"`
	Financial *financialFile `yaml:"financial_commitments"`
}

type targetsFile struct {
	Essential    *tierTargetsFile `yaml:"essential_tier"`
	Professional *tierTargetsFile `yaml:"professional_tier"`
	Enterprise   *tierTargetsFile `yaml:"enterprise_tier"`
}

type tierTargetsFile struct {
	Uptime    Percent                           `yaml:"monthly_uptime,required"`
	Responses map[incident.Severity]*spokenSpan `yaml:"response_times"`
}

type tiersFile struct {
	Essential    *tierFile `yaml:"essential"`
	Professional *tierFile `yaml:"professional"`
	Enterprise   *tierFile `yaml:"enterprise"`
}

type tierFile struct {
	Summary   string                            `yaml:"description"`
	Coverage  string                            `yaml:"coverage"`
	Responses map[incident.Severity]*spokenSpan `yaml:"response_sla"`
	Services  []string                          `yaml:"included_services"`
	Price     *monthlyPriceSpan                 `yaml:"pricing"`
}

type financialFile struct {
	Availability map[string]*monthlyCredit `yaml:"availability_credits"`
	Response     struct {
		Critical *amountPerBreach `yaml:"critical_response_breach"`
		High     *amountPerBreach `yaml:"high_response_breach"`
		Medium   *amountPerBreach `yaml:"medium_response_breach"`
		Low      *amountPerBreach `yaml:"low_response_breach"`
	} `yaml:"response_time_credits"`
	Guarantees struct {
		MTTR       *creditPerBreach `yaml:"mttr_breach_penalty"`
		Monitoring *creditPerHour   `yaml:"monitoring_downtime_credit"`
		DataLoss   *liabilityInFees `yaml:"data_loss_liability"`
	} `yaml:"performance_guarantees"`
}

type metricsFile struct {
	Monitoring struct {
		Interval       *incident.Target `yaml:"metric_collection_interval"`
		Processing     *incident.Target `yaml:"alert_processing_time"`
		FalsePositives *incident.Target `yaml:"false_positive_rate"`
		Coverage       *incident.Target `yaml:"monitoring_coverage"`
	} `yaml:"infrastructure_monitoring"`
	Incidents struct {
		MTTR  map[incident.Severity]*incident.Target `yaml:"mttr_targets"`
		Rates struct {
			FirstCall    *incident.Target `yaml:"first_call_resolution"`
			Escalation   *incident.Target `yaml:"escalation_rate"`
			Satisfaction *incident.Target `yaml:"customer_satisfaction"`
		} `yaml:"resolution_rates"`
	} `yaml:"incident_management"`
	Delivery struct {
		Changes   *incident.Target `yaml:"change_success_rate"`
		Emergency *incident.Target `yaml:"emergency_change_approval"`
		Notice    *incident.Target `yaml:"planned_maintenance_notice"`
		Backups   *incident.Target `yaml:"backup_success_rate"`
		RTO       *incident.Target `yaml:"disaster_recovery_rto"`
		RPO       *incident.Target `yaml:"disaster_recovery_rpo"`
	} `yaml:"service_delivery"`
}

type reportingFile struct {
	Reports struct {
		Frequency  string   `yaml:"frequency"`
		Recipients []string `yaml:"recipients"`
		Content    []string `yaml:"content"`
	} `yaml:"automated_reports"`
	Dashboards struct {
		Portal     []string `yaml:"customer_portal"`
		Operations []string `yaml:"internal_operations"`
	} `yaml:"real_time_dashboards"`
}

type improvementFile struct {
	Monthly   *reviewFile `yaml:"monthly_service_review"`
	Quarterly *reviewFile `yaml:"quarterly_business_review"`
}

type reviewFile struct {
	Participants []string `yaml:"participants"`
	Agenda       []string `yaml:"agenda"`
}

// ParseFramework reads the blocks of a provider's framework, alone in a file or
// several together, with an optional version 1: service_tiers, sla_framework,
// financial_commitments, performance_metrics, reporting_framework and
// improvement_process. The figures of financial_commitments and
// performance_metrics may also stand under sla_framework. A key or a phrase that
// it does not know, a key without a value and two blocks that contradict each
// other are errors.
//
// The keys of the credit bands speak of downtime, but their numbers are
// availability: downtime_99_0_to_98_0_percent holds 98.0 and more, but less than
// 99.0 percent of uptime.
func ParseFramework(name string, data []byte) (Provider, *Document, error) {
	var file struct {
		Version int `yaml:"version"`
		blocksFile
	}
	d := read(name, data, &file)
	d.checkVersion(file.Version)
	f := file.framework(d)
	if blocks := slices.Sorted(maps.Keys(fieldsOf(reflect.TypeFor[blocksFile]()))); d.Err() == nil && !slices.ContainsFunc(blocks, d.has) {
		d.Fail("", "missing_field", "no block of a framework, want at least one of %s", strings.Join(blocks, ", "))
	}
	return f.Provider, d, d.Err()
}

// framework is a provider together with the places of what it says.
type framework struct {
	Provider
	d *Document

	// reported are the paths of what the decoder has refused.
	reported map[string]bool

	// at are the paths of figures in the file. The keys are the paths of a contract
	// file for the same, with the severity as P1 to P4; where tiers differ, with
	// the tier and a slash before it.
	at map[string]string
}

func (f *blocksFile) framework(d *Document) *framework {
	p := &framework{d: d, reported: map[string]bool{}, at: map[string]string{}}
	for _, problem := range d.problems {
		p.reported[problem.Path] = true
	}
	p.refuseNulls()
	financial, financialAt := f.Financial, "financial_commitments"
	metrics, metricsAt := f.Metrics, "performance_metrics"
	var targets *targetsFile
	if inner := f.Framework; inner != nil {
		targets = inner.Targets
		if inner.Financial != nil {
			financial, financialAt = inner.Financial, p.inner(financialAt)
		}
		if inner.Metrics != nil {
			metrics, metricsAt = inner.Metrics, p.inner(metricsAt)
		}
	}
	if financial != nil {
		p.financial(financial, financialAt)
	}
	if metrics != nil {
		p.metrics(metrics, metricsAt)
	}
	for _, tier := range sla.Tiers {
		p.offer(tier, f.Tiers.of(tier), targets.of(tier))
	}
	if f.Reporting != nil {
		p.reporting(f.Reporting)
	}
	if f.Improvement != nil {
		p.review("monthly_service_review", f.Improvement.Monthly)
		p.review("quarterly_business_review", f.Improvement.Quarterly)
	}
	return p
}

// inner is the path of a block under sla_framework, which must not stand beside
// it as well.
func (p *framework) inner(block string) string {
	path := "sla_framework." + block
	if p.d.has(block) {
		p.d.Fail(path, "out_of_range", "%s beside sla_framework, want one of the two", block)
	}
	return path
}

// refuseNulls reports the keys of blocks that have no value: in a contract null
// takes a promise away, and here it would bring the reference back.
func (p *framework) refuseNulls() {
	blocks := fieldsOf(reflect.TypeFor[blocksFile]())
	for _, path := range slices.Sorted(maps.Keys(p.d.keys)) {
		block, _, _ := strings.Cut(path, ".")
		if _, ok := blocks[block]; ok && !p.d.has(path) && !p.reported[path] {
			p.d.failKey(path, "wrong_type", "found nothing, want a value or no key")
		}
	}
}

func (f *tiersFile) of(tier sla.Tier) *tierFile {
	if f == nil {
		return nil
	}
	return [...]*tierFile{sla.Essential: f.Essential, sla.Professional: f.Professional, sla.Enterprise: f.Enterprise}[tier]
}

func (f *targetsFile) of(tier sla.Tier) *tierTargetsFile {
	if f == nil {
		return nil
	}
	return [...]*tierTargetsFile{sla.Essential: f.Essential, sla.Professional: f.Professional, sla.Enterprise: f.Enterprise}[tier]
}

// offer takes over what the two lists of tiers say of one of them.
func (p *framework) offer(tier sla.Tier, sold *tierFile, promised *tierTargetsFile) {
	if sold == nil && promised == nil {
		return
	}
	o := sla.Offer{Tier: tier}
	if sold != nil {
		path := "service_tiers." + tier.String()
		o.Summary, o.Coverage = sold.Summary, sold.Coverage
		o.Services = sold.Services
		p.texts(path+".included_services", sold.Services)
		p.responses(&o, path+".response_sla", sold.Responses)
		if sold.Price != nil {
			o.FeeFrom, o.FeeTo = sold.Price.from, sold.Price.to
			p.at[tier.String()+"/monthly_fee"] = path + ".pricing"
		}
	}
	if promised != nil {
		path := "sla_framework.availability_targets." + tier.String() + "_tier"
		o.Uptime = percent(promised.Uptime)
		p.at[tier.String()+"/availability.target_percent"] = path + ".monthly_uptime"
		if promised.Uptime != "" && o.Uptime == 0 {
			p.d.Fail(path+".monthly_uptime", "out_of_range", "%q, want more than 0", promised.Uptime)
		}
		p.responses(&o, path+".response_times", promised.Responses)
	}
	slices.SortFunc(o.Response, func(a, b sla.Target) int { return int(a.Severity) - int(b.Severity) })
	creditLate(o.Response, p.ResponseCredits)
	p.Offers = append(p.Offers, o)
}

// responses takes over the response times of a tier. They may stand in two
// places, if both say the same.
func (p *framework) responses(o *sla.Offer, path string, times map[incident.Severity]*spokenSpan) {
	for _, severity := range incident.Severities {
		within := times[severity]
		if within == nil {
			continue
		}
		at := p.d.keyOf(path, severity)
		if p.reported[at] {
			continue
		}
		key := o.Tier.String() + "/response." + severity.String()
		switch {
		case within.off():
			p.d.Fail(at, "out_of_range", "found 0, want a time above 0, or no key where there is no promise")
			continue
		case within.BusinessDays > 1:
			p.d.Fail(at, "out_of_range", "%d business days, want the next business day or a duration", within.BusinessDays)
			continue
		}
		t := sla.Target{Severity: severity, Within: within.Duration}
		if within.BusinessDays == 1 {
			t.NextDay, t.Calendar = &calendar.NextDayRule{}, sla.OfficeHours
		}
		i := slices.IndexFunc(o.Response, func(old sla.Target) bool { return old.Severity == severity })
		if i < 0 {
			o.Response = append(o.Response, t)
			p.at[key] = at
		} else if old := o.Response[i]; spanOf(old) != spanOf(t) {
			p.d.Fail(at, "contradiction", "%s, but %s at %s; want the same in both", spanOf(t), spanOf(old), p.at[key])
		}
	}
}

// spanOf is the promised time of a target in words.
func spanOf(t sla.Target) string {
	if t.NextDay != nil {
		return "next business day"
	}
	return threshold.FormatDuration(t.Within)
}

func (p *framework) financial(f *financialFile, path string) {
	if f.Availability != nil {
		p.bands(f.Availability, path+".availability_credits")
	}
	currency := money.Currency("")
	for _, late := range []struct {
		severity incident.Severity
		key      string
		phrase   *amountPerBreach
	}{
		{incident.P1, "critical", f.Response.Critical},
		{incident.P2, "high", f.Response.High},
		{incident.P3, "medium", f.Response.Medium},
		{incident.P4, "low", f.Response.Low},
	} {
		if late.phrase == nil || !late.phrase.amount.IsSet() {
			continue
		}
		credit := late.phrase.amount
		at := path + ".response_time_credits." + late.key + "_response_breach"
		if currency == "" {
			currency = credit.Currency()
		}
		if credit.Currency() != currency {
			p.d.Fail(at, "currency_mismatch", "the credit is in %s, those above in %s", credit.Currency(), currency)
			continue
		}
		if p.ResponseCredits == nil {
			p.ResponseCredits = map[incident.Severity]money.Amount{}
		}
		p.ResponseCredits[late.severity] = credit
		p.at["credits.response."+late.severity.String()] = at
	}
	path += ".performance_guarantees"
	if mttr := f.Guarantees.MTTR; mttr != nil {
		p.MTTRPercent = &mttr.percent
		p.at["credits.mttr_breach_percent"] = path + ".mttr_breach_penalty"
	}
	if hourly := f.Guarantees.Monitoring; hourly != nil {
		p.Monitoring = &sla.Monitoring{PercentPerHour: hourly.percent}
		p.at["credits.monitoring_outage_percent_per_hour"] = path + ".monitoring_downtime_credit"
	}
	if loss := f.Guarantees.DataLoss; loss != nil {
		p.DataLoss = &sla.Liability{Fees: loss.fees}
	}
}

// bands takes over the credit bands, which must follow each other without a gap
// down to 0.
func (p *framework) bands(credits map[string]*monthlyCredit, path string) {
	type keyed struct {
		sla.Band
		at string
	}
	var bands []keyed
	for _, key := range slices.Sorted(maps.Keys(credits)) {
		at := path + "." + key
		from, below, ok := bandBounds(key)
		if !ok {
			p.d.failKey(at, "unknown_field", "unknown key %q, want one like downtime_99_0_to_98_0_percent or downtime_below_95_0_percent, the better value first", key)
			continue
		}
		if credits[key] != nil {
			bands = append(bands, keyed{sla.Band{From: from, Below: below, Credit: credits[key].percent}, at})
		}
	}
	slices.SortStableFunc(bands, func(a, b keyed) int { return cmp.Compare(b.Below, a.Below) })
	p.at["credits.availability"] = path
	p.Bands.Bands = make([]sla.Band, len(bands))
	for i, band := range bands {
		p.Bands.Bands[i] = band.Band
		if i == 0 {
			continue
		}
		above := bands[i-1]
		switch {
		case band.Below != above.From:
			p.d.failKey(band.at, "bands_not_monotone", "a band below %s after one down to %s, want it to begin there", band.Below, above.From)
		case band.Credit < above.Credit && !p.reported[band.at] && !p.reported[above.at]:
			p.d.Fail(band.at, "bands_not_monotone", "%s after %s: a worse value must not earn less", band.Credit, above.Credit)
		}
	}
	if n := len(bands); n > 0 && bands[n-1].From > 0 {
		p.d.failKey(bands[n-1].at, "bands_not_monotone", "nothing below %s, want a last band like downtime_below_95_0_percent", bands[n-1].From)
	}
}

// metrics takes over the limits of the key figures, in the order and with the
// titles of the reference.
func (p *framework) metrics(f *metricsFile, path string) {
	p.Metrics = []sla.Metric{}
	for _, m := range sla.ReferenceMetrics() {
		limit, at := f.limit(p.d, m, path)
		if limit == nil || !limit.IsSet() || !p.fits(at, m, *limit) {
			continue
		}
		m.Target = *limit
		p.Metrics = append(p.Metrics, m)
		switch m.Name {
		case sla.MetricMTTR:
			p.at["resolution."+m.Severity.String()] = at
		case sla.MetricNotice:
			p.at["availability.min_notice"] = at
		}
	}
	p.sameStrictness()
}

// limit finds the limit of a metric and where it stands.
func (f *metricsFile) limit(d *Document, m sla.Metric, path string) (limit *incident.Target, at string) {
	if m.Name == sla.MetricMTTR {
		if limit = f.Incidents.MTTR[m.Severity]; limit != nil {
			at = d.keyOf(path+".incident_management.mttr_targets", m.Severity)
		}
		return limit, at
	}
	for _, group := range []struct {
		path   string
		limits reflect.Value
	}{
		{"infrastructure_monitoring", reflect.ValueOf(f.Monitoring)},
		{"incident_management.resolution_rates", reflect.ValueOf(f.Incidents.Rates)},
		{"service_delivery", reflect.ValueOf(f.Delivery)},
	} {
		if key, ok := fieldsOf(group.limits.Type())[m.Name]; ok {
			limit, _ = reflect.TypeAssert[*incident.Target](group.limits.FieldByIndex(key.index))
			return limit, path + "." + group.path + "." + m.Name
		}
	}
	return nil, ""
}

// fits wants a limit to be of the kind of its metric: the same unit, a bound on
// the same side, and a number that can be reached.
func (p *framework) fits(at string, reference sla.Metric, limit incident.Target) bool {
	wantSide, _, wantUnit := reference.Target.Parts()
	side, _, unit := limit.Parts()
	number, _ := limit.Limit()
	const score = "of "
	sameUnit := unit == wantUnit || strings.HasPrefix(unit, score) && strings.HasPrefix(wantUnit, score)
	if !sameUnit || side[0] != wantSide[0] || reference.Name == sla.MetricNotice && limit.Strict() {
		p.d.Fail(at, "bad_threshold", "read as %q, want a limit like %q", limit, reference.Target)
		return false
	}
	most := new(big.Rat) // 0 is no bound
	switch best, isScore := strings.CutPrefix(unit, score); {
	case isScore:
		most.SetString(best)
	case unit == "percent":
		most.SetInt64(100)
	}
	switch {
	case number.Sign() < 0 || number.Sign() == 0 && unit == "s":
		p.d.Fail(at, "out_of_range", "read as %q, want a number above 0", limit)
	case most.Sign() > 0 && number.Cmp(most) > 0:
		p.d.Fail(at, "out_of_range", "read as %q, want at most %s", limit, most.RatString())
	default:
		return true
	}
	return false
}

// sameStrictness wants "<=" for the time to restore at all severities or at none,
// because one clock runs for them all.
func (p *framework) sameStrictness() {
	var inclusive []sla.Metric
	for _, m := range p.Metrics {
		if m.Name == sla.MetricMTTR && !m.Target.Strict() {
			inclusive = append(inclusive, m)
		}
	}
	if len(inclusive) == len(incident.Severities) {
		return
	}
	for _, m := range inclusive {
		p.d.Fail(p.at["resolution."+m.Severity.String()], "out_of_range", `read as %q, want "<" or the same for all severities`, m.Target)
	}
}

// frequencies are how often a report may come.
var frequencies = []string{"daily", "weekly", "monthly", "quarterly", "yearly"}

func (p *framework) reporting(f *reportingFile) {
	const reports, dashboards = "reporting_framework.automated_reports.", "reporting_framework.real_time_dashboards."
	p.d.word(reports+"frequency", f.Reports.Frequency, frequencies)
	p.Reporting = sla.Reporting{
		Frequency:  f.Reports.Frequency,
		Recipients: p.items(reports+"recipients", f.Reports.Recipients),
		Sections:   p.items(reports+"content", f.Reports.Content),
		Portal:     p.items(dashboards+"customer_portal", f.Dashboards.Portal),
		Operations: p.items(dashboards+"internal_operations", f.Dashboards.Operations),
	}
}

func (p *framework) review(name string, f *reviewFile) {
	if f == nil {
		return
	}
	path := "improvement_process." + name
	p.Reviews = append(p.Reviews, sla.Review{
		Name: name, Participants: p.items(path+".participants", f.Participants), Agenda: p.items(path+".agenda", f.Agenda),
	})
}

// items keeps a list of words, nil for none.
func (p *framework) items(path string, keys []string) []sla.Item {
	if keys == nil {
		return nil
	}
	p.texts(path, keys)
	list := make([]sla.Item, len(keys))
	for i, key := range keys {
		list[i] = sla.NewItem(key)
	}
	return list
}

// texts wants each text of a list to say something, once.
func (p *framework) texts(path string, list []string) {
	seen := map[string]bool{}
	for i, text := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		if strings.TrimSpace(text) == "" && !p.reported[at] {
			p.d.Fail(at, "out_of_range", "found an empty text, want words")
		}
		p.d.unique(seen, at, text)
	}
}
