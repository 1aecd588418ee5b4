package continuity_test

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/incident/continuity"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Whether recovery is proven: the database was restored once, 100 days ago, in more
// than the time agreed, and nobody ever tested a disaster.
func Example() {
	reg, err := continuity.New(continuity.Catalogue{
		Services: []continuity.Service{{
			ID: "shop-db", Owner: "dba", Tier: "enterprise", Lines: []string{"L1", "L2"},
			Support: &calendar.Hours{Zone: "UTC", Week: calendar.EveryDay("00:00", "24:00")},
		}},
		Runbooks: []continuity.Runbook{{
			ID: "restore", Services: []string{"shop-db"}, Purpose: continuity.ForRestore, Owner: "dba",
			Steps: []string{"stop the shop", "restore", "count the rows"}, ReviewedAt: time.Date(2026, 9, 1, 9, 0, 0, 0, time.UTC),
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	lost := time.Date(2026, 10, 1, 8, 0, 0, 0, time.UTC)
	err = reg.AddRestore(continuity.Restore{
		Service: "shop-db", Backup: "2026-10-01T07", Kind: continuity.InPlace,
		Newest: lost.Add(-45 * time.Minute), FailedAt: lost.Add(-5 * time.Minute), Lost: lost,
		Started: lost.Add(10 * time.Minute), Restored: lost.Add(4 * time.Hour), Verified: lost.Add(4*time.Hour + 10*time.Minute),
		By: "dana", Method: "row count and checksum", Check: continuity.Passed,
		Artefact:  "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		RTOTarget: 4 * time.Hour, RPOTarget: time.Hour,
	}, lost.AddDate(0, 0, 1))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range reg.Findings(lost.AddDate(0, 0, 100)) {
		fmt.Printf("%s: %s\n", f.Code, f.Text)
	}
	// Output:
	// restore_overdue: the last proof of a whole restore, of backup 2026-10-01T07 on 2026-10-01 12:10 UTC, is 99d19h50m old, less than 90d is wanted
	// window_missed: recovery time of the restore of backup 2026-10-01T07 was 4h10m, less than 4h is agreed
	// dr_never_tested: disaster recovery was never tested
	// runbook_missing: there is no runbook for disasters
}

// The payroll run is on the 25th, or on the business day before if that is none.
func ExampleKeyDate_Expand() {
	payroll := continuity.KeyDate{
		ID: "payroll", Rule: continuity.Rule{Day: 25, Roll: continuity.Preceding}, Zone: "Europe/Amsterdam",
		BusinessDays: &calendar.Hours{Week: calendar.MondayToFriday("09:00", "18:00"), Holidays: []string{"2026-12-25"}},
	}
	dates, err := payroll.Expand(calendar.Interval{
		Start: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, o := range dates {
		fmt.Println(o.Days[0].Date, o.Days[0].Nominal, o.Interval)
	}
	// Output:
	// 2026-10-23 2026-10-25 [2026-10-22T22:00:00Z, 2026-10-23T22:00:00Z)
	// 2026-11-25  [2026-11-24T23:00:00Z, 2026-11-25T23:00:00Z)
	// 2026-12-24 2026-12-25 [2026-12-23T23:00:00Z, 2026-12-24T23:00:00Z)
}

// A change is planned into the close of the month, and one person too few.
func ExampleRegister_CheckDates() {
	reg, err := continuity.New(continuity.Catalogue{
		Services: []continuity.Service{{ID: "ledger"}},
		KeyDates: []continuity.KeyDate{{
			ID: "close", Name: "Month-end close", Rule: continuity.Rule{Last: 3}, Zone: "Europe/Amsterdam", Services: []string{"ledger"},
			Freeze: true, Cover: map[string]int{"databases": 2},
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	change := time.Date(2026, 10, 29, 20, 0, 0, 0, time.UTC)
	findings, err := reg.CheckDates(
		calendar.Interval{Start: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)},
		continuity.Plans{
			Work:  []continuity.Work{{Ref: "CHG-12", Kind: continuity.Change, Window: calendar.Interval{Start: change, End: change.Add(time.Hour)}}},
			Cover: func(string, calendar.Interval) (int, bool) { return 1, true },
		})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range findings {
		fmt.Println(f.Text)
	}
	// Output:
	// change CHG-12 from 2026-10-29 20:00 UTC to 2026-10-29 21:00 UTC is inside the freeze of Month-end close on 2026-10-28, 2026-10-29, 2026-10-30
	// Month-end close on 2026-10-28, 2026-10-29, 2026-10-30 wants 2 on duty for databases from 2026-10-27 23:00 UTC to 2026-10-30 23:00 UTC, 1 planned
}

// The receipt scanner was green on the build before, which proves nothing about this
// one.
func ExampleGate_Judge() {
	const old, built = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"
	at := time.Date(2026, 10, 14, 10, 0, 0, 0, time.UTC)
	gate := continuity.Gate{
		Service: "expenses", Workflows: []string{"scan a receipt", "approve"},
		Tests: map[continuity.Stage][]continuity.TestKind{continuity.Testing: {continuity.RegressionTest}},
	}
	decision, err := gate.Judge(continuity.Update{
		ID: "v8", Author: "bob", Artefact: built,
		Runs: []continuity.Run{
			{Stage: continuity.Testing, Test: continuity.RegressionTest, Artefact: built, At: at, Result: continuity.Passed},
			{Stage: continuity.Acceptance, Workflow: "scan a receipt", Artefact: old, At: at.AddDate(0, 0, -1), Result: continuity.Passed},
			{Stage: continuity.Acceptance, Workflow: "approve", Artefact: built, At: at.Add(time.Hour), Result: continuity.Passed},
		},
		Rollback: continuity.Rollback{Runbook: "roll back expenses", Artefact: old},
	}, continuity.Production, at.AddDate(0, 0, 1))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("open:", decision.Open)
	for _, r := range decision.Missing() {
		fmt.Println(r)
	}
	// Output:
	// open: false
	// workflow scan a receipt in acceptance: green on 2026-10-13 10:00 UTC for artefact 9f86d081884c, which is another one
	// approval: nobody approved
}

// The report of all services, for a page or a mail.
func ExampleReadiness_Markdown() {
	reg, err := continuity.New(continuity.Catalogue{Services: []continuity.Service{{
		ID: "status-page", Owner: "web", Tier: "essential", Lines: []string{"L1"}, Stateless: true, EndOfSupport: "2026-09-30",
		Support: &calendar.Hours{Zone: "UTC", Week: calendar.MondayToFriday("08:00", "18:00")},
	}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	ready, err := reg.Readiness(time.Date(2026, 10, 1, 9, 0, 0, 0, time.UTC), 90*24*time.Hour, continuity.Plans{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(ready.Markdown())
	// Output:
	// # Readiness on 2026-10-01 09:00 UTC
	//
	// ## Services
	//
	// | service | owner | tier | last restore | recovery time | loss of data | disaster test | next key date | findings |
	// |---|---|---|---|---|---|---|---|---|
	// | status-page | web | essential | keeps no data | – | – | never tested | – | 3 |
	//
	// ## Findings
	//
	// | service | finding | about | what | since |
	// |---|---|---|---|---|
	// | status-page | dr\_never\_tested |  | disaster recovery was never tested | always |
	// | status-page | runbook\_missing |  | there is no runbook | always |
	// | status-page | end\_of\_support | end\_of\_support | 2026-09-30 was the last date on which it was supported | 2026-10-01 00:00 UTC |
}
