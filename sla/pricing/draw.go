package pricing

import (
	"math/bits"
	"math/rand/v2"
	"time"

	"github.com/evenkeelops/evenkeel/internal/sample"
	"github.com/evenkeelops/evenkeel/internal/span"
	"github.com/evenkeelops/evenkeel/sla"
)

// drawer draws periods of a plan, one after the other, in its own memory.
type drawer struct {
	plan *plan
	seed uint64
	pcg  rand.PCG

	spans   [][]span.Span // outages by unit
	down    []int64       // by unit
	gaps    []span.Span
	dark    []span.Span // gaps as a set
	cut     []span.Span
	lengths []int64 // of the gaps
	late    lateCounts
	figures []sla.Figures

	outages []sla.Outage // for whole statements
	result  result
}

// result is what a drawn period comes to, in minor units.
type result struct {
	payable  int64
	capped   bool // the cap of the contract took something away
	paid     [len(sla.Clauses)]int64
	outcomes []int // by availability term
}

func newDrawer(pl *plan, seed uint64) *drawer {
	return &drawer{
		plan: pl, seed: seed, spans: make([][]span.Span, len(pl.units)), down: make([]int64, len(pl.units)),
		figures: make([]sla.Figures, len(pl.terms)), result: result{outcomes: make([]int, len(pl.watched))},
	}
}

// draw draws the period of an index. It depends on the seed and the index alone.
func (d *drawer) draw(index uint64) error {
	d.pcg.Seed(mix(d.seed), mix(index))
	for i := range d.spans {
		d.spans[i] = d.spans[i][:0]
	}
	d.gaps, d.outages, d.late = d.gaps[:0], d.outages[:0], lateCounts{}
	if past := d.plan.past; len(past) > 0 {
		d.replay(&past[d.below(int64(len(past)))])
	} else {
		d.happen()
	}
	if d.plan.pricer == nil {
		return d.statement()
	}
	return d.price()
}

// mix is the output function of SplitMix64 (Steele, Lea and Flood, Fast Splittable
// Pseudorandom Number Generators, OOPSLA 2014), a bijection that makes unrelated
// words of neighbours.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// below returns a whole number from 0 to n-1. Multiplying keeps the bias under
// n/2^64.
func (d *drawer) below(n int64) int64 {
	hi, _ := bits.Mul64(d.pcg.Uint64(), uint64(n))
	return int64(hi)
}

// replay lets a period of the past happen again.
func (d *drawer) replay(s *scene) {
	for i := range s.outages {
		d.outage(s.outages[i].service, s.outages[i].units, s.outages[i].at)
	}
	for _, g := range s.gaps {
		d.gaps = d.wrap(d.gaps, g)
	}
	d.late = s.late
}

// happen draws from the processes.
func (d *drawer) happen() {
	for i := range d.plan.processes {
		p := &d.plan.processes[i]
		for range d.times(&p.count) {
			d.outage(p.service, p.units, d.stretch(p))
		}
	}
	for i := range d.plan.late {
		s := &d.plan.late[i]
		d.late[s.clause][s.severity] += d.times(&s.count)
	}
	for i := range d.plan.gaps {
		p := &d.plan.gaps[i]
		for range d.times(&p.count) {
			d.gaps = d.wrap(d.gaps, d.stretch(p))
		}
	}
}

// times draws a number of events; a table has no error.
func (d *drawer) times(count *sample.Dist) int {
	n, _ := count.Draw(&d.pcg)
	return int(n)
}

// stretch draws start and length.
func (d *drawer) stretch(p *process) span.Span {
	length := p.length.draw(&d.pcg, d.plan.length)
	start := d.below(d.plan.length)
	return span.Span{Start: start, End: start + length}
}

func (d *drawer) outage(service string, units []int, at span.Span) {
	if d.plan.pricer == nil {
		var parts [2]span.Span
		for _, part := range d.wrap(parts[:0], at) {
			d.outages = append(d.outages, sla.Outage{Service: service, Start: d.instant(part.Start), End: d.instant(part.End)})
		}
		return
	}
	for _, u := range units {
		d.spans[u] = d.wrap(d.spans[u], at)
	}
}

func (d *drawer) instant(at int64) time.Time { return d.plan.period.Start.Add(time.Duration(at)) }

// wrap appends a stretch, the part beyond the end of the period from its start.
func (d *drawer) wrap(to []span.Span, at span.Span) []span.Span {
	if over := at.End - d.plan.length; over > 0 {
		return append(to, span.Span{Start: at.Start, End: d.plan.length}, span.Span{Start: 0, End: over})
	}
	return append(to, at)
}

// measure adds up what counts as down in a unit.
func (d *drawer) measure(i int) {
	u, spans := &d.plan.units[i], d.spans[i]
	d.down[i] = 0
	switch {
	case len(spans) == 0:
	case u.sum:
		for j := range spans {
			d.down[i] += d.within(u, spans[j:j+1])
		}
	default:
		span.Sort(spans)
		d.down[i] = d.within(u, span.Merge(spans))
	}
}

func (d *drawer) within(u *unit, set []span.Span) int64 {
	if u.hours == nil {
		return span.Total(set)
	}
	d.cut = span.Intersect(d.cut[:0], set, u.hours)
	return span.Total(d.cut)
}

// unmonitored adds up the gaps and keeps their lengths.
func (d *drawer) unmonitored() int64 {
	d.dark = d.gaps
	if d.plan.model.Overlap != sla.OverlapSum {
		span.Sort(d.dark)
		d.dark = span.Merge(d.dark)
	}
	d.lengths = d.lengths[:0]
	var total int64
	for _, g := range d.dark {
		d.lengths = append(d.lengths, g.End-g.Start)
		total += g.End - g.Start
	}
	return min(total, d.plan.length)
}

// price turns the drawn period into figures and these into credits.
func (d *drawer) price() error {
	for i := range d.plan.units {
		d.measure(i)
	}
	dark := d.unmonitored()
	for i := range d.plan.terms {
		t, f := &d.plan.terms[i], &d.figures[i]
		switch t.clause {
		case sla.ClauseAvailability:
			d.watch(t, f, dark)
		case sla.ClauseMonitoring:
			f.Unmonitored = time.Duration(counted(t.count, d.lengths, dark))
		default:
			f.Late = d.late[t.clock]
		}
	}
	c, err := d.plan.pricer.Price(d.figures)
	if err != nil {
		return err
	}
	r := &d.result
	r.payable, r.capped = c.Payable.Minor(), c.Payable.Minor() < c.Stacked.Minor()
	for i := range c.Paid {
		r.paid[i] = c.Paid[i].Minor()
	}
	return nil
}

// blind reports whether nobody watched in all of the promised time of a term.
// Lengths that add up are apart, so that only all of the period is surely dark.
func (d *drawer) blind(t *term, dark int64) bool {
	hours := d.plan.units[d.plan.watched[t.watched].units[0]].hours
	if hours == nil || dark < t.promised || d.plan.model.Overlap == sla.OverlapSum {
		return dark >= d.plan.length
	}
	d.cut = span.Intersect(d.cut[:0], d.dark, hours)
	return span.Total(d.cut) == t.promised
}

// watch takes the worst service of an availability term. All have the same
// promised time and target.
func (d *drawer) watch(t *term, f *sla.Figures, dark int64) {
	w := &d.plan.watched[t.watched]
	var down int64
	for _, u := range w.units {
		down = max(down, d.down[u])
	}
	down = min(down, t.promised)
	f.Promised, f.Down = time.Duration(t.promised), time.Duration(down)
	if t.promised == 0 || down == 0 && d.blind(t, dark) {
		f.Promised, f.Down = 0, 0
		d.result.outcomes[t.watched] = w.noData()
		return
	}
	d.result.outcomes[t.watched] = w.outcome(down)
}
