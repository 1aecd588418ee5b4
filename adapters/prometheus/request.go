package prometheus

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	backoffBase   = time.Second
	backoffCap    = 30 * time.Second
	maxServerWait = 2 * time.Minute
	maxHint       = 24 * time.Hour
	maxErrorBody  = 64 << 10
	maxMessage    = 200 // bytes of an answer that is not of the API
)

// errUnwanted is the cause of answers that can be read but were not asked for.
var errUnwanted = errors.New("want")

// ask sends a query until it is answered, fails for good or is out of attempts.
// begin gives each attempt a new sink; once *begun, nothing is repeated.
func (c *Client) ask(ctx context.Context, op string, form url.Values, begin func() sink, begun *bool) (envelope, error) {
	for n := 1; ; n++ {
		e, hint, err := c.attempt(ctx, op, form, begin())
		if err == nil {
			return e, nil
		}
		err.Attempts = n
		wait := c.backoff(n)
		if hint >= 0 {
			err.RetryAt = c.config.Now().Add(hint)
			wait = max(wait, hint)
		}
		if n >= c.config.Attempts || !err.Retryable() || begun != nil && *begun || hint > maxServerWait || !sleep(ctx, wait) {
			return e, err
		}
	}
}

// backoff is full jitter on a doubling wait.
func (c *Client) backoff(n int) time.Duration {
	jitter := c.config.Jitter
	if jitter == nil {
		jitter = rand.Float64
	}
	d := backoffCap
	if n < 10 {
		d = min(d, backoffBase<<(n-1))
	}
	return time.Duration(jitter() * float64(d))
}

// sleep reports false where the context ends first, at once if that is certain.
func sleep(ctx context.Context, d time.Duration) bool {
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// attempt sends the query once, as POST and where that is refused as GET. hint is
// how long the server asks to wait, below 0 if it does not.
func (c *Client) attempt(ctx context.Context, op string, form url.Values, s sink) (envelope, time.Duration, *Error) {
	e, hint, err := c.send(ctx, http.MethodPost, op, form, s)
	if err != nil {
		switch err.Status {
		case http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusNotImplemented:
			return c.send(ctx, http.MethodGet, op, form, s)
		}
	}
	return e, hint, err
}

func (c *Client) send(ctx context.Context, method, op string, form url.Values, s sink) (e envelope, hint time.Duration, failed *Error) {
	fail := func(err error) *Error {
		if ended := ctx.Err(); ended != nil {
			err = ended
		}
		return &Error{Op: op, Server: c.base, Err: err}
	}
	limited, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(c.config.Timeout, func() { cancel(errStalled) })
	defer watch.Stop()

	req, err := c.request(limited, method, op, form)
	if err != nil {
		return e, -1, fail(err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return e, -1, fail(&transportError{withoutURL(limited, err)})
	}
	defer resp.Body.Close()
	body := &watched{body: resp.Body, watch: watch, timeout: c.config.Timeout, left: c.config.MaxBytes}
	if resp.StatusCode != http.StatusOK {
		failed = fail(nil)
		failed.Status = resp.StatusCode
		failed.Type, failed.Message = readError(body)
		return e, retryAfter(resp.Header, c.config.Now()), failed
	}
	e, err = newDecoder(body).answer(s)
	switch {
	case err == nil && e.status == "success":
		return e, -1, nil
	case err == nil:
		failed = fail(nil)
		failed.Type, failed.Message = e.errorType, e.message
	case body.err != nil && !errors.Is(body.err, io.EOF) && !errors.Is(body.err, ErrTooLarge) && errors.Is(err, body.err):
		failed = fail(&transportError{withoutURL(limited, err)})
	default:
		failed = fail(err)
		if ctx.Err() != nil {
			failed.Err = err // it was read before the context ended
		}
	}
	failed.Status = resp.StatusCode
	return e, -1, failed
}

func (c *Client) request(ctx context.Context, method, op string, form url.Values) (*http.Request, error) {
	address, text := c.base+"/api/v1/"+op, form.Encode()
	var body io.Reader
	if method == http.MethodGet {
		address += "?" + text
	} else {
		body = strings.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, err
	}
	for name, values := range c.config.Header {
		req.Header[http.CanonicalHeaderKey(name)] = slices.Clone(values)
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	c.authorize(req)
	return req, nil
}

// withoutURL takes the address out of an error of net/http, which a GET has the
// expression in, and names what stopped the request.
func withoutURL(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errStalled) {
		return errStalled
	}
	if u := (*url.Error)(nil); errors.As(err, &u) {
		return u.Err
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

// readError reads what the API says about an error, or the start of what else
// came.
func readError(body io.Reader) (kind, message string) {
	data, _ := io.ReadAll(io.LimitReader(body, maxErrorBody)) // what there is
	text := strings.TrimSpace(string(data))
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

// retryAfter reads the Retry-After of an answer (RFC 9110, section 10.2.3),
// decimals too: up to a day, 0 for the past, below 0 for none. A date counts from
// the answer's own.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if s, err := strconv.ParseFloat(text, 64); err == nil {
		if !(s >= 0) {
			return -1
		}
		return time.Duration(min(s, maxHint.Seconds()) * float64(time.Second))
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return -1
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(0, at.Sub(now)), maxHint)
}
