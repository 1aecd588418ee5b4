// Command roi measures valuation: cash-flow functions beside another library and
// fixed goals, what is drawn and varied in a business case, and the allocation of costs.
package main

import (
	"slices"

	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

func main() {
	measure.Main(slices.Concat(cashflows, risks, allocations))
}
