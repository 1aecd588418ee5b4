package alertmanager

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/incident"
)

// Mapping makes events of package correlation from alerts. The zero value is ready
// to use.
//
// The name of the alert, layer.name, is the label of SignalLabel; without one, the
// alertname in the layer that LayerLabel says. These labels and that of the tenant are
// no labels of the event: two alerts that differ in nothing else are one to the
// correlation. What cannot stand in the name of an event becomes an underscore, and the
// alertname stays a label then.
type Mapping struct {
	TenantLabel string // defaults to "tenant"
	// DefaultTenant is that of alerts without the label. Defaults to none: they are
	// refused, unless AnyTenant is set.
	DefaultTenant string
	// AnyTenant lets alerts without a tenant pass as of the tenant "".
	AnyTenant     bool
	SignalLabel   string // defaults to "signal"
	LayerLabel    string // defaults to "layer"
	DefaultLayer  string // defaults to "application"
	SeverityLabel string // defaults to "severity"; the label stays one of the event
	// Severities say what the values of SeverityLabel mean, in small letters. Defaults
	// to [DefaultSeverities] and the spellings of incident.ParseSeverity.
	Severities adapters.Names[incident.Severity, string]
	// DefaultSeverity is that of alerts with another value or none. Defaults to unset.
	DefaultSeverity incident.Severity
	// Names of annotations of the event that get the fingerprint and the generator URL
	// of the alert, for those who write tickets of it. Default to none.
	FingerprintAs, GeneratorAs string
}

// DefaultSeverities returns what the values of a severity label commonly mean.
func DefaultSeverities() adapters.Names[incident.Severity, string] { return slices.Clone(severities) }

var severities = adapters.Names[incident.Severity, string]{
	{Ours: incident.P1, Theirs: "critical"},
	{Ours: incident.P1, Theirs: "page"},
	{Ours: incident.P2, Theirs: "error"},
	{Ours: incident.P2, Theirs: "high"},
	{Ours: incident.P2, Theirs: "major"},
	{Ours: incident.P3, Theirs: "warning"},
	{Ours: incident.P3, Theirs: "medium"},
	{Ours: incident.P3, Theirs: "minor"},
	{Ours: incident.P4, Theirs: "info"},
	{Ours: incident.P4, Theirs: "low"},
	{Ours: incident.P4, Theirs: "none"},
}

// AlertError is an alert that cannot be an event.
type AlertError struct {
	Fingerprint string
	Field       string // such as "labels.alertname"
	Value       string
	Want        string
}

// Error says which field holds what, and what was expected.
func (e *AlertError) Error() string {
	if e.Value == "" {
		return e.Field + ": missing, want " + e.Want
	}
	return fmt.Sprintf("%s: found %q, want %s", e.Field, e.Value, e.Want)
}

// Event returns the event of an alert that was received at an instant. What is said
// to happen later happens then; the zero time leaves instants as they are. The error is
// an [*AlertError].
//
// Time is StartsAt of an alert that fires and EndsAt of one that is resolved; Ends is
// set for those of [Client.Alerts], which are over unless they are posted again.
func (m Mapping) Event(a Alert, received time.Time) (correlation.Event, error) {
	fail := func(field, got, want string) (correlation.Event, error) {
		return correlation.Event{}, &AlertError{Fingerprint: a.Fingerprint, Field: field, Value: got, Want: want}
	}
	e := correlation.Event{Status: correlation.Firing, Time: a.StartsAt, Annotations: a.Annotations}
	switch a.Status {
	case statusResolved:
		e.Status, e.Time = correlation.Resolved, a.EndsAt
		if e.Time.IsZero() {
			return fail("endsAt", "", "an instant, for the alert is resolved")
		}
	case statusFiring:
	case "active", "suppressed", "unprocessed":
		e.Ends = a.EndsAt
	default:
		return fail("status", a.Status, "firing or resolved")
	}
	if e.Time.IsZero() {
		return fail("startsAt", "", "an instant")
	}
	if !received.IsZero() && e.Time.After(received) {
		e.Time = received
	}

	tenantLabel, signalLabel := cmp.Or(m.TenantLabel, "tenant"), cmp.Or(m.SignalLabel, "signal")
	layerLabel, severityLabel := cmp.Or(m.LayerLabel, "layer"), cmp.Or(m.SeverityLabel, "severity")
	if e.Tenant = cmp.Or(a.Labels[tenantLabel], m.DefaultTenant); e.Tenant == "" && !m.AnyTenant {
		return fail("labels."+tenantLabel, "", "the tenant")
	}
	name := a.Labels[correlation.NameLabel]
	spelled := true // the name of the event says that of the alert
	if e.Alert = a.Labels[signalLabel]; e.Alert == "" {
		if name == "" {
			return fail("labels."+correlation.NameLabel, "", "a name, or the label "+signalLabel)
		}
		plain := strings.Map(plainRune, name)
		e.Alert, spelled = strings.Map(plainRune, cmp.Or(a.Labels[layerLabel], m.DefaultLayer, "application"))+"."+plain, plain == name
	}
	e.Severity = m.severity(strings.ToLower(a.Labels[severityLabel]))
	e.Labels = make(map[string]string, len(a.Labels))
	for name, value := range a.Labels {
		switch name {
		case tenantLabel, signalLabel, layerLabel, correlation.NameLabel:
		default:
			e.Labels[name] = value
		}
	}
	if !spelled {
		e.Labels[correlation.NameLabel] = name
	}
	if m.FingerprintAs != "" || m.GeneratorAs != "" {
		e.Annotations = maps.Clone(a.Annotations)
		if e.Annotations == nil {
			e.Annotations = map[string]string{}
		}
		for as, value := range map[string]string{m.FingerprintAs: a.Fingerprint, m.GeneratorAs: a.GeneratorURL} {
			if as != "" {
				e.Annotations[as] = value
			}
		}
	}
	return e, nil
}

// plainRune replaces what cannot stand in the name of an event.
func plainRune(r rune) rune {
	if r == '_' || r == '-' || r == '.' || unicode.IsLetter(r) || unicode.IsDigit(r) {
		return r
	}
	return '_'
}

func (m Mapping) severity(text string) incident.Severity {
	names := m.Severities
	if names == nil {
		names = severities
	}
	for _, n := range names {
		if n.Theirs == text {
			return n.Ours
		}
	}
	if m.Severities == nil {
		if s, err := incident.ParseSeverity(text); err == nil {
			return s
		}
	}
	return m.DefaultSeverity
}
