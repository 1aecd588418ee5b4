package sla

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Quality says how much of the measured time is known, where services add up, and
// how many pieces of evidence could not be judged. Pieces are outages, windows
// that were not cancelled, gaps and counts; each is counted by the first reason
// that fits.
type Quality struct {
	Unknown time.Duration `json:"unknown_ns"`
	Of      time.Duration `json:"of_ns"`
	Grade   Grade         `json:"grade"`

	Empty      int `json:"empty,omitzero"`      // without length
	Outside    int `json:"outside,omitzero"`    // wholly before or after the covered time
	Unassigned int `json:"unassigned,omitzero"` // of a service that no term names

	// Shared counts outages and counts without a service, which are judged more
	// than once: against each service of a term that lists them.
	Shared int `json:"shared,omitzero"`
}

// Grade is a coarse mark for the evidence.
type Grade string

// The grades.
const (
	GradeComplete Grade = "complete" // nothing unknown
	GradePartial  Grade = "partial"
	GradeNone     Grade = "none" // nothing known
)

// unjudged counts the evidence that no term could judge, and reports what of it
// the reader may have to mend.
func (ev *evaluation) unjudged() {
	e, q := &ev.evidence, &ev.statement.Quality
	known, shares, any := ev.services()
	elsewhere := map[string]int{} // pieces by service
	late, noTerm := 0, 0
	judge := func(service string, i calendar.Interval, open, sharing bool) {
		switch {
		case !open && !i.Start.Before(i.End):
			q.Empty++
		case !i.Overlaps(ev.covered):
			q.Outside++
			if i.Start.Before(ev.statement.Period.End) && !i.Start.Before(ev.covered.End) {
				late++
			}
		case !any:
			noTerm++
		case known != nil && !known[service]:
			elsewhere[service]++
		case sharing && shares && service == "":
			q.Shared++
		}
	}
	for i := range e.Outages {
		o := &e.Outages[i]
		judge(o.Service, o.interval(ev.covered.End), o.End.IsZero(), true)
	}
	for i := range e.Maintenance {
		if m := &e.Maintenance[i]; !m.Cancelled {
			judge(m.Service, calendar.Interval{Start: m.Start, End: m.End}, false, false)
		}
	}
	for i := range e.Requests {
		r := &e.Requests[i]
		judge(r.Service, calendar.Interval{Start: r.Start, End: r.Start.Add(1)}, false, true)
	}
	orphans := noTerm // gaps have terms of their own
	for i := range e.Gaps {
		g := &e.Gaps[i]
		judge(g.Service, stretch(g.Start, g.End, ev.covered.End), g.End.IsZero(), false)
	}
	if !ev.statement.Complete && late > 0 {
		ev.find(FindingLate, "", "", fmt.Sprintf("%d outages, windows, gaps and counts begin in the period but after the evidence ends", late))
	}
	if orphans > 0 {
		ev.find(FindingNoTerm, "", string(ClauseAvailability), fmt.Sprintf("%d outages, windows and counts, but no term promises availability", orphans))
	}
	for _, service := range slices.Sorted(maps.Keys(elsewhere)) {
		q.Unassigned += elsewhere[service]
		ev.find(FindingUnassigned, "", service, fmt.Sprintf("%d outages, windows, gaps and counts of a service that no term names", elsewhere[service]))
	}
	if q.Shared > 0 {
		ev.find(FindingShared, "", "", fmt.Sprintf("%d outages and counts without a service count against each service of a term", q.Shared))
	}
	ev.unclaimed()
	ev.unannounced()
}

// services returns the services that availability terms name, nil if one of the
// terms takes all of them; whether one of them names more than one; and whether
// there is such a term.
func (ev *evaluation) services() (known map[string]bool, shares, any bool) {
	known = map[string]bool{"": true, "*": true}
	for _, t := range ev.agreement.contract.Terms {
		if t.Availability == nil {
			continue
		}
		any = true
		shares = shares || len(t.Availability.Services) > 1
		if len(t.Availability.Services) == 0 {
			known = nil
		}
		for _, s := range t.Availability.Services {
			if known != nil {
				known[s.ID] = true
			}
		}
	}
	return known, shares, any
}

// unclaimed reports claims for lost data in a contract without a liability.
func (ev *evaluation) unclaimed() {
	for _, t := range ev.agreement.contract.Terms {
		if t.DataLoss != nil {
			return
		}
	}
	n := 0
	for _, l := range ev.evidence.Losses {
		if ev.covered.Contains(l.At) {
			n++
		}
	}
	if n > 0 {
		ev.find(FindingNoTerm, "", string(ClauseDataLoss), fmt.Sprintf("%d claims for lost data, but no term about it", n))
	}
}

// unannounced reports windows of the period that a term would exclude, were it
// known when they were announced.
func (ev *evaluation) unannounced() {
	for _, t := range ev.agreement.contract.Terms {
		a := t.Availability
		if a == nil || a.MinNotice <= 0 || !slices.Contains(a.Exclude, CauseMaintenance) {
			continue
		}
		n := 0
		for i := range ev.evidence.Maintenance {
			m := &ev.evidence.Maintenance[i]
			if !m.Cancelled && !m.Emergency && m.Announced.IsZero() && ev.covered.Overlaps(calendar.Interval{Start: m.Start, End: m.End}) {
				n++
			}
		}
		if n > 0 {
			ev.find(FindingNoNotice, t.ID, "", fmt.Sprintf("%d windows of maintenance without an announcement are not excluded", n))
		}
	}
}
