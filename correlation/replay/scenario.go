package replay

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
)

// Scenario is a test of rules: what happens, and what is to come of it.
type Scenario struct {
	Name   string
	Start  time.Time // the instant from which the others count
	Events []Arrival
	Expect []Expectation // by instant
}

// Expectation is what is to hold at an instant, after all that arrives at it. Nil
// lists are not looked at; empty ones mean none. Alerts are printed ones, as of
// [correlation.Alert.String], in any order.
type Expectation struct {
	At         time.Time
	Visible    []string            // active alerts that nothing hides, but for composites
	Suppressed map[string][]string // by alert the rules that hide it; nil rules stand for any
	Composites []string            // titles of open composites
	Told       []string            // alerts of which people have been told up to the instant, and titles of composites, each once
	Untold     []string            // alerts and titles of which nobody has been told up to the instant
}

// Failure is an expectation that does not hold.
type Failure struct {
	Scenario  string
	At        time.Duration // after the start
	What      string        // visible, suppressed, composites, told, untold or events
	Got, Want string
}

// String says what was expected and what was found.
func (f Failure) String() string {
	return fmt.Sprintf("%s at %v: %s: %s, want %s", f.Scenario, f.At, f.What, f.Got, f.Want)
}

// Result is what came of scenarios.
type Result struct {
	Failures []Failure // in order of the scenarios and instants

	// Untested names the rules that no scenario has brought to hide an alert or a
	// composite, or to open one, at any instant, in their order; disabled ones are left
	// out.
	Untested []string
}

// Test runs scenarios, each with an engine of its own. The error is about the rules
// and options, or a scenario that cannot be run.
func Test(rules []correlation.Rule, o correlation.Options, scenarios ...Scenario) (Result, error) {
	var result Result
	used := map[string]bool{}
	wanted := 0
	for _, r := range rules {
		if !r.Disabled {
			wanted++
		}
	}
	for _, s := range scenarios {
		expect := slices.Clone(s.Expect)
		slices.SortStableFunc(expect, func(a, b Expectation) int { return a.At.Compare(b.At) })
		var until time.Time
		for _, x := range expect {
			until = x.At
			record, err := Run(rules, o, s.Events, until)
			if err != nil {
				return Result{}, fmt.Errorf("scenario %q: %w", s.Name, err)
			}
			result.Failures = append(result.Failures, x.check(s, record)...)
		}
		record, err := Run(rules, o, s.Events, time.Time{})
		if err != nil {
			return Result{}, fmt.Errorf("scenario %q: %w", s.Name, err)
		}
		if until.Before(record.Until) {
			until = record.Until
		}
		if len(used) < wanted {
			if err := s.exercise(rules, o, until, used); err != nil {
				return Result{}, fmt.Errorf("scenario %q: %w", s.Name, err)
			}
		}
		for _, refused := range record.Refused {
			result.Failures = append(result.Failures, Failure{s.Name, 0, "events", refused.Error(), "events that can be taken"})
		}
	}
	for _, r := range rules {
		if !used[r.Name] && !r.Disabled {
			result.Untested = append(result.Untested, r.Name)
		}
	}
	return result, nil
}

// exercise marks the rules that hide something or have a composite open at any instant up
// to one: it looks at all there is whenever something may have changed, since an engine
// does not report that another rule hides what is hidden already. It costs the instants
// times the alerts.
func (s Scenario) exercise(rules []correlation.Rule, o correlation.Options, until time.Time, used map[string]bool) error {
	engine, err := correlation.New(rules, o)
	if err != nil {
		return err
	}
	log := slices.Clone(s.Events)
	slices.SortStableFunc(log, func(a, b Arrival) int { return a.At.Compare(b.At) })
	for {
		at, ok := engine.NextWake()
		if n := len(log); n > 0 && (!ok || !at.Before(log[0].At)) {
			at, ok = log[0].At, true
		}
		if !ok || at.After(until) {
			return nil
		}
		var events []correlation.Event
		for len(log) > 0 && log[0].At.Equal(at) {
			events, log = append(events, log[0].Event), log[1:]
		}
		if _, err := engine.Apply(at, events...); errors.Is(err, correlation.ErrTime) {
			return err
		} // what is refused is among the failures already
		mark := func(names ...string) {
			for _, name := range names {
				used[name] = true
			}
		}
		for _, a := range engine.Alerts() {
			mark(a.SuppressedBy...)
		}
		for _, c := range engine.Composites() {
			mark(append(c.SuppressedBy, c.Rule)...)
		}
	}
}

// check compares an expectation with the record at its instant.
func (x Expectation) check(s Scenario, r *Record) []Failure {
	var failures []Failure
	fail := func(what, got, want string) {
		failures = append(failures, Failure{s.Name, x.At.Sub(s.Start), what, got, want})
	}
	sets := func(what string, got, want []string) {
		if want == nil {
			return
		}
		if g, w := listed(got), listed(want); g != w {
			fail(what, g, w)
		}
	}
	var visible, open []string
	suppressed := map[string][]string{}
	for _, a := range r.Alerts {
		switch {
		case !a.Active:
		case len(a.SuppressedBy) > 0:
			suppressed[a.String()] = a.SuppressedBy
		default:
			visible = append(visible, a.String())
		}
	}
	for _, c := range r.Composites {
		if c.Until.IsZero() {
			open = append(open, c.Title)
		}
	}
	told := map[string]bool{}
	for _, t := range r.Told {
		if t.Title != "" {
			told[t.Title] = true
		} else {
			told[t.Alert] = true
		}
	}
	sets("visible", visible, x.Visible)
	if x.Suppressed != nil {
		got, want := []string{}, []string{}
		for alert, rules := range suppressed {
			got = append(got, hidden(alert, rules, x.Suppressed[alert]))
		}
		for alert, rules := range x.Suppressed {
			want = append(want, hidden(alert, rules, rules))
		}
		sets("suppressed", got, want)
	}
	sets("composites", open, x.Composites)
	if x.Told != nil {
		all := []string{}
		for what := range told {
			all = append(all, what)
		}
		sets("told", all, x.Told)
	}
	for _, what := range x.Untold {
		if told[what] {
			fail("untold", what+" was told", "that it is not")
		}
	}
	return failures
}

// hidden prints an alert and what hides it, where the expectation names that.
func hidden(alert string, rules, expected []string) string {
	if expected == nil {
		return alert
	}
	return alert + " by " + listed(rules)
}

// listed prints a set.
func listed(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	list = slices.Clone(list)
	slices.Sort(list)
	return strings.Join(slices.Compact(list), ", ")
}
