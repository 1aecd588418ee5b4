package report

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/forecast"
)

// Outlook is what is known of the months ahead: what will not be supported any more, and
// what fills up. The zero value knows nothing, and documents say so.
type Outlook struct {
	// At is the instant of which verdicts speak. Defaults to that of the report.
	At time.Time `json:"at,omitzero"`

	Components []Component `json:"components,omitempty"` // in the order shown
	Capacities []Capacity  `json:"capacities,omitempty"` // in the order shown
}

// Component is something in use that its maker supports for a time. Dates are like
// "2027-06-30", days on the clock of the report's zone.
type Component struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	Service string `json:"service,omitempty"` // "" for all

	EndOfSupport string `json:"end_of_support,omitempty"` // the last day with support; "" for not known
	Replacement  string `json:"replacement,omitempty"`    // what comes instead; "" for not decided
	Planned      string `json:"planned,omitempty"`        // the day on which it is replaced; "" for not planned
}

// Capacity is a resource that fills up, with what was measured of it.
type Capacity struct {
	Name    string `json:"name"`
	Service string `json:"service,omitempty"` // "" for all
	Unit    string `json:"unit,omitempty"`    // of the values and the limit

	// Limit is the value at which there is no more, above 0.
	Limit float64 `json:"limit"`
	// Series is how much was in use. Fewer than four values below the limit give no data.
	Series forecast.Series `json:"series"`
	// Forecast is when the limit is reached, where the caller knows. Defaults to
	// [forecast.Exhaustion] of the series.
	Forecast *forecast.ETA `json:"forecast,omitempty"`
}

// Soon is how far ahead an end of support or a full resource is a warning.
const Soon = 180 * 24 * time.Hour

// leastValues is how many measured values a forecast is made of.
const leastValues = 4

// Validate returns all that is wrong, joined, each with its place: names and limits
// that are missing, dates that are none, and series that cannot be read.
func (o Outlook) Validate() error {
	var problems []error
	bad := func(path, format string, args ...any) {
		problems = append(problems, fmt.Errorf("report: outlook: %s: %s", path, fmt.Sprintf(format, args...)))
	}
	for i, c := range o.Components {
		path := "components[" + strconv.Itoa(i) + "]"
		if c.Name == "" {
			bad(path+".name", "missing, want what it is called")
		}
		for _, d := range []struct{ key, date string }{{"end_of_support", c.EndOfSupport}, {"planned", c.Planned}} {
			if _, err := time.Parse(time.DateOnly, d.date); d.date != "" && err != nil {
				bad(path+"."+d.key, "%q, want a date like 2027-06-30", d.date)
			}
		}
	}
	for i, c := range o.Capacities {
		path := "capacities[" + strconv.Itoa(i) + "]"
		if c.Name == "" {
			bad(path+".name", "missing, want what it is called")
		}
		if !finite(c.Limit) || c.Limit <= 0 {
			bad(path+".limit", "%v, want a number above 0", c.Limit)
		}
		if len(c.Series.Values) > 0 {
			if err := c.Series.Validate(); err != nil {
				bad(path+".series", "%v", err)
			}
		}
	}
	return errors.Join(problems...)
}

// Exhaustion returns when the limit is reached: Already where the last value is there, and
// Unknown where too little was measured to tell. The errors are those of [forecast.Exhaustion].
func (c Capacity) Exhaustion() (forecast.ETA, error) {
	if c.Forecast != nil {
		return *c.Forecast, nil
	}
	measured := 0
	for _, v := range c.Series.Values {
		if !math.IsNaN(v) {
			measured++
		}
	}
	switch value, ok := c.last(); {
	case ok && value >= c.Limit: // which needs no forecast
		return forecast.ETA{State: forecast.Already, Confidence: 1}, nil
	case measured < leastValues:
		return forecast.ETA{}, nil
	}
	e, err := forecast.Exhaustion(c.Series, c.Limit, nil)
	switch {
	case errors.Is(err, forecast.ErrTooShort):
		return forecast.ETA{}, nil
	case err != nil:
		return forecast.ETA{}, fmt.Errorf("report: capacity %q: %w", c.Name, err)
	}
	return *e, nil
}

// last is the latest value that was measured.
func (c Capacity) last() (value float64, ok bool) {
	for _, v := range slices.Backward(c.Series.Values) {
		if !math.IsNaN(v) {
			return v, true
		}
	}
	return 0, false
}

// outlook writes an Outlook in the language of a report.
type outlook struct {
	serviceDoc
	Outlook
}

// outlook returns what is known of the months ahead, as of its own instant or that of
// the last report.
func (p pack) outlook(o *Outlook) (outlook, error) {
	known := outlook{serviceDoc: p.last}
	if o != nil {
		known.Outlook = *o
	}
	if known.At.IsZero() {
		known.At = p.last.Report.At
	}
	return known, known.Validate()
}

// roadmap is how long components are supported, and what comes after them.
func (o outlook) roadmap() []Block {
	t := Table{Caption: o.t("end_of_support"), Columns: []Column{
		{Title: o.t("component")}, {Title: o.t("version")}, {Title: o.t("service")}, {Title: o.t("supported_until")}, {Title: o.t("days_left"), Numeric: true}, {Title: o.t("replacement")}, {Title: o.t("replaced_on")}, {Title: o.t("verdict")},
	}}
	for _, c := range o.Components {
		left := o.t("no_data")
		if c.EndOfSupport != "" {
			left = o.count(o.daysTo(c.EndOfSupport))
		}
		t.Rows = append(t.Rows, []Cell{
			{Text: c.Name}, {Text: c.Version}, {Text: o.service(c.Service)}, {Text: o.date(c.EndOfSupport)}, {Text: left}, {Text: o.orNotGiven(c.Replacement)}, {Text: o.date(c.Planned)}, o.supported(c),
		})
	}
	return []Block{t.or(o.t("no_components"))}
}

// supported judges a component. Dates of this form compare as texts.
func (o outlook) supported(c Component) Cell {
	switch {
	case c.EndOfSupport == "":
		return Cell{State: NoData}
	case o.daysTo(c.EndOfSupport) < 0:
		return Cell{Text: o.t("support_is_over"), State: Bad}
	case c.Planned > c.EndOfSupport:
		return Cell{Text: o.t("replaced_too_late"), State: Warning}
	case c.Planned != "":
		return Cell{Text: o.t("replaced_in_time"), State: Good}
	case o.daysTo(c.EndOfSupport) <= int(Soon/(24*time.Hour)):
		return Cell{Text: o.t("no_replacement_is_planned"), State: Warning}
	}
	return Cell{Text: o.t("supported"), State: Good}
}

// daysTo counts the days from the one of At to a date, which has been read before; it
// is negative behind the date.
func (o outlook) daysTo(date string) int {
	last, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return 0
	}
	year, month, day := o.At.In(o.zone).Date()
	return int(last.Sub(time.Date(year, month, day, 0, 0, 0, 0, time.UTC)) / (24 * time.Hour))
}

// date writes a date of a file; "no data" for none.
func (o outlook) date(text string) string {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return o.t("no_data")
	}
	return o.language.Locale().Date(at)
}

// capacity is what fills up, and when.
func (o outlook) capacity() ([]Block, error) {
	t := Table{Caption: o.t("capacity_and_limits"), Columns: []Column{
		{Title: o.t("resource")}, {Title: o.t("service")}, {Title: o.t("in_use"), Numeric: true}, {Title: o.t("limit"), Numeric: true}, {Title: o.t("share"), Numeric: true}, {Title: o.t("growth_per_day"), Numeric: true}, {Title: o.t("limit_reached")}, {Title: o.t("between")}, {Title: o.t("confidence"), Numeric: true}, {Title: o.t("verdict")},
	}}
	for _, c := range o.Capacities {
		e, err := c.Exhaustion()
		if err != nil {
			return nil, err
		}
		row := []Cell{{Text: c.Name}, {Text: o.service(c.Service)}, {State: NoData}, {Text: o.measured(c.Limit, c.Unit)}, {State: NoData}, {State: NoData}, {State: NoData}, {State: NoData}, {State: NoData}, o.full(e)}
		if value, ok := c.last(); ok {
			row[2] = Cell{Text: o.measured(value, c.Unit)}
			row[4] = Cell{Text: o.target(rounded(value / c.Limit * 100))}
		}
		if e.State != forecast.Unknown {
			row[8] = Cell{Text: o.target(rounded(e.Confidence * 100))}
		}
		if e.Slope != nil {
			row[5] = Cell{Text: o.measured(*e.Slope, c.Unit)}
		}
		if e.Median != nil {
			row[6] = Cell{Text: o.day(*e.Median)}
		}
		if e.Earliest != nil && e.Latest != nil {
			row[7] = Cell{Text: o.t("from_to", o.day(*e.Earliest), o.day(*e.Latest))}
		}
		t.Rows = append(t.Rows, row)
	}
	if len(t.Rows) == 0 {
		return []Block{Text(o.t("no_capacities"))}, nil
	}
	return []Block{t, Text(o.t("capacity_explained"))}, nil
}

// full judges a resource by when it may be full at the earliest.
func (o outlook) full(e forecast.ETA) Cell {
	switch {
	case e.State == forecast.Unknown:
		return Cell{State: NoData}
	case e.State == forecast.Already:
		return Cell{Text: o.t("full_already"), State: Bad}
	case e.State == forecast.Never:
		return Cell{Text: o.t("does_not_grow"), State: Good}
	case e.Earliest != nil && !e.Earliest.After(o.At.Add(Soon)):
		return Cell{Text: o.t("full_soon"), State: Warning}
	}
	return Cell{Text: o.t("enough_for_now"), State: Good}
}

func (o outlook) day(t time.Time) string { return o.language.Locale().Date(t.In(o.zone)) }

func (o outlook) measured(value float64, unit string) string {
	return withUnit(o.number(rounded(value)), unit)
}

// rounded writes a measured value with at most two decimals.
func rounded(value float64) string {
	return string(short(strconv.FormatFloat(value, 'f', 2, 64)))
}
