package adaptertest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

// outcomes are what a single attempt of each step comes to, in memory and on a socket.
var outcomes = []struct {
	name string
	step adaptertest.Step
	want adapters.Kind
	sent bool // whether the server has seen it
}{
	{"answer", adaptertest.Step{Status: 201, Applied: true}, 0, true},
	{"delayed answer", adaptertest.Step{Delay: 20 * time.Millisecond}, 0, true},
	{"refused", adaptertest.Step{Fault: adaptertest.Refused, Applied: true}, adapters.Unavailable, false},
	{"bad certificate", adaptertest.Step{Fault: adaptertest.BadCertificate}, adapters.Unavailable, false},
	{"reset before commit", adaptertest.Step{Fault: adaptertest.Reset}, adapters.OutcomeUnknown, true},
	{"reset after commit", adaptertest.Step{Fault: adaptertest.Reset, Applied: true}, adapters.OutcomeUnknown, true},
	{"hang", adaptertest.Step{Fault: adaptertest.Hang, Applied: true}, adapters.OutcomeUnknown, true},
	{"cut body", adaptertest.Step{Fault: adaptertest.CutBody, Applied: true}, adapters.OutcomeUnknown, true},
	{"slow drip", adaptertest.Step{Fault: adaptertest.SlowDrip, Delay: 5 * time.Millisecond}, adapters.OutcomeUnknown, true},
	{"HTML", adaptertest.Step{Fault: adaptertest.HTML}, adapters.BadResponse, true},
	{"bad JSON", adaptertest.Step{Fault: adaptertest.BadJSON}, adapters.BadResponse, true},
	{"oversize", adaptertest.Step{Fault: adaptertest.Oversize}, adapters.BadResponse, true},
	{"redirect", adaptertest.Step{Fault: adaptertest.Redirect}, adapters.BadResponse, true},
	{"429", adaptertest.Step{Status: 429}, adapters.RateLimited, true},
	{"script over", adaptertest.Step{Status: 501}, adapters.Unavailable, true},
}

var policy = resilience.Policy{Attempts: 1, AttemptTimeout: 300 * time.Millisecond, MaxBody: 1 << 16}

func TestScriptInMemory(t *testing.T) {
	for _, c := range outcomes {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := adaptertest.NewScript(c.step)
				check(t, s, s, "https://vendor.example", c.want, c.sent, c.step.Applied)
			})
		})
	}
}

func TestScriptOnASocket(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, c := range outcomes {
		t.Run(c.name, func(t *testing.T) {
			s := adaptertest.NewScript(c.step)
			server := s.Serve(t, resilience.NewBase(nil))
			check(t, s, server, server.URL, c.want, c.sent, c.step.Applied)
		})
	}
	for wait := time.Millisecond; runtime.NumGoroutine() > before; wait *= 2 { // connections end on their own time
		if wait > 4*time.Second {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
		time.Sleep(wait)
	}
}

func check(t *testing.T, s *adaptertest.Script, base http.RoundTripper, url string, want adapters.Kind, sent, applied bool) {
	t.Helper()
	policy := policy
	if want != adapters.OutcomeUnknown { // no waiting for a timeout
		policy.AttemptTimeout = 10 * time.Second
	}
	transport, err := resilience.New(resilience.Config{Provider: "vendor", Base: base, Policy: policy})
	if err != nil {
		t.Fatal(err)
	}
	ctx, call := transport.Begin(t.Context(), resilience.Op{Name: "note"})
	err = call.Err(post(ctx, transport, url))
	if got := adapters.KindOf(err); got != want {
		t.Errorf("%v (%v), want %v", got, err, want)
	}
	requests, n := s.Requests(), 0
	if sent {
		n = 1
	}
	if len(requests) != n || s.Attempts() != 1 {
		t.Fatalf("%d requests in %d steps, want %d in 1", len(requests), s.Attempts(), n)
	}
	if sent && (requests[0].Method != http.MethodPost || requests[0].Path != "/notes?full=1" || requests[0].Body != `{"text":"a"}`) {
		t.Errorf("request %+v, want what was sent", requests[0])
	}
	if want := applied && sent; s.Applied() != map[bool]int{true: 1}[want] {
		t.Errorf("applied %d times, want %v", s.Applied(), want)
	}
}

func post(ctx context.Context, transport http.RoundTripper, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/notes?full=1", strings.NewReader(`{"text":"a"}`))
	if err != nil {
		return err
	}
	response, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && strings.HasSuffix(string(body), ":") {
		err = errors.New("unexpected end of JSON input")
	}
	return err
}

func TestScriptEnds(t *testing.T) {
	s := adaptertest.NewScript()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://vendor.example/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := s.RoundTrip(r)
	if err != nil || response.StatusCode != http.StatusNotImplemented {
		t.Fatalf("%v, %v, want 501", response, err)
	}
	_ = response.Body.Close()
}
