package anomaly_test

import (
	"fmt"
	"math"

	"github.com/evenkeelops/evenkeel/anomaly/failure"
	"github.com/evenkeelops/evenkeel/anomaly/forecast"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

// nearAll compares lists within rel, absolute up to 1.
func nearAll(what string, got, want []float64, rel float64) error {
	if len(got) != len(want) {
		return fmt.Errorf("%s has %d values, want %d", what, len(got), len(want))
	}
	for i, w := range want {
		if !(math.Abs(got[i]-w) <= rel+rel*math.Abs(w)) {
			return fmt.Errorf("%s[%d] = %v, want %v", what, i, got[i], w)
		}
	}
	return nil
}

func at(x []float64, places []int) []float64 {
	out := make([]float64, len(places))
	for i, p := range places {
		out[i] = x[p]
	}
	return out
}

// seasonalOf reads the names of the file, short and long.
func seasonalOf(name string) forecast.Seasonal {
	switch name {
	case "add", "additive":
		return forecast.Additive
	case "mul", "multiplicative":
		return forecast.Multiplicative
	}
	return forecast.NoSeason
}

// forecasts are the kinds of forecasts and failures.
func (s *statistics) forecasts() testutil.Kinds {
	return testutil.Kinds{
		"acf": s.checkACF, "decompose": s.checkDecompose, "stl": s.checkSTL,
		"smooth": s.checkSmooth, "fit": s.checkFit, "ets": s.checkETS, "theta": s.checkTheta,
		"weibull": s.checkWeibull, "laplace": s.checkLaplace, "crow_amsaa": s.checkCrow,
	}
}

// checkACF compares autocorrelations.
func (s *statistics) checkACF(c testutil.Case) error {
	var in struct {
		Series string
		Lags   int
		Want   []float64
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	return nearAll("autocorrelation", forecast.Autocorrelation(s.series[in.Series], in.Lags), in.Want, 1e-9)
}

// checkDecompose compares trend, season and rest.
func (s *statistics) checkDecompose(c testutil.Case) error {
	var in struct {
		Series string
		Period int
		Model  string
		Want   struct {
			Seasonal []float64
			First    int       `json:"trend_first"`
			Next     []float64 `json:"trend_next12"`
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	d, err := forecast.Decompose(s.series[in.Series], in.Period, seasonalOf(in.Model))
	if err != nil {
		return err
	}
	first := in.Want.First
	if !math.IsNaN(d.Trend[first-1]) {
		return fmt.Errorf("trend[%d] = %v, want none", first-1, d.Trend[first-1])
	}
	if err := nearAll("season", d.Season[:in.Period], in.Want.Seasonal, 1e-9); err != nil {
		return err
	}
	return nearAll("trend", d.Trend[first:first+12], in.Want.Next, 1e-9)
}

// checkSTL compares trend, season and rest.
func (s *statistics) checkSTL(c testutil.Case) error {
	var in struct {
		Series string
		Period int
		Window int `json:"seasonal_window"`
		Robust bool
		At     []int
		Want   struct{ Trend, Seasonal, Resid, Weights []float64 }
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	y := s.series[in.Series]
	d, err := forecast.STL(y, in.Period, &forecast.STLOptions{SeasonalWindow: in.Window, Robust: in.Robust})
	if err != nil {
		return err
	}
	weights := d.Weights
	if weights == nil {
		weights = make([]float64, len(y))
		for i := range weights {
			weights[i] = 1
		}
	}
	for _, part := range []struct {
		what      string
		got, want []float64
	}{{"trend", d.Trend, in.Want.Trend}, {"season", d.Season, in.Want.Seasonal}, {"rest", d.Rest, in.Want.Resid}, {"weights", weights, in.Want.Weights}} {
		if err := nearAll(part.what, at(part.got, in.At), part.want, 1e-9); err != nil {
			return err
		}
	}
	return nil
}

// checkSmooth compares smoothing with given parameters.
func (s *statistics) checkSmooth(c testutil.Case) error {
	var in struct {
		Series string
		Params struct {
			Seasonal                string
			Alpha, Beta, Gamma, Phi float64
			L0, B0                  float64
			S0                      []float64
		}
		Horizon int
		Want    struct {
			Fitted   []float64 `json:"fitted_last12"`
			Forecast []float64
			SSE      float64
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	y, p := s.series[in.Series], in.Params
	smoother := forecast.Smoothing{
		Seasonal: seasonalOf(p.Seasonal), Alpha: p.Alpha, Beta: p.Beta, Gamma: p.Gamma, Phi: p.Phi, Level: p.L0, Trend: p.B0, Season: p.S0,
	}
	expected, after := smoother.Run(y)
	sse := 0.0
	for i, e := range expected {
		sse += (y[i] - e) * (y[i] - e)
	}
	if err := nearAll("fitted", expected[len(y)-12:], in.Want.Fitted, 1e-9); err != nil {
		return err
	}
	if err := nearAll("sse", []float64{sse}, []float64{in.Want.SSE}, 1e-9); err != nil {
		return err
	}
	return nearAll("forecast", after.Forecast(in.Horizon), in.Want.Forecast, 1e-9)
}

// checkFit compares the error of a fit with its bound.
func (s *statistics) checkFit(c testutil.Case) error {
	var in struct {
		Series, Trend, Seasonal string
		Damped                  bool
		Period                  int
		Want                    struct {
			SSE float64 `json:"sse_at_most"`
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	m := forecast.ETS{Seasonal: seasonalOf(in.Seasonal)}
	switch {
	case in.Damped:
		m.Trend = forecast.Damped
	case in.Trend != "":
		m.Trend = forecast.Linear
	}
	f, err := m.FitETS(s.series[in.Series], in.Period)
	if err != nil {
		return err
	}
	if !(f.SSE <= in.Want.SSE) {
		return fmt.Errorf("sse = %v of %+v, want at most %v", f.SSE, f.Start, in.Want.SSE)
	}
	return nil
}

// checkETS compares the likelihood of a fit with its bound.
func (s *statistics) checkETS(c testutil.Case) error {
	var in struct {
		Series, Model string
		Period        int
		Want          struct {
			LogLikelihood float64 `json:"loglik_at_least"`
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	models := map[string]forecast.ETS{
		"ETS(A,A,A)": {Trend: forecast.Linear, Seasonal: forecast.Additive}, "ETS(A,A,N)": {Trend: forecast.Linear},
		"ETS(A,Ad,A)": {Trend: forecast.Damped, Seasonal: forecast.Additive},
	}
	m, ok := models[in.Model]
	if !ok {
		return fmt.Errorf("unknown model %q", in.Model)
	}
	f, err := m.FitETS(s.series[in.Series], in.Period)
	if err != nil {
		return err
	}
	if got := f.LogLikelihood(); !(got >= in.Want.LogLikelihood) {
		return fmt.Errorf("log likelihood = %v of %+v, want at least %v", got, f.Start, in.Want.LogLikelihood)
	}
	return nil
}

// checkTheta compares forecasts of the Theta method.
func (s *statistics) checkTheta(c testutil.Case) error {
	var in struct {
		Series, Seasonal string
		Period, Horizon  int
		Tol              struct{ Rel float64 }
		Want             struct{ Forecast []float64 }
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	f, err := forecast.Theta{Seasonal: seasonalOf(in.Seasonal)}.Fit(s.series[in.Series], forecast.Cycle{Period: in.Period})
	if err != nil {
		return err
	}
	return nearAll("forecast", f.Forecast(in.Horizon), in.Want.Forecast, in.Tol.Rel)
}

// checkWeibull compares the parameters of lives.
func (s *statistics) checkWeibull(c testutil.Case) error {
	var in struct {
		Failures, Censored string
		Tol                struct{ Rel float64 }
		Want               struct {
			Shape, Scale, Mean, B10 float64
			Next                    struct{ Survived, Within, P float64 } `json:"p_fail_next"`
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	w, err := failure.FitWeibull(s.sets[in.Failures], s.sets[in.Censored])
	if err != nil {
		return err
	}
	next := in.Want.Next
	got := []float64{w.Shape, w.Scale, w.Mean(), w.Quantile(0.1), w.FailWithin(next.Survived, next.Within)}
	want := []float64{in.Want.Shape, in.Want.Scale, in.Want.Mean, in.Want.B10, next.P}
	for i := range want {
		if math.Abs(got[i]-want[i]) > in.Tol.Rel*math.Abs(want[i]) {
			return fmt.Errorf("shape, scale, mean, B10, p = %v, want %v", got, want)
		}
	}
	return nil
}

// repairable is the history of a case.
func (s *statistics) repairable(times, truncated string, end float64) (failure.Repairable, error) {
	r := failure.Repairable{Times: s.sets[times], End: end}
	if (truncated == "time") != (end > 0) || truncated != "time" && truncated != "failure" {
		return r, fmt.Errorf("truncated by %q with the end %v", truncated, end)
	}
	return r, nil
}

// checkLaplace compares the trend test.
func (s *statistics) checkLaplace(c testutil.Case) error {
	var in struct {
		Times, Truncated string
		End              float64
		Want             struct {
			U float64
			P float64 `json:"p_increasing"`
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	r, err := s.repairable(in.Times, in.Truncated, in.End)
	if err != nil {
		return err
	}
	got, err := r.Laplace()
	if err != nil {
		return err
	}
	return nearAll("u, p", []float64{got.U, got.PIncreasing}, []float64{in.Want.U, in.Want.P}, 1e-9)
}

// checkCrow compares the power law of failures.
func (s *statistics) checkCrow(c testutil.Case) error {
	var in struct {
		Times, Truncated string
		End              float64
		Want             struct {
			Beta   float64 `json:"beta_mle"`
			Lambda float64
			MTBF   float64 `json:"mtbf_now"`
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	r, err := s.repairable(in.Times, in.Truncated, in.End)
	if err != nil {
		return err
	}
	got, err := r.CrowAMSAA()
	if err != nil {
		return err
	}
	return nearAll("beta, lambda, mtbf", []float64{got.Beta, got.Lambda, got.MTBF}, []float64{in.Want.Beta, in.Want.Lambda, in.Want.MTBF}, 1e-9)
}
