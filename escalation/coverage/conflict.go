package coverage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/internal/problem"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Conflict is a stretch of time in which somebody is on call who cannot be, or
// not alone there.
type Conflict struct {
	calendar.Interval
	Kind     ConflictKind `json:"kind"`
	Engineer string       `json:"engineer"`

	// Schedules are those in which the person is on call, sorted; at least two for
	// a double booking.
	Schedules []string `json:"schedules"`

	// Reason is that of the absence, for AbsentOnCall.
	Reason string `json:"reason,omitempty"`
}

// ConflictKind is what is wrong. The zero value is not set.
type ConflictKind uint8

// The kinds of conflict.
const (
	AbsentOnCall ConflictKind = iota + 1 // on call while absent
	DoubleBooked                         // on call in several schedules at once
)

var conflictNames = [...]string{"", "absent_on_call", "double_booked"}

// String returns "absent_on_call" or "double_booked", and "unset" for the zero
// value.
func (k ConflictKind) String() string {
	switch {
	case k == 0:
		return "unset"
	case int(k) >= len(conflictNames):
		return fmt.Sprintf("ConflictKind(%d)", uint8(k))
	}
	return conflictNames[k]
}

// MarshalText writes the name, and empty text for the zero value.
func (k ConflictKind) MarshalText() ([]byte, error) {
	if int(k) >= len(conflictNames) {
		return nil, conflictKindError(k.String())
	}
	return []byte(conflictNames[k]), nil
}

// UnmarshalText reads a name in any case; empty text is the zero value.
func (k *ConflictKind) UnmarshalText(text []byte) error {
	at := slices.Index(conflictNames[:], strings.ToLower(string(text)))
	if at < 0 {
		return conflictKindError(string(text))
	}
	*k = ConflictKind(at)
	return nil
}

func conflictKindError(text string) error {
	return &escalation.ConfigError{Path: "kind", Value: text, Want: "absent_on_call, double_booked"}
}

// Conflicts returns who is on call while absent and who in several schedules at
// once, in order of start, person and kind. Night, weekend and zone of the query
// do not matter. The error joins [*escalation.ConfigError]s.
func Conflicts(r *escalation.Router, q DutyQuery) ([]Conflict, error) {
	p := problem.New()
	d := q.compile(r, p)
	if err := p.Err(); err != nil {
		return nil, err
	}
	out := []Conflict{}
	for id, list := range d.stints() {
		out = append(out, doubleBookings(id, list)...)
		if who := d.team.find(id); who != nil {
			out = append(out, who.absentOnCall(list)...)
		}
	}
	slices.SortFunc(out, func(a, b Conflict) int {
		return cmp.Or(a.Start.Compare(b.Start), strings.Compare(a.Engineer, b.Engineer), cmp.Compare(a.Kind, b.Kind),
			a.End.Compare(b.End), slices.Compare(a.Schedules, b.Schedules), strings.Compare(a.Reason, b.Reason))
	})
	return out, nil
}

// absentOnCall returns one conflict for every stint and absence that overlap.
func (p *person) absentOnCall(list []stint) []Conflict {
	var out []Conflict
	for _, s := range list {
		for _, a := range p.absences {
			if both, ok := s.Clip(calendar.Interval{Start: a.Start.UTC(), End: a.End.UTC()}); ok {
				out = append(out, Conflict{Interval: both, Kind: AbsentOnCall, Engineer: p.ID, Schedules: []string{s.schedule}, Reason: a.Reason})
			}
		}
	}
	return out
}

// doubleBookings returns the stretches in which several stints hold.
func doubleBookings(id string, list []stint) []Conflict {
	type edge struct {
		at       time.Time
		schedule string
		begins   bool
	}
	edges := make([]edge, 0, 2*len(list))
	for _, s := range list {
		edges = append(edges, edge{s.Start, s.schedule, true}, edge{s.End, s.schedule, false})
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(oneIf(a.begins), oneIf(b.begins))) })
	var out []Conflict
	var now []string // schedules in which the person is on call, sorted
	for i, e := range edges {
		if n, found := slices.BinarySearch(now, e.schedule); e.begins && !found {
			now = slices.Insert(now, n, e.schedule)
		} else if !e.begins && found {
			now = slices.Delete(now, n, n+1)
		}
		if len(now) < 2 || !edges[i+1].at.After(e.at) {
			continue
		}
		out = append(out, Conflict{
			Interval: calendar.Interval{Start: e.at, End: edges[i+1].at}, Kind: DoubleBooked, Engineer: id, Schedules: slices.Clone(now),
		})
	}
	return out
}
