package alertmanager

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/evenkeelops/evenkeel/internal/diagnostic"
	"github.com/evenkeelops/evenkeel/internal/spelling"
)

// reader walks the nodes of a file as the YAML module of Alertmanager does
// (gopkg.in/yaml.v2, strict): YAML 1.1, where "yes" and "on" are booleans and any
// plain text can be a string; a merge counts where it stands, so that what comes
// after it overrules it and what comes before it does not.
type reader struct {
	file     string
	at       map[string]position // where the value at a path stands
	problems Errors
	open     []*yaml.Node // aliases that are being followed

	visited, limit int // values; aliases can blow a file up
}

type position struct{ line, col int }

// expanded is how many times its own values a file may have by its aliases, and
// minExpanded what any file may have.
const (
	expanded    = 10
	minExpanded = 100_000
)

// count returns the number of values of a file without its aliases.
func count(n *yaml.Node) int {
	total := 1
	for _, child := range n.Content {
		total += count(child)
	}
	return total
}

// value is a node and where it stands.
type value struct {
	n    *yaml.Node // not an alias
	at   position
	path string
}

// null reports whether the value is none.
func (v value) null() bool {
	return v.n.Kind == yaml.ScalarNode && plain(v.n) && slices.Contains([]string{"", "~", "null", "Null", "NULL"}, v.n.Value)
}

// missing reports whether the value is none in the eyes of what reads its own text,
// which takes "Null" and "NULL" for an empty text.
func (v value) missing() bool { return v.null() && !strings.HasPrefix(v.n.Value, "N") }

// plain reports whether a scalar has neither quotes nor a tag.
func plain(n *yaml.Node) bool {
	const marked = yaml.TaggedStyle | yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	return n.Style&marked == 0
}

// load returns the root of the only document.
func (r *reader) load(data []byte) (root value, ok bool) {
	root = value{n: &yaml.Node{Kind: yaml.ScalarNode}, at: position{1, 1}}
	var document, second yaml.Node
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err == nil {
		err = loader.Load(&document)
	}
	if err == nil && len(document.Content) > 0 {
		root.n = document.Content[0]
		r.limit = max(minExpanded, expanded*count(root.n))
		if err = loader.Load(&second); err == nil {
			r.fail(value{at: position{second.Line, second.Column}}, "second_document", "", "a second document starts here, want one document in a file")
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		text := err.Error()
		if at := new(yaml.LoadError); errors.As(err, &at) {
			root.at, text = position{max(1, at.Mark.Line), max(1, at.Mark.Column)}, at.Message
		}
		r.fail(root, "syntax", "", "not valid YAML: %s", text)
		return root, false
	}
	return root, true
}

// fail records a problem of a value.
func (r *reader) fail(v value, code, suggestion, format string, args ...any) {
	r.problems = append(r.problems, Diagnostic{
		File: r.file, Line: max(1, v.at.line), Column: max(1, v.at.col), Severity: diagnostic.Error, Path: v.path,
		Code: code, Message: fmt.Sprintf(format, args...), Suggestion: suggestion,
	})
}

// failAt is fail for a path; one that is not in the file stands where the nearest
// part of it does.
func (r *reader) failAt(path, code, format string, args ...any) {
	r.fail(value{at: r.position(path), path: path}, code, "", format, args...)
}

// undefined records a name that is not that of any thing.
func (r *reader) undefined(path, thing, name string, known []string) {
	r.fail(value{at: r.position(path), path: path}, "undefined_"+thing, spelling.Nearest(name, known), "%q is not the name of a %s of the file", name, thing)
}

// position returns where a path, or the nearest part of it, stands.
func (r *reader) position(path string) position {
	for {
		if at, ok := r.at[path]; ok {
			return at
		}
		if path == "" {
			return position{1, 1}
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
}

// follow hands over a node, or what it is an alias of. It is the only way down, so
// it ends what has no end.
func (r *reader) follow(n *yaml.Node, path string, use func(value)) {
	v := value{n: n, at: position{n.Line, n.Column}, path: path}
	if r.visited++; r.visited > r.limit {
		if r.visited == r.limit+1 {
			r.fail(v, "alias_limit", "", "the aliases of the file expand to too much")
		}
		return
	}
	if n.Kind == yaml.AliasNode {
		if slices.Contains(r.open, n) {
			r.fail(v, "alias_limit", "", "what the alias stands for has the alias in it")
			return
		}
		r.open = append(r.open, n)
		defer func() { r.open = r.open[:len(r.open)-1] }()
		v.n = n.Alias
	}
	r.at[path] = v.at
	use(v)
}

// describe names what a value holds in plain words.
func describe(v value) string {
	switch {
	case v.n.Kind == yaml.MappingNode:
		return "a mapping"
	case v.n.Kind == yaml.SequenceNode:
		return "a list"
	case v.null():
		return "nothing"
	}
	return strconv.Quote(v.n.Value)
}

// pairs hands over the keys and values of a mapping, with those of merges in their
// place. A key that comes twice in one mapping is an error unless repeated says that
// somebody else looks after that.
func (r *reader) pairs(v value, repeated bool, use func(name string, key value, n *yaml.Node)) bool {
	if v.null() {
		return true
	}
	if v.n.Kind != yaml.MappingNode {
		r.fail(v, "wrong_type", "", "found %s, want a mapping", describe(v))
		return false
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(v.n.Content); i += 2 {
		n := v.n.Content[i]
		if n.Tag == "!!merge" {
			r.merge(v.n.Content[i+1], v.path, func(v value) { r.pairs(v, repeated, use) })
			continue
		}
		key := value{n: n, at: position{n.Line, n.Column}, path: v.path}
		if n.Kind == yaml.AliasNode {
			key.n = n.Alias
		}
		var name string
		if !r.text(key, &name) {
			continue
		}
		key.path = diagnostic.Join(v.path, name)
		if seen[name] && !repeated {
			r.fail(key, "duplicate_key", "", "key %q stands twice", name)
			continue
		}
		seen[name] = true
		use(name, key, v.n.Content[i+1])
	}
	return true
}

// merge hands over the mappings of a merge, those of a list from its end.
func (r *reader) merge(n *yaml.Node, path string, use func(value)) {
	r.follow(n, path, func(v value) {
		switch {
		case v.n.Kind == yaml.MappingNode:
			use(v)
		case v.n.Kind == yaml.SequenceNode && n.Kind != yaml.AliasNode:
			for _, item := range slices.Backward(v.n.Content) {
				r.follow(item, path, func(v value) {
					if v.n.Kind != yaml.MappingNode {
						r.fail(v, "wrong_type", "", "found %s, want a mapping to merge", describe(v))
						return
					}
					use(v)
				})
			}
		default:
			r.fail(v, "wrong_type", "", "found %s, want a mapping or a list of mappings to merge", describe(v))
		}
	})
}

// fields reads a mapping of known keys; ok is false if there is none.
func (r *reader) fields(v value, use map[string]func(value)) (ok bool) {
	return r.pairs(v, false, func(name string, key value, n *yaml.Node) {
		if read, ok := use[name]; ok {
			r.follow(n, key.path, read)
			return
		}
		known := slices.Sorted(maps.Keys(use))
		r.fail(key, "unknown_field", spelling.Nearest(name, known), "unknown key %q, want one of %s", name, strings.Join(known, ", "))
	})
}

// items hands over the items of a list; nothing has none.
func (r *reader) items(v value, use func(value)) {
	switch {
	case v.null():
	case v.n.Kind != yaml.SequenceNode:
		r.fail(v, "wrong_type", "", "found %s, want a list", describe(v))
	default:
		for i, n := range v.n.Content {
			r.follow(n, fmt.Sprintf("%s[%d]", v.path, i), func(v value) {
				if v.null() {
					r.fail(v, "null_item", "", "an item of the list is nothing")
					return
				}
				use(v)
			})
		}
	}
}

// text reads any scalar as it is written; nothing is empty.
func (r *reader) text(v value, into *string) (ok bool) {
	switch {
	case v.n.Kind != yaml.ScalarNode:
		r.fail(v, "wrong_type", "", "found %s, want a text", describe(v))
		return false
	case v.n.Style&yaml.TaggedStyle != 0 && v.n.Tag != "!!str":
		r.fail(v, "tag", "", "found the tag %s, want none", v.n.Tag)
		return false
	case v.null():
		*into = ""
		return true
	}
	*into = v.n.Value
	return true
}

// texts reads a list of texts in place of what was there.
func (r *reader) texts(v value, into *[]string) {
	*into = nil
	if !v.null() {
		*into = []string{}
	}
	r.moreTexts(v, into)
}

// moreTexts reads a list of texts after what was there from a merge; nothing takes
// it away.
func (r *reader) moreTexts(v value, into *[]string) {
	if v.null() {
		*into = nil
	}
	r.items(v, func(v value) {
		var text string
		r.at[fmt.Sprintf("%s[%d]", v.path[:strings.LastIndexByte(v.path, '[')], len(*into))] = v.at
		if r.text(v, &text) {
			*into = append(*into, text)
		}
	})
}

// textMap reads a mapping of texts and adds it to what was there from a merge.
func (r *reader) textMap(v value, into *map[string]string) {
	if v.null() {
		*into = nil
		return
	}
	r.entries(v, into, func(value) bool { return true })
}

// expressions reads a mapping of regular expressions.
func (r *reader) expressions(v value, into *map[string]string) {
	if v.null() {
		*into = nil
		return
	}
	r.entries(v, into, func(v value) bool {
		if v.missing() {
			r.fail(v, "wrong_type", "", "found nothing, want a regular expression")
		}
		return !v.missing()
	})
}

// entries adds the entries of a mapping whose values pass a check.
func (r *reader) entries(v value, into *map[string]string, ok func(value) bool) {
	if *into == nil {
		*into = map[string]string{}
	}
	r.pairs(v, true, func(name string, key value, n *yaml.Node) {
		r.follow(n, key.path, func(v value) {
			var text string
			if !ok(v) || !r.text(v, &text) {
				return
			}
			if _, twice := (*into)[name]; twice {
				r.fail(key, "duplicate_key", "", "key %q stands twice", name)
			}
			(*into)[name] = text
		})
	})
}

// flag reads a boolean of YAML 1.1; nothing is false.
func (r *reader) flag(v value, into *bool) {
	*into = false
	if v.null() {
		return
	}
	if v.n.Kind == yaml.ScalarNode && plain(v.n) {
		switch v.n.Value {
		case "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON":
			*into = true
			return
		case "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF":
			return
		}
	}
	r.fail(v, "wrong_type", "", "found %s, want true or false", describe(v))
}

// duration reads a duration of Prometheus; nothing is none.
func (r *reader) duration(v value, into **time.Duration) {
	*into = nil
	var text string
	if v.missing() || !r.text(v, &text) {
		return
	}
	d, ok := parseDuration(text)
	if !ok {
		r.fail(v, "bad_duration", "", "found %q, want a duration like \"30s\" or \"1h30m\", units from y w d h m s to ms, at most 292 years", text)
		return
	}
	*into = &d
}

// rangeText reads a value that reads its own text.
func (r *reader) rangeText(v value, into encoding.TextUnmarshaler) {
	var text string
	if !r.text(v, &text) {
		return
	}
	if err := into.UnmarshalText([]byte(text)); err != nil {
		r.fail(v, "bad_interval", "", "%v", err)
	}
}

// units of a duration, the largest first; a year has 365 days.
var units = []struct {
	name string
	size time.Duration
}{
	{"y", 365 * 24 * time.Hour},
	{"w", 7 * 24 * time.Hour},
	{"d", 24 * time.Hour},
	{"h", time.Hour},
	{"m", time.Minute},
	{"s", time.Second},
	{"ms", time.Millisecond},
}

// parseDuration reads whole numbers with units, each unit smaller than the one
// before it, or a bare 0.
func parseDuration(text string) (total time.Duration, ok bool) {
	if text == "0" {
		return 0, true
	}
	rest, from := text, 0
	for rest != "" {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		n, err := strconv.ParseInt(rest[:digits], 10, 64)
		if err != nil {
			return 0, false
		}
		rest = rest[digits:]
		end := strings.IndexAny(rest, "0123456789")
		if end < 0 {
			end = len(rest)
		}
		for ; from < len(units) && units[from].name != rest[:end]; from++ {
		}
		if from == len(units) || n > int64((1<<63-1)/units[from].size) {
			return 0, false
		}
		if total += time.Duration(n) * units[from].size; total < 0 {
			return 0, false
		}
		rest = rest[end:]
		from++
	}
	return total, text != ""
}
