package slo

import (
	"errors"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/internal/fixed"
)

// Cause is why a rule holds or not. Its zero value means "not evaluated".
type Cause uint8

// The causes, in the order in which they are looked at. A rule holds because of
// Above, and one of kind Silence because of NoEvents.
const (
	NoEvents       Cause = iota + 1 // a window holds no event
	Uncovered                       // a window is covered less than MinCoverage asks
	Below                           // a window is not above the threshold
	FewEvents                       // less than MinEvents in the long window
	FewBad                          // less than MinBad in the long window
	NotSignificant                  // the Alpha gate is not passed
	Above                           // the rule holds
	SomeEvents                      // a rule for silence, and there are events
	AllExcluded                     // a rule for silence, and the window is excluded
)

var causeNames = [...]string{"", "no_events", "uncovered", "below", "few_events", "few_bad", "not_significant", "above", "some_events", "all_excluded"}

// String returns "no_events", "uncovered", "below", "few_events", "few_bad",
// "not_significant", "above", "some_events", "all_excluded" or "unset".
func (c Cause) String() string {
	switch {
	case c == 0:
		return "unset"
	case int(c) < len(causeNames):
		return causeNames[c]
	}
	return fmt.Sprintf("Cause(%d)", uint8(c))
}

// MarshalText writes the name, and nothing for the zero value.
func (c Cause) MarshalText() ([]byte, error) { return marshalName("cause", causeNames[:], uint8(c)) }

// UnmarshalText reads a name as String writes it; empty text is the zero value.
func (c *Cause) UnmarshalText(text []byte) error {
	return unmarshalName("cause", causeNames[:], text, (*uint8)(c))
}

// Decision is what one rule says at an instant, with the counts it was decided
// on.
type Decision struct {
	Rule      string   `json:"rule"`
	Severity  Severity `json:"severity"`
	Kind      RuleKind `json:"kind,omitempty"`
	Factor    Ratio    `json:"factor"`
	Threshold Ratio    `json:"threshold"` // see [Rule.Threshold]
	MinBad    uint64   `json:"min_bad,omitempty"`

	Long        time.Duration `json:"long_ns"`
	Short       time.Duration `json:"short_ns"` // 0: no short window
	LongCounts  Counts        `json:"long"`
	ShortCounts Counts        `json:"short"`
	// LongSlack and ShortSlack are how much of the old end of the windows the
	// counts may lack, 0 but for a compact tracker; see [Burn.Slack].
	LongSlack  time.Duration `json:"long_slack_ns,omitempty"`
	ShortSlack time.Duration `json:"short_slack_ns,omitempty"`

	Holds bool  `json:"holds"` // the condition, now
	Cause Cause `json:"cause"` // why, or why not
	// Since is the first evaluation of the unbroken run of those in which the
	// rule holds; zero when it does not.
	Since time.Time `json:"since,omitzero"`
	// Firing is Holds after For and KeepFiringFor, and FiringSince its first
	// evaluation.
	Firing      bool      `json:"firing"`
	FiringSince time.Time `json:"firing_since,omitzero"`
	// Cold: the long window starts before the first observation, or there is
	// none, so the rule decides on less than it asks for.
	Cold bool `json:"cold"`
	// SuppressedBy is the fastest rule with a larger factor that holds too while
	// this one does; empty when there is none. The decision itself does not
	// depend on it: it tells a receiver that the faster rule has said so already.
	SuppressedBy string `json:"suppressed_by,omitempty"`
}

// limit is the error ratio of a rule: factor · (1 - target), or that of an absolute
// count. Both parts are below 2^63.
type limit struct{ num, den uint64 }

// isBelow reports whether the error ratio of a window is not above it.
func (l limit) isBelow(s sums) bool { return fixed.CompareProducts(s.bad, l.den, l.num, s.total) <= 0 }

// compiledRule is a rule at a target, ready for comparison in whole numbers.
type compiledRule struct {
	limit
	gate                 gate
	minEvents, minBad    uint64
	hasShort             bool
	kind                 RuleKind
	long, short          int64
	forNanos, keepFiring int64
}

func compile(p Policy, target Target) ([]compiledRule, error) {
	if err := p.validateAt(target); err != nil {
		return nil, err
	}
	rules := make([]compiledRule, len(p.Rules))
	for i := range p.Rules {
		rules[i] = p.Rules[i].compile(target)
	}
	return rules, nil
}

// validateAt reports what keeps the rules from being decided at a target.
func (p Policy) validateAt(target Target) error {
	if !target.IsSet() {
		return errors.New("target not set")
	}
	if err := p.Validate(); err != nil {
		return err
	}
	var errs []error
	for i := range p.Rules {
		r := &p.Rules[i]
		if want := r.mismatch(target); want != "" {
			errs = append(errs, &RuleError{Index: i, Rule: r.Name, Want: want})
		}
	}
	return errors.Join(errs...)
}

// mismatch returns what keeps a valid rule from being decided at a target, "" for
// nothing.
func (r *Rule) mismatch(target Target) string {
	if threshold := r.Threshold(target); r.Kind != Silence && !threshold.fits() {
		return "a factor whose product with the budget fits 63 bits, not " + threshold.String()
	}
	if r.Alpha.IsSet() && !r.Alpha.fits() {
		return "an alpha of 63-bit numbers, not " + r.Alpha.String()
	}
	return ""
}

// fits reports whether a number has 63 bits, so that it is compared with counts
// in 128.
func (r Ratio) fits() bool { return r.den != 0 }

func (r *Rule) compile(target Target) compiledRule {
	c := compiledRule{
		minEvents: r.MinEvents, minBad: r.MinBad,
		kind: r.Kind, hasShort: r.Short > 0, long: int64(r.Long), short: int64(r.Short),
		forNanos: int64(r.For), keepFiring: int64(r.KeepFiringFor),
	}
	c.num, c.den, _ = r.Threshold(target).parts()
	if r.Alpha.IsSet() {
		c.gate = newGate(r.Alpha, r.Threshold(target))
	}
	return c
}

// sums are the bad events and all events of a window.
type sums struct{ bad, total uint64 }

func (s *sums) add(b sums) {
	s.bad += b.bad
	s.total += b.total
}

func (s sums) minus(b sums) sums { return sums{s.bad - b.bad, s.total - b.total} }

func (s sums) counts() Counts { return Counts{Good: s.total - s.bad, Total: s.total} }

// judge decides the rule in whole numbers. covered tells whether its windows are
// covered as the policy asks.
func (c *compiledRule) judge(long, short sums, covered bool) Cause {
	if !c.hasShort {
		short = long
	}
	switch {
	case c.kind != BurnRate:
		return c.judgeLong(long, covered)
	case long.total == 0 || short.total == 0:
		return NoEvents
	case !covered:
		return Uncovered
	case c.isBelow(long) || c.isBelow(short):
		return Below
	case long.total < c.minEvents:
		return FewEvents
	case long.bad < c.minBad:
		return FewBad
	case !c.gate.passes(long.total, long.bad, c.limit):
		return NotSignificant
	}
	return Above
}

// judgeLong decides the kinds that have no short window and no factor. For a
// silence, covered tells whether anything of the window is left to be silent.
func (c *compiledRule) judgeLong(long sums, covered bool) Cause {
	switch {
	case c.kind == Silence && long.total > 0:
		return SomeEvents
	case c.kind == Silence && !covered:
		return AllExcluded
	case long.total == 0:
		return NoEvents
	case !covered:
		return Uncovered
	case fixed.CompareProducts(long.bad, c.den, c.num, long.total) < 0:
		return Below
	case long.total < c.minEvents:
		return FewEvents
	case long.bad < c.minBad:
		return FewBad
	}
	return Above
}

// holds reports whether the rule holds for a cause.
func (c *compiledRule) holds(cause Cause) bool {
	return cause == Above || c.kind == Silence && cause == NoEvents
}

// Decide evaluates the policy once, on the counts that the function returns for
// the windows of its rules, all ending at the same instant. Windows count as
// fully covered; Since and FiringSince stay zero and a rule that holds fires,
// whatever its For. To follow a series, use a [Tracker].
func (p Policy) Decide(target Target, counts func(window time.Duration) Counts) ([]Decision, error) {
	rules, err := compile(p, target)
	if err != nil {
		return nil, err
	}
	decisions := make([]Decision, len(rules))
	for i := range rules {
		r := p.Rules[i]
		d := r.decision(target)
		d.LongCounts = counts(r.Long)
		if r.Short > 0 {
			d.ShortCounts = counts(r.Short)
		}
		if err := errors.Join(d.LongCounts.Validate(), d.ShortCounts.Validate()); err != nil {
			return nil, fmt.Errorf("rule %q: %w", r.Name, err)
		}
		d.Cause = rules[i].judge(
			sums{d.LongCounts.Bad(), d.LongCounts.Total},
			sums{d.ShortCounts.Bad(), d.ShortCounts.Total}, true)
		d.Holds = rules[i].holds(d.Cause)
		d.Firing = d.Holds
		decisions[i] = d
	}
	for i := range decisions {
		if decisions[i].Holds {
			decisions[i].SuppressedBy = p.suppressor(i, func(n int) bool { return decisions[n].Holds })
		}
	}
	return decisions, nil
}

// decision returns the part of a decision that is the same at every instant.
func (r Rule) decision(target Target) Decision {
	return Decision{
		Rule: r.Name, Severity: r.Severity, Kind: r.Kind, Factor: r.Factor, Threshold: r.Threshold(target), MinBad: r.MinBad,
		Long: r.Long, Short: r.Short,
	}
}
