package slo

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/internal/times"
)

// Sample is the counts of the stretch of time that ends at an instant.
type Sample struct {
	At time.Time `json:"at"`
	Counts
	// Missing says that the sample that was due is not there; the counts are
	// ignored then, see [Tracker.Miss].
	Missing bool `json:"missing,omitempty"`
}

// BacktestOptions are the optional parts of [Backtest].
type BacktestOptions struct {
	// TrackerOptions are those of the tracker that is fed. A backtest is exact,
	// so Compact is ignored.
	TrackerOptions

	// Step is how often the rules are evaluated where no sample comes, as a
	// monitoring system does, until nothing can change any more. Defaults to
	// Interval; without both rules are evaluated at samples alone.
	Step time.Duration
	// Every is the distance of the points of the budget curve. Defaults to one
	// hour.
	Every time.Duration
	// NeededLoss is the share of the main window's budget that must be lost
	// around a page for the page to be needed. Defaults to 1/100, half of what
	// the fastest default rule lets go before it fires.
	NeededLoss Ratio
}

// maxFalseShare is the share of pages that nobody needed that is too many: 5 %. It is
// a literal, since a call here would link math/big into every importer.
var maxFalseShare = Ratio{num: 1, den: 20}

// History is what a backtest found. It is plain data.
type History struct {
	Objective string    `json:"objective"`
	Start     time.Time `json:"from"` // from which on the first sample counts
	End       time.Time `json:"to"`   // of the last sample
	Stats     Stats     `json:"stats"`
	Counts    Counts    `json:"counts"` // of the measure, without what was excluded

	// Alerts are the runs in which a rule fired, by start and then in the order
	// of the rules.
	Alerts []Alert `json:"alerts,omitempty"`
	// Curve is the budget of the main window at the first sample and then at the
	// first sample of every further step, and at the last one.
	Curve []BudgetPoint `json:"curve,omitempty"`

	// Pages are the times in which any rule of severity [Page] fired.
	Pages []Episode `json:"pages,omitempty"`
	// PagesPerPeriod is the number of pages in the time of the main window, at
	// its nominal length; absent for a history without length.
	PagesPerPeriod Ratio         `json:"pages_per_period"`
	Period         time.Duration `json:"period_ns"`
	// Unneeded counts the pages of known loss around which not more than NeededLoss of the
	// budget was lost, and FalseShare is their share, absent without pages.
	Unneeded   int   `json:"unneeded"`
	NeededLoss Ratio `json:"needed_loss"`
	FalseShare Ratio `json:"false_share"`
	// TooManyFalse: FalseShare is 5 % or more.
	TooManyFalse bool `json:"too_many_false"`
}

// Alert is one unbroken run in which a rule fired.
type Alert struct {
	Rule     string    `json:"rule"`
	Severity Severity  `json:"severity"`
	Fired    time.Time `json:"fired"`
	Resolved time.Time `json:"resolved,omitzero"` // the first evaluation without it; zero: fires at the end
	// Bad are the bad events from the start of the long window at which it fired
	// until it resolved.
	Bad uint64 `json:"bad"`
	// Loss is the share of the main window's budget that these are, for a window
	// with the traffic of the whole history:
	//
	//	bad / ((1 - target) · total · period / elapsed)
	//
	// Absent without traffic or length, +Inf at a target of 100 %.
	Loss Ratio `json:"loss"`
}

// Episode is a time in which a severity fired, whichever of its rules did.
type Episode struct {
	Severity Severity  `json:"severity"`
	Fired    time.Time `json:"fired"`
	Resolved time.Time `json:"resolved,omitzero"` // zero: fires at the end
	Rules    []string  `json:"rules"`             // in the order in which they fired first
	Loss     Ratio     `json:"loss"`              // the largest of its alerts
	Needed   bool      `json:"needed"`            // the loss is above NeededLoss
}

// BudgetPoint is the budget of the main window at an instant.
type BudgetPoint struct {
	At       time.Time `json:"at"`
	Consumed Ratio     `json:"consumed"`
	State    State     `json:"state"`
}

// Backtest follows an objective through recorded samples, in the order of time,
// and returns what its rules would have done and what became of its budget. A
// sample that [Tracker.Observe] refuses ends it with an error that names its
// number. 30 days of samples every 30 s take a few milliseconds. A nil options is
// the default.
func Backtest(o Objective, samples iter.Seq[Sample], options *BacktestOptions) (History, error) {
	b := backtest{every: int64(time.Hour), open: make([]int, len(o.Policy.Rules))}
	tracker := TrackerOptions{}
	needed := NewRatio(1, 100)
	if options != nil {
		if options.Step < 0 || options.Every < 0 || options.NeededLoss.IsSet() && (!options.NeededLoss.isFinite() || options.NeededLoss.Sign() < 0) {
			return History{}, fmt.Errorf("backtest options: want step %v, every %v and needed loss %s of 0 or more", options.Step, options.Every, options.NeededLoss)
		}
		tracker = options.TrackerOptions
		tracker.Compact = false
		b.step = int64(cmp.Or(options.Step, options.Interval))
		b.every = int64(cmp.Or(options.Every, time.Hour))
		if options.NeededLoss.IsSet() {
			needed = options.NeededLoss
		}
	}
	t, err := NewTracker(o, &tracker)
	if err != nil {
		return History{}, err
	}
	b.t = t
	for i := range b.open {
		b.open[i] = -1
		r := &t.rules[i]
		b.settled = max(b.settled, r.compiledRule.long+max(r.keepFiring, r.forNanos))
	}
	n := 0
	for s := range samples {
		if err := b.take(&s); err != nil {
			return History{}, fmt.Errorf("samples[%d]: %w", n, err)
		}
		n++
	}
	return b.finish(needed)
}

// backtest is a tracker and what it has done so far.
type backtest struct {
	t       *Tracker
	step    int64
	settled int64 // so long after the last sample no rule changes
	every   int64
	next    int64 // instant of the next point
	open    []int // by rule, the alert that fires, -1 for none
	alerts  []Alert
	curve   []BudgetPoint
}

func (b *backtest) take(s *Sample) error {
	t := b.t
	if b.step > 0 && t.placed {
		if ns, ok := nanos(s.At); ok {
			b.idle(ns)
		}
	}
	if s.Missing {
		if err := t.Miss(s.At); err != nil {
			return err
		}
	} else if err := t.Observe(s.At, s.Counts); err != nil {
		return err
	}
	b.note()
	if len(b.curve) == 0 || t.now >= b.next {
		return b.point()
	}
	return nil
}

// idle evaluates the rules until half a step before the next sample, or until
// nothing can change.
func (b *backtest) idle(until int64) {
	t := b.t
	limit := min(until-b.step/2, t.now+b.settled+2*b.step)
	for at := t.now + b.step; at < limit; at += b.step {
		t.closeSlices(at)
		t.evaluate(at)
		b.note()
	}
}

// bad is the number of all bad events so far.
func (b *backtest) bad() uint64 { return b.t.all.bad }

// note writes down which rules began or ceased to fire.
func (b *backtest) note() {
	for i := range b.t.rules {
		r := &b.t.rules[i]
		if r.firing == (b.open[i] >= 0) {
			continue
		}
		now := b.t.instant(b.t.now)
		if r.firing {
			b.open[i] = len(b.alerts)
			before := b.bad() - b.t.in(r.long).bad // added back when it resolves
			b.alerts = append(b.alerts, Alert{Rule: r.named.Rule, Severity: r.named.Severity, Fired: now, Bad: before})
			continue
		}
		a := &b.alerts[b.open[i]]
		a.Resolved, a.Bad = now, b.bad()-a.Bad
		b.open[i] = -1
	}
}

func (b *backtest) point() error {
	s, err := b.t.status(0)
	if err != nil {
		return err
	}
	b.curve = append(b.curve, BudgetPoint{At: s.At, Consumed: s.Consumed, State: s.State})
	b.next = (floorDiv(b.t.now, b.every) + 1) * b.every
	return nil
}

func (b *backtest) finish(needed Ratio) (History, error) {
	t := b.t
	h := History{Objective: t.objective.ID, Stats: t.stats, Alerts: b.alerts, Period: t.objective.Windows[0].Nominal(), NeededLoss: needed}
	if !t.placed {
		return h, nil
	}
	if n := len(b.curve); n > 0 && b.curve[n-1].At.UnixNano() < t.now {
		if err := b.point(); err != nil {
			return History{}, err
		}
	}
	h.Curve = b.curve
	for _, i := range b.open {
		if i >= 0 {
			h.Alerts[i].Bad = b.bad() - h.Alerts[i].Bad
		}
	}
	h.Counts = t.all.counts()
	h.Start, h.End = t.instant(t.now), t.instant(t.now)
	if t.seen {
		h.Start = t.instant(t.from())
	}
	h.assess(t.objective.Target)
	return h, nil
}

// assess computes the losses, and which pages were needed.
func (h *History) assess(target Target) {
	elapsed := h.End.Sub(h.Start)
	allowed := Ratio{}
	if elapsed > 0 && h.Counts.Total > 0 {
		allowed = target.Budget().times(whole(h.Counts.Total)).times(NewRatio(int64(h.Period), int64(elapsed)))
	}
	for i := range h.Alerts {
		a := &h.Alerts[i]
		switch {
		case !allowed.IsSet():
		case allowed.Sign() > 0:
			a.Loss = whole(a.Bad).over(allowed)
		case a.Bad > 0:
			a.Loss = Inf(1)
		default:
			a.Loss = NewRatio(0, 1)
		}
	}
	h.Pages = h.Episodes(Page)
	judged := 0 // pages of which the loss is known
	for _, p := range h.Pages {
		if !p.Loss.IsSet() {
			continue
		}
		judged++
		if !p.Needed {
			h.Unneeded++
		}
	}
	if judged > 0 {
		h.FalseShare = NewRatio(int64(h.Unneeded), int64(judged))
		h.TooManyFalse = h.FalseShare.Compare(maxFalseShare) >= 0
	}
	if elapsed > 0 {
		h.PagesPerPeriod = NewRatio(int64(len(h.Pages)), 1).times(NewRatio(int64(h.Period), int64(elapsed)))
	}
}

// Episodes joins the alerts of a severity: an episode lasts while any of its
// rules fires. One that begins at the instant at which another resolves belongs
// to the same episode.
func (h History) Episodes(severity Severity) []Episode {
	var episodes []Episode
	for _, a := range h.Alerts {
		if a.Severity != severity {
			continue
		}
		n := len(episodes) - 1
		if n < 0 || !episodes[n].Resolved.IsZero() && episodes[n].Resolved.Before(a.Fired) {
			episodes = append(episodes, Episode{Severity: severity, Fired: a.Fired, Resolved: a.Resolved, Loss: a.Loss, Rules: []string{a.Rule}})
		} else {
			e := &episodes[n]
			if a.Resolved.IsZero() || !e.Resolved.IsZero() && a.Resolved.After(e.Resolved) {
				e.Resolved = a.Resolved
			}
			if !slices.Contains(e.Rules, a.Rule) {
				e.Rules = append(e.Rules, a.Rule)
			}
			if a.Loss.Compare(e.Loss) > 0 {
				e.Loss = a.Loss
			}
		}
		e := &episodes[len(episodes)-1]
		e.Needed = e.Loss.Compare(h.NeededLoss) > 0
	}
	return episodes
}

// Comparison is how two policies differ on the same samples.
type Comparison struct {
	Both  []Match   `json:"both,omitempty"`
	OnlyA []Episode `json:"only_a,omitempty"`
	OnlyB []Episode `json:"only_b,omitempty"`
}

// Match is the same trouble seen by both policies: episodes of one severity that
// overlap, directly or through others.
type Match struct {
	Severity Severity  `json:"severity"`
	A        []Episode `json:"a"`
	B        []Episode `json:"b"`
	// Earlier is how much earlier B fires than A; negative when it is later.
	Earlier time.Duration `json:"earlier_ns"`
	// Longer is how much later B resolves than A; negative when it is earlier.
	// An episode that has no end ends with the history.
	Longer time.Duration `json:"longer_ns"`
}

// Compare tells what only one of two policies fires on, and how much earlier or
// later the other one is. h is A. Severities are matched by name; results are in
// the order of severity and then of time.
func (h History) Compare(b History) Comparison {
	var severities []Severity
	for _, a := range slices.Concat(h.Alerts, b.Alerts) {
		severities = append(severities, a.Severity)
	}
	slices.Sort(severities)
	var c Comparison
	for _, s := range slices.Compact(severities) {
		c.match(s, h.Episodes(s), b.Episodes(s), times.Later(h.End, b.End))
	}
	return c
}

// match walks over both lists in the order of time and gathers what overlaps.
func (c *Comparison) match(s Severity, a, b []Episode, end time.Time) {
	ends := func(e Episode) time.Time {
		if e.Resolved.IsZero() {
			return end
		}
		return e.Resolved
	}
	for len(a) > 0 || len(b) > 0 {
		var m Match
		var until time.Time // the end of what was gathered
		for {
			takeA := len(a) > 0 && (len(b) == 0 || !b[0].Fired.Before(a[0].Fired))
			from := &b
			if takeA {
				from = &a
			}
			if len(*from) == 0 || !until.IsZero() && (*from)[0].Fired.After(until) {
				break
			}
			next := (*from)[0]
			*from = (*from)[1:]
			until = times.Later(until, ends(next))
			if takeA {
				m.A = append(m.A, next)
			} else {
				m.B = append(m.B, next)
			}
		}
		switch {
		case len(m.B) == 0:
			c.OnlyA = append(c.OnlyA, m.A...)
		case len(m.A) == 0:
			c.OnlyB = append(c.OnlyB, m.B...)
		default:
			m.Severity = s
			m.Earlier = m.A[0].Fired.Sub(m.B[0].Fired)
			m.Longer = ends(m.B[len(m.B)-1]).Sub(ends(m.A[len(m.A)-1]))
			c.Both = append(c.Both, m)
		}
	}
}
