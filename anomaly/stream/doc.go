// Package stream judges series of measurements one sample at a time, in constant time and
// a few kilobytes a series.
//
// A detector has one method that matters, Update(at, value), which answers with a [Verdict]:
// a [State], a score whose boundary is 1, and findings that say what was observed, what was
// expected, and how improbable that is. [Bank] is the one to begin with: it finds odd levels,
// changes, means, spreads and times of the day. [EWMA] and [Robust] watch one level, [Shift]
// finds levels that move slowly, [Spread] series that become restless, [Flatline] values that
// are stuck, [Gap] samples that do not come; [Rate] makes a rate of a counter first. An
// [Alarm] makes episodes of verdicts, one alarm each; a [Consensus] finds only what all of
// several detectors find. A [Series] is a bank, a flat line, a gap and an alarm together, of a
// counter on its rate, of a series with a known season on the distance from it, and a
// [Registry] holds very many of them within a bound of memory.
//
//	b, err := stream.NewBank(nil)
//	if err != nil {
//		return err
//	}
//	for _, s := range samples {
//		if v := b.Update(s.At, s.Value); v.State == stream.Anomalous {
//			fmt.Println(v)
//		}
//	}
//
// Memory is in time: half-lives and windows are durations, so a slow series does not
// remember an outage for weeks. Until enough has been seen the state is [Warming]. A value
// that is missing is [NoData] and never 0. A sample older than the one before is counted
// and left out. What happens in a maintenance is left out by not giving it to Update, or by
// [Series]; Pause then tells the detector that the next sample does not continue the last.
//
// Every detector is restored by UnmarshalBinary to go on byte for byte like the one whose
// MarshalBinary it was. Nothing reads the clock or draws a random number. Detectors are not
// safe for concurrent use, a [Registry] is.
//
// Limits: a bank knows the time of the day alone. Package anomaly finds seasons of an hour, a
// day or a week with exceptions of the calendar; the center of a bin of its Profile is what
// SeriesOptions.Expected returns. Each series is judged alone; for several measurements of one
// thing together there is package anomaly. A series whose step changes keeps the windows of
// its first step.
package stream
