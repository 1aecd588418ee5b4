package alertmanager

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// pair is a key of a mapping with its value.
type pair struct {
	key   string
	value any // of the kinds below
}

// The kinds of values of a file: mappings keep their order, and text is a scalar as
// it is written, with its quotes.
type (
	mapping []pair
	list    []any
	text    string

	// anchored is a value that others may refer to.
	anchored struct {
		name  string
		value mapping
	}
)

// writer makes files.
type writer struct {
	*rand.Rand
	names []string // of time intervals
	clean bool     // no bad matchers

	anchors int // of routes so far
}

// pick returns one of some texts.
func (w *writer) pick(from ...string) string { return from[w.IntN(len(from))] }

// maybe is true n times out of 10.
func (w *writer) maybe(n int) bool { return w.IntN(10) < n }

// quoted writes a text as a YAML scalar, in one of the ways in which it can be.
func (w *writer) quoted(s string) text {
	switch w.IntN(3) {
	case 0:
		if isPlain(s) {
			return text(s)
		}
	case 1:
		if !strings.ContainsAny(s, "\n\t") {
			return text("'" + strings.ReplaceAll(s, "'", "''") + "'")
		}
	}
	return text(strconv.QuoteToGraphic(s)) // the escapes are those of YAML, too
}

func isPlain(s string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("_.-", r) {
			return false
		}
	}
	return s != "" && s[0] != '-' && s[0] != '.'
}

var (
	labelNames  = []string{"a", "b", "alertname", "severity", "_x1", "é", "two words"}
	labelValues = []string{"1", "2", "x", "x y", "critical", "wärm", "a,b", `q"q`, `b\s`, "l\nl"}
	expressions = []string{"1|2", ".*", ".+", "x.*", "[12]", "", "crit(ical)?", `\w+`, "wär.", "(?i)CRITICAL", "x y|1", `b\\s`, "^1$", "(?s)l.l"}
	badMatchers = []string{"a", "=b", "a~b", `a="b`, "a=b,,c=d", "a=~(", "a==b", "{a=b}}", "a!b", `"a"x="b"`, `'a'=b`, "a=b}c", `é=b"`, `é=x y`, `"é`, `a="\q"`, `é="\q"`, "a=b c=d", "a=`b`"}
)

// matcher writes one condition, in any of the ways of the two parsers.
func (w *writer) matcher() string {
	if !w.clean && w.IntN(40) == 0 {
		return w.pick(badMatchers...)
	}
	name, op := w.pick(labelNames...), w.pick("=", "=", "!=", "=~", "!~")
	value := w.pick(append(labelValues, "")...)
	if strings.HasSuffix(op, "~") {
		value = w.pick(expressions...)
	}
	blank := func() string { return w.pick("", "", " ", "\t") }
	if !isPlain(name) && name != "é" || w.maybe(1) {
		name = strconv.Quote(name)
	}
	switch {
	case isPlain(value) && w.maybe(5):
	case w.maybe(1):
		value = w.pick(value, `"`+value+`"`) // as it is, with spurious escapes or without quotes
	default:
		value = strconv.QuoteToGraphic(value)
	}
	return blank() + name + blank() + op + blank() + value + blank()
}

// matchers writes a list of conditions, several of them in a text now and then.
func (w *writer) matchers() list {
	var all list
	for range w.IntN(3) {
		several := []string{w.matcher()}
		for w.maybe(2) {
			several = append(several, w.matcher())
		}
		s := strings.Join(several, ",")
		if w.maybe(1) {
			s += ","
		}
		if w.maybe(2) {
			s = "{" + s + "}"
		}
		all = append(all, w.quoted(s))
	}
	return all
}

// older writes a mapping of match or match_re.
func (w *writer) older(values []string) mapping {
	var all mapping
	for _, name := range labelNames {
		if name != "é" && name != "two words" && w.maybe(2) || w.IntN(200) == 0 {
			all = append(all, pair{name, w.quoted(w.pick(values...))})
		}
	}
	return all
}

// route writes a route with up to depth levels below it.
func (w *writer) route(depth int) mapping {
	var m mapping
	add := func(chance int, key string, value func() any) {
		if w.maybe(chance) {
			m = append(m, pair{key, value()})
		}
	}
	add(5, "receiver", func() any { return w.quoted(w.pick("r0", "r1", "r2")) })
	add(4, "group_by", func() any {
		if w.maybe(2) {
			return list{w.quoted("...")}
		}
		all := list{}
		for _, name := range labelNames {
			if w.maybe(3) {
				all = append(all, w.quoted(name))
			}
		}
		return all
	})
	add(6, "matchers", func() any { return w.matchers() })
	add(2, "match", func() any { return w.older(append(labelValues, "")) })
	add(2, "match_re", func() any { return w.older(expressions) })
	add(4, "continue", func() any { return text(w.pick("true", "false", "yes", "off", "Y", "N", "True", "~")) })
	duration := func() any { return w.quoted(w.pick("1s", "30s", "1m30s", "2h", "1d12h", "1w", "1y", "250ms")) }
	add(2, "group_wait", duration)
	add(1, "group_wait", func() any { return text("0") })
	add(2, "group_interval", duration)
	add(2, "repeat_interval", duration)
	names := func() any {
		all := list{}
		for range w.IntN(3) {
			if len(w.names) > 0 {
				all = append(all, w.quoted(w.pick(w.names...)))
			}
		}
		return all
	}
	add(3, "mute_time_intervals", names)
	add(3, "active_time_intervals", names)
	add(2, "labels", func() any {
		return mapping{{w.pick("a", "b", "runbook"), w.quoted(w.pick(labelValues...))}, {"team", w.quoted("{{ .x }}")}}
	})
	if depth > 0 {
		add(8, "routes", func() any {
			all := list{}
			for range w.IntN(4) {
				all = append(all, w.reused(w.route(depth-1)))
			}
			if w.IntN(20) == 0 { // so many that they are found by an index
				for range 16 {
					m := w.route(0)
					if w.maybe(8) {
						m = once(append(mapping{{"match", mapping{{"a", w.quoted(w.pick(labelValues...))}}}}, m...))
					}
					all = append(all, m)
				}
			}
			return all
		})
	}
	w.Shuffle(len(m), func(i, j int) { m[i], m[j] = m[j], m[i] })
	return once(m)
}

// reused gives a route an anchor or merges into it one or two that come before it.
func (w *writer) reused(m mapping) any {
	if w.anchors > 0 && w.IntN(6) == 0 {
		from := text(fmt.Sprintf("*r%d", w.IntN(w.anchors)))
		if w.maybe(3) {
			from = text(fmt.Sprintf("[%s, *r%d]", from, w.IntN(w.anchors)))
		}
		m = slices.Insert(m, w.IntN(len(m)+1), pair{"<<", from})
	}
	if !w.maybe(2) {
		return m
	}
	w.anchors++
	return anchored{fmt.Sprintf("r%d", w.anchors-1), m}
}

// once drops keys that come again.
func once(m mapping) mapping {
	seen := map[string]bool{}
	var kept mapping
	for _, p := range m {
		if !seen[p.key] {
			seen[p.key] = true
			kept = append(kept, p)
		}
	}
	return kept
}

// root writes a root, which may have less than other routes.
func (w *writer) root() mapping {
	m := mapping{{"receiver", text("r0")}}
	for _, p := range w.route(3) {
		switch p.key {
		case "receiver", "matchers", "match", "match_re", "continue", "mute_time_intervals", "active_time_intervals":
		default:
			m = append(m, p)
		}
	}
	return m
}

// inhibitRule writes a rule.
func (w *writer) inhibitRule() mapping {
	var m mapping
	add := func(chance int, key string, value func() any) {
		if w.maybe(chance) {
			m = append(m, pair{key, value()})
		}
	}
	add(3, "name", func() any { return w.quoted(w.pick("n1", "n2")) })
	add(6, "source_matchers", func() any { return w.matchers() })
	add(6, "target_matchers", func() any { return w.matchers() })
	add(2, "source_match", func() any { return w.older(labelValues) })
	add(2, "target_match", func() any { return w.older(labelValues) })
	add(2, "source_match_re", func() any { return w.older(expressions) })
	add(2, "target_match_re", func() any { return w.older(expressions) })
	add(6, "equal", func() any {
		all := list{}
		for range w.IntN(3) {
			all = append(all, w.quoted(w.pick(labelNames...)))
		}
		return all
	})
	return m
}

var zones = []string{
	"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia", "America/Sao_Paulo", "Africa/Cairo", "Asia/Tehran", "Europe/London", "America/St_Johns",
}

// interval writes one interval.
func (w *writer) interval() mapping {
	var m mapping
	add := func(chance int, key string, value func() text) {
		if !w.maybe(chance) {
			return
		}
		all := list{}
		for range 1 + w.IntN(3) - w.IntN(10)/9 {
			all = append(all, value())
		}
		m = append(m, pair{key, all})
	}
	if w.maybe(4) {
		all := list{}
		for range 1 + w.IntN(3) {
			from := w.IntN(24 * 60)
			to := from + 1 + w.IntN(24*60-from)
			clock := func(minutes int) text { return w.quoted(fmt.Sprintf("%02d:%02d", minutes/60, minutes%60)) }
			all = append(all, mapping{{"start_time", clock(from)}, {"end_time", clock(to)}})
		}
		m = append(m, pair{"times", all})
	}
	days := []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}
	months := []string{"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"}
	from := func(names []string) text {
		a := w.IntN(len(names))
		b := a + w.IntN(len(names)-a)
		one := func(i int) string {
			switch {
			case len(names) == 12 && w.maybe(4):
				return strconv.Itoa(i + 1)
			case w.maybe(2):
				return strings.ToUpper(names[i])
			}
			return names[i]
		}
		if a == b || w.maybe(3) {
			return w.quoted(one(a))
		}
		return w.quoted(one(a) + ":" + one(b))
	}
	add(3, "weekdays", func() text { return from(days) })
	add(4, "days_of_month", func() text {
		a := 1 + w.IntN(31)
		b := a + w.IntN(32-a)
		switch w.IntN(5) {
		case 0:
			return w.quoted(strconv.Itoa(a))
		case 1:
			return w.quoted(strconv.Itoa(-a))
		case 2:
			return w.quoted(fmt.Sprintf("%d:%d", -b, -a))
		case 3:
			return w.quoted(fmt.Sprintf("%d:%d", a, -1-w.IntN(29-min(a, 27))))
		}
		return w.quoted(fmt.Sprintf("%d:%d", a, b))
	})
	add(3, "months", func() text { return from(months) })
	add(2, "years", func() text {
		a := 2000 + w.IntN(30)
		return w.quoted(w.pick(strconv.Itoa(a), fmt.Sprintf("%d:%d", a, a+w.IntN(15))))
	})
	if w.maybe(6) {
		m = append(m, pair{"location", w.quoted(w.pick(zones...))})
	}
	return m
}

// intervals writes named intervals.
func (w *writer) intervals(n int) list {
	all := list{}
	for range n {
		name := "t" + strconv.Itoa(len(w.names))
		w.names = append(w.names, name)
		entries := list{}
		for range w.IntN(4) {
			entries = append(entries, w.interval())
		}
		all = append(all, mapping{{"name", w.quoted(name)}, {"time_intervals", entries}})
	}
	return all
}

// config writes a whole file.
func (w *writer) config() mapping {
	m := mapping{{"receivers", list{
		mapping{{"name", text("r0")}},
		mapping{{"name", w.quoted("r1")}, {"labels", mapping{{"team", text("x")}}}},
		mapping{{"webhook_configs", list{mapping{{"url", text("'http://127.0.0.1:5001/'")}}}}, {"name", w.quoted("r2")}},
	}}}
	if w.maybe(2) {
		m = append(m, pair{"global", mapping{{"resolve_timeout", w.quoted(w.pick("1m", "1h", "0s"))}, {"smtp_hello", text("h")}}})
	}
	if w.maybe(7) {
		m = append(m, pair{"time_intervals", w.intervals(w.IntN(4))})
	}
	if w.maybe(2) {
		m = append(m, pair{"mute_time_intervals", w.intervals(w.IntN(3))})
	}
	var rules list
	for range w.IntN(5) {
		rules = append(rules, w.inhibitRule())
	}
	m = append(m, pair{"inhibit_rules", rules}, pair{"route", w.root()})
	w.Shuffle(len(m), func(i, j int) { m[i], m[j] = m[j], m[i] })
	return m
}

// format writes a value as YAML, in blocks or on one line.
func (w *writer) format(b *strings.Builder, v any, indent int) {
	margin := "\n" + strings.Repeat(" ", indent)
	switch v := v.(type) {
	case anchored:
		b.WriteString(" &" + v.name)
		w.format(b, v.value, indent)
	case text:
		b.WriteString(" " + string(v))
	case mapping:
		if len(v) == 0 || indent > 0 && w.maybe(1) {
			b.WriteString(" " + inline(v))
			return
		}
		for _, p := range v {
			b.WriteString(margin + key(p.key) + ":")
			w.format(b, p.value, indent+2)
		}
	case list:
		if len(v) == 0 || w.maybe(3) {
			b.WriteString(" " + inline(v))
			return
		}
		for _, item := range v {
			b.WriteString(margin + "-")
			w.format(b, item, indent+2)
		}
	}
}

// key writes a key, in quotes if it needs them.
func key(s string) string {
	if isPlain(s) || s == "<<" {
		return s
	}
	return strconv.QuoteToGraphic(s)
}

// inline writes a value on one line.
func inline(v any) string {
	switch v := v.(type) {
	case mapping:
		parts := make([]string, len(v))
		for i, p := range v {
			parts[i] = key(p.key) + ": " + inline(p.value)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case anchored:
		return "&" + v.name + " " + inline(v.value)
	case list:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = inline(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return string(v.(text))
}

// file writes a whole file.
func (w *writer) file(m mapping) string {
	var b strings.Builder
	w.format(&b, m, 0)
	return strings.TrimPrefix(b.String(), "\n") + "\n"
}

// junk are values that belong in few places.
var junk = []any{
	text("''"), text("~"), text("foo"), text("1"), text("-1"), text("0"), text("true"), text("'yes'"), text("1.5"), text("'a=b'"), text("'('"), text("'...'"), text("30"), text("0s"),
	text("1h"), text("'1m1h'"), text("monday"), text("'friday:monday'"), text("'31:1'"), text("'0'"), text("'-5:5'"), text("'24:01'"), text("'24:00'"), text("'a~b'"), text("é"), text("2026-01-01"),
	text("0x1F"), text("1_000"), text(".inf"), text("'<<'"), text("'{a=b}'"), text("Europe/Nowhere"), text("Null"), text("r9"), text("t9"), text("\"\\u00e9 x\""),
	mapping{},
	list{},
	mapping{{"a", text("b")}},
	mapping{{"name", text("r0")}},
	list{text("a"), text("a")},
	list{text("'...'"), text("a")},
	list{mapping{}},
	list{list{}},
	list{text("'a=b'"), text("'x'")},
}

// keys are those of all places, and some of none.
var keys = []string{
	"receiver", "group_by", "match", "match_re", "matchers", "mute_time_intervals", "active_time_intervals", "continue", "routes", "group_wait", "group_interval", "repeat_interval",
	"labels", "name", "source_match", "source_matchers", "target_matchers", "equal", "time_intervals", "times", "weekdays", "days_of_month", "months", "years", "location", "start_time",
	"end_time", "inhibit_rules", "route", "receivers", "global", "resolve_timeout", "nonsense", "Receiver", "", "1", "true",
}

// spoil changes something somewhere in a value and returns it.
func (w *writer) spoil(v any) any {
	switch v := v.(type) {
	case anchored:
		if m, ok := w.spoil(v.value).(mapping); ok {
			return anchored{v.name, m}
		}
	case mapping:
		if len(v) == 0 || w.IntN(12) == 0 {
			return w.junk()
		}
		m := append(mapping{}, v...)
		i := w.IntN(len(m))
		switch w.IntN(12) {
		case 0:
			m[i].key = w.pick(keys...)
		case 1:
			m = append(m, pair{w.pick(keys...), w.junk()})
		case 2:
			m = append(m, m[i])
		case 3:
			m = append(m[:i], m[i+1:]...)
		default:
			if m[i].key != "smtp_hello" && m[i].key != "webhook_configs" { // kept apart, not looked into
				m[i].value = w.spoil(m[i].value)
			}
		}
		return m
	case list:
		if len(v) == 0 || w.IntN(12) == 0 {
			return w.junk()
		}
		l := append(list{}, v...)
		i := w.IntN(len(l))
		switch w.IntN(12) {
		case 0:
			l = append(l, w.junk())
		case 1:
			l = append(l, l[i])
		case 2:
			l = append(l[:i], l[i+1:]...)
		default:
			l[i] = w.spoil(l[i])
		}
		return l
	}
	return w.junk()
}

// garble changes lines or a character of a file.
func (w *writer) garble(s string) string {
	lines := strings.Split(s, "\n")
	i := w.IntN(len(lines))
	switch w.IntN(5) {
	case 0:
		lines = slices.Delete(lines, i, i+1)
	case 1:
		lines = slices.Insert(lines, i, lines[w.IntN(len(lines))])
	case 2:
		lines[i] = strings.Repeat(" ", 1+w.IntN(3)) + lines[i]
	case 3:
		lines[i] = strings.TrimPrefix(lines[i], strings.Repeat(" ", 1+w.IntN(2)))
	default:
		at := w.IntN(len(s))
		if w.maybe(5) {
			return s[:at] + s[at+1:]
		}
		const odd = ":-{}[]'\"#&*!|>%@`,\t \\~<0\r"
		j := w.IntN(len(odd))
		if odd[j] == ',' && at > 0 && s[at-1] == ':' {
			j = 0 // "a:," is the key "a:" in YAML 1.1 and the key "a" in 1.2
		}
		return s[:at] + odd[j:j+1] + s[at:]
	}
	return strings.Join(lines, "\n")
}

// bare takes the settings that are not looked into out of a file.
func bare(m mapping) mapping {
	for i, p := range m {
		switch p.key {
		case "receivers":
			m[i].value = list{mapping{{"name", text("r0")}}, mapping{{"name", text("r1")}}, mapping{{"name", text("r2")}}}
		case "global":
			m[i].value = mapping{}
		}
	}
	return m
}

// junk returns a value that is wrong in most places.
func (w *writer) junk() any { return junk[w.IntN(len(junk))] }
