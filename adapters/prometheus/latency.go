package prometheus

import (
	"math"
	"slices"
	"strconv"

	"github.com/evenkeelops/evenkeel/slo"
)

// Latency is how many observations of a native histogram were fast enough.
type Latency struct {
	Good, Total float64
	// Interpolated: the limit lies inside a bucket, so Good is an estimate.
	Interpolated bool
}

// Counts returns both numbers, rounded to whole observations.
func (l Latency) Counts() slo.Counts {
	total := math.Round(l.Total)
	return slo.Counts{Good: uint64(math.Min(math.Round(l.Good), total)), Total: uint64(total)}
}

// AtMost returns how many observations of a native histogram are at most limit, which
// is exact at the bounds of its buckets. Inside a bucket it interpolates like
// histogram_fraction of Prometheus 3: exponentially, and linearly in the bucket around
// zero, which begins at 0 if there are no negative ones. The API does not tell
// histograms with bounds of their own from others; between two such bounds Prometheus
// interpolates linearly and answers slightly otherwise. A bucket without an end counts
// as slow. The counts of the answer to increase(h[5m]) are those of the five minutes.
func (h Histogram) AtMost(limit float64) Latency {
	l := Latency{Total: h.Count}
	negative := slices.ContainsFunc(h.Buckets, func(b Bucket) bool { return b.Upper < 0 || b.Lower < 0 && b.Upper == 0 })
	for _, b := range h.Buckets {
		lower := b.Lower
		if lower < 0 && b.Upper > 0 && !negative {
			lower = 0
		}
		switch {
		case b.Upper <= limit:
			l.Good += b.Count
		case lower >= limit || b.Count == 0 || math.IsInf(b.Upper, 1):
		case math.IsInf(lower, -1):
			l.Interpolated = true // nobody knows
		default:
			l.Good += b.Count * share(lower, b.Upper, limit)
			l.Interpolated = true
		}
	}
	return l
}

// share is the part of a bucket up to a limit inside it.
func share(lower, upper, limit float64) float64 {
	switch {
	case lower > 0:
		return math.Log(limit/lower) / math.Log(upper/lower)
	case upper < 0:
		return 1 - math.Log(limit/upper)/math.Log(lower/upper)
	}
	return (limit - lower) / (upper - lower)
}

// ClassicBuckets returns the buckets of a classic histogram for [slo.LatencySLI],
// which interpolates where the limit is no bound, from the answer to a query with one
// point for each bound, such as `sum by (le) (increase(h_bucket[5m]))`. Counts are
// rounded to whole observations, and to the largest count below where a scaled one
// fell short of it. Two series of one bound, and a series without bound or point, are
// a [*CountError].
func ClassicBuckets(r Result) ([]slo.Bucket, error) {
	type bucket struct {
		bound slo.Ratio
		slo.Bucket
	}
	buckets := make([]bucket, 0, len(r.Series))
	for _, s := range r.Series {
		bound, err := boundOf(s.Labels["le"])
		if err != nil {
			return nil, &CountError{Labels: s.Labels, Want: `a label le like "0.25" or "+Inf"`, Err: err}
		}
		if len(s.Points) != 1 || !(s.Points[0].Value >= 0 && s.Points[0].Value < 1<<63) {
			return nil, &CountError{Labels: s.Labels, Want: "one point, 0 or more"}
		}
		buckets = append(buckets, bucket{bound, slo.Bucket{LE: s.Labels["le"], Count: uint64(math.Round(s.Points[0].Value))}})
	}
	slices.SortFunc(buckets, func(a, b bucket) int { return a.bound.Compare(b.bound) })
	out := make([]slo.Bucket, len(buckets))
	for i, b := range buckets {
		if i > 0 {
			if b.bound.Compare(buckets[i-1].bound) == 0 {
				return nil, &CountError{Want: "one series for each bound, not two for le=" + strconv.Quote(b.LE)}
			}
			b.Count = max(b.Count, out[i-1].Count)
		}
		out[i] = b.Bucket
	}
	return out, nil
}

// boundOf reads the bound of a bucket, with or without an exponent.
func boundOf(text string) (slo.Ratio, error) {
	if text == "+Inf" {
		return slo.Inf(1), nil
	}
	bound, err := slo.ParseRatio(text)
	if err == nil {
		return bound, nil
	}
	f, failed := strconv.ParseFloat(text, 64)
	if failed != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return slo.Ratio{}, err
	}
	return slo.ParseRatio(strconv.FormatFloat(f, 'f', -1, 64))
}
