package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// gapsFound is the JSON result.
type gapsFound struct {
	program.Envelope
	From      time.Time      `json:"from"`
	To        time.Time      `json:"to"`
	Schedules []scheduleGaps `json:"schedules"` // by name
	Centres   *centreGaps    `json:"centers"`   // null: the team has none

	Explain []report.Explanation `json:"explain,omitempty"`
}

// scheduleGaps is when a schedule has nobody, and when several people.
type scheduleGaps struct {
	Schedule string    `json:"schedule"`
	Covered  *float64  `json:"covered_percent"` // cut, never rounded up
	Gaps     []stretch `json:"gaps"`
	Overlaps []overlap `json:"overlaps"`
}

type overlap struct {
	stretch
	OnCall []string `json:"on_call"`
}

// centreGaps is when no centre is staffed.
type centreGaps struct {
	Covered *float64  `json:"covered_percent"`
	Gaps    []stretch `json:"gaps"`
}

// gaps finds the time in which nobody is on call.
func (in *inputs) gaps(env *program.Env) error {
	span, err := in.span("gaps", in.options.gaps)
	if err != nil {
		return program.Exit(program.Usage, err)
	}
	out := gapsFound{Envelope: in.envelope("oncall-gaps/v1"), From: span.Start, To: span.End, Schedules: []scheduleGaps{}}
	for _, name := range in.schedules() {
		schedule := in.router.Schedule(name)
		gaps := schedule.Gaps(span.Start, span.End)
		s := scheduleGaps{Schedule: name, Covered: covered(gaps, span), Gaps: stretches(gaps), Overlaps: []overlap{}}
		for _, shift := range schedule.Overlaps(span.Start, span.End) {
			s.Overlaps = append(s.Overlaps, overlap{stretchOf(calendar.Interval{Start: shift.Start, End: shift.End}), append([]string{shift.User}, shift.Also...)})
		}
		if len(gaps) > 0 {
			env.Holds("gap")
		}
		if env.Explain {
			out.Explain = append(out.Explain, in.explanation(fmt.Sprintf("$.schedules[%d].covered_percent", len(out.Schedules)), "(whole − gaps) / whole, cut at six decimals",
				map[string]any{"whole_s": seconds(span.End.Sub(span.Start)), "gaps_s": seconds(calendar.Total(gaps))}))
		}
		out.Schedules = append(out.Schedules, s)
	}
	if len(in.team.Centres) > 0 {
		gaps := in.router.Centres().Gaps(span.Start, span.End)
		out.Centres = &centreGaps{Covered: covered(gaps, span), Gaps: stretches(gaps)}
	}
	if env.Format == "json" {
		return env.JSON(out)
	}
	return in.write(env, in.gapsDocument(out))
}

func covered(gaps []calendar.Interval, span calendar.Interval) *float64 {
	whole := span.End.Sub(span.Start)
	return cutPercent(uint64(whole-calendar.Total(gaps)), uint64(whole))
}

func (in *inputs) gapsDocument(r gapsFound) report.Document {
	doc := report.Document{Title: "Gaps in on-call duty", Subtitle: in.clock(r.From) + " to " + in.clock(r.To)}
	add := func(id, title, what string, percent *float64, gaps []stretch) *report.Section {
		state := report.Good
		if len(gaps) > 0 {
			state = report.Bad
		}
		s := report.Section{ID: id, Title: title, Blocks: []report.Block{report.Tiles{{Label: "Covered", Value: percentText(percent), Note: fmt.Sprintf("%d gaps", len(gaps)), State: state}}}}
		if len(gaps) > 0 {
			table := report.Table{Caption: what, Columns: []report.Column{{Title: "From"}, {Title: "To"}, {Title: "Length", Numeric: true}}}
			for _, g := range gaps {
				table.Rows = append(table.Rows, report.Cells(in.clock(g.Start), in.clock(g.End), g.End.Sub(g.Start).String()))
			}
			s.Blocks = append(s.Blocks, table)
		}
		doc.Sections = append(doc.Sections, s)
		return &doc.Sections[len(doc.Sections)-1]
	}
	for i, s := range r.Schedules {
		section := add(fmt.Sprintf("schedule-%d", i+1), "Schedule "+s.Schedule, "Nobody on call", s.Covered, s.Gaps)
		if len(s.Overlaps) == 0 {
			continue
		}
		table := report.Table{Caption: "More than one person", Columns: []report.Column{{Title: "From"}, {Title: "To"}, {Title: "On call"}}}
		for _, o := range s.Overlaps {
			var people []string
			for _, id := range o.OnCall {
				people = append(people, in.name(id))
			}
			table.Rows = append(table.Rows, report.Cells(in.clock(o.Start), in.clock(o.End), strings.Join(people, ", ")))
		}
		section.Blocks = append(section.Blocks, table)
	}
	if r.Centres != nil {
		add("centers", "Centres", "No centre staffed", r.Centres.Covered, r.Centres.Gaps)
	}
	if len(r.Explain) > 0 {
		doc.Sections = append(doc.Sections, explainSection(r.Explain))
	}
	return doc
}
