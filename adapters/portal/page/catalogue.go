package page

import (
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/continuity"
)

// lookAhead is how far key dates are shown.
const lookAhead = 90 * 24 * time.Hour

func (t *Tenant) catalogue(v *view) {
	r, err := t.Catalogue.Readiness(t.At, lookAhead, t.Plans)
	if err != nil {
		// The plans do not fit the catalogue: what it holds can be shown all the same.
		v.Intro = append(v.Intro, block{Notice: v.mark(report.Warning, v.t("catalogue.plans", err.Error()))})
		r, err = t.Catalogue.Readiness(t.At, lookAhead, continuity.Plans{})
	}
	if err != nil || len(r.Services) == 0 {
		v.Intro = append(v.Intro, block{Text: v.t("catalogue.none")})
		return
	}
	v.Intro = append(v.Intro, t.catalogueTable(v, r))
	v.add("dates", v.t("date.title"), t.dateTable(v, r))
	for _, s := range r.Services {
		v.add("service-"+s.ID, t.service(v, s.ID), t.standing(v, s)...)
	}
}

func (t *Tenant) catalogueTable(v *view, r continuity.Readiness) block {
	rows := &table{Caption: v.t("page.catalogue"), Columns: v.columns("service", "catalogue.tier", "owner", "catalogue.hours", "proof", "catalogue.end_of_support", "state")}
	for _, s := range r.Services {
		ready := v.mark(report.Good, v.t("catalogue.ready"))
		if !s.Ready() {
			ready = v.mark(report.Warning, v.n("catalogue.findings", len(s.Findings)))
		}
		rows.Rows = append(rows.Rows, []cell{
			to("#service-"+v.word(s.ID), t.service(v, s.ID)), text(s.Tier), text(s.Owner), text(t.hours(v, s.ID)), v.proof(s), {Times: []when{v.date(s.EndOfSupport)}}, {Mark: ready},
		})
	}
	return block{Table: rows}
}

// hours are those of support, in the words of whoever configured the service.
func (t *Tenant) hours(v *view, service string) string {
	for _, s := range t.Services {
		if s.ID == service && s.Window != "" {
			return s.Window
		}
	}
	return v.t("not_recorded")
}

// proof says what the last restore has shown.
func (v *view) proof(s continuity.Standing) cell {
	if s.Stateless {
		return text(v.t("proof.stateless"))
	}
	for _, f := range s.Findings {
		switch f.Code {
		case continuity.RestoreNeverTested:
			return cell{Mark: v.mark(report.Bad, v.t("proof.never"))}
		case continuity.RestoreFailed:
			return cell{Mark: v.mark(report.Bad, v.t("proof.failed"))}
		default:
		}
	}
	if s.Proof == nil {
		return cell{Mark: v.noData()}
	}
	c := cell{Mark: v.mark(report.Good, v.t("proof.passed")), Times: []when{v.time(s.Proof.Verified)}}
	for _, f := range s.Findings {
		switch f.Code {
		case continuity.WindowMissed:
			c.Mark = v.mark(report.Bad, v.t("proof.window_missed"))
		case continuity.RestoreOverdue:
			c.Mark = v.mark(report.Warning, v.t("proof.overdue"))
		default:
		}
	}
	return c
}

func (t *Tenant) standing(v *view, s continuity.Standing) []block {
	facts := []fact{
		{v.t("catalogue.tier"), v.orNone(s.Tier)},
		{v.t("owner"), v.orNone(s.Owner)},
		{v.t("catalogue.hours"), text(t.hours(v, s.ID))},
		{v.t("catalogue.lines"), v.orNone(strings.Join(s.Lines, ", "))},
		{v.t("catalogue.depends"), v.orNone(strings.Join(mapped(s.DependsOn, func(id string) string { return t.service(v, id) }), ", "))},
		{v.t("catalogue.vendors"), v.orNone(strings.Join(mapped(s.Vendors, func(o continuity.Vendor) string { return o.Name }), ", "))},
		{v.t("catalogue.runbooks"), v.orNone(strings.Join(s.Runbooks, ", "))},
		{v.t("proof"), v.proof(s)},
	}
	for _, w := range []struct {
		key    string
		window *continuity.Window
	}{{"proof.rto", s.RTO}, {"proof.rpo", s.RPO}} {
		if w.window != nil {
			facts = append(facts, fact{v.t(w.key), v.recovery(w.window)})
		}
	}
	if s.DR != nil {
		state := v.mark(report.Good, v.t("proof.passed"))
		if s.DR.Result != continuity.Passed {
			state = v.mark(report.Bad, v.t("proof.failed"))
		}
		facts = append(facts, fact{v.t("proof.dr"), cell{Mark: state, Text: v.known("scenario", string(s.DR.Scenario)), Times: []when{v.time(s.DR.Ended)}}})
	}
	for _, d := range []struct{ key, date string }{
		{"catalogue.end_of_sale", s.EndOfSale}, {"catalogue.end_of_support", s.EndOfSupport}, {"catalogue.end_of_life", s.EndOfLife},
	} {
		if d.date != "" {
			facts = append(facts, fact{v.t(d.key), cell{Times: []when{v.date(d.date)}}})
		}
	}
	list := []block{{Facts: facts}}
	if links := t.runbooks(s); len(links) > 0 {
		list = append(list, block{List: links})
	}
	if len(s.Findings) > 0 {
		items := make([]cell, len(s.Findings))
		for i, f := range s.Findings {
			items[i] = cell{Mark: v.mark(report.Warning, v.known("finding", string(f.Code))), Sub: v.says(f)}
		}
		list = append(list, block{Head: &heading{v.id("findings-" + s.ID), v.t("catalogue.open_points")}}, block{List: items})
	}
	return list
}

// says is the sentence of a finding in the language and the zone of the page.
func (v *view) says(f continuity.Finding) string {
	if len(f.Says) == 0 {
		return f.Text // of a finding that was read from JSON
	}
	var b strings.Builder
	for _, c := range f.Says {
		args := make([]any, len(c.Args))
		for i, a := range c.Args {
			switch a := a.(type) {
			case time.Time:
				args[i] = v.time(a).Text
			case time.Duration:
				args[i] = v.age(a)
			case continuity.Date:
				args[i] = v.date(string(a)).Text
			case continuity.Scenario:
				args[i] = v.known("scenario", string(a))
			case continuity.TaskKind:
				args[i] = v.known("task", string(a))
			case incident.Target:
				args[i] = v.goal(a)
			default:
				args[i] = a
			}
		}
		b.WriteString(v.t("says."+c.Form, args...))
	}
	return b.String()
}

// age is a duration, of two days and more in whole ones.
func (v *view) age(d time.Duration) string {
	const day = 24 * time.Hour
	if d < 2*day {
		return v.length(d)
	}
	return v.n("length.days", int(d/day))
}

// goal is a target such as "> 99%" as the language writes its number.
func (v *view) goal(t incident.Target) string {
	comparison, number, unit := t.Parts()
	if unit != "percent" {
		return t.String()
	}
	return comparison + " " + v.form.Percent(number)
}

// runbooks links those of a service that have an address.
func (t *Tenant) runbooks(s continuity.Standing) []cell {
	var links []cell
	for _, id := range s.Runbooks {
		if b, ok := t.Catalogue.Runbook(id); ok {
			if href := address(b.URL); href != "" {
				links = append(links, to(href, id))
			}
		}
	}
	return links
}

// recovery is a measured figure against the agreed one.
func (v *view) recovery(w *continuity.Window) cell {
	if w.Measured == nil {
		return cell{Mark: v.noData()}
	}
	c := cell{Sub: v.t("clock.against", v.length(*w.Measured), v.length(w.Agreed))}
	switch w.Verdict {
	case incident.Met:
		c.Mark = v.mark(report.Good, v.t("verdict.met"))
	case incident.Missed:
		c.Mark = v.mark(report.Bad, v.t("verdict.missed"))
	default:
		c.Mark = v.noData()
	}
	return c
}

// dateTable has the key dates ahead, by start.
func (t *Tenant) dateTable(v *view, r continuity.Readiness) block {
	type date struct {
		occurrence continuity.Occurrence
		services   []string
	}
	var dates []date
	for _, s := range r.Services {
		for _, o := range s.KeyDates {
			same := func(d date) bool {
				return d.occurrence.KeyDate == o.KeyDate && d.occurrence.Interval.Start.Equal(o.Interval.Start)
			}
			if i := slices.IndexFunc(dates, same); i >= 0 {
				dates[i].services = append(dates[i].services, t.service(v, s.ID))
				continue
			}
			dates = append(dates, date{o, []string{t.service(v, s.ID)}})
		}
	}
	if len(dates) == 0 {
		return block{Text: v.t("date.none")}
	}
	slices.SortStableFunc(dates, func(a, b date) int { return a.occurrence.Interval.Start.Compare(b.occurrence.Interval.Start) })
	rows := &table{Caption: v.t("date.title"), Columns: v.columns("date", "start", "end", "service")}
	for _, d := range dates {
		rows.Rows = append(rows.Rows, []cell{
			text(d.occurrence.KeyDate), {Times: []when{v.time(d.occurrence.Interval.Start)}}, {Times: []when{v.time(d.occurrence.Interval.End)}}, text(strings.Join(d.services, ", ")),
		})
	}
	return block{Table: rows}
}

func mapped[S, D any](list []S, to func(S) D) []D {
	out := make([]D, len(list))
	for i, item := range list {
		out[i] = to(item)
	}
	return out
}
