package jira

import (
	"context"
	"iter"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
	"github.com/evenkeelops/evenkeel/incident"
)

const canary = "canary-5e1f-token"

// pending is the named status in which the fake lets issues rest.
var pending = Status{Category: CategoryIndeterminate, Name: "Pending"}

// config is one for a fake.
func config(fake *adaptertest.Jira, o adaptertest.JiraOptions) Config {
	c := Config{
		BaseURL: "https://jira.example", Deployment: Cloud, Email: "bot@acme.example", Token: adapters.NewSecret(canary),
		Tenant: "acme", Project: "OPS", IssueType: "Incident", ServiceDesk: o.ServiceDesk, Fields: []string{adaptertest.JiraField},
		States: append(DefaultStates(), adapters.Name[adapters.State, Status]{Ours: adapters.StateOnHold, Theirs: pending}),
		Ledger: &adapters.MemoryLedger{}, Limits: &Limits{}, Transport: fake,
		Policy: resilience.Policy{NoJitter: true},
		Assets: Assets{Query: `objectType in ("Service","Server")`, References: map[string]Direction{"Runs on": HolderDepends, "Hosts": ReferredDepends}},
	}
	if o.DataCenter {
		c.Deployment, c.Email = DataCenter, ""
	}
	return c
}

// with makes a fake and its client; change may be nil.
func with(t *testing.T, o adaptertest.JiraOptions, change func(*Config)) (*Client, *adaptertest.Jira) {
	t.Helper()
	fake := adaptertest.NewJira(o)
	c := config(fake, o)
	if change != nil {
		change(&c)
	}
	client, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return client, fake
}

// both are the deployments that most tests run on.
var both = map[string]adaptertest.JiraOptions{"cloud": {}, "data center": {DataCenter: true}}

// sample is a ticket.
func sample(key string) adapters.Ticket {
	return adapters.Ticket{Key: key, Tenant: "acme", Title: "checkout is down", Text: "5xx above 20 %", Severity: incident.P1, Labels: []string{"checkout"}}
}

func mustOpen(t *testing.T, c *Client, key string) adapters.Ref {
	t.Helper()
	ref, err := c.Open(t.Context(), sample(key))
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func collect[T any](t *testing.T, seq iter.Seq2[T, error]) []T {
	t.Helper()
	var all []T
	for v, err := range seq {
		must(t, err)
		all = append(all, v)
	}
	return all
}

// drain runs through a list for its error.
func drain[T any](seq iter.Seq2[T, error]) error {
	for _, err := range seq {
		if err != nil {
			return err
		}
	}
	return nil
}

// operation is one of the client, on an issue that is there.
type operation struct {
	name  string
	desk  bool // of service management
	cloud bool // only there
	call  func(ctx context.Context, c *Client, ref adapters.Ref) error
}

var operations = []operation{
	{name: "open", call: func(ctx context.Context, c *Client, _ adapters.Ref) error {
		_, err := c.Open(ctx, sample("another"))
		return err
	}},
	{name: "open many", call: func(ctx context.Context, c *Client, _ adapters.Ref) error {
		return c.OpenMany(ctx, []adapters.Ticket{sample("many")})[0].Err
	}},
	{name: "find", call: func(ctx context.Context, c *Client, _ adapters.Ref) error {
		_, err := c.Find(ctx, "acme", "unknown")
		return err
	}},
	{name: "read", call: func(ctx context.Context, c *Client, ref adapters.Ref) error { _, err := c.Read(ctx, ref); return err }},
	{name: "update", call: func(ctx context.Context, c *Client, ref adapters.Ref) error {
		title, severity, labels := "new", incident.P2, []string{"a"}
		return c.Update(ctx, ref, adapters.Patch{Title: &title, Severity: &severity, Labels: &labels, Fields: map[string]any{adaptertest.JiraField: "x"}})
	}},
	{name: "assign", call: func(ctx context.Context, c *Client, ref adapters.Ref) error { return c.Assign(ctx, ref, "sarah") }},
	{name: "hold", call: func(ctx context.Context, c *Client, ref adapters.Ref) error {
		return c.Hold(ctx, ref, adapters.Hold{Reason: "vendor"})
	}},
	{name: "acknowledge", call: func(ctx context.Context, c *Client, ref adapters.Ref) error {
		return c.Acknowledge(ctx, ref, "Sarah Chen")
	}},
	{name: "note", call: func(ctx context.Context, c *Client, ref adapters.Ref) error {
		return c.Note(ctx, ref, adapters.Note{Text: "restarted", Key: "n1"})
	}},
	{name: "notes", call: func(ctx context.Context, c *Client, ref adapters.Ref) error { return drain(c.Notes(ctx, ref)) }},
	{name: "history", call: func(ctx context.Context, c *Client, ref adapters.Ref) error { return drain(c.History(ctx, ref)) }},
	{name: "attach", call: func(ctx context.Context, c *Client, ref adapters.Ref) error {
		return c.Attach(ctx, ref, adapters.Attachment{Name: "graph.txt", ContentType: "text/plain", Content: []byte("up")})
	}},
	{name: "link", call: func(ctx context.Context, c *Client, ref adapters.Ref) error { return c.Link(ctx, ref, ref, "") }},
	{name: "set property", call: func(ctx context.Context, c *Client, ref adapters.Ref) error {
		return c.SetProperty(ctx, ref, "ours", map[string]int{"n": 1})
	}},
	{name: "property", call: func(ctx context.Context, c *Client, ref adapters.Ref) error {
		var into any
		return c.Property(ctx, ref, "evenkeel", &into)
	}},
	{name: "publish", call: func(ctx context.Context, c *Client, ref adapters.Ref) error { return c.Publish(ctx, ref, "s", "m") }},
	{name: "search", call: func(ctx context.Context, c *Client, _ adapters.Ref) error {
		return drain(c.Search(ctx, "project = OPS"))
	}},
	{name: "count", call: func(ctx context.Context, c *Client, _ adapters.Ref) error {
		_, err := c.Count(ctx, "project = OPS")
		return err
	}},
	{name: "export", call: func(ctx context.Context, c *Client, _ adapters.Ref) error {
		return drain(c.Export(ctx, time.Now().Add(-time.Hour), time.Now().Add(time.Hour), ""))
	}},
	{name: "changes", call: func(ctx context.Context, c *Client, _ adapters.Ref) error { return drain(c.Changes(ctx, "")) }},
	{name: "edges", call: func(ctx context.Context, c *Client, _ adapters.Ref) error { return drain(c.Edges(ctx)) }},
	{name: "verify", call: func(ctx context.Context, c *Client, _ adapters.Ref) error { return c.Verify(ctx) }},
	{name: "webhooks", cloud: true, call: func(ctx context.Context, c *Client, _ adapters.Ref) error {
		_, err := c.KeepWebhooks(ctx, "https://we.example/hook", Hook{Events: []string{"jira:issue_updated"}, JQL: `project = "OPS"`})
		return err
	}},
	{name: "refresh webhooks", cloud: true, call: func(ctx context.Context, c *Client, _ adapters.Ref) error {
		_, err := c.RefreshWebhooks(ctx, 1)
		return err
	}},
	{name: "failed webhooks", cloud: true, call: func(ctx context.Context, c *Client, _ adapters.Ref) error {
		_, err := c.FailedWebhooks(ctx, time.Time{})
		return err
	}},
	{name: "clocks", desk: true, call: func(ctx context.Context, c *Client, ref adapters.Ref) error { _, err := c.Clocks(ctx, ref); return err }},
	{name: "request", desk: true, call: func(ctx context.Context, c *Client, ref adapters.Ref) error {
		_, err := c.Request(ctx, ref)
		return err
	}},
	{name: "create request", desk: true, call: func(ctx context.Context, c *Client, _ adapters.Ref) error {
		_, err := c.CreateRequest(ctx, NewRequest{ServiceDesk: "1", Type: "25", Fields: map[string]any{"summary": "help"}})
		return err
	}},
	{name: "request transitions", desk: true, call: func(ctx context.Context, c *Client, ref adapters.Ref) error {
		_, err := c.RequestTransitions(ctx, ref)
		return err
	}},
	{name: "take request transition", desk: true, call: func(ctx context.Context, c *Client, ref adapters.Ref) error {
		return c.TakeRequestTransition(ctx, ref, "12", "done by the customer")
	}},
	{name: "merge", call: func(ctx context.Context, c *Client, ref adapters.Ref) error {
		other := ref
		other.ID = "10001"
		return c.Merge(ctx, other, ref)
	}},
	{name: "cancel", call: func(ctx context.Context, c *Client, ref adapters.Ref) error {
		return c.Cancel(ctx, ref, adapters.Resolution{Text: "not needed"})
	}},
	{name: "close", call: func(ctx context.Context, c *Client, ref adapters.Ref) error {
		return c.Close(ctx, ref, adapters.Resolution{})
	}},
	{name: "reopen", call: func(ctx context.Context, c *Client, ref adapters.Ref) error {
		_, err := c.Reopen(ctx, ref, "again")
		return err
	}},
	{name: "resolve", call: func(ctx context.Context, c *Client, ref adapters.Ref) error {
		return c.Resolve(ctx, ref, adapters.Resolution{Text: "restarted"})
	}},
}

// TestOperations runs every operation on an issue, on each deployment and with and
// without a service desk.
func TestOperations(t *testing.T) {
	for name, o := range map[string]adaptertest.JiraOptions{
		"cloud": {}, "data center": {DataCenter: true}, "cloud desk": {ServiceDesk: true}, "data center desk": {ServiceDesk: true, DataCenter: true},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := with(t, o, nil)
			mustOpen(t, c, "first")
			ref := mustOpen(t, c, "second")
			for _, op := range operations {
				if op.desk && !o.ServiceDesk || op.cloud && o.DataCenter {
					continue
				}
				err := op.call(t.Context(), c, ref)
				if op.name == "find" {
					if adapters.KindOf(err) != adapters.NotFound {
						t.Errorf("find: %v, want not found", err)
					}
				} else if err != nil {
					t.Errorf("%s: %v", op.name, err)
				}
			}
		})
	}
}

// status answers every request with a status.
func status(code int, header http.Header, body string) func(int, *http.Request) adaptertest.JiraFault {
	return func(int, *http.Request) adaptertest.JiraFault {
		return adaptertest.JiraFault{Status: code, Header: header, Body: body}
	}
}

// counting counts answers of 429.
type counter struct{ n *atomic.Int64 }

func counting(n *atomic.Int64) resilience.Observer { return counter{n} }

func (c counter) Attempt(a resilience.Attempt) {
	if a.Status == http.StatusTooManyRequests {
		c.n.Add(1)
	}
}
