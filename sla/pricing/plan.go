package pricing

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/sample"
	"github.com/evenkeelops/evenkeel/internal/span"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// plan is a model under a contract in a period, ready to be drawn from. Instants
// are nanoseconds from the start of the period.
type plan struct {
	agreement *sla.Agreement
	evidence  sla.Evidence // fees, invoice, issued credits and the time observed
	asked     sla.Period
	period    sla.Period // as far as the contract holds in it
	fee       money.Amount
	length    int64 // of period
	model     Model
	notes     []string

	units     []unit
	processes []process
	late      []stream
	gaps      []process
	past      []scene

	pricer  *sla.Pricer // nil where only a whole statement will do
	terms   []term      // those that the pricer takes
	watched []watched   // the availability terms among them

	templates [len(clocks)][len(incident.Severities)]*sla.Incident // for whole statements
}

// lateCounts are late incidents by clause and severity.
type lateCounts [len(clocks)][len(incident.Severities)]int

// unit is a service under the hours and the overlap rule of a term.
type unit struct {
	service string
	hours   []span.Span // as a set; nil around the clock
	sum     bool
}

// process is a [Process] with its samplers.
type process struct {
	service string
	units   []int // that it concerns
	count   sample.Dist
	length  *sampler
}

// stream is a [Late] with the sampler of the late ones.
type stream struct {
	clause, severity int
	count            sample.Dist
}

// scene is a period of the past.
type scene struct {
	outages []event
	gaps    []span.Span
	late    lateCounts
}

type event struct {
	service string
	units   []int
	at      span.Span
}

// term is a term that is priced from figures.
type term struct {
	clause   sla.Clause
	clock    int           // in clocks, for a clock
	count    sla.HourCount // for monitoring
	watched  int           // in plan.watched, for availability
	promised int64
}

// watched is an availability term.
type watched struct {
	id    string
	units []int
	bands []BandShare // the outcomes, without draws
	cells []cell      // for a term that is priced from figures
}

// newPlan checks the model and prepares it.
func newPlan(a *sla.Agreement, p sla.Period, m Model, e sla.Evidence) (*plan, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	pl := &plan{agreement: a, asked: p, model: m, evidence: sla.Evidence{
		Observed: p.Interval, Fees: e.Fees, Invoiced: e.Invoiced, Invoice: e.Invoice, Issued: e.Issued,
	}}
	quiet, err := a.Evaluate(p, pl.evidence)
	if err != nil {
		return nil, err
	}
	pl.period, pl.fee, pl.length = quiet.Period, quiet.Fee, int64(quiet.Period.Duration())
	pl.notes = m.Doubts()
	if pl.pricer, err = a.Pricer(p, pl.evidence); err != nil && !errors.Is(err, sla.ErrNotCondensed) {
		return nil, err
	}
	if err := pl.readTerms(); err != nil {
		return nil, err
	}
	if err := pl.processesOf(float64(pl.length) / float64(p.Duration())); err != nil {
		return nil, err
	}
	for _, past := range m.Past {
		pl.past = append(pl.past, pl.scene(past))
	}
	pl.unused()
	if pl.pricer != nil {
		return pl, nil
	}
	pl.notes = append(pl.notes, "the credit depends on more than totals: every draw is a whole statement")
	if m.Overlap == sla.OverlapSum {
		return nil, &ModelError{Path: "overlap", Value: m.Overlap.String(), Want: "union under this contract, whose credits depend on single outages", Err: sla.ErrNotCondensed}
	}
	return pl, pl.lateTemplates()
}

// readTerms lists what has to be measured, and gives the pricer up where a term
// needs more than it takes.
func (pl *plan) readTerms() error {
	for i, t := range pl.agreement.Contract().Terms {
		out := term{clause: t.Clause(), clock: slices.Index(clocks[:], t.Clause())}
		switch out.clause {
		case sla.ClauseDataLoss:
			continue
		case sla.ClauseMonitoring:
			out.count = t.Monitoring.Count
		case sla.ClauseAvailability:
			if err := pl.watch(fmt.Sprintf("terms[%d].availability", i), t, &out); err != nil {
				return err
			}
		default:
		}
		pl.terms = append(pl.terms, out)
	}
	return nil
}

func (pl *plan) watch(path string, t sla.Term, out *term) error {
	a := *t.Availability
	sum := pl.model.Overlap == sla.OverlapSum
	condensed := pl.model.gapless() || a.Unknown == sla.UnknownUp
	switch measure := a.Measure.(type) {
	case nil, sla.AffectedRatio:
	case sla.Uptime:
		sum = sum || measure.Overlap == sla.OverlapSum
		condensed = condensed && measure.MinOutage == 0 && (measure.Unit == 0 || measure.Partial == sla.PartialExact) && !measure.WholeOutages
	case sla.BadSlots, sla.MeanErrorRate, sla.Events:
		return &ModelError{Path: path + ".measure", Value: fmt.Sprintf("%T", measure), Want: "a measure of outages: a model draws no requests"}
	default:
	}
	hours, err := pl.hours(a.ServiceHours)
	if err != nil {
		return err
	}
	services := a.Services
	if len(services) == 0 {
		services = []sla.Service{{}}
	}
	w := watched{id: t.ID, bands: outcomesOf(t)}
	for _, s := range services {
		w.units = append(w.units, pl.unit(s.ID, hours, sum))
		condensed = condensed && s.Target == nil
	}
	condensed = condensed && (len(services) == 1 || a.Aggregate == sla.Worst)
	if !condensed {
		pl.pricer = nil
	}
	out.watched, out.promised = len(pl.watched), pl.length
	if hours != nil {
		out.promised = span.Total(hours)
	}
	w.cells = cellsOf(a, out.promised)
	pl.watched = append(pl.watched, w)
	return nil
}

// hours returns the promised time of a calendar of the contract, nil for all of
// the period.
func (pl *plan) hours(name string) ([]span.Span, error) {
	if name == "" {
		return nil, nil
	}
	c, err := calendar.New(pl.agreement.Contract().Calendars[name])
	if err != nil {
		return nil, err
	}
	hours := []span.Span{}
	for _, i := range c.Expand(pl.period.Start, pl.period.End) {
		hours = append(hours, pl.span(i))
	}
	return hours, nil
}

func (pl *plan) span(i calendar.Interval) span.Span {
	return span.Span{Start: int64(i.Start.Sub(pl.period.Start)), End: int64(i.End.Sub(pl.period.Start))}
}

// unit returns the index of a unit, which may be there already.
func (pl *plan) unit(service string, hours []span.Span, sum bool) int {
	for i, u := range pl.units {
		if u.service == service && u.sum == sum && (u.hours == nil) == (hours == nil) && slices.Equal(u.hours, hours) {
			return i
		}
	}
	pl.units = append(pl.units, unit{service, hours, sum})
	return len(pl.units) - 1
}

// concerned lists the units that an outage of a service bears on.
func (pl *plan) concerned(service string) (units []int) {
	for i, u := range pl.units {
		if u.service == "" || u.service == service || service == "" || service == "*" {
			units = append(units, i)
		}
	}
	return units
}

// processesOf prepares the processes for a share of a whole period.
func (pl *plan) processesOf(share float64) error {
	prepare := func(name string, list []Process) (out []process, err error) {
		for i, p := range list {
			path := fmt.Sprintf("%s[%d]", name, i)
			prepared := process{service: p.Service, units: pl.concerned(p.Service)}
			if prepared.count, err = rate(path+".per_period", p.PerPeriod, share); err != nil {
				return nil, err
			}
			if prepared.length, err = p.Length.sampler(path + ".length"); err != nil {
				return nil, err
			}
			out = append(out, prepared)
		}
		return out, nil
	}
	var err error
	if pl.processes, err = prepare("outages", pl.model.Outages); err != nil {
		return err
	}
	if pl.gaps, err = prepare("gaps", pl.model.Gaps); err != nil {
		return err
	}
	for i, l := range pl.model.Late {
		count, err := rate(fmt.Sprintf("late[%d].per_period", i), l.PerPeriod*l.Probability, share)
		if err != nil {
			return err
		}
		pl.late = append(pl.late, stream{slices.Index(clocks[:], l.Clause), int(l.Severity - incident.P1), count})
	}
	return nil
}

// scene moves a period of the past into the one asked for, and keeps what lies in
// the part of the plan.
func (pl *plan) scene(p Past) (s scene) {
	whole, first := int64(pl.asked.Duration()), int64(pl.period.Start.Sub(pl.asked.Start))
	move := func(start, end time.Time) (moved []span.Span) {
		share := float64(start.Sub(p.Period.Start)) / float64(p.Period.Duration())
		at := span.Span{Start: int64(float64(whole)*share) - first}
		at.End = at.Start + min(int64(end.Sub(start)), whole)
		if pl.length < whole {
			return span.Clip(nil, []span.Span{at}, span.Span{Start: 0, End: pl.length})
		}
		return []span.Span{at}
	}
	for _, o := range p.Outages {
		for _, at := range move(o.Start, o.End) {
			s.outages = append(s.outages, event{o.Service, pl.concerned(o.Service), at})
		}
	}
	for _, g := range p.Gaps {
		s.gaps = append(s.gaps, move(g.Start, g.End)...)
	}
	for _, c := range p.Clocks {
		s.late[slices.Index(clocks[:], c.Clause)][c.Severity-incident.P1] += c.Missed
	}
	return s
}

// gapless reports whether the model has no gaps in the monitoring.
func (m Model) gapless() bool {
	return len(m.Gaps) == 0 && !slices.ContainsFunc(m.Past, func(p Past) bool { return len(p.Gaps) > 0 })
}

// unused notes the parts of the model that nothing in the contract looks at.
func (pl *plan) unused() {
	has := func(c sla.Clause) bool {
		return slices.ContainsFunc(pl.terms, func(t term) bool { return t.clause == c })
	}
	note := func(format string, args ...any) { pl.notes = append(pl.notes, fmt.Sprintf(format, args...)) }
	for i, p := range pl.processes {
		if len(p.units) == 0 {
			note("outages[%d]: no term measures service %q", i, p.service)
		}
	}
	for i, l := range pl.model.Late {
		if !pl.promises(l.Clause, l.Severity) {
			note("late[%d]: no %s target for %s", i, l.Clause, l.Severity)
		}
	}
	if !pl.model.gapless() && !has(sla.ClauseMonitoring) {
		note("gaps: no monitoring term")
	}
	if len(pl.past) > 0 && pl.length < int64(pl.asked.Duration()) {
		note("past: late incidents are those of whole periods, in a part of one")
	}
	for i, p := range pl.past {
		if slices.ContainsFunc(p.outages, func(e event) bool { return len(e.units) == 0 }) {
			note("past[%d]: outages of a service that no term measures", i)
		}
	}
	for i, t := range pl.agreement.Contract().Terms {
		switch t.Clause() {
		case sla.ClauseDataLoss:
			note("terms[%d]: lost data stands outside of the credits and is not drawn", i)
		case sla.ClauseIndicator:
			note("terms[%d]: key figures that need more than outages and incidents are without data, and earn nothing", i)
		default:
		}
	}
}

// promises reports whether the contract has a target of a clause for a severity.
func (pl *plan) promises(clause sla.Clause, s incident.Severity) bool {
	for _, t := range pl.agreement.Contract().Terms {
		if t.Clause() != clause {
			continue
		}
		for _, c := range []*sla.Clock{t.Response, t.Update, t.Resolution} {
			if c != nil && slices.ContainsFunc(c.Targets, func(t sla.Target) bool { return t.Severity == s }) {
				return true
			}
		}
	}
	return false
}
