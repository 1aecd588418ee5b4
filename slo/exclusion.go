package slo

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Exclusion takes a stretch of time out of an objective, usually announced
// maintenance. Events with Start < instant <= End leave numerator and
// denominator; the window is not stretched to make up for it.
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
	sorted := slices.Clone(exclusions)
	slices.SortStableFunc(sorted, func(a, b Exclusion) int {
		return cmp.Or(a.Start.Compare(b.Start), a.End.Compare(b.End), cmp.Compare(a.Reason, b.Reason))
	})
	var effects []Effect
	var removed []calendar.Interval
	for _, x := range sorted {
		part, ok := x.Clip(window)
		if !ok {
			continue
		}
		fresh := calendar.Subtract([]calendar.Interval{part}, removed)
		effects = append(effects, Effect{Exclusion: x, Clipped: part.Duration(), Removed: calendar.Total(fresh)})
		removed = calendar.Union(removed, fresh)
	}
	return effects, nil
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
