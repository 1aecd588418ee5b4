package labelset_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/internal/labelset"
)

var long = strings.Repeat("x", 300)

// lists differ from each other, some by where a text ends or by the order alone.
var lists = []correlation.Labels{
	nil,
	{{Name: "a", Value: "b"}},
	{{Name: "a", Value: ""}},
	{{Name: "ab", Value: ""}},
	{{Name: "a", Value: "b"}, {Name: "c", Value: "d"}},
	{{Name: "a", Value: "bc"}, {Name: "c", Value: "d"}},
	{{Name: "a", Value: "b"}, {Name: "c", Value: "cd"}},
	{{Name: "c", Value: "d"}, {Name: "a", Value: "b"}},
	{{Name: long, Value: long[1:]}},
	{{Name: long, Value: long}},
	{{Name: "\x80", Value: "\x00"}, {Name: "ü", Value: "\xff"}},
}

// What is kept is what was asked for, and nothing else.
func TestSet(t *testing.T) {
	var shapes labelset.Shapes
	var asked labelset.Asked
	sets := make([]labelset.Set, len(lists))
	for n, list := range lists {
		shapes.Ask(&asked, list)
		sets[n] = shapes.Keep(&asked)
	}
	for n, list := range lists {
		shapes.Ask(&asked, list)
		if !asked.Known() || asked.Hash() != sets[n].Hash() {
			t.Errorf("labels %d: known %v, or the hash is another one", n, asked.Known())
		}
		for m := range sets {
			if got := sets[m].Is(&asked); got != (m == n) {
				t.Errorf("set %d is labels %d: %v", m, n, got)
			}
			if got := sets[m] == sets[n]; got != (m == n) {
				t.Errorf("set %d == set %d: %v", m, n, got)
			}
		}
		if got := sets[n].Labels(); !reflect.DeepEqual(got, list) {
			t.Errorf("labels of set %d are %q, want %q", n, got, list)
		}
		for _, name := range []string{"a", "c", "ab", long, "ü", "missing"} {
			if got, want := sets[n].Get(name), list.Get(name); got != want {
				t.Errorf("set %d: Get(%.10q) is %.10q, want %.10q", n, name, got, want)
			}
		}
	}
}

// Names are known as long as a set has them.
func TestDrop(t *testing.T) {
	var shapes labelset.Shapes
	var asked labelset.Asked
	one := correlation.Labels{{Name: "a", Value: "1"}}
	shapes.Ask(&asked, one)
	if asked.Known() {
		t.Error("names of nobody are known")
	}
	first := shapes.Keep(&asked)
	shapes.Ask(&asked, correlation.Labels{{Name: "a", Value: "2"}})
	second := shapes.Keep(&asked)
	shapes.Drop(first)
	if shapes.Ask(&asked, one); !asked.Known() {
		t.Error("names of a set are not known")
	}
	shapes.Drop(second)
	if shapes.Ask(&asked, one); asked.Known() {
		t.Error("names that no set has any more are known")
	}
}

// To look for labels costs no allocation, to keep them one.
func TestAllocations(t *testing.T) {
	var shapes labelset.Shapes
	var asked labelset.Asked
	list := correlation.Labels{{Name: "a", Value: "b"}, {Name: "c", Value: long}}
	shapes.Ask(&asked, list)
	set := shapes.Keep(&asked)
	if n := testing.AllocsPerRun(100, func() {
		if shapes.Ask(&asked, list); !set.Is(&asked) {
			t.Fatal("the set is not what was asked for")
		}
	}); n != 0 {
		t.Errorf("%v allocations to look for labels, want 0", n)
	}
	if n := testing.AllocsPerRun(100, func() { set = shapes.Keep(&asked) }); n != 1 {
		t.Errorf("%v allocations to keep labels, want 1", n)
	}
}
