package playbook

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/internal/threshold"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Condition is a compiled condition. It never changes and is safe for
// concurrent use.
type Condition struct {
	text    string
	root    *node
	quick   []quickAtom // of a condition that is nothing but these, joined by AND
	watches int         // atoms with "for"; each needs a place in the memory
	facts   []int       // used, sorted
}

// quickAtom is a yes-or-no fact, or a number against a threshold without "for" and
// reference: what most conditions are made of.
type quickAtom struct {
	fact  int
	yesNo bool
	limit
}

// limit decides by a glance: numbers below lo or above hi are surely on one side of
// the threshold, those in between are for the exact comparison.
type limit struct {
	lo, hi      float64
	below, over bool // the answer there
}

// newLimit leaves 3e-9 of the bound on each side, more than what the conversion of
// units and the reading of a float may be off.
func newLimit(op threshold.Op, bound float64) limit {
	margin := 3e-9 * math.Abs(bound)
	return limit{lo: bound - margin, hi: bound + margin, below: op.Holds(-1), over: op.Holds(1)}
}

// ConditionError reports where a condition stops making sense.
type ConditionError struct {
	Text   string
	Column int // in characters, from 1
	Want   string
}

// Error returns the text, the column and what was expected.
func (e *ConditionError) Error() string {
	return fmt.Sprintf("condition %q: column %d: want %s", e.Text, e.Column, e.Want)
}

// Compile reads a condition:
//
//	condition = and {"OR" and}
//	and       = not {"AND" not}
//	not       = "NOT" not | "(" condition ")" | atom
//	atom      = fact                                  of a yes-or-no fact
//	          | fact op number [unit] ["of" fact] ["for" duration]
//	          | fact op fact                          of two numbers of one unit
//	          | fact ("==" | "!=") "'" text "'"
//	          | "current_time" "in" calendar
//	op        = ">" | ">=" | "<" | "<=" | "==" | "!="
//
// Keywords are read in any case; numbers, units, references and durations are
// those of monitoring thresholds: "> 85% for 5 minutes", "> 90% of pool",
// "< 2 hours". Facts must be registered in the vocabulary, with a type and unit
// that fit. The calendar is business_hours. Errors are of type
// [*ConditionError].
//
// Beside the registered facts there are action.type and action.risk_level
// (texts) and action.affects_traffic_routing (yes or no), which are known in
// safety checks only and unknown elsewhere.
func Compile(text string, v *Vocabulary) (*Condition, error) {
	p := &parser{text: text, vocabulary: v, cond: &Condition{text: text}}
	root, err := p.or(0)
	if err == nil && !p.done() {
		err = p.fail(p.pos, "AND, OR or the end")
	}
	if err != nil {
		return nil, err
	}
	p.cond.root = root
	p.cond.quick = quickAtoms(root, nil)
	slices.Sort(p.cond.facts)
	p.cond.facts = slices.Compact(p.cond.facts)
	return p.cond, nil
}

// String returns the text that was compiled.
func (c *Condition) String() string { return c.text }

// Eval evaluates the condition over facts at an instant. Without the calendar of
// a service "in business_hours" is unknown, and without its history so is a
// "for". It does not allocate.
func (c *Condition) Eval(f *Facts, at time.Time) Truth {
	if t := c.glance(f, nanos(at)); t != Unknown {
		return t
	}
	e := newEnv(f, at)
	return c.root.eval(&e)
}

// quickAtoms returns the atoms of a tree, or nil if it is more than quick ones joined
// by AND.
func quickAtoms(n *node, atoms []quickAtom) []quickAtom {
	switch {
	case n.kind == andNode:
		if atoms = quickAtoms(n.left, atoms); atoms != nil {
			atoms = quickAtoms(n.right, atoms)
		}
		return atoms
	case n.kind == boolNode:
		return append(atoms, quickAtom{fact: n.fact, yesNo: true})
	case n.kind == limitNode && n.slot < 0 && n.other < 0:
		return append(atoms, quickAtom{fact: n.fact, limit: n.quick})
	}
	return nil
}

// glance evaluates a condition of quick atoms; unknown means that it takes a closer
// look.
func (c *Condition) glance(f *Facts, now int64) Truth {
	if len(c.quick) == 0 {
		return Unknown
	}
	for i := range c.quick {
		a := &c.quick[i]
		q := &f.quick[a.fact]
		if q.staleness >= 0 && now-q.at > q.staleness {
			return Unknown
		}
		holds := false
		switch {
		case a.yesNo && q.form == yesForm:
			holds = true
		case a.yesNo && q.form == noForm:
		case a.yesNo || q.form != numberForm:
			return Unknown
		case q.number < a.lo:
			holds = a.below
		case q.number > a.hi:
			holds = a.over
		default:
			return Unknown
		}
		if !holds {
			return False
		}
	}
	return True
}

// env is what a condition is evaluated against.
type env struct {
	facts  *Facts
	at     time.Time
	now    int64                // at, in nanoseconds since the epoch
	hours  *calendar.Calendar   // nil: unknown
	action *ActionSpec          // nil: unknown
	memory []threshold.Progress // of the atoms with "for"; nil: unknown
}

func newEnv(f *Facts, at time.Time) env { return env{facts: f, at: at, now: nanos(at)} }
