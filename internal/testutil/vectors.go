// Package testutil holds what the tests of several packages share: the runner
// for the case files and the look-up of optional data.
package testutil

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Kinds maps the kind of a case to its check. A check returns nil for a pass,
// [SkipCase] for a case whose data is absent, and any other error for a miss.
type Kinds map[string]func(Case) error

// Case is one case of a file of independent expectations.
type Case struct {
	ID   string
	Kind string // its "kind", else its "provider", else List, else the unit of a row
	List string // the name of the list that it stands in
	Raw  json.RawMessage

	file *File
}

// Decode unmarshals the case into v, refusing nothing but wrong types.
func (c Case) Decode(v any) error { return json.Unmarshal(c.Raw, v) }

// Path resolves a path named inside the case, relative to the case file. ok is
// false where the file is absent.
func (c Case) Path(relative string) (path string, ok bool) {
	for _, dir := range []string{c.file.dir, Shared("vectors", c.file.area)} {
		path = filepath.Join(dir, relative)
		if _, err := os.Stat(path); err == nil {
			return path, true
		}
	}
	return "", false
}

type skipError string

// Error says why the case does not run.
func (s skipError) Error() string { return "skipped: " + string(s) }

// SkipCase is returned by a check whose case cannot run because of why. The
// case is logged by name and counts neither as passed nor in the total.
func SkipCase(why string) error { return skipError(why) }

// File is an open file of cases.
type File struct {
	t      *testing.T
	area   string
	name   string
	dir    string
	fields map[string]json.RawMessage
	order  []string
}

// OpenVectors opens the case file of an area. It is looked for in the directory
// $EVENKEEL_VECTORS (there in the folder of the area, or at the top), else in
// testdata/vectors of the package under test.
func OpenVectors(t *testing.T, area, name string) *File {
	t.Helper()
	dirs := []string{filepath.Join("testdata", "vectors")}
	if dir := os.Getenv("EVENKEEL_VECTORS"); dir != "" {
		dirs = []string{filepath.Join(dir, area), dir}
	}
	for _, dir := range dirs {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		f := &File{t: t, area: area, name: name, dir: dir}
		if err := f.parse(data); err != nil {
			t.Fatalf("%s: %v", filepath.Join(dir, name), err)
		}
		return f
	}
	t.Fatalf("no case file %s in %s", name, strings.Join(dirs, " or "))
	return nil
}

// parse keeps the order of the top-level keys, which is the order of the lists.
func (f *File) parse(data []byte) error {
	if err := json.Unmarshal(data, &f.fields); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if _, err := dec.Token(); err != nil {
		return err
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		f.order = append(f.order, key.(string))
		var skip json.RawMessage
		if err := dec.Decode(&skip); err != nil {
			return err
		}
	}
	return nil
}

// Fixture unmarshals another top-level value of the file, such as a set of
// calendars that the cases name.
func (f *File) Fixture(key string, v any) {
	f.t.Helper()
	raw, ok := f.fields[key]
	if !ok {
		f.t.Fatalf("%s: no top-level key %q", f.name, key)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		f.t.Fatalf("%s: %s: %v", f.name, key, err)
	}
}

// Run checks every case of the file. It logs `kind <kind>: P/T` per kind and
// `vectors <area>/<file>: P/T` at the end, and fails on a miss and on a kind
// that is not in kinds.
func (f *File) Run(t *testing.T, kinds Kinds) {
	t.Helper()
	type tally struct{ passed, total int }
	tallies := map[string]*tally{}
	cases, err := f.cases()
	if err != nil {
		t.Fatalf("%s: %v", f.name, err)
	}
	if len(cases) == 0 {
		t.Fatalf("%s: no case", f.name)
	}
	for _, c := range cases {
		check, known := kinds[c.Kind]
		if !known {
			t.Errorf("%s %s: kind %q has no check", f.name, c.ID, c.Kind)
			continue
		}
		sum := tallies[c.Kind]
		if sum == nil {
			sum = &tally{}
			tallies[c.Kind] = sum
		}
		sum.total++
		switch err := check(c); {
		case err == nil:
			sum.passed++
		case errors.As(err, new(skipError)):
			sum.total--
			t.Logf("%s %s (%s) %v", f.name, c.ID, c.Kind, err)
		default:
			t.Errorf("%s %s (%s): %v", f.name, c.ID, c.Kind, err)
		}
	}
	var passed, total int
	for _, kind := range slices.Sorted(maps.Keys(tallies)) {
		t.Logf("kind %s: %d/%d", kind, tallies[kind].passed, tallies[kind].total)
		passed += tallies[kind].passed
		total += tallies[kind].total
	}
	t.Logf("vectors %s/%s: %d/%d", f.area, f.name, passed, total)
}

// cases collects the lists of the file: "cases" or "vectors" where one of them
// is there, "rows" of arrays, else every top-level list of objects.
func (f *File) cases() ([]Case, error) {
	lists := f.order
	for _, main := range []string{"cases", "vectors", "rows"} {
		if _, ok := f.fields[main]; ok {
			lists = []string{main}
			break
		}
	}
	var all []Case
	for _, list := range lists {
		var items []json.RawMessage
		if json.Unmarshal(f.fields[list], &items) != nil {
			continue
		}
		for i, raw := range items {
			c := Case{Raw: raw, Kind: list, List: list, ID: fmt.Sprintf("%s[%d]", list, i), file: f}
			if err := f.identify(&c); err != nil {
				return nil, fmt.Errorf("%s[%d]: %w", list, i, err)
			}
			all = append(all, c)
		}
	}
	return all, nil
}

func (f *File) identify(c *Case) error {
	if bytes.HasPrefix(bytes.TrimSpace(c.Raw), []byte("[")) {
		return f.identifyRow(c)
	}
	var head struct{ ID, Kind, Provider string }
	if err := json.Unmarshal(c.Raw, &head); err != nil {
		return err
	}
	switch {
	case head.Kind != "":
		c.Kind = head.Kind
	case head.Provider != "":
		c.Kind = head.Provider
	}
	if head.ID != "" {
		c.ID = head.ID
	}
	return nil
}

// identifyRow reads a row of columns named by meta.columns: its id is the first
// column, its kind the one named "unit".
func (f *File) identifyRow(c *Case) error {
	var meta struct{ Columns []string }
	if err := json.Unmarshal(f.fields["meta"], &meta); err != nil {
		return err
	}
	var row []any
	if err := json.Unmarshal(c.Raw, &row); err != nil {
		return err
	}
	if unit := slices.Index(meta.Columns, "unit"); unit >= 0 && unit < len(row) {
		c.Kind = fmt.Sprint(row[unit])
	}
	if len(row) == 0 {
		return errors.New("the row is empty")
	}
	c.ID = fmt.Sprint(row[0])
	return nil
}

// SharedFile returns the path of a file below ../shared beside the checkout. It
// skips the test, by name, where the file is absent.
func SharedFile(tb testing.TB, elements ...string) string {
	tb.Helper()
	path := Shared(elements...)
	if _, err := os.Stat(path); err != nil {
		tb.Skipf("skipped: shared/%s is not here", strings.Join(elements, "/"))
	}
	return path
}

// Shared is the path of a file below ../shared, found from any folder of the
// checkout, whether the file is there or not.
func Shared(elements ...string) string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil {
			return filepath.Join(append([]string{dir, "..", "shared"}, elements...)...)
		}
	}
	return ""
}
