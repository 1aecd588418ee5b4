package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/times"
	"github.com/evenkeelops/evenkeel/roi"
	"github.com/evenkeelops/evenkeel/roi/risk"
)

// BusinessCase is the value of a managed service as a document: the published result
// and the sound one side by side, what lies between them, what speaks against them, and
// the flows. The JSON of the figures themselves is that of the [roi.Result].
type BusinessCase struct {
	Title   string // Defaults to "Is the service worth its price?".
	Result  *roi.Result
	At      time.Time      // the instant for which the document speaks
	Zone    *time.Location // of the times shown. Defaults to UTC.
	Sources []Source

	// Forecast is how sure the sound result is, nil where nothing was drawn, and
	// Distributions what it was drawn from.
	Forecast      *risk.Forecast
	Distributions map[string]risk.Distribution
	// Comparison are alternatives in scenarios, if there are any.
	Comparison []risk.Row

	// Explained lets the document end with the formula of every figure.
	Explained bool
}

// Document returns the business case, its assumptions first. A result that the method
// of the model leaves out is not shown.
func (b BusinessCase) Document() Document {
	r := b.Result
	d := Document{Title: cmp.Or(b.Title, "Is the service worth its price?"), Generated: b.At, Zone: b.Zone, Sources: b.Sources}
	if r.Currency != "" {
		d.Subtitle = "Amounts in " + r.Currency
	}
	d.Sections = []Section{
		{"assumptions", "Assumptions", []Block{b.assumptions()}},
		{"result", "Result", b.results()},
	}
	if len(r.Bridge) > 0 {
		d.Sections = append(d.Sections, Section{"bridge", "From the published result to the sound one", b.bridge()})
	}
	d.Sections = append(d.Sections, Section{"warnings", "What speaks against these figures", []Block{b.warnings()}})
	if r.Sound != nil {
		d.Sections = append(d.Sections, Section{"cash_flows", "Cash flows", b.flows()})
	}
	if len(r.Sensitivity) > 0 {
		d.Sections = append(d.Sections, Section{"sensitivity", "What the result depends on", b.tornado()})
	}
	if b.Forecast != nil {
		d.Sections = append(d.Sections, Section{"monte_carlo", "How sure that is", b.forecast()})
	}
	if len(b.Comparison) > 0 {
		d.Sections = append(d.Sections, Section{"alternatives", "Alternatives", []Block{b.comparison()}})
	}
	if b.Explained {
		d.Sections = append(d.Sections, Section{"explain", "How the figures came about", b.terms()})
	}
	return d
}

func (b BusinessCase) assumptions() Block {
	t := Table{Columns: []Column{{Title: "Input"}, {Title: "Value", Numeric: true}, {Title: "Stated"}, {Title: "Note"}}}
	for _, a := range b.Result.Assumptions {
		stated := "by default"
		if a.Given {
			stated = "yes"
		}
		t.Rows = append(t.Rows, Cells(a.Path, a.Value, stated, a.Note))
	}
	return t
}

// results sets the two results side by side.
func (b BusinessCase) results() []Block {
	p, v := b.Result.AsPublished, b.Result.Sound
	var tiles Tiles
	if p != nil {
		tiles = append(tiles, Tile{Label: "ROI as published", Value: shareOf(p.ROIPercent), Note: "counts amounts twice; see below"})
	}
	if v != nil {
		state := Good
		if v.NPV < 0 {
			state = Bad
		}
		tiles = append(tiles,
			Tile{Label: "ROI, sound", Value: shareOf(v.ROIPercent), State: state},
			Tile{Label: "net present value, sound", Value: withUnit(hundredths(v.NPV), b.Result.Currency), State: state},
			Tile{Label: "payback, sound", Value: yearsOr(v.PaybackYears)})
	}
	t := Table{Columns: []Column{{Title: "Figure"}, {Title: "As published", Numeric: true}, {Title: "Sound", Numeric: true}}}
	row := func(name string, published, sound func() string) {
		cells := Cells(name, "", "")
		if p != nil && published != nil {
			cells[1].Text = published()
		}
		if v != nil && sound != nil {
			cells[2].Text = sound()
		}
		if cells[1].Text != "" || cells[2].Text != "" {
			t.Rows = append(t.Rows, cells)
		}
	}
	row("internal cost per year", func() string { return hundredths(p.InternalAnnualCost) }, nil)
	row("managed cost per year", func() string { return hundredths(p.ManagedAnnualCost) }, nil)
	row("cost savings per year", func() string { return hundredths(p.AnnualCostSavings) }, nil)
	row("business benefit per year", func() string { return hundredths(p.AnnualBusinessBenefit) }, nil)
	row("less outage per year", func() string { return hundredths(p.Impact.DowntimeCostSavings) }, func() string { return hundredths(v.DowntimeCostSavings) })
	row("benefit per year", func() string { return hundredths(p.TotalAnnualBenefit) }, func() string { return hundredths(v.AnnualNetBenefit) })
	row("present value of benefits", nil, func() string { return hundredths(v.PVBenefits) })
	row("present value of costs", nil, func() string { return hundredths(v.PVCosts) })
	row("net present value", func() string { return hundredths(p.NPV) }, func() string { return hundredths(v.NPV) })
	row("ROI", func() string { return shareOf(p.ROIPercent) }, func() string { return shareOf(v.ROIPercent) })
	row("ROI without discounting", nil, func() string { return shareOf(v.UndiscountedROIPercent) })
	row("internal rate of return", nil, func() string { return b.rates(v) })
	row("modified rate of return", nil, func() string { return shareOf(v.MIRRPercent) })
	row("profitability index", nil, func() string { return numberOr(v.PI, "none: nothing is paid at the start") })
	row("payback", func() string { return yearsOr(p.PaybackYears) }, func() string { return yearsOr(v.PaybackYears) })
	row("discounted payback", nil, func() string { return yearsOr(v.DiscountedPaybackYears) })
	return []Block{tiles, t}
}

// rates says which rates make the present value zero.
func (b BusinessCase) rates(v *roi.Valuation) string {
	switch {
	case v.IRRPercent != nil:
		return shareOf(v.IRRPercent)
	case len(v.IRR.Roots) == 0:
		return "none"
	}
	var all []string
	for _, r := range v.IRR.Roots {
		r *= 100
		all = append(all, shareOf(&r))
	}
	return "not unique: " + strings.Join(all, ", ")
}

// bridge draws the steps as a waterfall. The rows beside it are in the table alone.
func (b BusinessCase) bridge() []Block {
	steps := b.Result.Bridge
	c := Steps{ID: "bridge-chart", Title: "Net present value", Unit: b.Result.Currency}
	t := Table{Columns: []Column{{Title: "Step"}, {Title: "Change", Numeric: true}, {Title: "Net present value", Numeric: true}, {Title: "ROI", Numeric: true}}}
	last := 0.0
	for i, s := range steps {
		change := signed(s.Change)
		if i == 0 {
			change = ""
		}
		t.Rows = append(t.Rows, Cells(s.Label, change, hundredths(s.NPV), shareOf(s.ROIPercent)))
		switch {
		case s.Memo:
			continue
		case i == 0:
			c.Steps = append(c.Steps, Step{Label: s.Label, To: s.NPV, Text: hundredths(s.NPV)})
		default:
			c.Steps = append(c.Steps, Step{Label: s.Label, From: last, To: s.NPV, Text: change, State: gain(s.Change)})
		}
		last = s.NPV
	}
	c.Steps = append(c.Steps, Step{Label: "sound", To: last, Text: hundredths(last)})
	c.Summary = fmt.Sprintf("%s as published, %s after what was counted twice or left out.", hundredths(steps[0].NPV), hundredths(last))
	return []Block{c, t}
}

func (b BusinessCase) warnings() Block {
	if len(b.Result.Warnings) == 0 {
		return Text("Nothing was found.")
	}
	t := Table{Columns: Columns("Code", "What")}
	for _, w := range b.Result.Warnings {
		t.Rows = append(t.Rows, Cells(string(w.Code), w.Message))
	}
	return t
}

// flows draws the cumulated flows, a row for each year, and lists what they are made of.
func (b BusinessCase) flows() []Block {
	flows := b.Result.Sound.Flows
	c := Steps{ID: "cash-flow-chart", Title: "Cumulated cash flow", Unit: b.Result.Currency, Per: "Year"}
	sum := 0.0
	for i, f := range flows {
		year := 0
		if i > 0 {
			year = (i-1)/b.perYear() + 1
		}
		label := "year " + strconv.Itoa(year)
		if i == 0 {
			label = "start"
		}
		if n := len(c.Steps); n > 0 && c.Steps[n-1].Label == label {
			c.Steps[n-1].To += f.Amount
		} else {
			c.Steps = append(c.Steps, Step{Label: label, From: sum, To: sum + f.Amount})
		}
		sum += f.Amount
	}
	for i := range c.Steps {
		s := &c.Steps[i]
		s.Text, s.State = signed(s.To-s.From), gain(s.To-s.From)
	}
	payback := "never pays back within the horizon"
	if at := b.Result.Sound.PaybackYears; at != nil {
		payback = "pays back after " + yearsOr(at)
	}
	c.Summary = fmt.Sprintf("%s over %d years, which %s.", signed(sum), len(c.Steps)-1, payback)
	t := Table{Columns: []Column{{Title: "Period", Numeric: true}, {Title: "Years", Numeric: true}, {Title: "Item"}, {Title: "Amount", Numeric: true}}}
	listed := 0
	for i, f := range flows {
		if i > 1 && slices.Equal(f.Items, flows[i-1].Items) {
			continue
		}
		listed++
		for _, item := range f.Items {
			t.Rows = append(t.Rows, Cells(strconv.Itoa(f.Period), exact(f.Years), item.Name, signed(amountOf(item))))
		}
		t.Rows = append(t.Rows, Cells(strconv.Itoa(f.Period), exact(f.Years), "net", signed(f.Amount)))
	}
	blocks := []Block{c, t}
	if listed < len(flows) {
		blocks = append(blocks, Text("Periods that are not listed are as the one before."))
	}
	return blocks
}

// perYear is the number of flows in a year, from the time between two of them.
func (b BusinessCase) perYear() int {
	flows := b.Result.Sound.Flows
	if len(flows) < 3 {
		return 1
	}
	return max(1, int(math.Round(1/(flows[2].Years-flows[1].Years))))
}

func amountOf(item roi.Item) float64 {
	if item.Cost {
		return -item.Amount
	}
	return item.Amount
}

// tornado draws what each input does to the net present value, the widest first.
func (b BusinessCase) tornado() []Block {
	c := Steps{
		ID: "tornado", Title: "Net present value by input", Unit: b.Result.Currency, Per: "Input", From: "At the low value", To: "At the high value",
		Limits: []Limit{{Name: "as it is", Value: b.Result.Sound.NPV}},
	}
	t := Table{Columns: []Column{
		{Title: "Input"},
		{Title: "Low", Numeric: true},
		{Title: "High", Numeric: true},
		{Title: "Net present value at low", Numeric: true},
		{Title: "at high", Numeric: true},
		{Title: "ROI at low", Numeric: true},
		{Title: "at high", Numeric: true},
	}}
	for _, s := range b.Result.Sensitivity {
		if len(c.Steps) < MaxBars {
			c.Steps = append(c.Steps, Step{Label: s.Field, From: s.NPVAtLow, To: s.NPVAtHigh, Text: number(s.Low) + " to " + number(s.High)})
		}
		t.Rows = append(t.Rows, Cells(s.Field, number(s.Low), number(s.High), hundredths(s.NPVAtLow), hundredths(s.NPVAtHigh), shareOf(s.ROIPercentAtLow), shareOf(s.ROIPercentAtHigh)))
	}
	widest := b.Result.Sensitivity[0]
	c.Summary = fmt.Sprintf("%s matters most: from %s to %s the net present value goes from %s to %s.",
		widest.Field, number(widest.Low), number(widest.High), hundredths(widest.NPVAtLow), hundredths(widest.NPVAtHigh))
	return []Block{c, t}
}

func (b BusinessCase) terms() []Block {
	var blocks []Block
	list := func(caption string, terms []roi.Term) {
		t := Table{Caption: caption, Columns: []Column{{Title: "Figure"}, {Title: "Formula"}, {Title: "Value", Numeric: true}}}
		for _, term := range terms {
			t.Rows = append(t.Rows, Cells(term.Name, term.Formula, exact(term.Value)))
		}
		blocks = append(blocks, t)
	}
	if p := b.Result.AsPublished; p != nil {
		list("As published", p.Terms)
	}
	if v := b.Result.Sound; v != nil {
		list("Sound", v.Terms)
	}
	return blocks
}

// Table returns the figures for spreadsheets and programs, a row each:
//
//	result   as_published, sound, bridge, cash_flow, sensitivity, monte_carlo, histogram, spearman or alternative
//	figure   its key, the step of the bridge, the item of a flow, the input, from where to where a column of the
//	         histogram goes, or the scenario and the alternative
//	period   of a cash flow, 0 the start; else empty
//	value    a decimal number, empty where there is none
//	unit     the currency, percent, years or scenarios
func (b BusinessCase) Table() Table {
	t := Table{Columns: []Column{{Title: "result"}, {Title: "figure"}, {Title: "period", Numeric: true}, {Title: "value", Numeric: true}, {Title: "unit"}}}
	add := func(result, figure, period string, value *float64, unit string) {
		text := ""
		if value != nil {
			text = strconv.FormatFloat(*value, 'f', -1, 64)
		}
		t.Rows = append(t.Rows, Cells(result, figure, period, text, unit))
	}
	r := b.Result
	if p := r.AsPublished; p != nil {
		for _, f := range []struct {
			name  string
			value *float64
			unit  string
		}{
			{"internal_annual_cost", &p.InternalAnnualCost, r.Currency},
			{"managed_service_annual_cost", &p.ManagedAnnualCost, r.Currency},
			{"annual_cost_savings", &p.AnnualCostSavings, r.Currency},
			{"annual_business_benefit", &p.AnnualBusinessBenefit, r.Currency},
			{"total_annual_benefit", &p.TotalAnnualBenefit, r.Currency},
			{"npv_3_years", &p.NPV, r.Currency},
			{"payback_period_years", p.PaybackYears, "years"},
			{"roi_percentage", p.ROIPercent, "percent"},
			{"break_even_months", p.BreakEvenMonths, "months"},
		} {
			add("as_published", f.name, "", f.value, f.unit)
		}
	}
	if v := r.Sound; v != nil {
		for _, f := range []struct {
			name  string
			value *float64
			unit  string
		}{
			{"npv", &v.NPV, r.Currency},
			{"pv_benefits", &v.PVBenefits, r.Currency},
			{"pv_costs", &v.PVCosts, r.Currency},
			{"roi_percent", v.ROIPercent, "percent"},
			{"roi_undiscounted_percent", v.UndiscountedROIPercent, "percent"},
			{"irr_percent", v.IRRPercent, "percent"},
			{"mirr_percent", v.MIRRPercent, "percent"},
			{"pi", v.PI, ""},
			{"payback_years", v.PaybackYears, "years"},
			{"discounted_payback_years", v.DiscountedPaybackYears, "years"},
		} {
			add("sound", f.name, "", f.value, f.unit)
		}
	}
	for _, s := range r.Bridge {
		add("bridge", s.Step, "", &s.NPV, r.Currency)
	}
	if r.Sound != nil {
		for _, f := range r.Sound.Flows {
			for _, item := range f.Items {
				amount := amountOf(item)
				add("cash_flow", item.Name, strconv.Itoa(f.Period), &amount, r.Currency)
			}
			add("cash_flow", "net", strconv.Itoa(f.Period), &f.Amount, r.Currency)
		}
	}
	for _, s := range r.Sensitivity {
		add("sensitivity", s.Field+" = "+number(s.Low), "", &s.NPVAtLow, r.Currency)
		add("sensitivity", s.Field+" = "+number(s.High), "", &s.NPVAtHigh, r.Currency)
	}
	b.addForecast(add)
	for i := range b.Comparison {
		row := &b.Comparison[i]
		add("alternative", row.Scenario+": "+row.Alternative, "", &row.NPV, r.Currency)
	}
	return t
}

// gain is the state of a change for the better or the worse.
func gain(change float64) State {
	switch {
	case change < 0:
		return Bad
	case change > 0:
		return Good
	}
	return ""
}

// hundredths writes an amount with two decimals.
func hundredths(v float64) string { return strconv.FormatFloat(v+0, 'f', 2, 64) }

// signed is hundredths with the sign of what is added, too.
func signed(v float64) string {
	if v > 0 {
		return "+" + hundredths(v)
	}
	return hundredths(v)
}

func shareOf(v *float64) string {
	if v == nil {
		return "none"
	}
	return strconv.FormatFloat(*v, 'f', 1, 64) + " %"
}

// yearsOr is a time in years as one says it; the exact figure is among the data.
func yearsOr(v *float64) string {
	if v == nil {
		return "never"
	}
	return times.Years(*v)
}

func numberOr(v *float64, otherwise string) string {
	if v == nil {
		return otherwise
	}
	return hundredths(*v)
}
