package config

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/threshold"
	"github.com/evenkeelops/evenkeel/sla"
)

// figures are the figures of a contract that a framework may state too, in words,
// by their paths in a contract file; severities are P1 to P4.
func figures(c sla.Contract) map[string]string {
	all := map[string]string{}
	for _, t := range c.Terms {
		switch {
		case t.Availability != nil:
			all["availability.target_percent"] = t.Availability.Target.String()
			all["availability.min_notice"] = threshold.FormatDuration(t.Availability.MinNotice)
			all["credits.availability"] = bandsInWords(t.Availability.Remedy)
		case t.Response != nil:
			for _, target := range t.Response.Targets {
				all["response."+target.Severity.String()] = spanOf(target)
				all["credits.response."+target.Severity.String()] = target.Credit.String()
			}
		case t.Resolution != nil:
			for _, target := range t.Resolution.Targets {
				all["resolution."+target.Severity.String()] = limitOf(t.Resolution, target).String()
				all["credits.mttr_breach_percent"] = target.CreditPercent.String()
			}
		case t.Monitoring != nil:
			all["credits.monitoring_outage_percent_per_hour"] = t.Monitoring.PercentPerHour.String()
		}
	}
	return all
}

func bandsInWords(remedy sla.Remedy) string {
	bands, _ := remedy.(sla.Bands)
	words := make([]string, len(bands.Bands))
	for i, band := range bands.Bands {
		words[i] = band.Credit.String() + " below " + band.Below.String()
	}
	return strings.Join(words, ", ")
}

// limitOf is the promised time of a clock as the limit of a metric.
func limitOf(clock *sla.Clock, target sla.Target) incident.Target {
	op := "<= "
	if clock.Strict {
		op = "< "
	}
	return limitFrom(op + threshold.FormatDuration(target.Within))
}

// limitFrom reads a limit that this package has written.
func limitFrom(text string) (limit incident.Target) {
	limit, _ = incident.ParseTarget(text)
	return limit
}

// compare warns of each key of the contract that says something else than the
// framework in the same file, given the figures that the framework led to.
func (p *framework) compare(c *sla.Contract, said map[string]string) {
	count := figures(*c)
	for _, key := range slices.Sorted(maps.Keys(said)) {
		block := cmp.Or(p.at[c.Tier.String()+"/"+key], p.at[key])
		if block == "" || count[key] == said[key] {
			continue
		}
		if path := p.stated(key); path != "" && !p.d.failed(path) {
			p.d.Warn(path, "contradiction", "%s, but %s at %s; the key of the contract counts", cmp.Or(count[key], "none"), cmp.Or(said[key], "none"), block)
		}
	}
}

// stated is the key of the file that decides a figure: its own, in any spelling
// of the severity, or one around it that is null. It is "" for none.
func (p *framework) stated(key string) string {
	path := key
	dot := strings.LastIndexByte(key, '.')
	if severity, err := incident.ParseSeverity(key[dot+1:]); err == nil {
		path = p.d.keyOf(key[:dot], severity)
	}
	if len(path) > dot && p.d.states(path) {
		return path
	}
	for path = key[:dot]; !p.d.states(path); path = path[:dot] {
		if dot = strings.LastIndexByte(path, '.'); dot < 0 {
			return ""
		}
	}
	if p.d.has(path) {
		return ""
	}
	return path
}

// foreignCredits refuses the amounts of the framework that are in another
// currency than the fee, unless the contract replaces them.
func (f *contractFile) foreignCredits(p *framework, clock *sla.Clock) {
	for _, t := range clock.Targets {
		key := "credits.response." + t.Severity.String()
		if at := p.at[key]; at != "" && p.stated(key) == "" && f.Fee.IsSet() && t.Credit.IsSet() && t.Credit.Currency() != f.Fee.Currency() {
			p.d.Fail(at, "currency_mismatch", "the credit is in %s, the fee in %s", t.Credit.Currency(), f.Fee.Currency())
		}
	}
}

// reported fills in what reports need: of the framework, else of the reference
// for a contract with a tier. Limits that the contract changes are those of the
// contract, so that a report does not show two.
func (f *contractFile) reported(p *framework, a *Agreed) {
	a.Metrics, a.Reporting, a.Reviews = slices.Clone(p.Metrics), p.Reporting, p.Reviews
	if a.Tier != 0 {
		if p.Metrics == nil {
			a.Metrics = sla.ReferenceMetrics()
		}
		if !p.d.has("reporting_framework") {
			a.Reporting = sla.ReferenceReporting()
		}
		if !p.d.has("improvement_process") {
			a.Reviews = []sla.Review{sla.MonthlyReview(), sla.QuarterlyReview()}
		}
	}
	a.Metrics = slices.DeleteFunc(a.Metrics, func(m sla.Metric) bool { return f.takesAway(p.d, m) })
	for i, m := range a.Metrics {
		for _, t := range a.Terms {
			switch {
			case m.Name == sla.MetricNotice && t.Availability != nil && t.Availability.MinNotice > 0:
				a.Metrics[i].Target = limitFrom(">= " + threshold.FormatDuration(t.Availability.MinNotice))
			case m.Name == sla.MetricMTTR && t.Resolution != nil:
				for _, target := range t.Resolution.Targets {
					if target.Severity == m.Severity {
						a.Metrics[i].Target = limitOf(t.Resolution, target)
					}
				}
			}
		}
	}
}

// takesAway reports whether the contract makes no promise where a metric has its
// limit: the key is 0 or null.
func (f *contractFile) takesAway(d *Document, m sla.Metric) bool {
	switch m.Name {
	case sla.MetricMTTR:
		target, ok := f.Resolution[m.Severity]
		return ok && target.off() || f.Resolution == nil && d.states("resolution")
	case sla.MetricNotice:
		return d.states("availability.min_notice") && f.Availability.MinNotice == 0
	}
	return false
}
