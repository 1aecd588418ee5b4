package prometheus

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

// What the API of Prometheus names an error, as in [adapters.Error].Code.
const (
	TypeBadData     = "bad_data"    // the expression or an argument cannot be read
	TypeExecution   = "execution"   // the expression cannot be evaluated
	TypeTimeout     = "timeout"     // the server gave up
	TypeCanceled    = "canceled"    // the server was stopped meanwhile
	TypeUnavailable = "unavailable" // the server is not ready
	TypeInternal    = "internal"
	TypeNotFound    = "not_found"
)

// ErrTooLarge means an answer above [Config].MaxBytes. It comes wrapped in an
// [*adapters.Error] of the kind TooLarge.
var ErrTooLarge = errors.New("answer larger than allowed")

// kindOf is the kind of an error that came with status 200.
func kindOf(code string) adapters.Kind {
	switch code {
	case TypeBadData, TypeExecution:
		return adapters.Invalid
	case TypeTimeout:
		return adapters.TooLarge
	case TypeNotFound:
		return adapters.NotFound
	case TypeCanceled, TypeUnavailable, TypeInternal:
		return adapters.Unavailable
	}
	return adapters.BadResponse
}

// judge takes a query that the server gave up on for one that is too large: it would
// take as long again, and the server lives.
func judge(status int, _ http.Header, body []byte, v resilience.Verdict) resilience.Verdict {
	if status == http.StatusServiceUnavailable {
		if code, _ := readError(body); code == TypeTimeout {
			return resilience.Verdict{Kind: adapters.TooLarge}
		}
	}
	return v
}

// decodeError adds what the API says.
func decodeError(e *adapters.Error, _ int, _ http.Header, body []byte) {
	e.Code, e.Message = readError(body)
}

// readError reads what the API says about an error, or the start of what else
// came.
func readError(body []byte) (code, message string) {
	text := strings.TrimSpace(string(body))
	if strings.HasPrefix(text, "{") {
		if e, err := newDecoder(strings.NewReader(text)).answer(sink{}); err == nil {
			return e.errorType, e.message
		}
	}
	if len(text) > maxMessage {
		cut := maxMessage
		for cut > 0 && !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut] + "…"
	}
	return "", strings.ToValidUTF8(text, "\uFFFD")
}

// errStalled is the cause of a request that waited too long for the next bytes.
var errStalled = errors.New("no bytes within the time allowed")

// errRedirect is the cause of an answer that is none.
var errRedirect = errors.New("an answer that is neither a result nor an error, such as a redirect")

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

// PartialError is an error in the middle of a range that is asked for in parts.
type PartialError struct {
	// Until is the first instant that is missing: what is before it came whole, and
	// the rest is asked for from here.
	Until time.Time
	Err   error // mostly an [*adapters.Error]
}

// Error names the instant and what went wrong there.
func (e *PartialError) Error() string {
	return fmt.Sprintf("whole until %s: %v", e.Until.Format(time.RFC3339Nano), e.Err)
}

// Unwrap returns what went wrong.
func (e *PartialError) Unwrap() error { return e.Err }

// partial is an error in the part that begins at an instant, in milliseconds.
func partial(first, at int64, err error) error {
	if at == first {
		return err // nothing came
	}
	return &PartialError{Until: time.UnixMilli(at).UTC(), Err: err}
}
