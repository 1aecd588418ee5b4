package schema_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/examples/schema"
)

var update = flag.Bool("update", false, "rewrite README.md")

// README.md is the reference of all files, made from the schemas.
func TestReference(t *testing.T) {
	r := reference{t: t}
	r.printf("# Configuration reference\n\nThe files of the programs, key by key, made from the JSON Schemas beside this file by\n`go test ./examples/schema -update`. " +
		"**Bold** keys are required. `[]` is an item of a list, `<…>` a key of your own.\nThe first line `# yaml-language-server: $schema=` with the path of a schema tells an editor; `lint` tells everybody else.\n\n")
	for _, kind := range schema.Kinds() {
		r.printf("- [%s](#%s): %s\n", kind, kind, title(t, kind))
	}
	for _, kind := range schema.Kinds() {
		r.kind(kind)
	}
	if *update {
		if err := os.WriteFile("README.md", r.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(r.Bytes(), want) {
		t.Error("README.md is not what the schemas say; run with -update")
	}
}

// All holds each schema under the name that it refers to it by.
func TestAll(t *testing.T) {
	text, err := schema.All()
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Any  []map[string]string        `json:"anyOf"`
		Defs map[string]json.RawMessage `json:"$defs"`
	}
	if err := json.Unmarshal(text, &all); err != nil || len(all.Any) != len(schema.Kinds()) || len(all.Defs) != len(schema.Kinds()) {
		t.Errorf("%v, %d of %d", err, len(all.Any), len(all.Defs))
	}
	if schema.Of("nonsense") != nil {
		t.Error("a schema of nonsense")
	}
}

func title(t *testing.T, kind string) string {
	t.Helper()
	var s struct{ Title string }
	if err := json.Unmarshal(schema.Of(kind), &s); err != nil || s.Title == "" {
		t.Fatalf("%s: title %q, %v", kind, s.Title, err)
	}
	return s.Title
}

// reference is the text of README.md while it is written.
type reference struct {
	bytes.Buffer

	t     *testing.T
	file  string // kind of the schema
	defs  object
	named []string // definitions that have a table of their own, in the order of their use
}

func (r *reference) printf(format string, args ...any) { fmt.Fprintf(r, format, args...) }

func (r *reference) kind(kind string) {
	var root object
	if err := json.Unmarshal(schema.Of(kind), &root); err != nil {
		r.t.Fatal(err)
	}
	r.file, r.defs, r.named = kind, root.object("$defs"), nil
	r.printf("\n## %s\n\n%s.\n\n", kind, title(r.t, kind))
	r.table(root)
	for i := 0; i < len(r.named); i++ { // which grows on the way
		def := r.defs.object(r.named[i])
		r.printf("\n### %s: %s\n\n", kind, r.named[i])
		if text := def.text("description"); text != "" {
			r.printf("%s.\n\n", text)
		}
		r.table(def)
	}
}

func (r *reference) table(of object) {
	r.printf("| key | type | default | meaning | example |\n|---|---|---|---|---|\n")
	r.rows("", of)
}

// rows writes a row for each key below a path.
func (r *reference) rows(path string, of object) {
	var required []string
	if err := json.Unmarshal(of.values["required"], &required); err != nil && of.values["required"] != nil {
		r.t.Fatal(err)
	}
	properties := of.object("properties")
	for _, key := range properties.keys {
		node := properties.object(key)
		shown := "`" + path + key + "`"
		if slices.Contains(required, key) {
			shown = "**" + shown + "**"
		}
		meaning := node.text("description")
		if def, ok := r.ref(node); ok && meaning == "" {
			meaning = r.defs.object(def).text("description")
		}
		if meaning == "" {
			r.t.Errorf("%s: %s%s has no description", r.file, path, key)
		}
		r.printf("| %s | %s | %s | %s | %s |\n", shown, r.typeOf(node), cell(node.values["default"]), escape(meaning), r.example(node))
		r.below(path+key, node)
	}
	if _, open := of.inner("additionalProperties"); open && len(properties.keys) > 0 {
		rest := of.object("additionalProperties")
		r.printf("| `%s<name>` | %s | | %s | |\n", path, r.typeOf(rest), escape(rest.text("description")))
	}
}

// below writes what is inside a value and has no table of its own.
func (r *reference) below(path string, node object) {
	for _, kind := range []string{"oneOf", "anyOf"} {
		for _, alternative := range node.list(kind) {
			r.below(path, alternative)
		}
	}
	if items, ok := node.inner("items"); ok {
		r.below(path+"[]", items)
	}
	if node.values["properties"] != nil {
		r.rows(path+".", node)
	} else if values, ok := node.inner("additionalProperties"); ok {
		r.below(path+".<name>", values)
	}
}

// ref returns the definition that a node refers to.
func (r *reference) ref(node object) (name string, ok bool) {
	return strings.CutPrefix(node.text("$ref"), "#/$defs/")
}

// typeOf says in words what a value is.
func (r *reference) typeOf(node object) string {
	if name, ok := r.ref(node); ok {
		def := r.defs.object(name)
		if def.values["properties"] == nil {
			return r.typeOf(def)
		}
		if !slices.Contains(r.named, name) {
			r.named = append(r.named, name)
		}
		return fmt.Sprintf("[%s](#%s-%s)", name, r.file, strings.ToLower(name))
	}
	if node.values["const"] != nil {
		return cell(node.values["const"])
	}
	if words := node.values["enum"]; words != nil {
		var list []json.RawMessage
		if err := json.Unmarshal(words, &list); err != nil {
			r.t.Fatal(err)
		}
		var shown []string
		for _, word := range list {
			shown = append(shown, cell(word))
		}
		return strings.Join(shown, ", ")
	}
	for _, kind := range []string{"oneOf", "anyOf"} {
		var shown []string
		for _, alternative := range node.list(kind) {
			if text := r.typeOf(alternative); !slices.Contains(shown, text) {
				shown = append(shown, text)
			}
		}
		if shown != nil && node.values["properties"] == nil {
			return strings.Join(shown, " or ")
		}
	}
	if items, ok := node.inner("items"); ok {
		return "list of " + r.typeOf(items)
	}
	if values, ok := node.inner("additionalProperties"); ok && node.values["properties"] == nil {
		return "by name: " + r.typeOf(values)
	}
	return r.basic(node.values["type"])
}

// basic is the type of a node in plain words.
func (r *reference) basic(raw json.RawMessage) string {
	plain := map[string]string{"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "object": "mapping", "array": "list", "null": "null"}
	var types []string
	var one string
	switch {
	case raw == nil:
		return "anything"
	case json.Unmarshal(raw, &one) == nil:
		return plain[one]
	case json.Unmarshal(raw, &types) != nil:
		r.t.Fatalf("%s: type %s", r.file, raw)
	}
	for i := range types {
		types[i] = plain[types[i]]
	}
	return strings.Join(types, " or ")
}

// example is the first of the node, else of its definition.
func (r *reference) example(node object) string {
	var list []json.RawMessage
	raw := node.values["examples"]
	if def, ok := r.ref(node); ok && raw == nil {
		raw = r.defs.object(def).values["examples"]
	}
	if raw == nil || json.Unmarshal(raw, &list) != nil || len(list) == 0 {
		return ""
	}
	return cell(list[0])
}

// cell shows a JSON value in a table; nothing for none.
func cell(raw json.RawMessage) string {
	if raw == nil {
		return ""
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		text = string(raw)
	}
	return "`" + escape(text) + "`"
}

func escape(text string) string { return strings.NewReplacer("|", `\|`, "\n", " ").Replace(text) }

// object is a JSON object that keeps the order of its keys.
type object struct {
	keys   []string
	values map[string]json.RawMessage
}

func (o *object) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	if _, err := dec.Token(); err != nil {
		return err
	}
	o.values = map[string]json.RawMessage{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return err
		}
		o.keys = append(o.keys, key.(string))
		o.values[key.(string)] = value
	}
	return nil
}

// inner returns the object under a key; false where there is none, or true or false instead.
func (o object) inner(key string) (object, bool) {
	var in object
	raw := o.values[key]
	if !bytes.HasPrefix(raw, []byte("{")) || json.Unmarshal(raw, &in) != nil {
		return object{}, false
	}
	return in, true
}

func (o object) object(key string) object {
	in, _ := o.inner(key)
	return in
}

func (o object) text(key string) string {
	var text string
	if json.Unmarshal(o.values[key], &text) != nil {
		return ""
	}
	return text
}

func (o object) list(key string) []object {
	var list []object
	if json.Unmarshal(o.values[key], &list) != nil {
		return nil
	}
	return list
}
