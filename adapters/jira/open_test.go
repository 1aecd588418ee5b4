package jira

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/incident"
)

func TestOpen(t *testing.T) {
	for name, o := range both {
		t.Run(name, func(t *testing.T) {
			c, fake := with(t, o, nil)
			ticket := sample("k1")
			ticket.Assignee = "sarah"
			ticket.Links = []adapters.WebLink{{Text: "dashboard", URL: "https://grafana.example/d/1"}}
			ticket.Fields = map[string]any{"Affected service": "checkout"}
			ref, err := c.Open(t.Context(), ticket)
			must(t, err)
			issues := fake.Issues()
			if len(issues) != 1 {
				t.Fatalf("%d issues, want 1", len(issues))
			}
			i := issues[0]
			if i.Summary != ticket.Title || i.Description != ticket.Text || i.Priority != "Highest" || i.Assignee != "sarah" || i.RemoteLinks != 1 {
				t.Errorf("issue %+v, want what the ticket says", i)
			}
			if i.Fields[adaptertest.JiraField] != "checkout" {
				t.Errorf("custom field %v, want checkout, by the name on the form", i.Fields[adaptertest.JiraField])
			}
			if len(i.Labels) != 2 || i.Labels[0] != label("acme", "k1") || !strings.Contains(i.Properties["evenkeel"], `"key":"k1"`) {
				t.Errorf("labels %q, properties %q, want the label and the property of the key", i.Labels, i.Properties)
			}
			if want := (adapters.Ref{Provider: "jira", Tenant: "acme", Type: "Incident", ID: i.ID, Number: i.Key, URL: "https://jira.example/browse/" + i.Key}); ref != want {
				t.Errorf("ref %+v, want %+v", ref, want)
			}

			again, err := c.Open(t.Context(), ticket)
			if err != nil || again != ref || len(fake.Issues()) != 1 {
				t.Errorf("again: %v, %v, %d issues; want the same", again, err, len(fake.Issues()))
			}
			got, err := c.Read(t.Context(), ref)
			must(t, err)
			if got.Key != "k1" || got.Severity != incident.P1 || got.State != adapters.StateNew || got.Assignee != "sarah" || got.Target != "OPS" ||
				!slices.Equal(got.Labels, []string{"checkout"}) || got.Fields[adaptertest.JiraField] != "checkout" || got.Created.IsZero() || !got.Resolved.IsZero() {
				t.Errorf("read %+v", got)
			}
			found, err := c.Find(t.Context(), "acme", "k1")
			if err != nil || !found.Same(ref) {
				t.Errorf("find: %v, %v", found, err)
			}
			// Another process, with a ledger that knows nothing.
			c2, err := New(func() Config { k := config(fake, o); k.Ledger = nil; return k }())
			must(t, err)
			if found, err = c2.Find(t.Context(), "acme", "k1"); err != nil || !found.Same(ref) {
				t.Errorf("find by label: %v, %v", found, err)
			}
			if found, err = c2.Find(t.Context(), "globex", "k1"); adapters.KindOf(err) != adapters.NotFound {
				t.Errorf("find of another tenant: %v, %v; want not found", found, err)
			}
			if again, err = c2.Open(t.Context(), ticket); err != nil || !again.Same(ref) || len(fake.Issues()) != 1 {
				t.Errorf("open without a memory: %v, %v, %d issues; want the one that is there", again, err, len(fake.Issues()))
			}
		})
	}
}

func TestFindByProperty(t *testing.T) {
	for name, o := range both {
		t.Run(name, func(t *testing.T) {
			c, fake := with(t, o, func(c *Config) { c.FindBy, c.Ledger = ByProperty, nil })
			ref := mustOpen(t, c, "k1")
			labels := []string{} // somebody tidies up
			must(t, c.edit(t.Context(), "test", ref, map[string]any{"labels": labels}))
			other, err := New(func() Config { k := config(fake, o); k.FindBy, k.Ledger = ByProperty, nil; return k }())
			must(t, err)
			if found, err := other.Find(t.Context(), "acme", "k1"); err != nil || !found.Same(ref) {
				t.Errorf("find: %v, %v", found, err)
			}
		})
	}
}

func TestOpenRefused(t *testing.T) {
	c, fake := with(t, adaptertest.JiraOptions{}, nil)
	tests := []struct {
		name   string
		change func(*adapters.Ticket)
		kind   adapters.Kind
		want   string
	}{
		{"no key", func(t *adapters.Ticket) { t.Key = "" }, adapters.Invalid, "key missing"},
		{"no title", func(t *adapters.Ticket) { t.Title = " \n" }, adapters.Invalid, "title missing"},
		{"label with a space", func(t *adapters.Ticket) { t.Labels = []string{"a b"} }, adapters.Invalid, `label "a b"`},
		{"field that is not there", func(t *adapters.Ticket) { t.Fields = map[string]any{"customfield_9": 1} }, adapters.Unsupported, "customfield_9"},
		{"field that is set twice", func(t *adapters.Ticket) { t.Fields = map[string]any{"Priority": 1} }, adapters.Unsupported, "set by the ticket itself"},
		{"field of the ticket", func(t *adapters.Ticket) { t.Fields = map[string]any{"labels": nil} }, adapters.Unsupported, "labels"},
		{"target", func(t *adapters.Ticket) { t.Target = "../x" }, adapters.Invalid, "target"},
		{"state", func(t *adapters.Ticket) { t.State = "odd" }, adapters.Invalid, "state"},
		{"severity", func(t *adapters.Ticket) { t.Severity = 9 }, adapters.Invalid, "severity"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ticket := sample("k")
			tt.change(&ticket)
			_, err := c.Open(t.Context(), ticket)
			if e, ok := errors.AsType[*adapters.Error](err); !ok || e.Kind != tt.kind || !strings.Contains(e.Error(), tt.want) {
				t.Errorf("error %v, want %v with %q", err, tt.kind, tt.want)
			}
		})
	}
	if n := len(fake.Issues()); n != 0 {
		t.Errorf("%d issues, want none", n)
	}
	// What Jira refuses can be opened once it is right.
	ticket := sample("k2")
	ticket.Fields = map[string]any{"priority": map[string]any{"name": "Odd"}}
	ticket.Severity = 0
	if _, err := c.Open(t.Context(), ticket); adapters.KindOf(err) != adapters.Invalid || !strings.Contains(err.Error(), "priority: The priority selected is invalid.") {
		t.Errorf("error %v, want what Jira says of the field", err)
	}
	ticket.Fields = nil
	if _, err := c.Open(t.Context(), ticket); err != nil {
		t.Errorf("after a refusal: %v", err)
	}
}

func TestOpenWithoutPriority(t *testing.T) {
	c, fake := with(t, adaptertest.JiraOptions{NoPriority: true}, nil)
	ref := mustOpen(t, c, "k")
	if p := fake.Issues()[0].Priority; p != "" {
		t.Errorf("priority %q, want none", p)
	}
	if got, err := c.Read(t.Context(), ref); err != nil || got.Severity != incident.P1 {
		t.Errorf("severity %v, %v; want P1, from the property", got.Severity, err)
	}
}

// A title of 255 emoji and one more has twice as many units of UTF-16.
func TestOpenCuts(t *testing.T) {
	var cuts []Cut
	var cutOf adapters.Ref
	c, fake := with(t, adaptertest.JiraOptions{}, func(c *Config) {
		c.OnCut = func(ref adapters.Ref, all []Cut) { cutOf, cuts = ref, append(cuts, all...) }
	})
	ticket := sample("k")
	ticket.Title = strings.Repeat("🔥", 256)
	ticket.Text = strings.Repeat("ä", 40_000)
	ref, err := c.Open(t.Context(), ticket)
	must(t, err)
	i := fake.Issues()[0]
	if !utf8.ValidString(i.Summary) || units(i.Summary) > 255 || !strings.HasSuffix(i.Summary, "🔥…") {
		t.Errorf("summary of %d units ends %q, want at most 255 and a mark", units(i.Summary), i.Summary[len(i.Summary)-12:])
	}
	if n := utf8.RuneCountInString(i.Description); n != 32_767 || !strings.HasSuffix(i.Description, "[cut, the full text is attached]") {
		t.Errorf("description of %d characters, want 32,767 and a mark", n)
	}
	if got := string(fake.File("full-text.txt")); got != ticket.Title+"\n\n"+ticket.Text {
		t.Errorf("attachment of %d bytes, want the full text", len(got))
	}
	if len(cuts) != 2 || cuts[0].Field != "summary" || cuts[0].Had != 512 || cuts[1].Field != "description" || cuts[1].Had != 40_000 || !cutOf.Same(ref) {
		t.Errorf("cuts %+v", cuts)
	}
}

// Replies are lost after the issue was made, while the search lags behind: there
// is one issue for each key all the same.
func TestOpenLostReplies(t *testing.T) {
	for _, lag := range []time.Duration{0, 2 * time.Second, 9 * time.Second} {
		t.Run(lag.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lost := 0
				c, fake := with(t, adaptertest.JiraOptions{Lag: lag, Fault: func(_ int, r *http.Request) adaptertest.JiraFault {
					if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/issue") {
						lost++
						return adaptertest.JiraFault{Lose: lost%2 == 1}
					}
					return adaptertest.JiraFault{}
				}}, nil)
				for n := range 5 {
					mustOpen(t, c, fmt.Sprint("k", n))
				}
				if n := len(fake.Issues()); n != 5 {
					t.Errorf("%d issues, want 5", n)
				}
			})
		})
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A gateway that gave up says nothing of what is behind it: as after a lost answer, the
// issue is there within a second and not looked for after ten alone.
func TestOpenBehindGateway(t *testing.T) {
	for _, status := range []int{http.StatusBadGateway, http.StatusGatewayTimeout} {
		synctest.Test(t, func(t *testing.T) {
			c, fake := with(t, adaptertest.JiraOptions{Lag: 500 * time.Millisecond}, func(c *Config) {
				jira := c.Transport
				c.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
					answer, err := jira.RoundTrip(r)
					if err == nil && r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/issue") {
						_ = answer.Body.Close()
						answer = &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody, Request: r}
					}
					return answer, err
				})
			})
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			ref, err := c.Open(ctx, sample("k"))
			if issues := fake.Issues(); err != nil || len(issues) != 1 || ref.ID != issues[0].ID {
				t.Errorf("%d: %v, %v, %d issues, want the one", status, ref, err, len(issues))
			}
		})
	}
}

// A search that lags longer than it is waited for hides the first issue: a second
// one is made, and the younger is closed as a duplicate as soon as it is seen.
func TestOpenTwin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		c, fake := with(t, adaptertest.JiraOptions{Lag: 10*time.Second + time.Millisecond, Fault: func(_ int, r *http.Request) adaptertest.JiraFault {
			if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/issue") {
				if n++; n == 1 {
					return adaptertest.JiraFault{Lose: true}
				}
				time.Sleep(10 * time.Millisecond) // the second one takes its time, and the first comes into sight
			}
			return adaptertest.JiraFault{}
		}}, nil)
		ref := mustOpen(t, c, "k")
		issues := fake.Issues()
		if len(issues) != 2 {
			t.Fatalf("%d issues, want 2", len(issues))
		}
		if ref.ID != issues[0].ID {
			t.Errorf("opened %s, want the older one, %s", ref.ID, issues[0].ID)
		}
		want := adaptertest.JiraLink{Type: "Duplicate", From: issues[1].ID, To: issues[0].ID}
		if issues[1].Status != "Done" || issues[1].Resolution != "Duplicate" || !slices.Contains(issues[1].Links, want) {
			t.Errorf("the younger is %+v, want it closed as a duplicate of the older", issues[1])
		}
		if issues[0].Status != "To Do" {
			t.Errorf("the older is %q, want it untouched", issues[0].Status)
		}
		time.Sleep(time.Minute)
		other, err := New(func() Config { k := config(fake, adaptertest.JiraOptions{}); k.Ledger = nil; return k }())
		must(t, err)
		if found, err := other.Find(t.Context(), "acme", "k"); err != nil || found.ID != ref.ID {
			t.Errorf("find: %v, %v; want the older", found, err)
		}
	})
}

// A twin that cannot be closed is an error beside the issue; opening it again, when the
// search shows both, closes it.
func TestOpenTwinStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		creates, links := 0, 0
		c, fake := with(t, adaptertest.JiraOptions{Lag: 10*time.Second + time.Millisecond, Fault: func(_ int, r *http.Request) adaptertest.JiraFault {
			switch {
			case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/issue"):
				if creates++; creates == 1 {
					return adaptertest.JiraFault{Lose: true}
				}
				time.Sleep(10 * time.Millisecond)
			case strings.HasSuffix(r.URL.Path, "/issueLink"):
				if links++; links == 1 {
					return adaptertest.JiraFault{Status: http.StatusForbidden}
				}
			}
			return adaptertest.JiraFault{}
		}}, nil)
		ref, err := c.Open(t.Context(), sample("k"))
		issues := fake.Issues()
		if len(issues) != 2 || ref.ID != issues[0].ID || !errors.Is(err, adapters.Forbidden) || issues[1].Status != "To Do" {
			t.Fatalf("%v, %v, %d issues; want the older of two, and what the vendor said", ref, err, len(issues))
		}
		time.Sleep(time.Minute)
		if again := mustOpen(t, c, "k"); !again.Same(ref) || fake.Issues()[1].Resolution != "Duplicate" {
			t.Errorf("opened %v, the younger is %+v; want %v, and the younger closed", again, fake.Issues()[1], ref)
		}
	})
}

// A copy that a person made of an issue has its labels, and is no twin: who looks because
// it has no memory leaves it alone.
func TestOpenBesideCopy(t *testing.T) {
	for name, o := range both {
		t.Run(name, func(t *testing.T) {
			c, fake := with(t, o, nil)
			ref := mustOpen(t, c, "k")
			copied, err := c.draft(t.Context(), "test", sample("k"))
			must(t, err)
			_, err = c.do(t.Context(), request{op: "test", tenant: "acme", method: http.MethodPost, route: "rest/api/2/issue", body: copied.body})
			must(t, err)
			other, err := New(func() Config { k := config(fake, o); k.Ledger = nil; return k }())
			must(t, err)
			again := mustOpen(t, other, "k")
			if issues := fake.Issues(); !again.Same(ref) || len(issues) != 2 || issues[1].Status != "To Do" {
				t.Errorf("opened %v, %+v; want %v, and the copy open", again, issues, ref)
			}
		})
	}
}

// A process dies between the call and the ledger. The next one finds an intention
// and looks before it creates.
func TestOpenAfterCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger := &adapters.MemoryLedger{}
		c, fake := with(t, adaptertest.JiraOptions{Lag: 5 * time.Second}, func(c *Config) { c.Ledger = ledger })
		ref := mustOpen(t, c, "k")
		must(t, ledger.Forget(t.Context(), "acme", "k"))
		_, _, err := ledger.Intend(t.Context(), "acme", "k", time.Now())
		must(t, err)
		again, err := c.Open(t.Context(), sample("k"))
		if err != nil || !again.Same(ref) || len(fake.Issues()) != 1 {
			t.Errorf("after a crash: %v, %v, %d issues; want %v and 1", again, err, len(fake.Issues()), ref)
		}
		if e, ok, _ := ledger.Look(t.Context(), "acme", "k"); !ok || !e.Settled() {
			t.Error("ledger is not settled")
		}
	})
}

// A process dies between a later try and the ledger. The next one waits until a search
// shows what was made then, not what the first try could have made.
func TestOpenAfterCrashOfLaterTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		posts := 0
		o := adaptertest.JiraOptions{Lag: 5 * time.Second, Fault: func(_ int, r *http.Request) adaptertest.JiraFault {
			if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/issue") {
				return adaptertest.JiraFault{}
			}
			posts++
			if posts == 1 {
				return adaptertest.JiraFault{Status: http.StatusBadGateway}
			}
			return adaptertest.JiraFault{Lose: posts == 2}
		}}
		ledger := &adapters.MemoryLedger{}
		c, fake := with(t, o, func(c *Config) { c.Ledger = ledger })
		for range 2 { // the first makes nothing, and of the second nobody hears
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if ref, err := c.Open(ctx, sample("k")); err == nil {
				t.Errorf("open: %v, want an error", ref)
			}
			cancel()
			time.Sleep(time.Minute * time.Duration(2-posts))
		}
		if len(fake.Issues()) != 1 {
			t.Fatalf("%d issues, want 1", len(fake.Issues()))
		}
		again := config(fake, o)
		again.Ledger = ledger
		next, err := New(again)
		must(t, err)
		ref, err := next.Open(t.Context(), sample("k"))
		if issues := fake.Issues(); err != nil || len(issues) != 1 || ref.ID != issues[0].ID {
			t.Errorf("after a crash: %v, %v, %d issues; want the one", ref, err, len(issues))
		}
	})
}

// noTry is a ledger that cannot note another try.
type noTry struct{ adapters.Ledger }

func (noTry) Try(context.Context, string, string, time.Time) error { return errors.New("read only") }

// The first try may have created an issue, and the second is not made, for the ledger
// fails: the error says what may be there.
func TestOpenWithoutTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := adaptertest.JiraOptions{Fault: func(_ int, r *http.Request) adaptertest.JiraFault {
			if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/issue") {
				return adaptertest.JiraFault{Status: http.StatusServiceUnavailable}
			}
			return adaptertest.JiraFault{}
		}}
		c, fake := with(t, o, func(c *Config) { c.Ledger = noTry{c.Ledger} })
		_, err := c.Open(t.Context(), sample("k"))
		e, ok := errors.AsType[*adapters.Error](err)
		if !ok || !e.MayHaveApplied || e.Status != http.StatusServiceUnavailable || !strings.Contains(fmt.Sprint(errors.Unwrap(e)), "ledger") {
			t.Errorf("%v (%+v), want that of the try before with that of the ledger as a cause", err, e)
		}
		entry, _, err := c.config.Ledger.Look(t.Context(), "acme", "k")
		if err != nil || entry.Intended.IsZero() || entry.Settled() || len(fake.Issues()) != 0 {
			t.Errorf("ledger %+v, %v; want it intended", entry, err)
		}
	})
}

// The caller gives up while the request is under way: what may be there stays
// intended, and the next one finds it.
func TestOpenCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c, fake := with(t, adaptertest.JiraOptions{Fault: func(_ int, r *http.Request) adaptertest.JiraFault {
			if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/issue") {
				cancel()
				return adaptertest.JiraFault{Lose: true}
			}
			return adaptertest.JiraFault{}
		}}, nil)
		_, err := c.Open(ctx, sample("k"))
		if e, ok := errors.AsType[*adapters.Error](err); !ok || !errors.Is(err, context.Canceled) || !e.MayHaveApplied {
			t.Errorf("error %v, want canceled, and that it may be there", err)
		}
		if _, err := c.Open(t.Context(), sample("k")); err != nil || len(fake.Issues()) != 1 {
			t.Errorf("again: %v, %d issues; want 1", err, len(fake.Issues()))
		}
	})
}

func TestOpenAtOnce(t *testing.T) {
	c, fake := with(t, adaptertest.JiraOptions{}, nil)
	var all sync.WaitGroup
	refs := make([]adapters.Ref, 8)
	for n := range refs {
		all.Go(func() {
			ref, err := c.Open(t.Context(), sample("k"))
			if err != nil {
				t.Error(err)
			}
			refs[n] = ref
		})
	}
	all.Wait()
	for _, ref := range refs {
		if ref != refs[0] {
			t.Errorf("refs %v, want the same", refs)
		}
	}
	if n := len(fake.Issues()); n != 1 {
		t.Errorf("%d issues, want 1", n)
	}
}

// What goes with an issue fails: the issue is known, and opening it again completes
// it without a second one.
func TestOpenCompletes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fail := true
		c, fake := with(t, adaptertest.JiraOptions{Fault: func(_ int, r *http.Request) adaptertest.JiraFault {
			if fail && strings.HasSuffix(r.URL.Path, "/remotelink") {
				return adaptertest.JiraFault{Status: http.StatusForbidden}
			}
			return adaptertest.JiraFault{}
		}}, nil)
		ticket := sample("k")
		ticket.Links = []adapters.WebLink{{URL: "https://a.example"}, {URL: "https://b.example"}}
		ticket.State = adapters.StateAcknowledged
		ref, err := c.Open(t.Context(), ticket)
		if ref.IsZero() || adapters.KindOf(err) != adapters.Forbidden {
			t.Fatalf("%v, %v; want a reference and forbidden", ref, err)
		}
		fail = false
		again, err := c.Open(t.Context(), ticket)
		must(t, err)
		if i := fake.Issues(); len(i) != 1 || i[0].RemoteLinks != 2 || i[0].Status != "In Progress" || !again.Same(ref) {
			t.Errorf("issues %+v, want one with two links in progress", i)
		}
	})
}

func TestOpenMany(t *testing.T) {
	for name, o := range both {
		t.Run(name, func(t *testing.T) {
			c, fake := with(t, o, nil)
			before := mustOpen(t, c, "k3")
			tickets := make([]adapters.Ticket, 120)
			for n := range tickets {
				tickets[n] = sample(fmt.Sprint("k", n))
			}
			tickets[7].Title = "" // refused before it is sent
			tickets[60].Severity = 0
			tickets[60].Fields = map[string]any{"priority": map[string]any{"name": "Odd"}} // refused by Jira
			out := c.OpenMany(t.Context(), tickets)
			for n, o := range out {
				switch {
				case n == 7 || n == 60:
					if adapters.KindOf(o.Err) != adapters.Invalid {
						t.Errorf("ticket %d: %v, want invalid", n, o.Err)
					}
				case o.Err != nil:
					t.Errorf("ticket %d: %v", n, o.Err)
				default:
					got, err := c.Read(t.Context(), o.Ref)
					if err != nil || got.Key != fmt.Sprint("k", n) {
						t.Fatalf("ticket %d is issue of %q, %v", n, got.Key, err)
					}
				}
			}
			if out[3].Ref != before || len(fake.Issues()) != 118 {
				t.Errorf("%d issues, want 118 and the one that was there", len(fake.Issues()))
			}
			bulk := 0
			for _, r := range fake.Requests() {
				if strings.HasSuffix(r, "/issue/bulk") {
					bulk++
				}
			}
			if bulk != 3 {
				t.Errorf("%d bulk creates, want 3", bulk)
			}
		})
	}
}

// Without a memory of its own OpenMany looks for all tickets at once.
func TestOpenManyKnown(t *testing.T) {
	c, fake := with(t, adaptertest.JiraOptions{}, func(c *Config) { c.Ledger = nil })
	tickets := []adapters.Ticket{sample("a"), sample("b"), sample("c")}
	ref := mustOpen(t, c, "b")
	other, err := New(func() Config { k := config(fake, adaptertest.JiraOptions{}); k.Ledger = nil; return k }())
	must(t, err)
	out := other.OpenMany(t.Context(), tickets)
	for _, o := range out {
		must(t, o.Err)
	}
	if !out[1].Ref.Same(ref) || len(fake.Issues()) != 3 || !slices.Contains(fake.Requests(), "POST /rest/api/2/issue/bulk") {
		t.Errorf("%+v, %d issues; want the one that was there and two more by one call", out, len(fake.Issues()))
	}
}

// A bulk create whose reply is lost has made issues; all refused comes as a 400.
func TestOpenManyLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, fake := with(t, adaptertest.JiraOptions{Lag: time.Second, Fault: func(_ int, r *http.Request) adaptertest.JiraFault {
			return adaptertest.JiraFault{Lose: strings.HasSuffix(r.URL.Path, "/issue/bulk")}
		}}, nil)
		for _, o := range c.OpenMany(t.Context(), []adapters.Ticket{sample("a"), sample("b"), sample("a")}) {
			if o.Err != nil || o.Ref.IsZero() {
				t.Errorf("opened %+v", o)
			}
		}
		if n := len(fake.Issues()); n != 2 {
			t.Errorf("%d issues, want 2", n)
		}
	})
	c, _ := with(t, adaptertest.JiraOptions{}, nil)
	odd := sample("odd")
	odd.Severity, odd.Fields = 0, map[string]any{"priority": map[string]any{"name": "Odd"}}
	out := c.OpenMany(t.Context(), []adapters.Ticket{odd})
	if e, ok := errors.AsType[*adapters.Error](out[0].Err); !ok || e.Kind != adapters.Invalid || e.Message != "priority: The priority selected is invalid." {
		t.Errorf("all refused: %v, want what Jira says of the item", out[0].Err)
	}
}

// Of 500 creates one in five meets a 503 and one in twenty is carried out without
// an answer. Every ticket is delivered once, for at most 1.4 requests each.
func TestDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 500
		c, fake := with(t, adaptertest.JiraOptions{Lag: 500 * time.Millisecond, Fault: func(n int, _ *http.Request) adaptertest.JiraFault {
			switch {
			case n%5 == 1:
				return adaptertest.JiraFault{Status: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {"1"}}}
			case n%20 == 3:
				return adaptertest.JiraFault{Lose: true}
			}
			return adaptertest.JiraFault{}
		}}, func(c *Config) { c.Policy.RetryTokens = 100_000; c.Policy.Attempts = 5 })
		for i := range n {
			mustOpen(t, c, strconv.Itoa(i))
		}
		seen := map[string]bool{}
		for _, i := range fake.Issues() {
			seen[i.Labels[0]] = true
		}
		made, requests := len(fake.Issues()), len(fake.Requests())
		t.Logf("%d tickets, %d issues, %d requests", n, made, requests)
		if made != n || len(seen) != n || requests > n*14/10 {
			t.Errorf("%d issues of %d keys by %d requests, want %d, %d and at most %d", made, len(seen), requests, n, n, n*14/10)
		}
	})
}
