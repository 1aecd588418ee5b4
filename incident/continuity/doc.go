// Package continuity answers whether recovery is proven and the dates that matter
// are secured.
//
// A [Catalogue] says what there is: services with owner, support window, vendors
// and dependencies, runbooks, key dates, maintenance tasks. [New] checks it and
// returns a [Register], which takes the records that prove something: restores with
// their measured recovery time and data loss ([Restore]) and tests of disasters
// ([DRTest]). [Register.Findings] says what is missing, failed or too old at an
// instant, [Register.KeyDates] when the key dates are, [Register.CheckDates] what
// is planned against them, and [Register.Readiness] all of it by service. A [Gate]
// decides whether an update may go on to its next stage.
//
//	reg, err := continuity.New(continuity.Catalogue{Services: []continuity.Service{{ID: "shop-db"}}})
//	err = reg.AddRestore(restore, now)
//	for _, f := range reg.Findings(now) {
//		fmt.Println(f.Service, f.Code, f.Text)
//	}
//
// Everything that is wrong is a [Finding] of one type and order, with the figures
// in a sentence and the instant since which it holds. Findings do not depend on the
// order in which records came, and those of an instant do not depend on records of
// later ones, so any day can be asked for again. A figure that cannot be told is
// [incident.Undecided], never kept and never missed.
//
// Proofs last for half-open stretches: one of 90 days is good until just before
// the instant 90 times 24 hours after it. Key dates are civil dates of a zone, from
// midnight to midnight unless they name hours, and become half-open intervals.
//
// Nothing here reads a clock or does I/O. A Register is not safe for concurrent
// use; what it returns is.
package continuity
