// Package anomaly judges the measurements of a service against its history: is
// this reading abnormal, how sure is that, and which metric is to blame?
//
// [Fit] turns a [History], rows of numbers under names, into a [Detector].
// [Detector.Evaluate] takes one reading by name and answers with a [Verdict]: a
// [State], a score whose boundary is 1, a probability, and what each feature
// contributed, with advice in words. A [Registry] holds one detector per tenant
// and service and swaps them without stopping readers.
//
//	d, err := anomaly.Fit("checkout", history, nil)
//	if err != nil {
//		return err
//	}
//	v, err := d.Evaluate(at, map[string]float64{"cpu": 97, "latency_ms": 480})
//	if v.State == anomaly.Anomaly {
//		fmt.Println(v.Recommendation)
//	}
//
// There are two presets. [Default] watches the tails of every feature on the
// sides where a deviation harms, and an isolation forest for odd combinations;
// it joins them into one p-value that is calibrated on the history, so that the
// rate of false alarms is the one that was asked for. [Compat] repeats, number
// for number, a widely copied recipe of StandardScaler and IsolationForest that
// takes its values by position; it is there to reproduce and to compare, and its
// known weaknesses are listed at the constant. [Options.Preset] chooses, and
// every verdict says which one made it.
//
// With [Options.Season] a feature is judged by what is usual at that hour of the day or the
// week, on the clock of a place, where the history shows a season. [Detector.Expected] and
// [Detector.Limits] say what is usual and from where on a value alarms, [Baselines] the former
// without a detector, and a [Collector] learns them at the edge, to be merged.
//
// What follows an alarm: [Verdict.Signals] hands it to monitoring or correlation as plain
// values, [Verdict.WhyNot] explains silence, [Calibrate] and [Detector.WithFeedback] move the
// threshold by what people said, [Detector.Drift] tells when the history is out of date, and
// [Detector.AppendBinary] stores it all. Where only the number matters, [Detector.Score]
// judges without garbage.
//
// A missing value (absent or NaN) is reported as missing and never counts as 0.
// A reading without any value is [NoData], which is neither normal nor abnormal.
// The p-values assume that the history is free of incidents, or nearly so, and
// that fresh readings are drawn like it; trends are not modelled here.
//
// Detectors are immutable and safe for concurrent use: what changes one returns another.
// Nothing reads the clock; the instant of a reading is an argument.
package anomaly
