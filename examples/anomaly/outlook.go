package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/forecast"
	"github.com/evenkeelops/evenkeel/examples/internal/evidence"
)

// outlook is how a metric of a service goes on.
type outlook struct {
	Service string `json:"service"`
	Metric  string `json:"metric"`
	*forecast.Forecast
	Exhaustion *forecast.ETA `json:"exhaustion"` // of -limit; null without it

	series forecast.Series
}

// outlooks continues the metric of -forecast for every service that has it, from all
// readings, those of the history included.
func (in *inputs) outlooks() ([]outlook, error) {
	if in.forecast == "" {
		return nil, nil
	}
	points := map[string][]forecast.Point{}
	var services []string
	for _, m := range []evidence.Metrics{in.history, in.readings} {
		i := slices.Index(m.Features, in.forecast)
		for _, r := range m.Rows {
			x := r.Value(i)
			if math.IsNaN(x) {
				continue
			}
			if points[r.Service] == nil {
				services = append(services, r.Service)
			}
			points[r.Service] = append(points[r.Service], forecast.Point{At: r.At, Value: x})
		}
	}
	if len(services) == 0 {
		return nil, fmt.Errorf("-forecast %q: no reading has a value of this metric", in.forecast)
	}
	var all []outlook
	var problems []error
	for _, service := range services {
		x, err := in.outlook(points[service])
		if err != nil {
			problems = append(problems, fmt.Errorf("-forecast %s of %s: %w", in.forecast, service, err))
			continue
		}
		x.Service, x.Metric = service, in.forecast
		all = append(all, x)
	}
	return all, errors.Join(problems...)
}

// outlook continues one series, resampled where its points are not regular.
func (in *inputs) outlook(points []forecast.Point) (x outlook, err error) {
	if x.series, err = forecast.Regular(points); errors.Is(err, forecast.ErrIrregular) {
		x.series, err = forecast.Resample(points, usualStep(points), forecast.Mean)
	}
	if err != nil {
		return x, err
	}
	steps := int(min((in.horizon+x.series.Step-1)/x.series.Step, maxSteps))
	o := forecast.Options{Zone: in.zone, Floor: new(0.0)}
	above := 0
	for _, p := range points {
		if p.Value < 0 {
			o.Floor = nil // what was never negative will not be
		}
		if in.bound != nil && p.Value > *in.bound {
			above++
		}
	}
	if x.Forecast, err = forecast.Of(x.series, steps, &o); err != nil || in.bound == nil {
		return x, err
	}
	x.Exhaustion, err = forecast.Exhaustion(x.series, *in.bound, &forecast.ETAOptions{Falling: 2*above > len(points)})
	return x, err
}

// maxSteps bounds a forecast, whatever the horizon.
const maxSteps = 100_000

// usualStep is the median distance of two points in a row.
func usualStep(points []forecast.Point) time.Duration {
	times := make([]time.Time, len(points))
	for i, p := range points {
		times[i] = p.At
	}
	slices.SortFunc(times, time.Time.Compare)
	var steps []time.Duration
	for i := 1; i < len(times); i++ {
		if d := times[i].Sub(times[i-1]); d > 0 {
			steps = append(steps, d)
		}
	}
	if len(steps) == 0 {
		return time.Minute // a single instant, which no model continues anyway
	}
	slices.Sort(steps)
	return steps[len(steps)/2]
}

// says tells in words when the limit is reached.
func (x *outlook) says(in *inputs) string {
	e := x.Exhaustion
	switch e.State {
	case forecast.Already:
		return "is at the limit already"
	case forecast.Never:
		return "is not on its way to the limit"
	case forecast.OK:
		if e.Median == nil {
			return "reaches the limit, in more than a century"
		}
		text := "reaches the limit about " + in.clock(*e.Median)
		if e.Earliest != nil && e.Latest != nil {
			text += fmt.Sprintf(", with 90 %% between %s and %s", in.clock(*e.Earliest), in.clock(*e.Latest))
		}
		return text
	case forecast.Unknown:
	}
	return "cannot be told from so little when it reaches the limit"
}
