package slo

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// setExclusions replaces all exclusions.
func (t *Tracker) setExclusions(exclusions []Exclusion) error {
	if err := checkExclusions(exclusions); err != nil {
		return err
	}
	t.useExclusions(sortedExclusions(exclusions))
	return nil
}

func checkExclusions(exclusions []Exclusion) error {
	for _, x := range exclusions {
		_, okStart := nanos(x.Start)
		_, okEnd := nanos(x.End)
		if !okStart || !okEnd {
			return fmt.Errorf("exclusion %s: %w", x.Interval, ErrRange)
		}
	}
	_, err := excludedTime(exclusions)
	return err
}

// useExclusions takes a list in order, and keeps it.
func (t *Tracker) useExclusions(sorted []Exclusion) {
	t.exclusions, t.excluded, t.reach, t.nextOut = sorted, t.excluded[:0], t.reach[:0], 0
	reach := int64(math.MinInt64)
	for _, x := range sorted {
		s := stretch{x.Start.UnixNano(), x.End.UnixNano()}
		t.excluded = t.excluded.add(stretch{max(s.start, reach), s.end})
		reach = max(reach, s.end)
		t.reach = append(t.reach, reach)
	}
}

// touching returns the exclusions from the first to the last that touches a
// stretch.
func (t *Tracker) touching(s stretch) []Exclusion {
	first := sort.Search(len(t.reach), func(i int) bool { return t.reach[i] > s.start })
	behind := sort.Search(len(t.exclusions), func(i int) bool { return t.exclusions[i].Start.UnixNano() >= s.end })
	return t.exclusions[min(first, behind):behind]
}

// Exclude adds an exclusion that begins at or after the present instant; one that
// reaches back is refused with [ErrPast], as decisions were taken and slices
// judged meanwhile. It takes time in proportion to the exclusions known.
func (t *Tracker) Exclude(x Exclusion) error {
	if err := checkExclusions([]Exclusion{x}); err != nil {
		return err
	}
	if t.placed && x.Start.UnixNano() < t.now {
		return fmt.Errorf("exclusion %s: %w", x.Interval, ErrPast)
	}
	i, _ := slices.BinarySearchFunc(t.exclusions, x, compareExclusions)
	t.useExclusions(slices.Insert(t.exclusions, i, x))
	return nil
}

// isExcluded reports whether the sample lies in an exclusion. Samples rise, so
// exclusions are passed once.
func (t *Tracker) isExcluded(ns int64) bool {
	for t.nextOut < len(t.excluded) && t.excluded[t.nextOut].end < ns {
		t.nextOut++
	}
	return t.nextOut < len(t.excluded) && t.excluded[t.nextOut].start < ns
}
