package prometheus_test

import (
	"errors"
	"iter"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/prometheus"
	"github.com/evenkeelops/evenkeel/slo"
)

var scraped = time.Unix(1_795_326_000, 0).UTC() // a whole multiple of 30 s

// raw yields the samples of series, given by a selector and pairs of seconds and
// values, one series after the other.
func raw(t *testing.T, all ...[]any) iter.Seq2[prometheus.Sample, error] {
	t.Helper()
	var samples []prometheus.Sample
	for i, series := range all {
		for n := 1; n < len(series); n += 2 {
			v, err := slo.ParseValue(series[n+1].(string))
			if err != nil {
				t.Fatal(err)
			}
			samples = append(samples, prometheus.Sample{
				Series: i, Labels: series[0].(prometheus.Labels),
				Reading: slo.Reading{At: scraped.Add(time.Duration(series[n].(int)) * time.Second), Value: v},
			})
		}
	}
	return func(yield func(prometheus.Sample, error) bool) {
		for _, s := range samples {
			if !yield(s, nil) {
				return
			}
		}
	}
}

func label(name, value string) func(prometheus.Labels) bool {
	return func(l prometheus.Labels) bool { return l[name] == value }
}

// The rules of counters: the first sample counts nothing, a decrease is a reset, a gap
// counts nothing and the next number from the last one before it.
func TestCounting(t *testing.T) {
	ok, bad := prometheus.Labels{"code": "200"}, prometheus.Labels{"code": "500"}
	first, second := []any{ok, 0, "100", 30, "110", 60, "3", 90, "NaN", 120, "10"}, []any{bad, 60, "2", 90, "NaN", 120, "5"}
	all := func(prometheus.Labels) bool { return true }
	at := func(s int, good, total uint64) slo.Sample {
		return slo.Sample{At: scraped.Add(time.Duration(s) * time.Second), Counts: slo.Counts{Good: good, Total: total}}
	}
	missing := func(s int) slo.Sample {
		return slo.Sample{At: scraped.Add(time.Duration(s) * time.Second), Missing: true}
	}
	born := func(_ prometheus.Labels, first time.Time) bool { return first.After(scraped) }
	const step = 30 * time.Second
	le := func(bound string) prometheus.Labels { return prometheus.Labels{"le": bound} }
	for _, c := range []struct {
		name    string
		c       prometheus.Counting
		samples iter.Seq2[prometheus.Sample, error]
		want    []slo.Sample
	}{
		{
			"bad of all",
			prometheus.Counting{Bad: label("code", "500"), Total: all, Every: step},
			raw(t, first, second),
			[]slo.Sample{at(0, 0, 0), at(30, 10, 10), at(60, 3, 3), missing(90), at(120, 7, 10)},
		},
		{
			"born",
			prometheus.Counting{Bad: label("code", "500"), Good: label("code", "200"), Born: born, Every: step},
			raw(t, first, second),
			[]slo.Sample{at(0, 0, 0), at(30, 10, 10), at(60, 3, 5), missing(90), at(120, 7, 10)},
		},
		{
			"good of all, as scraped",
			prometheus.Counting{Good: label("code", "200"), Total: all},
			raw(t, first, second),
			[]slo.Sample{at(0, 0, 0), at(30, 10, 10), at(60, 3, 3), at(120, 7, 10)},
		},
		{
			"gathered",
			prometheus.Counting{Bad: label("code", "500"), Total: all, Every: step},
			raw(t, []any{ok, 5, "0", 35, "4", 60, "5"}, []any{bad, 20, "1", 31, "2", 150, "3"}),
			// 35 s and 31 s go to 60 s, as 60 s does: 4 + 1 + 1 events.
			[]slo.Sample{at(30, 0, 0), at(60, 5, 6), missing(90), missing(120), at(150, 0, 1)},
		},
		{
			"latency", prometheus.LatencyCounting(slo.NewRatio(1, 1)),
			raw(t, []any{le("0.5"), 0, "0", 30, "1"}, []any{le("1.0"), 0, "5", 30, "8"}, []any{le("+Inf"), 0, "5", 30, "9"}),
			[]slo.Sample{at(0, 0, 0), at(30, 3, 4)},
		},
		{"no samples", prometheus.LatencyCounting(slo.NewRatio(1, 1)), raw(t), []slo.Sample{}},
		{
			"no error yet",
			prometheus.Counting{Bad: label("code", "500"), Total: all},
			raw(t, []any{ok, 0, "0", 30, "4"}),
			[]slo.Sample{at(0, 0, 0), at(30, 4, 4)},
		},
	} {
		got, err := c.c.Samples(c.samples)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, %v\nwant %v", c.name, got, err, c.want)
		}
	}
}

func TestCountingErrors(t *testing.T) {
	ok, bad := prometheus.Labels{"code": "200"}, prometheus.Labels{"code": "500"}
	of := prometheus.Counting{Bad: label("code", "500"), Total: label("code", "200")}
	for _, c := range []struct {
		name    string
		c       prometheus.Counting
		samples iter.Seq2[prometheus.Sample, error]
		want    string
		is      error
	}{
		{"one part", prometheus.Counting{Bad: label("a", "b")}, raw(t), "want two of Bad, Good and Total", nil},
		{"negative step", prometheus.Counting{Bad: label("a", "b"), Good: label("a", "c"), Every: -1}, raw(t), "no step below 0", nil},
		{"out of order", of, raw(t, []any{ok, 30, "1", 0, "2"}), `count {code="200"} at 2026-11-22T05:40:00Z`, slo.ErrOutOfOrder},
		{"fraction", of, raw(t, []any{ok, 0, "1", 30, "2.5"}), "want whole events, not 1.5", nil},
		{"more than all", of, raw(t, []any{ok, 0, "1", 30, "2"}, []any{bad, 0, "1", 30, "3"}), "2 bad and 0 good of 1 events", nil},
		{"overflow", of, raw(t, []any{ok, 0, "0", 30, "18446744073709551615", 60, "1"}, []any{ok, 0, "0", 30, "1"}), "above 64 bits", slo.ErrOverflow},
		{"no bucket at the limit", prometheus.LatencyCounting(slo.NewRatio(3, 10)), raw(t, []any{prometheus.Labels{"le": "+Inf"}, 0, "1"}), `want a bucket le="0.3"`, nil},
	} {
		_, err := c.c.Samples(c.samples)
		var refused *prometheus.CountError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	broken := errors.New("broken")
	if _, err := of.Samples(func(yield func(prometheus.Sample, error) bool) { yield(prometheus.Sample{}, broken) }); !errors.Is(err, broken) {
		t.Errorf("an error of the sequence: %v, want it", err)
	}
}

// Half of an exponential bucket in its logarithm: √2 of (1, 2]; half of the bucket
// around zero, from 0 on where there are no negative ones.
func TestNativeLatency(t *testing.T) {
	h := prometheus.Histogram{Count: 24, Buckets: []prometheus.Bucket{
		{Lower: -0.5, Upper: 0.5, Count: 4},
		{Lower: 0.5, Upper: 1, Count: 8},
		{Lower: 1, Upper: 2, Count: 10},
		{Lower: 2, Upper: math.Inf(1), Count: 2},
	}}
	below := h
	below.Buckets = append([]prometheus.Bucket{{Lower: -2, Upper: -1, Count: 6}}, h.Buckets...)
	below.Count = 30
	for _, c := range []struct {
		h            prometheus.Histogram
		limit, want  float64
		interpolated bool
	}{
		{h, 1, 12, false},
		{h, math.Sqrt2, 17, true},
		{h, 0.25, 2, true},
		{h, 2, 22, false},
		{h, 100, 22, false}, // nothing is known of the rest
		{h, 0, 0, false},
		{below, 0.25, 9, true}, // 6 + 3/4 of 4
		{below, -math.Sqrt2, 3, true},
		{prometheus.Histogram{}, 1, 0, false},
	} {
		got := c.h.AtMost(c.limit)
		if math.Abs(got.Good-c.want) > 1e-12 || got.Total != c.h.Count || got.Interpolated != c.interpolated {
			t.Errorf("AtMost(%v) = %+v, want %v, interpolated %t", c.limit, got, c.want, c.interpolated)
		}
	}
	if got, want := (prometheus.Latency{Good: 16.6, Total: 20.4}).Counts(), (slo.Counts{Good: 17, Total: 20}); got != want {
		t.Errorf("counts %v, want %v", got, want)
	}
}

func TestClassicBuckets(t *testing.T) {
	series := func(le string, values ...float64) prometheus.Series {
		s := prometheus.Series{Labels: prometheus.Labels{"le": le}}
		for _, v := range values {
			s.Points = append(s.Points, prometheus.Point{Value: v})
		}
		return s
	}
	buckets, err := prometheus.ClassicBuckets(prometheus.Result{Series: []prometheus.Series{
		series("+Inf", 9.98), series("5e-01", 4.01), series("0.25", 2), series("1.0", 3.9),
	}})
	if err != nil {
		t.Fatal(err)
	}
	// 0.4 lies 3/5 into the bucket from 0.25 to 0.5, which holds 2: 2 + 6/5 of 10.
	l, err := slo.LatencySLI(buckets, slo.NewRatio(4, 10))
	if err != nil || l.Good != slo.NewRatio(16, 5) || l.Total != 10 || !l.Interpolated || buckets[2].Count != 4 {
		t.Errorf("%+v of %v, %v, want 16/5 of 10", l, buckets, err)
	}
	for _, bad := range [][]prometheus.Series{
		{series("", 1)},
		{series("x", 1)},
		{series("1")},
		{series("1", 1, 2)},
		{series("1", -1)},
		{series("1", math.NaN())},
		{series("1", 1), series("1.0", 1)},
	} {
		var refused *prometheus.CountError
		if _, err := prometheus.ClassicBuckets(prometheus.Result{Series: bad}); !errors.As(err, &refused) {
			t.Errorf("%v: %v, want a CountError", bad, err)
		}
	}
}

// A series that stands twice in one answer has two values for an instant.
func TestSeriesTwice(t *testing.T) {
	const series = `{"metric":{"a":"b"},"values":[[1795326000,"1"]]}`
	_, url := serve(t, status(200, `{"status":"success","data":{"resultType":"matrix","result":[`+series+`,`+strings.Replace(series, `"1"]`, `"2"]`, 1)+`]}}`))
	client, err := prometheus.New(prometheus.Config{BaseURL: url})
	if err != nil {
		t.Fatal(err)
	}
	var failed *adapters.Error
	if r, err := client.QueryRange(t.Context(), "x", scraped, scraped, time.Second); !errors.As(err, &failed) || !strings.Contains(err.Error(), `{a="b"} once, not twice`) || len(r.Series) != 0 {
		t.Errorf("QueryRange: %v, %v", r, err)
	}
	got := 0
	for _, err = range client.Samples(t.Context(), "x", scraped, scraped.Add(time.Second)) {
		got++
	}
	if !errors.As(err, &failed) || got != 2 {
		t.Errorf("Samples: %d of them, %v, want a sample and an error", got, err)
	}
	// The same series in a later part is one series.
	_, url = serve(t, status(200, `{"status":"success","data":{"resultType":"matrix","result":[`+series+`]}}`))
	if client, err = prometheus.New(prometheus.Config{BaseURL: url, MaxPoints: 1}); err != nil {
		t.Fatal(err)
	}
	if r, err := client.QueryRange(t.Context(), "x", scraped, scraped.Add(time.Second), time.Second); err != nil || len(r.Series) != 1 || len(r.Series[0].Points) != 2 {
		t.Errorf("two parts: %v, %v", r, err)
	}
}
