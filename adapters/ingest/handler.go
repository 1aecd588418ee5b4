package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

// Delivery is one webhook that was verified and not seen before.
type Delivery struct {
	Name     string // of the receiver
	Keys     []string
	Header   http.Header // without Authorization
	Body     []byte      // as it was sent; unknown fields are in it
	Value    any         // what Config.Read made of the body; nil with Config.Keys
	Started  time.Time   // when the request came
	Received time.Time   // when its body had
}

// Config is what a Handler needs.
type Config struct {
	// Name of the receiver, for deliveries. Required.
	Name string
	// Verifier checks who sent a body; see [HMAC], [Slack], [Bearer], [Basic] and
	// [Certificate]. New refuses one whose Check has an error. Required, unless Verify
	// is set in its place.
	Verifier Verifier
	// Verify is a check without settings to be checked. Its error makes a 401, or a 403
	// if it wraps [ErrForbidden].
	Verify func(r *http.Request, body []byte, now time.Time) error
	// Keys names what a body is about, the same on every attempt to deliver it. A body
	// all of whose keys are known is answered and not handed on; no keys means that
	// nothing is known of it. An error makes a 400. Required, unless Read is set in its
	// place.
	Keys func(r *http.Request, body []byte) ([]string, error)
	// Read is Keys for a receiver that has to decode the body for them, and hands on
	// what it decoded as Delivery.Value.
	Read func(r *http.Request, body []byte) (keys []string, value any, err error)
	// Seen remembers keys. Defaults to a [Window] of 100,000 keys.
	Seen Seen
	// Accept takes a delivery durably; after it has returned nil the sender is told
	// so. An error makes a 503. It should be fast: senders wait 5 s at most
	// (PagerDuty). Of deliveries with the same keys one is in Accept at a time, within
	// this handler. Required.
	Accept func(ctx context.Context, d Delivery) error
	// MaxBody is the largest body. Defaults to 5 MiB.
	MaxBody int64
	// BodyTimeout is how long a body may take to arrive, where the server can bound
	// that; a sender that is slower gets a 503. Defaults to 10 s.
	BodyTimeout time.Duration
	// Pending is how many requests may be in Accept, or wait for one of the same keys
	// that is; those above get a 503 at once. A body that is still arriving takes no
	// place, so that nobody blocks the others by sending slowly. Defaults to 1,000.
	Pending int
	// RetryAfter is what a 503 asks for. Defaults to 5 s.
	RetryAfter time.Duration
	// Now returns the time. Defaults to time.Now.
	Now func() time.Time
}

// ErrForbidden is wrapped by errors of Verify for a sender that is known and may
// not send here.
var ErrForbidden = errors.New("not allowed")

// Handler is an http.Handler that receives the webhooks of one sender. It is safe
// for concurrent use.
type Handler struct {
	config  Config
	pending chan struct{}
	flights flights
	stats   struct{ accepted, repeated, unread, unverified, tooLarge, refused atomic.Uint64 }
}

// Stats counts what was received since the handler was made.
type Stats struct {
	Accepted   uint64 // handed on
	Repeated   uint64 // known
	Unreadable uint64 // 400: the sender may drop it, so somebody should look
	Unverified uint64 // 401 and 403
	TooLarge   uint64 // 413
	Refused    uint64 // 503: the sender will try again
}

// New checks the configuration.
func New(c Config) (*Handler, error) {
	for _, required := range []struct {
		name string
		set  bool
	}{
		{"Name", c.Name != ""},
		{"Verifier", c.Verifier != nil || c.Verify != nil},
		{"Keys", c.Keys != nil || c.Read != nil},
		{"Accept", c.Accept != nil},
	} {
		if !required.set {
			return nil, fmt.Errorf("ingest: %s missing", required.name)
		}
	}
	if c.Verifier != nil && c.Verify != nil || c.Keys != nil && c.Read != nil {
		return nil, errors.New("ingest: want Verifier or Verify, and Keys or Read, not both")
	}
	if c.MaxBody < 0 || c.BodyTimeout < 0 || c.Pending < 0 || c.RetryAfter < 0 {
		return nil, errors.New("ingest: MaxBody, BodyTimeout, Pending and RetryAfter must not be negative")
	}
	if c.Verifier != nil {
		if err := c.Verifier.Check(); err != nil {
			return nil, err
		}
		c.Verify = c.Verifier.Verify
	}
	if keys := c.Keys; keys != nil {
		c.Read = func(r *http.Request, body []byte) ([]string, any, error) {
			list, err := keys(r, body)
			return list, nil, err
		}
	}
	if c.MaxBody == 0 {
		c.MaxBody = 5 << 20
	}
	if c.BodyTimeout == 0 {
		c.BodyTimeout = 10 * time.Second
	}
	if c.Pending == 0 {
		c.Pending = 1000
	}
	if c.RetryAfter == 0 {
		c.RetryAfter = 5 * time.Second
	}
	if c.Seen == nil {
		c.Seen = NewWindow(0)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Handler{config: c, pending: make(chan struct{}, c.Pending)}, nil
}

// Stats returns the figures of now.
func (h *Handler) Stats() Stats {
	s := &h.stats
	return Stats{
		Accepted: s.accepted.Load(), Repeated: s.repeated.Load(), Unreadable: s.unread.Load(),
		Unverified: s.unverified.Load(), TooLarge: s.tooLarge.Load(), Refused: s.refused.Load(),
	}
}

// ServeHTTP receives one webhook.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "want POST", http.StatusMethodNotAllowed)
		return
	}
	began := h.config.Now()
	// Writers that know no deadlines, as those of tests, are read without.
	server := http.NewResponseController(w)
	bounded := server.SetReadDeadline(time.Now().Add(h.config.BodyTimeout)) == nil
	body, ok := h.body(w, r)
	if !ok {
		return
	}
	if bounded { // the end of the time for the body would look as if the sender had gone
		_ = server.SetReadDeadline(time.Time{})
	}
	now := h.config.Now()
	if err := h.config.Verify(r, body, now); err != nil {
		h.stats.unverified.Add(1)
		status := http.StatusUnauthorized
		if errors.Is(err, ErrForbidden) {
			status = http.StatusForbidden
		}
		http.Error(w, "not verified", status)
		return
	}
	keys, value, err := h.config.Read(r, body)
	if err != nil {
		h.unread(w, err)
		return
	}
	select {
	case h.pending <- struct{}{}:
		defer func() { <-h.pending }()
	default:
		h.refuse(w)
		return
	}
	header := r.Header.Clone()
	header.Del("Authorization")
	known, err := h.accept(r.Context(), Delivery{Name: h.config.Name, Keys: keys, Header: header, Body: body, Value: value, Started: began, Received: now})
	switch {
	case err != nil:
		h.refuse(w)
		return
	case known:
		h.stats.repeated.Add(1)
	default:
		h.stats.accepted.Add(1)
	}
	w.WriteHeader(http.StatusAccepted)
}

// body reads the body, or answers why it does not. What is left of the body is not
// waited for then, which would hold the answer back.
func (h *Handler) body(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	if len(h.pending) == cap(h.pending) { // before any work
		w.Header().Set("Connection", "close")
		h.refuse(w)
		return nil, false
	}
	var body []byte
	var err error
	limited := http.MaxBytesReader(w, r.Body, h.config.MaxBody)
	switch {
	case r.ContentLength > h.config.MaxBody:
		err = &http.MaxBytesError{Limit: h.config.MaxBody}
	case r.ContentLength > 0 && r.ContentLength <= 64<<10: // what is only announced gets no more memory at once
		body = make([]byte, r.ContentLength)
		_, err = io.ReadFull(limited, body)
	default:
		body, err = io.ReadAll(limited)
	}
	if err == nil {
		return body, true
	}
	w.Header().Set("Connection", "close")
	_, large := errors.AsType[*http.MaxBytesError](err)
	switch {
	case large:
		h.stats.tooLarge.Add(1)
		http.Error(w, fmt.Sprintf("body over %d bytes", h.config.MaxBody), http.StatusRequestEntityTooLarge)
	case errors.Is(err, os.ErrDeadlineExceeded):
		h.refuse(w)
	default:
		h.unread(w, err)
	}
	return nil, false
}

// accept hands a delivery on unless all of its keys are known. Of those with keys
// in common one is on its way at a time, as far as the answer depends on it.
func (h *Handler) accept(ctx context.Context, d Delivery) (known bool, err error) {
	for {
		own, other := h.flights.claim(d.Keys)
		known, err := h.known(ctx, own)
		if err != nil || !known || other == nil {
			defer h.flights.release(own)
			if err != nil || known && len(d.Keys) > 0 {
				return known, err
			}
			if err := h.config.Accept(ctx, d); err != nil {
				return false, err
			}
			// After the durable part: a key that was noted before it would lose the delivery
			// if the process died in between. Where noting fails the delivery may come twice,
			// but the sender need not be asked for that. One that has gone will send again, so
			// noting does not end with it.
			_ = h.config.Seen.Add(context.WithoutCancel(ctx), d.Keys)
			return false, nil
		}
		// What is not in flight is known; the rest may become so.
		h.flights.release(own)
		select {
		case <-other.done:
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// known reports whether all keys were seen, which is so of none.
func (h *Handler) known(ctx context.Context, keys []string) (bool, error) {
	for _, key := range keys {
		seen, err := h.config.Seen.Has(ctx, key)
		if err != nil || !seen {
			return false, err
		}
	}
	return true, nil
}

func (h *Handler) unread(w http.ResponseWriter, err error) {
	h.stats.unread.Add(1)
	http.Error(w, err.Error(), http.StatusBadRequest)
}

func (h *Handler) refuse(w http.ResponseWriter) {
	h.stats.refused.Add(1)
	w.Header().Set("Retry-After", strconv.FormatInt(int64((h.config.RetryAfter+time.Second-1)/time.Second), 10))
	http.Error(w, "busy, send again", http.StatusServiceUnavailable)
}
