package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
	"testing"
)

// lines type-checks a package and returns its features.
func lines(t *testing.T, source string) []string {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "p.go", "package p\n"+source, 0)
	if err != nil {
		t.Fatal(err)
	}
	pkg, err := (&types.Config{}).Check("m/p", files, []*ast.File{file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return features(pkg, "m")
}

const before = `
const Most = 3
var Default T
type T struct {
	Name string
	inner
	seen map[string]int
}
type inner struct{ Count int }
func (inner) Sum(int) int { return 0 }
func (*T) Set(name string, more ...func(n int) error) (ok bool, err error) { return }
func (T) hidden() {}
type Level int
func (l Level) String() string { return "" }
type Store interface { Load(key string) ([]byte, error); Keys() []string }
type Closed interface { Do(); closed() }
type Pair[K comparable, V any] struct { Key K; Value V }
type Short = map[string]Level
func Find[T any](list []T, is func(T) bool) (int, *T) { return 0, nil }
`

func TestFeatures(t *testing.T) {
	want := []string{
		"const Most untyped int = 3",
		"func Find[T any]([]T, func(T) bool) (int, *T)",
		"method (*T) Set(string, ...func(int) error) (bool, error)",
		"method (Level) String() string",
		"method (T) Sum(int) int",
		"type Closed interface, Do()",
		"type Closed interface, methods that are not exported",
		"type Level int",
		"type Pair[K comparable, V any] struct",
		"type Pair[K comparable, V any] struct, Key K",
		"type Pair[K comparable, V any] struct, Value V",
		"type Short = map[string]Level",
		"type Store interface { Keys() []string; Load(string) ([]byte, error) }",
		"type T struct",
		"type T struct, Count int",
		"type T struct, Name string",
		"var Default T",
	}
	if got := lines(t, before); !slices.Equal(got, want) {
		t.Errorf("features are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// What an edit takes from those who use the package.
func TestCompare(t *testing.T) {
	for _, c := range []struct {
		name, old, replaced string
		gone                []string
	}{
		{"names of parameters", "Set(name string, more", "Set(n string, others", nil},
		{"a new field", "Name string", "Name string; More int", nil},
		{"a new function", "const Most", "func New() {}; const Most", nil},
		{"a method more that nobody else implements", "Do();", "Do(); More();", nil},
		{"another value", "Most = 3", "Most = 4", []string{"const Most untyped int = 3"}},
		{"a field that is gone", "Name string", "", []string{"type T struct, Name string"}},
		{"a promoted field that is gone", "inner struct{ Count int }", "inner struct{}", []string{"type T struct, Count int"}},
		{"a method of pointers alone", "(l Level) String", "(l *Level) String", []string{"method (Level) String() string"}},
		{"another result", "(ok bool, err error)", "(ok int, err error)", []string{"method (*T) Set(string, ...func(int) error) (bool, error)"}},
		{"a method more to implement", "Keys() []string", "Keys() []string; Drop()", []string{"type Store interface { Keys() []string; Load(string) ([]byte, error) }"}},
		{"a constraint", "K comparable", "K any", []string{
			"type Pair[K comparable, V any] struct", "type Pair[K comparable, V any] struct, Key K", "type Pair[K comparable, V any] struct, Value V",
		}},
	} {
		if !strings.Contains(before, c.old) {
			t.Fatalf("%s: no %q", c.name, c.old)
		}
		promise := map[string][]string{"p.txt": lines(t, before)}
		now := map[string][]string{"p.txt": lines(t, strings.Replace(before, c.old, c.replaced, 1))}
		var except []string
		for _, line := range c.gone {
			except = append(except, "p.txt: "+line)
		}
		err := compare(promise, now, nil)
		if (err != nil) != (len(c.gone) > 0) {
			t.Errorf("%s: compare = %v, want an error for %q", c.name, err, c.gone)
		}
		for _, line := range except {
			if err != nil && !strings.Contains(err.Error(), "\n- "+line+"\n") {
				t.Errorf("%s: compare = %v, want %q named", c.name, err, line)
			}
		}
		if err := compare(promise, now, except); err != nil {
			t.Errorf("%s: compare with exceptions = %v", c.name, err)
		}
	}
	promise := map[string][]string{"p.txt": {"type T struct"}}
	if err := compare(promise, promise, []string{"p.txt: type T struct"}); err == nil || !strings.Contains(err.Error(), "needless") {
		t.Errorf("compare = %v, want a needless exception named", err)
	}
	if err := compare(promise, nil, nil); err == nil || !strings.Contains(err.Error(), "- p.txt: type T struct") {
		t.Errorf("compare = %v, want a package that is gone named", err)
	}
}

// A struct that can no longer be compared breaks programs that did.
func TestComparable(t *testing.T) {
	if got := lines(t, "type T struct{ a int }"); !slices.Contains(got, "type T struct, comparable") {
		t.Errorf("features = %q, want it comparable", got)
	}
	if got := lines(t, "type T struct{ a []int }"); slices.Contains(got, "type T struct, comparable") {
		t.Errorf("features = %q, want it not comparable", got)
	}
}

func TestReadExceptions(t *testing.T) {
	got, err := readExceptions("# The name was wrong.\na.txt: type A int\na.txt: type B int\n\n# Nobody could use it.\nb.txt: func C()\n")
	if want := []string{"a.txt: type A int", "a.txt: type B int", "b.txt: func C()"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("readExceptions = %q, %v, want %q", got, err, want)
	}
	for _, text := range []string{"a.txt: type A int\n", "#\na.txt: type A int\n", "# One.\na.txt: type A int\n\nb.txt: func C()\n"} {
		if got, err := readExceptions(text); err == nil {
			t.Errorf("readExceptions(%q) = %q, want no reason found", text, got)
		}
	}
}

func TestPromised(t *testing.T) {
	got := promised([]string{"m/sla/money", "m/sla", "m/internal/key", "m/anomaly/internal/stats", "m/examples/portal", "m/adapters/adaptertest", "m/internals"}, "m")
	if want := []string{"m/internals", "m/sla", "m/sla/money"}; !slices.Equal(got, want) {
		t.Errorf("promised = %q, want %q", got, want)
	}
}

// A module counts once, whatever number of its packages is linked.
func TestRows(t *testing.T) {
	type mod = struct {
		Path string
		Main bool
	}
	m := &module{path: "m", packages: map[string]*listed{
		"fmt":       {Standard: true},
		"m/sla":     {Deps: []string{"fmt", "unsafe", "m/money", "x.org/y/z", "x.org/y"}},
		"m/money":   {Module: &mod{"m", true}},
		"x.org/y":   {Module: &mod{"x.org/y", false}},
		"x.org/y/z": {Module: &mod{"x.org/y", false}},
	}}
	if got, want := m.row("m/sla"), "| [`sla`](../sla) | 2 | 2 | `x.org/y` |"; got != want {
		t.Errorf("row = %q, want %q", got, want)
	}
	page := "head | x |\n" + m.row("m/sla") + " 1.2 |\n" + m.row("m/money") + " 0.4 |\n"
	if got := maps.Collect(measured(page)); len(got) != 2 || got[m.row("m/sla")] != "1.2" || got[m.row("m/money")] != "0.4" {
		t.Errorf("measured = %q, want the sizes by row", got)
	}
	if got, want := m.row("m/money"), "| [`money`](../money) | 1 | 0 | – |"; got != want {
		t.Errorf("row = %q, want %q", got, want)
	}
}
