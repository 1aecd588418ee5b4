package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Instants in the files: rows on the grid of whole seconds, events in milliseconds.
const (
	gridTime  = "2006-01-02T15:04:05Z"
	exactTime = "2006-01-02T15:04:05.000Z"
)

const nodeService = "shop-node"

// export writes the recording into dir.
func export(n *night, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	files := map[string][]byte{
		"metrics.csv":     table(n.metrics()),
		"sli.csv":         table(n.sli()),
		"checks.csv":      table(n.checks()),
		"faults.csv":      table(n.faultRows()),
		"maintenance.csv": table(n.maintenance()),
		"webhooks.jsonl":  n.webhooks,
		"rules.yml":       n.rules,
		"SOURCE.md":       n.source(),
	}
	for name, data := range files {
		if err := write(dir, name, data); err != nil {
			return err
		}
	}
	return nil
}

func table(rows [][]string) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.WriteAll(rows) // a buffer does not fail
	return b.Bytes()
}

// rows are the ends of the intervals (end − Row, end] of the recording.
func (n *night) rows() []time.Time {
	var ends []time.Time
	for t := n.start.Add(n.pace.Row); !t.After(n.end); t = t.Add(n.pace.Row) {
		ends = append(ends, t)
	}
	return ends
}

// byService groups the series of a metric by service.
func (n *night) byService(metric string) map[string][]series {
	m := make(map[string][]series)
	for _, s := range n.series[metric] {
		m[s.labels["service"]] = append(m[s.labels["service"]], s)
	}
	return m
}

func (n *night) services() []string {
	var names []string
	for name := range n.byService("up") {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// metrics makes metrics.csv. Each value covers the row's interval; an empty cell was not seen.
func (n *night) metrics() [][]string {
	requests, hist := n.byService("requests_total"), n.byService("request_duration_seconds_bucket")
	cpu, cores := n.byService("process_cpu_seconds_total"), n.byService("process_cpu_limit_cores")
	rss, limit := n.byService("process_resident_memory_bytes"), n.byService("process_memory_limit_bytes")
	use, size, queue := n.byService("pool_in_use"), n.byService("pool_max"), n.byService("queue_depth")
	out := [][]string{{
		"time", "service", "cpu_utilization", "memory_usage", "response_time_ms", "error_rate", "throughput_rps",
		"db_connections", "queue_depth",
	}}
	for _, to := range n.rows() {
		from := to.Add(-n.pace.Row)
		for _, svc := range n.services() {
			row := []string{to.Format(gridTime), svc, "", "", "", "", "", "", ""}
			if svc == nodeService {
				row[2], row[3] = n.nodeUse(from, to)
				out = append(out, row)
				continue
			}
			row[2] = number(n.processorPercent(cpu[svc], cores[svc], from, to), 2)
			row[3] = number(worstPercent(rss[svc], limit[svc], from, to), 2)
			row[4] = number(percentile(hist[svc], from, to, 0.95)*1000, 1)
			row[5], row[6] = n.errorsAndRate(requests[svc], from, to)
			row[7] = number(worstPercent(use[svc], size[svc], from, to), 1)
			row[8] = number(total(queue[svc], from, to), 0)
			out = append(out, row)
		}
	}
	return out
}

// number writes v with a fixed count of decimals, NaN as the empty cell.
func number(v float64, decimals int) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

// recent accepts only growth over about one row: after a restart the sample before is too old for a rate.
func (n *night) recent(s series, from, to time.Time) (growth, bool) {
	g, ok := s.grown(from, to)
	return g, ok && g.over <= n.pace.Row+2*n.pace.Scrape
}

// processorPercent is the processor time of all processes of a service as a share of what they are allotted, 100 at most, as in
// the alert rule.
func (n *night) processorPercent(used, allotted []series, from, to time.Time) float64 {
	var cores, limit float64
	for _, s := range used {
		g, ok := n.recent(s, from, to)
		if !ok {
			continue
		}
		cores += g.by / g.over.Seconds()
		for _, a := range allotted {
			if a.labels["instance"] == s.labels["instance"] {
				p, _ := a.last(from, to)
				limit += p.value
			}
		}
	}
	if limit == 0 {
		return math.NaN()
	}
	return min(100*cores/limit, 100)
}

// worstPercent is the largest part/whole of any instance of a service in the interval, in percent.
func worstPercent(part, whole []series, from, to time.Time) float64 {
	worst := math.NaN()
	for _, p := range part {
		for _, w := range whole {
			if p.labels["instance"] != w.labels["instance"] {
				continue
			}
			a, ok1 := p.highest(from, to)
			b, ok2 := w.last(from, to)
			if v := 100 * a / b.value; ok1 && ok2 && !(v <= worst) {
				worst = v
			}
		}
	}
	return worst
}

func total(all []series, from, to time.Time) float64 {
	sum, seen := 0.0, false
	for _, s := range all {
		if p, ok := s.last(from, to); ok {
			sum += p.value
			seen = true
		}
	}
	if !seen {
		return math.NaN()
	}
	return sum
}

// percentile interpolates linearly inside a bucket, as Prometheus's histogram_quantile does; above the last finite bucket it
// answers that bucket's end. The result is in seconds, NaN without requests.
func percentile(all []series, from, to time.Time, q float64) float64 {
	counts := make(map[float64]float64)
	for _, s := range all {
		le, err := strconv.ParseFloat(s.labels["le"], 64)
		if err != nil {
			return math.NaN()
		}
		if g, ok := s.grown(from, to); ok {
			counts[le] += g.by
		}
	}
	var ends []float64
	for le := range counts {
		ends = append(ends, le)
	}
	sort.Float64s(ends)
	if len(ends) < 2 || counts[ends[len(ends)-1]] == 0 {
		return math.NaN()
	}
	rank := q * counts[ends[len(ends)-1]]
	low, below := 0.0, 0.0
	for _, le := range ends {
		if n := counts[le]; n >= rank {
			if math.IsInf(le, 1) {
				return low
			}
			return low + (le-low)*(rank-below)/(n-below)
		}
		low, below = le, counts[le]
	}
	return math.NaN()
}

// errorsAndRate are the percentage of requests answered 5xx and the requests per second.
func (n *night) errorsAndRate(all []series, from, to time.Time) (percent, rate string) {
	var bad, sum, perSecond float64
	seen := false
	for _, s := range all {
		g, ok := n.recent(s, from, to)
		if !ok {
			continue
		}
		seen = true
		sum += g.by
		perSecond += g.by / g.over.Seconds()
		if strings.HasPrefix(s.labels["code"], "5") {
			bad += g.by
		}
	}
	if !seen {
		return "", ""
	}
	if sum > 0 {
		percent = number(100*bad/sum, 3)
	}
	return percent, number(perSecond, 2)
}

// nodeUse are processor and memory use of the machine in percent, from the node exporter.
func (n *night) nodeUse(from, to time.Time) (cpu, memory string) {
	idle, cores := 0.0, 0
	for _, s := range n.series["node_cpu_seconds_total"] {
		if g, ok := s.grown(from, to); ok && s.labels["mode"] == "idle" {
			idle += g.by / g.over.Seconds()
			cores++
		}
	}
	if cores > 0 {
		cpu = number(100*(1-min(idle/float64(cores), 1)), 2)
	}
	free := total(n.series["node_memory_MemAvailable_bytes"], from, to)
	all := total(n.series["node_memory_MemTotal_bytes"], from, to)
	return cpu, number(100*(1-free/all), 2)
}

// sli makes sli.csv from the raw counters: good are all answers below 500. A row is written for a service when at least one of
// its instances was scraped in the interval; while none answers there is no row, and the next one covers the gap.
func (n *night) sli() [][]string {
	out := [][]string{{"time", "service", "good", "total"}}
	requests := n.byService("requests_total")
	for _, to := range n.rows() {
		for _, svc := range n.services() {
			var good, sum float64
			seen := false
			for _, s := range requests[svc] {
				g, ok := s.grown(to.Add(-n.pace.Row), to)
				if !ok {
					continue
				}
				seen = true
				sum += g.by
				if !strings.HasPrefix(s.labels["code"], "5") {
					good += g.by
				}
			}
			if seen {
				out = append(out, []string{to.Format(gridTime), svc, number(good, 0), number(sum, 0)})
			}
		}
	}
	return out
}

// checks makes checks.csv from the metric up: up when all instances of a service answer, down when none does, degraded in
// between. A row is written for every change, and once a minute to show that somebody looked.
func (n *night) checks() [][]string {
	out := [][]string{{"time", "service", "status"}}
	type probe struct {
		at       time.Time
		instance string
		up       bool
	}
	for svc, all := range n.byService("up") {
		if svc == nodeService {
			continue
		}
		var probes []probe
		for _, s := range all {
			for _, p := range s.points {
				probes = append(probes, probe{p.at, s.labels["instance"], p.value == 1})
			}
		}
		sort.Slice(probes, func(i, j int) bool {
			if !probes[i].at.Equal(probes[j].at) {
				return probes[i].at.Before(probes[j].at)
			}
			return probes[i].instance < probes[j].instance
		})
		state := make(map[string]bool)
		var written time.Time
		var before string
		for _, p := range probes {
			state[p.instance] = p.up
			if len(state) < len(all) || p.at.Before(n.start) || p.at.After(n.end) {
				continue
			}
			now := status(state)
			if now == before && p.at.Sub(written) < time.Minute {
				continue
			}
			out = append(out, []string{p.at.Format(exactTime), svc, now})
			before, written = now, p.at
		}
	}
	body := out[1:]
	sort.Slice(body, func(i, j int) bool {
		if body[i][0] != body[j][0] {
			return body[i][0] < body[j][0]
		}
		return body[i][1] < body[j][1]
	})
	return out
}

func status(instances map[string]bool) string {
	up := 0
	for _, ok := range instances {
		if ok {
			up++
		}
	}
	switch up {
	case len(instances):
		return "up"
	case 0:
		return "down"
	default:
		return "degraded"
	}
}

func (n *night) faultRows() [][]string {
	out := [][]string{{"at", "end", "kind", "target", "detail"}}
	for _, f := range n.faults {
		out = append(out, []string{f.At.Format(exactTime), f.End.Format(exactTime), f.Kind, f.Target, f.Detail})
	}
	return out
}

// maintenance makes maintenance.csv. It is written, not recorded: the paper that announced the restart of api-2 five days
// before. web-2 asks api-2 and nobody else, so its service is in the announcement too.
func (n *night) maintenance() [][]string {
	start := n.start.Add(n.pace.minute(28))
	end := start.Add(n.pace.minute(3)).Round(time.Second)
	out := [][]string{{"id", "service", "start", "end", "announced", "type", "status", "title"}}
	for _, m := range []struct{ id, service, title string }{
		{"MW-41", "shop-api", "Restart of api-2"},
		{"MW-42", "shop-web", "Restart of api-2: web-2 fails while it is away"},
	} {
		out = append(out, []string{
			m.id, m.service, start.Format(gridTime), end.Format(gridTime),
			start.Add(-120 * time.Hour).Truncate(time.Hour).Format(gridTime), "planned", "done", m.title,
		})
	}
	return out
}

// source makes SOURCE.md.
func (n *night) source() []byte {
	var b bytes.Buffer
	local := time.FixedZone("Asia/Singapore", 8*3600) // no summer time since 1982
	fmt.Fprintf(&b, "# The recorded night\n\n")
	fmt.Fprintf(&b, "Recorded by `make record-night` (internal/itest/recordnight) on %s, from %s to %s UTC.\n", n.start.Format(time.DateOnly), n.start.Format(time.TimeOnly), n.end.Format(time.TimeOnly))
	fmt.Fprintf(&b, "The customer of the sample, Acme, lives in Asia/Singapore (UTC+8, region %s): there the recording runs from %s to %s, and it\nis night. The instants in the files are the real ones, in UTC.\n\n", region, n.start.In(local).Format("2006-01-02 15:04"), n.end.In(local).Format("15:04"))
	if n.pace.Scale != 1 {
		fmt.Fprintf(&b, "**This is a rehearsal**: all times of the script were multiplied by %g.\n\n", n.pace.Scale)
	}
	fmt.Fprintf(&b, "## Servers\n\n%s, on one Linux machine with two processor cores that did other work too.\n\n", strings.Join(n.versions, ", "))
	fmt.Fprintf(&b, "    prometheus --config.file=prometheus.yml --storage.tsdb.path=D --web.listen-address=127.0.0.1:P --web.external-url=http://prometheus.example --log.level=warn\n")
	fmt.Fprintf(&b, "    prometheus-alertmanager --config.file=alertmanager.yml --storage.path=D --web.listen-address=127.0.0.1:P --cluster.listen-address= --web.external-url=http://alertmanager.example --log.level=warn\n")
	fmt.Fprintf(&b, "    prometheus-node-exporter --web.listen-address=127.0.0.1:P --collector.disable-defaults --collector.cpu --collector.meminfo --log.level=warn\n\n")
	fmt.Fprintf(&b, "Scrape and evaluation every %s. Alertmanager: group_by [alertname, service], group_wait %s, group_interval %s, send_resolved.\nExternal labels cluster=%s, region=%s. The shop: db-1 (pool of %d), api-1 to api-4, web-1 to web-4 (web-n asks api-n, api-n asks db-1), batch-1;\n%d requests a second to every web instance; a share of %g fails in the web tier on a good day.\n\n", n.pace.Scrape, n.pace.GroupWait, n.pace.GroupInterval, cluster, region, poolSize, requestRate, n.pace.Flaky)
	fmt.Fprintf(&b, "## Faults\n\nWhat the script broke, from its own clock (faults.csv):\n\n| from | to | kind | target | detail |\n|---|---|---|---|---|\n")
	for _, f := range n.faults {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", f.At.Format("15:04:05.000"), f.End.Format("15:04:05.000"), f.Kind, strings.ReplaceAll(f.Target, "|", ", "), f.Detail)
	}
	fmt.Fprintf(&b, `
## Files

- webhooks.jsonl: what Alertmanager sent, {at, seq, body} with the body byte for byte and the instant of arrival.
  Under the silence an alert of web-2 began and ended unheard; Alertmanager still reports its end, with the next body of the group.
- metrics.csv: a row per service and %[1]s, covering the %[1]s before its time. cpu_utilization is the processor time of the service's
  processes as a percentage of their share (1 core for db-1, a quarter for each other process; more counts as 100), memory_usage
  the highest of any instance against its limit, response_time_ms the 95th percentile (jobs of shop-batch: their running time),
  error_rate the percentage of 5xx, db_connections the most of the pool in use in percent, queue_depth the jobs waiting.
  shop-node is the machine itself as the node exporter sees it, other work included. An empty cell was not seen.
- sli.csv: requests answered below 500, and all, from the raw counters with restarts handled. No row while no instance answered.
- checks.csv: from the metric up; all instances answer = up, none = down, some = degraded. A row per change and one a minute.
- faults.csv: the truth.
- rules.yml: the Prometheus rules.
- maintenance.csv: **written, not recorded**: the announcement of the restart, dated five days before.

## Licence

Recorded by the evenkeel project from its own sample shop; Apache-2.0 like the rest of the repository.
`, n.pace.Row)
	return b.Bytes()
}
