package jira

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

// each runs every operation against a fake of which everything fails once the
// issue is there.
func each(t *testing.T, fault func(n int, r *http.Request) adaptertest.JiraFault, check func(t *testing.T, op operation, c *Client, ref adapters.Ref)) {
	t.Helper()
	for _, op := range operations {
		t.Run(op.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				failing := false
				o := adaptertest.JiraOptions{ServiceDesk: op.desk, Fault: func(n int, r *http.Request) adaptertest.JiraFault {
					if failing {
						return fault(n, r)
					}
					return adaptertest.JiraFault{}
				}}
				c, _ := with(t, o, func(c *Config) { c.Policy.Attempts = 1; c.Policy.Breaker.Consecutive = 1 })
				mustOpen(t, c, "first")
				ref := mustOpen(t, c, "second")
				if op.name == "reopen" {
					must(t, c.Resolve(t.Context(), ref, adapters.Resolution{}))
				}
				failing = true
				check(t, op, c, ref)
			})
		})
	}
}

// Every error of every operation says what it is by errors.Is and errors.As.
func TestErrorFidelity(t *testing.T) {
	t.Run("cancel", func(t *testing.T) {
		each(t, status(200, nil, "{}"), func(t *testing.T, op operation, c *Client, ref adapters.Ref) {
			t.Helper()
			ctx, cancel := context.WithCancelCause(t.Context())
			because := errors.New("because")
			cancel(because)
			err := op.call(ctx, c, ref)
			if !errors.Is(err, context.Canceled) || !errors.Is(err, because) || !errors.Is(err, adapters.Canceled) {
				t.Errorf("error %v, want canceled and its cause", err)
			}
		})
	})
	t.Run("deadline", func(t *testing.T) {
		each(t, status(200, nil, "{}"), func(t *testing.T, op operation, c *Client, ref adapters.Ref) {
			t.Helper()
			ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
			defer cancel()
			if err := op.call(ctx, c, ref); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, adapters.Deadline) {
				t.Errorf("error %v, want deadline", err)
			}
		})
	})
	t.Run("breaker", func(t *testing.T) {
		each(t, status(500, nil, "{}"), func(t *testing.T, op operation, c *Client, ref adapters.Ref) {
			t.Helper()
			_, _ = c.Read(t.Context(), ref)
			if err := op.call(t.Context(), c, ref); !errors.Is(err, gobreaker.ErrOpenState) || !errors.Is(err, adapters.BreakerOpen) || !adapters.Retryable(err) {
				t.Errorf("error %v, want breaker open", err)
			}
		})
	})
	t.Run("limit", func(t *testing.T) {
		header := http.Header{"Retry-After": {"600"}, "Ratelimit-Reason": {"jira-burst-based"}, "X-Ratelimit-Reset": {"2000-01-01T00:01Z"}}
		each(t, status(429, header, `{"errorMessages":["Rate limit exceeded."]}`), func(t *testing.T, op operation, c *Client, ref adapters.Ref) {
			t.Helper()
			err := op.call(t.Context(), c, ref)
			e, ok := errors.AsType[*adapters.Error](err)
			if !ok || !errors.Is(err, adapters.RateLimited) || e.Code != "jira-burst-based" || e.Message != "Rate limit exceeded." || !strings.HasPrefix(e.Bucket, "jira.example ") {
				t.Fatalf("error %v, want the limit and its reason", err)
			}
			// Retry-After and not the reset, which is a minute that is over.
			if wait := time.Until(e.RetryAt); wait != 10*time.Minute {
				t.Errorf("retry in %v, want 10m", wait)
			}
		})
	})
	for _, tt := range []struct {
		status int
		kind   adapters.Kind
	}{{400, adapters.Invalid}, {401, adapters.Unauthorized}, {403, adapters.Forbidden}, {409, adapters.Conflict}, {413, adapters.TooLarge}} {
		t.Run(fmt.Sprint("vendor ", tt.status), func(t *testing.T) {
			body := `{"errorMessages":["first","second"],"errors":{"b":"bad","a":"worse"}}`
			each(t, status(tt.status, nil, body), func(t *testing.T, op operation, c *Client, ref adapters.Ref) {
				t.Helper()
				err := op.call(t.Context(), c, ref)
				e, ok := errors.AsType[*adapters.Error](err)
				if tt.status == 403 && op.name == "verify" {
					ok = ok && e.Kind == tt.kind
				}
				if !ok || !errors.Is(err, tt.kind) || e.Status != tt.status || e.Message != "first; second" || !slices.Equal(e.Details[:min(2, len(e.Details))], []string{"a: worse", "b: bad"}) || e.RequestID == "" {
					t.Errorf("error %+v, want what Jira said", err)
				}
			})
		})
	}
	t.Run("garbage", func(t *testing.T) {
		each(t, status(200, nil, "<html>login"), func(t *testing.T, op operation, c *Client, ref adapters.Ref) {
			t.Helper()
			if op.name == "update" || op.name == "assign" || op.name == "link" || op.name == "publish" || op.name == "set property" {
				return // begin with a write whose answer has no body to read
			}
			err := op.call(t.Context(), c, ref)
			if kind := adapters.KindOf(err); kind != adapters.BadResponse {
				t.Errorf("error %v, want bad response", err)
			}
		})
	})
}

// No text that the client makes has a secret in it, whatever goes wrong.
func TestCanary(t *testing.T) {
	var all strings.Builder
	log := slog.New(slog.NewJSONHandler(&all, nil))
	c, _ := with(t, adaptertest.JiraOptions{}, nil)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
		fmt.Fprintf(&all, format, c)
		fmt.Fprintf(&all, format, c.config)
		fmt.Fprintf(&all, format, struct{ c Config }{c.config})
	}
	log.Info("client", "client", c, "config", fmt.Sprintf("%+v", c.config))
	for _, code := range []int{0, 401} {
		each(t, status(code, nil, "{}"), func(t *testing.T, op operation, c *Client, ref adapters.Ref) {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			err := op.call(ctx, c, ref)
			fmt.Fprintf(&all, "%v %+v %#v\n", err, err, err)
			for ; err != nil; err = errors.Unwrap(err) {
				fmt.Fprintf(&all, "%v\n", err)
			}
			log.Info("failed", "error", err)
		})
	}
	refused := &refusing{}
	c, err := New(Config{BaseURL: "https://jira.example", Token: adapters.NewSecret(canary), Project: "OPS", Transport: refused, Policy: resilience.Policy{Attempts: 1}})
	must(t, err)
	_, err = c.Find(t.Context(), "acme", "k")
	fmt.Fprintf(&all, "%v %+v", err, err)
	_, err = New(Config{BaseURL: "https://bot:" + canary + "@jira.example", Token: adapters.NewSecret(canary)})
	fmt.Fprintf(&all, "%v", err)
	_, err = New(Config{BaseURL: "https://bot:" + canary + "@jira .example", Token: adapters.NewSecret(canary)})
	fmt.Fprintf(&all, "%v", err)
	for _, err := range []error{
		Signature(adapters.NewSecret(canary)).Verify(httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil), nil, time.Now()),
		JWT{Secrets: []adapters.Secret{adapters.NewSecret(canary)}}.Verify(httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil), nil, time.Now()),
	} {
		fmt.Fprintf(&all, "%v", err)
	}
	if text := all.String(); strings.Contains(text, canary) || strings.Contains(text, fmt.Sprintf("%x", canary)) {
		i := strings.Index(text, canary)
		t.Errorf("secret in %q", text[max(0, i-200):min(len(text), max(i, 0)+50)])
	}
}

type refusing struct{}

func (*refusing) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("cannot send %v with %d headers", r.URL, len(r.Header))
}

// 1,000 writes one after the other use one connection: no body stays open.
func TestConnections(t *testing.T) {
	fake := adaptertest.NewJira(adaptertest.JiraOptions{})
	var conns atomic.Int64
	server := httptest.NewUnstartedServer(fake)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	k := config(fake, adaptertest.JiraOptions{})
	base := resilience.NewBase(nil)
	defer base.CloseIdleConnections()
	k.BaseURL, k.Transport = server.URL, base
	c, err := New(k)
	must(t, err)
	ref := mustOpen(t, c, "k")
	title := "changed"
	for n := range 200 {
		must(t, c.Update(t.Context(), ref, adapters.Patch{Title: &title}))
		must(t, c.Assign(t.Context(), ref, "sarah"))
		must(t, c.SetProperty(t.Context(), ref, "n", n))
		must(t, c.Link(t.Context(), ref, ref, ""))
		if err := c.edit(t.Context(), "update", ref, map[string]any{"priority": "odd"}); adapters.KindOf(err) != adapters.Invalid {
			t.Fatal(err) // refusals count too
		}
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("%d connections for 1,000 writes, want 1", n)
	}
}

// Jira is down for ten minutes, and eight workers do not give up: few calls reach
// it, and it is used again within 30 s and a call of when it is back.
func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var start, back time.Time
		hits := 0
		c, fake := with(t, adaptertest.JiraOptions{Fault: func(int, *http.Request) adaptertest.JiraFault {
			if !start.IsZero() && time.Since(start) < 10*time.Minute {
				hits++
				return adaptertest.JiraFault{Status: http.StatusBadGateway}
			}
			if !start.IsZero() && back.IsZero() {
				back = time.Now()
			}
			return adaptertest.JiraFault{}
		}}, nil)
		ref := mustOpen(t, c, "k")
		start = time.Now()
		done := make(chan bool)
		for n := range 8 {
			go func() {
				for k := 0; time.Since(start) < 11*time.Minute; k++ {
					if k%2 == 0 {
						_, _ = c.Read(t.Context(), ref)
					} else {
						_, _ = c.Open(t.Context(), sample(fmt.Sprint("k", n)))
					}
					time.Sleep(50 * time.Millisecond)
				}
				done <- true
			}()
		}
		for range 8 {
			<-done
		}
		t.Logf("%d hits in ten minutes, back after %v", hits, back.Sub(start)-10*time.Minute)
		if hits > 50 || back.Sub(start) > 10*time.Minute+31*time.Second {
			t.Errorf("%d hits, back after %v; want at most 50, and 31s", hits, back.Sub(start)-10*time.Minute)
		}
		if got := len(fake.Issues()); got != 9 {
			t.Errorf("%d issues, want 9", got)
		}
	})
}

func TestDecodeError(t *testing.T) {
	for _, tt := range []struct {
		name, body, message string
		details             []string
	}{
		{"platform", `{"errorMessages":["a","b"],"errors":{}}`, "a; b", nil},
		{"fields alone", `{"errorMessages":[],"errors":{"x":"1","a":"2"}}`, "a: 2", []string{"x: 1"}},
		{"service desk", `{"errorMessage":"no","i18nErrorMessage":{}}`, "no", nil},
		{"simple", `{"message":"no","status-code":404}`, "no", nil},
		{"list of errors", `{"errors":[{"status":400}]}`, "", nil},
		{"no object", `[]`, "", nil},
		{"long", `{"errorMessages":["` + strings.Repeat("ä", 3000) + `"]}`, strings.Repeat("ä", 500), nil},
		{"page", `<html>`, "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var e adapters.Error
			decodeError(&e, 400, http.Header{}, []byte(tt.body))
			if e.Message != tt.message || !slices.Equal(e.Details, tt.details) {
				t.Errorf("%q %q, want %q %q", e.Message, e.Details, tt.message, tt.details)
			}
		})
	}
}

func FuzzDecodeError(f *testing.F) {
	f.Add([]byte(`{"errorMessages":["a"],"errors":{"b":"c"}}`))
	f.Fuzz(func(_ *testing.T, body []byte) {
		var e adapters.Error
		decodeError(&e, 429, http.Header{"Ratelimit-Reason": {string(body)}}, body)
	})
}

func TestNew(t *testing.T) {
	good := Config{BaseURL: "https://jira.example/jira/", Token: adapters.NewSecret("t"), Project: "OPS"}
	c, err := New(good)
	must(t, err)
	if c.Provider() != "jira" || !slices.IsSorted(c.Capabilities()) || fmt.Sprint(c) != "jira.Client(jira.example, OPS)" {
		t.Errorf("%s %v %v", c.Provider(), c.Capabilities(), c)
	}
	for name, change := range map[string]func(*Config){
		"no URL": func(c *Config) { c.BaseURL = "" }, "query": func(c *Config) { c.BaseURL += "?a=b" }, "user": func(c *Config) { c.BaseURL = "https://a:b@jira.example" },
		"no token": func(c *Config) { c.Token = adapters.Secret{} }, "no project": func(c *Config) { c.Project = "" }, "project": func(c *Config) { c.Project = "A/B" },
		"deployment": func(c *Config) { c.Deployment = "server" }, "find": func(c *Config) { c.FindBy = "luck" }, "window": func(c *Config) { c.ReopenWindow = -1 },
		"policy": func(c *Config) { c.Policy.Attempts = -1 }, "scheme": func(c *Config) { c.BaseURL = "ftp://jira.example" },
		"query without references": func(c *Config) { c.Assets.Query = "objectType = Server" },
		"references without query": func(c *Config) { c.Assets.References = map[string]Direction{"Runs on": HolderDepends} },
		"reference without a name": func(c *Config) { c.Assets.Query, c.Assets.References = "a", map[string]Direction{"": HolderDepends} },
		"assets without a scheme":  func(c *Config) { c.Assets.URL = "api.atlassian.com/jsm/assets" },
		"assets with a password":   func(c *Config) { c.Assets.URL = "https://a:b@api.atlassian.com" },
		"workspace":                func(c *Config) { c.Assets.Workspace = "../x" },
	} {
		bad := good
		change(&bad)
		if _, err := New(bad); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for _, id := range []string{"", "..", "1/2", "a b", "1?x"} {
		if _, err := c.Read(t.Context(), adapters.Ref{Provider: "jira", ID: id}); adapters.KindOf(err) != adapters.Invalid {
			t.Errorf("id %q: %v, want invalid", id, err)
		}
	}
	if _, err := c.Read(t.Context(), adapters.Ref{Provider: "pagerduty", ID: "1"}); adapters.KindOf(err) != adapters.Invalid {
		t.Errorf("of another vendor: %v, want invalid", err)
	}
}

// A context path stays in front of every path, the deployment is asked for once,
// and the form of authorization is that of the deployment.
func TestRequests(t *testing.T) {
	var paths []string
	var authorization string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.Method+" "+r.URL.Path)
		authorization = r.Header.Get("Authorization")
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "/serverInfo") {
			_, _ = io.Copy(w, bytes.NewReader([]byte(`{"deploymentType":"Server"}`)))
			return
		}
		_, _ = io.WriteString(w, `{"issues":[],"total":0}`)
	}))
	defer server.Close()
	c, err := New(Config{BaseURL: server.URL + "/jira/", Token: adapters.NewSecret("pat"), Project: "OPS"})
	must(t, err)
	for range 2 {
		if _, err := c.Find(t.Context(), "acme", "k"); adapters.KindOf(err) != adapters.NotFound {
			t.Fatal(err)
		}
	}
	want := []string{"GET /jira/rest/api/2/serverInfo", "POST /jira/rest/api/2/search", "POST /jira/rest/api/2/search"}
	if !slices.Equal(paths, want) || authorization != "Bearer pat" {
		t.Errorf("requests %q with %q, want %q with the token", paths, authorization, want)
	}
}
