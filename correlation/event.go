package correlation

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/correlation/internal/instant"
	"github.com/evenkeelops/evenkeel/incident"
)

// Status says what an event reports about its alert.
type Status uint8

// The two statuses; the zero value means "not set" and is refused.
const (
	Firing Status = iota + 1
	Resolved
)

// String returns firing or resolved.
func (s Status) String() string {
	switch s {
	case Firing:
		return "firing"
	case Resolved:
		return "resolved"
	}
	return fmt.Sprintf("Status(%d)", uint8(s))
}

// MarshalText returns firing or resolved; the zero value is an error.
func (s Status) MarshalText() ([]byte, error) {
	if s != Firing && s != Resolved {
		return nil, fmt.Errorf("status %d, want firing or resolved", uint8(s))
	}
	return []byte(s.String()), nil
}

// UnmarshalText reads firing or resolved.
func (s *Status) UnmarshalText(b []byte) error {
	switch string(b) {
	case "firing":
		*s = Firing
	case "resolved":
		*s = Resolved
	default:
		return fmt.Errorf("status %q, want firing or resolved", b)
	}
	return nil
}

// Event reports that an alert fires or is resolved. Tenant, Alert and all
// Labels together are the identity of the alert, compared exactly and with
// case; labels with empty values count as missing. All of it is text in UTF-8.
type Event struct {
	Tenant string            `json:"tenant,omitempty"`
	Alert  string            `json:"alert"` // layer.name, such as "platform.db_slow"
	Labels map[string]string `json:"labels,omitempty"`
	Status Status            `json:"status"`
	// Time is when it happened, as against the instant of Apply, when it
	// arrived. Per identity the event with the latest Time wins; at equal times
	// resolved wins.
	Time time.Time `json:"time"`
	// Ends is when the alert ends by itself unless it is refreshed; the alert is
	// over at that instant. Zero: it stays until resolved, and a refresh keeps
	// what was set before.
	Ends time.Time `json:"ends,omitzero"`
	// Severity of the alert; unset in a refresh keeps what was set before.
	Severity incident.Severity `json:"severity,omitempty"`
	// Annotations are carried along and not interpreted. The map is retained.
	Annotations map[string]string `json:"annotations,omitempty"`
	// Again marks the word of a source that says one thing after the other about an
	// alert and may repeat a Time that was over before: Alertmanager ends an alert of
	// which it hears no more, and when it hears of it again, it fires since the Time at
	// which it first did. Such a firing of an alert that is over begins a new episode, a
	// nanosecond after what ended the last one, or goes on with the last one if people were
	// told of it and not yet of its end; and such a resolve at the end of the last one ends
	// the one that began so. Otherwise it means nothing: what repeats the
	// state of the alert is a duplicate or stale, as without it. Where events overtake
	// each other, leave it out.
	Again bool `json:"again,omitempty"`
}

// EventError reports an event that was refused. The other events of the same
// call are not affected.
type EventError struct {
	Index int    // position among the events of the call, from 0; -1 if it was held for the reorder window
	Alert string // name of the alert as given
	Field string // field of Event at fault, such as "Alert" or "Ends"
	Value string // what it holds
	Want  string // what was expected
}

// Error says which event and field is at fault and what was expected.
func (e *EventError) Error() string {
	return fmt.Sprintf("event %d (%q): %s is %q, want %s", e.Index, e.Alert, e.Field, e.Value, e.Want)
}

// compositeLayer is the layer of the alerts that rules create.
const compositeLayer = "composite"

// fail makes an error about a field. Nothing in it is long, whatever the event holds.
func (ev *Event) fail(field, got, want string) *EventError {
	return &EventError{Alert: shorten(ev.Alert), Field: field, Value: shorten(got), Want: want}
}

// shorten keeps the beginning of a long text.
func shorten(s string) string {
	const most = 128
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "\uFFFD") + "…"
}

// Validate reports whether an engine with these options would refuse the event, as
// an [*EventError] with Index 0, whatever its arrival.
func (ev *Event) Validate(o Options) error {
	o, err := o.withDefaults()
	if err != nil {
		return err
	}
	taken, bad := o.ignore(ev)
	if bad == nil {
		bad = cmp.Or(taken.check(&o), taken.checkIdentity(&o))
	}
	if bad != nil {
		return bad
	}
	return nil
}

// check reports what is wrong with an event, but for its identity.
func (ev *Event) check(o *Options) *EventError {
	notes := 0
	if len(ev.Annotations) > 0 { // most have none, and beginning to range over a map is not free
		for name, value := range ev.Annotations {
			notes += len(name) + len(value)
		}
	}
	switch {
	case notes > o.MaxAnnotationBytes:
		return ev.fail("Annotations", strconv.Itoa(notes), fmt.Sprintf("at most %d bytes of names and values", o.MaxAnnotationBytes))
	case ev.Status != Firing && ev.Status != Resolved:
		return ev.fail("Status", ev.Status.String(), "Firing or Resolved")
	case !instant.InRange(ev.Time):
		return ev.fail("Time", ev.Time.Format(time.RFC3339Nano), "the time of the event, in the years 1897 to 2188")
	case !ev.Ends.IsZero() && (!instant.InRange(ev.Ends) || ev.Ends.Before(ev.Time)):
		return ev.fail("Ends", ev.Ends.Format(time.RFC3339Nano), "a time that is not before Time")
	case ev.Severity != 0 && !ev.Severity.IsSet():
		return ev.fail("Severity", ev.Severity.String(), "P1 to P4 or unset")
	}
	return nil
}

// checkIdentity reports what is wrong with tenant, alert and labels.
func (ev *Event) checkIdentity(o *Options) *EventError {
	switch {
	case len(ev.Alert) > o.MaxLabelBytes:
		return ev.fail("Alert", strconv.Itoa(len(ev.Alert)), fmt.Sprintf("at most %d bytes", o.MaxLabelBytes))
	case len(ev.Tenant) > o.MaxLabelBytes:
		return ev.fail("Tenant", strconv.Itoa(len(ev.Tenant)), fmt.Sprintf("at most %d bytes", o.MaxLabelBytes))
	case len(ev.Labels) > o.MaxLabels:
		return ev.fail("Labels", strconv.Itoa(len(ev.Labels)), fmt.Sprintf("at most %d labels", o.MaxLabels))
	case !utf8.ValidString(ev.Tenant):
		return ev.fail("Tenant", ev.Tenant, "text in UTF-8")
	}
	if err := ev.checkName(); err != nil {
		return err
	}
	size := 0
	for name, value := range ev.Labels {
		switch {
		case name == "":
			return ev.fail("Labels", name, "label names that are not empty")
		case !utf8.ValidString(name) || !utf8.ValidString(value):
			return ev.fail("Labels", name+"="+value, "text in UTF-8")
		}
		size += len(name) + len(value)
	}
	if size > o.MaxLabelBytes {
		return ev.fail("Labels", strconv.Itoa(size), fmt.Sprintf("at most %d bytes of names and values", o.MaxLabelBytes))
	}
	return nil
}

// checkName reports what is wrong with the name of the alert, but for its length.
func (ev *Event) checkName() *EventError {
	layer, name, ok := strings.Cut(ev.Alert, ".")
	switch {
	case !ok || layer == "" || name == "" || strings.ContainsFunc(ev.Alert, func(r rune) bool { return r == '*' || !isWordRune(r) }):
		return ev.fail("Alert", ev.Alert, `layer.name of letters, digits, _ - and points, such as "platform.db_slow"`)
	case layer == compositeLayer:
		return ev.fail("Alert", ev.Alert, "another layer: composite is for the alerts that rules create")
	}
	return nil
}

// isWordRune reports whether r may stand in a name of an alert, label, rule or
// variable.
func isWordRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '-' || r == '.'
}
