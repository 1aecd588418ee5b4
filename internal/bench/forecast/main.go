// Command forecast compares forecasts of a day with those of another library, in time and
// in quality. It is a module of its own: that library and one of the peers of package roi
// ask for versions of a chart module that exclude each other.
package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"time"

	forecaster "github.com/aouyang1/go-forecaster"

	"github.com/evenkeelops/evenkeel/anomaly/forecast"
	"github.com/evenkeelops/evenkeel/internal/bench/measure"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

const (
	forecasterName = "go-forecaster v0.3.15"
	day            = 24
	origins        = 5
	longest        = 672 // hours to learn from
)

func main() { measure.Main(forecasts()) }

// hourly is one series of the file of series.
type hourly struct {
	Name   string
	Values []float64
}

// quality is a line of output beside the times: the mean absolute error of a day in
// units of the seasonal naive error of the past (MASE), mean of five origins. Ratio
// is peer over ours: above 1 ours is better.
type quality struct {
	Name     string  `json:"name"`
	Ours     float64 `json:"ours_mase"`
	Coverage float64 `json:"ours_coverage_95"`
	Peer     string  `json:"peer"`
	Theirs   float64 `json:"peer_mase"`
	Ratio    float64 `json:"ratio"`
	Bar      float64 `json:"bar,omitempty"`
	Verdict  string  `json:"verdict"`
}

// forecasts has one pair: a day ahead from five origins of each series, with
// selection and limits on our side. Its set-up prints the qualities. Without
// the file there is none.
func forecasts() []measure.Pair {
	path := testutil.Shared("data", "anomaly", "forecast", "forecast_bar.json")
	data, err := os.ReadFile(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench: forecast is left out:", err)
		return nil
	}
	var in struct{ Series []hourly }
	return []measure.Pair{{
		Name: "forecast/day", Peer: forecasterName, Bar: 2, Ops: 60,
		Setup: func() (func(), func(), error) {
			if err := json.Unmarshal(data, &in); err != nil {
				return nil, nil, fmt.Errorf("%s: %w", path, err)
			}
			if err := printQualities(in.Series); err != nil {
				return nil, nil, err
			}
			// Both sides forecast from every origin in turn, as costs differ by series.
			each := func(run func(past []float64)) func() {
				return func() {
					for _, s := range in.Series {
						for k := origins; k >= 1; k-- {
							cut := len(s.Values) - k*day
							run(s.Values[max(0, cut-longest):cut])
						}
					}
				}
			}
			return each(func(past []float64) { must(oursDay(past)) }), each(func(past []float64) { must(theirDay(past)) }), nil
		},
	}}
}

func printQualities(series []hourly) error {
	out := json.NewEncoder(os.Stdout)
	total := quality{Name: "forecast/mase", Peer: forecasterName, Bar: 1.4, Verdict: "met"}
	for _, s := range series {
		q, err := qualityOf(s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		if err := out.Encode(q.rounded()); err != nil {
			return err
		}
		n := float64(len(series))
		total.Ours += math.Log(q.Ours) / n
		total.Theirs += math.Log(q.Theirs) / n
		total.Coverage += q.Coverage / n
	}
	total.Ours, total.Theirs = math.Exp(total.Ours), math.Exp(total.Theirs)
	total.Ratio = total.Theirs / total.Ours
	if total.Ratio < total.Bar || total.Ours > 1 || total.Coverage < 0.93 || total.Coverage > 0.97 {
		total.Verdict = "missed"
	}
	return out.Encode(total.rounded())
}

func qualityOf(s hourly) (quality, error) {
	q := quality{Name: "forecast/mase/" + s.Name, Peer: forecasterName, Verdict: "better"}
	for k := origins; k >= 1; k-- {
		cut := len(s.Values) - k*day
		past, future := s.Values[max(0, cut-longest):cut], s.Values[cut:cut+day]
		ours, err := oursDay(past)
		if err != nil {
			return q, err
		}
		theirs, err := theirDay(past)
		if err != nil {
			return q, err
		}
		naive := 0.0
		for i := day; i < len(past); i++ {
			naive += math.Abs(past[i]-past[i-day]) / float64(len(past)-day)
		}
		for i, v := range future {
			q.Ours += math.Abs(ours.Steps[i].Value-v) / naive / day / origins
			q.Theirs += math.Abs(theirs[i]-v) / naive / day / origins
			if *ours.Steps[i].Low <= v && v <= *ours.Steps[i].High {
				q.Coverage += 1.0 / day / origins
			}
		}
	}
	q.Ratio = q.Theirs / q.Ours
	if q.Ratio < 1 {
		q.Verdict = "worse"
	}
	return q, nil
}

// rounded keeps three decimals.
func (q quality) rounded() quality {
	for _, x := range []*float64{&q.Ours, &q.Coverage, &q.Theirs, &q.Ratio} {
		*x = math.Round(*x*1000) / 1000
	}
	return q
}

// start of every series; only steps matter.
var start = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

func oursDay(past []float64) (*forecast.Forecast, error) {
	return forecast.Of(forecast.Series{Start: start, Step: time.Hour, Values: past}, day, &forecast.Options{Season: day * time.Hour})
}

// theirDay uses its default options.
func theirDay(past []float64) ([]float64, error) {
	instants := make([]time.Time, len(past)+day)
	for i := range instants {
		instants[i] = start.Add(time.Duration(i) * time.Hour)
	}
	f, err := forecaster.New(forecaster.NewDefaultOptions())
	if err != nil {
		return nil, err
	}
	if err := f.Fit(instants[:len(past)], past); err != nil {
		return nil, err
	}
	r, err := f.Predict(instants[len(past):])
	if err != nil {
		return nil, err
	}
	return r.Forecast, nil
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // both have forecast every series when the qualities were printed
	}
	return v
}
