package itest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/prometheus"
	"github.com/evenkeelops/evenkeel/internal/testutil"
	"github.com/evenkeelops/evenkeel/slo"
	"github.com/evenkeelops/evenkeel/slo/promrules"
)

// reader returns a client of a server; a short MaxPoints lets it split.
func reader(t *testing.T, address string, maxPoints int) *prometheus.Client {
	t.Helper()
	c, err := prometheus.New(prometheus.Config{BaseURL: address, MaxPoints: maxPoints})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// eventually polls until ok holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(60 * time.Second)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("no %s within a minute", what)
		case <-tick.C:
		}
	}
}

// increases counts a selector from its raw samples, by the value of a label. The
// series are born in the time looked at.
func increases(t *testing.T, c *prometheus.Client, selector, label string, from, until time.Time) map[string]slo.Increase {
	t.Helper()
	readings := map[string][]slo.Reading{}
	for s, err := range c.Samples(t.Context(), selector, from, until) {
		if err != nil {
			t.Fatal(err)
		}
		key := s.Labels[label]
		readings[key] = append(readings[key], s.Reading)
	}
	out := map[string]slo.Increase{}
	for key, r := range readings {
		sum, err := slo.CounterIncrease(r, true)
		if err != nil {
			t.Fatal(err)
		}
		out[key] = sum
	}
	return out
}

// TestLive makes real good and bad events at a Prometheus that scrapes itself: its
// own queries, which fail with 400 where they cannot be parsed. Alerts fire, the
// server is restarted, and the raw samples count every event.
func TestLive(t *testing.T) {
	t.Parallel()
	tools := tools(t)
	dir, number := t.TempDir(), port(t)
	address := fmt.Sprintf("http://127.0.0.1:%d", number)
	const counter = `prometheus_http_requests_total{handler="/api/v1/query"}`
	queries := objective(t, "queries", promrules.Events{Bad: `prometheus_http_requests_total{handler="/api/v1/query",code=~"4..|5.."}`, Total: counter})
	fast := objective(t, "fast", promrules.Events{Latency: &promrules.Latency{
		Histogram: `prometheus_http_request_duration_seconds{handler="/api/v1/query"}`, Limit: slo.NewRatio(1, 10),
	}})
	queries.Target, fast.Target = slo.MustPercent("99"), slo.MustPercent("99")
	// Stages of five minutes would be too slow for this test.
	_, rules := writeRules(t, dir, []promrules.SLO{queries, fast}, promrules.Options{Scrape: time.Second, Evaluation: 2 * time.Second, Direct: true})
	config := filepath.Join(dir, "prometheus.yml")
	writeFile(t, config, fmt.Sprintf(`global: {scrape_interval: 1s, evaluation_interval: 2s}
rule_files: [%q]
scrape_configs: [{job_name: self, static_configs: [{targets: ["127.0.0.1:%d"]}]}]
`, rules, number))
	began := time.Now()
	proc, err := tools.StartPrometheus(io.Discard, config, filepath.Join(dir, "data"), number)
	started(t, proc, err, address+"/-/ready")

	client := reader(t, address, 0)
	send := func(good, bad int) {
		t.Helper()
		for range good {
			if _, err := client.Query(t.Context(), "up", time.Time{}); err != nil {
				t.Fatal(err)
			}
		}
		for range bad {
			_, err := client.Query(t.Context(), "bad((", time.Time{})
			if e, ok := errors.AsType[*adapters.Error](err); !ok || e.Status != http.StatusBadRequest || e.Code != prometheus.TypeBadData || e.Attempts != 1 {
				t.Fatalf("a query that cannot be parsed: %v, want status 400 and bad_data in one attempt", err)
			}
		}
	}
	// scraped waits for the counters. It asks for ranges, which are counted apart.
	scraped := func(good, bad float64) {
		t.Helper()
		eventually(t, fmt.Sprintf("scrape of %v good and %v bad queries", good, bad), func() bool {
			now := time.Now()
			r, err := client.QueryRange(t.Context(), counter, now, now, time.Second)
			if err != nil {
				t.Fatal(err)
			}
			last := map[string]float64{}
			for _, s := range r.Series {
				last[s.Labels["code"]] = s.Points[len(s.Points)-1].Value
			}
			return last["200"] == good && last["400"] == bad
		})
	}
	send(40, 5) // rules see a series from its second sample on
	scraped(40, 5)
	send(20, 15)
	scraped(60, 20)
	eventually(t, "page and ticket", func() bool {
		severities := firing(t, address, "shop-queries")
		return slices.Contains(severities, "page") && slices.Contains(severities, "ticket")
	})

	proc.Stop()
	proc, err = tools.StartPrometheus(io.Discard, config, filepath.Join(dir, "data"), number)
	started(t, proc, err, address+"/-/ready")
	send(10, 3)
	scraped(10, 3)
	got := increases(t, client, counter, "code", began.Add(-time.Minute), time.Now().Add(time.Minute))
	for code, want := range map[string]uint64{"200": 70, "400": 23} { // 60 + 10 and 20 + 3
		sum := got[code]
		if n, exact := sum.Value.Uint64(); n != want || !exact || !sum.Exact || sum.Resets != 1 {
			t.Errorf("code %s: %v with %d resets, want exactly %d with 1", code, sum.Value, sum.Resets, want)
		}
	}
	now := time.Now()
	r, err := client.QueryRange(t.Context(), `slo:sli_error:ratio_rate1h{sloth_id="shop-fast"}`, now.Add(-time.Minute), now, 5*time.Second)
	if err != nil || len(r.Series) != 1 {
		t.Fatalf("ratio of slow queries: %+v, %v, want one series", r, err)
	}
	for _, p := range r.Series[0].Points {
		if !(p.Value >= 0 && p.Value <= 1) {
			t.Errorf("ratio of slow queries at %v = %v, want 0 to 1", p.At(), p.Value)
		}
	}
}

// firing returns the severities of the alerts that fire for an objective.
func firing(t *testing.T, address, id string) []string {
	t.Helper()
	resp := do(t, http.MethodGet, address+"/api/v1/alerts", "")
	defer resp.Body.Close()
	var answer struct {
		Data struct {
			Alerts []struct {
				State  string
				Labels map[string]string
			}
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	var severities []string
	for _, a := range answer.Data.Alerts {
		if a.State == "firing" && a.Labels["sloth_id"] == id {
			severities = append(severities, a.Labels["severity"])
		}
	}
	return severities
}

// history is backtest_7d.json.
type history struct {
	Data struct {
		T0     time.Time
		Totals struct{ Good, Bad uint64 }
	}
	Objective struct {
		Policy [][]any // rule, factor, minutes of the long and the short window
	}
	Timeline struct {
		Any []struct {
			Rule   string
			Active [][2]int // minutes, the second is the first one off
		} `json:"any_coverage"`
	}
}

// TestHistory makes a week of history in a database and reads it back: increases,
// raw samples and, minute by minute, when each rule holds.
func TestHistory(t *testing.T) {
	t.Parallel()
	tools := tools(t)
	data, err := os.ReadFile(testutil.SharedFile(t, "data", "slo", "backtest_7d.json"))
	if err != nil {
		t.Fatal(err)
	}
	var h history
	if err := json.Unmarshal(data, &h); err != nil {
		t.Fatal(err)
	}
	good, bad := testutil.WeekCounters()
	historyEnd := len(good) - 1
	at := func(minute int) time.Time { return h.Data.T0.Add(time.Duration(minute) * time.Minute) }

	dir := t.TempDir()
	var text strings.Builder
	text.WriteString("# TYPE http_requests counter\n")
	for i := range good {
		fmt.Fprintf(&text, "http_requests_total{code=\"200\"} %d %d\n", good[i], at(i).Unix())
	}
	for i := range bad {
		fmt.Fprintf(&text, "http_requests_total{code=\"500\"} %d %d\n", bad[i], at(i).Unix())
	}
	text.WriteString("# EOF\n")
	metrics, config := filepath.Join(dir, "h.om"), filepath.Join(dir, "prometheus.yml")
	writeFile(t, metrics, text.String())
	writeFile(t, config, "global: {scrape_interval: 1m}\n")
	if err := tools.CreateBlocks(t.Context(), metrics, filepath.Join(dir, "data")); err != nil {
		t.Fatal(err)
	}
	number := port(t)
	address := fmt.Sprintf("http://127.0.0.1:%d", number)
	proc, err := tools.StartPrometheus(io.Discard, config, filepath.Join(dir, "data"), number, "--storage.tsdb.retention.time=3650d")
	started(t, proc, err, address+"/-/ready")
	client := reader(t, address, 3000) // 10 081 points in four parts

	totals := map[string]uint64{"200": h.Data.Totals.Good, "500": h.Data.Totals.Bad}
	raw := increases(t, client, "http_requests_total", "code", at(0), at(historyEnd+1))
	r, err := client.Query(t.Context(), "increase(http_requests_total[7d1ms])", at(historyEnd))
	if err != nil || len(r.Series) != 2 || len(raw) != 2 {
		t.Fatalf("increase: %+v, %v and %d raw series, want two", r, err, len(raw))
	}
	for _, s := range r.Series {
		code := s.Labels["code"]
		// PromQL stretches the week by the millisecond that Prometheus 3 leaves out: 1.7e-9.
		if v := s.Points[0].Value; math.Abs(v/float64(totals[code])-1) > 1e-8 {
			t.Errorf("increase of %s = %v, want %d", code, v, totals[code])
		}
		if n, exact := raw[code].Value.Uint64(); n != totals[code] || !exact || raw[code].Resets != 1 {
			t.Errorf("raw increase of %s = %v with %d resets, want %d with 1", code, raw[code].Value, raw[code].Resets, totals[code])
		}
	}

	for i, rule := range h.Objective.Policy {
		name, factor, long, short := rule[0].(string), rule[1].(string), int(rule[2].(float64)), int(rule[3].(float64))
		expr := holds(long, factor) + " and " + holds(short, factor)
		r, err := client.QueryRange(t.Context(), expr, at(0), at(historyEnd), time.Minute)
		if err != nil || len(r.Series) != 1 {
			t.Fatalf("%s: %d series, %v, want one", name, len(r.Series), err)
		}
		if want := h.Timeline.Any[i]; name != want.Rule || !slices.Equal(active(h.Data.T0, r.Series[0].Points), want.Active) {
			t.Errorf("%s is active at %v, want %s at %v", name, active(h.Data.T0, r.Series[0].Points), want.Rule, want.Active)
		}
	}

	// 31 days every 15 s are 178 561 points, in 60 parts.
	from := at(0)
	r, err = client.QueryRange(t.Context(), "time()", from, from.Add(31*24*time.Hour), 15*time.Second)
	if err != nil || len(r.Series) != 1 || len(r.Series[0].Points) != 178_561 {
		t.Fatalf("31 days: %d series, %v, want one of 178561 points", len(r.Series), err)
	}
	for i, p := range r.Series[0].Points {
		if want := from.Unix() + 15*int64(i); p.UnixMilli != 1000*want || p.Value != float64(want) {
			t.Fatalf("point %d = %v, want %d", i, p, want)
		}
	}
}

// holds is true while the error ratio of a window exceeds a threshold of 99.9 %.
// A range that is 1 ms longer has the sample at its left end in Prometheus 3 too.
func holds(minutes int, factor string) string {
	increase := func(selector string) string {
		return fmt.Sprintf("sum(increase(http_requests_total%s[%dms]))", selector, minutes*60_000+1)
	}
	return fmt.Sprintf(`(%s / %s > %s * 0.001)`, increase(`{code="500"}`), increase(""), factor)
}

// active turns the points of a rule that holds into stretches of minutes.
func active(t0 time.Time, points []prometheus.Point) [][2]int {
	var out [][2]int
	for _, p := range points {
		minute := int(p.At().Sub(t0) / time.Minute)
		if n := len(out); n > 0 && out[n-1][1] == minute {
			out[n-1][1]++
			continue
		}
		out = append(out, [2]int{minute, minute + 1})
	}
	return out
}
