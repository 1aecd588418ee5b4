package main

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/alertmanager"
	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/incident"
)

// request is what one sink is asked for one alert.
type request struct {
	At       time.Time `json:"at"`
	Sink     string    `json:"sink"`
	Tenant   string    `json:"tenant"`
	Action   string    `json:"action"`   // trigger, acknowledge, resolve, update, note
	Severity string    `json:"severity"` // p1 to p4
	Ref      string    `json:"ref"`      // fingerprint of the alert
	Key      string    `json:"key"`      // the same for all requests about one ticket at one sink
	Sent     bool      `json:"sent"`
	Status   *int      `json:"status"` // of the sink's answer
	Error    *string   `json:"error"`

	Ticket adapters.Ticket `json:"-"`
	Person string          `json:"person,omitempty"` // who alone is to be told
}

// requests returns what follows from alerts: in their order, and for each in the
// order of the names of the sinks. Each alert counts by its own status, for a group
// that is resolved may list some that fire.
func (in *inputs) requests(alerts []alertmanager.Alert) ([]request, error) {
	var list []request
	for _, a := range alerts {
		e, err := in.mapping().Event(a, time.Time{})
		if err != nil {
			return nil, err
		}
		list = append(list, in.ask(a.Labels["alertname"], a.Labels, e.Annotations, e.Tenant, e.Severity, e.Status == correlation.Resolved, in.now)...)
	}
	return list, nil
}

// Annotations of ours, by which a notification knows where it comes from.
const (
	fingerprint = "evenkeel_fingerprint"
	generator   = "evenkeel_generator"
)

// follow returns what follows from a notification of the engine.
func (in *inputs) follow(n stream.Notification, now time.Time) []request {
	_, name, _ := strings.Cut(n.Alert.Name, ".")
	annotations := n.Alert.Annotations
	if c := n.Composite; c != nil {
		name, annotations = c.Title, map[string]string{fingerprint: c.ID, "description": "Evidence: " + strings.Join(c.Evidence, ", ")}
	}
	return in.ask(name, n.Alert.LabelSet(), annotations, n.Alert.Tenant, n.Alert.Severity, n.Kind == correlation.Resolve, now)
}

// ask returns the requests about one alert.
func (in *inputs) ask(name string, labels, annotations map[string]string, tenant string, severity incident.Severity, over bool, at time.Time) []request {
	if !severity.IsSet() {
		severity = in.bridge.DefaultSeverity
	}
	r := request{At: at.UTC(), Tenant: tenant, Action: "trigger", Severity: strings.ToLower(severity.String()), Ref: annotations[fingerprint]}
	if over {
		r.Action = "resolve"
	}
	return in.each(r, adapters.Ticket{
		Tenant: tenant, Title: titleOf(name, labels, annotations["summary"]), Text: cmp.Or(annotations["description"], annotations["summary"]),
		Severity: severity, Links: linksOf(annotations), State: adapters.StateNew,
	})
}

// each returns a request for every sink.
func (in *inputs) each(r request, t adapters.Ticket) []request {
	var list []request
	for _, sink := range in.bridge.SinkNames() {
		r.Sink = sink
		r.Key = ticketKey(r.Tenant, r.Ref, sink)
		r.Ticket, r.Ticket.Key = t, r.Key
		list = append(list, r)
	}
	return list
}

// ticketKey is the key of the ticket about an alert at a sink.
func ticketKey(tenant, ref, sink string) string {
	return adapters.Key{Tenant: tenant, Incident: ref, Step: "ticket", Target: sink}.String()
}

// titleOf says what is wrong and where.
func titleOf(name string, labels map[string]string, summary string) string {
	words := []string{cmp.Or(name, "alert"), labels["service"], labels["instance"]}
	title := strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
	if summary != "" {
		title += ": " + summary
	}
	return title
}

func linksOf(annotations map[string]string) []adapters.WebLink {
	var links []adapters.WebLink
	for _, l := range []adapters.WebLink{{Text: "Query", URL: annotations[generator]}, {Text: "Runbook", URL: annotations["runbook_url"]}} {
		if l.URL != "" {
			links = append(links, l)
		}
	}
	return links
}
