package stream_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/stream"
)

// normals are independent samples around a level of 100 with a deviation of 2.
func normals(seed uint64, n int) []float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	values := make([]float64, n)
	for i := range values {
		values[i] = 100 + 2*r.NormFloat64()
	}
	return values
}

// Known by hand: after 0, 2 an hour apart with a half-life of an hour the weights are 1/2
// and 1, so the mean is 4/3.
func TestEWMAByHand(t *testing.T) {
	e := must(stream.NewEWMA(nil))
	if !math.IsNaN(e.Mean()) || !math.IsNaN(e.Variance()) || !math.IsNaN(e.UnbiasedVariance()) {
		t.Errorf("before any sample: %v, %v, %v, want NaN", e.Mean(), e.Variance(), e.UnbiasedVariance())
	}
	e.Update(start, 0)
	e.Update(start.Add(time.Hour), 2)
	if math.Abs(e.Mean()-4.0/3) > 1e-12 || math.Abs(e.Variance()-8.0/9) > 1e-12 {
		t.Errorf("mean and variance = %v, %v, want 4/3 and 8/9", e.Mean(), e.Variance())
	}
	// 2.25 / (2.25 - 1.25) times as much.
	if math.Abs(e.UnbiasedVariance()-2) > 1e-12 {
		t.Errorf("unbiased variance = %v, want 2", e.UnbiasedVariance())
	}
}

// On a regular series weights by time are those by samples with the alpha of a step.
func TestEWMAByTimeAndBySamples(t *testing.T) {
	for _, recursive := range []bool{false, true} {
		// Half of the weight is left after ten steps.
		byTime := must(stream.NewEWMA(&stream.EWMAOptions{HalfLife: 10 * step, Recursive: recursive}))
		bySamples := must(stream.NewEWMA(&stream.EWMAOptions{Alpha: 1 - math.Exp2(-0.1), Recursive: recursive}))
		values := normals(9, 500)
		run(byTime, values)
		run(bySamples, values)
		for _, c := range []struct{ got, want float64 }{
			{byTime.Mean(), bySamples.Mean()},
			{byTime.Variance(), bySamples.Variance()},
			{byTime.UnbiasedVariance(), bySamples.UnbiasedVariance()},
		} {
			if math.Abs(c.got-c.want) > 1e-9*c.want {
				t.Errorf("recursive %v: by time %v, by samples %v, want the same", recursive, c.got, c.want)
			}
		}
	}
}

// A distance of five deviations has a score of 1, six of a robust one.
func TestLevels(t *testing.T) {
	for _, c := range []struct {
		name      string
		d         detector
		deviation float64 // at which the score is 1
	}{
		{"EWMA", must(stream.NewEWMA(&stream.EWMAOptions{HalfLife: 24 * time.Hour})), 5},
		{"robust", must(stream.NewRobust(nil)), 6},
	} {
		verdicts := run(c.d, normals(1, 2000))
		if found := anomalies(verdicts); len(found) > 0 {
			t.Errorf("%s: false alarms at %v", c.name, found)
		}
		if verdicts[10].State != stream.Warming || verdicts[100].State != stream.Normal {
			t.Errorf("%s: states %v and %v, want warming, then normal", c.name, verdicts[10].State, verdicts[100].State)
		}
		v := c.d.Update(start.Add(2000*step), 100+2*c.deviation*1.25)
		if v.State != stream.Anomalous || math.Abs(v.Score-1.25) > 0.15 || math.Abs(v.Findings[0].Expected-100) > 0.5 {
			t.Errorf("%s: %v, want a score of 1.25 beside 100", c.name, v)
		}
	}
}

// Outliers do not hide the next one from medians, a tenth of all or not.
func TestRobustIsRobust(t *testing.T) {
	values := normals(2, 1000)
	for i := 0; i < len(values); i += 10 {
		values[i] = 1e4
	}
	r := must(stream.NewRobust(nil))
	run(r, values)
	if v := r.Update(start.Add(1000*step), 140); v.State != stream.Anomalous {
		t.Errorf("20 deviations off among outliers: %v, want an anomaly", v)
	}
	e := must(stream.NewEWMA(nil))
	run(e, values)
	if v := e.Update(start.Add(1000*step), 140); v.State != stream.Normal {
		t.Errorf("mean and deviation are said to drown: %v", v)
	}
}

// On independent normal samples with known mean and deviation a shift of one deviation is found
// after (exp(-b) + b - 1) / 0.5 = 20.3 samples, b = 10 + 1.166, and nothing else in thousands.
func TestShift(t *testing.T) {
	var delays, falses float64
	const trials = 40
	for trial := range uint64(trials) {
		s := must(stream.NewShift(&stream.ShiftOptions{HalfLife: 7 * 24 * time.Hour}))
		values := normals(trial, 4000)
		for i := 3000; i < len(values); i++ {
			values[i] -= 2
		}
		first := -1
		for i, v := range run(s, values) {
			if v.State != stream.Anomalous {
				continue
			}
			if i < 3000 {
				falses++
				continue
			}
			first = i
			if f := v.Findings[0]; f.Signal != stream.Drift || math.Abs(f.Expected-100) > 0.6 || f.Observed > f.Expected-1 || f.Observed < 95 {
				t.Errorf("trial %d: %+v, want about 98 beside 100", trial, f)
			}
			break
		}
		if first < 0 {
			t.Fatalf("trial %d: the shift is not found", trial)
		}
		delays += float64(first - 3000 + 1)
	}
	if mean := delays / trials; mean < 15 || mean > 27 {
		t.Errorf("mean delay = %v samples, want about 20.3", mean)
	}
	// One in 70 000 by chance; here in 120 000.
	if falses > 40 {
		t.Errorf("%v false alarms in %d samples, want a few episodes", falses, trials*3000)
	}
}

// One spike is no shift.
func TestShiftIgnoresSpikes(t *testing.T) {
	values := normals(3, 1000)
	values[900] = 1e6
	if found := anomalies(run(must(stream.NewShift(nil)), values)); len(found) > 0 {
		t.Errorf("shifts at %v, want none", found)
	}
}

func TestSpread(t *testing.T) {
	for name, factor := range map[string]float64{"restless": 5, "quiet": 0.02} {
		values := normals(4, 3000)
		for i := 2500; i < len(values); i++ {
			values[i] = 100 + factor*(values[i]-100)
		}
		verdicts := run(must(stream.NewSpread(&stream.SpreadOptions{Short: 2 * time.Hour})), values)
		found := anomalies(verdicts)
		if len(found) == 0 || found[0] < 2500 || found[0] > 2600 {
			t.Errorf("%s: found at %v, want it soon after 2500", name, found)
			continue
		}
		f := verdicts[found[0]].Findings[0]
		if f.Signal != stream.ShortSpread || math.Abs(f.Expected-2) > 0.6 || factor > 1 != (f.Observed > f.Expected) {
			t.Errorf("%s: %+v, want it beside a deviation of 2", name, f)
		}
	}
	// A level that moves steadily is not restless.
	values := normals(5, 3000)
	for i := 1500; i < len(values); i++ {
		values[i] += float64(i-1500) / 10
	}
	if found := anomalies(run(must(stream.NewSpread(&stream.SpreadOptions{Short: 2 * time.Hour})), values)); len(found) > 0 {
		t.Errorf("a trend is restless at %v, want never", found)
	}
}

func TestFlatline(t *testing.T) {
	values := normals(6, 1000)
	for i := 500; i < 520; i++ {
		values[i] = values[500]
	}
	verdicts := run(must(stream.NewFlatline(nil)), values)
	found := anomalies(verdicts)
	// Half an hour is six steps of five minutes.
	if len(found) != 14 || found[0] != 506 {
		t.Errorf("stuck at %v, want 506 to 519", found)
	}
	f := verdicts[506].Findings[0]
	if f.Signal != stream.Stuck || f.Observed != 1800 || !(f.Expected > 290 && f.Expected < 320) || !(f.P < 1e-6) {
		t.Errorf("finding %+v, want 1800 s beside about 300", f)
	}
	// Where most samples repeat the one before it takes longer, and a constant is never stuck.
	for i := range values {
		values[i] = float64(i / 10 * 10)
		if i > 500 {
			values[i] = 500
		}
	}
	found = anomalies(run(must(stream.NewFlatline(nil)), values))
	// 0.9^n < 1e-6 with n = 131.
	if len(found) == 0 || found[0] < 500+120 || found[0] > 500+145 {
		t.Errorf("a series that changes every tenth time is stuck at %v, want about 631", found)
	}
	if found := anomalies(run(must(stream.NewFlatline(nil)), make([]float64, 5000))); len(found) > 0 {
		t.Errorf("a constant is stuck at %v, want never", found[0])
	}
}

func TestGap(t *testing.T) {
	g := must(stream.NewGap(nil))
	if v := g.Check(start); v.State != stream.Warming {
		t.Errorf("before any sample: %v, want warming", v)
	}
	run(g, normals(7, 100))
	last := start.Add(99 * step)
	if g.Step() != step {
		t.Errorf("step = %v, want %v", g.Step(), step)
	}
	for _, c := range []struct {
		after time.Duration
		want  stream.State
	}{
		{14 * time.Minute, stream.Normal}, {15 * time.Minute, stream.Anomalous}, {time.Hour, stream.Anomalous},
	} {
		v := g.Check(last.Add(c.after))
		if v.State != c.want || math.Abs(v.Score-c.after.Minutes()/15) > 1e-9 || v.Findings[0].Observed != c.after.Seconds() {
			t.Errorf("%v without a sample: %v, want %v", c.after, v, c.want)
		}
	}
	if v := g.Update(last.Add(10*time.Minute), math.NaN()); v.State != stream.NoData || v.Missing != 1 {
		t.Errorf("no value after 10 min: %v, want no_data", v)
	}
	if v := g.Update(last.Add(20*time.Minute), math.NaN()); v.State != stream.Anomalous {
		t.Errorf("no value for 20 min: %v, want an anomaly", v)
	}
	if v := g.Update(last.Add(30*time.Minute), 1); v.State != stream.Anomalous {
		t.Errorf("a sample after 30 min: %v, want an anomaly", v)
	}
	g.Pause()
	if v := g.Check(last.Add(10 * time.Hour)); v.State != stream.Normal {
		t.Errorf("10 h later in a pause: %v, want normal", v)
	}
}

func TestRate(t *testing.T) {
	r := stream.Rate{MaxGap: time.Hour}
	nan := math.NaN()
	for i, c := range []struct {
		after time.Duration
		total float64
		want  float64
	}{
		{0, 100, nan},                     // the first
		{time.Minute, 160, 1},             // 60 in 60 s
		{2 * time.Minute, 160, 0},         // none
		{3 * time.Minute, 30, 0.5},        // reset: 30 since
		{3 * time.Minute, 40, nan},        // the same instant
		{2 * time.Minute, 500, nan},       // late
		{4 * time.Minute, nan, nan},       // no value
		{5 * time.Minute, 160, 1},         // from 40 at 3 min
		{6 * time.Minute, -1, nan},        // no total
		{3 * time.Hour, 1e6, nan},         // a gap
		{181 * time.Minute, 1e6 + 120, 2}, // goes on
	} {
		if got := r.Of(start.Add(c.after), c.total); got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("sample %d: rate = %v, want %v", i, got, c.want)
		}
	}
	if r.Resets() != 1 {
		t.Errorf("resets = %d, want 1", r.Resets())
	}
}

// A weekly job is odd to the detector that remembers hours and not to the one that has seen
// the week before; a spike is to both.
func TestConsensus(t *testing.T) {
	short := must(stream.NewEWMA(&stream.EWMAOptions{HalfLife: time.Hour}))
	long := must(stream.NewEWMA(&stream.EWMAOptions{HalfLife: 28 * 24 * time.Hour}))
	alone := must(stream.NewEWMA(&stream.EWMAOptions{HalfLife: time.Hour}))
	c := must(stream.NewConsensus(short, long))
	values := normals(8, 6*2016)
	for i := range values {
		if i%2016 < 144 {
			values[i] += 30
		}
	}
	values[len(values)-500] = 1000
	all, one := anomalies(run(c, values)), anomalies(run(alone, values))
	last := len(values) - 2016
	job := func(found []int) (n int) {
		for _, i := range found {
			if i >= last && i < last+144 {
				n++
			}
		}
		return n
	}
	if job(one) == 0 || job(all) != 0 {
		t.Errorf("the sixth job is found %d times by one and %d times by all, want some and none", job(one), job(all))
	}
	if len(all) == 0 || all[len(all)-1] != len(values)-500 {
		t.Errorf("anomalies to all = %v, want the spike at %d as the last", all, len(values)-500)
	}
}
