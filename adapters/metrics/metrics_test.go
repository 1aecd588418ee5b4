package metrics_test

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/metrics"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

func text(r *metrics.Registry) string { return string(r.Append(nil)) }

// The expected lines follow the rules and the example of
// https://prometheus.io/docs/instrumenting/exposition_formats/.
func TestFormat(t *testing.T) {
	r := metrics.New()
	h := r.Histogram("request_seconds", "How long.", []float64{0.05, 1, 2.5}, "path")
	c := r.Counter("calls_total", "Calls,\nwith a \\ and a \".", "code", "msdos_file_path")
	g := r.Gauge("temperature", "Now.")
	r.GaugeFunc("waiting", "In the queue.", func() float64 { return 7 })
	r.CounterFunc("received_total", "So far.", func() float64 { return 1 << 60 })
	r.Counter("never_total", "Nobody.", "code") // has no line yet
	c.Add(2, "400", "C:\\DIR\\FILE.TXT")
	c.Add(1027, "200", "say \"hi\"\nthere")
	c.Add(-5, "200", "say \"hi\"\nthere")
	c.Add(math.NaN(), "200", "say \"hi\"\nthere")
	for _, v := range []float64{0.05, 0.06, 1, 3, 0.25} {
		h.Observe(v, "/ü")
	}
	g.Set(math.Inf(-1))
	g.Add(1)
	want := `# HELP calls_total Calls,\nwith a \\ and a ".
# TYPE calls_total counter
calls_total{code="200",msdos_file_path="say \"hi\"\nthere"} 1027
calls_total{code="400",msdos_file_path="C:\\DIR\\FILE.TXT"} 2
# HELP received_total So far.
# TYPE received_total counter
received_total 1.152921504606847e+18
# HELP request_seconds How long.
# TYPE request_seconds histogram
request_seconds_bucket{path="/ü",le="0.05"} 1
request_seconds_bucket{path="/ü",le="1"} 4
request_seconds_bucket{path="/ü",le="2.5"} 4
request_seconds_bucket{path="/ü",le="+Inf"} 5
request_seconds_sum{path="/ü"} 4.36
request_seconds_count{path="/ü"} 5
# HELP temperature Now.
# TYPE temperature gauge
temperature -Inf
# HELP waiting In the queue.
# TYPE waiting gauge
waiting 7
`
	if got := text(r); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if w.Body.String() != want || w.Header().Get("Content-Type") != "text/plain; version=0.0.4; charset=utf-8" {
		t.Errorf("served %q as %q", w.Body, w.Header().Get("Content-Type"))
	}
}

func TestGauge(t *testing.T) {
	r := metrics.New()
	g := r.Gauge("g", "", "a")
	for _, v := range []float64{0, -0.5, math.NaN(), 1e21, math.Inf(1)} {
		g.Set(v, fmt.Sprint(v))
	}
	g.Set(1, "bad \xff")
	g.Add(1, "bad \xff") // the same again
	g.Set(1, "gone")
	g.Delete("gone")
	g.Set(1, "gone \xff") // as it is written
	g.Delete("gone \xff")
	g.Delete("never there")
	want := `# HELP g 
# TYPE g gauge
g{a="+Inf"} +Inf
g{a="-0.5"} -0.5
g{a="0"} 0
g{a="1e+21"} 1e+21
g{a="NaN"} NaN
g{a="bad ` + "\uFFFD" + `"} 2
`
	if got := text(r); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestMisuse(t *testing.T) {
	for name, misuse := range map[string]func(*metrics.Registry){
		"no name":            func(r *metrics.Registry) { r.Counter("", "") },
		"digit first":        func(r *metrics.Registry) { r.Counter("1a", "") },
		"a dash":             func(r *metrics.Registry) { r.Counter("a-b", "") },
		"a letter with dots": func(r *metrics.Registry) { r.Counter("ä", "") },
		"twice":              func(r *metrics.Registry) { r.Counter("a", ""); r.Gauge("a", "") },
		"part of another":    func(r *metrics.Registry) { r.Histogram("a", "", nil); r.Counter("a_sum", "") },
		"colon in label":     func(r *metrics.Registry) { r.Counter("a", "", "b:c") },
		"reserved label":     func(r *metrics.Registry) { r.Counter("a", "", "__name__") },
		"label twice":        func(r *metrics.Registry) { r.Counter("a", "", "b", "b") },
		"le":                 func(r *metrics.Registry) { r.Histogram("a", "", nil, "le") },
		"bounds fall":        func(r *metrics.Registry) { r.Histogram("a", "", []float64{2, 1}) },
		"bounds twice":       func(r *metrics.Registry) { r.Histogram("a", "", []float64{1, 1}) },
		"bound +Inf":         func(r *metrics.Registry) { r.Histogram("a", "", []float64{1, math.Inf(1)}) },
		"too few to delete":  func(r *metrics.Registry) { r.Gauge("a", "", "b").Delete() },
		"too few values":     func(r *metrics.Registry) { r.Counter("a", "", "b").Add(1) },
		"too many values":    func(r *metrics.Registry) { r.Counter("a", "").Add(1, "b") },
	} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.HasPrefix(text, "metrics: ") {
					t.Errorf("%s: recovered %q, want a panic of this package", name, text)
				}
			}()
			misuse(metrics.New())
		}()
	}
}

func TestConcurrent(t *testing.T) {
	r := metrics.New()
	c, h := r.Counter("c", "", "a"), r.Histogram("h", "", []float64{1})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				c.Add(1, "x")
				h.Observe(1)
			}
			text(r)
		})
	}
	all.Wait()
	if got := text(r); !strings.Contains(got, `c{a="x"} 8000`) || !strings.Contains(got, "h_count 8000") {
		t.Errorf("got %s, want 8000 of each", got)
	}
}

func TestObserver(t *testing.T) {
	r := metrics.New()
	o := r.Observer()
	at := time.Unix(1795325400, 0)
	o.Attempt(resilience.Attempt{Provider: "jira", Op: "open", N: 1, Status: 429, Kind: adapters.RateLimited, Took: 20 * time.Millisecond})
	o.Attempt(resilience.Attempt{Provider: "jira", Op: "open", N: 2, Status: 201, Took: 250 * time.Millisecond})
	o.Wait(resilience.Wait{Provider: "jira", Op: "open", Why: resilience.WaitHint, For: 1500 * time.Millisecond})
	o.Breaker(resilience.BreakerChange{Provider: "jira", Host: "a", To: "half-open", At: at.Add(time.Second)})
	o.Breaker(resilience.BreakerChange{Provider: "jira", Host: "a", To: "open", At: at}) // told late
	o.Breaker(resilience.BreakerChange{Provider: "jira", Host: "b", To: "open", At: at})
	got := text(r)
	for _, want := range []string{
		`evenkeel_adapter_attempts_total{provider="jira",op="open",status="429",kind="rate_limited"} 1`,
		`evenkeel_adapter_attempts_total{provider="jira",op="open",status="201",kind=""} 1`,
		`evenkeel_adapter_attempt_seconds_bucket{provider="jira",op="open",le="0.025"} 1`,
		`evenkeel_adapter_attempt_seconds_bucket{provider="jira",op="open",le="0.25"} 2`,
		`evenkeel_adapter_attempt_seconds_sum{provider="jira",op="open"} 0.27`,
		`evenkeel_adapter_wait_seconds_total{provider="jira",op="open",why="hint"} 1.5`,
		`evenkeel_adapter_breaker_open{provider="jira",host="a"} 0.5`,
		`evenkeel_adapter_breaker_open{provider="jira",host="b"} 1`,
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("%s is missing in\n%s", want, got)
		}
	}
}

// FuzzEscape: whatever a label value is, it stays within its line and its quotes.
func FuzzEscape(f *testing.F) {
	f.Add("a\"b\\c\nd", "h\\n")
	f.Add("\xff\x00", "\r")
	f.Fuzz(func(t *testing.T, value, help string) {
		r := metrics.New()
		r.Counter("c", help, "a").Add(1, value)
		lines := strings.Split(text(r), "\n")
		if len(lines) != 4 || lines[3] != "" || !strings.HasPrefix(lines[0], "# HELP c ") {
			t.Fatalf("%d lines of %q", len(lines), text(r))
		}
		inner, ok := strings.CutPrefix(lines[2], `c{a="`)
		inner, end := strings.CutSuffix(inner, `"} 1`)
		if !ok || !end {
			t.Fatalf("line %q", lines[2])
		}
		// Read as the format says.
		var back strings.Builder
		for i := 0; i < len(inner); i++ {
			c := inner[i]
			if c == '"' {
				t.Fatalf("a bare quote in %q", inner)
			}
			if c == '\\' {
				i++
				c = map[byte]byte{'\\': '\\', '"': '"', 'n': '\n'}[inner[i]]
			}
			back.WriteByte(c)
		}
		if want := strings.ToValidUTF8(value, "\uFFFD"); back.String() != want {
			t.Fatalf("%q read back as %q", value, back.String())
		}
	})
}

// Hosts that tenants choose do not add up: what is closed goes first.
func TestObserverForgetsHosts(t *testing.T) {
	r := metrics.New()
	o := r.Observer()
	at := time.Unix(0, 0)
	o.Breaker(resilience.BreakerChange{Provider: "jira", Host: "down", To: "open", At: at})
	for i := range 5000 {
		for n, to := range []string{"open", "closed"} {
			o.Breaker(resilience.BreakerChange{Provider: "jira", Host: strconv.Itoa(i), To: to, At: at.Add(time.Duration(2*i+n) * time.Second)})
		}
	}
	text := string(r.Append(nil))
	if n := strings.Count(text, "evenkeel_adapter_breaker_open{"); n != 1000 {
		t.Errorf("%d hosts are written, want 1000", n)
	}
	for _, want := range []string{`host="down"} 1`, `host="4999"} 0`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing", want)
		}
	}
}
