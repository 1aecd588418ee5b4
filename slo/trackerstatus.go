package slo

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Now returns the instant up to which the tracker has come; the zero time before
// the first.
func (t *Tracker) Now() time.Time {
	if !t.placed {
		return time.Time{}
	}
	return t.instant(t.now)
}

// Stats returns what the tracker was given so far.
func (t *Tracker) Stats() Stats { return t.stats }

// Decisions yields what each rule of the policy says now, in the order of the
// policy. It does not allocate.
func (t *Tracker) Decisions() iter.Seq[Decision] {
	return func(yield func(Decision) bool) {
		for i := range t.rules {
			if !yield(t.decision(i)) {
				return
			}
		}
	}
}

func (t *Tracker) decision(i int) Decision {
	r := &t.rules[i]
	d := *r.named
	d.LongCounts, d.LongSlack = t.in(r.long).counts(), t.slack(r.long)
	if r.hasShort {
		d.ShortCounts, d.ShortSlack = t.in(r.short).counts(), t.slack(r.short)
	}
	d.Holds, d.Cause, d.Firing = r.holds, r.cause, r.firing
	if r.holds {
		d.Since = t.instant(r.since)
	}
	if r.firing {
		d.FiringSince = t.instant(r.firingSince)
	}
	d.Cold = t.isCold(r.compiledRule.long)
	if r.holds {
		d.SuppressedBy = t.objective.Policy.suppressor(i, func(n int) bool { return t.rules[n].holds })
	}
	return d
}

// Firing returns the first rule of a severity that fires; ok is false when none
// does. A severity fires when any of its rules does.
func (t *Tracker) Firing(severity Severity) (rule string, ok bool) {
	for i := range t.rules {
		if r := &t.rules[i]; r.firing && r.named.Severity == severity {
			return r.named.Rule, true
		}
	}
	return "", false
}

// Burn is the burn rate of one window.
type Burn struct {
	Window     time.Duration `json:"window_ns"`
	Counts     Counts        `json:"counts"`
	ErrorRatio Ratio         `json:"error_ratio"` // absent without events
	Rate       Ratio         `json:"rate"`        // absent without events
	Coverage   Ratio         `json:"coverage"`    // (observed + excluded) / window
	Cold       bool          `json:"cold"`        // starts before the first observation
	// Slack is the length of the stretch at the old end of the window whose
	// events the counts may lack; 0 but for a compact tracker.
	Slack time.Duration `json:"slack_ns,omitempty"`
}

// Burns yields the burn rate of every window of the rules, shortest first.
func (t *Tracker) Burns() iter.Seq[Burn] {
	return func(yield func(Burn) bool) {
		for i := range t.slots {
			isOfRule := func(r ruleState) bool { return r.long == i || r.short == i }
			if slices.ContainsFunc(t.rules, isOfRule) && !yield(t.burnOf(i)) {
				return
			}
		}
	}
}

// Burn returns the burn rate of any window up to the longest that is kept;
// beyond it is [ErrNotRetained], as is any window that a compact tracker has no
// buckets for. A window that is none of the objective, its rules and Retain takes
// time in proportion to the samples between its start and that of the next longer
// one.
func (t *Tracker) Burn(window time.Duration) (Burn, error) {
	length := int64(window)
	switch {
	case length <= 0:
		return Burn{}, fmt.Errorf("burn window %v: want more than 0", window)
	case length > t.retention():
		return Burn{}, fmt.Errorf("burn window %v, kept %v: %w", window, time.Duration(t.retention()), ErrNotRetained)
	}
	if i := t.slot(length); i >= 0 {
		return t.burnOf(i), nil
	}
	if t.buckets != nil {
		return Burn{}, fmt.Errorf("burn window %v, kept %v: %w", window, t.lengths(), ErrNotRetained)
	}
	longer := slices.IndexFunc(t.slots, func(s slot) bool { return s.length > length })
	return t.burn(length, t.all.minus(t.ring.since(t.now-length, t.slots[longer]))), nil
}

func (t *Tracker) burnOf(i int) Burn {
	b := t.burn(t.slots[i].length, t.in(i))
	b.Slack = t.slack(i)
	return b
}

func (t *Tracker) burn(length int64, events sums) Burn {
	b := Burn{Window: time.Duration(length), Counts: events.counts(), Cold: t.isCold(length)}
	b.ErrorRatio = b.Counts.ErrorRatio()
	b.Rate = t.objective.Target.Burn(b.ErrorRatio)
	observed, excluded := t.coverage(t.now-length, t.now, t.last)
	b.Coverage = NewRatio(observed+excluded, length)
	return b
}

// Status returns the budget of the main window, Windows[0], at the present
// instant.
func (t *Tracker) Status() (Status, error) { return t.status(0) }

// Statuses returns the budgets of all windows of the objective, in their order.
func (t *Tracker) Statuses() ([]Status, error) {
	all := make([]Status, len(t.objective.Windows))
	for i := range all {
		s, err := t.status(i)
		if err != nil {
			return nil, err
		}
		all[i] = s
	}
	return all, nil
}

func (t *Tracker) status(i int) (Status, error) {
	if !t.placed {
		return Status{}, ErrNoInstant
	}
	w := t.objective.Windows[i]
	e := t.evidence(w.Period(t.instant(t.now)).Interval, t.instant(t.now))
	if w.IsRolling() {
		n := t.slot(int64(w.length))
		e.Counts, e.Slack = t.in(n).counts(), t.slack(n)
	} else if c := t.calendarSlot(i); c.start == e.Window.Start.UnixNano() {
		e.Counts = c.sums.counts()
	}
	e.RuleFiring = slices.ContainsFunc(t.rules, func(r ruleState) bool { return r.firing })
	if e.Risk.OnForecast {
		recent, err := t.Burn(time.Hour)
		if err != nil {
			return Status{}, err
		}
		e.RecentBurn = recent.Rate
	}
	return Evaluate(t.objective.Target, e)
}

// evidence is what is known of a window without its counts.
func (t *Tracker) evidence(window calendar.Interval, at time.Time) Evidence {
	elapsed := stretch{window.Start.UnixNano(), at.UnixNano()}
	observed, _ := t.coverage(elapsed.start, elapsed.end, t.last)
	return Evidence{
		Measure: t.objective.measure(), Window: window, At: at, Observed: time.Duration(observed),
		Exclusions: t.touching(elapsed), Risk: t.objective.Risk,
	}
}

// Ended returns the final budget of the calendar period before the present one of
// Windows[i], evaluated at its end: what a monthly report is made from, and what
// [BudgetPolicy.Review] judges unused budget by. A sample at the end of a period
// belongs to it, so that the period is known as soon as the tracker has come there.
// The state knows no firing rule and no forecast. ok is false for a window that is
// rolling or not there, and for a period that ended before the first observation.
func (t *Tracker) Ended(i int) (s Status, ok bool) {
	if i < 0 || i >= len(t.objective.Windows) || t.objective.Windows[i].IsRolling() || !t.seen {
		return Status{}, false
	}
	c := t.calendarSlot(i)
	p := c.window.Period(c.window.Period(t.instant(t.now)).Start.Add(-1)).Interval
	end := p.End.UnixNano()
	if end <= t.from() || end == c.start && c.ended == unknown { // it was not in the snapshot
		return Status{}, false
	}
	e := t.evidence(p, p.End)
	for _, known := range [...]period{c.period, c.ended} {
		if known.start == p.Start.UnixNano() {
			e.Counts = known.sums.counts()
		}
	}
	s, err := Evaluate(t.objective.Target, e)
	return s, err == nil
}

// calendarSlot returns that of the calendar window i of the objective.
func (t *Tracker) calendarSlot(i int) *calendarSlot {
	for _, w := range t.objective.Windows[:i] {
		if w.IsRolling() {
			i--
		}
	}
	return &t.calendars[i]
}

// Forecast projects the main budget with the burn rate of the recent past, which
// must not be longer than the history kept. Without events in it, or none yet in
// the calendar period, the forecast is absent, but for a budget that is gone: that
// is so at once.
func (t *Tracker) Forecast(recent time.Duration) (Forecast, error) {
	s, err := t.Status()
	if err != nil {
		return Forecast{}, err
	}
	b, err := t.Burn(recent)
	if err != nil {
		return Forecast{}, err
	}
	if s.State == NoData {
		b.Rate = Ratio{} // that of the period before
	}
	return s.Forecast(b.Rate), nil
}
