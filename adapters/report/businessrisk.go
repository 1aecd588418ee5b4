package report

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/evenkeelops/evenkeel/roi/risk"
)

// forecast shows what was drawn and what came of it: the share of losses, how the
// present values are spread, and which input they follow.
func (b BusinessCase) forecast() []Block {
	f := b.Forecast
	blocks := []Block{b.distributions()}
	if f.Valid == 0 {
		return append(blocks, b.refused())
	}
	loss := f.Loss * 100
	state := Good
	if f.NPV.P5 < 0 {
		state = Bad
	}
	tiles := Tiles{
		{Label: "probability of a loss", Value: shareOf(&loss), Note: fmt.Sprintf("net present value below 0 in %d scenarios, seed %d", f.Valid, f.Seed), State: state},
		{Label: "net present value in nine of ten", Value: hundredths(f.NPV.P5) + " to " + hundredths(f.NPV.P95), Note: b.Result.Currency},
		{Label: "mean", Value: withUnit(hundredths(f.NPV.Mean), b.Result.Currency), Note: standardError(f.NPV)},
	}
	blocks = append(blocks, tiles, b.histogram(), b.columns(), b.shares())
	if drivers := b.drivers(); len(drivers.Steps) > 0 {
		blocks = append(blocks, drivers)
	}
	if len(f.Refused) > 0 {
		blocks = append(blocks, b.refused())
	}
	return blocks
}

func standardError(s *risk.Summary) string {
	if s.StandardError == nil {
		return "of one scenario"
	}
	return "± " + hundredths(*s.StandardError) + " by drawing (standard error)"
}

// distributions lists what is drawn.
func (b BusinessCase) distributions() Table {
	t := Table{Columns: Columns("Drawn input", "Distribution", "Parameters")}
	for _, name := range slices.Sorted(maps.Keys(b.Distributions)) {
		d := b.Distributions[name]
		t.Rows = append(t.Rows, Cells(name, string(d.Kind), parameters(&d)))
	}
	return t
}

// parameters writes those of a distribution that its kind has.
func parameters(d *risk.Distribution) string {
	text := ""
	add := func(name, value string) { text += ", " + name + " " + value }
	switch d.Kind {
	case risk.Uniform:
		add("min", number(d.Min))
		add("max", number(d.Max))
	case risk.Triangular, risk.PERT:
		add("min", number(d.Min))
		add("mode", number(d.Mode))
		add("max", number(d.Max))
	case risk.Normal, risk.Lognormal:
		add("mean", number(d.Mean))
		add("sd", number(d.SD))
	case risk.Discrete, risk.Empirical:
		add(strconv.Itoa(len(d.Values)), "values")
	default:
		add("value", number(d.Value))
	}
	if d.From != nil {
		add("from", number(*d.From))
	}
	if d.UpTo != nil {
		add("up to", number(*d.UpTo))
	}
	if d.Sum > 1 {
		add("sum of", strconv.Itoa(d.Sum))
	}
	return strings.TrimPrefix(text, ", ")
}

// histogram draws how many scenarios lie in each column; those of losses are bad. Where
// there are more than a chart takes, several are one bar.
func (b BusinessCase) histogram() Bars {
	f := b.Forecast
	c := Bars{ID: "histogram", Title: "Scenarios by net present value", Unit: "scenarios", Per: "Net present value from"}
	scale, unit := columnUnit(f.Histogram)
	each := (len(f.Histogram) + MaxBars - 1) / MaxBars // columns in a bar
	for bins := range slices.Chunk(f.Histogram, each) {
		from, to, count, state := bins[0].From, bins[len(bins)-1].To, 0, State("")
		for _, bin := range bins {
			count += bin.Count
		}
		if to <= 0 {
			state = Bad
		}
		c.Bars = append(c.Bars, Bar{Label: strconv.FormatFloat(from/scale, 'f', unit.decimals, 64) + unit.suffix, Value: float64(count), State: state})
	}
	c.Summary = fmt.Sprintf("Half of the scenarios lie above %s, one in twenty below %s and one in twenty above %s.", hundredths(f.NPV.P50), hundredths(f.NPV.P5), hundredths(f.NPV.P95))
	return c
}

// columns is the histogram for those who read text.
func (b BusinessCase) columns() Table {
	const widest = 40
	t := Table{Columns: []Column{{Title: "Net present value from", Numeric: true}, {Title: "to", Numeric: true}, {Title: "Scenarios", Numeric: true}, {Title: "Share", Numeric: true}, {Title: ""}}}
	most := 1
	for _, bin := range b.Forecast.Histogram {
		most = max(most, bin.Count)
	}
	for _, bin := range b.Forecast.Histogram {
		share := float64(bin.Count) / float64(b.Forecast.Valid) * 100
		bar := strings.Repeat("█", (bin.Count*widest+most-1)/most)
		t.Rows = append(t.Rows, Cells(hundredths(bin.From), hundredths(bin.To), strconv.Itoa(bin.Count), shareOf(&share), bar))
	}
	return t
}

type columnLabel struct {
	suffix   string
	decimals int
}

// columnUnit keeps the labels of columns short, and two of them different.
func columnUnit(bins []risk.Bin) (scale float64, unit columnLabel) {
	largest := max(-bins[0].From, bins[len(bins)-1].To)
	scale = 1
	for _, u := range []struct {
		scale  float64
		suffix string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if largest >= 10*u.scale {
			scale, unit.suffix = u.scale, u.suffix
			break
		}
	}
	for width := (bins[0].To - bins[0].From) / scale; width > 0 && width < 1 && unit.decimals < 6; width *= 10 {
		unit.decimals++
	}
	return scale, unit
}

// shares lists the figures of a forecast.
func (b BusinessCase) shares() Table {
	f := b.Forecast
	t := Table{Columns: []Column{{Title: "Figure"}, {Title: "Value", Numeric: true}}}
	add := func(name, value string) { t.Rows = append(t.Rows, Cells(name, value)) }
	percent := func(share float64) string {
		share *= 100
		return shareOf(&share)
	}
	for _, p := range []struct {
		name  string
		value float64
	}{{"least", f.NPV.Min}, {"5 % lie below", f.NPV.P5}, {"median", f.NPV.P50}, {"95 % lie below", f.NPV.P95}, {"greatest", f.NPV.Max}} {
		add("net present value: "+p.name, hundredths(p.value))
	}
	add("loss that one scenario in twenty exceeds (below 0: a gain)", hundredths(f.ValueAtRisk))
	add("mean loss of that twentieth (below 0: a gain)", hundredths(f.ExpectedShortfall))
	add("scenarios without an internal rate of return", percent(f.NoIRR))
	add("scenarios that do not pay back", percent(f.NoPayback))
	for _, c := range f.Claims {
		claim := fmt.Sprintf("claimed savings of %g to %g %%", c.Low*100, c.High*100)
		if c.Claim == risk.ClaimPayback {
			claim = fmt.Sprintf("claimed payback of %g to %g months", c.Low, c.High)
		}
		add(claim+": worse", percent(c.Missed))
		add(claim+": better", percent(c.Exceeded))
	}
	return t
}

// drivers is a tornado of rank correlations.
func (b BusinessCase) drivers() Steps {
	c := Steps{ID: "drivers", Title: "Rank correlation with the net present value", Per: "Input", From: "None", To: "Spearman's rho"}
	for _, d := range b.Forecast.Drivers {
		if d.Spearman != nil && len(c.Steps) < MaxBars {
			c.Steps = append(c.Steps, Step{Label: d.Path, To: *d.Spearman, Text: strconv.FormatFloat(*d.Spearman, 'f', 2, 64), State: gain(*d.Spearman)})
		}
	}
	if len(c.Steps) > 0 {
		c.Summary = fmt.Sprintf("The result follows %s most: %s.", c.Steps[0].Label, c.Steps[0].Text)
	}
	return c
}

func (b BusinessCase) refused() Table {
	t := Table{Columns: []Column{{Title: "Scenarios refused for"}, {Title: "Scenarios", Numeric: true}}}
	for _, r := range b.Forecast.Refused {
		why := r.Path
		if why == "" {
			why = "a result out of range"
		}
		t.Rows = append(t.Rows, Cells(why, strconv.Itoa(r.Scenarios)))
	}
	return t
}

// comparison lists the alternatives by scenario.
func (b BusinessCase) comparison() Table {
	t := Table{Columns: []Column{
		{Title: "Scenario"},
		{Title: "Alternative"},
		{Title: "Present value of costs", Numeric: true},
		{Title: "Net present value", Numeric: true},
		{Title: "behind the best", Numeric: true},
		{Title: "ROI", Numeric: true},
		{Title: "Payback", Numeric: true},
		{Title: "Best"},
	}}
	for _, r := range b.Comparison {
		best, ratio, payback := "", "", ""
		if r.Best {
			best = "yes"
		}
		if r.ROIPercent != nil {
			ratio = shareOf(r.ROIPercent)
		}
		if r.PaybackYears != nil {
			payback = yearsOr(r.PaybackYears)
		}
		t.Rows = append(t.Rows, Cells(r.Scenario, r.Alternative, hundredths(r.PVCosts), hundredths(r.NPV), hundredths(r.Regret), ratio, payback, best))
	}
	return t
}

// addForecast adds the rows of a forecast to the table of figures.
func (b BusinessCase) addForecast(add func(result, figure, period string, value *float64, unit string)) {
	f := b.Forecast
	if f == nil || f.Valid == 0 {
		return
	}
	percent := func(share float64) *float64 {
		share *= 100
		return &share
	}
	for _, r := range []struct {
		name  string
		value *float64
		unit  string
	}{
		{"mean", &f.NPV.Mean, b.Result.Currency},
		{"sd", f.NPV.SD, b.Result.Currency},
		{"standard_error", f.NPV.StandardError, b.Result.Currency},
		{"p5", &f.NPV.P5, b.Result.Currency},
		{"p50", &f.NPV.P50, b.Result.Currency},
		{"p95", &f.NPV.P95, b.Result.Currency},
		{"loss", percent(f.Loss), "percent"},
		{"no_irr", percent(f.NoIRR), "percent"},
		{"no_payback", percent(f.NoPayback), "percent"},
	} {
		add("monte_carlo", r.name, "", r.value, r.unit)
	}
	for _, bin := range f.Histogram {
		count := float64(bin.Count)
		add("histogram", number(bin.From)+" to "+number(bin.To), "", &count, "scenarios")
	}
	for _, d := range f.Drivers {
		add("spearman", d.Path, "", d.Spearman, "")
	}
}
