package flat_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/evenkeelops/evenkeel/examples/internal/flat"
)

func TestRead(t *testing.T) {
	for _, c := range []struct {
		text string
		want []flat.Value // after its key, as a text
		ok   bool
	}{
		{text: ` { } `, ok: true},
		{text: `{"a":"x","b" : -1.50e+2,"c":null , "d":true,"e":{"f":"}"}}`, ok: true, want: []flat.Value{
			{flat.Text, "a"},
			{flat.Text, "x"},
			{flat.Text, "b"},
			{flat.Number, "-1.50e+2"},
			{flat.Text, "c"},
			{flat.Null, "null"},
			{flat.Text, "d"},
			{flat.Bool, "true"},
			{flat.Text, "e"},
			{flat.Object, `{"f":"}"}`},
		}},
		{text: `{"a":"\u0041"}`},
		{text: `{"a":[]}`},
		{text: `{"a":{"b":{}}}`},
		{text: `{"a":01}`},
		{text: `{"a":1.}`},
		{text: `{"a":-}`},
		{text: `{"a":1,}`},
		{text: `{"a":1} x`},
		{text: "{\"a\":\"\xff\"}"},
		{text: "{\"a\":\"\n\"}"},
		{text: `{"a":nul}`},
		{text: `{"a" 1}`},
		{text: `{a:1}`},
		{text: `[]`},
		{text: ``},
		{text: `{`},
		{text: `{"a":{"b":1}`},
	} {
		var got []flat.Value
		ok := flat.Read(c.text, func(key string, v flat.Value) bool {
			got = append(got, flat.Value{Kind: flat.Text, Text: key}, v)
			return true
		})
		if ok != c.ok || ok && !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, %v, want %v, %v", c.text, got, ok, c.want, c.ok)
		}
	}
	if flat.Read(`{"a":1}`, func(string, flat.Value) bool { return false }) {
		t.Error("a value that is not wanted was read")
	}
}

// What is read is what the standard library reads.
func FuzzRead(f *testing.F) {
	for _, text := range []string{`{"a":"x","b":-1.5e2,"c":null,"d":false,"e":{"f":"g"}}`, `{"a":1,"a":2}`, `{"a":{}}`, `{ "a" : 0 }`, `{"a":"\\"}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got := map[string]any{}
		if !read(string(text), got) {
			return
		}
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		var want map[string]any
		if err := d.Decode(&want); err != nil {
			t.Fatalf("%q was read: %v", text, err)
		}
		if d.More() || !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: %v, want %v", text, got, want)
		}
	})
}

// read reads an object into a map, the last of two equal keys as the standard library
// does, which merges objects.
func read(text string, into map[string]any) bool {
	return flat.Read(text, func(key string, v flat.Value) bool {
		switch v.Kind {
		case flat.Null:
			into[key] = nil
		case flat.Text:
			into[key] = v.Text
		case flat.Number:
			into[key] = json.Number(v.Text)
		case flat.Bool:
			into[key] = v.Text == "true"
		case flat.Object:
			inner := map[string]any{}
			into[key] = inner
			return read(v.Text, inner)
		}
		return true
	})
}
