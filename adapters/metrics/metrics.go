// Package metrics writes what a program counts in the text format that Prometheus
// scrapes, with the standard library alone.
//
//	registry := metrics.New()
//	calls := registry.Counter("shop_calls_total", "Calls of the shop.", "code")
//	calls.Add(1, "200")
//	http.Handle("GET /metrics", registry)
//
// [Registry.Observer] counts the attempts, waits and breakers of the adapters: it is an
// Observer of package resilience. What is counted elsewhere, such as the Stats of a
// receiver, is asked for at each scrape by [Registry.CounterFunc] and [Registry.GaugeFunc].
//
// The format is version 0.0.4 of
// https://prometheus.io/docs/instrumenting/exposition_formats/, in the order of names
// and label values, so that equal figures give equal bytes.
//
// # Limits
//
// There are no summaries, native histograms, exemplars and timestamps. A program that
// needs them takes client_golang.
package metrics

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// ContentType is that of the text format.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Registry holds metrics and writes them. It is an http.Handler and safe for
// concurrent use.
type Registry struct {
	mu       sync.Mutex // guards families
	families map[string]*family
}

// New returns a registry without metrics.
func New() *Registry { return &Registry{families: map[string]*family{}} }

// family is a metric with all of its label values.
type family struct {
	name, help, kind string
	labels           []string
	bounds           []float64      // of a histogram
	read             func() float64 // asked at each scrape; nil for none

	mu     sync.Mutex // guards series and what is in them
	series map[string]*series
}

// series is one set of label values.
type series struct {
	values []string
	value  float64
	counts []uint64 // of a histogram, by bucket, not added up; the last one is +Inf
	sum    float64
}

// register adds a metric. Misuse panics: names are part of the program.
func (r *Registry) register(f *family) *family {
	if !validName(f.name, true) {
		panic("metrics: name " + strconv.Quote(f.name) + ": want letters, digits, _ and :, no digit first")
	}
	for i, label := range f.labels {
		if !validName(label, false) || strings.HasPrefix(label, "__") || f.kind == "histogram" && label == "le" || slices.Contains(f.labels[:i], label) {
			panic("metrics: label " + strconv.Quote(label) + " of " + f.name + ": want letters, digits and _, no digit or __ first, each once, and no le of a histogram")
		}
	}
	if !slices.IsSorted(f.bounds) || len(slices.Compact(slices.Clone(f.bounds))) != len(f.bounds) || slices.ContainsFunc(f.bounds, func(b float64) bool { return math.IsNaN(b) || math.IsInf(b, 0) }) {
		panic("metrics: bounds of " + f.name + ": want finite numbers that increase")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range f.names() {
		for _, other := range r.families {
			if slices.Contains(other.names(), name) {
				panic("metrics: " + f.name + " and " + other.name + " share the name " + name)
			}
		}
	}
	f.series = map[string]*series{}
	if len(f.labels) == 0 && f.read == nil {
		f.at(nil) // shows as 0 from the start
	}
	r.families[f.name] = f
	return f
}

// names are those of the lines of a metric.
func (f *family) names() []string {
	if f.kind == "histogram" {
		return []string{f.name, f.name + "_bucket", f.name + "_sum", f.name + "_count"}
	}
	return []string{f.name}
}

func validName(name string, colons bool) bool {
	for i := range len(name) {
		c := name[i]
		switch {
		case c|32-'a' < 26, c == '_', c == ':' && colons, c-'0' < 10 && i > 0:
		default:
			return false
		}
	}
	return name != ""
}

// at returns the series of label values, which it adds. The mutex is held, or nobody
// knows the family yet.
func (f *family) at(values []string) *series {
	if len(values) != len(f.labels) {
		panic(fmt.Sprintf("metrics: %d label values for %s, want %d", len(values), f.name, len(f.labels)))
	}
	key := strings.Join(values, "\xff") // in no text that is UTF-8
	s := f.series[key]
	if s == nil {
		s = &series{values: valid(values)}
		key = strings.Join(s.values, "\xff")
		if there := f.series[key]; there != nil {
			return there
		}
		if f.kind == "histogram" {
			s.counts = make([]uint64, len(f.bounds)+1)
		}
		f.series[key] = s
	}
	return s
}

// valid are label values as they are written, in UTF-8.
func valid(values []string) []string {
	values = slices.Clone(values)
	for i, v := range values {
		values[i] = strings.ToValidUTF8(v, "\uFFFD")
	}
	return values
}

// Counter is a metric that only grows.
type Counter struct{ f *family }

// Counter adds a counter, by the names of its labels. Its name should end in _total.
// Wrong and repeated names panic.
func (r *Registry) Counter(name, help string, labels ...string) Counter {
	return Counter{r.register(&family{name: name, help: help, kind: "counter", labels: slices.Clone(labels)})}
}

// Add adds to the counter of label values; what is below 0 and NaN is left out.
func (c Counter) Add(n float64, values ...string) {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	if s := c.f.at(values); n > 0 {
		s.value += n
	}
}

// Gauge is a metric that goes up and down.
type Gauge struct{ f *family }

// Gauge adds a gauge, by the names of its labels. Wrong and repeated names panic.
func (r *Registry) Gauge(name, help string, labels ...string) Gauge {
	return Gauge{r.register(&family{name: name, help: help, kind: "gauge", labels: slices.Clone(labels)})}
}

// Set sets the gauge of label values.
func (g Gauge) Set(v float64, values ...string) {
	g.f.mu.Lock()
	defer g.f.mu.Unlock()
	g.f.at(values).value = v
}

// Add changes the gauge of label values.
func (g Gauge) Add(n float64, values ...string) {
	g.f.mu.Lock()
	defer g.f.mu.Unlock()
	g.f.at(values).value += n
}

// Delete forgets the gauge of label values, which is then not written any more.
func (g Gauge) Delete(values ...string) {
	g.f.mu.Lock()
	defer g.f.mu.Unlock()
	delete(g.f.series, strings.Join(g.f.at(values).values, "\xff"))
}

// Histogram is a metric of how often which values were seen.
type Histogram struct{ f *family }

// Histogram adds a histogram with buckets up to and including each bound; the one up
// to +Inf is added. Wrong and repeated names, and bounds that do not increase, panic.
func (r *Registry) Histogram(name, help string, bounds []float64, labels ...string) Histogram {
	return Histogram{r.register(&family{name: name, help: help, kind: "histogram", labels: slices.Clone(labels), bounds: slices.Clone(bounds)})}
}

// Observe counts a value, NaN in the last bucket.
func (h Histogram) Observe(v float64, values ...string) {
	h.f.mu.Lock()
	defer h.f.mu.Unlock()
	s := h.f.at(values)
	i := slices.IndexFunc(h.f.bounds, func(bound float64) bool { return v <= bound })
	if i < 0 {
		i = len(h.f.bounds)
	}
	s.counts[i]++
	s.sum += v
}

// CounterFunc adds a counter whose value is asked for at each scrape. read must be
// safe for concurrent use and must not write to the registry.
func (r *Registry) CounterFunc(name, help string, read func() float64) {
	r.register(&family{name: name, help: help, kind: "counter", read: read})
}

// GaugeFunc adds a gauge whose value is asked for at each scrape, as CounterFunc.
func (r *Registry) GaugeFunc(name, help string, read func() float64) {
	r.register(&family{name: name, help: help, kind: "gauge", read: read})
}

// ServeHTTP answers a scrape.
func (r *Registry) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", ContentType)
	_, _ = w.Write(r.Append(nil)) // whoever asked has gone
}

// Append appends all metrics in the text format.
func (r *Registry) Append(b []byte) []byte {
	r.mu.Lock()
	families := slices.SortedFunc(maps.Values(r.families), func(a, b *family) int { return strings.Compare(a.name, b.name) })
	r.mu.Unlock()
	for _, f := range families {
		b = f.append(b)
	}
	return b
}

func (f *family) append(b []byte) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.read == nil && len(f.series) == 0 {
		return b
	}
	b = append(b, "# HELP "...)
	b = append(append(b, f.name...), ' ')
	b = escape(b, f.help, false)
	b = append(b, "\n# TYPE "...)
	b = append(append(b, f.name...), ' ')
	b = append(append(b, f.kind...), '\n')
	if f.read != nil {
		return line(b, f.name, nil, nil, "", f.read())
	}
	for _, key := range slices.Sorted(maps.Keys(f.series)) {
		s := f.series[key]
		if f.kind != "histogram" {
			b = line(b, f.name, f.labels, s.values, "", s.value)
			continue
		}
		var sum uint64
		for i, n := range s.counts {
			sum += n
			le := "+Inf"
			if i < len(f.bounds) {
				le = number(f.bounds[i])
			}
			b = line(b, f.name+"_bucket", f.labels, s.values, le, float64(sum))
		}
		b = line(b, f.name+"_sum", f.labels, s.values, "", s.sum)
		b = line(b, f.name+"_count", f.labels, s.values, "", float64(sum))
	}
	return b
}

// line appends one sample; le is the bound of a bucket.
func line(b []byte, name string, labels, values []string, le string, v float64) []byte {
	b = append(b, name...)
	if len(labels) > 0 || le != "" {
		separator := byte('{')
		pair := func(name, value string) {
			b = append(append(append(b, separator), name...), `="`...)
			b = append(escape(b, value, true), '"')
			separator = ','
		}
		for i, label := range labels {
			pair(label, values[i])
		}
		if le != "" {
			pair("le", le)
		}
		b = append(b, '}')
	}
	return append(append(append(b, ' '), number(v)...), '\n')
}

// escape writes a text in which backslashes and line feeds, and in labels double
// quotes, are escaped.
func escape(b []byte, text string, quotes bool) []byte {
	for _, r := range text { // what is not UTF-8 becomes U+FFFD
		switch {
		case r == '\\':
			b = append(b, `\\`...)
		case r == '\n':
			b = append(b, `\n`...)
		case r == '"' && quotes:
			b = append(b, `\"`...)
		default:
			b = append(b, string(r)...)
		}
	}
	return b
}

// number writes whole numbers without an exponent as far as they are exact.
func number(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "+Inf"
	case math.IsInf(v, -1):
		return "-Inf"
	case v == math.Trunc(v) && math.Abs(v) < 1<<53:
		return strconv.FormatInt(int64(v), 10)
	}
	return strconv.FormatFloat(v, 'g', -1, 64) // "NaN", too
}
