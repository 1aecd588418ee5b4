package slo

import (
	"errors"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Measure is the unit of [Counts]. The zero value is Events.
type Measure uint8

// The measures.
const (
	Events      Measure = iota // requests, probes, journeys
	Slices                     // time slices, each good or bad as a whole
	Nanoseconds                // time up out of time
)

var measureNames = [...]string{"events", "slices", "nanoseconds"}

// String returns "events", "slices" or "nanoseconds".
func (m Measure) String() string {
	if int(m) < len(measureNames) {
		return measureNames[m]
	}
	return fmt.Sprintf("Measure(%d)", uint8(m))
}

// MarshalText writes the name.
func (m Measure) MarshalText() ([]byte, error) {
	return marshalName("measure", measureNames[:], uint8(m))
}

// UnmarshalText reads a name as String writes it; empty text is Events.
func (m *Measure) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*m = Events
		return nil
	}
	return unmarshalName("measure", measureNames[:], text, (*uint8)(m))
}

// Evidence is what was measured in the window of an objective. Only Counts is
// needed; without a Window the budget is that of the counts alone.
type Evidence struct {
	Counts  Counts
	Measure Measure

	// Window is the whole window, [Start, End). For a rolling window it ends at
	// the instant of evaluation, for a calendar window it may reach beyond it.
	// The counts are those of the increments with Start < instant <= At.
	Window calendar.Interval
	// At is the instant of evaluation, within Window. Defaults to Window.End.
	At time.Time

	// Expected is the number of events that the whole window will hold, when the
	// caller can tell. It replaces elapsed time as the measure of how much of
	// the period's budget is gone; not below what was counted already. Defaults to
	// unknown.
	Expected uint64

	// Observed is how much of [Window.Start, At) was measured, without what was
	// excluded.
	Observed time.Duration
	// Slack is how much of the old end of the window the counts may lack, as those
	// of a compact [Tracker] do. Defaults to nothing: they are exact.
	Slack time.Duration
	// Exclusions are the exclusions that were applied; the counts have lost
	// their events already. Here they make up coverage, together with Observed,
	// and are listed in the Status.
	Exclusions []Exclusion

	// Risk says when a budget that is not exhausted counts as at risk. RuleFiring
	// and RecentBurn are the facts for it: whether an alert rule fires, and the
	// burn rate of the recent past.
	Risk       Risk
	RuleFiring bool
	RecentBurn Ratio
}

// Risk is the choice of what makes a budget that is left [AtRisk]. The zero Risk
// never does.
type Risk struct {
	// Consumed is the share of the budget from which on it is at risk, such as
	// 3/4: above 0 and up to 1. Defaults to never.
	Consumed Ratio `json:"consumed"`
	// OnRule: while an alert rule fires.
	OnRule bool `json:"on_rule,omitempty"`
	// OnForecast: when the recent burn, kept up, exhausts the budget before the
	// end of a calendar window. A rolling window has no such end.
	OnForecast bool `json:"on_forecast,omitempty"`
}

// Validate reports a share outside (0, 1].
func (r Risk) Validate() error {
	if c := r.Consumed; c.IsSet() && (c.Sign() <= 0 || c.Compare(NewRatio(1, 1)) > 0) {
		return fmt.Errorf("risk from a consumed share of %s: want above 0 and up to 1", c)
	}
	return nil
}

// Status is an error budget at an instant. It is a plain value: every figure is
// exact for the counts, which are those of the whole window unless there is a
// Slack, and [Status.Explain] tells how each came about. Figures that do not
// exist, such as the error ratio of a window without events, are absent.
type Status struct {
	Target  Target            `json:"target_percent"`
	Measure Measure           `json:"measure"`
	Window  calendar.Interval `json:"window"` // zero when the evidence named none
	At      time.Time         `json:"at"`

	Good  uint64 `json:"good"`
	Bad   uint64 `json:"bad"`
	Total uint64 `json:"total"`

	SLI        Ratio `json:"sli"`         // good / total
	ErrorRatio Ratio `json:"error_ratio"` // bad / total
	Budget     Ratio `json:"budget"`      // 1 - target

	Allowed Ratio `json:"allowed"` // budget · total so far, in events of the measure
	Left    Ratio `json:"left"`    // allowed - bad, negative when overspent

	Burn      Ratio `json:"burn"`      // error ratio / budget, over what has elapsed
	Consumed  Ratio `json:"consumed"`  // share of the whole window's budget that is gone
	Remaining Ratio `json:"remaining"` // 1 - consumed, negative when overspent

	Met   Verdict `json:"met"`
	State State   `json:"state"`
	// Risks names the conditions that made the state AtRisk: "consumed", "rule",
	// "forecast".
	Risks []string `json:"risks,omitempty"`

	Length   time.Duration `json:"length_ns"`  // of the whole window
	Elapsed  time.Duration `json:"elapsed_ns"` // from its start to At
	Observed time.Duration `json:"observed_ns"`
	Excluded time.Duration `json:"excluded_ns"`
	Coverage Ratio         `json:"coverage"` // (observed + excluded) / elapsed
	// Slack is the length of the stretch at the old end of the window whose events
	// the counts may lack, and with them everything computed from them; 0 for exact
	// counts.
	Slack      time.Duration `json:"slack_ns,omitempty"`
	Exclusions []Effect      `json:"exclusions,omitempty"`

	Expected uint64 `json:"expected,omitempty"`
	Risk     Risk   `json:"risk"` // what was asked for
}

// Evaluate computes the error budget of a target from what was measured.
//
//	burn      = (bad/total) / (1 - target)
//	consumed  = burn · elapsed/length, or bad / ((1 - target) · expected)
//	remaining = 1 - consumed
//
// In a rolling window elapsed is length. A budget is exhausted iff consumed >= 1,
// while the objective is met iff good/total >= target, so a budget used up
// exactly is exhausted and met. No events give [NoData] and [Undecided] with
// burn 0, consumed 0 and remaining 1. At a target of 100 % one bad event gives
// burn +Inf and remaining -Inf. Evidence that contradicts itself is an error;
// all contradictions are joined.
func Evaluate(target Target, e Evidence) (Status, error) {
	if e.At.IsZero() {
		e.At = e.Window.End
	}
	if err := e.validate(target); err != nil {
		return Status{}, err
	}
	effects, excluded, err := e.effects()
	if err != nil {
		return Status{}, err
	}
	s := Status{
		Target: target, Measure: e.Measure, Window: e.Window, At: e.At,
		Good: e.Counts.Good, Bad: e.Counts.Bad(), Total: e.Counts.Total,
		ErrorRatio: e.Counts.ErrorRatio(), Budget: target.Budget(),
		Length: e.Window.Duration(), Elapsed: e.At.Sub(e.Window.Start),
		Observed: e.Observed, Excluded: excluded, Exclusions: effects, Slack: e.Slack,
		Expected: e.Expected, Risk: e.Risk,
	}
	s.Allowed = s.Budget.times(whole(s.Total))
	s.Left = s.Allowed.minus(whole(s.Bad))
	if s.Elapsed > 0 {
		s.Coverage = NewRatio(int64(s.Observed+s.Excluded), int64(s.Elapsed))
	}
	if s.Total == 0 {
		s.State = NoData
		s.Burn, s.Consumed, s.Remaining = NewRatio(0, 1), NewRatio(0, 1), NewRatio(1, 1)
		return s, nil
	}
	s.SLI = fraction(s.Good, s.Total)
	s.Burn = target.Burn(s.ErrorRatio)
	s.Consumed = s.consumed()
	s.Remaining = oneMinus(s.Consumed)
	s.Met = Missed
	if target.met(e.Counts) {
		s.Met = Met
	}
	s.State, s.Risks = s.judge(e)
	return s, nil
}

func (s Status) consumed() Ratio {
	switch {
	case s.Burn.IsInf(0):
		return s.Burn
	case s.Expected > 0 && s.Budget.Sign() > 0:
		return whole(s.Bad).over(s.Budget.times(whole(s.Expected)))
	case s.Length > 0:
		return s.Burn.times(NewRatio(int64(s.Elapsed), int64(s.Length)))
	}
	return s.Burn
}

func (s Status) judge(e Evidence) (State, []string) {
	if s.Consumed.Compare(NewRatio(1, 1)) >= 0 {
		return Exhausted, nil
	}
	var risks []string
	if e.Risk.Consumed.IsSet() && s.Consumed.Compare(e.Risk.Consumed) >= 0 {
		risks = append(risks, "consumed")
	}
	if e.Risk.OnRule && e.RuleFiring {
		risks = append(risks, "rule")
	}
	if e.Risk.OnForecast && s.Forecast(e.RecentBurn).BeforeEnd {
		risks = append(risks, "forecast")
	}
	if len(risks) > 0 {
		return AtRisk, risks
	}
	return OK, nil
}

func (e Evidence) validate(target Target) error {
	var errs []error
	if !target.IsSet() {
		errs = append(errs, errors.New("target not set"))
	}
	if err := e.Counts.Validate(); err != nil {
		errs = append(errs, err)
	}
	if int(e.Measure) >= len(measureNames) {
		errs = append(errs, fmt.Errorf("measure %d: want events, slices or nanoseconds", e.Measure))
	}
	if e.Expected > 0 && e.Expected < e.Counts.Total {
		errs = append(errs, fmt.Errorf("expected %d events: want the %d counted already or more", e.Expected, e.Counts.Total))
	}
	if e.Slack < 0 || e.Slack > e.Window.Duration() {
		errs = append(errs, fmt.Errorf("slack %v: want 0 up to the window's %v", e.Slack, e.Window.Duration()))
	}
	if err := e.Risk.Validate(); err != nil {
		errs = append(errs, err)
	}
	if err := e.Window.Validate(); err != nil {
		errs = append(errs, fmt.Errorf("window: %w", err))
		return errors.Join(errs...)
	}
	if e.At.Before(e.Window.Start) || e.At.After(e.Window.End) {
		errs = append(errs, fmt.Errorf("at %s outside the window %s", e.At.Format(time.RFC3339Nano), e.Window))
		return errors.Join(errs...)
	}
	return errors.Join(errs...)
}

// effects lists what the exclusions took out of [Window.Start, At), and its sum.
func (e Evidence) effects() ([]Effect, time.Duration, error) {
	elapsed := calendar.Interval{Start: e.Window.Start, End: e.At}
	effects, err := Effects(elapsed, e.Exclusions)
	if err != nil {
		return nil, 0, err
	}
	var excluded time.Duration
	for _, x := range effects {
		excluded += x.Removed
	}
	if e.Observed < 0 || e.Observed > elapsed.Duration()-excluded {
		return nil, 0, fmt.Errorf("observed %v of %v elapsed, of which %v were excluded", e.Observed, elapsed.Duration(), excluded)
	}
	return effects, excluded, nil
}
