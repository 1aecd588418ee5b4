package prometheus_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/prometheus"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
	"github.com/evenkeelops/evenkeel/slo"
)

const empty = `{"status":"success","data":{"resultType":"matrix","result":[]}}`

// asked serves the answers in turn, the last one for ever, and keeps the requests.
type asked struct {
	answers []func(http.ResponseWriter)

	mu    sync.Mutex // a request may end before its handler does
	forms []string   // method, path and arguments
}

func (a *asked) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	a.mu.Lock()
	a.forms = append(a.forms, r.Method+" "+r.URL.Path+" "+r.Form.Encode())
	i := min(len(a.forms), len(a.answers)) - 1
	a.mu.Unlock()
	a.answers[i](w)
}

// requests returns what was asked so far.
func (a *asked) requests() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.forms)
}

func status(code int, body string, headers ...string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

func serve(t *testing.T, answers ...func(http.ResponseWriter)) (*asked, string) {
	t.Helper()
	a := &asked{answers: answers}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	return a, server.URL
}

// TestSplit asks a server that answers every step and refuses what Prometheus
// refuses.
func TestSplit(t *testing.T) {
	tests := []struct {
		name      string
		max       int
		steps     int64 // after the first point
		wantParts int
	}{
		{"one point", 0, 0, 1},
		{"a full part", 0, 10_999, 1},       // 11 000 points
		{"one more", 0, 11_000, 2},          // 11 001
		{"31 days at 15 s", 0, 178_560, 17}, // 178 561 / 11 000 = 16.2…
		{"small parts", 7, 20, 3},           // 21 / 7
		{"single points", 1, 4, 5},
	}
	from := time.UnixMilli(1_795_326_186_500)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			const step = 15_000
			parts := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				parts++
				start, end := milli(t, r.FormValue("start")), milli(t, r.FormValue("end"))
				if milli(t, r.FormValue("step")) != step || (end-start)/step > 11_000 || end < start {
					t.Errorf("asked for %v", r.Form)
				}
				b := []byte(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[`)
				for at := start; at <= end; at += step {
					if at > start {
						b = append(b, ',')
					}
					b = fmt.Appendf(b, `[%d.%03d,"%d"]`, at/1000, at%1000, at)
				}
				b = append(b, `]}]},"warnings":["one store is down"]}`...)
				_, _ = w.Write(b)
			}))
			defer server.Close()
			c := client(t, prometheus.Config{BaseURL: server.URL, MaxPoints: tt.max})
			until := from.Add(time.Duration(tt.steps)*step*time.Millisecond + 14*time.Second) // between two steps
			r, err := c.QueryRange(t.Context(), "x", from, until, step*time.Millisecond)
			if err != nil || len(r.Series) != 1 || parts != tt.wantParts {
				t.Fatalf("%d series, %v in %d parts, want 1 in %d", len(r.Series), err, parts, tt.wantParts)
			}
			points := r.Series[0].Points
			if int64(len(points)) != tt.steps+1 {
				t.Fatalf("%d points, want %d", len(points), tt.steps+1)
			}
			for i, p := range points {
				if want := from.UnixMilli() + int64(i)*step; p.UnixMilli != want || p.Value != float64(want) {
					t.Fatalf("point %d = %v, want %d at %d", i, p, want, want)
				}
			}
			if !slices.Equal(r.Warnings, []string{"one store is down"}) {
				t.Errorf("warnings %q, want the one of all parts once", r.Warnings)
			}
		})
	}
}

func milli(t *testing.T, seconds string) int64 {
	t.Helper()
	f, err := strconv.ParseFloat(seconds, 64)
	if err != nil {
		t.Error(err)
	}
	return int64(f*1000 + 0.5)
}

func TestRangeErrors(t *testing.T) {
	c := client(t, prometheus.Config{BaseURL: "http://127.0.0.1:1"})
	at := time.Unix(1000, 0)
	tests := []struct {
		name        string
		from, until time.Time
		step        time.Duration
		want        string
	}{
		{"end first", at, at.Add(-time.Second), time.Second, "an end that is not before the start"},
		{"no step", at, at, 0, "a step of whole milliseconds above 0"},
		{"fine step", at, at, 1500 * time.Microsecond, "a step of whole milliseconds above 0"},
	}
	for _, tt := range tests {
		_, err := c.QueryRange(t.Context(), "x", tt.from, tt.until, tt.step)
		if e, ok := errors.AsType[*prometheus.RangeError](err); !ok || e.Want != tt.want {
			t.Errorf("%s: %v, want a RangeError wanting %s", tt.name, err, tt.want)
		}
	}
	for _, err := range c.Samples(t.Context(), "x", at, at.Add(-1*time.Second)) {
		if _, ok := errors.AsType[*prometheus.RangeError](err); !ok {
			t.Errorf("Samples with the end first: %v, want a RangeError", err)
		}
	}
}

// TestSamples counts from the texts of samples: 2^53 and one more are the same
// float64.
func TestSamples(t *testing.T) {
	server, url := serve(t,
		status(200, `{"status":"success","data":{"resultType":"matrix","result":[
			{"metric":{"__name__":"n","code":"200"},"values":[[999.999,"5"],[1000,"9007199254740992"],[1030,"9007199254740993"],[1060,"NaN"]]},
			{"metric":{"__name__":"n","code":"500"},"values":[[1001,"18446744073709551614"]]}]},"infos":["only counters"]}`),
		status(200, `{"status":"success","data":{"resultType":"matrix","result":[
			{"metric":{"code":"500","__name__":"n"},"values":[[1101,"18446744073709551615"]]},
			{"metric":{"__name__":"n","code":"200"},"values":[[1100,"2"],[1150,"3"]]}]}}`))
	var infos []string
	c := client(t, prometheus.Config{BaseURL: url, MaxRange: 100 * time.Second, OnWarning: func(s string) { infos = append(infos, s) }})
	counters := map[int]*slo.Counter{}
	sums := map[string]uint64{}
	gaps := 0
	for s, err := range c.Samples(t.Context(), "n", time.Unix(1000, 0), time.Unix(1150, 0)) {
		if err != nil {
			t.Fatal(err)
		}
		counter := counters[s.Series]
		if counter == nil {
			counter = &slo.Counter{}
			counters[s.Series] = counter
		}
		v, err := counter.Observe(s.At, s.Value)
		if err != nil {
			t.Fatal(err)
		}
		n, _ := v.Uint64()
		sums[s.Labels.String()] += n
		if s.Value.IsGap() {
			gaps++
		}
	}
	// 1 up to the gap, then a reset to 2; the sample at 1150 is outside.
	if a, b := sums[`n{code="200"}`], sums[`n{code="500"}`]; a != 3 || b != 1 || gaps != 1 || len(counters) != 2 {
		t.Errorf("increases %d and %d with %d gaps in %d series, want 3 and 1 with 1 in 2", a, b, gaps, len(counters))
	}
	want := []string{ // 100 s back from 1099.999, then 50 s back from 1149.999
		"POST /api/v1/query query=n%5B100000ms%5D&time=1099.999",
		"POST /api/v1/query query=n%5B50000ms%5D&time=1149.999",
	}
	if !slices.Equal(server.requests(), want) {
		t.Errorf("asked %q, want %q", server.requests(), want)
	}
	if !slices.Equal(infos, []string{"only counters"}) {
		t.Errorf("infos %q, want one", infos)
	}
}

func TestSamplesStop(t *testing.T) {
	server, url := serve(t, status(200, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"1"],[2,"2"]]}]}}`))
	c := client(t, prometheus.Config{BaseURL: url})
	for s, err := range c.Samples(t.Context(), "n", time.Unix(0, 0), time.Unix(1e6, 0)) {
		if err != nil || s.Value != slo.NewValue(1) {
			t.Errorf("got %v, %v, want 1", s, err)
		}
		break
	}
	if len(server.requests()) != 1 {
		t.Errorf("%d requests, want 1", len(server.requests()))
	}
}

func TestSamplesRefused(t *testing.T) {
	tests := []struct{ name, result, want string }{
		{"negative", `"matrix","result":[{"metric":{"a":"b"},"values":[[1,"-1"]]}]`, `{a="b"} at 1970-01-01T00:00:01Z: parse counter value "-1"`},
		{"infinite", `"matrix","result":[{"metric":{},"values":[[1,"+Inf"]]}]`, `counter value "+Inf"`},
		{"no number", `"matrix","result":[{"metric":{},"values":[[1,"one"]]}]`, `counter value "one"`},
		{"histogram", `"matrix","result":[{"metric":{},"histograms":[[1,{"count":"1","sum":"2"}]]}]`, "numbers, not native histograms"},
		{"vector", `"vector","result":[]`, "raw samples, not a vector"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, url := serve(t, status(200, `{"status":"success","data":{"resultType":`+tt.result+`}}`))
			var got error
			for _, err := range client(t, prometheus.Config{BaseURL: url}).Samples(t.Context(), "n", time.Unix(0, 0), time.Unix(9, 0)) {
				got = err
			}
			if _, ok := errors.AsType[*adapters.Error](got); !ok || !strings.Contains(got.Error(), tt.want) {
				t.Errorf("error %v, want an Error with %q", got, tt.want)
			}
		})
	}
}

func TestHistograms(t *testing.T) {
	_, url := serve(t, status(200, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},
		"histogram":[1.5,{"count":"10","sum":"3.5","buckets":[[0,"-1","1","2"],[1,"1","2.5","3"],[2,"3","4","4"],[3,"-0.1","0.1","1"]]}]}]}}`))
	r, err := client(t, prometheus.Config{BaseURL: url}).Query(t.Context(), "h", time.Time{})
	if err != nil || len(r.Series) != 1 || len(r.Series[0].Histograms) != 1 {
		t.Fatalf("got %+v, %v, want one histogram", r, err)
	}
	h := r.Series[0].Histograms[0]
	want := []prometheus.Bucket{
		{Lower: -1, Upper: 1, UpperInclusive: true, Count: 2},
		{Lower: 1, Upper: 2.5, LowerInclusive: true, Count: 3},
		{Lower: 3, Upper: 4, Count: 4},
		{Lower: -0.1, Upper: 0.1, LowerInclusive: true, UpperInclusive: true, Count: 1},
	}
	if h.UnixMilli != 1500 || h.Count != 10 || h.Sum != 3.5 || !slices.Equal(h.Buckets, want) {
		t.Errorf("got %+v, want 10 events, sum 3.5 and %+v", h, want)
	}
}

// TestFaults plays what servers and proxies do wrong.
func TestFaults(t *testing.T) {
	ok := status(200, `{"status":"success","data":{"resultType":"scalar","result":[1,"7"]}}`)
	cut := func(w http.ResponseWriter) { // shorter than announced
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"status":"success","data":{"resultType":"scalar","result":[1,"`)
	}
	reset := func(http.ResponseWriter) { panic(http.ErrAbortHandler) }
	api := `{"status":"error","errorType":"unavailable","error":"not ready"}`
	tests := []struct {
		name     string
		answers  []func(http.ResponseWriter)
		requests int
		want     string // in the error; "" for none
	}{
		{"well", []func(http.ResponseWriter){ok}, 1, ""},
		{"busy once", []func(http.ResponseWriter){status(429, "slow down"), ok}, 2, ""},
		{"not ready once", []func(http.ResponseWriter){status(503, api, "Retry-After", "0"), ok}, 2, ""},
		{"all codes that pass", []func(http.ResponseWriter){status(500, ""), status(502, ""), ok}, 3, ""},
		{"too long", []func(http.ResponseWriter){status(504, "")}, 3, "unavailable (status 504)"},
		{"request timeout", []func(http.ResponseWriter){status(408, ""), ok}, 2, ""},
		{"asks to wait an hour", []func(http.ResponseWriter){status(429, "", "Retry-After", "3600")}, 1, "rate_limited (status 429)"},
		{"slow query", []func(http.ResponseWriter){status(503, `{"status":"error","errorType":"timeout","error":"x"}`)}, 1, "too_large (status 503, code timeout): x"},
		{"not implemented by GET either", []func(http.ResponseWriter){status(501, "")}, 2, "unavailable (status 501)"},
		{"POST refused", []func(http.ResponseWriter){status(405, "GET only"), ok}, 2, ""},
		{"POST forbidden", []func(http.ResponseWriter){status(403, "read only"), ok}, 2, ""},
		{"forbidden", []func(http.ResponseWriter){status(403, "no")}, 2, "forbidden (status 403): no"},
		{"unauthorised", []func(http.ResponseWriter){status(401, "who?")}, 1, "unauthorized (status 401): who?"},
		{"redirect", []func(http.ResponseWriter){status(302, "", "Location", "http://127.0.0.1:1/")}, 1, "bad_response (status 302)"},
		{"cut once", []func(http.ResponseWriter){cut, ok}, 2, ""},
		{"cut", []func(http.ResponseWriter){cut}, 3, "unavailable: unexpected EOF"},
		{"reset once", []func(http.ResponseWriter){reset, ok}, 2, ""},
		{"garbage", []func(http.ResponseWriter){status(200, "<html>")}, 1, `byte 0: want "{"`},
		{"nothing", []func(http.ResponseWriter){status(200, "")}, 1, `byte 0: want "{": unexpected EOF`},
		{"half", []func(http.ResponseWriter){status(200, `{"status":"success","data":`)}, 1, `byte 27: want "{": unexpected EOF`},
		{"error with 200", []func(http.ResponseWriter){status(200, api)}, 1, "unavailable (status 200, code unavailable): not ready"},
		{"too large", []func(http.ResponseWriter){status(200, `{"x":"`+strings.Repeat("x", 5000)+`"}`)}, 1, "answer larger than allowed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server, url := serve(t, tt.answers...)
			// Without waits: Retry-After alone decides.
			r, err := client(t, prometheus.Config{BaseURL: url, MaxBytes: 4096}).Query(t.Context(), "x", time.Unix(1, 0))
			if len(server.requests()) != tt.requests {
				t.Errorf("%d requests, want %d", len(server.requests()), tt.requests)
			}
			if tt.want == "" {
				if err != nil || len(r.Series) != 1 || r.Series[0].Points[0].Value != 7 {
					t.Errorf("got %+v, %v, want 7", r, err)
				}
				return
			}
			if e, ok := errors.AsType[*adapters.Error](err); !ok || !strings.Contains(e.Error(), tt.want) || e.Op != "query" || len(r.Series) > 0 {
				t.Errorf("got %+v, %v, want an Error with %q", r, err, tt.want)
			}
		})
	}
}

func TestErrorKinds(t *testing.T) {
	_, url := serve(t, status(200, `[`))
	_, err := client(t, prometheus.Config{BaseURL: url}).Query(t.Context(), "x", time.Time{})
	if d, ok := errors.AsType[*prometheus.DecodeError](err); !ok || d.Offset != 0 {
		t.Errorf("garbage: %v, want a DecodeError at byte 0", err)
	}
	_, url = serve(t, status(200, empty))
	_, err = client(t, prometheus.Config{BaseURL: url, MaxBytes: 10}).Query(t.Context(), "x", time.Time{})
	if !errors.Is(err, prometheus.ErrTooLarge) {
		t.Errorf("a large answer: %v, want ErrTooLarge", err)
	}
}

// TestPartialSamples loses the connection after samples were passed on: nothing
// may come twice.
func TestPartialSamples(t *testing.T) {
	server, url := serve(t, func(w http.ResponseWriter) {
		w.Header().Set("Content-Length", "100000")
		_, _ = io.WriteString(w, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"1"],`+strings.Repeat(" ", 200))
	})
	samples := 0
	var got error
	for _, err := range client(t, prometheus.Config{BaseURL: url}).Samples(t.Context(), "n", time.Unix(0, 0), time.Unix(9, 0)) {
		if err != nil {
			got = err
			continue
		}
		samples++
	}
	e, ok := errors.AsType[*adapters.Error](got)
	if samples != 1 || len(server.requests()) != 1 || !ok || !errors.Is(got, io.ErrUnexpectedEOF) || !adapters.Retryable(e) {
		t.Errorf("%d samples, %d requests, %v, want 1, 1 and an unexpected EOF that may be tried again", samples, len(server.requests()), got)
	}
}

// TestContext ends the context while the server is silent.
func TestContext(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(entered)
		<-release
	}))
	defer server.Close()
	defer close(release)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-entered
		cancel()
	}()
	_, err := client(t, prometheus.Config{BaseURL: server.URL}).Query(ctx, "x", time.Time{})
	e, ok := errors.AsType[*adapters.Error](err)
	if !errors.Is(err, context.Canceled) || !ok || adapters.Retryable(e) || e.Attempts != 1 {
		t.Errorf("got %v, want an Error that was cancelled, after 1 attempt and not to be repeated", err)
	}
}

// wire answers in virtual time.
type wire func(*http.Request) (*http.Response, error)

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) { return w(r) }

// TestWaits measures the waits in virtual time: 1 s and 2 s by the doubling wait, or
// as long as the server says, however long that is in all.
func TestWaits(t *testing.T) {
	tests := []struct {
		name   string
		header http.Header
		within time.Duration // of the context; 0 for no end
		want   time.Duration
		tries  int
	}{
		{"longest", nil, 0, 3 * time.Second, 3}, // 1 + 2
		{"server", http.Header{"Retry-After": {"7"}}, 0, 14 * time.Second, 3},
		{"two minutes", http.Header{"Retry-After": {"120"}}, 0, 4 * time.Minute, 3},
		{"too long", http.Header{"Retry-After": {"121"}}, 0, 0, 1},
		{"past the deadline", http.Header{"Retry-After": {"7"}}, 10 * time.Second, 7 * time.Second, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				c := client(t, prometheus.Config{
					BaseURL: "http://prometheus.example", Policy: resilience.Policy{Base: time.Second, NoJitter: true},
					Transport: wire(func(*http.Request) (*http.Response, error) {
						tries++
						return &http.Response{StatusCode: 503, Header: tt.header, Body: http.NoBody}, nil
					}),
				})
				ctx := t.Context()
				if tt.within > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.within)
					defer cancel()
				}
				started := time.Now()
				_, err := c.Query(ctx, "x", time.Time{})
				if took := time.Since(started); took != tt.want || tries != tt.tries {
					t.Errorf("%d attempts in %v, want %d in %v", tries, took, tt.tries, tt.want)
				}
				e, ok := errors.AsType[*adapters.Error](err)
				if !ok || e.Status != 503 {
					t.Fatalf("got %v, want status 503", err)
				}
				if tt.name == "too long" && !e.RetryAt.Equal(started.Add(121*time.Second)) {
					t.Errorf("RetryAt = %v, want 121 s after %v", e.RetryAt, started)
				}
			})
		})
	}
}

// drip is a body that gives one byte a time.
type drip struct {
	ctx   context.Context
	text  string
	every time.Duration
	stall int // from this byte on nothing comes
}

func (d *drip) Read(p []byte) (int, error) {
	wait := d.every
	if d.stall--; d.stall < 0 {
		wait = time.Hour
	}
	select {
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	case <-time.After(wait):
	}
	if d.text == "" {
		return 0, io.EOF
	}
	n := copy(p[:1], d.text)
	d.text = d.text[n:]
	return n, nil
}

func (d *drip) Close() error { return nil }

// TestSlow reads an answer that takes ten times the allowed silence in all, and
// one that stops.
func TestSlow(t *testing.T) {
	for _, stall := range []int{1 << 30, 5} {
		synctest.Test(t, func(t *testing.T) {
			tries := 0
			c := client(t, prometheus.Config{
				BaseURL: "http://prometheus.example", Timeout: 5 * time.Second,
				Transport: wire(func(r *http.Request) (*http.Response, error) {
					tries++
					return &http.Response{StatusCode: 200, Body: &drip{ctx: r.Context(), text: empty, every: time.Second, stall: stall}}, nil
				}),
			})
			started := time.Now()
			_, err := c.Query(t.Context(), "x", time.Time{})
			took := time.Since(started)
			if stall > 100 {
				// One second per byte, and one for the end.
				if want := time.Duration(len(empty)+1) * time.Second; err != nil || took != want {
					t.Errorf("got %v after %v, want an answer after %v", err, took, want)
				}
				return
			}
			// Five bytes, then 5 s of silence, three times.
			_, ok := errors.AsType[*adapters.Error](err)
			if !ok || !strings.Contains(err.Error(), "no bytes within the time allowed") || !adapters.Retryable(err) || tries != 3 || took.Truncate(time.Millisecond) != 30*time.Second {
				t.Errorf("got %v after %v in %d attempts, want silence after 30s in 3", err, took, tries)
			}
		})
	}
}

// TestSlowReader takes its time with samples: that is not the server's silence.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"1"],[2,"2"],` + strings.Repeat(" ", 100) + `[3,"3"]]}]}}`
		c := client(t, prometheus.Config{
			BaseURL: "http://prometheus.example", Timeout: 5 * time.Second,
			Transport: wire(func(r *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: 200, Body: &drip{ctx: r.Context(), text: body, every: time.Second, stall: 1 << 30}}, nil
			}),
		})
		n := 0
		for _, err := range c.Samples(t.Context(), "x", time.Unix(0, 0), time.Unix(9, 0)) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			time.Sleep(time.Minute) // virtual
		}
		if n != 3 {
			t.Errorf("%d samples, want 3", n)
		}
	})
}

// TestSecrets looks for credentials in everything that can be printed.
func TestSecrets(t *testing.T) {
	const secret = "hunter2"
	var sent []string
	fail := wire(func(r *http.Request) (*http.Response, error) {
		sent = append(sent, r.Header.Get("Authorization"))
		return nil, fmt.Errorf("cannot dial %s", r.URL.Host)
	})
	for _, config := range []prometheus.Config{
		{BaseURL: "https://user:" + secret + "@prometheus.example/tenant/"},
		{BaseURL: "https://prometheus.example/tenant", Token: adapters.NewSecret(secret)},
	} {
		config.Transport = fail
		c := client(t, config)
		_, err := c.Query(t.Context(), "up", time.Time{})
		text := fmt.Sprintf("%v %+v %#v %s %#v %+v", err, err, err, c, c, *c)
		if strings.Contains(text, secret) || !strings.Contains(text, "https://prometheus.example/tenant") {
			t.Errorf("printed %s", text)
		}
	}
	if want := []string{"Basic dXNlcjpodW50ZXIy", "Bearer hunter2"}; sent[0] != want[0] || sent[3] != want[1] { // base64 of user:hunter2
		t.Errorf("sent %q, want %q", sent, want)
	}
	for _, url := range []string{"ftp://user:" + secret + "@x", "http://user:" + secret + "@x:port", "http://user:" + secret + "@x?q"} {
		if _, err := prometheus.New(prometheus.Config{BaseURL: url}); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("New with a bad URL: %v, want an error without the password", err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for name, c := range map[string]prometheus.Config{
		"no URL":         {},
		"no host":        {BaseURL: "http://"},
		"query":          {BaseURL: "http://x?a=b"},
		"negative":       {BaseURL: "http://x", MaxPoints: -1},
		"fine range":     {BaseURL: "http://x", MaxRange: time.Microsecond},
		"two identities": {BaseURL: "http://a:b@x", Token: adapters.NewSecret("c")},
	} {
		if _, err := prometheus.New(c); err == nil {
			t.Errorf("New with %s: no error, want one", name)
		}
	}
}

// endless is a body of n samples of one series.
type endless struct {
	n, at int
	rest  []byte
}

func (e *endless) Read(p []byte) (int, error) {
	for len(e.rest) == 0 {
		switch {
		case e.at == 0:
			e.rest = append(e.rest, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[0,"0"]`...)
		case e.at < e.n:
			e.rest = append(e.rest, `,[1795326000.500,"9007199254740993"]`...)
		case e.at == e.n:
			e.rest = append(e.rest, `]}]}}`...)
		default:
			return 0, io.EOF
		}
		e.at++
	}
	n := copy(p, e.rest)
	e.rest = append(e.rest[:0], e.rest[n:]...)
	return n, nil
}

func (e *endless) Close() error { return nil }

// TestSamplesMemory streams a million samples, 36 MB, through a fixed buffer.
func TestSamplesMemory(t *testing.T) {
	const samples = 1_000_000
	c := client(t, prometheus.Config{BaseURL: "http://prometheus.example", MaxRange: 100 * 365 * 24 * time.Hour, Transport: wire(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: &endless{n: samples}}, nil
	})})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	n := 0
	for _, err := range c.Samples(t.Context(), "x", time.Unix(0, 0), time.Unix(1_800_000_000, 0)) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; n != samples || got > 1<<20 {
		t.Errorf("%d samples took %d bytes, want %d within 1 MiB", n, got, samples)
	}
}

// TestQueryTime sends the instant in milliseconds, and none for the server's now.
func TestQueryTime(t *testing.T) {
	server, url := serve(t, status(200, empty))
	c := client(t, prometheus.Config{BaseURL: url + "/prefix/", Header: http.Header{"x-scope-orgid": {"acme"}}})
	for _, at := range []time.Time{{}, time.Unix(1795326186, 123_999_999)} {
		if r, err := c.Query(t.Context(), `up{a="ü"}`, at); err != nil || len(r.Series) != 0 || r.Type != prometheus.Matrix {
			t.Errorf("got %+v, %v, want an empty matrix", r, err)
		}
	}
	want := []string{
		"POST /prefix/api/v1/query query=up%7Ba%3D%22%C3%BC%22%7D",
		"POST /prefix/api/v1/query query=up%7Ba%3D%22%C3%BC%22%7D&time=1795326186.123",
	}
	if !slices.Equal(server.requests(), want) {
		t.Errorf("asked %q, want %q", server.requests(), want)
	}
}
