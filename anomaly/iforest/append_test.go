package iforest_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/evenkeelops/evenkeel/anomaly/iforest"
)

// The path of a row in a joint forest is the mean of its paths in the parts, by trees.
func TestAppend(t *testing.T) {
	r := rand.New(rand.NewPCG(61, 61))
	grow := func(trees, d, psi int) *iforest.Forest {
		f, err := iforest.Fit(normalTable(r, 300, d), &iforest.Options{Trees: trees, MaxSamples: psi, Seed: r.Uint32(), Contamination: 0.1})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	a, b, c := grow(30, 3, 64), grow(7, 3, 64), grow(1, 3, 64)
	all, err := iforest.Append(a, b, c)
	if err != nil {
		t.Fatal(err)
	}
	if want := (30*a.Offset() + 7*b.Offset() + c.Offset()) / 38; all.Trees() != 38 || all.MaxSamples() != 64 || math.Abs(all.Offset()-want) > 1e-12 {
		t.Errorf("%d trees of %d rows, offset %v, want 38, 64, %v", all.Trees(), all.MaxSamples(), all.Offset(), want)
	}
	path := func(f *iforest.Forest, row []float64) float64 {
		s, err := f.Score(row)
		if err != nil {
			t.Fatal(err)
		}
		return -math.Log2(-s) // mean path over c(psi)
	}
	credit, part := make([]float64, 3), make([]float64, 3)
	for _, row := range normalTable(r, 100, 3) {
		want := (30*path(a, row) + 7*path(b, row) + path(c, row)) / 38
		if got := path(all, row); math.Abs(got-want) > 1e-12 {
			t.Fatalf("path of %v = %v, want %v", row, got, want)
		}
		if err := all.Attribute(credit, row); err != nil {
			t.Fatal(err)
		}
		for _, x := range []struct {
			f *iforest.Forest
			n float64
		}{{a, 30}, {b, 7}, {c, 1}} {
			if err := x.f.Attribute(part, row); err != nil {
				t.Fatal(err)
			}
			for j := range part {
				credit[j] -= part[j] * x.n / 38
			}
		}
		for _, rest := range credit {
			if math.Abs(rest) > 1e-5 {
				t.Fatalf("credit of %v differs from that of the parts by %v", row, rest)
			}
		}
	}
	data, err := all.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := iforest.ParseForest(data); err != nil {
		t.Errorf("the joint forest is not read again: %v", err)
	}
	for name, bad := range map[string][]*iforest.Forest{"none": nil, "columns": {a, grow(2, 4, 64)}, "rows per tree": {a, grow(2, 3, 32)}} {
		if _, err := iforest.Append(bad...); !errors.As(err, new(*iforest.OptionError)) {
			t.Errorf("%s: %v, want an OptionError", name, err)
		}
	}
}
