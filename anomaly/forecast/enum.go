package forecast

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The enumerations of this package are numbers with a name each.

func enumString(names []string, n int) string {
	if n < len(names) {
		return names[n]
	}
	return strconv.Itoa(n)
}

func enumText(names []string, kind string, n int) ([]byte, error) {
	if n < len(names) {
		return []byte(names[n]), nil
	}
	return nil, fmt.Errorf("forecast: %s %d has no text", kind, n)
}

func enumParse(names []string, kind string, text []byte) (int, error) {
	if i := slices.Index(names, string(text)); i >= 0 {
		return i, nil
	}
	return 0, fmt.Errorf("forecast: unknown %s %q, want %s", kind, text, strings.Join(names, ", "))
}
