// Package risk asks how sure a business case is: what a [roi.Model] comes to when
// its numbers are not the stated ones.
//
// [Compare] puts alternatives (stay internal, a tier, a hybrid) under named
// scenarios side by side. [BreakEven] finds the value of one number at which the
// net present value is zero, [ForPayback] the one for a wanted payback, [Grid]
// varies two numbers at once, and [Check] holds the result against what providers
// claim. [Simulate] draws numbers from distributions and says how likely a loss
// is; roi.Sensitivity varies one number at a time:
//
//	f, err := risk.Simulate(ctx, model, map[string]risk.Distribution{
//		"impact.revenue_per_hour":     {Kind: risk.Triangular, Min: 10_000, Mode: 25_000, Max: 40_000},
//		"managed.monthly_service_fee": {Kind: risk.PERT, Min: 40_000, Mode: 45_000, Max: 70_000},
//	}, 100_000, &risk.Options{Seed: 1})
//	if err != nil {
//		return err
//	}
//	fmt.Println(f.NPV.P5, f.NPV.P95, f.Loss)
//
// Everything is about the sound model of package roi, not the published one.
// Numbers are named by their path in the model file or by the last part of it.
//
// Nothing reads a clock, and only [Simulate] starts goroutines, if told to; they
// end before it returns. Functions may be called concurrently.
//
// Limits: a drawn number has one value in all years of a scenario. What is not in
// the model, and that the distributions are somebody's guess, is not in the
// result: a standard error is that of drawing alone.
package risk
