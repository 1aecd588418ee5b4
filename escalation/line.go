package escalation

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// Line is whom a support line pages, for steps that name it.
type Line struct {
	Name string `json:"name"`

	// Pages are all paged in the hours of the line: people, schedules, teams,
	// centres and webhooks, found out when a step fires. A line without is one that
	// no step can name.
	Pages []Target `json:"pages,omitempty"`

	// Hours are when the line is staffed. Defaults to always.
	Hours *OnlyIn `json:"hours,omitempty"`

	// Least is the least severity that the line takes outside its hours; the zero
	// value takes nothing. OffHours are those who are paged then and default to
	// Pages.
	Least    incident.Severity `json:"off_hours_least,omitzero"`
	OffHours []Target          `json:"off_hours,omitempty"`
}

// line is a Line after its checks.
type line struct {
	Line
	hours *hours // nil: always
}

// WithLines returns a router whose policies may name support lines as targets; the
// router itself is unchanged. The problems are joined [*ConfigError]s.
func (r *Router) WithLines(lines []Line) (*Router, error) {
	p, zs := newProblems(), zones{}
	out := *r
	out.paging = nil
	for i, l := range lines {
		q := p.at("support_lines[%d]", i)
		if l.Name == "" || out.line(l.Name) != nil {
			q.at("name").add(l.Name, "a name of its own")
		}
		if l.Least != 0 && !l.Least.IsSet() {
			q.at("off_hours_least").add(l.Least.String(), "P1 to P4")
		}
		if len(l.OffHours) > 0 && (l.Hours == nil || !l.Least.IsSet() || len(l.Pages) == 0) {
			q.at("off_hours_pages").add("", "none where the line has no hours, takes nothing outside them or pages nobody in them")
		}
		r.checkPages(l.Pages, q.at("pages"))
		r.checkPages(l.OffHours, q.at("off_hours_pages"))
		if len(l.OffHours) == 0 {
			l.OffHours = l.Pages
		}
		compiled := &line{Line: l}
		if l.Hours != nil {
			compiled.hours = compileWindows(l.Hours.Windows, zs.require(l.Hours.Zone, q.at("timezone")), q.at("hours"))
		}
		out.paging = append(out.paging, compiled)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	return &out, nil
}

func (r *Router) checkPages(targets []Target, p problems) {
	for i, t := range targets {
		q := p.at("[%d]", i)
		if t.Level != 0 || t.Line != "" {
			q.add(t.String(), "an engineer, a schedule, a team, a centre or a webhook")
			continue
		}
		t.check(0, r, q)
	}
}

func (r *Router) line(name string) *line {
	if i := slices.IndexFunc(r.paging, func(l *line) bool { return l.Name == name }); i >= 0 {
		return r.paging[i]
	}
	return nil
}

// linesThatPage returns the names that a target may have.
func (r *Router) linesThatPage() []string {
	var names []string
	for _, l := range r.paging {
		if len(l.Pages) > 0 {
			names = append(names, l.Name)
		}
	}
	return names
}

// pages returns whom a line pages for a severity at an instant, and why.
func (l *line) pages(s incident.Severity, at time.Time) (targets []Target, why string) {
	switch {
	case l.hours == nil:
		return l.Pages, "at all hours"
	case l.hours.open(seconds(at)):
		return l.Pages, "within hours"
	case !l.Least.IsSet():
		return nil, "off hours"
	case !s.AtLeast(l.Least):
		return nil, fmt.Sprintf("off hours, from %s up only", l.Least)
	}
	return l.OffHours, fmt.Sprintf("off hours, %s is severe enough", s)
}

// reachLine finds the people of a support line.
func (r *Router) reachLine(l *line, q Request) reached {
	targets, why := l.pages(q.Severity, q.At)
	all := reached{why: []string{"line " + l.Name + ": " + why}}
	for _, t := range targets {
		who := r.reach(t, q, 0, nil)
		all.level, all.why = max(all.level, who.level), append(all.why, who.why...)
		for _, id := range who.people {
			if !slices.Contains(all.people, id) {
				all.people = append(all.people, id)
			}
		}
	}
	return all
}
