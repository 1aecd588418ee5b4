package prometheus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

const (
	maxErrorBody = 64 << 10
	maxMessage   = 200 // bytes of an answer that is not of the API
)

// errUnwanted is the cause of answers that can be read but were not asked for.
var errUnwanted = errors.New("want")

// query is what is to become of the answer to a query. It travels in the context of
// the request, so that the answer is decoded while it arrives.
type query struct {
	begin func() sink // a new one for each attempt
	begun *bool       // whether something was passed on: then nothing is repeated; nil: never

	envelope envelope
	err      error // why the answer cannot be used
}

type queryKey struct{}

// decoding sends single requests and decodes the answers to queries, of which nothing
// is left to read. It is below the transport that repeats: a connection lost within an
// answer is an error of the request there.
type decoding struct {
	next     http.RoundTripper
	timeout  time.Duration
	maxBytes int64
}

// RoundTrip makes one request. It returns answers with their bodies read.
func (d *decoding) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	watch := time.AfterFunc(d.timeout, func() { cancel(errStalled) })
	defer watch.Stop()
	resp, err := d.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return nil, stalled(ctx, err)
	}
	defer resp.Body.Close()
	body := &watched{body: resp.Body, watch: watch, timeout: d.timeout, left: d.maxBytes}
	q, _ := r.Context().Value(queryKey{}).(*query)
	if q == nil || resp.StatusCode != http.StatusOK {
		limit := d.maxBytes
		if resp.StatusCode != http.StatusOK {
			limit = maxErrorBody
		}
		data, err := io.ReadAll(io.LimitReader(body, limit+1))
		switch {
		case resp.StatusCode == http.StatusOK && errors.Is(err, ErrTooLarge):
			return nil, fmt.Errorf("%w: %w", resilience.ErrOversize, err)
		case resp.StatusCode == http.StatusOK && err != nil:
			return nil, stalled(ctx, err)
		case int64(len(data)) > limit:
			data = data[:limit]
		}
		return whole(resp, data), nil
	}
	q.envelope, q.err = newDecoder(body).answer(q.begin())
	lost := body.err != nil && !errors.Is(body.err, io.EOF) && !errors.Is(body.err, ErrTooLarge) && errors.Is(q.err, body.err)
	if lost {
		q.err = stalled(ctx, q.err)
		if q.begun == nil || !*q.begun {
			return nil, q.err
		}
		q.err = &lostError{q.err}
	}
	return whole(resp, nil), nil
}

// whole is an answer with its body in memory.
func whole(resp *http.Response, data []byte) *http.Response {
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(data)), int64(len(data))
	return resp
}

// stalled names what stopped a request.
func stalled(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errStalled) {
		return errStalled
	}
	return err
}

// lostError is a connection lost after samples were passed on.
type lostError struct{ err error }

// Error is that of the cause.
func (e *lostError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *lostError) Unwrap() error { return e.err }

// ask sends a query until it is answered, fails for good or is out of attempts: as
// POST, and where that is refused as GET. begin gives each attempt a new sink; once
// *begun, nothing is repeated.
func (c *Client) ask(ctx context.Context, op string, form url.Values, begin func() sink, begun *bool) (envelope, error) {
	outer := ctx
	q := &query{begin: begin, begun: begun}
	ctx, call := c.transport.Begin(context.WithValue(ctx, queryKey{}, q), resilience.Op{Name: op, Repeatable: true, Judge: judge})
	err := c.send(ctx, http.MethodPost, op, form, nil)
	switch call.Status {
	case http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		err = c.send(ctx, http.MethodGet, op, form, nil)
	}
	if err := call.Err(err); err != nil {
		return q.envelope, err
	}
	return q.envelope, c.verdict(outer, op, call, q.envelope, q.err)
}

// verdict returns the error of an answer that came whole; err is why it cannot be
// used.
func (c *Client) verdict(ctx context.Context, op string, call *resilience.Call, e envelope, err error) error {
	failed := &adapters.Error{Provider: provider, Op: op, Status: call.Status, Attempts: call.Attempts, Err: err}
	switch {
	case errors.Is(err, errStop):
		return err
	case err == nil && call.Status != http.StatusOK:
		failed.Kind, failed.Err = adapters.BadResponse, errRedirect
	case err == nil && e.status == "success":
		return nil
	case err == nil:
		failed.Kind, failed.Code, failed.Message = kindOf(e.errorType), e.errorType, e.message
	case errors.As(err, new(*lostError)):
		failed.Kind = adapters.Unavailable
		if ended := ctx.Err(); ended != nil {
			failed.Kind, failed.Err = adapters.Canceled, ended
			if errors.Is(ended, context.DeadlineExceeded) {
				failed.Kind = adapters.Deadline
			}
		}
	case errors.Is(err, ErrTooLarge):
		failed.Kind = adapters.TooLarge
	default:
		failed.Kind = adapters.BadResponse
	}
	return failed
}

// send makes a request; into takes the body of an answer that is not decoded while it
// arrives.
func (c *Client) send(ctx context.Context, method, op string, form url.Values, into *bytes.Buffer) error {
	address, text := c.base+"/api/v1/"+op, form.Encode()
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(text)
	} else if text != "" {
		address += "?" + text
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return err
	}
	for name, values := range c.config.Header {
		req.Header[http.CanonicalHeaderKey(name)] = slices.Clone(values)
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if into != nil {
		_, err = into.ReadFrom(resp.Body)
	}
	return err
}

// watched is a body that may not stall while it is read, and has a length to keep.
type watched struct {
	body    io.Reader
	watch   *time.Timer
	timeout time.Duration
	left    int64
	err     error
}

// Read gives every read the whole timeout, ends where the answer is larger than
// allowed, and notes how it ended.
func (w *watched) Read(p []byte) (int, error) {
	w.watch.Reset(w.timeout)
	n, err := w.body.Read(p)
	w.watch.Stop() // the reader may take its time
	if w.left -= int64(n); w.left < 0 {
		n, err = 0, ErrTooLarge
	}
	if err != nil {
		w.err = err
	}
	return n, err
}
