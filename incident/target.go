package incident

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/threshold"
)

// Target is a limit as contracts and KPI lists state it: "< 2 hours", "> 60%",
// "> 4.5/5", "72 hours minimum". Comparisons are as written: exactly two hours
// miss "< 2 hours", and 72 hours keep "72 hours minimum". The zero Target is not
// set and judges nothing.
type Target struct {
	limit threshold.Target
}

// ParseTarget reads a target, such as those of [Target]. The error quotes the text and names
// the column at which it cannot be read and what is wanted there.
func ParseTarget(text string) (Target, error) {
	t, err := threshold.ParseTarget(text)
	if err != nil {
		return Target{}, fmt.Errorf("parse target: %w", err)
	}
	return Target{limit: t}, nil
}

// IsSet reports whether there is a limit.
func (t Target) IsSet() bool { return t.limit.Op != 0 }

// Limit returns the number and its unit: "s" for seconds, "percent" for 0..100,
// "of 5" for points of a score, "" for a plain number. A target that is not set
// has no number.
func (t Target) Limit() (number *big.Rat, unit string) {
	if !t.IsSet() {
		return nil, ""
	}
	return t.limit.Value.Rat(), t.limit.Unit
}

// Strict reports whether the limit itself misses the target, as exactly two
// hours miss "< 2 hours".
func (t Target) Strict() bool {
	return t.IsSet() && !t.limit.Op.Holds(0)
}

// String returns the target in the form that ParseTarget reads, "" if not set.
func (t Target) String() string {
	if !t.IsSet() {
		return ""
	}
	return t.limit.String()
}

// MarshalText writes what String returns.
func (t Target) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what ParseTarget reads; empty text is the zero Target.
func (t *Target) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*t = Target{}
		return nil
	}
	parsed, err := ParseTarget(string(text))
	if err != nil {
		return err
	}
	*t = parsed
	return nil
}

// Verdict is the answer to "is the target kept?". The zero value means that
// there is nothing to judge, or not yet.
type Verdict uint8

// The verdicts.
const (
	Undecided Verdict = iota
	Met
	Missed
)

var verdictNames = [...]string{Undecided: "undecided", Met: "met", Missed: "missed"}

// String returns "undecided", "met" or "missed".
func (v Verdict) String() string {
	if int(v) >= len(verdictNames) {
		return fmt.Sprintf("Verdict(%d)", uint8(v))
	}
	return verdictNames[v]
}

// MarshalText writes what String returns.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads what String returns.
func (v *Verdict) UnmarshalText(text []byte) error {
	i := slices.Index(verdictNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("parse verdict %q: want one of %s", text, strings.Join(verdictNames[:], ", "))
	}
	*v = Verdict(i)
	return nil
}

// Judge compares a figure in the unit of the target: seconds for a duration,
// 0..100 for a percentage, points for a score. A nil figure is Undecided.
func (t Target) Judge(figure *big.Rat) Verdict {
	if figure == nil || !t.IsSet() {
		return Undecided
	}
	if t.limit.Op.Holds(figure.Cmp(t.limit.Value.Rat())) {
		return Met
	}
	return Missed
}

// fits reports whether a figure in a unit can be held against the target.
func (t *Target) fits(u Unit) bool {
	switch unit := t.limit.Unit; u {
	case UnitSeconds:
		return unit == threshold.Seconds
	case UnitPercent:
		return unit == threshold.Percent
	case UnitScore:
		return unit == "" || unit == fmt.Sprintf("of %d", MaxScore)
	default:
		return unit == ""
	}
}

// JudgeDuration compares a duration with a target of time. Any other target
// is Undecided.
func (t Target) JudgeDuration(d time.Duration) Verdict { return limitOf(t).judge(d) }

// limit is a target of time, ready to judge many durations. The zero limit judges
// nothing.
type limit struct {
	op   threshold.Op
	than time.Duration
}

// limitOf returns the limit of a target, the zero one for any that is not of time.
func limitOf(t Target) limit {
	if than, ok := t.limit.Duration(); ok {
		return limit{t.limit.Op, than}
	}
	return limit{}
}

// judge compares a duration with the limit.
func (l limit) judge(d time.Duration) Verdict {
	switch {
	case l.op == 0:
		return Undecided
	case l.op.Holds(cmp.Compare(d, l.than)):
		return Met
	}
	return Missed
}

// judgeAtLeast judges a figure of which only a lower bound is known: Met or Missed if
// every number from there on is, Undecided otherwise or without a bound.
func (t *Target) judgeAtLeast(bound *big.Rat) Verdict {
	verdict := t.Judge(bound)
	if t.isFloor() && verdict == Met || t.isCeiling() && verdict == Missed {
		return verdict
	}
	return Undecided
}

// isFloor reports whether the target asks for more than something.
func (t *Target) isFloor() bool {
	return t.limit.Op == threshold.Greater || t.limit.Op == threshold.GreaterEqual
}

// isCeiling reports whether the target asks for less than something.
func (t *Target) isCeiling() bool {
	return t.limit.Op == threshold.Less || t.limit.Op == threshold.LessEqual
}

// soFar is [limit.soFar].
func (t *Target) soFar(lapse time.Duration) Verdict { return limitOf(*t).soFar(lapse) }

// soFar is Missed if a duration that has not ended cannot keep the limit any
// more, and Undecided otherwise.
func (l limit) soFar(lapse time.Duration) Verdict {
	if (l.op == threshold.Less || l.op == threshold.LessEqual) && l.judge(lapse) == Missed {
		return Missed
	}
	return Undecided
}

// atMost is Missed if no duration up to the longest one keeps the target, and Undecided
// otherwise.
func (t *Target) atMost(longest time.Duration) Verdict {
	if t.isFloor() && t.JudgeDuration(longest) == Missed {
		return Missed
	}
	return Undecided
}

// Parts returns the comparison such as "<", the number and its unit: "s" for a
// time in seconds, "percent", "of 5" for a score, or "" for a plain number. All
// are "" for a target that is not set.
func (t Target) Parts() (comparison, number, unit string) {
	if !t.IsSet() {
		return "", "", ""
	}
	return t.limit.Op.String(), t.limit.Value.String(), t.limit.Unit
}

// Targets is one target per severity.
type Targets map[Severity]Target

// DefaultTargets returns the resolution targets of the operations guide that
// this library follows: P1 within 2 hours, P2 8, P3 24, P4 72, all of them
// strict.
func DefaultTargets() Targets {
	hours := map[Severity]string{P1: "< 2 hours", P2: "< 8 hours", P3: "< 24 hours", P4: "< 72 hours"}
	targets := make(Targets, len(hours))
	for s, text := range hours {
		targets[s], _ = ParseTarget(text) // constants, held by a test
	}
	return targets
}

// Judgement is the verdict on one incident.
type Judgement struct {
	ID      string        `json:"id"`
	Verdict Verdict       `json:"verdict"`
	Target  Target        `json:"target"`
	Lapse   time.Duration `json:"lapse_ns"`       // so far, if it has not ended
	Missing bool          `json:"missing"`        // a milestone that never came
	Open    bool          `json:"open,omitempty"` // has not ended
}

// Compliance is how many incidents kept their target.
type Compliance struct {
	Span       Span        `json:"definition"`
	Judgements []Judgement `json:"judgements"` // in the order of the records
	Kept       Share       `json:"kept"`       // of those that are decided
	Missing    int         `json:"missing"`    // resolved incidents without one of the milestones
}

// ComplianceOf judges incidents by the target of their severity over a span. An
// incident that has not reached the end of the span is Missed as soon as its
// target cannot be kept any more at the instant at, and Undecided before; a
// zero at leaves all of them undecided. Severities without a target are
// Undecided.
func ComplianceOf(records []Record, s Span, targets Targets, at time.Time) Compliance {
	return comply(records, s, NetTime, targets, at)
}

// comply is ComplianceOf by another clock.
func comply(records []Record, s Span, by Clock, targets Targets, at time.Time) Compliance {
	c := Compliance{Span: s, Judgements: make([]Judgement, 0, len(records))}
	for _, r := range records {
		j := judge(&r, s, by, targets[r.Severity], at)
		if j.Missing {
			c.Missing++
		}
		if j.Verdict != Undecided {
			c.Kept.Of++
		}
		if j.Verdict == Met {
			c.Kept.Hits++
		}
		c.Judgements = append(c.Judgements, j)
	}
	return c
}

func judge(r *Record, s Span, c Clock, t Target, at time.Time) Judgement {
	j := Judgement{ID: r.ID, Target: t}
	if l, ok := r.lapse(s, c); ok {
		j.Lapse, j.Verdict = l.Duration, t.JudgeDuration(l.Duration)
		return j
	}
	from := r.Times.at(s.From())
	j.Open = r.Times.at(s.To()).IsZero()
	if j.Missing = from.IsZero() || r.passed(s.To()); j.Missing || at.IsZero() || at.Before(from) {
		return j
	}
	j.Lapse = at.Sub(from) - r.paused(s, c, from, at)
	j.Verdict = t.soFar(j.Lapse)
	return j
}

// passed reports whether a later milestone is there, so that m will not come.
func (r *Record) passed(m Milestone) bool {
	for _, later := range milestones {
		if later > m && !r.Times.at(later).IsZero() {
			return true
		}
	}
	return false
}
