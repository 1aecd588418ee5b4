package roi

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Outage is a time without service, [Start, End).
type Outage struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// OutageCost is what outages that happened cost.
type OutageCost struct {
	// Hours of outage; where outages overlap they count once.
	Hours float64 `json:"hours"`
	Cost  float64 `json:"cost"`
	// ByHourOfWeek has the hours of outage in each of the [HoursOfWeek] from Monday
	// 00:00 on: what [Impact.OutagesByHourOfWeek] may be.
	ByHourOfWeek []float64 `json:"by_hour_of_week"`
}

// CostOfOutages values a log of outages with the model's revenue of an hour, by the hour
// of the week if the model has it, and its multiplier. Hours are those of the zone's clock,
// UTC without one; an hour that the clock repeats or skips counts as long as it was. The
// order of outages does not matter.
//
// Errors: that of [Model.Validate], and a [*FieldError] for an outage that ends before it
// starts or that is longer than [MaxYears] years.
func CostOfOutages(m Model, outages []Outage, zone *time.Location) (OutageCost, error) {
	if err := m.Validate(); err != nil {
		return OutageCost{}, err
	}
	if zone == nil {
		zone = time.UTC
	}
	for i, o := range outages {
		if o.End.Before(o.Start) || o.End.After(o.Start.AddDate(MaxYears, 0, 0)) {
			return OutageCost{}, &FieldError{
				Path: fmt.Sprintf("outages[%d].end", i), Value: o.End.Format(time.RFC3339),
				Want: fmt.Sprintf("an instant from %s to %d years later", o.Start.Format(time.RFC3339), MaxYears),
			}
		}
	}
	outages = slices.Clone(outages)
	slices.SortFunc(outages, func(a, b Outage) int { return cmp.Or(a.Start.Compare(b.Start), a.End.Compare(b.End)) })
	c := OutageCost{ByHourOfWeek: make([]float64, HoursOfWeek)}
	var until time.Time
	for _, o := range outages {
		if o.Start.Before(until) {
			o.Start = until
		}
		for at := o.Start; at.Before(o.End); {
			local := at.In(zone)
			next := at.Add(time.Hour - time.Duration(local.Minute())*time.Minute - time.Duration(local.Second())*time.Second - time.Duration(local.Nanosecond()))
			if next.After(o.End) {
				next = o.End
			}
			day := (int(local.Weekday()) + 6) % 7 // Monday is the first
			c.ByHourOfWeek[day*hoursInDay+local.Hour()] += next.Sub(at).Hours()
			at = next
		}
		if o.End.After(until) {
			until = o.End
		}
	}
	hour := m.Impact.RevenuePerHour * m.Impact.DowntimeCostMultiplier
	mean := 0.0
	for _, w := range m.Impact.RevenueByHourOfWeek {
		mean += w / HoursOfWeek
	}
	for h, hours := range c.ByHourOfWeek {
		weight := 1.0
		if mean > 0 {
			weight = m.Impact.RevenueByHourOfWeek[h] / mean
		}
		c.Hours += hours
		c.Cost += float64(hours * hour * weight)
	}
	if !isFinite(c.Cost) { // no hours at a cost that is too large are NaN
		return OutageCost{}, ErrOverflow
	}
	return c, nil
}
