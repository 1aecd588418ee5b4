package incident

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Series is a metric and the instants at which it was collected, in any order.
type Series struct {
	Name string      `json:"name"`
	At   []time.Time `json:"at"`
}

// Collection is how well metrics were collected over a period.
type Collection struct {
	// Interval is the time from one sample of a series to its next one.
	Interval Durations `json:"metric_collection_interval"`

	// Counted is the length of the period times the number of series, and Covered
	// the part of it in which there was a sample that was not too old. A month of some
	// thousand series is more than a time.Duration holds.
	Counted *big.Int `json:"counted_ns"`
	Covered *big.Int `json:"covered_ns"`

	Silent []string `json:"silent,omitempty"` // series without a sample in the period, sorted
}

// CollectionOf returns how well series were collected over a period. A sample speaks
// for the time after it, up to the next one, but no longer than for reach, such as
// twice the interval that is wanted; one before the period may reach into it. The
// error says that the period is empty or reach not positive.
func CollectionOf(series []Series, period calendar.Interval, reach time.Duration) (Collection, error) {
	if period.IsEmpty() || reach <= 0 {
		return Collection{}, fmt.Errorf("collection: period %v with a reach of %v, want both longer than 0", period, reach)
	}
	c := Collection{Interval: Durations{Of: "sample to next sample"}, Counted: new(big.Int), Covered: new(big.Int)}
	for _, s := range series {
		at := slices.SortedFunc(slices.Values(s.At), time.Time.Compare)
		c.Counted.Add(c.Counted, big.NewInt(int64(period.Duration())))
		heard, covered := false, time.Duration(0)
		for i, t := range at {
			speaks := calendar.Interval{Start: t, End: t.Add(reach)}
			if i+1 < len(at) && at[i+1].Before(speaks.End) {
				speaks.End = at[i+1]
			}
			if part, ok := speaks.Clip(period); ok {
				covered += part.Duration()
			}
			if period.Contains(t) {
				heard = true
				if i > 0 {
					c.Interval.addLapse(lapse(at[i-1], t))
				}
			}
		}
		c.Covered.Add(c.Covered, big.NewInt(int64(covered)))
		if !heard {
			c.Silent = append(c.Silent, s.Name)
		}
	}
	slices.Sort(c.Silent)
	c.Interval.finish()
	return c, nil
}

// Ratio returns the covered part, nil without a series.
func (c Collection) Ratio() *big.Rat {
	if c.Counted == nil || c.Counted.Sign() == 0 {
		return nil
	}
	return new(big.Rat).SetFrac(c.Covered, c.Counted)
}

// MarshalJSON writes the fields and the ratio, as text of an exact fraction or
// null.
func (c Collection) MarshalJSON() ([]byte, error) {
	type plain Collection
	return json.Marshal(struct {
		plain
		Ratio *big.Rat `json:"monitoring_coverage"`
	}{plain(c), c.Ratio()})
}
