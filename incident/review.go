package incident

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/wallclock"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// ReviewOptions choose what a review says.
type ReviewOptions struct {
	ScorecardOptions // Figures.Period is the month or quarter and required

	// Zone is that of the months of the trend. Defaults to UTC.
	Zone *time.Location
	// Trend is the number of calendar months in the trend, the last one being that
	// in which the period ends. Defaults to 3; a negative number leaves it out.
	Trend int
	// Recurrence says when incidents suggest a problem. Its Problems default to
	// those of the basis.
	Recurrence RecurrenceOptions
	// Measures are those of the incidents under review. Defaults to none.
	Measures []TrackedMeasure
}

// TrackedMeasure is a measure and the incident that it came from.
type TrackedMeasure struct {
	Incident string `json:"incident"`
	Measure
}

// Review is the incident part of the pack with which customer and provider go into
// a monthly service review or a quarterly business review, each section as data for
// any renderer. It is a value; the same input gives the same review.
type Review struct {
	Period calendar.Interval `json:"period"`
	At     time.Time         `json:"at"` // for which it speaks

	KPIs         []KeyFigure     `json:"kpis"` // see [Scorecard]
	Availability []ServiceUptime `json:"availability_summary"`
	BySeverity   []Group         `json:"incident_summary_by_severity"`
	Response     Compliance      `json:"response_time_performance"` // of the incidents declared in the period, by MTTR, its clock and its targets
	Changes      ChangeFigures   `json:"change_management_statistics"`
	Upcoming     []Change        `json:"upcoming_maintenance_schedule"` // windows that begin at At or later, by start
	Trend        []TrendMonth    `json:"performance_trends_and_analysis"`

	Services []Group       `json:"incident_summary_by_service"`
	Teams    []TeamFigures `json:"team_performance_metrics"`
	Centres  []Group       `json:"centre_performance_metrics"`
	Costs    CostAnalysis  `json:"cost_per_incident_analysis"`

	Improvements Improvements `json:"process_improvement_opportunities"`
}

// TrendMonth is the figures of one calendar month.
type TrendMonth struct {
	Month string `json:"month"` // "2026-10"
	Figures
}

// TeamFigures is how a team did.
type TeamFigures struct {
	Team string `json:"team"` // "" for incidents of no team
	Figures
	Changes Share `json:"change_success_rate"` // of the planned changes of the team
}

// Improvements is what the figures say ought to be better.
type Improvements struct {
	Missed    []KeyFigure      `json:"missed_targets"`
	Late      []Judgement      `json:"late_incidents"` // that missed their target, the longest first
	Recurring []Suggestion     `json:"recurring_incidents"`
	Problems  ProblemFigures   `json:"problem_management"`
	Open      []TrackedMeasure `json:"open_measures"`    // not done, by due date, those without one last
	Overdue   int              `json:"overdue_measures"` // of them
}

// CostAnalysis is what incidents cost, and which.
type CostAnalysis struct {
	All      Cost       `json:"all"`
	Unknown  int        `json:"unknown"` // incidents whose cost is not recorded
	Severity []CostLine `json:"by_severity"`
	Service  []CostLine `json:"by_service"` // an incident of several services is in each of them
	Team     []CostLine `json:"by_team"`
	Centre   []CostLine `json:"by_centre"`
	Dearest  []CostLine `json:"dearest"` // single incidents, at most ten
}

// CostLine is the cost of some of the incidents.
type CostLine struct {
	Key  string `json:"key"`
	Cost Cost   `json:"cost"`
}

// Review returns the review of a period. Incidents count as [FiguresOf] counts them.
// The error says that there is no period, or which costs or stretches cannot be
// added up.
func (b Basis) Review(o ReviewOptions) (Review, error) {
	figures := o.Figures
	if err := figures.Period.Validate(); err != nil || figures.Period.IsEmpty() {
		return Review{}, fmt.Errorf("review: period %v: want one that is not empty", figures.Period)
	}
	c, err := newScorecard(b, o.ScorecardOptions, PerService, PerTeam, PerCentre)
	if err == nil {
		err = c.fill()
	}
	if err != nil {
		return Review{}, fmt.Errorf("review: %w", err)
	}
	bySeverity, byService, byTeam, byCentre := c.groups[0], c.groups[1], c.groups[2], c.groups[3]
	r := Review{
		Period: figures.Period, At: figures.At, KPIs: c.out, Availability: c.uptimes, Changes: c.changes,
		BySeverity: bySeverity, Services: byService, Centres: byCentre,
	}
	for _, g := range byTeam {
		r.Teams = append(r.Teams, TeamFigures{Team: g.Key, Figures: g.Figures, Changes: b.changesOf(g.Key, figures.Period)})
	}
	declared := b.declared(&c.rules)
	r.Response = comply(declared, c.rules.Resolution, figures.Clock, figures.Targets, figures.At)
	r.Costs = CostAnalysis{
		All: c.figures.Cost, Unknown: c.figures.Volume - c.figures.Cost.N, Dearest: dearest(declared),
		Severity: costLines(bySeverity), Service: costLines(byService), Team: costLines(byTeam), Centre: costLines(byCentre),
	}
	if r.Trend, err = b.trend(o); err != nil {
		return Review{}, fmt.Errorf("review: %w", err)
	}
	for _, c := range b.Changes {
		if !c.Window.Start.IsZero() && !c.Window.Start.Before(figures.At) && c.Result == "" {
			r.Upcoming = append(r.Upcoming, c)
		}
	}
	slices.SortFunc(r.Upcoming, func(a, b Change) int {
		return cmp.Or(a.Window.Start.Compare(b.Window.Start), strings.Compare(a.ID, b.ID))
	})
	if r.Improvements, err = b.improvements(r, o); err != nil {
		return Review{}, fmt.Errorf("review: %w", err)
	}
	return r, nil
}

// declared returns the incidents that count in the period, by tenant and id.
func (b Basis) declared(o *rules) []Record {
	var out []Record
	var row row
	for i := range b.Records {
		row.fill(&b.Records[i], o)
		if row.marks&(isMerged|isCancelled) == 0 && o.parts(&row)&itsCount != 0 {
			out = append(out, b.Records[i])
		}
	}
	slices.SortStableFunc(out, func(a, b Record) int {
		return cmp.Or(strings.Compare(a.Tenant, b.Tenant), strings.Compare(a.ID, b.ID))
	})
	return out
}

func (b Basis) changesOf(team string, period calendar.Interval) Share {
	mine := slices.DeleteFunc(slices.Clone(b.Changes), func(c Change) bool { return c.Team != team })
	return ChangeFiguresOf(mine, period, nil, time.Time{}).Success
}

func costLines(groups []Group) (out []CostLine) {
	for _, g := range groups {
		if g.Cost.N > 0 {
			out = append(out, CostLine{g.Key, g.Cost})
		}
	}
	return out
}

// dearest returns the ten incidents that cost most.
func dearest(records []Record) (out []CostLine) {
	for _, r := range records {
		if r.Cost.IsSet() {
			out = append(out, CostLine{r.ID, Cost{N: 1, Total: r.Cost}})
		}
	}
	slices.SortFunc(out, func(a, b CostLine) int {
		return cmp.Or(cmp.Compare(b.Cost.Total.Minor(), a.Cost.Total.Minor()), strings.Compare(a.Key, b.Key))
	})
	return out[:min(len(out), 10)]
}

func (b Basis) trend(o ReviewOptions) ([]TrendMonth, error) {
	zone := o.Zone
	if zone == nil {
		zone = time.UTC
	}
	n := cmp.Or(o.Trend, 3)
	last := wallclock.At(o.Figures.Period.End.Add(-1), zone)
	var out []TrendMonth
	for back := n - 1; back >= 0; back-- {
		wall := wallclock.AddMonths(last.AddDate(0, 0, 1-last.Day()), -back)
		figures := o.Figures
		figures.Period = Month(wall.Year(), wall.Month(), zone)
		f, err := FiguresOf(b.Records, figures)
		if err != nil {
			return nil, fmt.Errorf("trend: %w", err)
		}
		out = append(out, TrendMonth{Month: wall.Format("2006-01"), Figures: f})
	}
	return out, nil
}

func (b Basis) improvements(r Review, o ReviewOptions) (Improvements, error) {
	out := Improvements{Problems: ProblemFiguresOf(b.Problems, r.Period)}
	for _, k := range r.KPIs {
		if k.Verdict == Missed {
			out.Missed = append(out.Missed, k)
		}
	}
	for _, j := range r.Response.Judgements {
		if j.Verdict == Missed {
			out.Late = append(out.Late, j)
		}
	}
	slices.SortFunc(out.Late, func(a, b Judgement) int {
		return cmp.Or(cmp.Compare(b.Lapse, a.Lapse), strings.Compare(a.ID, b.ID))
	})
	if o.Recurrence.Problems == nil {
		o.Recurrence.Problems = b.Problems
	}
	recurring, err := Recurring(b.Records, o.Recurrence)
	if err != nil {
		return Improvements{}, err
	}
	for _, s := range recurring {
		if s.First.Before(r.Period.End) && !s.Last.Before(r.Period.Start) {
			out.Recurring = append(out.Recurring, s)
		}
	}
	for _, m := range o.Measures {
		if m.Done {
			continue
		}
		out.Open = append(out.Open, m)
		if m.Overdue(r.At) {
			out.Overdue++
		}
	}
	slices.SortFunc(out.Open, func(a, b TrackedMeasure) int {
		last := func(m TrackedMeasure) string { return cmp.Or(m.Due, "~") } // behind every date
		return cmp.Or(strings.Compare(last(a), last(b)), strings.Compare(a.Incident, b.Incident), strings.Compare(a.ID, b.ID))
	})
	return out, nil
}
