package money_test

import (
	"fmt"

	"github.com/evenkeelops/evenkeel/sla/money"
)

// A credit of half a monthly fee, rounded by the rule that the contract names.
func ExampleAmount_Percent() {
	fee, err := money.Parse("33333.33 EUR")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, rounding := range []money.Rounding{money.HalfUp, money.HalfEven} {
		credit, err := fee.Percent(money.WholePercent(50), rounding)
		fmt.Println(rounding, credit, err)
	}
	// Output:
	// half_up 16666.67 EUR <nil>
	// half_even 16666.66 EUR <nil>
}

// Parts always add up to the whole.
func ExampleAmount_Allocate() {
	parts, err := money.Must(money.Parse("100.00 EUR")).Allocate(1, 1, 1)
	fmt.Println(parts, err)
	// Output: [33.34 EUR 33.33 EUR 33.33 EUR] <nil>
}
