package continuity

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/spelling"
)

// RecordError reports one value of a catalogue or record that cannot be used.
type RecordError struct {
	Path  string // such as "services[3].depends_on[0]"
	Value string
	Want  string
}

// Error names path, value and what was expected.
func (e *RecordError) Error() string {
	return fmt.Sprintf("continuity: %s %q: want %s", e.Path, e.Value, e.Want)
}

// ErrDuplicate is wrapped by the error for a disaster test whose id belongs to
// another one.
var ErrDuplicate = errors.New("id belongs to another record")

// problems collects what is wrong below a path.
type problems struct {
	path string
	all  *[]error
}

func newProblems() problems { return problems{all: new([]error)} }

// at returns the same collection, for a part.
func (p problems) at(format string, args ...any) problems {
	p.path = strings.TrimPrefix(p.path+"."+fmt.Sprintf(format, args...), ".")
	return p
}

// add reports the value of a key.
func (p problems) add(key, value, want string) {
	*p.all = append(*p.all, &RecordError{Path: p.at("%s", key).path, Value: value, Want: want})
}

// required reports a key without a text.
func (p problems) required(key, value, want string) {
	if strings.TrimSpace(value) == "" {
		p.add(key, value, want)
	}
}

// interval reports a length of time that cannot be one; 0 is the default.
func (p problems) interval(key string, d time.Duration) {
	if d < 0 {
		p.add(key, d.String(), "0 or more")
	}
}

// date reports a text that is neither empty nor a date.
func (p problems) date(key, text string) {
	if text == "" {
		return
	}
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		p.add(key, text, `a date like "2026-10-21"`)
	}
}

// known reports a service that is not in the catalogue.
func (p problems) known(key, service string, services map[string]bool) {
	if services[service] {
		return
	}
	want := "a service of the catalogue"
	if near := spelling.Nearest(service, slices.Sorted(maps.Keys(services))); near != "" {
		want += fmt.Sprintf(", perhaps %q", near)
	}
	p.add(key, service, want)
}

// hash reports a text that is neither empty nor a SHA-256 in lower-case hex.
func (p problems) hash(key, text string) {
	if text != "" && (len(text) != 64 || strings.Trim(text, "0123456789abcdef") != "") {
		p.add(key, text, "a SHA-256 as 64 lower-case hexadecimal digits")
	}
}

func (p problems) err() error { return errors.Join(*p.all...) }

// moment is a named instant of a record.
type moment struct {
	key string
	at  time.Time
}

// inOrder reports instants that lie before an earlier one of the list; unset ones
// are left out.
func (p problems) inOrder(moments ...moment) {
	var before moment
	for _, m := range moments {
		if m.at.IsZero() {
			continue
		}
		if m.at.Before(before.at) {
			p.add(m.key, stamp(m.at), "not before "+before.key+", "+stamp(before.at))
		}
		before = m
	}
}

// past reports instants after the one at which the record is made.
func (p problems) past(at time.Time, moments ...moment) {
	for _, m := range moments {
		if m.at.After(at) {
			p.add(m.key, stamp(m.at), "not after the present, "+stamp(at))
		}
	}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
