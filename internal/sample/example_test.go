package sample_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/evenkeelops/evenkeel/internal/sample"
)

// Repair takes one hour at best, two usually and six at worst. A thousand
// drawn repairs come close to the distribution's own mean of 2.5 hours.
func Example() {
	repair, err := sample.PERT(1, 2, 6)
	if err != nil {
		fmt.Println(err)
		return
	}
	src := rand.NewPCG(2026, 0)
	sum := 0.0
	for range 1000 {
		hours, err := repair.Draw(src)
		if err != nil {
			fmt.Println(err)
			return
		}
		sum += hours
	}
	fmt.Printf("mean of 1000 repairs: %.1f h\n", sum/1000)

	_, err = sample.Triangular(2, 1, 6)
	fmt.Println(err)
	// Output:
	// mean of 1000 repairs: 2.5 h
	// triangular: mode is 1, want at least the minimum 2
}
