package adapters

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Error is what every adapter returns when something goes wrong. It never holds a
// secret, a URL with a query, or the body of a request.
type Error struct {
	Provider string // "pagerduty", "jira", "servicenow", …
	Op       string // what was tried, "open", "resolve", …
	Tenant   string
	Kind     Kind
	Status   int      // of the HTTP answer; 0 without one
	Code     string   // the vendor's own code, "2001"; "" without one
	Message  string   // the vendor's words, cut to 1,000 characters
	Details  []string // its list of problems, with fields where it names them

	// RetryAt is when the vendor allows another try; zero if it did not say.
	RetryAt time.Time
	// MayHaveApplied is set when a write may have been carried out all the same.
	MayHaveApplied bool
	Attempts       int    // requests that were sent; 0 if none was
	RequestID      string // the vendor's id of the last request, for its support
	Bucket         string // the allowance that the call counts against

	// Err is the cause. Never nil in an error that an adapter returns for a reason
	// of its own, such as a cancelled context.
	Err error
}

// Error says provider, operation, kind and what the vendor said, in one line.
func (e *Error) Error() string {
	var b strings.Builder
	for _, part := range []string{e.Provider, e.Op, e.Kind.String()} {
		if part == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(part)
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, " (status %d", e.Status)
		if e.Code != "" {
			fmt.Fprintf(&b, ", code %s", e.Code)
		}
		b.WriteByte(')')
	} else if e.Code != "" {
		fmt.Fprintf(&b, " (code %s)", e.Code)
	}
	for _, part := range append([]string{e.Message}, e.Details...) {
		if part != "" {
			b.WriteString(": ")
			b.WriteString(part)
		}
	}
	if e.Message == "" && e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Is reports whether target is the kind of the error.
func (e *Error) Is(target error) bool {
	kind, ok := target.(Kind)
	return ok && kind == e.Kind && kind != 0
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Retryable reports whether err is an [*Error] of a kind that may pass without
// anybody looking; see [Kind.Retryable]. It is false for nil and for errors of
// others.
func Retryable(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Kind.Retryable()
}

// RetryAt returns when the vendor allows another try, the latest instant of errors
// that are joined; zero if none is an [*Error] or no vendor said.
func RetryAt(err error) time.Time {
	switch e := err.(type) { //nolint:errorlint // the tree is walked here
	case *Error:
		return e.RetryAt
	case interface{ Unwrap() error }:
		return RetryAt(e.Unwrap())
	case interface{ Unwrap() []error }:
		var latest time.Time
		for _, one := range e.Unwrap() {
			if at := RetryAt(one); at.After(latest) {
				latest = at
			}
		}
		return latest
	}
	return time.Time{}
}

// KindOf returns the kind of err; 0 for nil and errors of others.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return 0
}
