package incident

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Record is one incident as the key figures see it.
type Record struct {
	ID       string   `json:"id"`
	Severity Severity `json:"severity,omitzero"`
	Services []string `json:"services,omitempty"`
	Status   Status   `json:"status,omitempty"`
	Times    Times    `json:"times"`

	DetectedBy   Detector            `json:"detected_by,omitempty"`
	FirstContact bool                `json:"first_contact,omitempty"` // resolved by the first person who took it
	Escalations  int                 `json:"escalations,omitempty"`
	Reopens      int                 `json:"reopens,omitempty"`
	Cost         money.Amount        `json:"cost,omitzero"`
	Impact       []calendar.Interval `json:"impact,omitempty"`
	Waits        []calendar.Interval `json:"waits,omitempty"` // the customer had to answer
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

func (t Times) at(m Milestone) time.Time {
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
	TimeToRestore = Span(StartTime)<<8 | Span(ResolvedTime)       // MTTR as the users feel it
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
// do not.
func (r Record) Lapse(s Span) (l Lapse, ok bool) {
	from, to := r.Times.at(s.From()), r.Times.at(s.To())
	if from.IsZero() || to.IsZero() {
		return Lapse{}, false
	}
	l.Raw = to.Sub(from)
	if l.Raw < 0 {
		l.Clamped = true
		return l, true
	}
	l.Duration = l.Raw - r.paused(s, from, to)
	return l, true
}

// paused returns how much of [from, to) does not count: the customer had to
// answer, or the incident was resolved until it was reopened.
func (r Record) paused(s Span, from, to time.Time) time.Duration {
	if s.To() < MitigatedTime || len(r.Waits) == 0 && len(r.Impact) < 2 {
		return 0
	}
	pauses := slices.Clone(r.Waits)
	for i := 1; i < len(r.Impact); i++ {
		pauses = append(pauses, calendar.Interval{Start: r.Impact[i-1].End, End: r.Impact[i].Start})
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
// the incident was reopened.
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
