package incident

import (
	"fmt"
	"math"
	"math/bits"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// rules are FiguresOptions made ready for many records.
type rules struct {
	FiguresOptions
	period stretch
	limits [P4 + 1]limit
}

// rules returns the options with their defaults.
func (o FiguresOptions) rules() rules {
	if o.Resolution == 0 {
		o.Resolution = MTTR
	}
	r := rules{FiguresOptions: o, period: stretchOf(o.Period)}
	for severity, target := range o.Targets {
		r.limits[severity.known()] = limitOf(target)
	}
	return r
}

// instant64 is an instant in nanoseconds since 1970, kept within the years 1678 to
// 2262: half the memory of a time.Time, and enough to see what lies in a period.
type instant64 int64

const never = instant64(math.MinInt64) // the zero time

// instantOf keeps instants outside of these years at their ends.
func instantOf(t time.Time) instant64 {
	if s := t.Unix(); -mostSeconds < s && s < mostSeconds {
		return instant64(s*1_000_000_000 + int64(t.Nanosecond()))
	}
	return farInstant(t)
}

const mostSeconds = math.MaxInt64 / 1_000_000_000

// farInstant is instantOf for the zero time and for all instants outside.
func farInstant(t time.Time) instant64 {
	switch {
	case t.IsZero():
		return never
	case t.Unix() > 0:
		return math.MaxInt64
	}
	return math.MinInt64 + 1
}

// stretch is a period as instants; all time if it is empty.
type stretch struct{ start, end instant64 }

func stretchOf(p calendar.Interval) stretch {
	if p.IsEmpty() {
		return stretch{}
	}
	return stretch{instantOf(p.Start), instantOf(p.End)}
}

// isAll reports whether the period is all time.
func (p stretch) isAll() bool { return p.start >= p.end }

// contains reports whether an instant is known and in the period.
func (p stretch) contains(t instant64) bool {
	return p.isAll() || p.start <= t && t < p.end && t != never
}

// row is what the key figures take from a record, beside its labels. It has no
// pointers.
type row struct {
	created, begin, end instant64 // from the first signal on; end is never while it is open
	from                instant64 // when the clock of an open incident with a target began

	lapses [3]time.Duration // MTTD, MTTA, MTTR
	counted
	states [3]cellState
}

// counted is what is counted of a record.
type counted struct {
	cost     int64 // minor units
	currency [3]byte
	severity Severity
	marks    marks
	verdict  Verdict
	score    uint8
}

// resolved returns the instant of the resolution.
func (r *row) resolved() instant64 {
	if r.marks&isResolved == 0 {
		return never
	}
	return r.end
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
	isPaused // the clock of an open incident pauses
)

// count returns 1 if all of the marks are there, and 0 otherwise.
func (m marks) count(all marks) int {
	if m&all == all {
		return 1
	}
	return 0
}

// moments are the milestones of a record as instants.
type moments [ClosedTime + 1]instant64

func momentsOf(t *Times) moments {
	return moments{
		never, instantOf(t.Started), instantOf(t.Detected), instantOf(t.Created), instantOf(t.Acknowledged),
		instantOf(t.Mitigated), instantOf(t.Resolved), instantOf(t.Closed),
	}
}

// at returns a milestone, never for one that does not exist.
func (m *moments) at(i Milestone) instant64 {
	if int(i) < len(m) {
		return m[i]
	}
	return never
}

// fill takes everything from a record.
func (r *row) fill(record *Record, o *rules) {
	m := momentsOf(&record.Times)
	*r = row{} // set one by one: a literal would be written twice
	r.created, r.begin, r.end, r.from = m[CreatedTime], m[DetectedTime], m[ResolvedTime], never
	if r.begin == never {
		r.begin = r.created
	}
	if r.begin == never {
		r.begin = m[StartTime]
	}
	if r.end == never {
		r.end = m[ClosedTime]
	}
	r.severity, r.marks, r.score = record.Severity.known(), marksOf(record), uint8(max(0, min(record.Score, MaxScore)))
	r.cost = record.Cost.Minor()
	copy(r.currency[:], record.Cost.Currency())
	if r.marks&(isMerged|isCancelled) != 0 {
		return
	}
	r.time(0, &m, record, MTTD, NetTime)
	r.time(1, &m, record, MTTA, NetTime)
	r.time(2, &m, record, o.Resolution, o.Clock)
	limit := &o.limits[r.severity]
	switch from := m.at(o.Resolution.From()); {
	case limit.op == 0:
	case r.states[2] >= cellTaken:
		r.verdict = limit.judge(r.lapses[2])
	case from != never && !m.passed(o.Resolution.To()):
		r.from = from
		if record.pauses() {
			r.marks |= isPaused
		}
	}
}

// passed reports whether a later milestone is there.
func (m *moments) passed(to Milestone) bool {
	for i := int(to) + 1; i < len(m); i++ {
		if m[i] != never {
			return true
		}
	}
	return false
}

// pauses reports whether something may pause the clock.
func (r *Record) pauses() bool { return len(r.Waits) > 0 || len(r.Gaps) > 0 }

// time takes span i. The plain difference is for instants within a century and a
// half of 1970, so that it cannot overflow.
func (r *row) time(i int, m *moments, record *Record, s Span, c Clock) {
	from, to := m.at(s.From()), m.at(s.To())
	if from == never || to == never {
		r.states[i] = cellMissing
		return
	}
	const near = 1 << 62
	lapse, clamped := time.Duration(to-from), to < from
	switch {
	case from <= -near || from >= near || to <= -near || to >= near, record.pauses() && s.To() >= MitigatedTime:
		l, _ := record.lapse(s, c)
		lapse, clamped = l.Duration, l.Clamped
	case clamped:
		lapse = 0
	}
	r.lapses[i], r.states[i] = lapse, cellTaken
	if clamped {
		r.states[i] = cellClamped
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

// verdictAt returns the verdict on an open row at some instant; the record says
// what the clock pauses for, nil if it does not.
func (r *row) verdictAt(o *rules, at time.Time, record *Record) Verdict {
	now := instantOf(at)
	if now < r.from {
		return Undecided
	}
	lapse := time.Duration(now - r.from)
	if lapse < 0 {
		lapse = math.MaxInt64 // more than 292 years
	}
	if record != nil {
		lapse -= record.paused(o.Resolution, o.Clock, record.Times.at(o.Resolution.From()), at)
	}
	return o.limits[r.severity].soFar(lapse)
}

// key returns what the row is known by in a dimension; "" for services.
func (r *row) key(d Dimension, l *labels) string {
	switch d {
	case PerService:
		return ""
	case PerTenant:
		return l.tenant
	case PerTeam:
		return l.team
	case PerCentre:
		return l.centre
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
	counts, times := o.period.contains(created), o.period.contains(r.resolved())
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

// count takes the parts p of a row in n times; -1 takes them out.
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
	if r.currency != [3]byte{} {
		t.cost(&r.counted, n)
	}
}

// judge counts a verdict n times.
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
	currency [3]byte
	n        int
	high     int64
	low      uint64
}

// cost adds an amount n times, 1 or -1.
func (t *totals) cost(a *counted, n int) {
	i := 0
	for i < len(t.costs) && t.costs[i].currency != a.currency {
		i++
	}
	if i == len(t.costs) {
		t.costs = append(t.costs, costs{currency: a.currency})
	}
	c, minor := &t.costs[i], a.cost
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

// total returns the sum of the costs; the error is that of [CostOf].
func (t *totals) total() (Cost, error) {
	var sum costs
	for _, c := range t.costs {
		switch {
		case c.n == 0:
		case sum.n == 0:
			sum = c
		default:
			return Cost{}, fmt.Errorf("figures: costs of %s and %s: %w", sum.currency[:], c.currency[:], money.ErrCurrency)
		}
	}
	if sum.n == 0 {
		return Cost{}, nil
	}
	if sum.high != int64(sum.low)>>63 {
		return Cost{}, fmt.Errorf("figures: costs in %s: %w", sum.currency[:], money.ErrOverflow)
	}
	amount, err := money.New(int64(sum.low), money.Currency(sum.currency[:]))
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
