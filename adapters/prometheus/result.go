package prometheus

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ResultType is the type of a result, by its name in the API.
type ResultType string

// The types of results.
const (
	Vector ResultType = "vector" // one point per series
	Matrix ResultType = "matrix" // points over a range
	Scalar ResultType = "scalar" // one point of one series without labels
	String ResultType = "string" // one text
)

// Result is the answer to a query. No series is no data.
type Result struct {
	Type   ResultType
	Series []Series
	Text   string // of a string

	// Warnings and Infos are what the server noted beside its answer, such as a
	// store that could not be asked: the result may then be incomplete.
	Warnings, Infos []string
}

// Append adds the result of a later range of the same expression, as after a
// [*PartialError]. It refuses one of another type or that is not later, and then
// changes nothing. What both share is not copied.
func (r *Result) Append(later Result) error {
	if later.Type != Matrix || r.Type != Matrix {
		return fmt.Errorf("prometheus: append a result of type %q to one of type %q, want both %q", later.Type, r.Type, Matrix)
	}
	index := make(map[string]int, len(r.Series))
	last := int64(math.MinInt64)
	for i, s := range r.Series {
		index[s.Labels.key()] = i
		if n := len(s.Points); n > 0 {
			last = max(last, s.Points[n-1].UnixMilli)
		}
		if n := len(s.Histograms); n > 0 {
			last = max(last, s.Histograms[n-1].UnixMilli)
		}
	}
	for _, s := range later.Series {
		if len(s.Points) > 0 && s.Points[0].UnixMilli <= last || len(s.Histograms) > 0 && s.Histograms[0].UnixMilli <= last {
			return fmt.Errorf("prometheus: append %s: want points after %s", s.Labels, time.UnixMilli(last).UTC().Format(time.RFC3339Nano))
		}
	}
	r.join(later.Series, index)
	r.Warnings, r.Infos = union(r.Warnings, later.Warnings), union(r.Infos, later.Infos)
	return nil
}

// join adds what is later, by an index of the series that are there.
func (r *Result) join(later []Series, index map[string]int) {
	for _, s := range later {
		key := s.Labels.key()
		i, known := index[key]
		if !known {
			index[key] = len(r.Series)
			r.Series = append(r.Series, s)
			continue
		}
		r.Series[i].Points = append(r.Series[i].Points, s.Points...)
		r.Series[i].Histograms = append(r.Series[i].Histograms, s.Histograms...)
	}
}

// Series is a set of labels and what was read for it, in the order of time.
type Series struct {
	Labels     Labels
	Points     []Point
	Histograms []Histogram // of native histograms
}

// Point is a value at an instant. NaN is no data, infinities are what they are.
type Point struct {
	UnixMilli int64 // milliseconds since 1970, the resolution of Prometheus
	Value     float64
}

// At returns the instant in UTC.
func (p Point) At() time.Time { return time.UnixMilli(p.UnixMilli).UTC() }

// Histogram is a native histogram at an instant.
type Histogram struct {
	UnixMilli  int64
	Count, Sum float64
	Buckets    []Bucket
}

// At returns the instant in UTC.
func (h Histogram) At() time.Time { return time.UnixMilli(h.UnixMilli).UTC() }

// Bucket is one bucket of a native histogram.
type Bucket struct {
	Lower, Upper                   float64
	LowerInclusive, UpperInclusive bool
	Count                          float64
}

// Labels are the labels of a series, the metric name as "__name__". They are not
// to be changed where they are shared.
type Labels map[string]string

// String returns the labels as a selector that selects them, sorted:
// `up{instance="a:9090",job="api"}`.
func (l Labels) String() string {
	name := l["__name__"]
	b := make([]byte, 0, 64)
	b = append(append(b, name...), '{')
	first := true
	for _, k := range slices.Sorted(maps.Keys(l)) {
		if k == "__name__" {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(append(b, k...), '=')
		b = strconv.AppendQuote(b, l[k])
	}
	if first && name != "" {
		return name
	}
	return string(append(b, '}'))
}

// key tells the labels from any others: unlike String, it leaves no choice.
func (l Labels) key() string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(l)) {
		b.WriteString(strconv.Itoa(len(k)) + ":" + k + strconv.Itoa(len(l[k])) + ":" + l[k])
	}
	return b.String()
}
