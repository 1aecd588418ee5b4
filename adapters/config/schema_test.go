package config

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// The published schema of a file has the keys that the decoder takes, and
// requires what it requires.
func TestSchemaDrift(t *testing.T) {
	for name, file := range map[string]reflect.Type{"contract.schema.json": reflect.TypeFor[contractFile]()} {
		data, err := os.ReadFile("../../examples/schema/" + name)
		if err != nil {
			t.Fatal(err)
		}
		var root map[string]any
		if err := json.Unmarshal(data, &root); err != nil {
			t.Fatal(err)
		}
		if root["$schema"] != "https://json-schema.org/draft/2020-12/schema" {
			t.Errorf("%s: $schema is %v", name, root["$schema"])
		}
		s := schemaDrift{t: t, name: name}
		s.compare("", file, root)
		if s.compared < 8 {
			t.Errorf("%s: %d mappings compared, want all of them", name, s.compared)
		}
	}
}

// The test must notice what it is for.
func TestSchemaDriftFails(t *testing.T) {
	type file struct {
		A string `yaml:"a,required"`
		B int    `yaml:"b"`
	}
	for _, c := range []struct{ schema, want string }{
		{`{"properties": {"a": {}, "b": {}}, "required": ["a"], "additionalProperties": false}`, ""},
		{`{"properties": {"a": {}}, "required": ["a"], "additionalProperties": false}`, `properties [a], want [a b]`},
		{`{"properties": {"a": {}, "b": {}}, "additionalProperties": false}`, `required [], want [a]`},
		{`{"properties": {"a": {}, "b": {}}, "required": ["a"]}`, `additionalProperties`},
	} {
		var node map[string]any
		if err := json.Unmarshal([]byte(c.schema), &node); err != nil {
			t.Fatal(err)
		}
		s := schemaDrift{name: "x"}
		s.compare("", reflect.TypeFor[file](), node)
		if got := strings.Join(s.problems, "; "); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: problems %q, want %q", c.schema, got, c.want)
		}
	}
}

type schemaDrift struct {
	t        *testing.T
	name     string
	compared int
	problems []string
}

func (s *schemaDrift) problem(path, format string, args ...any) {
	text := fmt.Sprintf("%s: %q: %s", s.name, path, fmt.Sprintf(format, args...))
	if s.problems = append(s.problems, text); s.t != nil {
		s.t.Error(text)
	}
}

// compare walks a type of the decoder and a node of the schema side by side. What
// the decoder reads from one text has no keys to compare.
func (s *schemaDrift) compare(path string, of reflect.Type, node map[string]any) {
	if _, ok := scalars[of]; ok {
		return
	}
	if of == reflect.TypeFor[hoursFile]() {
		for _, alternative := range node["oneOf"].([]any) {
			if list := alternative.(map[string]any); list["type"] == "array" {
				s.compare(path, reflect.TypeFor[[]hoursSpanFile](), list)
				return
			}
		}
		s.problem(path, "no list among the alternatives")
		return
	}
	switch of.Kind() {
	case reflect.Pointer:
		s.compare(path, of.Elem(), node)
	case reflect.Slice:
		if items, ok := node["items"].(map[string]any); ok {
			s.compare(path+"[]", of.Elem(), items)
		} else {
			s.problem(path, "no items")
		}
	case reflect.Map:
		if inner, ok := node["additionalProperties"].(map[string]any); ok {
			s.compare(path+".*", of.Elem(), inner)
		} else if of.Elem().Kind() == reflect.Struct {
			s.problem(path, "no additionalProperties")
		}
	case reflect.Struct:
		if fields := fieldsOf(of); len(fields) > 0 && !reflect.PointerTo(of).Implements(reflect.TypeFor[interface{ UnmarshalText([]byte) error }]()) {
			s.compareFields(path, of, fields, node)
		}
	default:
	}
}

func (s *schemaDrift) compareFields(path string, of reflect.Type, fields map[string]field, node map[string]any) {
	s.compared++
	properties, _ := node["properties"].(map[string]any)
	if got, want := sortedKeys(properties), sortedKeys(fields); !slices.Equal(got, want) {
		s.problem(path, "properties %v, want %v", got, want)
		return
	}
	if node["additionalProperties"] != false {
		s.problem(path, "additionalProperties is %v, want false: the decoder refuses unknown keys", node["additionalProperties"])
	}
	var required, want []string
	list, _ := node["required"].([]any)
	for _, name := range list {
		required = append(required, name.(string))
	}
	slices.Sort(required)
	for _, name := range sortedKeys(fields) {
		if fields[name].required {
			want = append(want, name)
		}
		if inner, ok := properties[name].(map[string]any); ok {
			s.compare(join(path, name), of.FieldByIndex(fields[name].index).Type, inner)
		}
	}
	if !slices.Equal(required, want) {
		s.problem(path, "required %v, want %v", required, want)
	}
}
