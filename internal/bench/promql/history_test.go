package promql

import (
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/promql"

	"github.com/evenkeelops/evenkeel/slo"
)

const (
	step  = 30 * time.Second // between two scrapes and two evaluations
	stage = 5 * time.Minute  // in which package promrules sums up
	steps = 960              // eight hours
)

// origin is aligned to the stages.
var origin = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)

func at(i int) time.Time { return origin.Add(time.Duration(i) * step) }

var regions = [...]string{"eu", "us"}

// requests are those of a region between two scrapes: one in fifty times has an error,
// a fourth of all a fourth of them for twenty minutes, and for ten there are none.
func requests(region string, i int) slo.Counts {
	shift := len(region) * int(region[0]) // another phase for each
	good, bad := uint64(100+(i+shift)%37), uint64(0)
	switch {
	case i >= 760 && i < 780:
		good = 0
	case i >= 640 && i < 680:
		bad = 40
	case (i+shift)%50 == 0:
		bad = 1
	}
	return slo.Counts{Good: good, Total: good + bad}
}

// probe is a scrape of a region, which fails twenty times in a row.
func probe(region string, i int) slo.Counts {
	if region == "us" && i >= 640 && i < 660 {
		return slo.Counts{Total: 1}
	}
	return slo.Counts{Good: 1, Total: 1}
}

// sum adds up the events of regions in the n steps that end at step i.
func sum(events func(string, int) slo.Counts, i, n int, in ...string) slo.Counts {
	var all slo.Counts
	for k := max(i-n+1, 1); k <= i; k++ { // the first sample counts nothing
		for _, region := range in {
			c := events(region, k)
			all.Good += c.Good
			all.Total += c.Total
		}
	}
	return all
}

// history scrapes both regions. The scrapes are so long before the instants at which
// rules are evaluated.
func history(before time.Duration) *server {
	s := &server{}
	for _, region := range regions {
		s.series = append(s.series, scraped(region, before)...)
	}
	return s
}

// began is where counters stand at the first scrape: they have run for long.
const began = 1e7

func scraped(region string, before time.Duration) []promql.Series {
	floats := map[string]*promql.Series{}
	var order []*promql.Series
	add := func(ms int64, v float64, name string, pairs ...string) {
		m := metric(name, append(pairs, "region", region)...)
		s := floats[m.String()]
		if s == nil {
			s = &promql.Series{Metric: m}
			floats[m.String()], order = s, append(order, s)
		}
		s.Floats = append(s.Floats, promql.FPoint{T: ms, F: v})
	}
	native := promql.Series{Metric: metric("native", "region", region)}
	custom := promql.Series{Metric: metric("custom", "region", region)}
	good, bad := uint64(began), uint64(began)
	for i := range steps + 1 {
		c := requests(region, i)
		good += c.Good
		bad += c.Bad()
		ms, g, b := at(i).Add(-before).UnixMilli(), float64(good), float64(bad)
		add(ms, b, "bad_total")
		add(ms, g, "good_total")
		add(ms, g+b, "all_total")
		add(ms, g, "requests_total", "code", "200")
		add(ms, b, "requests_total", "code", "503")
		add(ms, float64(probe(region, i).Good), "up")
		// A third of the good ones are fast. Prometheus 2 has the bound of a second
		// as "1", Prometheus 3 as "1.0"; of the last one each region has its own.
		fast := float64(good / 3)
		spelt := map[string]string{"old": "1", "new": "1.0", "mixed": map[string]string{"eu": "1", "us": "1.0"}[region]}
		for _, name := range [...]string{"old", "new", "mixed"} {
			add(ms, fast, name+"_bucket", "le", "0.25")
			add(ms, g, name+"_bucket", "le", spelt[name])
			add(ms, g+b, name+"_bucket", "le", "+Inf")
			add(ms, g+b, name+"_count")
			add(ms, g+2*b, name+"_sum")
		}
		// The buckets of schema 0 end at powers of two, the last good one at 1.
		h := &histogram.FloatHistogram{
			Schema: 0, ZeroThreshold: 1e-3, ZeroCount: 5, Count: 5 + g + b, Sum: g + 2*b,
			PositiveSpans: []histogram.Span{{Offset: -1, Length: 3}}, PositiveBuckets: []float64{fast, g - fast, b},
		}
		native.Histograms = append(native.Histograms, promql.HPoint{T: ms, H: h})
		custom.Histograms = append(custom.Histograms, promql.HPoint{T: ms, H: &histogram.FloatHistogram{
			Schema: histogram.CustomBucketsSchema, CustomValues: []float64{0.25, 1}, Count: g + b, Sum: g + 2*b,
			PositiveSpans: []histogram.Span{{Length: 3}}, PositiveBuckets: []float64{fast, g - fast, b},
		}})
	}
	out := []promql.Series{native, custom}
	for _, s := range order {
		out = append(out, *s)
	}
	return out
}
