// Package roi answers whether a managed service is worth its price, in a way
// that can be checked: every figure comes with its formula, its flows and the
// defects that speak against it.
//
// A [Model] describes an internal operations team, a managed service, and what
// outages cost. [Evaluate] values it twice from the same inputs. [AsPublished]
// repeats a calculator that circulates in articles on outsourcing, to the last
// bit, so that its figures can be recognised. [Sound] values the same choice as
// an investment: every amount once, when it is paid, outage hours counted once.
// The [Result] has both, the [BridgeStep] rows between them, and a [Warning] for
// each defect with the numbers that show it:
//
//	res, err := roi.Evaluate(model)
//	if err != nil {
//		return err // every unusable field, joined
//	}
//	fmt.Println(*res.AsPublished.ROIPercent, *res.Sound.ROIPercent)
//	for _, w := range res.Warnings {
//		fmt.Println(w.Code, w.Message)
//	}
//
// The functions of cash flows stand on their own. Flows are amounts per period
// with the first at the start: [NPV], [IRR], [MIRR], [Payback],
// [DiscountedPayback], [PI]; with dates: [XNPV], [XIRR]; of interest:
// [EffectiveRate], [PeriodicRate], [PMT]. [IRR] and [XIRR] find all rates, need
// no first guess, and say so when the rate is not unique or does not exist.
// Where spreadsheets define something else, as for [NPV], the documentation says
// what, and [NPVExcel] has theirs.
//
// [Compile] makes a [Plan], the sound model with some numbers left open, for very
// many variants; package roi/risk draws, varies and solves with it.
//
// [Staff] sizes the team that a round-the-clock seat takes, [Desk] the agents of
// a service desk.
//
// Amounts are float64: this is valuation, not accounting. Inputs that are NaN or
// infinite are errors, and so are results that float64 cannot hold. Nothing reads
// a clock or shares state; all functions may be called concurrently.
//
// The sound model knows inflation, growth, ramp-up, taxes with depreciation, years of
// the calendar, and revenue by hour of the week; all are off unless stated.
// [CostOfOutages] values a log of outages and says in which hours they fell.
//
// Limits: whole years; one rate of tax, of no country in particular, with losses
// relieved at once; depreciation in equal parts.
package roi
