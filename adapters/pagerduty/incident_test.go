package pagerduty_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/pagerduty"
	"github.com/evenkeelops/evenkeel/incident"
)

func TestOpen(t *testing.T) {
	client, fake, _ := setUp(t)
	ticket := down("key-1")
	ticket.Links = []adapters.WebLink{{Text: "dashboard", URL: "https://grafana.example/d/1"}}
	ticket.Labels = []string{"eu", "shop"}
	ticket.Assignee = "PANN"
	ticket.Fields = map[string]any{"escalation_policy": "PESC", "conference_url": "https://meet.example/1", "customers": 12.0, "regions": []any{"eu"}}
	ref := open(t, client, ticket)
	want := adapters.Ref{Provider: "pagerduty", Tenant: "acme", Type: "incident", ID: ref.ID, Number: "1", URL: "https://example.pagerduty.com/incidents/" + ref.ID, Version: "2026-11-22T12:00:00Z"}
	if ref != want {
		t.Errorf("Open = %+v, want %+v", ref, want)
	}
	got := fake.Incident(ref.ID)
	// P1 is priority P1, the higher of two, and urgency high.
	if got.Priority != "PRIO1" || got.Urgency != "high" || got.Policy != "PESC" || got.Service != "PSHOP" || !slices.Equal(got.Assignees, []string{"PANN"}) {
		t.Errorf("incident %+v", got)
	}
	if got.Fields["customers"] != 12.0 || fmt.Sprint(got.Fields["regions"]) != "[eu]" || len(got.Fields) != 2 {
		t.Errorf("custom fields %v, want customers and regions", got.Fields)
	}
	wantText := "no answer\n\ndashboard https://grafana.example/d/1\n\nLabels: eu, shop"
	read, err := client.Read(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	if read.Text != wantText || read.Severity != incident.P1 || read.State != adapters.StateNew || read.Key != "key-1" || read.Target != "PSHOP" || !read.Created.Equal(noon) {
		t.Errorf("Read = %+v", read)
	}
	fields, err := client.Fields(t.Context(), ref)
	if err != nil || fields["customers"] != 12.0 {
		t.Errorf("Fields = %v, %v", fields, err)
	}
	again, err := client.Open(t.Context(), ticket)
	if err != nil || again != ref || len(fake.Incidents()) != 1 {
		t.Errorf("second Open = %v, %v with %d incidents, want the same and 1", again, err, len(fake.Incidents()))
	}
}

func TestOpenIsRefused(t *testing.T) {
	client, fake, _ := setUp(t)
	for _, tt := range []struct {
		name   string
		change func(*adapters.Ticket)
		want   adapters.Kind
	}{
		{"key missing", func(t *adapters.Ticket) { t.Key = "" }, adapters.Invalid},
		{"key too long", func(t *adapters.Ticket) { t.Key = strings.Repeat("k", 256) }, adapters.Invalid},
		{"title missing", func(t *adapters.Ticket) { t.Title = "" }, adapters.Invalid},
		{"state", func(t *adapters.Ticket) { t.State = adapters.StateResolved }, adapters.Unsupported},
		{"field of another type", func(t *adapters.Ticket) { t.Fields = map[string]any{"escalation_policy": 3} }, adapters.Invalid},
		{"assignee", func(t *adapters.Ticket) { t.Assignee = "," }, adapters.Invalid},
	} {
		ticket := down("k")
		tt.change(&ticket)
		if _, err := client.Open(t.Context(), ticket); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	if fake.Asked("POST /incidents") != 0 {
		t.Error("something was sent")
	}
}

// An answer that names no incident is no incident; it may have been made all the same.
func TestOpenAnsweredWithoutIncident(t *testing.T) {
	client, _, _ := setUp(t, func(c *pagerduty.Config, _ *adaptertest.PagerDutyOptions) {
		c.NoPriorities, c.Transport = true, answering(201, `{}`)
	})
	ref, err := client.Open(t.Context(), down("k"))
	if e, ok := errors.AsType[*adapters.Error](err); !ok || e.Kind != adapters.BadResponse || !e.MayHaveApplied || ref.ID != "" {
		t.Errorf("Open() = %+v, %v, want bad_response that may have been applied", ref, err)
	}
}

// A key is refused only while its incident is open, so both have to be looked for.
func TestOpenOfAKeyThatWasResolved(t *testing.T) {
	client, fake, _ := setUp(t)
	ref := open(t, client, down("key-1"))
	if err := client.Resolve(t.Context(), ref, adapters.Resolution{Text: "done"}); err != nil {
		t.Fatal(err)
	}
	if again := open(t, client, down("key-1")); !again.Same(ref) || len(fake.Incidents()) != 1 {
		t.Errorf("Open again = %v with %d incidents, want %v and 1", again, len(fake.Incidents()), ref)
	}
}

// A create that was carried out and whose answer was lost is refused on the next
// try, and found.
func TestOpenWhoseKeyIsTaken(t *testing.T) {
	fake := adaptertest.NewPagerDuty(account(func() time.Time { return noon }))
	late := handler(func(w http.ResponseWriter, r *http.Request) {
		fake.ServeHTTP(w, r)
		if r.URL.Path == "/incidents" && fake.Asked("GET /incidents") == 1 && r.Method == http.MethodGet {
			// Somebody is quicker, between the look-up and the create.
			fake.Add(adaptertest.PagerDutyIncident{ID: "QQUICK", Key: "key-1", Service: "PSHOP", Created: noon, Title: "user_api down"})
		}
	})
	client, _, _ := setUp(t, func(c *pagerduty.Config, _ *adaptertest.PagerDutyOptions) { c.Transport = direct{late} })
	if ref := open(t, client, down("key-1")); ref.ID != "QQUICK" || len(fake.Incidents()) != 1 {
		t.Errorf("Open = %v with %d incidents, want QQUICK and 1", ref, len(fake.Incidents()))
	}
	if fake.Asked("POST /incidents") != 1 {
		t.Errorf("%d creates, want 1", fake.Asked("POST /incidents"))
	}
}

type handler func(http.ResponseWriter, *http.Request)

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h(w, r) }

func TestLongTitleIsCutAndKept(t *testing.T) {
	var cuts []pagerduty.Cut
	client, fake, _ := setUp(t, func(c *pagerduty.Config, _ *adaptertest.PagerDutyOptions) {
		c.OnCut = func(_ adapters.Ref, all []pagerduty.Cut) { cuts = append(cuts, all...) }
	})
	ticket := down("key-1")
	ticket.Title = strings.Repeat("ä€😀", 400) // 1,200 characters
	ref := open(t, client, ticket)
	got := fake.Incident(ref.ID)
	// 1024 less the 7 characters of the mark.
	if n := len([]rune(got.Title)); n != 1024 || !strings.HasSuffix(got.Title, "… [cut]") || !strings.HasPrefix(ticket.Title, strings.TrimSuffix(got.Title, "… [cut]")) {
		t.Errorf("title has %d characters and ends in %q", n, got.Title[len(got.Title)-20:])
	}
	read, err := client.Read(t.Context(), ref)
	if err != nil || read.Text != ticket.Title+"\n\nno answer" {
		t.Errorf("text has %d bytes, %v; want the whole title and the text", len(read.Text), err)
	}
	if len(cuts) != 1 || cuts[0] != (pagerduty.Cut{Field: "title", Had: 1200, Kept: 1024}) || cuts[0].String() != "title: 1024 of 1200 kept" {
		t.Errorf("cuts %v", cuts)
	}
	longer := ticket.Title + "!"
	if err := client.Update(t.Context(), ref, adapters.Patch{Title: &longer}); err != nil {
		t.Fatal(err)
	}
	if got := fake.Incident(ref.ID); len(got.Notes) != 1 || got.Notes[0] != longer || len(cuts) != 2 {
		t.Errorf("notes %d, cuts %d, want the whole title as a note", len(got.Notes), len(cuts))
	}
}

func TestBodiesOfBothForms(t *testing.T) {
	for _, asObject := range []bool{false, true} {
		for _, shownAsObject := range []bool{false, true} {
			client, fake, _ := setUp(t, func(c *pagerduty.Config, o *adaptertest.PagerDutyOptions) {
				c.DetailsAsObject, o.ObjectBodies = asObject, shownAsObject
			})
			ref := open(t, client, down("k"))
			want := `"no answer"`
			if asObject {
				want = `{"text":"no answer"}`
			}
			if got := string(fake.Incident(ref.ID).Body); got != want {
				t.Errorf("sent %s, want %s", got, want)
			}
			read, err := client.Read(t.Context(), ref)
			if err != nil || read.Text != "no answer" {
				t.Errorf("read %q, %v", read.Text, err)
			}
		}
	}
	client, fake, _ := setUp(t)
	fake.Add(adaptertest.PagerDutyIncident{ID: "QOBJ", Created: noon, Body: []byte(`{"a":1,"b":[2]}`)})
	read, err := client.Read(t.Context(), adapters.Ref{Provider: "pagerduty", Type: "incident", ID: "QOBJ"})
	if err != nil || read.Text != `{"a":1,"b":[2]}` {
		t.Errorf("read %q, %v, want the object", read.Text, err)
	}
}

func TestLife(t *testing.T) {
	client, fake, at := setUp(t)
	ctx := t.Context()
	ref := open(t, client, down("k"))
	state := func(want string) adaptertest.PagerDutyIncident {
		t.Helper()
		got := fake.Incident(ref.ID)
		if got.Status != want {
			t.Fatalf("status %s, want %s", got.Status, want)
		}
		return got
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	title, severity := "user_api slow", incident.P3
	text := "only in Europe"
	must(client.Update(ctx, ref, adapters.Patch{Title: &title, Severity: &severity, Text: &text, Fields: map[string]any{"customers": 3.0}}))
	if got := state("triggered"); got.Title != title || got.Priority != "PRIO3" || got.Urgency != "low" || got.Fields["customers"] != 3.0 || got.Notes[0] != text {
		t.Errorf("updated: %+v", got)
	}

	must(client.Acknowledge(ctx, ref, "ann@example.com"))
	if got := state("acknowledged"); got.ChangedBy != "PANN" {
		t.Errorf("acknowledged by %s, want PANN", got.ChangedBy)
	}
	must(client.Acknowledge(ctx, ref, ""))

	must(client.Assign(ctx, ref, "PANN, PBOT"))
	if got := state("acknowledged"); !slices.Equal(got.Assignees, []string{"PANN", "PBOT"}) {
		t.Errorf("assigned to %v", got.Assignees)
	}
	must(client.Assign(ctx, ref, "policy:PESC"))
	must(client.Escalate(ctx, ref, 2))
	if got := state("acknowledged"); got.Policy != "PESC" || got.Level != 2 {
		t.Errorf("policy %s level %d", got.Policy, got.Level)
	}

	must(client.Hold(ctx, ref, adapters.Hold{Until: noon.Add(2 * time.Hour), Reason: "waits for a part"}))
	if got := state("acknowledged"); !got.SnoozedUntil.Equal(noon.Add(2*time.Hour)) || got.Notes[1] != "waits for a part" {
		t.Errorf("snoozed until %v, notes %q", got.SnoozedUntil, got.Notes)
	}
	must(client.Publish(ctx, ref, "checkout", "we are on it"))
	if got := state("acknowledged"); !slices.Equal(got.Updates, []string{"we are on it"}) {
		t.Errorf("updates %q", got.Updates)
	}

	at.at = noon.Add(time.Hour)
	must(client.Resolve(ctx, ref, adapters.Resolution{Text: "rolled back", Code: "deploy"}))
	must(client.Resolve(ctx, ref, adapters.Resolution{Text: "rolled back"})) // 1001: it is so already
	if got := state("resolved"); got.Resolution != "deploy: rolled back" {
		t.Errorf("resolution %q", got.Resolution)
	}
	read, err := client.Read(ctx, ref)
	must(err)
	if read.State != adapters.StateResolved || !read.Resolved.Equal(noon.Add(time.Hour)) || read.Ref.Version != "2026-11-22T13:00:00Z" {
		t.Errorf("read %+v", read)
	}
	// A late acknowledge would open it again.
	must(client.Acknowledge(ctx, ref, "ann@example.com"))
	state("resolved")

	at.at = noon.Add(25 * time.Hour) // 24 h after the end: still within the window
	again, err := client.Reopen(ctx, ref, "it is back")
	must(err)
	if !again.Same(ref) {
		t.Errorf("Reopen = %v, want the same", again)
	}
	if got := state("triggered"); got.Notes[2] != "it is back" {
		t.Errorf("notes %q", got.Notes)
	}
}

func TestReopenOutsideTheWindow(t *testing.T) {
	client, fake, at := setUp(t)
	ctx := t.Context()
	ref := open(t, client, down("k"))
	if err := client.Resolve(ctx, ref, adapters.Resolution{Text: "done"}); err != nil {
		t.Fatal(err)
	}
	at.at = noon.Add(24*time.Hour + time.Second)
	next, err := client.Reopen(ctx, ref, "it is back")
	if err != nil {
		t.Fatal(err)
	}
	got := fake.Incident(next.ID)
	if next.Same(ref) || got.Title != "user_api down" || got.Priority != "PRIO1" || got.Service != "PSHOP" || !strings.Contains(string(got.Body), "Follows incident #1 https://example.pagerduty.com/incidents/"+ref.ID) {
		t.Errorf("follower %+v body %s", got, got.Body)
	}
	if old := fake.Incident(ref.ID); old.Status != "resolved" || !strings.HasPrefix(old.Notes[0], "Followed by incident #") {
		t.Errorf("old %+v", old)
	}
	for range 2 { // a repetition finds it, and opens it again when it has ended
		if again, err := client.Reopen(ctx, ref, "it is back"); err != nil || !again.Same(next) {
			t.Errorf("Reopen again = %v, %v, want %v", again, err, next)
		}
		if err := client.Resolve(ctx, next, adapters.Resolution{Text: "done"}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(fake.Incidents()); n != 2 {
		t.Errorf("%d incidents, want 2", n)
	}
}

func TestMerge(t *testing.T) {
	client, fake, _ := setUp(t)
	ctx := t.Context()
	a, b, c := open(t, client, down("a")), open(t, client, down("b")), open(t, client, down("c"))
	for range 2 { // 1019: merged already
		if err := client.Merge(ctx, a, b, c); err != nil {
			t.Fatal(err)
		}
	}
	for _, ref := range []adapters.Ref{b, c} {
		if got := fake.Incident(ref.ID); got.Status != "resolved" || got.MergedInto != a.ID {
			t.Errorf("%s is %s, merged into %q", ref.ID, got.Status, got.MergedInto)
		}
	}
	theirs := b
	theirs.Tenant = "other"
	for _, from := range [][]adapters.Ref{{}, {a}, {theirs}, {{Provider: "jira", Tenant: a.Tenant, Type: "incident", ID: "1"}}} {
		if err := client.Merge(ctx, a, from...); !errors.Is(err, adapters.Invalid) {
			t.Errorf("Merge(%v) = %v, want invalid", from, err)
		}
	}
	if err := client.Resolve(ctx, a, adapters.Resolution{Text: "done"}); err != nil {
		t.Fatal(err)
	}
	fake.Add(adaptertest.PagerDutyIncident{ID: "QMANY", Created: noon, Alerts: 1001})
	d := open(t, client, down("d"))
	if err := client.Merge(ctx, d, adapters.Ref{Provider: "pagerduty", Tenant: d.Tenant, Type: "incident", ID: "QMANY"}); !errors.Is(err, adapters.Invalid) {
		t.Errorf("merge of 1001 alerts = %v, want invalid", err)
	}
}

func TestNotes(t *testing.T) {
	client, _, at := setUp(t)
	ctx := t.Context()
	ref := open(t, client, down("k"))
	for i, n := range []adapters.Note{{Text: "first"}, {Text: "second", Key: "n2"}, {Text: "second", Key: "n2"}} {
		at.at = noon.Add(time.Duration(i) * time.Minute)
		if err := client.Note(ctx, ref, n); err != nil {
			t.Fatal(err)
		}
	}
	var got []adapters.Note
	for n, err := range client.Notes(ctx, ref) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, n)
	}
	if len(got) != 2 || got[0].Text != "first" || got[0].Author != "PBOT" || !got[0].At.Equal(noon) || !strings.HasPrefix(got[1].Text, "second\n[") {
		t.Errorf("notes %+v, want first and second, oldest first", got)
	}
	if err := client.Note(ctx, ref, adapters.Note{Text: "x", Public: true}); !errors.Is(err, adapters.Unsupported) {
		t.Errorf("public note: %v, want unsupported", err)
	}
	var types []string
	for e, err := range client.Log(ctx, ref) {
		if err != nil {
			t.Fatal(err)
		}
		types = append(types, e.Type)
		if e.Type == "annotate" && e.Text == "" || e.Incident.ID != ref.ID {
			t.Errorf("log entry %+v", e)
		}
	}
	if want := []string{"annotate", "annotate", "trigger"}; !slices.Equal(types, want) {
		t.Errorf("log %q, want %q", types, want)
	}
}

// The answer to a note is lost: with a key it is looked for, without one the caller is
// told that it may be there.
func TestNoteWhoseAnswerIsLost(t *testing.T) {
	fake := adaptertest.NewPagerDuty(account(func() time.Time { return noon }))
	client, _, _ := setUp(t, func(c *pagerduty.Config, _ *adaptertest.PagerDutyOptions) {
		c.Transport = tripper(func(r *http.Request) (*http.Response, error) {
			answer, err := direct{fake}.RoundTrip(r)
			if err == nil && r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/notes") {
				_ = answer.Body.Close()
				return nil, errors.New("connection reset by peer")
			}
			return answer, err
		})
	})
	ref := open(t, client, down("k"))
	for range 2 {
		if err := client.Note(t.Context(), ref, adapters.Note{Text: "once", Key: "n"}); err != nil {
			t.Errorf("with a key: %v, want none", err)
		}
	}
	if err := client.Note(t.Context(), ref, adapters.Note{Text: "perhaps"}); !errors.Is(err, adapters.OutcomeUnknown) {
		t.Errorf("without a key: %v, want outcome_unknown", err)
	}
	if got := fake.Incident(ref.ID).Notes; len(got) != 2 {
		t.Errorf("notes %q, want two", got)
	}
}

func TestResolveAll(t *testing.T) {
	client, fake, _ := setUp(t)
	var refs []adapters.Ref
	for i := range 600 {
		id := fmt.Sprintf("QI%d", i)
		fake.Add(adaptertest.PagerDutyIncident{ID: id, Created: noon})
		refs = append(refs, adapters.Ref{Provider: "pagerduty", Type: "incident", ID: id})
	}
	if err := client.ResolveAll(t.Context(), adapters.Resolution{Text: "storm is over"}, refs...); err != nil {
		t.Fatal(err)
	}
	for _, i := range fake.Incidents() {
		if i.Status != "resolved" || i.Resolution != "storm is over" {
			t.Fatalf("%s is %s", i.ID, i.Status)
		}
	}
	// 600 incidents at 250 a request.
	if n := fake.Asked("PUT /incidents"); n != 3 {
		t.Errorf("%d requests, want 3", n)
	}
}

func TestPriorities(t *testing.T) {
	client, fake, at := setUp(t, func(c *pagerduty.Config, _ *adaptertest.PagerDutyOptions) {
		c.Priorities = adapters.Names[incident.Severity, string]{{Ours: incident.P1, Theirs: "SEV-1"}, {Ours: incident.P2, Theirs: "P2"}}
	})
	ctx := t.Context()
	p2 := down("a")
	p2.Severity = incident.P2
	open(t, client, p2)
	p2.Key = "b"
	open(t, client, p2)
	if n := fake.Asked("GET /priorities"); n != 1 {
		t.Errorf("priorities were read %d times, want 1", n)
	}
	for range 2 {
		if _, err := client.Open(ctx, down("c")); !errors.Is(err, adapters.Invalid) || !strings.Contains(err.Error(), `"SEV-1"`) || !strings.Contains(err.Error(), `"P4"`) {
			t.Errorf("unknown name: %v, want invalid with the names that there are", err)
		}
	}
	if n := fake.Asked("GET /priorities"); n != 1 {
		t.Errorf("priorities were read %d times within a minute, want 1", n)
	}
	at.at = noon.Add(2 * time.Minute)
	if _, err := client.Open(ctx, down("c")); err == nil {
		t.Error("opened")
	}
	if n := fake.Asked("GET /priorities"); n != 2 {
		t.Errorf("priorities were read %d times, want again after a minute", n)
	}
	// Reading: an unknown name is an error, or the configured default.
	fake.Add(adaptertest.PagerDutyIncident{ID: "QP4", Created: noon, Priority: "PRIO4"}, adaptertest.PagerDutyIncident{ID: "QNONE", Created: noon})
	if _, err := client.Read(ctx, incidentRef("QP4")); !errors.Is(err, adapters.BadResponse) {
		t.Errorf("unknown priority read: %v, want bad_response", err)
	}
	if got, err := client.Read(ctx, incidentRef("QNONE")); err != nil || got.Severity != 0 {
		t.Errorf("no priority read: %v, %v, want unset", got.Severity, err)
	}
	lenient, other, _ := setUp(t, func(c *pagerduty.Config, _ *adaptertest.PagerDutyOptions) {
		c.Priorities = adapters.Names[incident.Severity, string]{{Ours: incident.P1, Theirs: "P1"}}
		c.DefaultSeverity = incident.P4
	})
	other.Add(adaptertest.PagerDutyIncident{ID: "QP2", Created: noon, Priority: "PRIO2"})
	if got, err := lenient.Read(ctx, incidentRef("QP2")); err != nil || got.Severity != incident.P4 {
		t.Errorf("default read: %v, %v, want P4", got.Severity, err)
	}
}

func incidentRef(id string) adapters.Ref {
	return adapters.Ref{Provider: "pagerduty", Type: "incident", ID: id}
}

func TestVerify(t *testing.T) {
	client, _, _ := setUp(t)
	ctx := t.Context()
	if err := client.Verify(ctx); err != nil {
		t.Fatal(err)
	}
	// From now on it knows itself.
	ref := open(t, client, down("k"))
	if err := client.Resolve(ctx, ref, adapters.Resolution{Text: "done"}); err != nil {
		t.Fatal(err)
	}
	if got, err := client.Read(ctx, ref); err != nil || !got.ByUs {
		t.Errorf("ByUs = %v, %v, want true", got.ByUs, err)
	}
	wrong, _, _ := setUp(t, func(c *pagerduty.Config, _ *adaptertest.PagerDutyOptions) {
		c.From, c.Service = "nobody@example.com", "PNONE"
		c.Priorities = adapters.Names[incident.Severity, string]{{Ours: incident.P1, Theirs: "SEV-1"}}
		c.States = adapters.Names[adapters.State, string]{{Ours: adapters.StateNew, Theirs: "open"}}
		c.Urgencies = adapters.Names[incident.Severity, string]{{Ours: incident.P1, Theirs: "urgent"}}
	})
	err := wrong.Verify(ctx)
	for _, want := range []string{"SEV-1", "PNONE", "Config.From", `"open"`, `"urgent"`} {
		if !errors.Is(err, adapters.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("Verify = %v, want %s in it", err, want)
		}
	}
}
