package contract

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/andygrunwald/go-jira"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/jira"
	"github.com/evenkeelops/evenkeel/incident"
)

// version3 looks a path of version 2 up under version 3, which alone has a document:
// only the forms of texts differ, and those are not in the schemas.
func version3(path string) string {
	return strings.Replace(path, "/rest/api/2/", "/rest/api/3/", 1)
}

// TestJira runs every operation of the client against a fake of Jira Cloud. The
// document says nothing of service management, whose operations are tested with
// the fake alone.
func TestJira(t *testing.T) {
	// Nobody as assignee is a null, which the schema of fields, one without a type, lets
	// be (OpenAPI 3.0.3, nullable) and the validator does not.
	contract := Open(t, "jira-cloud.json", Options{Path: version3, Except: []string{"/fields/assignee"}})
	fake := adaptertest.NewJira(adaptertest.JiraOptions{MaxPage: 2})
	client, err := jira.New(jira.Config{
		BaseURL: "https://jira.example", Email: "bot@acme.example", Token: adapters.NewSecret("t"), Tenant: "acme", Project: "OPS", IssueType: "Incident",
		Fields: []string{adaptertest.JiraField}, InternalRole: "Operators",
		States: append(jira.DefaultStates(), adapters.Name[adapters.State, jira.Status]{
			Ours: adapters.StateOnHold, Theirs: jira.Status{Category: jira.CategoryIndeterminate, Name: "Pending"},
		}),
		Transport: contract.Transport(fake),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	check := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	check("verify", client.Verify(ctx))
	ref, err := client.Open(ctx, adapters.Ticket{
		Key: "k", Tenant: "acme", Title: strings.Repeat("long ", 80), Text: strings.Repeat("text ", 8000), Severity: incident.P1, Assignee: "a1",
		Labels: []string{"checkout"}, Links: []adapters.WebLink{{Text: "dashboard", URL: "https://grafana.example"}},
		Fields: map[string]any{"Affected service": "checkout"}, State: adapters.StateAcknowledged,
	})
	check("open", err)
	// Without a ledger of its own the client looks for many with one search.
	for _, o := range client.OpenMany(ctx, []adapters.Ticket{{Key: "m1", Title: "one"}, {Key: "m2", Title: "two", Severity: incident.P4}}) {
		check("open many", o.Err)
	}
	other, err := client.Find(ctx, "acme", "m1")
	check("find", err)
	_, err = client.Read(ctx, ref)
	check("read", err)
	title, severity, labels := "shorter", incident.P2, []string{"a"}
	check("update", client.Update(ctx, ref, adapters.Patch{Title: &title, Severity: &severity, Labels: &labels, Fields: map[string]any{adaptertest.JiraField: "x"}}))
	check("assign", client.Assign(ctx, ref, "a2"))
	check("unassign", client.Assign(ctx, ref, ""))
	check("hold", client.Hold(ctx, ref, adapters.Hold{Until: time.Now().Add(time.Hour), Reason: "vendor"}))
	check("acknowledge", client.Acknowledge(ctx, ref, "Sarah Chen"))
	check("note", client.Note(ctx, ref, adapters.Note{Text: "internal"}))
	check("note with key", client.Note(ctx, ref, adapters.Note{Text: "public", Public: true, Key: "n"}))
	check("notes", drain(client.Notes(ctx, ref)))
	check("history", drain(client.History(ctx, ref)))
	check("attach", client.Attach(ctx, ref, adapters.Attachment{Name: "a.txt", ContentType: "text/plain", Content: []byte("a")}))
	check("link", client.Link(ctx, ref, other, "Blocks"))
	check("set property", client.SetProperty(ctx, ref, "ours", map[string]any{"n": 1}))
	var value any
	check("property", client.Property(ctx, ref, "ours", &value))
	check("publish", client.Publish(ctx, ref, "Update", "restarting"))
	check("search", drain(client.Search(ctx, "project = OPS")))
	_, err = client.Count(ctx, "project = OPS")
	check("count", err)
	check("export", drain(client.Export(ctx, time.Now().Add(-time.Hour), time.Now().Add(time.Hour), "")))
	check("changes", drain(client.Changes(ctx, "")))
	check("resolve", client.Resolve(ctx, ref, adapters.Resolution{Text: "restarted"}))
	_, err = client.Reopen(ctx, ref, "it is back")
	check("reopen", err)
	check("merge", client.Merge(ctx, other, ref))
	hook := jira.Hook{Events: []string{"jira:issue_updated", "comment_created"}, JQL: "project = OPS", Fields: []string{"status"}}
	done, err := client.KeepWebhooks(ctx, "https://we.example/hook", hook)
	check("register webhooks", err)
	_, err = client.RefreshWebhooks(ctx, done.Registered...)
	check("refresh webhooks", err)
	_, err = client.KeepWebhooks(ctx, "https://we.example/other", hook)
	check("remove webhooks", err)
	_, err = client.FailedWebhooks(ctx, time.Now().Add(-time.Hour))
	check("failed webhooks", err)

	if violations := contract.Violations(); len(violations) > 0 {
		t.Errorf("%d violations: %v", len(violations), violations)
	}
	if needed := contract.Needed(); !slices.Equal(needed, []string{"/fields/assignee"}) {
		t.Errorf("exceptions needed %q", needed)
	}
	var want []string
	for _, o := range fake.Requests() {
		o = strings.Replace(o, "/rest/api/2/", "/rest/api/3/", 1)
		for short, long := range map[string]string{"{issue}": "{issueIdOrKey}", "{project}": "{projectIdOrKey}", "{type}": "{issueTypeId}", "{key}": "{propertyKey}"} {
			o = strings.Replace(o, short, long, 1)
		}
		want = append(want, o)
	}
	slices.Sort(want)
	if got := contract.Operations(); !slices.Equal(got, slices.Compact(want)) {
		t.Errorf("operations %q, want %q", got, want)
	}
	t.Logf("%d requests of %d operations", len(want), len(contract.Operations()))
}

// TestJiraSDK shows that the document refuses what the calls of the SDK send that
// the client does not use.
func TestJiraSDK(t *testing.T) {
	contract := Open(t, "jira-cloud.json", Options{Path: version3})
	client, err := sdk.NewClient(&http.Client{Transport: contract.Transport(answer(http.StatusNoContent))}, "https://jira.example")
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	for name, call := range map[string]func(){
		"comment": func() { _, _, _ = client.Issue.AddCommentWithContext(ctx, "1", &sdk.Comment{Body: "x"}) },
		"assignee": func() {
			_, _ = client.Issue.UpdateAssigneeWithContext(ctx, "1", &sdk.User{AccountID: "x"})
		},
		"search": func() { _, _, _ = client.Issue.SearchWithContext(ctx, "project = OPS", nil) },
	} {
		before := len(contract.Violations())
		call()
		if len(contract.Violations()) == before {
			t.Errorf("%s: no violation", name)
		}
	}
}
