package notify

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters"
)

// InputError is a message, an address or a setting that cannot be used as it is.
type InputError struct {
	Field string // such as "subject" or "to"
	Value string
	Want  string
}

// Error names the field, the value and what was expected.
func (e *InputError) Error() string {
	return fmt.Sprintf("notify: %s %q: want %s", e.Field, e.Value, e.Want)
}

// Error is a step of a conversation with a mail server that failed. It shows no
// credentials. errors.As finds it as an [*adapters.Error] as well, so that mail has the
// kinds that the other senders have, and errors.Is finds the kind.
type Error struct {
	Server string // host and port
	Op     Op
	Code   int    // of the answer; 0 where none came
	Answer string // on one line
	Err    error  // why no answer came: a network error, a context error
}

// Op is a step of a conversation.
type Op string

// The steps of SMTP, in their order.
const (
	Wait    Op = "wait"    // for one of the connections that are allowed
	Connect Op = "connect" // including the greeting
	Hello   Op = "hello"
	TLS     Op = "tls"
	Auth    Op = "auth"
	From    Op = "from"
	To      Op = "to"
	Data    Op = "data" // until the server wants the text
	Text    Op = "text" // until the server says that it has it
)

// Error says which step failed and why.
func (e *Error) Error() string {
	s := fmt.Sprintf("notify: mail by %s: %s", e.Server, e.Op)
	if e.Code != 0 {
		s += fmt.Sprintf(": %d %s", e.Code, e.Answer)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Retryable reports whether the same message may be taken later. What fails before
// the first word about the message says nothing about it: a wrong password or a
// missing certificate is for the operator to repair, and the message waits, as it
// does in Postfix (smtp_sasl_auth_soft_bounce,
// https://www.postfix.org/postconf.5.html). Too many recipients (552, RFC 5321
// section 4.5.3.1.10) and a demand for TLS or a login are of that kind, too.
func (e *Error) Retryable() bool {
	switch {
	case e.Code < 500:
		return true
	case e.Op != From && e.Op != To && e.Op != Data && e.Op != Text:
		return true
	case e.Op == To && e.Code == 552:
		return true
	}
	switch e.Code {
	case 530, 534, 535, 538: // RFC 3207 section 4, RFC 4954 section 6
		return true
	}
	return false
}

// As gives itself as an [*adapters.Error] of the provider "smtp".
func (e *Error) As(target any) bool {
	out, ok := target.(**adapters.Error)
	if ok {
		*out = &adapters.Error{
			Provider: "smtp", Op: string(e.Op), Kind: e.kind(), Message: e.Answer, Err: e.Err,
			MayHaveApplied: e.Op == Text && e.Code == 0,
		}
		if e.Code != 0 {
			(*out).Code = strconv.Itoa(e.Code)
		}
	}
	return ok
}

// Is reports whether target is the kind of the error.
func (e *Error) Is(target error) bool {
	kind, ok := target.(adapters.Kind)
	return ok && kind == e.kind()
}

// kind says what happened, by the codes of RFC 5321 section 4.2 and RFC 4954
// section 6. Whether to try again is for Retryable: a refused login is of a kind
// that does not pass by itself, and the message waits for the operator all the same.
func (e *Error) kind() adapters.Kind {
	switch {
	case errors.Is(e.Err, context.Canceled):
		return adapters.Canceled
	case errors.Is(e.Err, context.DeadlineExceeded):
		return adapters.Deadline
	case e.Code == 0 && e.Op == Text:
		return adapters.OutcomeUnknown
	case e.Op == Auth && e.Code >= 500, e.Code == 530, e.Code == 534, e.Code == 535, e.Code == 538:
		return adapters.Unauthorized
	case e.Code == 550 && e.Op == To, e.Code == 551, e.Code == 553 && e.Op == To:
		return adapters.NotFound
	case e.Code == 552 && e.Op != To, e.Code == 523:
		return adapters.TooLarge
	case e.Code < 500 || e.Retryable():
		return adapters.Unavailable
	}
	return adapters.Invalid
}

// singleLine makes one line of an answer.
func singleLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }), " ")
}
