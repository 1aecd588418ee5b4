package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/examples/internal/evidence"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/examples/internal/table"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

// row is an incident of the table.
type row struct {
	id, domain, service            string
	severity                       incident.Severity
	opened, acknowledged, resolved time.Time
}

// timelines is the JSON result.
type timelines struct {
	program.Envelope
	Until     time.Time  `json:"until"`
	Incidents []timeline `json:"incidents"`

	Explain []report.Explanation `json:"explain,omitempty"`
}

// timeline is what became of an incident.
type timeline struct {
	ID         string      `json:"id"`
	Severity   string      `json:"severity"`
	Domain     string      `json:"domain"`
	Service    *string     `json:"service"`
	Status     string      `json:"status"`
	Assigned   *string     `json:"assigned"`
	Action     *string     `json:"action"`
	Reason     *string     `json:"reason"`
	Candidates []candidate `json:"candidates"`
	Refused    []refusal   `json:"refused"`
	Timeline   []moment    `json:"timeline"`

	NextEscalation *time.Time `json:"next_escalation"`
	NextUpdateDue  *time.Time `json:"next_update_due"`
}

type candidate struct {
	Engineer string   `json:"engineer"`
	Rank     int      `json:"rank"`
	Skill    *string  `json:"skill"`
	Level    string   `json:"level"`
	Why      []string `json:"why"`
}

type refusal struct {
	Engineer string   `json:"engineer"`
	Why      []string `json:"why"`
}

type moment struct {
	At    time.Time `json:"at"`
	Event string    `json:"event"`
	Level *int      `json:"level,omitempty"`
	To    []string  `json:"to"`
	Why   []string  `json:"why"`
}

const timelineSchema = "escalation-timeline/v1"

// incidents follows the incidents of a table up to an instant.
func (in *inputs) incidents(env *program.Env) error {
	until, name := in.present, in.options.incidents
	if in.until != "" {
		until, _ = instant(in.until) // checked with the flags
	}
	if in.Sample {
		name = "incidents.csv"
	}
	rows, err := in.rows(name)
	if err != nil {
		return program.Exit(program.Input, err)
	}
	engine, err := escalation.NewEngine(escalation.Config{Router: in.router, Matrix: in.team.Matrix, Policies: in.team.Policies, DefaultSeverity: in.team.DefaultSeverity})
	if err != nil {
		return program.Exit(program.Usage, err)
	}
	rows = slices.DeleteFunc(rows, func(r row) bool { return r.opened.After(until) })
	if _, err := engine.Replay(in.events(rows), until); err != nil {
		return program.Exit(program.Input, err)
	}
	out := timelines{Envelope: in.envelope(timelineSchema), Until: until, Incidents: []timeline{}}
	for _, r := range rows {
		view, ok := engine.Incident(r.id)
		if !ok {
			continue
		}
		t := in.timeline(r, view)
		if view.Routing.Status == escalation.EscalationRequired {
			env.Holds("unassigned")
		}
		if env.Explain {
			out.Explain = append(out.Explain, in.explain(len(out.Incidents), view, t)...)
		}
		out.Incidents = append(out.Incidents, t)
	}
	if env.Format == "json" {
		return env.JSON(out)
	}
	return in.write(env, in.timelineDocument(out))
}

// rows reads the table, in order of opening, then id.
func (in *inputs) rows(name string) ([]row, error) {
	var rows []row
	lines := map[string]int{}
	read, err := evidence.Table(in.Open, name, []string{"id", "severity", "domain", "opened"}, []string{
		"service", "started", "detected", "acknowledged", "responded", "resolved", "title", "cause", "action", "first_contact", "escalations", "reopened", "csat", "cost",
		"engineer", "postmortem",
	}, func(t *table.Table) {
		r := row{id: strings.Clone(t.Required("id")), domain: strings.Clone(t.Required("domain")), service: strings.Clone(t.Text("service")), severity: t.Severity("severity")}
		if line := lines[r.id]; line > 0 && r.id != "" {
			t.Fail("id", "%q stands already in line %d", r.id, line)
		}
		lines[r.id] = t.Line()
		if t.Text("severity") == "" && in.team.DefaultSeverity == 0 {
			t.Required("severity")
		}
		t.Required("opened")
		at := func(column string) time.Time {
			if text := t.Text(column); text != "" {
				found, err := instant(text)
				if err != nil {
					t.Fail(column, "found %v", err)
				}
				return found
			}
			return time.Time{}
		}
		r.opened, r.acknowledged, r.resolved = at("opened"), at("acknowledged"), at("resolved")
		if r.acknowledged.IsZero() {
			r.acknowledged = at("responded")
		}
		for _, end := range []struct {
			column string
			at     time.Time
		}{{"acknowledged", r.acknowledged}, {"resolved", r.resolved}} {
			if !end.at.IsZero() && end.at.Before(r.opened) {
				t.Fail(end.column, "%s is before opened %s", end.at.Format(time.RFC3339), r.opened.Format(time.RFC3339))
			}
		}
		rows = append(rows, r)
	})
	in.Sources, in.Notices = append(in.Sources, read.Sources...), append(in.Notices, read.Notices...)
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Or(a.opened.Compare(b.opened), cmp.Compare(a.id, b.id)) })
	return rows, err
}

// events are what the rows say that happened.
func (in *inputs) events(rows []row) []escalation.Event {
	var events []escalation.Event
	for _, r := range rows {
		events = append(events, escalation.Event{
			Kind: escalation.Opened, Incident: r.id, Severity: r.severity, Domain: r.domain, Service: r.service, At: r.opened, RespondBy: in.respondBy(r),
		})
		if !r.acknowledged.IsZero() {
			events = append(events, escalation.Event{Kind: escalation.Acknowledged, Incident: r.id, At: r.acknowledged})
		}
		if !r.resolved.IsZero() {
			events = append(events, escalation.Event{Kind: escalation.Resolved, Incident: r.id, At: r.resolved})
		}
	}
	return events
}

// respondBy is when the tier of the team owes an answer; zero for none. A promise by
// the next business day is not followed here.
func (in *inputs) respondBy(r row) time.Time {
	for _, target := range in.team.Tier.Offer().Response {
		if target.Severity == cmp.Or(r.severity, in.team.DefaultSeverity) && target.Within > 0 {
			return r.opened.Add(target.Within)
		}
	}
	return time.Time{}
}

// cadence is the longest time between two updates to stakeholders.
func (in *inputs) cadence(s incident.Severity) time.Duration {
	return cmp.Or(in.team.Comms.Cadence[s], comms.DefaultCadence()[s])
}

func (in *inputs) timeline(r row, v escalation.View) timeline {
	t := timeline{
		ID: v.ID, Severity: strings.ToLower(v.Severity.String()), Domain: v.Domain, Service: orNull(r.service), Status: string(v.Routing.Status),
		Assigned: orNull(v.Routing.Assigned), Action: orNull(v.Routing.Action), Reason: orNull(string(v.Routing.Reason)),
		Candidates: []candidate{}, Refused: []refusal{}, Timeline: []moment{},
	}
	for _, c := range v.Routing.Candidates {
		t.Candidates = append(t.Candidates, candidate{c.Engineer, c.Rank, orNull(c.Skill), c.Level.String(), c.Why})
	}
	for _, c := range v.Routing.Refused {
		t.Refused = append(t.Refused, refusal(c))
	}
	for _, e := range v.Log {
		t.Timeline = append(t.Timeline, moment{At: e.At, Event: string(e.Event), Level: orNull(e.Level), To: append([]string{}, e.To...), Why: append([]string{}, e.Why...)})
	}
	if v.Closed.IsZero() {
		due := v.Opened.Add(in.cadence(v.Severity))
		t.NextUpdateDue = &due
		t.NextEscalation = orNull(v.Next)
	}
	return t
}

func (in *inputs) explain(i int, v escalation.View, t timeline) []report.Explanation {
	at := func(field string) string { return fmt.Sprintf("$.incidents[%d].%s", i, field) }
	list := []report.Explanation{in.explanation(at("assigned"), "the first of the candidates: skill, on call now, nearness, seniority, owning centre, open incidents, longest since the last page, id", map[string]any{
		"search": v.Routing.Search, "candidates": len(t.Candidates), "refused": len(t.Refused),
	})}
	if t.NextEscalation != nil {
		list = append(list, in.explanation(at("next_escalation"), "opened + minutes of the level, elapsed time", map[string]any{"opened": v.Opened}))
	}
	if t.NextUpdateDue != nil {
		list = append(list, in.explanation(at("next_update_due"), "opened + longest time between updates", map[string]any{"opened": v.Opened, "every_s": seconds(in.cadence(v.Severity))}))
	}
	return list
}

func (in *inputs) timelineDocument(r timelines) report.Document {
	summary := report.Table{Caption: "Incidents up to " + in.clock(r.Until), Columns: []report.Column{{Title: "Incident"}, {Title: "Severity"}, {Title: "Domain"}, {Title: "First called"}, {Title: "Next escalation"}, {Title: "Next update due"}}}
	doc := report.Document{Title: "Who is woken", Subtitle: fmt.Sprintf("%d incidents", len(r.Incidents))}
	doc.Sections = append(doc.Sections, report.Section{ID: "summary", Title: "Summary"})
	for i, t := range r.Incidents {
		first := report.Cell{Text: in.name(in.team.LastResort.ID) + ", nobody else is to be had", State: report.Bad}
		if t.Assigned != nil {
			first = report.Cell{Text: in.name(*t.Assigned), State: report.Good}
			if t.Reason != nil {
				first.Text, first.State = first.Text+" ("+strings.ReplaceAll(*t.Reason, "_", " ")+")", report.Warning
			}
		}
		line := report.Cells(t.ID, strings.ToUpper(t.Severity), t.Domain, "", in.clockOr(t.NextEscalation, "none"), in.clockOr(t.NextUpdateDue, "none"))
		line[3] = first
		summary.Rows = append(summary.Rows, line)

		var events report.Timeline
		for _, m := range t.Timeline {
			event := report.Event{At: m.At, Stage: m.Event, Why: strings.Join(m.Why, "; ")}
			var to []string
			for _, id := range m.To {
				to = append(to, in.name(id))
			}
			event.Text = strings.Join(to, ", ")
			if m.Level != nil {
				event.Text = fmt.Sprintf("level %d: %s", *m.Level, event.Text)
			}
			events = append(events, event)
		}
		people := report.Table{Caption: "Who could take it, and why not", Columns: []report.Column{{Title: "Rank"}, {Title: "Engineer"}, {Title: "Why"}}}
		for _, c := range t.Candidates {
			people.Rows = append(people.Rows, report.Cells(strconv.Itoa(c.Rank), in.name(c.Engineer), strings.Join(c.Why, "; ")))
		}
		for _, c := range t.Refused {
			people.Rows = append(people.Rows, report.Cells("no", in.name(c.Engineer), strings.Join(c.Why, "; ")))
		}
		title := fmt.Sprintf("%s: %s %s", t.ID, strings.ToUpper(t.Severity), t.Domain)
		doc.Sections = append(doc.Sections, report.Section{ID: fmt.Sprintf("incident-%d", i+1), Title: title, Blocks: []report.Block{events, people}})
	}
	doc.Sections[0].Blocks = []report.Block{summary}
	if len(r.Explain) > 0 {
		doc.Sections = append(doc.Sections, explainSection(r.Explain))
	}
	return doc
}
