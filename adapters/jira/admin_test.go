package jira

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/incident"
)

func TestVerify(t *testing.T) {
	for name, o := range both {
		t.Run(name, func(t *testing.T) {
			c, fake := with(t, o, nil)
			must(t, c.Verify(t.Context()))
			for _, r := range fake.Requests() {
				if !strings.HasPrefix(r, "GET ") && !strings.HasSuffix(r, "/object/aql") { // a query, which reads
					t.Errorf("request %q, want none that writes", r)
				}
			}
			wrong := config(fake, o)
			wrong.Deployment = map[bool]Deployment{true: Cloud, false: DataCenter}[o.DataCenter]
			wrong.IssueType = "Bug"
			wrong.Priorities = adapters.Names[incident.Severity, string]{{Ours: incident.P1, Theirs: "Kritisch"}}
			wrong.Resolutions = adapters.Names[adapters.State, string]{{Ours: adapters.StateResolved, Theirs: "Erledigt"}}
			wrong.DuplicateResolution, wrong.RelatedLink = "Duplikat", "Bezug"
			bad, err := New(wrong)
			must(t, err)
			e, ok := errors.AsType[*adapters.Error](bad.Verify(t.Context()))
			if !ok || e.Kind != adapters.Invalid || len(e.Details) != 7 {
				t.Fatalf("error %v, want seven details", e)
			}
			for i, want := range []string{"the server is", `"Bug"`, `"Kritisch"`, `"Erledigt"`, `"Duplikat"`, `"Bezug"`, "assets: "} {
				if !strings.Contains(e.Details[i], want) {
					t.Errorf("detail %q, want one about %s", e.Details[i], want)
				}
			}
			names := config(fake, o)
			names.States = adapters.Names[adapters.State, Status]{
				{Ours: adapters.StateOnHold, Theirs: Status{Category: CategoryNew, Name: "Pending"}},
				{Ours: adapters.StateResolved, Theirs: Status{Category: CategoryDone, Name: "Erledigt"}},
				{Ours: adapters.StateNew, Theirs: Status{Category: "odd"}},
			}
			bad, err = New(names)
			must(t, err)
			e, _ = errors.AsType[*adapters.Error](bad.Verify(t.Context()))
			want := []string{
				`state on_hold: status "Pending" is of category "indeterminate", configured as "new"`,
				`state resolved: no status "Erledigt"`, `state new: no status of category "odd"`,
			}
			if e == nil || !slices.Equal(e.Details, want) {
				t.Errorf("details %q, want %q", e, want)
			}
			names.Project = "OTHER"
			bad, err = New(names)
			must(t, err)
			if err := bad.Verify(t.Context()); adapters.KindOf(err) != adapters.Invalid || !strings.Contains(err.Error(), "OTHER") {
				t.Errorf("another project: %v", err)
			}
		})
	}
}

// What an app wants is registered, kept alive over a year, changed and repaired.
func TestKeepWebhooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := with(t, adaptertest.JiraOptions{MaxPage: 1}, nil)
		ctx := t.Context()
		a := Hook{Events: []string{"jira:issue_created", "jira:issue_updated"}, JQL: `project = "OPS"`}
		b := Hook{Events: []string{"comment_created"}, JQL: `project = "OPS"`}
		const url = "https://we.example/hooks/jira"
		done, err := c.KeepWebhooks(ctx, url, a, b)
		if err != nil || len(done.Registered) != 2 || len(done.Refreshed)+len(done.Removed) != 0 {
			t.Fatalf("first: %+v, %v", done, err)
		}
		for week := range 52 {
			time.Sleep(7 * 24 * time.Hour)
			slices.Reverse(a.Events)
			done, err = c.KeepWebhooks(ctx, url, a, b)
			if err != nil || len(done.Registered)+len(done.Removed) != 0 || time.Until(done.Expires) < 7*24*time.Hour {
				t.Fatalf("week %d: %+v, %v; want nothing new and no end before the next week", week, done, err)
			}
		}
		b.Events = []string{"comment_created", "comment_updated"}
		if done, err = c.KeepWebhooks(ctx, url, a, b); err != nil || len(done.Registered) != 1 || len(done.Removed) != 1 {
			t.Errorf("changed: %+v, %v", done, err)
		}
		time.Sleep(31 * 24 * time.Hour) // they have ended
		if done, err = c.KeepWebhooks(ctx, url, a, b); err != nil || len(done.Registered) != 2 {
			t.Errorf("repaired: %+v, %v", done, err)
		}
		odd := Hook{Events: []string{"jira:issue_created"}, JQL: "odd = 1"}
		done, err = c.KeepWebhooks(ctx, url, a, b, odd) // a 200 with an error in it
		if adapters.KindOf(err) != adapters.Invalid || !strings.Contains(err.Error(), "webhook 0: The clause is unsupported") {
			t.Errorf("refused: %+v, %v", done, err)
		}
		if _, err := c.KeepWebhooks(ctx, "http://we.example", a); adapters.KindOf(err) != adapters.Invalid {
			t.Errorf("http: %v, want invalid", err)
		}
		dc, _ := with(t, adaptertest.JiraOptions{DataCenter: true}, nil)
		if _, err := dc.KeepWebhooks(ctx, url, a); adapters.KindOf(err) != adapters.Unsupported {
			t.Errorf("data center: %v, want unsupported", err)
		}
	})
}

func TestFailedWebhooks(t *testing.T) {
	c, fake := with(t, adaptertest.JiraOptions{MaxPage: 2}, nil)
	start := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	for n := range 7 {
		fake.FailWebhook(strconv.Itoa(n), "https://we.example", body, start.Add(time.Duration(n)*time.Minute))
	}
	got, err := c.FailedWebhooks(t.Context(), start)
	if err != nil || len(got) != 6 || got[0].ID != "1" || got[5].ID != "6" || got[0].Body != body || !got[0].Failed.Equal(start.Add(time.Minute)) {
		t.Errorf("failed %d, %v; want those after the first", len(got), err)
	}
}

// The clocks of a request as the documents of service management write them: one
// that ran twice, and one that has stopped.
func TestClocks(t *testing.T) {
	c, fake := with(t, adaptertest.JiraOptions{ServiceDesk: true, MaxPage: 1}, nil)
	ref := mustOpen(t, c, "k")
	at := func(minute int) map[string]any {
		return map[string]any{"iso8601": "x", "epochMillis": time.Date(2026, 11, 30, 12, minute, 0, 0, time.UTC).UnixMilli()}
	}
	span := func(minutes int) map[string]any {
		return map[string]any{"millis": minutes * 60_000, "friendly": "x"}
	}
	fake.SetClocks(ref.ID,
		map[string]any{
			"name": "Time to resolution",
			"completedCycles": []any{map[string]any{
				"startTime": at(0), "stopTime": at(20), "breachTime": at(15), "breached": true, "goalDuration": span(15), "elapsedTime": span(20), "remainingTime": span(-5),
			}},
			"ongoingCycle": map[string]any{
				"startTime": at(30), "breachTime": at(45), "breached": false, "paused": true, "withinCalendarHours": true,
				"goalDuration": span(15), "elapsedTime": span(5), "remainingTime": span(10),
			},
		},
		map[string]any{"name": "Time to first response", "completedCycles": []any{map[string]any{"startTime": at(0), "stopTime": at(1), "breached": false}}},
	)
	minute := func(n int) time.Time { return time.Date(2026, 11, 30, 12, n, 0, 0, time.UTC) }
	want := []adapters.Clock{
		{Name: "Time to resolution", Start: minute(0), Stop: minute(20), Breach: minute(15), Breached: true, Goal: 15 * time.Minute, Elapsed: 20 * time.Minute, Remaining: -5 * time.Minute},
		{Name: "Time to resolution", Start: minute(30), Breach: minute(45), Paused: true, Goal: 15 * time.Minute, Elapsed: 5 * time.Minute, Remaining: 10 * time.Minute},
		{Name: "Time to first response", Start: minute(0), Stop: minute(1)},
	}
	got, err := c.Clocks(t.Context(), ref)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("clocks\n%+v, %v, want\n%+v", got, err, want)
	}
	plain, _ := with(t, adaptertest.JiraOptions{}, nil)
	if _, err := plain.Clocks(t.Context(), ref); adapters.KindOf(err) != adapters.Unsupported || plain.Capabilities().Has(adapters.CanReadClocks) {
		t.Errorf("without a service desk: %v, want unsupported", err)
	}
}

func TestRequest(t *testing.T) {
	for name, o := range map[string]adaptertest.JiraOptions{"cloud": {ServiceDesk: true}, "data center": {ServiceDesk: true, DataCenter: true}} {
		t.Run(name, func(t *testing.T) {
			c, fake := with(t, o, nil)
			ref, err := c.CreateRequest(t.Context(), NewRequest{
				Tenant: "acme", ServiceDesk: "1", Type: "25", OnBehalfOf: "customer", Participants: []string{"other"},
				Fields: map[string]any{"summary": "help", adaptertest.JiraField: []any{map[string]any{"value": "checkout"}}},
			})
			must(t, err)
			r, err := c.Request(t.Context(), ref)
			must(t, err)
			if r.Ref.ID != ref.ID || r.ServiceDesk != "1" || r.Type != "25" || r.Reporter != adaptertest.JiraBot || r.Status != "To Do" || r.Since.IsZero() || len(r.Fields) != 2 {
				t.Errorf("request %+v", r)
			}
			if list, ok := r.Fields[1].Value.([]any); !ok || len(list) != 1 { // what models with texts alone cannot read
				t.Errorf("field %+v, want a list", r.Fields[1])
			}
			steps, err := c.RequestTransitions(t.Context(), ref)
			must(t, err)
			must(t, c.TakeRequestTransition(t.Context(), ref, steps[0].ID, "on it"))
			must(t, c.Publish(t.Context(), ref, "Update", "restarting"))
			must(t, c.Note(t.Context(), ref, adapters.Note{Text: "internal"}))
			i := fake.Issues()[0]
			if i.Status != "In Progress" || !slices.Equal(i.Comments, []string{"on it", "Update\n\nrestarting", "internal"}) || !slices.Equal(i.Public, []bool{true, true, false}) {
				t.Errorf("issue %+v", i)
			}
			notes := collect(t, c.Notes(t.Context(), ref))
			if len(notes) != 3 || !notes[1].Public || notes[2].Public {
				t.Errorf("notes %+v, want the last one internal", notes)
			}
			if _, err := c.CreateRequest(t.Context(), NewRequest{ServiceDesk: "1"}); adapters.KindOf(err) != adapters.Invalid {
				t.Errorf("without a type: %v, want invalid", err)
			}
			_, err = c.CreateRequest(t.Context(), NewRequest{ServiceDesk: "1", Type: "25"})
			if e, ok := errors.AsType[*adapters.Error](err); !ok || e.Status != 400 || !strings.HasPrefix(e.Message, "Your request could not be created") {
				t.Errorf("refused: %v, want what the service desk says", err)
			}
		})
	}
}

func TestPublish(t *testing.T) {
	lose := false
	c, fake := with(t, adaptertest.JiraOptions{Fault: func(int, *http.Request) adaptertest.JiraFault { return adaptertest.JiraFault{Lose: lose} }}, nil)
	ref := mustOpen(t, c, "k")
	must(t, c.Publish(t.Context(), ref, "Update\nto all", "restarting"))
	lose = true
	if err := c.Publish(t.Context(), ref, "Update", "restarting"); adapters.KindOf(err) != adapters.OutcomeUnknown || fake.Mails() != 2 {
		t.Errorf("lost: %v, %d mails; want outcome unknown, and no third one", err, fake.Mails())
	}
}
