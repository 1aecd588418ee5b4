package slo

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/threshold"
)

// Explanation tells how the figures of a result came about, one step a figure,
// in the order of computing.
type Explanation []Step

// Step is how one figure came about.
type Step struct {
	Field   string `json:"field"`   // its JSON name in the result
	Formula string `json:"formula"` // in words and operators
	Values  []Term `json:"values"`  // what stands for the words
	Result  string `json:"result"`  // exact
	Source  string `json:"source,omitempty"`
}

// Term is a value in a formula.
type Term struct {
	Name  string `json:"name"`
	Value string `json:"value"` // exact
}

// String returns the steps, one a line.
func (e Explanation) String() string {
	var b strings.Builder
	for _, s := range e {
		b.WriteString(s.String())
		b.WriteByte('\n')
	}
	return b.String()
}

// String returns "field = formula [name value, ...] = result (source)".
func (s Step) String() string {
	var b strings.Builder
	b.WriteString(s.Field + " = " + s.Formula)
	for i, t := range s.Values {
		b.WriteString([]string{" [", ", "}[min(i, 1)] + t.Name + " " + t.Value)
	}
	if len(s.Values) > 0 {
		b.WriteByte(']')
	}
	b.WriteString(" = " + s.Result)
	if s.Source != "" {
		b.WriteString(" (" + s.Source + ")")
	}
	return b.String()
}

// count and figure are the texts of a number in an explanation; figure adds the
// nearest decimal to what is no whole number.
func count(n uint64) string { return strconv.FormatUint(n, 10) }

func figure(r Ratio) string {
	switch {
	case !r.isFinite():
		return r.String()
	case r.den == 1:
		return strconv.FormatInt(r.num, 10)
	case r.large != nil && r.large.IsInt():
		return r.large.RatString()
	}
	return r.String() + " ~ " + strconv.FormatFloat(r.Float64(), 'g', 6, 64)
}

const workbook = "SRE Workbook, chapter 5"

// Explain tells how each figure of the status was computed: numerator,
// denominator, window, exclusions, and the comparisons made.
func (s Status) Explain() Explanation {
	bad, total := Term{"bad", count(s.Bad)}, Term{"total", count(s.Total)}
	budget := Term{"budget", figure(s.Budget)}
	e := s.explainWindow()
	e = append(e, Step{Field: "budget", Formula: "1 - target", Values: []Term{{"target", figure(s.Target.Ratio())}}, Result: figure(s.Budget)})
	if s.State == NoData {
		return append(e,
			Step{Field: "error_ratio", Formula: "bad / total", Values: []Term{bad, total}, Result: s.ErrorRatio.String()},
			Step{Field: "state", Formula: "total = 0", Values: []Term{total}, Result: s.State.String()})
	}
	return append(e,
		Step{Field: "error_ratio", Formula: "bad / total", Values: []Term{bad, total}, Result: figure(s.ErrorRatio)},
		Step{Field: "allowed", Formula: "budget * total", Values: []Term{budget, total}, Result: figure(s.Allowed)},
		Step{Field: "left", Formula: "allowed - bad", Values: []Term{{"allowed", figure(s.Allowed)}, bad}, Result: figure(s.Left)},
		Step{Field: "burn", Formula: "error_ratio / budget", Values: []Term{{"error_ratio", figure(s.ErrorRatio)}, budget}, Result: figure(s.Burn), Source: workbook},
		s.explainConsumed(),
		Step{Field: "remaining", Formula: "1 - consumed", Values: []Term{{"consumed", figure(s.Consumed)}}, Result: figure(s.Remaining)},
		Step{
			Field: "met", Formula: "good / total >= target",
			Values: []Term{{"good", count(s.Good)}, total, {"target", figure(s.Target.Ratio())}}, Result: s.Met.String(),
		},
		s.explainState(),
	)
}

func (s Status) explainWindow() Explanation {
	if s.Length == 0 {
		return nil
	}
	e := Explanation{{
		Field: "window", Formula: "start < instant <= at",
		Values: []Term{
			{"start", stamp(s.Window.Start)},
			{"at", stamp(s.At)},
			{"end", stamp(s.Window.End)},
			{"elapsed", span(s.Elapsed)},
			{"length", span(s.Length)},
		},
		Result: s.Measure.String(),
	}}
	if s.Slack > 0 {
		e = append(e, lacks("slack", s.Window.Start, s.Slack))
	}
	for _, x := range s.Exclusions {
		e = append(e, Step{
			Field: "exclusions", Formula: "exclusion within the window, less earlier ones",
			Values: []Term{{"start", stamp(x.Start)}, {"end", stamp(x.End)}, {"clipped", span(x.Clipped)}},
			Result: span(x.Removed), Source: x.Reason,
		})
	}
	return append(e, Step{
		Field: "coverage", Formula: "(observed + excluded) / elapsed",
		Values: []Term{{"observed", span(s.Observed)}, {"excluded", span(s.Excluded)}, {"elapsed", span(s.Elapsed)}},
		Result: figure(s.Coverage),
	})
}

// lacks says which events the counts of a compact tracker may lack.
func lacks(field string, start time.Time, slack time.Duration) Step {
	return Step{
		Field: field, Formula: "events may be missing from start to start + slack",
		Values: []Term{{"start", stamp(start)}, {"slack", span(slack)}}, Result: "inexact", Source: "compact tracker",
	}
}

func (s Status) explainConsumed() Step {
	step := Step{Field: "consumed", Formula: "burn", Values: []Term{{"burn", figure(s.Burn)}}, Result: figure(s.Consumed)}
	switch {
	case s.Burn.IsInf(0):
	case s.Expected > 0 && s.Budget.Sign() > 0:
		step.Formula = "bad / (budget * expected)"
		step.Values = []Term{{"bad", count(s.Bad)}, {"budget", figure(s.Budget)}, {"expected", count(s.Expected)}}
	case s.Length > 0:
		step.Formula = "burn * elapsed / length"
		step.Values = append(step.Values, Term{"elapsed", span(s.Elapsed)}, Term{"length", span(s.Length)})
	}
	return step
}

func (s Status) explainState() Step {
	step := Step{Field: "state", Formula: "consumed >= 1", Values: []Term{{"consumed", figure(s.Consumed)}}, Result: s.State.String()}
	switch s.State {
	case AtRisk:
		step.Formula = "consumed < 1 and at risk by " + strings.Join(s.Risks, ", ")
	case OK:
		step.Formula = "consumed < 1"
	case NoData, Exhausted:
	}
	if s.Risk.Consumed.IsSet() && s.State != Exhausted {
		step.Values = append(step.Values, Term{"at risk from", figure(s.Risk.Consumed)})
	}
	return step
}

// ExplainForecast tells how the figures of a forecast of s came about, see
// [Status.Forecast]. It is empty where there is nothing to forecast.
func (s Status) ExplainForecast(f Forecast) Explanation {
	if s.Length == 0 || !f.Seconds.IsSet() {
		return nil
	}
	consumed, burn, length := Term{"consumed", figure(s.Consumed)}, Term{"burn", figure(f.Burn)}, Term{"length", span(s.Length)}
	rest := Term{"end - at", span(s.Length - s.Elapsed)}
	e := Explanation{{
		Field: "projected", Formula: "consumed + burn * (end - at) / length",
		Values: []Term{consumed, burn, rest, length}, Result: figure(f.Projected),
	}, {
		Field: "seconds", Formula: "(1 - consumed) * length / burn, and 0 from consumed 1 on",
		Values: []Term{consumed, length, burn}, Result: figure(f.Seconds) + " s",
	}}
	exhausts := Step{Field: "exhausts_at", Formula: "at + seconds", Values: []Term{{"at", stamp(s.At)}, {"seconds", figure(f.Seconds)}}, Result: "never"}
	if !f.ExhaustsAt.IsZero() {
		exhausts.Result = stamp(f.ExhaustsAt)
	}
	e = append(e, exhausts)
	if f.MaxSustainable.IsSet() {
		e = append(e, Step{
			Field: "max_sustainable", Formula: "(1 - consumed) * length / (end - at)",
			Values: []Term{consumed, length, rest}, Result: figure(f.MaxSustainable),
		})
	}
	return e
}

// Explain tells how the rule was decided: both ratios against the threshold.
func (d Decision) Explain() Explanation {
	holds := Step{Field: "holds", Formula: "long and short", Result: fmt.Sprintf("%t: %s", d.Holds, d.Cause)}
	switch d.Kind {
	case Silence:
		holds.Formula, holds.Values = "total = 0", append([]Term{{"window", span(d.Long)}, {"total", count(d.LongCounts.Total)}}, lacking(d.LongSlack)...)
		return Explanation{holds}
	case AbsoluteCount:
		holds.Formula = "bad / total >= threshold and bad >= min_bad"
		holds.Values = append([]Term{
			{"window", span(d.Long)},
			{"bad", count(d.LongCounts.Bad())},
			{"total", count(d.LongCounts.Total)},
			{"ratio", figure(d.LongCounts.ErrorRatio())},
			{"threshold", figure(d.Threshold)},
			{"min_bad", count(d.MinBad)},
		}, lacking(d.LongSlack)...)
		return Explanation{holds}
	case BurnRate:
	}
	e := Explanation{{
		Field: "threshold", Formula: "factor * budget", Values: []Term{{"factor", figure(d.Factor)}},
		Result: figure(d.Threshold), Source: workbook,
	}}
	compare := func(field string, window, slack time.Duration, c Counts) {
		ratio := c.ErrorRatio()
		result := "not above"
		switch {
		case !ratio.IsSet():
			result = "no events"
		case ratio.Compare(d.Threshold) > 0:
			result = "above"
		}
		e = append(e, Step{
			Field: field, Formula: "bad / total > threshold",
			Values: append([]Term{{"window", span(window)}, {"bad", count(c.Bad())}, {"total", count(c.Total)}, {"ratio", figure(ratio)}, {"threshold", figure(d.Threshold)}}, lacking(slack)...),
			Result: result,
		})
	}
	compare("long", d.Long, d.LongSlack, d.LongCounts)
	if d.Short > 0 {
		compare("short", d.Short, d.ShortSlack, d.ShortCounts)
	}
	e = append(e, holds)
	if d.SuppressedBy != "" {
		e = append(e, Step{Field: "suppressed_by", Formula: "a rule with a larger factor holds", Result: d.SuppressedBy})
	}
	return e
}

// lacking names the slack of the counts of a compact tracker.
func lacking(slack time.Duration) []Term {
	if slack == 0 {
		return nil
	}
	return []Term{{"may lack its first", span(slack)}}
}

func span(d time.Duration) string { return threshold.FormatDuration(d) }
