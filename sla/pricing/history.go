package pricing

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Past is what happened in one period.
type Past struct {
	Period sla.Period `json:"period"`

	// Outages and Gaps lie in the period. Only service, start and end count. In a
	// period of another length they begin at the same share of it.
	Outages []sla.Outage `json:"outages,omitempty"`
	Gaps    []sla.Gap    `json:"gaps,omitempty"`

	// Clocks counts the incidents that met and missed their targets. Terms and
	// pending ones do not count.
	Clocks []sla.Tally `json:"clocks,omitempty"`
}

// FromHistory returns the model that draws whole periods out of those given. They
// must not overlap, and all that happened in them must be in the list; outages
// beyond them do not matter. Reports of one service that overlap or touch are one
// outage. Degraded service and outages put down to somebody other than the
// provider are left out. An outage without an end lasts to the end of the last
// period. [Model.Rates] makes rates and lengths of it.
//
// The error joins [*ModelError], with the paths "outages[i]" and "periods[i]".
func FromHistory(outages []sla.Outage, periods []sla.Period) (Model, error) {
	var problems []error
	if len(periods) == 0 {
		problems = append(problems, &ModelError{Path: "periods", Want: "at least one"})
	}
	var last time.Time
	for i, p := range periods {
		path := fmt.Sprintf("periods[%d]", i)
		if err := p.Validate(); err != nil || p.IsEmpty() {
			problems = append(problems, &ModelError{Path: path, Value: p.String(), Want: "an end after the start", Err: err})
			continue
		}
		if j := slices.IndexFunc(periods[:i], func(o sla.Period) bool { return o.Overlaps(p.Interval) }); j >= 0 {
			problems = append(problems, &ModelError{Path: path, Value: p.String(), Want: fmt.Sprintf("no overlap with periods[%d]", j)})
		}
		if p.End.After(last) {
			last = p.End
		}
	}
	services := map[string][]calendar.Interval{}
	for i, o := range outages {
		if o.Degraded || o.Cause != "" && o.Cause != sla.CauseProvider {
			continue
		}
		at := calendar.Interval{Start: o.Start, End: o.End}
		if o.End.IsZero() {
			at.End = last
			if !o.Start.Before(last) {
				continue
			}
		}
		if err := at.Validate(); err != nil {
			problems = append(problems, &ModelError{Path: fmt.Sprintf("outages[%d]", i), Value: o.Ref, Want: "an end that is not before the start", Err: err})
			continue
		}
		services[o.Service] = append(services[o.Service], at)
	}
	if err := errors.Join(problems...); err != nil {
		return Model{}, err
	}
	m := Model{Past: make([]Past, len(periods))}
	for i, p := range periods {
		m.Past[i].Period = p
	}
	for _, service := range slices.Sorted(maps.Keys(services)) {
		set, err := calendar.Normalize(services[service])
		if err != nil {
			return Model{}, err
		}
		for i, p := range periods {
			for _, at := range calendar.Clip(set, p.Interval) {
				m.Past[i].Outages = append(m.Past[i].Outages, sla.Outage{Service: service, Start: at.Start, End: at.End})
			}
		}
	}
	return m, nil
}

// FromStatements returns the model that draws the periods of past statements. Of
// each it takes what its first availability term counted as down, the clocks that
// ended, and the time without monitoring as one stretch. Statements must be
// complete and of known data. The error joins [*ModelError], with the path
// "statements[i]".
func FromStatements(statements []sla.Statement) (Model, error) {
	var problems []error
	m := Model{}
	for i, s := range statements {
		path := fmt.Sprintf("statements[%d]", i)
		switch {
		case !s.Complete:
			problems = append(problems, &ModelError{Path: path + ".through", Value: s.Through.Format(time.RFC3339), Want: "the end of the period " + s.Period.Label})
		case s.Quality.Grade == sla.GradeNone:
			problems = append(problems, &ModelError{Path: path + ".quality", Value: string(s.Quality.Grade), Want: "a period of which something is known"})
		default:
			m.Past = append(m.Past, pastOf(s))
		}
	}
	if len(statements) == 0 {
		problems = append(problems, &ModelError{Path: "statements", Want: "at least one"})
	}
	return m, errors.Join(problems...)
}

func pastOf(s sla.Statement) Past {
	p := Past{Period: s.Period}
	for _, m := range s.Availability {
		if m.Term != s.Availability[0].Term {
			continue
		}
		for _, at := range m.Downtime {
			p.Outages = append(p.Outages, sla.Outage{Service: m.Service, Start: at.Start, End: at.End})
		}
	}
	for _, t := range s.Clocks {
		if t.Met+t.Missed > 0 && !slices.ContainsFunc(p.Clocks, func(o sla.Tally) bool { return o.Clause == t.Clause && o.Severity == t.Severity }) {
			t.Term, t.Pending = "", 0
			p.Clocks = append(p.Clocks, t)
		}
	}
	for _, b := range s.Breaches {
		if b.Clause == sla.ClauseMonitoring && len(p.Gaps) == 0 {
			start := b.At
			if latest := s.Period.End.Add(-b.Actual); latest.Before(start) {
				start = latest
			}
			p.Gaps = append(p.Gaps, sla.Gap{Start: start, End: start.Add(b.Actual)})
		}
	}
	return p
}

// Rates returns the model of rates and empirical lengths that the past periods
// come to: n events in k periods are n/k a period. An outage over the turn of two
// of the periods is one. Without an outage of a service the model has none, and
// says so in [Model.Doubts]. A model without past is returned as it is.
func (m Model) Rates() (Model, error) {
	if len(m.Past) == 0 {
		return m, nil
	}
	if err := m.Validate(); err != nil {
		return Model{}, err
	}
	n := float64(len(m.Past))
	out := Model{Name: m.Name, Overlap: m.Overlap, Basis: &Basis{Periods: len(m.Past)}}
	process := func(service string, raw []calendar.Interval) (Process, error) {
		set, err := calendar.Normalize(raw)
		p := Process{Service: service, PerPeriod: float64(len(set)) / n, Length: Lengths{Kind: Empirical}}
		for _, i := range set {
			p.Length.Values = append(p.Length.Values, i.Duration())
		}
		slices.Sort(p.Length.Values)
		return p, err
	}
	services, gaps := map[string][]calendar.Interval{}, []calendar.Interval(nil)
	type stream struct {
		clause   sla.Clause
		severity string
	}
	late := map[stream]*sla.Tally{}
	for _, p := range m.Past {
		for _, o := range p.Outages {
			services[o.Service] = append(services[o.Service], calendar.Interval{Start: o.Start, End: o.End})
		}
		for _, g := range p.Gaps {
			gaps = append(gaps, calendar.Interval{Start: g.Start, End: g.End})
		}
		for _, c := range p.Clocks {
			key := stream{c.Clause, c.Severity.String()}
			if late[key] == nil {
				late[key] = &sla.Tally{Clause: c.Clause, Severity: c.Severity}
			}
			late[key].Met += c.Met
			late[key].Missed += c.Missed
		}
	}
	for _, service := range slices.Sorted(maps.Keys(services)) {
		p, err := process(service, services[service])
		if err != nil {
			return Model{}, err
		}
		out.Outages = append(out.Outages, p)
		out.Basis.Outages += len(p.Length.Values)
	}
	if len(gaps) > 0 {
		p, err := process("", gaps)
		if err != nil {
			return Model{}, err
		}
		out.Gaps = []Process{p}
		out.Basis.Gaps = len(p.Length.Values)
	}
	keys := slices.SortedFunc(maps.Keys(late), func(a, b stream) int {
		return cmp.Or(slices.Index(clocks[:], a.clause)-slices.Index(clocks[:], b.clause), cmp.Compare(a.severity, b.severity))
	})
	for _, key := range keys {
		t := late[key]
		ended := t.Met + t.Missed
		if ended == 0 {
			continue
		}
		out.Late = append(out.Late, Late{
			Clause: t.Clause, Severity: t.Severity, PerPeriod: float64(ended) / n, Probability: float64(t.Missed) / float64(ended),
		})
		out.Basis.Incidents += ended
	}
	if len(out.Outages)+len(out.Gaps)+len(out.Late) == 0 {
		out.Outages = []Process{{PerPeriod: 0, Length: Fixed(time.Nanosecond)}} // nothing ever happened
	}
	return out, nil
}

func (m Model) counts() (outages, gaps, incidents int) {
	for _, p := range m.Past {
		outages, gaps = outages+len(p.Outages), gaps+len(p.Gaps)
		for _, c := range p.Clocks {
			incidents += c.Met + c.Missed
		}
	}
	return outages, gaps, incidents
}

func (p Past) problems(path string) (problems []error) {
	fail := func(field, value, want string) {
		problems = append(problems, &ModelError{Path: path + "." + field, Value: value, Want: want})
	}
	if p.Period.Validate() != nil || p.Period.IsEmpty() {
		fail("period", p.Period.String(), "an end after the start")
		return problems
	}
	inside := func(field string, i int, start, end time.Time) {
		at := calendar.Interval{Start: start, End: end}
		if at.Validate() != nil || at.IsEmpty() || start.Before(p.Period.Start) || end.After(p.Period.End) {
			fail(fmt.Sprintf("%s[%d]", field, i), at.String(), "a stretch within the period")
		}
	}
	for i, o := range p.Outages {
		inside("outages", i, o.Start, o.End)
	}
	for i, g := range p.Gaps {
		inside("gaps", i, g.Start, g.End)
	}
	for i, c := range p.Clocks {
		at := fmt.Sprintf("clocks[%d]", i)
		if !slices.Contains(clocks[:], c.Clause) {
			fail(at+".clause", string(c.Clause), "response, update or resolution")
		}
		if !c.Severity.IsSet() {
			fail(at+".severity", c.Severity.String(), "P1 to P4")
		}
		if c.Met < 0 || c.Missed < 0 || c.Missed > MaxRate {
			fail(at+".missed", strconv.Itoa(c.Missed), "counts of 0 to "+strconv.Itoa(MaxRate))
		}
	}
	return problems
}
