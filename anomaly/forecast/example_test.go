package forecast_test

import (
	"fmt"
	"math"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/forecast"
)

// load is three weeks of hourly requests a second: a wave each day, a quiet night.
func load() forecast.Series {
	s := forecast.Series{Start: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), Step: time.Hour, Values: make([]float64, 21*24)}
	for i := range s.Values {
		s.Values[i] = math.Round(400 + 250*math.Sin(2*math.Pi*float64(i-8)/24) + 20*math.Sin(float64(i*i)))
	}
	return s
}

// Tomorrow's load, with limits that hold 95 of 100 values.
func ExampleOf() {
	floor := 0.0
	f, err := forecast.Of(load(), 24, &forecast.Options{Floor: &floor})
	if err != nil {
		fmt.Println(err)
		return
	}
	peak := f.Steps[0]
	for _, s := range f.Steps {
		if s.Value > peak.Value {
			peak = s
		}
	}
	fmt.Printf("peak at %s: %.0f a second, %.0f to %.0f\n", peak.At.Format("15:04"), peak.Value, *peak.Low, *peak.High)
	fmt.Println("by", f.Model, "over", time.Duration(f.Cycle.Period)*time.Hour)
	for _, t := range f.Trials {
		if t.Model == "naive" || t.Chosen {
			fmt.Printf("%s: off by %.0f in the backtest\n", t.Model, *t.Score)
		}
	}
	// Output:
	// peak at 14:00: 649 a second, 621 to 677
	// by holt-winters additive (damped) over 24h0m0s
	// naive: off by 207 in the backtest
	// holt-winters additive (damped): off by 13 in the backtest
}

// A disk grows by 6 GB a day. Somebody cleaned up on the 15th, which frees space and
// changes nothing about the growth.
func ExampleExhaustion() {
	s := forecast.Series{Start: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Step: 24 * time.Hour}
	used := 300.0
	for day := range 30 {
		if day == 14 {
			used -= 60
		}
		s.Values = append(s.Values, used+2*math.Sin(float64(day*day)))
		used += 6
	}
	e, err := forecast.Exhaustion(s, 500, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s: %s (%s to %s), %.1f GB a day\n", e.State,
		e.Median.Format(time.DateOnly), e.Earliest.Format(time.DateOnly), e.Latest.Format(time.DateOnly), *e.Slope)
	fmt.Printf("within two weeks: %.0f %%\n", 100*e.ProbBefore(s.At(29).AddDate(0, 0, 14)))
	fmt.Println(e.Notes[0])
	// Output:
	// ok: 2026-04-13 (2026-04-12 to 2026-04-14), 6.0 GB a day
	// within two weeks: 31 %
	// clean-ups: 1; growth is measured between them
}

// Measurements come when they come: hourly peaks make a series of them.
func ExampleResample() {
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	s, err := forecast.Resample([]forecast.Point{
		{At: at.Add(3 * time.Minute), Value: 40}, {At: at.Add(31 * time.Minute), Value: 70}, {At: at.Add(125 * time.Minute), Value: 55},
	}, time.Hour, forecast.Max)
	fmt.Println(s.Start.Format("15:04"), s.Values, err)
	// Output: 08:00 [70 NaN 55] <nil>
}

// A season is looked for, not assumed.
func ExampleSeasons() {
	found, err := forecast.Seasons(load())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s explains %.0f %%\n", found[0].Length, 100*found[0].Strength)
	// Output: 24h0m0s explains 99 %
}

// Trend, season and rest of a series.
func ExampleSTL() {
	d, err := forecast.STL(load().Values, 24, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("hour 14 of the last day: trend %.0f, season %+.0f, rest %+.0f\n", d.Trend[494], d.Season[494], d.Rest[494])
	// Output: hour 14 of the last day: trend 397, season +258, rest -9
}
