package resilience_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

// What a breaker makes of an attempt.
const (
	success  = "success"
	failure  = "failure"
	excluded = "excluded"
)

// header makes a header of pairs.
func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

// rows are what is seen and what is to be made of it, for a write that may be
// repeated and one that may not.
var rows = []struct {
	name     string
	step     adaptertest.Step
	keyed    string // outcome of a repeatable write after three attempts, or after one if again is false
	bare     string // outcome of another
	again    bool   // whether the repeatable one is repeated
	bareToo  bool   // whether the other is, too
	breaker  string
	mayApply bool // whether a single attempt may have been carried out
}{
	{"refused", adaptertest.Step{Fault: adaptertest.Refused}, "unavailable", "unavailable", true, true, failure, false},
	{"bad certificate", adaptertest.Step{Fault: adaptertest.BadCertificate}, "unavailable", "unavailable", true, true, failure, false},
	{"reset", adaptertest.Step{Fault: adaptertest.Reset}, "unavailable", "outcome_unknown", true, false, failure, true},
	{"cut body", adaptertest.Step{Fault: adaptertest.CutBody}, "unavailable", "outcome_unknown", true, false, failure, true},
	{"hang", adaptertest.Step{Fault: adaptertest.Hang}, "timeout", "outcome_unknown", true, false, failure, true},
	{"slow drip", adaptertest.Step{Fault: adaptertest.SlowDrip, Delay: time.Second}, "timeout", "outcome_unknown", true, false, failure, true},
	{"429", adaptertest.Step{Status: 429}, "rate_limited", "rate_limited", true, true, excluded, false},
	{"503 with Retry-After", adaptertest.Step{Status: 503, Header: header("Retry-After", "1")}, "unavailable", "unavailable", true, true, failure, false},
	{"500", adaptertest.Step{Status: 500}, "unavailable", "outcome_unknown", true, false, failure, true},
	{"502", adaptertest.Step{Status: 502}, "unavailable", "outcome_unknown", true, false, failure, true},
	{"504", adaptertest.Step{Status: 504}, "unavailable", "outcome_unknown", true, false, failure, true},
	{"503", adaptertest.Step{Status: 503}, "unavailable", "outcome_unknown", true, false, failure, true},
	{"503 with an unreadable Retry-After", adaptertest.Step{Status: 503, Header: header("Retry-After", "soon")}, "unavailable", "outcome_unknown", true, false, failure, true},
	{"501", adaptertest.Step{Status: 501}, "unavailable", "unavailable", false, false, failure, false},
	{"505", adaptertest.Step{Status: 505}, "unavailable", "unavailable", false, false, failure, false},
	{"408", adaptertest.Step{Status: 408}, "timeout", "outcome_unknown", true, false, success, true},
	{"401", adaptertest.Step{Status: 401}, "unauthorized", "unauthorized", false, false, success, false},
	{"400", adaptertest.Step{Status: 400}, "invalid", "invalid", false, false, success, false},
	{"422", adaptertest.Step{Status: 422}, "invalid", "invalid", false, false, success, false},
	{"402", adaptertest.Step{Status: 402}, "invalid", "invalid", false, false, success, false},
	{"403", adaptertest.Step{Status: 403}, "forbidden", "forbidden", false, false, success, false},
	{"404", adaptertest.Step{Status: 404}, "not_found", "not_found", false, false, success, false},
	{"410", adaptertest.Step{Status: 410}, "not_found", "not_found", false, false, success, false},
	{"409", adaptertest.Step{Status: 409}, "conflict", "conflict", false, false, success, false},
	{"413", adaptertest.Step{Status: 413}, "too_large", "too_large", false, false, success, false},
	{"400 with a cut body", adaptertest.Step{Status: 400, Fault: adaptertest.CutBody}, "invalid", "invalid", false, false, success, false},
	{"HTML", adaptertest.Step{Fault: adaptertest.HTML}, "bad_response", "bad_response", false, false, success, true},
	{"HTML that says JSON", adaptertest.Step{Body: "<html>"}, "bad_response", "bad_response", false, false, success, true},
	{"oversize", adaptertest.Step{Fault: adaptertest.Oversize}, "bad_response", "bad_response", false, false, success, true},
	{"bad JSON", adaptertest.Step{Fault: adaptertest.BadJSON}, "bad_response", "bad_response", false, false, success, true},
	{"redirect of a write", adaptertest.Step{Fault: adaptertest.Redirect, Header: header("Location", "/elsewhere")}, "bad_response", "bad_response", false, false, success, false},
}

// small answers are enough, and hops quick.
var quick = resilience.Policy{NoJitter: true, MaxBody: 1 << 16, Deadline: 10 * time.Minute}

func TestClassificationTable(t *testing.T) {
	for _, row := range rows {
		for _, repeatable := range []bool{true, false} {
			name, want, again := row.name+", keyed", row.keyed, row.again
			if !repeatable {
				name, want, again = row.name+", bare", row.bare, row.bareToo
			}
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := adaptertest.NewScript(row.step, row.step, row.step)
					transport := newTransport(t, resilience.Config{Base: s, Policy: quick})
					call, err := readingRequest(t.Context(), transport, http.MethodPost, resilience.Op{Name: "op", Repeatable: repeatable})
					attempts := 1
					if again {
						attempts = 3
					}
					if outcome(err) != want || call.Attempts != attempts || s.Attempts() != attempts {
						t.Errorf("%s after %d attempts (%d at the server), want %s after %d: %v", outcome(err), call.Attempts, s.Attempts(), want, attempts, err)
					}
					var e *adapters.Error
					if !errors.As(err, &e) || e.MayHaveApplied != row.mayApply || e.Provider != "vendor" || e.Op != "op" || e.Attempts != attempts {
						t.Errorf("error %+v, want MayHaveApplied %v and %d attempts", e, row.mayApply, attempts)
					}
					if strings.Contains(err.Error(), "vendor.example") {
						t.Errorf("error has the URL: %v", err)
					}
				})
			})
		}
		t.Run(row.name+", breaker", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got := breakerSays(t, row.step); got != row.breaker {
					t.Errorf("the breaker counts a %s, want %s", got, row.breaker)
				}
			})
		})
	}
}

// breakerSays finds out what a breaker that opens at two failures in a row makes of
// a step between two failures.
func breakerSays(t *testing.T, step adaptertest.Step) string {
	t.Helper()
	policy := quick
	policy.Attempts, policy.Breaker.Consecutive = 1, 2
	down := adaptertest.Step{Status: 500}
	transport := newTransport(t, resilience.Config{Base: adaptertest.NewScript(down, step, down), Policy: policy})
	var states []string
	for i := range 3 {
		op := resilience.Op{Name: "op", Buckets: []resilience.Bucket{{Name: string(rune('a' + i))}}}
		_, _ = request(t.Context(), transport, http.MethodPost, op)
		states = append(states, transport.States()["vendor.example"])
	}
	switch strings.Join(states, " ") {
	case "closed open open":
		return failure
	case "closed closed open":
		return excluded
	case "closed closed closed":
		return success
	}
	return strings.Join(states, " ")
}

// readingRequest is a request whose answer is read as JSON, as an SDK does.
func readingRequest(ctx context.Context, t *resilience.Transport, method string, op resilience.Op) (*resilience.Call, error) {
	ctx, call := t.Begin(ctx, op)
	r, err := http.NewRequestWithContext(ctx, method, "https://vendor.example/secret/path", strings.NewReader(`{"a":1}`))
	if err != nil {
		return call, err
	}
	response, err := (&http.Client{Transport: t}).Do(r)
	if err == nil {
		defer response.Body.Close()
		var body []byte
		if body, err = io.ReadAll(response.Body); err == nil && response.StatusCode < 300 && strings.HasSuffix(string(body), ":") {
			err = errors.New("unexpected end of JSON input")
		}
	}
	return call, call.Err(err)
}

// Rows of the table that need more than a step.

func TestGetIsRepeatable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := adaptertest.NewScript(adaptertest.Step{Status: 502}, adaptertest.Step{})
		call, err := request(t.Context(), newTransport(t, resilience.Config{Base: s, Policy: quick}), http.MethodGet, resilience.Op{Name: "read"})
		if err != nil || call.Attempts != 2 {
			t.Errorf("%v after %d attempts, want no error after 2", err, call.Attempts)
		}
	})
}

func TestRepeatBare503(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := quick
		policy.RepeatBare503 = true
		s := adaptertest.NewScript(adaptertest.Step{Status: 503}, adaptertest.Step{})
		call, err := request(t.Context(), newTransport(t, resilience.Config{Base: s, Policy: policy}), http.MethodPost, resilience.Op{Name: "note"})
		if err != nil || call.Attempts != 2 {
			t.Errorf("%v after %d attempts, want no error after 2", err, call.Attempts)
		}
	})
}

func TestRedirectsOfReads(t *testing.T) {
	for _, c := range []struct {
		name, to, want string
	}{
		{"same host", "/new", "ok"},
		{"same host by name", "https://vendor.example/new", "ok"},
		{"another host", "https://elsewhere.example/new", "bad_response"},
		{"another port", "https://vendor.example:8443/new", "bad_response"},
		{"to http", "http://vendor.example/new", "bad_response"},
		{"unreadable", "https://%zz/", "bad_response"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := adaptertest.NewScript(adaptertest.Step{Fault: adaptertest.Redirect, Header: header("Location", c.to)}, adaptertest.Step{})
			_, err := request(t.Context(), newTransport(t, resilience.Config{Base: s, Policy: quick}), http.MethodGet, resilience.Op{Name: "read"})
			if outcome(err) != c.want {
				t.Errorf("%s, want %s", outcome(err), c.want)
			}
			if c.want != "ok" && s.Attempts() != 1 {
				t.Errorf("%d requests, want the redirect not followed", s.Attempts())
			}
		})
	}
}

func TestBreakerOpenIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := quick
		policy.Attempts, policy.Breaker.Consecutive = 1, 1
		s := adaptertest.NewScript(adaptertest.Step{Status: 500}, adaptertest.Step{Delay: 5 * time.Second}, adaptertest.Step{})
		transport := newTransport(t, resilience.Config{Base: s, Policy: policy})
		op := resilience.Op{Name: "op", Repeatable: true}
		_, _ = request(t.Context(), transport, http.MethodPost, op)
		for range 2 { // twice, lest it take the slot of a probe
			call, err := wrapped(t.Context(), transport, op)
			if !errors.Is(err, adapters.BreakerOpen) || !errors.Is(err, gobreaker.ErrOpenState) || call.Attempts != 0 {
				t.Errorf("%v after %d attempts, want breaker_open by gobreaker.ErrOpenState without one", err, call.Attempts)
			}
		}
		time.Sleep(31 * time.Second)
		probe := make(chan error)
		go func() {
			_, err := request(t.Context(), transport, http.MethodPost, op)
			probe <- err
		}()
		synctest.Wait()
		if _, err := wrapped(t.Context(), transport, op); !errors.Is(err, adapters.BreakerOpen) || !errors.Is(err, gobreaker.ErrTooManyRequests) {
			t.Errorf("beside a probe: %v, want breaker_open by gobreaker.ErrTooManyRequests", err)
		}
		if err := <-probe; err != nil {
			t.Error(err)
		}
		if s.Attempts() != 2 {
			t.Errorf("%d requests, want the failure and the probe", s.Attempts())
		}
	})
}

// wrapped makes a request by an SDK that forgets the chain of errors, as some do.
func wrapped(ctx context.Context, t *resilience.Transport, op resilience.Op) (*resilience.Call, error) {
	ctx, call := t.Begin(ctx, op)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://vendor.example/secret/path", strings.NewReader(`{"a":1}`))
	if err != nil {
		return call, err
	}
	response, err := (&http.Client{Transport: t}).Do(r)
	if err != nil {
		return call, call.Err(errors.New("HTTP request failed: " + err.Error()))
	}
	return call, call.Err(response.Body.Close())
}

func TestCancelInFlight(t *testing.T) {
	for _, c := range []struct {
		name, method string
		step         adaptertest.Step
		applied      bool
		deadline     bool
	}{
		{"write", http.MethodPost, adaptertest.Step{Fault: adaptertest.Hang}, true, false},
		{"read", http.MethodGet, adaptertest.Step{Fault: adaptertest.Hang}, false, false},
		{"body", http.MethodPost, adaptertest.Step{Fault: adaptertest.SlowDrip, Delay: time.Second}, true, false},
		{"deadline of a write", http.MethodPost, adaptertest.Step{Fault: adaptertest.Hang}, true, true},
		{"deadline of a read", http.MethodGet, adaptertest.Step{Fault: adaptertest.Hang}, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				policy := quick
				policy.Breaker.Consecutive = 1
				transport := newTransport(t, resilience.Config{Base: adaptertest.NewScript(c.step), Policy: policy})
				why := errors.New("the pager was acknowledged")
				ctx, cancel := context.WithCancelCause(t.Context())
				kind, cause, state := adapters.Canceled, context.Canceled, "closed"
				if c.deadline {
					var stop context.CancelFunc
					ctx, stop = context.WithTimeoutCause(ctx, 3*time.Second, why)
					defer stop()
					kind, cause, state = adapters.Deadline, context.DeadlineExceeded, "open"
				}
				defer time.AfterFunc(4*time.Second, func() { cancel(why) }).Stop()
				_, err := request(ctx, transport, c.method, resilience.Op{Name: "op", Repeatable: true})
				var e *adapters.Error
				if !errors.As(err, &e) || e.Kind != kind || !errors.Is(err, cause) || !errors.Is(err, why) || e.MayHaveApplied != c.applied {
					t.Errorf("%#v, want %v with both causes, MayHaveApplied %v", e, kind, c.applied)
				}
				if adapters.Retryable(err) {
					t.Error("Retryable, want not: the caller decided")
				}
				if got := transport.States()["vendor.example"]; got != state {
					t.Errorf("breaker %s, want %s", got, state)
				}
			})
		})
	}
}

func TestCanceledProbeLeavesTheSlotFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := quick
		policy.Attempts, policy.Breaker.Consecutive = 1, 1
		s := adaptertest.NewScript(adaptertest.Step{Status: 500}, adaptertest.Step{Fault: adaptertest.Hang}, adaptertest.Step{})
		transport := newTransport(t, resilience.Config{Base: s, Policy: policy})
		op := resilience.Op{Name: "op", Repeatable: true}
		_, _ = request(t.Context(), transport, http.MethodPost, op)
		time.Sleep(31 * time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		defer time.AfterFunc(time.Second, cancel).Stop()
		if _, err := request(ctx, transport, http.MethodPost, op); !errors.Is(err, adapters.Canceled) {
			t.Errorf("probe: %v, want canceled", err)
		}
		if _, err := request(t.Context(), transport, http.MethodPost, op); err != nil {
			t.Errorf("after it: %v, want the next probe to close the breaker", err)
		}
	})
}

func TestBodyWithoutGetBodyIsSentOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := adaptertest.NewScript(adaptertest.Step{Status: 429}, adaptertest.Step{})
		transport := newTransport(t, resilience.Config{Base: s, Policy: quick})
		ctx, call := transport.Begin(t.Context(), resilience.Op{Name: "attach", Repeatable: true})
		body := &closed{Reader: strings.NewReader("a stream")}
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://vendor.example/", body)
		if err != nil {
			t.Fatal(err)
		}
		response, err := transport.RoundTrip(r)
		if err == nil {
			_ = response.Body.Close()
		}
		if err = call.Err(err); !errors.Is(err, adapters.RateLimited) || call.Attempts != 1 || !body.closed {
			t.Errorf("%v after %d attempts, body closed %v; want rate_limited after 1 and the body closed", err, call.Attempts, body.closed)
		}
	})
}

type closed struct {
	io.Reader
	closed bool
}

func (c *closed) Close() error {
	c.closed = true
	return nil
}
