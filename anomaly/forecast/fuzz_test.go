package forecast_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/forecast"
)

// fuzzValues reads a series: a byte a value, with escapes to any float at all. At most 400
// values, so that a run stays short.
func fuzzValues(data []byte) []float64 {
	var y []float64
	for len(data) > 0 && len(y) < 400 {
		b := data[0]
		data = data[1:]
		switch {
		case b == 255 && len(data) >= 8:
			y = append(y, math.Float64frombits(binary.LittleEndian.Uint64(data)))
			data = data[8:]
		case b == 254:
			y = append(y, math.NaN())
		case b == 253:
			y = append(y, 1e150)
		default:
			y = append(y, float64(b))
		}
	}
	return y
}

// expected reports whether an error is one that bad input deserves.
func expected(err error) bool {
	return errors.Is(err, forecast.ErrTooShort) || errors.Is(err, forecast.ErrNoSeason) ||
		errors.As(err, new(*forecast.ValueError)) || errors.As(err, new(*forecast.OptionError))
}

func addSeries(f *testing.F) {
	f.Helper()
	wave := make([]byte, 200)
	for i := range wave {
		wave[i] = byte(100 + 50*math.Sin(2*math.Pi*float64(i)/24))
	}
	for _, data := range [][]byte{
		nil,
		{1},
		{1, 2},
		{7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7},
		{254, 254, 1, 254, 2, 254},
		{253, 1, 253, 2, 253, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
		wave,
		binary.LittleEndian.AppendUint64([]byte{1, 2, 3, 255}, math.Float64bits(math.Inf(1))),
		binary.LittleEndian.AppendUint64([]byte{1, 2, 3, 255}, math.Float64bits(5e-324)),
	} {
		f.Add(data, uint8(24), uint8(0))
	}
}

func FuzzOf(f *testing.F) {
	addSeries(f)
	f.Fuzz(func(t *testing.T, data []byte, horizon, flags uint8) {
		floor, top := 0.0, 300.0
		o := &forecast.Options{Interval: forecast.Interval(flags & 1), NeedSeason: flags&2 > 0}
		if flags&4 > 0 {
			o.Season = 24 * time.Hour
		}
		if flags&8 > 0 {
			o.Floor, o.Cap = &floor, &top
		}
		if flags&16 > 0 {
			o.Level = 0.5
		}
		s := hourly(fuzzValues(data))
		got, err := forecast.Of(s, int(horizon), o)
		if err != nil {
			if !expected(err) {
				t.Fatalf("error %v", err)
			}
			return
		}
		if len(got.Steps) != int(horizon) {
			t.Fatalf("%d steps, want %d", len(got.Steps), horizon)
		}
		for i, step := range got.Steps {
			if math.IsNaN(step.Value) || math.IsInf(step.Value, 0) || o.Floor != nil && (step.Value < floor || step.Value > top) {
				t.Fatalf("step %d by %s is %v", i, got.Model, step.Value)
			}
			if step.Low != nil && !(*step.Low <= step.Value && step.Value <= *step.High) {
				t.Fatalf("step %d by %s: %v is not in %v to %v", i, got.Model, step.Value, *step.Low, *step.High)
			}
		}
		if _, err := json.Marshal(got); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzExhaustion(f *testing.F) {
	addSeries(f)
	f.Fuzz(func(t *testing.T, data []byte, limit, flags uint8) {
		o := &forecast.ETAOptions{Falling: flags&1 > 0, Counter: flags&2 > 0, Draws: 40}
		if flags&4 > 0 {
			o.Later = []forecast.Limit{{From: day0.Add(100 * time.Hour), Value: float64(flags)}, {From: day0.AddDate(0, 2, 0), Value: 250}}
		}
		s := hourly(fuzzValues(data))
		e, err := forecast.Exhaustion(s, float64(limit), o)
		if err != nil {
			if !expected(err) {
				t.Fatalf("error %v", err)
			}
			return
		}
		if e.Latest != nil && (e.Median == nil || e.Earliest == nil || e.Latest.Before(*e.Median) || e.Median.Before(*e.Earliest)) {
			t.Fatalf("range %v to %v does not hold the median %v", e.Earliest, e.Latest, e.Median)
		}
		if e.State == forecast.OK && (e.Median == nil || e.Slope == nil) {
			t.Fatalf("ok without a date: %+v", e)
		}
		if !(e.Confidence >= 0 && e.Confidence <= 1) {
			t.Fatalf("confidence %v", e.Confidence)
		}
		before := 0.0
		for days := range 40 {
			p := e.ProbBefore(day0.AddDate(0, 0, 10*days))
			if p < before || p > 1 {
				t.Fatalf("probability %v after %v", p, before)
			}
			before = p
		}
		if _, err := json.Marshal(e); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzPoints: what becomes a series has every value at its place.
func FuzzPoints(f *testing.F) {
	f.Add([]byte{0, 0, 1, 5, 0, 2, 10, 0, 3}, uint16(5))
	f.Add([]byte{0, 0, 254, 0, 0, 2}, uint16(0))
	f.Add([]byte{255, 255, 1, 0, 0, 253}, uint16(1))
	f.Fuzz(func(t *testing.T, data []byte, step uint16) {
		var in []forecast.Point
		for ; len(data) >= 3; data = data[3:] {
			v := float64(data[2])
			switch data[2] {
			case 254:
				v = math.NaN()
			case 253:
				v = math.Inf(1)
			}
			in = append(in, forecast.Point{At: day0.Add(time.Duration(binary.LittleEndian.Uint16(data)) * time.Minute), Value: v})
		}
		regular, err := forecast.Regular(in)
		if err != nil && !errors.Is(err, forecast.ErrIrregular) && !expected(err) {
			t.Fatalf("error %v", err)
		}
		if err == nil {
			for _, p := range in {
				i := p.At.Sub(regular.Start) / regular.Step
				if got := regular.Values[i]; !regular.At(int(i)).Equal(p.At) || got != p.Value && !math.IsNaN(p.Value) {
					t.Fatalf("value at %v is %v, want %v", p.At, got, p.Value)
				}
			}
		}
		s, err := forecast.Resample(in, time.Duration(step)*time.Minute, forecast.Max)
		if err != nil {
			if !expected(err) {
				t.Fatalf("error %v", err)
			}
			return
		}
		for _, p := range in {
			if got := s.Values[p.At.Sub(s.Start)/s.Step]; !math.IsNaN(p.Value) && !(got >= p.Value) {
				t.Fatalf("maximum at %v is %v, want at least %v", p.At, got, p.Value)
			}
		}
	})
}
