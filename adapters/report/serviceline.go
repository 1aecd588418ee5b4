package report

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/evenkeelops/evenkeel/sla"
)

// lineText says how a credit came about: in English as [sla.Line.Explain] does, in
// other languages from the same values, but without the rounding.
func (l language) lineText(c sla.Line) string {
	if l.Locale().Tag() == "en" {
		return c.Explain()
	}
	text := c.Term + " (" + c.Ref
	if c.Severity.IsSet() {
		text += ", " + c.Severity.String()
	}
	return text + "): " + l.missText(c) + l.priceText(c)
}

// missText is what was missed.
func (l language) missText(c sla.Line) string {
	switch {
	case c.Clause == sla.ClauseAvailability:
		text := l.percent(c.Value)
		switch {
		case !c.Stretch.Start.IsZero():
			text = l.t("line.down", text, l.duration(c.Numerator), l.clock(c.Stretch.Start))
		case c.Denominator > 0:
			text = l.t("line.up", text, l.duration(c.Numerator), l.duration(c.Denominator))
		}
		switch {
		case c.Band != nil:
			text += l.t("line.band", l.target(c.Band.From.String()), l.target(c.Band.Below.String()))
		case c.Basis == sla.PercentOfFee && c.Rate == 0:
			text += l.t("line.no_band")
		}
		return text
	case c.KeyFigure != nil:
		return l.t("line.measured", l.number(string(figure(*c.KeyFigure))), c.KeyFigure.N, l.limit(c.KeyFigure.Target.String()))
	case c.Clause == sla.ClauseMonitoring:
		return l.t("line.unmonitored", l.duration(c.Numerator), l.duration(c.Counted))
	case c.Denominator == 0:
		return l.t("line.took_day", l.duration(c.Numerator))
	}
	return l.t("line.took", l.duration(c.Numerator), l.duration(c.Denominator))
}

// priceText is what that earns.
func (l language) priceText(c sla.Line) string {
	amount, fee, rate := l.amount(c.Amount), l.amount(c.Fee), l.target(c.Rate.String())
	switch c.Basis {
	case sla.FixedAmount:
		return l.t("line.fixed", amount)
	case sla.PerIncident:
		return l.t("line.per_incident", amount)
	case sla.LostTimeOfFee:
		return l.t("line.lost", strconv.FormatInt(c.Times, 10), fee, amount)
	case sla.PercentOfFeePerInterval:
		return l.t("line.intervals", l.number(strconv.FormatInt(c.Intervals, 10)), l.duration(c.Denominator), rate, fee, amount)
	case sla.UsageOfFee:
		return l.t("line.usage", fee, amount)
	case sla.DaysOfFee:
		return l.t("line.days", c.Days, c.DaysOf, fee, amount)
	case sla.PercentOfFeePerHour:
		return l.t("line.per_hour", rate, fee, amount)
	default:
		return l.t("line.percent", rate, fee, amount)
	}
}

// findingText is the text of a finding: in English with its figures, in other
// languages what its code says.
func (l language) findingText(f sla.Finding) string {
	if key := "finding." + f.Code; l.Locale().Tag() != "en" && l.Has(key) {
		return l.t(key)
	}
	return f.Text
}

// listed joins refs, the first few of many.
func (l language) listed(refs []string) string {
	const most = 12
	if len(refs) > most {
		return l.t("and_more", strings.Join(refs[:most], ", "), len(refs)-most)
	}
	return strings.Join(refs, ", ")
}

// orNotGiven is a text, or the word for one that was not given.
func (l language) orNotGiven(text string) string { return cmp.Or(text, l.t("not_given")) }
