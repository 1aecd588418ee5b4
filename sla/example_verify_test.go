package sla_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/sla"
)

// A customer checks a statement that came as JSON, in which somebody has lowered
// the credit.
func ExampleStatement_Verify() {
	contract := sla.Preset("acme-2026", sla.Enterprise, "Europe/Amsterdam", sla.Enterprise.Offer().FeeFrom)
	down := time.Date(2026, 10, 14, 2, 0, 0, 0, time.UTC)
	october, err := sla.ParseMonth("2026-10", time.UTC)
	if err != nil {
		fmt.Println(err)
		return
	}
	evidence := sla.Evidence{
		Observed: october.Interval,
		Outages:  []sla.Outage{{Ref: "INC-110", Start: down, End: down.Add(8 * time.Hour)}},
	}
	issued, err := sla.Evaluate(contract, october, evidence)
	if err != nil {
		fmt.Println(err)
		return
	}
	stored, err := json.Marshal(issued)
	if err != nil {
		fmt.Println(err)
		return
	}

	var statement sla.Statement
	if err := json.Unmarshal(stored, &statement); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("as issued:", statement.Verify(contract, evidence))
	statement.Payable = statement.Payable.Zero()
	fmt.Println("changed:", statement.Verify(contract, evidence))
	// Output:
	// as issued: <nil>
	// changed: sla: statement "acme-2026" "2026-10" does not follow from its inputs: payable: stated "0.00 EUR", derived "7500.00 EUR"
}
