package slo

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// Bucket is one bucket of a classic histogram: how many observations were at
// most its bound.
type Bucket struct {
	// LE is the upper bound as the text of the "le" label, "0.25", "5e-05" or
	// "+Inf". Its value counts, not its spelling: "1" and "1.0" are the same
	// bound.
	LE    string
	Count uint64 // cumulative
}

// Latency is the share of observations that were fast enough.
type Latency struct {
	// Good is the number of observations up to the threshold, a fraction where
	// it had to be interpolated, and SLI is Good / Total, absent when there are
	// none.
	Good  Ratio  `json:"good"`
	Total uint64 `json:"total"`
	SLI   Ratio  `json:"sli"`
	// Interpolated: the threshold is no bucket bound, so Good assumes that the
	// observations lie evenly within their bucket.
	Interpolated bool `json:"interpolated"`
	// LowerBound: the threshold lies above the last finite bound, so Good holds
	// only those known to be fast enough.
	LowerBound bool `json:"lower_bound"`
}

// LatencySLI counts the observations of a classic histogram up to a threshold, in
// the unit of the bounds. It is exact where the threshold is a bucket bound;
// inside a bucket it interpolates linearly, from 0 in the first one, and above
// the last finite bound it takes the count of that bucket. This is the rule of
// BucketFraction in Prometheus 3.10 (promql/quantile.go), in rational numbers.
//
// The bounds must be positive and rise, the counts must not fall, and the last
// bucket must be "+Inf".
func LatencySLI(buckets []Bucket, limit Ratio) (Latency, error) {
	if !limit.isFinite() || limit.Sign() <= 0 {
		return Latency{}, fmt.Errorf("latency threshold %s: want more than 0", limit)
	}
	bounds, err := bucketBounds(buckets)
	if err != nil {
		return Latency{}, err
	}
	l := Latency{Total: buckets[len(buckets)-1].Count}
	i := slices.IndexFunc(bounds, func(bound Ratio) bool { return limit.Compare(bound) <= 0 })
	below, count := NewRatio(0, 1), uint64(0)
	if i > 0 {
		below, count = bounds[i-1], buckets[i-1].Count
	}
	l.Good = whole(count)
	switch {
	case limit.Compare(bounds[i]) == 0:
		l.Good = whole(buckets[i].Count)
	case bounds[i].IsInf(1):
		l.LowerBound = true
	default:
		part := limit.minus(below).over(bounds[i].minus(below))
		l.Good = l.Good.plus(part.times(whole(buckets[i].Count - count)))
		l.Interpolated = true
	}
	if l.Total > 0 {
		l.SLI = l.Good.over(whole(l.Total))
	}
	return l, nil
}

// bucketBounds reads and checks the bounds.
func bucketBounds(buckets []Bucket) ([]Ratio, error) {
	if len(buckets) == 0 {
		return nil, errors.New(`histogram without buckets: want at least "+Inf"`)
	}
	bounds := make([]Ratio, len(buckets))
	for i, b := range buckets {
		bound, err := parseBound(b.LE)
		switch {
		case err != nil:
			return nil, fmt.Errorf("buckets[%d]: %w", i, err)
		case i == 0 && bound.Sign() <= 0, i > 0 && bound.Compare(bounds[i-1]) <= 0:
			return nil, fmt.Errorf("buckets[%d]: bound %q: want positive bounds that rise", i, b.LE)
		case i > 0 && b.Count < buckets[i-1].Count:
			return nil, fmt.Errorf("buckets[%d]: count %d below the %d of the bucket before", i, b.Count, buckets[i-1].Count)
		}
		bounds[i] = bound
	}
	if last := len(buckets) - 1; !bounds[last].IsInf(1) {
		return nil, fmt.Errorf(`buckets[%d]: bound %q: want "+Inf" as the last`, last, buckets[last].LE)
	}
	return bounds, nil
}

// parseBound reads the text of an "le" label exactly.
func parseBound(text string) (Ratio, error) {
	f, err := strconv.ParseFloat(text, 64)
	switch {
	case text == "+Inf":
		return Inf(1), nil
	case err != nil || len(text) > maxDigits || strings.Trim(text, "0123456789.+-eE") != "":
		return Ratio{}, &ParseError{What: "bucket bound", Text: text, Want: `a decimal number or "+Inf"`}
	case f == 0:
		return NewRatio(0, 1), nil // also what is too small for a float64
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return Ratio{}, &ParseError{What: "bucket bound", Text: text, Want: `a decimal number or "+Inf"`}
	}
	return ratioOf(r), nil
}
