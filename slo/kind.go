package slo

import "fmt"

// RuleKind says what a [Rule] looks at. The zero value is BurnRate.
type RuleKind uint8

// The kinds.
const (
	// BurnRate holds iff the error ratios of both windows are strictly above
	// Factor · (1 - target).
	BurnRate RuleKind = iota
	// AbsoluteCount holds iff the long window has MinBad bad events or more, at
	// an error ratio of AtLeast or more, whatever the target. It is for traffic
	// so low that a burn rate rule with its gates would never fire although most
	// of it fails.
	AbsoluteCount
	// Silence holds iff the long window has no event, unless all of it is
	// excluded. It is apart from the budget: no data has burnt nothing. Where
	// nothing was observed yet it holds too, as absent() does in PromQL; give it
	// a For to wait.
	Silence
)

var ruleKindNames = [...]string{"burn_rate", "absolute_count", "silence"}

// String returns "burn_rate", "absolute_count" or "silence".
func (k RuleKind) String() string {
	if int(k) < len(ruleKindNames) {
		return ruleKindNames[k]
	}
	return fmt.Sprintf("RuleKind(%d)", uint8(k))
}

// MarshalText writes the name.
func (k RuleKind) MarshalText() ([]byte, error) {
	return marshalName("rule kind", ruleKindNames[:], uint8(k))
}

// UnmarshalText reads a name as String writes it; empty text is BurnRate.
func (k *RuleKind) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*k = BurnRate
		return nil
	}
	return unmarshalName("rule kind", ruleKindNames[:], text, (*uint8)(k))
}

// misfit returns what is wrong with the fields of a rule for its kind, "" for
// nothing.
func (r *Rule) misfit() string {
	switch {
	case r.Kind == BurnRate && (!r.Factor.isFinite() || r.Factor.Sign() <= 0):
		return fmt.Sprintf("a factor above 0, not %s", r.Factor)
	case r.Kind == BurnRate && r.AtLeast.IsSet():
		return "no at_least: that is for an absolute count"
	case r.Kind == BurnRate:
		return ""
	case r.Kind > Silence:
		return "a kind: burn_rate, absolute_count or silence"
	case r.Factor.IsSet() || r.Short != 0 || r.Alpha.IsSet():
		return "no factor, short window and alpha: the rule is of kind " + r.Kind.String()
	case r.Kind == Silence && (r.AtLeast.IsSet() || r.MinEvents > 0 || r.MinBad > 0):
		return "no at_least, min_events and min_bad: a silence has no events"
	case r.Kind == AbsoluteCount && r.MinBad == 0:
		return "min_bad of 1 or more for an absolute count"
	case r.Kind == AbsoluteCount && (!r.AtLeast.isFinite() || r.AtLeast.Sign() < 0 || r.AtLeast.Compare(NewRatio(1, 1)) > 0):
		return fmt.Sprintf("at_least from 0 to 1 for an absolute count, not %s", r.AtLeast)
	}
	return ""
}

// faster reports whether a burn rate rule suppresses another one while both
// hold: it reacts to a larger factor, and whoever is called by it knows already.
func (r *Rule) faster(than *Rule) bool {
	return r.Kind == BurnRate && than.Kind == BurnRate && r.Factor.Compare(than.Factor) > 0
}

// suppressor returns the name of the fastest rule that holds and is faster than
// rule i, "" for none.
func (p Policy) suppressor(i int, holds func(int) bool) string {
	best := i
	for n := range p.Rules {
		if n != i && p.Rules[n].faster(&p.Rules[best]) && holds(n) {
			best = n
		}
	}
	if best == i {
		return ""
	}
	return p.Rules[best].Name
}
