package postmortem_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/postmortem"
)

var crew = map[incident.Role][]string{
	incident.Lead: {"Bob"}, incident.Responder: {"Sarah Chen", "Bob", "li.wei@shop.example"}, incident.Moderator: {"Ann"}, incident.Scribe: {"Zoë", incident.Redacted + " person 4"},
}

func TestBlameless(t *testing.T) {
	for _, c := range []struct {
		text, want string
		names      []string
	}{
		{"", "", nil},
		{"A lock was held during a rebuild", "A lock was held during a rebuild", nil},
		{"Bob rebuilt the index", "the lead rebuilt the index", []string{"Bob lead"}},
		{"It was BOB's rebuild, and ann knew", "It was the lead's rebuild, and the moderator knew", []string{"BOB lead", "ann moderator"}},
		{"it was redacted", "it was redacted", nil},
		{"the Bob", "the lead", []string{"Bob lead"}},
		{"Bobby, a kebob and an announcement", "Bobby, a kebob and an announcement", nil},
		{"Sarah Chen told Chen, not sarah", "the responder told the responder, not the responder", []string{"Sarah Chen responder", "Chen responder", "sarah responder"}},
		{"seen by Sarah-Chen", "seen by the responder", []string{"Sarah-Chen responder"}},
		{"seen by Sarah, and Chen", "seen by the responder, and the responder", []string{"Sarah responder", "Chen responder"}},
		{"li.wei and Li Wei; Wei, not li", "the responder and the responder; the responder, not li", []string{"li.wei responder", "Li Wei responder", "Wei responder"}},
		{"shop.example was down", "shop.example was down", nil},
		{"ZOË wrote", "the scribe wrote", []string{"ZOË scribe"}},
		{"Bob\xff fell", "the lead\xff fell", []string{"Bob lead"}},
	} {
		d := postmortem.Document{RootCause: c.text, Contributing: []string{"no timeout", c.text}, Impact: c.text}
		got, found := d.Blameless(crew)
		if got.RootCause != c.want || got.Contributing[1] != c.want || got.Contributing[0] != "no timeout" || got.Impact != c.text || d.Contributing[1] != c.text {
			t.Errorf("%q becomes %q, %q, want %q", c.text, got.RootCause, got.Contributing, c.want)
		}
		var names []string
		for _, path := range []string{"root_cause", "contributing[1]"} {
			for _, n := range c.names {
				names = append(names, path+" "+n)
			}
		}
		var have []string
		for _, m := range found {
			have = append(have, fmt.Sprint(m.Path, " ", m.Name, " ", m.Role))
		}
		if !slices.Equal(have, names) {
			t.Errorf("%q names %q, want %q", c.text, have, names)
		}
	}
}

// TestParticipants: whoever was called took part, though without a role; a program did
// not.
func TestParticipants(t *testing.T) {
	inc := reviewed(t)
	for i, person := range []string{"Omar Tan", "bob", "", "Omar Tan"} {
		e := incident.Event{Key: strconv.Itoa(i), Kind: incident.Escalate, At: after(720), Actor: "policy", Details: incident.Details{Level: 2, Person: person}}
		if _, err := inc.Apply(e); err != nil {
			t.Fatal(err)
		}
	}
	s, entries := inc.State(), inc.Timeline().Entries()
	people, err := postmortem.Participants(s, entries)
	if err != nil || !slices.Equal(people[incident.Responder], []string{"bob", "Omar Tan"}) || !slices.Equal(people[incident.Moderator], []string{"ann"}) || len(s.Roles[incident.Responder]) != 1 {
		t.Errorf("participants = %v, %v", people, err)
	}
	entries[0].Payload = "{"
	if _, err := postmortem.Participants(s, entries); err == nil {
		t.Error("a broken entry: no error")
	}
}

// FuzzBlameless: a document without names stays as it is, and one that was made
// blameless names nobody whom it did not name by accident: "the lead" may be a name.
func FuzzBlameless(f *testing.F) {
	f.Add("Bob and Sarah Chen did it", "Sarah Chen")
	f.Add("the the lead", "the")
	f.Add("a.b@c", "a.b@c")
	f.Fuzz(func(t *testing.T, text, person string) {
		people := map[incident.Role][]string{incident.Responder: {person}}
		got, found := postmortem.Document{RootCause: text}.Blameless(people)
		if len(found) == 0 && got.RootCause != text {
			t.Fatalf("nobody is named, but %q becomes %q", text, got.RootCause)
		}
		rest := text
		for _, m := range found {
			_, after, ok := strings.Cut(rest, m.Name)
			if !ok || m.Path != "root_cause" || m.Role != incident.Responder {
				t.Fatalf("%q has no %+v", rest, m)
			}
			rest = after
		}
		if _, again := got.Blameless(people); len(again) > 0 && !strings.Contains(strings.ToLower(person), "the") && !strings.Contains(strings.ToLower(person), "responder") && len(found) > 0 {
			t.Fatalf("%q becomes %q, which names %+v", text, got.RootCause, again)
		}
	})
}
