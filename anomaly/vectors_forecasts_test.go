package anomaly_test

import "github.com/evenkeelops/evenkeel/internal/testutil"

// forecastsNotYet are the kinds of forecasts and failures that nothing computes yet.
var forecastsNotYet = []string{"acf", "crow_amsaa", "decompose", "ets", "fit", "laplace", "smooth", "stl", "theta", "weibull"}

// forecasts are the kinds of forecasts and failures.
func (s *statistics) forecasts() testutil.Kinds { return testutil.Kinds{} }
