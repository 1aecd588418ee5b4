package report

import (
	"slices"
	"strconv"
	"time"
)

// listedTimes is how many rows the values of a chart may have; more are told by
// their extremes.
const listedTimes = 40

// tables lists what a chart shows, for those who do not see it: its values, or
// their extremes where there are many, and its marks and spans.
func (c Chart) tables(l language) []Table {
	var all []Table
	if values := c.values(l); len(values.Rows) > 0 {
		if len(values.Rows) > listedTimes {
			values = c.extremes(l)
		}
		all = append(all, values)
	}
	noted := Table{Caption: l.t("marks_of", c.Title), Columns: []Column{{Title: l.t("when")}, {Title: l.t("what")}}}
	for _, m := range c.Marks {
		noted.Rows = append(noted.Rows, []Cell{{Text: l.second(m.At)}, {Text: m.Name}})
	}
	for _, s := range c.Spans {
		noted.Rows = append(noted.Rows, []Cell{{Text: l.t("from_to", l.second(s.Start), l.second(s.End))}, {Text: s.Name, State: s.State}})
	}
	if len(noted.Rows) > 0 {
		all = append(all, noted)
	}
	for _, b := range c.Bands {
		if len(b.Points) > 0 {
			all = append(all, b.table(c.Unit, l))
		}
	}
	return all
}

// table has a row for each change of a band, and of those that are listed only.
func (b Band) table(unit string, l language) Table {
	t := Table{Caption: b.Name, Columns: []Column{{Title: l.t("from")}, {Title: withColumnUnit(l.t("low"), unit), Numeric: true}, {Title: withColumnUnit(l.t("high"), unit), Numeric: true}}}
	for i, r := range b.Points {
		if i > 0 && (r.Low == b.Points[i-1].Low && r.High == b.Points[i-1].High || !r.known() && !b.Points[i-1].known()) {
			continue
		}
		if len(t.Rows) == listedTimes {
			t.Caption = l.t("first_changes", t.Caption, listedTimes)
			break
		}
		low, high := Point{Value: r.Low}, Point{Value: r.High}
		t.Rows = append(t.Rows, []Cell{{Text: l.second(r.At)}, low.cell(l), high.cell(l)})
	}
	return t
}

// values has a row per instant and a column per series, and ends early when it
// has more rows than are listed.
func (c Chart) values(l language) Table {
	t := Table{Caption: l.t("values_of", c.Title), Columns: []Column{{Title: l.t("when")}}}
	next := make([]int, len(c.Series)) // by series, the first point not listed yet
	for _, s := range c.Series {
		t.Columns = append(t.Columns, Column{Title: withColumnUnit(s.Name, c.Unit), Numeric: true})
	}
	for len(t.Rows) <= listedTimes {
		var at time.Time
		found := false
		for i, s := range c.Series {
			if next[i] < len(s.Points) && (!found || s.Points[next[i]].At.Before(at)) {
				at, found = s.Points[next[i]].At, true
			}
		}
		if !found {
			break
		}
		row := make([]Cell, 1, len(t.Columns))
		row[0].Text = l.second(at)
		for i, s := range c.Series {
			var cell Cell
			if next[i] < len(s.Points) && s.Points[next[i]].At.Equal(at) {
				cell = s.Points[next[i]].cell(l)
				next[i]++
			}
			row = append(row, cell)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// extremes has a row per series.
func (c Chart) extremes(l language) Table {
	t := Table{
		Caption: l.t("values_of", c.Title),
		Columns: []Column{
			{Title: withColumnUnit(l.t("series"), c.Unit)},
			{Title: l.t("points"), Numeric: true},
			{Title: l.t("without_data"), Numeric: true},
			{Title: l.t("lowest")},
			{Title: l.t("highest")},
			{Title: l.t("last")},
		},
	}
	for _, s := range c.Series {
		known := slices.DeleteFunc(slices.Clone(s.Points), func(p Point) bool { return !finite(p.Value) })
		row := []Cell{{Text: s.Name}, {Text: l.count(len(s.Points))}, {Text: l.count(len(s.Points) - len(known))}}
		if len(known) == 0 {
			t.Rows = append(t.Rows, append(row, Cell{State: NoData}, Cell{State: NoData}, Cell{State: NoData}))
			continue
		}
		byValue := func(a, b Point) int {
			switch {
			case a.Value < b.Value:
				return -1
			case a.Value > b.Value:
				return 1
			}
			return 0
		}
		for _, p := range []Point{slices.MinFunc(known, byValue), slices.MaxFunc(known, byValue), known[len(known)-1]} {
			row = append(row, Cell{Text: l.t("value_at", l.number(number(p.Value)), l.second(p.At))})
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (p Point) cell(l language) Cell {
	if !finite(p.Value) {
		return Cell{State: NoData}
	}
	return Cell{Text: l.number(number(p.Value))}
}

// number writes a value of a drawing with at most nine significant digits.
func number(value float64) string { return strconv.FormatFloat(value, 'g', 9, 64) }

func withUnit(text, unit string) string {
	if unit == "" {
		return text
	}
	return text + " " + unit
}

func withColumnUnit(title, unit string) string {
	if unit == "" {
		return title
	}
	return title + " (" + unit + ")"
}
