package servicenow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
	"github.com/evenkeelops/evenkeel/incident"
)

const someID = "0123456789abcdef0123456789abcdef"

var (
	someRef  = adapters.Ref{Provider: provider, Tenant: "acme", Type: "incident", ID: someID}
	otherRef = adapters.Ref{Provider: provider, Tenant: "acme", Type: "incident", ID: someID[1:] + "0"}
)

// operations are all that a client can be asked.
var operations = map[string]func(context.Context, *Client) error{
	"open": func(ctx context.Context, c *Client) error { _, err := c.Open(ctx, ticket("key")); return err },
	"open_many": func(ctx context.Context, c *Client) error {
		return c.OpenMany(ctx, []adapters.Ticket{ticket("key")})[0].Err
	},
	"find": func(ctx context.Context, c *Client) error { _, err := c.Find(ctx, "acme", "key"); return err },
	"read": func(ctx context.Context, c *Client) error { _, err := c.Read(ctx, someRef); return err },
	"update": func(ctx context.Context, c *Client) error {
		s := incident.P2
		return c.Update(ctx, someRef, adapters.Patch{Severity: &s})
	},
	"acknowledge": func(ctx context.Context, c *Client) error { return c.Acknowledge(ctx, someRef, "") },
	"resolve":     func(ctx context.Context, c *Client) error { return c.Resolve(ctx, someRef, adapters.Resolution{}) },
	"close":       func(ctx context.Context, c *Client) error { return c.Close(ctx, someRef, adapters.Resolution{}) },
	"cancel": func(ctx context.Context, c *Client) error {
		return c.Cancel(ctx, someRef, adapters.Resolution{Text: "x"})
	},
	"reopen":  func(ctx context.Context, c *Client) error { _, err := c.Reopen(ctx, someRef, ""); return err },
	"hold":    func(ctx context.Context, c *Client) error { return c.Hold(ctx, someRef, adapters.Hold{}) },
	"note":    func(ctx context.Context, c *Client) error { return c.Note(ctx, someRef, adapters.Note{Text: "x"}) },
	"notes":   func(ctx context.Context, c *Client) error { return first(c.Notes(ctx, someRef)) },
	"publish": func(ctx context.Context, c *Client) error { return c.Publish(ctx, someRef, "a", "b") },
	"attach": func(ctx context.Context, c *Client) error {
		return c.Attach(ctx, someRef, adapters.Attachment{Name: "a", Content: []byte("b")})
	},
	"assign":          func(ctx context.Context, c *Client) error { return c.Assign(ctx, someRef, "mike") },
	"escalate":        func(ctx context.Context, c *Client) error { return c.Escalate(ctx, someRef, 1) },
	"merge":           func(ctx context.Context, c *Client) error { return c.Merge(ctx, someRef, otherRef) },
	"link":            func(ctx context.Context, c *Client) error { return c.Link(ctx, someRef, otherRef, "") },
	"on_call":         func(ctx context.Context, c *Client) error { _, err := c.OnCall(ctx, "Database", noon); return err },
	"clocks":          func(ctx context.Context, c *Client) error { _, err := c.Clocks(ctx, someRef); return err },
	"edges":           func(ctx context.Context, c *Client) error { return first(c.Edges(ctx)) },
	"export":          func(ctx context.Context, c *Client) error { return first(c.Export(ctx, noon, time.Time{}, "")) },
	"changes":         func(ctx context.Context, c *Client) error { return first(c.Changes(ctx, "")) },
	"records":         func(ctx context.Context, c *Client) error { return first(c.Records(ctx, "incident", Query{}, nil, "")) },
	"change_requests": func(ctx context.Context, c *Client) error { return first(c.ChangeRequests(ctx, noon, noon.Add(1))) },
	"put_change_request": func(ctx context.Context, c *Client) error {
		_, err := c.PutChangeRequest(ctx, ChangeRequest{Key: "k", Title: "t"})
		return err
	},
	"problems": func(ctx context.Context, c *Client) error { return first(c.Problems(ctx, noon, noon.Add(1))) },
	"put_problem": func(ctx context.Context, c *Client) error {
		_, err := c.PutProblem(ctx, Problem{Key: "k", Title: "t"})
		return err
	},
	"send_events": func(ctx context.Context, c *Client) error {
		return c.SendEvents(ctx, EventRecord{Source: "s", Node: "n", Type: "t", MessageKey: "m", Severity: incident.P1})
	},
	"verify": func(ctx context.Context, c *Client) error { return c.Verify(ctx) },
}

func first[T any](seq iter.Seq2[T, error]) error {
	for _, err := range seq {
		return err
	}
	return nil
}

// Whatever goes wrong is found by errors.Is and errors.As, on every operation.
func TestEveryOperationKeepsItsCause(t *testing.T) {
	answer := func(status int, header map[string]string, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("X-Transaction-ID", "tx-1")
			for name, value := range header {
				w.Header().Set(name, value)
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		})
	}
	limited := answer(http.StatusTooManyRequests, map[string]string{"Retry-After": "3600", "X-RateLimit-Rule": "itil users"},
		`{"error":{"message":"Rate limit exceeded","detail":"Rejected by rule"},"status":"failure"}`)
	refused := answer(http.StatusForbidden, nil, `{"error":{"message":"Operation Failed","detail":"ACL restricts"},"status":"failure"}`)
	page := answer(http.StatusOK, map[string]string{"Content-Type": "text/html"}, `<html>Instance Hibernating page</html>`)
	hanging := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	})
	for name, operation := range operations {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := func(handler http.Handler, change func(*Config)) *Client {
					return newClient(t, handler, func(c *Config) {
						c.Levels = []string{"Database"}
						if change != nil {
							change(c)
						}
					})
				}
				check := func(err error, kind adapters.Kind, causes ...error) *adapters.Error {
					t.Helper()
					e, ok := errors.AsType[*adapters.Error](err)
					if !ok || !errors.Is(err, kind) || e.Op != name || e.Provider != provider {
						t.Fatalf("%#v, want %v of operation %s", err, kind, name)
					}
					for _, cause := range causes {
						if !errors.Is(err, cause) {
							t.Errorf("%v does not wrap %v", err, cause)
						}
					}
					return e
				}
				over, cancel := context.WithCancel(t.Context())
				cancel()
				_ = check(operation(over, client(refused, nil)), adapters.Canceled, context.Canceled)

				inFlight, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				_ = check(operation(inFlight, client(hanging, nil)), adapters.Canceled, context.Canceled)

				late, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_ = check(operation(late, client(hanging, nil)), adapters.Deadline, context.DeadlineExceeded)

				broken := client(answer(http.StatusInternalServerError, nil, ""), func(c *Config) { c.Policy.Breaker.Consecutive = 1 })
				_, _ = broken.Read(t.Context(), someRef)
				_ = check(operation(t.Context(), broken), adapters.BreakerOpen, gobreaker.ErrOpenState)

				e := check(operation(t.Context(), client(limited, nil)), adapters.RateLimited)
				if !e.RetryAt.Equal(time.Now().Add(time.Hour)) || !strings.Contains(e.Error(), "itil users") || e.Code != "" {
					t.Errorf("%v, again at %v, want in an hour, with the rule", e, e.RetryAt)
				}
				e = check(operation(t.Context(), client(refused, nil)), adapters.Forbidden)
				if e.Status != http.StatusForbidden || e.Message != "Operation Failed" || len(e.Details) != 1 || e.Details[0] != "ACL restricts" || e.RequestID != "tx-1" || adapters.Retryable(e) {
					t.Errorf("%#v, want the words of the instance", e)
				}
				_ = check(operation(t.Context(), client(page, nil)), adapters.BadResponse)
				_ = check(operation(t.Context(), client(answer(http.StatusOK, nil, `{"result":`), nil)), adapters.BadResponse)
				_ = check(operation(t.Context(), client(answer(http.StatusOK, nil, `{}`), nil)), adapters.BadResponse)
			})
		})
	}
}

const canary = "canary-7f3a"

// No secret is in an error, a log or a text of a value.
func TestSecretsStayHidden(t *testing.T) {
	secret := adapters.NewSecret(canary)
	tokens, err := NewTokenSource("https://acme.service-now.com", resilience.TokenSourceConfig{
		Grant: resilience.Password, ClientID: "evenkeel", ClientSecret: secret, Username: "u", Password: secret,
		Base: direct{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = fmt.Fprintf(w, `{"error":"invalid_grant","error_description":"access_denied"}`)
		})},
	})
	ok(t, err)
	var texts []string
	for _, credential := range []resilience.Credential{resilience.Basic("u", secret), resilience.Bearer(secret), APIKey(secret), tokens} {
		for _, handler := range []http.Handler{
			http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }),
			http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
			http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{")) }),
			http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", "https://elsewhere.example/"+r.Header.Get("Authorization"))
				w.WriteHeader(http.StatusFound)
			}),
		} {
			c := newClient(t, handler, func(c *Config) { c.Credential, c.Levels = credential, []string{"x"} })
			for name, operation := range operations {
				err := operation(t.Context(), c)
				if err == nil {
					t.Errorf("%s went well", name)
					continue
				}
				data, _ := json.Marshal(err)
				texts = append(texts, err.Error(), fmt.Sprintf("%v %+v %#v %q", err, err, err, err), string(data))
				var b strings.Builder
				slog.New(slog.NewJSONHandler(&b, nil)).Error("x", "err", err, "client", c, "config", c.config)
				slog.New(slog.NewTextHandler(&b, nil)).Error("x", "err", err, "client", c, "config", c.config)
				texts = append(texts, b.String())
			}
			texts = append(texts, fmt.Sprintf("%v %+v %#v", c, c, c), fmt.Sprintf("%v %+v %#v", c.config, c.config, c.config))
		}
	}
	_, err = newClient(t, http.NotFoundHandler(), nil).NewReceiver(ReceiverConfig{Secrets: []adapters.Secret{secret, {}}})
	texts = append(texts, err.Error(), fmt.Sprintf("%+v %#v", ReceiverConfig{Secrets: []adapters.Secret{secret}}, err))
	for _, text := range texts {
		// Basic is base64 of u:canary-7f3a.
		if strings.Contains(text, canary) || strings.Contains(text, "dTpjYW5hcnktN2YzYQ") {
			t.Fatalf("a secret is in %s", text)
		}
	}
	t.Logf("%d texts looked at", len(texts))
}

func TestThousandWritesOneConnection(t *testing.T) {
	fake := adaptertest.NewServiceNow(adaptertest.ServiceNowOptions{})
	var conns atomic.Int64
	server := httptest.NewUnstartedServer(fake)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	c, err := New(Config{BaseURL: server.URL, Policy: fast})
	ok(t, err)
	defer c.transport.CloseIdleConnections()
	ref := open(t, c, "key-1")
	for i := range 333 {
		title := strconv.Itoa(i)
		ok(t, c.Update(t.Context(), ref, adapters.Patch{Title: &title}))
		ok(t, c.Note(t.Context(), ref, adapters.Note{Text: title}))
		ok(t, c.SendEvents(t.Context(), EventRecord{Source: "s", Node: "n", Type: "t", MessageKey: title, Severity: incident.P1}))
		wantKind(t, c.Update(t.Context(), otherRef, adapters.Patch{Title: &title}), adapters.NotFound)
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("%d connections for %d requests, want 1", n, len(fake.Requests()))
	}
}

// Tokens run out, are taken back and are asked for by one for all.
func TestOAuth(t *testing.T) {
	for _, grant := range []resilience.Grant{resilience.ClientCredentials, resilience.Password, resilience.RefreshToken} {
		t.Run(string(grant), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fake := adaptertest.NewServiceNow(adaptertest.ServiceNowOptions{
					Users: map[string]string{"evenkeel": "pw"}, Clients: map[string]string{"id": "secret"}, ClientCredentials: true,
				})
				config := resilience.TokenSourceConfig{
					Grant: grant, ClientID: "id", ClientSecret: adapters.NewSecret("secret"), Username: "evenkeel", Password: adapters.NewSecret("pw"),
					Base: direct{fake},
				}
				if grant == resilience.RefreshToken {
					config.Refresh = refreshToken(t, fake)
				}
				tokens, err := NewTokenSource("https://acme.service-now.com/", config)
				ok(t, err)
				c := newClient(t, fake, func(c *Config) { c.Credential = tokens })
				before := fake.Logins()
				all := func() {
					t.Helper()
					errs := make(chan error)
					for range 30 {
						go func() {
							var err error
							for _, err = range c.Export(t.Context(), noon, time.Time{}, "") {
							}
							errs <- err
						}()
					}
					for range 30 {
						ok(t, <-errs)
					}
				}
				all()
				all()
				if n := fake.Logins() - before; n != 1 {
					t.Errorf("%d logins, want 1 for all", n)
				}
				time.Sleep(1800 * time.Second) // it has run out
				all()
				if n := fake.Logins() - before; n != 2 {
					t.Errorf("%d logins after half an hour, want 2", n)
				}
				fake.Expire() // it is taken back
				all()
				if n := fake.Logins() - before; n != 3 {
					t.Errorf("%d logins after it was taken back, want 3", n)
				}
			})
		})
	}
}

func refreshToken(t *testing.T, fake http.Handler) adapters.Secret {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://acme.service-now.com/oauth_token.do",
		strings.NewReader("grant_type=password&client_id=id&client_secret=secret&username=evenkeel&password=pw"))
	ok(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := direct{fake}.RoundTrip(r)
	ok(t, err)
	defer resp.Body.Close()
	var answer struct {
		Refresh string `json:"refresh_token"`
	}
	ok(t, json.NewDecoder(resp.Body).Decode(&answer))
	return adapters.NewSecret(answer.Refresh)
}

// The allowance is kept to although the instance counts late and would let more
// through at first.
func TestLimitsAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := adaptertest.NewServiceNow(adaptertest.ServiceNowOptions{PerHour: 600, Rule: "itil users"})
		limited := 0
		c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			recorder := httptest.NewRecorder()
			fake.ServeHTTP(recorder, r)
			if recorder.Code == http.StatusTooManyRequests {
				limited++
			}
			maps.Copy(w.Header(), recorder.Header())
			w.WriteHeader(recorder.Code)
			_, _ = w.Write(recorder.Body.Bytes())
		}), func(c *Config) { c.Limits = Limits{Roles: []int{900, 600}} })
		began := time.Now()
		for range 1500 {
			_, err := c.Find(t.Context(), "acme", "key")
			wantKind(t, err, adapters.NotFound)
		}
		took := time.Since(began)
		if most := 1500 * 3600 / 600 * time.Second / 95 * 100; limited != 0 || took > most {
			t.Errorf("%d answers of 429 in %v, want none in at most %v", limited, took, most)
		}
	})
}
