package slo

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/internal/times"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Exclusion takes a stretch of time out of an objective, usually announced
// maintenance. Events with Start < instant <= End leave numerator and
// denominator; the window is not stretched to make up for it. Lists of exclusions
// are slices, as they are short and must be sorted; [slices.Collect] makes one of a
// sequence.
type Exclusion struct {
	calendar.Interval
	Reason string `json:"reason"`
}

// Effect is what an exclusion took out of a window.
type Effect struct {
	Exclusion
	// Clipped is how much of the exclusion lies in the window.
	Clipped time.Duration `json:"clipped_ns"`
	// Removed is how much of that no earlier exclusion of the list had removed
	// already, so that the Removed of a list add up to the time taken out.
	Removed time.Duration `json:"removed_ns"`
}

// Effects returns the effect of every exclusion that touches the window, ordered
// by start, end and reason. An inverted interval is an error.
func Effects(window calendar.Interval, exclusions []Exclusion) ([]Effect, error) {
	if _, err := excludedTime(exclusions); err != nil {
		return nil, err
	}
	var effects []Effect
	reach := window.Start // the end of what is removed
	for _, x := range sortedExclusions(exclusions) {
		part, ok := x.Clip(window)
		if !ok {
			continue
		}
		e := Effect{Exclusion: x, Clipped: part.Duration()}
		if part.End.After(reach) {
			e.Removed = part.End.Sub(times.Later(reach, part.Start))
			reach = part.End
		}
		effects = append(effects, e)
	}
	return effects, nil
}

// sortedExclusions returns a copy, ordered by start, end and reason.
func sortedExclusions(exclusions []Exclusion) []Exclusion {
	sorted := slices.Clone(exclusions)
	slices.SortStableFunc(sorted, compareExclusions)
	return sorted
}

func compareExclusions(a, b Exclusion) int {
	return cmp.Or(a.Start.Compare(b.Start), a.End.Compare(b.End), cmp.Compare(a.Reason, b.Reason))
}

// excludedTime returns the union of the exclusions.
func excludedTime(exclusions []Exclusion) ([]calendar.Interval, error) {
	intervals := make([]calendar.Interval, len(exclusions))
	for i, x := range exclusions {
		intervals[i] = x.Interval
	}
	set, err := calendar.Normalize(intervals)
	if err != nil {
		return nil, fmt.Errorf("exclusions: %w", err)
	}
	return set, nil
}
