package forecast_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/forecast"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

// barSeries is one of the hourly series, with figures of others.
type barSeries struct {
	Name   string
	Values []float64
	MASE   map[string]float64
}

func barData(tb testing.TB) []barSeries {
	tb.Helper()
	data, err := os.ReadFile(testutil.SharedFile(tb, "data", "anomaly", "forecast", "forecast_bar.json"))
	if err != nil {
		tb.Fatal(err)
	}
	var in struct{ Series []barSeries }
	if err := json.Unmarshal(data, &in); err != nil {
		tb.Fatal(err)
	}
	return in.Series
}

// result is the quality on one series.
type result struct {
	mase, coverage, width float64
	chosen                []string
}

// measureBar forecasts a day from five origins, the last five days, of at most four
// weeks before each, as the file defines it.
func measureBar(tb testing.TB, s barSeries, o *forecast.Options) result {
	tb.Helper()
	const day, weeks4 = 24, 672
	var r result
	inside := 0
	for k := 5; k >= 1; k-- {
		cut := len(s.Values) - k*day
		train, test := s.Values[max(0, cut-weeks4):cut], s.Values[cut:cut+day]
		f, err := forecast.Of(forecast.Series{Step: time.Hour, Values: train}, day, o)
		if err != nil {
			tb.Fatalf("%s: %v", s.Name, err)
		}
		scale := 0.0
		for i := day; i < len(train); i++ {
			scale += math.Abs(train[i]-train[i-day]) / float64(len(train)-day)
		}
		for i, step := range f.Steps {
			r.mase += math.Abs(step.Value-test[i]) / scale / day / 5
			r.width += (*step.High - *step.Low) / scale / day / 5
			if *step.Low <= test[i] && test[i] <= *step.High {
				inside++
			}
		}
		r.chosen = append(r.chosen, f.Model)
	}
	r.coverage = float64(inside) / (5 * day)
	return r
}

// TestBar wants a geometric MASE of at most 1 and 1.4 times better than the figures of
// go-forecaster in the file, and limits that hold what they say.
func TestBar(t *testing.T) {
	series := barData(t)
	ours, theirs, coverage := 0.0, 0.0, 0.0
	n := float64(len(series))
	for _, s := range series {
		r := measureBar(t, s, &forecast.Options{Season: 24 * time.Hour})
		ours += math.Log(r.mase) / n
		theirs += math.Log(s.MASE["go_forecaster_v0_3_15"]) / n
		coverage += r.coverage / n
		t.Logf("%-50s MASE %6.3f (go-forecaster %6.3f), coverage %.3f, width %5.2f, %q", s.Name, r.mase, s.MASE["go_forecaster_v0_3_15"], r.coverage, r.width, r.chosen)
	}
	ours, theirs = math.Exp(ours), math.Exp(theirs)
	t.Logf("geometric MASE %.3f, go-forecaster %.3f times that; coverage %.3f", ours, theirs/ours, coverage)
	if ours > 1 || theirs/ours < 1.4 {
		t.Errorf("geometric MASE = %.3f, %.2f times better than go-forecaster, want at most 1 and at least 1.4", ours, theirs/ours)
	}
	if coverage < 0.93 || coverage > 0.97 {
		t.Errorf("the 95 %% limits hold %.1f %% of the values, want 93 to 97 %%", 100*coverage)
	}
}
