package jira

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/incident"
)

func TestUpdate(t *testing.T) {
	for name, o := range both {
		t.Run(name, func(t *testing.T) {
			c, fake := with(t, o, nil)
			ref := mustOpen(t, c, "k")
			title, text, severity, labels := "a\nb", strings.Repeat("ü", 32_768), incident.P4, []string{"x"}
			must(t, c.Update(t.Context(), ref, adapters.Patch{Title: &title, Text: &text, Severity: &severity, Labels: &labels, Fields: map[string]any{adaptertest.JiraField: "search"}}))
			i := fake.Issues()[0]
			if i.Summary != "a b" || utf8.RuneCountInString(i.Description) != 32_767 || i.Priority != "Low" || i.Fields[adaptertest.JiraField] != "search" || !slices.Equal(i.Files, []string{"full-text.txt"}) {
				t.Errorf("issue %q %q, files %q", i.Summary, i.Priority, i.Files)
			}
			if !slices.Equal(i.Labels, []string{"x", label("acme", "k")}) {
				t.Errorf("labels %q, want the new one and ours", i.Labels)
			}
			sent := len(fake.Requests())
			must(t, c.Update(t.Context(), ref, adapters.Patch{}))
			if len(fake.Requests()) != sent {
				t.Error("an empty patch was sent")
			}
			must(t, c.Assign(t.Context(), ref, "sarah"))
			if who := fake.Issues()[0].Assignee; who != "sarah" {
				t.Errorf("assignee %q", who)
			}
			must(t, c.Assign(t.Context(), ref, ""))
			if who := fake.Issues()[0].Assignee; who != "" {
				t.Errorf("assignee %q, want nobody", who)
			}
		})
	}
}

func TestNotes(t *testing.T) {
	for name, o := range map[string]adaptertest.JiraOptions{"cloud": {MaxPage: 3}, "data center": {MaxPage: 3, DataCenter: true}} {
		t.Run(name, func(t *testing.T) {
			c, fake := with(t, o, func(c *Config) { c.InternalRole = "Operators" })
			ref := mustOpen(t, c, "k")
			for n := range 8 {
				must(t, c.Note(t.Context(), ref, adapters.Note{Text: fmt.Sprint("note ", n), Public: n%2 == 0, Key: fmt.Sprint("key ", n)}))
			}
			must(t, c.Note(t.Context(), ref, adapters.Note{Text: "other words", Key: "key 5"})) // is there
			notes := collect(t, c.Notes(t.Context(), ref))
			if len(notes) != 8 || len(fake.Issues()[0].Comments) != 8 {
				t.Fatalf("%d notes, want 8", len(notes))
			}
			for n, got := range notes {
				if got.Text != fmt.Sprint("note ", n) || got.Public != (n%2 == 0) || got.Key != fmt.Sprint("key ", n) || got.Author != adaptertest.JiraBot || got.At.IsZero() || got.ID == "" {
					t.Errorf("note %+v, want number %d", got, n)
				}
			}
			if err := c.Note(t.Context(), ref, adapters.Note{}); adapters.KindOf(err) != adapters.Invalid {
				t.Errorf("empty: %v, want invalid", err)
			}
			long := strings.Repeat("ö", 40_000)
			must(t, c.Note(t.Context(), ref, adapters.Note{Text: long, Key: "long"}))
			i := fake.Issues()[0]
			if last := i.Comments[8]; utf8.RuneCountInString(last) != 32_767 || !strings.HasSuffix(last, "attached]") || len(i.Files) != 1 || string(fake.File(i.Files[0])) != long {
				t.Errorf("long note of %d characters, files %q", utf8.RuneCountInString(last), i.Files)
			}
		})
	}
}

// Replies to comments are lost: one with a key is there once, one without is told
// to be in doubt.
func TestNoteLost(t *testing.T) {
	for name, o := range map[string]adaptertest.JiraOptions{"platform": {}, "service desk": {ServiceDesk: true}, "service desk of data center": {ServiceDesk: true, DataCenter: true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o.Fault = func(_ int, r *http.Request) adaptertest.JiraFault {
					return adaptertest.JiraFault{Lose: r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/comment")}
				}
				c, fake := with(t, o, nil)
				ref := mustOpen(t, c, "k")
				for range 2 {
					must(t, c.Note(t.Context(), ref, adapters.Note{Text: "restarted", Key: "n"}))
				}
				must(t, c.Note(t.Context(), ref, adapters.Note{Text: "restarted", Key: "m"})) // the same words another time
				if err := c.Note(t.Context(), ref, adapters.Note{Text: "no key"}); adapters.KindOf(err) != adapters.OutcomeUnknown {
					t.Errorf("without a key: %v, want outcome unknown", err)
				}
				i := fake.Issues()[0]
				if !slices.Equal(i.Comments, []string{"restarted", "restarted", "no key"}) {
					t.Errorf("comments %q", i.Comments)
				}
				if i.Public[0] != !o.ServiceDesk {
					t.Errorf("public %v", i.Public)
				}
			})
		})
	}
}

func TestAttach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lose := true
		c, fake := with(t, adaptertest.JiraOptions{Fault: func(_ int, r *http.Request) adaptertest.JiraFault {
			return adaptertest.JiraFault{Lose: lose && strings.HasSuffix(r.URL.Path, "/attachments")}
		}}, nil)
		ref := mustOpen(t, c, "k")
		file := adapters.Attachment{Name: "größe.txt", ContentType: "text/plain", Content: []byte("content")}
		must(t, c.Attach(t.Context(), ref, file))
		lose = false
		must(t, c.Attach(t.Context(), ref, file)) // on purpose a second time
		if files := fake.Issues()[0].Files; !slices.Equal(files, []string{"größe.txt", "größe.txt"}) || string(fake.File("größe.txt")) != "content" {
			t.Errorf("files %q", files)
		}
		for _, name := range []string{"", "../x", "a\"b", "a\nb"} {
			if err := c.Attach(t.Context(), ref, adapters.Attachment{Name: name}); adapters.KindOf(err) != adapters.Invalid {
				t.Errorf("name %q: %v, want invalid", name, err)
			}
		}
	})
}

func TestProperty(t *testing.T) {
	c, _ := with(t, adaptertest.JiraOptions{}, nil)
	ref := mustOpen(t, c, "k")
	must(t, c.SetProperty(t.Context(), ref, "x.y", map[string]int{"n": 7}))
	var got struct{ N int }
	must(t, c.Property(t.Context(), ref, "x.y", &got))
	if got.N != 7 {
		t.Errorf("value %+v, want 7", got)
	}
	if err := c.Property(t.Context(), ref, "none", &got); adapters.KindOf(err) != adapters.NotFound {
		t.Errorf("none: %v, want not found", err)
	}
	must(t, c.SetProperty(t.Context(), ref, "full", strings.Repeat("a", 32_766))) // and two quotes
	if err := c.SetProperty(t.Context(), ref, "full", strings.Repeat("a", 32_767)); adapters.KindOf(err) != adapters.TooLarge {
		t.Errorf("too large: %v", err)
	}
	for _, key := range []string{"", "..", "a/b", "a b", strings.Repeat("k", 256)} {
		if err := c.SetProperty(t.Context(), ref, key, 1); adapters.KindOf(err) != adapters.Invalid {
			t.Errorf("key %q: %v, want invalid", key, err)
		}
	}
	if err := c.SetProperty(t.Context(), ref, "f", func() {}); adapters.KindOf(err) != adapters.Invalid {
		t.Errorf("function: %v, want invalid", err)
	}
}

func TestHistory(t *testing.T) {
	for name, o := range map[string]adaptertest.JiraOptions{"cloud": {MaxPage: 2}, "data center": {MaxPage: 2, DataCenter: true}} {
		t.Run(name, func(t *testing.T) {
			c, _ := with(t, o, nil)
			ref := mustOpen(t, c, "k")
			must(t, c.Acknowledge(t.Context(), ref, ""))
			must(t, c.Resolve(t.Context(), ref, adapters.Resolution{}))
			must(t, c.Assign(t.Context(), ref, "sarah"))
			var got []string
			for _, change := range collect(t, c.History(t.Context(), ref)) {
				got = append(got, change.Field+": "+change.From+" > "+change.To)
				if change.By != adaptertest.JiraBot || change.At.IsZero() {
					t.Errorf("change %+v, want who and when", change)
				}
			}
			want := []string{"status: To Do > In Progress", "status: In Progress > Done", "resolution:  > Done"}
			if len(got) != 4 || !slices.Equal(got[:3], want) {
				t.Errorf("history %q, want %q and the assignee", got, want)
			}
		})
	}
}

func TestUnknownNames(t *testing.T) {
	c, _ := with(t, adaptertest.JiraOptions{}, nil)
	ref := mustOpen(t, c, "k")
	lowest := Config{Priorities: adapters.Names[incident.Severity, string]{{Ours: incident.P1, Theirs: "Urgent"}}}
	c.config.Priorities = lowest.Priorities
	if _, err := c.Read(t.Context(), ref); adapters.KindOf(err) != adapters.BadResponse || !strings.Contains(err.Error(), `priority "Highest"`) {
		t.Errorf("unknown priority: %v", err)
	}
	c.config.DefaultSeverity = incident.P3
	if got, err := c.Read(t.Context(), ref); err != nil || got.Severity != incident.P3 {
		t.Errorf("with a default: %v, %v", got.Severity, err)
	}
	c.config.States = adapters.Names[adapters.State, Status]{{Ours: adapters.StateNew, Theirs: Status{Category: "odd"}}}
	if _, err := c.Read(t.Context(), ref); adapters.KindOf(err) != adapters.BadResponse || !strings.Contains(err.Error(), `status "To Do"`) {
		t.Errorf("unknown status: %v", err)
	}
}

func TestSeverity(t *testing.T) {
	c, _ := with(t, adaptertest.JiraOptions{}, nil)
	for name, want := range map[string]incident.Severity{"Highest": incident.P1, "High": incident.P2, "Medium": incident.P3, "Low": incident.P4, "Lowest": incident.P4, "": 0} {
		if got, err := c.severity(name); err != nil || got != want {
			t.Errorf("severity(%q) = %v, %v; want %v", name, got, err, want)
		}
	}
}

func TestFit(t *testing.T) {
	for _, tt := range []struct {
		text, want string
		cut        bool
	}{
		{"12345", "12345", false},
		{"123456", "1234…", true},
		{"äöüßé", "äöüßé", false},
		{"äöüßéx", "äöüß…", true},
		{"🔥🔥x", "🔥🔥x", false}, // 5 units
		{"🔥🔥🔥", "🔥🔥…", true},
		{"x🔥🔥🔥", "x🔥…", true}, // no half of a character
		{"\xff1", "�1", false},
		{"", "", false},
	} {
		if got, cut := fit(tt.text, 5, cutMark); got != tt.want || cut != tt.cut {
			t.Errorf("fit(%q) = %q, %v; want %q, %v", tt.text, got, cut, tt.want, tt.cut)
		}
	}
}

func FuzzFit(f *testing.F) {
	f.Add("x🔥🔥🔥", 5)
	f.Fuzz(func(t *testing.T, text string, most int) {
		most = 1 + (most%300+300)%300
		got, cut := fit(text, most, cutMark)
		if units(got) > most || !utf8.ValidString(got) || cut && !strings.HasSuffix(got, cutMark) {
			t.Errorf("fit(%q, %d) = %q, %v", text, most, got, cut)
		}
	})
}
