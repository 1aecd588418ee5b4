// Package showback says what services cost and who bears it, to the cent.
//
// An [Item] is something that costs money: a purchase, a licence, a contract, people,
// and what such an item forces to buy besides. [Costs] reckons what each costs in a
// [Month]: discounts by volume, a broker's margin, spreading over months, conversion at
// the rate of the month. [Allocate] divides the costs among cost centres by keys, shared
// services first. [Showback] makes a [Statement] of fact for each cost centre;
// [Chargeback] an [Invoice] for each legal entity, with markup, tax, minimum and agreed
// prices, which is approved, posted, disputed and revised:
//
//	costs, err := showback.Costs(items, month, "EUR", rates)
//	if err != nil {
//		return err // every unusable field, joined
//	}
//	allocation, err := showback.Allocate(costs, usage, keys, nil)
//	if err != nil {
//		return err
//	}
//	statements, err := showback.Showback(allocation, &showback.Facts{Month: month})
//
// Beside them stand [Licences], what is allowed against what is used, and which dates
// come near; [FullCost] and [MarginalCost], of an incident or a ticket; [CompareTiers],
// which offer is the cheapest for which workload.
//
// Amounts are whole minor units, shares are whole numbers, and every step is exact or
// rounded where its comment says so. Parts add up to the whole. What nobody bears is
// shown as unallocated, what is not known is an amount that is not set, null in JSON.
// Every figure comes with its formula.
//
// Nothing reads a clock, no argument is changed, and results share no state with
// arguments but strings and slices that are only read; all functions may be called
// concurrently. Same input, same output.
//
// Limits: accounts are by calendar month; write-off is in equal parts; no tax rules of
// any country.
package showback
