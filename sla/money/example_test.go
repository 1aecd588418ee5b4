package money_test

import (
	"fmt"
	"math/big"

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

// Twice the share of the month that was lost, in one step and rounded once.
func ExampleAmount_ShareRat() {
	fee := money.Must(money.Parse("100000.00 EUR"))
	share := big.NewRat(5_430_000_000_007, 2_592_000_000_000_000) // 1 h 30 min 30 s 7 ns of 30 days
	credit, err := fee.ShareRat(share.Mul(share, big.NewRat(2, 1)), money.HalfUp)
	fmt.Println(credit, err)
	// Output: 418.98 EUR <nil>
}

// Parts always add up to the whole.
func ExampleAmount_Allocate() {
	parts, err := money.Must(money.Parse("100.00 EUR")).Allocate(1, 1, 1)
	fmt.Println(parts, err)
	// Output: [33.34 EUR 33.33 EUR 33.33 EUR] <nil>
}
