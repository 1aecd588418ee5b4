package comms

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/evenkeelops/evenkeel/incident"
)

// Phrases are what messages in one language say beside the texts of its templates.
// All are required. Beside them lengths are written with the symbols h and min, and
// dates as 2026-03-02.
type Phrases struct {
	UnknownService string `json:"unknown_service"` // the service, if there is none
	UnknownTime    string `json:"unknown_time"`    // the duration, if nobody knows the begin
	LastMessage    string `json:"last_message"`    // of a closing note
	SeverityNow    string `json:"severity_now"`    // in front of it; may name {severity}
	FalseAlarm     string `json:"false_alarm"`     // the end of a cancelled incident; may name {reason}
	Merged         string `json:"merged"`          // the end of a merged one; may name {incident_id}, that of the other
}

// fill puts a value into a phrase that was checked.
func fill(phrase, name, value string) string {
	text, _, _ := parseBraces(phrase, []string{name})
	filled, _ := text.render(map[string]string{name: value}) // braces do not fail
	return filled
}

// compilePhrases checks the phrases, and that each language with a template has some.
func (p *Plan) compilePhrases(all map[string]Phrases, bad func(path, value, want string)) {
	p.wordings[""] = english
	seen := map[string]bool{}
	for _, tag := range slices.Sorted(maps.Keys(all)) {
		ph, path := all[tag], "phrases."+tag
		if !isTag(tag) {
			bad(path, tag, wantTag)
		}
		if seen[strings.ToLower(tag)] {
			bad(path, tag, "each language once, whatever the case")
		}
		seen[strings.ToLower(tag)] = true
		for _, part := range []struct{ key, text, name string }{
			{"unknown_service", ph.UnknownService, ""},
			{"unknown_time", ph.UnknownTime, ""},
			{"last_message", ph.LastMessage, ""},
			{"severity_now", ph.SeverityNow, "severity"},
			{"false_alarm", ph.FalseAlarm, "reason"},
			{"merged", ph.Merged, "incident_id"},
		} {
			if part.text == "" {
				bad(path+"."+part.key, "", "a text")
			} else if _, column, want := parseBraces(part.text, strings.Fields(part.name)); want != "" {
				bad(path+"."+part.key, part.text, fmt.Sprintf("at column %d %s", column, want))
			}
		}
		p.wordings[p.tag(tag)] = wording{ph, true}
	}
	used := map[string]bool{}
	for k := range p.templates {
		used[k.language] = true
	}
	for _, tag := range slices.Sorted(maps.Keys(used)) {
		if _, found := p.wordingIn(tag); found == "" && tag != "" {
			bad("phrases."+tag, "", "phrases: there are templates in the language")
		}
	}
}

// wordingIn returns the wording in a language, and the tag under which it was found.
func (p *Plan) wordingIn(language string) (w wording, found string) {
	k, found := lookup(p.wordings, language, func(tag string) string { return tag })
	return p.wordings[k], found
}

// tag returns a language tag in lower case, empty for the default language.
func (p *Plan) tag(text string) string {
	if text = strings.ToLower(text); text == p.language {
		return ""
	}
	return text
}

// templateIn returns the key of the template in a language, or else of the one in
// the default language.
func (p *Plan) templateIn(s incident.Severity, kind Type, language string) templateKey {
	k, _ := lookup(p.templates, language, func(tag string) templateKey { return templateKey{s, kind, tag} })
	return k
}

// lookup returns the key for a tag, or for it without its last subtags, the first
// that a map has, as RFC 4647 section 3.4 has it; and the tag of the key. The last
// resort is that of the default language.
func lookup[K comparable, V any](in map[K]V, tag string, key func(tag string) K) (k K, found string) {
	for ; tag != ""; tag = tag[:max(strings.LastIndexByte(tag, '-'), 0)] {
		if _, ok := in[key(tag)]; ok {
			return key(tag), tag
		}
	}
	return key(""), ""
}

const wantTag = `a language tag such as "de" or "pt-BR"`

// isTag reports whether a text looks like a language tag (RFC 5646): subtags of up
// to 8 letters and digits. The empty text is that of the default language.
func isTag(text string) bool {
	for sub := range strings.SplitSeq(text, "-") {
		odd := func(r rune) bool { return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }
		if text != "" && (sub == "" || len(sub) > 8 || strings.ContainsFunc(sub, odd)) {
			return false
		}
	}
	return true
}
