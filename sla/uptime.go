package sla

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Uptime is the share of the promised time in which a service was up:
//
//	(promised − down) / promised
//
// down is the union of the outages less what is excluded. The zero value counts
// it to the nanosecond.
type Uptime struct {
	// MinOutage lets only stretches of the union count that last longer, or with
	// AtLeast as long. Excluded time in a stretch does not shorten it.
	MinOutage time.Duration `json:"min_outage_ns,omitzero"`
	AtLeast   bool          `json:"at_least,omitempty"`

	// Unit and Partial count the downtime of each stretch in whole units, such
	// as minutes. Defaults to the nanosecond.
	Unit    time.Duration `json:"unit_ns,omitzero"`
	Partial Partial       `json:"partial,omitzero"`

	// Overlap says what several reports of the same time come to. Defaults to
	// Union.
	Overlap Overlap `json:"overlap,omitzero"`

	// FromReport begins an outage when the customer reported it, where a report
	// is on file, and not with the failure. FromEffect begins it when the customer
	// felt it, where that is on file.
	FromReport bool `json:"from_report,omitempty"`
	FromEffect bool `json:"from_effect,omitempty"`

	// WholeOutages judges every stretch of the union by itself, for contracts by
	// the incident: it counts as a whole in the period in which it ends, and not
	// before. By default the bounds of the period cut it.
	WholeOutages bool `json:"whole_outages,omitempty"`
}

// Partial says what becomes of a part of a unit.
type Partial uint8

// The ways to count a part of a unit.
const (
	PartialExact Partial = iota // to the nanosecond
	PartialUp                   // as a whole unit
	PartialDown                 // not at all
)

// Overlap says what several reports of the same time come to.
type Overlap uint8

// OverlapUnion counts a moment once, OverlapSum once for every report. A sum is
// at most the promised time.
const (
	OverlapUnion Overlap = iota
	OverlapSum
)

var (
	partialNames = []string{"none", "up", "down"}
	overlapNames = []string{"union", "sum"}
)

// String returns "none", "up" or "down".
func (p Partial) String() string { return nameOf(partialNames, p) }

// MarshalText writes what String returns; an unknown value is an error.
func (p Partial) MarshalText() ([]byte, error) { return textOf("partial", partialNames, p) }

// UnmarshalText reads what String returns.
func (p *Partial) UnmarshalText(text []byte) error {
	return parseName("partial", partialNames, text, p)
}

// String returns "union" or "sum".
func (o Overlap) String() string { return nameOf(overlapNames, o) }

// MarshalText writes what String returns; an unknown value is an error.
func (o Overlap) MarshalText() ([]byte, error) { return textOf("overlap", overlapNames, o) }

// UnmarshalText reads what String returns.
func (o *Overlap) UnmarshalText(text []byte) error {
	return parseName("overlap", overlapNames, text, o)
}

// Detect returns the stretches that are long enough, from the report or the
// effect on where the contract says so.
func (u Uptime) Detect(s Sample) ([]calendar.Interval, error) {
	down, err := u.stretches(s)
	if err != nil || u.MinOutage <= 0 {
		return down, err
	}
	return slices.DeleteFunc(slices.Clone(down), func(i calendar.Interval) bool {
		return u.tooShort(i.Duration())
	}), nil
}

// interval returns the time of an outage that counts; it is empty for one that was
// over when it was reported or felt.
func (u Uptime) interval(o Outage, now time.Time) calendar.Interval {
	i := o.interval(now)
	if u.FromReport && o.Reported.After(i.Start) {
		i.Start = o.Reported
	}
	if u.FromEffect && o.Felt.After(i.Start) {
		i.Start = o.Felt
	}
	if i.End.Before(i.Start) {
		i.End = i.Start
	}
	return i
}

func (u Uptime) tooShort(d time.Duration) bool {
	return d < u.MinOutage || d == u.MinOutage && !u.AtLeast
}

// stretches returns what is down before any of it is too short.
func (u Uptime) stretches(s Sample) ([]calendar.Interval, error) {
	if !u.FromReport && !u.FromEffect && !u.WholeOutages {
		return s.Down, nil
	}
	outages := s.Outages
	if u.WholeOutages {
		outages = s.logged()
	}
	var down []calendar.Interval
	for _, o := range outages {
		i := u.interval(o, s.Covered.End)
		if u.WholeOutages && o.End.IsZero() {
			i.End = i.End.Add(1) // has not ended in the covered time
		}
		down = append(down, i)
	}
	if !u.WholeOutages {
		return within(down, s.Hours)
	}
	ended, err := calendar.Normalize(down)
	if err != nil {
		return nil, err
	}
	ended = slices.DeleteFunc(ended, func(i calendar.Interval) bool { return !i.End.After(s.Covered.Start) || i.End.After(s.Covered.End) })
	if len(ended) == 0 || s.calendar == nil {
		return ended, nil
	}
	return calendar.Intersect(ended, s.calendar.Expand(ended[0].Start, ended[len(ended)-1].End)), nil
}

// Measure returns the share of the promised time that was not down.
func (u Uptime) Measure(s Sample) (Reading, error) {
	r := Reading{Promised: calendar.Total(s.Hours), Downtime: counted(s)}
	r.Down = u.count(r.Downtime)
	if u.Overlap == OverlapSum {
		r.Down = u.sum(s, r.Downtime)
	}
	r.Down = min(r.Down, r.Promised)
	var err error
	r.Value, err = NewFraction(uint64(r.Promised-r.Down), uint64(r.Promised))
	return r, err
}

// counted is what is down and not excluded.
func counted(s Sample) []calendar.Interval {
	down := s.Down
	if len(s.Lost) > 0 {
		down = calendar.Union(s.Down, s.Lost)
	}
	if len(s.Excluded) > 0 {
		down = calendar.Subtract(down, s.Excluded)
	}
	return down
}

// count adds up the stretches in units.
func (u Uptime) count(stretches []calendar.Interval) time.Duration {
	var sum time.Duration
	for _, i := range stretches {
		sum = plus(sum, u.round(i.Duration()))
	}
	return sum
}

// round returns the length of a stretch in units.
func (u Uptime) round(d time.Duration) time.Duration {
	if u.Unit <= 0 || u.Partial == PartialExact {
		return d
	}
	rest := d % u.Unit
	if rest > 0 && u.Partial == PartialUp {
		return plus(d-rest, u.Unit)
	}
	return d - rest
}

// plus adds two times of 0 or more, up to the longest that there is. What counts is
// bounded by the promised time, which is shorter.
func plus(a, b time.Duration) time.Duration {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// sum adds up what each report covers of the downtime.
func (u Uptime) sum(s Sample, downtime []calendar.Interval) time.Duration {
	var sum time.Duration
	for _, o := range s.Outages {
		sum = plus(sum, u.count(calendar.Clip(downtime, u.interval(o, s.Covered.End))))
	}
	return plus(sum, u.count(calendar.Subtract(calendar.Intersect(downtime, s.Lost), s.Down)))
}

func (u Uptime) issues(path string) (out []Issue) {
	if u.MinOutage < 0 {
		out = append(out, problem(path+".min_outage_ns", u.MinOutage.String(), "0 or more"))
	}
	if u.Unit < 0 || u.Unit == 0 && u.Partial != PartialExact {
		out = append(out, problem(path+".unit_ns", u.Unit.String(), "a time above 0 for whole units"))
	}
	if u.Partial > PartialDown {
		out = append(out, problem(path+".partial", u.Partial.String(), strings.Join(partialNames, ", ")))
	}
	if u.FromReport && u.FromEffect {
		out = append(out, problem(path+".from_effect", "true", "an outage to begin with the report or with the effect, not both"))
	}
	if u.WholeOutages && u.Overlap == OverlapSum {
		out = append(out, problem(path+".overlap", u.Overlap.String(), "union: whole outages are stretches of the union"))
	}
	if u.Overlap > OverlapSum {
		out = append(out, problem(path+".overlap", u.Overlap.String(), strings.Join(overlapNames, " or ")))
	}
	return out
}
