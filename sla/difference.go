package sla

import (
	"encoding"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/diagnostic"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// comparison walks two values of one type side by side, by their names in JSON.
type comparison struct {
	// name returns what an item of a list is called; "" is by its position.
	name func(item reflect.Value) string

	// whole reports whether values of a type are compared in one piece.
	whole func(t reflect.Type) bool

	// report gets each value that differs. What one side lacks is not valid.
	report func(at place, a, b reflect.Value)
}

// place says where a value stands.
type place struct {
	path  string        // in JSON
	field string        // the struct and field in Go that it stands in or below, such as "Term.ID"
	a, b  reflect.Value // those structs
}

var (
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
	timeType      = reflect.TypeFor[time.Time]()
)

func (c *comparison) walk(at place, a, b reflect.Value) {
	if !a.IsValid() || !b.IsValid() {
		if a.IsValid() || b.IsValid() {
			c.report(at, a, b)
		}
		return
	}
	if t := a.Type(); c.whole != nil && c.whole(t) || t.Implements(textMarshaler) && t.Kind() != reflect.Interface && t.Kind() != reflect.Pointer {
		if !sameValue(a, b) {
			c.report(at, a, b)
		}
		return
	}
	switch a.Kind() {
	case reflect.Struct:
		c.fields(at.path, a, b)
	case reflect.Slice, reflect.Array:
		c.list(at, a, b)
	case reflect.Map:
		c.entries(at, a, b)
	case reflect.Pointer:
		c.walk(at, a.Elem(), b.Elem())
	case reflect.Interface:
		a, b = a.Elem(), b.Elem()
		if a.IsValid() && b.IsValid() && a.Type() != b.Type() {
			c.report(at, a, b)
			return
		}
		c.walk(at, a, b)
	default:
		if !a.Equal(b) {
			c.report(at, a, b)
		}
	}
}

func (c *comparison) fields(path string, a, b reflect.Value) {
	t := a.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case !f.IsExported() || tag == "-":
		case f.Anonymous && tag == "":
			c.walk(place{path, t.Name() + "." + f.Name, a, b}, a.Field(i), b.Field(i))
		default:
			c.walk(place{diagnostic.Join(path, tag), t.Name() + "." + f.Name, a, b}, a.Field(i), b.Field(i))
		}
	}
}

// item is the place of an item of a list.
func (p place) item(name string) place {
	p.path += "[" + name + "]"
	return p
}

// list compares items of the same name. Those of the first list come first.
func (c *comparison) list(at place, a, b reflect.Value) {
	if c.name == nil || a.Len() > 0 && c.name(a.Index(0)) == "" || b.Len() > 0 && c.name(b.Index(0)) == "" {
		for i := range max(a.Len(), b.Len()) {
			c.walk(at.item(strconv.Itoa(i)), item(a, i), item(b, i))
		}
		return
	}
	find := func(list reflect.Value, name string) reflect.Value {
		for i := range list.Len() {
			if c.name(list.Index(i)) == name {
				return list.Index(i)
			}
		}
		return reflect.Value{}
	}
	for i := range a.Len() {
		name := c.name(a.Index(i))
		c.walk(at.item(name), a.Index(i), find(b, name))
	}
	for i := range b.Len() {
		if name := c.name(b.Index(i)); !find(a, name).IsValid() {
			c.walk(at.item(name), reflect.Value{}, b.Index(i))
		}
	}
}

func item(list reflect.Value, i int) reflect.Value {
	if i < list.Len() {
		return list.Index(i)
	}
	return reflect.Value{}
}

// entries compares maps by their keys, sorted; the keys are texts.
func (c *comparison) entries(at place, a, b reflect.Value) {
	keys := map[string]reflect.Value{}
	for _, k := range append(a.MapKeys(), b.MapKeys()...) {
		keys[k.String()] = k
	}
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		entry := at
		entry.path = diagnostic.Join(at.path, name)
		c.walk(entry, a.MapIndex(keys[name]), b.MapIndex(keys[name]))
	}
}

// sameValue compares instants as such, other values by their JSON.
func sameValue(a, b reflect.Value) bool {
	if a.Type() == timeType {
		return a.Interface().(time.Time).Equal(b.Interface().(time.Time)) //nolint:forcetypeassert // its type
	}
	return a.Comparable() && a.Equal(b) || textOfValue(a) == textOfValue(b)
}

// textOfValue shows a value: texts, numbers and durations as they are, what has
// parts as JSON, and "" for a value that is not there.
func textOfValue(v reflect.Value) string {
	if !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return ""
	}
	switch x := v.Interface().(type) {
	case time.Time:
		if x.IsZero() {
			return ""
		}
		return x.UTC().Format(time.RFC3339Nano)
	case time.Duration:
		return x.String()
	case encoding.TextMarshaler:
		if text, err := x.MarshalText(); err == nil {
			return string(text)
		}
		return fmt.Sprint(x)
	case calendar.NextDayRule:
		return "next business day by " + x.Mode.String()
	case Bands:
		return x.text()
	case Measure:
		return kindText(measures, x)
	case Remedy:
		return kindText(remedies, x)
	}
	switch v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Pointer:
		return textOfValue(v.Elem())
	case reflect.Slice, reflect.Map:
		if v.Len() == 0 {
			return ""
		}
	default:
	}
	data, err := json.Marshal(v.Interface())
	if err != nil {
		return fmt.Sprintf("%+v", v.Interface())
	}
	return string(data)
}

// kindText shows a measure or remedy as in a file.
func kindText(known []namedType, v any) string {
	data, err := marshalKind(known, v)
	if err != nil {
		return fmt.Sprintf("%T", v)
	}
	return string(data)
}
