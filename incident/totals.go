package incident

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/internal/threshold"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// rules are FiguresOptions made ready for many records.
type rules struct {
	FiguresOptions
	period  stretch
	targets [P4 + 1]Target
}

func (o FiguresOptions) rules() rules {
	if o.Resolution == 0 {
		o.Resolution = MTTR
	}
	r := rules{FiguresOptions: o, period: stretchOf(o.Period)}
	for severity, target := range o.Targets {
		r.targets[severity.known()] = target
	}
	return r
}

// instant64 is an instant in nanoseconds since 1970, kept within the years 1678 to
// 2262: half the memory of a time.Time, and enough to see what lies in a period.
type instant64 int64

const never = instant64(math.MinInt64) // the zero time

func instantOf(t time.Time) instant64 {
	const most = math.MaxInt64 / 1_000_000_000
	switch s := t.Unix(); {
	case t.IsZero():
		return never
	case s >= most:
		return math.MaxInt64
	case s <= -most:
		return math.MinInt64 + 1
	default:
		return instant64(s*1_000_000_000 + int64(t.Nanosecond()))
	}
}

// stretch is a period as instants; all time if it is empty.
type stretch struct{ start, end instant64 }

func stretchOf(p calendar.Interval) stretch {
	if p.IsEmpty() {
		return stretch{}
	}
	return stretch{instantOf(p.Start), instantOf(p.End)}
}

func (p stretch) isAll() bool { return p.start >= p.end }

func (p stretch) contains(t instant64) bool {
	return p.isAll() || p.start <= t && t < p.end && t != never
}

// row is what the key figures take from a record.
type row struct {
	created, resolved instant64
	begin, end        instant64 // from the first signal on; end is never while it is open
	from              instant64 // when the clock of an open incident with a target began

	lapses [3]time.Duration // MTTD, MTTA, MTTR
	states [3]cellState

	severity Severity
	verdict  Verdict
	score    uint8
	marks    marks
	cost     money.Amount

	paused               *Record // if the clock of an open incident pauses
	tenant, team, centre string
	services             []string
}

type marks uint16

const (
	isMerged marks = 1 << iota
	isCancelled
	isResolved
	isFirstContact
	isEscalated
	isReopened
	hasDetector
	isSeenByUser
	hasWaited
)

// count returns 1 if all of the marks are there, and 0 otherwise.
func (m marks) count(all marks) int {
	if m&all == all {
		return 1
	}
	return 0
}

// fill takes everything from a record.
func (r *row) fill(record *Record, o *rules) {
	t := &record.Times
	r.created, r.resolved = instantOf(t.Created), instantOf(t.Resolved)
	r.begin, r.end = instantOf(record.noticed()), r.resolved
	if r.end == never {
		r.end = instantOf(t.Closed)
	}
	r.severity, r.marks, r.cost = record.Severity.known(), marksOf(record), record.Cost
	r.score = uint8(max(0, min(record.Score, MaxScore)))
	r.tenant, r.team, r.centre, r.services = record.Tenant, record.Team, record.Centre, record.Services
	r.states, r.verdict, r.from, r.paused = [3]cellState{}, Undecided, never, nil
	if r.marks&(isMerged|isCancelled) != 0 {
		return
	}
	r.time(0, record, MTTD, NetTime)
	r.time(1, record, MTTA, NetTime)
	r.time(2, record, o.Resolution, o.Clock)
	target := &o.targets[r.severity]
	switch from := t.at(o.Resolution.From()); {
	case !target.IsSet():
	case r.states[2] >= cellTaken:
		r.verdict = target.JudgeDuration(r.lapses[2])
	case !from.IsZero() && !record.passed(o.Resolution.To()):
		r.from = instantOf(from)
		if len(record.Waits) > 0 || len(record.Impact) > 1 {
			kept := *record
			kept.Waits, kept.Impact = slices.Clone(kept.Waits), slices.Clone(kept.Impact)
			r.paused = &kept
		}
	}
}

func (r *row) time(i int, record *Record, s Span, c Clock) {
	l, ok := record.lapse(s, c)
	r.lapses[i] = l.Duration
	switch {
	case !ok:
		r.states[i] = cellMissing
	case l.Clamped:
		r.states[i] = cellClamped
	default:
		r.states[i] = cellTaken
	}
}

func marksOf(r *Record) (m marks) {
	switch r.Status {
	case Merged:
		m |= isMerged
	case Cancelled:
		m |= isCancelled
	default:
	}
	if !r.Times.Resolved.IsZero() {
		m |= isResolved
	}
	if r.FirstContact {
		m |= isFirstContact
	}
	if r.Escalations > 0 {
		m |= isEscalated
	}
	if r.Reopens > 0 {
		m |= isReopened
	}
	if r.DetectedBy != "" {
		m |= hasDetector
	}
	if r.DetectedBy == ByUser {
		m |= isSeenByUser
	}
	if len(r.Waits) > 0 {
		m |= hasWaited
	}
	return m
}

// isOpen reports whether the verdict on the row depends on the instant.
func (r *row) isOpen() bool { return r.from != never }

// verdictAt returns the verdict on an open row at some instant.
func (r *row) verdictAt(o *rules, at time.Time) Verdict {
	now := instantOf(at)
	if now < r.from {
		return Undecided
	}
	lapse := time.Duration(now - r.from)
	if lapse < 0 {
		lapse = math.MaxInt64 // more than 292 years
	}
	if r.paused != nil {
		lapse -= r.paused.paused(o.Resolution, o.Clock, r.paused.Times.at(o.Resolution.From()), at)
	}
	return o.targets[r.severity].soFar(lapse)
}

// soFar is Missed if a duration that has not ended cannot keep the target any
// more, and Undecided otherwise.
func (t *Target) soFar(lapse time.Duration) Verdict {
	if op := t.limit.Op; (op == threshold.Less || op == threshold.LessEqual) && t.JudgeDuration(lapse) == Missed {
		return Missed
	}
	return Undecided
}

// key returns what the row is known by in a dimension; "" for services.
func (r *row) key(d Dimension) string {
	switch d {
	case PerService:
		return ""
	case PerTenant:
		return r.tenant
	case PerTeam:
		return r.team
	case PerCentre:
		return r.centre
	default:
		return severityKeys[r.severity]
	}
}

var severityKeys = [...]string{P1: "P1", P2: "P2", P3: "P3", P4: "P4"}

// parts says which parts of a row are in a period.
type parts uint8

const (
	itsCount parts = 1 << iota
	itsTimes
	itsAbsence // it was never declared
)

// parts returns those that are in the period.
func (o *rules) parts(r *row) parts {
	created := r.created
	if created == never && r.marks&(isMerged|isCancelled) != 0 {
		created = r.begin // called off before anybody declared it
	}
	counts, times := o.period.contains(created), o.period.contains(r.resolved)
	switch o.Membership {
	case ByCreation:
		times = counts
	case ByOverlap:
		counts = o.period.isAll() || r.begin != never && r.begin < o.period.end &&
			(r.end == never || r.end > o.period.start || r.begin >= o.period.start)
		times = counts
	default:
	}
	var in parts
	switch {
	case r.created == never && r.marks&(isMerged|isCancelled) == 0:
		in = itsAbsence
	case counts:
		in = itsCount
	}
	if times {
		in |= itsTimes
	}
	return in
}

// totals are the figures of a set of rows, from which rows can be taken out again.
// The order in which that happens does not matter.
type totals struct {
	volume, undated, merged                                      int
	bySeverity                                                   [P4 + 1]int
	cancelled, resolved, firstContact, escalated, reopened       int
	detectorKnown, seenByUser, met, judged, scores, sum, waiting int

	times [3]sample
	costs []costs
}

// add puts the parts p of a row in.
func (t *totals) add(r *row, p parts) {
	t.count(r, p, 1)
	for i := range t.times {
		t.times[i].replace(cell{}, r.cell(i, p))
	}
}

func (t *totals) count(r *row, p parts, n int) {
	switch {
	case p&itsAbsence != 0:
		t.undated += n
		return
	case p&itsCount == 0:
		return
	case r.marks&isMerged != 0:
		t.merged += n
		return
	case r.marks&isCancelled != 0:
		t.cancelled += n
		return
	}
	t.volume += n
	t.bySeverity[r.severity] += n
	t.resolved += n * r.marks.count(isResolved)
	t.firstContact += n * r.marks.count(isResolved|isFirstContact)
	t.escalated += n * r.marks.count(isEscalated)
	t.reopened += n * r.marks.count(isReopened)
	t.detectorKnown += n * r.marks.count(hasDetector)
	t.seenByUser += n * r.marks.count(hasDetector|isSeenByUser)
	t.waiting += n * r.marks.count(hasWaited)
	t.judge(r.verdict, n)
	if r.score > 0 {
		t.scores += n
		t.sum += n * int(r.score)
	}
	if r.cost.IsSet() {
		t.cost(r.cost, n)
	}
}

func (t *totals) judge(v Verdict, n int) {
	if v != Undecided {
		t.judged += n
	}
	if v == Met {
		t.met += n
	}
}

// costs sums up the amounts of one currency in 128 bits.
type costs struct {
	zero money.Amount
	n    int
	high int64
	low  uint64
}

func (t *totals) cost(a money.Amount, n int) {
	i := 0
	for i < len(t.costs) && t.costs[i].zero != a.Zero() {
		i++
	}
	if i == len(t.costs) {
		t.costs = append(t.costs, costs{zero: a.Zero()})
	}
	c, minor := &t.costs[i], a.Minor()
	var carry uint64
	if n > 0 {
		c.low, carry = bits.Add64(c.low, uint64(minor), 0)
		c.high += minor>>63 + int64(carry)
	} else {
		c.low, carry = bits.Sub64(c.low, uint64(minor), 0)
		c.high -= minor>>63 + int64(carry)
	}
	c.n += n
}

func (t *totals) total() (Cost, error) {
	var sum costs
	for _, c := range t.costs {
		switch {
		case c.n == 0:
		case sum.n == 0:
			sum = c
		default:
			return Cost{}, fmt.Errorf("figures: costs of %s and %s: %w", sum.zero.Currency(), c.zero.Currency(), money.ErrCurrency)
		}
	}
	if sum.n == 0 {
		return Cost{}, nil
	}
	if sum.high != int64(sum.low)>>63 {
		return Cost{}, fmt.Errorf("figures: costs in %s: %w", sum.zero.Currency(), money.ErrOverflow)
	}
	amount, err := money.New(int64(sum.low), sum.zero.Currency())
	if err != nil {
		return Cost{}, fmt.Errorf("figures: costs: %w", err)
	}
	return Cost{N: sum.n, Total: amount}, nil
}

// figures returns what the totals amount to.
func (t *totals) figures(o *rules) (Figures, error) {
	f := Figures{
		Period: o.Period, Volume: t.volume, BySeverity: map[Severity]int{}, Undated: t.undated, Merged: t.merged,
		FalseAlarms:  Share{t.cancelled, t.cancelled + t.volume},
		FirstContact: Share{t.firstContact, t.resolved},
		Escalated:    Share{t.escalated, t.volume},
		Reopened:     Share{t.reopened, t.volume},
		SeenByUser:   Share{t.seenByUser, t.detectorKnown},
		Kept:         Share{t.met, t.judged},
		Satisfaction: Score{t.scores, t.sum},
		Waited:       Share{t.waiting, t.volume},
	}
	for severity, n := range t.bySeverity {
		if n > 0 {
			f.BySeverity[Severity(severity)] = n
		}
	}
	f.MTTD, f.MTTA, f.MTTR = t.times[0].durations(), t.times[1].durations(), t.times[2].durations()
	f.MTTD.Span, f.MTTA.Span, f.MTTR.Span, f.MTTR.Clock = MTTD, MTTA, o.Resolution, o.Clock
	var err error
	f.Cost, err = t.total()
	return f, err
}
