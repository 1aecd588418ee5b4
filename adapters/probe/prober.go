package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

// Config is what a [Prober] needs. Journey is required.
type Config struct {
	Journey Journey

	// Interval is the time from the beginning of a run to that of the next; one that
	// takes longer is followed by the next at once. Defaults to 1 min.
	Interval time.Duration
	// Jitter is the most by which a run is put off, so that many probers do not come
	// together. The next is not put off with it. Defaults to none.
	Jitter time.Duration
	// OnResult is told of each run of Run. Defaults to nobody.
	OnResult func(Result)
	// Control is asked after a run that is down whether this machine reaches anything at
	// all, such as a second site. Its error makes the run no data. Its context ends after
	// the Timeout of the journey. Defaults to nothing.
	Control func(ctx context.Context) error

	// Guard keeps a journey that tenants wrote away from what is inside, and from http
	// unless it allows that, also where it is redirected to. Defaults to none.
	Guard *resilience.Guard
	// Transport makes the requests, and then Guard is for it to see to. Defaults to one
	// that makes a connection for each run and host, with certificates checked.
	Transport http.RoundTripper
	// MaxBody is the largest answer in bytes; a larger one is down. Defaults to 4 MiB.
	MaxBody int64
	// Agent is the User-Agent. Defaults to "evenkeel-probe", so that owners can tell
	// monitors from people.
	Agent string
	// Rand returns a number in [0, n), for the jitter. Defaults to a random one.
	Rand func(n int64) int64
}

// Prober runs a journey. It is safe for concurrent use; runs share nothing.
type Prober struct{ config Config }

// New checks the configuration. Errors are of type [*Error], joined.
func New(c Config) (*Prober, error) {
	err := c.Journey.Validate()
	for _, bad := range []struct {
		path, value string
		is          bool
	}{
		{"interval", c.Interval.String(), c.Interval < 0},
		{"jitter", c.Jitter.String(), c.Jitter < 0},
		{"max_body", strconv.FormatInt(c.MaxBody, 10), c.MaxBody < 0},
	} {
		if bad.is {
			err = errors.Join(err, &JourneyError{bad.path, bad.value, "0 or more"})
		}
	}
	if err != nil {
		return nil, err
	}
	c.Interval, c.MaxBody, c.Agent = cmp.Or(c.Interval, time.Minute), cmp.Or(c.MaxBody, 4<<20), cmp.Or(c.Agent, "evenkeel-probe")
	c.Journey.Timeout, c.Journey.CleanupTimeout = cmp.Or(c.Journey.Timeout, time.Minute), cmp.Or(c.Journey.CleanupTimeout, 30*time.Second)
	if c.Rand == nil {
		c.Rand = rand.Int64N
	}
	return &Prober{c}, nil
}

// Run runs the journey every interval until the context ends, and returns nil. A run
// that is under way then is cleaned up and told to nobody.
func (p *Prober) Run(ctx context.Context) error {
	for next := time.Now(); ctx.Err() == nil; {
		wait := time.Until(next)
		if p.config.Jitter > 0 {
			wait += time.Duration(p.config.Rand(int64(p.config.Jitter)))
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			continue
		case <-timer.C:
		}
		if r := p.Probe(ctx); ctx.Err() == nil && p.config.OnResult != nil {
			p.config.OnResult(r)
		}
		if next = next.Add(p.config.Interval); next.Before(time.Now()) {
			next = time.Now()
		}
	}
	return nil
}

// Probe runs the journey once, as a user without cookies.
func (p *Prober) Probe(ctx context.Context) Result {
	j := p.config.Journey
	r := Result{Journey: j.Name, At: time.Now(), State: Up}
	transport := p.config.Transport
	if transport == nil {
		// One of its own, so that each run sees what it costs to come for the first time.
		// The time of the step is the limit, not one of the transport.
		own := resilience.NewBase(&resilience.BaseOptions{Guard: p.config.Guard, DialTimeout: p.config.Journey.Timeout})
		defer own.CloseIdleConnections()
		transport = own
	}
	jar, _ := cookiejar.New(nil) // without a list of public suffixes it cannot fail
	v := &visit{prober: p, client: http.Client{Transport: transport, Jar: jar}, variables: map[string]string{}}
	maps.Copy(v.variables, j.Variables)
	within, cancel := context.WithTimeout(ctx, j.Timeout)
	for _, s := range j.Steps {
		step := StepResult{Name: s.Name, State: Skipped, Reason: "an earlier step is not up"}
		if r.State == Up {
			if step = v.do(within, ctx, s); step.State != Up {
				r.State, r.Failed, r.Reason = step.State, s.Name, step.Reason
			}
		}
		r.Steps = append(r.Steps, step)
	}
	cancel()
	r.Took = time.Since(r.At)
	r.Cleanup = v.cleanUp(ctx, j)
	if r.State == Down && p.config.Control != nil {
		within, cancel := context.WithTimeout(ctx, j.Timeout)
		err := p.config.Control(within)
		cancel()
		if err != nil {
			r.State, r.Reason = NoData, fmt.Sprintf("this machine reaches nothing: %v; %s", err, r.Reason)
			for i := range r.Steps {
				if r.Steps[i].State == Down {
					r.Steps[i].State = NoData
				}
			}
		}
	}
	return r
}

// visit is one run.
type visit struct {
	prober    *Prober
	client    http.Client
	variables map[string]string
}

// cleanUp takes away what the run has left behind, also one that was ended.
func (v *visit) cleanUp(ctx context.Context, j Journey) []StepResult {
	caller := context.WithoutCancel(ctx)
	ctx, cancel := context.WithTimeout(caller, j.CleanupTimeout)
	defer cancel()
	var all []StepResult
	for _, s := range j.Cleanup {
		if unknown := s.unknown(v.variables); unknown != "" {
			all = append(all, StepResult{Name: s.Name, State: Skipped, Reason: "nothing is known of " + unknown})
			continue
		}
		all = append(all, v.do(ctx, caller, s))
	}
	return all
}

// unknown returns a variable of the request that has no value.
func (s Step) unknown(variables map[string]string) string {
	texts := []string{s.URL, s.Body}
	for _, value := range s.Header {
		texts = append(texts, value)
	}
	for _, text := range texts {
		if _, unknown := parse(text).fill(variables, nil); unknown != "" {
			return unknown
		}
	}
	return ""
}

// do makes the request of a step and judges the answer. The end of caller is that of the
// run, the end of ctx that of its time.
func (v *visit) do(ctx, caller context.Context, s Step) StepResult {
	out := StepResult{Name: s.Name, State: Up}
	fail := func(state State, why string) StepResult {
		out.State, out.Reason = state, why
		return out
	}
	r, err := v.request(s)
	if err != nil {
		return fail(Down, err.Error())
	}
	limit := cmp.Or(s.Timeout, 10*time.Second)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	client := v.client
	if s.Stay {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	watch := &stopwatch{}
	begin := time.Now()
	answer, err := client.Do(r.WithContext(watch.trace(ctx)))
	var body []byte
	if err == nil {
		out.Status = answer.StatusCode
		body, err = io.ReadAll(io.LimitReader(answer.Body, v.prober.config.MaxBody+1))
		_ = answer.Body.Close()
	}
	out.Timing = watch.timing(time.Since(begin))
	switch {
	case err != nil:
		if own := ownFault(caller, err); own != "" {
			return fail(NoData, own)
		}
		return fail(Down, unanswered(ctx, err, limit))
	case int64(len(body)) > v.prober.config.MaxBody:
		return fail(Down, fmt.Sprintf("the answer has more than %d bytes", v.prober.config.MaxBody))
	case !s.takes(out.Status):
		return fail(Down, fmt.Sprintf("status %d", out.Status))
	}
	d := &document{header: answer.Header, body: body}
	for _, c := range s.Check {
		if why := c.test(d, v.variables); why != "" {
			return fail(Down, why)
		}
	}
	for _, e := range s.Extract {
		value, why := e.take(d)
		if why != "" {
			return fail(Down, e.Name+": "+why)
		}
		v.variables[e.Name] = value
	}
	return out
}

// request fills the templates of a step.
func (v *visit) request(s Step) (*http.Request, error) {
	to, unknown := parse(s.URL).fill(v.variables, inURL)
	if unknown == "" {
		unknown = s.unknown(v.variables)
	}
	if unknown != "" {
		return nil, fmt.Errorf("nothing is known of %s", unknown)
	}
	header := http.Header{"User-Agent": {v.prober.config.Agent}}
	for name, text := range s.Header {
		value, _ := parse(text).fill(v.variables, inHeader)
		header.Set(name, value)
	}
	body, _ := parse(s.Body).fill(v.variables, inBody(header.Get("Content-Type")))
	r, err := http.NewRequest(s.method(), to, strings.NewReader(body)) //nolint:noctx // it gets its context with the watch
	if err != nil || r.URL.Host == "" {
		return nil, errors.New("the variables make no URL") // which may hold a secret
	}
	r.Header = header
	if host := header.Get("Host"); host != "" {
		r.Host = host
	}
	return r, nil
}

// unanswered says why there is no answer, without the URL.
func unanswered(ctx context.Context, err error, limit time.Duration) string {
	if ctx.Err() != nil {
		return fmt.Sprintf("no answer within %v, or within the time of the journey", limit)
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	return err.Error()
}
