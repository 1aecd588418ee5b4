// Package replay runs a log of alerts through rules: to see what came of a night, to
// compare it with what other rules would have made of it, and to test rules against
// scenarios.
//
//	before, err := replay.Run(rules, correlation.Options{}, log, time.Time{})
//	after, err := replay.Run(changed, correlation.Options{}, log, time.Time{})
//	d := replay.Compare(before, after)
//	fmt.Println(d.Muted) // what would not have been told
//
// [Run] takes a log as a whole and lists all that came of it. A [Player] takes it row by
// row and hands over what would be a long list, so a log of any length takes the memory of
// the alerts that are in it.
//
// Nothing reads a clock: a log says when its events arrived, and the same log gives
// the same record.
package replay

import (
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
)

// Arrival is an event and when it came.
type Arrival struct {
	At time.Time `json:"at"`
	correlation.Event
}

// Record is what came of a log. Its lists are sorted by instant, then by rule or
// printed alert, then by tenant.
type Record struct {
	Until      time.Time // the instant of the record
	Episodes   []Episode
	Composites []Composite
	Told       []Told
	Alerts     []correlation.Alert // as they stand at Until, by printed form, then tenant
	Stats      correlation.Stats
	Refused    []error // [*correlation.EventError], in order of arrival

	*behind
}

// Why explains the state of an alert or composite at the instant of the record; see
// [correlation.Engine.Why].
func (r *Record) Why(a correlation.Alert) (correlation.Explanation, bool) {
	return r.engine.Why(a.Tenant, a.Name, a.Labels.Map())
}

// SilencedBy returns the IDs of the silences that are in force for an alert at the instant
// of the record, sorted.
func (r *Record) SilencedBy(a correlation.Alert) []string {
	if r.silencer == nil {
		return nil
	}
	var ids []string
	for _, s := range r.silencer.Why(a).Silences {
		ids = append(ids, s.ID)
	}
	return ids
}

// Snapshot returns the state at the instant of the record, for [Resume].
func (r *Record) Snapshot() ([]byte, error) { return r.engine.Snapshot() }

// Episode is an alert from its onset to its end.
type Episode struct {
	Tenant string             `json:"tenant,omitempty"`
	Alert  string             `json:"alert"` // printed, see [correlation.Alert.String]
	Labels correlation.Labels `json:"labels"`
	Since  time.Time          `json:"since"`
	// Told is when somebody was told of it; zero for never.
	Told time.Time `json:"told,omitzero"`
	// HiddenBy names the rules that have hidden it: those that made it hidden, each time,
	// and those that hide it at the instant of the record, sorted.
	HiddenBy []string `json:"hidden_by,omitempty"`

	key string // tenant and identity
}

// episode tells episodes apart, also of alerts that print alike.
type episode struct {
	key   string // of the alert
	since time.Time
}

func (e *Episode) id() episode { return episode{e.key, e.Since} }

// Composite is a composite over all of its life: its lists are all that has been
// evidence, and all that was suppressed, since it opened.
type Composite struct {
	correlation.Composite
	Until time.Time `json:"until,omitzero"` // when it closed; zero while it is open
}

// Told is something that people were told.
type Told struct {
	At     time.Time
	Over   bool // that it is over, not that it began
	Tenant string
	Alert  string // printed
	Title  string // of a composite, else empty
}

// Run is [Setup.Run] with rules and options alone.
func Run(rules []correlation.Rule, o correlation.Options, log []Arrival, until time.Time) (*Record, error) {
	return Setup{Rules: rules, Options: o}.Run(log, until)
}

// Resume is [Setup.Resume] with rules and options alone.
func Resume(state []byte, rules []correlation.Rule, o correlation.Options, log []Arrival, until time.Time) (*Record, error) {
	return Setup{Rules: rules, Options: o}.Resume(state, log, until)
}
