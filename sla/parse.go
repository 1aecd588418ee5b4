package sla

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
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/internal/diagnostic"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// ParseContract reads a contract from JSON, as json.Marshal writes it. It is
// strict where json.Unmarshal is not: an unknown or repeated key, null where a
// value is needed, text that is not UTF-8 and anything after the contract are
// errors. Instants are kept in UTC.
//
// All problems are joined in the order of the file, each a [*DecodeError]. What
// the contract says is not judged; see [Contract.Issues].
func ParseContract(data []byte) (Contract, error) { return Kinds{}.ParseContract(data) }

// Kinds holds measures and remedies of a program's own, so that contracts with
// them can be read: one value of each type, which is not changed. Its name in a
// file is what its method Kind() string returns, else its Go type such as
// "main.Apdex".
type Kinds struct {
	Measures []Measure
	Remedies []Remedy
}

// ParseContract is [ParseContract] for contracts that use these kinds beside
// those of this package. A name that stands for two of them is an error.
func (k Kinds) ParseContract(data []byte) (Contract, error) {
	var c Contract
	err := k.parse(data, &c)
	if err != nil {
		return Contract{}, err
	}
	return c, nil
}

// DecodeError reports a value in JSON that cannot be read.
type DecodeError struct {
	Path   string // such as "terms[0].availability.target"; "" is the whole
	Offset int64  // of the value or the key, in bytes from the start
	Value  string // what stands there, cut where it is long
	Want   string // what was expected
	Err    error  // the cause, where there is one beneath
}

// Error names the path, the offset, the value and what was expected.
func (e *DecodeError) Error() string {
	at := e.Path
	if at != "" {
		at += " "
	}
	text := fmt.Sprintf("sla: JSON at byte %d: %s%s: want %s", e.Offset, at, e.Value, e.Want)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause beneath, or nil.
func (e *DecodeError) Unwrap() error { return e.Err }

func (k Kinds) parse(data []byte, into any) error {
	measures, err := allKinds(measures, k.Measures)
	if err != nil {
		return err
	}
	remedies, err := allKinds(remedies, k.Remedies)
	if err != nil {
		return err
	}
	d := jsonDecoder{data: data, kinds: map[reflect.Type][]namedType{
		reflect.TypeFor[Measure](): measures, reflect.TypeFor[Remedy](): remedies,
	}}
	if err := d.syntax(); err != nil {
		return err
	}
	d.bounds()
	d.value(d.skip(0), reflect.ValueOf(into).Elem(), "")
	return errors.Join(d.problems...)
}

// jsonDecoder walks JSON and the type that it is read into, side by side. The
// text is known to be valid, so finding the end of a value is a matter of quotes
// and brackets.
type jsonDecoder struct {
	data     []byte
	ends     map[int]int // of the strings, objects and lists, by the offset at which they begin
	kinds    map[reflect.Type][]namedType
	problems []error
}

func (d *jsonDecoder) syntax() error {
	for at := 0; at < len(d.data); {
		r, n := utf8.DecodeRune(d.data[at:])
		if r == utf8.RuneError && n == 1 {
			return &DecodeError{Offset: int64(at), Value: fmt.Sprintf("byte %#x", d.data[at]), Want: "text in UTF-8"}
		}
		at += n
	}
	var raw json.RawMessage
	err := json.Unmarshal(d.data, &raw)
	if err == nil {
		return nil
	}
	problem := &DecodeError{Offset: int64(len(d.data)), Value: "the end", Want: "one JSON value", Err: err}
	if at, ok := errors.AsType[*json.SyntaxError](err); ok && err.Error() != "unexpected end of JSON input" {
		problem.Offset = max(at.Offset-1, 0) // it counts the byte that is wrong
		problem.Value = excerpt(d.data[problem.Offset:])
	}
	return problem
}

func (d *jsonDecoder) add(path string, at int, want string, err error) {
	d.problems = append(d.problems, &DecodeError{Path: path, Offset: int64(at), Value: excerpt(d.raw(at)), Want: want, Err: err})
}

// excerpt cuts a value to what fits a line.
func excerpt(raw []byte) string {
	const most = 60
	if len(raw) <= most {
		return string(raw)
	}
	return strings.ToValidUTF8(string(raw[:most]), "") + "…"
}

func (d *jsonDecoder) skip(at int) int {
	for at < len(d.data) && bytes.IndexByte([]byte(" \t\r\n,:"), d.data[at]) >= 0 {
		at++
	}
	return at
}

// bounds finds all ends at once: what is deeply nested would be searched again at
// every level.
func (d *jsonDecoder) bounds() {
	d.ends = map[int]int{}
	var open []int
	for at := 0; at < len(d.data); at++ {
		switch d.data[at] {
		case '"':
			start := at
			for at++; d.data[at] != '"'; at++ {
				if d.data[at] == '\\' {
					at++
				}
			}
			d.ends[start] = at + 1
		case '{', '[':
			open = append(open, at)
		case '}', ']':
			last := len(open) - 1
			d.ends[open[last]] = at + 1
			open = open[:last]
		}
	}
}

// end returns the end of the value that begins at an offset.
func (d *jsonDecoder) end(at int) int {
	if end, ok := d.ends[at]; ok {
		return end
	}
	if n := bytes.IndexAny(d.data[at:], ",]} \t\r\n"); n >= 0 {
		return at + n
	}
	return len(d.data)
}

func (d *jsonDecoder) raw(at int) []byte { return d.data[at:d.end(at)] }

// text decodes the string at an offset.
func (d *jsonDecoder) text(at int) (text string) {
	_ = json.Unmarshal(d.raw(at), &text) // valid
	return text
}

// member is a key of an object and where key and value stand.
type member struct {
	key   string
	keyAt int
	at    int
}

// members lists those of the object at an offset.
func (d *jsonDecoder) members(at int) (list []member) {
	for at = d.skip(at + 1); d.data[at] != '}'; {
		m := member{key: d.text(at), keyAt: at}
		m.at = d.skip(d.end(at))
		at = d.skip(d.end(m.at))
		list = append(list, m)
	}
	return list
}

// distinct lists the members with each key once, and reports the others.
func (d *jsonDecoder) distinct(at int, path string) []member {
	seen := map[string]bool{}
	return slices.DeleteFunc(d.members(at), func(m member) bool {
		if seen[m.key] {
			d.add(diagnostic.Join(path, m.key), m.keyAt, "each key once", nil)
			return true
		}
		seen[m.key] = true
		return false
	})
}

func (d *jsonDecoder) items(at int) (list []int) {
	for at = d.skip(at + 1); d.data[at] != ']'; at = d.skip(d.end(at)) {
		list = append(list, at)
	}
	return list
}

func (d *jsonDecoder) value(at int, into reflect.Value, path string) {
	t := into.Type()
	kind := t.Kind()
	if d.data[at] == 'n' { // null
		if kind != reflect.Pointer && kind != reflect.Slice && kind != reflect.Map && kind != reflect.Interface {
			d.add(path, at, "a value", nil)
		}
		return
	}
	if kind == reflect.Pointer {
		into.Set(reflect.New(t.Elem()))
		d.value(at, into.Elem(), path)
		return
	}
	if t == reflect.TypeFor[Availability]() { // which reads itself with this decoder
		d.object(at, into, path, "")
		return
	}
	switch into.Addr().Interface().(type) {
	case json.Unmarshaler:
		d.own(at, d.raw(at), into, path)
		return
	case encoding.TextUnmarshaler:
		if d.data[at] != '"' {
			d.add(path, at, "text in quotes", nil)
			return
		}
		d.own(at, d.raw(at), into, path)
		return
	}
	switch {
	case kind == reflect.Interface && d.kinds[t] != nil:
		d.kind(at, into, path)
	case kind == reflect.Struct:
		d.object(at, into, path, "")
	case kind == reflect.Slice:
		d.list(at, into, path)
	case kind == reflect.Map && t.Key().Kind() == reflect.String:
		d.table(at, into, path)
	default:
		if err := json.Unmarshal(d.raw(at), into.Addr().Interface()); err != nil {
			d.add(path, at, wanted(kind), nil)
		}
	}
}

// wanted describes the plain types.
func wanted(kind reflect.Kind) string {
	switch kind {
	case reflect.String:
		return "text in quotes"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number of 64 bits"
	case reflect.Uint64:
		return "a whole number of 64 bits, 0 or more"
	default:
		return "a value of type " + kind.String()
	}
}

// wantedOf describes the types that read themselves.
func wantedOf(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[time.Time]():
		return `an instant like "2026-01-31T00:00:00Z"`
	case reflect.TypeFor[money.Percent]():
		return `a percentage like "99.9%"`
	case reflect.TypeFor[money.Amount]():
		return `an amount like {"amount":"500.00","currency":"EUR"}`
	default:
		return "a value of type " + t.String()
	}
}

// own lets a type read its value.
func (d *jsonDecoder) own(at int, raw []byte, into reflect.Value, path string) {
	before := len(d.problems)
	d.once(at, path)
	if len(d.problems) > before {
		return
	}
	if err := json.Unmarshal(raw, into.Addr().Interface()); err != nil {
		d.add(path, at, wantedOf(into.Type()), err)
		return
	}
	if instant, ok := reflect.TypeAssert[*time.Time](into.Addr()); ok {
		*instant = instant.UTC()
	}
}

// once finds repeated keys at any depth.
func (d *jsonDecoder) once(at int, path string) {
	switch d.data[at] {
	case '{':
		for _, m := range d.distinct(at, path) {
			d.once(m.at, diagnostic.Join(path, m.key))
		}
	case '[':
		for i, item := range d.items(at) {
			d.once(item, path+"["+strconv.Itoa(i)+"]")
		}
	}
}

// object reads the fields of a struct; except is a key that is none of them.
func (d *jsonDecoder) object(at int, into reflect.Value, path, except string) {
	if d.data[at] != '{' {
		d.add(path, at, "an object", nil)
		return
	}
	fields := fieldsOf(into.Type())
	for _, m := range d.distinct(at, path) {
		if m.key == except {
			continue
		}
		i := slices.IndexFunc(fields, func(f jsonField) bool { return f.key == m.key })
		if i < 0 {
			keys := make([]string, len(fields))
			for j, f := range fields {
				keys[j] = f.key
			}
			want := "no keys here"
			if len(keys) > 0 {
				want = "one of the keys " + strings.Join(keys, ", ")
			}
			d.add(diagnostic.Join(path, m.key), m.keyAt, want, nil)
			continue
		}
		field := into.FieldByIndex(fields[i].index)
		d.value(m.at, field, diagnostic.Join(path, m.key))
		if k := field.Kind(); fields[i].omitEmpty && (k == reflect.Slice || k == reflect.Map) && field.Len() == 0 {
			field.SetZero() // as it comes back from being written
		}
	}
}

type jsonField struct {
	key       string
	index     []int
	omitEmpty bool
}

func fieldsOf(t reflect.Type) (fields []jsonField) {
	for _, f := range reflect.VisibleFields(t) {
		key, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || f.Anonymous || key == "-" {
			continue
		}
		if key == "" {
			key = f.Name
		}
		fields = append(fields, jsonField{key: key, index: f.Index, omitEmpty: options == "omitempty"})
	}
	return fields
}

func (d *jsonDecoder) list(at int, into reflect.Value, path string) {
	if d.data[at] != '[' {
		d.add(path, at, "a list", nil)
		return
	}
	items := d.items(at)
	into.Set(reflect.MakeSlice(into.Type(), len(items), len(items)))
	for i, item := range items {
		d.value(item, into.Index(i), path+"["+strconv.Itoa(i)+"]")
	}
}

func (d *jsonDecoder) table(at int, into reflect.Value, path string) {
	if d.data[at] != '{' {
		d.add(path, at, "an object", nil)
		return
	}
	into.Set(reflect.MakeMap(into.Type()))
	for _, m := range d.distinct(at, path) {
		value := reflect.New(into.Type().Elem()).Elem()
		d.value(m.at, value, diagnostic.Join(path, m.key))
		into.SetMapIndex(reflect.ValueOf(m.key).Convert(into.Type().Key()), value)
	}
}

// kind reads a measure or a remedy by the name of its kind.
func (d *jsonDecoder) kind(at int, into reflect.Value, path string) {
	if d.data[at] != '{' {
		d.add(path, at, "an object with a kind", nil)
		return
	}
	types := d.kinds[into.Type()]
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = t.name
	}
	want := "a kind: " + strings.Join(names, ", ")
	members := d.members(at)
	i := slices.IndexFunc(members, func(m member) bool { return m.key == kindKey })
	if i < 0 {
		d.add(diagnostic.Join(path, kindKey), at, want, nil)
		return
	}
	named := members[i].at
	if d.data[named] != '"' || !slices.Contains(names, d.text(named)) {
		d.add(diagnostic.Join(path, kindKey), named, want, nil)
		return
	}
	v := reflect.New(types[slices.Index(names, d.text(named))].goType).Elem()
	if _, reads := reflect.TypeAssert[json.Unmarshaler](v.Addr()); reads || v.Kind() != reflect.Struct {
		d.own(at, d.without(members, i), v, path)
	} else {
		d.object(at, v, path, kindKey)
	}
	into.Set(v)
}

// without writes members as an object, one of them left out.
func (d *jsonDecoder) without(members []member, i int) []byte {
	out := []byte{'{'}
	for j, m := range members {
		if j == i {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, d.raw(m.keyAt)...), ':'), d.raw(m.at)...)
	}
	return append(out, '}')
}
