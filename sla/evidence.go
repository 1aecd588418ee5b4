package sla

import (
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

	// Changes and Restores feed the indicators of a report; no credit comes from
	// them unless a term promises one.
	Changes  []Change  `json:"changes,omitempty"`
	Restores []Restore `json:"restores,omitempty"`

	// Problems and Capacity do so too.
	Problems []Problem  `json:"problems,omitempty"`
	Capacity []Capacity `json:"capacity,omitempty"`

	// Fees holds the fees of the period that terms name as their base.
	Fees map[string]money.Amount `json:"fees,omitempty"`

	// Invoiced holds the fees invoiced before the period, oldest first. It
	// bounds the liability for lost data.
	Invoiced []money.Amount `json:"invoiced,omitempty"`

	// Invoice is the one that the credits are set off against, for a contract
	// that caps them by it.
	Invoice money.Amount `json:"invoice,omitzero"`

	// Issued holds the credits issued before, for a contract with a cap per
	// year.
	Issued []IssuedCredit `json:"issued,omitempty"`
}

// IssuedCredit is a credit that was issued for the period ending at an instant.
type IssuedCredit struct {
	At     time.Time    `json:"at"`
	Amount money.Amount `json:"amount"`
}

// Cause says who or what brought a service down.
type Cause string

// The causes that contracts usually tell apart; others may be used as well. An
// empty cause is CauseProvider, which can not be excluded. An outage whose cause the
// contract excludes is taken at its word, whole: for CauseMaintenance no window and no
// notice is asked for. Where the notice counts, leave the cause of the outage empty and
// give the window as [Maintenance].
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

	// Reported is when the customer opened a ticket about it, for contracts
	// whose outages begin with it.
	Reported time.Time `json:"reported,omitzero"`

	// Felt is when the customer was first affected, for contracts whose outages
	// begin with the effect and not with the failure.
	Felt time.Time `json:"felt,omitzero"`

	// Affected is the share of the customers that were concerned, for measures
	// that weigh by it. Nil is all of them.
	Affected *money.Percent `json:"affected,omitempty"`
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

	// Kind is for contracts with rules of their own for it, see
	// Availability.MaintenanceKinds.
	Kind string `json:"kind,omitempty"`

	// Title is for the readers of a report.
	Title string `json:"title,omitempty"`
}

// Gap is a stretch in which a service was not monitored.
type Gap struct {
	Service string    `json:"service,omitempty"`
	Start   time.Time `json:"start"`
	End     time.Time `json:"end,omitzero"`

	// Before marks the time before the service was measured for the first time.
	// Nothing is known about it, but it is no outage of the monitoring.
	Before bool `json:"before,omitempty"`
}

// Incident is the part of an incident that clocks need. Events that have not
// happened are zero.
type Incident struct {
	ID      string `json:"id"`
	Service string `json:"service,omitempty"`

	// Severity is the one at opening. Without Severities it is the only one, so
	// where no history is kept set the highest that the incident reached.
	Severity incident.Severity `json:"severity"`

	// Severities are the changes after that, in any order; of those at the same
	// instant the last one counts. What they do to a clock says
	// Clock.RestartOnSeverity.
	Severities []SeverityChange `json:"severities,omitempty"`

	Detected  time.Time `json:"detected,omitzero"`
	Opened    time.Time `json:"opened"`
	Responded time.Time `json:"responded,omitzero"` // by default when it was resolved
	Resolved  time.Time `json:"resolved,omitzero"`  // for good; zero again after a reopening

	// Updates are the messages to the customer, in any order. The response is
	// one too, whether it is listed or not.
	Updates []time.Time `json:"updates,omitempty"`

	// Pauses are the waits for the customer; a zero End is still open.
	Pauses []calendar.Interval `json:"pauses,omitempty"`

	// Closed holds the stretches in which the incident stood resolved before it
	// was reopened.
	Closed []calendar.Interval `json:"closed,omitempty"`

	// Resets are the instants at which clocks that still ran began anew.
	Resets []time.Time `json:"resets,omitempty"`

	// Cancelled is when the incident was withdrawn. Its clocks end there: a miss
	// before it stays one, anything else counts neither as met nor as missed.
	Cancelled time.Time `json:"cancelled,omitzero"`

	// What follows is for reports and indicators; no clock depends on it.

	Started      time.Time    `json:"started,omitzero"`      // when the fault began
	Acknowledged time.Time    `json:"acknowledged,omitzero"` // when somebody took it
	Title        string       `json:"title,omitempty"`
	Cause        string       `json:"cause,omitempty"`
	Action       string       `json:"action,omitempty"`        // what was done about it
	FirstContact *bool        `json:"first_contact,omitempty"` // resolved without a hand-over; nil is not recorded
	Escalations  *int         `json:"escalations,omitempty"`   // nil is not recorded
	Reopened     bool         `json:"reopened,omitempty"`
	Satisfaction int          `json:"satisfaction,omitzero"` // the customer's answer, 1 to 5; 0 is none
	Cost         money.Amount `json:"cost,omitzero"`
}

// SeverityChange says that an incident had another severity from an instant on.
type SeverityChange struct {
	At       time.Time         `json:"at"`
	Severity incident.Severity `json:"severity"`
}

// Change is a change to a service. It counts in the period in which it ended.
type Change struct {
	Ref     string        `json:"ref"`
	Service string        `json:"service,omitempty"`
	Start   time.Time     `json:"start"`
	End     time.Time     `json:"end,omitzero"` // zero while it is not finished
	Kind    ChangeKind    `json:"kind"`
	Outcome ChangeOutcome `json:"outcome,omitempty"` // empty while it is not finished

	// Requested and Approved bound the time that an approval took.
	Requested time.Time `json:"requested,omitzero"`
	Approved  time.Time `json:"approved,omitzero"`

	// CausedIncident is the incident that the change led to. Such a change is no
	// success.
	CausedIncident string `json:"caused_incident,omitempty"`
}

// ChangeKind is the kind of a change as ITIL 4 tells them apart.
type ChangeKind string

// The kinds of change.
const (
	StandardChange  ChangeKind = "standard"
	NormalChange    ChangeKind = "normal"
	EmergencyChange ChangeKind = "emergency"
)

// ChangeOutcome says how a change ended.
type ChangeOutcome string

// The outcomes of a change.
const (
	ChangeSuccess    ChangeOutcome = "success"
	ChangeFailed     ChangeOutcome = "failed"
	ChangeRolledBack ChangeOutcome = "rolled_back"
	ChangeCancelled  ChangeOutcome = "cancelled"
)

// Restore is the proof of a restore from backup, or of a failed one.
type Restore struct {
	Service  string      `json:"service"`
	Kind     RestoreKind `json:"kind"`
	Started  time.Time   `json:"started"`
	Restored time.Time   `json:"restored,omitzero"` // data is back
	Verified time.Time   `json:"verified,omitzero"` // and found to be right; zero is not proven

	RTOTarget time.Duration `json:"rto_target_ns,omitzero"`
	RPOTarget time.Duration `json:"rpo_target_ns,omitzero"`

	// FailedAt is when the service was lost, Newest the time of the newest data
	// that came back. Their difference is what was lost.
	FailedAt time.Time `json:"failed_at,omitzero"`
	Newest   time.Time `json:"newest,omitzero"`

	By     string `json:"by,omitempty"`
	SHA256 string `json:"artefact_sha256,omitempty"` // of the artefact that was restored
}

// RestoreKind says where a restore went.
type RestoreKind string

// The kinds of restore.
const (
	RestoreInPlace RestoreKind = "in_place"
	RestoreSide    RestoreKind = "side"
	RestorePartial RestoreKind = "partial"
)

// Problem is the cause behind incidents, known or not (ITIL 4, problem
// management).
type Problem struct {
	Ref    string    `json:"ref"`
	Opened time.Time `json:"opened"`
	Closed time.Time `json:"closed,omitzero"` // zero while it is open
	Cause  string    `json:"cause,omitempty"` // empty if none was found
}

// Capacity is the working time of people or machines in a stretch, which counts in
// the period in which it begins.
type Capacity struct {
	Resource  string        `json:"resource"`
	Start     time.Time     `json:"start"`
	Used      time.Duration `json:"used_ns"` // more than Available is overtime
	Available time.Duration `json:"available_ns"`
}

// IncidentOf takes what clocks and mean times need from an incident: it was
// answered when it was acknowledged, waits for the customer are its pauses, and
// news for the stakeholders its updates. The state holds the current severity only
// and no earlier resolutions; set the highest severity where it was lowered, or
// fold the history with a [Ticket].
func IncidentOf(s incident.State) Incident {
	in := Incident{
		ID: s.ID, Severity: s.Severity, Detected: s.Times.Detected, Opened: s.Times.Created,
		Responded: s.Times.Acknowledged, Resolved: s.Times.Resolved, Pauses: slices.Clone(s.Waits),
		Started: s.Times.Started, Acknowledged: s.Times.Acknowledged,
	}
	if len(s.Services) > 0 {
		in.Service = s.Services[0]
	}
	if s.WaitingFor == incident.AwaitCustomer {
		in.Pauses = append(in.Pauses, calendar.Interval{Start: s.WaitingSince})
	}
	for _, u := range s.Updates {
		if !u.At.Before(in.Opened) {
			in.Updates = append(in.Updates, u.At)
		}
	}
	return in
}

// OutagesOf returns an outage for every service and every stretch of impact of
// an incident.
func OutagesOf(s incident.State) []Outage {
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

// byService returns the evidence about each of the services; "" is all of it. The
// pieces are sorted once, so that many services do not each go through all.
func (e Evidence) byService(services []Service) func(service string) Evidence {
	if len(services) < 2 {
		return func(string) Evidence { return e }
	}
	outages := sortedOut(services, e.Outages, func(o *Outage) string { return o.Service })
	maintenance := sortedOut(services, e.Maintenance, func(m *Maintenance) string { return m.Service })
	gaps := sortedOut(services, e.Gaps, func(g *Gap) string { return g.Service })
	requests := sortedOut(services, e.Requests, func(r *Requests) string { return r.Service })
	return func(service string) Evidence {
		if service == "" {
			return e
		}
		of := e
		of.Outages, of.Maintenance, of.Gaps, of.Requests = outages[service], maintenance[service], gaps[service], requests[service]
		return of
	}
}

// sortedOut lists what [concerns] each of the services, in the order of the list. A
// service whose pieces stand side by side has a part of the list, as the evidence of
// many outages is large.
func sortedOut[T any](services []Service, list []T, about func(*T) string) map[string][]T {
	type place struct{ first, last, count int }
	places := make(map[string]*place, len(services))
	all := 0 // concern every service
	for i := range list {
		switch service := about(&list[i]); service {
		case "", "*":
			all++
		default:
			p := places[service]
			if p == nil {
				p = &place{first: i}
				places[service] = p
			}
			p.last = i
			p.count++
		}
	}
	of := make(map[string][]T, len(services))
	apart := all > 0
	for service, p := range places {
		if together := p.last-p.first+1 == p.count; together && all == 0 {
			of[service] = list[p.first : p.last+1 : p.last+1]
			continue
		}
		of[service] = make([]T, 0, p.count+all)
		apart = true
	}
	if !apart {
		return of
	}
	for i := range list {
		switch service := about(&list[i]); service {
		case "", "*":
			for _, s := range services {
				of[s.ID] = append(of[s.ID], list[i])
			}
		default:
			if p := places[service]; all > 0 || p.last-p.first+1 != p.count {
				of[service] = append(of[service], list[i])
			}
		}
	}
	return of
}
