package promrules

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
)

// File is a rule file of Prometheus.
type File struct {
	Groups []Group

	// Notes are what the reader of the file should know, each with the id of the
	// objective before its text: "no_scrape", "not_staged", "calendar" and
	// "short_scrape". Whether a policy is wise is said by slo.Policy.Lint.
	Notes []slo.Finding
}

// Group is evaluated as one, its rules in order.
type Group struct {
	Name     string
	Interval time.Duration
	Rules    []Rule
}

// Rule records a series or raises an alert: one of Record and Alert is set.
type Rule struct {
	Record, Alert string
	Expr          string // printable characters and line breaks
	For           time.Duration
	KeepFiringFor time.Duration
	Labels        []Label // sorted by name
	Annotations   []Label // sorted by name
}

// AppendYAML appends the file in the form that Prometheus reads. All texts must be
// UTF-8. It allocates nothing if dst has room.
func (f *File) AppendYAML(dst []byte) []byte {
	dst = append(dst, "groups:\n"...)
	return f.appendGroups(dst, "")
}

// AppendPrometheusRule appends the file as an object of the Prometheus operator
// (monitoring.coreos.com/v1), with labels by which it is found.
func (f *File) AppendPrometheusRule(dst []byte, namespace, name string, labels map[string]string) []byte {
	dst = append(dst, "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: "...)
	dst = strconv.AppendQuote(dst, name)
	if namespace != "" {
		dst = strconv.AppendQuote(append(dst, "\n  namespace: "...), namespace)
	}
	if len(labels) > 0 {
		dst = append(dst, "\n  labels:"...)
		for _, l := range sorted(labels) {
			dst = append(strconv.AppendQuote(append(dst, "\n    "...), l.Name), ": "...)
			dst = strconv.AppendQuote(dst, l.Value)
		}
	}
	dst = append(dst, "\nspec:\n  groups:\n"...)
	return f.appendGroups(dst, "    ")
}

func sorted(labels map[string]string) []Label {
	out := make([]Label, 0, len(labels))
	for name, value := range labels {
		out = append(out, Label{name, value})
	}
	slices.SortFunc(out, func(a, b Label) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func (f *File) appendGroups(dst []byte, indent string) []byte {
	for _, g := range f.Groups {
		dst = appendQuoted(append(append(dst, indent...), "- name: "...), g.Name)
		if g.Interval > 0 {
			dst = appendDuration(append(append(append(dst, '\n'), indent...), "  interval: "...), g.Interval)
		}
		dst = append(append(append(dst, '\n'), indent...), "  rules:\n"...)
		for i := range g.Rules {
			dst = g.Rules[i].append(dst, indent)
		}
	}
	return dst
}

func (r *Rule) append(dst []byte, indent string) []byte {
	if r.Alert != "" {
		dst = appendQuoted(append(append(dst, indent...), "  - alert: "...), r.Alert)
	} else {
		dst = append(append(append(dst, indent...), "  - record: "...), r.Record...)
	}
	dst = append(append(append(dst, '\n'), indent...), "    expr: "...)
	if isBlock(r.Expr) {
		dst = append(dst, "|-\n"...)
		for rest, more := r.Expr, true; more; {
			var head string
			head, rest, more = strings.Cut(rest, "\n")
			dst = append(append(dst, indent...), "      "...)
			dst = append(append(dst, head...), '\n')
		}
	} else {
		dst = append(appendQuoted(dst, r.Expr), '\n')
	}
	if r.For > 0 {
		dst = append(appendDuration(append(append(dst, indent...), "    for: "...), r.For), '\n')
	}
	if r.KeepFiringFor > 0 {
		dst = append(appendDuration(append(append(dst, indent...), "    keep_firing_for: "...), r.KeepFiringFor), '\n')
	}
	dst = appendLabels(dst, indent, "    labels:\n", r.Labels)
	return appendLabels(dst, indent, "    annotations:\n", r.Annotations)
}

func appendLabels(dst []byte, indent, key string, labels []Label) []byte {
	if len(labels) == 0 {
		return dst
	}
	dst = append(append(dst, indent...), key...)
	for i := range labels {
		dst = append(append(dst, indent...), "      "...)
		if name := labels[i].Name; isYAMLWord(name) {
			dst = strconv.AppendQuote(dst, name)
		} else {
			dst = append(dst, name...)
		}
		dst = append(appendQuoted(append(dst, ": "...), labels[i].Value), '\n')
	}
	return dst
}

// isBlock reports whether a text can be a literal block of YAML: it must begin with
// what tells the indentation, and blocks end with one line break or none.
func isBlock(text string) bool {
	return text != "" && text[0] > ' ' && text[len(text)-1] > ' ' && strings.IndexByte(text, '\r') < 0
}

// isYAMLWord reports whether YAML takes a name for something else than a text.
func isYAMLWord(name string) bool {
	if len(name) > len("false") {
		return false
	}
	switch strings.ToLower(name) {
	case "null", "true", "false", "yes", "no", "on", "off", "y", "n":
		return true
	}
	return false
}

// appendQuoted is [strconv.AppendQuote], faster for a text without anything to
// escape.
func appendQuoted(dst []byte, text string) []byte {
	for i := range len(text) {
		if !plain[text[i]] {
			return strconv.AppendQuote(dst, text)
		}
	}
	return append(append(append(dst, '"'), text...), '"')
}

// plain are the bytes that stand for themselves in quotes.
var plain = func() (p [256]bool) {
	for c := ' '; c <= '~'; c++ {
		p[c] = c != '"' && c != '\\'
	}
	return p
}()

// String returns the file as AppendYAML writes it.
func (f *File) String() string { return string(f.AppendYAML(nil)) }
