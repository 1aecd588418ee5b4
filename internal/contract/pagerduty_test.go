package contract

import (
	"context"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/PagerDuty/go-pagerduty"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/pagerduty"
	"github.com/evenkeelops/evenkeel/incident"
)

// The two places where PagerDuty's schema contradicts its own examples and guides:
// the text of an incident is a string there, values of custom fields are scalars.
// And it marks ids and types of references as read-only, which requests need.
// The pattern of two instants is written in words.
var pagerDutyREST = Options{
	ReadOnlyInRequests: true,
	Except:             []string{"/incident/body/details", "/custom_fields/*/value"},
	Patterns:           map[string]string{instantInWords: `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`},
}

const instantInWords = "YYYY-MM-DDThh:mm:ssZ"

var pagerDutyEvents = Options{Path: func(path string) string { return strings.TrimPrefix(path, "/v2") }}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w.Result(), nil
}

const routingKey = "0123456789abcdef0123456789abcdef"

func pagerDuty() *adaptertest.PagerDuty {
	fake := adaptertest.NewPagerDuty(adaptertest.PagerDutyOptions{
		RoutingKeys:      map[string]string{routingKey: "PSHOP"},
		Users:            []adaptertest.PagerDutyUser{{ID: "PBOT", Email: "bot@example.com"}, {ID: "PANN", Email: "ann@example.com"}},
		Services:         []adaptertest.PagerDutyThing{{ID: "PSHOP", Name: "checkout"}},
		BusinessServices: []adaptertest.PagerDutyThing{{ID: "PBUY", Name: "buying"}},
		Priorities:       []adaptertest.PagerDutyThing{{ID: "PRIO1", Name: "P1"}, {ID: "PRIO2", Name: "P2"}, {ID: "PRIO3", Name: "P3"}, {ID: "PRIO4", Name: "P4"}},
		Schedules:        []adaptertest.PagerDutySchedule{{ID: "POLD"}},
		Now:              func() time.Time { return noon },
	})
	for _, id := range []string{"QA", "QB", "QC"} {
		fake.Add(adaptertest.PagerDutyIncident{ID: id, Title: id, Service: "PSHOP", Priority: "PRIO1", Created: noon.Add(-time.Hour)})
	}
	fake.Add(adaptertest.PagerDutyIncident{ID: "QOLD", Title: "old", Service: "PSHOP", Status: "resolved", Created: noon.AddDate(0, 0, -9), Resolved: noon.AddDate(0, 0, -8)})
	return fake
}

func ref(id string) adapters.Ref {
	return adapters.Ref{Provider: "pagerduty", Type: "incident", ID: id}
}

func drain[T any](seq func(func(T, error) bool)) error {
	for _, err := range seq {
		if err != nil {
			return err
		}
	}
	return nil
}

func second[T any](_ T, err error) error { return err }

// pagerDutyCalls runs every operation with all that it can send.
func pagerDutyCalls(ctx context.Context, c *pagerduty.Client, subscription *string) map[string]func() error {
	title, text, severity := "slow", "only in Europe", incident.P3
	full := adapters.Ticket{
		Key: "key-1", Title: "user_api down", Text: "no answer", Severity: incident.P1, Assignee: "PANN",
		Links: []adapters.WebLink{{URL: "https://x.example"}}, Labels: []string{"eu"},
		Fields: map[string]any{
			"escalation_policy": "PESC", "incident_type": "incident_default", "conference_number": "+1 415-555-1212", "conference_url": "https://meet.example/1",
			"customers": 12, "region": "eu", "regions": []string{"eu", "us"}, "ours": true,
		},
	}
	window := pagerduty.Maintenance{Key: "m", Description: "upgrade", Services: []string{"PSHOP"}, Start: noon, End: noon.Add(time.Hour)}
	return map[string]func() error{
		"Open": func() error {
			plain := adapters.Ticket{Key: "key-2", Title: "no priority, no text", Target: "PSHOP"}
			policy := adapters.Ticket{Key: "key-3", Title: "to a policy", Assignee: "policy:PESC", Severity: incident.P4}
			for _, t := range []adapters.Ticket{full, plain, policy} {
				if _, err := c.Open(ctx, t); err != nil {
					return err
				}
			}
			return nil
		},
		"Find":   func() error { return second(c.Find(ctx, "acme", "key-1")) },
		"Read":   func() error { return second(c.Read(ctx, ref("QA"))) },
		"Fields": func() error { return second(c.Fields(ctx, ref("QA"))) },
		"Update": func() error {
			return c.Update(ctx, ref("QA"), adapters.Patch{Title: &title, Text: &text, Severity: &severity, Fields: full.Fields})
		},
		"Acknowledge": func() error { return c.Acknowledge(ctx, ref("QA"), "ann") },
		"Assign": func() error {
			if err := c.Assign(ctx, ref("QA"), "PANN,PBOT"); err != nil {
				return err
			}
			return c.Assign(ctx, ref("QA"), "policy:PESC")
		},
		"Escalate": func() error { return c.Escalate(ctx, ref("QA"), 2) },
		"Hold": func() error {
			return c.Hold(ctx, ref("QA"), adapters.Hold{Until: noon.Add(time.Hour), Reason: "waits"})
		},
		"Merge":       func() error { return c.Merge(ctx, ref("QA"), ref("QB")) },
		"Note":        func() error { return c.Note(ctx, ref("QA"), adapters.Note{Text: "x", Key: "n"}) },
		"Notes":       func() error { return drain(c.Notes(ctx, ref("QA"))) },
		"Log":         func() error { return drain(c.Log(ctx, ref("QA"))) },
		"Publish":     func() error { return c.Publish(ctx, ref("QA"), "", "m") },
		"PublishHTML": func() error { return c.PublishHTML(ctx, ref("QA"), "s", "m", "<p>m</p>") },
		"Resolve":     func() error { return c.Resolve(ctx, ref("QC"), adapters.Resolution{Text: "done", Code: "fixed"}) },
		"Reopen": func() error {
			if _, err := c.Reopen(ctx, ref("QC"), "back"); err != nil {
				return err
			}
			return second(c.Reopen(ctx, ref("QOLD"), "back"))
		},
		"ResolveAll": func() error { return c.ResolveAll(ctx, adapters.Resolution{Text: "over"}, ref("QA"), ref("QC")) },
		"Clocks":     func() error { return second(c.Clocks(ctx, ref("QA"))) },
		"OnCall": func() error {
			if err := second(c.OnCall(ctx, "schedule:POLD", noon)); err != nil {
				return err
			}
			return second(c.OnCall(ctx, "PESC", noon))
		},
		"Schedule": func() error { return second(c.Schedule(ctx, "POLD")) },
		"Export":   func() error { return drain(c.Export(ctx, noon.AddDate(0, 0, -1), noon, "")) },
		"Changes":  func() error { return drain(c.Changes(ctx, pagerduty.CursorAt(noon.Add(-time.Hour)))) },
		"ChangeEvents": func() error {
			if err := drain(c.ChangeEvents(ctx, "", noon.Add(-time.Hour), noon)); err != nil {
				return err
			}
			return drain(c.ChangeEvents(ctx, "PSHOP", noon.Add(-time.Hour), noon))
		},
		"Analyses": func() error {
			f := pagerduty.AnalysisFilter{From: noon.AddDate(0, 0, -1), Until: noon, Services: []string{"PSHOP"}, Teams: []string{"PTEAM"}, Urgency: "high"}
			return drain(c.Analyses(ctx, f, "0/cQA"))
		},
		"Edges":        func() error { return drain(c.Edges(ctx)) },
		"Maintenances": func() error { return drain(c.Maintenances(ctx)) },
		"KeepMaintenances": func() error {
			longer := window
			longer.End = noon.Add(2 * time.Hour)
			for _, w := range [][]pagerduty.Maintenance{{window}, {longer}, nil} {
				if _, err := c.KeepMaintenances(ctx, w); err != nil {
					return err
				}
			}
			return nil
		},
		"Subscribe": func() error {
			for _, s := range []pagerduty.Subscription{{}, {Service: "PSHOP"}, {Team: "PTEAM"}} {
				s.URL, s.Events, s.Description = "https://hook.example", pagerduty.EventTypes[:], "evenkeel"
				made, err := c.Subscribe(ctx, s)
				if err != nil {
					return err
				}
				*subscription = made.ID
			}
			return nil
		},
		"Subscriptions":       func() error { return drain(c.Subscriptions(ctx)) },
		"RepairSubscriptions": func() error { return second(c.RepairSubscriptions(ctx, "https://hook.example")) },
		"Enable":              func() error { return c.Enable(ctx, *subscription) },
		"Ping":                func() error { return c.Ping(ctx, *subscription) },
		"Unsubscribe":         func() error { return c.Unsubscribe(ctx, *subscription) },
		"Verify":              func() error { return c.Verify(ctx) },
	}
}

// order is that of a life; what is not listed is run before.
var order = []string{"Subscribe", "Subscriptions", "RepairSubscriptions", "Enable", "Ping", "Unsubscribe", "Open", "Find", "Update", "Acknowledge", "Assign", "Escalate", "Hold", "Merge", "Note", "Publish", "Resolve", "Reopen", "ResolveAll"}

func TestPagerDutyREST(t *testing.T) {
	c := Open(t, "pagerduty-rest.json", pagerDutyREST)
	client, err := pagerduty.New(pagerduty.Config{
		Token: adapters.NewSecret("token"), From: "bot@example.com", Service: "PSHOP", Now: func() time.Time { return noon },
		Transport: c.Transport(direct{pagerDuty()}),
	})
	if err != nil {
		t.Fatal(err)
	}
	var subscription string
	calls := pagerDutyCalls(t.Context(), client, &subscription)
	for m := range reflect.TypeOf(client).Methods() {
		if calls[m.Name] == nil && !slices.Contains([]string{"Provider", "Capabilities", "Ticket"}, m.Name) {
			t.Errorf("method %s is not among the calls", m.Name)
		}
	}
	for name, call := range calls {
		if !slices.Contains(order, name) {
			if err := call(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for _, name := range order {
		if err := calls[name](); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, v := range c.Violations() {
		t.Error(v)
	}
	if got := c.Needed(); !slices.Equal(got, slices.Sorted(slices.Values(pagerDutyREST.Except))) {
		t.Errorf("exceptions that are needed: %q, want all of %q", got, pagerDutyREST.Except)
	}
	t.Logf("%d operations, %d violations", len(c.Operations()), len(c.Violations()))

	// As an object the text of an incident needs no exception.
	strict := Open(t, "pagerduty-rest.json", Options{ReadOnlyInRequests: true})
	object, err := pagerduty.New(pagerduty.Config{
		Token: adapters.NewSecret("token"), From: "bot@example.com", Service: "PSHOP", DetailsAsObject: true, Transport: strict.Transport(direct{pagerDuty()}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := object.Open(t.Context(), adapters.Ticket{Key: "k", Title: "t", Text: "x", Severity: incident.P1}); err != nil {
		t.Fatal(err)
	}
	for _, v := range strict.Violations() {
		t.Error(v)
	}
}

func TestPagerDutyEvents(t *testing.T) {
	c := Open(t, "pagerduty-events.json", pagerDutyEvents)
	events, err := pagerduty.NewEvents(pagerduty.EventsConfig{
		RoutingKeys: map[string]adapters.Secret{"": adapters.NewSecret(routingKey)}, Source: "evenkeel", Client: "evenkeel", ClientURL: "https://x.example",
		Transport: c.Transport(direct{pagerDuty()}),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	links := []adapters.WebLink{{Text: "dashboard", URL: "https://x.example"}, {URL: "https://y.example"}}
	alert, err := events.Open(ctx, adapters.Ticket{
		Key: "k", Title: "user_api down", Text: "no answer", Severity: incident.P1, Links: links, Labels: []string{"eu"}, Created: noon,
		Fields: map[string]any{"component": "api", "group": "shop", "class": "http", "source": "probe", "customers": 3},
	})
	for _, err := range []error{
		err,
		second(events.Trigger(ctx, pagerduty.Alert{Key: "bare", Summary: "x", Severity: incident.P4, Images: []pagerduty.Image{{Source: "https://x.example/i.png", Link: "https://x.example", Text: "graph"}}})),
		second(events.Trigger(ctx, pagerduty.Alert{Key: "large", Summary: strings.Repeat("x", 2000), Severity: incident.P2, Details: map[string]any{"a": strings.Repeat("x", 520_000)}})),
		events.Acknowledge(ctx, alert, "ann"),
		events.Resolve(ctx, alert, adapters.Resolution{Text: "done"}),
		second(events.Reopen(ctx, alert, "back")),
		second(events.Change(ctx, "acme", "", pagerduty.Change{Summary: "deployed", At: noon, Details: map[string]any{"v": 2}, Links: links})),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	for _, v := range c.Violations() {
		t.Error(v)
	}
	if want := []string{"POST /change/enqueue", "POST /enqueue"}; !slices.Equal(c.Operations(), want) {
		t.Errorf("operations %q, want %q", c.Operations(), want)
	}
}

// Whether the pattern in words is still in the way.
func TestPagerDutyPatternIsNeeded(t *testing.T) {
	c := Open(t, "pagerduty-rest.json", Options{ReadOnlyInRequests: true, Except: pagerDutyREST.Except})
	client, err := pagerduty.New(pagerduty.Config{Token: adapters.NewSecret("token"), Transport: c.Transport(direct{pagerDuty()})})
	if err != nil {
		t.Fatal(err)
	}
	if err := drain(client.ChangeEvents(t.Context(), "", noon.Add(-time.Hour), noon)); err != nil {
		t.Fatal(err)
	}
	if v := c.Violations(); len(v) != 2 || !strings.Contains(v[0].Text, instantInWords) {
		t.Errorf("violations %v, want since and until", v)
	}
}

// The check itself sees what go-pagerduty does against the contract.
func TestPagerDutySDKViolatesIt(t *testing.T) {
	for name, call := range map[string]func(c *sdk.Client) error{
		"create without a priority": func(c *sdk.Client) error {
			return second(c.CreateIncidentWithContext(t.Context(), "bot@example.com", &sdk.CreateIncidentOptions{Title: "x", Service: &sdk.APIReference{ID: "PSHOP", Type: "service_reference"}}))
		},
		"merge without a type": func(c *sdk.Client) error {
			return second(c.MergeIncidentsWithContext(t.Context(), "bot@example.com", "QA", []sdk.MergeIncidentsOptions{{ID: "QB"}}))
		},
		"snooze without From": func(c *sdk.Client) error { return second(c.SnoozeIncidentWithContext(t.Context(), "QA", 60)) },
	} {
		c := Open(t, "pagerduty-rest.json", pagerDutyREST)
		client := sdk.NewClient("token")
		client.HTTPClient = &http.Client{Transport: c.Transport(direct{pagerDuty()})}
		_ = call(client)
		if len(c.Violations()) == 0 {
			t.Errorf("%s: no violation", name)
		}
	}
}
