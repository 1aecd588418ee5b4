package report

import (
	"math"
	"math/big"
	"slices"
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
	Locale string         // language: "en", "de", "nl" or "fr". Defaults to "en".
}

func (r IncidentReview) language() language { return languageOf(r.Locale, r.Zone) }

func (r IncidentReview) t(key string, args ...any) string { return r.language().t(key, args...) }

// Document returns the review: key figures with their definitions, incidents by
// severity, service, team and centre, what they cost, the trend, changes, and what
// ought to be better.
func (r IncidentReview) Document() Document {
	d := Document{Title: r.Title, Generated: r.Review.At, Zone: r.Zone, Locale: r.Locale}
	if d.Title == "" {
		d.Title = r.t("incident_review")
	}
	l := r.language()
	d.Subtitle = l.t("from_to", l.second(r.Review.Period.Start), l.second(r.Review.Period.End))
	d.Sections = []Section{
		{"kpis", r.t("key_figures"), []Block{r.kpis(r.t("key_figures_and_targets"))}},
		{"severity", r.t("incidents_by_severity"), []Block{r.groups(r.t("severity"), r.Review.BySeverity)}},
		{"service", r.t("incidents_by_service"), []Block{r.availability(), r.groups(r.t("service"), r.Review.Services)}},
		{"team", r.t("teams"), []Block{r.groups(r.t("team"), r.teams())}},
		{"centre", r.t("operations_centres"), []Block{r.groups(r.t("centre"), r.Review.Centres)}},
		{"cost", r.t("what_incidents_cost"), r.costs()},
		{"trend", r.t("trend"), []Block{r.groups(r.t("month"), r.trend())}},
		{"changes", r.t("changes"), []Block{r.changes(), r.upcoming()}},
		{"improvement", r.t("what_ought_to_be_better"), []Block{r.missed(), r.late(), r.recurring(), r.measures()}},
	}
	return d
}

func (r IncidentReview) teams() []incident.Group {
	return mapped(r.Review.Teams, func(t incident.TeamFigures) incident.Group { return incident.Group{Key: t.Team, Figures: t.Figures} })
}

func (r IncidentReview) trend() []incident.Group {
	return mapped(r.Review.Trend, func(m incident.TrendMonth) incident.Group { return incident.Group{Key: m.Month, Figures: m.Figures} })
}

// kpis shows some key figures, all if none is named. Definitions are those of the
// figures, in English, and left out of a review in another language.
func (r IncidentReview) kpis(caption string, only ...incident.KPI) Block {
	l := r.language()
	t := Table{Caption: caption, Columns: []Column{
		{Title: r.t("figure")}, {Title: r.t("definition")}, {Title: r.t("value"), Numeric: true}, {Title: r.t("over"), Numeric: true}, {Title: r.t("target")}, {Title: r.t("verdict")},
	}}
	for _, k := range r.Review.KPIs {
		if len(only) > 0 && !slices.Contains(only, k.KPI) {
			continue
		}
		t.Rows = append(t.Rows, []Cell{
			{Text: l.name("kpi", string(k.KPI))}, {Text: k.Definition}, {Text: l.figure(k)}, {Text: l.count(k.N)}, {Text: l.limit(k.Target.String())}, r.verdict(k),
		})
	}
	return r.withoutEnglish(t, 1)
}

// withoutEnglish leaves out a column of English data, unless the review is in English.
func (r IncidentReview) withoutEnglish(t Table, column int) Table {
	if r.language().Locale().Tag() == "en" {
		return t
	}
	t.Columns = slices.Delete(t.Columns, column, column+1)
	for i, row := range t.Rows {
		t.Rows[i] = slices.Delete(row, column, column+1)
	}
	return t
}

func (l language) share(s incident.Share) string {
	if s.Of == 0 {
		return l.t("no_data")
	}
	return l.count(s.Hits) + "/" + l.count(s.Of)
}

// figure is the value rounded to two decimals, a time to seconds.
func (l language) figure(k incident.KeyFigure) string {
	switch {
	case k.Value == nil && k.AtLeast != nil:
		k.Value = k.AtLeast
		return l.t("at_least", l.figure(k))
	case k.Value == nil:
		return l.t("no_data")
	case k.Unit == incident.UnitSeconds:
		return l.seconds(k.Value)
	case k.Unit == incident.UnitPercent:
		return l.target(k.Value.FloatString(2))
	case k.Unit == incident.UnitMoney:
		if a, err := money.ParseDecimal(k.Value.FloatString(k.Currency.Digits()), k.Currency); err == nil {
			return l.amount(a)
		}
	case k.Unit == incident.UnitCount:
		return l.number(k.Value.RatString())
	}
	return l.number(k.Value.FloatString(2))
}

// seconds is a time rounded down to whole seconds; "no data" for nil.
func (l language) seconds(s *big.Rat) string {
	if s == nil {
		return l.t("no_data")
	}
	whole := new(big.Int).Quo(s.Num(), s.Denom())
	if !whole.IsInt64() || whole.Int64() > math.MaxInt64/int64(time.Second) {
		return l.number(whole.String()) + " s"
	}
	return l.duration(time.Duration(whole.Int64()) * time.Second)
}

func (r IncidentReview) verdict(k incident.KeyFigure) Cell {
	switch {
	case !k.Target.IsSet():
		return Cell{}
	case k.Verdict == incident.Met:
		return Cell{Text: r.language().name("outcome", "met"), State: Good}
	case k.Verdict == incident.Missed:
		return Cell{Text: r.language().name("outcome", "missed"), State: Bad}
	}
	return Cell{State: NoData}
}

func (r IncidentReview) groups(by string, all []incident.Group) Block {
	l := r.language()
	t := Table{Caption: by, Columns: []Column{
		{Title: by},
		{Title: l.t("incidents"), Numeric: true},
		{Title: l.t("mtta"), Numeric: true},
		{Title: l.t("mttr"), Numeric: true},
		{Title: l.t("in_time"), Numeric: true},
		{Title: l.t("first_contact"), Numeric: true},
		{Title: l.t("escalated"), Numeric: true},
		{Title: l.t("reopened"), Numeric: true},
		{Title: l.t("satisfaction"), Numeric: true},
		{Title: l.t("cost"), Numeric: true},
	}}
	for _, g := range all {
		score := l.t("no_data")
		if mean := g.Satisfaction.Mean(); mean != nil {
			score = l.number(mean.FloatString(2))
		}
		t.Rows = append(t.Rows, []Cell{
			{Text: l.known(g.Key)},
			{Text: r.language().count(g.Volume)},
			{Text: l.seconds(g.MTTA.Mean())},
			{Text: l.seconds(g.MTTR.Mean())},
			{Text: l.share(g.Kept)},
			{Text: l.share(g.FirstContact)},
			{Text: l.share(g.Escalated)},
			{Text: l.share(g.Reopened)},
			{Text: score},
			{Text: l.amountOrNone(g.Cost.Total)},
		})
	}
	return t.or(l.t("there_were_no_incidents"))
}

func (l language) known(key string) string {
	if key == "" {
		return l.t("not_known")
	}
	return key
}

func (l language) amountOrNone(a money.Amount) string {
	if !a.IsSet() {
		return l.t("no_data")
	}
	return l.amount(a)
}

func (r IncidentReview) availability() Block {
	l := r.language()
	t := Table{Caption: r.t("availability_as_the_incidents_have_it"), Columns: []Column{{Title: r.t("service")}, {Title: r.t("up"), Numeric: true}, {Title: r.t("down"), Numeric: true}, {Title: r.t("failures"), Numeric: true}}}
	for _, u := range r.Review.Availability {
		up := r.t("no_data")
		if ratio := u.Ratio(); ratio != nil {
			up = l.target(new(big.Rat).Mul(ratio, big.NewRat(100, 1)).FloatString(4))
		}
		t.Rows = append(t.Rows, []Cell{{Text: u.Service}, {Text: up}, {Text: l.duration(u.Down)}, {Text: r.language().count(u.Failures)}})
	}
	return t.or(r.t("no_service_is_known"))
}

func (r IncidentReview) costs() []Block {
	w := r.language()
	c := r.Review.Costs
	if c.All.N == 0 {
		return []Block{Text(r.t("no_cost_is_recorded"))}
	}
	lines := func(caption string, lines []incident.CostLine) Block {
		t := Table{Caption: caption, Columns: []Column{{Title: r.t("for")}, {Title: r.t("incidents"), Numeric: true}, {Title: r.t("cost"), Numeric: true}, {Title: r.t("each"), Numeric: true}}}
		for _, l := range lines {
			each := ""
			if mean := l.Cost.Mean(); mean != nil {
				each = w.number(mean.FloatString(l.Cost.Total.Currency().Digits()))
			}
			t.Rows = append(t.Rows, []Cell{{Text: w.known(l.Key)}, {Text: r.language().count(l.Cost.N)}, {Text: w.amountOrNone(l.Cost.Total)}, {Text: each}})
		}
		return t
	}
	all := []incident.CostLine{{Key: w.t("all_incidents"), Cost: c.All}}
	return []Block{
		lines(w.t("cost_unknown", c.Unknown), all),
		lines(r.t("by_severity"), c.Severity), lines(r.t("by_service"), c.Service), lines(r.t("by_team"), c.Team), lines(r.t("by_centre"), c.Centre), lines(r.t("the_dearest"), c.Dearest),
	}
}

func (r IncidentReview) changes() Block {
	c := r.Review.Changes
	t := Table{Caption: r.t("changes_by_kind"), Columns: []Column{{Title: r.t("kind")}, {Title: r.t("succeeded"), Numeric: true}, {Title: r.t("led_to_an_incident"), Numeric: true}, {Title: r.t("failed_title"), Numeric: true}, {Title: r.t("rolled_back_title"), Numeric: true}, {Title: r.t("cancelled"), Numeric: true}}}
	for _, row := range []struct {
		kind string
		incident.Changes
	}{{r.t("planned"), c.Planned}, {r.t("emergency_word"), c.Emergencies}} {
		cells := []Cell{{Text: row.kind}}
		for _, n := range []int{row.Succeeded, row.CausedIncident, row.Failed, row.RolledBack, row.Cancelled} {
			cells = append(cells, Cell{Text: r.language().count(n)})
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}

func (r IncidentReview) upcoming() Block {
	l := r.language()
	t := Table{Caption: r.t("planned_title"), Columns: []Column{{Title: r.t("from")}, {Title: r.t("to")}, {Title: r.t("change")}, {Title: r.t("services")}}}
	for _, c := range r.Review.Upcoming {
		t.Rows = append(t.Rows, []Cell{{Text: l.second(c.Window.Start)}, {Text: l.second(c.Window.End)}, {Text: strings.TrimSpace(c.ID + " " + c.Title)}, {Text: strings.Join(c.Services, ", ")}})
	}
	return t.or(r.t("no_change_is_planned"))
}

func (r IncidentReview) missed() Block {
	t := Table{Caption: r.t("targets_that_were_missed"), Columns: []Column{{Title: r.t("figure")}, {Title: r.t("value"), Numeric: true}, {Title: r.t("target")}}}
	for _, k := range r.Review.Improvements.Missed {
		t.Rows = append(t.Rows, []Cell{{Text: r.language().name("kpi", string(k.KPI))}, {Text: r.language().figure(k), State: Bad}, {Text: r.language().limit(k.Target.String())}})
	}
	return t.or(r.t("no_target_was_missed"))
}

func (r IncidentReview) late() Block {
	t := Table{Caption: r.t("incidents_that_took_too_long"), Columns: []Column{{Title: r.t("incident")}, {Title: r.t("took"), Numeric: true}, {Title: r.t("target")}}}
	for _, j := range r.Review.Improvements.Late {
		took := r.language().duration(j.Lapse)
		if j.Open {
			took = r.t("so_far", took)
		}
		t.Rows = append(t.Rows, []Cell{{Text: j.ID}, {Text: took}, {Text: r.language().limit(j.Target.String())}})
	}
	return t.or(r.t("every_incident_that_is_decided_was_in"))
}

func (r IncidentReview) recurring() Block {
	t := Table{Caption: r.t("incidents_that_come_again"), Columns: []Column{{Title: r.t("incidents")}, {Title: r.t("problem")}, {Title: r.t("why")}}}
	for _, s := range r.Review.Improvements.Recurring {
		problem := s.Problem
		if problem == "" {
			problem = r.t("none_yet")
		}
		t.Rows = append(t.Rows, []Cell{{Text: strings.Join(s.IDs, ", ")}, {Text: problem}, {Text: s.Why}})
	}
	return r.withoutEnglish(t, 2).or(r.t("nothing_suggests_a_problem"))
}

func (r IncidentReview) measures() Block {
	t := Table{Caption: r.t("measures_that_are_not_done"), Columns: []Column{{Title: r.t("due_title")}, {Title: r.t("incident")}, {Title: r.t("measure")}, {Title: r.t("owner")}, {Title: r.t("where")}}}
	for _, m := range r.Review.Improvements.Open {
		due := Cell{Text: m.Due}
		if m.Overdue(r.Review.At) {
			due.State = Bad
		}
		if m.Due == "" {
			due.Text = r.t("no_date")
		}
		t.Rows = append(t.Rows, []Cell{due, {Text: m.Incident}, {Text: strings.TrimSpace(m.ID + " " + m.Text)}, {Text: m.Owner}, {Text: m.Ref}})
	}
	return t.or(r.t("every_measure_is_done"))
}
