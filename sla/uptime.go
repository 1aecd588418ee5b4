package sla

import (
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
	// is on file, and not with the failure.
	FromReport bool `json:"from_report,omitempty"`
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

// Detect returns the stretches that are long enough, from the report on where
// the contract says so.
func (u Uptime) Detect(s Sample) ([]calendar.Interval, error) {
	down := s.Down
	if u.FromReport {
		var reported []calendar.Interval
		for _, o := range s.Outages {
			i := o.interval(s.Covered.End)
			if o.Reported.After(i.Start) {
				i.Start = o.Reported
			}
			if i.Start.Before(i.End) {
				reported = append(reported, i)
			}
		}
		var err error
		if down, err = within(reported, s.Hours); err != nil {
			return nil, err
		}
	}
	if u.MinOutage <= 0 {
		return down, nil
	}
	return slices.DeleteFunc(slices.Clone(down), func(i calendar.Interval) bool {
		return i.Duration() < u.MinOutage || i.Duration() == u.MinOutage && !u.AtLeast
	}), nil
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
	return calendar.Subtract(calendar.Union(s.Down, s.Lost), s.Excluded)
}

// count adds up the stretches in units.
func (u Uptime) count(stretches []calendar.Interval) time.Duration {
	if u.Unit <= 0 || u.Partial == PartialExact {
		return calendar.Total(stretches)
	}
	var sum time.Duration
	for _, i := range stretches {
		d := i.Duration()
		if rest := d % u.Unit; rest > 0 {
			d -= rest
			if u.Partial == PartialUp {
				d += u.Unit
			}
		}
		sum += d
	}
	return sum
}

// sum adds up what each report covers of the downtime.
func (u Uptime) sum(s Sample, downtime []calendar.Interval) time.Duration {
	var sum time.Duration
	for _, o := range s.Outages {
		sum += u.count(calendar.Clip(downtime, o.interval(s.Covered.End)))
	}
	return sum + u.count(calendar.Subtract(calendar.Intersect(downtime, s.Lost), s.Down))
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
	if u.Overlap > OverlapSum {
		out = append(out, problem(path+".overlap", u.Overlap.String(), strings.Join(overlapNames, " or ")))
	}
	return out
}
