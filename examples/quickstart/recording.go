package main

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/alertmanager"
	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/examples/internal/table"
)

// The night as it was recorded, and what was written for the replay.
//
//go:embed testdata/night testdata/inputs
var files embed.FS

// recording is the night, ready to be replayed.
type recording struct {
	start, end  time.Time
	sources     []program.Source
	inputs      []input // in the order of their instants
	metrics     []metricRow
	checks      []checkRow
	maintenance []window
	samples     int // rows of sli.csv and metrics.csv
	webhooks    int
	warnings    []program.Notice
}

// input is one thing that reaches the machine at an instant: exactly one of the
// fields is set.
type input struct {
	at      time.Time
	metric  *metricRow
	sli     *sliRow
	webhook *webhook
}

type metricRow struct {
	at      time.Time
	service string
	values  map[string]float64
}

type sliRow struct {
	at          time.Time
	service     string
	good, total uint64
}

type checkRow struct {
	at              time.Time
	service, status string
}

type window struct {
	id, service, title    string
	start, end, announced time.Time
	emergency             bool // never excluded from downtime
}

type webhook struct {
	at     time.Time
	seq    int
	events []correlation.Event
}

// features are the columns of metrics.csv that the detectors may use.
var features = []string{"cpu_utilization", "memory_usage", "response_time_ms", "error_rate", "throughput_rps", "db_connections", "queue_depth"}

// loadRecording reads the night from testdata/night of a file system. All
// problems of all its files are reported.
func loadRecording(fsys fs.FS) (*recording, error) {
	r := &recording{}
	var problems []error
	for _, load := range []struct {
		name string
		read func(name string, data []byte) (rows int, err error)
	}{
		{"metrics.csv", r.readMetrics},
		{"sli.csv", r.readSLI},
		{"checks.csv", r.readChecks},
		{"maintenance.csv", r.readMaintenance},
		{"webhooks.jsonl", r.readWebhooks},
	} {
		data, err := fs.ReadFile(fsys, "testdata/night/"+load.name)
		if err != nil {
			return nil, err
		}
		rows, err := load.read(load.name, data)
		problems = append(problems, err)
		r.sources = append(r.sources, program.NewSource(load.name, data, rows))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, program.Exit(program.Input, err)
	}
	if len(r.inputs) == 0 {
		return nil, program.Exit(program.Input, errors.New("metrics.csv, sli.csv, webhooks.jsonl: want at least one row"))
	}
	slices.SortStableFunc(r.metrics, func(a, b metricRow) int { return a.at.Compare(b.at) })
	slices.SortStableFunc(r.checks, func(a, b checkRow) int { return a.at.Compare(b.at) })
	slices.SortStableFunc(r.inputs, input.compare)
	r.start, r.end = r.inputs[0].at, r.inputs[len(r.inputs)-1].at
	return r, nil
}

// compare orders inputs by instant, kind and then what tells them apart, so that
// the order of the rows in the files does not matter.
func (i input) compare(j input) int {
	order := cmp.Or(i.at.Compare(j.at), cmp.Compare(i.rank(), j.rank()))
	if order != 0 {
		return order
	}
	switch {
	case i.metric != nil:
		return cmp.Compare(i.metric.service, j.metric.service)
	case i.sli != nil:
		return cmp.Compare(i.sli.service, j.sli.service)
	}
	return cmp.Compare(i.webhook.seq, j.webhook.seq)
}

// rank orders inputs of one instant: measurements before what they raised.
func (i input) rank() int {
	switch {
	case i.metric != nil:
		return 0
	case i.sli != nil:
		return 1
	}
	return 2
}

// sha256 identifies the recording by the digests of its files.
func (r *recording) sha256() string {
	h := sha256.New()
	for _, s := range r.sources {
		h.Write([]byte(s.SHA256))
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (r *recording) open(name string, data []byte, required, optional []string) (*table.Table, error) {
	t, unknown, err := table.Open(name, bytes.NewReader(data), required, optional)
	for _, column := range unknown {
		r.warnings = append(r.warnings, program.Notice{Code: "unknown_column", Message: fmt.Sprintf("%s: column %q is not used", name, column), Ref: &name})
	}
	return t, err
}

func (r *recording) readMetrics(name string, data []byte) (int, error) {
	t, err := r.open(name, data, []string{"time", "service"}, features)
	if err != nil {
		return 0, err
	}
	for t.Next() {
		row := metricRow{at: t.RequiredTime("time"), service: t.Required("service"), values: map[string]float64{}}
		for _, f := range features {
			if x, ok := t.Number(f); ok {
				row.values[f] = x
			}
		}
		r.metrics = append(r.metrics, row)
		r.inputs = append(r.inputs, input{at: row.at, metric: &row})
	}
	r.samples += t.Rows()
	return t.Rows(), t.Err()
}

func (r *recording) readSLI(name string, data []byte) (int, error) {
	t, err := r.open(name, data, []string{"time", "service", "good", "total"}, nil)
	if err != nil {
		return 0, err
	}
	for t.Next() {
		row := sliRow{at: t.RequiredTime("time"), service: t.Required("service"), good: t.Count("good"), total: t.Count("total")}
		if row.good > row.total {
			t.Fail("good", "%d of %d, want at most the total", row.good, row.total)
		}
		r.inputs = append(r.inputs, input{at: row.at, sli: &row})
	}
	r.samples += t.Rows()
	return t.Rows(), t.Err()
}

func (r *recording) readChecks(name string, data []byte) (int, error) {
	t, err := r.open(name, data, []string{"time", "service", "status"}, []string{"http_code", "response_ms"})
	if err != nil {
		return 0, err
	}
	for t.Next() {
		r.checks = append(r.checks, checkRow{t.RequiredTime("time"), t.Required("service"), t.Word("status", "up", "down", "degraded", "unknown")})
	}
	return t.Rows(), t.Err()
}

func (r *recording) readMaintenance(name string, data []byte) (int, error) {
	t, err := r.open(name, data, []string{"id", "service", "start", "end", "announced", "type", "status"}, []string{"title"})
	if err != nil {
		return 0, err
	}
	for t.Next() {
		w := window{
			id: t.Required("id"), service: t.Required("service"), title: t.Text("title"), start: t.RequiredTime("start"), end: t.RequiredTime("end"),
			announced: t.RequiredTime("announced"), emergency: t.Word("type", "planned", "emergency") == "emergency",
		}
		if t.Word("status", "planned", "done", "cancelled") != "cancelled" {
			r.maintenance = append(r.maintenance, w)
		}
	}
	return t.Rows(), t.Err()
}

// hookLine is a webhook body of Alertmanager with the instant of its arrival.
type hookLine struct {
	At   time.Time `json:"at"`
	Seq  int       `json:"seq"`
	Body struct {
		Version string               `json:"version"`
		Alerts  []alertmanager.Alert `json:"alerts"`
	} `json:"body"`
}

func (r *recording) readWebhooks(name string, data []byte) (int, error) {
	var problems []error
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	n := 1
	for ; lines.Scan(); n++ {
		var line hookLine
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			problems = append(problems, fmt.Errorf("%s:%d: body: not a webhook of Alertmanager: %w", name, n, err))
			continue
		}
		if line.Body.Version != "4" || line.At.IsZero() {
			problems = append(problems, fmt.Errorf("%s:%d: version: found %q at %v, want version 4 and an instant", name, n, line.Body.Version, line.At))
			continue
		}
		hook := webhook{at: line.At, seq: line.Seq}
		for i, a := range line.Body.Alerts {
			event, err := hookEvent(a, line.At)
			if err != nil {
				problems = append(problems, fmt.Errorf("%s:%d: alerts[%d].%w", name, n, i, err))
				continue
			}
			hook.events = append(hook.events, event)
		}
		r.inputs = append(r.inputs, input{at: hook.at, webhook: &hook})
		r.webhooks++
	}
	if err := lines.Err(); err != nil {
		problems = append(problems, fmt.Errorf("%s:%d: body: want at most 1 MiB a line: %w", name, n, err))
	}
	return r.webhooks, errors.Join(problems...)
}

// hookEvent translates an alert: the label "signal" is its name, and every alert
// counts by its own status, whatever that of the group is.
func hookEvent(a alertmanager.Alert, at time.Time) (correlation.Event, error) {
	if signal := a.Labels["signal"]; !strings.Contains(signal, ".") {
		return correlation.Event{}, fmt.Errorf("labels.signal: found %q, want layer.name", signal)
	}
	e, err := alertmanager.Mapping{AnyTenant: true}.Event(a, at)
	if err != nil {
		return e, err
	}
	if !e.Severity.IsSet() {
		return e, fmt.Errorf("labels.severity: found %q, want p1 to p4", a.Labels["severity"])
	}
	delete(e.Labels, "severity")
	return e, nil
}
