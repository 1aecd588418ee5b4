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
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/internal/spelling"
)

// Problem is something that is wrong with a document.
type Problem struct {
	Path         string // such as "measures[1].due"; "" for the whole
	Line, Column int    // from 1, column in bytes
	Value, Want  string
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
// their own text or JSON, such as [json.RawMessage], and structs, slices and pointers
// of these. The fields of an embedded struct without a name are fields of the outer
// one. null is the zero value. v holds what could be read.
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
	d.problems = append(d.problems, placed{Problem{Path: path, Value: found, Want: want}, d.at[place]})
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
	_, isOwn := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr())
	if !isOwn {
		_, isOwn = reflect.TypeAssert[json.Unmarshaler](v.Addr())
	}
	switch kind := v.Kind(); {
	case isNull(raw):
	case kind == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(path, from, raw, v.Elem())
	case kind == reflect.Struct && !isOwn:
		d.object(path, from, raw, v)
	case kind == reflect.Slice && !isOwn:
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
	known := fieldsOf(v.Type())
	seen := make(map[string]bool, len(known.names))
	elements(from, raw, func(key string, keyFrom, from int, raw []byte) {
		inner := plain(key)
		if path != "" {
			inner = path + "." + inner
		}
		d.at[inner] = keyFrom
		at := slices.Index(known.names, key)
		switch {
		case seen[key]:
			d.Fail(inner, "the key is there twice", "it once")
		case at >= 0 && key != "":
			d.value(inner, from, raw, v.FieldByIndex(known.places[at]))
		case path == "" && slices.Contains(d.options.Skip, key):
		default:
			d.Fail(inner, "unknown key", oneOf(known.names, key))
		}
		seen[key] = true
	})
}

// fields are what a struct has: names and places by type.
var fields sync.Map

type fieldList struct {
	names  []string // in JSON; "" where there is none
	places [][]int
}

// fieldsOf returns what namesOf returns, and remembers it: lines of a log are many
// documents of one type.
func fieldsOf(t reflect.Type) fieldList {
	known, ok := fields.Load(t)
	if !ok {
		names, places := namesOf(t)
		known, _ = fields.LoadOrStore(t, fieldList{names, places})
	}
	list, _ := known.(fieldList)
	return list
}

// namesOf returns the JSON names of the fields of a struct, "" where there is none,
// and the places of the fields.
func namesOf(t reflect.Type) (names []string, places [][]int) {
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" {
			name = ""
		}
		if name != "" || !f.Anonymous || f.Type.Kind() != reflect.Struct {
			names, places = append(names, name), append(places, f.Index)
			continue
		}
		inner, below := namesOf(f.Type)
		names = append(names, inner...)
		for _, place := range below {
			places = append(places, slices.Concat(f.Index, place))
		}
	}
	return names, places
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
	elements(from, raw, func(_ string, _, from int, raw []byte) {
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
		inner := fmt.Sprintf("%s[%d]", path, v.Len()-1)
		d.value(inner, from, raw, v.Index(v.Len()-1))
		if isNull(raw) {
			d.Fail(inner, "null", "a value")
		}
	})
}

// elements calls f with the parts of an object or a list, each with its offset and,
// in an object, that of its key. raw is well-formed, so only ends are looked for.
func elements(from int, raw []byte, f func(key string, keyFrom, from int, raw []byte)) {
	isObject := raw[0] == '{'
	for at := 1; ; {
		at += span(raw[at:], " \t\r\n,")
		if raw[at] == '}' || raw[at] == ']' {
			return
		}
		key, keyFrom := "", 0
		if isObject {
			end := at + valueLen(raw[at:])
			key, keyFrom = unquote(raw[at:end]), from+at
			at = end + span(raw[end:], " \t\r\n:")
		}
		end := at + valueLen(raw[at:])
		f(key, keyFrom, from+at, raw[at:end])
		at = end
	}
}

// span returns how many of the first bytes of raw are among some.
func span(raw []byte, some string) int {
	n := 0
	for n < len(raw) && strings.IndexByte(some, raw[n]) >= 0 {
		n++
	}
	return n
}

// valueLen returns the length of the value with which raw begins.
func valueLen(raw []byte) int {
	depth := 0
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			for i++; raw[i] != '"'; i++ {
				if raw[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		default:
			if depth == 0 { // a number or a word
				if end := bytes.IndexAny(raw[i:], ",]} \t\r\n"); end >= 0 {
					return i + end
				}
				return len(raw)
			}
		}
		if depth == 0 {
			return i + 1
		}
	}
	return len(raw)
}

// unquote returns the text of a string.
func unquote(raw []byte) string {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	var text string
	_ = json.Unmarshal(raw, &text) // it is well-formed
	return text
}
