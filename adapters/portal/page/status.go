package page

import (
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/sla"
)

// stateWords are the keys of the words for the states of services.
var stateWords = map[report.State]string{
	report.Good: "state.operational", report.Warning: "state.degraded", report.Bad: "state.outage",
	report.Maintenance: "state.maintenance", report.NoData: "state.no_data",
}

func (v *view) condition(s report.State) *mark { return v.mark(s, v.t(stateWords[s])) }

const (
	soon      = 7 * 24 * time.Hour // of maintenance on the status page
	stripDays = 90

	stripMonths = 5 // that they may be in
)

func (t *Tenant) status(v *view) {
	overall := t.Overall()
	v.Lead = v.condition(overall.State)
	var next time.Time
	for _, i := range t.Incidents {
		if v.has(Incidents) && i.OpenAt(t.At) && !i.NextUpdate.IsZero() && (next.IsZero() || i.NextUpdate.Before(next)) {
			next = i.NextUpdate
		}
	}
	facts := []fact{{v.t("status.since"), cell{Times: []when{v.time(overall.Since)}}}}
	if !next.IsZero() {
		facts = append(facts, fact{v.t("status.next_update"), v.due(next, t.At)})
	}
	v.Intro = append(v.Intro, block{Facts: facts})
	v.add("services", v.t("status.services"), t.serviceTable(v))
	if open := t.openIncidents(v); len(open) > 0 {
		v.add("open", v.t("status.open"), open...)
	}
	if v.has(Maintain) {
		v.add("work", v.t("status.work"), t.soonTable(v))
	}
	v.add("days", v.t("status.days"), t.strips(v)...)
	v.add("feeds", v.t("status.feeds"), block{List: t.feeds(v)})
}

// feeds links what readers, calendars and other programs take.
func (t *Tenant) feeds(v *view) []cell {
	var list []cell
	if v.has(Incidents) {
		list = append(list, to(v.Feed, v.t("feed.atom")))
	}
	if v.has(Maintain) {
		list = append(list, to(v.home+"maintenance.ics", v.t("feed.ical")))
	}
	list = append(list, to(v.home+"status.json", v.t("feed.json")))
	if v.options.Has(SLO) {
		list = append(list, to(v.home+"badge.svg", v.t("feed.badge")))
	}
	return list
}

func (t *Tenant) serviceTable(v *view) block {
	if len(t.Services) == 0 {
		return block{Text: v.t("status.no_services")}
	}
	rows := &table{Caption: v.t("status.services"), Columns: v.columns("service", "state", "status.since", "status.because", "incident.last_update", "incident.next_update")}
	conditions := t.Conditions()
	for i, s := range t.Services {
		c := conditions[i]
		because, last, next := cell{}, cell{}, cell{}
		for _, ref := range c.Refs {
			if !v.has(Incidents) {
				break
			}
			incident := v.incident(t, ref)
			if incident == nil {
				if because.Text == "" {
					because = cell{Text: ref}
				}
				continue
			}
			because = to(v.anchor(Incidents, incidentID(incident.ID)), incident.ID)
			if u, ok := incident.LastUpdate(); ok {
				last = cell{Times: []when{v.time(u.At)}}
			}
			if !incident.NextUpdate.IsZero() {
				next = v.due(incident.NextUpdate, t.At)
			}
			break
		}
		since := cell{}
		if !c.Since.IsZero() {
			since.Times = []when{v.time(c.Since)}
		}
		rows.Rows = append(rows.Rows, []cell{{Text: t.service(v, s.ID)}, {Mark: v.condition(c.State)}, since, because, last, next})
	}
	return block{Table: rows}
}

func (t *Tenant) openIncidents(v *view) []block {
	var list []block
	for _, i := range t.Incidents {
		if !i.OpenAt(t.At) || !v.has(Incidents) {
			continue
		}
		facts := []fact{
			{v.t("incident.severity"), text(v.severity(i.CurrentSeverity()))},
			{v.t("service"), text(t.service(v, i.Service))},
			{v.t("incident.opened"), cell{Times: []when{v.time(i.Opened)}}},
		}
		if i.Stage != "" {
			facts = append(facts, fact{v.t("incident.stage"), text(v.known("stage", i.Stage))})
		}
		if u, ok := i.LastUpdate(); ok {
			facts = append(facts, fact{v.t("incident.last_update"), cell{Text: u.Text, Times: []when{v.time(u.At)}}})
		}
		if !i.NextUpdate.IsZero() {
			facts = append(facts, fact{v.t("incident.next_update"), v.due(i.NextUpdate, t.At)})
		}
		list = append(list, block{Head: &heading{v.id("open-" + i.ID), incidentTitle(i)}}, block{Facts: facts})
	}
	return list
}

// soonTable has the work of the next days, that which is going on among it.
func (t *Tenant) soonTable(v *view) block {
	rows := &table{Caption: v.t("status.work"), Columns: v.columns("window", "service", "start", "end", "state")}
	for _, m := range t.Maintenance {
		if !m.End.After(t.At) || m.Start.After(t.At.Add(soon)) {
			continue
		}
		rows.Rows = append(rows.Rows, []cell{
			{Text: m.Ref, Sub: m.Title, Struck: m.Cancelled},
			{Text: t.service(v, m.Service)},
			{Times: []when{v.time(m.Start)}},
			{Times: []when{v.time(m.End)}},
			{Mark: v.workState(m, t.At)},
		})
	}
	if len(rows.Rows) == 0 {
		return block{Text: v.t("status.no_work")}
	}
	return block{Table: rows}
}

// strips has the last days of every service, and what they come to.
func (t *Tenant) strips(v *view) []block {
	if len(t.Months) == 0 {
		return []block{{Text: v.t("no_reports")}}
	}
	list := []block{{Text: v.t("days.scale")}}
	for n, s := range t.Services {
		days := t.days(v, s.ID)
		strip := report.DayStrip{ID: v.id("strip"), Title: v.t("status.strip", t.service(v, s.ID), len(days))}
		var sum daySum
		for range stripDays - len(days) {
			strip.Days = append(strip.Days, report.CalendarDay{Class: report.DayBefore})
		}
		for _, d := range days {
			c := t.calendarDay(d)
			strip.Days = append(strip.Days, c)
			sum.add(c.Class)
		}
		strip.Summary = v.daySummary(sum)
		list = append(list, block{Figure: &figure{
			ID: v.id("days-" + s.ID), Title: strip.Title, Summary: strip.Summary, SVG: svg(strip.SVG()), Data: v.dayTable(v.t("days.table", t.service(v, t.Services[n].ID)), days),
		}})
	}
	return list
}

// days are the last ones of a service that have begun, at most [stripDays], oldest
// first. Where it is promised by several terms, the first one counts.
func (t *Tenant) days(v *view, service string) []sla.Day {
	all := make([]sla.Day, 0, stripDays)
	for i := max(0, len(t.Months)-stripMonths); i < len(t.Months); i++ {
		r := v.availability(t, i, service)
		if r == nil {
			continue
		}
		for k := range r.Days {
			if r.Days[k].Start.Before(t.At) {
				all = append(all, r.Days[k])
			}
		}
	}
	return all[max(0, len(all)-stripDays):]
}

// availability is that of a service in a month of the customer, by its number, nil where
// it was not promised. A page asks for all services of all months, so the month is read
// once.
func (v *view) availability(t *Tenant, month int, service string) *sla.ServiceReport {
	if v.promised == nil {
		v.promised = make([]map[string]*sla.ServiceReport, len(t.Months))
	}
	if v.promised[month] == nil {
		list := t.Months[month].Report.Availability
		v.promised[month] = make(map[string]*sla.ServiceReport, len(list))
		for i := len(list) - 1; i >= 0; i-- { // of several terms the first one counts
			v.promised[month][list[i].Service] = &list[i]
		}
	}
	return v.promised[month][service]
}

// incident is one of the customer by its id, nil for none.
func (v *view) incident(t *Tenant, id string) *Incident {
	if v.byID == nil {
		v.byID = make(map[string]*Incident, len(t.Incidents))
		for i := len(t.Incidents) - 1; i >= 0; i-- {
			v.byID[t.Incidents[i].ID] = &t.Incidents[i]
		}
	}
	return v.byID[id]
}

// availability is that of a service in a month, nil where it was not promised.
func availability(m *report.ServiceReport, service string) *sla.ServiceReport {
	for i := range m.Report.Availability {
		if m.Report.Availability[i].Service == service {
			return &m.Report.Availability[i]
		}
	}
	return nil
}

// calendarDay is how a day is drawn.
func (t *Tenant) calendarDay(d sla.Day) report.CalendarDay {
	c := report.CalendarDay{Class: report.ClassOf(d.Value), Excluded: d.Excluded > 0}
	if d.Promised > 0 && d.Unknown >= d.Promised {
		c.Class = report.DayNoData // a contract may count it as up, but nobody has seen it
	}
	begun := t.Evidence.Observed.Start
	if c.Class == report.DayNoData && (!d.Start.Before(t.At) || !begun.IsZero() && !d.End.After(begun)) {
		c.Class = report.DayBefore
	}
	return c
}

// daySum counts days.
type daySum struct{ known, full, unknown int }

func (s *daySum) add(c report.DayClass) {
	switch c {
	case report.DayBefore:
	case report.DayNoData:
		s.unknown++
	case report.DayFull:
		s.full++
		s.known++
	case report.DayGood, report.DayFair, report.DayPoor, report.DayBad:
		s.known++
	}
}

// daySummary says what a strip or map shows.
func (v *view) daySummary(s daySum) string {
	if s.known == 0 {
		return v.t("days.none")
	}
	text := v.n("days.full", s.known, s.full)
	if s.unknown > 0 {
		text += " " + v.n("days.unknown", s.unknown)
	}
	return text
}

// dayTable lists the days on which there is something to say: the others had no
// downtime.
func (v *view) dayTable(caption string, days []sla.Day) *table {
	rows := &table{Caption: caption, Columns: v.columns("day", ">availability", ">downtime", ">excluded")}
	for _, d := range days {
		if c := report.ClassOf(d.Value); c == report.DayFull && d.Excluded == 0 || c == report.DayNoData {
			continue
		}
		rows.Rows = append(rows.Rows, []cell{{Times: []when{v.date(d.Date)}}, text(v.fraction(d.Value)), text(v.length(d.Down)), text(v.length(d.Excluded))})
	}
	if len(rows.Rows) == 0 {
		return nil
	}
	return rows
}

// fraction is a share as a percentage, cut as in the report.
func (v *view) fraction(f sla.Fraction) string {
	if !f.IsSet() {
		return v.t("state.no_data")
	}
	return v.form.Percent(f.Percent(6))
}
