package forecast_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/forecast"
)

// waves is a series of hours with a day's wave, a slope and noise.
func waves(seed uint64, n int, slope, noise float64) []float64 {
	r := rand.New(rand.NewPCG(seed, 3))
	y := make([]float64, n)
	for i := range y {
		y[i] = 100 + slope*float64(i) + 20*math.Sin(2*math.Pi*float64(i)/24) + noise*r.NormFloat64()
	}
	return y
}

func hourly(y []float64) forecast.Series {
	return forecast.Series{Start: day0, Step: time.Hour, Values: y}
}

// TestExact: what repeats or lies on a line is continued as it is.
func TestExact(t *testing.T) {
	line, square, both := make([]float64, 240), make([]float64, 240), make([]float64, 240)
	for i := range line {
		line[i] = 3 + 0.5*float64(i)
		square[i] = float64(i % 24 / 12)
		both[i] = line[i] + square[i]
	}
	for _, c := range []struct {
		name string
		y    []float64
		want func(i int) float64
	}{
		{"constant", slices.Repeat([]float64{7}, 240), func(int) float64 { return 7 }},
		{"line", line, func(i int) float64 { return 3 + 0.5*float64(i) }},
		{"days", square, func(i int) float64 { return float64(i % 24 / 12) }},
	} {
		f, err := forecast.Of(hourly(c.y), 30, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range f.Steps {
			if want := c.want(240 + i); math.Abs(s.Value-want) > 1e-6 || *s.Low > s.Value || *s.High < s.Value {
				t.Fatalf("%s, step %d by %s: %v in %v to %v, want %v", c.name, i, f.Model, s.Value, *s.Low, *s.High, want)
			}
			if at := day0.Add(time.Duration(240+i) * time.Hour); !s.At.Equal(at) {
				t.Fatalf("%s, step %d is at %v, want %v", c.name, i, s.At, at)
			}
		}
	}
}

// TestTable: the result shows why its model was chosen.
func TestTable(t *testing.T) {
	f, err := forecast.Of(hourly(waves(1, 480, 0.05, 3)), 24, nil)
	if err != nil {
		t.Fatal(err)
	}
	if f.Folds != 4 || f.Cycle.Period != 24 || len(f.Trials) != len(forecast.Models()) {
		t.Fatalf("%d folds, cycle %+v, %d trials, want 4, a day, one for each model", f.Folds, f.Cycle, len(f.Trials))
	}
	chosen := 0
	least, model := math.Inf(1), ""
	for _, trial := range f.Trials {
		if trial.Chosen {
			chosen++
		}
		if (trial.Score == nil) == (trial.Skipped == "") {
			t.Errorf("trial %+v has neither or both of a score and a reason", trial)
		}
		if trial.Score == nil {
			continue
		}
		// The score by hand: folds capped at three times their median.
		sorted := slices.Sorted(slices.Values(trial.Errors))
		limit, sum := 3*(sorted[1]+sorted[2])/2, 0.0
		for _, e := range trial.Errors {
			sum += min(e, limit)
		}
		if math.Abs(sum/4-*trial.Score) > 1e-9 {
			t.Errorf("%s has the score %v of %v, want %v", trial.Model, *trial.Score, trial.Errors, sum/4)
		}
		if *trial.Score < least {
			least, model = *trial.Score, trial.Model
		}
	}
	if chosen != 1 || f.Model != model {
		t.Errorf("%d chosen, model %q, want one, %q", chosen, f.Model, model)
	}
	for i := 1; i < len(f.Steps); i++ {
		a, b := f.Steps[i-1], f.Steps[i]
		if *b.High-*b.Low < *a.High-*a.Low-1e-9 {
			t.Errorf("interval of step %d is narrower than that of step %d", i, i-1)
		}
	}
	again, err := forecast.Of(hourly(waves(1, 480, 0.05, 3)), 24, nil)
	if err != nil {
		t.Fatal(err)
	}
	one, err1 := json.Marshal(f)
	two, err2 := json.Marshal(again)
	if err := errors.Join(err1, err2); err != nil || string(one) != string(two) {
		t.Errorf("two runs differ, or %v:\n%s\n%s", err, one, two)
	}
}

// TestShort: little is little, and said.
func TestShort(t *testing.T) {
	for _, n := range []int{0, 1} {
		if _, err := forecast.Of(hourly(make([]float64, n)), 3, nil); !errors.Is(err, forecast.ErrTooShort) {
			t.Errorf("%d values: error %v, want ErrTooShort", n, err)
		}
	}
	f, err := forecast.Of(hourly([]float64{1, 2, 5}), 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	if f.Model != "naive" || f.Steps[2].Value != 5 || f.Steps[0].Low != nil || f.Folds != 0 || len(f.Notes) == 0 {
		t.Errorf("three values give %+v, want naive, no limits, a note", f)
	}
	data, err := json.Marshal(f.Steps[0])
	if want := `{"at":"2026-03-01T03:00:00Z","value":5,"low":null,"high":null}`; err != nil || string(data) != want {
		t.Errorf("JSON = %s, %v, want %s", data, err, want)
	}
}

func TestFloorAndCap(t *testing.T) {
	floor, top := 0.0, 100.0
	y := make([]float64, 200)
	for i := range y {
		y[i] = 40 + 0.3*float64(i) + float64(i*7%5)
	}
	f, err := forecast.Of(hourly(y), 48, &forecast.Options{Floor: &floor, Cap: &top})
	if err != nil {
		t.Fatal(err)
	}
	last := f.Steps[47]
	if last.Value != 100 || *last.High != 100 || *last.Low > 100 {
		t.Errorf("last step = %v in %v to %v, want 100 at most", last.Value, *last.Low, *last.High)
	}
}

// TestGaps: what is missing is filled with the season and listed.
func TestGaps(t *testing.T) {
	y := waves(2, 480, 0, 0)
	for i := 200; i < 210; i++ {
		y[i] = math.NaN()
	}
	y[0], y[478], y[479] = math.NaN(), math.NaN(), math.NaN()
	f, err := forecast.Of(hourly(y), 24, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := forecast.Gap{Start: day0.Add(200 * time.Hour), End: day0.Add(210 * time.Hour), Steps: 10}
	if len(f.Gaps) != 1 || f.Gaps[0] != want {
		t.Errorf("gaps = %+v, want %+v", f.Gaps, want)
	}
	if notes := strings.Join(f.Notes, "; "); !strings.Contains(notes, "10 of 477 values were missing") || !strings.Contains(notes, "the last 2 steps have no value") {
		t.Errorf("notes = %q, want the numbers of missing values", notes)
	}
	for i, s := range f.Steps {
		if exact := 100 + 20*math.Sin(2*math.Pi*float64(480+i)/24); math.Abs(s.Value-exact) > 0.01 || !s.At.Equal(day0.Add(time.Duration(480+i)*time.Hour)) {
			t.Fatalf("step %d by %s is %v at %v, want %v", i, f.Model, s.Value, s.At, exact)
		}
	}
}

// TestClock: a job at nine in Berlin runs at nine in Berlin, on both days on which the
// clock is changed, and behind them.
func TestClock(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones here: ", err)
	}
	for _, change := range []time.Time{time.Date(2026, 3, 29, 0, 0, 0, 0, berlin), time.Date(2026, 10, 25, 0, 0, 0, 0, berlin)} {
		// The change lies in the past, or within the horizon.
		for _, before := range []int{-40, 10 * 24} {
			start := change.Add(-20 * 24 * time.Hour)
			n := 20*24 - before
			s := forecast.Series{Start: start, Step: time.Hour, Values: make([]float64, n)}
			job := func(i int) float64 {
				if s.At(i).In(berlin).Hour() == 9 {
					return 50
				}
				return 10
			}
			for i := range s.Values {
				s.Values[i] = job(i)
			}
			const horizon = 12 * 24
			right := func(o *forecast.Options) int {
				f, err := forecast.Of(s, horizon, o)
				if err != nil {
					t.Fatal(err)
				}
				count := 0
				for i, step := range f.Steps {
					if math.Abs(step.Value-job(n+i)) < 1 {
						count++
					}
				}
				if o.Zone != nil && len(f.Notes) == 0 {
					t.Error("no note about the clock")
				}
				return count
			}
			if got := right(&forecast.Options{Zone: berlin}); got != horizon {
				t.Errorf("change on %s, %d h before it: %d of %d hours right", change.Format(time.DateOnly), before, got, horizon)
			}
			if got := right(&forecast.Options{}); before > 0 && got == horizon {
				t.Error("without the zone all hours are right too: the test shows nothing")
			}
		}
	}
}

func TestSeasons(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	noise := make([]float64, 72)
	for i := range noise {
		noise[i] = r.NormFloat64()
	}
	week := make([]float64, 8*168)
	for i := range week {
		week[i] = 10 * math.Sin(2*math.Pi*float64(i)/24)
		if i%168 >= 120 {
			week[i] -= 15
		}
	}
	odd := make([]float64, 300)
	for i := range odd {
		odd[i] = 5*math.Sin(2*math.Pi*float64(i)/31) + r.NormFloat64()
	}
	for _, c := range []struct {
		name string
		y    []float64
		want forecast.Cycle
	}{
		{"noise of three days", noise, forecast.Cycle{}},
		{"constant", make([]float64, 100), forecast.Cycle{}},
		{"days", waves(5, 240, 0.1, 2), forecast.Cycle{Period: 24}},
		{"days and weeks", week, forecast.Cycle{Period: 24, Week: 168}},
		{"31 hours", odd, forecast.Cycle{Period: 31}},
	} {
		found, err := forecast.Seasons(hourly(c.y))
		if (c.want == forecast.Cycle{}) != errors.Is(err, forecast.ErrNoSeason) {
			t.Errorf("%s: error %v with %+v", c.name, err, found)
		}
		f, err := forecast.Of(hourly(c.y), 6, nil)
		if err != nil {
			t.Fatal(err)
		}
		if f.Cycle != c.want {
			t.Errorf("%s: cycle %+v of %+v, want %+v", c.name, f.Cycle, found, c.want)
		}
		_, err = forecast.Of(hourly(c.y), 6, &forecast.Options{NeedSeason: true})
		if (c.want == forecast.Cycle{}) != errors.Is(err, forecast.ErrNoSeason) {
			t.Errorf("%s: a season is needed, error %v", c.name, err)
		}
	}
}

// TestEquivariance: a change of unit changes the forecast by it. Powers of two leave
// every digit alone; after others a search for weights may end elsewhere in its tolerance,
// which is seen in thousandths. A multiplicative season has a zero that means something
// and is left out of shifts.
func TestEquivariance(t *testing.T) {
	shiftable := slices.DeleteFunc(forecast.Models(), func(m forecast.Model) bool {
		ets, ok := m.(forecast.ETS)
		return ok && ets.Seasonal == forecast.Multiplicative
	})
	for seed := range uint64(6) {
		y := waves(seed, 400, 0.02*float64(seed), 2+float64(seed))
		for _, c := range []struct {
			name         string
			scale, shift float64
			models       []forecast.Model
			within       float64
		}{
			{"64 times", 64, 0, forecast.Models(), 0},
			{"a 1024th", 1.0 / 1024, 0, forecast.Models(), 0},
			{"3 times", 3, 0, forecast.Models(), 1e-3},
			{"upside down", -1, 0, shiftable, 1e-9},
			{"in Fahrenheit", 1.8, 32, shiftable, 1e-3},
		} {
			moved := make([]float64, len(y))
			for i, v := range y {
				moved[i] = c.scale*v + c.shift
			}
			for _, m := range append(slices.Clone(c.models), nil) {
				models, name := []forecast.Model{m}, "all"
				if m == nil {
					models = c.models
				} else {
					name = m.Name()
				}
				o := &forecast.Options{Models: models, Season: 24 * time.Hour}
				want, err1 := forecast.Of(hourly(y), 24, o)
				got, err2 := forecast.Of(hourly(moved), 24, o)
				if err := errors.Join(err1, err2); err != nil {
					t.Fatal(err)
				}
				for i, w := range want.Steps {
					exact := c.scale*w.Value + c.shift
					if g := got.Steps[i].Value; math.Abs(g-exact) > c.within*math.Abs(c.scale)*20 {
						t.Fatalf("seed %d, %s, %s: step %d is %v, want %v", seed, c.name, name, i, g, exact)
					}
				}
			}
		}
	}
}

// TestParametric: the limits of a smoother of the right kind hold about what they say.
func TestParametric(t *testing.T) {
	inside, all := 0, 0
	for seed := range uint64(40) {
		y := waves(seed, 400, 0, 4)
		f, err := forecast.Of(hourly(y[:376]), 24, &forecast.Options{
			Interval: forecast.Parametric, Models: []forecast.Model{forecast.ETS{Seasonal: forecast.Additive}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if f.Interval != forecast.Parametric {
			t.Fatalf("interval = %v, want parametric", f.Interval)
		}
		for i, s := range f.Steps {
			all++
			if *s.Low <= y[376+i] && y[376+i] <= *s.High {
				inside++
			}
		}
	}
	if share := float64(inside) / float64(all); share < 0.92 || share > 0.98 {
		t.Errorf("95 %% limits hold %.3f", share)
	}
}

func TestOptionErrors(t *testing.T) {
	floor, top := 5.0, 1.0
	for _, c := range []struct {
		name    string
		s       forecast.Series
		horizon int
		o       *forecast.Options
		want    string
	}{
		{"horizon", hourly([]float64{1, 2}), 0, nil, "horizon is 0, want 1 to 100000 steps"},
		{"level", hourly([]float64{1, 2}), 1, &forecast.Options{Level: 1}, "Level is 1, want above 0 and below 1"},
		{"season", hourly([]float64{1, 2}), 1, &forecast.Options{Season: 90 * time.Minute}, "Season is 1h30m0s"},
		{"floor", hourly([]float64{1, 2}), 1, &forecast.Options{Floor: &floor, Cap: &top}, "Floor is 5, want at most Cap, 1"},
		{"history", hourly([]float64{1, 2}), 1, &forecast.Options{History: 1}, "History is 1"},
		{"model", hourly([]float64{1, 2}), 1, &forecast.Options{Models: []forecast.Model{nil}}, "Models[0] is <nil>"},
		{"interval", hourly([]float64{1, 2}), 1, &forecast.Options{Interval: 7}, "Interval is Interval(7)"},
		{"step", forecast.Series{Values: []float64{1, 2}}, 1, nil, "Step is 0s"},
		{"value", hourly([]float64{1, 1e151}), 1, nil, "value 1 at 2026-03-01T01:00:00Z is 1e+151"},
	} {
		if _, err := forecast.Of(c.s, c.horizon, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}

func TestModelsThatDoNotApply(t *testing.T) {
	y := []float64{1, 2, 3, -4, 5, 6, 7, 8, 9, 10, 11, 12}
	for _, c := range []struct {
		m    forecast.Model
		y    []float64
		c    forecast.Cycle
		want error
	}{
		{forecast.Naive{}, nil, forecast.Cycle{}, forecast.ErrTooShort},
		{forecast.Drift{}, y[:1], forecast.Cycle{}, forecast.ErrTooShort},
		{forecast.SeasonalNaive{}, y, forecast.Cycle{}, forecast.ErrNoSeason},
		{forecast.WeekAgo{}, y, forecast.Cycle{Period: 2}, forecast.ErrNoSeason},
		{forecast.Profile{}, y, forecast.Cycle{Period: 6}, forecast.ErrTooShort},
		{forecast.ETS{}, y[:3], forecast.Cycle{}, forecast.ErrTooShort},
		{forecast.ETS{Seasonal: forecast.Additive}, y, forecast.Cycle{}, forecast.ErrNoSeason},
		{forecast.ETS{Seasonal: forecast.Multiplicative}, y, forecast.Cycle{Period: 2}, forecast.ErrNotPositive},
		{forecast.Theta{}, y[:5], forecast.Cycle{}, forecast.ErrTooShort},
		{forecast.Theta{Seasonal: forecast.Multiplicative}, y, forecast.Cycle{Period: 2}, forecast.ErrNotPositive},
		{forecast.STLModel{}, y, forecast.Cycle{Period: 7}, forecast.ErrTooShort},
		{forecast.Harmonic{}, y[:3], forecast.Cycle{}, forecast.ErrTooShort},
	} {
		if _, err := c.m.Fit(c.y, c.c); !errors.Is(err, c.want) {
			t.Errorf("%s on %d values, %+v: error %v, want %v", c.m.Name(), len(c.y), c.c, err, c.want)
		}
	}
	if _, err := forecast.STL(y, 2, &forecast.STLOptions{SeasonalWindow: 8}); err == nil {
		t.Error("an even seasonal window passes")
	}
}

// TestByHand checks the plain models.
func TestByHand(t *testing.T) {
	y := []float64{1, 2, 3, 5, 2, 4, 1, 3, 5, 9, 3, 5}
	for _, c := range []struct {
		m    forecast.Model
		c    forecast.Cycle
		want []float64
	}{
		{forecast.Naive{}, forecast.Cycle{}, []float64{5, 5, 5, 5}},
		{forecast.Drift{}, forecast.Cycle{}, []float64{5 + 4.0/11, 5 + 8.0/11, 5 + 12.0/11, 5 + 16.0/11}},
		{forecast.SeasonalNaive{}, forecast.Cycle{Period: 3}, []float64{9, 3, 5, 9}},
		{forecast.WeekAgo{}, forecast.Cycle{Period: 3, Week: 6}, []float64{1, 3, 5, 9}},
		{forecast.Profile{}, forecast.Cycle{Period: 3}, []float64{3, 2.5, 4.5, 3}}, // of 1 5 1 9, 2 2 3 3, 3 4 5 5
	} {
		f, err := c.m.Fit(y, c.c)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range f.Forecast(4) {
			if math.Abs(v-c.want[i]) > 1e-12 {
				t.Errorf("%s: %v, want %v", c.m.Name(), f.Forecast(4), c.want)
				break
			}
		}
	}
}

// TestTextOfNames: every enumeration is its own inverse as text.
func TestTextOfNames(t *testing.T) {
	text := func(v interface {
		MarshalText() ([]byte, error)
		String() string
	}, back interface{ UnmarshalText([]byte) error }, last bool,
	) {
		t.Helper()
		got, err := v.MarshalText()
		if last {
			if err == nil {
				t.Errorf("%v beyond the last has the text %q", v, got)
			}
			if back.UnmarshalText([]byte("?")) == nil {
				t.Errorf("%T reads ?", back)
			}
			return
		}
		if err != nil || string(got) != v.String() || back.UnmarshalText(got) != nil {
			t.Errorf("%v: text %q, error %v", v, got, err)
		}
	}
	for i := range uint8(5) {
		var state forecast.State
		text(forecast.State(i), &state, i == 4)
		if i < 4 && state != forecast.State(i) {
			t.Errorf("state %d comes back as %d", i, state)
		}
	}
	for i := range uint8(4) {
		text(forecast.Seasonal(i), new(forecast.Seasonal), i == 3)
		text(forecast.Trend(i), new(forecast.Trend), i == 3)
		text(forecast.Aggregate(i), new(forecast.Aggregate), i == 3)
	}
	for i := range uint8(3) {
		text(forecast.Interval(i), new(forecast.Interval), i == 2)
	}
}
