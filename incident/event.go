package incident

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/sla/money"
)

// Kind names what an event says.
type Kind string

// The kinds that move an incident through its lifecycle.
const (
	Detect      Kind = "detect"       // a signal was received; the incident is not declared yet
	Declare     Kind = "declare"      // it is an incident of a severity
	Acknowledge Kind = "acknowledge"  // somebody, or automation that was approved, works on it
	Mitigate    Kind = "mitigate"     // the impact is over, the cause is not removed
	Relapse     Kind = "relapse"      // the mitigation did not hold, the impact is back; Text says how
	Resolve     Kind = "resolve"      // the service is restored; Text says how
	Reopen      Kind = "reopen"       // the resolution did not hold
	OpenReview  Kind = "open_review"  // the moderated review began; Person is the moderator
	WaiveReview Kind = "waive_review" // no review will be held; Text says why
	Close       Kind = "close"        // a measure is anchored, or the review waived
	Cancel      Kind = "cancel"       // it was a false alarm; Text says why
	Merge       Kind = "merge"        // it is part of another incident, Target
)

// The kinds that add to an incident without moving it. [WaiveReview] is one of them,
// too: it lets a closing through.
const (
	ChangeSeverity Kind = "change_severity" // Severity is the new one
	AssignRole     Kind = "assign_role"     // Person takes Role
	ReleaseRole    Kind = "release_role"    // Person gives Role back
	SetFlag        Kind = "set_flag"        // Flag
	ClearFlag      Kind = "clear_flag"      // Flag
	AssignTeam     Kind = "assign_team"     // Team, Centre have it from now on
	AddLink        Kind = "add_link"        // Relation to Target
	RecordMeasure  Kind = "record_measure"  // Measure is new or replaces the one with its ID
	CorrectTimes   Kind = "correct_times"   // Started, Detected as known by now
	StartWait      Kind = "start_wait"      // it is on hold until Awaiting; by default the customer has to answer
	EndWait        Kind = "end_wait"        // what it waited for is there
	Escalate       Kind = "escalate"        // Level was called; Person is who
	AskApproval    Kind = "ask_approval"    // Actor wants to do Ref; Text says what that is
	Approve        Kind = "approve"         // Actor lets Ref be done
	Refuse         Kind = "refuse"          // Actor does not; Text says why
	RecordScore    Kind = "record_score"    // Score that the customer gave
	PostUpdate     Kind = "post_update"     // Text is news for the stakeholders
	Notify         Kind = "notify"          // a message went out; Ref is its key
	RecordResult   Kind = "record_result"   // an action of a playbook ended; Ref is its key
	Note           Kind = "note"            // Text, for the record
	RedactEntry    Kind = "redact"          // written by Redact only
)

// kinds lists all of them in the order in which events of one instant count.
var kinds = [...]Kind{
	Detect, Declare, ChangeSeverity, CorrectTimes, AssignRole, ReleaseRole, AssignTeam, SetFlag, ClearFlag, AddLink,
	Escalate, Acknowledge, StartWait, EndWait, AskApproval, Approve, Refuse, PostUpdate, Notify, RecordResult, Note,
	Mitigate, Relapse, Resolve, Reopen, OpenReview, RecordMeasure, WaiveReview, Close, Cancel, Merge, RecordScore, RedactEntry,
}

// rank is the position of k in kinds; unknown kinds come last.
func (k Kind) rank() int {
	if i := slices.Index(kinds[:], k); i >= 0 {
		return i
	}
	return len(kinds)
}

// Event is one thing that happened to an incident, as reported by somebody.
type Event struct {
	// Key makes the event unique within its incident: an event whose Key and
	// Kind are known already changes nothing. Required.
	Key string `json:"key"`
	// Kind says what happened. Required.
	Kind Kind `json:"kind"`
	// At is when it happened. Required.
	At time.Time `json:"at"`
	// RecordedAt is when it became known here. Defaults to At.
	RecordedAt time.Time `json:"recorded_at,omitzero"`
	// Actor is the stable id of the person or program. It cannot be redacted
	// later, so prefer ids to names. Required.
	Actor string `json:"actor"`
	// Imported marks a fact that another system reports. Facts are flagged
	// where a command would be refused.
	Imported bool `json:"imported,omitempty"`
	// Details depend on Kind.
	Details `json:"details,omitzero"`
}

// Details is what an event says beside its kind. Which fields count depends on
// the kind; the others are kept and do nothing.
type Details struct {
	Title        string          `json:"title,omitempty"`         // Detect, Declare
	Services     []string        `json:"services,omitempty"`      // Detect, Declare; AddLink: those that the target adds
	Domain       string          `json:"domain,omitempty"`        // Detect, Declare: technology domain
	Component    string          `json:"component,omitempty"`     // Detect, Declare: what failed, such as "db-7"
	Fingerprint  string          `json:"fingerprint,omitempty"`   // Detect, Declare: the same for incidents of one kind
	Severity     Severity        `json:"severity,omitzero"`       // Declare, ChangeSeverity
	Started      time.Time       `json:"started,omitzero"`        // Detect, Declare, CorrectTimes: begin of the impact
	Detected     time.Time       `json:"detected,omitzero"`       // Declare, CorrectTimes
	DetectedBy   Detector        `json:"detected_by,omitzero"`    // Detect, Declare
	Text         string          `json:"text,omitempty"`          // resolution, reason, news, note
	Person       string          `json:"person,omitempty"`        // who takes the role, was called, moderates
	Role         Role            `json:"role,omitempty"`          // AssignRole, ReleaseRole
	Team         string          `json:"team,omitempty"`          // Acknowledge, AssignTeam
	Centre       string          `json:"centre,omitempty"`        // Acknowledge, AssignTeam: operations centre
	Flag         Flag            `json:"flag,omitempty"`          // SetFlag, ClearFlag
	Relation     Relation        `json:"relation,omitempty"`      // AddLink
	Target       string          `json:"target,omitempty"`        // AddLink, Merge: id of the other thing
	Level        int             `json:"level,omitempty"`         // Escalate
	Measure      *Measure        `json:"measure,omitempty"`       // RecordMeasure
	Corrects     uint64          `json:"corrects,omitempty"`      // CorrectTimes, Note: number of the entry that was wrong
	Awaiting     Awaited         `json:"awaiting,omitempty"`      // StartWait: defaults to AwaitCustomer
	FirstContact bool            `json:"first_contact,omitempty"` // Resolve: by the first person who took it
	Cost         money.Amount    `json:"cost,omitzero"`           // Resolve, Close: cost of the incident
	Stage        Stage           `json:"stage,omitempty"`         // PostUpdate: how far the work has come; "" leaves it
	NextUpdate   time.Time       `json:"next_update,omitzero"`    // PostUpdate: when the next one is announced for
	Score        int             `json:"score,omitempty"`         // RecordScore: 1 to 5
	Automatic    bool            `json:"automatic,omitempty"`     // WaiveReview: by policy, not by a person
	Ref          string          `json:"ref,omitempty"`           // Notify, RecordResult, approvals: key of the message or action
	Data         json.RawMessage `json:"data,omitempty"`          // anything else a reporter wants to keep
	Redaction    *Redaction      `json:"redaction,omitempty"`     // RedactEntry
}

// EventError reports an event that cannot be recorded, whoever reports it.
type EventError struct {
	Key   string
	Kind  Kind
	Field string // JSON name of the offending field
	Want  string
}

// Error names the event, the field and what was expected.
func (e *EventError) Error() string {
	return fmt.Sprintf("event %q of kind %q: %s: want %s", e.Key, e.Kind, e.Field, e.Want)
}

// Validate returns every problem of the envelope, each an [*EventError],
// joined. What a kind needs in its details is asked of commands only, by
// [Incident.Apply].
func (e Event) Validate() error {
	var errs []error
	bad := func(field, want string) {
		errs = append(errs, &EventError{Key: e.Key, Kind: e.Kind, Field: field, Want: want})
	}
	if e.Key == "" || !utf8.ValidString(e.Key) {
		bad("key", "a non-empty UTF-8 text")
	}
	if e.Actor == "" || !utf8.ValidString(e.Actor) {
		bad("actor", "a non-empty UTF-8 text")
	}
	if e.Kind.rank() == len(kinds) {
		bad("kind", "one of "+joinKinds(kinds[:]))
	}
	const years = "an instant of the years 1 to 9999"
	if !recordable(e.At) {
		bad("at", years)
	}
	for _, t := range []struct {
		field string
		at    time.Time
	}{{"recorded_at", e.RecordedAt}, {"started", e.Started}, {"detected", e.Detected}, {"next_update", e.NextUpdate}} {
		if !t.at.IsZero() && !recordable(t.at) {
			bad(t.field, years)
		}
	}
	if e.Severity != 0 && !e.Severity.IsSet() {
		bad("severity", "P1 to P4")
	}
	if e.Score < 0 || e.Score > MaxScore {
		bad("score", "1 to 5")
	}
	if e.Measure != nil {
		if field, want := e.Measure.problem(); field != "" {
			bad("measure."+field, want)
		}
	}
	if len(e.Data) > 0 && !json.Valid(e.Data) {
		bad("data", "a JSON value")
	}
	return errors.Join(errs...)
}

func joinKinds(all []Kind) string {
	names := make([]string, len(all))
	for i, k := range all {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}

// recordable reports whether t is set and can be written as RFC 3339.
func recordable(t time.Time) bool {
	u := t.UTC()
	return !t.IsZero() && u.Year() >= 1 && u.Year() <= 9999
}

// canonical returns e with instants as they are stored: in UTC, without a
// monotonic reading.
func (e Event) canonical() Event {
	e.At = e.At.Round(0).UTC()
	if e.RecordedAt.IsZero() {
		e.RecordedAt = e.At
	}
	e.RecordedAt, e.Started, e.Detected = e.RecordedAt.Round(0).UTC(), e.Started.Round(0).UTC(), e.Detected.Round(0).UTC()
	return e
}

// clone returns a copy that shares nothing with e.
func (e Event) clone() Event {
	e.Details = e.Details.clone()
	return e
}

func (d Details) clone() Details {
	d.Services, d.Data = slices.Clone(d.Services), slices.Clone(d.Data)
	if d.Measure != nil {
		m := *d.Measure
		d.Measure = &m
	}
	if d.Redaction != nil {
		r := *d.Redaction
		r.Same = slices.Clone(r.Same)
		if r.Kept != nil {
			kept := r.Kept.clone()
			r.Kept = &kept
		}
		d.Redaction = &r
	}
	return d
}

// compareEvents is the order of the fold.
func compareEvents(a, b Event) int {
	if c := a.At.Compare(b.At); c != 0 {
		return c
	}
	if c := a.Kind.rank() - b.Kind.rank(); c != 0 {
		return c
	}
	return strings.Compare(a.Key, b.Key)
}
