package risk

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"

	"github.com/evenkeelops/evenkeel/roi"
)

// Options of [Simulate].
type Options struct {
	// Seed decides what is drawn. Defaults to 0, a seed like any other.
	Seed uint64
	// Workers is the number of goroutines that draw, at most MaxWorkers. It does
	// not change the result. Defaults to 1, which is the caller's own.
	Workers int
	// Correlations tie inputs to each other. Defaults to none.
	Correlations []Correlation
	// StandardError ends the drawing after the first chunk of scenarios at which
	// that of the mean net present value is not above it. Defaults to 0, which
	// draws all.
	StandardError float64
	// Bins is the number of columns of the histogram, at most MaxBins. Defaults to
	// DefaultBins.
	Bins int
}

// The bounds of a simulation.
const (
	MaxDraws    = 10_000_000
	MaxWorkers  = 1024
	DefaultBins = 20
	MaxBins     = 10_000

	// ChunkSize is the number of scenarios that share a random stream, which is
	// that of rand.NewPCG(seed, number of the chunk).
	ChunkSize = 4096
	// Ranked is the number of scenarios, the first ones, that rank correlations
	// are computed of.
	Ranked = 4 * ChunkSize
)

// Simulate draws scenarios of a model: each input has a value of its distribution,
// all others those of the model, and the sound model is valued as [roi.Sound] does
// it, to 1e-12 of the sum of benefits and costs.
//
// The result depends on the model, the distributions, the number of scenarios and
// the seed alone, not on the number of workers: scenarios are drawn by chunks of
// [ChunkSize] with a random stream each, and put together in the order of chunks.
// The first scenarios of a longer run are those of a shorter one. A run takes 8
// bytes a scenario. It starts no goroutine unless there are several workers, and
// those have ended when it returns.
//
// A scenario with a value that its number may not have (a negative price, a rate
// of -1 or less) or with a result that float64 cannot hold is refused: it is
// counted in [Forecast.Refused] and is in no other figure.
//
// Errors: that of [roi.Model.Validate]; [*InputError] for what is wrong with the
// inputs (joined) or the options, with [ErrNotPositiveDefinite] beneath for
// correlations that cannot be; a distribution that keeps nothing of what it draws;
// [ErrAllRefused], with a Forecast that says why; and the context's, which is
// looked at between chunks.
func Simulate(ctx context.Context, m roi.Model, inputs map[string]Distribution, scenarios int, o *Options) (*Forecast, error) {
	s, err := newSimulation(m, inputs, scenarios, o)
	if err != nil {
		return nil, err
	}
	if err := s.run(ctx); err != nil {
		return nil, err
	}
	f := s.forecast()
	if f.Valid == 0 {
		return f, fmt.Errorf("%w: all %d are refused", ErrAllRefused, f.Drawn)
	}
	return f, nil
}

// Validate returns the error that [Simulate] would before it draws, and draws nothing.
func Validate(m roi.Model, inputs map[string]Distribution, o *Options) error {
	_, err := newSimulation(m, inputs, 1, o)
	return err
}

// simulation is a run and what is shared by its workers.
type simulation struct {
	options   Options
	scenarios int
	plan      *roi.Plan
	currency  string
	paths     []string
	samplers  []sampler
	copula    *copula

	npv    []float64   // by scenario, NaN for a refused one
	ranked [][]float64 // the first values by input

	mu    sync.Mutex
	parts []*part // by chunk; nil if not drawn yet; guarded by mu
	next  int     // chunk to be drawn; guarded by mu
	end   int     // chunks at or after it do not count; guarded by mu
	done  int     // chunks that are merged; guarded by mu
	sum   part    // of these; guarded by mu
	err   error   // of the earliest chunk that failed; guarded by mu
}

// part is what chunks come to.
type part struct {
	moments
	loss, noIRR, noPayback int
	savings, payback       outcome
	refused                []int // by input, and the last for results
}

// outcome counts scenarios beside the band of a claim.
type outcome struct{ missed, within, exceeded, undefined int }

func (o *outcome) add(p *outcome) {
	o.missed += p.missed
	o.within += p.within
	o.exceeded += p.exceeded
	o.undefined += p.undefined
}

// moments are the number, the mean, and the sum of squared distances from it.
type moments struct {
	n            int
	mean, m2     float64
	least, great float64
}

// merge adds the moments of further values (Chan, Golub and LeVeque, The American
// Statistician 37, 1983).
func (a *moments) merge(b *moments) {
	switch {
	case b.n == 0:
		return
	case a.n == 0:
		*a = *b
		return
	}
	n := float64(a.n + b.n)
	delta := b.mean - a.mean
	a.m2 += b.m2 + float64(delta*delta*float64(a.n)*(float64(b.n)/n))
	a.mean += float64(delta * (float64(b.n) / n))
	a.n += b.n
	a.least, a.great = min(a.least, b.least), max(a.great, b.great)
}

// standardError is that of the mean; infinite for fewer than two values.
func (a *moments) standardError() float64 {
	if a.n < 2 {
		return math.Inf(1)
	}
	return math.Sqrt(a.m2 / float64(a.n-1) / float64(a.n))
}

func newSimulation(m roi.Model, inputs map[string]Distribution, scenarios int, o *Options) (*simulation, error) {
	s := &simulation{scenarios: scenarios, currency: m.Currency}
	if o != nil {
		s.options = *o
	}
	if s.options.Workers == 0 {
		s.options.Workers = 1
	}
	if s.options.Bins == 0 {
		s.options.Bins = DefaultBins
	}
	for _, c := range []struct {
		path   string
		v, max int
	}{
		{"scenarios", scenarios, MaxDraws},
		{"options.workers", s.options.Workers, MaxWorkers},
		{"options.bins", s.options.Bins, MaxBins},
	} {
		if c.v < 1 || c.v > c.max {
			return nil, &InputError{Path: c.path, Value: strconv.Itoa(c.v), Want: "1 to " + strconv.Itoa(c.max)}
		}
	}
	if limit := s.options.StandardError; !(limit >= 0) {
		return nil, &InputError{Path: "options.standard_error", Value: number(limit), Want: "a number >= 0"}
	}
	if err := m.Validate(); err != nil {
		return nil, err
	}
	names := slices.Sorted(maps.Keys(inputs))
	var problems []error
	for _, name := range names {
		d := inputs[name]
		path, _, err := m.Input(name)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		sampler, err := d.sampler(path)
		if err != nil {
			problems = append(problems, err)
		}
		if slices.Contains(s.paths, path) {
			problems = append(problems, &InputError{Path: path, Value: name, Want: "each input once"})
		}
		s.paths, s.samplers = append(s.paths, path), append(s.samplers, sampler)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	s.sortInputs()
	var err error
	if s.plan, err = roi.Compile(m, s.paths...); err != nil {
		return nil, err
	}
	resolve := func(name string) (string, error) {
		path, _, err := m.Input(name)
		return path, err
	}
	if s.copula, err = newCopula(s.options.Correlations, s.paths, resolve); err != nil {
		return nil, err
	}
	s.npv = make([]float64, scenarios)
	s.ranked = make([][]float64, len(s.paths))
	for i := range s.ranked {
		s.ranked[i] = make([]float64, min(scenarios, Ranked))
	}
	s.end = (scenarios + ChunkSize - 1) / ChunkSize
	s.parts = make([]*part, s.end)
	s.sum.refused = make([]int, len(s.paths)+1)
	return s, nil
}

// sortInputs draws in the order of whole paths, whatever names they were given by.
func (s *simulation) sortInputs() {
	byPath := map[string]sampler{}
	for i, path := range s.paths {
		byPath[path] = s.samplers[i]
	}
	slices.Sort(s.paths)
	for i, path := range s.paths {
		s.samplers[i] = byPath[path]
	}
}

// run draws all chunks.
func (s *simulation) run(ctx context.Context) error {
	if s.options.Workers == 1 {
		s.work(ctx)
	} else {
		var group sync.WaitGroup
		for range min(s.options.Workers, len(s.parts)) {
			group.Go(func() { s.work(ctx) })
		}
		group.Wait()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done < s.end && s.err == nil {
		return fmt.Errorf("after %d of %d scenarios: %w", s.done*ChunkSize, s.scenarios, context.Cause(ctx))
	}
	return s.err
}

// work draws one chunk after the other until none is left.
func (s *simulation) work(ctx context.Context) {
	w := worker{simulation: s, values: make([]float64, len(s.paths)), columns: make([][]float64, len(s.paths))}
	for i := range w.columns {
		w.columns[i] = make([]float64, ChunkSize)
	}
	for ctx.Err() == nil {
		s.mu.Lock()
		chunk := s.next
		s.next++
		more := chunk < s.end
		s.mu.Unlock()
		if !more {
			return
		}
		p, err := w.draw(chunk)
		s.mu.Lock()
		s.take(chunk, p, err)
		s.mu.Unlock()
	}
}

// take merges what can be merged in the order of chunks. It holds the lock. Which
// chunk ends the run depends on those before it and not on who was faster.
func (s *simulation) take(chunk int, p *part, err error) {
	if err != nil && chunk < s.end {
		s.end, s.err = chunk, err
		return
	}
	s.parts[chunk] = p
	for s.done < s.end && s.parts[s.done] != nil {
		p := s.parts[s.done]
		s.done++
		s.sum.merge(&p.moments)
		s.sum.loss += p.loss
		s.sum.noIRR += p.noIRR
		s.sum.noPayback += p.noPayback
		s.sum.savings.add(&p.savings)
		s.sum.payback.add(&p.payback)
		for i, n := range p.refused {
			s.sum.refused[i] += n
		}
		if limit := s.options.StandardError; limit > 0 && s.sum.standardError() <= limit {
			s.end, s.err = s.done, nil // whatever failed is after it
		}
	}
}

// worker is the memory of a goroutine.
type worker struct {
	*simulation
	src     rand.PCG
	columns [][]float64
	values  []float64
	ties    ties
}

// draw draws a chunk and values it. A chunk is drawn whole even if less of it is
// wanted.
func (w *worker) draw(chunk int) (*part, error) {
	w.src.Seed(w.options.Seed, uint64(chunk))
	for i := range w.samplers {
		if err := w.samplers[i].fill(w.columns[i], &w.src); err != nil {
			return nil, fmt.Errorf("%s: %w", w.paths[i], err)
		}
	}
	if w.copula != nil {
		w.copula.apply(w.columns, &w.ties, &w.src)
	}
	first := chunk * ChunkSize
	npv := w.npv[first:min(first+ChunkSize, w.scenarios)]
	if first < Ranked {
		for i, column := range w.columns {
			copy(w.ranked[i][first:], column)
		}
	}
	p := &part{refused: make([]int, len(w.paths)+1)}
	for r := range npv {
		for i := range w.values {
			w.values[i] = w.columns[i][r]
		}
		pt, err := w.plan.At(w.values)
		if err != nil {
			npv[r] = math.NaN()
			p.refuse(w.paths, err)
			continue
		}
		npv[r] = pt.NPV
		p.count(&pt)
	}
	p.moments = momentsOf(npv)
	return p, nil
}

// refuse counts a scenario that has no value, by what is to blame.
func (p *part) refuse(paths []string, err error) {
	at := len(paths)
	if bad, ok := errors.AsType[*roi.FieldError](err); ok {
		at = slices.Index(paths, bad.Path)
	}
	p.refused[at]++
}

// count takes a scenario into the shares.
func (p *part) count(pt *roi.Point) {
	if pt.NPV < 0 {
		p.loss++
	}
	if !pt.HasIRR() {
		p.noIRR++
	}
	switch savings, ok := pt.Savings(); {
	case !ok:
		p.savings.undefined++
	case savings < SavingsLow:
		p.savings.missed++
	case savings > SavingsHigh:
		p.savings.exceeded++
	default:
		p.savings.within++
	}
	switch years, ok := pt.Payback(); {
	case !ok:
		p.noPayback++
		p.payback.missed++
	case years*12 > PaybackHigh:
		p.payback.missed++
	case years*12 < PaybackLow:
		p.payback.exceeded++
	default:
		p.payback.within++
	}
}

// momentsOf goes over the values twice, without those that are NaN.
func momentsOf(x []float64) moments {
	var a moments
	sum := 0.0
	a.least, a.great = positiveInfinity, negativeInfinity
	for _, v := range x {
		if v != v { // NaN
			continue
		}
		a.n++
		sum += v
		a.least, a.great = min(a.least, v), max(a.great, v)
	}
	if a.n == 0 {
		return moments{}
	}
	a.mean = sum / float64(a.n)
	for _, v := range x {
		if v == v {
			d := v - a.mean
			a.m2 += float64(d * d)
		}
	}
	return a
}

var negativeInfinity, positiveInfinity = math.Inf(-1), math.Inf(1)
