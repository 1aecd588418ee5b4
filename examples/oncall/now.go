package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
)

// onCallAt is the JSON result.
type onCallAt struct {
	program.Envelope
	At        time.Time    `json:"at"`
	Schedules []scheduleAt `json:"schedules"` // by name
	Centres   []centreAt   `json:"centers"`   // as in the file

	Explain []report.Explanation `json:"explain,omitempty"`
}

// scheduleAt is who is on call by a schedule.
type scheduleAt struct {
	Schedule string     `json:"schedule"`
	OnCall   *string    `json:"on_call"`
	Source   *string    `json:"source"`
	Also     []string   `json:"also"` // on call as well
	Start    *time.Time `json:"shift_start"`
	End      *time.Time `json:"shift_end"` // null: not within ten years

	// Lineup are the people in the order in which they are tried.
	Lineup []inLine `json:"lineup"`
}

type inLine struct {
	Engineer string `json:"engineer"`
	Source   string `json:"source"`
	Absent   bool   `json:"absent"`
}

// centreAt is what a centre does.
type centreAt struct {
	Centre      string      `json:"center"`
	Staffed     bool        `json:"staffed"`
	Responsible bool        `json:"responsible"`
	Next        *handingOff `json:"next_handoff"`
}

type handingOff struct {
	To string    `json:"to"`
	At time.Time `json:"at"`
}

// now says who is on call at an instant.
func (in *inputs) now(env *program.Env) error {
	at, _ := instant(in.at) // checked with the flags
	out := onCallAt{Envelope: in.envelope("oncall-at/v1"), At: at, Schedules: []scheduleAt{}, Centres: []centreAt{}}
	for _, name := range in.schedules() {
		s := in.scheduleAt(name, at)
		if s.OnCall == nil {
			env.Holds("gap")
		}
		if env.Explain {
			out.Explain = append(out.Explain, in.explanation(
				fmt.Sprintf("$.schedules[%d].on_call", len(out.Schedules)), "the last override that matches, else the first layer that is active and has a person",
				map[string]any{"source": s.Source, "lineup": s.Lineup}))
		}
		out.Schedules = append(out.Schedules, s)
	}
	centres := in.router.Centres()
	for _, c := range in.team.Centres {
		state := centreAt{Centre: c.ID, Staffed: centres.IsOpen(c.ID, at), Responsible: centres.Owner(at) == c.ID}
		for _, h := range centres.Handoffs(at, at.AddDate(0, 0, 3)) {
			if h.From == c.ID && state.Next == nil {
				state.Next = &handingOff{To: h.To, At: h.Start}
			}
		}
		out.Centres = append(out.Centres, state)
	}
	if env.Format == "json" {
		return env.JSON(out)
	}
	return in.write(env, in.nowDocument(out))
}

func (in *inputs) scheduleAt(name string, at time.Time) scheduleAt {
	schedule := in.router.Schedule(name)
	shift := schedule.ShiftAt(at)
	s := scheduleAt{
		Schedule: name, OnCall: orNull(shift.User), Source: orNull(shift.Source), Also: append([]string{}, shift.Also...),
		Start: orNull(shift.Start), End: orNull(shift.End), Lineup: []inLine{},
	}
	for _, o := range schedule.Lineup(at) {
		s.Lineup = append(s.Lineup, inLine{Engineer: o.User, Source: o.Source, Absent: in.absent(o.User, at)})
	}
	return s
}

// absent reports whether a person cannot be reached.
func (in *inputs) absent(id string, at time.Time) bool {
	for _, a := range in.team.Absences {
		if a.Engineer == id && !at.Before(a.Start) && at.Before(a.End) {
			return true
		}
	}
	return false
}

func (in *inputs) nowDocument(r onCallAt) report.Document {
	people := report.Table{Caption: "On call at " + in.clock(r.At), Columns: []report.Column{{Title: "Schedule"}, {Title: "On call"}, {Title: "By"}, {Title: "Since"}, {Title: "Until"}, {Title: "Then tried"}}}
	for _, s := range r.Schedules {
		who, by := report.Cell{Text: "nobody", State: report.Bad}, "no layer is active"
		if s.Source != nil {
			by = *s.Source
		}
		var then []string
		for i, o := range s.Lineup {
			text := in.name(o.Engineer)
			if o.Absent {
				text += " (absent)"
			}
			if i == 0 {
				who = report.Cell{Text: text, State: report.Good}
				if o.Absent {
					who.State = report.Warning
				}
				continue
			}
			then = append(then, text)
		}
		row := report.Cells(s.Schedule, "", by, in.clockOr(s.Start, "ever"), in.clockOr(s.End, "further notice"), strings.Join(then, ", "))
		row[1] = who
		people.Rows = append(people.Rows, row)
	}
	blocks := []report.Block{people}
	if len(r.Schedules) == 0 {
		blocks[0] = report.Text("The team has no schedules.")
	}
	doc := report.Document{Title: "Who is on call", Sections: []report.Section{{ID: "schedules", Title: "Schedules", Blocks: blocks}}}
	if len(r.Centres) > 0 {
		centres := report.Table{Caption: "Operations centres", Columns: []report.Column{{Title: "Centre"}, {Title: "Staffed"}, {Title: "Responsible"}, {Title: "Hands over"}}}
		for _, c := range r.Centres {
			next := "to nobody"
			if c.Next != nil {
				next = in.clock(c.Next.At) + " to " + in.name(c.Next.To)
			}
			centres.Rows = append(centres.Rows, report.Cells(in.name(c.Centre), yes(c.Staffed), yes(c.Responsible), next))
		}
		doc.Sections = append(doc.Sections, report.Section{ID: "centers", Title: "Centres", Blocks: []report.Block{centres}})
	}
	if len(r.Explain) > 0 {
		doc.Sections = append(doc.Sections, explainSection(r.Explain))
	}
	return doc
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}
