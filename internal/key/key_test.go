package key

import (
	"slices"
	"testing"
)

func TestJoin(t *testing.T) {
	for _, tt := range []struct {
		want  string
		parts []string
	}{
		{"acme/INC-1/1/initial", []string{"acme", "INC-1", "1", "initial"}},
		{"a%2Fb/100%25", []string{"a/b", "100%"}},
		{"%252F/%25/%2F%2F", []string{"%2F", "%", "//"}}, // an escape is not an escaped slash
		{"é/ /\x00\xff", []string{"é", " ", "\x00\xff"}}, // nothing else is touched
		{"/", []string{"", ""}},
		{"", []string{""}},
	} {
		if got := Join(tt.parts...); got != tt.want {
			t.Errorf("Join(%q) = %q, want %q", tt.parts, got, tt.want)
		}
		if got := Split(tt.want); !slices.Equal(got, tt.parts) {
			t.Errorf("Split(%q) = %q, want %q", tt.want, got, tt.parts)
		}
	}
	for text, want := range map[string][]string{"%2f/%": {"%2f", "%"}, "%41": {"%41"}} {
		if got := Split(text); !slices.Equal(got, want) {
			t.Errorf("Split(%q) = %q, want %q", text, got, want)
		}
	}
}

// FuzzJoin: a key gives its parts back, so no two lists share one.
func FuzzJoin(f *testing.F) {
	f.Add("a/b", "", "%2F%25")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		parts := []string{a, b, c}
		if got := Split(Join(parts...)); !slices.Equal(got, parts) {
			t.Errorf("Split(Join(%q)) = %q", parts, got)
		}
		if !slices.Equal(parts, []string{a, b, c}) {
			t.Errorf("Join changed its arguments to %q", parts)
		}
	})
}
