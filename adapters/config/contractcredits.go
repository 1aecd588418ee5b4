package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

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
	if d.has("credits.rounding") {
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
	case d.has(path):
		limit := percent(f.Credits.Cap)
		c.CapPercent = &limit
		if limit == 0 && !d.failed(path) {
			d.Fail(path, "out_of_range", "a cap of 0, want null for none or more than 0")
		}
	case d.states(path):
		c.CapPercent = nil
	}
}

// keyOf finds the key of a mapping by severity, in whatever spelling; of several
// it is the first of the alphabet.
func (d *Document) keyOf(path string, severity incident.Severity) string {
	found := ""
	for at := range d.keys {
		if key, ok := strings.CutPrefix(at, path+"."); ok && (found == "" || at < found) {
			if s, err := incident.ParseSeverity(key); err == nil && s == severity {
				found = at
			}
		}
	}
	return cmp.Or(found, path)
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
