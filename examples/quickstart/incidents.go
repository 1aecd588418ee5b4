package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/postmortem"
)

// raise decides what a notification means: it opens an incident, or joins one
// that is open for the same service, or is too minor for either.
func (m *machine) raise(t correlation.Transition) error {
	alert := t.Alert
	services := m.servicesOf(t)
	if !alert.Severity.AtLeast(m.in.night.IncidentFrom) {
		m.tell("alert", fmt.Sprintf("%s %s opens no incident", alert.Severity, title(t)), "", "less severe than "+m.in.night.IncidentFrom.String())
		return nil
	}
	for _, c := range m.mem.Cases {
		if !c.Ended && slices.ContainsFunc(services, func(s string) bool { return slices.Contains(c.Services, s) }) {
			return m.join(c, t, services)
		}
	}
	c := &record{ID: fmt.Sprintf("INC-%03d", len(m.mem.Cases)+1), Key: t.Key(), Active: map[string]bool{alert.String(): true}, Services: services, Severity: alert.Severity}
	inc, err := incident.New(m.in.night.Tenant, c.ID, incident.Options{})
	if err != nil {
		return err
	}
	m.mem.Cases = append(m.mem.Cases, c)
	m.incidents[c.ID], m.threads[c.ID] = inc, m.plan.Open(m.in.night.Tenant, c.ID)
	m.mem.Totals.Incidents++
	domain := m.in.service(mainService(t, services)).Domain
	err = m.record(c, incident.Declare, "declare", "monitor", incident.Details{
		Title: title(t), Services: services, Domain: domain, Severity: alert.Severity, Started: alert.Since, Detected: m.mem.Now, DetectedBy: incident.ByMonitor,
	})
	if err != nil {
		return err
	}
	m.tell("incident", fmt.Sprintf("%s %s opened: %s", c.ID, c.Severity, title(t)), c.ID, "services "+strings.Join(services, ", "))
	actions, err := m.escalator.Apply(escalation.Event{Kind: escalation.Opened, At: m.mem.Now, Incident: c.ID, Severity: c.Severity, Domain: domain})
	if err != nil {
		return err
	}
	return m.act(actions)
}

// join adds a notification to an open incident and raises its severity where the
// alert is more severe.
func (m *machine) join(c *record, t correlation.Transition, services []string) error {
	c.Active[t.Alert.String()] = true
	for _, s := range services {
		if !slices.Contains(c.Services, s) {
			c.Services = append(c.Services, s)
		}
	}
	m.tell("incident", fmt.Sprintf("%s also covers %s", c.ID, title(t)), c.ID, "the same services")
	err := m.record(c, incident.AddLink, "link/"+t.Key(), "monitor", incident.Details{Relation: incident.AlertRelation, Target: t.Alert.String()})
	if err != nil || !t.Alert.Severity.AtLeast(c.Severity) || t.Alert.Severity == c.Severity {
		return err
	}
	c.Severity = t.Alert.Severity
	m.tell("incident", fmt.Sprintf("%s is now %s", c.ID, c.Severity), c.ID, "severity of "+title(t))
	if err := m.record(c, incident.ChangeSeverity, "severity/"+t.Key(), "monitor", incident.Details{Severity: c.Severity}); err != nil {
		return err
	}
	actions, err := m.escalator.Apply(escalation.Event{Kind: escalation.SeverityChanged, At: m.mem.Now, Incident: c.ID, Severity: c.Severity})
	if err != nil {
		return err
	}
	return m.act(actions)
}

func title(t correlation.Transition) string {
	if t.Composite != nil {
		return t.Composite.Title
	}
	return t.Alert.Name + " of " + subject(t.Alert.Labels.Map())
}

// servicesOf lists the services behind a notification: that of the alert, or
// those of everything that the composite stands for.
func (m *machine) servicesOf(t correlation.Transition) []string {
	var services []string
	add := func(a correlation.Alert) {
		if s := a.Labels.Get("service"); s != "" && !slices.Contains(services, s) {
			services = append(services, s)
		}
	}
	if t.Composite == nil {
		add(t.Alert)
		return services
	}
	for _, a := range m.correlator.Alerts() {
		if name := a.String(); slices.Contains(t.Composite.Evidence, name) || slices.Contains(t.Composite.Suppressed, name) {
			add(a)
		}
	}
	slices.Sort(services)
	return services
}

// mainService is the service whose domain decides who is asked: that of the
// evidence of a composite, else the first.
func mainService(t correlation.Transition, services []string) string {
	if t.Composite != nil && len(t.Composite.Evidence) > 0 {
		evidence := strings.NewReplacer("{", ",", "}", ",").Replace(t.Composite.Evidence[len(t.Composite.Evidence)-1])
		for _, s := range services {
			if strings.Contains(evidence, ",service="+s+",") {
				return s
			}
		}
	}
	if len(services) == 0 {
		return ""
	}
	return services[0]
}

// record applies an event to an incident and keeps the entries for the store.
func (m *machine) record(c *record, kind incident.Kind, key, actor string, details incident.Details) error {
	entries, err := m.incidents[c.ID].Apply(incident.Event{Key: key, Kind: kind, At: m.mem.Now, Actor: actor, Details: details})
	if err != nil {
		return fmt.Errorf("%s: %s: %w", c.ID, kind, err)
	}
	m.entries[c.ID] = append(m.entries[c.ID], entries...)
	return nil
}

func (m *machine) caseOf(id string) *record {
	i := slices.IndexFunc(m.mem.Cases, func(c *record) bool { return c.ID == id })
	return m.mem.Cases[i]
}

// act carries out what the escalation asks for.
func (m *machine) act(actions []escalation.Action) error {
	for _, a := range actions {
		switch a.Kind {
		case escalation.Page:
			if err := m.page(a); err != nil {
				return err
			}
		case escalation.Notice:
			m.mem.Totals.Messages++
			m.tell("page", "notice to "+a.Target, a.Incident, strings.Join(a.Why, "; "))
			if err := m.enqueue("notice", a.Key, a); err != nil {
				return err
			}
		case escalation.SetTimer, escalation.CancelTimer, escalation.Withdraw: // the machine asks NextWake, and sends at once
		}
	}
	return nil
}

func (m *machine) page(a escalation.Action) error {
	c := m.caseOf(a.Incident)
	c.Paged = append(c.Paged, a.Target)
	m.mem.Totals.Pages++
	m.tell("page", a.Target+describe(m.router, a.Target), a.Incident, strings.Join(a.Why, "; "))
	if err := m.enqueue("page", a.Key, a); err != nil {
		return err
	}
	if a.Level > 0 {
		if err := m.record(c, incident.Escalate, a.Key, "escalation", incident.Details{Level: a.Level, Person: a.Target}); err != nil {
			return err
		}
	}
	m.mem.Pending = append(m.mem.Pending, acknowledgement{a.Incident, a.Target, m.mem.Now.Add(m.in.night.AcknowledgeAfter)})
	return nil
}

func describe(r *escalation.Router, id string) string {
	e, ok := r.Engineer(id)
	if !ok {
		return ""
	}
	return fmt.Sprintf(" (%s, %s)", strings.ToLower(e.Level.String()), strings.Join(e.Primary, ", "))
}

// acknowledge lets those who were paged take their incidents when it is time.
func (m *machine) acknowledge() error {
	var waiting []acknowledgement
	for _, a := range m.mem.Pending {
		if a.At.After(m.mem.Now) {
			waiting = append(waiting, a)
			continue
		}
		c := m.caseOf(a.Incident)
		if status := m.incidents[c.ID].State().Status; status != incident.Open {
			continue // somebody was faster, or it is over
		}
		if err := m.record(c, incident.Acknowledge, "ack/"+a.Person, a.Person, incident.Details{Person: a.Person, Role: incident.Lead}); err != nil {
			return err
		}
		m.tell("incident", fmt.Sprintf("%s acknowledged by %s", c.ID, a.Person), c.ID, m.in.night.AcknowledgeAfter.String()+" after the page, as night.yaml has it")
		actions, err := m.escalator.Apply(escalation.Event{Kind: escalation.Acknowledged, At: m.mem.Now, Incident: c.ID, By: a.Person})
		if err != nil {
			return err
		}
		if err := m.act(actions); err != nil {
			return err
		}
	}
	m.mem.Pending = waiting
	return nil
}

// settle marks an alert of an incident as over, and resolves the incident with
// the last one.
func (m *machine) settle(t correlation.Transition) error {
	name := t.Alert.String()
	for _, c := range m.mem.Cases {
		if c.Ended || !c.Active[name] {
			continue
		}
		if delete(c.Active, name); len(c.Active) > 0 {
			continue
		}
		return m.resolve(c, title(t))
	}
	return nil
}

func (m *machine) resolve(c *record, last string) error {
	c.Ended = true
	by := "monitor"
	if len(c.Paged) > 0 {
		by = c.Paged[0]
	}
	if err := m.record(c, incident.Resolve, "resolve", by, incident.Details{Text: last + " is over"}); err != nil {
		return err
	}
	state := m.incidents[c.ID].State()
	m.tell("resolve", fmt.Sprintf("%s resolved after %s", c.ID, m.mem.Now.Sub(state.Times.Detected)), c.ID, last+" is over")
	actions, err := m.escalator.Apply(escalation.Event{Kind: escalation.Resolved, At: m.mem.Now, Incident: c.ID, By: by})
	if err != nil {
		return err
	}
	if err := m.act(actions); err != nil {
		return err
	}
	return m.review(c)
}

// review shows that a major incident cannot be closed before its review has an
// anchored measure, opens the review and drafts the post-mortem.
func (m *machine) review(c *record) error {
	inc := m.incidents[c.ID]
	_, err := inc.Apply(incident.Event{Key: "close-early", Kind: incident.Close, At: m.mem.Now, Actor: "monitor"})
	refused := (*incident.TransitionError)(nil)
	if !errors.As(err, &refused) {
		return fmt.Errorf("%s: closing without a review: %w", c.ID, err)
	}
	m.tell("postmortem", c.ID+" stays open until its review", c.ID, refused.Error())
	review := m.in.night.Review
	for _, e := range []struct {
		kind    incident.Kind
		key     string
		details incident.Details
	}{
		{incident.OpenReview, "review", incident.Details{Person: review.Moderator}},
		{incident.RecordMeasure, "measure", incident.Details{Measure: &incident.Measure{
			ID: "M1", Text: review.Measure, Type: incident.Prevent, Owner: review.Owner, Due: review.Due, Ref: review.Reference,
		}}},
	} {
		if err := m.record(c, e.kind, e.key, review.Moderator, e.details); err != nil {
			return err
		}
	}
	draft, err := postmortem.Draft(inc.State(), inc.Timeline().Entries(), postmortem.Options{At: m.mem.Now})
	if err != nil {
		return fmt.Errorf("%s: %w", c.ID, err)
	}
	m.tell("postmortem", fmt.Sprintf("%s: review drafted, %d lines of timeline, %d measure, due %s", c.ID, len(draft.Timeline), len(draft.Measures), draft.Due.Format("2 January")),
		c.ID, "moderated by "+review.Moderator+"; still to be written: "+strings.Join(draft.Missing(), ", "))
	return nil
}

// communicate brings every thread up to date and sends what is due.
func (m *machine) communicate() error {
	for _, c := range m.mem.Cases {
		thread := m.threads[c.ID]
		if len(m.entries[c.ID]) > 0 {
			if err := thread.Apply(m.incidents[c.ID].State(), m.mem.Now); err != nil {
				return fmt.Errorf("%s: %w", c.ID, err)
			}
		}
		var sent lines
		for _, msg := range thread.Step(m.mem.Now) {
			m.mem.Totals.Messages++
			sent.add(fmt.Sprintf("%s %q to ", msg.Type, msg.Subject), fmt.Sprintf("%s (%s)", msg.Recipient, msg.Channel), msg.Why.String())
			if err := m.enqueue("message", msg.Key, msg); err != nil {
				return err
			}
		}
		for _, l := range sent {
			m.tell("message", l.text(), c.ID, l.why)
		}
	}
	return nil
}
