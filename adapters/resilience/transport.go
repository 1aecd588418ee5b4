package resilience

import (
	"errors"
	"net/http"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
)

// Config is what a Transport needs.
type Config struct {
	// Provider names the vendor in errors. Required.
	Provider string
	// Base sends single requests. It must not repeat, and follows no redirect.
	// Defaults to NewBase(nil).
	Base http.RoundTripper
	// Policy says how often, how long and how fast. Zero fields take the defaults.
	Policy Policy
	// Credential signs each attempt. Defaults to none.
	Credential Credential
	// Secrets are what requests hold beside the credential, such as keys in their
	// bodies. As with the credential, errors show none of them, even if the vendor's
	// answer does. Defaults to none.
	Secrets []adapters.Secret
	// Decode adds what the vendor's body says to an error: code, message, details,
	// request id, and a kind that differs from that of the status; 0 if all is well
	// after all. If it sets Bucket to the name of one of the operation, a 429 pauses
	// that bucket alone. Defaults to nothing.
	Decode func(e *adapters.Error, status int, header http.Header, body []byte)
	// Observer is told of attempts, waits and breakers. Defaults to nobody.
	Observer Observer
}

// Transport is an http.RoundTripper. It is safe for concurrent use. One transport
// stands for one vendor and one credential: it is there that allowances, pauses and
// breakers are shared. Several of one credential share allowances and pauses by
// [Policy].Allowances.
type Transport struct {
	config   Config
	policy   Policy
	id       string // of the credential
	traces   bool   // whether the base wants to be told of connections
	buckets  *recent[allowance, *bucket]
	breakers *recent[place, *breaker]
	alarms   alarms
}

// How long what nobody asks for is remembered. Pauses are at most that long.
const idle = maxHint

// New returns a transport.
func New(c Config) (*Transport, error) {
	if c.Provider == "" {
		return nil, errors.New("resilience: Config.Provider is empty, want the name of the vendor")
	}
	policy, err := c.Policy.withDefaults()
	if err != nil {
		return nil, err
	}
	if c.Base == nil {
		c.Base = NewBase(nil)
	}
	if policy.Allowances == nil {
		policy.Allowances = NewAllowances(policy.MaxBuckets)
	}
	t := &Transport{
		config: c, policy: policy, buckets: policy.Allowances.buckets,
		breakers: newRecent[place, *breaker](policy.MaxBuckets, idle),
	}
	_, own := c.Base.(*Base)
	t.traces = own && traceKey != nil
	if c.Credential != nil {
		t.id = c.Credential.ID()
	}
	return t, nil
}

// RoundTrip makes a request, again where it may and should, and returns the last
// answer, its body read and closed. Answers that nothing can be made of, and what
// is not answered, are errors of type [*adapters.Error].
//
// In order: the deadline; then for each attempt the breaker, which refuses before
// anything is spent; the pause of the bucket; the limiter; the request within
// Policy.AttemptTimeout, answer included. Only a body with GetBody is sent twice. A 404 to a DELETE
// of which an earlier attempt may have been carried out is returned as 204.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	call := t.callOf(r)
	now := time.Now()
	x := &exchange{t: t, op: &call.op, r: r, deadline: now.Add(t.policy.Deadline)}
	if by, ok := r.Context().Deadline(); ok && by.Before(x.deadline) {
		x.deadline = by
	}
	x.run(now) //nolint:contextcheck // the exchange has the context of the request
	call.settle(x)
	if x.response == nil {
		return nil, x.failure
	}
	return x.response, nil
}

// CloseIdleConnections closes those of the base.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.config.Base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// States returns the states of the breakers by host: "closed", "half-open" or
// "open". Of several credentials of a host the worst counts.
func (t *Transport) States() map[string]string {
	states := map[string]string{}
	for p, b := range t.breakers.all() {
		state := b.State().String()
		if now := states[p.host]; now != "open" && (now != "half-open" || state == "open") {
			states[p.host] = state
		}
	}
	return states
}
