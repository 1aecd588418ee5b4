package resilience

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/evenkeelops/evenkeel/adapters"
)

// Op declares one operation.
type Op struct {
	Name   string
	Tenant string
	// Repeatable says that carrying the request out twice does no more than once: it
	// reads, writes a whole state, or has a key. GET, HEAD and OPTIONS are always.
	Repeatable bool
	// Buckets are the allowances that each attempt counts against. Defaults to one of
	// the host and credential, without a limit.
	Buckets []Bucket
	// Judge changes what is made of an answer; v is the verdict of [Classify]. Defaults
	// to no change. It must not keep the body.
	Judge func(status int, header http.Header, body []byte, v Verdict) Verdict
	// Secrets are what the request holds beside those of [Config], such as a URL that
	// lets whoever knows it in. Errors show none of them. Defaults to none.
	Secrets []adapters.Secret
}

// Call is the record of one operation. Its fields are for reading once its requests
// are over; several requests may be made one after the other, the last one counts.
type Call struct {
	Status   int         // of the last answer; 0 without one
	Header   http.Header // of the last answer
	Body     []byte      // of the last answer, all of it up to Policy.MaxBody
	Attempts int         // of all requests

	op        Op
	transport *Transport

	mu      sync.Mutex      // guards the fields above and below
	failure *adapters.Error // of the last request; nil if it went well
	write   bool            // whether the last request was one
	made    *http.Request
	sent    *http.Request // as the base says; nil without an answer
}

// callContext is a context with its call, in one piece.
type callContext struct {
	context.Context
	call Call
}

type callKey struct{}

// Value returns the call, and what the parent has.
func (c *callContext) Value(key any) any {
	if key == (callKey{}) {
		return &c.call
	}
	return c.Context.Value(key)
}

// Begin declares an operation. All requests made with the context belong to it.
func (t *Transport) Begin(ctx context.Context, op Op) (context.Context, *Call) {
	c := &callContext{Context: ctx, call: Call{op: op, transport: t}}
	return c, &c.call
}

// callOf returns the call that a request belongs to. One without is an operation by
// the name of its method.
func (t *Transport) callOf(r *http.Request) *Call {
	if c, ok := r.Context().Value(callKey{}).(*Call); ok && c.transport == t {
		return c
	}
	return &Call{op: Op{Name: strings.ToLower(r.Method)}, transport: t}
}

// settle records the end of a request.
func (c *Call) settle(x *exchange) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Attempts += x.n
	c.failure, c.write, c.made, c.sent = x.failure, !reads(x.r.Method), x.r, x.sentBy
	if c.failure != nil {
		c.failure.Attempts = c.Attempts
	}
	c.Status, c.Header, c.Body = x.status, x.header, x.body
}

// Err returns nil if the call went well, else an [*adapters.Error] that says what
// happened on the network.
//
// If the network has failed, the cause is what it said, whatever the SDK has made
// of it; the text of an SDK is dropped then, for it may hold the URL. If the vendor
// has refused, err is the cause. If all went well and there is an err nevertheless,
// the SDK could not read the answer ([adapters.BadResponse]) or has refused to ask
// ([adapters.Invalid]). An err that is an [*adapters.Error] of the adapter itself is
// returned as it is.
func (c *Call) Err(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failure != nil {
		e := *c.failure
		if e.Err == nil && !is[*adapters.Error](err) {
			e.Err = c.cleaned(err)
		}
		return &e
	}
	if err == nil || is[*adapters.Error](err) {
		return err
	}
	e := c.transport.errorOf(&c.op)
	e.Attempts, e.Err = c.Attempts, c.cleaned(err)
	switch {
	case errors.Is(err, context.Canceled):
		e.Kind = adapters.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		e.Kind = adapters.Deadline
	case c.Attempts == 0:
		e.Kind = adapters.Invalid
	default:
		e.Kind, e.Status, e.MayHaveApplied = adapters.BadResponse, c.Status, c.write
	}
	return e
}

// cleaned returns err without the URL of the request, which may be a secret, and
// without what it was signed with.
func (c *Call) cleaned(err error) error {
	if c.made != nil {
		err = cleaned(err, c.made.URL)
	} else {
		err = cleaned(err, nil)
	}
	if err == nil {
		return nil
	}
	if text := c.transport.hide(&c.op, err.Error(), c.made, c.sent); text != err.Error() {
		return &reworded{text: text, err: err}
	}
	return err
}

// cleaned returns err without the URL and the secrets of the request.
func (x *exchange) cleaned(err error) error {
	err = cleaned(err, x.r.URL)
	if text := x.t.hide(x.op, err.Error(), x.r, x.signed); text != err.Error() {
		return &reworded{text: text, err: err}
	}
	return err
}

func cleaned(err error, u *url.URL) error {
	if err == nil {
		return nil
	}
	var text string
	if e, ok := errors.AsType[*url.Error](err); ok {
		text, err = strings.ReplaceAll(err.Error(), e.URL, "[url]"), e.Err
	} else {
		text = err.Error()
	}
	if u != nil {
		text = strings.ReplaceAll(text, u.String(), "[url]")
		text = strings.ReplaceAll(text, u.Redacted(), "[url]")
		if len(u.Path) > 1 {
			text = strings.ReplaceAll(text, u.RequestURI(), "[url]")
			text = strings.ReplaceAll(text, u.Path, "[url]")
		}
	}
	if text == err.Error() {
		return err
	}
	return &reworded{text: text, err: err}
}

// reworded is an error with another text.
type reworded struct {
	text string
	err  error
}

// Error returns the other text.
func (r *reworded) Error() string { return r.text }

// Unwrap returns the error itself.
func (r *reworded) Unwrap() error { return r.err }

func (t *Transport) errorOf(op *Op) *adapters.Error {
	e := &adapters.Error{Provider: t.config.Provider, Op: op.Name, Tenant: op.Tenant}
	if len(op.Buckets) > 0 {
		e.Bucket = op.Buckets[0].Name
	}
	return e
}

// causeOf returns why a context is over; errors.Is finds its Err and its Cause.
func causeOf(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// maxMessage is how much of the vendor's words is kept, in bytes.
const maxMessage = 1000

// describe makes an error of an answer, with what the vendor says of it.
func (x *exchange) describe(kind adapters.Kind, status int, header http.Header, body []byte) *adapters.Error {
	t, op := x.t, x.op
	hide := func(text string) string { return t.hide(op, text, x.r, x.signed, x.sentBy) }
	e := t.errorOf(op)
	e.Kind, e.Status, e.Bucket = kind, status, ""
	if t.config.Decode != nil {
		t.config.Decode(e, status, header, body)
	}
	if e.RequestID == "" {
		e.RequestID = header.Get("X-Request-Id")
	}
	for _, text := range []*string{&e.Message, &e.Code, &e.RequestID} {
		*text = hide(*text)
	}
	for i := range e.Details {
		e.Details[i] = hide(e.Details[i])
	}
	if len(e.Message) > maxMessage { // after that, or a half of a secret would stay
		e.Message = strings.ToValidUTF8(e.Message[:maxMessage], "")
	}
	return e
}
