package sla

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Evidence is what was seen of a service. It may reach beyond the period: every
// part is clipped to it. An empty End is still open.
type Evidence struct {
	// Observed is the time about which the evidence speaks. Outside it nothing
	// is known, so the zero value means that there is no data at all; time
	// before it in a period is unknown, and a period that it does not reach the
	// end of is evaluated up to there.
	Observed calendar.Interval `json:"observed"`

	Outages     []Outage      `json:"outages,omitempty"`
	Maintenance []Maintenance `json:"maintenance,omitempty"`
	Gaps        []Gap         `json:"gaps,omitempty"`
	Requests    []Requests    `json:"requests,omitempty"`
	Incidents   []Incident    `json:"incidents,omitempty"`
	Losses      []Loss        `json:"losses,omitempty"`

	// Invoiced holds the fees invoiced before the period, oldest first. It
	// bounds the liability for lost data.
	Invoiced []money.Amount `json:"invoiced,omitempty"`
}

// Cause says who or what brought a service down.
type Cause string

// The causes that contracts usually tell apart; others may be used as well. An
// empty cause is CauseProvider, which can not be excluded.
const (
	CauseProvider     Cause = "provider"
	CauseMaintenance  Cause = "maintenance"
	CauseCustomer     Cause = "customer"
	CauseForceMajeure Cause = "force_majeure"
)

// Outage is a stretch in which a service did not do its work. Reports of several
// monitors may overlap; their union counts.
type Outage struct {
	Ref     string    `json:"ref,omitempty"`
	Service string    `json:"service,omitempty"`
	Start   time.Time `json:"start"`
	End     time.Time `json:"end,omitzero"`
	Cause   Cause     `json:"cause,omitempty"`

	// Degraded time is reported but does not count as down.
	Degraded bool `json:"degraded,omitempty"`
}

// Maintenance is an announced window. An extension needs a window and notice of
// its own; work beyond the window counts as an outage.
type Maintenance struct {
	Ref string `json:"ref"`

	// Service is the one concerned; "" and "*" are all.
	Service string `json:"service,omitempty"`

	Start time.Time `json:"start"`
	End   time.Time `json:"end"`

	// Announced is when the customer was told. Without it the window has no
	// notice.
	Announced time.Time `json:"announced,omitzero"`

	// Emergency work is never excluded.
	Emergency bool `json:"emergency,omitempty"`
	// Cancelled windows are ignored.
	Cancelled bool `json:"cancelled,omitempty"`
}

// Gap is a stretch in which a service was not monitored.
type Gap struct {
	Service string    `json:"service,omitempty"`
	Start   time.Time `json:"start"`
	End     time.Time `json:"end,omitzero"`
}

// Incident is the part of an incident that clocks need. Events that have not
// happened are zero.
type Incident struct {
	ID      string `json:"id"`
	Service string `json:"service,omitempty"`

	// Severity is the highest that the incident reached: its target holds from
	// the start of the clock.
	Severity incident.Severity `json:"severity"`

	Detected  time.Time `json:"detected,omitzero"`
	Opened    time.Time `json:"opened"`
	Responded time.Time `json:"responded,omitzero"` // by default when it was resolved
	Resolved  time.Time `json:"resolved,omitzero"`

	// Pauses are the waits for the customer; a zero End is still open.
	Pauses []calendar.Interval `json:"pauses,omitempty"`
}

// IncidentFrom takes what clocks need from an incident: it was answered when it
// was acknowledged, and waits for the customer are its pauses. The state holds
// the current severity only; set the highest where it was lowered.
func IncidentFrom(s incident.State) Incident {
	in := Incident{
		ID: s.ID, Severity: s.Severity, Detected: s.Times.Detected, Opened: s.Times.Created,
		Responded: s.Times.Acknowledged, Resolved: s.Times.Resolved, Pauses: slices.Clone(s.Waits),
	}
	if len(s.Services) > 0 {
		in.Service = s.Services[0]
	}
	if !s.WaitingSince.IsZero() {
		in.Pauses = append(in.Pauses, calendar.Interval{Start: s.WaitingSince})
	}
	return in
}

// OutagesFrom returns an outage for every service and every stretch of impact of
// an incident.
func OutagesFrom(s incident.State) []Outage {
	services := s.Services
	if len(services) == 0 {
		services = []string{""}
	}
	var out []Outage
	for _, service := range services {
		for _, i := range s.Impact {
			out = append(out, Outage{Ref: s.ID, Service: service, Start: i.Start, End: i.End})
		}
	}
	return out
}

// Loss is a claim for lost data.
type Loss struct {
	Ref     string       `json:"ref"`
	At      time.Time    `json:"at"`
	Claimed money.Amount `json:"claimed"`
}

// EvidenceError reports a piece of evidence that contradicts itself.
type EvidenceError struct {
	Path string // such as "incidents[3]"
	Ref  string // its id, where it has one
	Err  error
}

// Error names the piece and what is wrong with it.
func (e *EvidenceError) Error() string {
	return fmt.Sprintf("sla: evidence %s %q: %v", e.Path, e.Ref, e.Err)
}

// Unwrap returns the cause.
func (e *EvidenceError) Unwrap() error { return e.Err }

// Validate joins all contradictions and figures out of range, each an
// [*EvidenceError].
func (e Evidence) Validate() error {
	var problems []error
	check := func(path string, i int, ref string, errs ...error) {
		if err := errors.Join(errs...); err != nil {
			problems = append(problems, &EvidenceError{Path: fmt.Sprintf("%s[%d]", path, i), Ref: ref, Err: err})
		}
	}
	if err := e.Observed.Validate(); err != nil {
		problems = append(problems, &EvidenceError{Path: "observed", Err: err})
	}
	for i, o := range e.Outages {
		check("outages", i, o.Ref, until(o.Start, o.End))
	}
	for i, m := range e.Maintenance {
		check("maintenance", i, m.Ref, calendar.Interval{Start: m.Start, End: m.End}.Validate())
	}
	for i, g := range e.Gaps {
		check("gaps", i, g.Service, until(g.Start, g.End))
	}
	total := uint64(0)
	for i, r := range e.Requests {
		check("requests", i, r.Service, r.validate())
		var carry uint64
		if total, carry = bits.Add64(total, r.Total, 0); carry > 0 {
			check("requests", i, r.Service, errors.New("the sum of all requests exceeds 64 bits"))
		}
	}
	for i, in := range e.Incidents {
		check("incidents", i, in.ID, in.validate())
	}
	for i, l := range e.Losses {
		if l.Claimed.Sign() < 0 || !l.Claimed.IsSet() {
			check("losses", i, l.Ref, fmt.Errorf("claimed %q: want an amount of 0 or more", l.Claimed))
		}
	}
	return errors.Join(problems...)
}

// until checks a stretch whose zero end means "open".
func until(start, end time.Time) error {
	if end.IsZero() {
		return nil
	}
	return calendar.Interval{Start: start, End: end}.Validate()
}

func (in Incident) validate() error {
	var problems []error
	if !in.Severity.IsSet() {
		problems = append(problems, fmt.Errorf("severity %v: want P1 to P4", in.Severity))
	}
	if in.Opened.IsZero() {
		problems = append(problems, errors.New("opened is not set"))
	}
	for _, e := range []struct {
		name string
		at   time.Time
	}{{"responded", in.Responded}, {"resolved", in.Resolved}} {
		if !e.at.IsZero() && e.at.Before(in.Opened) {
			problems = append(problems, fmt.Errorf("%s %s before opened %s", e.name, e.at.Format(time.RFC3339Nano), in.Opened.Format(time.RFC3339Nano)))
		}
	}
	for _, p := range in.Pauses {
		problems = append(problems, until(p.Start, p.End))
	}
	return errors.Join(problems...)
}
