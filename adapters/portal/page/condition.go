package page

import (
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
)

// Condition is how a service does at the instant for which the pages speak.
type Condition struct {
	Service string       // "" for all of the customer together
	State   report.State // Bad is an outage
	Since   time.Time    // zero where it is not known
	Refs    []string     // incidents, outages or windows behind it, in the order of their start
}

// Conditions returns how every service does, in their order, by the evidence and the
// open incidents: planned work counts as maintenance and not as what it brings about;
// an open outage, and an incident of P1, are an outage, a degradation and an incident
// of P2 or P3 a degradation. Where nothing of this is known and nobody measures, there
// is no data. A service without trouble is healthy since its last downtime.
func (t *Tenant) Conditions() []Condition {
	present := t.present()
	list := make([]Condition, len(t.Services))
	for i, s := range t.Services {
		list[i] = t.condition(s.ID, present[s.ID])
	}
	return list
}

// present is what the evidence knows of a service at the instant of the pages, each in
// the order of the evidence.
type present struct {
	work    []*sla.Maintenance // going on
	outages []*sla.Outage      // begun
	open    []*Incident
	gaps    []*sla.Gap
}

// present parts the evidence by service, in one pass over it.
func (t *Tenant) present() map[string]*present {
	all := make(map[string]*present, len(t.Services))
	for _, s := range t.Services {
		all[s.ID] = &present{}
	}
	add := func(service string, put func(*present)) {
		if p := all[service]; p != nil && !concerns(service, "") {
			put(p)
		} else if concerns(service, "") { // all of them
			for _, p := range all {
				put(p)
			}
		}
	}
	for i := range t.Evidence.Maintenance {
		if m := &t.Evidence.Maintenance[i]; !m.Cancelled && covers(m.Start, m.End, t.At) {
			add(m.Service, func(p *present) { p.work = append(p.work, m) })
		}
	}
	for i := range t.Evidence.Outages {
		if o := &t.Evidence.Outages[i]; !o.Start.After(t.At) {
			add(o.Service, func(p *present) { p.outages = append(p.outages, o) })
		}
	}
	for k := range t.Incidents {
		if i := &t.Incidents[k]; i.OpenAt(t.At) {
			add(i.Service, func(p *present) { p.open = append(p.open, i) })
		}
	}
	for i := range t.Evidence.Gaps {
		if g := &t.Evidence.Gaps[i]; covers(g.Start, g.End, t.At) {
			add(g.Service, func(p *present) { p.gaps = append(p.gaps, g) })
		}
	}
	return all
}

// Overall returns how the customer's services do together: as the worst of them. It
// knows nothing where there is none.
func (t *Tenant) Overall() Condition {
	worst := Condition{State: report.NoData}
	for i, c := range t.Conditions() {
		if i == 0 || alarm(c.State) > alarm(worst.State) {
			worst = Condition{State: c.State, Since: c.Since, Refs: c.Refs}
		} else if alarm(c.State) == alarm(worst.State) && c.State == report.Good && c.Since.After(worst.Since) {
			worst.Since = c.Since // all are healthy since the last one is
		}
	}
	return worst
}

// alarm orders states by how much a customer wants to know of them.
func alarm(s report.State) int {
	return slices.Index([]report.State{report.Good, report.Maintenance, report.NoData, report.Warning, report.Bad}, s)
}

// concerns reports whether evidence of one service is about another: "" and "*" are
// about all.
func concerns(of, service string) bool { return of == "" || of == "*" || of == service }

func (t *Tenant) condition(service string, known *present) Condition {
	c := Condition{Service: service, State: report.Good}
	worse := func(s report.State, since time.Time, ref string) {
		switch {
		case alarm(s) > alarm(c.State):
			c = Condition{service, s, since, nil}
		case s != c.State:
			return
		case since.Before(c.Since):
			c.Since = since
		}
		if ref != "" && !slices.Contains(c.Refs, ref) {
			c.Refs = append(c.Refs, ref)
		}
	}
	for _, m := range known.work {
		worse(report.Maintenance, m.Start, m.Ref)
	}
	planned := func(start time.Time) bool {
		return slices.ContainsFunc(known.work, func(m *sla.Maintenance) bool { return !m.Emergency && !start.Before(m.Start) })
	}
	var last time.Time
	for _, o := range known.outages {
		switch {
		case !o.End.IsZero() && !o.End.After(t.At):
			if o.End.After(last) && !o.Degraded {
				last = o.End
			}
		case planned(o.Start):
		case o.Degraded:
			worse(report.Warning, o.Start, o.Ref)
		default:
			worse(report.Bad, o.Start, o.Ref)
		}
	}
	for _, i := range known.open {
		if planned(i.Opened) {
			continue
		}
		switch i.CurrentSeverity() {
		case incident.P1:
			worse(report.Bad, i.Opened, i.ID)
		case incident.P2, incident.P3:
			worse(report.Warning, i.Opened, i.ID)
		case incident.P4: // cosmetic
		}
	}
	if c.State == report.Good {
		if since, blind := t.blind(known); blind {
			return Condition{service, report.NoData, since, nil}
		}
		c.Since = last
	}
	return c
}

// blind reports whether nobody measures a service at the instant of the pages, and
// since when. Evidence that ends with that instant is up to date.
func (t *Tenant) blind(known *present) (since time.Time, blind bool) {
	seen := t.Evidence.Observed
	if seen.Start.IsZero() && seen.End.IsZero() || t.At.Before(seen.Start) {
		return time.Time{}, true
	}
	if !seen.End.IsZero() && t.At.After(seen.End) {
		return seen.End, true
	}
	if len(known.gaps) > 0 {
		return known.gaps[0].Start, true
	}
	return time.Time{}, false
}

// covers reports whether [start, end) holds an instant; a zero end is still open.
func covers(start, end, at time.Time) bool {
	return !start.After(at) && (end.IsZero() || end.After(at))
}

// OpenAt reports whether an incident was opened and is not over at an instant.
func (i Incident) OpenAt(at time.Time) bool {
	return !i.Opened.After(at) && (i.Resolved.IsZero() || i.Resolved.After(at)) && i.Cancelled.IsZero()
}

// CurrentSeverity is the one that holds now: the latest change, else that at opening.
func (i Incident) CurrentSeverity() incident.Severity {
	s, at := i.Severity, time.Time{}
	for _, c := range i.Severities {
		if !c.At.Before(at) {
			s, at = c.Severity, c.At
		}
	}
	return s
}

// LastUpdate is the latest message to the customer; ok is false where there is none.
func (i Incident) LastUpdate() (u Update, ok bool) {
	for _, other := range i.Updates {
		if !ok || !other.At.Before(u.At) {
			u, ok = other, true
		}
	}
	return u, ok
}
