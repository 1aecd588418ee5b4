package config

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/internal/diagnostic"
	"github.com/evenkeelops/evenkeel/internal/spelling"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// decoder walks the nodes of a document and the type that they are read into,
// side by side.
type decoder struct {
	d       *Document
	visited int
}

func newDecoder(d *Document) *decoder { return &decoder{d: d} }

// maxNodes bounds what aliases can blow a file up to.
const maxNodes = 250_000

func (r *decoder) decode(root *yaml.Node, v any) {
	r.value(root, reflect.ValueOf(v).Elem(), "")
	r.bound()
}

// bound gives a file up that expands to too much.
func (r *decoder) bound() {
	if r.visited > maxNodes {
		r.d.giveUp(Diagnostic{Line: 1, Column: 1, Severity: Error, Code: "alias_limit", Message: "the aliases of the file expand to too much"})
	}
}

func (r *decoder) value(n *yaml.Node, into reflect.Value, path string) {
	if r.visited++; r.visited > maxNodes {
		return
	}
	if n.Kind == yaml.AliasNode {
		r.value(n.Alias, into, path)
		return
	}
	r.d.values[path] = position{n.Line, n.Column}
	if scalar, ok := scalars[into.Type()]; ok && !asJSON(n, into.Type(), path) {
		r.scalar(n, into, path, scalar)
		return
	}
	switch target := into.Addr().Interface().(type) {
	case nodeReader:
		target.readNode(r, n, path)
		return
	case *escalation.Availability:
		if n.Kind == yaml.SequenceNode && len(n.Content) > 0 && n.Content[0].Kind == yaml.MappingNode { // else a pair of hours
			r.list(n, reflect.ValueOf((*[]escalation.Window)(target)).Elem(), path)
			return
		}
		r.unmarshal(n, path, target.UnmarshalJSON)
		return
	case json.Unmarshaler:
		r.unmarshal(n, path, target.UnmarshalJSON)
		return
	case encoding.TextUnmarshaler:
		r.text(n, path, target)
		return
	}
	switch into.Kind() {
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		r.value(n, into.Elem(), path)
	case reflect.Struct:
		if n.Kind == yaml.ScalarNode && holdsSecret(into.Type()) {
			r.d.report(path, "wrong_type", "", "found a single value, want a mapping") // the value may be the secret
			return
		}
		r.mapping(n, path, func(keys []*yaml.Node) { r.fields(keys, into, path) })
	case reflect.Map:
		r.mapping(n, path, func(keys []*yaml.Node) { r.entries(keys, into, path) })
	case reflect.Slice:
		if n.Kind == yaml.ScalarNode && holdsSecret(into.Type().Elem()) {
			r.d.report(path, "wrong_type", "", "found a single value, want a list")
			return
		}
		r.list(n, into, path)
	case reflect.Interface:
		if value, ok := r.plainValue(n, path); ok {
			into.Set(reflect.ValueOf(value))
		}
	default:
		r.scalar(n, into, path, plain(into.Kind()))
	}
}

// nodeReader is a value that may be written in more than one shape.
type nodeReader interface {
	readNode(r *decoder, n *yaml.Node, path string)
}

func (r *decoder) wrongType(n *yaml.Node, path, want string) {
	r.d.report(path, "wrong_type", "", fmt.Sprintf("found %s, want %s", describe(n), want))
}

// describe names what a node holds in plain words.
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case isNull(n):
		return "nothing"
	case n.Tag == "!!str":
		return "the text " + strconv.Quote(n.Value)
	}
	return n.Value
}

// mapping checks the keys of a mapping and hands over its content, keys and
// values in turn, without repeated keys.
func (r *decoder) mapping(n *yaml.Node, path string, use func([]*yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		r.wrongType(n, path, "a mapping")
		return
	}
	seen := map[string]bool{}
	var kept []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		at := position{key.Line, key.Column}
		if i == 0 {
			r.d.firsts[path] = at
		}
		switch {
		case key.Kind != yaml.ScalarNode || key.Tag == "!!merge":
			r.d.add(Diagnostic{Line: at.line, Column: at.col, Severity: Error, Path: path, Code: "wrong_type", Message: "a key must be plain text"})
			continue
		case seen[key.Value]:
			r.d.add(Diagnostic{Line: at.line, Column: at.col, Severity: Error, Path: diagnostic.Join(path, key.Value), Code: "duplicate_key", Message: fmt.Sprintf("key %q stands twice", key.Value)})
			continue
		}
		seen[key.Value] = true
		r.d.keys[diagnostic.Join(path, key.Value)] = at
		kept = append(kept, key, n.Content[i+1])
	}
	use(kept)
}

// field is a field of a struct by its key in the file.
type field struct {
	index    []int
	required bool
}

// fieldsOf lists the keys of a struct: by its yaml tags, else by its json tags, so
// that the values of the core packages are read as they are.
func fieldsOf(t reflect.Type) map[string]field {
	fields := map[string]field{}
	for _, f := range reflect.VisibleFields(t) {
		tag, ok := f.Tag.Lookup("yaml")
		if !ok {
			tag, ok = f.Tag.Lookup("json")
		}
		name, option, _ := strings.Cut(tag, ",")
		if !ok || name == "-" || name == "" {
			continue
		}
		fields[name] = field{f.Index, option == "required"}
	}
	return fields
}

func (r *decoder) fields(content []*yaml.Node, into reflect.Value, path string) {
	fields := fieldsOf(into.Type())
	known := slices.Sorted(maps.Keys(fields))
	present := map[string]bool{}
	for i := 0; i < len(content); i += 2 {
		key := content[i]
		f, ok := fields[key.Value]
		if !ok {
			suggestion := spelling.Nearest(key.Value, known)
			present[suggestion] = true
			if suggestion != "" {
				r.d.suggested[diagnostic.Join(path, suggestion)] = true
			}
			r.d.add(Diagnostic{
				Line: key.Line, Column: key.Column, Severity: Error, Path: diagnostic.Join(path, key.Value), Code: "unknown_field", Suggestion: suggestion,
				Message: fmt.Sprintf("unknown key %q, want one of %s", key.Value, strings.Join(known, ", ")),
			})
			continue
		}
		if isNull(content[i+1]) {
			continue
		}
		present[key.Value] = true
		r.value(content[i+1], into.FieldByIndex(f.index), diagnostic.Join(path, key.Value))
	}
	for _, name := range known {
		if fields[name].required && !present[name] {
			r.d.missing(diagnostic.Join(path, name))
		}
	}
}

// missing records that a required key is not there, unless an unknown key
// beside it probably means it. It stands at the first key of the mapping that
// lacks it.
func (d *Document) missing(path string) {
	if d.has(path) || d.suggested[path] {
		return
	}
	at, ok := d.firsts[path[:max(0, strings.LastIndexByte(path, '.'))]]
	if !ok {
		at = d.position(path)
	}
	d.add(Diagnostic{Line: at.line, Column: at.col, Severity: Error, Path: path, Code: "missing_field", Message: "missing"})
}

func (r *decoder) entries(content []*yaml.Node, into reflect.Value, path string) {
	into.Set(reflect.MakeMap(into.Type()))
	for i := 0; i < len(content); i += 2 {
		at := diagnostic.Join(path, content[i].Value)
		key := reflect.New(into.Type().Key()).Elem()
		if scalar, ok := scalars[key.Type()]; ok {
			r.d.values[at] = r.d.keys[at]
			if !r.scalar(content[i], key, at, scalar) {
				continue
			}
			delete(r.d.values, at)
		} else if named, ok := reflect.TypeAssert[encoding.TextUnmarshaler](key.Addr()); ok {
			if err := named.UnmarshalText([]byte(content[i].Value)); err != nil {
				code, suggestion := textProblem(named, content[i].Value, err)
				r.d.values[at] = r.d.keys[at]
				r.d.report(at, code, suggestion, err.Error())
				continue
			}
		} else {
			key.SetString(content[i].Value)
		}
		if into.MapIndex(key).IsValid() {
			r.d.add(Diagnostic{
				Line: content[i].Line, Column: content[i].Column, Severity: Error, Path: at, Code: "duplicate_key",
				Message: fmt.Sprintf("key %q is another spelling of one that stands above", content[i].Value),
			})
			continue
		}
		value := reflect.New(into.Type().Elem()).Elem()
		switch {
		case !isNull(content[i+1]):
			r.value(content[i+1], value, at)
		case value.Kind() != reflect.Pointer:
			continue
		}
		into.SetMapIndex(key, value)
	}
}

func (r *decoder) list(n *yaml.Node, into reflect.Value, path string) {
	if n.Kind != yaml.SequenceNode {
		r.wrongType(n, path, "a list")
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		if isNull(item) {
			r.d.values[at] = position{item.Line, item.Column}
			r.wrongType(item, at, "a value")
			continue
		}
		r.value(item, into.Index(i), at)
	}
}

// asJSON reports whether a value stands as encoding/json writes it: an amount with
// its two keys, or a time in nanoseconds under a key that says so.
func asJSON(n *yaml.Node, t reflect.Type, path string) bool {
	switch t {
	case reflect.TypeFor[money.Amount]():
		return n.Kind == yaml.MappingNode
	case reflect.TypeFor[time.Duration]():
		return n.ShortTag() == "!!int" && strings.HasSuffix(path, "_ns")
	}
	return false
}

// scalar reads a single value and reports whether that went well.
func (r *decoder) scalar(n *yaml.Node, into reflect.Value, path string, s scalar) bool {
	if n.Kind != yaml.ScalarNode {
		r.wrongType(n, path, s.want)
		return false
	}
	value, p := s.parse(n)
	if p != nil {
		if p.Message == "" {
			p.Message = fmt.Sprintf("found %s, want %s", describe(n), s.want)
		}
		r.d.report(path, p.Code, p.Suggestion, p.Message)
		return false
	}
	into.Set(reflect.ValueOf(value).Convert(into.Type()))
	return true
}

// unmarshal hands a value to a type that reads its own JSON.
func (r *decoder) unmarshal(n *yaml.Node, path string, read func([]byte) error) {
	value, ok := r.plainValue(n, path)
	if !ok {
		return
	}
	text, err := json.Marshal(value)
	if err == nil {
		err = read(text)
	}
	switch bad := (*escalation.ConfigError)(nil); {
	case err == nil:
	case errors.As(err, &bad):
		if item := strings.IndexByte(bad.Path, '['); item >= 0 {
			path += bad.Path[item:]
		}
		r.d.report(path, "bad_enum", spelling.Nearest(bad.Value, weekdays), fmt.Sprintf("%q, want %s", bad.Value, bad.Want))
	default:
		r.d.report(path, "wrong_type", "", err.Error())
	}
}

var weekdays = []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}

// plainValue is the value of a node as encoding/json writes it. Numbers keep
// their text. ok is false after a reported problem.
func (r *decoder) plainValue(n *yaml.Node, path string) (value any, ok bool) {
	if r.visited++; r.visited > maxNodes {
		return nil, false
	}
	if !isNull(n) {
		r.d.values[path] = position{n.Line, n.Column}
	}
	switch n.Kind {
	case yaml.AliasNode:
		r.d.report(path, "wrong_type", "", "found an alias, want the value itself")
		return nil, false
	case yaml.MappingNode:
		m, ok := map[string]any{}, true
		r.mapping(n, path, func(content []*yaml.Node) {
			for i := 0; i < len(content); i += 2 {
				key := content[i].Value
				value, good := r.plainValue(content[i+1], diagnostic.Join(path, key))
				m[key], ok = value, ok && good
			}
		})
		return m, ok
	case yaml.SequenceNode:
		list, ok := make([]any, len(n.Content)), true
		for i, item := range n.Content {
			value, good := r.plainValue(item, fmt.Sprintf("%s[%d]", path, i))
			list[i], ok = value, ok && good
		}
		return list, ok
	default:
		return plainScalar(n), true
	}
}

func plainScalar(n *yaml.Node) any {
	switch n.Tag {
	case "!!int", "!!float":
		if json.Valid([]byte(n.Value)) {
			return json.Number(n.Value)
		}
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!null":
		return nil
	}
	return n.Value
}

// text hands a scalar to a type that reads its own text.
func (r *decoder) text(n *yaml.Node, path string, into encoding.TextUnmarshaler) {
	if n.Kind != yaml.ScalarNode {
		r.wrongType(n, path, "text")
		return
	}
	if err := into.UnmarshalText([]byte(n.Value)); err != nil {
		code, suggestion := textProblem(into, n.Value, err)
		r.d.report(path, code, suggestion, err.Error())
	}
}
