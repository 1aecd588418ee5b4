package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident/playbook"
)

// runbook decides which automated actions the night called for. It is a dry run:
// the night is over, so everything is decided and nothing is done.
type runbook struct {
	engine   *playbook.Engine
	facts    map[string]playbook.Value // of night.yaml, the same for every service
	services []string                  // those that playbooks run on
}

func newRunbook(in *inputs) (*runbook, error) {
	r := &runbook{facts: map[string]playbook.Value{}}
	var services []playbook.Service
	for _, s := range in.night.Services {
		services = append(services, playbook.Service{ID: s.ID, Type: s.Type, Zone: in.night.Zone.String()})
		r.services = append(r.services, s.ID)
	}
	for _, name := range slices.Sorted(maps.Keys(in.night.Facts)) {
		switch value := in.night.Facts[name].(type) {
		case bool:
			r.facts[name] = playbook.Bool(value)
		case json.Number:
			x, err := value.Float64()
			if err != nil {
				return nil, fmt.Errorf("night.yaml: facts.%s: %w", name, err)
			}
			r.facts[name] = playbook.Number(x)
		default:
			return nil, fmt.Errorf("night.yaml: facts.%s: found %v, want true, false or a number", name, value)
		}
	}
	// db_connections is recorded in percent of the pool.
	r.facts["pool"] = playbook.Number(100)
	engine, err := playbook.New(playbook.Config{Tenant: in.night.Tenant, Book: playbook.DefaultBook(), Services: services, DryRun: true})
	r.engine = engine
	return r, err
}

func (r *runbook) next() (time.Time, bool) { return r.engine.NextWake() }

func (r *runbook) snapshot() (json.RawMessage, error) { return json.Marshal(r.engine.Snapshot()) }

func (r *runbook) restore(data json.RawMessage) error {
	var s playbook.Snapshot
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	return r.engine.Restore(s)
}

// triggers are the metrics that the playbooks watch.
var triggers = []string{"cpu_utilization", "db_connections", "error_rate"}

// automate reports a reading, and what else is known, to the playbooks.
func (m *machine) automate(row metricRow) error {
	r := m.playbooks
	if !slices.Contains(r.services, row.service) {
		return nil
	}
	observe := func(fact string, value playbook.Value) error {
		return r.engine.Apply(playbook.Event{Kind: playbook.Observe, At: row.at, Service: row.service, Fact: fact, Value: value})
	}
	for _, name := range slices.Sorted(maps.Keys(r.facts)) {
		if err := observe(name, r.facts[name]); err != nil {
			return fmt.Errorf("night.yaml: facts.%s: %w", name, err)
		}
	}
	if err := observe("all_dependencies.health_status", m.dependencies(row)); err != nil {
		return err
	}
	for _, name := range triggers {
		x, ok := row.values[name]
		if !ok {
			continue
		}
		if err := observe(name, playbook.Number(x)); err != nil {
			return fmt.Errorf("metrics.csv: %s at %v: %w", row.service, row.at, err)
		}
	}
	return nil
}

// dependencies says how the services that a service needs were checked last.
func (m *machine) dependencies(row metricRow) playbook.Value {
	words := []string{}
	for _, id := range m.in.service(row.service).DependsOn {
		word := "unknown"
		for _, c := range m.rec.checks {
			if c.service != id || c.at.After(row.at) {
				continue
			}
			word = map[string]string{"up": "healthy", "degraded": "degraded", "down": "down", "unknown": "unknown"}[c.status]
		}
		words = append(words, word)
	}
	return playbook.Texts(words...)
}

// runPlaybooks lets the playbooks decide what is due and tells what they decided.
func (m *machine) runPlaybooks() error {
	m.playbooks.engine.Step(m.mem.Now) // a dry run asks for nothing
	var decided lines
	for _, run := range m.playbooks.engine.Runs() {
		if name := run.ID; !m.mem.Seen[name] {
			m.mem.Seen[name] = true
			m.tell("playbook", fmt.Sprintf("%s triggered on %s", run.Playbook, run.Service), m.openCase(run.Service), run.Why)
		}
		for _, step := range run.Steps {
			if step.Decision == "" || m.mem.Seen[step.Key] {
				continue
			}
			m.mem.Seen[step.Key] = true
			decided.add(fmt.Sprintf("%s %s: %s ", run.Service, step.Stage, step.Decision), step.Action, step.Why)
		}
	}
	for _, l := range decided {
		m.tell("playbook", l.text(), "", l.why)
	}
	return nil
}

// openCase is the incident that is open for a service, "" if there is none.
func (m *machine) openCase(service string) string {
	for _, c := range m.mem.Cases {
		if !c.Ended && slices.Contains(c.Services, service) {
			return c.ID
		}
	}
	return ""
}
