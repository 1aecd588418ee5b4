package strictjson

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
)

// shade reads its own text.
type shade struct{ dark bool }

func (s *shade) UnmarshalText(text []byte) error {
	if s.dark = string(text) == "dark"; !s.dark && string(text) != "light" {
		return strconv.ErrSyntax
	}
	return nil
}

type inner struct {
	N    *int64    `json:"n"`
	Also []inner   `json:"also,omitempty"`
	At   time.Time `json:"at,omitzero"`
}

// base is embedded: its fields are those of the outer one.
type base struct {
	Raw json.RawMessage `json:"raw,omitempty"`
	Sum own             `json:"sum"`
}

// own reads its own JSON, a list of numbers that it adds up.
type own int

func (o *own) UnmarshalJSON(data []byte) error {
	var all []int
	err := json.Unmarshal(data, &all)
	for _, n := range all {
		*o += own(n)
	}
	return err
}

type extended struct {
	base

	Name string `json:"name"`
}

func TestReadEmbedded(t *testing.T) {
	var got extended
	d := Read([]byte(`{"raw": {"a" : [1, {}]}, "name": "x", "sum": [1, 2, 4]}`), &got, Options{})
	if len(d.Problems()) > 0 || string(got.Raw) != `{"a" : [1, {}]}` || got.Name != "x" || got.Sum != 7 {
		t.Errorf("Read = %+v, %v, want each field, the raw one as it stands", got, d.Problems())
	}
	d = Read([]byte(`{"raw": null, "sum": 3, "colour": 1, "raw": 1}`), &got, Options{Want: map[reflect.Type]string{reflect.TypeFor[own](): "a list of numbers"}})
	var problems []string
	for _, p := range d.Problems() {
		problems = append(problems, fmt.Sprintf("%d %s: %s, want %s", p.Column, p.Path, p.Value, p.Want))
	}
	if want := []string{"22 sum: found 3, want a list of numbers", "25 colour: unknown key, want one of raw, sum, name", "38 raw: the key is there twice, want it once"}; !slices.Equal(problems, want) {
		t.Errorf("Problems = %q, want %q", problems, want)
	}
}

type outer struct {
	Name  string   `json:"name"`
	Dark  shade    `json:"dark"`
	Yes   bool     `json:"yes"`
	Count uint8    `json:"count"`
	Words []string `json:"words"`
	In    inner    `json:"in"`
	Out   string   `json:"-"`
	Plain int
}

func options() Options {
	return Options{Skip: []string{"schema"}, Want: map[reflect.Type]string{reflect.TypeFor[shade](): "dark or light"}}
}

func TestRead(t *testing.T) {
	var got outer
	d := Read([]byte(`
{"schema": {"x": [1, {}]}, "name": "caf\u00e9 \ud83d\ude00", "dark": "dark", "yes": true, "count": 255, "words": ["a", ""],
 "in": {"n": 7, "also": [{"n": null}, {"at": "2026-10-14T02:04:00+02:00"}], "at": null}}
`), &got, options())
	n := int64(7)
	want := outer{
		Name: "café 😀", Dark: shade{true}, Yes: true, Count: 255, Words: []string{"a", ""},
		In: inner{N: &n, Also: []inner{{}, {At: time.Date(2026, 10, 14, 2, 4, 0, 0, time.FixedZone("", 7200))}}},
	}
	if len(d.Problems()) > 0 || !got.In.Also[1].At.Equal(want.In.Also[1].At) {
		t.Fatalf("Read = %+v, %v", got, d.Problems())
	}
	got.In.Also[1].At = want.In.Also[1].At
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Read = %+v, want %+v", got, want)
	}
}

func TestProblems(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{``, []string{`1:1 : unexpected end of JSON input, want one JSON object`}},
		{"\n null", []string{`2:2 : null, want an object`}},
		{`"x"`, []string{`1:1 : found "x", want an object`}},
		{"{}\n{}", []string{`2:1 : invalid character '{' after top-level value, want one JSON object`}},
		{"{\n \"name\": \"\xff\"}", []string{`2:11 : bytes that are not UTF-8, want UTF-8`}},
		{`{"nam": 1}`, []string{`1:2 nam: unknown key, want "name"`}},
		{`{"Name": "a", "plain": 1, "": 2, "-": 3}`, []string{
			`1:2 Name: unknown key, want "name"`, `1:15 plain: unknown key, want one of name, dark, yes, count, words, in`,
			`1:27 "": unknown key, want one of name, dark, yes, count, words, in`, `1:34 -: unknown key, want one of name, dark, yes, count, words, in`,
		}},
		{"{\"a\\nb\": 1, \"yes\": [1,\n 2]}", []string{`1:2 "a\nb": unknown key, want one of name, dark, yes, count, words, in`, `1:20 yes: found [1,  2], want true or false`}},
		{`{"name": "a", "name": null}`, []string{`1:15 name: the key is there twice, want it once`}},
		{`{"in": {"schema": 1}}`, []string{`1:9 in.schema: unknown key, want one of n, also, at`}},
		{`{"name": ["a"], "dark": "grey", "yes": 1, "count": 256, "words": "a", "in": []}`, []string{
			`1:10 name: found ["a"], want a text`, `1:25 dark: found "grey", want dark or light`, `1:40 yes: found 1, want true or false`,
			`1:52 count: found 256, want a whole number`, `1:66 words: found "a", want a list`, `1:77 in: found [], want an object`,
		}},
		{"{\"words\": [\"a\",\n  null, 7],\n\"in\": {\"also\": [{}, {\"n\": 1.5,\n\"at\": \"2026-10-14T02:04\"}]}}", []string{
			`2:3 words[1]: null, want a value`, `2:9 words[2]: found 7, want a text`, `3:27 in.also[1].n: found 1.5, want a whole number`,
			`4:7 in.also[1].at: found "2026-10-14T02:04", want a time with a zone, like "2026-10-14T02:04:00Z"`,
		}},
		{`{"yes": "` + string(slices.Repeat([]byte("é"), 30)) + `"}`, []string{`1:9 yes: found "ééééééééééééééééééé…, want true or false`}},
	} {
		var got []string
		for _, p := range Read([]byte(c.text), new(outer), options()).Problems() {
			got = append(got, fmt.Sprintf("%d:%d %s: %s, want %s", p.Line, p.Column, p.Path, p.Value, p.Want))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\n%q, want\n%q", c.text, got, c.want)
		}
	}
}

// A later check finds the place of a value, or of the nearest one around it.
func TestFail(t *testing.T) {
	d := Read([]byte("{\"name\": \"a\",\n\"in\": {\"also\": [{},\n{\"n\": 1}]}}"), new(outer), Options{})
	for path, want := range map[string][2]int{
		"": {1, 1}, "name": {1, 10}, "dark": {1, 1}, "in": {2, 7}, "in.at": {2, 7}, "in.also[1]": {3, 1}, "in.also[1].n": {3, 7}, "in.also[2].n": {2, 16},
	} {
		d.problems = nil
		d.Fail(path, "x", "y")
		if p := d.Problems()[0]; p.Path != path || p.Line != want[0] || p.Column != want[1] {
			t.Errorf("Fail(%q) stands at %d:%d, want %v", path, p.Line, p.Column, want)
		}
	}
}

// FuzzRead: what is read without a problem is what encoding/json reads, and what
// encoding/json refuses has a problem, with a place in the text.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"schema": [], "name": "a", "words": ["b", "c"], "in": {"n": 3, "also": [{"at": "2026-10-14T02:04:00Z"}]}}`))
	f.Add([]byte(`{"name": 1, "count": -1, "in": {"also": [null, {"x": {}}]}, "dark": "light"} `))
	f.Fuzz(func(t *testing.T, data []byte) {
		var got, want outer
		d := Read(data, &got, options())
		for _, p := range d.Problems() {
			if p.Line < 1 || p.Column < 1 || p.Value == "" || p.Want == "" || strings.ContainsFunc(p.Path+p.Value, unicode.IsControl) {
				t.Fatalf("problem without a place: %+v", p)
			}
		}
		if len(d.Problems()) > 0 {
			return
		}
		if err := json.Unmarshal(data, &want); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("Read(%s) = %+v, want %+v, %v", data, got, want, err)
		}
	})
}
