package slo

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/internal/fixed"
)

// Severity is what an alert rule asks for. Any text is allowed; the default
// policy uses Page and Ticket.
type Severity string

// The severities of the default policy.
const (
	Page   Severity = "page"   // wake somebody
	Ticket Severity = "ticket" // during working hours
)

// Rule is one rule of a multi-window, multi-burn-rate alert policy. Unless its
// Kind says otherwise it holds iff the error ratio of its long window and that of
// its short window are both strictly above Factor · (1 - target). A window without
// events decides nothing, so the rule does not hold. (The Site Reliability Workbook, 2018, chapter 5,
// "Multiwindow, Multi-Burn-Rate Alerts".)
type Rule struct {
	Name     string   `json:"name"`
	Severity Severity `json:"severity"`
	// Kind is what the rule looks at. Defaults to BurnRate. Other kinds have the
	// long window alone and no Factor or Alpha.
	Kind RuleKind `json:"kind,omitempty"`

	Long time.Duration `json:"long_ns"`
	// Short is the window that lets the rule end soon after the errors do.
	// Defaults to none: the long window decides alone.
	Short  time.Duration `json:"short_ns,omitempty"`
	Factor Ratio         `json:"factor,omitzero"` // burn rate that both windows must exceed
	// AtLeast is the error ratio from which on an AbsoluteCount holds, 0 to 1.
	AtLeast Ratio `json:"at_least,omitzero"`

	// For is how long the rule must hold, evaluation after evaluation, before it
	// fires. Defaults to 0: it fires at once.
	For time.Duration `json:"for_ns,omitempty"`
	// KeepFiringFor is how long it goes on firing, from the first evaluation at
	// which it does not hold, as keep_firing_for of Prometheus counts. Defaults to
	// 0: it ends at that evaluation.
	KeepFiringFor time.Duration `json:"keep_firing_for_ns,omitempty"`

	// MinEvents and MinBad are the least number of events, and of bad ones, in
	// the long window. They default to 0; an AbsoluteCount needs MinBad.
	MinEvents uint64 `json:"min_events,omitempty"`
	MinBad    uint64 `json:"min_bad,omitempty"`
	// Alpha, between 0 and 1, is a gate for little traffic: the rule holds only
	// if the bad events of the long window would be that many or more with a
	// probability below Alpha although the true error ratio were just at the
	// threshold (see [BinomialTail]). It is decided exactly: in floating point
	// where that leaves no doubt, at some hundred nanoseconds to microseconds a
	// sample while the ratios are above the threshold, and in whole numbers where
	// the two are within a thousand millionth of each other. Long windows of more
	// than 10 000 events pass. Defaults to absent: no gate.
	Alpha Ratio `json:"alpha,omitzero"`
}

// Policy is a set of alert rules for one objective. The zero Policy has no rules
// and never fires.
type Policy struct {
	Rules []Rule `json:"rules"`
	// MinCoverage is the share of each of its windows that must be covered by
	// data or exclusions before a rule may hold. Defaults to 0: it decides on
	// what exists, as PromQL does, and marks the decision as cold.
	MinCoverage Ratio `json:"min_coverage,omitzero"`
}

// Tier is a row from which a [Scheme] makes a rule: which share of the budget
// may be gone when the rule fires, over which windows of a 30-day objective.
type Tier struct {
	Name        string
	Severity    Severity
	Share       Ratio
	Long, Short time.Duration
}

// DefaultTiers returns the four tiers of the workbook's table 5-8 with the
// short windows at a twelfth of the long ones: page-fast, page-slow, ticket-fast
// and ticket-slow.
func DefaultTiers() []Tier {
	const day = 24 * time.Hour
	return []Tier{
		{"page-fast", Page, NewRatio(2, 100), time.Hour, 5 * time.Minute},
		{"page-slow", Page, NewRatio(5, 100), 6 * time.Hour, 30 * time.Minute},
		{"ticket-fast", Ticket, NewRatio(10, 100), day, 2 * time.Hour},
		{"ticket-slow", Ticket, NewRatio(10, 100), 3 * day, 6 * time.Hour},
	}
}

// Scheme says how tiers are carried over to an objective whose period is not 30
// days. Its zero value means "not set".
type Scheme uint8

// The schemes.
const (
	// ConstantBudget keeps the windows and the share of the budget; the factor
	// becomes share · period / long.
	ConstantBudget Scheme = iota + 1
	// ScaledWindows keeps the factors and the share; the windows become
	// window · period / 30 days, cut to the nanosecond.
	ScaledWindows
)

var schemeNames = [...]string{"", "constant_budget", "scaled_windows"}

// String returns "constant_budget", "scaled_windows" or "unset".
func (s Scheme) String() string {
	switch {
	case s == 0:
		return "unset"
	case int(s) < len(schemeNames):
		return schemeNames[s]
	}
	return fmt.Sprintf("Scheme(%d)", uint8(s))
}

// MarshalText writes the name, and nothing for the zero value.
func (s Scheme) MarshalText() ([]byte, error) { return marshalName("scheme", schemeNames[:], uint8(s)) }

// UnmarshalText reads a name as String writes it; empty text is the zero value.
func (s *Scheme) UnmarshalText(text []byte) error {
	return unmarshalName("scheme", schemeNames[:], text, (*uint8)(s))
}

// basePeriod is the period for which tiers are written down.
const basePeriod = 30 * 24 * time.Hour

// NewPolicy makes a policy for an objective of a period from tiers; nil tiers
// are [DefaultTiers]. For a period of few days ScaledWindows makes short windows of
// seconds, 10 s for a day: below the interval of the samples they are empty between
// samples, which [Policy.Lint] reports and [Policy.WithShort] mends.
func NewPolicy(scheme Scheme, period time.Duration, tiers []Tier) (Policy, error) {
	if period <= 0 || period > maxWindow {
		return Policy{}, fmt.Errorf("policy period %v: want more than 0 and up to 3660 days", period)
	}
	if scheme != ConstantBudget && scheme != ScaledWindows {
		return Policy{}, fmt.Errorf("policy scheme %s: want constant_budget or scaled_windows", scheme)
	}
	if tiers == nil {
		tiers = DefaultTiers()
	}
	var p Policy
	for i, tier := range tiers {
		if tier.Long <= 0 || !tier.Share.isFinite() {
			return Policy{}, fmt.Errorf("tiers[%d] %q: want a share and a long window", i, tier.Name)
		}
		rule := Rule{Name: tier.Name, Severity: tier.Severity, Long: tier.Long, Short: tier.Short}
		if scheme == ConstantBudget {
			rule.Factor = tier.Share.times(NewRatio(int64(period), int64(tier.Long)))
		} else {
			rule.Factor = tier.Share.times(NewRatio(int64(basePeriod), int64(tier.Long)))
			rule.Long, rule.Short = scaled(tier.Long, period), scaled(tier.Short, period)
		}
		p.Rules = append(p.Rules, rule)
	}
	return p, p.Validate()
}

// WithShort returns the policy with no short window below least, which should be
// four times the interval of the samples or more. A rule whose long window is not
// longer than that goes without a short one. Wider short windows end an alert
// later; when it begins is up to the long ones.
func (p Policy) WithShort(least time.Duration) Policy {
	p.Rules = slices.Clone(p.Rules)
	for i := range p.Rules {
		r := &p.Rules[i]
		if r.Short > 0 && r.Short < least {
			if r.Short = least; r.Short >= r.Long {
				r.Short = 0
			}
		}
	}
	return p
}

func scaled(window, period time.Duration) time.Duration {
	if window <= 0 {
		return window
	}
	q, _, ok := fixed.MulDiv(uint64(window), uint64(period), uint64(basePeriod))
	if !ok || q > uint64(maxWindow) {
		return maxWindow + 1 // refused by Validate
	}
	return time.Duration(q)
}

// DefaultPolicy returns the default tiers for a window: ConstantBudget from 28
// days on, ScaledWindows below, where constant factors would be under 1. Calendar
// windows count with their nominal length. See [NewPolicy] on short windows.
func DefaultPolicy(w Window) (Policy, error) {
	if err := w.Validate(); err != nil {
		return Policy{}, err
	}
	scheme := ConstantBudget
	if w.Nominal() < 28*24*time.Hour {
		scheme = ScaledWindows
	}
	return NewPolicy(scheme, w.Nominal(), nil)
}

// Validate reports every rule that cannot be evaluated at any target: missing or
// repeated names, windows that are not positive or not shorter than the long
// one, factors that are not positive, an alpha outside (0, 1), fields that do not
// belong to the kind. All problems are
// joined, each a [*RuleError]. What can be evaluated but is unwise is found by
// [Policy.Lint].
func (p Policy) Validate() error {
	var errs []error
	seen := map[string]bool{}
	for i := range p.Rules {
		r := &p.Rules[i]
		refuse := func(want string) { errs = append(errs, &RuleError{Index: i, Rule: r.Name, Want: want}) }
		if r.Name == "" {
			refuse("a name")
		} else if seen[r.Name] {
			refuse("a name of its own")
		}
		seen[r.Name] = true
		if r.Long <= 0 || r.Long > maxWindow {
			refuse(fmt.Sprintf("a long window above 0 and up to 3660 days, not %v", r.Long))
		}
		if r.Short < 0 || r.Short >= r.Long && r.Short > 0 {
			refuse(fmt.Sprintf("a short window below the long one, not %v", r.Short))
		}
		if want := r.misfit(); want != "" {
			refuse(want)
		}
		if r.For < 0 || r.KeepFiringFor < 0 {
			refuse("no negative duration")
		}
		if r.Alpha.IsSet() && (r.Alpha.Sign() <= 0 || r.Alpha.Compare(NewRatio(1, 1)) >= 0) {
			refuse(fmt.Sprintf("an alpha between 0 and 1, not %s", r.Alpha))
		}
	}
	if p.MinCoverage.IsSet() && (p.MinCoverage.Sign() < 0 || p.MinCoverage.Compare(NewRatio(1, 1)) > 0) {
		errs = append(errs, fmt.Errorf("min coverage %s: want 0 to 1", p.MinCoverage))
	}
	return errors.Join(errs...)
}

// RuleError reports a rule that cannot be evaluated.
type RuleError struct {
	Index int
	Rule  string
	Want  string
}

// Error names the rule and says what is wanted.
func (e *RuleError) Error() string {
	return fmt.Sprintf("rules[%d] %q: want %s", e.Index, e.Rule, e.Want)
}

// Threshold returns the error ratio that both windows must exceed, exactly:
// factor · (1 - target). Its Decimal form is what goes into a rule file. For an
// AbsoluteCount it is AtLeast, which need only be reached; absent for Silence.
func (r Rule) Threshold(target Target) Ratio {
	if r.Kind == AbsoluteCount {
		return r.AtLeast
	}
	if !target.IsSet() || !r.Factor.isFinite() {
		return Ratio{}
	}
	return r.Factor.times(target.Budget())
}

// Reachable reports whether an error ratio can exceed the threshold at all: an
// error ratio is at most 1, so a threshold of 1 or more never fires. Kinds
// without a factor are reachable.
func (r Rule) Reachable(target Target) bool {
	if r.Kind != BurnRate {
		return true
	}
	threshold := r.Threshold(target)
	return threshold.IsSet() && threshold.Compare(NewRatio(1, 1)) < 0
}
