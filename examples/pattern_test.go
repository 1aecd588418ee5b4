package examples_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
)

// matchJSON compares a JSON text, which must be one value and nothing else, with
// a pattern.
func matchJSON(data []byte, pattern any) error {
	var got any
	if err := json.Unmarshal(data, &got); err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	return match("", "", got, pattern)
}

// matchLines compares one object a line, with one pattern for each; the head line
// of the envelope is passed over.
func matchLines(data []byte, patterns []any) error {
	head := []string{"inputs", "now", "schema", "warnings"}
	var lines []any
	n := 0
	for line := range bytes.Lines(data) {
		n++
		var object map[string]any
		if err := json.Unmarshal(line, &object); err != nil {
			return fmt.Errorf("line %d: not a JSON object: %w", n, err)
		}
		if n == 1 && slices.Equal(slices.Sorted(maps.Keys(object)), head) {
			continue
		}
		lines = append(lines, object)
	}
	return match("", "", lines, patterns)
}

// match compares a value with a pattern: the keys of an object must be there and
// match, others are free; {"$contains": [...]} wants an array with a match for
// each element, in any order; other arrays have the same length and order;
// numbers are equal within 1e-9 of their size, or within 2e-6 where the key that
// they stand under, perhaps in an array, ends in "_percent". The path names the
// place in the errors.
func match(path, key string, got, pattern any) error {
	switch want := pattern.(type) {
	case map[string]any:
		if items, ok := want["$contains"].([]any); ok && len(want) == 1 {
			return matchSome(path, key, got, items)
		}
		return matchObject(path, got, want)
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return fmt.Errorf("%s: found %s, want an array of %d", path, short(got), len(want))
		}
		var problems []error
		for i := range want {
			problems = append(problems, match(fmt.Sprintf("%s[%d]", path, i), key, list[i], want[i]))
		}
		return errors.Join(problems...)
	case float64:
		number, ok := got.(float64)
		tolerance := 1e-9 * max(1, math.Abs(want))
		if strings.HasSuffix(key, "_percent") {
			tolerance = 2e-6
		}
		if !ok || math.Abs(number-want) > tolerance {
			return fmt.Errorf("%s: found %s, want %v", path, short(got), want)
		}
		return nil
	}
	// Text, true, false and null.
	switch got.(type) {
	case map[string]any, []any: // not comparable
	default:
		if got == pattern {
			return nil
		}
	}
	return fmt.Errorf("%s: found %s, want %s", path, short(got), short(pattern))
}

func matchObject(path string, got any, want map[string]any) error {
	object, ok := got.(map[string]any)
	if !ok {
		return fmt.Errorf("%s: found %s, want an object", path, short(got))
	}
	var problems []error
	for _, key := range slices.Sorted(maps.Keys(want)) {
		at := strings.TrimPrefix(path+"."+key, ".")
		value, ok := object[key]
		if !ok {
			problems = append(problems, fmt.Errorf("%s: missing", at))
			continue
		}
		problems = append(problems, match(at, key, value, want[key]))
	}
	return errors.Join(problems...)
}

func matchSome(path, key string, got any, items []any) error {
	list, ok := got.([]any)
	if !ok {
		return fmt.Errorf("%s: found %s, want an array", path, short(got))
	}
	var problems []error
	for _, want := range items {
		if !slices.ContainsFunc(list, func(item any) bool { return match(path, key, item, want) == nil }) {
			problems = append(problems, fmt.Errorf("%s: no element of %s matches %s", path, short(got), short(want)))
		}
	}
	return errors.Join(problems...)
}

// short prints a value as JSON, cut to what a message can bear.
func short(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	if len(data) > 300 {
		return string(data[:300]) + "…"
	}
	return string(data)
}

// The comparison must fail where it should.
func TestMatch(t *testing.T) {
	for _, c := range []struct {
		got, pattern string
		want         string // "" for a match, else a part of the message
	}{
		{`{"a": 1, "b": 2}`, `{"a": 1}`, ""},
		{`{"a": {"b": {"c": true, "d": 1}}}`, `{"a": {"b": {"c": true}}}`, ""},
		{`{"a": {"b": {"c": true}}}`, `{"a": {"b": {"c": false}}}`, "a.b.c: found true, want false"},
		{`{"a": 1}`, `{}`, ""},
		{`{"a": 1}`, `{"a": 1, "b": null}`, "b: missing"},
		{`{"a": 1}`, `{"b": 1, "c": 1}`, "c: missing"},
		{`[]`, `{}`, "want an object"},
		{`null`, `{}`, "want an object"},
		{`null`, `[]`, "want an array of 0"},
		{`{}`, `[]`, "want an array of 0"},

		{`{"a": null}`, `{"a": null}`, ""},
		{`{"a": 0}`, `{"a": null}`, "a: found 0, want null"},
		{`{"a": null}`, `{"a": 0}`, "a: found null, want 0"},
		{`{"a": false}`, `{"a": null}`, "a: found false, want null"},
		{`{"a": ""}`, `{"a": null}`, "a: found"},
		{`{"a": []}`, `{"a": null}`, "a: found [], want null"},
		{`{"a": {}}`, `{"a": "x"}`, `a: found {}, want "x"`},
		{`{"a": "x"}`, `{"a": "x"}`, ""},
		{`{"a": "x"}`, `{"a": "X"}`, `a: found "x", want "X"`},
		{`{"a": "1"}`, `{"a": 1}`, `a: found "1", want 1`},
		{`{"a": 1}`, `{"a": "1"}`, `a: found 1, want "1"`},
		{`{"a": 1}`, `{"a": true}`, "a: found 1, want true"},

		{`[1, 2]`, `[1, 2]`, ""},
		{`[1, 2, 3]`, `[1, 2]`, "want an array of 2"},
		{`[1]`, `[1, 2]`, "want an array of 2"},
		{`[2, 1]`, `[1, 2]`, "[0]: found 2, want 1"},
		{`{"a": [{"b": 1, "c": 2}, {"b": 3}]}`, `{"a": [{"b": 1}, {"b": 4}]}`, "a[1].b: found 3, want 4"},
		{`{"a": []}`, `{"a": []}`, ""},

		{`[{"x": 1}, {"x": 2, "y": 0}]`, `{"$contains": [{"x": 2}]}`, ""},
		{`[3, 1, 2]`, `{"$contains": [2, 3]}`, ""},
		{`[1]`, `{"$contains": []}`, ""},
		{`[{"x": 1}]`, `{"$contains": [{"x": 2}]}`, `no element of [{"x":1}] matches {"x":2}`},
		{`{"w": [1, 2]}`, `{"w": {"$contains": [2, 5]}}`, "w: no element of [1,2] matches 5"},
		{`{"x": 2}`, `{"$contains": [2]}`, "want an array"},
		{`[[{"x": 1}], [{"y": [1, 2]}]]`, `[{"$contains": []}, {"$contains": [{"y": {"$contains": [2]}}]}]`, ""},
		{`{"$contains": [1], "a": 1}`, `{"$contains": [1], "a": 1}`, ""}, // only alone it means anything
		{`{"$schema": "x"}`, `{"$schema": "x"}`, ""},

		{`{"v": 1.0000000005}`, `{"v": 1}`, ""},
		{`{"v": 1.000000002}`, `{"v": 1}`, "v: found 1.000000002, want 1"},
		{`{"v": 0.0000000005}`, `{"v": 0}`, ""},
		{`{"v": 1000000000.5}`, `{"v": 1000000000}`, ""},
		{`{"v": 1000000002}`, `{"v": 1000000000}`, "v: found"},
		{`{"v": -1000000002}`, `{"v": -1000000000}`, "v: found"},
		{`{"v": -1}`, `{"v": 1}`, "v: found -1, want 1"},
		{`{"v_percent": 99.0000019}`, `{"v_percent": 99}`, ""},
		{`{"v_percent": 99.0000021}`, `{"v_percent": 99}`, "v_percent: found"},
		{`{"v_percent": [99.0000019, 1]}`, `{"v_percent": [99, 1]}`, ""},
		{`{"v_percent": [99.0000019]}`, `{"v_percent": {"$contains": [99]}}`, ""},
		{`{"v_percent": {"s": 99.0000019}}`, `{"v_percent": {"s": 99}}`, "v_percent.s: found"},
		{`{"percent": 99.0000019}`, `{"percent": 99}`, "percent: found"},
		{`{"v_percent": null}`, `{"v_percent": 0}`, "v_percent: found null"},

		{`{"a": 1} {"a": 1}`, `{"a": 1}`, "not JSON"},
		{`{"a": 1`, `{"a": 1}`, "not JSON"},
		{``, `{}`, "not JSON"},
		{`{"a": NaN}`, `{"a": null}`, "not JSON"},
	} {
		err := matchJSON([]byte(c.got), decode(t, c.pattern))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("match(%s, %s) = %v, want %q", c.got, c.pattern, err, c.want)
		}
	}
}

// All differences are named at once.
func TestMatchNamesAll(t *testing.T) {
	err := matchJSON([]byte(`{"a": 1, "b": [1, 2], "d": "x"}`), decode(t, `{"a": 2, "b": [3, 4], "c": 0, "d": "x"}`))
	want := "a: found 1, want 2\nb[0]: found 1, want 3\nb[1]: found 2, want 4\nc: missing"
	if err == nil || err.Error() != want {
		t.Errorf("match reports\n%v\nwant\n%s", err, want)
	}
}

func TestMatchLines(t *testing.T) {
	const head = `{"schema": "x/v1", "now": "2026-10-01T00:00:00Z", "inputs": [], "warnings": []}` + "\n"
	for _, c := range []struct {
		got, patterns string
		want          string
	}{
		{head + "{\"a\": 1}\n{\"a\": 2}\n", `[{"a": 1}, {"a": 2}]`, ""},
		{"{\"a\": 1}\n{\"a\": 2}\n", `[{"a": 1}, {"a": 2}]`, ""},
		{head, `[]`, ""},
		{"", `[]`, ""},
		{head + "{\"a\": 1}\n", `[]`, "want an array of 0"},
		{head + head, `[{"schema": "x/v1"}]`, ""}, // only the first line is a head
		{`{"schema": "x/v1", "a": 1}` + "\n", `[{"a": 1}]`, ""},
		{head + "{\"a\": 1}\n", `[{"a": 2}]`, "[0].a: found 1, want 2"},
		{head + "{\"a\": 1}\n", `[{"a": 1}, {"a": 2}]`, "want an array of 2"},
		{head + "{\"a\": 1}\n\n", `[{"a": 1}]`, "line 3: not a JSON object"},
		{head + "[1]\n", `[[1]]`, "line 2: not a JSON object"},
		{head + "{\"a\": 1} {\"a\": 2}\n", `[{"a": 1}, {"a": 2}]`, "line 2: not a JSON object"},
	} {
		patterns := decode(t, c.patterns).([]any)
		err := matchLines([]byte(c.got), patterns)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("matchLines(%q, %s) = %v, want %q", c.got, c.patterns, err, c.want)
		}
	}
}

func decode(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}
