// Package sla says whether a service contract was kept, and what a miss costs.
//
// A [Contract] is data: a fee, a zone and terms. A term promises availability
// with credit bands, a response or a resolution within a time for each severity,
// monitoring, or a liability for lost data. [Preset] writes the reference
// contract of a [Tier], [ParseContract] reads one from JSON. [Evidence] is what
// was seen: outages, maintenance, gaps in the monitoring, incidents. [Evaluate]
// turns both into the [Statement] of one [Period]:
//
//	c := sla.Preset("acme-2026", sla.Enterprise, "Europe/Amsterdam", fee)
//	a, err := sla.Compile(c)
//	if err != nil {
//		return err
//	}
//	s, err := a.Evaluate(a.PeriodAt(lastMonth), evidence)
//	for _, line := range s.Lines {
//		fmt.Println(line.Explain())
//	}
//
// [Agreement.Clocks] answers for an incident that is still open when it is due,
// and when something about it changes next. A [Ticket] folds the events of its
// history.
//
// Before a period is over, [Agreement.Outlook] says how much downtime is left
// before the target is missed and before each credit band, and what is at risk. A
// [Meter] follows the period event by event for a status page. When it is over, a
// [Batch] turns the outages of very many customers into credits, with the amounts
// of Evaluate and none of its texts.
//
// A statement names its inputs by their digests, so that [Statement.Verify] can
// tell later whether it follows from them. What was issued is corrected by
// [Revise], with a line for the difference; a [Claim] goes from the first signal
// to the credit note. [Compare] says what a draft changes and for whom that is
// better, [WhatIf] what a month would have come to under another contract, and
// [BackToBack] where a supplier does not stand behind a promise.
//
// [Tier.Offer] is what a tier promises, and an [Offering] of a [Catalogue] what
// the provider does for it; both say what they have over another one.
// [ReferenceMetrics], [ReferenceReporting] and [MonthlyReview] are what a provider
// shows beside the statement.
//
// # Exactness
//
// Durations are nanoseconds, targets and bounds are parts per billion, and a
// target is met if and only if
//
//	(promised − down) · 10⁹ ≥ target · promised
//
// in 128 bits; no float takes part in a decision. Nothing is rounded before it is
// compared, and a shown availability is cut off, never rounded up to the target.
// Money is rounded once per line, by the rule that the contract names.
//
// # Conventions
//
// Where contracts usually stay silent the package takes these positions, most of
// them with an option of the term:
//
//   - A band holds its lower bound and not its upper one; a value equal to the
//     target meets it. A missed target above the first band earns nothing and is
//     reported as a credit gap.
//   - A period is elapsed time between two local midnights, so months with a
//     change of the clock have 743 or 745 hours.
//   - Overlapping outages count once. What is still open is clipped at the end of
//     the period; the rest belongs to the next.
//   - Excluded maintenance leaves the denominator whole. Its notice is elapsed
//     time; short notice counts in full, and so does work beyond the window.
//   - A late response or resolution belongs to the period in which its target was
//     passed, answered or not, and counts once; each late update counts.
//   - A change of the severity leaves a clock its start and its pauses; the target
//     of the highest severity reached holds from the start. A reopened incident
//     goes on with the time used before.
//   - Time that nobody measured counts as up, is reported, and lowers the grade
//     of the statement. A service that nobody measured at all has no data, which
//     is neither 0 nor 100 percent.
//   - Credits of all clauses are summed and capped; under the cap availability is
//     paid first, then response, resolution and monitoring.
//   - A period that the contract covers in part has a fee in proportion.
//
// # Limits
//
// The package reads no clock, no file but the zone database, and knows no
// exchange rates and no taxes. Everything in it but a [Ticket] and a [Meter] is
// safe for concurrent use as long as contracts and evidence are not changed
// meanwhile.
package sla
