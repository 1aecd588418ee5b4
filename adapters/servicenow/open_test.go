package servicenow

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/incident"
)

func TestOpenWritesWhatTheInstanceKeeps(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	group := in.Insert("sys_user_group", map[string]string{"name": "Service Operations"})
	user := in.Insert("sys_user", map[string]string{"user_name": "sarah", "email": "sarah@acme.example", "name": "Sarah Chen"})
	c := in.client(t, func(c *Config) {
		c.Group, c.LabelsColumn, c.Columns = "Service Operations", "u_labels", []string{"category"}
	})
	draft := ticket("key-1")
	draft.Assignee, draft.Labels, draft.Fields = "sarah@acme.example", []string{"a", "b"}, map[string]any{"category": "software"}
	draft.Links = []adapters.WebLink{{Text: "Runbook", URL: "https://runbooks.example/1"}}
	ref, err := c.Open(t.Context(), draft)
	ok(t, err)
	if ref.Provider != provider || ref.Type != "incident" || ref.Number != "INC0010001" || ref.Tenant != "acme" ||
		ref.URL != "https://acme.service-now.com/nav_to.do?uri=incident.do%3Fsys_id%3D"+ref.ID {
		t.Errorf("reference %+v", ref)
	}
	row := in.Records("incident", "")[0]
	for column, want := range map[string]string{
		"short_description": "checkout is down", "description": "5xx since 11:58\n\nRunbook: https://runbooks.example/1\n",
		"impact": "1", "urgency": "1", "priority": "1", "state": "1", "correlation_id": "key-1", "correlation_display": "evenkeel/acme",
		"assignment_group": group, "assigned_to": user, "u_labels": "a,b", "category": "software",
	} {
		if row[column] != want {
			t.Errorf("%s = %q, want %q", column, row[column], want)
		}
	}
	got, err := c.Read(t.Context(), ref)
	ok(t, err)
	if got.Key != "key-1" || got.Tenant != "acme" || got.Severity != incident.P1 || got.State != adapters.StateNew || got.Target != group ||
		got.Assignee != user || strings.Join(got.Labels, " ") != "a b" || got.Fields["category"] != "software" || !got.Created.Equal(noon) || !got.ByUs {
		t.Errorf("Read() = %+v", got)
	}
}

// The sample of the priority lookup that ServiceNow documents.
func TestSeverityBothWays(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	c := in.client(t, nil)
	for s, priority := range map[incident.Severity]string{incident.P1: "1", incident.P2: "2", incident.P3: "3", incident.P4: "4"} {
		draft := ticket("key-" + s.String())
		draft.Severity = s
		ref, err := c.Open(t.Context(), draft)
		ok(t, err)
		if row := in.Records("incident", "correlation_id="+draft.Key)[0]; row["priority"] != priority {
			t.Errorf("%v has priority %s, want %s", s, row["priority"], priority)
		}
		if got, err := c.Read(t.Context(), ref); err != nil || got.Severity != s {
			t.Errorf("%v reads as %v, %v", s, got.Severity, err)
		}
	}
	// 3 and 3 make 5, Planning, which reads as P4.
	id := in.Insert("incident", map[string]string{"impact": "3", "urgency": "3"})
	if got, err := c.Read(t.Context(), adapters.Ref{Provider: provider, Type: "incident", ID: id}); err != nil || got.Severity != incident.P4 {
		t.Errorf("planning reads as %v, %v, want P4", got.Severity, err)
	}
	// A priority in no pair is an error, or the severity that was configured.
	odd := in.Insert("incident", map[string]string{"priority": "9"})
	_, err := c.Read(t.Context(), adapters.Ref{Provider: provider, Type: "incident", ID: odd})
	wantKind(t, err, adapters.BadResponse)
	lenient := in.client(t, func(c *Config) { c.DefaultSeverity = incident.P3 })
	if got, err := lenient.Read(t.Context(), adapters.Ref{Provider: provider, Type: "incident", ID: odd}); err != nil || got.Severity != incident.P3 {
		t.Errorf("an unknown priority reads as %v, %v, want P3", got.Severity, err)
	}
}

func TestPriorityThatDiffersIsReported(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	var notices []Notice
	c := in.client(t, func(c *Config) {
		c.Severities = adapters.Names[incident.Severity, Level]{
			{Ours: incident.P1, Theirs: Level{"2", "1"}},
			{Ours: incident.P2, Theirs: Level{"1", "2"}},
			{Ours: incident.P3, Theirs: Level{"2", "2"}},
			{Ours: incident.P4, Theirs: Level{"2", "3"}},
		}
		c.OnNotice = func(_ context.Context, n Notice) { notices = append(notices, n) }
	})
	ref := open(t, c, "key-1") // impact 2 and urgency 1 make 2
	if len(notices) != 1 || notices[0].Kind != NoticePriority || notices[0].Value != "2" || notices[0].Want != "P1" || !notices[0].Ref.Same(ref) {
		t.Errorf("notices %+v", notices)
	}
}

func TestOpenRefuses(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	c := in.client(t, nil)
	for name, change := range map[string]func(*adapters.Ticket){
		"no key":            func(t *adapters.Ticket) { t.Key = "" },
		"long key":          func(t *adapters.Ticket) { t.Key = strings.Repeat("k", 101) },
		"script as key":     func(t *adapters.Ticket) { t.Key = "javascript:gs.getUserID()" },
		"line break in key": func(t *adapters.Ticket) { t.Key = "a\nb" },
		"no title":          func(t *adapters.Ticket) { t.Title = " " },
		"no severity":       func(t *adapters.Ticket) { t.Severity = 0 },
		"resolved":          func(t *adapters.Ticket) { t.State = adapters.StateResolved },
		"own column":        func(t *adapters.Ticket) { t.Fields = map[string]any{"priority": "1"} },
		"odd column":        func(t *adapters.Ticket) { t.Fields = map[string]any{"a^b": "1"} },
		"list as field":     func(t *adapters.Ticket) { t.Fields = map[string]any{"category": []string{"a"}} },
		"unknown group":     func(t *adapters.Ticket) { t.Target = "Nobody" },
		"unknown user":      func(t *adapters.Ticket) { t.Assignee = "nobody" },
	} {
		draft := ticket("key")
		change(&draft)
		_, err := c.Open(t.Context(), draft)
		if kind := adapters.KindOf(err); kind != adapters.Invalid {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
	draft := ticket("key")
	draft.Labels = []string{"a"}
	_, err := c.Open(t.Context(), draft)
	wantKind(t, err, adapters.Unsupported)
	if n := len(in.Records("incident", "")); n != 0 {
		t.Errorf("%d tickets were made", n)
	}
	if len(in.Scripts()) != 0 {
		t.Errorf("scripts were run: %q", in.Scripts())
	}
}

func TestLongTextsAreCutAndAttached(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	var cuts []Notice
	c := in.client(t, func(c *Config) {
		c.OnNotice = func(_ context.Context, n Notice) { cuts = append(cuts, n) }
	})
	draft := ticket("key-1")
	draft.Title, draft.Text = strings.Repeat("ü", 300), strings.Repeat("long text ", 1000)
	ref, err := c.Open(t.Context(), draft)
	ok(t, err)
	row := in.Records("incident", "")[0]
	if n := len([]rune(row["short_description"])); n != 160 || !strings.HasSuffix(row["short_description"], adapters.CutMark) {
		t.Errorf("title of %d characters: %q", n, row["short_description"])
	}
	if n := len([]rune(row["description"])); n != 4000 || !strings.HasSuffix(row["description"], adapters.CutMark) {
		t.Errorf("text of %d characters", n)
	}
	found := map[string]bool{}
	for _, file := range in.Records("sys_attachment", "") {
		found[string(in.File(file["sys_id"]))] = true
	}
	if len(found) != 2 || !found[draft.Title] || !found[draft.Text] {
		t.Errorf("%d files, want the title and the text as a whole", len(found))
	}
	if len(cuts) != 2 || cuts[0].Kind != NoticeCut || cuts[0].Lost == 0 || !cuts[0].Ref.Same(ref) {
		t.Errorf("notices %+v, want the two cuts", cuts)
	}
	// Opening it again attaches nothing.
	if _, err := c.Open(t.Context(), draft); err != nil || len(in.Records("sys_attachment", "")) != 2 {
		t.Errorf("%v; %d files after opening it again, want 2", err, len(in.Records("sys_attachment", "")))
	}
}

func TestOpenAgainReturnsTheSame(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	c := in.client(t, nil)
	ref := open(t, c, "key-1")
	if again := open(t, c, "key-1"); !again.Same(ref) {
		t.Errorf("another ticket: %+v, want %+v", again, ref)
	}
	found, err := c.Find(t.Context(), "acme", "key-1")
	if err != nil || !found.Same(ref) {
		t.Errorf("Find() = %+v, %v", found, err)
	}
	// The key of another tenant is another key, and comparison is exact although the instance's is not.
	_, err = c.Find(t.Context(), "other", "key-1")
	wantKind(t, err, adapters.NotFound)
	_, err = c.Find(t.Context(), "acme", "KEY-1")
	wantKind(t, err, adapters.BadResponse)
}

func TestOpenUsesTheLedger(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	c := in.client(t, func(c *Config) { c.Ledger = &adapters.MemoryLedger{} })
	ref := open(t, c, "key-1")
	before := len(in.Requests())
	if again := open(t, c, "key-1"); again != ref || len(in.Requests()) != before {
		t.Errorf("%+v after %d requests, want the same after none", again, len(in.Requests())-before)
	}
}

// An instance that ignores the part of the query that names the key answers with
// everybody's tickets. They are not taken for ours.
func TestIgnoredKeyIsNoticed(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	in.Insert("incident", map[string]string{"short_description": "somebody else's"})
	deaf := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if strings.Contains(q.Get("sysparm_query"), "correlation_id") {
			q.Set("sysparm_query", "correlatoin_id=x")
			r.URL.RawQuery = q.Encode()
		}
		in.ServeHTTP(w, r)
	})
	c := newClient(t, deaf, nil)
	_, err := c.Find(t.Context(), "acme", "key-1")
	wantKind(t, err, adapters.BadResponse)
	_, err = c.Open(t.Context(), ticket("key-1"))
	wantKind(t, err, adapters.BadResponse)
	if n := len(in.Records("incident", "")); n != 1 {
		t.Errorf("%d tickets, want the one of somebody else", n)
	}
}

// Two processes open one key at once: the look-ups of both come before the creates
// of both.
func TestTwinsBecomeOne(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	var both sync.WaitGroup
	both.Add(2)
	gate := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			both.Done()
			both.Wait()
		}
		in.ServeHTTP(w, r)
	})
	ended := make(chan Notice, 2)
	c := newClient(t, gate, func(c *Config) {
		c.OnNotice = func(_ context.Context, n Notice) { ended <- n }
	})
	refs := make(chan adapters.Ref, 2)
	for range 2 {
		go func() {
			ref, err := c.Open(context.Background(), ticket("key-1"))
			if err != nil {
				t.Error(err)
			}
			refs <- ref
		}()
	}
	first, second := <-refs, <-refs
	if !first.Same(second) || first.Number != "INC0010001" {
		t.Errorf("%s and %s, want INC0010001 twice", first.Number, second.Number)
	}
	if n := <-ended; n.Kind != NoticeDuplicate || n.Value != "INC0010002" || n.Ref.Number != "INC0010001" {
		t.Errorf("notice %+v, want the end of the duplicate", n)
	}
	rows := in.Records("incident", "correlation_id=key-1")
	if len(rows) != 2 || rows[0]["state"] != "1" || rows[1]["state"] != "6" || rows[1]["close_code"] != "Duplicate" || rows[1]["parent_incident"] != rows[0]["sys_id"] {
		t.Errorf("rows %v, want the younger resolved as a duplicate of the older", rows)
	}
	if ref, err := c.Find(t.Context(), "acme", "key-1"); err != nil || !ref.Same(first) {
		t.Errorf("Find() = %+v, %v, want the one that stays", ref, err)
	}
}

// A column that the user may not write is ignored by the instance, which would make
// a new ticket each time.
func TestLostKeyIsNoticed(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			r.Body = body(`{"short_description":"x"}`)
		}
		in.ServeHTTP(w, r)
	}), nil)
	_, err := c.Open(t.Context(), ticket("key-1"))
	wantKind(t, err, adapters.BadResponse)
}

// Replies are lost after the create, requests before it, and some answers are 503:
// whoever tries again until it is done has made each ticket once.
func TestDeliveryWithLostReplies(t *testing.T) {
	// A 503 of the instance itself leaves open whether a create was carried out, so
	// each costs a look-up, which is repeated, too. Of the creates 1/5 is refused and
	// 1/20 is lost after the write: 1.25 creates and 0.3125 look-ups between them for a
	// ticket, each look-up 4/3 requests, and 1/16 of the tickets needs no look-up at the
	// end: (4/3·(1 + 0.3125 + 0.9375) + 1.25) / 3 = 1.417 times the requests. A 503 of a
	// balancer costs no look-up: (4/3·(1 + 0.0625 + 0.9375) + 1.25) / 3 = 1.306.
	for _, run := range []struct {
		name, staging, refusal string
		most                   float64
	}{
		{"table", "", "<html>no node</html>", 1.4},
		{"table, refused without a body", "", "", 1.4},
		{"table, refused by the instance", "", `{"error":{"message":"busy","detail":""},"status":"failure"}`, 1.5},
		{"import set", "u_evenkeel_import", "", 1.4},
	} {
		t.Run(run.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // the waits between tries cost nothing
				in := newInstance(adaptertest.ServiceNowOptions{Staging: map[string]string{"u_evenkeel_import": "incident"}})
				lossy := &unreliable{handler: in.ServiceNow, refusal: run.refusal}
				c := newClient(t, lossy, func(c *Config) {
					c.Staging = run.staging
				})
				const tickets = 500
				for i := range tickets {
					key := adapters.Key{Tenant: "acme", Incident: "INC", Round: i}.String()
					for try := 1; ; try++ {
						_, err := c.Open(t.Context(), ticket(key))
						if err == nil {
							break
						}
						if try == 20 {
							t.Fatalf("ticket %d: %v", i, err)
						}
					}
				}
				rows := in.Records("incident", "")
				keys := map[string]int{}
				for _, row := range rows {
					keys[row["correlation_id"]]++
				}
				if len(rows) != tickets || len(keys) != tickets {
					t.Errorf("%d tickets of %d keys, want %d of as many", len(rows), len(keys), tickets)
				}
				usual := 3 * tickets // a look-up, a create, and a look-up or read of what was made
				ratio := float64(lossy.requests) / float64(usual)
				if ratio > run.most {
					t.Errorf("%.2f × the requests of a day without losses, want at most %.1f", ratio, run.most)
				}
				t.Logf("%.2f × the requests: %d, of which %d lost after the write, %d answered with 503", ratio, lossy.requests, lossy.lost, lossy.refused)
			})
		})
	}
}

// A balancer may be wrong about what the instance behind it has done, as often as there
// are tries: then there are several rows, all but one of which are ended at once. After
// a 503 of the instance itself there is one row.
func TestRefusedAfterTheWrite(t *testing.T) {
	for _, run := range []struct {
		name, body     string
		refusals, rows int
	}{
		{"by a balancer", "<html>no node</html>", 1, 2},
		{"by a balancer twice", "<html>no node</html>", 2, 3},
		{"by the instance", `{"error":{"message":"busy"},"status":"failure"}`, 1, 1},
	} {
		t.Run(run.name, func(t *testing.T) {
			in := newInstance(adaptertest.ServiceNowOptions{})
			refused := 0
			var notices []Notice
			c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodPost || refused == run.refusals {
					in.ServeHTTP(w, r)
					return
				}
				refused++
				in.ServeHTTP(httptest.NewRecorder(), r)
				w.WriteHeader(http.StatusServiceUnavailable)
				_, _ = w.Write([]byte(run.body))
			}), func(c *Config) { c.OnNotice = func(_ context.Context, n Notice) { notices = append(notices, n) } })
			open(t, c, "key-1")
			open := 0
			rows := in.Records("incident", "")
			for _, row := range rows {
				if row["state"] == "1" {
					open++
				}
			}
			if len(rows) != run.rows || open != 1 || len(notices) != run.rows-1 {
				t.Errorf("%d rows, %d of them open, %d notices; want %d, 1 and %d", len(rows), open, len(notices), run.rows, run.rows-1)
			}
		})
	}
}

func TestImportSetIsOneRequest(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{Staging: map[string]string{"u_evenkeel_import": "incident"}})
	c := in.client(t, func(c *Config) { c.Staging = "u_evenkeel_import" })
	ref := open(t, c, "key-1")
	if again := open(t, c, "key-1"); !again.Same(ref) || ref.Number != "INC0010001" || ref.Tenant != "acme" {
		t.Errorf("%+v and %+v", ref, again)
	}
	if rows := in.Records("incident", ""); len(rows) != 1 || rows[0]["correlation_display"] != "evenkeel/acme" {
		t.Errorf("rows %v", rows)
	}
	wrong := in.client(t, func(c *Config) { c.Staging = "u_nothing" })
	_, err := wrong.Open(t.Context(), ticket("key-2"))
	wantKind(t, err, adapters.Invalid)
}

func TestOpenMany(t *testing.T) {
	for name, staging := range map[string]string{"table": "", "import set": "u_evenkeel_import"} {
		t.Run(name, func(t *testing.T) {
			// 30 s of quota are enough for 7 of each batch.
			in := newInstance(adaptertest.ServiceNowOptions{BatchQuota: 7, Staging: map[string]string{"u_evenkeel_import": "incident"}})
			c := in.client(t, func(c *Config) { c.Staging = staging })
			there := open(t, c, "key-3")
			var tickets []adapters.Ticket
			for i := range 40 {
				tickets = append(tickets, ticket("key-"+string(rune('0'+i%10))+strings.Repeat("x", i/10)))
			}
			tickets[10].Title = "" // refused
			tickets = append(tickets, tickets[0])
			opened := c.OpenMany(t.Context(), tickets)
			for i, o := range opened {
				if i == 10 {
					wantKind(t, o.Err, adapters.Invalid)
					continue
				}
				if o.Err != nil || o.Ref.Number == "" {
					t.Fatalf("ticket %d: %+v", i, o)
				}
			}
			if !opened[3].Ref.Same(there) {
				t.Errorf("key-3 is %v, want %v, which was there", opened[3].Ref, there)
			}
			if !opened[40].Ref.Same(opened[0].Ref) {
				t.Error("one key twice made two tickets")
			}
			if rows := in.Records("incident", ""); len(rows) != 39 {
				t.Errorf("%d tickets, want 39", len(rows))
			}
			again := c.OpenMany(t.Context(), tickets)
			for i := range again {
				if !again[i].Ref.Same(opened[i].Ref) {
					t.Errorf("ticket %d is another when opened again", i)
				}
			}
		})
	}
}

func TestOpenManyWithLostReplies(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{BatchQuota: 30})
	lossy := &unreliable{handler: in.ServiceNow}
	c := newClient(t, lossy, nil)
	var tickets []adapters.Ticket
	for i := range 300 {
		tickets = append(tickets, ticket(adapters.Key{Incident: "i", Round: i}.String()))
	}
	done := false
	for range 20 {
		done = true
		for _, o := range c.OpenMany(t.Context(), tickets) {
			done = done && o.Err == nil
		}
		if done {
			break
		}
	}
	if rows := in.Records("incident", ""); !done || len(rows) != 300 {
		t.Errorf("done %v, %d tickets, want 300", done, len(rows))
	}
}

// unreliable loses replies and refuses, by turns that do not repeat soon.
type unreliable struct {
	handler                 http.Handler
	refusal                 string // body of a 503
	requests, lost, refused int
	mu                      sync.Mutex
	turn                    uint32
}

func (u *unreliable) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.requests++
	u.turn = u.turn*1664525 + 1013904223 // Numerical Recipes, chapter 7.1
	switch chance := u.turn >> 16 % 100; {
	case chance < 20:
		u.refused++
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(u.refusal))
	case chance < 25:
		if r.Method != http.MethodGet {
			u.lost++
		}
		u.handler.ServeHTTP(w, r)
		panic(http.ErrAbortHandler)
	default:
		u.handler.ServeHTTP(w, r)
	}
}

func TestReopen(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{CloseNotesRequired: true})
	c := in.client(t, nil)
	ref := open(t, c, "key-1")
	ok(t, c.Resolve(t.Context(), ref, adapters.Resolution{Text: "restarted"}))
	in.now = noon.Add(23 * time.Hour)
	same, err := c.Reopen(t.Context(), ref, "it is back")
	if row := in.Records("incident", "")[0]; err != nil || !same.Same(ref) || row["state"] != "2" {
		t.Fatalf("Reopen() = %+v, %v, state %s, want the same ticket in progress", same, err, row["state"])
	}
	if n := in.Records("sys_journal_field", ""); len(n) != 1 || n[0]["value"] != "it is back" {
		t.Errorf("journal %v", n)
	}
	if got, err := c.Read(t.Context(), ref); err != nil || !got.Resolved.IsZero() {
		t.Errorf("resolved at %v, %v, want the zero time for a ticket that is open again", got.Resolved, err)
	}
	ok(t, c.Resolve(t.Context(), ref, adapters.Resolution{Text: "restarted again"}))
	in.now = in.now.Add(25 * time.Hour)
	next, err := c.Reopen(t.Context(), ref, "and again")
	if err != nil || next.Same(ref) {
		t.Fatalf("Reopen() = %+v, %v, want another ticket", next, err)
	}
	again, err := c.Reopen(t.Context(), ref, "and again")
	rows := in.Records("incident", "")
	if err != nil || !again.Same(next) || len(rows) != 2 || rows[1]["parent_incident"] != ref.ID || !strings.HasPrefix(rows[1]["description"], "Follows INC0010001.") {
		t.Errorf("%v, %v: rows %v", again, err, rows)
	}
}
