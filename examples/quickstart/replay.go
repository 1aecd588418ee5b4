package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly"
	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
	"github.com/evenkeelops/evenkeel/slo"
)

// machine is the whole chain: it takes what reached it at an instant and lets the
// engines decide. It reads no clock; the instants are those of the recording.
type machine struct {
	rec *recording
	in  *inputs

	detectors  map[string]*anomaly.Detector // by service
	trackers   map[string]*slo.Tracker      // by objective
	correlator *correlation.Engine
	router     *escalation.Router
	escalator  *escalation.Engine
	plan       *comms.Plan
	threads    map[string]*comms.Thread      // by incident
	incidents  map[string]*incident.Incident // by id
	playbooks  *runbook

	mem memory

	entries map[string][]incident.Entry // of this step, by incident
	outbox  []escalation.Task           // of this step
	told    int                         // story items that are stored
}

// memory is the machine's own state between two steps; the engines have theirs.
type memory struct {
	Recording string               `json:"recording"` // digest of what is replayed
	Cursor    int                  `json:"cursor"`    // inputs that were taken
	Now       time.Time            `json:"now"`
	Story     []item               `json:"story"`
	Totals    totals               `json:"totals"`
	Pending   []acknowledgement    `json:"pending"`  // people on their way to the keyboard
	Cases     []*record            `json:"cases"`    // incidents, in the order of their opening
	Episodes  map[string]episode   `json:"episodes"` // anomalies by service
	Versions  map[string]int64     `json:"versions"` // of the stored incidents
	Burning   map[string]time.Time `json:"burning"`  // objective and rule: firing since
	Seen      map[string]bool      `json:"seen"`     // alerts counted in the totals
}

// record ties an incident to the alerts that it stands for.
type record struct {
	ID       string            `json:"id"`
	Key      string            `json:"key"`
	Active   map[string]bool   `json:"active"` // told alerts that are not over
	Services []string          `json:"services"`
	Severity incident.Severity `json:"severity"`
	Paged    []string          `json:"paged"`
	Ended    bool              `json:"ended"`
}

type acknowledgement struct {
	Incident string    `json:"incident"`
	Person   string    `json:"person"`
	At       time.Time `json:"at"`
}

// episode is a run of abnormal readings of a service.
type episode struct {
	Odd     int  `json:"odd"`    // abnormal readings in a row
	Normal  int  `json:"normal"` // normal readings in a row
	Running bool `json:"running"`
}

func newMachine(rec *recording, in *inputs) (*machine, error) {
	m := &machine{rec: rec, in: in, trackers: map[string]*slo.Tracker{}, threads: map[string]*comms.Thread{}, incidents: map[string]*incident.Incident{}}
	m.mem = memory{
		Recording: rec.sha256(), Episodes: map[string]episode{}, Versions: map[string]int64{}, Burning: map[string]time.Time{}, Seen: map[string]bool{},
		Totals: totals{Samples: rec.samples, Webhooks: rec.webhooks},
	}
	m.clear()
	if err := m.train(); err != nil {
		return nil, err
	}
	for _, o := range in.objectives {
		t, err := slo.NewTracker(o.Objective, nil)
		if err != nil {
			return nil, fmt.Errorf("slo.yaml: %s: %w", o.ID, err)
		}
		m.trackers[o.ID] = t
	}
	var err error
	if m.correlator, err = correlation.New(in.rules.Rules, m.correlationOptions()); err != nil {
		return nil, fmt.Errorf("rules.yaml: %w", err)
	}
	if m.router, err = escalation.NewRouter(in.team.Roster); err != nil {
		return nil, fmt.Errorf("team.yaml: %w", err)
	}
	if m.escalator, err = escalation.NewEngine(m.escalationConfig()); err != nil {
		return nil, err
	}
	if m.plan, err = comms.New(comms.Config{Stakeholders: in.night.Stakeholders, Zone: in.night.Zone.String()}); err != nil {
		return nil, fmt.Errorf("night.yaml: %w", err)
	}
	m.playbooks, err = newRunbook(in)
	return m, err
}

func (m *machine) correlationOptions() correlation.Options {
	return correlation.Options{Settle: m.in.rules.Settle}
}

func (m *machine) escalationConfig() escalation.Config {
	return escalation.Config{Tenant: m.in.night.Tenant, Router: m.router}
}

// done reports whether the night is over.
func (m *machine) done() bool {
	at := m.nextWake()
	return m.mem.Cursor == len(m.rec.inputs) && (at.Equal(farFuture) || at.After(m.rec.end))
}

// step goes to the next instant at which something is due or arrives.
func (m *machine) step() error {
	m.clear()
	at := m.nextWake()
	if m.mem.Cursor < len(m.rec.inputs) && (at.Equal(farFuture) || m.rec.inputs[m.mem.Cursor].at.Before(at)) {
		at = m.rec.inputs[m.mem.Cursor].at
	}
	m.mem.Now = at
	for ; m.mem.Cursor < len(m.rec.inputs) && m.rec.inputs[m.mem.Cursor].at.Equal(at); m.mem.Cursor++ {
		if err := m.take(m.rec.inputs[m.mem.Cursor]); err != nil {
			return err
		}
	}
	return m.advance()
}

func (m *machine) clear() {
	m.entries, m.outbox, m.told = map[string][]incident.Entry{}, nil, len(m.mem.Story)
}

// changed reports whether the step did anything that must not be lost.
func (m *machine) changed() bool {
	return len(m.mem.Story) > m.told || len(m.entries) > 0 || len(m.outbox) > 0
}

// farFuture stands for never.
var farFuture = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// nextWake is the earliest instant at which an engine wants to be asked.
func (m *machine) nextWake() time.Time {
	earliest := farFuture
	consider := func(at time.Time, ok bool) {
		if ok && at.Before(earliest) {
			earliest = at
		}
	}
	consider(m.correlator.NextWake())
	consider(m.escalator.NextWake())
	for _, c := range m.mem.Cases {
		consider(m.threads[c.ID].NextWake())
	}
	for _, a := range m.mem.Pending {
		consider(a.At, true)
	}
	consider(m.playbooks.next())
	return earliest
}

// take hands one input to the engine that it is for.
func (m *machine) take(in input) error {
	switch {
	case in.metric != nil:
		return errors.Join(m.watch(*in.metric), m.automate(*in.metric))
	case in.sli != nil:
		return m.burn(*in.sli)
	default:
		return m.correlate(*in.webhook)
	}
}

// advance lets everything happen that is due now.
func (m *machine) advance() error {
	transitions, err := m.correlator.Step(m.mem.Now)
	if err != nil {
		return err
	}
	if err := m.follow(transitions); err != nil {
		return err
	}
	if err := m.acknowledge(); err != nil {
		return err
	}
	if err := m.act(m.escalator.Step(m.mem.Now)); err != nil {
		return err
	}
	if err := m.runPlaybooks(); err != nil {
		return err
	}
	return m.communicate()
}

// correlate hands a webhook to the correlation.
func (m *machine) correlate(w webhook) error {
	var raised lines
	for _, e := range w.events {
		if e.Status != correlation.Firing {
			continue
		}
		name := e.Alert + correlation.LabelsOf(e.Labels).String() + e.Time.Format(time.RFC3339Nano)
		if m.mem.Seen[name] {
			continue // Alertmanager repeats the alerts of a group; a new start is told
		}
		m.mem.Seen[name] = true
		m.mem.Totals.Alerts++
		raised.add(fmt.Sprintf("%s %s of ", e.Severity, e.Alert), subject(e.Labels), e.Annotations["summary"])
	}
	for _, l := range raised {
		m.tell("alert", l.text(), "", l.why)
	}
	transitions, err := m.correlator.Apply(m.mem.Now, w.events...)
	if err != nil {
		// Refused events are named; the others of the batch were applied.
		m.tell("alert", "an alert was refused", "", err.Error())
	}
	return m.follow(transitions)
}

// lines gathers what happens to several subjects at one instant into one line
// each.
type lines []line

type line struct {
	what     string
	subjects []string
	why      string // of the first subject
}

func (l *lines) add(what, subject, why string) {
	i := slices.IndexFunc(*l, func(x line) bool { return x.what == what })
	if i < 0 {
		*l = append(*l, line{what: what, why: why})
		i = len(*l) - 1
	}
	(*l)[i].subjects = append((*l)[i].subjects, subject)
}

func (l line) text() string { return l.what + strings.Join(l.subjects, ", ") }

func subject(labels map[string]string) string {
	if instance := labels["instance"]; instance != "" {
		return instance
	}
	if service := labels["service"]; service != "" {
		return service
	}
	return "the region " + labels["region"]
}

// follow acts on what the correlation decided.
func (m *machine) follow(transitions []correlation.Transition) error {
	var hidden lines
	for _, t := range transitions {
		if t.Kind == correlation.Suppress {
			m.mem.Totals.Suppressed++
			hidden.add("suppressed "+t.Alert.Name+" of ", subject(t.Alert.Labels.Map()), "by "+strings.Join(t.Alert.SuppressedBy, ", "))
		}
	}
	for _, l := range hidden {
		m.tell("correlate", l.text(), "", l.why)
	}
	for _, t := range transitions {
		switch t.Kind {
		case correlation.Open:
			m.mem.Totals.Composites++
			m.tell("correlate", fmt.Sprintf("composite %q opened", t.Composite.Title), t.Composite.ID, "rule "+t.Composite.Rule+": "+strings.Join(t.Composite.Evidence, " and "))
		case correlation.Close:
			m.tell("correlate", fmt.Sprintf("composite %q closed", t.Composite.Title), t.Composite.ID, "its conditions do not hold any more")
		case correlation.Notify:
			if err := m.raise(t); err != nil {
				return err
			}
		case correlation.Resolve:
			if err := m.settle(t); err != nil {
				return err
			}
		case correlation.Late:
			m.tell("alert", "an alert came too late and was not applied", "", t.Event.Alert)
		case correlation.Suppress, correlation.Release:
		}
	}
	return nil
}

// enqueue puts a message into the outbox of this step.
func (m *machine) enqueue(kind, key string, payload any) error {
	data, err := json.Marshal(payload)
	if err != nil {
		return err
	}
	m.outbox = append(m.outbox, escalation.Task{Key: key, Kind: kind, Due: m.mem.Now, Payload: data})
	return nil
}
