package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// point is one raw sample.
type point struct {
	at    time.Time
	value float64
}

// series is one time series with its raw samples in time order.
type series struct {
	labels map[string]string
	points []point
}

// sampled are the metrics that the files are made from.
var sampled = []string{
	"up", "requests_total", "request_duration_seconds_bucket", "pool_in_use", "pool_max", "queue_depth",
	"process_cpu_seconds_total", "process_resident_memory_bytes", "process_memory_limit_bytes", "process_cpu_limit_cores",
	"node_cpu_seconds_total", "node_memory_MemTotal_bytes", "node_memory_MemAvailable_bytes",
}

// collect reads the raw samples up to at by instant queries with a range, metric[47m]. increase() would extrapolate and round
// across restarts; the counters are differenced here instead.
func (s *stage) collect(ctx context.Context, at time.Time) (map[string][]series, error) {
	all := make(map[string][]series, len(sampled))
	for _, name := range sampled {
		got, err := rawSamples(ctx, s.address("prometheus"), name, at, s.pace.minute(lastMinute)+2*s.pace.Row)
		if err != nil {
			return nil, err
		}
		all[name] = got
	}
	return all, nil
}

func rawSamples(ctx context.Context, address, metric string, at time.Time, back time.Duration) ([]series, error) {
	q := url.Values{
		"query": {fmt.Sprintf("%s[%s]", metric, seconds(back))},
		"time":  {strconv.FormatInt(at.Unix(), 10)},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/api/v1/query?"+q.Encode(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer struct {
		Status string
		Error  string
		Data   struct {
			ResultType string
			Result     []struct {
				Metric map[string]string
				Values [][2]any
			}
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("query %s: %w", metric, err)
	}
	if answer.Status != "success" || answer.Data.ResultType != "matrix" {
		return nil, fmt.Errorf("query %s: status %q, type %q: %s", metric, answer.Status, answer.Data.ResultType, answer.Error)
	}
	if len(answer.Data.Result) == 0 {
		return nil, fmt.Errorf("query %s: no samples", metric)
	}
	var all []series
	for _, r := range answer.Data.Result {
		one := series{labels: r.Metric}
		for _, v := range r.Values {
			ts, ok1 := v[0].(float64)
			text, ok2 := v[1].(string)
			value, err := strconv.ParseFloat(text, 64)
			if !ok1 || !ok2 || err != nil {
				return nil, fmt.Errorf("query %s: sample %v: want [seconds, \"number\"]", metric, v)
			}
			one.points = append(one.points, point{time.UnixMilli(int64(ts*1000 + 0.5)).UTC(), value})
		}
		all = append(all, one)
	}
	return all, nil
}

// last returns the newest sample in (from, to].
func (s series) last(from, to time.Time) (point, bool) {
	for _, p := range slices.Backward(s.points) {
		if p.at.After(to) {
			continue
		}
		return p, p.at.After(from)
	}
	return point{}, false
}

// highest returns the largest sample in (from, to].
func (s series) highest(from, to time.Time) (v float64, ok bool) {
	for _, p := range s.points {
		if p.at.After(from) && !p.at.After(to) && (!ok || p.value > v) {
			v, ok = p.value, true
		}
	}
	return v, ok
}

// growth is how much a counter grew.
type growth struct {
	by   float64
	over time.Duration
}

// grown returns the growth of a counter between the newest sample at or before from and the newest in (from, to]. A value
// lower than the one before is a restart: the counter began at zero again. ok is false without a sample in (from, to] or
// without one before it, because then it is not known what the growth belongs to.
func (s series) grown(from, to time.Time) (g growth, ok bool) {
	var base point
	var have bool
	for _, p := range s.points {
		switch {
		case p.at.After(to):
			return g, ok
		case !p.at.After(from):
			base, have = p, true
		case have:
			d := p.value - base.value
			if d < 0 {
				d = p.value
			}
			g.by += d
			g.over += p.at.Sub(base.at)
			base, ok = p, true
		default:
			base, have = p, true
		}
	}
	return g, ok
}
