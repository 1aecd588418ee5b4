package evidence

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/alertmanager"
	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/replay"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/examples/internal/table"
	"github.com/evenkeelops/evenkeel/incident"
)

// alertRow is a line of a log of alerts. Labels may have any names, so keys that
// nobody knows are looked for apart.
type alertRow struct {
	Time     *time.Time        `json:"time"`
	Arrival  time.Time         `json:"arrival"`
	Ends     time.Time         `json:"ends"`
	Tenant   string            `json:"tenant"`
	Alert    string            `json:"alert"`
	Status   string            `json:"status"`
	Labels   map[string]string `json:"labels"`
	Severity string            `json:"severity"`
}

var alertKeys = []string{"time", "arrival", "ends", "tenant", "alert", "status", "labels", "severity"}

// Alerts reads a log of alerts, an object a line. An alert arrives when it happens,
// unless the line says otherwise.
func Alerts(open func(name string) (io.ReadCloser, error), name string) ([]replay.Arrival, Result, error) {
	var log []replay.Arrival
	unknown := map[string]int{}
	r, err := lines(open, name, func(text []byte, line int) (problems []error) {
		fail := func(key, format string, args ...any) {
			problems = append(problems, fmt.Errorf("%s:%d: %s: %s", name, line, key, fmt.Sprintf(format, args...)))
		}
		var row alertRow
		var keys map[string]json.RawMessage
		if err := cmp.Or(json.Unmarshal(text, &keys), json.Unmarshal(text, &row)); err != nil {
			var wrong *json.UnmarshalTypeError
			switch {
			case errors.As(err, &wrong):
				fail(wrong.Field, "found a %s, want %s", wrong.Value, map[string]string{"labels": "texts by name", "": "an object"}[strings.SplitN(wrong.Field, ".", 2)[0]])
			case strings.Contains(err.Error(), "parsing time"):
				fail("time", "want times with a zone like 2026-10-01T00:00:00Z: %v", err)
			default:
				fail("line", "want an object in JSON: %v", err)
			}
			return problems
		}
		for key := range keys {
			if !slices.Contains(alertKeys, key) && unknown[key] == 0 {
				unknown[key] = line
			}
		}
		a := replay.Arrival{At: row.Arrival, Event: correlation.Event{Tenant: row.Tenant, Alert: row.Alert, Labels: row.Labels, Ends: row.Ends}}
		if row.Time == nil {
			fail("time", "missing")
		} else {
			a.Time = *row.Time
		}
		if a.At.IsZero() {
			a.At = a.Time
		}
		if row.Alert == "" {
			fail("alert", "missing")
		}
		switch row.Status {
		case "":
			fail("status", "missing")
		default:
			if err := a.Status.UnmarshalText([]byte(row.Status)); err != nil {
				fail("status", "%v", err)
			}
		}
		if row.Severity != "" {
			var err error
			if a.Severity, err = incident.ParseSeverity(row.Severity); err != nil {
				fail("severity", "%v", err)
			}
		}
		if len(problems) == 0 {
			problems = refusal(a, fmt.Sprintf("%s:%d: ", name, line))
		}
		log = append(log, a)
		return problems
	})
	for _, key := range slices.Sorted(maps.Keys(unknown)) {
		r.notice("unknown_column", key, "%s:%d: key %q is not used", name, unknown[key], key)
	}
	return log, r.Result, err
}

// webhook is what is read of a body that an Alertmanager sent.
type webhook struct {
	Alerts []alertmanager.Alert `json:"alerts"`
}

// Webhooks reads bodies that an Alertmanager sent, one a line, or recordings of them:
// {"at": when it came, "body": …}. Package alertmanager says what becomes of labels.
func Webhooks(open func(name string) (io.ReadCloser, error), name string) ([]replay.Arrival, Result, error) {
	var log []replay.Arrival
	r, err := lines(open, name, func(text []byte, line int) (problems []error) {
		var in struct {
			webhook
			At   time.Time `json:"at"`
			Body *webhook  `json:"body"`
		}
		if err := json.Unmarshal(text, &in); err != nil {
			return []error{fmt.Errorf("%s:%d: line: want the body of a webhook in JSON: %w", name, line, err)}
		}
		if in.Body != nil {
			in.webhook = *in.Body
		}
		if in.Alerts == nil {
			return []error{fmt.Errorf("%s:%d: alerts: missing, want the body of a webhook", name, line)}
		}
		for i, w := range in.Alerts {
			event, err := alertmanager.Mapping{AnyTenant: true}.Event(w, in.At)
			if err != nil {
				problems = append(problems, fmt.Errorf("%s:%d: alerts[%d].%w", name, line, i, err))
			}
			a := replay.Arrival{At: in.At, Event: event}
			if a.At.IsZero() {
				a.At = a.Time
			}
			if len(problems) == 0 {
				problems = refusal(a, fmt.Sprintf("%s:%d: alerts[%d].", name, line, i))
			}
			log = append(log, a)
		}
		return problems
	})
	return log, r.Result, err
}

// refusal says why an engine would not take an event.
func refusal(a replay.Arrival, place string) []error {
	var bad *correlation.EventError
	if !errors.As(a.Validate(correlation.Options{}), &bad) {
		return nil
	}
	return []error{fmt.Errorf("%s%s: found %q, want %s", place, strings.ToLower(bad.Field), bad.Got, bad.Want)}
}

// maxBody bounds a line.
const maxBody = 16 << 20

// lines reads a file line by line and leaves out empty ones.
func lines(open func(name string) (io.ReadCloser, error), name string, take func(text []byte, line int) []error) (*reader, error) {
	r := &reader{open: open}
	f, err := open(name)
	if err != nil {
		return r, err
	}
	data, err := io.ReadAll(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return r, err
	}
	var problems []error
	rows, line := 0, 0
	s := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	s.Buffer(nil, maxBody)
	for s.Scan() {
		line++
		if text := bytes.TrimSpace(s.Bytes()); len(text) > 0 {
			rows++
			problems = append(problems, take(text, line)...)
		}
	}
	if err := s.Err(); err != nil {
		problems = append(problems, fmt.Errorf("%s:%d: want lines of at most %d bytes: %w", name, line+1, maxBody, err))
	}
	r.Sources = append(r.Sources, program.NewSource(filepath.Base(name), data, rows))
	return r, errors.Join(problems...)
}

// CheckAlerts reads a table of checks: every run of rows of a service that are not up
// is an alert application.down with the service as label.
func CheckAlerts(open func(name string) (io.ReadCloser, error), name string) ([]replay.Arrival, Result, error) {
	type row struct {
		at      time.Time
		service string
		up      bool
	}
	var rows []row
	r, err := Table(open, name, []string{"time", "service", "status"}, []string{"http_code", "response_ms"}, func(t *table.Table) {
		at, service := t.RequiredTime("time"), strings.Clone(t.Required("service"))
		found := t.Word("status", "up", "down", "degraded", "unknown")
		rows = append(rows, row{at, service, found == "up"})
	})
	if err != nil {
		return nil, r, err
	}
	slices.SortStableFunc(rows, func(a, b row) int { return a.at.Compare(b.at) })
	var log []replay.Arrival
	down := map[string]bool{}
	for _, x := range rows {
		if down[x.service] != x.up {
			continue
		}
		down[x.service] = !x.up
		status := correlation.Firing
		if x.up {
			status = correlation.Resolved
		}
		log = append(log, replay.Arrival{At: x.at, Event: correlation.Event{
			Alert: "application.down", Labels: map[string]string{"service": x.service}, Status: status, Time: x.at,
		}})
	}
	return log, r, nil
}
