// Package threshold reads the small texts people put into contracts and
// monitoring rules (durations such as "15 minutes", targets such as
// "< 4 hours" and conditions such as "> 80% for 5 minutes") and evaluates the
// conditions against samples.
//
// [ParseDuration], [ParseSpan] and [ParseTarget] read single values;
// [ParseCondition] reads a whole condition into a [Condition], a plain value.
// [Compile] checks a condition against the unit of a series and returns a
// [Watch]; [Watch.Check] answers one sample, [Watch.Observe] follows a series:
//
//	c, err := threshold.ParseCondition("cpu_utilization > 85% for 5 minutes")
//	w, err := threshold.Compile(c, threshold.Options{})
//	var p threshold.Progress
//	p, err = w.Observe(p, threshold.Sample{At: at, Value: 91, Reference: threshold.Missing})
//	if p.State == threshold.Firing { ... }
//
// Numbers are kept as the decimal text that was written, and a sample stands
// for its shortest decimal text, so 0.29 declared as a ratio is exactly 29 %
// and does not exceed "> 29%". Nothing here reads a clock. All values are safe
// for concurrent use by readers.
package threshold
