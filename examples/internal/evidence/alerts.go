package evidence

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/alertmanager"
	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/replay"
	"github.com/evenkeelops/evenkeel/examples/internal/flat"
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

// mostUnknown is how many keys that nobody knows are listed.
const mostUnknown = 100

var alertKeys = []string{"time", "arrival", "ends", "tenant", "alert", "status", "labels", "severity"}

// Alerts reads a log of alerts, an object a line, in order of arrival. An alert arrives when
// it happens, unless the line says otherwise.
func Alerts(open func(name string) (io.ReadCloser, error), name string, begin func() (Take, error)) (Result, error) {
	unknown := map[string]int{}
	known := repeated{}
	l := alertLog{reader: reader{open: open}, name: name, longest: table.MaxLine, begin: begin}
	l.parse = func(text []byte, line int, row func(replay.Arrival, ID)) (problems []error) {
		if a, id, ok := known.plain(string(text)); ok {
			row(a, id)
			return nil
		}
		fail := func(key, format string, args ...any) {
			problems = append(problems, fmt.Errorf("%s:%d: %s: %s", name, line, key, fmt.Sprintf(format, args...)))
		}
		var in alertRow
		var keys map[string]json.RawMessage
		if err := cmp.Or(json.Unmarshal(text, &keys), json.Unmarshal(text, &in)); err != nil {
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
			if !slices.Contains(alertKeys, key) && unknown[key] == 0 && len(unknown) < mostUnknown {
				unknown[key] = line
			}
		}
		a := replay.Arrival{At: in.Arrival, Event: correlation.Event{Tenant: in.Tenant, Alert: in.Alert, Labels: in.Labels, Ends: in.Ends}}
		if in.Time == nil {
			fail("time", "missing")
		} else {
			a.Time = *in.Time
		}
		if a.At.IsZero() {
			a.At = a.Time
		}
		if in.Alert == "" {
			fail("alert", "missing")
		}
		switch in.Status {
		case "":
			fail("status", "missing")
		default:
			if err := a.Status.UnmarshalText([]byte(in.Status)); err != nil {
				fail("status", "%v", err)
			}
		}
		if in.Severity != "" {
			var err error
			if a.Severity, err = incident.ParseSeverity(in.Severity); err != nil {
				fail("severity", "%v", err)
			}
		}
		if len(problems) == 0 {
			problems = refusal(a, fmt.Sprintf("%s:%d: ", name, line))
		}
		if len(problems) == 0 {
			row(Arrived(a.At, a.Event))
		}
		return problems
	}
	err := l.read()
	for _, key := range slices.Sorted(maps.Keys(unknown)) {
		l.notice("unknown_column", key, "%s:%d: key %q is not used", name, unknown[key], key)
	}
	return l.Result, err
}

// webhook is what is read of a body that an Alertmanager sent.
type webhook struct {
	Alerts []alertmanager.Alert `json:"alerts"`
}

// Webhooks reads bodies that an Alertmanager sent, one a line, or recordings of them:
// {"at": when it came, "body": …}, in order of arrival. Package alertmanager says what
// becomes of labels.
func Webhooks(open func(name string) (io.ReadCloser, error), name string, begin func() (Take, error)) (Result, error) {
	l := alertLog{reader: reader{open: open}, name: name, longest: longestBody, begin: begin}
	l.parse = func(text []byte, line int, row func(replay.Arrival, ID)) (problems []error) {
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
			if len(problems) == 0 {
				row(Arrived(a.At, a.Event))
			}
		}
		return problems
	}
	err := l.read()
	return l.Result, err
}

// refusal says why an engine would not take an event.
func refusal(a replay.Arrival, place string) []error {
	var bad *correlation.EventError
	if !errors.As(a.Validate(correlation.Options{}), &bad) {
		return nil
	}
	return []error{fmt.Errorf("%s%s: found %q, want %s", place, strings.ToLower(bad.Field), bad.Value, bad.Want)}
}

// longestBody is how many bytes the line of a webhook may have.
const longestBody = 16 << 20

// repeated is what the lines of a log have in common: which alert they are about, by the
// text of its tenant, name and labels.
type repeated map[string]*about

// about is an alert that an engine takes.
type about struct {
	tenant, alert string
	labels        map[string]string
	id            ID
}

// mostRepeated is how many alerts are remembered.
const mostRepeated = 1 << 13

// plain reads a line of a log that has nothing unusual, as nearly all have; ok is false
// for any other, right or wrong.
func (known repeated) plain(text string) (a replay.Arrival, id ID, ok bool) {
	var tenant, name string
	var labels flat.Value
	seen := 0
	ok = flat.Read(text, func(key string, v flat.Value) bool {
		i := slices.Index(alertKeys, key)
		if i < 0 || seen&(1<<i) != 0 {
			return false
		}
		seen |= 1 << i
		if key == "labels" {
			labels = v
			return v.Kind == flat.Object
		}
		if v.Kind != flat.Text {
			return false
		}
		var err error
		switch key {
		case "time":
			a.Time, err = instant(v.Text)
		case "arrival":
			a.At, err = instant(v.Text)
		case "ends":
			a.Ends, err = instant(v.Text)
		case "tenant":
			tenant = v.Text
		case "alert":
			name = v.Text
		case "status":
			err = a.Status.UnmarshalText([]byte(v.Text))
		case "severity":
			a.Severity, err = incident.ParseSeverity(v.Text)
		}
		return err == nil
	})
	const needed = 1<<0 | 1<<4 | 1<<5 // time, alert, status
	if !ok || seen&needed != needed {
		return a, id, false
	}
	if a.At.IsZero() {
		a.At = a.Time
	}
	var room [256]byte
	key := append(append(append(append(append(room[:0], tenant...), 0), name...), 0), labels.Text...) // none of them has a 0
	x := known[string(key)]
	if x == nil {
		if x = newAbout(tenant, name, labels.Text); x == nil {
			return a, id, false
		}
	}
	a.Tenant, a.Alert, a.Labels = x.tenant, x.alert, x.labels
	if x.id != (ID{}) && plainTimes(&a) {
		return a, x.id, true
	}
	if a.Validate(correlation.Options{}) != nil {
		return a, id, false
	}
	if x.id == (ID{}) {
		if len(known) >= mostRepeated {
			clear(known)
		}
		_, x.id = Arrived(a.At, a.Event)
		known[string(key)] = x
	}
	return a, x.id, true
}

// instant reads a time as [time.Time.UnmarshalJSON] does.
func instant(text string) (t time.Time, err error) {
	err = t.UnmarshalText([]byte(text))
	return t, err
}

// plainTimes reports whether an engine that takes the alert of an event takes its times for
// sure; those that it looks at closely are rare.
func plainTimes(a *replay.Arrival) bool {
	const from, to = -2_208_988_800, 6_627_052_800 // 1900 and 2180
	s := a.Time.Unix()
	return a.Ends.IsZero() && from < s && s < to
}

// newAbout reads the labels; nil if they are unusual. What it keeps does not share the
// memory of a line.
func newAbout(tenant, name, labels string) *about {
	x := &about{tenant: strings.Clone(tenant), alert: strings.Clone(name)}
	if labels == "" {
		return x
	}
	x.labels = map[string]string{}
	if !flat.Read(strings.Clone(labels), func(name string, v flat.Value) bool {
		x.labels[name] = v.Text
		return v.Kind == flat.Text
	}) {
		return nil
	}
	return x
}

// CheckAlerts reads a table of checks: every run of rows of a service that are not up
// is an alert application.down with the service as label.
func CheckAlerts(open func(name string) (io.ReadCloser, error), name string, begin func() (Take, error)) (Result, error) {
	var rows runs
	var services Numbers
	n := uint32(0)
	r, err := Table(open, name, []string{"time", "service", "status"}, []string{"http_code", "response_ms"}, func(t *table.Table) {
		at, service := t.RequiredTime("time"), t.Required("service")
		c := counted{at: unixNano(at), line: n, service: services.Of(service), total: 1}
		if t.Word("status", "up", "down", "degraded", "unknown") == "up" {
			c.good = 1
		}
		n++
		rows.add(c)
	})
	if err != nil {
		return r, err
	}
	take, err := begin()
	if err != nil {
		return r, err
	}
	down := make([]bool, len(services.Texts))
	for c := range rows.all() {
		up := c.good == 1
		if down[c.service] != up {
			continue
		}
		down[c.service] = !up
		status := correlation.Firing
		if up {
			status = correlation.Resolved
		}
		at := time.Unix(0, c.at).UTC()
		down := correlation.Event{Alert: "application.down", Labels: map[string]string{"service": services.Texts[c.service]}, Status: status, Time: at}
		if err := take(Arrived(at, down)); err != nil {
			return r, err
		}
	}
	return r, nil
}

// Numbers gives texts numbers, from 0. The zero value has none.
type Numbers struct {
	Texts []string // by number
	known map[string]uint32
}

// Of returns the number of a text, which may share the memory of a line.
func (n *Numbers) Of(text string) uint32 {
	i, ok := n.known[text]
	if !ok {
		if n.known == nil {
			n.known = map[string]uint32{}
		}
		i, text = uint32(len(n.Texts)), strings.Clone(text)
		n.known[text], n.Texts = i, append(n.Texts, text)
	}
	return i
}
