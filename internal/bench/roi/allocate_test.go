package main

import "testing"

func TestCheck(t *testing.T) {
	b, err := newBooks(5000, 50)
	if err != nil {
		t.Fatal(err)
	}
	a, err := b.allocate()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.check(a); err != nil {
		t.Error(err)
	}
	a.Lines[0], a.Lines = a.Lines[1], a.Lines[:len(a.Lines)-1]
	if err := b.check(a); err == nil {
		t.Error("a missing line passes")
	}
}
