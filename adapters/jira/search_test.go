package jira

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
)

func TestSearch(t *testing.T) {
	for name, o := range map[string]adaptertest.JiraOptions{"cloud": {MaxPage: 7}, "data center": {MaxPage: 7, DataCenter: true}} {
		t.Run(name, func(t *testing.T) {
			c, fake := with(t, o, nil)
			for n := range 30 {
				mustOpen(t, c, fmt.Sprint("k", n))
			}
			found := collect(t, c.Search(t.Context(), "project = OPS ORDER BY key ASC"))
			if len(found) != 30 {
				t.Fatalf("%d issues, want 30", len(found))
			}
			for n, i := range found {
				want := fmt.Sprint("k", n)
				if o.DataCenter {
					want = "" // its search gives no properties
				}
				if i.Key != want || i.Title != "checkout is down" || i.State != adapters.StateNew || i.Created.IsZero() {
					t.Fatalf("issue %d is %+v", n, i)
				}
			}
			if n, err := c.Count(t.Context(), "project = OPS"); err != nil || n != 30 {
				t.Errorf("count %d, %v; want 30", n, err)
			}
			for _, err := range c.Search(t.Context(), "project = OPS") {
				must(t, err)
				break // a caller who has enough
			}
			if err := drain(c.Search(t.Context(), "odd = 1")); adapters.KindOf(err) != adapters.Invalid {
				t.Errorf("bad query: %v, want invalid", err)
			}
			for _, r := range fake.Requests() {
				if strings.HasSuffix(r, "/search") != o.DataCenter && strings.Contains(r, "search") && !strings.Contains(r, "approximate") && !strings.HasSuffix(r, "/search/jql") {
					t.Errorf("request %q", r)
				}
			}
		})
	}
}

// A search that gives the same token for ever ends with an error.
func TestSearchCircle(t *testing.T) {
	c, _ := with(t, adaptertest.JiraOptions{Fault: status(200, http.Header{}, `{"issues":[],"isLast":false,"nextPageToken":"same"}`)}, nil)
	if err := drain(c.Search(t.Context(), "project = OPS")); adapters.KindOf(err) != adapters.BadResponse {
		t.Errorf("error %v, want bad response", err)
	}
}

// The index is seconds behind. Told about an id it is right.
func TestReconcile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := with(t, adaptertest.JiraOptions{Lag: time.Minute}, nil)
		ref := mustOpen(t, c, "k")
		if found, err := c.labelled(t.Context(), "test", "acme", label("acme", "k")); err != nil || len(found) != 0 {
			t.Fatalf("found %v, %v; want nothing yet", found, err)
		}
		if found, err := c.labelled(t.Context(), "test", "acme", label("acme", "k"), ref); err != nil || len(found) != 1 {
			t.Errorf("found %v, %v; want it", found, err)
		}
	})
}

func TestQuote(t *testing.T) {
	for text, want := range map[string]string{`a`: `"a"`, `a"b\c`: `"a\"b\\c"`, "a\nb": `"a\u000ab"`, "ä": `"ä"`} {
		if got := quote(text); got != want {
			t.Errorf("quote(%q) = %s, want %s", text, got, want)
		}
	}
}

// 20 minutes with 130 issues, 60 of them in one second: each is exported once, also
// by an exporter that is stopped after each issue and goes on from its cursor.
func TestExport(t *testing.T) {
	for name, o := range map[string]adaptertest.JiraOptions{
		"cloud": {MaxPage: 25}, "data center": {MaxPage: 25, DataCenter: true},
		"a zone": {MaxPage: 25, TimeZone: "America/St_Johns"}, "no zone": {MaxPage: 25, TimeZone: "Mars/Olympus"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := with(t, o, nil)
				var want []string
				var from, until time.Time
				for n := range 130 {
					switch n {
					case 5:
						from = time.Now()
					case 125:
						until = time.Now() // of the issue that is left out: the end is open
					}
					ref := mustOpen(t, c, strconv.Itoa(n))
					if n >= 5 && n < 125 {
						want = append(want, ref.ID)
					}
					if n < 30 || n >= 90 {
						time.Sleep(17 * time.Second)
					} else {
						time.Sleep(10 * time.Millisecond)
					}
				}
				var got []string
				for _, e := range collect(t, c.Export(t.Context(), from, until, "")) {
					got = append(got, e.Ticket.Ref.ID)
				}
				if !slices.Equal(got, want) {
					t.Errorf("exported %d issues, want %d in order", len(got), len(want))
				}
				got = nil
				for cursor := ""; ; {
					before := cursor
					for e, err := range c.Export(t.Context(), from, until, cursor) {
						must(t, err)
						got, cursor = append(got, e.Ticket.Ref.ID), e.Cursor
						if len(got)%7 == 0 {
							break
						}
					}
					if cursor == before {
						break
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("exported %d issues with stops, want %d in order", len(got), len(want))
				}
			})
		})
	}
}

// Issues change while they are watched, the search is late, and the watcher keeps
// nothing but the cursor: no change is missed.
func TestChanges(t *testing.T) {
	for name, o := range map[string]adaptertest.JiraOptions{"cloud": {MaxPage: 4, Lag: 20 * time.Second}, "data center": {MaxPage: 4, DataCenter: true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, fake := with(t, o, nil)
				refs := make([]adapters.Ref, 10)
				for n := range refs {
					refs[n] = mustOpen(t, c, strconv.Itoa(n))
				}
				time.Sleep(time.Hour)
				cursor, latest, listed := "", map[string]string{}, 0
				watch := func() {
					for e, err := range c.Changes(t.Context(), cursor) {
						must(t, err)
						cursor = e.Cursor
						if e.Ticket.Ref.IsZero() {
							continue // nothing has happened yet: where to go on from
						}
						latest[e.Ticket.Ref.ID] = e.Ticket.Title
						listed++
						if !e.Ticket.ByUs {
							t.Errorf("change of %s is not ours", e.Ticket.Ref.ID)
						}
					}
				}
				watch()
				changes := 0
				for round := range 12 {
					for n := round % 3; n < len(refs); n += 3 {
						title := fmt.Sprint("round ", round)
						must(t, c.Update(t.Context(), refs[n], adapters.Patch{Title: &title}))
						changes++
						time.Sleep(time.Second)
					}
					watch()
					time.Sleep(13 * time.Second)
				}
				time.Sleep(30 * time.Second)
				watch()
				for _, i := range fake.Issues() {
					if latest[i.ID] != i.Summary {
						t.Errorf("last seen of %s is %q, want %q", i.ID, latest[i.ID], i.Summary)
					}
				}
				if listed > changes {
					t.Errorf("%d issues listed for %d changes: an unchanged one was listed again", listed, changes)
				}
				before := listed
				watch()
				if listed != before {
					t.Errorf("%d issues listed that have not changed", listed-before)
				}
				must(t, c.Note(t.Context(), refs[0], adapters.Note{Text: "by hand"}))
				time.Sleep(30 * time.Second)
				for e, err := range c.Changes(t.Context(), cursor) {
					must(t, err)
					if e.Ticket.ByUs {
						t.Error("a comment has no entry in the history, so who wrote it is not known")
					}
				}
			})
		})
	}
}

func TestCursor(t *testing.T) {
	for _, text := range []string{"1", "1764530000000;10001:1764530000000", "7;a:7,b:7"} {
		c, ok := parseCursor(text, 0)
		if !ok || c.String() != text {
			t.Errorf("%q becomes %v", text, c)
		}
	}
	client, _ := with(t, adaptertest.JiraOptions{}, nil)
	for _, text := range []string{"x", "-1", "1;", "1;a", "1;a:x", "1;a b:1", "999999999999999999"} {
		if text == "1;" {
			continue // the same as "1"
		}
		if err := drain(client.Changes(t.Context(), text)); adapters.KindOf(err) != adapters.Invalid {
			t.Errorf("cursor %q: %v, want invalid", text, err)
		}
		if err := drain(client.Export(t.Context(), time.Now(), time.Now(), text)); adapters.KindOf(err) != adapters.Invalid {
			t.Errorf("cursor %q: %v, want invalid", text, err)
		}
	}
}

func FuzzCursor(f *testing.F) {
	f.Add("1764530000000;10001:1764530000000")
	f.Fuzz(func(t *testing.T, text string) {
		c, ok := parseCursor(text, time.Minute)
		if !ok {
			return
		}
		again, ok := parseCursor(c.String(), time.Minute)
		if !ok || again.String() != c.String() {
			t.Errorf("%q becomes %q, then %v", text, c.String(), again)
		}
	})
}

// The clocks of New York go from 02:00 back to 01:00 on 1 November 2026, so 01:30 is
// read twice, at 05:30Z and at 06:30Z. A bound must not cut off either.
func TestJQLTime(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	must(t, err)
	for _, tt := range []struct {
		at   string
		up   bool
		want string
	}{
		{"2026-11-01T04:30:30Z", false, "2026/11/01 00:30"},
		{"2026-11-01T04:30:30Z", true, "2026/11/01 00:31"},
		{"2026-11-01T05:30:00Z", false, "2026/11/01 00:30"}, // as 01:30 may be read as 06:30Z
		{"2026-11-01T05:30:00Z", true, "2026/11/01 01:30"},
		{"2026-11-01T06:30:00Z", false, "2026/11/01 01:30"},
		{"2026-11-01T06:30:00Z", true, "2026/11/01 02:30"}, // as 01:30 may be read as 05:30Z
		{"2026-11-01T07:30:00Z", false, "2026/11/01 02:30"},
		{"2026-03-08T07:00:00Z", false, "2026/03/08 03:00"}, // 02:00 is skipped
		{"2028-02-29T12:00:59Z", true, "2028/02/29 07:01"},
		{"2026-12-31T23:59:30Z", true, "2026/12/31 19:00"},
	} {
		at, err := time.Parse(time.RFC3339, tt.at)
		must(t, err)
		if got := jqlTime(at, zone, tt.up); got != tt.want {
			t.Errorf("jqlTime(%s, up %v) = %s, want %s", tt.at, tt.up, got, tt.want)
		}
	}
}

// Three limits at once, each with a bucket of its own: one that is used up holds up
// nothing else.
func TestLimits(t *testing.T) {
	t.Run("burst", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var limited atomic.Int64
			c, fake := with(t, adaptertest.JiraOptions{Burst: 100}, func(c *Config) { c.Limits = nil; c.Observer = counting(&limited) })
			ref := mustOpen(t, c, "k")
			start := time.Now()
			done := make(chan error)
			for range 16 {
				go func() {
					for range 50 {
						if _, err := c.Read(t.Context(), ref); err != nil {
							done <- err
							return
						}
					}
					done <- nil
				}()
			}
			for range 16 {
				must(t, <-done)
			}
			took := time.Since(start)
			t.Logf("800 reads in %v, %d requests, %d limited", took, len(fake.Requests()), limited.Load())
			if limited.Load() > 0 || took > 8500*time.Millisecond { // 800 at 100/s are 8 s: 95 % of it are 8.42 s
				t.Errorf("%d answers of 429 in %v, want none in at most 8.5s", limited.Load(), took)
			}
		})
	})
	t.Run("per issue", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var limited atomic.Int64
			c, _ := with(t, adaptertest.JiraOptions{IssueWrites: 20}, func(c *Config) { c.Limits = nil; c.Observer = counting(&limited) })
			ref := mustOpen(t, c, "k")
			for n := range 60 {
				must(t, c.SetProperty(t.Context(), ref, "n", n))
			}
			if limited.Load() > 0 {
				t.Errorf("%d answers of 429, want none", limited.Load())
			}
		})
	})
	t.Run("reason", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			// Without limits of ours: what Jira says pauses the bucket that it names.
			var c *Client
			c, fake := with(t, adaptertest.JiraOptions{IssueWrites: 1}, func(c *Config) { c.Policy.Attempts = 1 })
			a, b := mustOpen(t, c, "a"), mustOpen(t, c, "b")
			must(t, c.SetProperty(t.Context(), a, "n", 1))
			err := c.SetProperty(t.Context(), a, "n", 2)
			if adapters.KindOf(err) != adapters.RateLimited || !strings.Contains(fmt.Sprintf("%+v", err), "jira-per-issue-on-write") {
				t.Fatalf("error %v, want the limit of the issue", err)
			}
			start := time.Now()
			must(t, c.SetProperty(t.Context(), b, "n", 1)) // another issue by the same route
			if time.Since(start) != 0 {
				t.Errorf("another issue waited for %v", time.Since(start))
			}
			sent := len(fake.Requests())
			must(t, c.edit(t.Context(), "test", a, map[string]any{"summary": "x"})) // the same issue by another route
			if wait := time.Since(start); wait != 2*time.Second || len(fake.Requests()) != sent+1 {
				t.Errorf("the issue waited for %v by %d requests, want 2s and 1", wait, len(fake.Requests())-sent)
			}
		})
	})
}
