package main

import (
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/incident/playbook"
	"github.com/evenkeelops/evenkeel/internal/spelling"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// The embedded sample: a shop whose last deployment was a bad one.
//
//go:embed testdata/sample
var sample embed.FS

// tenant is that of all runs here; the files name none.
const tenant = "local"

// inputs are the playbooks and what happened to a service.
type inputs struct {
	program.Inputs
	*options

	config    playbook.Config
	events    []playbook.Event // in the order of their time
	approvals []approvalFile
	carry     playbook.ActionFunc // what every action does
	now       time.Time
	zone      *time.Location // of the times shown
}

// contextFile is what the file of -context says.
type contextFile struct {
	Now       time.Time          `yaml:"now"`
	Service   serviceFile        `yaml:"service,required"`
	Samples   map[string][][]any `yaml:"samples"`
	Facts     map[string]any     `yaml:"facts"`
	Approvals []approvalFile     `yaml:"approvals"`
}

type serviceFile struct {
	ID    string      `yaml:"id,required"`
	Type  string      `yaml:"type,required"`
	Zone  string      `yaml:"timezone"`
	Hours []hoursFile `yaml:"business_hours"`
}

type hoursFile struct {
	Days []string `yaml:"days"` // defaults to Monday to Friday
	From string   `yaml:"from,required"`
	To   string   `yaml:"to,required"`
}

// approvalFile is the word of a person on a step, by its key, stage and action, or
// action.
type approvalFile struct {
	Step   string    `yaml:"step,required"`
	By     string    `yaml:"by,required"`
	Role   string    `yaml:"role"`
	At     time.Time `yaml:"at,required"`
	Reason string    `yaml:"reason"`
	Reject bool      `yaml:"reject"`
}

// load reads both files.
func (o *options) load(env *program.Env) (*inputs, error) {
	in := &inputs{Inputs: program.NewInputs(sample, env.Config == ""), options: o, carry: rehearsed}
	name, data, err := in.Read("config", cmp.Or(env.Config, "playbooks.yaml"))
	if err != nil {
		return nil, program.Exit(program.Usage, err)
	}
	book, document, err := config.ParsePlaybooks(name, data)
	if err != nil {
		return nil, program.Exit(program.Usage, err)
	}
	in.Note(document)
	if name, data, err = in.Read("context", cmp.Or(o.context, "context.json")); err != nil {
		return nil, program.Exit(program.Usage, err)
	}
	var file contextFile
	if document, err = config.Parse(name, data, &file); err == nil {
		in.config = playbook.Config{Tenant: tenant, Book: book}
		in.take(document, file)
		err = document.Err()
	}
	if err != nil {
		return nil, program.Exit(program.Input, err)
	}
	in.Note(document)
	in.approvals = file.Approvals
	switch {
	case env.Stated || file.Now.IsZero() && !in.Sample:
		in.now = env.Now
	default:
		in.now = file.Now
	}
	in.zone = env.Zone
	if file.Service.Zone != "" {
		if in.zone, err = time.LoadLocation(file.Service.Zone); err != nil {
			return nil, program.Exit(program.Input, err)
		}
	}
	return in, nil
}

// take turns the context into a service and events.
func (in *inputs) take(d *config.Document, file contextFile) {
	specs := playbook.DefaultFacts()
	for name := range file.Facts { // facts hold from the first sample on
		if i := slices.IndexFunc(specs, func(s playbook.FactSpec) bool { return s.Name == name }); i >= 0 {
			specs[i].Staleness = -1
		}
	}
	in.config.Facts = specs
	in.config.Services = []playbook.Service{{ID: file.Service.ID, Type: file.Service.Type, Zone: file.Service.Zone, Hours: file.Service.hours(d)}}
	samples := in.samples(d, file, specs)
	first := file.Now
	if len(samples) > 0 {
		first = samples[0].At
	}
	for _, name := range slices.Sorted(maps.Keys(file.Facts)) {
		at := "facts." + name
		spec, ok := registered(d, at, name, specs)
		if !ok {
			continue
		}
		v, want := factValue(spec.Type, file.Facts[name], cmp.Or(file.Now, first))
		if want != "" {
			d.Fail(at, "wrong_type", "found %v, want %s", file.Facts[name], want)
			continue
		}
		in.events = append(in.events, playbook.Event{Kind: playbook.Observe, At: first, Service: file.Service.ID, Fact: name, Value: v})
	}
	in.events = append(in.events, samples...)
}

// samples returns the observations of the metrics in order of time.
func (in *inputs) samples(d *config.Document, file contextFile, specs []playbook.FactSpec) []playbook.Event {
	var events []playbook.Event
	for _, name := range slices.Sorted(maps.Keys(file.Samples)) {
		if _, ok := registered(d, "samples."+name, name, specs); !ok {
			continue
		}
		for i, row := range file.Samples[name] {
			at := fmt.Sprintf("samples.%s[%d]", name, i)
			if len(row) != 2 {
				d.Fail(at, "wrong_type", "found %d values, want a time and a number", len(row))
				continue
			}
			text, _ := row[0].(string)
			when, err := time.Parse(time.RFC3339, text)
			if err != nil {
				d.Fail(at, "bad_time", "time %q, want one with a zone like 2026-10-01T00:00:00Z", text)
				continue
			}
			v, want := factValue(playbook.NumberFact, row[1], when)
			if want != "" {
				d.Fail(at, "wrong_type", "found %v, want %s", row[1], want)
				continue
			}
			events = append(events, playbook.Event{Kind: playbook.Observe, At: when.UTC(), Service: file.Service.ID, Fact: name, Value: v})
		}
	}
	slices.SortStableFunc(events, func(a, b playbook.Event) int { return a.At.Compare(b.At) })
	return events
}

func registered(d *config.Document, at, name string, specs []playbook.FactSpec) (playbook.FactSpec, bool) {
	all := make([]string, len(specs))
	for i, s := range specs {
		if all[i] = s.Name; s.Name == name {
			return s, true
		}
	}
	hint := "one that the playbooks know"
	if near := spelling.Nearest(name, all); near != "" {
		hint = fmt.Sprintf("%q?", near)
	}
	d.Warn(at, "unknown_fact", "unknown fact %q is left out, want %s", name, hint)
	return playbook.FactSpec{}, false
}

// factValue reads a value of a type; the age of something is in seconds before an
// instant. want says what is wrong. Null is a fact of which nothing is known.
func factValue(t playbook.FactType, v any, now time.Time) (_ playbook.Value, want string) {
	if v == nil {
		return playbook.Value{}, ""
	}
	number := func() (float64, bool) {
		text, ok := v.(json.Number)
		if !ok {
			return 0, false
		}
		x, err := text.Float64()
		return x, err == nil
	}
	switch t {
	case playbook.BoolFact:
		if yes, ok := v.(bool); ok {
			return playbook.Bool(yes), ""
		}
		return playbook.Value{}, "true or false"
	case playbook.AgeFact:
		if v == false {
			return playbook.Never(), ""
		}
		if x, ok := number(); ok && x >= 0 && x < math.MaxInt64/float64(time.Second) {
			return playbook.Since(now.Add(-time.Duration(x * float64(time.Second)))), ""
		}
		return playbook.Value{}, "an age in seconds, or false for never"
	case playbook.TextsFact:
		words, ok := v.([]any)
		if text, single := v.(string); single {
			words, ok = []any{text}, true
		}
		var texts []string
		for _, w := range words {
			text, isText := w.(string)
			texts, ok = append(texts, text), ok && isText
		}
		if ok {
			return playbook.Texts(texts...), ""
		}
		return playbook.Value{}, "a text or a list of texts"
	case playbook.TextFact:
		if text, ok := v.(string); ok {
			return playbook.Text(text), ""
		}
		return playbook.Value{}, "a text"
	default:
		if x, ok := number(); ok {
			return playbook.Number(x), ""
		}
		return playbook.Value{}, "a number"
	}
}

var weekdays = [...]time.Weekday{time.Sunday, time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday}

// hours returns the business hours that the file states, or nil.
func (s serviceFile) hours(d *config.Document) *calendar.Hours {
	if len(s.Hours) == 0 {
		return nil
	}
	week := calendar.Week{}
	for i, h := range s.Hours {
		days := h.Days
		if len(days) == 0 {
			days = []string{"Mon", "Tue", "Wed", "Thu", "Fri"}
		}
		for n, day := range days {
			at := slices.IndexFunc(weekdays[:], func(w time.Weekday) bool {
				return strings.EqualFold(w.String(), day) || strings.EqualFold(w.String()[:3], day)
			})
			if at < 0 {
				d.Fail(fmt.Sprintf("service.business_hours[%d].days[%d]", i, n), "bad_enum", "%q, want a day like Mon or Monday", day)
				continue
			}
			week[weekdays[at]] = append(week[weekdays[at]], calendar.Span{From: h.From, To: h.To})
		}
	}
	hours := &calendar.Hours{Zone: cmp.Or(s.Zone, "UTC"), Week: week}
	if _, err := calendar.New(*hours); err != nil {
		d.Fail("service.business_hours", "bad_hours", "%v", err)
	}
	return hours
}
