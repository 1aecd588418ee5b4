package prometheus_test

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/prometheus"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

// answer is one recorded answer of a real server.
type answer struct {
	Name, Method, Path, Body string
	Status                   int
}

// TestRecordedAnswers gives every recorded answer to a client.
func TestRecordedAnswers(t *testing.T) {
	data, err := os.ReadFile(testutil.SharedFile(t, "data", "adapters", "prometheus_api.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Count   int
		Answers []answer
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Answers) != file.Count || file.Count == 0 {
		t.Fatalf("%d answers, want %d", len(file.Answers), file.Count)
	}
	checks := map[string]func(*testing.T, prometheus.Result, error){
		"vector": isVector(1795326189035,
			row{`up{instance="127.0.0.1:41931",job="prom"}`, 1}, row{`up{instance="127.0.0.1:41932",job="push"}`, 1}, row{`up{instance="127.0.0.1:41939",job="dead"}`, 0}),
		"vector_special": isVector(1795326189065,
			row{`odd_label{instance="i1",job="api",path="a\"b\\c",uni="日本"}`, math.NaN()}, row{`pos_inf{instance="i1",job="api"}`, math.Inf(1)}),
		"nan":    isVector(1795326189200, row{`{}`, math.NaN()}),
		"inf":    isVector(1795326189223, row{`{}`, math.Inf(1)}),
		"scalar": isScalar(1795326189084, 3),
		"string": func(t *testing.T, r prometheus.Result, err error) {
			t.Helper()
			if err != nil || r.Type != prometheus.String || r.Text != "x" {
				t.Errorf("got %+v, %v, want the text x", r, err)
			}
		},
		"matrix": isMatrix(
			[]int64{1795326186500, 1795326188000}, []int64{1795326186500, 1795326188000}, []int64{1795326188000}),
		"matrix_range_vector": isMatrix(
			[]int64{1795326187300, 1795326188297, 1795326189294}, []int64{1795326187330, 1795326188334, 1795326189330}, []int64{1795326186929, 1795326187929, 1795326188929}),
		"matrix_empty": isMatrix(),
		"points_11000": isMatrix(),
		"points_11001": isError(400, prometheus.TypeBadData, "exceeded maximum resolution of 11,000 points"),
		"err_parse":    isError(400, prometheus.TypeBadData, "unexpected end of input inside braces"),
		"err_range":    isError(400, prometheus.TypeBadData, "end timestamp must not be before start time"),
		"err_exec":     isError(422, prometheus.TypeExecution, `{job="api"} on the right hand-side`),
		"err_timeout":  isError(503, prometheus.TypeTimeout, "query timed out in query queue"),
		"notfound":     isError(404, "", "404 page not found"),
	}
	others := map[string]func(*testing.T, *prometheus.Client){
		"rules": checkRules, "alerts": checkAlerts, "targets": checkTargets, "labels": checkLabels, "series": checkSeries, "buildinfo": checkBuildInfo,
	}
	read := 0
	for _, a := range file.Answers {
		check, query := checks[a.Name]
		other, known := others[a.Name]
		if query == known {
			t.Errorf("answer %s must stand in exactly one of the checks", a.Name)
			continue
		}
		read++
		t.Run(a.Name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if known && (r.Method != a.Method || r.URL.Path != a.Path) {
					t.Errorf("asked %s %s, want %s %s", r.Method, r.URL.Path, a.Method, a.Path)
				}
				w.WriteHeader(a.Status)
				_, _ = w.Write([]byte(a.Body))
			}))
			defer server.Close()
			c := client(t, prometheus.Config{BaseURL: server.URL})
			if known {
				other(t, c)
				return
			}
			if strings.HasSuffix(a.Path, "query_range") {
				r, err := c.QueryRange(t.Context(), "up", time.Unix(0, 0), time.Unix(1, 0), time.Second)
				check(t, r, err)
				return
			}
			r, err := c.Query(t.Context(), "up", time.Unix(0, 0))
			check(t, r, err)
		})
	}
	if read != 22 {
		t.Errorf("%d answers were read, want 22", read)
	}
}

type row struct {
	labels string
	value  float64
}

func isVector(milli int64, want ...row) func(*testing.T, prometheus.Result, error) {
	return func(t *testing.T, r prometheus.Result, err error) {
		t.Helper()
		if err != nil || r.Type != prometheus.Vector || len(r.Series) != len(want) {
			t.Fatalf("got %+v, %v, want a vector of %d", r, err, len(want))
		}
		for i, s := range r.Series {
			if len(s.Points) != 1 || s.Points[0].UnixMilli != milli || !same(s.Points[0].Value, want[i].value) || s.Labels.String() != want[i].labels {
				t.Errorf("series %d = %v %v, want %v at %d", i, s.Labels, s.Points, want[i], milli)
			}
		}
	}
}

func isScalar(milli int64, want float64) func(*testing.T, prometheus.Result, error) {
	return func(t *testing.T, r prometheus.Result, err error) {
		t.Helper()
		if err != nil || r.Type != prometheus.Scalar || len(r.Series) != 1 || !slices.Equal(r.Series[0].Points, []prometheus.Point{{UnixMilli: milli, Value: want}}) {
			t.Errorf("got %+v, %v, want the scalar %v at %d", r, err, want, milli)
		}
	}
}

// isMatrix compares the instants of every series.
func isMatrix(want ...[]int64) func(*testing.T, prometheus.Result, error) {
	return func(t *testing.T, r prometheus.Result, err error) {
		t.Helper()
		if err != nil || r.Type != prometheus.Matrix || len(r.Series) != len(want) {
			t.Fatalf("got %+v, %v, want a matrix of %d", r, err, len(want))
		}
		for i, s := range r.Series {
			var got []int64
			for _, p := range s.Points {
				got = append(got, p.UnixMilli)
			}
			if !slices.Equal(got, want[i]) {
				t.Errorf("series %v at %v, want %v", s.Labels, got, want[i])
			}
		}
	}
}

// isError wants an error that will not pass.
func isError(status int, kind, message string) func(*testing.T, prometheus.Result, error) {
	return func(t *testing.T, r prometheus.Result, err error) {
		t.Helper()
		e, ok := errors.AsType[*adapters.Error](err)
		if !ok || len(r.Series) != 0 {
			t.Fatalf("got %+v, %v, want an Error", r, err)
		}
		if e.Status != status || e.Code != kind || !strings.Contains(e.Message, message) || adapters.Retryable(err) || e.Attempts != 1 || e.Provider != "prometheus" {
			t.Errorf("got %+v, retryable %t, want status %d, code %q, message with %q, not retryable, 1 attempt", e, adapters.Retryable(err), status, kind, message)
		}
	}
}

func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

func client(t *testing.T, c prometheus.Config) *prometheus.Client {
	t.Helper()
	if c.Policy.Base == 0 {
		c.Policy.Base = time.Nanosecond
	}
	client, err := prometheus.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func checkRules(t *testing.T, c *prometheus.Client) {
	t.Helper()
	groups, err := c.Rules(t.Context())
	if err != nil || len(groups) != 1 || len(groups[0].Rules) != 2 || groups[0].Name != "slo" || groups[0].File != "rules.yml" || groups[0].Interval != time.Second {
		t.Fatalf("got %+v, %v, want the group slo of two rules", groups, err)
	}
	recording, alerting := groups[0].Rules[0], groups[0].Rules[1]
	if recording.Type != prometheus.Recording || recording.Name != "job:up:avg" || recording.Query != "avg by (job) (up)" || recording.Health != "ok" ||
		recording.EvaluationTime != 692401*time.Nanosecond || !recording.LastEvaluation.Equal(instant(t, "2026-11-22T05:43:09.260221167Z")) {
		t.Errorf("recording rule %+v", recording)
	}
	if alerting.Type != prometheus.Alerting || alerting.State != "firing" || alerting.For != 2*time.Second || alerting.Labels["tenant"] != "acme" ||
		alerting.Annotations["runbook_url"] != "https://runbooks.example/target-down" || len(alerting.Alerts) != 1 || alerting.Alerts[0].State != "firing" {
		t.Errorf("alerting rule %+v", alerting)
	}
}

func checkAlerts(t *testing.T, c *prometheus.Client) {
	t.Helper()
	alerts, err := c.Alerts(t.Context())
	if err != nil || len(alerts) != 1 {
		t.Fatalf("got %+v, %v, want one alert", alerts, err)
	}
	a := alerts[0]
	if a.Labels["instance"] != "127.0.0.1:41939" || a.Annotations["summary"] != "dead on 127.0.0.1:41939 is down" || a.State != "firing" || a.Value != 0 ||
		!a.ActiveAt.Equal(instant(t, "2026-11-22T05:43:07.256172746Z")) {
		t.Errorf("alert %+v", a)
	}
}

func checkTargets(t *testing.T, c *prometheus.Client) {
	t.Helper()
	targets, err := c.Targets(t.Context())
	if err != nil || len(targets) != 3 {
		t.Fatalf("got %+v, %v, want three targets", targets, err)
	}
	var health []string
	for _, target := range targets {
		health = append(health, target.Pool+" "+target.Health)
	}
	if want := []string{"dead down", "prom up", "push up"}; !slices.Equal(health, want) {
		t.Errorf("targets %q, want %q", health, want)
	}
	d := targets[0]
	if d.URL != "http://127.0.0.1:41939/metrics" || d.Interval != time.Second || d.Timeout != time.Second || d.Discovered["__scheme__"] != "http" ||
		!strings.Contains(d.LastError, "connection refused") || d.Took != 778315*time.Nanosecond || !d.LastScrape.Equal(instant(t, "2026-11-22T05:43:08.929669058Z")) {
		t.Errorf("target %+v", d)
	}
}

func checkLabels(t *testing.T, c *prometheus.Client) {
	t.Helper()
	labels, err := c.LabelNames(t.Context(), time.Time{}, time.Time{})
	if err != nil || len(labels) != 32 || labels[0] != "__name__" || labels[31] != "version" {
		t.Errorf("got %q, %v, want 32 from __name__ to version", labels, err)
	}
}

func checkSeries(t *testing.T, c *prometheus.Client) {
	t.Helper()
	series, err := c.Series(t.Context(), time.Time{}, time.Time{}, "up")
	var texts []string
	for _, s := range series {
		texts = append(texts, s.String())
	}
	want := []string{`up{instance="127.0.0.1:41931",job="prom"}`, `up{instance="127.0.0.1:41932",job="push"}`, `up{instance="127.0.0.1:41939",job="dead"}`}
	if err != nil || !slices.Equal(texts, want) {
		t.Errorf("got %q, %v, want %q", texts, err, want)
	}
}

func checkBuildInfo(t *testing.T, c *prometheus.Client) {
	t.Helper()
	if info, err := c.BuildInfo(t.Context()); err != nil || info.Version != "2.42.0+ds" || info.GoVersion != "go1.19.8" {
		t.Errorf("got %+v, %v, want version 2.42.0+ds", info, err)
	}
}
