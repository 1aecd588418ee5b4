package logs

import (
	"fmt"
	"slices"
	"strings"
)

// The named numbers of the package share these three helpers; names holds the
// text of 0, 1, 2 …, "" where there is none.

func enumString(names []string, kind string, n uint8) string {
	if int(n) < len(names) && names[n] != "" {
		return names[n]
	}
	return fmt.Sprintf("%s(%d)", kind, n)
}

func enumText(names []string, kind string, n uint8) ([]byte, error) {
	if int(n) < len(names) && names[n] != "" {
		return []byte(names[n]), nil
	}
	return nil, fmt.Errorf("logs: %s(%d) has no text", kind, n)
}

func enumParse(names []string, kind string, text []byte) (uint8, error) {
	if i := slices.Index(names, string(text)); i >= 0 && len(text) > 0 {
		return uint8(i), nil
	}
	known := slices.DeleteFunc(slices.Clone(names), func(s string) bool { return s == "" })
	return 0, fmt.Errorf("logs: unknown %s %q, want %s", kind, text, strings.Join(known, ", "))
}
