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
// # What is counted
//
// A range of w holds w/scrape samples and so one increment too few (since
// Prometheus 3 the left end is open). The rules ask for w + scrape − 1 ms, scale
// the answer back to w and round it to a millionth of an event: counters that
// count whole events are counted exactly, and a burn of exactly 1 fires nothing.
// This holds for windows that are whole numbers of scrapes; others are as exact as
// the function increase is. The first sample of a new series counts nothing.
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
// alerts but no series about its period. A gate by probability (slo.Rule.Alpha)
// cannot be written in PromQL and is refused, and so are a target of 100 % and
// rules that can never fire. MinCoverage counts the stages of the long window
// alone. Selectors are checked, expressions are not; quoted metric names, as
// Prometheus 3 has them, are not read.
package promrules
