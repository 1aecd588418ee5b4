package portal

import (
	"encoding/xml"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/sla"
)

// Nothing but what was signed for a place, a token and a time is a session.
func FuzzSession(f *testing.F) {
	s := sessions{key: []byte(strings.Repeat("k", 32))}
	at, token := time.Unix(1_800_000_000, 0), TokenHashOf("token")
	good := s.cookie("/t/a/", token, at).Value
	f.Add(good, "/t/a/")
	f.Add(good, "/t/b/")
	f.Add(good+"=", "/t/a/")
	f.Add("", "")
	f.Add(s.cookie("/t/b/", token, at).Value, "/t/a/")
	f.Fuzz(func(t *testing.T, value, place string) {
		if s.valid(value, place, token, at) != (value == good && place == "/t/a/") && s.cookie(place, token, at).Value != value {
			t.Errorf("valid(%q, %q) = %v", value, place, value != good)
		}
		if s.valid(value, place, TokenHashOf("other"), at) || s.valid(value, place, TokenHash{}, at) {
			t.Errorf("%q is valid for another token", value)
		}
		if s.valid(value, place, token, at.Add(sessionLength)) {
			t.Errorf("%q is valid after its end", value)
		}
	})
}

// Whatever the form holds, what is handed on is text within its bounds.
func FuzzRequest(f *testing.F) {
	f.Add("service=a&title=t&text=x&contact=c")
	f.Add("title=a%0d%0aX:+1")
	f.Add("title=%ff&title=2")
	f.Fuzz(func(t *testing.T, body string) {
		form, err := url.ParseQuery(body)
		if err != nil {
			t.Skip("the server refuses it")
		}
		r, problem := parseRequest(form.Get, []page.Service{{ID: "a"}})
		if problem != "" {
			return
		}
		for _, text := range []string{r.Service, r.Title, r.Text, r.Contact} {
			if !utf8.ValidString(text) {
				t.Errorf("%q is no text", text)
			}
		}
		if r.Service != "" && r.Service != "a" || strings.ContainsAny(r.Title+r.Contact, "\r\n") || r.Title == "" || len(r.Title) > maxTitle || len(r.Text) > maxForm {
			t.Errorf("%+v", r)
		}
	})
}

// A body is read strictly or refused, and never panics.
func FuzzBody(f *testing.F) {
	f.Add(`{"title": "t", "severity": "p1"}`)
	f.Add(`{"title": "t"} {}`)
	f.Add(`[`)
	f.Fuzz(func(t *testing.T, body string) {
		var in struct{ Title, Service, Severity, Text string }
		if err := decode([]byte(body), &in); err == nil && !strings.HasPrefix(strings.TrimSpace(body), "{") && strings.TrimSpace(body) != "null" {
			t.Errorf("%q is taken", body)
		}
	})
}

// Texts of incidents come through the feed as XML that any reader reads.
func FuzzFeed(f *testing.F) {
	f.Add("I-1", "title", "text\n\nmore")
	f.Add("\x00", "]]>", "&#0;\ufffe")
	f.Fuzz(func(t *testing.T, id, title, text string) {
		at := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
		tenant := &page.Tenant{ID: "a", At: at, Incidents: []page.Incident{{Incident: sla.Incident{ID: id, Title: title, Opened: at}, Updates: []page.Update{{At: at, Text: text}, {At: at, Text: text}}}}}
		var b strings.Builder
		if err := writeFeed(&b, tenant, site{host: "x", url: "http://x"}, ""); err != nil {
			t.Fatal(err)
		}
		var feed struct {
			Entries []struct {
				ID string `xml:"id"`
			} `xml:"entry"`
		}
		if err := xml.Unmarshal([]byte(b.String()), &feed); err != nil || len(feed.Entries) != 3 {
			t.Fatalf("%v, %d entries", err, len(feed.Entries))
		}
		seen := map[string]bool{}
		for _, e := range feed.Entries {
			if u, err := url.Parse(e.ID); err != nil || u.Scheme != "tag" || seen[e.ID] {
				t.Errorf("id %q: %v", e.ID, err)
			}
			seen[e.ID] = true
		}
	})
}

// A document whose making panicked is an error for those who come after, and not empty.
func TestUnmadeDocument(t *testing.T) {
	v := &view{}
	func() {
		defer func() { _ = recover() }()
		_, _, _ = v.document("k", func() ([]byte, error) { panic("made badly") })
	}()
	if body, tag, err := v.document("k", func() ([]byte, error) { return []byte("x"), nil }); err == nil {
		t.Errorf("%q, %q, want an error", body, tag)
	}
}

// A thousand keys of a tenant are remembered for a day, the latest ones.
func TestReplaysAreBounded(t *testing.T) {
	s, at := newReplays(), time.Unix(0, 0)
	for i := range 3 * replayLimit {
		r, state := s.begin("a", time.Duration(i).String(), "/", nil, at)
		if state != fresher {
			t.Fatalf("key %d: %v", i, state)
		}
		s.end(r, 201, i)
	}
	if len(s.byKey) != replayLimit || s.order["a"].Len() != replayLimit {
		t.Errorf("%d keys in a list of %d, want %d", len(s.byKey), s.order["a"].Len(), replayLimit)
	}
	if _, state := s.begin("b", time.Duration(3*replayLimit-1).String(), "/", nil, at); state != fresher {
		t.Errorf("the key of another tenant: %v", state)
	}
	if r, state := s.begin("a", time.Duration(3*replayLimit-1).String(), "/", nil, at.Add(replayTime-1)); state != replayed || r.answer != 3*replayLimit-1 {
		t.Errorf("within a day: %v", state)
	}
	if _, state := s.begin("a", time.Duration(3*replayLimit-1).String(), "/", nil, at.Add(replayTime)); state != fresher {
		t.Errorf("after a day: %v", state)
	}
}
