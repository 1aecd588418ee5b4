package main

import (
	"bytes"
	"fmt"
	"text/template"
	"time"
)

// Names of the imaginary company that the shop belongs to.
const (
	tenant  = "acme"
	cluster = "sgp-1"
	region  = "ap-southeast"
)

// target is one process that Prometheus scrapes.
type target struct {
	Job, Service, Instance, DependsOn string
	Port                              int
}

// The labels signal of the rules name each alert as layer.name, the form in which correlation rules refer to it. Recorded
// series keep generatorURL, which carries the whole expression, short.
var configs = template.Must(template.New("").Delims("[[", "]]").Funcs(template.FuncMap{
	"over": func(d time.Duration) string { return fmt.Sprintf("[%s]", seconds(d)) }, "s": seconds,
}).Parse(`
[[define "prometheus.yml"]]global:
  scrape_interval: [[s .Pace.Scrape]]
  evaluation_interval: [[s .Pace.Scrape]]
  scrape_timeout: [[s .Pace.Scrape]]
  external_labels:
    cluster: [[.Cluster]]
    region: [[.Region]]
rule_files: [rules.yml]
alerting:
  alertmanagers:
    - static_configs:
        - targets: ["127.0.0.1:[[.AlertmanagerPort]]"]
scrape_configs:[[range .Jobs]]
  - job_name: [[.Name]]
    static_configs:[[range .Targets]]
      - targets: ["127.0.0.1:[[.Port]]"]
        labels: {tenant: [[$.Tenant]], service: [[.Service]], instance: [[.Instance]][[with .DependsOn]], depends_on: "[[.]]"[[end]]}[[end]][[end]]
[[end]]
[[define "rules.yml"]]# The rules under which the night was recorded (Prometheus 2.42). The label "signal" is the name of the alert in correlation rules.
groups:
  - name: recorded
    rules:
      - record: instance:request_duration_seconds:p95
        expr: histogram_quantile(0.95, sum by (tenant, service, instance, depends_on, le) (rate(request_duration_seconds_bucket{service!="shop-batch"}[[over .Pace.Latency]])))
      - record: service:request_duration_seconds:p50
        expr: histogram_quantile(0.50, sum by (tenant, service, depends_on, le) (rate(request_duration_seconds_bucket{service!="shop-batch"}[[over .Pace.Latency]])))
      - record: instance:requests:error_ratio
        expr: >-
          sum by (tenant, service, instance, depends_on) (rate(requests_total{code=~"5.."}[[over .Pace.Rate]]))
          / sum by (tenant, service, instance, depends_on) (rate(requests_total[[over .Pace.Rate]]))
      - record: instance:cpu:utilization_ratio
        expr: clamp_max(rate(process_cpu_seconds_total{job="shop"}[[over .Pace.Rate]]) / process_cpu_limit_cores, 1)
      - record: instance:memory:usage_ratio
        expr: process_resident_memory_bytes{job="shop"} / process_memory_limit_bytes
  - name: alerts
    rules:
      - alert: CPUHigh
        expr: instance:cpu:utilization_ratio > 0.80
        for: [[s .Pace.ForLatency]]
        labels: {severity: p3, signal: infrastructure.cpu_high}
        annotations: {summary: '{{ $labels.instance }} uses {{ $value | humanizePercentage }} of its processor share'}
      - alert: MemoryHigh
        expr: instance:memory:usage_ratio > 0.85
        for: [[s .Pace.ForLatency]]
        labels: {severity: p3, signal: infrastructure.memory_high}
        annotations: {summary: '{{ $labels.instance }} uses {{ $value | humanizePercentage }} of its memory'}
      - alert: DatabaseDown
        expr: up{service="shop-db"} == 0
        for: [[s .Pace.ForPage]]
        labels: {severity: p1, signal: platform.database_down}
        annotations: {summary: '{{ $labels.instance }} does not answer'}
      - alert: DatabaseSlow
        expr: instance:request_duration_seconds:p95{service="shop-db"} > 0.4
        for: [[s .Pace.ForLatency]]
        labels: {severity: p2, signal: platform.db_slow}
        annotations: {summary: '{{ $labels.instance }}: 95 % of queries within {{ $value | humanizeDuration }}'}
      - alert: QueueDepth
        expr: queue_depth > [[.Pace.QueueLimit]]
        for: [[s .Pace.ForQueue]]
        labels: {severity: p3, signal: platform.queue_depth}
        annotations: {summary: '{{ $value }} jobs wait at {{ $labels.instance }}'}
      - alert: InstanceDown
        expr: up{service=~"shop-(api|web|batch)"} == 0
        for: [[s .Pace.ForPage]]
        labels: {severity: p2, signal: application.down}
        annotations: {summary: '{{ $labels.instance }} does not answer'}
      - alert: HighLatency # half of all requests, so one slow instance of four is no page
        expr: service:request_duration_seconds:p50{service="shop-web"} > 0.5
        for: [[s .Pace.ForLatency]]
        labels: {severity: p2, signal: application.high_latency}
        annotations: {summary: 'half of the requests to {{ $labels.service }} take over {{ $value | humanizeDuration }}'}
      - alert: SlowResponse
        expr: instance:request_duration_seconds:p95{service=~"shop-(api|web)"} > 0.5
        for: [[s .Pace.ForSlow]]
        labels: {severity: p3, signal: application.slow_response}
        annotations: {summary: '{{ $labels.instance }}: 95 % of requests within {{ $value | humanizeDuration }}'}
      - alert: ErrorRateHigh
        expr: instance:requests:error_ratio{service=~"shop-(api|web)"} > 0.01
        for: [[s .Pace.ForLatency]]
        labels: {severity: p2, signal: application.error_rate_high}
        annotations: {summary: '{{ $labels.instance }} fails {{ $value | humanizePercentage }} of its requests'}
[[end]]
[[define "alertmanager.yml"]]route:
  receiver: night
  group_by: [alertname, service]
  group_wait: [[s .Pace.GroupWait]]
  group_interval: [[s .Pace.GroupInterval]]
  repeat_interval: 4h
receivers:
  - name: night
    webhook_configs:
      - url: http://127.0.0.1:[[.SinkPort]]/
        send_resolved: true
[[end]]`))

// job is one scrape job.
type job struct {
	Name    string
	Targets []target
}

// setup is what the configuration files are made from.
type setup struct {
	Pace                       pace
	Tenant, Cluster, Region    string
	Jobs                       []job
	AlertmanagerPort, SinkPort int
}

func (s setup) render(name string) ([]byte, error) {
	var b bytes.Buffer
	if err := configs.ExecuteTemplate(&b, name, s); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// seconds writes a duration as Prometheus wants it: whole seconds.
func seconds(d time.Duration) string { return fmt.Sprintf("%ds", int(d.Seconds()+0.5)) }
