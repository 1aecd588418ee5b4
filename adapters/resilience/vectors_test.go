package resilience_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

func millis(n float64) time.Duration { return time.Duration(n * float64(time.Millisecond)) }

// vectorPolicy is the policy that the file of faults is written for.
type vectorPolicy struct {
	Attempts       int     `json:"max_attempts"`
	Base           float64 `json:"base_ms"`
	Multiplier     float64 `json:"multiplier"`
	Cap            float64 `json:"cap_ms"`
	Jitter         string  `json:"jitter"`
	AttemptTimeout float64 `json:"attempt_timeout_ms"`
	MaxServerWait  float64 `json:"max_server_wait_ms"`
	Deadline       float64 `json:"deadline_ms"`
	Breaker        struct {
		Consecutive  int     `json:"consecutive_failures"`
		Window       float64 `json:"window_ms"`
		Bucket       float64 `json:"bucket_ms"`
		MinRequests  int     `json:"min_requests"`
		FailureRatio float64 `json:"failure_ratio"`
		Open         float64 `json:"open_ms"`
		Probes       int     `json:"half_open_probes"`
	} `json:"breaker"`
}

func (p vectorPolicy) policy() resilience.Policy {
	return resilience.Policy{
		Attempts: p.Attempts, Base: millis(p.Base), Multiplier: p.Multiplier, Cap: millis(p.Cap), NoJitter: p.Jitter == "none",
		AttemptTimeout: millis(p.AttemptTimeout), MaxServerWait: millis(p.MaxServerWait), Deadline: millis(p.Deadline),
		Breaker: resilience.Breaker{
			Consecutive: p.Breaker.Consecutive, Window: millis(p.Breaker.Window), Period: millis(p.Breaker.Bucket),
			MinRequests: p.Breaker.MinRequests, FailureRatio: p.Breaker.FailureRatio, Open: millis(p.Breaker.Open), Probes: p.Breaker.Probes,
		},
	}
}

type vectorStep struct {
	Status  int
	Headers map[string]string
	Fault   adaptertest.Fault
	Applied bool
	Delay   float64 `json:"delay_ms"`
}

func (s vectorStep) step() adaptertest.Step {
	h := http.Header{}
	for name, value := range s.Headers {
		h.Set(name, value)
	}
	return adaptertest.Step{Status: s.Status, Header: h, Fault: s.Fault, Applied: s.Applied, Delay: millis(s.Delay)}
}

func script(steps []vectorStep) *adaptertest.Script {
	played := make([]adaptertest.Step, len(steps))
	for i, s := range steps {
		played[i] = s.step()
	}
	return adaptertest.NewScript(played...)
}

// attempts keeps when attempts began and ended.
type attempts struct {
	mu         sync.Mutex
	start, end []time.Time
}

func (a *attempts) Attempt(at resilience.Attempt) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	a.start, a.end = append(a.start, now.Add(-at.Took)), append(a.end, now)
}

// renewable is a credential that can be renewed.
type renewable struct{ logins int }

func (*renewable) Apply(*http.Request) error { return nil }
func (r *renewable) Renew(context.Context, *http.Request) (bool, error) {
	r.logins++
	return true, nil
}
func (*renewable) ID() string { return "renewable" }

// request makes one request and returns what became of it.
func request(ctx context.Context, t *resilience.Transport, method string, op resilience.Op) (*resilience.Call, error) {
	return requestTo(ctx, t, method, "https://vendor.example/api", op)
}

func requestTo(ctx context.Context, t *resilience.Transport, method, url string, op resilience.Op) (*resilience.Call, error) {
	ctx, call := t.Begin(ctx, op)
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(`{"a":1}`))
	if err != nil {
		return call, err
	}
	response, err := (&http.Client{Transport: t}).Do(r)
	if err == nil {
		_ = response.Body.Close()
	}
	return call, call.Err(err)
}

func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	return adapters.KindOf(err).String()
}

func TestVectors(t *testing.T) {
	began := time.Now()
	f := testutil.OpenVectors(t, "adapters", "faults.json")
	var p vectorPolicy
	f.Fixture("policy", &p)
	// inBubble runs a check in virtual time.
	inBubble := func(check func(*testing.T, testutil.Case, resilience.Policy) error) func(c testutil.Case) error {
		return func(c testutil.Case) (err error) {
			synctest.Test(t, func(t *testing.T) { err = check(t, c, p.policy()) })
			return err
		}
	}
	f.Run(t, testutil.Kinds{
		"call":    inBubble(checkCall),
		"breaker": inBubble(checkBreaker),
		"pause":   inBubble(checkPause),
		"limit":   inBubble(checkLimit),
	})
	hints := testutil.OpenVectors(t, "adapters", "rate_headers.json")
	hints.Run(t, testutil.Kinds{"any": checkHint, "pagerduty": checkHint, "jira": checkHint, "servicenow": checkHint})
	t.Logf("60 cases in virtual time took %v, on an idle machine well under 2 s", time.Since(began))
}

func newTransport(t *testing.T, c resilience.Config) *resilience.Transport {
	t.Helper()
	if c.Provider == "" {
		c.Provider = "vendor"
	}
	transport, err := resilience.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return transport
}

func checkCall(t *testing.T, c testutil.Case, policy resilience.Policy) error {
	t.Helper()
	var in struct {
		Op struct {
			Method     string
			Repeatable bool
		}
		Steps       []vectorStep
		Refreshable bool
		Deadline    *float64 `json:"deadline_ms"`
		Cancel      *float64 `json:"cancel_ms"`
		Want        struct {
			Attempts int
			Outcome  string
			Waits    []int64 `json:"waits_ms"`
			Elapsed  int64   `json:"elapsed_ms"`
			Applied  int
			Logins   int
			RetryAt  *int64 `json:"retry_at_ms"`
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	s, seen, login := script(in.Steps), &attempts{}, &renewable{}
	config := resilience.Config{Base: s, Policy: policy, Observer: seen, Credential: resilience.Bearer(adapters.NewSecret("static"))}
	if in.Refreshable {
		config.Credential = login
	}
	ctx := t.Context()
	if in.Deadline != nil {
		config.Policy.Deadline = millis(*in.Deadline)
	}
	if in.Cancel != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer time.AfterFunc(millis(*in.Cancel), cancel).Stop()
	}
	start := time.Now()
	call, err := request(ctx, newTransport(t, config), in.Op.Method, resilience.Op{Name: "op", Repeatable: in.Op.Repeatable})
	end := time.Now()

	waits := []int64{}
	for i := 1; i < len(seen.start); i++ {
		waits = append(waits, seen.start[i].Sub(seen.end[i-1]).Milliseconds())
	}
	if rest := end.Sub(seen.end[len(seen.end)-1]); rest > 0 {
		waits = append(waits, rest.Milliseconds())
	}
	got, want := fmt.Sprintf("%d attempts, %s, waits %v, %d ms, applied %d, logins %d", call.Attempts, outcome(err), waits,
		end.Sub(start).Milliseconds(), s.Applied(), login.logins),
		fmt.Sprintf("%d attempts, %s, waits %v, %d ms, applied %d, logins %d", in.Want.Attempts, in.Want.Outcome, in.Want.Waits,
			in.Want.Elapsed, in.Want.Applied, in.Want.Logins)
	if got != want {
		return fmt.Errorf("got  %s (%w)\nwant %s", got, err, want)
	}
	if in.Want.RetryAt != nil {
		if at := adapters.RetryAt(err); at.Sub(start).Milliseconds() != *in.Want.RetryAt {
			return fmt.Errorf("RetryAt %v after the start, want %d ms", at.Sub(start), *in.Want.RetryAt)
		}
	}
	return nil
}

func checkBreaker(t *testing.T, c testutil.Case, policy resilience.Policy) error {
	t.Helper()
	var in struct {
		Calls []struct {
			At      float64 `json:"at_ms"`
			Step    vectorStep
			Outcome string
			Server  int
			State   string
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	policy.Attempts = 1
	base := &switched{}
	transport := newTransport(t, resilience.Config{Base: base, Policy: policy})
	start := time.Now()
	for i, want := range in.Calls {
		time.Sleep(millis(want.At) - time.Since(start))
		s := script([]vectorStep{want.Step})
		base.to = s
		_, err := request(t.Context(), transport, http.MethodGet, resilience.Op{Name: "op", Buckets: []resilience.Bucket{{Name: strconv.Itoa(i)}}})
		state := transport.States()["vendor.example"]
		if outcome(err) != want.Outcome || s.Attempts() != want.Server || state != want.State {
			return fmt.Errorf("call %d: %s, %d at the server, %s; want %s, %d, %s", i, outcome(err), s.Attempts(), state,
				want.Outcome, want.Server, want.State)
		}
	}
	return nil
}

// switched is a base that changes.
type switched struct{ to http.RoundTripper }

func (s *switched) RoundTrip(r *http.Request) (*http.Response, error) { return s.to.RoundTrip(r) }

// byOp sends each operation to a script of its own.
type byOp struct {
	to map[string]*adaptertest.Script
}

func (b *byOp) RoundTrip(r *http.Request) (*http.Response, error) {
	return b.to[r.Header.Get("Op")].RoundTrip(r)
}

func checkPause(t *testing.T, c testutil.Case, policy resilience.Policy) error {
	t.Helper()
	var in struct {
		Calls []struct {
			At     float64 `json:"at_ms"`
			Bucket string
			Steps  []vectorStep
			Server []int64 `json:"server_ms"`
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	base := &byOp{to: map[string]*adaptertest.Script{}}
	for i, call := range in.Calls {
		base.to[strconv.Itoa(i)] = script(call.Steps)
	}
	transport := newTransport(t, resilience.Config{Base: base, Policy: policy})
	start := time.Now()
	var wg sync.WaitGroup
	errs := make([]error, len(in.Calls))
	for i, call := range in.Calls {
		wg.Go(func() {
			time.Sleep(millis(call.At))
			ctx, record := transport.Begin(t.Context(), resilience.Op{Name: "op", Repeatable: true, Buckets: []resilience.Bucket{{Name: call.Bucket}}})
			r, _ := http.NewRequestWithContext(ctx, http.MethodPost, "https://vendor.example/", http.NoBody)
			r.Header.Set("Op", strconv.Itoa(i))
			response, err := (&http.Client{Transport: transport}).Do(r)
			if err == nil {
				_ = response.Body.Close()
			}
			errs[i] = record.Err(err)
		})
	}
	wg.Wait()
	for i, call := range in.Calls {
		var got []int64
		for _, r := range base.to[strconv.Itoa(i)].Requests() {
			got = append(got, r.At.Sub(start).Milliseconds())
		}
		if errs[i] != nil || !slices.Equal(got, call.Server) {
			return fmt.Errorf("call %d: at the server %v (%w), want %v", i, got, errs[i], call.Server)
		}
	}
	return nil
}

func checkLimit(t *testing.T, c testutil.Case, policy resilience.Policy) error {
	t.Helper()
	var in struct {
		Rate   float64 `json:"rate_per_s"`
		Burst  int
		At     []float64 `json:"at_ms"`
		Server []int64   `json:"server_ms"`
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	s := adaptertest.NewScript(make([]adaptertest.Step, len(in.At))...)
	transport := newTransport(t, resilience.Config{Base: s, Policy: policy})
	start := time.Now()
	var wg sync.WaitGroup
	for _, at := range in.At {
		wg.Go(func() {
			time.Sleep(millis(at))
			op := resilience.Op{Name: "op", Buckets: []resilience.Bucket{{Name: "a", PerSecond: in.Rate, Burst: in.Burst}}}
			if _, err := request(t.Context(), transport, http.MethodPost, op); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var got []int64
	for _, r := range s.Requests() {
		got = append(got, r.At.Sub(start).Milliseconds())
	}
	slices.Sort(got)
	if !slices.Equal(got, in.Server) {
		return fmt.Errorf("at the server %v, want %v", got, in.Server)
	}
	return nil
}

func checkHint(c testutil.Case) error {
	var in struct {
		Now     time.Time
		Headers map[string]string
		Want    json.RawMessage `json:"want_ms"`
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	h := http.Header{}
	for name, value := range in.Headers {
		h.Set(name, value)
	}
	got := "null"
	if wait, ok := resilience.Hint(h, in.Now); ok {
		got = strconv.FormatInt(wait.Milliseconds(), 10)
	}
	if got != string(in.Want) {
		return fmt.Errorf("%s, want %s", got, in.Want)
	}
	return nil
}
