// Package strictjson reads JSON of known keys and says of everything that is wrong
// where it stands. Unlike encoding/json it reports all problems at once, with their
// paths, takes names of keys as they are, and refuses keys that are unknown or
// repeated and text that is not UTF-8. Unlike a reader of YAML it reads all JSON.
package strictjson

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/internal/spelling"
)

// Problem is something that is wrong with a document.
type Problem struct {
	Path         string // such as "measures[1].due"; "" for the whole
	Line, Column int    // from 1, column in bytes
	Found, Want  string
}

// Options say what a document may hold. The zero value is the default.
type Options struct {
	// Skip are keys of the outermost object that are not read. Defaults to none.
	Skip []string
	// Want says what is expected of values that read their own text, by their type.
	// Defaults to "a text" for those.
	Want map[reflect.Type]string
}

// Document is a text that was read: it knows where each value stands.
type Document struct {
	data     []byte
	options  Options
	at       map[string]int // offsets by path
	problems []placed
}

// Read reads one object into v, a pointer to a struct with a JSON name at each field
// that counts, of strings, booleans, whole numbers, instants, types that read
// their own text, and structs, slices and pointers of these. null is the zero value.
// v holds what could be read.
func Read(data []byte, v any, o Options) *Document {
	d := &Document{data: data, options: o, at: map[string]int{}}
	whole := bytes.TrimLeft(data, " \t\r\n")
	err := json.Unmarshal(data, new(json.RawMessage))
	switch broken, isSyntax := errors.AsType[*json.SyntaxError](err); {
	case !utf8.Valid(data):
		d.at[""] = invalid(data)
		d.Fail("", "bytes that are not UTF-8", "UTF-8")
	case isSyntax:
		d.at[""] = max(int(broken.Offset)-1, 0)
		d.Fail("", broken.Error(), "one JSON object")
	case isNull(whole):
		d.at[""] = len(data) - len(whole)
		d.Fail("", "null", "an object")
	default:
		d.value("", len(data)-len(whole), whole, reflect.ValueOf(v).Elem())
	}
	return d
}

// Problems returns what is wrong, in the order of the text.
func (d *Document) Problems() []Problem {
	slices.SortStableFunc(d.problems, func(a, b placed) int { return a.offset - b.offset })
	out := make([]Problem, len(d.problems))
	line, begin, at := 1, 0, 0 // of the line that at is in
	for i, p := range d.problems {
		line += bytes.Count(d.data[at:p.offset], []byte("\n"))
		if end := bytes.LastIndexByte(d.data[at:p.offset], '\n'); end >= 0 {
			begin = at + end + 1
		}
		at = p.offset
		out[i] = p.Problem
		out[i].Line, out[i].Column = line, at-begin+1
	}
	return out
}

// Fail records a problem of the value at a path, or of the nearest one around it.
func (d *Document) Fail(path, found, want string) {
	place := path
	for {
		_, known := d.at[place]
		cut := strings.LastIndexAny(place, ".[")
		if known || cut < 0 {
			break
		}
		place = place[:cut]
	}
	d.problems = append(d.problems, placed{Problem{Path: path, Found: found, Want: want}, d.at[place]})
}

// placed is a problem whose line is not counted yet.
type placed struct {
	Problem

	offset int
}

// invalid returns the offset of the first byte that is not UTF-8.
func invalid(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(data)
}

// value fills v from raw, which is well-formed and begins at an offset.
func (d *Document) value(path string, from int, raw []byte, v reflect.Value) {
	d.at[path] = from
	_, isText := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr())
	switch kind := v.Kind(); {
	case isNull(raw):
	case kind == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(path, from, raw, v.Elem())
	case kind == reflect.Struct && !isText:
		d.object(path, from, raw, v)
	case kind == reflect.Slice && !isText:
		d.array(path, from, raw, v)
	default:
		if err := json.Unmarshal(raw, v.Addr().Interface()); err != nil {
			d.Fail(path, "found "+shorten(raw), d.wanted(v.Type()))
		}
	}
}

func isNull(raw []byte) bool { return bytes.HasPrefix(raw, []byte("null")) }

// shorten shows a value in one line.
func shorten(raw []byte) string {
	const most = 40
	more := ""
	if len(raw) > most {
		raw, more = raw[:most], "…"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(string(raw), "")) + more
}

// plain is a key as paths have it: quoted where it could be taken for something else.
func plain(key string) string {
	if key == "" || strings.ContainsFunc(key, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(key)
	}
	return key
}

func (d *Document) wanted(t reflect.Type) string {
	if want := d.options.Want[t]; want != "" {
		return want
	}
	switch kind := t.Kind(); {
	case t == reflect.TypeFor[time.Time]():
		return `a time with a zone, like "2026-10-14T02:04:00Z"`
	case kind == reflect.Bool:
		return "true or false"
	case kind == reflect.String, reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return "a text"
	default:
		return "a whole number"
	}
}

// object fills a struct by the JSON names of its fields.
func (d *Document) object(path string, from int, raw []byte, v reflect.Value) {
	if raw[0] != '{' {
		d.Fail(path, "found "+shorten(raw), "an object")
		return
	}
	names := namesOf(v.Type())
	seen := map[string]bool{}
	d.elements(from, raw, func(key string, keyFrom, from int, raw []byte) {
		inner := plain(key)
		if path != "" {
			inner = path + "." + inner
		}
		d.at[inner] = keyFrom
		at := slices.Index(names, key)
		switch {
		case seen[key]:
			d.Fail(inner, "the key is there twice", "it once")
		case at >= 0 && key != "":
			d.value(inner, from, raw, v.Field(at))
		case path == "" && slices.Contains(d.options.Skip, key):
		default:
			d.Fail(inner, "unknown key", oneOf(names, key))
		}
		seen[key] = true
	})
}

// namesOf returns the JSON names of the fields of a struct, "" where there is none.
func namesOf(t reflect.Type) []string {
	var names []string
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" {
			name = ""
		}
		names = append(names, name)
	}
	return names
}

func oneOf(names []string, key string) string {
	names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == "" })
	if near := spelling.Nearest(key, names); near != "" {
		return fmt.Sprintf("%q", near)
	}
	return "one of " + strings.Join(names, ", ")
}

func (d *Document) array(path string, from int, raw []byte, v reflect.Value) {
	if raw[0] != '[' {
		d.Fail(path, "found "+shorten(raw), "a list")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	d.elements(from, raw, func(_ string, _, from int, raw []byte) {
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
		inner := fmt.Sprintf("%s[%d]", path, v.Len()-1)
		d.value(inner, from, raw, v.Index(v.Len()-1))
		if isNull(raw) {
			d.Fail(inner, "null", "a value")
		}
	})
}

// elements calls f with the parts of an object or a list, each with its offset and,
// in an object, that of its key.
func (d *Document) elements(from int, raw []byte, f func(key string, keyFrom, from int, raw []byte)) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	open, err := dec.Token()
	for err == nil && dec.More() {
		var key string
		keyFrom := 0
		if open == json.Delim('{') {
			keyFrom = int(dec.InputOffset())
			keyFrom += from + bytes.IndexByte(raw[keyFrom:], '"')
			var t json.Token
			t, err = dec.Token()
			key, _ = t.(string)
		}
		var part json.RawMessage
		if err == nil {
			err = dec.Decode(&part)
		}
		if err == nil {
			f(key, keyFrom, from+int(dec.InputOffset())-len(part), part)
		}
	}
	if err != nil {
		d.Fail("", err.Error(), "well-formed JSON") // not reached: it is
	}
}
