// Package enum writes and reads named numbers for the packages of anomaly. names holds the
// text of 0, 1, 2 …, "" where there is none.
package enum

import (
	"fmt"
	"slices"
	"strings"
)

// String is the text of a number, or "kind(n)" where it has none.
func String(names []string, kind string, n uint8) string {
	if int(n) < len(names) && names[n] != "" {
		return names[n]
	}
	return fmt.Sprintf("%s(%d)", kind, n)
}

// Text is the text of a number, as MarshalText gives it; a number without one is an error
// of the package pkg.
func Text(names []string, pkg, kind string, n uint8) ([]byte, error) {
	if int(n) < len(names) && names[n] != "" {
		return []byte(names[n]), nil
	}
	return nil, fmt.Errorf("%s: %s(%d) has no text", pkg, kind, n)
}

// Parse is the number of a text, as UnmarshalText wants it; an unknown one is an error of
// the package pkg that lists the known ones.
func Parse(names []string, pkg, kind string, text []byte) (uint8, error) {
	if i := slices.Index(names, string(text)); i >= 0 && len(text) > 0 {
		return uint8(i), nil
	}
	known := slices.DeleteFunc(slices.Clone(names), func(s string) bool { return s == "" })
	return 0, fmt.Errorf("%s: unknown %s %q, want %s", pkg, kind, text, strings.Join(known, ", "))
}
