package continuity

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Plans is what is planned for the time of key dates.
type Plans struct {
	Work []Work
	// Cover answers how many people are planned. Nil knows nothing.
	Cover Cover
}

// Work is a change or a maintenance that is planned. Leave cancelled ones out.
type Work struct {
	Ref  string   `json:"ref"`
	Kind WorkKind `json:"kind"`
	// Services are those concerned. Empty means all.
	Services []string `json:"services,omitempty"`
	// Window is half-open; one without a length is its instant.
	Window    calendar.Interval `json:"window"`
	Emergency bool              `json:"emergency,omitempty"` // said in the finding, no excuse
}

// WorkKind tells changes from maintenance.
type WorkKind string

// The kinds of work.
const (
	Change      WorkKind = "change"
	Maintenance WorkKind = "maintenance"
)

// Cover returns the least number of people who know a technology domain and are on
// duty at any instant of a half-open stretch of time; known is false where nobody
// can tell. It is a function because the answer is that of whoever keeps the rosters,
// such as package escalation.
type Cover func(domain string, during calendar.Interval) (people int, known bool)

func (w Work) check(p problems) {
	p.required("ref", w.Ref, "the reference of the change or maintenance")
	if w.Kind != Change && w.Kind != Maintenance {
		p.add("kind", string(w.Kind), "change or maintenance")
	}
	if w.Window.Start.IsZero() || w.Window.Validate() != nil {
		p.add("window", w.Window.String(), "a start, and an end that is not before it")
	}
}

// within reports whether some of the work is done during an interval.
func (w Work) within(i calendar.Interval) bool {
	return w.Window.Overlaps(i) || w.Window.IsEmpty() && i.Contains(w.Window.Start)
}

// KeyDates returns the occurrences of all key dates that overlap the horizon, by
// start and then by key date; see [KeyDate.Expand]. The error is that of an invalid
// horizon.
func (r *Register) KeyDates(horizon calendar.Interval) ([]Occurrence, error) {
	if err := horizon.Validate(); err != nil {
		return nil, err
	}
	var out []Occurrence
	for _, d := range r.dates {
		out = append(out, d.expand(horizon)...)
	}
	slices.SortFunc(out, compareOccurrences)
	return out, nil
}

// Asked is the extra cover that a key date wants: people who know a technology domain
// at every instant of the window.
type Asked struct {
	KeyDate string            `json:"key_date"` // its id
	Domain  string            `json:"technology_domain"`
	People  int               `json:"people"`
	Window  calendar.Interval `json:"window"`
}

// CoverAsked returns what cover the key dates that overlap the horizon want, by start,
// key date and domain. Whoever keeps the rosters can answer it with names. The error is
// that of an invalid horizon.
func (r *Register) CoverAsked(horizon calendar.Interval) ([]Asked, error) {
	if err := horizon.Validate(); err != nil {
		return nil, err
	}
	var out []Asked
	for _, d := range r.dates {
		for _, o := range d.expand(horizon) {
			for domain, people := range d.Cover {
				out = append(out, Asked{KeyDate: d.ID, Domain: domain, People: people, Window: o.Interval})
			}
		}
	}
	slices.SortFunc(out, func(a, b Asked) int {
		return cmp.Or(a.Window.Start.Compare(b.Window.Start), strings.Compare(a.KeyDate, b.KeyDate), strings.Compare(a.Domain, b.Domain))
	})
	return out, nil
}

func compareOccurrences(a, b Occurrence) int {
	return cmp.Or(a.Interval.Start.Compare(b.Interval.Start), strings.Compare(a.KeyDate, b.KeyDate))
}

// CheckDates holds plans against the key dates that overlap the horizon: work
// inside a freeze, and people who are missing or of whom nobody knows. There is one
// finding for each service, as everywhere. The errors are [*RecordError] for work
// that cannot be placed, joined, and that of an invalid horizon.
func (r *Register) CheckDates(horizon calendar.Interval, plans Plans) ([]Finding, error) {
	p := newProblems()
	for i, w := range plans.Work {
		w.check(p.at("work[%d]", i))
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	if err := horizon.Validate(); err != nil {
		return nil, err
	}
	var out []Finding
	for _, d := range r.dates {
		for _, o := range d.expand(horizon) {
			if d.Freeze {
				out = append(out, r.freezeFindings(d, o, plans.Work)...)
			}
			out = append(out, r.coverFindings(d, o, plans.Cover)...)
		}
	}
	return sortFindings(out), nil
}

func (r *Register) freezeFindings(d *plannedDate, o Occurrence, work []Work) (out []Finding) {
	for _, w := range work {
		if !w.within(o.Interval) {
			continue
		}
		since := o.Interval.Start
		if w.Window.Start.After(since) {
			since = w.Window.Start
		}
		form := "freeze_" + string(w.Kind)
		if w.Emergency {
			form = "freeze_emergency_" + string(w.Kind)
		}
		said := clause(form, w.Ref, w.Window.Start, w.Window.End, d.name(), o.text())
		for _, s := range r.concerned(d.Services) {
			if len(w.Services) == 0 || slices.Contains(w.Services, s) {
				out = append(out, Finding{Code: FreezeConflict, Service: s, Subject: w.Ref, Since: since}.saying(said))
			}
		}
	}
	return out
}

func (r *Register) coverFindings(d *plannedDate, o Occurrence, cover Cover) (out []Finding) {
	for _, domain := range slices.Sorted(maps.Keys(d.Cover)) {
		people, known := 0, false
		if cover != nil {
			people, known = cover(domain, o.Interval)
		}
		code, said := CoverUnknown, []any{d.name(), o.text(), d.Cover[domain], domain, o.Interval.Start, o.Interval.End}
		switch {
		case !known:
		case people >= d.Cover[domain]:
			continue
		default:
			code, said = CoverMissing, append(said, people)
		}
		for _, s := range r.concerned(d.Services) {
			out = append(out, Finding{Code: code, Service: s, Subject: d.ID, Since: o.Interval.Start}.saying(clause(string(code), said...)))
		}
	}
	return out
}

// dateFindings judges what does not depend on a horizon: a key date has a runbook that
// was reviewed, and was rehearsed. A stale runbook is told here to the services that it
// does not name itself.
func (r *Register) dateFindings(d *plannedDate, at time.Time) (out []Finding) {
	find := func(code Code, subject string, since time.Time, said Clause, but ...string) {
		said.Args = append([]any{d.name()}, said.Args...)
		for _, s := range r.concerned(d.Services) {
			if !slices.Contains(but, s) {
				out = append(out, Finding{Code: code, Service: s, Subject: subject, Since: since}.saying(said))
			}
		}
	}
	rehearsed := d.RehearsedAt
	i := slices.IndexFunc(r.catalogue.Runbooks, func(b Runbook) bool { return b.ID == d.Runbook })
	switch {
	case d.Runbook == "":
		find(RunbookMissing, d.ID, time.Time{}, clause("date_no_runbook"))
	case i < 0:
		find(RunbookMissing, d.ID, time.Time{}, clause("date_unknown_runbook", d.Runbook))
	default:
		b := r.catalogue.Runbooks[i]
		if since, said, lapsed := lapse("date_reviewed", b.ReviewedAt, r.policy.reviewEvery(b), at); lapsed {
			find(RunbookStale, b.ID, since, said, b.Services...)
		}
		if b.RehearsedAt.After(rehearsed) && !b.RehearsedAt.After(at) {
			rehearsed = b.RehearsedAt
		}
	}
	if since, said, lapsed := lapse("date_rehearsed", rehearsed, r.policy.RehearseEvery, at); lapsed {
		find(RehearsalOverdue, d.ID, since, said)
	}
	return out
}
