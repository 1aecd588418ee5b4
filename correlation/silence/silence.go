package silence

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/correlation/matcher"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Silence says which alerts are muted and when.
type Silence struct {
	ID     string `json:"id"` // the caller's choice, unique within the tenant
	Tenant string `json:"tenant,omitempty"`
	// Matchers have to hold all together for the labels of an alert, of which its name
	// is one: correlation.NameLabel. Each text has any number of them, as
	// matcher.ParseList reads them. They must not hold for an alert without labels.
	Matchers []string `json:"matchers"`
	// Start and End bound the silence, which is not in force at End any more. Start
	// defaults to when it is added. End is required, but for one with Hours, which may
	// go on until it is expired.
	Start time.Time `json:"start,omitzero"`
	End   time.Time `json:"end,omitzero"`
	// Hours limits the silence to when they are open, for maintenance that comes back.
	// Defaults to always.
	Hours     *calendar.Hours `json:"hours,omitempty"`
	CreatedBy string          `json:"created_by"` // required: somebody has decided
	Comment   string          `json:"comment"`    // required: and for a reason
}

// FieldError reports one field of a [Silence] that cannot be used.
type FieldError struct {
	ID    string
	Field string // such as "End" or "Matchers[0]"
	Value string
	Want  string
	Err   error // the cause, where there is one beneath
}

// Error names the silence, the field, what it holds and what was expected.
func (e *FieldError) Error() string {
	text := fmt.Sprintf("silence %q: %s is %q, want %s", e.ID, e.Field, e.Value, e.Want)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause beneath, or nil.
func (e *FieldError) Unwrap() error { return e.Err }

// silence is one that was checked.
type silence struct {
	Silence
	list  []matcher.Matcher
	hours *calendar.Calendar // nil: always
	over  bool               // its end was noted
	due   time.Time          // the timer that counts
}

// Validate reports what is wrong with a silence whenever it is added, all problems joined,
// each of them a [*FieldError].
func (v Silence) Validate() error {
	at := v.Start
	if at.IsZero() && !v.End.IsZero() {
		at = v.End.Add(-1)
	}
	_, err := compile(v, at)
	return err
}

// compile checks a silence at an instant. All problems are joined, each of them a
// [*FieldError].
func compile(v Silence, at time.Time) (*silence, error) {
	s := &silence{Silence: v}
	s.Matchers = slices.Clone(v.Matchers)
	var problems []error
	bad := func(field, got, want string, err error) {
		problems = append(problems, &FieldError{ID: v.ID, Field: field, Value: got, Want: want, Err: err})
	}
	if v.ID == "" {
		bad("ID", v.ID, "a text that is not empty", nil)
	}
	whole := true
	for n, text := range v.Matchers {
		list, err := matcher.ParseList(text)
		if err != nil {
			whole = false
			bad(fmt.Sprintf("Matchers[%d]", n), text, "matchers", err)
		}
		s.list = append(s.list, list...)
	}
	if whole && matcher.All(s.list, nil) {
		bad("Matchers", matcher.Format(s.list), "a matcher that an empty value does not satisfy", nil)
	}
	if s.Start.IsZero() {
		s.Start = at
	}
	s.Start, s.End = plain(s.Start), plain(s.End)
	switch {
	case s.End.IsZero() && v.Hours == nil:
		bad("End", "", "an end, or hours", nil)
	case s.End.IsZero():
	case !s.End.After(s.Start):
		bad("End", s.End.Format(time.RFC3339Nano), "an end after the start", nil)
	case !s.End.After(at):
		bad("End", s.End.Format(time.RFC3339Nano), "an end in the future", nil)
	}
	if v.Hours != nil {
		var err error
		if s.hours, err = calendar.New(*v.Hours); err != nil {
			bad("Hours", v.Hours.Zone, "hours of a calendar", err)
		}
	}
	if v.CreatedBy == "" {
		bad("CreatedBy", "", "who decided it", nil)
	}
	if v.Comment == "" {
		bad("Comment", "", "the reason", nil)
	}
	return s, errors.Join(problems...)
}

// plain is an instant in UTC without a reading of the monotonic clock; the zero time
// stays what it is.
func plain(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.Round(0).UTC()
}

// State is what a silence does at an instant. The zero value means "not set".
type State string

// The states.
const (
	Pending State = "pending" // Start is still to come
	Active  State = "active"  // it mutes
	Resting State = "resting" // its hours are closed
	Expired State = "expired"
)

// state returns what the silence does at an instant.
func (s *silence) state(at time.Time) State {
	switch {
	case !s.End.IsZero() && !at.Before(s.End):
		return Expired
	case at.Before(s.Start):
		return Pending
	case s.hours != nil && !s.hours.IsOpen(at):
		return Resting
	}
	return Active
}

// mutes reports whether the silence holds back an alert with these labels.
func (s *silence) mutes(labels map[string]string, at time.Time) bool {
	return matcher.All(s.list, labels) && s.state(at) == Active
}

// next returns the instant after one at which the silence begins, may let go of
// something, ends or is forgotten; false if there is none.
func (s *silence) next(after time.Time, retention time.Duration) (time.Time, bool) {
	if s.over {
		return s.End.Add(retention), true
	}
	due := s.End
	if s.Start.After(after) {
		due = s.Start
	}
	if s.hours != nil {
		if at, _, err := s.hours.NextTransition(after); err == nil && (due.IsZero() || at.Before(due)) {
			due = at
		}
	}
	return due, !due.IsZero()
}
