package probe

import (
	"encoding/json"
	"mime"
	"net/url"
	"strings"
)

// template is a text with variables.
type template []part

// part is a text, or a variable if it has a name.
type part struct{ text, name string }

// parse never fails: what is no variable is text.
func parse(text string) template {
	var t template
	literal := func(s string) {
		if last := len(t) - 1; last >= 0 && t[last].name == "" {
			t[last].text += s
		} else if s != "" {
			t = append(t, part{text: s})
		}
	}
	for text != "" {
		before, rest, ok := strings.Cut(text, "${")
		if !ok {
			literal(text)
			break
		}
		if plain, escaped := strings.CutSuffix(before, "$"); escaped {
			literal(plain + "${")
			text = rest
			continue
		}
		literal(before)
		name, after, ok := strings.Cut(rest, "}")
		if !ok || !isName(name) {
			literal("${")
			text = rest
			continue
		}
		t = append(t, part{name: name})
		text = after
	}
	return t
}

// fill fills a template; escape is applied to values, nil for none. The first
// variable that is not known is returned, "" if all are.
func (t template) fill(from map[string]string, escape func(i int, value string) string) (text, unknown string) {
	var b strings.Builder
	for i, p := range t {
		if p.name == "" {
			b.WriteString(p.text)
			continue
		}
		value, ok := from[p.name]
		if !ok {
			return "", p.name
		}
		if escape != nil {
			value = escape(i, value)
		}
		b.WriteString(value)
	}
	return b.String(), ""
}

// unknown returns the first variable that is not known, "" if all are.
func (t template) unknown(known map[string]bool) string {
	for _, p := range t {
		if p.name != "" && !known[p.name] {
			return p.name
		}
	}
	return ""
}

// inURL percent-encodes all but the beginning, which may be a whole URL.
func inURL(i int, value string) string {
	if i == 0 {
		return value
	}
	return strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
}

// inBody escapes as the type of a body wants it.
func inBody(contentType string) func(i int, value string) string {
	kind, _, _ := mime.ParseMediaType(contentType)
	switch {
	case kind == "application/json" || strings.HasSuffix(kind, "+json"):
		return func(_ int, value string) string {
			quoted, err := json.Marshal(value)
			if err != nil {
				return ""
			}
			return string(quoted[1 : len(quoted)-1])
		}
	case kind == "application/x-www-form-urlencoded":
		return func(_ int, value string) string { return url.QueryEscape(value) }
	}
	return nil
}

// inHeader makes one line of a value.
func inHeader(_ int, value string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, value)
}
