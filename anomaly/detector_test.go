package anomaly_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// healthy is a detector trained on 1000 rows, Default unless o says otherwise.
func healthy(tb testing.TB, o *anomaly.Options) *anomaly.Detector {
	tb.Helper()
	d, err := anomaly.Fit("user_api", anomaly.History{
		Names: seedNames, Rows: drawHealthy(rand.New(rand.NewPCG(1, 1)), 1000),
	}, o)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func reading(row ...float64) map[string]float64 {
	r := map[string]float64{}
	for j, v := range row {
		r[seedNames[j]] = v
	}
	return r
}

func evaluate(t *testing.T, d *anomaly.Detector, r map[string]float64) anomaly.Verdict {
	t.Helper()
	v, err := d.Evaluate(noon, r)
	if err != nil {
		t.Fatalf("Evaluate(%v) = %v", r, err)
	}
	return v
}

func TestVerdictExplainsItself(t *testing.T) {
	d := healthy(t, &anomaly.Options{TrainedAt: noon.Add(-time.Hour)})
	v := evaluate(t, d, reading(45, 60, 150, 0.3, 0))
	if v.State != anomaly.Anomaly || !v.Alarming() || v.Score < 1 || v.P > 0.01 || v.Confidence != 1-v.P {
		t.Errorf("throughput 0: state %v, score %v, p %v, confidence %v, want an anomaly below p 0.01", v.State, v.Score, v.P, v.Confidence)
	}
	if math.Abs(v.Score-math.Log(v.P)/math.Log(0.01)) > 1e-12 {
		t.Errorf("score = %v, want ln %v / ln 0.01", v.Score, v.P)
	}
	if v.Service != "user_api" || v.Preset != anomaly.Default || v.ModelAge != time.Hour || !v.At.Equal(noon) || v.Compat != nil {
		t.Errorf("verdict = %+v", v)
	}
	top := v.Contributions[0]
	if top.Feature != "throughput_rps" || top.Direction != anomaly.Low || top.Unit != "1/s" || top.Score < 1 || top.Share < 0.5 || top.Percentile != 0 || top.RobustZ > -4 || top.Z > -4 {
		t.Errorf("first contribution = %+v, want a low throughput", top)
	}
	share := 0.0
	for i, c := range v.Contributions {
		share += c.Share
		if c.Share < 0 || i > 0 && c.Share > v.Contributions[i-1].Share {
			t.Errorf("share %d is %v after %v", i, c.Share, v.Contributions[max(i-1, 0)].Share)
		}
	}
	if len(v.Contributions) != 5 || math.Abs(share-1) > 1e-12 {
		t.Errorf("%d shares sum to %v, want 5 and 1", len(v.Contributions), share)
	}
	if want := []string{"Look upstream: traffic is lost, or its producer has stopped"}; !slices.Equal(v.Advice, want) || v.Recommendation != want[0] {
		t.Errorf("advice = %q, recommendation = %q, want %q", v.Advice, v.Recommendation, want)
	}

	v = evaluate(t, d, reading(45, 60, 150, 0.3, 1000))
	if v.State != anomaly.Normal || v.Alarming() || v.Advice != nil || v.Recommendation != "System operating within normal parameters" {
		t.Errorf("a usual reading is %v with advice %q, %q", v.State, v.Advice, v.Recommendation)
	}
}

// The forest sees what no tail does: each value usual, the pair impossible.
func TestOddCombination(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	h := anomaly.History{Names: []string{"load", "cpu"}}
	for range 1000 {
		load := r.Float64() * 100
		h.Rows = append(h.Rows, []float64{load, load/2 + r.NormFloat64()})
	}
	d, err := anomaly.Fit("batch", h, &anomaly.Options{Alpha: 0.05})
	if err != nil {
		t.Fatal(err)
	}
	usual := evaluate(t, d, map[string]float64{"load": 80, "cpu": 40})
	odd := evaluate(t, d, map[string]float64{"load": 80, "cpu": 8})
	if usual.State != anomaly.Normal || odd.Score < 3*usual.Score {
		t.Errorf("on the line: score %v (%v), off it: %v, want the latter far above", usual.Score, usual.State, odd.Score)
	}
	for _, c := range odd.Contributions {
		if c.Score >= 1 {
			t.Errorf("%s alone has score %v, want below 1", c.Feature, c.Score)
		}
	}
}

func TestMissingAndInvalid(t *testing.T) {
	d := healthy(t, &anomaly.Options{Schema: limitedSchema(seedNames)})
	nan := math.NaN()
	for _, c := range []struct {
		name    string
		reading map[string]float64
		state   anomaly.State
		missing []string
		invalid int
		advice  string
	}{
		{"absent and NaN", map[string]float64{"cpu_utilization": 45, "memory_usage": nan, "error_rate": 0.3}, anomaly.Normal, []string{"memory_usage", "response_time_ms", "throughput_rps"}, 0, "System operating within normal parameters"},
		{"anomaly among missing", map[string]float64{"throughput_rps": 0}, anomaly.Anomaly, seedNames[:4], 0, "Look upstream: traffic is lost, or its producer has stopped"},
		{"nothing", nil, anomaly.NoData, seedNames, 0, "No measurement arrived: check collection and network"},
		{"all NaN", reading(nan, nan, nan, nan, nan), anomaly.NoData, seedNames, 0, "No measurement arrived: check collection and network"},
		{"impossible", reading(45, 120, 150, 0.3, 1000), anomaly.Invalid, nil, 1, "memory_usage reads 120, possible is from 0 to 100: check its source"},
		{"only an impossible one", map[string]float64{"memory_usage": -1}, anomaly.Invalid, []string{"cpu_utilization", "response_time_ms", "error_rate", "throughput_rps"}, 1, "memory_usage reads -1, possible is from 0 to 100: check its source"},
		{"impossible and abnormal", reading(45, 120, 150, 0.3, 0), anomaly.Anomaly, nil, 1, "memory_usage reads 120, possible is from 0 to 100: check its source; Look upstream: traffic is lost, or its producer has stopped"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := evaluate(t, d, c.reading)
			if v.State != c.state || !slices.Equal(v.Missing, c.missing) || len(v.Invalid) != c.invalid || v.Recommendation != c.advice {
				t.Errorf("state %v, missing %q, invalid %v, %q\nwant %v, %q, %d, %q", v.State, v.Missing, v.Invalid, v.Recommendation, c.state, c.missing, c.invalid, c.advice)
			}
			data, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			judged := len(v.Contributions) > 0
			if null := strings.Contains(string(data), `"score":null,"p":null,"confidence":null`); null == judged {
				t.Errorf("%d values judged, JSON is %s", len(v.Contributions), data)
			}
		})
	}
}

func TestHistoryWithGaps(t *testing.T) {
	rows := drawHealthy(rand.New(rand.NewPCG(2, 2)), 500)
	for i, row := range rows {
		if i%3 == 0 {
			row[2] = math.NaN()
		}
		if i%50 == 0 {
			row[0] = 250 // outside its limits
		}
		if i < 5 {
			for j := range row {
				row[j] = math.NaN()
			}
		}
	}
	d, err := anomaly.Fit("user_api", anomaly.History{Names: seedNames, Rows: rows}, &anomaly.Options{Schema: limitedSchema(seedNames)})
	if err != nil {
		t.Fatal(err)
	}
	cpu, latency := d.Baselines()[0], d.Baselines()[2]
	if cpu.Invalid < 9 || cpu.N+cpu.Invalid+cpu.Missing != 500 || cpu.Missing != 5 {
		t.Errorf("cpu baseline = %+v, want 5 missing and at least the 9 planted invalid values", cpu)
	}
	if latency.Missing != 167+3 || latency.N != 330 { // 167 gaps, 2 of them in the 5 empty rows
		t.Errorf("latency baseline = %+v, want 170 missing of 500", latency)
	}
	if v := evaluate(t, d, reading(45, 60, 1000, 0.3, 1000)); v.State != anomaly.Anomaly {
		t.Errorf("latency 1000 is %v, want an anomaly", v.State)
	}
}

// A constant feature has no deviation in the recipe; here every other value is
// one of its own. A nearly constant one must not explode.
func TestFlatFeatures(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	h := anomaly.History{Names: []string{"load", "replicas", "restarts"}}
	for i := range 500 {
		restarts := 0.0
		if i%100 == 7 {
			restarts = 1
		}
		h.Rows = append(h.Rows, []float64{r.NormFloat64(), 3, restarts})
	}
	d, err := anomaly.Fit("web", h, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !d.Baselines()[1].Constant || d.Baselines()[2].Constant {
		t.Errorf("constant = %v, %v, want only the replicas", d.Baselines()[1].Constant, d.Baselines()[2].Constant)
	}
	for _, c := range []struct {
		load, replicas, restarts float64
		want                     anomaly.State
	}{
		{0, 3, 0, anomaly.Normal},
		{0, 2, 0, anomaly.Anomaly},
		{0, 1e6, 0, anomaly.Anomaly},
		{0, 3, 40, anomaly.Anomaly},
	} {
		v := evaluate(t, d, map[string]float64{"load": c.load, "replicas": c.replicas, "restarts": c.restarts})
		if v.State != c.want {
			t.Errorf("%+v is %v with score %v, want %v", c, v.State, v.Score, c.want)
		}
		if _, err := json.Marshal(v); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if got := evaluate(t, d, map[string]float64{"load": 0, "replicas": 3, "restarts": 1}); got.Score > 1.2 {
		t.Errorf("one restart, seen in 1 of 100 rows, scores %v, want about 1", got.Score)
	}
}

// A reading that was seen in a tenth of a history is never an anomaly, however
// few different values the history has.
func TestCommonReadingIsNormal(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 10))
	names := []string{"a", "b", "c"}
	tables := 300
	if raceEnabled {
		tables = 30
	}
	for range tables {
		n := []int{8, 20, 60, 200, 1000}[r.IntN(5)]
		rare := r.Float64() * 0.2 // share of cells that leave the base line
		h := anomaly.History{Names: names}
		seen := map[[3]float64]int{}
		for range n {
			row := make([]float64, 3)
			for j := range row {
				if r.Float64() < rare {
					row[j] = float64(r.IntN(3))
				}
			}
			h.Rows = append(h.Rows, row)
			seen[[3]float64(row)]++
		}
		d, err := anomaly.Fit("flat", h, &anomaly.Options{Trees: 30, Seed: new(r.Uint32())})
		if err != nil {
			t.Fatal(err)
		}
		for row, count := range seen {
			if 10*count < n || count < 2 {
				continue
			}
			v := evaluate(t, d, map[string]float64{"a": row[0], "b": row[1], "c": row[2]})
			if v.State != anomaly.Normal {
				t.Errorf("%v, %d of %d rows, is %v with p %v", row, count, n, v.State, v.P)
			}
		}
	}
}

// A large offset leaves a float32 no digits for the change (all rows score alike
// in the recipe without scaling).
func TestLargeOffset(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	h := anomaly.History{Names: []string{"bytes_total"}}
	for range 500 {
		h.Rows = append(h.Rows, []float64{1e12 + r.NormFloat64()})
	}
	d, err := anomaly.Fit("disk", h, nil)
	if err != nil {
		t.Fatal(err)
	}
	for v, want := range map[float64]anomaly.State{1e12: anomaly.Normal, 1e12 + 15: anomaly.Anomaly, 1e12 - 15: anomaly.Anomaly} {
		if got := evaluate(t, d, map[string]float64{"bytes_total": v}); got.State != want {
			t.Errorf("1e12%+v is %v, want %v", v-1e12, got.State, want)
		}
	}
}

// Laws of Default: the order of a reading does not matter, going farther out is
// never less odd, and a stricter alpha never adds an alarm.
func TestDefaultLaws(t *testing.T) {
	d, strict := healthy(t, nil), healthy(t, &anomaly.Options{Alpha: 0.001})
	r := rand.New(rand.NewPCG(5, 5))
	for _, row := range drawHealthy(r, 200) {
		in := values(seedNames, row)
		a, err := d.EvaluateOrdered(noon, in)
		if err != nil {
			t.Fatal(err)
		}
		r.Shuffle(len(in), func(i, j int) { in[i], in[j] = in[j], in[i] })
		b, err := d.EvaluateOrdered(noon, in)
		if err != nil || !reflect.DeepEqual(a, b) {
			t.Fatalf("verdict depends on the order: %+v, %+v, %v", a, b, err)
		}
		if s := evaluate(t, strict, reading(row...)); s.State == anomaly.Anomaly && a.State != anomaly.Anomaly {
			t.Errorf("%v alarms at alpha 0.001 but not at 0.01", row)
		}
	}
	for j := range seedNames {
		last := 0.0
		for k := range 200 {
			row := []float64{45, 60, 150, 0.35, 1000}
			row[j] *= 1 + float64(k)/10
			v := evaluate(t, d, reading(row...))
			i := slices.IndexFunc(v.Contributions, func(c anomaly.Contribution) bool { return c.Feature == seedNames[j] })
			if got := v.Contributions[i].Score; got < last {
				t.Errorf("%s %v scores %v, less than %v nearer to the median", seedNames[j], row[j], got, last)
			} else {
				last = got
			}
		}
	}
	for _, huge := range []float64{math.MaxFloat64, -math.MaxFloat64} {
		v := evaluate(t, d, reading(huge, huge, huge, huge, huge))
		if _, err := json.Marshal(v); err != nil || v.State != anomaly.Anomaly {
			t.Errorf("all %v: %v, %v", huge, v.State, err)
		}
	}
}

func TestFitDependsOnArgumentsAlone(t *testing.T) {
	a, b := healthy(t, nil), healthy(t, nil)
	other := healthy(t, &anomaly.Options{Seed: new(uint32(7))})
	v := evaluate(t, a, reading(80, 90, 250, 1, 700))
	if w := evaluate(t, b, reading(80, 90, 250, 1, 700)); !reflect.DeepEqual(v, w) {
		t.Errorf("two fits differ: %+v, %+v", v, w)
	}
	if reflect.DeepEqual(a.Forest(), other.Forest()) {
		t.Error("the seed does not matter")
	}
	rows := drawHealthy(rand.New(rand.NewPCG(1, 1)), 1000)
	d, err := anomaly.Fit("user_api", anomaly.History{Names: seedNames, Rows: rows}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		clear(row)
	}
	if w := evaluate(t, d, reading(80, 90, 250, 1, 700)); !reflect.DeepEqual(v, w) {
		t.Error("the detector keeps the caller's rows")
	}
}

func TestFalseAlarmsPerDay(t *testing.T) {
	// 28.8 a day of one reading every 30 s are 28.8/2880 = 0.01.
	a := evaluate(t, healthy(t, &anomaly.Options{FalseAlarmsPerDay: 28.8}), reading(80, 90, 250, 1, 700))
	b := evaluate(t, healthy(t, &anomaly.Options{FalseAlarmsPerDay: 14.4, Interval: time.Minute}), reading(80, 90, 250, 1, 700))
	want := evaluate(t, healthy(t, &anomaly.Options{Alpha: 0.01}), reading(80, 90, 250, 1, 700))
	if math.Abs(a.Score-want.Score) > 1e-9 || math.Abs(b.Score-want.Score) > 1e-9 {
		t.Errorf("scores = %v, %v, want %v", a.Score, b.Score, want.Score)
	}
}

func TestAdvice(t *testing.T) {
	h := anomaly.History{Names: []string{"terror_level", "cpuUser", "cpu_system", "error_response_time", "disk"}}
	for range 200 {
		h.Rows = append(h.Rows, []float64{1, 1, 1, 1, 1})
	}
	fit := func(o *anomaly.Options) *anomaly.Detector {
		d, err := anomaly.Fit("x", h, o)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	evaluate5 := func(d *anomaly.Detector, row ...float64) []string {
		r := map[string]float64{}
		for j, v := range row {
			r[h.Names[j]] = v
		}
		return evaluate(t, d, r).Advice
	}
	d := fit(nil)
	for _, c := range []struct {
		row  []float64
		want []string
	}{
		{[]float64{9, 1, 1, 1, 1}, []string{"Investigate unusual system behavior"}},
		{[]float64{1, 9, 9, 1, 1}, []string{"Check for resource-intensive processes"}},
		{[]float64{1, 1, 1, 9, 1}, []string{"Analyze database queries and external dependencies", "Review application logs for error patterns"}},
		{[]float64{1, -9, 1, 1, 1}, []string{"Check that work still arrives and that the processes are alive"}},
		{[]float64{1, 1, 1, 1, 1}, nil},
	} {
		if got := evaluate5(d, c.row...); !slices.Equal(got, c.want) {
			t.Errorf("advice for %v = %q, want %q", c.row, got, c.want)
		}
	}
	schema := anomaly.SchemaOf(h.Names...)
	schema[4].AdviceHigh, schema[4].AdviceLow = "Free space", "Find who deleted it"
	d = fit(&anomaly.Options{Schema: schema, Advice: []anomaly.Advice{{Words: []string{"LEVEL"}, Text: "Own table"}}})
	for _, c := range []struct {
		row  []float64
		want string
	}{
		{[]float64{9, 1, 1, 1, 1}, "Own table"},
		{[]float64{-9, 1, 1, 1, 1}, "Own table"},
		{[]float64{1, 1, 1, 1, 9}, "Free space"},
		{[]float64{1, 1, 1, 1, -9}, "Find who deleted it"},
	} {
		if got := evaluate5(d, c.row...); !slices.Equal(got, []string{c.want}) {
			t.Errorf("advice for %v = %q, want %q", c.row, got, c.want)
		}
	}
}

func TestCompatByName(t *testing.T) {
	d, err := anomaly.Fit("user_api", seedTable(t), &anomaly.Options{Preset: anomaly.Compat})
	if err != nil {
		t.Fatal(err)
	}
	// A map has no order, so the order of training is used and the false alarm of
	// reversed values cannot happen.
	v := evaluate(t, d, reading(48, 58, 145, 0.3, 1050))
	if v.Preset != anomaly.Compat || v.State != anomaly.Normal || math.Abs(v.Compat.AnomalyScore-0.1335281965686188) > 1e-12 {
		t.Errorf("normal example = %+v", v.Compat)
	}
	v = evaluate(t, d, reading(95, 90, 500, 5, 200))
	if v.Contributions[0].Feature != "error_rate" || len(v.Advice) != 4 {
		t.Errorf("first contribution = %+v, advice %q", v.Contributions[0], v.Advice)
	}
	data, err := json.Marshal(v)
	if err != nil || !strings.Contains(string(data), `"p":null`) || !strings.Contains(string(data), `"preset":"compat"`) {
		t.Errorf("JSON = %s, %v", data, err)
	}
	// Wrong names of the right number are taken by position, as in the recipe.
	v = evaluate(t, d, map[string]float64{"a": 48, "b": 58, "c": 145, "d": 0.3, "e": 1050})
	if v.State != anomaly.Normal || len(v.Compat.Deviations) != 0 || len(v.Contributions) != 0 {
		t.Errorf("unknown names = %+v", v)
	}
	if mean, ok := d.Expected("cpu_utilization", noon); !ok || math.Abs(mean-45.28998083733488) > 1e-12 {
		t.Errorf("Expected(cpu) = %v, %v, want the mean 45.29", mean, ok)
	}
	if _, ok := d.Expected("disk", noon); ok {
		t.Error("Expected(disk) is known")
	}
}

func TestFitErrors(t *testing.T) {
	rows := drawHealthy(rand.New(rand.NewPCG(6, 6)), 20)
	ok := anomaly.History{Names: seedNames, Rows: rows}
	bad := func(row []float64) anomaly.History {
		return anomaly.History{Names: seedNames, Rows: append(slices.Clone(rows), row)}
	}
	crossed := anomaly.SchemaOf(seedNames...)
	crossed[1].Min, crossed[1].Max = new(2.0), new(1.0)
	for _, c := range []struct {
		name string
		h    anomaly.History
		o    *anomaly.Options
		want string
	}{
		{"no names", anomaly.History{}, nil, `anomaly: too few rows: the history has no features`},
		{"no rows", anomaly.History{Names: []string{"a"}}, nil, `anomaly: too few rows: feature "a" has 0 usable values, want at least 8`},
		{"no rows in compat", anomaly.History{Names: []string{"a"}}, &anomaly.Options{Preset: anomaly.Compat}, `anomaly: too few rows: feature "a" has 0 usable values, want at least 1`},
		{"few rows", anomaly.History{Names: seedNames, Rows: rows[:7]}, nil, `anomaly: too few rows: feature "cpu_utilization" has 7 usable values, want at least 8`},
		{"ragged", bad([]float64{1}), nil, "anomaly: row 20 of the history has 1 values, want 5"},
		{"infinite", bad([]float64{1, 2, math.Inf(1), 4, 5}), nil, `anomaly: feature "response_time_ms" in row 20 is +Inf, want a finite number of at most 1e150`},
		{"NaN in strict", bad([]float64{1, math.NaN(), 3, 4, 5}), &anomaly.Options{Strict: true}, `anomaly: feature "memory_usage" in row 20 is NaN, want a finite number of at most 1e150`},
		{"NaN in compat", bad([]float64{1, math.NaN(), 3, 4, 5}), &anomaly.Options{Preset: anomaly.Compat}, `anomaly: feature "memory_usage" in row 20 is NaN, want a finite number of at most 1e150`},
		{"name twice", anomaly.History{Names: []string{"b", "a", "b"}}, nil, `anomaly: features do not fit the schema: duplicate ["b"]`},
		{"other names", anomaly.History{Names: []string{"b", "a"}}, &anomaly.Options{Schema: anomaly.SchemaOf("c", "a", "d")}, `anomaly: features do not fit the schema: missing ["c" "d"], unknown ["b"]`},
		{"empty name", anomaly.History{Names: []string{""}}, nil, `anomaly: option Schema[0].Name is "", want a name`},
		{"crossed limits", ok, &anomaly.Options{Schema: crossed}, "anomaly: option Schema[1].Min is 2, want at most Max = 1"},
		{"preset", ok, &anomaly.Options{Preset: 7}, "anomaly: option Preset is Preset(7), want Default or Compat"},
		{"alpha", ok, &anomaly.Options{Alpha: 0.7}, "anomaly: option Alpha is 0.7, want a number in (0, 0.5], or 0 for the default"},
		{"alpha NaN", ok, &anomaly.Options{Alpha: math.NaN()}, "anomaly: option Alpha is NaN, want a number in (0, 0.5], or 0 for the default"},
		{"two rates", ok, &anomaly.Options{Alpha: 0.1, Contamination: 0.1}, "anomaly: option Alpha is 0.1, want one of Alpha, Contamination and FalseAlarmsPerDay"},
		{"rate", ok, &anomaly.Options{FalseAlarmsPerDay: 2000}, "anomaly: option FalseAlarmsPerDay is 2000, want at most every second reading of 30s"},
		{"interval", ok, &anomaly.Options{Interval: time.Second}, "anomaly: option Interval is 1s, want 0 without FalseAlarmsPerDay"},
		{"trees", ok, &anomaly.Options{Trees: -2}, "anomaly: option Trees is -2, want a positive number, or 0 for 100"},
		{"compat alpha", ok, &anomaly.Options{Preset: anomaly.Compat, Alpha: 0.1}, "anomaly: option Alpha is 0.1, want its zero value: Compat does not have it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := anomaly.Fit("x", c.h, c.o); err == nil || err.Error() != c.want {
				t.Errorf("Fit = %v\nwant %s", err, c.want)
			}
		})
	}
	if _, err := anomaly.Fit("x", anomaly.History{}, nil); !errors.Is(err, anomaly.ErrTooFewRows) {
		t.Errorf("Fit(nothing) = %v, want ErrTooFewRows", err)
	}
}

func TestEvaluateErrors(t *testing.T) {
	d, strict := healthy(t, nil), healthy(t, &anomaly.Options{Strict: true})
	for _, c := range []struct {
		name string
		d    *anomaly.Detector
		in   []anomaly.Value
		want string
	}{
		{"typo", d, []anomaly.Value{{"cpu", 1}, {"disk", 2}, {"memory_usage", 1}, {"response_time_ms", 1}, {"error_rate", 1}}, `anomaly: features do not fit the schema: missing ["cpu_utilization" "throughput_rps"], unknown ["cpu" "disk"]`},
		{"twice", d, []anomaly.Value{{"error_rate", 1}, {"error_rate", 1}, {"x", 1}, {"x", 1}}, `anomaly: features do not fit the schema: missing ["cpu_utilization" "memory_usage" "response_time_ms" "throughput_rps"], unknown ["x"], duplicate ["error_rate" "x"]`},
		{"infinite", d, []anomaly.Value{{"error_rate", math.Inf(-1)}}, `anomaly: feature "error_rate" is -Inf, want a finite number`},
		{"absent in strict", strict, values(seedNames[:4], []float64{1, 2, 3, 4}), `anomaly: features do not fit the schema: missing ["throughput_rps"]`},
		{"NaN in strict", strict, values(seedNames, []float64{1, 2, 3, 4, math.NaN()}), `anomaly: feature "throughput_rps" is NaN, want a finite number`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if v, err := c.d.EvaluateOrdered(noon, c.in); err == nil || err.Error() != c.want || !reflect.DeepEqual(v, anomaly.Verdict{}) {
				t.Errorf("EvaluateOrdered = %v, %v\nwant %s", v, err, c.want)
			}
		})
	}
}

func TestConcurrentReaders(t *testing.T) {
	d := healthy(t, nil)
	var registry anomaly.Registry
	registry.Put("acme", d)
	rows := drawHealthy(rand.New(rand.NewPCG(7, 7)), 100)
	want := make([]anomaly.Verdict, len(rows))
	for i, row := range rows {
		want[i] = evaluate(t, d, reading(row...))
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i, row := range rows {
				got, err := registry.Evaluate("acme", "user_api", noon, reading(row...))
				if err != nil || !reflect.DeepEqual(got, want[i]) {
					t.Errorf("concurrent verdict %d differs, error %v", i, err)
					return
				}
			}
		})
	}
	wg.Go(func() {
		for range 50 {
			registry.Put("acme", d)
			registry.Put("other", d)
			registry.Remove("other", "user_api")
		}
	})
	wg.Wait()
}

func TestRegistryTenants(t *testing.T) {
	var r anomaly.Registry
	if _, err := r.Evaluate("acme", "user_api", noon, nil); !errors.Is(err, anomaly.ErrUnknownService) {
		t.Errorf("empty registry: %v, want ErrUnknownService", err)
	}
	r.Put("acme", healthy(t, nil))
	if _, err := r.Get("other", "user_api"); !errors.Is(err, anomaly.ErrUnknownService) {
		t.Errorf("another tenant: %v, want ErrUnknownService", err)
	}
	if d, err := r.Get("acme", "user_api"); err != nil || d.Service() != "user_api" {
		t.Errorf("Get = %v, %v", d, err)
	}
	r.Remove("acme", "user_api")
	if _, err := r.Get("acme", "user_api"); !errors.Is(err, anomaly.ErrUnknownService) {
		t.Errorf("removed: %v, want ErrUnknownService", err)
	}
}

func TestSchemaOf(t *testing.T) {
	for _, c := range []struct {
		name string
		unit string
		harm anomaly.Side
	}{
		{"cpu_utilization", "", anomaly.Both},
		{"response_time_ms", "ms", anomaly.High},
		{"HTTPErrorRate", "", anomaly.High},
		{"terror", "", anomaly.Both},
		{"throughput_rps", "1/s", anomaly.Both},
		{"kafka.consumer-lag", "", anomaly.High},
		{"", "", anomaly.Both},
	} {
		if got := anomaly.SchemaOf(c.name)[0]; got.Unit != c.unit || got.Harm != c.harm || got.Min != nil || got.Max != nil {
			t.Errorf("SchemaOf(%q) = %+v, want unit %q, harm %v, no limits", c.name, got, c.unit, c.harm)
		}
	}
}

// text is a named number.
type text interface {
	String() string
	MarshalText() ([]byte, error)
}

// Every named number has a text that leads back to it, and one beyond the last has none.
func TestEveryEnum(t *testing.T) {
	for name, c := range map[string]struct {
		first, last uint8
		of          func(uint8) text
		read        func(string) (uint8, error)
	}{
		"quantile method": {0, uint8(anomaly.QuantileNearest), func(n uint8) text { return anomaly.QuantileMethod(n) }, func(s string) (uint8, error) {
			var v anomaly.QuantileMethod
			err := v.UnmarshalText([]byte(s))
			return uint8(v), err
		}},
		"cycle": {0, uint8(anomaly.WeekCycle), func(n uint8) text { return anomaly.Cycle(n) }, func(s string) (uint8, error) {
			var v anomaly.Cycle
			err := v.UnmarshalText([]byte(s))
			return uint8(v), err
		}},
		"combine": {0, uint8(anomaly.CombineCauchy), func(n uint8) text { return anomaly.Combine(n) }, func(s string) (uint8, error) {
			var v anomaly.Combine
			err := v.UnmarshalText([]byte(s))
			return uint8(v), err
		}},
		"drift level": {0, uint8(anomaly.Act), func(n uint8) text { return anomaly.DriftLevel(n) }, func(s string) (uint8, error) {
			var v anomaly.DriftLevel
			err := v.UnmarshalText([]byte(s))
			return uint8(v), err
		}},
		"reason": {1, uint8(anomaly.QuietTogether), func(n uint8) text { return anomaly.QuietKind(n) }, func(s string) (uint8, error) {
			var v anomaly.QuietKind
			err := v.UnmarshalText([]byte(s))
			return uint8(v), err
		}},
	} {
		for n := c.first; n <= c.last; n++ {
			data, err := c.of(n).MarshalText()
			back, errBack := c.read(string(data))
			if err != nil || errBack != nil || back != n || c.of(n).String() != string(data) {
				t.Errorf("%s %d: text %q, %v, back %d, %v", name, n, data, err, back, errBack)
			}
		}
		if data, err := c.of(c.last + 1).MarshalText(); err == nil {
			t.Errorf("%s %d has the text %q", name, c.last+1, data)
		}
		if n, err := c.read("?"); err == nil {
			t.Errorf(`%s "?" is %d`, name, n)
		}
	}
}

func TestEnumText(t *testing.T) {
	for _, s := range []anomaly.State{anomaly.Normal, anomaly.Anomaly, anomaly.NoData, anomaly.Invalid} {
		text, err := s.MarshalText()
		var back anomaly.State
		if err != nil || back.UnmarshalText(text) != nil || back != s || s.String() != string(text) {
			t.Errorf("%v: text %q, %v, back %v", s, text, err, back)
		}
	}
	var s anomaly.State
	if _, err := s.MarshalText(); err == nil {
		t.Error("the unset state has a text")
	}
	if err := s.UnmarshalText([]byte("odd")); err == nil || err.Error() != `anomaly: unknown state "odd", want normal, anomaly, no_data, invalid` {
		t.Errorf("UnmarshalText(odd) = %v", err)
	}
	var side anomaly.Side
	if err := side.UnmarshalText([]byte("low")); err != nil || side != anomaly.Low {
		t.Errorf("side = %v, %v", side, err)
	}
	var preset anomaly.Preset
	if err := preset.UnmarshalText([]byte("compat")); err != nil || preset != anomaly.Compat {
		t.Errorf("preset = %v, %v", preset, err)
	}
}

func TestVerdictRoundTrip(t *testing.T) {
	for _, o := range []*anomaly.Options{nil, {Preset: anomaly.Compat}} {
		v := evaluate(t, healthy(t, o), reading(95, 90, 500, 5, 200))
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var back anomaly.Verdict
		if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(v, back) {
			t.Errorf("verdict differs after JSON: %v\n%+v\n%+v", err, v, back)
		}
	}
}

func TestHistoryOf(t *testing.T) {
	h := anomaly.HistoryOf([]map[string]float64{{"b": 1, "a": 2}, {"c": 3}})
	if !slices.Equal(h.Names, []string{"a", "b", "c"}) || !slices.Equal(h.Rows[0][:2], []float64{2, 1}) || !math.IsNaN(h.Rows[0][2]) || !math.IsNaN(h.Rows[1][0]) || h.Rows[1][2] != 3 {
		t.Errorf("HistoryOf = %+v", h)
	}
}
