package prometheus_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/prometheus"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// TestAvailability: each digit is an instant, 30 s apart from second 1000 on; "-" is
// missing, "n" NaN.
func TestAvailability(t *testing.T) {
	at := func(second int64) time.Time { return time.Unix(second, 0).UTC() }
	span := func(from, until int64) calendar.Interval { return calendar.Interval{Start: at(from), End: at(until)} }
	tests := []struct {
		name        string
		series      []string
		until       int64
		good, total uint64
		noData      []calendar.Interval
		refused     string
	}{
		{"up", []string{"1111"}, 1120, 4, 4, nil, ""},
		{"down for a while", []string{"1001"}, 1120, 2, 4, nil, ""},
		{"missing and NaN are one gap", []string{"1-n1"}, 1120, 2, 2, []calendar.Interval{span(1030, 1090)}, ""},
		{"gaps at both ends", []string{"-01n"}, 1120, 1, 2, []calendar.Interval{span(1000, 1030), span(1090, 1120)}, ""},
		{"nothing is known", nil, 1120, 0, 0, []calendar.Interval{span(1000, 1120)}, ""},
		{"the last step is cut", []string{"111-"}, 1100, 3, 3, []calendar.Interval{span(1090, 1100)}, ""},
		{"one instant", []string{"1"}, 1001, 1, 1, nil, ""},
		{"two series", []string{"11", "10"}, 1060, 0, 0, nil, `{s="0"} and {s="1"}`},
		{"a share", []string{"1x"}, 1060, 0, 0, nil, "0.5 at 1970-01-01T00:17:10Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var parts []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				start, end := milli(t, r.FormValue("start"))/1000, milli(t, r.FormValue("end"))/1000
				parts = append(parts, fmt.Sprint(start, "-", end, " ", r.FormValue("step")))
				if want := "(\nup # all\n) and on() count(count_over_time(probe[33000ms]))"; r.FormValue("query") != want {
					t.Errorf("asked for %q, want %q", r.FormValue("query"), want)
				}
				var series []string
				for i, values := range tt.series {
					var points []string
					for j, v := range values {
						second := 1000 + 30*int64(j)
						if v == '-' || second < start || second > end {
							continue
						}
						text := map[rune]string{'n': "NaN", 'x': "0.5"}[v]
						if text == "" {
							text = string(v)
						}
						points = append(points, fmt.Sprintf(`[%d,%q]`, second, text))
					}
					if len(points) > 0 {
						series = append(series, fmt.Sprintf(`{"metric":{"s":"%d"},"values":[%s]}`, i, strings.Join(points, ",")))
					}
				}
				_, _ = fmt.Fprintf(w, `{"status":"success","data":{"resultType":"matrix","result":[%s]},"warnings":["w"]}`, strings.Join(series, ","))
			}))
			defer server.Close()
			// Parts of three points, and the default step.
			got, err := client(t, prometheus.Config{BaseURL: server.URL, MaxPoints: 3, Scraped: "probe"}).Availability(t.Context(), "up # all", at(1000), at(tt.until), 0)
			if tt.refused != "" {
				if !errors.Is(err, adapters.Invalid) || !strings.Contains(err.Error(), tt.refused) {
					t.Errorf("got %+v, %v, want it refused for %s", got, err, tt.refused)
				}
				return
			}
			if err != nil || got.Good != tt.good || got.Total != tt.total || !reflect.DeepEqual(got.NoData, tt.noData) || got.Step != 30*time.Second || len(got.Warnings) != 1 {
				t.Errorf("got %+v, %v, want %d of %d and no data in %v", got, err, tt.good, tt.total, tt.noData)
			}
			if tt.until == 1120 && fmt.Sprint(parts) != "[1000-1060 30.000 1090-1090 30.000]" {
				t.Errorf("asked for %q", parts)
			}
		})
	}
	c := client(t, prometheus.Config{BaseURL: "http://127.0.0.1:1"})
	for _, step := range []time.Duration{-time.Second, time.Microsecond} {
		if _, err := c.Availability(t.Context(), "up", at(0), at(1), step); !errors.As(err, new(*prometheus.RangeError)) {
			t.Errorf("step %v: %v, want a RangeError", step, err)
		}
	}
	if _, err := c.Availability(t.Context(), "up", at(1), at(1), 0); !errors.As(err, new(*prometheus.RangeError)) {
		t.Errorf("no time at all: %v, want a RangeError", err)
	}
}

// TestStateFaults: what is read whole is repeated, judged and capped as queries are.
func TestStateFaults(t *testing.T) {
	tests := []struct {
		name     string
		answers  []func(http.ResponseWriter)
		requests int
		kind     adapters.Kind
	}{
		{"unavailable once", []func(http.ResponseWriter){status(502, ""), status(200, `{"status":"success","data":["a"]}`)}, 2, 0},
		{"too slow", []func(http.ResponseWriter){status(503, `{"status":"error","errorType":"timeout","error":"x"}`)}, 1, adapters.TooLarge},
		{"not JSON", []func(http.ResponseWriter){status(200, "[")}, 1, adapters.BadResponse},
		{"other data", []func(http.ResponseWriter){status(200, `{"status":"success","data":7}`)}, 1, adapters.BadResponse},
		{"no data", []func(http.ResponseWriter){status(200, `{"status":"success"}`)}, 1, adapters.BadResponse},
		{"an error with 200", []func(http.ResponseWriter){status(200, `{"status":"error","errorType":"not_found","error":"x"}`)}, 1, adapters.NotFound},
		{"too large", []func(http.ResponseWriter){status(200, strings.Repeat("x", 2000))}, 1, adapters.BadResponse},
		{"redirect", []func(http.ResponseWriter){status(302, "", "Location", "http://127.0.0.1:1/")}, 1, adapters.BadResponse},
	}
	for _, tt := range tests {
		server, url := serve(t, tt.answers...)
		values, err := client(t, prometheus.Config{BaseURL: url, MaxBytes: 1000}).LabelValues(t.Context(), "job", time.Unix(1, 0), time.Unix(2, 0), "up")
		if adapters.KindOf(err) != tt.kind || len(server.requests()) != tt.requests || (tt.kind == 0) != (len(values) == 1) {
			t.Errorf("%s: %q, %v in %d requests, want %v in %d", tt.name, values, err, len(server.requests()), tt.kind, tt.requests)
		}
		if got, want := server.requests()[0], "GET /api/v1/label/job/values end=2.000&match%5B%5D=up&start=1.000"; got != want {
			t.Errorf("%s: asked %s, want %s", tt.name, got, want)
		}
	}
}
