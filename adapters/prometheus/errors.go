package prometheus

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Types of errors that the API of Prometheus names, as in [Error].Type.
const (
	TypeBadData     = "bad_data"    // the expression or an argument cannot be read
	TypeExecution   = "execution"   // the expression cannot be evaluated
	TypeTimeout     = "timeout"     // the server gave up
	TypeCanceled    = "canceled"    // the server was stopped meanwhile
	TypeUnavailable = "unavailable" // the server is not ready
	TypeInternal    = "internal"
)

// ErrTooLarge means an answer above [Config].MaxBytes. It comes wrapped in an
// [*Error].
var ErrTooLarge = errors.New("answer larger than allowed")

// Error is a request that gave no result. It names the server without its
// credentials and without the expression.
type Error struct {
	Op       string    // "query" or "query_range"
	Server   string    // scheme, host and path of Config.URL
	Status   int       // HTTP status; 0 where no answer came
	Type     string    // by the API, such as TypeBadData; "" where it did not say
	Message  string    // by the API, or the start of an answer that is not of the API
	Attempts int       // requests sent
	RetryAt  time.Time // when the server asked to come back; zero where it did not say
	Err      error     // the cause: a *DecodeError, a network error, a context error; may be nil
}

// Error says what was asked of whom and what came back.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "prometheus %s at %s", e.Op, e.Server)
	if e.Status != 0 && e.Status != http.StatusOK {
		fmt.Fprintf(&b, ": status %d", e.Status)
	}
	if e.Type != "" {
		b.WriteString(": " + e.Type)
	}
	if e.Message != "" {
		fmt.Fprintf(&b, ": %q", e.Message)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&b, " (%d attempts)", e.Attempts)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Retryable reports whether the same request may succeed later: the server was
// not reached, did not answer in time, or said that it is busy. A context that
// ended is the caller's decision and not retryable.
func (e *Error) Retryable() bool {
	switch e.Status {
	case 0, http.StatusOK:
		return e.Err != nil && errors.As(e.Err, new(*transportError)) && !errors.Is(e.Err, context.Canceled)
	case http.StatusServiceUnavailable:
		return e.Type != TypeTimeout // it would take as long again
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// transportError is a failure on the way, as against an answer that is wrong.
type transportError struct{ err error }

// Error is that of the cause.
func (e *transportError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *transportError) Unwrap() error { return e.err }

// errStalled is the cause of a request that waited too long for the next bytes.
var errStalled = errors.New("no bytes within the time allowed")

// DecodeError is an answer that is not what the API promises.
type DecodeError struct {
	Offset int64  // bytes into the body
	Want   string // what was expected there
	Err    error  // io.ErrUnexpectedEOF where the body ended, otherwise mostly nil
}

// Error names the place and what was expected.
func (e *DecodeError) Error() string {
	s := fmt.Sprintf("answer at byte %d: want %s", e.Offset, e.Want)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *DecodeError) Unwrap() error { return e.Err }

// RangeError is a range that cannot be asked for.
type RangeError struct {
	From, Until time.Time
	Step        time.Duration // 0 for raw samples
	Want        string
}

// Error names the range and what was expected.
func (e *RangeError) Error() string {
	s := fmt.Sprintf("range from %s until %s", e.From.UTC().Format(time.RFC3339Nano), e.Until.UTC().Format(time.RFC3339Nano))
	if e.Step != 0 {
		s += fmt.Sprintf(" in steps of %v", e.Step)
	}
	return s + ": want " + e.Want
}
