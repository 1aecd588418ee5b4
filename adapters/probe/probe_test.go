package probe_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/metrics"
	"github.com/evenkeelops/evenkeel/adapters/probe"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
	"github.com/evenkeelops/evenkeel/slo"
)

func serve(tb testing.TB, h http.Handler) string {
	tb.Helper()
	s := httptest.NewServer(h)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	tb.Cleanup(s.Close)
	return s.URL
}

func prober(tb testing.TB, c probe.Config) *probe.Prober {
	tb.Helper()
	p, err := probe.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// direct is a transport without a network, for virtual time.
type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	done := make(chan struct{})
	go func() { defer close(done); d.ServeHTTP(w, r) }()
	select {
	case <-done:
		return w.Result(), nil
	case <-r.Context().Done():
		<-done
		return nil, r.Context().Err()
	}
}

func states(r probe.Result) string {
	var all []string
	for _, s := range append(slices.Clone(r.Steps), r.Cleanup...) {
		all = append(all, string(s.State))
	}
	return strings.Join(all, " ")
}

func TestBuy(t *testing.T) {
	s := newShop()
	p := prober(t, probe.Config{Journey: buy(serve(t, s))})
	for run := range 2 {
		r := p.Probe(t.Context())
		if r.State != probe.Up || states(r) != "up up up up up up up" || !r.Clean() || r.Journey != "buy" || r.Took <= 0 {
			t.Fatalf("run %d: %+v", run, r)
		}
		for _, step := range r.Steps {
			if step.Timing.Total <= 0 || step.Timing.Total < step.Timing.FirstByte || step.Status != 200 {
				t.Errorf("step %+v", step)
			}
		}
		if first, later := r.Steps[0].Timing, r.Steps[1].Timing; first.Reused || first.Connect <= 0 || !later.Reused || later.Connect != 0 {
			t.Errorf("timings %+v, %+v: want a new connection in each run, and one", first, later)
		}
		if want := (slo.Sample{At: r.At.Add(r.Took), Counts: slo.Counts{Good: 1, Total: 1}}); r.Sample() != want || r.StepSamples()["add"] != want {
			t.Errorf("sample %+v, want %+v", r.Sample(), want)
		}
	}
	if s.users != 2 || fmt.Sprint(s.orders) != "[[B/2] [B/2]]" || len(s.carts) != 0 {
		t.Errorf("%d users, orders %v, carts %v: want two users with one order each, and no cart left", s.users, s.orders, s.carts)
	}
	if s.agents[0] != "evenkeel-probe" {
		t.Errorf("agent %q", s.agents[0])
	}
}

// TestBroken: a shop that is broken at each step, in each way.
func TestBroken(t *testing.T) {
	steps := []string{"home", "log in", "add", "remove", "add another", "check out"}
	for i, step := range steps {
		for _, fault := range []string{"500", "404", "html", "wrong", "cut", "empty"} {
			if fault == "wrong" && step == "log in" { // it gives a cart, and no header
				continue
			}
			s := newShop()
			s.broken[step] = fault
			r := prober(t, probe.Config{Journey: buy(serve(t, s))}).Probe(t.Context())
			want := strings.Repeat("up ", i) + "down" + strings.Repeat(" skipped", len(steps)-i-1)
			cleanup := " up"
			if i <= 1 {
				cleanup = " skipped" // no cart is known
			}
			if r.State != probe.Down || r.Failed != step || r.Reason == "" || states(r) != want+cleanup {
				t.Errorf("%s at %s: %s at %q because %s: %s, want %s", fault, step, r.State, r.Failed, r.Reason, states(r), want+cleanup)
			}
			if got := r.Sample(); got.Missing || got.Good != 0 || got.Total != 1 {
				t.Errorf("%s at %s: sample %+v", fault, step, got)
			}
			if later := r.StepSamples()["check out"]; i < len(steps)-1 && !later.Missing {
				t.Errorf("a step that was not reached has the sample %+v", later)
			}
			if len(s.carts) > 0 && i > 1 {
				t.Errorf("%s at %s: carts %v are left", fault, step, s.carts)
			}
		}
	}
	s := newShop()
	s.broken["delete cart"] = "500"
	r := prober(t, probe.Config{Journey: buy(serve(t, s))}).Probe(t.Context())
	if r.State != probe.Up || r.Clean() || r.Cleanup[0].State != probe.Down {
		t.Errorf("a cleanup that fails: %+v, want up and not clean", r)
	}
}

// TestSlow: deadlines of a step, of the journey and of the cleanup, in virtual time.
func TestSlow(t *testing.T) {
	for _, tt := range []struct {
		name, slow string
		by         time.Duration
		change     func(*probe.Journey)
		state      probe.State
		failed     string
		took       time.Duration
		states     string
	}{
		{"in time", "add", 9 * time.Second, nil, probe.Up, "", 9 * time.Second, "up up up up up up up"},
		{"over the step", "add", 11 * time.Second, nil, probe.Down, "add", 10 * time.Second, "up up down skipped skipped skipped up"},
		{"over its own", "add", 3 * time.Second, func(j *probe.Journey) { j.Steps[2].Timeout = 2 * time.Second }, probe.Down, "add", 2 * time.Second, "up up down skipped skipped skipped up"},
		{"over the journey", "remove", 5 * time.Second, func(j *probe.Journey) { j.Timeout = 4 * time.Second }, probe.Down, "remove", 4 * time.Second, "up up up down skipped skipped up"},
		{"the cleanup", "delete cart", time.Hour, func(j *probe.Journey) { j.CleanupTimeout = 3 * time.Second }, probe.Up, "", 0, "up up up up up up down"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newShop()
			s.slow[tt.slow] = tt.by
			j := buy("http://shop.example.com")
			if tt.change != nil {
				tt.change(&j)
			}
			r := prober(t, probe.Config{Journey: j, Transport: direct{s}}).Probe(t.Context())
			if r.State != tt.state || r.Failed != tt.failed || r.Took != tt.took || states(r) != tt.states {
				t.Errorf("%s: %s at %q after %v: %s (%s)", tt.name, r.State, r.Failed, r.Took, states(r), r.Reason)
			}
			if tt.failed != "" && !strings.Contains(r.Reason, "no answer within") {
				t.Errorf("%s: reason %s", tt.name, r.Reason)
			}
		})
	}
}

// failing answers with an error at the n-th request.
type failing struct {
	http.RoundTripper
	n   int
	err error
}

func (f *failing) RoundTrip(r *http.Request) (*http.Response, error) {
	if f.n--; f.n == 0 {
		return nil, f.err
	}
	return f.RoundTripper.RoundTrip(r)
}

// TestNoData: what the monitor is to blame for is no data, what users would see is down.
func TestNoData(t *testing.T) {
	dial := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: fmt.Errorf("connect: %w", err)}
	}
	for name, tt := range map[string]struct {
		err  error
		want probe.State
	}{
		"resolver silent":      {&net.OpError{Op: "dial", Err: &net.DNSError{Err: "i/o timeout", Name: "shop.example.com", IsTimeout: true}}, probe.NoData},
		"resolver refuses":     {&net.DNSError{Err: "server misbehaving", Name: "shop.example.com", IsTemporary: true}, probe.NoData},
		"no such name":         {&net.DNSError{Err: "no such host", Name: "shop.example.com", IsNotFound: true}, probe.Down},
		"no descriptors":       {dial(syscall.EMFILE), probe.NoData},
		"no ports":             {dial(syscall.EADDRNOTAVAIL), probe.NoData},
		"no route":             {dial(syscall.ENETUNREACH), probe.NoData},
		"no memory":            {dial(syscall.ENOMEM), probe.NoData},
		"not allowed":          {dial(syscall.EPERM), probe.NoData},
		"refused":              {dial(syscall.ECONNREFUSED), probe.Down},
		"host unreachable":     {dial(syscall.EHOSTUNREACH), probe.Down},
		"reset":                {&net.OpError{Op: "read", Err: syscall.ECONNRESET}, probe.Down},
		"closed":               {io.EOF, probe.Down},
		"certificate":          {&tls.CertificateVerificationError{Err: errors.New("expired")}, probe.Down},
		"address of the guard": {&resilience.RefusedAddressError{Addr: netip.MustParseAddr("10.0.0.1")}, probe.NoData},
	} {
		s := newShop()
		p := prober(t, probe.Config{Journey: buy("http://shop.example.com"), Transport: &failing{direct{s}, 3, tt.err}})
		r := p.Probe(t.Context())
		want := "up up " + string(tt.want) + " skipped skipped skipped up"
		if r.State != tt.want || r.Failed != "add" || states(r) != want || r.Sample().Missing != (tt.want == probe.NoData) || len(s.carts) != 0 {
			t.Errorf("%s: %s because %s: %s, want %s", name, r.State, r.Reason, states(r), want)
		}
		if strings.Contains(r.Reason, "http://") {
			t.Errorf("%s: the reason shows the URL: %s", name, r.Reason)
		}
	}
}

// TestEnded: a run that the caller ends says nothing about the service, and what it
// left behind is cleaned up.
func TestEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop()
		s.slow["remove"] = 5 * time.Second
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r := prober(t, probe.Config{Journey: buy("http://shop.example.com"), Transport: direct{s}}).Probe(ctx)
		if r.State != probe.NoData || r.Failed != "remove" || states(r) != "up up up no_data skipped skipped up" || len(s.carts) != 0 || r.Took != time.Second {
			t.Errorf("%+v: %s", r, states(r))
		}
	})
}

func TestControl(t *testing.T) {
	s := newShop()
	s.broken["add"] = "500"
	asked := 0
	var verdict error
	c := probe.Config{Journey: buy(serve(t, s)), Control: func(context.Context) error { asked++; return verdict }}
	if r := prober(t, c).Probe(t.Context()); r.State != probe.Down || asked != 1 {
		t.Errorf("the network is there: %+v, asked %d times", r, asked)
	}
	verdict = errors.New("the second site is away")
	r := prober(t, c).Probe(t.Context())
	if r.State != probe.NoData || !strings.Contains(r.Reason, "second site") || !strings.Contains(r.Reason, "status 500") || !r.StepSamples()["add"].Missing || !r.Sample().Missing {
		t.Errorf("the network is away: %+v", r)
	}
	delete(s.broken, "add")
	if r := prober(t, c).Probe(t.Context()); r.State != probe.Up || asked != 2 {
		t.Errorf("up: %+v, asked %d times", r, asked)
	}
}

// A control that gets no answer either says that nothing is reached, and ends.
func TestControlEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop()
		s.broken["add"] = "500"
		j := buy("http://shop.example.com")
		j.Timeout = time.Minute
		begin := time.Now()
		r := prober(t, probe.Config{Journey: j, Transport: direct{s}, Control: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}).Probe(t.Context())
		if took := time.Since(begin); r.State != probe.NoData || took != time.Minute {
			t.Errorf("%+v after %v, want no data after a minute", r, took)
		}
	})
}

func TestGuard(t *testing.T) {
	s := newShop()
	base := serve(t, s)
	r := prober(t, probe.Config{Journey: buy(base), Guard: &resilience.Guard{AllowHTTP: true}}).Probe(t.Context())
	if r.State != probe.NoData || len(s.handled) != 0 {
		t.Errorf("%+v, handled %v: want the address refused", r, s.handled)
	}
	inside := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	r = prober(t, probe.Config{Journey: buy(base), Guard: &resilience.Guard{Allow: inside}}).Probe(t.Context())
	if r.State != probe.NoData || r.Reason != "the guard refuses http" || len(s.handled) != 0 {
		t.Errorf("%+v, handled %v: want http refused", r, s.handled)
	}
	r = prober(t, probe.Config{Journey: buy(base), Guard: &resilience.Guard{Allow: inside, AllowHTTP: true}}).Probe(t.Context())
	if r.State != probe.Up {
		t.Errorf("allowed: %+v", r)
	}
}

func TestTiming(t *testing.T) {
	server := httptest.NewTLSServer(newShop())
	defer server.Close()
	j := buy(strings.Replace(server.URL, "127.0.0.1", "localhost", 1))
	transport := server.Client().Transport.(*http.Transport).Clone() //nolint:forcetypeassert // it is one
	transport.TLSClientConfig.ServerName = "example.com"
	r := prober(t, probe.Config{Journey: j, Transport: transport}).Probe(t.Context())
	if r.State != probe.Up {
		t.Fatalf("%+v", r)
	}
	if first := r.Steps[0].Timing; first.Connect <= 0 || first.TLS <= 0 || first.FirstByte <= 0 || first.DNS <= 0 || first.Total < first.Connect+first.TLS+first.FirstByte {
		t.Errorf("timing %+v", first)
	}
	if later := r.Steps[1].Timing; !later.Reused || later.TLS != 0 || later.DNS != 0 {
		t.Errorf("timing %+v", later)
	}
}

// TestRun: runs begin an interval apart, put off by the jitter; one that takes longer
// is followed at once, and runs that were missed are not made up for.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop()
		begin := time.Now()
		var got []string
		ctx, cancel := context.WithCancel(t.Context())
		jitter := []int64{int64(3 * time.Second), 0, int64(time.Second), 0, 0}
		n := 0
		p := prober(t, probe.Config{
			Journey: buy("http://shop.example.com"), Transport: direct{s}, Interval: 30 * time.Second, Jitter: 5 * time.Second,
			Rand: func(most int64) int64 {
				if most != int64(5*time.Second) {
					t.Errorf("jitter below %v, want 5 s", time.Duration(most))
				}
				n++
				return jitter[n-1]
			},
			OnResult: func(r probe.Result) {
				got = append(got, fmt.Sprint(r.At.Sub(begin), " ", r.State))
				s.mu.Lock()
				defer s.mu.Unlock()
				switch s.slow["home"] = 0; len(got) {
				case 2:
					s.slow["home"] = 8 * time.Second
					s.slow["log in"], s.slow["add"], s.slow["remove"] = 9*time.Second, 9*time.Second, 9*time.Second
				case 3:
					clear(s.slow)
				case 5:
					cancel()
				}
			},
		})
		if err := p.Run(ctx); err != nil {
			t.Fatal(err)
		}
		// The third begins at 60 s + 1 s and takes 35 s.
		if want := "3s up,30s up,1m1s up,1m36s up,2m6s up"; strings.Join(got, ",") != want {
			t.Errorf("runs %s, want %s", strings.Join(got, ","), want)
		}
	})
}

// TestRunEnds: the end of a run that was under way is told to nobody.
func TestRunEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop()
		s.slow["add"] = 5 * time.Second
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		p := prober(t, probe.Config{Journey: buy("http://shop.example.com"), Transport: direct{s}, OnResult: func(r probe.Result) { t.Errorf("told %+v", r) }})
		if err := p.Run(ctx); err != nil || len(s.carts) != 0 {
			t.Errorf("Run = %v, carts %v", err, s.carts)
		}
		ctx, cancel = context.WithCancel(t.Context())
		cancel()
		if err := p.Run(ctx); err != nil {
			t.Errorf("Run that is over: %v", err)
		}
	})
}

// TestMetrics: the lines of a scrape, and that what the latest run has not is gone.
func TestMetrics(t *testing.T) {
	registry := metrics.New()
	m := probe.NewMetrics(registry)
	at := time.Unix(1767225600, 500_000_000)
	m.Observe(probe.Result{Journey: "buy", At: at, State: probe.Up, Steps: []probe.StepResult{
		{Name: `add "x\`, State: probe.Up, Timing: probe.Timing{DNS: time.Millisecond, Total: 1500 * time.Millisecond}},
	}})
	m.Observe(probe.Result{Journey: "a", At: at, State: probe.Up})
	m.Observe(probe.Result{Journey: "a", At: at, State: probe.NoData})
	m.Observe(probe.Result{Journey: "buy", At: at, State: probe.Down, Steps: []probe.StepResult{
		{Name: `add "x\`, State: probe.Down, Timing: probe.Timing{Connect: 20 * time.Millisecond, TLS: 1, FirstByte: time.Second, Total: 2 * time.Second}},
	}})
	const want = `# HELP evenkeel_probe_last_run_timestamp_seconds When the latest run of a journey began.
# TYPE evenkeel_probe_last_run_timestamp_seconds gauge
evenkeel_probe_last_run_timestamp_seconds{journey="a"} 1.7672256005e+09
evenkeel_probe_last_run_timestamp_seconds{journey="buy"} 1.7672256005e+09
# HELP evenkeel_probe_runs_total Runs of a journey by what came of them.
# TYPE evenkeel_probe_runs_total counter
evenkeel_probe_runs_total{journey="a",state="down"} 0
evenkeel_probe_runs_total{journey="a",state="no_data"} 1
evenkeel_probe_runs_total{journey="a",state="up"} 1
evenkeel_probe_runs_total{journey="buy",state="down"} 1
evenkeel_probe_runs_total{journey="buy",state="no_data"} 0
evenkeel_probe_runs_total{journey="buy",state="up"} 1
# HELP evenkeel_probe_step_runs_total Steps by what came of them.
# TYPE evenkeel_probe_step_runs_total counter
evenkeel_probe_step_runs_total{journey="buy",step="add \"x\\",state="down"} 1
evenkeel_probe_step_runs_total{journey="buy",step="add \"x\\",state="no_data"} 0
evenkeel_probe_step_runs_total{journey="buy",step="add \"x\\",state="skipped"} 0
evenkeel_probe_step_runs_total{journey="buy",step="add \"x\\",state="up"} 1
# HELP evenkeel_probe_step_seconds Time of the parts of a step in the latest run.
# TYPE evenkeel_probe_step_seconds gauge
evenkeel_probe_step_seconds{journey="buy",step="add \"x\\",phase="connect"} 0.02
evenkeel_probe_step_seconds{journey="buy",step="add \"x\\",phase="first_byte"} 1
evenkeel_probe_step_seconds{journey="buy",step="add \"x\\",phase="tls"} 1e-09
evenkeel_probe_step_seconds{journey="buy",step="add \"x\\",phase="total"} 2
# HELP evenkeel_probe_up Whether the latest run of a journey was up.
# TYPE evenkeel_probe_up gauge
evenkeel_probe_up{journey="buy"} 0
`
	if got := string(registry.Append(nil)); got != want {
		t.Errorf("metrics\n%s\nwant\n%s", got, want)
	}
}

// TestJSON: a journey and a result survive JSON.
func TestJSON(t *testing.T) {
	j := buy("http://shop.example.com")
	data, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	var again probe.Journey
	if err := json.Unmarshal(data, &again); err != nil {
		t.Fatal(err)
	}
	r := prober(t, probe.Config{Journey: again, Transport: direct{newShop()}}).Probe(t.Context())
	if r.State != probe.Up {
		t.Fatalf("%+v", r)
	}
	if data, err = json.Marshal(r); err != nil || !strings.Contains(string(data), `"state":"up"`) {
		t.Errorf("%s, %v", data, err)
	}
}

func TestValidate(t *testing.T) {
	for path, spoil := range map[string]func(*probe.Journey){
		"name":                       func(j *probe.Journey) { j.Name = "" },
		"steps":                      func(j *probe.Journey) { j.Steps = nil; j.Cleanup = nil },
		"timeout":                    func(j *probe.Journey) { j.Timeout = -1 },
		"cleanup_timeout":            func(j *probe.Journey) { j.CleanupTimeout = -1 },
		"variables":                  func(j *probe.Journey) { j.Variables["1st"] = "x" },
		"steps[1].name":              func(j *probe.Journey) { j.Steps[1].Name = "home" },
		"cleanup[0].name":            func(j *probe.Journey) { j.Cleanup[0].Name = "home" },
		"steps[0].url":               func(j *probe.Journey) { j.Steps[0].URL = "ftp://${base}/" },
		"steps[2].url":               func(j *probe.Journey) { j.Steps[2].URL = "${basis}/cart" },
		"steps[0].header.X-Y":        func(j *probe.Journey) { j.Steps[0].Header = map[string]string{"X-Y": "${csrf}"} }, // not yet known
		"steps[0].header.X Y":        func(j *probe.Journey) { j.Steps[0].Header = map[string]string{"X Y": "a"} },
		"steps[0].header.A":          func(j *probe.Journey) { j.Steps[0].Header = map[string]string{"A": "a\r\nB: c"} },
		"steps[2].body":              func(j *probe.Journey) { j.Steps[2].Body = "${nothing}" },
		"steps[2].method":            func(j *probe.Journey) { j.Steps[2].Method = "post" },
		"steps[2].timeout":           func(j *probe.Journey) { j.Steps[2].Timeout = -1 },
		"steps[2].status":            func(j *probe.Journey) { j.Steps[2].Status = []int{99} },
		"steps[0].extract[0].name":   func(j *probe.Journey) { j.Steps[0].Extract[0].Name = "a-b" },
		"steps[0].extract[0].regexp": func(j *probe.Journey) { j.Steps[0].Extract[0].Regexp = "(" },
		"steps[1].extract[0].json":   func(j *probe.Journey) { j.Steps[1].Extract[0].JSON = "id" },
		"steps[1].extract[0].header": func(j *probe.Journey) { j.Steps[1].Extract[0].Header = "X" },
		"steps[2].check[0]":          func(j *probe.Journey) { j.Steps[2].Check[0] = probe.Check{JSON: "/a"} },
		"steps[2].check[0].absent":   func(j *probe.Journey) { j.Steps[2].Check[0] = probe.Check{Absent: true} },
		"steps[2].check[0].equals":   func(j *probe.Journey) { j.Steps[2].Check[0] = probe.Check{Equals: new("${x}")} },
		"steps[2].check[0].matches":  func(j *probe.Journey) { j.Steps[2].Check[0] = probe.Check{Matches: "["} },
		"steps[2].check[0].at_least": func(j *probe.Journey) { j.Steps[2].Check[0] = probe.Check{AtLeast: "1e9999"} },
		"steps[2].check[0].at_most":  func(j *probe.Journey) { j.Steps[2].Check[0] = probe.Check{AtMost: "1/3"} },
	} {
		j := buy("http://shop.example.com")
		spoil(&j)
		_, err := probe.New(probe.Config{Journey: j})
		var bad *probe.JourneyError
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), "probe: "+path+" ") {
			t.Errorf("%s: %v", path, err)
		}
	}
	for path, c := range map[string]probe.Config{"interval": {Interval: -1}, "jitter": {Jitter: -1}, "max_body": {MaxBody: -1}} {
		c.Journey = buy("http://shop.example.com")
		if _, err := probe.New(c); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestValues: where values stand in requests, and what is found in answers.
func TestValues(t *testing.T) {
	var uri, body, header string
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		uri, body, header = r.RequestURI, string(data), r.Header.Get("X-V")
		w.Header().Set("X-Big", strings.Repeat("b", 200))
		fmt.Fprint(w, `{"a/b":{"~":[10,{"":null}]},"big":123456789012345678901234567890.10,"t":true,"h":"<&>","e":1e400000000}`)
	})
	v := "a b/&\"\n${x}ü+"
	run := func(s probe.Step) probe.Result {
		t.Helper()
		s.Name, s.URL = "s", serve(t, h)+"/p/${v}?q=${v}&d=$${v}"
		return prober(t, probe.Config{Journey: probe.Journey{Name: "j", Variables: map[string]string{"v": v}, Steps: []probe.Step{s}}}).Probe(t.Context())
	}
	const coded = "a%20b%2F%26%22%0A%24%7Bx%7D%C3%BC%2B"
	run(probe.Step{Method: "POST", Body: `{"v":"${v}"}`, Header: map[string]string{"Content-Type": "application/json", "X-V": "${v}"}})
	if want := "/p/" + coded + "?q=" + coded + "&d=${v}"; uri != want || header != `a b/&"${x}ü+` {
		t.Errorf("URI %s, header %q", uri, header)
	}
	var got map[string]string
	if err := json.Unmarshal([]byte(body), &got); err != nil || got["v"] != v {
		t.Errorf("body %s, %v", body, err)
	}
	if run(probe.Step{Method: "POST", Body: `v=${v}`, Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}); body != "v=a+b%2F%26%22%0A%24%7Bx%7D%C3%BC%2B" {
		t.Errorf("form %s", body)
	}
	if run(probe.Step{Method: "POST", Body: `v=${v}`}); body != "v="+v {
		t.Errorf("text %s", body)
	}
	for _, tt := range []struct {
		check probe.Check
		why   string // "" holds
	}{
		{probe.Check{JSON: "/a~1b/~0/0", Equals: new("10"), AtLeast: "10", AtMost: "1e1"}, ""},
		{probe.Check{JSON: "/a~1b/~0/1/", Equals: new("null")}, ""},
		{probe.Check{JSON: "/a~1b", Equals: new(`{"~":[10,{"":null}]}`)}, ""},
		{probe.Check{JSON: "/t", Equals: new("true")}, ""},
		{probe.Check{JSON: "/h", Equals: new("<&>")}, ""},
		{probe.Check{JSON: "/big", AtLeast: "123456789012345678901234567890.1", AtMost: "123456789012345678901234567890.1"}, ""},
		{probe.Check{JSON: "/big", AtMost: "123456789012345678901234567890.09"}, "at most"},
		{probe.Check{JSON: "/e", AtLeast: "1"}, "want a number"},
		{probe.Check{JSON: "/t", AtLeast: "1"}, "want a number"},
		{probe.Check{JSON: "/a~1b/~0/00", Absent: true}, ""},
		{probe.Check{JSON: "/a~1b/~0/2", Equals: new("x")}, "not there"},
		{probe.Check{JSON: "/t", Absent: true}, "want none"},
		{probe.Check{JSON: "/h/x", Absent: true}, ""},
		{probe.Check{Header: "x-big", Matches: "^b{200}$", Contains: "bb"}, ""},
		{probe.Check{Header: "x-big", Equals: new("${v}")}, `…, want "a b`},
		{probe.Check{Header: "x-none", Absent: true}, ""},
		{probe.Check{Contains: "${v}"}, "in it"},
		{probe.Check{Matches: "^x"}, "a match"},
	} {
		r := run(probe.Step{Check: []probe.Check{tt.check}})
		if (r.State == probe.Up) != (tt.why == "") || !strings.Contains(r.Reason, tt.why) {
			t.Errorf("%+v: %s %s, want %q", tt.check, r.State, r.Reason, tt.why)
		}
	}
	c := probe.Config{MaxBody: 10, Journey: probe.Journey{Name: "j", Steps: []probe.Step{{Name: "s", URL: serve(t, h)}}}}
	if r := prober(t, c).Probe(t.Context()); r.State != probe.Down || !strings.Contains(r.Reason, "10 bytes") {
		t.Errorf("a body over the limit: %+v", r)
	}
	stay := buy(serve(t, newShop()))
	stay.Steps[5].Stay, stay.Steps[5].Status, stay.Steps[5].Check = true, []int{303}, []probe.Check{{Header: "Location", Equals: new("/done")}}
	if r := prober(t, probe.Config{Journey: stay}).Probe(t.Context()); r.State != probe.Up {
		t.Errorf("a redirect that is not followed: %+v", r)
	}
}

// FuzzValues: whatever answers and journeys hold, nothing panics and a value of the
// service never makes another host or header of a request.
func FuzzValues(f *testing.F) {
	f.Add("${v}/x${w}", `{"a":["${v}"]}`, "/a/0", "([a-z]+)", "1", "x@evil.example.com/")
	f.Add("$${v}${", "{", "/", "(", "1e9", "\r\nX-Bad: y")
	f.Add("${v}", `"\ud800"`, "/~2~", "", "-.5", "//evil.example.com")
	f.Fuzz(func(t *testing.T, path, answer, pointer, expression, limit, value string) {
		host := "shop.example.com"
		transport := direct{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Host != host || r.Host != host || r.Header.Get("X-Bad") != "" {
				t.Errorf("host %q, %q, header %v", r.URL.Host, r.Host, r.Header)
			}
			_, _ = io.WriteString(w, answer)
		})}
		p, err := probe.New(probe.Config{Transport: transport, Journey: probe.Journey{
			Name: "j", Variables: map[string]string{"v": value, "w": value},
			Steps: []probe.Step{
				{Name: "1", URL: "http://" + host + "/" + path, Header: map[string]string{"X-V": "${v}"}, Body: path, Extract: []probe.Extract{{Name: "v", JSON: pointer, Regexp: expression}}},
				{Name: "2", URL: "http://" + host + "/${v}", Check: []probe.Check{{JSON: pointer, Contains: limit}, {AtLeast: limit, Equals: new("${v}")}}},
			},
		}})
		if err != nil {
			return
		}
		r := p.Probe(t.Context())
		if len(r.Steps) != 2 || (r.State == probe.Up) != (r.Reason == "") {
			t.Errorf("%+v", r)
		}
	})
}
