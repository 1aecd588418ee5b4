package anomaly_test

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly"
)

// history is a quiet afternoon of a shop: load goes up and down, the rest with it.
func history() anomaly.History {
	h := anomaly.History{Names: []string{"cpu_percent", "latency_ms", "throughput_rps"}}
	for i := range 300 {
		load := float64(i % 20)
		h.Rows = append(h.Rows, []float64{30 + load + float64(i*7%5), 100 + load + float64(i*13%11), 800 + 10*load + float64(i*17%29)})
	}
	return h
}

func Example() {
	d, err := anomaly.Fit("shop", history(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	at := time.Date(2026, time.March, 4, 14, 30, 0, 0, time.UTC)
	for _, reading := range []map[string]float64{
		{"cpu_percent": 42, "latency_ms": 115, "throughput_rps": 900},
		{"cpu_percent": 42, "latency_ms": 115, "throughput_rps": 12},
		{},
	} {
		v, err := d.Evaluate(at, reading)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: %s\n", v.State, v.Recommendation)
		if v.State == anomaly.Anomaly {
			c := v.Contributions[0]
			fmt.Printf("  %s %v%s is %s, usual is %v to %v\n", c.Feature, c.Value, c.Unit, c.Direction, c.Expected.Q25, c.Expected.Q75)
		}
	}
	// Output:
	// normal: System operating within normal parameters
	// anomaly: Look upstream: traffic is lost, or its producer has stopped
	//   throughput_rps 121/s is low, usual is 859.5 to 959
	// no_data: No measurement arrived: check collection and network
}

// Physical limits tell a broken sensor from a busy machine.
func ExampleSchema() {
	schema := anomaly.SchemaOf("cpu_percent", "latency_ms", "throughput_rps")
	schema[0].Min, schema[0].Max = new(0.0), new(100.0)
	d, err := anomaly.Fit("shop", history(), &anomaly.Options{Schema: schema, FalseAlarmsPerDay: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := d.Evaluate(time.Time{}, map[string]float64{"cpu_percent": 640, "latency_ms": 115, "throughput_rps": 900})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(v.State, v.Alarming())
	fmt.Println(v.Recommendation)
	// Output:
	// invalid true
	// cpu_percent reads 640, possible is from 0 to 100: check its source
}

// The recipe answers in its own terms: buckets instead of percentiles, and a
// positive decision for what it takes as normal.
func ExampleOptions_compat() {
	d, err := anomaly.Fit("shop", history(), &anomaly.Options{Preset: anomaly.Compat})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d)
	v, err := d.EvaluateOrdered(time.Time{}, []anomaly.Value{
		{Name: "cpu_percent", Value: 42}, {Name: "latency_ms", Value: 115}, {Name: "throughput_rps", Value: 900},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(v.Preset, v.State, v.Compat.AnomalyScore > 0)
	for _, dev := range v.Compat.Deviations {
		fmt.Println(dev.Feature, dev.Bucket)
	}
	// Output:
	// Trained anomaly detection for shop with 3 features
	// compat normal true
	// cpu_percent above_median
	// latency_ms above_median
	// throughput_rps below_median
}

func ExampleRegistry() {
	var registry anomaly.Registry
	d, err := anomaly.Fit("shop", history(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	registry.Put("acme", d)
	v, err := registry.Evaluate("acme", "shop", time.Time{}, map[string]float64{"cpu_percent": 42})
	fmt.Println(v.State, v.Missing, err)
	_, err = registry.Evaluate("globex", "shop", time.Time{}, nil)
	fmt.Println(err)
	// Output:
	// normal [latency_ms throughput_rps] <nil>
	// anomaly: no model trained for this service: "shop" of tenant "globex"
}

// openingHours is a month of a shop that opens from 9 to 17 on weekdays, by the hour.
func openingHours() anomaly.History {
	ams, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		panic(err)
	}
	h := anomaly.History{Names: []string{"orders_per_hour"}}
	for i := range 28 * 24 {
		at := time.Date(2026, time.March, 2, i, 0, 0, 0, ams)
		orders := 20.0
		if day := at.Weekday(); day != time.Saturday && day != time.Sunday && at.Hour() >= 9 && at.Hour() < 17 {
			orders = 400
		}
		h.Times = append(h.Times, at)
		h.Rows = append(h.Rows, []float64{orders + float64(uint32(i*2654435761)>>16%23)})
	}
	return h
}

// The same number of orders is usual by night and an outage by day.
func ExampleSeason() {
	d, err := anomaly.Fit("shop", openingHours(), &anomaly.Options{Season: &anomaly.Season{Zone: "Europe/Amsterdam"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	season := d.Baselines()[0].Season
	fmt.Printf("season of a %v, strength %.2f\n", season.Cycle, season.Strength)
	for _, at := range []time.Time{
		time.Date(2026, time.April, 8, 1, 0, 0, 0, time.UTC),  // Wednesday 03:00 in Amsterdam
		time.Date(2026, time.April, 8, 10, 0, 0, 0, time.UTC), // 12:00
	} {
		v, err := d.Evaluate(at, map[string]float64{"orders_per_hour": 30})
		if err != nil {
			fmt.Println(err)
			return
		}
		low, high := d.Limits("orders_per_hour", at)
		fmt.Printf("%s: usual %v, alarms beyond %.0f and %.0f: %s\n", at.Format("15:04"), v.Contributions[0].Expected.Median, low, high, v.State)
	}
	// Output:
	// season of a week, strength 0.99
	// 01:00: usual 33, alarms beyond 8 and 60: normal
	// 10:00: usual 416.5, alarms beyond 397 and 437: anomaly
}

// Baselines without a detector, for conditions such as "30% drop from normal levels".
func ExampleLearnBaselines() {
	b, err := anomaly.LearnBaselines(openingHours(), &anomaly.BaselineOptions{Season: &anomaly.Season{Zone: "Europe/Amsterdam"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(b.Expected("orders_per_hour", time.Date(2026, time.April, 8, 10, 0, 0, 0, time.UTC)))
	fmt.Println(b.Expected("orders_per_hour", time.Date(2026, time.April, 11, 10, 0, 0, 0, time.UTC)))
	fmt.Println(b.Expected("visitors", time.Date(2026, time.April, 8, 10, 0, 0, 0, time.UTC)))
	// Output:
	// 416.5 true
	// 30.5 true
	// 0 false
}

// Nodes learn apart; one place knows what they know together.
func ExampleCollector() {
	merged, err := anomaly.NewCollector("latency_ms")
	if err != nil {
		fmt.Println(err)
		return
	}
	for node := range 3 {
		edge, err := anomaly.NewCollector("latency_ms")
		if err != nil {
			fmt.Println(err)
			return
		}
		for i := range 1001 {
			if err := edge.Add([]float64{float64(100*node + i%101)}); err != nil {
				fmt.Println(err)
				return
			}
		}
		data, err := edge.MarshalBinary() // over the wire
		if err != nil {
			fmt.Println(err)
			return
		}
		received, err := anomaly.ParseCollector(data)
		if err != nil {
			fmt.Println(err)
			return
		}
		if err := merged.Merge(received); err != nil {
			fmt.Println(err)
			return
		}
	}
	b := merged.Baselines()[0]
	fmt.Printf("%d values, mean %.0f, median %.0f, 95 %% below %.0f\n", b.N, b.Mean, b.Median, b.Q95)
	// Output:
	// 3003 values, mean 150, median 150, 95 % below 285
}

// Labels of the past choose a threshold; one that costs less outside the bounds is not taken.
func ExampleCalibrate() {
	labels := []anomaly.Label{
		{Score: 2.5, Anomaly: true}, {Score: 1.4, Anomaly: true}, {Score: 1.2}, {Score: 0.9, Anomaly: true}, {Score: 0.4}, {Score: 0.3},
	}
	c, err := anomaly.Calibrate(labels, &anomaly.CalibrationOptions{MissCost: 5})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("alarm from %v on: precision %v, recall %v, cost %v\n", c.Chosen.Threshold, c.Chosen.Precision, c.Chosen.Recall, c.Chosen.Cost)
	fmt.Printf("area under the curve %.2f\n", c.ROCAUC)
	// Output:
	// alarm from 0.9 on: precision 0.75, recall 1, cost 1
	// area under the curve 0.89
}

// Somebody says that an alarm was none; the detector says how often it will alarm now.
func ExampleDetector_WithFeedback() {
	d, err := anomaly.Fit("shop", history(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	reading := map[string]float64{"cpu_percent": 55, "latency_ms": 115, "throughput_rps": 900}
	v, err := d.Evaluate(time.Time{}, reading)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%v, %.2g of healthy readings\n", v.State, d.FalseAlarmRate())
	d, err = d.WithFeedback([]anomaly.Feedback{{At: v.At, P: v.P, By: "ana", Note: "nightly report"}}, &anomaly.CalibrationOptions{High: 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err = d.Evaluate(time.Time{}, reading)
	fmt.Printf("%v, %.2g of healthy readings %v\n", v.State, d.FalseAlarmRate(), err)
	// Output:
	// anomaly, 0.01 of healthy readings
	// normal, 0.00059 of healthy readings <nil>
}

// When the service has changed, the verdicts say so until it is learnt anew.
func ExampleDetector_Drift() {
	d, err := anomaly.Fit("shop", history(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	recent := history()
	for _, row := range recent.Rows {
		row[1] += 15 // a slower database
	}
	drift, err := d.Drift(recent)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range drift.Features {
		fmt.Printf("%s: %v, index %.2f\n", s.Feature, s.Level, s.PSI)
	}
	v, err := d.WithDrift(drift).Evaluate(time.Time{}, map[string]float64{"cpu_percent": 42})
	fmt.Println(v.Drift.Level, err)
	// Output:
	// cpu_percent: stable, index 0.00
	// latency_ms: act, index 5.24
	// throughput_rps: stable, index 0.00
	// act <nil>
}

func ExampleVerdict_WhyNot() {
	d, err := anomaly.Fit("shop", history(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := d.Evaluate(time.Time{}, map[string]float64{"cpu_percent": 51, "latency_ms": 99})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range v.WhyNot() {
		fmt.Printf("%s %s: %s\n", r.Because, r.Feature, r.Text)
	}
	// Output:
	// together : a healthy reading is as odd with probability 0.103, an alarm needs 0.01 or less
	// side latency_ms: 99 is low, and only high values are watched
	// short cpu_percent: 51 is as rare as 0.103 by itself, a score of 0.27 of 1
	// missing throughput_rps: no value arrived
}

// A detector goes into a store as bytes and comes back the same.
func ExampleParseDetector() {
	d, err := anomaly.Fit("shop", history(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	data, err := d.MarshalBinary()
	if err != nil {
		fmt.Println(err)
		return
	}
	back, err := anomaly.ParseDetector(data)
	fmt.Println(back, err)
	_, err = anomaly.ParseDetector(data[:1000])
	fmt.Println(err != nil)
	// Output:
	// Trained anomaly detection for shop with 3 features <nil>
	// true
}

// A verdict as the samples of a monitoring system, or the alerts of a correlation.
func ExampleVerdict_Signals() {
	d, err := anomaly.Fit("shop", history(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := d.Evaluate(time.Time{}, map[string]float64{"cpu_percent": 42, "throughput_rps": 12})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range v.Signals(map[string]string{"region": "eu"}) {
		if s.Firing {
			fmt.Printf("%s %q of %s in %s\n", s.Name, s.Labels["feature"], s.Labels["service"], s.Labels["region"])
		}
	}
	// Output:
	// anomaly_score "" of shop in eu
	// anomaly_feature_score "throughput_rps" of shop in eu
}

func ExampleDetector_Score() {
	d, err := anomaly.Fit("shop", history(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, row := range [][]float64{{42, 115, 900}, {42, 115, 12}} {
		score, err := d.Score(time.Time{}, row) // in the order of d.Schema()
		fmt.Println(score >= 1, err)
	}
	// Output:
	// false <nil>
	// true <nil>
}

func ExampleFindSeason() {
	var times []time.Time
	var depth []float64
	for i := range 12 * 60 { // a job fills the queue on the hour
		times = append(times, time.Date(2026, time.March, 4, 0, i, 0, 0, time.UTC))
		depth = append(depth, float64(100-20*min(i%60, 5)+i%3))
	}
	p, err := anomaly.FindSeason(times, depth, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	bin, _ := p.At(time.Date(2026, time.March, 5, 9, 2, 0, 0, time.UTC))
	fmt.Printf("cycle of an %v; in the first minutes usual is %v\n", p.Cycle, bin.Center)
	// Output:
	// cycle of an hour; in the first minutes usual is 62
}
