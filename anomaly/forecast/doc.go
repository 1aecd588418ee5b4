// Package forecast continues metrics: what will the load be tomorrow, and when is the
// disk full?
//
// [Of] forecasts a [Series]. It tries simple and well-known models (the last value,
// the last day, the usual day, exponential smoothing, Theta, STL, a robust line with
// waves) on the last four horizons of the series itself and takes the one that would
// have been best. [Forecast] holds the values with their limits and the table of all
// trials, so that the choice can be checked. [Exhaustion] finds the date at which a
// series reaches a limit, as an [ETA] with a range and a probability: it knows
// clean-ups, saw-teeth, restarts of counters, and quotas that run out.
//
//	s, err := forecast.Resample(points, time.Hour, forecast.Last)
//	if err != nil {
//		return err
//	}
//	e, err := forecast.Exhaustion(s, 500e9, nil)
//	if err != nil {
//		return err
//	}
//	if e.State == forecast.OK && e.Earliest.Before(at.AddDate(0, 0, 14)) {
//		fmt.Println("the disk may be full on", e.Earliest.Format(time.DateOnly))
//	}
//
// Values come at a fixed step; [Regular] and [Resample] make such a series of points.
// Gaps are filled from the season and reported. Seasons are found ([Seasons]) or
// given; those of whole days can follow the clock of a named zone.
//
// Limits hold what errors of the past held. A level that has never shifted in the
// series is not expected to, and no interval knows of the next incident. Series of
// minutes over weeks are better resampled to hours: a cycle of more than 200 steps is
// smoothed less carefully.
//
// Everything is a pure function of its arguments and safe for concurrent use. Nothing
// reads the clock; a forecast begins behind the last value of the series.
package forecast
