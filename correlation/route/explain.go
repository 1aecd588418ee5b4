package route

import (
	"fmt"
	"strings"

	"github.com/evenkeelops/evenkeel/correlation/matcher"
)

// Verdict says what became of a route in the search for the routes of an alert.
type Verdict int

// The verdicts.
const (
	Unmatched Verdict = iota + 1 // one of its matchers does not hold
	Passed                       // it matches, and a route below it takes the alert
	Taken                        // it takes the alert
	NotTried                     // a route before it took the alert and does not continue
)

// String returns the verdict in words.
func (v Verdict) String() string {
	switch v {
	case Unmatched:
		return "unmatched"
	case Passed:
		return "passed"
	case Taken:
		return "taken"
	case NotTried:
		return "not tried"
	}
	return fmt.Sprintf("Verdict(%d)", int(v))
}

// MarshalText writes the words.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// Step is one route of a search.
type Step struct {
	Route   *Route  `json:"-"`
	Path    string  `json:"path"` // of the route
	Verdict Verdict `json:"verdict"`
	// Failed is the first matcher that does not hold, of a route that is Unmatched, and
	// Value what the alert has for its label: empty if it has none.
	Failed string `json:"failed,omitempty"`
	Value  string `json:"value,omitempty"`
	// Before is the path of the route that ended the search, of one that is NotTried.
	Before string `json:"before,omitempty"`
}

// Explanation is a search, the routes in the order in which it came to them. Below
// those that are Unmatched or NotTried nothing is listed.
type Explanation []Step

// Explain returns how the routes of an alert are found; those that are Taken are what
// [Route.Match] returns.
func (r *Route) Explain(labels map[string]string) Explanation {
	e, _ := r.explain(nil, labels)
	return e
}

// explain appends the search in a route and reports whether it matches.
func (r *Route) explain(e Explanation, labels map[string]string) (Explanation, bool) {
	at := len(e)
	e = append(e, Step{Route: r, Path: r.path, Verdict: Taken})
	if n := matcher.Failing(r.matchers, labels); n >= 0 {
		m := r.matchers[n]
		e[at].Verdict, e[at].Failed, e[at].Value = Unmatched, m.String(), labels[m.Name()]
		return e, false
	}
	before := "" // the route that ended the search
	for _, below := range r.routes {
		if before != "" {
			e = append(e, Step{Route: below, Path: below.path, Verdict: NotTried, Before: before})
			continue
		}
		var matches bool
		if e, matches = below.explain(e, labels); !matches {
			continue
		}
		e[at].Verdict = Passed
		if !below.next {
			before = below.path
		}
	}
	return e, true
}

// Taken returns the routes that take the alert.
func (e Explanation) Taken() []*Route {
	var taken []*Route
	for _, s := range e {
		if s.Verdict == Taken {
			taken = append(taken, s.Route)
		}
	}
	return taken
}

// String returns one line a step, indented by its depth.
func (e Explanation) String() string {
	var b strings.Builder
	for _, s := range e {
		fmt.Fprintf(&b, "%s%s", strings.Repeat("  ", s.Route.depth-e[0].Route.depth), s.Path)
		if len(s.Route.matchers) > 0 {
			b.WriteString(" " + matcher.Format(s.Route.matchers))
		}
		fmt.Fprintf(&b, ": %s", s.Verdict)
		switch s.Verdict {
		case Unmatched:
			fmt.Fprintf(&b, ", %s and the alert has %q", s.Failed, s.Value)
		case Taken:
			fmt.Fprintf(&b, " by %q", s.Route.options.Receiver)
		case NotTried:
			fmt.Fprintf(&b, ", %s took it and does not continue", s.Before)
		case Passed:
		}
		if s.Route.next && (s.Verdict == Taken || s.Verdict == Passed) {
			b.WriteString(", and goes on")
		}
		b.WriteByte('\n')
	}
	return b.String()
}
