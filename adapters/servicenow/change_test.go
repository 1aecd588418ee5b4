package servicenow

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/incident"
)

func TestStatesBothWays(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{CloseNotesRequired: true})
	user := in.Insert("sys_user", map[string]string{"user_name": "mike"})
	c := in.client(t, nil)
	row := func() map[string]string { return in.Records("incident", "")[0] }
	read := func(ref adapters.Ref) adapters.Ticket {
		got, err := c.Read(t.Context(), ref)
		ok(t, err)
		return got
	}
	ref := open(t, c, "key-1")

	ok(t, c.Acknowledge(t.Context(), ref, "mike"))
	if row()["state"] != "2" || row()["assigned_to"] != user || read(ref).State != adapters.StateAcknowledged {
		t.Errorf("acknowledged: %v", row())
	}
	before := len(in.Requests())
	ok(t, c.Acknowledge(t.Context(), ref, ""))
	if n := len(in.Requests()) - before; n != 1 {
		t.Errorf("acknowledged again with %d requests, want the look alone", n)
	}

	until := noon.Add(2 * time.Hour)
	ok(t, c.Hold(t.Context(), ref, adapters.Hold{Reason: "change", Until: until}))
	if row()["state"] != "3" || row()["hold_reason"] != "5" || row()["follow_up"] != "2026-11-30 14:00:00" || read(ref).State != adapters.StateOnHold {
		t.Errorf("on hold: %v", row())
	}
	// A reason of one's own is a work note, and is there once.
	ok(t, c.Hold(t.Context(), ref, adapters.Hold{Reason: "the vendor sleeps"}))
	ok(t, c.Hold(t.Context(), ref, adapters.Hold{Reason: "the vendor sleeps"}))
	if notes := in.Records("sys_journal_field", "element=work_notes"); row()["hold_reason"] != "4" || len(notes) != 1 || notes[0]["value"] != "the vendor sleeps" {
		t.Errorf("on hold for a reason of our own: %v, %v", row(), notes)
	}
	// The caller has to be told.
	ok(t, c.Hold(t.Context(), ref, adapters.Hold{Reason: "caller"}))
	if notes := in.Records("sys_journal_field", "element=comments"); row()["hold_reason"] != "1" || len(notes) != 1 {
		t.Errorf("on hold for the caller: %v, %v", row(), notes)
	}

	ok(t, c.Resolve(t.Context(), ref, adapters.Resolution{Text: "restarted [code]x[/code]"}))
	if row()["state"] != "6" || row()["close_code"] != "Solution provided" || row()["close_notes"] != "restarted [\u200bcode]x[\u200b/code]" {
		t.Errorf("resolved: %v", row())
	}
	if got := read(ref); got.State != adapters.StateResolved || !got.Resolved.Equal(noon) {
		t.Errorf("reads as %v, resolved at %v", got.State, got.Resolved)
	}
	// A late word of an earlier state takes nothing back.
	ok(t, c.Resolve(t.Context(), ref, adapters.Resolution{Text: "again"}))
	wantKind(t, c.Acknowledge(t.Context(), ref, ""), adapters.Conflict)
	wantKind(t, c.Hold(t.Context(), ref, adapters.Hold{}), adapters.Conflict)
	wantKind(t, c.Cancel(t.Context(), ref, adapters.Resolution{Text: "no"}), adapters.Conflict)
	if row()["state"] != "6" {
		t.Errorf("state %s after late words", row()["state"])
	}
	ok(t, c.Close(t.Context(), ref, adapters.Resolution{}))
	ok(t, c.Close(t.Context(), ref, adapters.Resolution{}))
	if row()["state"] != "7" || row()["close_notes"] == "" || read(ref).State != adapters.StateClosed {
		t.Errorf("closed: %v", row())
	}

	second := open(t, c, "key-2")
	ok(t, c.Cancel(t.Context(), second, adapters.Resolution{Text: "a test"}))
	if got := read(second); got.State != adapters.StateCancelled {
		t.Errorf("canceled reads as %v", got.State)
	}
	wantKind(t, c.Close(t.Context(), second, adapters.Resolution{}), adapters.Conflict)
}

func TestOwnNumbersOfStates(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	c := in.client(t, func(c *Config) {
		c.States = adapters.Names[adapters.State, string]{
			{Ours: adapters.StateNew, Theirs: "1"},
			{Ours: adapters.StateAcknowledged, Theirs: "10"},
			{Ours: adapters.StateAcknowledged, Theirs: "2"},
			{Ours: adapters.StateOnHold, Theirs: "18"},
			{Ours: adapters.StateResolved, Theirs: "16"},
			{Ours: adapters.StateClosed, Theirs: "17"},
			{Ours: adapters.StateCancelled, Theirs: "8"},
		}
	})
	ref := open(t, c, "key-1")
	ok(t, c.Acknowledge(t.Context(), ref, ""))
	if row := in.Records("incident", "")[0]; row["state"] != "10" {
		t.Errorf("state %s, want 10", row["state"])
	}
	in.Set("incident", ref.ID, map[string]string{"state": "2"})
	if got, err := c.Read(t.Context(), ref); err != nil || got.State != adapters.StateAcknowledged || got.ByUs {
		t.Errorf("2 of somebody else reads as %v, by us %v, %v", got.State, got.ByUs, err)
	}
	in.Set("incident", ref.ID, map[string]string{"state": "99"})
	_, err := c.Read(t.Context(), ref)
	wantKind(t, err, adapters.BadResponse)
}

func TestUpdate(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	c := in.client(t, func(c *Config) { c.LabelsColumn = "u_labels" })
	ref := open(t, c, "key-1")
	title, text, severity, labels := "pay is down", "since noon", incident.P3, []string{"x"}
	ok(t, c.Update(t.Context(), ref, adapters.Patch{
		Title: &title, Text: &text, Severity: &severity, Labels: &labels, Fields: map[string]any{"category": "network", "caused_by": nil},
	}))
	row := in.Records("incident", "")[0]
	for column, want := range map[string]string{
		"short_description": title, "description": text, "priority": "3", "impact": "2", "urgency": "2", "u_labels": "x", "category": "network",
	} {
		if row[column] != want {
			t.Errorf("%s = %q, want %q", column, row[column], want)
		}
	}
	before := len(in.Requests())
	ok(t, c.Update(t.Context(), ref, adapters.Patch{}))
	if len(in.Requests()) != before {
		t.Error("an empty patch was sent")
	}
	wantKind(t, c.Update(t.Context(), ref, adapters.Patch{Fields: map[string]any{"work_notes": "x"}}), adapters.Invalid)
}

func TestAssignEscalateLinkMerge(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	group := in.Insert("sys_user_group", map[string]string{"name": "Database"})
	user := in.Insert("sys_user", map[string]string{"user_name": "mike"})
	c := in.client(t, func(c *Config) { c.Levels = []string{"Database", group} })
	ref, other := open(t, c, "key-1"), open(t, c, "key-2")
	row := func(key string) map[string]string { return in.Records("incident", "correlation_id="+key)[0] }

	ok(t, c.Assign(t.Context(), ref, "mike"))
	if row("key-1")["assigned_to"] != user {
		t.Errorf("assigned to %q", row("key-1")["assigned_to"])
	}
	ok(t, c.Assign(t.Context(), ref, "group:Database"))
	if row("key-1")["assignment_group"] != group || row("key-1")["assigned_to"] != "" {
		t.Errorf("assigned to group %q and %q", row("key-1")["assignment_group"], row("key-1")["assigned_to"])
	}
	ok(t, c.Escalate(t.Context(), other, 2))
	if row("key-2")["assignment_group"] != group {
		t.Errorf("escalated to %q", row("key-2")["assignment_group"])
	}
	wantKind(t, c.Escalate(t.Context(), other, 3), adapters.Invalid)
	wantKind(t, in.client(t, nil).Escalate(t.Context(), other, 1), adapters.Unsupported)
	if !c.Capabilities().Has(adapters.CanEscalate) || in.client(t, nil).Capabilities().Has(adapters.CanEscalate) {
		t.Error("capabilities do not follow the levels")
	}

	problem, err := c.PutProblem(t.Context(), Problem{Key: "problem-1", Tenant: "acme", Title: "disk full"})
	ok(t, err)
	ok(t, c.Link(t.Context(), ref, problem, ""))
	ok(t, c.Link(t.Context(), other, ref, ""))
	if row("key-1")["problem_id"] != problem.ID || row("key-2")["parent_incident"] != ref.ID {
		t.Errorf("links %q and %q", row("key-1")["problem_id"], row("key-2")["parent_incident"])
	}
	wantKind(t, c.Link(t.Context(), other, ref, "no_such_column"), adapters.Invalid)
	wantKind(t, c.Link(t.Context(), other, ref, "state"), adapters.Invalid)

	third := open(t, c, "key-3")
	for range 2 {
		ok(t, c.Merge(t.Context(), ref, other, third))
	}
	for _, key := range []string{"key-2", "key-3"} {
		if got := row(key); got["parent_incident"] != ref.ID || got["state"] != "6" || got["close_code"] != "Duplicate" || got["close_notes"] != "Duplicate of INC0010001" {
			t.Errorf("%s: %v", key, got)
		}
	}
	wantKind(t, c.Merge(t.Context(), ref, ref), adapters.Invalid)
	wantKind(t, c.Merge(t.Context(), other, third), adapters.Conflict)
}

// What writes without reading refuses the ticket of another tenant as well, and has
// written nothing.
func TestWritesStayWithTheirTenant(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	in.Insert("sys_user", map[string]string{"user_name": "mike"})
	in.Insert("sys_user_group", map[string]string{"name": "ops"})
	c := in.client(t, func(c *Config) { c.Levels = []string{"ops"} })
	mine, theirs := open(t, c, "key-1"), open(t, c, "key-2")
	theirs.Tenant = "globex"
	before := in.Records("incident", "")
	title := "x"
	for name, call := range map[string]func() error{
		"update":  func() error { return c.Update(t.Context(), theirs, adapters.Patch{Title: &title}) },
		"note":    func() error { return c.Note(t.Context(), theirs, adapters.Note{Text: "x"}) },
		"keyed":   func() error { return c.Note(t.Context(), theirs, adapters.Note{Text: "x", Key: "k"}) },
		"publish": func() error { return c.Publish(t.Context(), theirs, "s", "m") },
		"attach": func() error {
			return c.Attach(t.Context(), theirs, adapters.Attachment{Name: "a", Content: []byte("a")})
		},
		"assign":   func() error { return c.Assign(t.Context(), theirs, "mike") },
		"escalate": func() error { return c.Escalate(t.Context(), theirs, 1) },
		"link":     func() error { return c.Link(t.Context(), theirs, mine, "") },
		"link to":  func() error { return c.Link(t.Context(), mine, theirs, "") },
	} {
		if err := call(); adapters.KindOf(err) != adapters.NotFound {
			t.Errorf("%s: %v, want not found", name, err)
		}
	}
	if after := in.Records("incident", ""); !reflect.DeepEqual(before, after) {
		t.Errorf("tickets are %v, were %v", after, before)
	}
	if n := len(in.Records("sys_journal_field", "")) + len(in.Records("sys_attachment", "")); n != 0 {
		t.Errorf("%d notes and files were written", n)
	}
}

func TestTenantsAreWalls(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	c := in.client(t, nil)
	ref := open(t, c, "key-1")
	theirs := ref
	theirs.Tenant = "other"
	_, err := c.Read(t.Context(), theirs)
	wantKind(t, err, adapters.NotFound)
	wantKind(t, c.Resolve(t.Context(), theirs, adapters.Resolution{Text: "x"}), adapters.NotFound)
	wantKind(t, c.Merge(t.Context(), ref, theirs), adapters.Invalid)
	// Both tenants may have one key.
	draft := ticket("key-1")
	draft.Tenant = "other"
	second, err := c.Open(t.Context(), draft)
	if err != nil || second.Same(ref) || second.ID == ref.ID {
		t.Errorf("%+v, %v, want a ticket of its own", second, err)
	}
}

func TestReferencesAreChecked(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	c := in.client(t, nil)
	for name, ref := range map[string]adapters.Ref{
		"provider": {Provider: "jira", Type: "incident", ID: "x"},
		"table":    {Provider: provider, Type: "../incident", ID: "x"},
		"path":     {Provider: provider, Type: "incident", ID: "../../sys_user/1"},
		"no id":    {Provider: provider, Type: "incident"},
	} {
		if _, err := c.Read(t.Context(), ref); adapters.KindOf(err) != adapters.Invalid {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
	wantKind(t, c.Resolve(t.Context(), adapters.Ref{Provider: provider, Type: "problem", ID: "x"}, adapters.Resolution{}), adapters.Unsupported)
	_, err := c.Read(t.Context(), adapters.Ref{Provider: provider, Type: "incident", ID: strings.Repeat("0", 32)})
	wantKind(t, err, adapters.NotFound)
	if len(in.Requests()) != 1 {
		t.Errorf("%d requests, want the last alone", len(in.Requests()))
	}
}

func TestNotes(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	c := in.client(t, nil)
	ref := open(t, c, "key-1")
	ok(t, c.Note(t.Context(), ref, adapters.Note{Text: "looking [code]<b>x</b>[/code]", Key: "n1"}))
	in.now = noon.Add(time.Minute)
	ok(t, c.Note(t.Context(), ref, adapters.Note{Text: "we are on it", Public: true, Key: "n2"}))
	ok(t, c.Note(t.Context(), ref, adapters.Note{Text: "looking again", Key: "n1"})) // the same key: nothing
	in.now = noon.Add(2 * time.Minute)
	ok(t, c.Note(t.Context(), ref, adapters.Note{Text: "without a key"}))
	in.now = noon.Add(3 * time.Minute)
	for range 2 {
		ok(t, c.Publish(t.Context(), ref, "Update", "fixed at 13:00"))
	}
	want := []adapters.Note{
		{Text: "looking [\u200bcode]<b>x</b>[\u200b/code]", Key: "n1", At: noon},
		{Text: "we are on it", Public: true, Key: "n2", At: noon.Add(time.Minute)},
		{Text: "without a key", At: noon.Add(2 * time.Minute)},
		{Text: "Update\n\nfixed at 13:00", Public: true, At: noon.Add(3 * time.Minute)},
	}
	i := 0
	for got, err := range c.Notes(t.Context(), ref) {
		ok(t, err)
		if i >= len(want) {
			t.Fatalf("one more: %+v", got)
		}
		if got.ID == "" || got.Author != "evenkeel" || got.Text != want[i].Text || got.Public != want[i].Public || !got.At.Equal(want[i].At) || i < 3 && got.Key != want[i].Key {
			t.Errorf("note %d: %+v, want %+v", i, got, want[i])
		}
		i++
	}
	if i != len(want) {
		t.Errorf("%d notes, want %d", i, len(want))
	}
	wantKind(t, c.Note(t.Context(), ref, adapters.Note{Text: " "}), adapters.Invalid)
	wantKind(t, c.Note(t.Context(), ref, adapters.Note{Text: "x", Key: "a]b"}), adapters.Invalid)
}

// Replies to journal writes are lost: a note with a key is there once, one without
// is left to the caller, and a hold is looked at before it is tried again.
func TestJournalsWithLostReplies(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	lose := 0
	c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in.ServeHTTP(w, r)
		if r.Method == http.MethodPatch && lose > 0 {
			lose--
			panic(http.ErrAbortHandler)
		}
	}), nil)
	ref := open(t, c, "key-1")
	lose = 1
	ok(t, c.Note(t.Context(), ref, adapters.Note{Text: "once", Key: "n1"}))
	lose = 1
	err := c.Note(t.Context(), ref, adapters.Note{Text: "perhaps"})
	wantKind(t, err, adapters.OutcomeUnknown)
	lose = 1
	ok(t, c.Hold(t.Context(), ref, adapters.Hold{Reason: "the vendor sleeps"}))
	lose = 1
	ok(t, c.Attach(t.Context(), ref, adapters.Attachment{Name: "log.txt", Content: []byte("x")}))
	lose = 1
	ok(t, c.Publish(t.Context(), ref, "", "hello"))
	values := map[string]int{}
	for _, row := range in.Records("sys_journal_field", "") {
		values[strings.SplitN(row["value"], "\n", 2)[0]]++
	}
	for _, text := range []string{"once", "perhaps", "the vendor sleeps", "hello"} {
		if values[text] != 1 {
			t.Errorf("%q is there %d times, want once", text, values[text])
		}
	}
}

func TestAttachOnce(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	lose := 1
	c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in.ServeHTTP(w, r)
		if strings.HasSuffix(r.URL.Path, "/attachment/file") && lose > 0 {
			lose--
			panic(http.ErrAbortHandler)
		}
	}), nil)
	ref := open(t, c, "key-1")
	file := adapters.Attachment{Name: "graph.png", ContentType: "image/png", Content: []byte{0x89, 'P', 'N', 'G', 0}}
	for range 2 {
		ok(t, c.Attach(t.Context(), ref, file))
	}
	rows := in.Records("sys_attachment", "")
	if len(rows) != 1 || rows[0]["content_type"] != "image/png" || rows[0]["table_sys_id"] != ref.ID || string(in.File(rows[0]["sys_id"])) != string(file.Content) {
		t.Errorf("files %v", rows)
	}
	for _, bad := range []adapters.Attachment{{}, {Name: "a/b", Content: []byte("x")}, {Name: "empty"}} {
		wantKind(t, c.Attach(t.Context(), ref, bad), adapters.Invalid)
	}
}
