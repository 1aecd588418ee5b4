package escalation

import (
	"fmt"
	"slices"
	"strings"
)

// names are the texts of an enumeration; names[0] is empty where the zero value
// means not set.
type names []string

func (n names) text(value uint8, kind string) string {
	switch {
	case int(value) >= len(n):
		return fmt.Sprintf("%s(%d)", kind, value)
	case n[value] == "":
		return "unset"
	}
	return n[value]
}

func (n names) marshal(value uint8, kind string) ([]byte, error) {
	if int(value) >= len(n) {
		return nil, n.problem(n.text(value, kind), kind)
	}
	return []byte(n[value]), nil
}

func (n names) parse(text, kind string) (uint8, error) {
	if at := slices.Index(n, strings.ToLower(text)); at >= 0 {
		return uint8(at), nil
	}
	return 0, n.problem(text, kind)
}

func (n names) problem(text, kind string) error {
	return &ConfigError{Path: kind, Value: text, Want: strings.TrimPrefix(strings.Join(n, ", "), ", ")}
}
