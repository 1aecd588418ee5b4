package promql

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/promql"

	"github.com/evenkeelops/evenkeel/slo"
)

// TestLatency asks Prometheus for the share of observations up to a limit, of classic
// histograms, and compares it with LatencySLI: on bounds, inside buckets, below the
// first bound and above the last.
func TestLatency(t *testing.T) {
	const seed = 7
	random := rand.New(rand.NewPCG(seed, seed))
	for n := range 200 {
		s := &server{}
		var buckets []slo.Bucket
		var bounds []float64
		bound, count := 0.0, uint64(0)
		for i := range 2 + random.IntN(6) {
			bound += float64(1+random.IntN(400)) / 1000
			bound = math.Round(bound*1000) / 1000
			le := strconv.FormatFloat(bound, 'g', -1, 64)
			if i > 0 && random.IntN(8) == 0 {
				le = "+Inf"
			}
			count += uint64(random.IntN(1000))
			buckets, bounds = append(buckets, slo.Bucket{LE: le, Count: count}), append(bounds, bound)
			if le == "+Inf" {
				break
			}
		}
		if last := &buckets[len(buckets)-1]; last.LE != "+Inf" {
			last.LE = "+Inf"
		}
		for _, b := range buckets {
			s.series = append(s.series, promql.Series{Metric: metric("h_bucket", "le", b.LE), Floats: []promql.FPoint{{T: at(0).UnixMilli(), F: float64(b.Count)}}})
		}
		limits := []float64{bounds[0] / 2, bounds[len(bounds)-1] + 1}
		for _, b := range bounds {
			limits = append(limits, b, b+0.0005)
		}
		for _, limit := range limits {
			text := strconv.FormatFloat(limit, 'f', -1, 64)
			want := must(slo.LatencySLI(buckets, must(slo.ParseRatio(text))))
			got := s.at(t, fmt.Sprintf("histogram_fraction(-Inf, %s, h_bucket)", text), at(0))
			if want.Total == 0 {
				if !math.IsNaN(got) {
					t.Errorf("histogram %d of seed %d: %v of nothing is up to %s, want NaN", n, seed, got, text)
				}
				continue
			}
			if !near(got, want.SLI.Float64()) {
				t.Errorf("histogram %d of seed %d, %v: %v is up to %s, LatencySLI has %s", n, seed, buckets, got, text, want.SLI)
			}
		}
	}
}

// TestNativeBounds asks for the share of a native histogram up to every bound of its
// buckets: times the count it is the whole number of observations, whatever the
// schema.
func TestNativeBounds(t *testing.T) {
	const perBucket = 7
	for schema := int32(-4); schema <= 8; schema++ {
		const buckets = 24
		h := &histogram.FloatHistogram{
			Schema: schema, ZeroThreshold: 1e-128, ZeroCount: 3, Count: 3 + perBucket*buckets, Sum: 1,
			PositiveSpans: []histogram.Span{{Offset: -buckets / 2, Length: buckets}},
		}
		for range buckets {
			h.PositiveBuckets = append(h.PositiveBuckets, perBucket)
		}
		s := &server{series: []promql.Series{{Metric: metric("h"), Histograms: []promql.HPoint{{T: at(0).UnixMilli(), H: h}}}}}
		for it, n := h.PositiveBucketIterator(), 1; it.Next(); n++ {
			upper := it.At().Upper
			expr := fmt.Sprintf("histogram_fraction(-Inf, %s, h) * histogram_count(h)", strconv.FormatFloat(upper, 'g', -1, 64))
			if got, want := s.query(t, expr, at(0), at(0), time.Second)[0].Floats[0].F, float64(3+perBucket*n); !near(got, want) {
				t.Errorf("schema %d: %v observations are up to %v, want %v", schema, got, upper, want)
			}
		}
	}
}
