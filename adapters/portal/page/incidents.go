package page

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/postmortem"
	"github.com/evenkeelops/evenkeel/sla"
)

func (t *Tenant) incidents(v *view) {
	if len(t.Incidents) == 0 {
		v.Intro = []block{{Text: v.t("incident.none")}}
		return
	}
	v.Intro = []block{{Table: t.incidentTable(v)}}
	if trend := t.severityTrend(v); trend != nil {
		v.add("trend", v.t("incident.trend"), block{Figure: trend})
	}
	if len(t.Months) > 0 {
		v.add("response", v.t("response.title"), t.responseTimes(v)...)
	}
	for _, i := range t.Incidents {
		v.add(incidentID(i.ID), incidentTitle(i), t.incident(v, i)...)
	}
}

// incidentID is the anchor of an incident.
func incidentID(id string) string { return "incident-" + (&view{ids: map[string]int{}}).id(id) }

func incidentTitle(i Incident) string {
	if i.Title == "" {
		return i.ID
	}
	return i.ID + " " + i.Title
}

func (v *view) severity(s incident.Severity) string {
	if !s.IsSet() {
		return ""
	}
	return v.t("severity." + s.String())
}

// state is how far an incident has come.
func (v *view) incidentState(i Incident, now time.Time) *mark {
	switch {
	case !i.Cancelled.IsZero():
		return v.mark(report.NoData, v.t("incident.cancelled"))
	case i.OpenAt(now) && i.CurrentSeverity() == incident.P1:
		return v.mark(report.Bad, v.t("incident.open"))
	case i.OpenAt(now):
		return v.mark(report.Warning, v.t("incident.open"))
	}
	return v.mark(report.Good, v.t("incident.resolved"))
}

func (t *Tenant) incidentTable(v *view) *table {
	rows := &table{Caption: v.t("incident.list"), Columns: v.columns("incident", "incident.severity", "service", "incident.opened", "state", ">incident.duration", "clause.response", "clause.resolution")}
	for _, i := range t.Incidents {
		rows.Rows = append(rows.Rows, []cell{
			{Text: i.ID, Href: "#" + incidentID(i.ID), Sub: i.Title},
			text(v.severity(i.CurrentSeverity())), text(t.service(v, i.Service)),
			{Times: []when{v.time(i.Opened)}},
			{Mark: v.incidentState(i, t.At)},
			text(v.length(i.duration(t.At))), v.clock(i, sla.ClauseResponse), v.clock(i, sla.ClauseResolution),
		})
	}
	return rows
}

// duration runs from the opening to the resolution, or so far.
func (i Incident) duration(now time.Time) time.Duration {
	end := now
	if !i.Resolved.IsZero() && i.Resolved.Before(now) {
		end = i.Resolved
	} else if !i.Cancelled.IsZero() {
		end = i.Cancelled
	}
	return max(0, end.Sub(i.Opened))
}

// clock is the target of a clause against what was done; of several terms the first.
func (v *view) clock(i Incident, clause sla.Clause) cell {
	k := slices.IndexFunc(i.Clocks, func(c sla.ClockState) bool { return c.Clause == clause })
	if k < 0 {
		return text(v.t("clock.none"))
	}
	c := i.Clocks[k]
	promised := v.t("clock.next_day")
	if c.Target > 0 {
		promised = v.length(c.Target)
	}
	sub := v.t("clock.against", v.length(c.Elapsed), promised)
	switch c.Outcome {
	case sla.Met:
		return cell{Mark: v.mark(report.Good, v.t("verdict.met")), Sub: sub}
	case sla.Missed:
		return cell{Mark: v.mark(report.Bad, v.t("verdict.missed")), Sub: sub}
	case sla.Pending:
		return cell{Mark: v.mark(report.Warning, v.t("clock.pending")), Sub: sub + ", " + v.t("clock.due", v.time(c.Due).Text)}
	case sla.Paused:
		return cell{Mark: v.mark(report.Maintenance, v.t("clock.paused")), Sub: sub}
	case sla.Cancelled:
		return text(v.t("incident.cancelled"))
	case sla.NoData:
	}
	return cell{Mark: v.noData()}
}

// incident is one in full.
func (t *Tenant) incident(v *view, i Incident) []block {
	facts := []fact{
		{v.t("state"), cell{Mark: v.incidentState(i, t.At)}},
		{v.t("incident.severity"), text(v.severity(i.CurrentSeverity()))},
		{v.t("service"), text(t.service(v, i.Service))},
	}
	for _, f := range []struct {
		key string
		at  time.Time
	}{
		{"incident.started", i.Started},
		{"incident.detected", i.Detected},
		{"incident.opened", i.Opened},
		{"incident.acknowledged", i.Acknowledged},
		{"incident.responded", i.Responded},
		{"incident.resolved_at", i.Resolved},
	} {
		if !f.at.IsZero() {
			facts = append(facts, fact{v.t(f.key), cell{Times: []when{v.time(f.at)}}})
		}
	}
	facts = append(facts,
		fact{v.t("incident.duration"), text(v.length(i.duration(t.At)))},
		fact{v.t("clause.response"), v.clock(i, sla.ClauseResponse)},
		fact{v.t("clause.resolution"), v.clock(i, sla.ClauseResolution)},
	)
	if i.Stage != "" {
		facts = append(facts, fact{v.t("incident.stage"), text(v.known("stage", i.Stage))})
	}
	if !i.NextUpdate.IsZero() {
		facts = append(facts, fact{v.t("incident.next_update"), v.due(i.NextUpdate, t.At)})
	}
	if i.Cause != "" {
		facts = append(facts, fact{v.t("cause"), text(i.Cause)})
	}
	if i.Action != "" {
		facts = append(facts, fact{v.t("action"), text(i.Action)})
	}
	if i.Excluded != "" {
		facts = append(facts, fact{v.t("state.excluded"), text(v.known("cause", i.Excluded))})
	}
	if c, ok := t.postmortem(v, i); ok {
		facts = append(facts, fact{v.t("postmortem"), c})
	}
	list := []block{{Facts: facts}}
	if len(i.Updates) > 0 {
		updates := slices.Clone(i.Updates)
		slices.SortStableFunc(updates, func(a, b Update) int { return a.At.Compare(b.At) })
		log := make([]event, len(updates))
		for k, u := range updates {
			log[k] = event{At: v.time(u.At), Text: v.told(u)}
		}
		list = append(list, block{Head: &heading{v.id("updates-" + i.ID), v.t("incident.updates")}}, block{Events: log})
	}
	if i.Document != nil {
		list = append(list, block{Details: &details{v.t("postmortem") + " " + i.ID, v.review(i.Document)}})
	}
	return list
}

// told is an update in words: the stage that it tells, its text, and when the next one
// is announced for.
func (v *view) told(u Update) string {
	told := u.Text
	if u.Stage != "" {
		told = v.known("stage", u.Stage) + ": " + told
	}
	if !u.Next.IsZero() {
		told += " (" + v.t("incident.next_update") + ": " + v.time(u.Next).Text + ")"
	}
	return told
}

// postmortem links the review of an incident, or says until when it is due.
func (t *Tenant) postmortem(v *view, i Incident) (c cell, ok bool) {
	href := address(i.Postmortem)
	switch {
	case i.Postmortem != "":
		return to(href, v.t("postmortem.read")), true
	case i.Document != nil:
		return text(v.t("postmortem.below")), true
	case i.PostmortemDue.IsZero():
		return cell{}, false
	case i.PostmortemDue.Before(t.At):
		return cell{Mark: v.mark(report.Bad, v.t("overdue")), Times: []when{v.time(i.PostmortemDue)}}, true
	default:
		return cell{Mark: v.mark(report.Warning, v.t("postmortem.pending")), Times: []when{v.time(i.PostmortemDue)}}, true
	}
}

// review is what customers read of a post-mortem.
func (v *view) review(d *postmortem.Document) []block {
	var facts []fact
	for _, f := range []struct{ key, text string }{
		{"postmortem.summary", d.Summary}, {"postmortem.impact", d.Impact}, {"postmortem.cause", d.RootCause}, {"postmortem.contributing", strings.Join(d.Contributing, "; ")},
	} {
		if f.text != "" {
			facts = append(facts, fact{v.t(f.key), text(f.text)})
		}
	}
	var list []block
	if len(facts) > 0 {
		list = append(list, block{Facts: facts})
	}
	if len(d.Measures) == 0 {
		return append(list, block{Text: v.t("measure.none")})
	}
	rows := &table{Caption: v.t("measure.title"), Columns: v.columns("measure", "measure.type", "owner", "measure.due", "state", "measure.anchored")}
	for _, m := range d.Measures {
		state := v.mark(report.Warning, v.t("measure.open"))
		switch {
		case m.Status == postmortem.MeasureDone:
			state = v.mark(report.Good, v.t("measure.done"))
		case m.Overdue:
			state = v.mark(report.Bad, v.t("overdue"))
		}
		rows.Rows = append(rows.Rows, []cell{{Text: m.Text, Sub: m.ID}, text(v.known("measure", string(m.Type))), text(m.Owner), {Times: []when{v.date(m.Due)}}, {Mark: state}, text(cmp.Or(m.Ref, v.t("measure.not_anchored")))})
	}
	return append(list, block{Table: rows})
}

// severityTrend stacks the incidents of each month by severity, nil without reports.
func (t *Tenant) severityTrend(v *view) *figure {
	if len(t.Months) == 0 {
		return nil
	}
	s := report.Stack{ID: v.id("severities"), Title: v.t("incident.trend"), Names: []string{"P1", "P2", "P3", "P4"}}
	data := &table{Caption: s.Title, Columns: append(v.columns("month"), column{"P1", true}, column{"P2", true}, column{"P3", true}, column{"P4", true})}
	total := 0
	for _, m := range t.Months {
		label := v.shortMonth(m.Report.Statement.Period.Label)
		c := report.StackColumn{Label: label, Values: make([]int, len(s.Names))}
		row := []cell{text(label), {}, {}, {}, {}}
		for _, r := range m.Report.Incidents.BySeverity {
			if k := int(r.Severity) - 1; k >= 0 && k < len(c.Values) {
				c.Values[k] = r.Count
				total += r.Count
				row[k+1] = text(v.number(r.Count))
			}
		}
		s.Columns = append(s.Columns, c)
		data.Rows = append(data.Rows, row)
	}
	s.Summary = v.n("incident.trend_message", total, len(t.Months))
	return &figure{ID: v.id("trend-figure"), Title: s.Title, Summary: s.Summary, SVG: svg(s.SVG()), Data: data}
}
