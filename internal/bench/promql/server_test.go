package promql

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/evenkeelops/evenkeel/slo/promrules"
)

func init() { parser.EnableExtendedRangeSelectors = true } // anchored, as --enable-feature does

// engine is that of a server with default settings.
var engine = promql.NewEngine(promql.EngineOpts{MaxSamples: 5e8, Timeout: 10 * time.Minute, EnableAtModifier: true, EnableNegativeOffset: true})

// server is a Prometheus with its samples in memory.
type server struct{ series []promql.Series }

// Querier implements storage.Queryable.
func (s *server) Querier(mint, maxt int64) (storage.Querier, error) {
	return &querier{s: s, mint: mint, maxt: maxt}, nil
}

// querier reads the samples from mint to maxt.
type querier struct {
	s          *server
	mint, maxt int64
}

func (q *querier) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	var found []storage.Series
	for _, series := range q.s.series {
		if slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(series.Metric.Get(m.Name)) }) {
			continue
		}
		f, h := series.Floats, series.Histograms
		f = f[sort.Search(len(f), func(i int) bool { return f[i].T >= q.mint }):sort.Search(len(f), func(i int) bool { return f[i].T > q.maxt })]
		h = h[sort.Search(len(h), func(i int) bool { return h[i].T >= q.mint }):sort.Search(len(h), func(i int) bool { return h[i].T > q.maxt })]
		if len(f)+len(h) > 0 {
			found = append(found, promql.NewStorageSeries(promql.Series{Metric: series.Metric, Floats: f, Histograms: h}))
		}
	}
	slices.SortFunc(found, func(a, b storage.Series) int { return labels.Compare(b.Labels(), a.Labels()) }) // taken from the end
	return &seriesSet{rest: found}
}

func (*querier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (*querier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (*querier) Close() error { return nil }

type seriesSet struct {
	rest []storage.Series
	at   storage.Series
}

func (s *seriesSet) Next() bool {
	if len(s.rest) == 0 {
		return false
	}
	s.at, s.rest = s.rest[len(s.rest)-1], s.rest[:len(s.rest)-1]
	return true
}

func (s *seriesSet) At() storage.Series              { return s.at }
func (*seriesSet) Err() error                        { return nil }
func (*seriesSet) Warnings() annotations.Annotations { return nil }

// query evaluates an expression from one instant to another. The engine must say
// nothing about it: no error, no warning, no hint.
func (s *server) query(t *testing.T, expr string, from, until time.Time, every time.Duration) promql.Matrix {
	t.Helper()
	q, err := engine.NewRangeQuery(t.Context(), s, nil, expr, from, until, every)
	if err != nil {
		t.Fatalf("%v in\n%s", err, expr)
	}
	defer q.Close()
	r := q.Exec(t.Context())
	m, err := r.Matrix()
	if err != nil {
		t.Fatalf("%v in\n%s", err, expr)
	}
	for _, said := range r.Warnings.AsErrors() {
		t.Errorf("%v in\n%s", said, expr)
	}
	out := make(promql.Matrix, len(m)) // the engine takes its own back
	for i, series := range m {
		out[i] = promql.Series{Metric: series.Metric.Copy(), Floats: slices.Clone(series.Floats)}
		if len(series.Histograms) > 0 {
			t.Errorf("histograms out of\n%s", expr)
		}
	}
	return out
}

// run evaluates the rules of a file at every instant of a time, which is aligned to
// the intervals of their groups. A rule sees what those before it recorded at the
// same instant, and none sees what a later one does, so they may run one after
// another, each over the whole time.
func (s *server) run(t *testing.T, file *promrules.File, from, until time.Time) {
	t.Helper()
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			points := map[string]*promql.Series{}
			for _, series := range s.query(t, rule.Expr, from, until, group.Interval) {
				b := labels.NewBuilder(series.Metric)
				b.Set(model.MetricNameLabel, rule.Record)
				if rule.Alert != "" { // those with a For are taken as if they had none
					b.Set(model.MetricNameLabel, "ALERTS").Set("alertname", rule.Alert).Set("alertstate", "firing")
				}
				for _, l := range rule.Labels {
					b.Set(l.Name, l.Value)
				}
				metric := b.Labels()
				if points[metric.String()] == nil {
					points[metric.String()] = &promql.Series{Metric: metric}
				}
				p := points[metric.String()]
				p.Floats = append(p.Floats, series.Floats...)
			}
			for _, p := range points {
				slices.SortFunc(p.Floats, func(a, b promql.FPoint) int { return cmp.Compare(a.T, b.T) })
				for i := range p.Floats[1:] {
					if p.Floats[i].T == p.Floats[i+1].T {
						t.Fatalf("two samples of %s at once out of\n%s", p.Metric, rule.Expr)
					}
				}
				s.series = append(s.series, promql.Series{Metric: p.Metric, Floats: withGaps(p.Floats, until, group.Interval)})
			}
		}
	}
}

// withGaps marks where a series that is recorded at an interval ends, as the server
// does.
func withGaps(points []promql.FPoint, until time.Time, every time.Duration) []promql.FPoint {
	ms := every.Milliseconds()
	var out []promql.FPoint
	for i, p := range points {
		out = append(out, p)
		last := i == len(points)-1
		if next := p.T + ms; last && next <= until.UnixMilli() || !last && points[i+1].T != next {
			out = append(out, promql.FPoint{T: next, F: math.Float64frombits(value.StaleNaN)})
		}
	}
	return out
}

// at returns the value of the only series that a selector finds at an instant, and
// NaN if there is none.
func (s *server) at(t *testing.T, selector string, at time.Time) float64 {
	t.Helper()
	m := s.query(t, selector, at, at, time.Second)
	switch len(m) {
	case 0:
		return math.NaN()
	case 1:
		return m[0].Floats[0].F
	}
	t.Fatalf("%s: %d series, want one", selector, len(m))
	return 0
}

// values returns the samples of the only series that a selector finds, by instant.
func (s *server) values(t *testing.T, selector string, from, until time.Time, every time.Duration) map[int64]float64 {
	t.Helper()
	m := s.query(t, selector, from, until, every)
	if len(m) > 1 {
		t.Fatalf("%s: %d series, want one", selector, len(m))
	}
	out := map[int64]float64{}
	for _, series := range m {
		for _, p := range series.Floats {
			out[p.T] = p.F
		}
	}
	return out
}

func metric(name string, pairs ...string) labels.Labels {
	return labels.FromStrings(append([]string{model.MetricNameLabel, name}, pairs...)...)
}

// must panics on an error: the literals of the tests are right.
func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprint(err))
	}
	return v
}
