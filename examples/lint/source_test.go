package main

import (
	"strings"
	"testing"
)

func TestExcerpt(t *testing.T) {
	long := "a: " + strings.Repeat("abcdef", 10)
	for _, c := range []struct {
		name, kind, text string
		line, col        int
		want             string
	}{
		{"first column", "slo", "version: 1\n", 1, 1, "  version: 1\n  ^\n"},
		{"within", "slo", "a: 1\r\nb:   2 \nc", 2, 6, "  b:   2\n       ^\n"},
		{"behind the end", "slo", "a:", 1, 3, "  a:\n    ^\n"},
		{"tab", "slo", "a:\tx", 1, 4, "  a:\tx\n    \t^\n"},
		{"byte order mark", "slo", "\ufeffa: 1", 1, 4, "  a: 1\n     ^\n"},
		{"wide and combining", "slo", "日本: e\u0301x", 1, 7, "  日本: e\u0301x\n         ^\n"},
		{"escape codes", "slo", "a: \x1b[2Jb", 1, 4, "  a: �[2Jb\n     ^\n"},
		{"long, near the end", "slo", long + "é!", 1, 64, "  …" + long[13:] + "é!\n   " + strings.Repeat(" ", 50) + "^\n"},
		{"no such line", "slo", "a", 2, 1, ""},
		{"no such column", "slo", "a", 1, 3, ""},
		{"no place", "slo", "a", 0, 0, ""},
		{"secrets of the kind", "bridge", "url: 'https://hooks.example/x'", 1, 1, ""},
		{"secrets of a portal", "portal", "mail: {from: me}", 1, 1, ""},
		{"no kind", "", "a: 1", 1, 1, ""},
		{"a secret in another file", "slo", "routing_key: abc", 1, 1, ""},
		{"a secret below its key", "slo", "mail:\n  password:\n\n    hush", 4, 5, ""},
		{"a secret of a list", "slo", "tokens:\n- a: 1\n  b: hush", 3, 3, ""},
		{"beside a secret", "slo", "mail:\n  token: x\n  from: me", 3, 3, "    from: me\n    ^\n"},
		{"an address", "slo", "at: 'https://bot:hush@x.example'", 1, 1, ""},
		{"a line of a machine", "slo", "a: " + strings.Repeat("x", 1<<14), 1, 1, ""},
	} {
		if got := newSource(c.kind, []byte(c.text)).excerpt(c.line, c.col); got != c.want {
			t.Errorf("%s:\n%q, want\n%q", c.name, got, c.want)
		}
	}
}

// Whatever a file holds, what is shown of it is two short lines.
func FuzzExcerpt(f *testing.F) {
	f.Add("slo", []byte("a: 1\nb: 2"), 2, 4)
	f.Fuzz(func(t *testing.T, kind string, data []byte, line, col int) {
		got := newSource(kind, data).excerpt(line, col)
		if n := len([]rune(got)); n > 3*(widest+10) || strings.ContainsAny(got, "\x1b\r\x00") || got != "" && strings.Count(got, "\n") != 2 {
			t.Fatalf("%d characters: %q", n, got)
		}
	})
}
