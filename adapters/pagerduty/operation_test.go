package pagerduty_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/pagerduty"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
	"github.com/evenkeelops/evenkeel/incident"
)

func drain[T any](seq func(func(T, error) bool)) error {
	for _, err := range seq {
		if err != nil {
			return err
		}
	}
	return nil
}

// operations are all that a client can be asked for, by the name of the method.
var operations = map[string]func(ctx context.Context, c *pagerduty.Client) error{
	"Open": func(ctx context.Context, c *pagerduty.Client) error {
		_, err := c.Open(ctx, down("k"))
		return err
	},
	"Find": func(ctx context.Context, c *pagerduty.Client) error {
		_, err := c.Find(ctx, "acme", "k")
		return err
	},
	"Read": func(ctx context.Context, c *pagerduty.Client) error {
		_, err := c.Read(ctx, one)
		return err
	},
	"Fields": func(ctx context.Context, c *pagerduty.Client) error {
		_, err := c.Fields(ctx, one)
		return err
	},
	"Update": func(ctx context.Context, c *pagerduty.Client) error {
		title, severity := "t", incident.P2
		return c.Update(ctx, one, adapters.Patch{Title: &title, Severity: &severity, Text: &title, Fields: map[string]any{"a": 1}})
	},
	"Acknowledge": func(ctx context.Context, c *pagerduty.Client) error {
		return c.Acknowledge(ctx, one, "ann@example.com")
	},
	"Resolve": func(ctx context.Context, c *pagerduty.Client) error {
		return c.Resolve(ctx, one, adapters.Resolution{Text: "done"})
	},
	"ResolveAll": func(ctx context.Context, c *pagerduty.Client) error {
		return c.ResolveAll(ctx, adapters.Resolution{Text: "done"}, one, two)
	},
	"Reopen": func(ctx context.Context, c *pagerduty.Client) error {
		_, err := c.Reopen(ctx, three, "it is back")
		return err
	},
	"Hold": func(ctx context.Context, c *pagerduty.Client) error {
		return c.Hold(ctx, one, adapters.Hold{Until: noon.Add(time.Hour)})
	},
	"Assign":   func(ctx context.Context, c *pagerduty.Client) error { return c.Assign(ctx, one, "PANN") },
	"Escalate": func(ctx context.Context, c *pagerduty.Client) error { return c.Escalate(ctx, one, 2) },
	"Merge":    func(ctx context.Context, c *pagerduty.Client) error { return c.Merge(ctx, one, two) },
	"Publish":  func(ctx context.Context, c *pagerduty.Client) error { return c.Publish(ctx, one, "s", "m") },
	"PublishHTML": func(ctx context.Context, c *pagerduty.Client) error {
		return c.PublishHTML(ctx, one, "s", "m", "<p>m</p>")
	},
	"Note": func(ctx context.Context, c *pagerduty.Client) error {
		return c.Note(ctx, one, adapters.Note{Text: "x", Key: "k"})
	},
	"Notes": func(ctx context.Context, c *pagerduty.Client) error { return drain(c.Notes(ctx, one)) },
	"Log":   func(ctx context.Context, c *pagerduty.Client) error { return drain(c.Log(ctx, one)) },
	"Clocks": func(ctx context.Context, c *pagerduty.Client) error {
		_, err := c.Clocks(ctx, one)
		return err
	},
	"OnCall": func(ctx context.Context, c *pagerduty.Client) error {
		_, err := c.OnCall(ctx, "PESC", noon)
		return err
	},
	"Schedule": func(ctx context.Context, c *pagerduty.Client) error {
		_, err := c.Schedule(ctx, "PSCHED")
		return err
	},
	"Export": func(ctx context.Context, c *pagerduty.Client) error {
		return drain(c.Export(ctx, noon.Add(-time.Hour), noon, ""))
	},
	"Changes": func(ctx context.Context, c *pagerduty.Client) error {
		return drain(c.Changes(ctx, pagerduty.CursorAt(noon.Add(-time.Hour))))
	},
	"ChangeEvents": func(ctx context.Context, c *pagerduty.Client) error {
		return drain(c.ChangeEvents(ctx, "PSHOP", noon.Add(-time.Hour), noon))
	},
	"Analyses": func(ctx context.Context, c *pagerduty.Client) error {
		return drain(c.Analyses(ctx, pagerduty.AnalysisFilter{From: noon.Add(-time.Hour), Until: noon}, ""))
	},
	"Edges":        func(ctx context.Context, c *pagerduty.Client) error { return drain(c.Edges(ctx)) },
	"Maintenances": func(ctx context.Context, c *pagerduty.Client) error { return drain(c.Maintenances(ctx)) },
	"KeepMaintenances": func(ctx context.Context, c *pagerduty.Client) error {
		_, err := c.KeepMaintenances(ctx, []pagerduty.Maintenance{{Key: "k", Services: []string{"PSHOP"}, Start: noon, End: noon.Add(time.Hour)}})
		return err
	},
	"Subscribe": func(ctx context.Context, c *pagerduty.Client) error {
		_, err := c.Subscribe(ctx, pagerduty.Subscription{URL: "https://hook.example", Events: pagerduty.EventTypes[:]})
		return err
	},
	"Subscriptions": func(ctx context.Context, c *pagerduty.Client) error { return drain(c.Subscriptions(ctx)) },
	"Enable":        func(ctx context.Context, c *pagerduty.Client) error { return c.Enable(ctx, "H1") },
	"Ping":          func(ctx context.Context, c *pagerduty.Client) error { return c.Ping(ctx, "H1") },
	"Unsubscribe":   func(ctx context.Context, c *pagerduty.Client) error { return c.Unsubscribe(ctx, "H1") },
	"RepairSubscriptions": func(ctx context.Context, c *pagerduty.Client) error {
		_, err := c.RepairSubscriptions(ctx, "https://hook.example")
		return err
	},
	"Verify": func(ctx context.Context, c *pagerduty.Client) error { return c.Verify(ctx) },
}

// quiet are methods that ask nothing.
var quiet = []string{"Provider", "Capabilities", "Ticket"}

var one, two, three = incidentRef("QONE"), incidentRef("QTWO"), incidentRef("QTHREE")

// eventOperations are all that an Events can be asked for.
var eventOperations = map[string]func(ctx context.Context, e *pagerduty.Events) error{
	"Trigger": func(ctx context.Context, e *pagerduty.Events) error {
		_, err := e.Trigger(ctx, pagerduty.Alert{Key: "k", Summary: "x", Severity: incident.P1})
		return err
	},
	"Open": func(ctx context.Context, e *pagerduty.Events) error {
		_, err := e.Open(ctx, down("k"))
		return err
	},
	"Acknowledge": func(ctx context.Context, e *pagerduty.Events) error { return e.Acknowledge(ctx, alert, "") },
	"Resolve": func(ctx context.Context, e *pagerduty.Events) error {
		return e.Resolve(ctx, alert, adapters.Resolution{})
	},
	"Reopen": func(ctx context.Context, e *pagerduty.Events) error {
		_, err := e.Reopen(ctx, alert, "back")
		return err
	},
	"Change": func(ctx context.Context, e *pagerduty.Events) error {
		_, err := e.Change(ctx, "acme", "", pagerduty.Change{Summary: "x"})
		return err
	},
}

var alert = adapters.Ref{Provider: "pagerduty", Type: "alert", ID: "/k"}

func TestOperationsAreAll(t *testing.T) {
	for _, tt := range []struct {
		client any
		listed func(string) bool
	}{
		{&pagerduty.Client{}, func(name string) bool { return operations[name] != nil }},
		{&pagerduty.Events{}, func(name string) bool { return eventOperations[name] != nil }},
	} {
		for m := range reflect.TypeOf(tt.client).Methods() {
			if !tt.listed(m.Name) && !slices.Contains(quiet, m.Name) {
				t.Errorf("%T.%s is not in the table of operations", tt.client, m.Name)
			}
		}
	}
}

// attempt is a call of an operation over a transport of its own.
type attempt struct {
	name string
	do   func(ctx context.Context, transport http.RoundTripper, policy resilience.Policy) error
}

func attempts(t *testing.T) []attempt {
	t.Helper()
	var all []attempt
	for name, do := range operations {
		all = append(all, attempt{"Client." + name, func(ctx context.Context, transport http.RoundTripper, policy resilience.Policy) error {
			c, err := pagerduty.New(pagerduty.Config{
				Token: adapters.NewSecret(apiToken), From: bot, Service: "PSHOP", Transport: transport, Policy: policy, Now: func() time.Time { return noon },
			})
			if err != nil {
				t.Fatal(err)
			}
			return do(ctx, c)
		}})
	}
	for name, do := range eventOperations {
		all = append(all, attempt{"Events." + name, func(ctx context.Context, transport http.RoundTripper, policy resilience.Policy) error {
			e, err := pagerduty.NewEvents(pagerduty.EventsConfig{
				RoutingKeys: map[string]adapters.Secret{"": adapters.NewSecret(routingKey)}, Source: "s", Transport: transport, Policy: policy,
			})
			if err != nil {
				t.Fatal(err)
			}
			return do(ctx, e)
		}})
	}
	return all
}

// tripper is a transport of one function.
type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answering(status int, body string, header ...string) http.RoundTripper {
	return direct{handler(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})}
}

var errDial = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("no route to host")}

// What went wrong is found by errors.Is and errors.As, whatever the operation.
func TestErrorsAreFaithful(t *testing.T) {
	restBody := `{"error":{"message":"Arguments Caused Error","code":2002,"errors":["the reason"]}}`
	eventBody := `{"status":"invalid event","message":"Event object is invalid","errors":["the reason"]}`
	cause := errors.New("the operator pressed stop")
	for _, tt := range []struct {
		name      string
		transport http.RoundTripper
		policy    resilience.Policy
		cancel    bool
		deadline  bool
		want      adapters.Kind
		is        []error
		check     func(e *adapters.Error) bool
	}{
		{name: "canceled", cancel: true, transport: answering(200, `{}`), want: adapters.Canceled, is: []error{context.Canceled, cause}},
		{name: "canceled in flight", cancel: true, transport: tripper(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}), want: adapters.Canceled, is: []error{context.Canceled}},
		{name: "deadline", deadline: true, transport: tripper(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}), want: adapters.Deadline, is: []error{context.DeadlineExceeded}},
		// The first attempt opens it, the second is not made.
		{
			name: "breaker", transport: tripper(func(*http.Request) (*http.Response, error) { return nil, errDial }),
			policy: resilience.Policy{Breaker: resilience.Breaker{Consecutive: 1}}, want: adapters.BreakerOpen, is: []error{gobreaker.ErrOpenState},
		},
		{
			name: "limit", transport: answering(429, `{"error":{"message":"Rate Limit Exceeded","code":2020}}`, "ratelimit-reset", "37"), policy: resilience.Policy{Attempts: 1},
			want: adapters.RateLimited, check: func(e *adapters.Error) bool { return !e.RetryAt.IsZero() && e.Status == 429 },
		},
		{name: "limit without a word", transport: answering(429, ``), policy: resilience.Policy{Attempts: 1}, want: adapters.RateLimited},
		{name: "vendor code", transport: answering(400, restBody), want: adapters.Invalid, check: func(e *adapters.Error) bool {
			return e.Code == "2002" && e.Message == "Arguments Caused Error" && slices.Equal(e.Details, []string{"the reason"})
		}},
		{name: "vendor words", transport: answering(400, eventBody), want: adapters.Invalid, check: func(e *adapters.Error) bool {
			return e.Message == "Event object is invalid" && slices.Equal(e.Details, []string{"the reason"})
		}},
		{name: "plan", transport: answering(402, restBody), want: adapters.Unsupported},
		{name: "credential", transport: answering(401, `{"error":{"message":"Access Denied","code":2006}}`), want: adapters.Unauthorized},
		{name: "rights", transport: answering(403, `{"error":{"message":"Access Denied","code":2010}}`), want: adapters.Forbidden},
		{name: "page", transport: answering(200, `<html>`), want: adapters.BadResponse},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, a := range attempts(t) {
				synctest.Test(t, func(t *testing.T) {
					ctx, stop := context.WithCancelCause(t.Context())
					defer stop(nil)
					if tt.cancel {
						time.AfterFunc(0, func() { stop(cause) })
						if tt.name == "canceled" {
							stop(cause)
						}
					}
					if tt.deadline {
						var end context.CancelFunc
						ctx, end = context.WithTimeout(ctx, 3*time.Second)
						defer end()
					}
					err := a.do(ctx, tt.transport, tt.policy)
					e, ok := errors.AsType[*adapters.Error](err)
					if !ok || !errors.Is(err, tt.want) || e.Provider != "pagerduty" || e.Op == "" {
						if tt.name == "page" && err == nil {
							return // it does not read the answer
						}
						t.Fatalf("%s: %v (%T), want %v", a.name, err, err, tt.want)
					}
					for _, target := range tt.is {
						if !errors.Is(err, target) {
							t.Errorf("%s: %v is not %v", a.name, err, target)
						}
					}
					if tt.check != nil && !tt.check(e) {
						t.Errorf("%s: %#v", a.name, e)
					}
				})
			}
		})
	}
}

// Nothing that is secret shows, whatever goes wrong.
func TestNoSecretShows(t *testing.T) {
	canary := func(t *testing.T, what, text string) {
		t.Helper()
		for _, secret := range []string{apiToken, routingKey, "canary", bot} {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows %q: %s", what, secret, text)
			}
		}
	}
	for _, transport := range []http.RoundTripper{
		tripper(func(r *http.Request) (*http.Response, error) { return nil, fmt.Errorf("dial %s: refused", r.URL.Host) }),
		answering(400, `{"error":{"message":"no","code":2001}}`), answering(500, `oops`), answering(200, `no json`), answering(429, ``),
		answering(302, ``, "Location", "https://other.example/"),
	} {
		for _, a := range attempts(t) {
			err := a.do(t.Context(), transport, resilience.Policy{Attempts: 1})
			if err == nil {
				continue
			}
			for _, verb := range []string{"%v", "%+v", "%#v", "%q"} {
				canary(t, a.name, fmt.Sprintf(verb, err))
			}
			var b strings.Builder
			slog.New(slog.NewJSONHandler(&b, nil)).Error("x", "err", err)
			canary(t, a.name, b.String())
			for e := err; e != nil; e = errors.Unwrap(e) {
				canary(t, a.name, e.Error())
			}
		}
	}
	config := pagerduty.Config{Token: adapters.NewSecret(apiToken)}
	eventsConfig := pagerduty.EventsConfig{RoutingKeys: map[string]adapters.Secret{"": adapters.NewSecret(routingKey)}, Source: "s"}
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		canary(t, "Config", fmt.Sprintf(verb, config))
		canary(t, "EventsConfig", fmt.Sprintf(verb, eventsConfig))
	}
	_, err := pagerduty.New(pagerduty.Config{Token: adapters.NewSecret(apiToken), BaseURL: "ftp://user:canary@host"})
	canary(t, "New", fmt.Sprint(err))
	if err == nil {
		t.Error("an address without http was taken")
	}
}
