package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/escalation/coverage"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/internal/wallclock"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// coverageResult is the JSON result.
type coverageResult struct {
	program.Envelope
	From         time.Time     `json:"from"`
	To           time.Time     `json:"to"`
	Least        int           `json:"least"`        // people per technology
	Covered      bool          `json:"covered"`      // so many for every technology on every date
	Technologies []technology  `json:"technologies"` // in the order of the file
	SinglePoints []singlePoint `json:"single_points_of_failure"`
	People       []personDuty  `json:"people"`    // by id
	Centres      []centreDuty  `json:"centers"`   // as in the file
	Conflicts    []conflict    `json:"conflicts"` // by start, person
	Findings     []string      `json:"findings"`

	Explain []report.Explanation `json:"explain,omitempty"`
}

// technology is who knows one.
type technology struct {
	Domain  string      `json:"domain"`
	Met     bool        `json:"met"`
	People  []string    `json:"people"`
	Present int         `json:"present"` // the fewest on a date
	FTE     float64     `json:"fte"`     // likewise, in full-time positions
	On      string      `json:"on"`
	Below   []shortfall `json:"below"`
}

type shortfall struct {
	Start   string   `json:"from"` // dates; the end is the first after it
	End     string   `json:"to"`
	Present []string `json:"present"`
	Absent  []string `json:"absent"`
	Missing int      `json:"missing"`
}

type singlePoint struct {
	Engineer     string   `json:"engineer"`
	Technologies []string `json:"technologies"`
}

// personDuty is what one person carries; nights and weekends are those of the
// person's clock.
type personDuty struct {
	Engineer string   `json:"engineer"`
	OnCall   float64  `json:"on_call_s"`
	Night    float64  `json:"night_s"`
	Weekend  float64  `json:"weekend_s"`
	Share    *float64 `json:"share_percent"`
	Expected *float64 `json:"expected_percent"`
}

// centreDuty is for how long a centre is responsible.
type centreDuty struct {
	Centre    string   `json:"center"`
	People    int      `json:"people"`
	Owned     float64  `json:"owned_s"`
	Night     float64  `json:"night_s"`
	Weekend   float64  `json:"weekend_s"`
	Unstaffed float64  `json:"unstaffed_s"`
	PerHead   float64  `json:"per_head_s"`
	Share     *float64 `json:"share_percent"`
	TeamShare *float64 `json:"team_percent"`
}

type conflict struct {
	stretch
	Kind      string   `json:"kind"`
	Engineer  string   `json:"engineer"`
	Schedules []string `json:"schedules"`
}

// coverage says whether there are people enough, and who carries how much.
func (in *inputs) coverage(env *program.Env) error {
	span, err := in.span("coverage", in.options.coverage)
	if err != nil {
		return program.Exit(program.Usage, err)
	}
	duty := coverage.DutyQuery{From: span.Start, Until: span.End}
	knowledge, err := coverage.KnowledgeOf(in.router, in.dates(span))
	if err != nil {
		return program.Exit(program.Usage, err)
	}
	fairness, err := coverage.FairnessOf(in.router, coverage.FairnessQuery{DutyQuery: duty})
	if err != nil {
		return program.Exit(program.Usage, err)
	}
	conflicts, err := coverage.Conflicts(in.router, duty)
	if err != nil {
		return program.Exit(program.Usage, err)
	}
	out := coverageOf(knowledge, fairness, conflicts)
	out.Envelope, out.From, out.To = in.envelope("coverage/v1"), span.Start, span.End
	if !out.Covered {
		env.Holds("coverage")
	}
	if env.Explain {
		for i, t := range out.Technologies {
			out.Explain = append(out.Explain, in.explanation(fmt.Sprintf("$.technologies[%d].present", i), "the fewest on a date of those who know it, absences taken off",
				map[string]any{"people": t.People, "on": t.On, "least": out.Least}))
		}
		for i, p := range fairness.People {
			out.Explain = append(out.Explain, in.explanation(fmt.Sprintf("$.people[%d].share_percent", i), "time on call / that of all together, cut at six decimals", map[string]any{"share": p.Share.String()}))
		}
	}
	if env.Format == "json" {
		return env.JSON(out)
	}
	return in.write(env, in.coverageDocument(out))
}

// dates are those that a stretch of time touches, by the clock of the team.
func (in *inputs) dates(span calendar.Interval) coverage.KnowledgeQuery {
	last := wallclock.At(span.End.Add(-1), in.zone).AddDate(0, 0, 1)
	return coverage.KnowledgeQuery{From: wallclock.At(span.Start, in.zone).Format(time.DateOnly), Until: last.Format(time.DateOnly)}
}

func coverageOf(k coverage.Knowledge, f coverage.Fairness, conflicts []coverage.Conflict) coverageResult {
	out := coverageResult{
		Least: k.Least, Covered: k.Covered(), Technologies: []technology{}, SinglePoints: []singlePoint{},
		People: []personDuty{}, Centres: []centreDuty{}, Conflicts: []conflict{}, Findings: f.Findings,
	}
	for _, d := range k.Domains {
		t := technology{Domain: d.Domain, Met: len(d.Below) == 0, People: d.People, Present: d.Present, FTE: float64(d.FTEPercent) / 100, On: d.On, Below: []shortfall{}}
		for _, s := range d.Below {
			t.Below = append(t.Below, shortfall(s))
		}
		out.Technologies = append(out.Technologies, t)
	}
	single := k.SinglePoints()
	for _, id := range slices.Sorted(maps.Keys(single)) {
		out.SinglePoints = append(out.SinglePoints, singlePoint{id, single[id]})
	}
	for _, p := range f.People {
		out.People = append(out.People, personDuty{p.Engineer, seconds(p.OnCall), seconds(p.Night), seconds(p.Weekend), ratioPercent(p.Share), ratioPercent(p.Expected)})
	}
	for _, c := range f.Centres {
		out.Centres = append(out.Centres, centreDuty{
			c.Centre, c.People, seconds(c.Owned), seconds(c.Night), seconds(c.Weekend), seconds(c.Unstaffed), seconds(c.PerHead()), ratioPercent(c.Share), ratioPercent(c.TeamShare),
		})
	}
	for _, c := range conflicts {
		out.Conflicts = append(out.Conflicts, conflict{stretchOf(c.Interval), c.Kind.String(), c.Engineer, c.Schedules})
	}
	return out
}

func ratioPercent(r coverage.Ratio) *float64 {
	if !r.IsSet() {
		return nil
	}
	return cutPercent(uint64(r.Num), uint64(r.Den))
}

func hours(s float64) string { return fmt.Sprintf("%.2f", s/3600) }

// lastDate returns the date before the one at which a run of dates ends.
func lastDate(end string) string {
	day, err := time.Parse(time.DateOnly, end)
	if err != nil {
		return end
	}
	return day.AddDate(0, 0, -1).Format(time.DateOnly)
}

func (in *inputs) coverageDocument(r coverageResult) report.Document {
	doc := report.Document{Title: "People enough", Subtitle: in.clock(r.From) + " to " + in.clock(r.To)}
	add := func(id, title string, blocks ...report.Block) {
		doc.Sections = append(doc.Sections, report.Section{ID: id, Title: title, Blocks: blocks})
	}
	join := func(ids []string) string {
		names := make([]string, len(ids))
		for i, id := range ids {
			names[i] = in.name(id)
		}
		return strings.Join(names, ", ")
	}
	technologies := report.Table{Caption: fmt.Sprintf("At least %d people for each technology", r.Least), Columns: []report.Column{{Title: "Technology"}, {Title: "Fewest", Numeric: true}, {Title: "On"}, {Title: "People"}, {Title: "Dates below"}}}
	for _, t := range r.Technologies {
		var below []string
		for _, s := range t.Below {
			text := s.Start
			if last := lastDate(s.End); last != text {
				text += " to " + last
			}
			if len(s.Absent) > 0 {
				text += " without " + join(s.Absent)
			}
			below = append(below, text)
		}
		row := report.Cells(t.Domain, strconv.Itoa(t.Present), t.On, join(t.People), strings.Join(below, "; "))
		if row[0].State = report.Good; !t.Met {
			row[0].State = report.Bad
		}
		technologies.Rows = append(technologies.Rows, row)
	}
	add("technologies", "Technologies", technologies)
	people := report.Table{Caption: "Hours on call; nights and weekends by the clock of the person", Columns: []report.Column{
		{Title: "Engineer"}, {Title: "Hours", Numeric: true}, {Title: "Nights", Numeric: true}, {Title: "Weekends", Numeric: true}, {Title: "Share", Numeric: true}, {Title: "Expected", Numeric: true},
	}}
	for _, p := range r.People {
		people.Rows = append(people.Rows, report.Cells(in.name(p.Engineer), hours(p.OnCall), hours(p.Night), hours(p.Weekend), percentText(p.Share), percentText(p.Expected)))
	}
	add("people", "People", people)
	if len(r.Centres) > 0 {
		centres := report.Table{Caption: "Hours of responsibility; nights and weekends by the clock of the centre", Columns: []report.Column{
			{Title: "Centre"},
			{Title: "People", Numeric: true},
			{Title: "Hours", Numeric: true},
			{Title: "Nights", Numeric: true},
			{Title: "Unstaffed", Numeric: true},
			{Title: "Per head", Numeric: true},
			{Title: "Share", Numeric: true},
			{Title: "Of the people", Numeric: true},
		}}
		for _, c := range r.Centres {
			centres.Rows = append(centres.Rows, report.Cells(in.name(c.Centre), strconv.Itoa(c.People), hours(c.Owned), hours(c.Night), hours(c.Unstaffed), hours(c.PerHead), percentText(c.Share), percentText(c.TeamShare)))
		}
		add("centers", "Centres", centres)
	}
	if len(r.Conflicts) > 0 {
		conflicts := report.Table{Caption: "On call where that cannot be", Columns: []report.Column{{Title: "Engineer"}, {Title: "What"}, {Title: "From"}, {Title: "To"}, {Title: "Schedules"}}}
		for _, c := range r.Conflicts {
			conflicts.Rows = append(conflicts.Rows, report.Cells(in.name(c.Engineer), strings.ReplaceAll(c.Kind, "_", " "), in.clock(c.Start), in.clock(c.End), strings.Join(c.Schedules, ", ")))
		}
		add("conflicts", "Conflicts", conflicts)
	}
	var findings []report.Block
	for _, s := range r.SinglePoints {
		findings = append(findings, report.Text(in.name(s.Engineer)+" alone knows "+strings.Join(s.Technologies, ", ")+"."))
	}
	for _, text := range r.Findings {
		findings = append(findings, report.Text(text+"."))
	}
	if len(findings) > 0 {
		add("findings", "Findings", findings...)
	}
	if len(r.Explain) > 0 {
		doc.Sections = append(doc.Sections, explainSection(r.Explain))
	}
	return doc
}
