package openslo

import (
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/evenkeelops/evenkeel/internal/threshold"
	"github.com/evenkeelops/evenkeel/slo"
	"github.com/evenkeelops/evenkeel/slo/promrules"
)

// EventsError says why the events of an objective cannot be counted by
// Prometheus rules.
type EventsError struct {
	Objective string
	Field     string // of the indicator: "good", "total", …; "" for the objective
	Text      string
	Want      string
}

// Error names the objective and what is wanted.
func (e *EventsError) Error() string {
	if e.Text == "" {
		return fmt.Sprintf("openslo: objective %q: %s: want %s", e.Objective, e.Field, e.Want)
	}
	return fmt.Sprintf("openslo: objective %q: %s: found %q, want %s", e.Objective, e.Field, e.Text, e.Want)
}

// Events returns how Prometheus counts the events of o, for package promrules. A
// query may have the length of the window as "$window" or, as other tools write
// it, "{{.window}}". It is understood like this, and where that is a choice,
// [Parse] has a finding:
//
//	counter, sum(counter), sum(increase(counter[$window]))   the counter
//	sum(rate(counter[$window]))   the counter: a ratio of rates is one of increases
//	sum(rate(counter[5m]))        the counter, in the windows of the rules: fixed_range
//	sum(irate(counter[$window]))  the counter, not its last two samples: irate_read
//	other text with $window       that text, with increase for rate and irate: rate_read,
//	                              irate_read; with deriv, which is a slope, it counts nothing
//	gauge, with counter: false    its sum over time
//	raw                           its mean over time, as the events are unknown: raw_mean
//	thresholdMetric               each sample is an event, and good if it compares
//	                              well; NaN is none
//
// What remains, other sources than Prometheus, and slices, which rules do not
// count, are an [*EventsError]; for Prometheus Parse has the finding not_counted.
func (o Objective) Events() (promrules.Events, error) {
	events, _, err := o.events()
	return events, err
}

// note is a choice made about a query.
type note struct{ code, text string }

func (o Objective) events() (e promrules.Events, notes []note, err error) {
	q := &queries{objective: o.ID, counter: o.Indicator.Counter}
	in := o.Indicator
	if o.Method != slo.Occurrences && o.Method != 0 || o.Slices != nil {
		return e, nil, &EventsError{Objective: o.ID, Field: "budgeting method", Want: "Occurrences: rules count events, not slices"}
	}
	switch {
	case in.Threshold != nil:
		e.Good, e.Total = q.threshold(in.Threshold, o.Op, o.Value)
	case in.Raw != nil:
		e.ErrorRatio = q.raw(in.Raw, in.RawType)
	default:
		e.Good, e.Bad, e.Total = q.count("good", in.Good), q.count("bad", in.Bad), q.count("total", in.Total)
	}
	if q.err != nil {
		return promrules.Events{}, nil, q.err
	}
	return e, q.notes, nil
}

// countable finds what was chosen about the queries of objectives.
func (r *reader) countable(items []value, objectives []Objective) {
	for i, o := range objectives {
		if i > 0 && !o.Composite && r.version != v1alpha {
			return // the same indicator
		}
		_, notes, err := o.events()
		for _, n := range notes {
			r.warn(items[i], n.code, "%s", n.text)
		}
		if failed := (*EventsError)(nil); errors.As(err, &failed) && failed.Text != "" {
			r.warn(items[i], "not_counted", "%v", err)
		}
	}
}

// queries turns PromQL into what promrules takes.
type queries struct {
	objective string
	counter   bool
	notes     []note
	err       error // the first
}

const windowWord = "$window"

func (q *queries) fail(field, query, want string) string {
	if q.err == nil {
		q.err = &EventsError{Objective: q.objective, Field: field, Text: query, Want: want}
	}
	return ""
}

// query returns the text of a metric; empty when there is none.
func (q *queries) query(field string, m *Metric) string {
	if !m.isPrometheus() {
		return q.fail(field, "", fmt.Sprintf("a metric of type Prometheus, not %q", m.Type))
	}
	text := strings.TrimSpace(m.Query())
	if text == "" {
		return q.fail(field, "", "a query")
	}
	return strings.NewReplacer("{{.window}}", windowWord, "{{ .window }}", windowWord).Replace(text)
}

func (q *queries) count(field string, m *Metric) string {
	if m == nil {
		return ""
	}
	text := q.query(field, m)
	if text == "" {
		return ""
	}
	inner := unwrap(text, "sum")
	for _, function := range []string{"rate", "increase", "irate"} {
		ranged := unwrap(inner, function)
		if ranged == inner {
			continue
		}
		selector, window, ok := cutRange(ranged)
		if !ok || !isSelector(selector) {
			continue
		}
		if function == "irate" {
			q.noteIrate(field)
		}
		if window != windowWord {
			q.notes = append(q.notes, note{"fixed_range", fmt.Sprintf("%s reads %s[%s]: counted in the windows of the rules instead", field, function, window)})
		}
		return selector
	}
	switch {
	case strings.Contains(text, windowWord):
		if hasCall(text, "deriv") {
			return q.fail(field, text, "increase or rate: deriv is the slope of a gauge per second, not a number of events")
		}
		if hasCall(text, "rate") {
			q.notes = append(q.notes, note{"rate_read", field + " is a rate: read as the increase, which events are counted by"})
		}
		if hasCall(text, "irate") {
			q.noteIrate(field)
		}
		return "sum(" + readIncrease(text) + ")"
	case isSelector(inner) && q.counter:
		return inner
	case isSelector(inner):
		return "sum(sum_over_time(" + inner + "[" + windowWord + "]))"
	case !q.counter:
		return "sum(sum_over_time((" + text + ")[" + windowWord + ":]))"
	}
	return q.fail(field, text, `a counter, sum(rate(counter[5m])), or an expression with $window`)
}

func (q *queries) noteIrate(field string) {
	q.notes = append(q.notes, note{"irate_read", field + " is the rate between the last two samples: read as the increase in the whole window"})
}

func (q *queries) raw(m *Metric, kind string) string {
	text := q.query("raw", m)
	if text == "" {
		return ""
	}
	if !strings.Contains(text, windowWord) {
		q.notes = append(q.notes, note{"raw_mean", "a raw ratio does not tell how many events it is of: its mean over time is taken, in which a quiet minute weighs as much as a busy one"})
		text = "avg(" + overTime("avg_over_time", text) + ")"
	}
	if kind == "success" {
		return "1 - (" + text + ")"
	}
	return text
}

func overTime(function, text string) string {
	if isSelector(text) {
		return function + "(" + text + "[" + windowWord + "])"
	}
	return function + "((" + text + ")[" + windowWord + ":])"
}

// comparisons are the operators of PromQL.
var comparisons = map[string]string{"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}

func (q *queries) threshold(m *Metric, op string, value slo.Ratio) (good, total string) {
	text := q.query("thresholdMetric", m)
	limit, exact := decimal(value)
	switch {
	case text == "":
		return "", ""
	case strings.Contains(text, windowWord):
		return q.fail("thresholdMetric", text, "a query of current values, without $window"), ""
	case comparisons[op] == "" || !exact:
		return q.fail("value", "", "op and a decimal value"), ""
	}
	samples := func(condition string) string {
		return "sum(count_over_time(((" + text + ") " + condition + ")[" + windowWord + ":]))"
	}
	return samples(comparisons[op] + " " + limit), samples(">= -Inf") // no comparison holds for NaN
}

// unwrap returns what stands in the brackets of a call that is the whole text, or
// the text.
func unwrap(text, function string) string {
	rest, ok := strings.CutPrefix(text, function)
	rest = strings.TrimSpace(rest)
	if !ok || !strings.HasPrefix(rest, "(") || closing(rest) != len(rest)-1 {
		return text
	}
	return strings.TrimSpace(rest[1 : len(rest)-1])
}

// cutRange takes "x[5m]" apart.
func cutRange(text string) (selector, window string, ok bool) {
	open := strings.LastIndexByte(text, '[')
	if open < 0 || !strings.HasSuffix(text, "]") {
		return "", "", false
	}
	selector, window = strings.TrimSpace(text[:open]), strings.TrimSpace(text[open+1:len(text)-1])
	if window != windowWord {
		if d, err := threshold.ParseDuration(window); err != nil || d <= 0 {
			return "", "", false
		}
	}
	return selector, window, true
}

// isSelector reports whether a text is a metric name, alone or with matchers.
func isSelector(text string) bool {
	n := 0
	for n < len(text) && isWord(text[n]) && (n > 0 || text[n] < '0' || text[n] > '9') {
		n++
	}
	rest := strings.TrimSpace(text[n:])
	return n > 0 && (rest == "" || rest[0] == '{' && closing(rest) == len(rest)-1)
}

func isWord(b byte) bool {
	return b == '_' || b == ':' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
}

// closing returns the index of the bracket that closes the first of text, -1 if
// none does. Quoted text is skipped.
func closing(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '(', '{', '[':
			depth++
		case ')', '}', ']':
			if depth--; depth == 0 {
				return i
			}
		case '"', '\'', '`':
			i = unquoted(text, i)
		}
	}
	return -1
}

// unquoted returns the index of the quote that ends the one at i, or the end.
func unquoted(text string, i int) int {
	quote := text[i]
	for i++; i < len(text) && text[i] != quote; i++ {
		if text[i] == '\\' && quote != '`' {
			i++
		}
	}
	return i
}

// readIncrease replaces the functions rate and irate by increase.
func readIncrease(text string) string {
	var b strings.Builder
	done := 0
	for from, word := range calls(text) {
		if word == "rate" || word == "irate" {
			b.WriteString(text[done:from] + "increase")
			done = from + len(word)
		}
	}
	return b.String() + text[done:]
}

func hasCall(text, function string) bool {
	for _, word := range calls(text) {
		if word == function {
			return true
		}
	}
	return false
}

// calls yields the words of a query that stand before a bracket, and where they
// begin. Quoted text has none.
func calls(text string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for i := 0; i < len(text); i++ {
			if strings.IndexByte("\"'`", text[i]) >= 0 {
				i = unquoted(text, i)
				continue
			}
			end := i
			for end < len(text) && isWord(text[end]) {
				end++
			}
			if end == i {
				continue
			}
			if strings.HasPrefix(strings.TrimSpace(text[end:]), "(") && !yield(i, text[i:end]) {
				return
			}
			i = end - 1
		}
	}
}
