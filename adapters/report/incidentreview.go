package report

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// IncidentReview is the incident part of a monthly service review or a quarterly
// business review as a document. Each of its tables can be written as CSV.
type IncidentReview struct {
	Title  string // Defaults to "Incident review".
	Review incident.Review
	Zone   *time.Location // of the times shown. Defaults to UTC.
}

// Document returns the review: key figures with their definitions, incidents by
// severity, service, team and centre, what they cost, the trend, changes, and what
// ought to be better.
func (r IncidentReview) Document() Document {
	d := Document{Title: r.Title, Generated: r.Review.At, Zone: r.Zone}
	if d.Title == "" {
		d.Title = "Incident review"
	}
	zone := d.zone()
	d.Subtitle = clock(r.Review.Period.Start, zone) + " to " + clock(r.Review.Period.End, zone)
	d.Sections = []Section{
		{"kpis", "Key figures", []Block{r.kpis("Key figures and targets")}},
		{"severity", "Incidents by severity", []Block{groups("Severity", r.Review.BySeverity)}},
		{"service", "Incidents by service", []Block{r.availability(), groups("Service", r.Review.Services)}},
		{"team", "Teams", []Block{groups("Team", r.teams())}},
		{"centre", "Operations centres", []Block{groups("Centre", r.Review.Centres)}},
		{"cost", "What incidents cost", r.costs()},
		{"trend", "Trend", []Block{groups("Month", r.trend())}},
		{"changes", "Changes", []Block{r.changes(), r.upcoming(zone)}},
		{"improvement", "What ought to be better", []Block{r.missed(), r.late(), r.recurring(), r.measures()}},
	}
	return d
}

func (r IncidentReview) teams() []incident.Group {
	return mapped(r.Review.Teams, func(t incident.TeamFigures) incident.Group { return incident.Group{Key: t.Team, Figures: t.Figures} })
}

func (r IncidentReview) trend() []incident.Group {
	return mapped(r.Review.Trend, func(m incident.TrendMonth) incident.Group { return incident.Group{Key: m.Month, Figures: m.Figures} })
}

// kpis shows some key figures, all if none is named.
func (r IncidentReview) kpis(caption string, only ...incident.KPI) Block {
	t := Table{Caption: caption, Columns: []Column{
		{Title: "Figure"}, {Title: "Definition"}, {Title: "Value", Numeric: true}, {Title: "Over", Numeric: true}, {Title: "Target"}, {Title: "Verdict"},
	}}
	for _, k := range r.Review.KPIs {
		if len(only) > 0 && !slices.Contains(only, k.KPI) {
			continue
		}
		t.Rows = append(t.Rows, []Cell{
			{Text: words(string(k.KPI))}, {Text: k.Definition}, {Text: kpiValue(k)}, {Text: strconv.Itoa(k.N)}, {Text: k.Target.String()}, verdictCell(k),
		})
	}
	return t
}

// kpiValue is the value rounded to two decimals, a time to seconds.
func kpiValue(k incident.KeyFigure) string {
	switch {
	case k.Value == nil && k.AtLeast != nil:
		k.Value = k.AtLeast
		return "at least " + kpiValue(k)
	case k.Value == nil:
		return "no data"
	case k.Unit == incident.UnitSeconds:
		return secondsText(k.Value)
	case k.Unit == incident.UnitPercent:
		return k.Value.FloatString(2) + " %"
	case k.Unit == incident.UnitMoney:
		return k.Value.FloatString(2) + " " + string(k.Currency)
	case k.Unit == incident.UnitCount:
		return k.Value.RatString()
	}
	return k.Value.FloatString(2)
}

// secondsText is a time rounded down to whole seconds; "no data" for nil.
func secondsText(s *big.Rat) string {
	if s == nil {
		return "no data"
	}
	whole := new(big.Int).Quo(s.Num(), s.Denom())
	if !whole.IsInt64() || whole.Int64() > math.MaxInt64/int64(time.Second) {
		return whole.String() + " s"
	}
	return durationText(time.Duration(whole.Int64()) * time.Second)
}

func verdictCell(k incident.KeyFigure) Cell {
	switch {
	case !k.Target.IsSet():
		return Cell{}
	case k.Verdict == incident.Met:
		return Cell{Text: "met", State: Good}
	case k.Verdict == incident.Missed:
		return Cell{Text: "missed", State: Bad}
	}
	return Cell{State: NoData}
}

func groups(by string, all []incident.Group) Block {
	t := Table{Caption: by, Columns: []Column{
		{Title: by},
		{Title: "Incidents", Numeric: true},
		{Title: "MTTA", Numeric: true},
		{Title: "MTTR", Numeric: true},
		{Title: "In time", Numeric: true},
		{Title: "First contact", Numeric: true},
		{Title: "Escalated", Numeric: true},
		{Title: "Reopened", Numeric: true},
		{Title: "Satisfaction", Numeric: true},
		{Title: "Cost", Numeric: true},
	}}
	for _, g := range all {
		score := "no data"
		if mean := g.Satisfaction.Mean(); mean != nil {
			score = mean.FloatString(2)
		}
		t.Rows = append(t.Rows, []Cell{
			{Text: known(g.Key)},
			{Text: strconv.Itoa(g.Volume)},
			{Text: secondsText(g.MTTA.Mean())},
			{Text: secondsText(g.MTTR.Mean())},
			{Text: g.Kept.String()},
			{Text: g.FirstContact.String()},
			{Text: g.Escalated.String()},
			{Text: g.Reopened.String()},
			{Text: score},
			{Text: amountText(g.Cost.Total)},
		})
	}
	return t.or("There were no incidents.")
}

func known(key string) string {
	if key == "" {
		return "not known"
	}
	return key
}

func amountText(a money.Amount) string {
	if !a.IsSet() {
		return "no data"
	}
	return a.String()
}

func (r IncidentReview) availability() Block {
	t := Table{Caption: "Availability as the incidents have it", Columns: []Column{{Title: "Service"}, {Title: "Up", Numeric: true}, {Title: "Down", Numeric: true}, {Title: "Failures", Numeric: true}}}
	for _, u := range r.Review.Availability {
		up := "no data"
		if ratio := u.Ratio(); ratio != nil {
			up = new(big.Rat).Mul(ratio, big.NewRat(100, 1)).FloatString(4) + " %"
		}
		t.Rows = append(t.Rows, []Cell{{Text: u.Service}, {Text: up}, {Text: durationText(u.Down)}, {Text: strconv.Itoa(u.Failures)}})
	}
	return t.or("No service is known.")
}

func (r IncidentReview) costs() []Block {
	c := r.Review.Costs
	if c.All.N == 0 {
		return []Block{Text("No cost is recorded.")}
	}
	lines := func(caption string, lines []incident.CostLine) Block {
		t := Table{Caption: caption, Columns: []Column{{Title: "For"}, {Title: "Incidents", Numeric: true}, {Title: "Cost", Numeric: true}, {Title: "Each", Numeric: true}}}
		for _, l := range lines {
			each := ""
			if mean := l.Cost.Mean(); mean != nil {
				each = mean.FloatString(l.Cost.Total.Currency().Digits())
			}
			t.Rows = append(t.Rows, []Cell{{Text: known(l.Key)}, {Text: strconv.Itoa(l.Cost.N)}, {Text: amountText(l.Cost.Total)}, {Text: each}})
		}
		return t
	}
	all := []incident.CostLine{{Key: "all incidents", Cost: c.All}}
	return []Block{
		lines("All; the cost of "+strconv.Itoa(c.Unknown)+" more is not recorded", all),
		lines("By severity", c.Severity), lines("By service", c.Service), lines("By team", c.Team), lines("By centre", c.Centre), lines("The dearest", c.Dearest),
	}
}

func (r IncidentReview) changes() Block {
	c := r.Review.Changes
	t := Table{Caption: "Changes by kind", Columns: []Column{{Title: "Kind"}, {Title: "Succeeded", Numeric: true}, {Title: "Led to an incident", Numeric: true}, {Title: "Failed", Numeric: true}, {Title: "Rolled back", Numeric: true}, {Title: "Cancelled", Numeric: true}}}
	for _, row := range []struct {
		kind string
		incident.Changes
	}{{"planned", c.Planned}, {"emergency", c.Emergencies}} {
		cells := []Cell{{Text: row.kind}}
		for _, n := range []int{row.Succeeded, row.CausedIncident, row.Failed, row.RolledBack, row.Cancelled} {
			cells = append(cells, Cell{Text: strconv.Itoa(n)})
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}

func (r IncidentReview) upcoming(zone *time.Location) Block {
	t := Table{Caption: "Planned", Columns: []Column{{Title: "From"}, {Title: "To"}, {Title: "Change"}, {Title: "Services"}}}
	for _, c := range r.Review.Upcoming {
		t.Rows = append(t.Rows, []Cell{{Text: clock(c.Window.Start, zone)}, {Text: clock(c.Window.End, zone)}, {Text: strings.TrimSpace(c.ID + " " + c.Title)}, {Text: strings.Join(c.Services, ", ")}})
	}
	return t.or("No change is planned.")
}

func (r IncidentReview) missed() Block {
	t := Table{Caption: "Targets that were missed", Columns: []Column{{Title: "Figure"}, {Title: "Value", Numeric: true}, {Title: "Target"}}}
	for _, k := range r.Review.Improvements.Missed {
		t.Rows = append(t.Rows, []Cell{{Text: words(string(k.KPI))}, {Text: kpiValue(k), State: Bad}, {Text: k.Target.String()}})
	}
	return t.or("No target was missed.")
}

func (r IncidentReview) late() Block {
	t := Table{Caption: "Incidents that took too long", Columns: []Column{{Title: "Incident"}, {Title: "Took", Numeric: true}, {Title: "Target"}}}
	for _, j := range r.Review.Improvements.Late {
		took := durationText(j.Lapse)
		if j.Open {
			took += " so far"
		}
		t.Rows = append(t.Rows, []Cell{{Text: j.ID}, {Text: took}, {Text: j.Target.String()}})
	}
	return t.or("Every incident that is decided was in time.")
}

func (r IncidentReview) recurring() Block {
	t := Table{Caption: "Incidents that come again", Columns: []Column{{Title: "Incidents"}, {Title: "Problem"}, {Title: "Why"}}}
	for _, s := range r.Review.Improvements.Recurring {
		problem := s.Problem
		if problem == "" {
			problem = "none yet"
		}
		t.Rows = append(t.Rows, []Cell{{Text: strings.Join(s.IDs, ", ")}, {Text: problem}, {Text: s.Why}})
	}
	return t.or("Nothing suggests a problem.")
}

func (r IncidentReview) measures() Block {
	t := Table{Caption: "Measures that are not done", Columns: []Column{{Title: "Due"}, {Title: "Incident"}, {Title: "Measure"}, {Title: "Owner"}, {Title: "Where"}}}
	for _, m := range r.Review.Improvements.Open {
		due := Cell{Text: m.Due}
		if m.Overdue(r.Review.At) {
			due.State = Bad
		}
		if m.Due == "" {
			due.Text = "no date"
		}
		t.Rows = append(t.Rows, []Cell{due, {Text: m.Incident}, {Text: strings.TrimSpace(m.ID + " " + m.Text)}, {Text: m.Owner}, {Text: m.Ref}})
	}
	return t.or("Every measure is done.")
}
