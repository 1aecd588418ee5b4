package itest_test

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/prometheus"
	"github.com/evenkeelops/evenkeel/anomaly"
)

// tableOf lays the series of a range under names, one row for each step; a step at which
// a series has no point is missing.
func tableOf(from time.Time, step time.Duration, steps int, names []string, series map[string]prometheus.Series) anomaly.History {
	h := anomaly.History{Names: names}
	for i := range steps {
		row := make([]float64, len(names))
		for j := range row {
			row[j] = math.NaN()
		}
		h.Rows = append(h.Rows, row)
		h.Times = append(h.Times, from.Add(time.Duration(i)*step))
	}
	for j, name := range names {
		for _, p := range series[name].Points {
			h.Rows[int(p.At().Sub(from)/step)][j] = p.Value
		}
	}
	return h
}

// TestAnomalyOfRange learns from a range of a Prometheus and judges a later range of it. A
// series that ends is missing when the look-back of the server is over, and is not a 0.
func TestAnomalyOfRange(t *testing.T) {
	t.Parallel()
	tools := tools(t)
	const (
		step   = 30 * time.Second
		learnt = 1200 // steps: ten hours
		judged = 120
		outage = 20 // steps of the judged ones in which throughput is 0
		silent = 60 // from which latency has no samples
		// Steps of five minutes, for which a server repeats the last sample. Prometheus 3 leaves
		// the end out, 2 does not.
		lookBack = 10
	)
	t0 := time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC)
	names := []string{"latency_ms", "throughput_rps"}
	r := rand.New(rand.NewPCG(7, 11))
	lines := map[string]*strings.Builder{}
	written := map[string][]float64{}
	for _, name := range names {
		lines[name] = &strings.Builder{}
		fmt.Fprintf(lines[name], "# TYPE %s gauge\n", name)
	}
	for i := range learnt + judged {
		at := t0.Add(time.Duration(i) * step).Unix()
		latency, throughput := 150+10*r.NormFloat64(), 1000+50*r.NormFloat64()
		if k := i - learnt; k >= 0 && k < outage {
			throughput = 0
		}
		if i-learnt < silent {
			fmt.Fprintf(lines["latency_ms"], "latency_ms{service=\"shop\"} %v %d\n", latency, at)
			written["latency_ms"] = append(written["latency_ms"], latency)
		}
		fmt.Fprintf(lines["throughput_rps"], "throughput_rps{service=\"shop\"} %v %d\n", throughput, at)
		written["throughput_rps"] = append(written["throughput_rps"], throughput)
	}
	dir := t.TempDir()
	metrics, config := filepath.Join(dir, "h.om"), filepath.Join(dir, "prometheus.yml")
	writeFile(t, metrics, lines["latency_ms"].String()+lines["throughput_rps"].String()+"# EOF\n")
	writeFile(t, config, "global: {scrape_interval: 30s}\n")
	if err := tools.CreateBlocks(t.Context(), metrics, filepath.Join(dir, "data")); err != nil {
		t.Fatal(err)
	}
	number := port(t)
	address := fmt.Sprintf("http://127.0.0.1:%d", number)
	proc, err := tools.StartPrometheus(io.Discard, config, filepath.Join(dir, "data"), number, "--storage.tsdb.retention.time=3650d")
	started(t, proc, err, address+"/-/ready")
	client := reader(t, address, 500) // the history comes in parts

	read := func(from time.Time, steps int) anomaly.History {
		t.Helper()
		found := map[string]prometheus.Series{}
		for _, name := range names {
			result, err := client.QueryRange(t.Context(), name+`{service="shop"}`, from, from.Add(time.Duration(steps-1)*step), step)
			if err != nil || len(result.Series) != 1 {
				t.Fatalf("%s: %d series, %v, want one", name, len(result.Series), err)
			}
			found[name] = result.Series[0]
		}
		return tableOf(from, step, steps, names, found)
	}
	history := read(t0, learnt)
	for i, row := range history.Rows {
		for j, name := range names {
			if row[j] != written[name][i] {
				t.Fatalf("%s at step %d = %v, want %v as it was written", name, i, row[j], written[name][i])
			}
		}
	}
	d, err := anomaly.Fit("shop", history, nil)
	if err != nil {
		t.Fatal(err)
	}
	fresh := read(t0.Add(learnt*step), judged)
	alarms := 0 // of healthy readings
	for i, row := range fresh.Rows {
		v, err := d.Evaluate(fresh.Times[i], map[string]float64{names[0]: row[0], names[1]: row[1]})
		if err != nil {
			t.Fatal(err)
		}
		behind := i - (silent - 1) // steps since the last latency
		switch missing := slices.Equal(v.Missing, []string{"latency_ms"}); {
		case behind != lookBack && missing != (behind > lookBack) || !missing && len(v.Missing) > 0:
			t.Errorf("step %d: missing %q, want latency_ms there: %v", i, v.Missing, behind > lookBack)
		case i < outage && (v.State != anomaly.Anomaly || v.Contributions[0].Feature != "throughput_rps" || v.Contributions[0].Direction != anomaly.Low):
			t.Errorf("step %d of the outage: %v by %+v, want an anomaly by low throughput_rps", i, v.State, v.Contributions)
		case i >= outage && v.State == anomaly.Anomaly:
			alarms++
		}
	}
	// One in a hundred is asked for. Of 100 readings more than 6 alarm with a probability
	// below 1e-4; the ten minutes of the look-back repeat one latency.
	if alarms > 6 {
		t.Errorf("%d of %d healthy readings alarm, want at most 6", alarms, judged-outage)
	}
	nothing, err := client.QueryRange(t.Context(), `latency_ms{service="nobody"}`, t0, t0.Add(step), step)
	if err != nil || len(nothing.Series) != 0 {
		t.Errorf("a series that is not there: %+v, %v, want none", nothing.Series, err)
	}
	v, err := d.Evaluate(t0, nil)
	if err != nil || v.State != anomaly.NoData {
		t.Errorf("nothing at all is %v, %v, want no data", v.State, err)
	}
}

// TestAnomalyOfStaleSeries scrapes a service that stops to report its latency. The server
// marks the series as stale with the next scrape, long before its look-back is over, and the
// reading lacks the feature; a gauge that is NaN lacks it as well.
func TestAnomalyOfStaleSeries(t *testing.T) {
	t.Parallel()
	tools := tools(t)
	var shows atomic.Value // text of the latency
	shows.Store("latency_ms 150\n")
	var scrapes atomic.Int64
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := scrapes.Add(1)
		fmt.Fprintf(w, "%sthroughput_rps %d\n", shows.Load(), 1000+n%5)
	}))
	t.Cleanup(service.Close)
	dir, number := t.TempDir(), port(t)
	address := fmt.Sprintf("http://127.0.0.1:%d", number)
	config := filepath.Join(dir, "prometheus.yml")
	writeFile(t, config, fmt.Sprintf(`global: {scrape_interval: 1s}
scrape_configs: [{job_name: shop, static_configs: [{targets: [%q]}]}]
`, strings.TrimPrefix(service.URL, "http://")))
	proc, err := tools.StartPrometheus(io.Discard, config, filepath.Join(dir, "data"), number)
	started(t, proc, err, address+"/-/ready")
	client := reader(t, address, 0)
	names := []string{"latency_ms", "throughput_rps"}
	read := func(from time.Time, steps int) anomaly.History {
		t.Helper()
		found := map[string]prometheus.Series{}
		for _, name := range names {
			result, err := client.QueryRange(t.Context(), name, from, from.Add(time.Duration(steps-1)*time.Second), time.Second)
			if err != nil || len(result.Series) > 1 {
				t.Fatalf("%s: %d series, %v, want at most one", name, len(result.Series), err)
			}
			for _, s := range result.Series {
				found[name] = s
			}
		}
		return tableOf(from, time.Second, steps, names, found)
	}
	now := func() anomaly.History { return read(time.Now().Truncate(time.Second), 1) }
	eventually(t, "twelve scrapes", func() bool { return scrapes.Load() > 12 && !math.IsNaN(now().Rows[0][0]) })
	end := time.Now().Truncate(time.Second)
	history := read(end.Add(-9*time.Second), 10)
	d, err := anomaly.Fit("shop", history, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "latency_ms 150\n", "latency_ms NaN\n"} {
		shows.Store(text)
		gone := !strings.Contains(text, "150")
		eventually(t, fmt.Sprintf("reading of %q", text), func() bool { return math.IsNaN(now().Rows[0][0]) == gone })
		h := now()
		v, err := d.Evaluate(h.Times[0], map[string]float64{names[0]: h.Rows[0][0], names[1]: h.Rows[0][1]})
		if err != nil || slices.Equal(v.Missing, []string{"latency_ms"}) != gone || len(v.Invalid) > 0 || v.State != anomaly.Normal {
			t.Errorf("%q: %v with missing %q, %v, want normal and latency_ms missing: %v", text, v.State, v.Missing, err, gone)
		}
	}
	// The gaps are counted where they are learnt from.
	end = time.Now().Truncate(time.Second)
	steps := int(end.Sub(history.Times[0])/time.Second) + 1
	again, err := anomaly.Fit("shop", read(history.Times[0], steps), nil)
	if err != nil {
		t.Fatal(err)
	}
	if b := again.Baselines(); b[0].Missing == 0 || b[1].Missing != 0 || b[0].Mean != 150 {
		t.Errorf("baselines %+v, want latency 150 with gaps, throughput without", b)
	}
}
