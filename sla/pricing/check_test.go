package pricing

import (
	"math"
	"testing"
)

func noError(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// near wants two numbers to differ by no more than an absolute error.
func near(tb testing.TB, what string, got, want, within float64) {
	tb.Helper()
	if !(math.Abs(got-want) <= within) {
		tb.Fatalf("%s = %v, want %v ± %v", what, got, want, within)
	}
}
