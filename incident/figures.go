package incident

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/internal/wallclock"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// FiguresOptions choose what [FiguresOf] counts.
type FiguresOptions struct {
	// Period selects the incidents by Membership. Defaults to all of them.
	Period calendar.Interval
	// Membership says which of its instants puts an incident into the period.
	// Defaults to [BySpan].
	Membership Membership
	// Resolution is the reading of MTTR. Defaults to [MTTR], detection to
	// resolution.
	Resolution Span
	// Clock is that of MTTR. Defaults to [NetTime].
	Clock Clock
	// Targets are judged over Resolution. Defaults to none.
	Targets Targets
	// At is the instant at which open incidents are judged. Defaults to never:
	// they stay undecided.
	At time.Time
}

// Membership says when an incident belongs to a period.
type Membership uint8

// The memberships.
const (
	BySpan     Membership = iota // durations where it was resolved, counts and shares where it was declared
	ByCreation                   // everything where it was declared
	ByOverlap                    // everything in each period that it touches, from the first signal to the resolution
)

// Month returns the calendar month of a zone, of which one or two a year are an
// hour shorter or longer than their days.
func Month(year int, month time.Month, zone *time.Location) calendar.Interval {
	midnight := func(m time.Month) time.Time {
		return wallclock.Resolve(time.Date(year, m, 1, 0, 0, 0, 0, time.UTC), zone, wallclock.First)
	}
	return calendar.Interval{Start: midnight(month), End: midnight(month + 1)}
}

// Figures are the key figures of a set of incidents. Each says over how many it
// was taken; without data it is null. Cancelled and merged incidents are in
// FalseAlarms and Merged only.
type Figures struct {
	Period       calendar.Interval `json:"period,omitzero"`
	Volume       int               `json:"volume"`
	BySeverity   map[Severity]int  `json:"by_severity"`
	Undated      int               `json:"undated"` // never declared, so in no period; not in Volume
	Merged       int               `json:"merged"`  // counted with the incident that they are part of
	FalseAlarms  Share             `json:"false_alarm_rate"`
	MTTD         Durations         `json:"mttd"`
	MTTA         Durations         `json:"mtta"`
	MTTR         Durations         `json:"mttr"`
	FirstContact Share             `json:"first_contact_resolution"`
	Escalated    Share             `json:"escalation_rate"`
	Reopened     Share             `json:"reopen_rate"`
	SeenByUser   Share             `json:"detected_by_user_rate"`
	Kept         Share             `json:"target_compliance"`
	Satisfaction Score             `json:"customer_satisfaction"`
	Waited       Share             `json:"customer_wait_rate"` // the customer had to answer
	Cost         Cost              `json:"cost"`
}

// Score is the mean of what customers answered, 1 to 5.
type Score struct {
	N   int `json:"n"`
	Sum int `json:"sum"`
}

// Mean returns the mean, nil without an answer.
func (s Score) Mean() *big.Rat {
	if s.N == 0 {
		return nil
	}
	return big.NewRat(int64(s.Sum), int64(s.N))
}

// MarshalJSON writes both counts and the mean, as text of an exact fraction or
// null.
func (s Score) MarshalJSON() ([]byte, error) {
	type plain Score
	return json.Marshal(struct {
		plain
		Mean *big.Rat `json:"mean"`
	}{plain(s), s.Mean()})
}

// FiguresOf returns the key figures in one pass over the records and one sort
// per duration; 100,000 records take some 70 ms. The error is that of [CostOf].
func FiguresOf(records []Record, o FiguresOptions) (Figures, error) {
	rules := o.rules()
	f, _, err := compute(records, &rules)
	return f, err
}

// compute returns the figures of all records and those by some dimensions, in one
// pass.
func compute(records []Record, o *rules, by ...Dimension) (Figures, []grouping, error) {
	var all totals
	for i := range all.times {
		all.times[i].in = make([]time.Duration, 0, len(records))
	}
	groups := make([]grouping, len(by))
	for i, d := range by {
		groups[i] = grouping{by: d, totals: map[string]*totals{}}
	}
	var r row
	for i := range records {
		r.judged(&records[i], o)
		in := o.parts(&r)
		all.add(&r, in)
		of := labelsOf(&records[i])
		for j := range groups {
			groups[j].add(&r, in, &of)
		}
	}
	f, err := all.figures(o)
	return f, groups, err
}

// judged is fill with a verdict at the instant of the options.
func (r *row) judged(record *Record, o *rules) {
	r.fill(record, o)
	if r.isOpen() {
		r.verdict = r.verdictAt(o, o.At, record)
	}
}

// Dimension is what incidents are grouped by.
type Dimension uint8

// The dimensions.
const (
	PerSeverity Dimension = iota
	PerService            // an incident of several services counts in each of them
	PerTenant
	PerTeam
	PerCentre
)

// Group is the figures of the incidents that have something in common.
type Group struct {
	Key string `json:"key"` // such as "P1" or the name of a team; "" where it is not known
	Figures
}

// FiguresBy returns the key figures by one dimension, ordered by key. It costs
// what [FiguresOf] costs.
func FiguresBy(records []Record, d Dimension, o FiguresOptions) ([]Group, error) {
	rules := o.rules()
	g := grouping{by: d, totals: map[string]*totals{}}
	var r row
	for i := range records {
		r.judged(&records[i], &rules)
		of := labelsOf(&records[i])
		g.add(&r, rules.parts(&r), &of)
	}
	return g.groups(&rules)
}

// grouping is totals by key.
type grouping struct {
	by     Dimension
	totals map[string]*totals
}

// add puts the parts p of a row into the totals of its labels.
func (g *grouping) add(r *row, p parts, l *labels) {
	if p == 0 {
		return
	}
	if g.by != PerService || len(l.services) == 0 {
		g.of(r.key(g.by, l)).add(r, p)
		return
	}
	for _, service := range l.services {
		g.of(service).add(r, p)
	}
}

// of returns the totals of a key.
func (g *grouping) of(key string) *totals {
	t := g.totals[key]
	if t == nil {
		t = &totals{}
		g.totals[key] = t
	}
	return t
}

// groups returns the figures by key, in order.
func (g *grouping) groups(o *rules) ([]Group, error) {
	var out []Group
	for _, key := range slices.Sorted(maps.Keys(g.totals)) {
		f, err := g.totals[key].figures(o)
		if err != nil {
			return nil, fmt.Errorf("group %q: %w", key, err)
		}
		out = append(out, Group{Key: key, Figures: f})
	}
	return out, nil
}
