package openslo

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/evenkeelops/evenkeel/internal/diagnostic"
	"github.com/evenkeelops/evenkeel/internal/spelling"
	"github.com/evenkeelops/evenkeel/slo"
)

// reader walks the nodes of one document after the other and collects findings.
type reader struct {
	file     string
	version  string // of the document, a key of versions
	was      map[*yaml.Node]string
	errs     Errors
	findings Errors

	visited, limit int // values; aliases can blow a file up
}

// value is a node and where it stands.
type value struct {
	n         *yaml.Node // not an alias; nil for what is missing
	line, col int
	path      string
}

func (r *reader) value(n *yaml.Node, path string) value {
	v := value{n, n.Line, n.Column, path}
	if original, ok := r.was[n]; ok {
		v.path = original
	}
	for v.n.Kind == yaml.AliasNode && v.n.Alias != nil {
		v.n = v.n.Alias
	}
	return v
}

func (r *reader) finding(severity string, v value, code, suggestion, text string) Diagnostic {
	return Diagnostic{File: r.file, Line: max(1, v.line), Column: max(1, v.col), Severity: severity, Path: v.path, Code: code, Message: text, Suggestion: suggestion}
}

func (r *reader) fail(v value, code, suggestion, format string, args ...any) {
	r.errs = append(r.errs, r.finding(diagnostic.Error, v, code, suggestion, fmt.Sprintf(format, args...)))
}

func (r *reader) warn(v value, code, format string, args ...any) {
	r.findings = append(r.findings, r.finding(diagnostic.Warning, v, code, "", fmt.Sprintf(format, args...)))
}

// describe names what a node holds in plain words.
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!null":
		return "nothing"
	}
	return strconv.Quote(n.Value)
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// fields is a mapping. The zero fields has none.
type fields struct {
	at      value
	ok      bool         // there is a mapping
	content []*yaml.Node // keys and values in turn
	near    []string     // known keys that a misspelt one probably means
}

// fields checks a mapping. Keys beside the known ones are kept in the file, and
// found if they look like a known one; without known keys all are free.
func (r *reader) fields(v value, known ...string) fields {
	if v.n == nil || v.n.Kind != yaml.MappingNode {
		if v.n != nil {
			r.fail(v, "wrong_type", "", "found %s, want a mapping", describe(v.n))
		}
		return fields{at: v}
	}
	f := fields{at: v, ok: true, content: v.n.Content}
	first := r.visited <= r.limit
	if r.visited += 1 + len(f.content); r.visited > r.limit {
		if first {
			r.fail(v, "alias_limit", "", "the aliases of the files expand to too much")
		}
		return fields{at: v}
	}
	var seen map[string]bool // of a mapping that is too large for comparing all pairs
	if len(f.content) > 64 {
		seen = map[string]bool{}
	}
	for i := 0; i+1 < len(f.content); i += 2 {
		key := f.content[i]
		at := value{key, key.Line, key.Column, diagnostic.Join(v.path, key.Value)}
		switch {
		case key.Kind != yaml.ScalarNode || key.Tag == "!!merge":
			at.path = v.path
			r.fail(at, "wrong_type", "", "a key must be plain text")
			continue
		case seen[key.Value], seen == nil && f.index(key.Value) != i:
			r.fail(at, "duplicate_key", "", "key %q stands twice", key.Value)
			continue
		}
		if seen != nil {
			seen[key.Value] = true
		}
		if len(known) == 0 || slices.Contains(known, key.Value) {
			continue
		}
		suggestion := spelling.Nearest(key.Value, known)
		if suggestion != "" {
			f.near = append(f.near, suggestion)
		}
		r.findings = append(r.findings, r.finding(diagnostic.Warning, at, "unknown_field", suggestion,
			fmt.Sprintf("key %q is not part of OpenSLO and has no effect", key.Value)))
	}
	return f
}

func (f fields) index(name string) int {
	for i := 0; i+1 < len(f.content); i += 2 {
		if f.content[i].Kind == yaml.ScalarNode && f.content[i].Value == name {
			return i
		}
	}
	return -1
}

// get returns the value of a key; ok is false when it is missing or null.
func (r *reader) get(f fields, name string) (v value, ok bool) {
	i := f.index(name)
	if i < 0 {
		return value{line: f.at.line, col: f.at.col, path: diagnostic.Join(f.at.path, name)}, false
	}
	v = r.value(f.content[i+1], diagnostic.Join(f.at.path, name))
	return v, !isNull(v.n)
}

// need is get for a required key.
func (r *reader) need(f fields, name, want string) (v value, ok bool) {
	v, ok = r.get(f, name)
	if !ok && f.ok {
		suggestion := ""
		if slices.Contains(f.near, name) {
			suggestion = name
		}
		r.fail(v, "missing_field", suggestion, "missing, want %s", want)
	}
	return v, ok
}

// child returns the mapping at a key; ok is false when there is none.
func (r *reader) child(f fields, name string, known ...string) (fields, bool) {
	v, ok := r.get(f, name)
	if !ok {
		return fields{}, false
	}
	c := r.fields(v, known...)
	return c, c.ok
}

// list returns the items of a list at a key.
func (r *reader) list(f fields, name string) []value {
	v, ok := r.get(f, name)
	if !ok {
		return nil
	}
	return r.items(v)
}

func (r *reader) items(v value) []value {
	if v.n.Kind != yaml.SequenceNode {
		r.fail(v, "wrong_type", "", "found %s, want a list", describe(v.n))
		return nil
	}
	items := make([]value, len(v.n.Content))
	for i, n := range v.n.Content {
		items[i] = r.value(n, fmt.Sprintf("%s[%d]", v.path, i))
	}
	return items
}

// scalar returns the text of a value; ok is false after an error.
func (r *reader) scalar(v value, want string) (text string, ok bool) {
	if v.n.Kind != yaml.ScalarNode || isNull(v.n) {
		r.fail(v, "wrong_type", "", "found %s, want %s", describe(v.n), want)
		return "", false
	}
	return v.n.Value, true
}

// text returns the text at a key, empty when there is none.
func (r *reader) text(f fields, name string) string {
	v, ok := r.get(f, name)
	if !ok {
		return ""
	}
	text, _ := r.scalar(v, "text")
	return text
}

// label returns the value of a label. OpenSLO has a list of them, or one text for
// a list of one.
func (r *reader) label(f fields, name string) string {
	v, ok := r.get(f, name)
	if !ok || v.n.Kind != yaml.SequenceNode {
		return r.text(f, name)
	}
	items := r.items(v)
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i], _ = r.scalar(item, "text")
	}
	text := strings.Join(texts, ", ")
	if len(texts) > 1 {
		r.warn(v, "label_list", "label %s has %d values: read as %q", name, len(texts), text)
	}
	return text
}

// name returns the required text at a key.
func (r *reader) name(f fields, name, want string) string {
	v, ok := r.need(f, name, want)
	if !ok {
		return ""
	}
	text, ok := r.scalar(v, want)
	if ok && text == "" {
		r.fail(v, "missing_field", "", "empty, want %s", want)
	}
	return text
}

// flag returns the boolean at a key; set is false when there is none.
func (r *reader) flag(f fields, name string) (is, set bool) {
	v, ok := r.get(f, name)
	if !ok {
		return false, false
	}
	is = strings.EqualFold(v.n.Value, "true")
	if v.n.Kind != yaml.ScalarNode || v.n.Tag != "!!bool" || !is && !strings.EqualFold(v.n.Value, "false") {
		r.fail(v, "wrong_type", "", "found %s, want true or false", describe(v.n))
		return false, false
	}
	return is, true
}

// word returns a value that is one of some words, empty after an error.
func (r *reader) word(v value, words ...string) string {
	text, ok := r.scalar(v, "one of "+strings.Join(words, ", "))
	if !ok {
		return ""
	}
	if !slices.Contains(words, text) {
		r.fail(v, "bad_enum", spelling.Nearest(text, words), "found %q, want one of %s", text, strings.Join(words, ", "))
		return ""
	}
	return text
}

// number reads a decimal number from its text.
func (r *reader) number(v value, want string) (slo.Ratio, bool) {
	text, ok := r.scalar(v, want)
	if !ok {
		return slo.Ratio{}, false
	}
	number, err := slo.ParseRatio(text)
	if err != nil || number.IsInf(0) || strings.Contains(text, "/") {
		r.fail(v, "wrong_type", plainNumber(text), "found %q, want %s", text, want)
		return slo.Ratio{}, false
	}
	return number, true
}

// plainNumber rewrites ".5", "9.99e-1" and "0,5" as package slo reads numbers, ""
// if it cannot.
func plainNumber(text string) string {
	text = strings.Replace(strings.TrimPrefix(strings.TrimSuffix(text, "%"), "+"), ",", ".", 1)
	if len(text) > 40 {
		return ""
	}
	if _, exponent, ok := strings.Cut(strings.ToLower(text), "e"); ok {
		if n, err := strconv.Atoi(exponent); err != nil || n > 20 || n < -20 {
			return ""
		}
	}
	rat, ok := new(big.Rat).SetString(text)
	if !ok || strings.Contains(text, "/") || strings.Contains(text, "_") {
		return ""
	}
	digits, exact := rat.FloatPrec()
	if !exact {
		return ""
	}
	return rat.FloatString(digits)
}

// duration reads the shorthand.
func (r *reader) duration(v value) (Duration, bool) {
	const want = `a duration like "30d"`
	text, ok := r.scalar(v, want)
	if !ok {
		return Duration{}, false
	}
	d, err := ParseDuration(text)
	if err != nil {
		var p *slo.ParseError
		errors.As(err, &p)
		r.fail(v, "bad_duration", nearDuration(text), "found %q, want %s", text, p.Want)
		return Duration{}, false
	}
	if _, calendar := d.Calendar(); calendar && r.version == v2alpha {
		r.fail(v, "bad_duration", "", "found %q, want one of the units m h d w, v2alpha has no others", text)
		return Duration{}, false
	}
	return d, true
}

// nearDuration drops blanks and a repeated unit: "5 m", "5mm".
func nearDuration(text string) string {
	text = strings.ReplaceAll(text, " ", "")
	for len(text) > 2 && text[len(text)-1] == text[len(text)-2] {
		text = text[:len(text)-1]
	}
	if _, err := ParseDuration(text); err != nil {
		return ""
	}
	return text
}

// length reads a duration that has a length.
func (r *reader) length(v value) (Duration, bool) {
	d, ok := r.duration(v)
	if _, fixed := d.Length(); ok && !fixed {
		r.fail(v, "calendar_unit", "", "found %q, want minutes, hours, days or weeks: months, quarters and years have no fixed length", v.n.Value)
		return Duration{}, false
	}
	return d, ok
}
