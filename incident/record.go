package incident

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/internal/times"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Record is one incident as the key figures see it.
type Record struct {
	Tenant   string   `json:"tenant,omitempty"`
	ID       string   `json:"id"` // unique in the tenant
	Severity Severity `json:"severity,omitzero"`
	Services []string `json:"services,omitempty"`
	Status   Status   `json:"status,omitempty"`
	Times    Times    `json:"times"`

	Component   string `json:"component,omitempty"`
	Fingerprint string `json:"fingerprint,omitempty"`
	Team        string `json:"team,omitempty"`
	Centre      string `json:"centre,omitempty"`

	DetectedBy   Detector            `json:"detected_by,omitempty"`
	FirstContact bool                `json:"first_contact,omitempty"` // resolved by the first person who took it
	Escalations  int                 `json:"escalations,omitempty"`
	Reopens      int                 `json:"reopens,omitempty"`
	Score        int                 `json:"score,omitempty"` // of the customer, 1 to 5; 0 without an answer
	Cost         money.Amount        `json:"cost,omitzero"`
	Impact       []calendar.Interval `json:"impact,omitempty"` // the service was hurt; a zero End: still is
	Gaps         []calendar.Interval `json:"gaps,omitempty"`   // from a resolution to the reopening; never from a mitigation
	Waits        []calendar.Interval `json:"waits,omitempty"`  // the customer had to answer; a zero End: still has to
}

// Milestone is one of the instants of an incident.
type Milestone uint8

// The milestones in their expected order.
const (
	StartTime        Milestone = iota + 1 // begin of the impact
	DetectedTime                          // first signal
	CreatedTime                           // declared
	AcknowledgedTime                      // somebody took it
	MitigatedTime                         // impact over
	ResolvedTime                          // service restored
	ClosedTime
)

var milestones = [...]Milestone{
	StartTime, DetectedTime, CreatedTime, AcknowledgedTime, MitigatedTime, ResolvedTime, ClosedTime,
}

var milestoneNames = [...]string{
	StartTime: "start", DetectedTime: "detected", CreatedTime: "created", AcknowledgedTime: "acknowledged",
	MitigatedTime: "mitigated", ResolvedTime: "resolved", ClosedTime: "closed",
}

// String returns "start", "detected", "created", "acknowledged", "mitigated",
// "resolved" or "closed".
func (m Milestone) String() string {
	if m == 0 || int(m) >= len(milestoneNames) {
		return fmt.Sprintf("Milestone(%d)", uint8(m))
	}
	return milestoneNames[m]
}

func (t *Times) at(m Milestone) time.Time {
	switch m {
	case StartTime:
		return t.Started
	case DetectedTime:
		return t.Detected
	case CreatedTime:
		return t.Created
	case AcknowledgedTime:
		return t.Acknowledged
	case MitigatedTime:
		return t.Mitigated
	case ResolvedTime:
		return t.Resolved
	case ClosedTime:
		return t.Closed
	}
	return time.Time{}
}

// Span is a stretch between two milestones: the definition of a time-to-X
// figure. Use [Between] for one that has no name here.
type Span uint16

// The usual figures. "MTTR" has four readings that differ by hours on the same
// incidents; the default runs from detection to resolution.
const (
	MTTD          = Span(StartTime)<<8 | Span(DetectedTime)       // time to detect
	MTTA          = Span(CreatedTime)<<8 | Span(AcknowledgedTime) // time to acknowledge
	MTTR          = Span(DetectedTime)<<8 | Span(ResolvedTime)    // time to resolve, default reading
	TimeToRestore = Span(StartTime)<<8 | Span(ResolvedTime)       // MTTR from the begin of the impact
	TimeToResolve = Span(CreatedTime)<<8 | Span(ResolvedTime)     // MTTR as the service desk counts
	TimeToRepair  = Span(AcknowledgedTime)<<8 | Span(ResolvedTime)
)

// Between returns the span from one milestone to another.
func Between(from, to Milestone) Span { return Span(from)<<8 | Span(to) }

// From returns the milestone at which the span begins.
func (s Span) From() Milestone { return Milestone(s >> 8) }

// To returns the milestone at which the span ends.
func (s Span) To() Milestone { return Milestone(s & 0xff) }

// String returns the definition, such as "detected to resolved".
func (s Span) String() string { return s.From().String() + " to " + s.To().String() }

// MarshalText writes what String returns.
func (s Span) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Lapse is how long one incident took over a span.
type Lapse struct {
	Duration time.Duration // 0 or more, without the pauses
	Raw      time.Duration // as the instants say; negative when clocks disagreed
	Clamped  bool          // Raw was negative and counts as 0
}

// Lapse returns how long the incident took over a span; ok is false if one of
// the milestones is missing. Spans that end with the mitigation, resolution or
// closing pause while the customer had to answer and while the incident was
// resolved before it was reopened; the others, such as the time to acknowledge,
// do not. Nothing pauses while it is mitigated or waits for anybody else.
func (r Record) Lapse(s Span) (l Lapse, ok bool) { return r.lapse(s, NetTime) }

// LapseBy is Lapse by another clock.
func (r Record) LapseBy(s Span, c Clock) (l Lapse, ok bool) { return r.lapse(s, c) }

func (r *Record) lapse(s Span, c Clock) (l Lapse, ok bool) {
	from, to := r.Times.at(s.From()), r.Times.at(s.To())
	if l, ok = lapse(from, to); ok && !l.Clamped {
		l.Duration -= r.paused(s, c, from, to)
	}
	return l, ok
}

// Clock says which pauses within a span count as time all the same.
type Clock uint8

// The clocks. They differ for spans that end with the mitigation or later.
const (
	NetTime   Clock = 0                    // no pause counts; the default
	WithWaits Clock = 1                    // the customer's time to answer counts
	WithGaps  Clock = 2                    // the time from a resolution to the reopening counts
	WallTime  Clock = WithWaits | WithGaps // all of it: elapsed, from first to last
)

// String returns "net time", "with waits", "with gaps" or "wall time".
func (c Clock) String() string {
	if names := [...]string{"net time", "with waits", "with gaps", "wall time"}; int(c) < len(names) {
		return names[c]
	}
	return fmt.Sprintf("Clock(%d)", uint8(c))
}

// lapse returns the time from one instant to another; ok is false if one of them
// is not known.
func lapse(from, to time.Time) (l Lapse, ok bool) {
	if from.IsZero() || to.IsZero() {
		return Lapse{}, false
	}
	l.Raw = since(from, to)
	l.Duration, l.Clamped = max(l.Raw, 0), l.Raw < 0
	return l, true
}

// since is to.Sub(from) for instants without a monotonic reading, which need not be
// added up again to see whether they fit.
func since(from, to time.Time) time.Duration {
	const most = 9_000_000_000
	if s := to.Unix() - from.Unix(); -most < s && s < most {
		return time.Duration(s)*time.Second + time.Duration(to.Nanosecond()-from.Nanosecond())
	}
	return to.Sub(from)
}

// noticed returns the first instant at which the incident is known to have been
// noticed, or else to have begun; zero if nothing is known.
func (r *Record) noticed() time.Time {
	t := r.Times.Detected
	setOnce(&t, r.Times.Created)
	setOnce(&t, r.Times.Started)
	return t
}

// paused returns how much of [from, to) does not count: the customer had to
// answer, or the incident was resolved until it was reopened.
func (r *Record) paused(s Span, c Clock, from, to time.Time) time.Duration {
	waits := len(r.Waits) > 0 && c&WithWaits == 0
	gaps := len(r.Gaps) > 0 && c&WithGaps == 0
	if s.To() < MitigatedTime || !waits && !gaps {
		return 0
	}
	var pauses []calendar.Interval
	if waits {
		for _, wait := range r.Waits {
			if wait.End.IsZero() {
				wait.End = times.Later(to, wait.Start)
			}
			pauses = append(pauses, wait)
		}
	}
	if gaps {
		pauses = append(pauses, r.Gaps...)
	}
	pauses = slices.DeleteFunc(pauses, func(i calendar.Interval) bool { return i.Validate() != nil }) // pauses nothing
	set, err := calendar.Normalize(pauses)
	if err != nil {
		return 0 // not reached
	}
	return calendar.Total(calendar.Clip(set, calendar.Interval{Start: from, End: to}))
}

// Downtime returns how long the service was hurt: the sum of the stretches of
// impact, and the elapsed time from the first to the end of the last. Both are
// 0 without a stretch; one that has not ended counts up to at. They differ when
// the impact came back after a mitigation or a resolution.
func (r Record) Downtime(at time.Time) (impact, elapsed time.Duration) {
	var first, last time.Time
	for i, stretch := range r.Impact {
		end := stretch.End
		if end.IsZero() {
			end = at
		}
		if i == 0 {
			first = stretch.Start
		}
		if d := end.Sub(stretch.Start); d > 0 {
			impact += d
		}
		last = end
	}
	if elapsed = last.Sub(first); elapsed < 0 {
		elapsed = 0
	}
	return impact, elapsed
}

// Absorb returns the record of an incident with what one adds that was merged into
// it: services, an earlier begin or detection, stretches of impact, escalations
// and cost. All else stays as it is. Merging is associative: it does not matter
// whether a child is absorbed before or after its parent is, and children may come
// in any order. The error is that of adding up the costs.
func (r Record) Absorb(child Record) (Record, error) {
	r.Services = slices.Clone(r.Services)
	slices.Sort(r.Services)
	for _, service := range child.Services {
		insert(&r.Services, service)
	}
	if earlier(child.Times.Started, r.Times.Started) {
		r.Times.Started = child.Times.Started
	}
	switch {
	case earlier(child.Times.Detected, r.Times.Detected):
		r.Times.Detected, r.DetectedBy = child.Times.Detected, child.DetectedBy
	case !child.Times.Detected.Equal(r.Times.Detected):
	case r.DetectedBy == "" || child.DetectedBy != "" && child.DetectedBy < r.DetectedBy:
		r.DetectedBy = child.DetectedBy // any rule, but the same whatever the order
	}
	r.Impact = joinImpact(r.Impact, child.Impact)
	r.Escalations += child.Escalations
	switch {
	case !r.Cost.IsSet():
		r.Cost = child.Cost
	case child.Cost.IsSet():
		total, err := r.Cost.Add(child.Cost)
		if err != nil {
			return Record{}, fmt.Errorf("merge %q into %q: cost: %w", child.ID, r.ID, err)
		}
		r.Cost = total
	}
	return r, nil
}

// earlier reports whether a is known and before b, or b is not known.
func earlier(a, b time.Time) bool { return !a.IsZero() && (b.IsZero() || a.Before(b)) }

// joinImpact returns the stretches of a and b as a set. A stretch without an end
// goes on.
func joinImpact(a, b []calendar.Interval) []calendar.Interval {
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(x, y calendar.Interval) int { return x.Start.Compare(y.Start) })
	var out []calendar.Interval
	for _, next := range all {
		last := len(out) - 1
		switch {
		case last < 0 || !out[last].End.IsZero() && next.Start.After(out[last].End):
			out = append(out, next)
		case out[last].End.IsZero() || !next.End.IsZero() && !next.End.After(out[last].End):
		default:
			out[last].End = next.End
		}
	}
	return out
}
