// Package slo computes service level objectives: how much of an error budget is
// gone, how fast it burns, which alert rule holds, and when the budget ends.
//
// A [Target] is an exact ratio read from decimal text, a [Window] is rolling or a
// period of a calendar in any zone, and an [Objective] puts both together with a
// [Policy] of multi-window, multi-burn-rate alert rules. [Evaluate] turns
// [Counts] of good events into a [Status]: allowed, consumed, remaining, burn,
// whether the objective is met, and its state, each an exact [Ratio] that
// [Status.Explain] can account for. A [Tracker] does the same for a stream of
// samples:
//
//	window := slo.Rolling(30 * 24 * time.Hour)
//	policy, err := slo.DefaultPolicy(window)
//	tracker, err := slo.NewTracker(slo.Objective{
//		ID: "checkout", Target: slo.MustPercent("99.9"),
//		Windows: []slo.Window{window}, Policy: policy,
//	}, nil)
//	for _, row := range rows { // counts of the time since the row before
//		err := tracker.Observe(row.At, slo.Counts{Good: row.Good, Total: row.Total})
//		rule, fires := tracker.Firing(slo.Page)
//	}
//	status, err := tracker.Status()
//
// [TrackerOptions].Compact bounds its memory. [Backtest] runs a policy over recorded
// samples and [History.Compare] two of them. A [BudgetPolicy] says what has been
// agreed to happen as the budget goes.
//
// Raw counters become counts through [Counter]; time slices ([Slicing]), latency
// histograms ([LatencySLI]), downtime with weighted hours ([EvaluateDowntime]) and
// journeys ([Composite]) are further kinds of indicator. Maintenance is an
// [Exclusion]; a [Mark] gives critical hours more weight.
//
// Counts are whole numbers and every decision is a comparison of 128-bit
// products: a rule fires iff both its ratios are strictly above the threshold,
// equal never fires. No float takes part, but for the gate of [Rule].Alpha, where
// it decides only what its error leaves no doubt about. A window without events is a state of
// its own, [NoData], never 0 or 100 percent.
//
// Nothing here reads a clock, starts a goroutine or does I/O, but for the time zone
// database where the text of a [Window] names a zone. Values may be read
// by several goroutines; a Tracker and a Counter belong to one at a time.
//
// The rules and most formulas are those of Beyer et al., The Site Reliability
// Workbook, 2018, chapter 5 "Alerting on SLOs"; budgeting methods are named as in
// OpenSLO v1. Where an answer differs from a well-known tool, the comment of the
// function says so.
package slo
