package forecast_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/forecast"
	"github.com/evenkeelops/evenkeel/internal/sample"
)

// disk is a simulated disk: hourly percent used.
type disk struct {
	series   forecast.Series
	growth   float64 // percent a day
	cleanUps int
	full     float64 // days behind the last value until the usage, without noise, is 100 %
	line     float64 // the same without the daily wave
}

// newDisk draws one: 14 to 60 days, 0.2 to 2 % a day, a daily wave of up to 2 % and noise
// of up to 0.5 %; every other disk has one to three clean-ups of 5 to 25 %. The growth of
// an hour varies by so many times its mean (standard deviation).
func newDisk(tb testing.TB, seed uint64, bursts float64) disk {
	tb.Helper()
	src := rand.NewPCG(seed, 7)
	draw := func(low, high float64) float64 {
		d, err := sample.Uniform(low, high)
		if err != nil {
			tb.Fatal(err)
		}
		v, err := d.Draw(src)
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
	days := int(draw(14, 61))
	d := disk{growth: draw(0.2, 2)}
	amplitude, noise, phase := draw(0.2, 2), draw(0.05, 0.5), draw(0, 24)
	n := days * 24
	drops := make([]float64, n)
	if seed%2 == 1 {
		d.cleanUps = 1 + int(draw(0, 3))
		for range d.cleanUps {
			drops[int(draw(24, float64(n-24)))] += draw(5, 25)
		}
	}
	// Where it stands now.
	now := draw(40, 90)
	wave := func(hour float64) float64 { return amplitude * math.Sin(2*math.Pi*(hour-phase)/24) }
	values := make([]float64, n)
	level := now
	r := rand.New(src)
	for i := n - 1; i >= 0; i-- {
		values[i] = level + wave(float64(i)) + noise*r.NormFloat64()
		level += drops[i] - d.growth/24*(1+bursts*r.NormFloat64())
	}
	d.series = forecast.Series{Start: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Step: time.Hour, Values: values}
	d.line = (100 - now) / d.growth
	for hour := 1; ; hour++ {
		if now+d.growth*float64(hour)/24+wave(float64(n-1+hour)) >= 100 {
			d.full = float64(hour) / 24
			break
		}
	}
	return d
}

// TestDisks wants the date at which a disk is full, be it at the highest hour of the day
// or in the middle of the day, inside of the 90 % range for most disks, and that no clean-up
// makes a growing disk look as if it never fills.
func TestDisks(t *testing.T) {
	const disks = 200
	for _, c := range []struct {
		name   string
		bursts float64
		width  float64 // the mean range is at most this share of the time left
	}{
		{"steady", 0, 0.1},
		{"in bursts", 2.5, 0.6}, // a day's growth varies by a half
	} {
		t.Run(c.name, func(t *testing.T) {
			highest, middle, width, off := 0, 0, 0.0, 0.0
			states := map[forecast.State]int{}
			for seed := range uint64(disks) {
				d := newDisk(t, seed, c.bursts)
				e, err := forecast.Exhaustion(d.series, 100, nil)
				if err != nil {
					t.Fatal(err)
				}
				states[e.State]++
				if e.State == forecast.Never {
					t.Errorf("disk %d of %.2f %% a day with %d clean-ups: never, slope %v to %v, notes %q", seed, d.growth, d.cleanUps, *e.SlopeLow, *e.SlopeHigh, e.Notes)
				}
				if e.Latest == nil {
					continue // outside
				}
				now := d.series.At(len(d.series.Values) - 1)
				days := func(at *time.Time) float64 { return at.Sub(now).Hours() / 24 }
				if days(e.Earliest) <= d.full && d.full <= days(e.Latest) {
					highest++
				}
				if days(e.Earliest) <= d.line && d.line <= days(e.Latest) {
					middle++
				}
				width += (days(e.Latest) - days(e.Earliest)) / d.full / disks
				off += math.Abs(days(e.Median)-d.full) / d.full / disks
			}
			t.Logf("full at the highest hour: %d of %d inside, in the middle of the day: %d; range %.2f of the time left, median off by %.3f; states %v", highest, disks, middle, width, off, states)
			for _, n := range []int{highest, middle} {
				if share := float64(n) / disks; share < 0.85 || share > 0.97 {
					t.Errorf("the 90 %% range holds the date for %.1f %% of the disks, want 85 to 97 %%", 100*share)
				}
			}
			if width > c.width {
				t.Errorf("the range is %.2f of the time left, want at most %v", width, c.width)
			}
		})
	}
}

// linear is a series of a value a day.
func linear(values ...float64) forecast.Series {
	return forecast.Series{Start: day0, Step: 24 * time.Hour, Values: values}
}

var day0 = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// ramp has n values from a in steps of b, with a little noise that repeats.
func ramp(n int, a, b float64) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = a + b*float64(i) + 0.3*b*float64(i*7%5-2)/2
	}
	return values
}

func TestExhaustion(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]float64, 60)
	for i := range noise {
		noise[i] = 50 + r.NormFloat64()
	}
	cleaned := ramp(40, 20, 1)
	for i := 25; i < 40; i++ {
		cleaned[i] -= 15
	}
	teeth := make([]float64, 60)
	for i := range teeth {
		teeth[i] = 40 + 2*float64(i%10) + 0.2*float64(i/10) + 0.1*float64(i*7%5)
	}
	flatTeeth := make([]float64, 60)
	for i := range flatTeeth {
		flatTeeth[i] = 40 + 2*float64(i%10) + 0.1*float64(i*7%5)
	}
	ended := slices.Clone(flatTeeth[:50])
	for i := range 18 {
		ended = append(ended, 40+2*float64(i)+0.1*float64(i*7%5))
	}
	gaps := ramp(40, 20, 1)
	for _, i := range []int{0, 5, 6, 7, 30, 39} {
		gaps[i] = math.NaN()
	}
	whole := make([]float64, 40)
	for i := range whole {
		whole[i] = math.Floor(20 + float64(i)/4)
	}
	counter := ramp(40, 0, 2)
	for i := 20; i < 40; i++ {
		counter[i] -= counter[19]
	}
	falling := ramp(40, 100, -1)
	for _, c := range []struct {
		name   string
		values []float64
		limit  float64
		o      *forecast.ETAOptions
		state  forecast.State
		// Where the median is expected, in days behind the last value, within a tolerance.
		median, within float64
		slope          float64 // per day, within 10 %; 0 is not compared
	}{
		{"nothing", nil, 100, nil, forecast.Unknown, 0, 0, 0},
		{"no value", []float64{math.NaN(), math.NaN()}, 100, nil, forecast.Unknown, 0, 0, 0},
		{"seven values", ramp(7, 20, 1), 100, nil, forecast.Unknown, 0, 0, 0},
		{"eight values, near", ramp(8, 70, 4), 100, nil, forecast.OK, 0.5, 1.5, 4}, // 70+28 = 98
		{"line", ramp(40, 20, 1), 100, nil, forecast.OK, 41, 1.5, 1},
		{"full", ramp(40, 61, 1), 100, nil, forecast.Already, 0, 0, 0},
		{"noise", noise, 100, nil, forecast.Never, 0, 0, 0},
		{"constant", make([]float64, 30), 100, nil, forecast.Never, 0, 0, 0},
		{"shrinking", ramp(40, 90, -1), 100, nil, forecast.Never, 0, 0, -1},
		{"too far for the data", ramp(10, 10, 0.1), 100, nil, forecast.Unknown, 891, 60, 0.1},
		{"one clean-up", cleaned, 100, nil, forecast.OK, 56, 2, 1},
		{"saw-tooth that grows", teeth, 65, nil, forecast.OK, 285, 30, 0.02}, // 59.3 and 0.2 a tooth of 10 days
		{"saw-tooth that stays", flatTeeth, 100, nil, forecast.Never, 0, 0, 0},
		{"saw-tooth that has ended", ended, 100, nil, forecast.OK, 13, 2, 2}, // at 74, 2 a day
		{"gaps", gaps, 100, nil, forecast.OK, 42, 1.5, 1},                    // the last value is a day older
		{"whole percents", whole, 100, nil, forecast.OK, 282, 30, 0.25},
		{"counter", counter, 200, &forecast.ETAOptions{Counter: true}, forecast.OK, 61, 4, 2},
		{"quota that runs out", falling, 0, &forecast.ETAOptions{Falling: true}, forecast.OK, 61, 2, -1},
		{"quota that has run out", ramp(40, 30, -1), 0, &forecast.ETAOptions{Falling: true}, forecast.Already, 0, 0, 0},
		{"disk was extended", ramp(40, 20, 1), 50, &forecast.ETAOptions{Later: []forecast.Limit{{From: day0.AddDate(0, 0, 20), Value: 100}}}, forecast.OK, 41, 1.5, 1},
		{"disk will be extended in time", ramp(40, 20, 1), 80, &forecast.ETAOptions{Later: []forecast.Limit{{From: day0.AddDate(0, 0, 49), Value: 100}}}, forecast.OK, 41, 1.5, 1},
		{"disk will be extended too late", ramp(40, 20, 1), 80, &forecast.ETAOptions{Later: []forecast.Limit{{From: day0.AddDate(0, 0, 79), Value: 100}}}, forecast.OK, 21, 1.5, 1},
		{"quota will be cut", ramp(40, 20, 1), 100, &forecast.ETAOptions{Later: []forecast.Limit{{From: day0.AddDate(0, 0, 49), Value: 60}}}, forecast.OK, 10, 0.01, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := forecast.Exhaustion(linear(c.values...), c.limit, c.o)
			if err != nil {
				t.Fatal(err)
			}
			if e.State != c.state {
				t.Fatalf("state = %v, want %v; %+v", e.State, c.state, e)
			}
			if c.slope != 0 && (e.Slope == nil || math.Abs(*e.Slope/c.slope-1) > 0.1) {
				t.Errorf("slope = %v, want %v", e.Slope, c.slope)
			}
			if c.median == 0 {
				return
			}
			last := len(c.values) - 1
			for math.IsNaN(c.values[last]) {
				last--
			}
			s := linear(c.values...)
			got := e.Median.Sub(s.At(last)).Hours() / 24
			if math.Abs(got-c.median) > c.within {
				t.Errorf("median in %v days, want %v ± %v; notes %q", got, c.median, c.within, e.Notes)
			}
			if e.Earliest.After(*e.Median) || e.Latest != nil && e.Latest.Before(*e.Median) {
				t.Errorf("range %v to %v does not hold the median %v", e.Earliest, e.Latest, e.Median)
			}
		})
	}
}

// TestOneCleanUp: wherever it lies, and however large it is, one clean-up does not turn a
// growing disk into one that never fills.
func TestOneCleanUp(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, size := range []float64{5, 15, 40} {
		for at := 1; at < 40; at++ {
			values := make([]float64, 40)
			for i := range values {
				values[i] = 50 + float64(i) + 0.3*r.NormFloat64()
				if i >= at {
					values[i] -= size
				}
			}
			e, err := forecast.Exhaustion(linear(values...), 100, nil)
			if err != nil {
				t.Fatal(err)
			}
			// 50 + 39 - size today, 1 a day.
			got, want := math.NaN(), 11+size
			if e.Median != nil {
				got = e.Median.Sub(day0).Hours()/24 - 39
			}
			if e.State != forecast.OK || math.Abs(got-want) > 2 {
				t.Errorf("%v less from day %d on: %v in %.2f days, want ok in %v; %q", size, at, e.State, got, want, e.Notes)
			}
		}
	}
}

// TestExhaustionLine has the line of the case files: Theil-Sen reaches 100 at 98.44.
func TestExhaustionLine(t *testing.T) {
	var sets map[string][]float64
	data, err := os.ReadFile("../testdata/vectors/stats_vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var in struct{ Sets map[string][]float64 }
	if err := json.Unmarshal(data, &in); err != nil {
		t.Fatal(err)
	}
	sets = in.Sets
	e, err := forecast.Exhaustion(linear(sets["disk60_y"]...), 100, nil)
	if err != nil {
		t.Fatal(err)
	}
	// The case has one value a day, from day 0; the median of draws is near the line.
	if got := e.Median.Sub(day0).Hours() / 24; e.State != forecast.OK || math.Abs(got-98.44) > 1 {
		t.Errorf("%v on day %.2f, want ok and 98.44 ± 1", e.State, got)
	}
	if p := e.ProbBefore(*e.Median); math.Abs(p-0.5) > 0.02 {
		t.Errorf("probability before the median = %v, want 0.5", p)
	}
	if e.ProbBefore(day0) != 0 || e.ProbBefore(day0.AddDate(99, 0, 0)) != 1 {
		t.Errorf("probabilities at the ends = %v, %v, want 0 and 1", e.ProbBefore(day0), e.ProbBefore(day0.AddDate(99, 0, 0)))
	}
	if p, q := e.ProbBefore(*e.Earliest), e.ProbBefore(*e.Latest); p > 0.06 || q < 0.94 {
		t.Errorf("probabilities before the ends of the range = %v, %v, want about 0.05 and 0.95", p, q)
	}
}

// TestExhaustionLaws: units do not matter, nor does when a series begins, nor which
// way is up; the same seed gives the same answer.
func TestExhaustionLaws(t *testing.T) {
	for seed := range uint64(20) {
		d := newDisk(t, seed, 0)
		want, err := forecast.Exhaustion(d.series, 100, nil)
		if err != nil {
			t.Fatal(err)
		}
		scaled, mirrored := d.series, d.series
		scaled.Values, mirrored.Values = slices.Clone(d.series.Values), slices.Clone(d.series.Values)
		for i, v := range d.series.Values {
			scaled.Values[i] = 1024*v - 512
			mirrored.Values[i] = -v
		}
		for _, c := range []struct {
			name  string
			s     forecast.Series
			limit float64
			o     *forecast.ETAOptions
			scale float64
		}{
			{"again", d.series, 100, nil, 1}, {"scaled", scaled, 1024*100 - 512, nil, 1024}, {"mirrored", mirrored, -100, &forecast.ETAOptions{Falling: true}, -1},
		} {
			got, err := forecast.Exhaustion(c.s, c.limit, c.o)
			if err != nil {
				t.Fatal(err)
			}
			if got.State != want.State || got.Median.Sub(*want.Median).Abs() > time.Minute || got.Latest.Sub(*want.Latest).Abs() > time.Minute ||
				math.Abs(*got.Slope/c.scale-*want.Slope) > 1e-9 {
				t.Errorf("disk %d %s: %v at %v until %v, slope %v, want %v at %v until %v, slope %v", seed, c.name, got.State, got.Median, got.Latest, *got.Slope/c.scale, want.State, want.Median, want.Latest, *want.Slope)
			}
		}
	}
}

func TestExhaustionErrors(t *testing.T) {
	good := linear(1, 2, 3)
	for _, c := range []struct {
		name  string
		s     forecast.Series
		limit float64
		o     *forecast.ETAOptions
		want  string
	}{
		{"limit", good, math.NaN(), nil, "limit is NaN"},
		{"step", forecast.Series{Values: []float64{1}}, 1, nil, "Step is 0s"},
		{"value", linear(1, math.Inf(1)), 1, nil, "value 1 at 2026-03-02T00:00:00Z is +Inf"},
		{"draws", good, 1, &forecast.ETAOptions{Draws: 3}, "Draws is 3"},
		{"later", good, 1, &forecast.ETAOptions{Later: []forecast.Limit{{From: day0, Value: math.Inf(1)}, {From: day0, Value: 1}}}, "Later[1].From"},
		{"both", good, 1, &forecast.ETAOptions{Counter: true, Falling: true}, "Counter is true"},
	} {
		if _, err := forecast.Exhaustion(c.s, c.limit, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}

func TestETAJSON(t *testing.T) {
	e, err := forecast.Exhaustion(linear(1, 2), 5, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"state":"unknown","median":null,"earliest":null,"latest":null,"slope_per_day":null,"slope_per_day_low":null,"slope_per_day_high":null,"confidence":0,"notes":["2 values, want 8"]}`
	if string(got) != want {
		t.Errorf("JSON = %s, want %s", got, want)
	}
	if p := e.ProbBefore(day0); !math.IsNaN(p) {
		t.Errorf("probability of what is unknown = %v, want NaN", p)
	}
}
