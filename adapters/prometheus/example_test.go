package prometheus_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/prometheus"
	"github.com/evenkeelops/evenkeel/slo"
)

// Count the events behind a counter exactly, through a restart of the process.
func ExampleClient_Samples() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"status":"success","data":{"resultType":"matrix","result":[
			{"metric":{"__name__":"http_requests_total","code":"500"},
			 "values":[[1795326000,"40"],[1795326030,"47"],[1795326060,"2"],[1795326090,"5"]]}]}}`)
	}))
	defer server.Close()

	client, err := prometheus.New(prometheus.Config{BaseURL: server.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	until := time.Unix(1795326120, 0)
	counters := map[int]*slo.Counter{}
	for s, err := range client.Samples(context.Background(), `http_requests_total{code="500"}`, until.Add(-2*time.Minute), until) {
		if err != nil {
			fmt.Println(err)
			return
		}
		c := counters[s.Series]
		if c == nil {
			c = &slo.Counter{}
			counters[s.Series] = c
		}
		increase, err := c.Observe(s.At, s.Value)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(s.At.Format(time.TimeOnly), s.Labels, "+", increase)
	}
	// Output:
	// 05:40:00 http_requests_total{code="500"} + 0
	// 05:40:30 http_requests_total{code="500"} + 7
	// 05:41:00 http_requests_total{code="500"} + 2
	// 05:41:30 http_requests_total{code="500"} + 3
}

// Feed a tracker from the raw samples of several series: code="500" appeared while the
// target was scraped already, so its first value counts.
func ExampleCounting() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"status":"success","data":{"resultType":"matrix","result":[
			{"metric":{"code":"200"},"values":[[1795326000,"900"],[1795326030,"990"],[1795326060,"50"]]},
			{"metric":{"code":"500"},"values":[[1795326030,"3"],[1795326060,"3"]]}]}}`)
	}))
	defer server.Close()

	client, err := prometheus.New(prometheus.Config{BaseURL: server.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	from := time.Unix(1795326000, 0)
	counting := prometheus.Counting{
		Bad:   func(l prometheus.Labels) bool { return l["code"] == "500" },
		Total: func(prometheus.Labels) bool { return true },
		Born:  func(_ prometheus.Labels, first time.Time) bool { return first.After(from) },
		Every: 30 * time.Second,
	}
	samples, err := counting.Samples(client.Samples(context.Background(), `http_requests_total`, from, from.Add(2*time.Minute)))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range samples {
		fmt.Println(s.At.Format(time.TimeOnly), s.Bad(), "bad of", s.Total)
	}
	// Output:
	// 05:40:00 0 bad of 0
	// 05:40:30 3 bad of 93
	// 05:41:00 0 bad of 50
}

func ExampleClient_QueryRange() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"status":"success","data":{"resultType":"matrix","result":[
			{"metric":{"job":"api"},"values":[[1795326000,"0.999"],[1795326060,"NaN"],[1795326120,"1"]]}]},
			"warnings":["one store did not answer"]}`)
	}))
	defer server.Close()

	client, err := prometheus.New(prometheus.Config{BaseURL: server.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	from := time.Unix(1795326000, 0)
	result, err := client.QueryRange(context.Background(), `job:availability:ratio`, from, from.Add(2*time.Minute), time.Minute)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range result.Series {
		for _, p := range s.Points {
			fmt.Println(s.Labels, p.At().Format(time.TimeOnly), p.Value)
		}
	}
	fmt.Println(result.Warnings)
	// Output:
	// {job="api"} 05:40:00 0.999
	// {job="api"} 05:41:00 NaN
	// {job="api"} 05:42:00 1
	// [one store did not answer]
}
