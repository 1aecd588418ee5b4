package logs_test

import (
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/anomaly/logs"
)

// Redact looks at lines of any length. These are a megabyte of what once cost the square of
// its length: minutes each, so that the time limit of the test would end it.
func TestRedactIsLinear(t *testing.T) {
	const size = 1 << 20
	for _, c := range []struct {
		name, begin, repeated, end string
		same                       bool // nothing in it is a value
	}{
		{name: "escaped quotes", repeated: `"\`, same: true},
		{name: "full stops", repeated: ".", same: true},
		{name: "full stops behind a number", begin: "1", repeated: ".;!"},
		{name: "thousands that end in a letter", begin: "1", repeated: ",000", end: "x"},
	} {
		line := c.begin + strings.Repeat(c.repeated, size/len(c.repeated)) + c.end
		got := logs.Redact(line)
		if c.same && got != line {
			t.Errorf("%s: %d bytes became %d, want them as they were", c.name, len(line), len(got))
		}
		if strings.ContainsAny(got, "0123456789") {
			t.Errorf("%s: digits are left", c.name)
		}
	}
}

// A quote without an end does not hide one that has an end in another part of the line, nor
// values behind it.
func TestRedactBehindOpenQuotes(t *testing.T) {
	for line, want := range map[string]string{
		`a "b c" d "e \" 7`:             `a <str> d "e \" <num>`,
		`said "\"\" 12 and "x" end`:     `said <str>x" end`,
		`{"msg":"open \" 5","n":6}`:     `{"msg":"open \" <num>","n":<num>}`,
		"wait" + strings.Repeat(".", 3): "wait...",
	} {
		if got := logs.Redact(line); got != want {
			t.Errorf("Redact(%q) = %q, want %q", line, got, want)
		}
	}
}
