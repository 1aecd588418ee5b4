// Package promrules writes the Prometheus rules of service level objectives:
// recording rules, alerts, the unit tests that prove them, and a Grafana
// dashboard.
//
// An [SLO] is an objective of package slo and how its events are counted. Given
// some, [Generate] returns a [File] of rule groups, which writes itself as a rule
// file of Prometheus or as a PrometheusRule of its operator:
//
//	file, err := promrules.Generate([]promrules.SLO{{
//		Objective: objective,
//		Events: promrules.Events{
//			Bad:   `http_requests_total{job="api",code=~"5.."}`,
//			Total: `http_requests_total{job="api"}`,
//		},
//	}}, promrules.Options{Scrape: 30 * time.Second})
//	if err != nil {
//		return err
//	}
//	os.Stdout.Write(file.AppendYAML(nil))
//
// [AppendRules] does both at once, and fast for very many.
//
// # What is counted
//
// A range of w holds w/scrape samples and so one increment too few (since
// Prometheus 3 the left end is open). The rules ask for w + scrape − 1 ms, which has
// the last sample before the window too, and take the difference of a counter's
// greatest and least sample in it: the events of the samples in (t − w, t], whole
// and exact, whatever the age of the counter, the time since the last scrape or the
// window. The first sample of a new series counts nothing. An error ratio is then as
// exact as a division of whole numbers, and a burn of exactly 1 fires nothing.
//
// Where that is not the increase, the function increase estimates it, scaled to w: a
// counter that was reset in the range (exact too, unless it began in the range or
// near 0: then off by the events of a scrape or two), an expression, a native
// histogram. What scaling leaves in the last digits decides nothing, since alerts compare
// ratios rounded to 14 decimals, and counts rounded to a millionth.
//
// To count so exactly costs Prometheus four passes over the samples instead of one:
// 7 ms for the ratio of 5 minutes of 200 series and 17 ms for that of an hour, which is
// 4.6 and 4.1 times what rate takes (internal/bench/slo).
//
// Windows from two hours on are staged: bad and total events are recorded for
// stages of up to five minutes, and long windows are sums of those records, never
// means of ratios. That costs up to one stage of delay and saves Prometheus the
// reading of raw samples over days. The hour of the fastest page is not staged.
//
// A window without traffic has no ratio, rather than NaN; an error series that
// does not exist yet is 0; a budget that nothing was measured for is whole.
//
// # Limits
//
// Prometheus has no calendar: an objective with calendar windows only gets its
// alerts but no series about its period. The series about the period are those of
// the first rolling window; of further ones the error ratio is recorded, under its
// name with the window, which divided by the budget is their burn rate. What is left
// out has a note. Slower alerts are muted by Alertmanager, see [AppendInhibitions].
// A gate by probability (slo.Rule.Alpha) cannot be written in PromQL and is refused,
// and so are a target of 100 %, rules that can never fire, windows below the scrape
// interval and a silence of labels judged apart. MinCoverage counts the stages of
// the long window alone. Selectors are checked, expressions are not; quoted metric
// names, as Prometheus 3 has them, are not read.
package promrules
