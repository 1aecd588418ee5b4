package postmortem

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/incident"
)

// Mention is a participant who is named where only roles belong.
type Mention struct {
	Path string        `json:"path"` // "root_cause" or "contributing[0]"
	Name string        `json:"name"` // as it stands there
	Role incident.Role `json:"role"` // what the person did
}

// Blameless returns the document with roles in place of the participants whom the
// root cause and the contributing factors name, and where that was; see [Participants].
// A name is found as a whole, and by each of its words with
// three letters or more, whatever the case; of an address only what stands before the
// @ counts. A word that is also a name is taken for one.
func (d Document) Blameless(participants map[incident.Role][]string) (Document, []Mention) {
	names := namesOf(participants)
	var found []Mention
	clean := func(path, text string) string {
		text, mentions := names.replace(text)
		for _, m := range mentions {
			m.Path = path
			found = append(found, m)
		}
		return text
	}
	d.RootCause = clean("root_cause", d.RootCause)
	d.Contributing = slices.Clone(d.Contributing)
	for i, text := range d.Contributing {
		d.Contributing[i] = clean(fmt.Sprintf("contributing[%d]", i), text)
	}
	return d, found
}

// Participants returns who took part in an incident, by role: those of its state, as
// approvers who decided on an approval, and as responders the persons whom its events
// name besides, such as those who were called. Other actors are left out, because many
// are programs. The error says which entry cannot be read.
func Participants(s incident.State, entries []incident.Entry) (map[incident.Role][]string, error) {
	all := map[incident.Role][]string{}
	known := map[string]bool{"": true}
	for _, role := range roles {
		all[role] = slices.Clone(s.Roles[role])
		for _, person := range all[role] {
			known[person] = true
		}
	}
	for _, entry := range entries {
		e, err := entry.Event()
		if err != nil {
			return nil, fmt.Errorf("participants of %q: %w", s.ID, err)
		}
		join := func(role incident.Role, person string) {
			if !known[person] {
				known[person] = true
				all[role] = append(all[role], person)
			}
		}
		if e.Kind == incident.Approve || e.Kind == incident.Refuse {
			join(incident.Approver, e.Actor)
		}
		join(incident.Responder, e.Person)
	}
	return all, nil
}

// name is a sequence of words, in lower case, that stands for a person.
type name struct {
	words []string
	role  incident.Role
}

type names []name

// shortest is the least number of letters for a part of a name to be one of its own.
const shortest = 3

// namesOf returns the names of all participants, the longest first.
func namesOf(participants map[incident.Role][]string) names {
	var all names
	add := func(words []string, role incident.Role) {
		known := slices.ContainsFunc(all, func(n name) bool { return slices.Equal(n.words, words) })
		if len(words) > 0 && !known {
			all = append(all, name{words, role})
		}
	}
	for _, role := range roles {
		for _, person := range participants[role] {
			if incident.IsRedacted(person) {
				continue
			}
			person, _, _ = strings.Cut(person, "@")
			var words []string
			for _, w := range split(person) {
				words = append(words, strings.ToLower(person[w.from:w.to]))
			}
			add(words, role)
			for _, w := range words {
				if utf8.RuneCountInString(w) >= shortest && strings.ContainsFunc(w, unicode.IsLetter) {
					add([]string{w}, role)
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b name) int { return len(b.words) - len(a.words) })
	return all
}

// replace puts roles in place of names.
func (n names) replace(text string) (string, []Mention) {
	words := split(text)
	var out strings.Builder
	var found []Mention
	done := 0
	for i := 0; i < len(words); {
		at := slices.IndexFunc(n, func(n name) bool { return n.begins(text, words[i:]) })
		if at < 0 {
			i++
			continue
		}
		last := i + len(n[at].words) - 1
		from, to := words[i].from, words[last].to
		out.WriteString(text[done:from])
		if i == 0 || !strings.EqualFold(text[words[i-1].from:words[i-1].to], "the") {
			out.WriteString("the ")
		}
		out.WriteString(string(n[at].role))
		found = append(found, Mention{Name: text[from:to], Role: n[at].role})
		i, done = last+1, to
	}
	return out.String() + text[done:], found
}

// begins reports whether the name stands at the begin of words of a text, with at
// most one character between two of them.
func (n name) begins(text string, words []word) bool {
	if len(words) < len(n.words) {
		return false
	}
	for i, w := range n.words {
		if strings.ToLower(text[words[i].from:words[i].to]) != w || i > 0 && utf8.RuneCountInString(text[words[i-1].to:words[i].from]) > 1 {
			return false
		}
	}
	return true
}

// word is a stretch of letters, marks and digits in a text.
type word struct{ from, to int }

func split(text string) []word {
	var out []word
	from := -1
	for i, r := range text {
		switch in := unicode.In(r, unicode.L, unicode.M, unicode.N); {
		case in && from < 0:
			from = i
		case !in && from >= 0:
			out = append(out, word{from, i})
			from = -1
		}
	}
	if from >= 0 {
		out = append(out, word{from, len(text)})
	}
	return out
}
