package roi_test

import (
	"fmt"

	"github.com/evenkeelops/evenkeel/roi"
)

func ExampleDowntimeExamples() {
	for _, e := range roi.DowntimeExamples() {
		if e.CostPerHour == nil {
			fmt.Printf("%s: %s\n", e.Industry, e.Basis)
			continue
		}
		fmt.Printf("%s: EUR %.0f an hour, %s\n", e.Industry, *e.CostPerHour, e.Basis)
	}
	// Output:
	// financial services: EUR 5600000 an hour, on average
	// e-commerce: EUR 300000 an hour, at least, at peak
	// healthcare: patient safety and compliance
	// manufacturing: line stoppages and the supply chain
	// SaaS: churn and missed service levels
}
