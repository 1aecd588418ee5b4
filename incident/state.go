package incident

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// State is what an incident amounts to: the fold over its events. It is a copy;
// changing it changes no incident.
type State struct {
	Tenant   string   `json:"tenant"`
	ID       string   `json:"id"`
	Status   Status   `json:"status"`
	Severity Severity `json:"severity,omitzero"`
	// ResolvedAs is the severity at the resolution; unset while it is not resolved.
	ResolvedAs Severity `json:"resolved_as,omitzero"`
	Title      string   `json:"title,omitempty"`
	Services   []string `json:"services,omitempty"` // sorted
	Domain     string   `json:"domain,omitempty"`

	Component   string `json:"component,omitempty"`   // what failed
	Fingerprint string `json:"fingerprint,omitempty"` // the same for incidents of one kind
	Team        string `json:"team,omitempty"`        // that has it, the last one if it ended
	Centre      string `json:"centre,omitempty"`      // operations centre that has it

	Times Times `json:"times"`

	DetectedBy Detector          `json:"detected_by,omitempty"`
	Roles      map[Role][]string `json:"roles,omitempty"` // persons in the order of assignment
	Flags      []Flag            `json:"flags,omitempty"` // sorted
	Links      []Link            `json:"links,omitempty"` // in the order of the events
	Updates    []Update          `json:"updates,omitempty"`

	Resolution   string       `json:"resolution,omitempty"`
	FirstContact bool         `json:"first_contact,omitempty"`
	Cost         money.Amount `json:"cost,omitzero"`
	Reason       string       `json:"reason,omitempty"`      // of a cancellation or merge
	MergedInto   string       `json:"merged_into,omitempty"` // id of the incident that goes on
	Waiver       *Waiver      `json:"waiver,omitempty"`      // of the review
	Measures     []Measure    `json:"measures,omitempty"`    // sorted by ID
	Approvals    []Approval   `json:"approvals,omitempty"`   // in the order of the requests
	Score        int          `json:"score,omitempty"`       // 1 to 5, the last one that the customer gave

	Reopens     int `json:"reopens,omitempty"`
	Escalations int `json:"escalations,omitempty"`

	// Impact holds one stretch for every time the service was down, up to the
	// mitigation, or the end without one; the last has a zero End while it is down.
	Impact []calendar.Interval `json:"impact,omitempty"`
	// Gaps are the stretches from a resolution to the reopening. Between a
	// mitigation and a relapse there is none: the work goes on.
	Gaps []calendar.Interval `json:"gaps,omitempty"`
	// Waits are the stretches in which the customer had to answer.
	Waits []calendar.Interval `json:"waits,omitempty"`
	// Holds are the stretches in which it waited for something else.
	Holds        []Hold    `json:"holds,omitempty"`
	WaitingSince time.Time `json:"waiting_since,omitzero"` // zero unless on hold
	WaitingFor   Awaited   `json:"waiting_for,omitempty"`

	// Findings list what does not fit, in a stable order.
	Findings []Finding `json:"findings,omitempty"`
}

// Phase returns the phase of the lifecycle.
func (s State) Phase() Phase { return s.Status.Phase() }

// HasFlag reports whether one of the flags is set.
func (s State) HasFlag(flags ...Flag) bool {
	return slices.ContainsFunc(flags, func(f Flag) bool { return slices.Contains(s.Flags, f) })
}

// Times are the instants of an incident; zero means that it did not happen or
// is not known, and nothing is filled in from another. Started to Closed is the
// expected order; a violation is kept and reported as a finding.
type Times struct {
	Started      time.Time `json:"started,omitzero"` // begin of the impact
	Detected     time.Time `json:"detected,omitzero"`
	Created      time.Time `json:"created,omitzero"` // declared
	Acknowledged time.Time `json:"acknowledged,omitzero"`
	Mitigated    time.Time `json:"mitigated,omitzero"`
	Resolved     time.Time `json:"resolved,omitzero"` // zero again after a reopening
	Closed       time.Time `json:"closed,omitzero"`   // closed, cancelled or merged
}

// Hold is a stretch in which an incident waited for somebody but the customer.
type Hold struct {
	calendar.Interval
	For Awaited `json:"for"`
}

// Update is news for the stakeholders.
type Update struct {
	Key  string    `json:"key"` // of the event
	At   time.Time `json:"at"`
	Text string    `json:"text"`

	Stage Stage     `json:"stage,omitempty"`      // "" where the update says nothing of it
	Next  time.Time `json:"next_update,omitzero"` // when the next one is announced for; zero for none
}

// Stage is how far the work on an incident has come, as the stakeholders are told
// between its opening and its end. It changes nothing else.
type Stage string

// The stages, in the order in which they are usually told.
const (
	Investigating Stage = "investigating" // the cause is not known
	Identified    Stage = "identified"    // the cause is known, and worked on
	Monitoring    Stage = "monitoring"    // it should be over, and is watched
)

func (s Stage) known() bool { return s == Investigating || s == Identified || s == Monitoring }

// Stage returns the one that was told last: since the last reopening, "" for none and
// once the incident is resolved.
func (s State) Stage() Stage {
	if !s.Times.Resolved.IsZero() || s.Status.Ended() {
		return ""
	}
	var reopened time.Time
	if n := len(s.Gaps); n > 0 {
		reopened = s.Gaps[n-1].End
	}
	for _, u := range slices.Backward(s.Updates) {
		if u.At.Before(reopened) {
			break
		}
		if u.Stage.known() {
			return u.Stage
		}
	}
	return ""
}

// NextUpdate returns when the stakeholders will hear more, as the latest update announces
// it: zero for none, and once the incident is resolved.
func (s State) NextUpdate() time.Time {
	if len(s.Updates) == 0 || !s.Times.Resolved.IsZero() || s.Status.Ended() {
		return time.Time{}
	}
	return s.Updates[len(s.Updates)-1].Next
}

// Waiver says why an incident passes without a review.
type Waiver struct {
	At        time.Time `json:"at"`
	By        string    `json:"by"`
	Reason    string    `json:"reason"`
	Automatic bool      `json:"automatic,omitempty"` // the severity asks for none
}

// Finding is something in the record that does not fit.
type Finding struct {
	Code FindingCode `json:"code"`
	Key  string      `json:"key,omitempty"` // of the event, where one is to blame
	Text string      `json:"text"`
}

// FindingCode names a kind of finding.
type FindingCode string

// The findings.
const (
	IllegalFact     FindingCode = "illegal_fact"      // an event that the lifecycle does not allow; it moved nothing
	UnknownKind     FindingCode = "unknown_kind"      // an event of a later version; it is kept
	NotDeclared     FindingCode = "not_declared"      // acknowledged or resolved, but never declared
	OutOfOrder      FindingCode = "out_of_order"      // two instants in the wrong order
	ModeratorIsLead FindingCode = "moderator_is_lead" // of a P1: the review is not independent
	SelfApproval    FindingCode = "self_approval"     // whoever asked also decided; it does not count
)

// Record returns the state as a row for the key figures.
func (s State) Record() Record {
	waits := slices.Clone(s.Waits)
	if s.WaitingFor == AwaitCustomer {
		waits = append(waits, calendar.Interval{Start: s.WaitingSince})
	}
	return Record{
		Tenant: s.Tenant, ID: s.ID, Severity: s.Severity, Services: slices.Clone(s.Services), Status: s.Status, Times: s.Times,
		Component: s.Component, Fingerprint: s.Fingerprint, Team: s.Team, Centre: s.Centre,
		FirstContact: s.FirstContact, Escalations: s.Escalations, Reopens: s.Reopens, DetectedBy: s.DetectedBy,
		Score: s.Score, Cost: s.Cost, Impact: slices.Clone(s.Impact), Gaps: slices.Clone(s.Gaps), Waits: waits,
	}
}

// fold is a state under construction. Its State is complete but for what
// finish derives.
type fold struct {
	State
	opts         Options
	ends, begins []time.Time // of the impact; the first begin is not among them
	flagged      []Finding
}

func newFold(tenant, id string, o Options) fold {
	return fold{State: State{Tenant: tenant, ID: id}, opts: o}
}

// clone returns a fold that can go another way.
func (f fold) clone() fold {
	f.State = f.Clone()
	f.ends, f.begins, f.flagged = slices.Clone(f.ends), slices.Clone(f.begins), slices.Clone(f.flagged)
	return f
}

// Clone returns a copy that shares nothing with s.
func (s State) Clone() State {
	roles := make(map[Role][]string, len(s.Roles))
	for role, persons := range s.Roles {
		roles[role] = slices.Clone(persons)
	}
	if s.Roles != nil {
		s.Roles = roles
	}
	if s.Waiver != nil {
		w := *s.Waiver
		s.Waiver = &w
	}
	s.Services, s.Flags, s.Links = slices.Clone(s.Services), slices.Clone(s.Flags), slices.Clone(s.Links)
	s.Updates, s.Measures = slices.Clone(s.Updates), slices.Clone(s.Measures)
	s.Approvals, s.Holds = slices.Clone(s.Approvals), slices.Clone(s.Holds)
	s.Impact, s.Gaps, s.Waits, s.Findings = slices.Clone(s.Impact), slices.Clone(s.Gaps), slices.Clone(s.Waits), slices.Clone(s.Findings)
	return s
}

func (f *fold) flag(code FindingCode, key, format string, args ...any) {
	f.flagged = append(f.flagged, Finding{Code: code, Key: key, Text: fmt.Sprintf(format, args...)})
}

// add folds one event in. It never fails: what the lifecycle does not allow is
// flagged and moves nothing.
func (f *fold) add(e Event) {
	row, moves := stepOf(e.Kind)
	switch {
	case !moves:
		f.annotate(e)
		return
	case !slices.Contains(row.from, f.Status):
		f.late(e, row)
		return
	case e.Kind == Close:
		if missing := f.opts.missingToClose(f); len(missing) > 0 {
			f.flag(IllegalFact, e.Key, "%s -> %s without %s", f.Status, row.to, missing[0])
			return
		}
	case e.Kind == OpenReview && e.Person == "" && len(f.Roles[Moderator]) == 0:
		f.flag(IllegalFact, e.Key, "%s -> %s without a moderator", f.Status, row.to)
		return
	}
	f.move(e)
	f.Status = row.to
}

// late takes what is useful from an event that comes from the wrong status.
// Facts of other systems may know an acknowledgement or a resolution of an
// incident that was never declared, or repeat what is known.
func (f *fold) late(e Event, row step) {
	undeclared := f.Status == "" || f.Status == Triage
	switch {
	case undeclared && (e.Kind == Acknowledge || e.Kind == Resolve):
		f.move(e)
		f.Status = row.to
	case e.Kind == Declare && f.Times.Created.IsZero() && !f.Status.Ended():
		f.move(e) // the placeholder gets its declaration
	case e.Kind == Acknowledge && !f.Status.Ended():
		f.move(e) // a second person, or one whose word came late
	case e.Kind == Resolve && f.Status == Resolved, e.Kind == Detect && !f.Status.Ended():
		f.describe(e)
	default:
		f.flag(IllegalFact, e.Key, "%s in status %q", e.Kind, f.Status)
	}
}

// move records what a step of the lifecycle says, without its status.
func (f *fold) move(e Event) {
	t := &f.Times
	switch e.Kind {
	case Detect:
		f.describe(e)
		setOnce(&t.Detected, e.At)
	case Declare:
		f.describe(e)
		if e.Severity.IsSet() {
			f.Severity = e.Severity
		}
		t.Created = e.At
	case Acknowledge:
		setOnce(&t.Acknowledged, e.At)
		f.assignTeam(e)
		person := e.Person
		if person == "" {
			person = e.Actor
		}
		f.assign(Responder, person)
		if e.Role == Lead {
			f.assign(Lead, person)
		}
	case Mitigate:
		t.Mitigated = e.At
		f.endImpact(e.At)
	case Relapse:
		t.Mitigated = time.Time{}
		f.begins = append(f.begins, e.At)
	case Resolve:
		t.Resolved, f.ResolvedAs = e.At, f.Severity
		f.Resolution, f.FirstContact = e.Text, e.FirstContact
		f.setCost(e)
		f.endImpact(e.At)
		f.endWait(e.At)
	case Reopen:
		f.Gaps = append(f.Gaps, calendar.Interval{Start: t.Resolved, End: e.At})
		t.Resolved, t.Mitigated, f.ResolvedAs = time.Time{}, time.Time{}, 0
		f.Resolution, f.Waiver, f.FirstContact = "", nil, false
		f.Reopens++
		f.begins = append(f.begins, e.At)
	case OpenReview:
		if e.Person != "" {
			f.assign(Moderator, e.Person)
		}
	case Close, Cancel, Merge:
		t.Closed = e.At
		f.setCost(e)
		f.endWait(e.At)
		if e.Kind == Close && f.Waiver == nil && !f.opts.review(f) {
			f.Waiver = &Waiver{At: e.At, By: "policy", Reason: noReview, Automatic: true}
		}
		if e.Kind != Close {
			f.Reason, f.MergedInto = e.Text, e.Target
			f.endImpact(e.At)
		}
	default: // the others have no step
	}
}

// describe takes over what a detection or declaration says about the incident.
func (f *fold) describe(e Event) {
	if f.Title == "" || e.Kind == Declare && e.Title != "" {
		f.Title = e.Title
	}
	for _, field := range []struct{ have, said *string }{
		{&f.Domain, &e.Domain}, {&f.Component, &e.Component}, {&f.Fingerprint, &e.Fingerprint},
	} {
		if *field.have == "" {
			*field.have = *field.said
		}
	}
	if f.DetectedBy == "" {
		f.DetectedBy = e.DetectedBy
	}
	f.addServices(e.Services)
	setOnce(&f.Times.Started, e.Started)
	setOnce(&f.Times.Detected, e.Detected)
}

func (f *fold) addServices(services []string) {
	for _, service := range services {
		insert(&f.Services, service)
	}
}

// annotate folds in an event that moves nothing.
func (f *fold) annotate(e Event) {
	switch e.Kind {
	case ChangeSeverity:
		if !f.Status.Ended() && e.Severity.IsSet() {
			f.Severity = e.Severity
		} else {
			f.flag(IllegalFact, e.Key, "%s to %s in status %q", e.Kind, e.Severity, f.Status)
		}
	case AssignRole:
		f.assign(e.Role, e.Person)
	case ReleaseRole:
		at := slices.Index(f.Roles[e.Role], e.Person)
		if at < 0 {
			f.flag(IllegalFact, e.Key, "%s of %q, who is not %q", e.Kind, e.Person, e.Role)
			return
		}
		f.Roles[e.Role] = slices.Delete(f.Roles[e.Role], at, at+1)
	case AssignTeam:
		f.assignTeam(e)
	case SetFlag:
		insert(&f.Flags, e.Flag)
	case ClearFlag:
		f.Flags = slices.DeleteFunc(f.Flags, func(g Flag) bool { return g == e.Flag })
	case AddLink:
		if link := (Link{Relation: e.Relation, Target: e.Target}); !slices.Contains(f.Links, link) {
			f.Links = append(f.Links, link)
		}
		f.addServices(e.Services)
	case WaiveReview:
		if f.Status != Resolved && f.Status != InReview {
			f.flag(IllegalFact, e.Key, "%s in status %q", e.Kind, f.Status)
			return
		}
		if e.Text == "" {
			f.flag(IllegalFact, e.Key, "%s without a reason", e.Kind)
			return
		}
		f.Waiver = &Waiver{At: e.At, By: e.Actor, Reason: e.Text, Automatic: e.Automatic}
	case RecordMeasure:
		f.setMeasure(e.Measure)
	case CorrectTimes:
		if !e.Started.IsZero() {
			f.Times.Started = e.Started
		}
		if !e.Detected.IsZero() {
			f.Times.Detected = e.Detected
		}
	case StartWait:
		switch {
		case f.Status != "" && !f.Status.Active():
			f.flag(IllegalFact, e.Key, "%s in status %q", e.Kind, f.Status)
		case f.WaitingSince.IsZero():
			f.WaitingSince, f.WaitingFor = e.At, cmp.Or(e.Awaiting, AwaitCustomer)
		}
	case AskApproval, Approve, Refuse:
		f.approval(e)
	case RecordScore:
		f.Score = e.Score
	case EndWait:
		f.endWait(e.At)
	case Escalate:
		f.Escalations++
	case PostUpdate:
		f.Updates = append(f.Updates, Update{Key: e.Key, At: e.At, Text: e.Text, Stage: e.Stage, Next: e.NextUpdate})
	case Notify, RecordResult, Note, RedactEntry:
	default:
		f.flag(UnknownKind, e.Key, "kind %q", e.Kind)
	}
}

func (f *fold) setCost(e Event) {
	if e.Cost.IsSet() {
		f.Cost = e.Cost
	}
}

// endImpact ends the stretch of impact that has not ended, if there is one.
func (f *fold) endImpact(at time.Time) {
	if len(f.ends) == len(f.begins) {
		f.ends = append(f.ends, at)
	}
}

func (f *fold) endWait(at time.Time) {
	if f.WaitingSince.IsZero() {
		return
	}
	stretch := calendar.Interval{Start: f.WaitingSince, End: at}
	if f.WaitingFor == AwaitCustomer {
		f.Waits = append(f.Waits, stretch)
	} else {
		f.Holds = append(f.Holds, Hold{Interval: stretch, For: f.WaitingFor})
	}
	f.WaitingSince, f.WaitingFor = time.Time{}, ""
}

func (f *fold) assignTeam(e Event) {
	f.Team, f.Centre = cmp.Or(e.Team, f.Team), cmp.Or(e.Centre, f.Centre)
}

func (f *fold) assign(role Role, person string) {
	if person == "" || slices.Contains(f.Roles[role], person) {
		return
	}
	if f.Roles == nil {
		f.Roles = map[Role][]string{}
	}
	f.Roles[role] = append(f.Roles[role], person)
}

func (f *fold) setMeasure(m *Measure) {
	if m == nil {
		return
	}
	i, known := slices.BinarySearchFunc(f.Measures, m.ID, func(have Measure, id string) int { return strings.Compare(have.ID, id) })
	if known {
		f.Measures[i] = *m
		return
	}
	f.Measures = slices.Insert(f.Measures, i, *m)
}

// finish returns the state with all that is derived from the whole.
func (f fold) finish() State {
	s := f.Clone()
	s.Impact = f.impact()
	s.Findings = append(slices.Clone(f.flagged), f.derivedFindings()...)
	maps.DeleteFunc(s.Roles, func(_ Role, persons []string) bool { return len(persons) == 0 })
	return s
}

// impact pairs the begins of the impact with its ends. Without a known start
// the first one begins when the incident was noticed.
func (f fold) impact() []calendar.Interval {
	t := f.Times
	begin := t.Started
	for _, other := range []time.Time{t.Detected, t.Created, t.Acknowledged, t.Resolved} {
		setOnce(&begin, other)
	}
	if begin.IsZero() {
		return nil
	}
	var out []calendar.Interval
	for i, start := range append([]time.Time{begin}, f.begins...) {
		stretch := calendar.Interval{Start: start}
		if i < len(f.ends) {
			stretch.End = f.ends[i]
			if stretch.End.Before(start) {
				stretch.End = start // flagged as out of order
			}
		}
		out = append(out, stretch)
	}
	return out
}

func (f fold) derivedFindings() []Finding {
	var out []Finding
	if f.Status != "" && f.Status != Triage && f.Status != Cancelled && f.Status != Merged && f.Times.Created.IsZero() {
		out = append(out, Finding{Code: NotDeclared, Text: fmt.Sprintf("%s without a declaration", f.Status)})
	}
	names, last := "", time.Time{}
	for _, m := range milestones {
		at := f.Times.at(m)
		if at.IsZero() {
			continue
		}
		if at.Before(last) {
			out = append(out, Finding{Code: OutOfOrder, Text: fmt.Sprintf("%s is %v before %s", m, last.Sub(at), names)})
		}
		names, last = m.String(), at
	}
	if f.Severity == P1 {
		for _, person := range f.Roles[Moderator] {
			if slices.Contains(f.Roles[Lead], person) {
				out = append(out, Finding{Code: ModeratorIsLead, Text: fmt.Sprintf("%q moderates the review of an incident that they led", person)})
			}
		}
	}
	return out
}

func setOnce(t *time.Time, at time.Time) {
	if t.IsZero() {
		*t = at
	}
}

// insert adds v to a sorted set.
func insert[T ~string](set *[]T, v T) {
	if i, known := slices.BinarySearch(*set, v); !known {
		*set = slices.Insert(*set, i, v)
	}
}
