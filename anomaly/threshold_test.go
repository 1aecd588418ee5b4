package anomaly_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/evenkeelops/evenkeel/anomaly"
)

// count tries a threshold the slow way.
func count(labels []anomaly.Label, threshold float64) (found, missed, falseAlarms, quiet int) {
	for _, l := range labels {
		switch fires := l.Score >= threshold; {
		case fires && l.Anomaly:
			found++
		case fires:
			falseAlarms++
		case l.Anomaly:
			missed++
		default:
			quiet++
		}
	}
	return found, missed, falseAlarms, quiet
}

func TestCalibrateByHand(t *testing.T) {
	labels := []anomaly.Label{{2.5, true}, {1.4, true}, {1.2, false}, {1.1, true}, {0.9, false}, {0.3, false}}
	c, err := anomaly.Calibrate(labels, &anomaly.CalibrationOptions{MissCost: 3})
	if err != nil {
		t.Fatal(err)
	}
	// From 1.1 on: all three found, one false alarm, cost 1. So is it at 1, which is what
	// was asked for and therefore kept.
	if want := (anomaly.Point{Threshold: 1, Found: 3, FalseAlarms: 1, Quiet: 2, Precision: 0.75, Recall: 1, Cost: 1}); c.Chosen != want {
		t.Errorf("chosen %+v, want %+v", c.Chosen, want)
	}
	if want := (anomaly.Point{Threshold: 1.4, Found: 2, Missed: 1, Quiet: 3, Precision: 1, Recall: 2. / 3, Cost: 3}); len(c.Curve) != 6 || c.Curve[1] != want {
		t.Errorf("curve %+v, want second %+v", c.Curve, want)
	}
	// 8 of 9 pairs are in order; precision at each anomaly 1, 1, 3/4.
	if math.Abs(c.ROCAUC-8./9) > 1e-15 || math.Abs(c.AveragePrecision-2.75/3) > 1e-15 || c.Bounded {
		t.Errorf("calibration = %+v", c)
	}
}

func TestCalibrateAgainstBruteForce(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 31))
	bounded := 0
	for range 300 {
		labels := []anomaly.Label{{0.875 + float64(r.IntN(9))/8, true}, {0.5 + float64(r.IntN(9))/8, false}}
		for range r.IntN(20) {
			odd := r.IntN(3) == 0
			score := float64(r.IntN(17)) / 8 // exact, as are the thresholds below
			if odd {
				score += 0.375
			}
			labels = append(labels, anomaly.Label{Score: score, Anomaly: odd})
		}
		o := &anomaly.CalibrationOptions{MissCost: []float64{0, 1, 50}[r.IntN(3)], Low: []float64{0.5, 1, 1.25}[r.IntN(3)]}
		c, err := anomaly.Calibrate(labels, o)
		if err != nil {
			t.Fatal(err)
		}
		missCost, low := 10.0, o.Low
		if o.MissCost != 0 {
			missCost = o.MissCost
		}
		cost := func(threshold float64) float64 {
			_, missed, falseAlarms, _ := count(labels, threshold)
			return missCost*float64(missed) + float64(falseAlarms)
		}
		least, anywhere := math.Inf(1), math.Inf(1)
		for k := range 65 {
			threshold := float64(k) / 16
			anywhere = min(anywhere, cost(threshold))
			if threshold >= low && threshold <= 1.5 {
				least = min(least, cost(threshold))
			}
		}
		found, missed, falseAlarms, quiet := count(labels, c.Chosen.Threshold)
		if c.Chosen.Found != found || c.Chosen.Missed != missed || c.Chosen.FalseAlarms != falseAlarms || c.Chosen.Quiet != quiet || c.Chosen.Cost != cost(c.Chosen.Threshold) {
			t.Fatalf("%v: chosen %+v, counted %d, %d, %d, %d", labels, c.Chosen, found, missed, falseAlarms, quiet)
		}
		if c.Chosen.Cost > least+1e-9 || c.Chosen.Threshold < low || c.Chosen.Threshold > 1.5 || c.Bounded != (anywhere < c.Chosen.Cost) {
			t.Fatalf("%v, %+v: chosen %+v, bounded %v, least cost %v, anywhere %v", labels, o, c.Chosen, c.Bounded, least, anywhere)
		}
		if c.Bounded {
			bounded++
		}
		for i, p := range c.Curve {
			if i > 0 && (p.Threshold >= c.Curve[i-1].Threshold || p.Recall < c.Curve[i-1].Recall) {
				t.Fatalf("curve %+v is not in order", c.Curve)
			}
			found, _, falseAlarms, _ := count(labels, p.Threshold)
			if p.Found != found || p.FalseAlarms != falseAlarms || math.Abs(p.Precision-float64(found)/float64(found+falseAlarms)) > 1e-15 {
				t.Fatalf("point %+v, counted %d and %d", p, found, falseAlarms)
			}
		}
	}
	if bounded == 0 {
		t.Error("no case met a bound")
	}
}

// A labelled history, end to end: half of the rows are outages of one metric, and the chosen
// threshold does what the point of the curve says.
func TestLabelledHistory(t *testing.T) {
	d := healthy(t, nil)
	r := rand.New(rand.NewPCG(32, 32))
	h := anomaly.History{Names: seedNames, Rows: drawHealthy(r, 400)}
	odd := make([]bool, 401)
	for i := range 200 {
		odd[2*i] = true
		h.Rows[2*i][4] -= 200 * (1 + 4*r.Float64()) // one to five deviations of throughput
	}
	nan := math.NaN()
	h.Rows = append(h.Rows, []float64{nan, nan, nan, nan, nan})
	labels, err := d.Label(h, odd)
	if err != nil || len(labels) != 400 {
		t.Fatalf("%d labels, %v, want 400", len(labels), err)
	}
	c, err := anomaly.Calibrate(labels, &anomaly.CalibrationOptions{Low: 0.2})
	if err != nil {
		t.Fatal(err)
	}
	moved, err := d.WithThreshold(c.Chosen.Threshold)
	if err != nil {
		t.Fatal(err)
	}
	again, err := moved.Label(h, odd)
	if err != nil {
		t.Fatal(err)
	}
	found, missed, falseAlarms, quiet := count(again, 1)
	if found != c.Chosen.Found || missed != c.Chosen.Missed || falseAlarms != c.Chosen.FalseAlarms || quiet != c.Chosen.Quiet || c.Chosen.Threshold >= 1 || c.ROCAUC < 0.8 {
		t.Errorf("with the threshold %d, %d, %d, %d, promised %+v; area %v", found, missed, falseAlarms, quiet, c.Chosen, c.ROCAUC)
	}
	if _, err := d.Label(h, odd[:1]); !errors.As(err, new(*anomaly.OptionError)) {
		t.Errorf("too few labels: %v", err)
	}
	if _, err := goldenDetector(t).Label(anomaly.History{Names: []string{"cpu_percent", "throughput_rps", "replicas"}, Rows: [][]float64{{1, 2, 3}}}, []bool{true}); !errors.As(err, new(*anomaly.OptionError)) {
		t.Errorf("a season without instants: %v", err)
	}
}

func TestThreshold(t *testing.T) {
	d := healthy(t, nil)
	strict, err := d.WithThreshold(1.5)
	if err != nil {
		t.Fatal(err)
	}
	in := reading(80, 90, 250, 1, 700)
	a, b := evaluate(t, d, in), evaluate(t, strict, in)
	if math.Abs(b.Score-a.Score/1.5) > 1e-12 || a.P != b.P || math.Abs(strict.FalseAlarmRate()-0.001) > 1e-12 || math.Abs(d.FalseAlarmRate()-0.01) > 1e-15 || d.Threshold() != 1 {
		t.Errorf("score %v becomes %v, rate %v", a.Score, b.Score, strict.FalseAlarmRate())
	}
	for _, bad := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if _, err := d.WithThreshold(bad); !errors.As(err, new(*anomaly.OptionError)) {
			t.Errorf("WithThreshold(%v) = %v", bad, err)
		}
	}
	if _, err := healthy(t, &anomaly.Options{Preset: anomaly.Compat}).WithThreshold(2); !errors.As(err, new(*anomaly.OptionError)) {
		t.Errorf("compat: %v", err)
	}
}

func TestFeedback(t *testing.T) {
	d := healthy(t, nil)
	p := func(score float64) float64 { return math.Exp(score * math.Log(0.01)) }
	give := func(d *anomaly.Detector, o *anomaly.CalibrationOptions, labels ...anomaly.Feedback) *anomaly.Detector {
		t.Helper()
		out, err := d.WithFeedback(labels, o)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	falseAlarm, trueAlarm := anomaly.Feedback{At: noon, P: p(1.2)}, anomaly.Feedback{At: noon, P: p(1.1), Anomaly: true}
	one := give(d, nil, falseAlarm)
	if got := one.Threshold(); got < 1.2 || got > 1.2001 {
		t.Errorf("one false alarm at 1.2 moves the threshold to %v, want just above", got)
	}
	// A true alarm below counts ten times as much.
	if got := give(one, nil, trueAlarm).Threshold(); got != 1 {
		t.Errorf("a true alarm at 1.1 on top: %v, want 1 again", got)
	}
	missed := anomaly.Feedback{P: p(0.8), Anomaly: true}
	if got := give(d, nil, missed).Threshold(); math.Abs(got-0.8) > 1e-9 {
		t.Errorf("a missed one at 0.8: %v, want 0.8", got)
	}
	// The very reading of a label fires, or no longer does, despite rounding.
	moved := 0
	for _, row := range drawHealthy(rand.New(rand.NewPCG(33, 33)), 3000) {
		v := evaluate(t, d, reading(row...))
		if v.Score < 0.75 || v.Score > 1.4 {
			continue
		}
		moved++
		next := give(d, nil, anomaly.Feedback{P: v.P, Anomaly: v.State != anomaly.Anomaly})
		if w := evaluate(t, next, reading(row...)); w.State == v.State {
			t.Errorf("a reading of score %v stays %v with the threshold %v", v.Score, v.State, next.Threshold())
		}
	}
	if moved < 20 {
		t.Errorf("only %d readings near the boundary", moved)
	}
	// Nobody moves it out of bounds, however often.
	cry := slices.Repeat([]anomaly.Feedback{{P: p(4)}}, 50)
	if got := give(d, nil, cry...).Threshold(); got != 1 {
		t.Errorf("false alarms that no threshold within the bounds avoids: %v, want 1", got)
	}
	if got := give(d, &anomaly.CalibrationOptions{High: 5}, cry...).Threshold(); got < 4 || got > 5 {
		t.Errorf("with wider bounds: %v, want just above 4", got)
	}
	if got := give(d, nil, anomaly.Feedback{P: p(0.2), Anomaly: true}).Threshold(); got != 1 {
		t.Errorf("a missed one at 0.2: %v, want 1", got)
	}
	all := give(give(one, nil, trueAlarm), nil, missed).Feedback()
	if !slices.Equal(all, []anomaly.Feedback{falseAlarm, trueAlarm, missed}) || len(d.Feedback()) != 0 {
		t.Errorf("labels = %v", all)
	}
	// The order of the labels does not matter.
	a, b := give(d, nil, falseAlarm, trueAlarm, missed), give(d, nil, missed, falseAlarm, trueAlarm)
	if a.Threshold() != b.Threshold() {
		t.Errorf("thresholds %v and %v of the same labels", a.Threshold(), b.Threshold())
	}
	for _, bad := range []float64{0, 2, math.NaN()} {
		if _, err := d.WithFeedback([]anomaly.Feedback{{P: bad}}, nil); !errors.As(err, new(*anomaly.OptionError)) {
			t.Errorf("P %v: %v", bad, err)
		}
	}
}

func TestCalibrateErrors(t *testing.T) {
	both := []anomaly.Label{{1, true}, {2, false}}
	for _, c := range []struct {
		name   string
		labels []anomaly.Label
		o      *anomaly.CalibrationOptions
		want   string
	}{
		{"none", nil, nil, "anomaly: option labels is 0 anomalies in 0 readings, want some of either kind"},
		{"one kind", both[:1], nil, "anomaly: option labels is 1 anomalies in 1 readings, want some of either kind"},
		{"score", []anomaly.Label{{math.NaN(), true}}, nil, "anomaly: option labels[0].Score is NaN, want a finite number"},
		{"cost", both, &anomaly.CalibrationOptions{MissCost: -1}, "anomaly: option MissCost is -1, want a positive number, or 0 for 10"},
		{"low", both, &anomaly.CalibrationOptions{Low: -1}, "anomaly: option Low is -1, want a positive number, or 0 for 0.7"},
		{"high", both, &anomaly.CalibrationOptions{Low: 2}, "anomaly: option High is 1.5, want a number of at least Low = 2"},
	} {
		if _, err := anomaly.Calibrate(c.labels, c.o); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v\nwant %s", c.name, err, c.want)
		}
	}
}
